//! Which package manager, and what it installs.
//!
//! Input: the manifests in a folder. Output: [`Install`]. The one idea: a lock beats a manifest, and each manager's
//! files are read only to the point where they decide something.

mod install;
mod metadata;
mod pip;
mod workspace;

use std::collections::BTreeMap;

use toml::Value;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::facts::Notes;
use crate::tree::{RelPath, Tree};

use super::deps::Deps;
use super::lock::{self, Roots};
use super::pyproject::{Lines, Pyproject, get, line_of, parse_toml};
use super::registry::Index;
use super::requirement::{Requirement, normalize};

pub(crate) use install::Found;
pub(crate) use install::{Install, Manager};
pub(crate) use metadata::Metadata;

use install::{add_indexes, add_production, add_project};

/// Finds the package manager of the folder `dir` and reads what it installs.
///
/// # Errors
/// [`crate::Error::Manifest`] for a file that is not what it should be; [`crate::Error::Ambiguous`] for a workspace
/// with several services.
pub(crate) fn read(tree: &dyn Tree, dir: &RelPath, config: &Config, notes: &mut Notes) -> Result<Found> {
    let has = |name: &str| dir.join(name).is_some_and(|path| tree.has(path.as_str()));
    let path = |name: &str| dir.join(name).unwrap_or_default();
    let pyproject = Pyproject::read(tree, path("pyproject.toml").as_str())?;
    let project = pyproject.as_ref().filter(|pyproject| pyproject.is_project());
    let mut found = Found { pyproject: pyproject.clone(), ..Found::default() };
    found.install.extras = config.features.clone();
    found.scripts = project.map(Pyproject::scripts).unwrap_or_default();
    match project {
        Some(project) if has("uv.lock") || wants_uv(tree, dir, project)? => {
            workspace::uv(tree, dir, project, config, &mut found, notes)?
        }
        Some(project) if has("poetry.lock") || project.has("tool.poetry.dependencies") => {
            poetry(tree, dir, project, &mut found, notes)?;
        }
        Some(project) if has("pdm.lock") => pdm(tree, dir, project, &mut found, notes)?,
        _ if has("Pipfile.lock") || has("Pipfile") && pip::start(tree, dir).is_empty() => {
            pipenv(tree, dir, &mut found, notes)?;
        }
        _ => pip::read(tree, dir, project, config, &mut found, notes)?,
    }
    let lock = found.install.lock.as_ref().and_then(|lock| dir.join(lock));
    let texts = found.install.manifests.iter().chain(&lock).map(|path| tree.scan(path.as_str()));
    for text in texts {
        found.install.workspace |= text.contains("\nmembers = [");
        found.install.copies_folders |= text.contains("source = { directory = ");
        let folder = [
            "source = { directory",
            "source = { editable",
            "type = \"directory\"",
            "\npath = \"./",
            "\npath = \"../",
            "\"path\": \".",
        ];
        found.install.folders |= folder.iter().any(|mark| text.contains(mark));
        found.install.git |= ["type = \"git\"", "git = \"", "git+", "\"git\":"].iter().any(|mark| text.contains(mark));
        found.install.ssh |= ["ssh://git@", "\"git@", " git@", "+git@"].iter().any(|mark| text.contains(mark));
    }
    found.install.ssh &= found.install.git;
    Ok(found)
}

/// Whether a project without a lock takes dependencies from where only uv finds them.
///
/// # Errors
/// [`Error::Unsupported`] if that is a workspace which is not in the tree.
fn wants_uv(tree: &dyn Tree, dir: &RelPath, project: &Pyproject) -> Result<bool> {
    if project.has("tool.uv.workspace") {
        return Ok(true);
    }
    let sources = project.entries("tool.uv.sources");
    for (name, source) in &sources {
        let path = source.get("path").and_then(Value::as_str);
        if source.get("workspace").is_some() || path.is_some_and(|path| dir.join(path).is_none()) {
            return Err(Error::Unsupported {
                reason: format!("`{name}` lies elsewhere in a uv workspace, and there is no uv.lock here"),
                hint: "run in the folder of the workspace's uv.lock, with `package` for this member".into(),
            });
        }
    }
    let backend = project.str("build-system.build-backend").unwrap_or_default();
    // What has no build system pip cannot install, and what it depends on pip cannot read.
    let application = project.has("project.version")
        && project.has("project.dependencies")
        && !project.has("build-system")
        && !project.has("tool.poetry")
        && !metadata::SETUP_FILES.iter().any(|file| dir.join(file).is_some_and(|path| tree.has(path.as_str())));
    let says = project.has("tool.uv") || backend == "uv_build" || application;
    Ok(says && project.has("project") && pip::start(tree, dir).is_empty())
}

fn poetry(tree: &dyn Tree, dir: &RelPath, project: &Pyproject, found: &mut Found, notes: &mut Notes) -> Result<()> {
    let path = |name: &str| dir.join(name).unwrap_or_default();
    found.install.manager = Some(Manager::Poetry);
    let mut manifests = vec![path("pyproject.toml")];
    add_production(project, found, notes);
    add_project(project, &mut found.deps, &found.install.extras);
    let mut tables = vec!["tool.poetry.dependencies".to_owned()];
    tables.extend(found.install.groups.iter().map(|group| format!("tool.poetry.group.{group}.dependencies")));
    let lines = Lines::new(&project.text);
    for table in &tables {
        for (name, spec) in project.entries(table) {
            let optional = spec.get("optional").and_then(Value::as_bool).unwrap_or(false);
            if name == "python" || optional && found.install.extras.is_empty() {
                continue;
            }
            found.deps.add(table_requirement(name, spec), &project.path, lines.of(name));
        }
    }
    add_indexes(project, "tool.poetry.source", &mut found.indexes);
    let lock = path("poetry.lock");
    match tree.text(lock.as_str())? {
        Some(text) => {
            found.install.tool_version = generator(&text).or_else(|| {
                // Locks from before Poetry 2 that do not name their writer.
                text.contains("lock-version = \"1.").then(|| "1.8.5".to_owned())
            });
            found.deps.lock = Some(lock::grouped(lock.as_str(), &text, &roots(&found.deps), &found.install.groups)?);
            let version =
                found.install.tool_version.as_deref().map(|version| format!(" {version}")).unwrap_or_default();
            notes.found(lock.to_string(), Some(1), format!("Poetry{version} installs what is locked"));
            found.install.lock = Some("poetry.lock".into());
            manifests.push(lock);
        }
        None => {
            notes.found(&project.path, project.line("[tool.poetry"), "Poetry");
            notes.warn("there is no poetry.lock, so each build may install other versions: commit one (`poetry lock`)");
        }
    }
    manifests.extend(Some(path("poetry.toml")).filter(|path| tree.has(path.as_str())));
    found.install.manifests.extend(manifests);
    Ok(())
}

/// The version in `# … @generated by Poetry 1.8.3 and …`.
fn generator(lock: &str) -> Option<String> {
    let (_, rest) = lock.lines().next()?.split_once("by Poetry ")?;
    let version = rest.split_whitespace().next()?;
    let plain = version.split('.').all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()));
    plain.then(|| version.to_owned())
}

/// A dependency in the way of Poetry and Pipfile: a version, or a table.
fn table_requirement(name: &str, spec: &Value) -> Requirement {
    let version = spec.as_str().or_else(|| spec.get("version").and_then(Value::as_str)).unwrap_or_default();
    // A bare version is exact for Poetry.
    let exact = version.starts_with(|c: char| c.is_ascii_digit()) && !version.contains(['*', ',', ' ']);
    let versions = if exact { format!("=={version}") } else { version.replace(' ', "") };
    let extras = super::pyproject::strings(spec.get("extras")).iter().map(|extra| normalize(extra)).collect();
    Requirement { name: normalize(name), extras, versions, url: None }
}

fn roots(deps: &Deps) -> Roots {
    deps.direct.iter().map(|(name, direct)| (name.clone(), direct.requirement.extras.clone())).collect()
}

fn pdm(tree: &dyn Tree, dir: &RelPath, project: &Pyproject, found: &mut Found, notes: &mut Notes) -> Result<()> {
    let path = |name: &str| dir.join(name).unwrap_or_default();
    found.install.manager = Some(Manager::Pdm);
    add_production(project, found, notes);
    add_project(project, &mut found.deps, &found.install.extras);
    add_indexes(project, "tool.pdm.source", &mut found.indexes);
    let lock = path("pdm.lock");
    let text = tree.text(lock.as_str())?.unwrap_or_default();
    let groups: Vec<String> = found.install.groups.iter().chain(&found.install.extras).cloned().collect();
    found.deps.lock = Some(lock::grouped(lock.as_str(), &text, &roots(&found.deps), &groups)?);
    notes.found(lock.to_string(), None, "PDM installs what is locked");
    found.install.lock = Some("pdm.lock".into());
    found.install.manifests.extend([path("pyproject.toml"), lock]);
    found.install.manifests.extend(Some(path("pdm.toml")).filter(|path| tree.has(path.as_str())));
    Ok(())
}

fn pipenv(tree: &dyn Tree, dir: &RelPath, found: &mut Found, notes: &mut Notes) -> Result<()> {
    let path = dir.join("Pipfile").unwrap_or_default();
    let text = tree.text(path.as_str())?.unwrap_or_default();
    let table = parse_toml(path.as_str(), &text)?;
    found.install.manager = Some(Manager::Pipenv);
    let lines = Lines::new(&text);
    for (name, spec) in table.get("packages").and_then(Value::as_table).into_iter().flatten() {
        found.deps.add(table_requirement(name, spec), path.as_str(), lines.of(name));
    }
    for source in get(&table, "source").and_then(Value::as_array).into_iter().flatten() {
        let key = |key: &str| source.get(key).and_then(Value::as_str).map(str::to_owned);
        let url = key("url").unwrap_or_default();
        if key("name").as_deref() != Some("pypi") || url.contains(['@', '$']) {
            found.indexes.push(Index { name: key("name"), url, path: path.to_string(), line: line_of(&text, "url") });
        }
    }
    let lock = dir.join("Pipfile.lock").unwrap_or_default();
    found.install.manifests.insert(path.clone());
    match tree.text(lock.as_str())? {
        Some(text) => {
            found.deps.lock = Some(lock::pipfile(lock.as_str(), &text)?);
            found.install.local = lock::pipfile_folders(&text);
            notes.found(lock.to_string(), None, "pipenv installs what is locked");
            found.install.lock = Some("Pipfile.lock".into());
            found.install.manifests.insert(lock);
        }
        None => {
            notes.found(path.to_string(), None, "pipenv");
            notes
                .warn("there is no Pipfile.lock, so each build may install other versions: commit one (`pipenv lock`)");
        }
    }
    Ok(())
}

/// Names and versions of every dependency that is fixed to one version.
pub(crate) fn pins(deps: &Deps) -> BTreeMap<String, String> {
    deps.all().into_iter().filter_map(|(name, version)| Some((name, version?))).collect()
}

/// The name that setup.cfg or setup.py gives the project in `dir`.
pub(crate) fn setup_name(tree: &dyn Tree, dir: &RelPath) -> Option<String> {
    metadata::setup(tree, dir, &mut Deps::default(), &mut Vec::new()).ok().flatten()
}
