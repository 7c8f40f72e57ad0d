//! Which dependencies the binary's own crates have, with which features, on which side.
//!
//! Input: the own packages. Output: [`Wanted`], one for each crate from elsewhere that an own crate asks for. The one
//! idea: own crates switch features on in each other, so what is on is collected until nothing is added.
//!
//! Source: <https://doc.rust-lang.org/cargo/reference/features.html#feature-unification>,
//! <https://doc.rust-lang.org/cargo/reference/resolver.html#feature-resolver-version-2>.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::camino::Utf8Path;
use cargo_metadata::{Dependency, DependencyKind, Metadata, Package, TargetKind};

use crate::config::Config;
use crate::stacks::rust::lock::{Images, images_with};
use crate::stacks::rust::members::Binary;

/// For which side a crate is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    /// The image.
    Image,
    /// The machine that builds: build scripts and procedural macros.
    Host,
    /// Neither: with the first resolver its features count all the same.
    Neither,
}

/// A crate from elsewhere that an own crate asks for.
pub(super) struct Wanted<'a> {
    pub(super) owner: &'a Package,
    pub(super) dependency: &'a Dependency,
    pub(super) side: Side,
    /// The condition, where only some images meet it.
    pub(super) target: Option<String>,
    pub(super) features: BTreeSet<String>,
}

/// The own packages that the binary consists of, and what is on in them.
struct Reach<'a> {
    own: BTreeMap<&'a Utf8Path, &'a Package>,
    config: &'a Config,
    selected: &'a str,
    /// Whether features are the same on every side, as with the first resolver.
    unified: bool,
    reached: BTreeSet<(&'a Utf8Path, Side)>,
    on: BTreeMap<(&'a Utf8Path, Option<Side>), BTreeSet<String>>,
}

/// What the own crates of the binary ask for.
pub(super) fn wanted<'a>(
    metadata: &'a Metadata,
    binary: &'a Binary,
    config: &'a Config,
    unified: bool,
) -> Vec<Wanted<'a>> {
    let own = metadata.packages.iter().filter_map(|package| Some((package.manifest_path.parent()?, package))).collect();
    let mut reach =
        Reach { own, config, selected: &binary.package, unified, reached: BTreeSet::new(), on: BTreeMap::new() };
    let start = reach.own.iter().find(|(_, package)| package.name.as_str() == binary.package);
    let Some(start) = start.map(|(dir, _)| *dir) else { return Vec::new() };
    let default = (!config.no_default_features).then(|| "default".to_owned());
    reach.enter(start, Side::Image, binary.features.iter().cloned().chain(default));
    loop {
        let before = reach.size();
        for wanted in reach.all() {
            if let Some((dir, side)) = reach.own_of(&wanted) {
                let default = wanted.dependency.uses_default_features.then(|| "default".to_owned());
                reach.enter(dir, side, wanted.features.into_iter().chain(default));
            }
        }
        if reach.size() == before {
            break;
        }
    }
    let all = reach.all();
    all.into_iter().filter(|wanted| wanted.dependency.path.is_none()).collect()
}

impl<'a> Reach<'a> {
    fn size(&self) -> (usize, usize) {
        (self.reached.len(), self.on.values().map(BTreeSet::len).sum())
    }

    fn key(&self, dir: &'a Utf8Path, side: Side) -> (&'a Utf8Path, Option<Side>) {
        (dir, (!self.unified).then_some(side))
    }

    fn enter(&mut self, dir: &'a Utf8Path, side: Side, features: impl IntoIterator<Item = String>) {
        let Some(package) = self.own.get(dir).copied() else { return };
        self.reached.insert((dir, side));
        switch_on(package, self.on.entry(self.key(dir, side)).or_default(), features);
    }

    /// The own package that a dependency by path is, and its side.
    fn own_of(&self, wanted: &Wanted<'a>) -> Option<(&'a Utf8Path, Side)> {
        let path = wanted.dependency.path.as_deref()?;
        let (dir, package) = self.own.get_key_value(path)?;
        let is_macro = package.targets.iter().any(|target| target.kind.contains(&TargetKind::ProcMacro));
        Some((*dir, if is_macro && wanted.side == Side::Image { Side::Host } else { wanted.side }))
    }

    /// Everything that the packages reached so far ask for.
    fn all(&self) -> Vec<Wanted<'a>> {
        let mut all = Vec::new();
        for (dir, side) in &self.reached {
            let Some(package) = self.own.get(dir).copied() else { continue };
            let none = BTreeSet::new();
            let on = self.on.get(&self.key(dir, *side)).unwrap_or(&none);
            for dependency in &package.dependencies {
                if let Some((side, target)) = self.side(package, dependency, *side)
                    && is_active(package, dependency, on)
                {
                    let features = features(dependency, on);
                    all.push(Wanted { owner: package, dependency, side, target, features });
                }
            }
        }
        all
    }

    /// For which side and under which condition a dependency counts, if it does.
    fn side(&self, package: &Package, dependency: &Dependency, side: Side) -> Option<(Side, Option<String>)> {
        let side = match (dependency.kind, side) {
            (DependencyKind::Development, Side::Image) if self.unified && package.name.as_str() == self.selected => {
                Side::Neither
            }
            (DependencyKind::Development, _) => return None,
            (DependencyKind::Build, Side::Image) => Side::Host,
            (_, side) => side,
        };
        let Some(target) = &dependency.target else { return Some((side, None)) };
        match images_with(target, self.config) {
            Images::All => Some((side, None)),
            Images::Some => Some((side, Some(target.to_string()))),
            Images::None => self.unified.then_some((Side::Neither, None)),
        }
    }
}

/// The name by which features of the package mean a dependency.
fn key(dependency: &Dependency) -> &str {
    dependency.rename.as_deref().unwrap_or(&dependency.name)
}

/// Switches features on, and what they switch on.
fn switch_on(package: &Package, on: &mut BTreeSet<String>, features: impl IntoIterator<Item = String>) {
    let mut open: Vec<String> = features.into_iter().collect();
    while let Some(feature) = open.pop() {
        if on.contains(&feature) {
            continue;
        }
        open.extend(package.features.get(&feature).into_iter().flatten().cloned());
        // `serde/derive` switches the optional dependency `serde` on, and the feature of that name.
        if let Some((name, _)) = feature.split_once('/')
            && package.dependencies.iter().any(|dependency| dependency.optional && key(dependency) == name)
        {
            open.push(name.to_owned());
        }
        on.insert(feature);
    }
}

fn is_active(package: &Package, dependency: &Dependency, on: &BTreeSet<String>) -> bool {
    let key = key(dependency);
    !dependency.optional
        || on.contains(&format!("dep:{key}"))
        || on.contains(key) && !package.features.contains_key(key)
        || on.iter().any(|feature| feature.split_once('/').is_some_and(|(name, _)| name == key))
}

/// The features of a dependency: what its line says, and what features of the package switch on in it.
fn features(dependency: &Dependency, on: &BTreeSet<String>) -> BTreeSet<String> {
    let key = key(dependency);
    let through = on.iter().filter_map(|feature| feature.split_once('/'));
    let through = through.filter(|(name, _)| name.strip_suffix('?').unwrap_or(name) == key);
    through.map(|(_, feature)| feature.to_owned()).chain(dependency.features.iter().cloned()).collect()
}
