//! What the binary depends on, as one manifest that stands in the Dockerfile.
//!
//! Input: the manifests as cargo reads them, Cargo.lock, the root manifest and `.cargo/config.toml`. Output:
//! [`Declaration`]. The one idea: a crate from elsewhere compiles to the same unit whoever depends on it; what decides
//! the unit is the package, its features on its side (for the image or for the machine that builds), the profile and
//! the resolver. So one package that depends on everything that the binary's own crates depend on compiles exactly
//! what they need.

mod extras;
mod known;
mod reach;
mod spell;

use std::collections::BTreeMap;

use cargo_metadata::Dependency;
use cargo_metadata::semver::Version;

use crate::config::Config;
use crate::error::Result;
use crate::tree::{RelPath, Tree};

use super::lock::Lock;
pub(super) use known::Known;
use known::{Asked, Key};
use reach::{Side, Wanted};

/// The dependencies of a binary, declared in one manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub(crate) struct Declaration {
    /// The manifest, line by line.
    pub manifest: Vec<String>,
    /// Cargo's own settings, which compile into what they say.
    pub settings: Vec<RelPath>,
    /// Folders of crates that stand in for published ones (`[patch]`), which other crates are compiled against.
    pub folders: Vec<RelPath>,
}

/// Whether the profile says how many codegen units a crate is split into.
///
/// # Errors
/// A manifest that cannot be read.
pub(super) fn sets_codegen_units(tree: &dyn Tree, config: &Config) -> Result<bool> {
    let root = extras::root(tree)?;
    let name = config.profile.as_deref().unwrap_or("release");
    let profile = root.get("profile").and_then(|profiles| profiles.get(name));
    Ok(profile.is_some_and(|profile| profile.get("codegen-units").is_some()))
}

/// Declares what the binary depends on; the reason if that cannot be done.
///
/// # Errors
/// A manifest that cannot be read.
pub(super) fn declare(known: &Known<'_>) -> Result<std::result::Result<Declaration, String>> {
    let root = extras::root(known.tree)?;
    if root.contains_key("replace") {
        return Ok(Err("Cargo.toml has a `[replace]` table, which `[patch]` has superseded".into()));
    }
    let resolver = extras::resolver(&root, known.metadata);
    let wanted = reach::wanted(known.metadata, known.binary, known.config, resolver == "1");
    let dependencies = merge(known, &wanted);
    let patches = match extras::patches(known, &root, resolver == "1")? {
        Ok(patches) => patches,
        Err(reason) => return Ok(Err(reason)),
    };
    let mut manifest = spell::head(known, &root, &resolver, dependencies.keys().any(|key| key.side == Side::Host));
    manifest.extend(spell::tables(&dependencies));
    let profile = known.config.profile.as_deref().unwrap_or("release");
    manifest.extend(extras::profiles(known, &root, profile));
    manifest.extend(patches.lines);
    Ok(Ok(Declaration { manifest, settings: extras::settings(known.tree)?, folders: patches.folders }))
}

/// One entry for each version of a crate in each table, with all that is asked of it.
fn merge<'a>(known: &Known<'a>, wanted: &[Wanted<'a>]) -> BTreeMap<Key<'a>, Asked> {
    let mut merged: BTreeMap<Key<'a>, Asked> = BTreeMap::new();
    for wanted in wanted {
        let dependency = wanted.dependency;
        let entry = known.lock.chosen(wanted.owner, dependency);
        let key = Key {
            side: wanted.side,
            target: wanted.target.clone(),
            name: &dependency.name,
            source: spell::source(dependency, known.registries),
            version: entry.map(|entry| entry.version.as_str()),
        };
        let asked = merged.entry(key).or_default();
        if asked.requirement.is_empty() {
            asked.requirement = requirement(known.lock, dependency, entry.map(|entry| entry.version.as_str()));
        }
        asked.features.extend(wanted.features.iter().cloned());
        asked.default |= dependency.uses_default_features;
    }
    merged
}

/// The shortest requirement that only the locked version meets, now and after an update: any version if there is one.
fn requirement(lock: &Lock, dependency: &Dependency, locked: Option<&str>) -> String {
    let version = locked.and_then(|text| Version::parse(text).ok());
    match version {
        // `*` means no pre-release.
        Some(version) if !version.pre.is_empty() => dependency.req.to_string(),
        Some(_) if lock.versions(&dependency.name) < 2 => "*".into(),
        Some(Version { major: 0, minor: 0, patch, .. }) => format!("0.0.{patch}"),
        Some(Version { major: 0, minor, .. }) => format!("0.{minor}"),
        Some(version) => version.major.to_string(),
        None => dependency.req.to_string(),
    }
}
