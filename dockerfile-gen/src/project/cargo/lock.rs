//! Which crates of Cargo.lock the binary is made of.
//!
//! Input: Cargo.lock and the features of the local packages. Output: names and versions. The one idea: the lockfile
//! lists what any feature of any member might need, so only what can be reached from the binary's package without
//! development dependencies and without features that are off counts.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, Package};
use serde::Deserialize;

use crate::config::{Config, line_of};
use crate::error::{Error, Result};
use crate::tree::Tree;

use super::Binary;

/// Cargo.lock.
#[derive(Default, Deserialize)]
pub(super) struct Lock {
    #[serde(default)]
    package: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    version: String,
    source: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

/// The crates that are built for the binary, by name, with their dependencies' names.
#[derive(Default)]
pub(super) struct Crates {
    /// Name → names of its dependencies.
    pub(super) names: BTreeMap<String, BTreeSet<String>>,
    /// Whether any comes from a git repository.
    pub(super) git: bool,
    /// Whether any comes over ssh.
    pub(super) ssh: bool,
}

impl Crates {
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }
}

/// Reads the lockfile; `None` if there is none.
///
/// # Errors
/// [`Error::Manifest`] if it is not what cargo writes.
pub(super) fn read(tree: &dyn Tree) -> Result<Option<Lock>> {
    let Some(text) = tree.text("Cargo.lock")? else { return Ok(None) };
    let lock = toml::from_str(&text).map_err(|error: toml::de::Error| {
        let line = error.span().map(|span| line_of(&text, span.start));
        Error::manifest("Cargo.lock", line, error.message().to_owned())
    })?;
    Ok(Some(lock))
}

/// Walks the lockfile from the binary's package.
pub(super) fn reachable(lock: &Lock, metadata: &Metadata, binary: &Binary, config: &Config) -> Crates {
    let mut by_name: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in &lock.package {
        by_name.entry(&entry.name).or_default().push(entry);
    }
    let local: BTreeMap<&str, &Package> =
        metadata.workspace_packages().into_iter().map(|package| (package.name.as_str(), package)).collect();
    let mut crates = Crates::default();
    let mut seen = BTreeSet::new();
    let start = by_name.get(binary.package.as_str()).into_iter().flatten().filter(|entry| entry.source.is_none());
    let mut open: Vec<&Entry> = start.copied().collect();
    while let Some(entry) = open.pop() {
        if !seen.insert((&entry.name, &entry.version)) {
            continue;
        }
        let source = entry.source.as_deref().unwrap_or_default();
        crates.git |= source.starts_with("git+");
        crates.ssh |= source.starts_with("git+ssh");
        let wanted = local.get(entry.name.as_str()).filter(|_| entry.source.is_none());
        let wanted = wanted.map(|package| {
            active(package, if entry.name == binary.package { binary.features.as_slice() } else { &[] }, config)
        });
        for dependency in &entry.dependencies {
            let mut parts = dependency.split(' ');
            let name = parts.next().unwrap_or_default();
            let version = parts.next();
            if wanted.as_ref().is_some_and(|wanted| !wanted.contains(name)) {
                continue;
            }
            crates.names.entry(entry.name.clone()).or_default().insert(name.to_owned());
            let found = by_name.get(name).into_iter().flatten();
            open.extend(found.filter(|entry| version.is_none_or(|version| entry.version == version)));
        }
        crates.names.entry(entry.name.clone()).or_default();
    }
    crates
}

/// The names of the dependencies of a local package that are built: not for development, not for another system, and
/// not optional unless an active feature asks for them.
fn active<'a>(package: &'a Package, features: &[String], config: &Config) -> BTreeSet<&'a str> {
    let mut on: BTreeSet<&str> = BTreeSet::new();
    let mut open: Vec<&str> = features.iter().map(String::as_str).collect();
    if !config.no_default_features {
        open.push("default");
    }
    let mut asked: BTreeSet<&str> = BTreeSet::new();
    while let Some(feature) = open.pop() {
        if !on.insert(feature) {
            continue;
        }
        for value in package.features.get(feature).into_iter().flatten() {
            match (value.strip_prefix("dep:"), value.split_once('/')) {
                (Some(name), _) => drop(asked.insert(name)),
                (None, Some((name, _))) if !name.ends_with('?') => drop(asked.insert(name)),
                (None, Some(_)) => {}
                (None, None) => open.push(value),
            }
        }
    }
    let dependencies = package.dependencies.iter().filter(|dependency| {
        let key = dependency.rename.as_deref().unwrap_or(&dependency.name);
        let elsewhere = dependency.target.as_ref().map(ToString::to_string).is_some_and(|target| {
            ["windows", "macos", "wasm", "android", "ios"].iter().any(|system| target.contains(system))
                && !target.contains("not(")
        });
        dependency.kind != DependencyKind::Development
            && !elsewhere
            && (!dependency.optional || asked.contains(key) || on.contains(key))
    });
    dependencies.map(|dependency| dependency.name.as_str()).collect()
}
