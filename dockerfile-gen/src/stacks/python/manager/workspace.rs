//! uv projects and workspaces.

use std::collections::BTreeSet;

use toml::{Table, Value};

use crate::config::Config;
use crate::error::{Error, Result};
use crate::facts::Notes;
use crate::patterns::glob::{Dialect, Glob};
use crate::tree::{RelPath, Tree};

use super::super::lock;
use super::super::pyproject::{Pyproject, get, parse_toml};
use super::super::registry::{Index, is_default};
use super::super::requirement::normalize;
use super::super::services::serves;
use super::install::{Found, Manager, add_indexes, add_production, add_project};

/// Settings of uv that say how packages are built.
const SPECIAL_BUILDS: &[&str] = &[
    "config-settings",
    "config-settings-package",
    "extra-build-dependencies",
    "extra-build-variables",
    "no-binary",
    "no-binary-package",
    "no-build",
    "no-build-isolation",
    "no-build-isolation-package",
    "no-build-package",
];

/// Reads uv.lock and the member of the workspace that the image is for.
///
/// # Errors
/// As [`super::read`].
pub(crate) fn uv(
    tree: &dyn Tree,
    dir: &RelPath,
    root: &Pyproject,
    config: &Config,
    found: &mut Found,
    notes: &mut Notes,
) -> Result<()> {
    let path = |name: &str| dir.join(name).unwrap_or_default();
    let lock_path = path("uv.lock");
    let locked = tree.has(lock_path.as_str());
    let text = tree.text(lock_path.as_str())?.unwrap_or_default();
    let lock = parse_toml(lock_path.as_str(), &text)?;
    let members = if locked { members(tree, dir, &lock)? } else { globbed(tree, dir, root)? };
    let member = choose(root, &members, config)?;
    found.install.manager = Some(Manager::Uv);
    found.install.lock = locked.then(|| "uv.lock".into());
    found.install.tool_version = root.str("tool.uv.required-version").and_then(image_version);
    if locked {
        notes.found(lock_path.to_string(), None, "uv installs what is locked");
    } else {
        match root.line("[tool.uv.sources") {
            Some(line) => notes.found(&root.path, Some(line), "uv finds the sources of the dependencies"),
            None => notes.found(&root.path, root.line("[tool.uv"), "uv installs what the manifest names"),
        }
        notes.warn("there is no uv.lock, so each build may install other versions: commit one (`uv lock`)");
    }
    let project = match &member {
        Some((name, place, pyproject)) => {
            notes.found(&pyproject.path, pyproject.line("name"), format!("the image is for the member `{name}`"));
            found.install.package = Some(name.clone());
            found.install.member = place.clone();
            pyproject
        }
        None => root,
    };
    add_production(project, found, notes);
    add_project(project, &mut found.deps, &found.install.extras);
    found.scripts = project.scripts();
    let name = normalize(project.name().unwrap_or_default());
    let defaults = root.strings("tool.uv.default-groups").into_iter().filter(|group| group != "dev");
    let chosen = found.install.extras.iter().chain(&found.install.groups).cloned().chain(defaults);
    let extras: BTreeSet<String> = chosen.map(|extra| normalize(&extra)).collect();
    if locked {
        let mut packages = lock::uv(&lock, &name, &extras);
        packages.remove(&name);
        found.deps.lock = Some(packages);
    }
    for table in ["tool.uv.index", "tool.pip.index"] {
        add_indexes(root, table, &mut found.indexes);
    }
    let single = ["tool.uv.index-url", "tool.uv.pip.index-url"].iter().find_map(|key| root.str(key));
    if let Some(url) = single {
        let line = root.line("index-url");
        found.indexes.push(Index { name: None, url: url.to_owned(), path: root.path.clone(), line });
    }
    // uv reads the manifest of the member, and without a lock those of the folders that are depended on.
    let member = path(&format!("{}/pyproject.toml", found.install.member));
    let mut files = vec![path("pyproject.toml"), lock_path, path("uv.toml"), member];
    for (_, source) in root.entries("tool.uv.sources").into_iter().filter(|_| !locked) {
        let folder = source.get("path").and_then(Value::as_str);
        files.extend(folder.and_then(|folder| dir.join(&format!("{folder}/pyproject.toml"))));
    }
    // Without a lock uv looks for the members before it resolves.
    files.extend(members.iter().filter(|_| !locked).filter_map(|(.., pyproject)| RelPath::new(&pyproject.path)));
    files.retain(|path| tree.has(path.as_str()));
    found.install.manifests.extend(files);
    let registries = get_registries(&lock);
    found.install.indexes =
        registries.into_iter().chain(found.indexes.iter().map(|index| index.url.as_str())).any(|url| !is_default(url));
    let of_folder = |source: &Value| source.get("path").is_some() || source.get("workspace").is_some();
    found.install.folders = root.entries("tool.uv.sources").into_iter().any(|(_, source)| of_folder(source));
    found.install.special_builds =
        tree.has(path("uv.toml").as_str()) || SPECIAL_BUILDS.iter().any(|key| root.has(&format!("tool.uv.{key}")));
    found.pyproject = Some(project.clone());
    Ok(())
}

/// The indexes that the packages of the lock come from.
fn get_registries(lock: &Table) -> Vec<&str> {
    let packages = get(lock, "package").and_then(Value::as_array).into_iter().flatten();
    packages.filter_map(|package| package.get("source")?.get("registry")?.as_str()).collect()
}

type Member = (String, RelPath, Pyproject);

/// The packages of the lock that lie in folders of the project, other than its root.
fn members(tree: &dyn Tree, dir: &RelPath, lock: &Table) -> Result<Vec<Member>> {
    let mut members = Vec::new();
    for package in get(lock, "package").and_then(Value::as_array).into_iter().flatten() {
        let source = package.get("source");
        let place = ["editable", "virtual", "directory"].iter().find_map(|kind| source?.get(kind)?.as_str());
        let (Some(name), Some(place)) = (package.get("name").and_then(Value::as_str), place) else { continue };
        let Some(place) = RelPath::new(place).filter(|place| !place.as_str().is_empty()) else { continue };
        let file = dir.join(&format!("{place}/pyproject.toml")).unwrap_or_default();
        if let Some(pyproject) = Pyproject::read(tree, file.as_str())? {
            members.push((name.to_owned(), place, pyproject));
        }
    }
    Ok(members)
}

/// The packages that the globs of the workspace name, where there is no lock that lists them.
fn globbed(tree: &dyn Tree, dir: &RelPath, root: &Pyproject) -> Result<Vec<Member>> {
    let globs = |key: &str| {
        let read = |text: String| Glob::new(&text, Dialect::Cargo);
        let globs = root.strings(&format!("tool.uv.workspace.{key}")).into_iter().map(read);
        let wrong = |reason| Error::manifest(&root.path, root.line("[tool.uv.workspace"), format!("`{key}`: {reason}"));
        globs.collect::<Result<Vec<_>, _>>().map_err(wrong)
    };
    let (named, excluded) = (globs("members")?, globs("exclude")?);
    let mut members = Vec::new();
    if named.is_empty() {
        return Ok(members);
    }
    for (path, _) in tree.under(dir.as_str()) {
        let place = path.parent().strip_prefix(dir.as_str()).unwrap_or(path.parent()).trim_start_matches('/');
        let hits = |globs: &[Glob]| globs.iter().any(|glob| glob.matches(place));
        if path.file_name() == "pyproject.toml" && !place.is_empty() && hits(&named) && !hits(&excluded) {
            let Some(pyproject) = Pyproject::read(tree, path.as_str())? else { continue };
            let Some(name) = pyproject.name().map(str::to_owned) else { continue };
            members.push((name, RelPath::new(place).unwrap_or_default(), pyproject));
        }
    }
    Ok(members)
}

/// The member that the image is for; `None` for the root.
fn choose(root: &Pyproject, members: &[Member], config: &Config) -> Result<Option<Member>> {
    if let Some(package) = &config.package {
        let wanted = normalize(package);
        if root.name().map(normalize) == Some(wanted.clone()) {
            return Ok(None);
        }
        let found = members.iter().find(|(name, ..)| normalize(name) == wanted);
        return found.cloned().map(Some).ok_or_else(|| Error::Ambiguous {
            question: format!("the workspace has no package `{package}`"),
            found: members.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>().join(", "),
            hint: "name one of these with `package`".into(),
        });
    }
    let serving = |pyproject: &Pyproject| pyproject.strings("project.dependencies").iter().any(|line| serves(line));
    if members.is_empty() || root.has("project") && (serving(root) || root.has("project.scripts")) {
        return Ok(None);
    }
    let services: Vec<&Member> = members.iter().filter(|(_, _, pyproject)| serving(pyproject)).collect();
    let started: Vec<&Member> = members.iter().filter(|(_, _, pyproject)| pyproject.has("project.scripts")).collect();
    match (&services[..], &started[..]) {
        ([one], _) | ([], [one]) => Ok(Some((*one).clone())),
        ([], _) if root.has("project") => Ok(None),
        ([], []) if members.len() == 1 => Ok(members.first().cloned()),
        (several, others) => {
            let list = if several.is_empty() { others } else { several };
            let list = if list.is_empty() { members.iter().collect() } else { list.to_vec() };
            let names = list.iter().map(|(name, place, _)| format!("{name} ({place})")).collect::<Vec<_>>();
            Err(Error::Ambiguous {
                question: "which member of the workspace is the image for".into(),
                found: names.join(", "),
                hint: "name it with `package` (`--package`)".into(),
            })
        }
    }
}

/// The tag of uv's image that a `required-version` such as `==0.9.5` or `~=0.8.0` asks for.
fn image_version(required: &str) -> Option<String> {
    let (exact, version) = match required.trim() {
        text if text.starts_with("==") => (true, text.trim_start_matches('=')),
        text if text.starts_with("~=") => (false, text.trim_start_matches("~=")),
        text if text.starts_with(|c: char| c.is_ascii_digit()) => (true, text),
        _ => return None,
    };
    let parts: Vec<&str> = version.trim().split('.').collect();
    let numbers = parts.iter().all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()));
    let keep = if exact { parts.len() } else { 2 };
    (numbers && (2..=3).contains(&parts.len())).then(|| parts.iter().take(keep).copied().collect::<Vec<_>>().join("."))
}
