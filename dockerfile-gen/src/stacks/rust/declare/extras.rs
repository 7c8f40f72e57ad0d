//! What else decides how dependencies are compiled: the resolver, profiles, patches, cargo's settings.
//!
//! Input: the root manifest and `.cargo/config.toml`. Output: lines of the declaration, and files that go with it.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::Metadata;

use crate::config::line_of;
use crate::error::{Error, Result};
use crate::tree::{RelPath, Tree};

use super::known::Known;
use super::spell::{bare, default_resolver, table, value};

/// `[patch]`, and the folders that it names.
#[derive(Default)]
pub(super) struct Patches {
    pub(super) lines: Vec<String>,
    pub(super) folders: Vec<RelPath>,
}

/// The manifest of the workspace.
pub(super) fn root(tree: &dyn Tree) -> Result<toml::Table> {
    Ok(read(tree, "Cargo.toml")?.unwrap_or_default())
}

fn read(tree: &dyn Tree, path: &str) -> Result<Option<toml::Table>> {
    let Some(text) = tree.text(path)? else { return Ok(None) };
    let table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map(|span| line_of(&text, span.start));
        Error::manifest(path, line, error.message().to_owned())
    })?;
    Ok(Some(table))
}

fn inner<'t>(table: &'t toml::Table, path: &[&str]) -> Option<&'t toml::Table> {
    path.iter().try_fold(table, |table, key| table.get(*key)?.as_table())
}

/// The resolver: what the root manifest names, else what the edition of its package has, else the first.
pub(super) fn resolver(root: &toml::Table, metadata: &Metadata) -> String {
    let named = |section: &str| Some(inner(root, &[section])?.get("resolver")?.as_str()?.to_owned());
    let manifest = metadata.workspace_root.join("Cargo.toml");
    let package = metadata.packages.iter().find(|package| package.manifest_path == manifest);
    let default = package.map_or("1", |package| default_resolver(package.edition.as_str()));
    named("workspace").or_else(|| named("package")).unwrap_or_else(|| default.to_owned())
}

/// The profile and those that it builds on.
pub(super) fn profiles(known: &Known<'_>, root: &toml::Table, name: &str) -> Vec<String> {
    let own: BTreeSet<&str> = known.metadata.packages.iter().map(|package| package.name.as_str()).collect();
    let mut lines = Vec::new();
    let mut open = Some(name.to_owned());
    let mut seen = BTreeSet::new();
    while let Some(name) = open.take().filter(|name| seen.insert(name.clone())) {
        let profile = inner(root, &["profile", &name]);
        open = match name.as_str() {
            "release" | "dev" => None,
            "bench" => Some("release".into()),
            "test" => Some("dev".into()),
            _ => profile.and_then(|profile| profile.get("inherits")?.as_str()).map(str::to_owned),
        };
        let Some(mut profile) = profile.cloned() else { continue };
        if let Some(packages) = profile.get_mut("package").and_then(toml::Value::as_table_mut) {
            // What is said of own crates names no package here.
            packages.retain(|name, _| !own.contains(name));
        }
        profile.retain(|_, value| value.as_table().is_none_or(|table| !table.is_empty()));
        if !profile.is_empty() {
            lines.extend(table(&format!("profile.{}", bare(&name)), &profile));
        }
    }
    lines
}

/// Cargo's settings: the file and those that it includes.
pub(super) fn settings(tree: &dyn Tree) -> Result<Vec<RelPath>> {
    let Some(path) = [".cargo/config.toml", ".cargo/config"].into_iter().find(|path| tree.has(path)) else {
        return Ok(Vec::new());
    };
    let mut files: Vec<RelPath> = RelPath::new(path).into_iter().collect();
    let mut index = 0;
    while let Some(file) = files.get(index).cloned() {
        index += 1;
        let table = read(tree, file.as_str())?.unwrap_or_default();
        let included = match table.get("include") {
            Some(toml::Value::Array(list)) => list.clone(),
            Some(one) => vec![one.clone()],
            None => Vec::new(),
        };
        let dir = RelPath::new(file.parent()).unwrap_or_default();
        let paths = included.iter().filter_map(|item| item.get("path").unwrap_or(item).as_str());
        let found = paths.filter_map(|path| dir.join(path)).filter(|path| tree.has(path.as_str()));
        let new: Vec<RelPath> = found.filter(|path| !files.contains(path)).collect();
        files.extend(new);
    }
    Ok(files)
}

/// The patches that are in force, of the root manifest and of the settings; the reason if they cannot be declared.
pub(super) fn patches(
    known: &Known<'_>,
    root: &toml::Table,
    unified: bool,
) -> Result<std::result::Result<Patches, String>> {
    let mut patches = Patches::default();
    let mut open = Vec::new();
    let tables = |table: &toml::Table| -> Vec<(String, toml::Table)> {
        let all = inner(table, &["patch"]).into_iter().flatten();
        all.filter_map(|(name, entries)| Some((name.clone(), entries.as_table()?.clone()))).collect()
    };
    for (registry, entries) in tables(root) {
        let used = entries.iter().filter(|(name, entry)| {
            let package = entry.get("package").and_then(toml::Value::as_str).unwrap_or(name);
            known.crates.has(package) || unified && known.lock.versions(package) > 0
        });
        let used: BTreeMap<&String, &toml::Value> = used.collect();
        if used.is_empty() {
            continue;
        }
        patches.lines.extend([String::new(), format!("[patch.{}]", bare(&registry))]);
        patches.lines.extend(used.iter().map(|(name, entry)| format!("{} = {}", bare(name), value(entry))));
        open.extend(paths(used.values().copied()).map(|path| (RelPath::default(), path)));
    }
    for file in settings(known.tree)? {
        let table = read(known.tree, file.as_str())?.unwrap_or_default();
        let entries: Vec<toml::Value> =
            tables(&table).into_iter().flat_map(|(_, entries)| entries.into_iter().map(|(_, entry)| entry)).collect();
        open.extend(paths(entries.iter()).map(|path| (RelPath::default(), path)));
        let replaced = table.get("paths").and_then(toml::Value::as_array).into_iter().flatten();
        open.extend(replaced.filter_map(toml::Value::as_str).map(|path| (RelPath::default(), path.to_owned())));
    }
    let mut inherits = false;
    while let Some((dir, path)) = open.pop() {
        let Some(folder) = dir.join(&path).filter(|folder| !folder.as_str().is_empty()) else {
            return Ok(Err(format!("a `[patch]` leads to `{path}`, which is no folder inside the project")));
        };
        if patches.folders.contains(&folder) {
            continue;
        }
        let manifest = read(known.tree, &format!("{folder}/Cargo.toml"))?.unwrap_or_default();
        inherits |= mentions_workspace(&toml::Value::Table(manifest.clone()));
        open.extend(dependency_paths(&manifest).into_iter().map(|path| (folder.clone(), path)));
        patches.folders.push(folder);
    }
    patches.folders.sort();
    if inherits && let Some(workspace) = inner(root, &["workspace"]) {
        let mut workspace = workspace.clone();
        workspace.retain(|key, _| ["package", "dependencies", "lints"].contains(&key));
        patches.lines.extend(table("workspace", &workspace));
    }
    Ok(Ok(patches))
}

/// The folders that entries name.
fn paths<'e>(entries: impl Iterator<Item = &'e toml::Value>) -> impl Iterator<Item = String> {
    entries.filter_map(|entry| Some(entry.get("path")?.as_str()?.to_owned()))
}

/// The folders that the dependencies of a manifest name.
fn dependency_paths(manifest: &toml::Table) -> Vec<String> {
    let targets = inner(manifest, &["target"]).into_iter().flatten().filter_map(|(_, target)| target.as_table());
    let sections = [manifest]
        .into_iter()
        .chain(targets)
        .flat_map(|table| ["dependencies", "build-dependencies"].into_iter().filter_map(|kind| inner(table, &[kind])));
    sections.flat_map(|section| paths(section.iter().map(|(_, entry)| entry))).collect()
}

/// Whether something is taken from the workspace.
fn mentions_workspace(value: &toml::Value) -> bool {
    value.as_table().is_some_and(|table| {
        table.get("workspace").and_then(toml::Value::as_bool) == Some(true) || table.values().any(mentions_workspace)
    })
}
