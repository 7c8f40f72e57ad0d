//! Projects without a lock of their own: requirements files, or the metadata of the project.

use crate::config::Config;
use crate::error::{Error, Result};
use crate::facts::Notes;
use crate::tree::{RelPath, Tree};

use super::super::pyproject::Pyproject;
use super::super::registry::Index;
use super::super::requirement::parse;
use super::super::requirements;
use super::install::{Found, Manager, add_indexes, add_production, add_project, named};
use super::metadata::{self, Metadata, SETUP_FILES};

/// Requirements files by what they are for: production first, then the usual ones.
const FILES: &[&str] = &[
    "requirements-prod.txt",
    "requirements-production.txt",
    "requirements_prod.txt",
    "requirements.prod.txt",
    "requirements/production.txt",
    "requirements/prod.txt",
    "requirements.txt",
    "requirements/requirements.txt",
    "requirements/main.txt",
    "requirements/base.txt",
    "requirements/common.txt",
    "requirements/default.txt",
    "requirements/app.txt",
    "requirements.in",
];

/// Files that add a server to the others.
const SERVER_FILES: &[&str] = &["requirements-server.txt", "requirements_server.txt", "requirements/server.txt"];

/// The requirements files that an install in `dir` starts with; empty if there are none.
pub(crate) fn start(tree: &dyn Tree, dir: &RelPath) -> Vec<RelPath> {
    let there = |names: &[&str]| names.iter().filter_map(|name| dir.join(name)).find(|path| tree.has(path.as_str()));
    let first = there(FILES);
    let server = first.as_ref().and_then(|_| there(SERVER_FILES));
    first.into_iter().chain(server).collect()
}

/// Reads what pip installs.
///
/// # Errors
/// As [`super::read`].
pub(crate) fn read(
    tree: &dyn Tree,
    dir: &RelPath,
    project: Option<&Pyproject>,
    config: &Config,
    found: &mut Found,
    notes: &mut Notes,
) -> Result<()> {
    let inside = |path: &RelPath| {
        let rest = path.as_str().strip_prefix(dir.as_str()).unwrap_or_default().trim_start_matches('/');
        (dir.as_str().is_empty() || path.as_str().starts_with(&format!("{dir}/"))).then(|| rest.to_owned())
    };
    let mut files = start(tree, dir);
    // setuptools can take the dependencies from requirements files.
    if files.is_empty() || project.is_some_and(|project| project.is_dynamic("dependencies")) {
        let dynamic = project.map(|project| project.strings("tool.setuptools.dynamic.dependencies.file"));
        let named = dynamic.unwrap_or_default().into_iter().filter_map(|file| dir.join(&file));
        let named: Vec<RelPath> = named.filter(|path| tree.has(path.as_str())).collect();
        files = if named.is_empty() { files } else { named };
    }
    if files.is_empty() {
        return from_metadata(tree, dir, project, config, found, notes);
    }
    let closure = requirements::read(tree, dir, &files)?;
    found.install.manager = Some(Manager::Pip);
    notes.found(files[0].to_string(), None, "pip installs these requirements");
    if files[0].as_str().ends_with(".in") {
        notes.warn(format!("{} is not compiled, so each build may install other versions", files[0]));
    }
    for path in &closure.files {
        if inside(path).is_none() {
            let reason = format!("{path} lies outside `{dir}`, the folder that the image is made of");
            return Err(Error::Unsupported { reason, hint: "move it there, or run in the folder above".into() });
        }
    }
    found.install.requirements = files.iter().filter_map(inside).collect();
    found.install.manifests.extend(closure.files);
    for (one, path, line) in closure.requirements {
        found.deps.add(one, &path, Some(line));
    }
    let index = |(url, path, line)| Index { name: None, url, path, line: Some(line) };
    found.indexes.extend(closure.indexes.into_iter().map(index));
    found.install.git |= closure.vcs;
    found.install.ssh |= closure.ssh;
    for local in closure.local {
        if local.dir == *dir {
            // The project itself: what its metadata names belongs to the dependency layer.
            let extras: Vec<String> = local.extras.iter().cloned().collect();
            metadata_of(tree, dir, project, &extras, found)?;
        }
        found.install.local.push((local.argument, local.editable));
    }
    Ok(())
}

/// The kind of metadata in a folder, with its dependencies added.
fn metadata_of(
    tree: &dyn Tree,
    dir: &RelPath,
    project: Option<&Pyproject>,
    extras: &[String],
    found: &mut Found,
) -> Result<()> {
    let has = |name: &str| dir.join(name).filter(|path| tree.has(path.as_str()));
    if let Some(project) = project.filter(|project| project.has("project")) {
        add_project(project, &mut found.deps, extras);
        if !project.is_dynamic("dependencies") {
            found.install.metadata = Some(Metadata::Pyproject);
            found.install.declared = declared(named(project, extras));
            found.install.manifests.extend(has("pyproject.toml"));
            return Ok(());
        }
    }
    if SETUP_FILES.iter().any(|file| has(file).is_some()) {
        let mut lines = Vec::new();
        metadata::setup(tree, dir, &mut found.deps, &mut lines)?;
        found.install.declared = declared(lines);
        found.install.metadata = Some(Metadata::Setup);
        found.install.manifests.extend(SETUP_FILES.iter().filter_map(|file| has(file)));
    }
    Ok(())
}

/// Lines of a here-document: without folders, whose sources are not there yet.
fn declared(lines: Vec<String>) -> Vec<String> {
    let of_index = |line: &String| parse(line).is_some_and(|one| !one.url.is_some_and(|url| url.starts_with("file:")));
    // `EOF` would end the document; names are the same in lower case.
    lines.into_iter().filter(of_index).map(|line| if line == "EOF" { "eof".to_owned() } else { line }).collect()
}

fn from_metadata(
    tree: &dyn Tree,
    dir: &RelPath,
    project: Option<&Pyproject>,
    config: &Config,
    found: &mut Found,
    notes: &mut Notes,
) -> Result<()> {
    if let Some(project) = project {
        if config.features.is_empty() {
            add_production(project, found, notes);
        }
        add_indexes(project, "tool.uv.index", &mut found.indexes);
    }
    let extras = found.install.extras.clone();
    metadata_of(tree, dir, project, &extras, found)?;
    match found.install.metadata {
        Some(metadata) => {
            found.install.manager = Some(Manager::Pip);
            let file = match metadata {
                Metadata::Pyproject => "pyproject.toml",
                Metadata::Setup if dir.join("setup.cfg").is_some_and(|path| tree.has(path.as_str())) => "setup.cfg",
                Metadata::Setup => "setup.py",
            };
            let path = dir.join(file).unwrap_or_default();
            let line = project.filter(|_| file == "pyproject.toml").and_then(|project| project.line("dependencies"));
            notes.found(path.to_string(), line, "pip installs what the metadata names");
            notes.warn(
                "there is no lockfile, so each build may install other versions; if this is a member of a workspace, run in \
                 the folder of its lockfile with `package`",
            );
        }
        None => notes.warn("no manifest names dependencies, so none are installed"),
    }
    Ok(())
}
