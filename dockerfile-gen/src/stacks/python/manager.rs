//! Which package manager, and what it installs.
//!
//! Input: the manifests in a folder. Output: [`Install`]. The one idea: a lock beats a manifest, and each manager's
//! files are read only to the point where they decide something.

mod metadata;
mod pip;
mod workspace;

use std::collections::{BTreeMap, BTreeSet};

use toml::Value;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::facts::Notes;
use crate::tree::{RelPath, Tree};

use super::deps::Deps;
use super::lock::{self, Roots};
use super::pyproject::{Pyproject, get, line_of, parse_toml};
use super::registry::Index;
use super::requirement::{Requirement, normalize, parse};

pub use metadata::Metadata;

/// A package manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Manager {
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

impl Manager {
    /// Its name, as its command.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pip => "pip",
            Self::Pipenv => "pipenv",
            Self::Poetry => "poetry",
            Self::Pdm => "pdm",
            Self::Uv => "uv",
        }
    }
}

/// What is installed, and from what.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Install {
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

/// Adds the dependencies of `[project]`, with those of the chosen extras.
fn add_project(project: &Pyproject, deps: &mut Deps, extras: &[String]) {
    for line in named(project, extras) {
        if let Some(one) = parse(&line) {
            let at = project.text.lines().position(|text| text.contains(&line)).map(|index| index as u32 + 1);
            deps.add(one, &project.path, at);
        }
    }
    deps.partly_unknown |= project.is_dynamic("dependencies");
}

/// The dependencies of `[project]`, with those of the chosen extras, as they are written.
fn named(project: &Pyproject, extras: &[String]) -> Vec<String> {
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
                let inner = super::pyproject::strings(Some(list)).into_iter().filter_map(|line| parse(&line));
                open.extend(inner.filter(|one| one.name == own).flat_map(|one| one.extras));
            }
        }
    }
    let lines = lists.iter().flat_map(|list| project.strings(list));
    lines.filter(|line| parse(line).is_some_and(|one| one.name != own)).collect()
}

/// Adds a production group or extra that the project defines.
fn add_production(project: &Pyproject, found: &mut Found, notes: &mut Notes) {
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

fn add_indexes(project: &Pyproject, table: &str, indexes: &mut Vec<Index>) {
    for entry in project.get(table).and_then(Value::as_array).into_iter().flatten() {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
        if let Some(url) = text("url") {
            let line = project.text.lines().position(|line| line.contains(&url)).map(|index| index as u32 + 1);
            indexes.push(Index { name: text("name"), url, path: project.path.clone(), line });
        }
    }
}

fn poetry(tree: &dyn Tree, dir: &RelPath, project: &Pyproject, found: &mut Found, notes: &mut Notes) -> Result<()> {
    let path = |name: &str| dir.join(name).unwrap_or_default();
    found.install.manager = Some(Manager::Poetry);
    let mut manifests = vec![path("pyproject.toml")];
    add_production(project, found, notes);
    add_project(project, &mut found.deps, &found.install.extras);
    let mut tables = vec!["tool.poetry.dependencies".to_owned()];
    tables.extend(found.install.groups.iter().map(|group| format!("tool.poetry.group.{group}.dependencies")));
    for table in &tables {
        for (name, spec) in project.entries(table) {
            let optional = spec.get("optional").and_then(Value::as_bool).unwrap_or(false);
            if name == "python" || optional && found.install.extras.is_empty() {
                continue;
            }
            found.deps.add(table_requirement(name, spec), &project.path, line_of(&project.text, name));
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
    for (name, spec) in table.get("packages").and_then(Value::as_table).into_iter().flatten() {
        found.deps.add(table_requirement(name, spec), path.as_str(), line_of(&text, name));
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
