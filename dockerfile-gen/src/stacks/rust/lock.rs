//! Which crates of Cargo.lock the binary is made of.
//!
//! Input: Cargo.lock and the features of the local packages. Output: names and versions. The one idea: the lockfile
//! lists what any feature of any member might need, so only what can be reached from the binary's package without
//! development dependencies and without features that are off counts.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::cargo_platform::{Cfg, Platform};
use cargo_metadata::semver::Version;
use cargo_metadata::{Dependency, DependencyKind, Metadata, Package};
use serde::Deserialize;

use crate::config::{Config, line_of};
use crate::error::{Error, Result};
use crate::tree::Tree;

use super::members::Binary;

/// Cargo.lock.
#[derive(Default, Deserialize)]
pub(super) struct Lock {
    #[serde(default)]
    package: Vec<Entry>,
}

#[derive(Deserialize)]
pub(super) struct Entry {
    name: String,
    pub(super) version: String,
    source: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

impl Lock {
    /// How many versions of a crate there are.
    pub(super) fn versions(&self, name: &str) -> usize {
        self.package.iter().filter(|entry| entry.name == name).count()
    }

    /// The version that a dependency of an own package has.
    pub(super) fn chosen(&self, owner: &Package, dependency: &Dependency) -> Option<&Entry> {
        let is_owner = |entry: &&Entry| entry.source.is_none() && entry.name == owner.name.as_str();
        let owner = self.package.iter().find(is_owner)?;
        let git = dependency.source.as_ref().is_some_and(|source| source.repr.starts_with("git+"));
        let named = owner.dependencies.iter().filter_map(|named| {
            let mut words = named.split(' ');
            let (name, version, source) = (words.next()?, words.next(), words.next());
            let source = source.and_then(|source| source.strip_prefix('(')?.strip_suffix(')'));
            self.package.iter().find(|entry| {
                entry.name == name
                    && version.is_none_or(|version| entry.version == version)
                    && source.is_none_or(|source| entry.source.as_deref() == Some(source))
            })
        });
        let fits = |entry: &&Entry| {
            let version = Version::parse(&entry.version).ok();
            entry.name == dependency.name
                && version.is_some_and(|version| dependency.req.matches(&version))
                && (!git || entry.source.as_deref().is_none_or(|source| source.starts_with("git+")))
        };
        named.filter(fits).max_by_key(|entry| Version::parse(&entry.version).ok())
    }
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
    crate::tree::read::few_enough("Cargo.lock", &text)?;
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

/// Which images meet the condition of a `[target.….dependencies]` table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Images {
    All,
    /// Those of one processor, or those with a setting of the project's own such as `tokio_unstable`.
    Some,
    None,
}

/// What the name of a system says of it, besides what compilers know.
const KNOWN_CFGS: [&str; 5] = ["unix", "windows", "panic", "debug_assertions", "proc_macro"];

/// Which images meet a condition: on either processor, and with musl where that is asked for.
pub(super) fn images_with(target: &Platform, config: &Config) -> Images {
    let text = target.to_string();
    let condition = text.strip_prefix("cfg(").unwrap_or_default();
    let mut words = condition.split(|c: char| !c.is_ascii_alphanumeric() && !"_\"-.".contains(c));
    let own = words.any(|word| {
        let of_cargo = ["all", "any", "not", "true", "false", ""].contains(&word) || word.starts_with('"');
        !of_cargo && !word.starts_with("target_") && !KNOWN_CFGS.contains(&word)
    });
    match (own, ["x86_64", "aarch64"].map(|arch| matches(target, config, arch))) {
        (true, _) | (_, [true, false] | [false, true]) => Images::Some,
        (false, [true, true]) => Images::All,
        (false, [false, false]) => Images::None,
    }
}

fn matches(target: &Platform, config: &Config, arch: &str) -> bool {
    let is_musl = [&config.base, &config.runtime].into_iter().flatten().any(|image| image.contains("alpine"));
    let libc = if is_musl { "musl" } else { "gnu" };
    let cfgs = [
        "unix".to_owned(),
        format!("target_arch=\"{arch}\""),
        format!("target_env=\"{libc}\""),
        "target_os=\"linux\"".into(),
        "target_family=\"unix\"".into(),
        "target_vendor=\"unknown\"".into(),
        "target_endian=\"little\"".into(),
        "target_pointer_width=\"64\"".into(),
        "target_has_atomic=\"8\"".into(),
        "target_has_atomic=\"16\"".into(),
        "target_has_atomic=\"32\"".into(),
        "target_has_atomic=\"64\"".into(),
        "target_has_atomic=\"ptr\"".into(),
        "panic=\"unwind\"".into(),
    ];
    let cfgs: Vec<Cfg> = cfgs.iter().filter_map(|cfg| cfg.parse().ok()).collect();
    target.matches(&format!("{arch}-unknown-linux-{libc}"), &cfgs)
}

fn is_for_linux(target: &Platform, config: &Config) -> bool {
    ["x86_64", "aarch64"].into_iter().any(|arch| matches(target, config, arch))
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
        let elsewhere = dependency.target.as_ref().is_some_and(|target| !is_for_linux(target, config));
        dependency.kind != DependencyKind::Development
            && !elsewhere
            && (!dependency.optional || asked.contains(key) || on.contains(key))
    });
    dependencies.map(|dependency| dependency.name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_that_no_image_has_do_not_count() {
        let gnu = Config::default();
        let musl = Config { base: Some("rust:1-alpine".into()), ..Config::default() };
        let counts = |target: &str, config: &Config| is_for_linux(&target.parse().unwrap(), config);
        for target in [
            "cfg(unix)",
            "cfg(not(target_env = \"msvc\"))",
            "aarch64-unknown-linux-gnu",
            "cfg(target_arch = \"aarch64\")",
        ] {
            assert!(counts(target, &gnu), "{target}");
        }
        for target in ["cfg(windows)", "cfg(target_os = \"macos\")", "cfg(tokio_unstable)", "x86_64-pc-windows-msvc"] {
            assert!(!counts(target, &gnu), "{target}");
        }
        let target = "cfg(all(target_env = \"musl\", target_pointer_width = \"64\"))";
        assert!(!counts(target, &gnu) && counts(target, &musl));
        let images = |target: &str| images_with(&target.parse().unwrap(), &gnu);
        assert_eq!(images("cfg(not(windows))"), Images::All);
        assert_eq!(images("cfg(target_arch = \"aarch64\")"), Images::Some);
        assert_eq!(images("cfg(all(tokio_unstable, unix))"), Images::Some);
        assert_eq!(images("cfg(any(windows, target_os = \"macos\"))"), Images::None);
    }
}
