//! Dependencies that only the project's own metadata names.
//!
//! Input: pyproject.toml, setup.cfg or setup.py. Output: [`Metadata`]. The one idea: what can be read without running
//! anything goes into the dependency layer; the install of the project adds what is missing.

use crate::error::Result;
use crate::tree::{RelPath, Tree};

use super::super::deps::Deps;
use super::super::requirement::parse;

/// Where the dependencies are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Metadata {
    /// `[project]` in pyproject.toml.
    Pyproject,
    /// `install_requires` in setup.cfg or setup.py.
    Setup,
}

/// The files that setuptools reads, relative to the folder.
pub(crate) const SETUP_FILES: [&str; 2] = ["setup.cfg", "setup.py"];

/// Reads `install_requires` of setup.cfg and, as far as it is a literal list, of setup.py.
///
/// # Errors
/// As [`Tree::text`].
pub(crate) fn setup(tree: &dyn Tree, dir: &RelPath, deps: &mut Deps) -> Result<Option<String>> {
    let mut name = None;
    for file in SETUP_FILES {
        let path = dir.join(file).unwrap_or_default();
        let Some(text) = tree.text(path.as_str())? else { continue };
        let is_python = file.ends_with(".py");
        let mut inside = false;
        for (index, line) in text.lines().enumerate() {
            let trimmed = line.trim();
            if let Some(value) = trimmed.strip_prefix("name").and_then(|rest| rest.trim_start().strip_prefix('=')) {
                let value = value.trim().trim_end_matches(',').trim_matches(['"', '\'']);
                name = name.or_else(|| parse(value).map(|one| one.name));
            }
            if let Some(rest) = trimmed.strip_prefix("install_requires").map(str::trim_start) {
                inside = true;
                add_items(rest.trim_start_matches(['=', ' ']), is_python, path.as_str(), index, deps);
                deps.partly_unknown |= is_python && !rest.contains('[');
                inside &= !(is_python && rest.contains(']'));
            } else if inside {
                // setup.cfg goes on while lines are indented, a list until its bracket closes.
                let ends = if is_python { trimmed.contains(']') } else { !line.starts_with([' ', '\t']) };
                if !ends || is_python {
                    add_items(trimmed, is_python, path.as_str(), index, deps);
                }
                inside = !ends;
            }
        }
    }
    Ok(name)
}

fn add_items(text: &str, is_python: bool, path: &str, index: usize, deps: &mut Deps) {
    let line = Some(index as u32 + 1);
    if is_python {
        for item in text.split(['"', '\'']).skip(1).step_by(2) {
            if let Some(one) = parse(item) {
                deps.add(one, path, line);
            }
        }
    } else if let Some(one) = parse(text.split('#').next().unwrap_or_default()) {
        deps.add(one, path, line);
    }
}
