//! What is installed, whichever manager installs it.

use std::collections::BTreeSet;

use toml::Value;

use super::super::deps::Deps;
use super::super::pyproject::Pyproject;
use super::super::registry::Index;
use super::super::requirement::{normalize, parse};
use super::metadata::Metadata;
use crate::facts::Notes;
use crate::tree::RelPath;

/// A package manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub(crate) enum Manager {
    /// pip, with requirements files or the metadata of the project.
    Pip,
    /// pipenv.
    Pipenv,
    /// Poetry.
    Poetry,
    /// PDM.
    Pdm,
    /// uv.
    Uv,
}

/// What is installed, and from what.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub(crate) struct Install {
    /// The package manager; pip where nothing is installed at all.
    pub manager: Option<Manager>,
    /// The version of the package manager that the project asks for.
    pub tool_version: Option<String>,
    /// The lockfile, relative to the folder of the manifests.
    pub lock: Option<String>,
    /// Every file that decides the dependency set, relative to the project.
    pub manifests: BTreeSet<RelPath>,
    /// Requirements files for pip, relative to the folder of the manifests.
    pub requirements: Vec<String>,
    /// Folders of the project for pip, such as `.[web]`, and whether each is installed in place.
    pub local: Vec<(String, bool)>,
    /// Where pip's dependencies come from, if not from requirements files.
    pub metadata: Option<Metadata>,
    /// Extras to install.
    pub extras: Vec<String>,
    /// Dependency groups to install beside the default ones.
    pub groups: Vec<String>,
    /// The workspace member to install.
    pub package: Option<String>,
    /// The member's folder, relative to the folder of the manifests.
    pub member: RelPath,
    /// Whether the lockfile is that of a uv workspace.
    pub workspace: bool,
    /// Whether uv installs a folder of the project as a copy, not in place.
    pub copies_folders: bool,
    /// Dependencies that the metadata names, as they stand in the Dockerfile.
    pub declared: Vec<String>,
    /// Whether the lock holds folders of the project as dependencies.
    pub folders: bool,
    /// Whether uv takes packages from other indexes than the public one.
    pub indexes: bool,
    /// Whether uv is told how to build some of the packages, which its list does not say.
    pub special_builds: bool,
    /// Whether something is fetched with git.
    pub git: bool,
    /// Whether that goes through ssh.
    pub ssh: bool,
}

/// What [`Install`] does not show.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    pub(crate) install: Install,
    pub(crate) deps: Deps,
    pub(crate) indexes: Vec<Index>,
    pub(crate) pyproject: Option<Pyproject>,
    pub(crate) scripts: Vec<(String, String)>,
}

/// Adds the dependencies of `[project]`, with those of the chosen extras.
pub(crate) fn add_project(project: &Pyproject, deps: &mut Deps, extras: &[String]) {
    // They stand in the file one after the other, so each is looked for from where the one before was found.
    let (mut from, mut line) = (0, 1);
    let mut is_lost = false;
    for text in named(project, extras) {
        let Some(one) = parse(&text) else { continue };
        let found = if is_lost { None } else { project.text[from..].find(&text) };
        let at = match found {
            Some(at) => {
                line += count_lines(&project.text[from..from + at]);
                from += at;
                Some(line)
            }
            // Those of an extra may stand above, and one with escapes is nowhere.
            None => {
                let at = if deps.direct.len() < MOST_LOOKED_FOR { project.text.find(&text) } else { None };
                is_lost = deps.direct.len() >= MOST_LOOKED_FOR;
                at.map(|at| 1 + count_lines(&project.text[..at]))
            }
        };
        deps.add(one, &project.path, at);
    }
    deps.partly_unknown |= project.is_dynamic("dependencies");
}

/// Of more dependencies than this, those that do not stand in order have no line.
const MOST_LOOKED_FOR: usize = 1000;

fn count_lines(text: &str) -> u32 {
    text.bytes().filter(|byte| *byte == b'\n').count() as u32
}

/// The dependencies of `[project]`, with those of the chosen extras, as they are written.
pub(crate) fn named(project: &Pyproject, extras: &[String]) -> Vec<String> {
    let own = project.name().map(normalize).unwrap_or_default();
    let mut lists = vec!["project.dependencies".to_owned()];
    let mut open: Vec<String> = extras.iter().map(|extra| normalize(extra)).collect();
    let mut seen = BTreeSet::new();
    while let Some(extra) = open.pop() {
        if !seen.insert(extra.clone()) {
            continue;
        }
        for (name, list) in project.entries("project.optional-dependencies") {
            if normalize(name) == extra {
                lists.push(format!("project.optional-dependencies.{name}"));
                // `all = ["project[a,b]"]` means the project's own extras.
                let inner =
                    crate::stacks::python::pyproject::strings(Some(list)).into_iter().filter_map(|line| parse(&line));
                open.extend(inner.filter(|one| one.name == own).flat_map(|one| one.extras));
            }
        }
    }
    let lines = lists.iter().flat_map(|list| project.strings(list));
    lines.filter(|line| parse(line).is_some_and(|one| one.name != own)).collect()
}

/// Adds a production group or extra that the project defines.
pub(crate) fn add_production(project: &Pyproject, found: &mut Found, notes: &mut Notes) {
    if let Some(extra) = project.production("project.optional-dependencies")
        && found.install.extras.is_empty()
    {
        notes.found(&project.path, project.line(&extra), format!("the extra `{extra}` is installed"));
        found.install.extras.push(extra);
    }
    for table in ["dependency-groups", "tool.poetry.group"] {
        if let Some(group) = project.production(table) {
            let line = project.line(&group).or_else(|| project.line(&format!("[{table}.{group}")));
            notes.found(&project.path, line, format!("the group `{group}` is installed"));
            found.install.groups.push(group);
        }
    }
}

pub(crate) fn add_indexes(project: &Pyproject, table: &str, indexes: &mut Vec<Index>) {
    for entry in project.get(table).and_then(Value::as_array).into_iter().flatten() {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
        if let Some(url) = text("url") {
            let line = project.text.lines().position(|line| line.contains(&url)).map(|index| index as u32 + 1);
            indexes.push(Index { name: text("name"), url, path: project.path.clone(), line });
        }
    }
}
