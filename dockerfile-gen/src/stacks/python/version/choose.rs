//! The version that a project asks for, wherever it asks.
//!
//! Input: the files that name versions, and the dependencies. Output: a [`Version`]. The one idea: a file that names a
//! version goes before a range, and within a range the dependencies have a say.

use crate::config::Config;
use crate::error::{Error, Result};
use crate::facts::Notes;
use crate::tree::{RelPath, Tree};

use super::super::deps::Deps;
use super::super::lock::has_wheel;
use super::super::manager::pins;
use super::super::pyproject::{Pyproject, get, line_of, parse_toml};
use super::Version;

/// Where versions may be named.
#[derive(Clone, Copy)]
pub(crate) struct Asking<'a> {
    /// The files.
    pub(crate) tree: &'a dyn Tree,
    /// The folder of the manifests.
    pub(crate) dir: &'a RelPath,
    /// The folder of the application.
    pub(crate) app_dir: &'a RelPath,
    /// Its pyproject.toml.
    pub(crate) pyproject: Option<&'a Pyproject>,
    /// The dependencies.
    pub(crate) deps: &'a Deps,
    /// The manifest that is named where nothing asks for a version.
    pub(crate) manifest: &'a str,
}

/// Which Python, and whether a file names an exact release for the package manager, too.
///
/// # Errors
/// [`Error::Manifest`] for a range that no image satisfies and for what is no version, [`Error::Unsupported`] for another
/// interpreter.
pub(crate) fn choose(asking: &Asking<'_>, config: &Config, notes: &mut Notes) -> Result<(Version, bool)> {
    let Asking { tree, dir, app_dir, pyproject, deps, manifest } = *asking;
    let mut exact_pin = false;
    for base in [app_dir, dir, &RelPath::default()] {
        for file in [".python-version", "runtime.txt"] {
            let path = base.join(file).unwrap_or_default();
            let Some(text) = tree.text(path.as_str())? else { continue };
            let mut lines = text.lines().enumerate();
            let Some((index, line)) = lines.find(|(_, line)| !line.trim().is_empty() && !line.starts_with('#')) else {
                continue;
            };
            let line_number = Some(index as u32 + 1);
            match super::named(line, path.as_str(), line_number) {
                Ok(found) => {
                    let minor = Version::minor(found.minor);
                    exact_pin |= found.patch.is_some() && file == ".python-version";
                    notes.found(path.to_string(), line_number, format!("Python {minor}"));
                    say_old(minor, notes);
                    return Ok((minor, exact_pin));
                }
                Err(_) if config.base.is_some() => {}
                Err(error) => return Err(error),
            }
        }
    }
    let range = version_range(tree, dir, pyproject)?;
    let preferred = |range: &str| super::PREFERENCE.into_iter().find(|minor| super::allows(range, *minor));
    let Some((range, path, line)) = range.map(|(range, path, line)| (range.replace(char::is_control, " "), path, line))
    else {
        let version = fitting("", deps, notes);
        notes.found(manifest, None, format!("Python {version}, because nothing asks for another"));
        return Ok((version, exact_pin));
    };
    if let Some(version) = super::exact(&range) {
        notes.found(path, line, format!("Python {version}, and no other"));
        say_old(version, notes);
        return Ok((version, exact_pin));
    }
    if preferred(&range).is_none() && config.base.is_none() {
        return Err(Error::manifest(
            &path,
            line,
            format!("`{range}` allows no Python that there is an image of (3.7 to 3.14)"),
        ));
    }
    let version = fitting(&range, deps, notes);
    notes.found(path, line, format!("Python {version}, which satisfies `{range}`"));
    say_old(version, notes);
    Ok((version, exact_pin))
}

/// The first preferred version in a range for which there are wheels of everything that is pinned.
fn fitting(range: &str, deps: &Deps, notes: &mut Notes) -> Version {
    let allowed = super::PREFERENCE.into_iter().filter(|minor| range.is_empty() || super::allows(range, *minor));
    let allowed: Vec<u32> = allowed.collect();
    let first = allowed.first().copied().unwrap_or(super::PREFERENCE[0]);
    let pins = pins(deps);
    let has_any = |files: &[String]| (7..15).any(|minor| has_wheel(files, minor, false) == Some(true));
    let held_back = |minor: u32| -> Option<String> {
        let locked = deps
            .lock
            .iter()
            .flatten()
            .find(|(_, locked)| has_wheel(&locked.files, minor, false) == Some(false) && has_any(&locked.files));
        let listed =
            |name: &String| deps.lock.as_ref().and_then(|lock| lock.get(name)).is_some_and(|one| !one.files.is_empty());
        locked.map(|(name, locked)| format!("{name} {}", locked.version)).or_else(|| {
            let old = pins.iter().find(|(name, version)| {
                !listed(name) && super::newest_for(name, version).is_some_and(|newest| newest < minor)
            });
            old.map(|(name, version)| format!("{name} {version}"))
        })
    };
    let Some(reason) = held_back(first) else { return Version::minor(first) };
    // Older than what is still maintained only if the range says so.
    let better =
        allowed.into_iter().filter(|minor| *minor < first && *minor >= 8).find(|minor| held_back(*minor).is_none());
    match better {
        Some(minor) => {
            notes.warn(format!("Python 3.{minor} instead of 3.{first}, for which there is no wheel of {reason}"));
            Version::minor(minor)
        }
        None => Version::minor(first),
    }
}

fn say_old(version: Version, notes: &mut Notes) {
    if version.minor < super::OLDEST_SUPPORTED {
        notes.warn(format!("Python {version} gets no security fixes any more"));
    }
}

/// The range of versions that a manifest allows, with file and line.
fn version_range(
    tree: &dyn Tree,
    dir: &RelPath,
    pyproject: Option<&Pyproject>,
) -> Result<Option<(String, String, Option<u32>)>> {
    if let Some(pyproject) = pyproject {
        if let Some(range) = pyproject.str("project.requires-python") {
            return Ok(Some((range.to_owned(), pyproject.path.clone(), pyproject.line("requires-python"))));
        }
        let python = pyproject.get("tool.poetry.dependencies.python");
        if let Some(range) = python.and_then(|python| python.as_str().or_else(|| python.get("version")?.as_str())) {
            return Ok(Some((range.to_owned(), pyproject.path.clone(), pyproject.line("python"))));
        }
    }
    let path = dir.join("Pipfile").unwrap_or_default();
    if let Some(text) = tree.text(path.as_str())? {
        let table = parse_toml(path.as_str(), &text)?;
        for key in ["python_full_version", "python_version"] {
            if let Some(version) = get(&table, &format!("requires.{key}")).and_then(toml::Value::as_str) {
                return Ok(Some((version.to_owned(), path.to_string(), line_of(&text, key))));
            }
        }
    }
    let path = dir.join(".tool-versions").unwrap_or_default();
    if let Some(text) = tree.text(path.as_str())?
        && let Some((index, rest)) =
            text.lines().enumerate().find_map(|(index, line)| Some((index, line.strip_prefix("python ")?)))
        && let Ok(version) = super::named(rest.split_whitespace().next().unwrap_or_default(), path.as_str(), None)
    {
        return Ok(Some((format!("3.{}", version.minor), path.to_string(), Some(index as u32 + 1))));
    }
    for (file, key) in
        [("setup.cfg", "python_requires"), ("setup.py", "python_requires"), ("uv.lock", "requires-python")]
    {
        let path = dir.join(file).unwrap_or_default();
        let text = tree.scan(path.as_str());
        let line = text.lines().enumerate().find(|(_, line)| line.trim_start().starts_with(key));
        if let Some((index, line)) = line {
            let value = line.split_once('=').map_or("", |(_, value)| value);
            let range = value.trim().trim_end_matches(',').trim_matches(['"', '\'']);
            if !range.is_empty() {
                return Ok(Some((range.to_owned(), path.to_string(), Some(index as u32 + 1))));
            }
        }
    }
    Ok(None)
}
