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
pub(crate) enum Metadata {
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
pub(crate) fn setup(
    tree: &dyn Tree,
    dir: &RelPath,
    deps: &mut Deps,
    declared: &mut Vec<String>,
) -> Result<Option<String>> {
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
                let found = items(rest.trim_start_matches(['=', ' ']), is_python);
                declared.extend(add_items(found, path.as_str(), index, deps));
                deps.partly_unknown |= is_python && !rest.contains('[');
                inside &= !(is_python && rest.contains(']'));
            } else if inside {
                // setup.cfg goes on while lines are indented, a list until its bracket closes.
                let ends = if is_python { trimmed.contains(']') } else { !line.starts_with([' ', '\t']) };
                if !ends || is_python {
                    declared.extend(add_items(items(trimmed, is_python), path.as_str(), index, deps));
                }
                inside = !ends;
            }
        }
    }
    Ok(name)
}

/// What a line of the list names: the texts in quotes, or the line itself.
fn items(text: &str, is_python: bool) -> Vec<&str> {
    if !is_python {
        return vec![text.split('#').next().unwrap_or_default().trim()];
    }
    let mut items = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(['"', '\'', '#']) {
        let quote = &rest[start..=start];
        let Some(end) = rest[start + 1..].find(quote).filter(|_| quote != "#") else { break };
        items.push(&rest[start + 1..start + 1 + end]);
        rest = &rest[start + end + 2..];
    }
    items
}

/// Adds the dependencies, and returns those that mean what they say: no text that is filled in first.
fn add_items(items: Vec<&str>, path: &str, index: usize, deps: &mut Deps) -> Vec<String> {
    let mut literal = Vec::new();
    for item in items {
        if let Some(one) = parse(item) {
            deps.add(one, path, Some(index as u32 + 1));
            literal.extend((!item.contains(['{', '%', '\\'])).then(|| item.to_owned()));
        }
    }
    literal
}
