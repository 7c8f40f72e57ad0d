//! What decides the units that cargo compiles for a binary's dependencies, read from manifests and lockfile.
//!
//! The features of own packages are followed here a second time, from the text of the manifests: this shares no code with
//! what writes the declaration.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::cargo_platform::{Cfg, Platform};
use cargo_metadata::semver::{Version, VersionReq};
use serde_json::{Map, Value, json};

use super::Set;
use super::checkout::Checkout;

/// What the Dockerfile builds.
#[derive(Clone, Default)]
pub(crate) struct Selection {
    pub(crate) package: String,
    pub(crate) features: Vec<String>,
    pub(crate) profile: String,
}

/// The set for a binary.
pub(crate) fn set(work: &Checkout, selection: &Selection) -> Option<Set> {
    let top = work.toml("Cargo.toml")?;
    let lock = Lock::of(&work.toml("Cargo.lock")?)?;
    let own = Own::of(work, &top);
    let mut set = Set::new();
    let mut open = Vec::new();
    for (want, features) in own.wants(selection)? {
        let found = lock.of_owner(&want.owner, &want.name, &want.version);
        let ids: Vec<String> = found.iter().map(|&at| lock.id(at)).collect();
        open.extend(found);
        let key = format!("wants {} {} {} {}", want.side, want.target, want.name, want.source);
        let entry = set.entry(key).or_insert_with(|| json!({"features": [], "default": false, "locked": []}));
        add(&mut entry["features"], features.iter().filter(|feature| *feature != "default"));
        add(&mut entry["locked"], ids.iter());
        entry["default"] = json!(entry["default"] == true || features.contains("default"));
    }
    let reached = lock.closure(open)?;
    for &at in &reached {
        let id = format!("locked {}", lock.id(at));
        // A version beside a name is there only where another package has that name too.
        let needs: Vec<&str> = lock.needs(at).iter().filter_map(|need| need.split(' ').next()).collect();
        if set.insert(id, json!({"checksum": lock.packages[at]["checksum"], "needs": needs})).is_some() {
            // Cargo refuses a package that is there twice.
            return None;
        }
    }
    let names: BTreeSet<&str> = reached.iter().map(|&at| lock.name(at)).collect();
    settings(work, &top, &selection.profile, &names, &own, &mut set);
    Some(set)
}

/// Adds to a sorted list what it does not have.
fn add<'t>(list: &mut Value, more: impl Iterator<Item = &'t String>) {
    let old = list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    let all: BTreeSet<String> = old.chain(more.cloned()).collect();
    *list = json!(all);
}

/// What belongs to no package: the profile, patches, cargo's configuration and the toolchain.
fn settings(work: &Checkout, top: &Value, profile: &str, names: &BTreeSet<&str>, own: &Own, set: &mut Set) {
    let mut next = Some(profile);
    while let Some(name) = next {
        let mut table = top["profile"][name].clone();
        if let Some(packages) = table["package"].as_object_mut() {
            packages.retain(|name, _| !own.packages.iter().any(|one| one.name == *name));
        }
        let is_empty = |value: &Value| value.as_object().is_some_and(Map::is_empty);
        if let Some(keys) = table.as_object_mut() {
            keys.retain(|_, value| !is_empty(value));
        }
        if !table.is_null() && !is_empty(&table) {
            set.insert(format!("profile {name}"), table.clone());
        }
        next = top["profile"][name]["inherits"]
            .as_str()
            .or((name != "release").then_some("release"))
            .filter(|&parent| parent != name);
    }
    for (source, entries) in top["patch"].as_object().into_iter().flatten() {
        for (name, entry) in entries.as_object().into_iter().flatten() {
            if names.contains(entry["package"].as_str().unwrap_or(name)) {
                set.insert(format!("patch {source} {name}"), entry.clone());
                let path = entry["path"].as_str().map(|path| path.trim_start_matches("./").trim_end_matches('/'));
                for (path, bytes) in path.into_iter().flat_map(|path| work.under(path)) {
                    set.insert(format!("patch file {path}"), json!(String::from_utf8_lossy(&bytes)));
                }
            }
        }
    }
    set.insert("resolver".to_owned(), json!(own.resolver));
    for path in [".cargo/config", ".cargo/config.toml"] {
        if let Some(Value::Object(mut tables)) = work.toml(path) {
            // What people use, and how things are fetched.
            let other = ["alias", "term", "future-incompat-report", "cargo-new", "doc", "install", "net", "http"];
            tables.retain(|name, _| !other.contains(&name.as_str()));
            set.extend((!tables.is_empty()).then(|| ("config".to_owned(), Value::Object(tables))));
        }
    }
    for path in ["rust-toolchain", "rust-toolchain.toml"] {
        let value = work.toml(path).or_else(|| work.text(path).map(|text| json!(text.trim())));
        set.extend(value.map(|value| ("toolchain".to_owned(), value)));
    }
}

/// Cargo.lock.
pub(crate) struct Lock {
    pub(crate) packages: Vec<Value>,
    by_name: BTreeMap<String, Vec<usize>>,
}

impl Lock {
    pub(crate) fn of(lock: &Value) -> Option<Self> {
        let packages = lock["package"].as_array()?.clone();
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, package) in packages.iter().enumerate() {
            by_name.entry(package["name"].as_str()?.to_owned()).or_default().push(at);
        }
        Some(Self { packages, by_name })
    }

    fn text(&self, at: usize, key: &str) -> &str {
        self.packages[at][key].as_str().unwrap_or_default()
    }

    pub(crate) fn name(&self, at: usize) -> &str {
        self.text(at, "name")
    }

    pub(crate) fn source(&self, at: usize) -> &str {
        self.text(at, "source")
    }

    pub(crate) fn version(&self, at: usize) -> Option<Version> {
        Version::parse(self.text(at, "version")).ok()
    }

    pub(crate) fn id(&self, at: usize) -> String {
        format!("{} {} {}", self.name(at), self.text(at, "version"), self.source(at))
    }

    pub(crate) fn named(&self, name: &str) -> &[usize] {
        self.by_name.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// What an entry depends on, as it is spelled.
    pub(crate) fn needs(&self, at: usize) -> Vec<&str> {
        self.packages[at]["dependencies"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// The entries that a spelled dependency means: a name, and where that is not enough a version and a source.
    pub(crate) fn meant(&self, need: &str) -> Vec<usize> {
        let mut words = need.split(' ');
        let (name, version, source) = (words.next().unwrap_or_default(), words.next(), words.next());
        let source = source.map(|source| source.trim_matches(['(', ')']));
        let fits = |at: &usize| {
            version.is_none_or(|version| self.text(*at, "version") == version)
                && source.is_none_or(|source| self.source(*at) == source)
        };
        self.named(name).iter().copied().filter(fits).collect()
    }

    /// The entries that an own package has for a dependency.
    fn of_owner(&self, owner: &str, name: &str, version: &str) -> Vec<usize> {
        let owner = self.named(owner).iter().copied().filter(|&at| self.source(at).is_empty());
        let needs = owner.flat_map(|at| self.needs(at)).filter(|need| need.split(' ').next() == Some(name));
        let found: Vec<usize> = needs.flat_map(|need| self.meant(need)).collect();
        let asked = VersionReq::parse(version).unwrap_or_default();
        let fits = |at: &usize| self.version(*at).is_some_and(|version| asked.matches(&version));
        let fitting: Vec<usize> = found.iter().copied().filter(fits).collect();
        if fitting.is_empty() { found } else { fitting }
    }

    /// All that entries lead to; `None` for a lockfile that cargo refuses, since it asks for what it does not have.
    pub(crate) fn closure(&self, mut open: Vec<usize>) -> Option<BTreeSet<usize>> {
        let mut seen = BTreeSet::new();
        while let Some(at) = open.pop() {
            if seen.insert(at) {
                for need in self.needs(at) {
                    let found = self.meant(need);
                    if found.is_empty() {
                        return None;
                    }
                    open.extend(found);
                }
            }
        }
        Some(seen)
    }
}

/// A dependency on a package from elsewhere.
struct Want {
    owner: String,
    side: &'static str,
    target: String,
    name: String,
    version: String,
    source: String,
}

/// A package of the project.
struct Crate {
    name: String,
    /// With its slash; `""` for the root.
    folder: String,
    manifest: Value,
    needs: Vec<Need>,
}

/// One dependency in full, with what the workspace says of it.
struct Need {
    kind: &'static str,
    target: String,
    /// What features call it.
    key: String,
    name: String,
    version: String,
    /// The folder of an own package.
    folder: Option<String>,
    source: String,
    optional: bool,
    features: BTreeSet<String>,
}

struct Own {
    packages: Vec<Crate>,
    resolver: String,
}

impl Own {
    fn of(work: &Checkout, top: &Value) -> Self {
        let folders = work.folders_with("Cargo.toml").into_iter();
        let packages = folders.filter_map(|folder| Crate::of(work, folder, top)).collect();
        let edition = &top["package"]["edition"];
        let edition =
            if edition["workspace"] == true { &top["workspace"]["package"]["edition"] } else { edition }.as_str();
        let default = match edition {
            Some("2021") => "2",
            Some("2024") => "3",
            _ => "1",
        };
        let named = ["workspace", "package"].iter().find_map(|&table| top[table]["resolver"].as_str());
        Self { packages, resolver: named.unwrap_or(default).to_owned() }
    }

    /// What the binary's own packages ask of others, with the features that are on.
    fn wants(&self, selection: &Selection) -> Option<Vec<(Want, BTreeSet<String>)>> {
        let is_unified = self.resolver == "1";
        let start = self.packages.iter().position(|one| one.name == selection.package)?;
        // By package and side.
        let mut on: BTreeMap<(usize, &str), BTreeSet<String>> = BTreeMap::new();
        let first = selection.features.iter().cloned().chain(["default".to_owned()]).collect();
        on.insert((start, "image"), first);
        loop {
            let before: usize = on.values().map(BTreeSet::len).sum::<usize>() + on.len();
            if is_unified {
                let mut all: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
                on.iter().for_each(|((at, _), features)| all.entry(*at).or_default().extend(features.clone()));
                on.iter_mut().for_each(|((at, _), features)| features.clone_from(&all[at]));
            }
            for ((at, side), features) in on.clone() {
                let one = &self.packages[at];
                let features = one.all(&features);
                on.entry((at, side)).or_default().extend(features.clone());
                for (need, side) in one.active(&features, side, is_unified && at == start, is_unified) {
                    let Some(other) = self.own(need) else { continue };
                    let is_macro = self.packages[other].manifest["lib"]["proc-macro"] == true;
                    let side = if is_macro && side == "image" { "host" } else { side };
                    on.entry((other, side)).or_default().extend(need.with(&features));
                }
            }
            if on.values().map(BTreeSet::len).sum::<usize>() + on.len() == before {
                break;
            }
        }
        let mut wants = Vec::new();
        for ((at, side), features) in &on {
            let one = &self.packages[*at];
            for (need, side) in one.active(features, side, is_unified && *at == start, is_unified) {
                if need.folder.is_none() {
                    let target = if side == "neither" { String::new() } else { need.condition() };
                    let (name, version, source) = (need.name.clone(), need.version.clone(), need.source.clone());
                    wants.push((
                        Want { owner: one.name.clone(), side, target, name, version, source },
                        need.with(features),
                    ));
                }
            }
        }
        Some(wants)
    }

    fn own(&self, need: &Need) -> Option<usize> {
        let folder = need.folder.as_ref()?;
        self.packages.iter().position(|one| one.folder == *folder)
    }
}

impl Crate {
    fn of(work: &Checkout, folder: String, top: &Value) -> Option<Self> {
        let manifest = work.toml(&format!("{folder}Cargo.toml"))?;
        let name = manifest["package"]["name"].as_str()?.to_owned();
        let mut needs = Vec::new();
        let targets = manifest["target"].as_object().into_iter().flatten();
        let tables = [(String::new(), &manifest)].into_iter().chain(targets.map(|(name, table)| (name.clone(), table)));
        for (target, table) in tables {
            for (words, kind) in [
                ("dependencies", "normal"),
                ("build-dependencies", "build"),
                ("build_dependencies", "build"),
                ("dev-dependencies", "dev"),
                ("dev_dependencies", "dev"),
            ] {
                let entries = table[words].as_object().into_iter().flatten();
                needs.extend(entries.map(|(key, entry)| Need::of(kind, &target, key, entry, &folder, top)));
            }
        }
        Some(Self { name, folder, manifest, needs })
    }

    /// These features and all that they switch on.
    fn all(&self, first: &BTreeSet<String>) -> BTreeSet<String> {
        let mut open: Vec<String> = first.iter().cloned().collect();
        let mut on = BTreeSet::new();
        while let Some(feature) = open.pop() {
            let more = self.manifest["features"][&feature].as_array().into_iter().flatten().filter_map(Value::as_str);
            open.extend(more.map(str::to_owned));
            if let Some((key, _)) = feature.split_once('/')
                && !key.ends_with('?')
                && self.needs.iter().any(|need| need.key == key && need.optional)
            {
                open.push(key.to_owned());
            }
            if !on.insert(feature) {
                open.retain(|feature| !on.contains(feature));
            }
        }
        on
    }

    /// The dependencies that count, and for which side.
    fn active<'c>(
        &'c self,
        on: &BTreeSet<String>,
        side: &'static str,
        with_dev: bool,
        with_all_systems: bool,
    ) -> Vec<(&'c Need, &'static str)> {
        let mut active = Vec::new();
        for need in &self.needs {
            let key = &need.key;
            let names = |feature: &String| {
                feature.strip_prefix("dep:") == Some(key)
                    || feature == key && self.manifest["features"][key].is_null()
                    || feature.split_once('/').is_some_and(|(name, _)| name == key)
            };
            if need.optional && !on.iter().any(names) {
                continue;
            }
            let side = match (need.kind, side) {
                ("dev", "image") if with_dev => "neither",
                ("dev", _) => continue,
                ("build", "image") => "host",
                _ => side,
            };
            match need.is_for_linux() {
                true => active.push((need, side)),
                false if with_all_systems => active.push((need, "neither")),
                false => {}
            }
        }
        active
    }
}

impl Need {
    fn of(kind: &'static str, target: &str, key: &str, entry: &Value, folder: &str, top: &Value) -> Self {
        let table = |value: &Value| match value {
            Value::String(version) => Map::from_iter([("version".to_owned(), json!(version))]),
            other => other.as_object().cloned().unwrap_or_default(),
        };
        let own = table(entry);
        let is_shared = own.get("workspace").is_some();
        let shared = if is_shared { table(&top["workspace"]["dependencies"][key]) } else { Map::new() };
        let base = if is_shared { "" } else { folder };
        let get = |name: &str| shared.get(name).or_else(|| own.get(name));
        let text = |name: &str| get(name).and_then(Value::as_str).map(str::to_owned);
        let listed = [&shared, &own].into_iter().filter_map(|table| table.get("features")?.as_array()).flatten();
        let mut features: BTreeSet<String> = listed.filter_map(Value::as_str).map(str::to_owned).collect();
        let says = |table: &Map<String, Value>| {
            table.get("default-features").or_else(|| table.get("default_features")).and_then(Value::as_bool)
        };
        let by_default = if is_shared {
            says(&shared).unwrap_or(true) || says(&own) == Some(true)
        } else {
            says(&own).unwrap_or(true)
        };
        features.extend(by_default.then(|| "default".to_owned()));
        let sources = ["git", "branch", "tag", "rev", "registry", "registry-index"];
        let source: Vec<String> = sources.iter().filter_map(|name| Some(format!("{name}={}", text(name)?))).collect();
        Self {
            kind,
            target: target.to_owned(),
            key: key.to_owned(),
            name: text("package").unwrap_or_else(|| key.to_owned()),
            version: text("version").unwrap_or_else(|| "*".to_owned()),
            folder: text("path").map(|path| join(base, &path)),
            source: source.join(" "),
            optional: own.get("optional").and_then(Value::as_bool).unwrap_or_default(),
            features,
        }
    }

    /// Its features when these are on in the package that depends on it.
    fn with(&self, on: &BTreeSet<String>) -> BTreeSet<String> {
        let through = on.iter().filter_map(|feature| feature.split_once('/'));
        let through = through.filter(|(name, _)| name.trim_end_matches('?') == self.key);
        through.map(|(_, feature)| feature.to_owned()).chain(self.features.iter().cloned()).collect()
    }

    /// On which processors the condition is met: amd64 and arm64.
    fn met(&self) -> [bool; 2] {
        let Ok(platform) = self.target.parse::<Platform>() else { return [true; 2] };
        ["x86_64", "aarch64"].map(|arch| {
            let cfgs = [
                "unix".to_owned(),
                "panic=\"unwind\"".to_owned(),
                format!("target_arch=\"{arch}\""),
                "target_env=\"gnu\"".to_owned(),
                "target_os=\"linux\"".to_owned(),
                "target_family=\"unix\"".to_owned(),
                "target_vendor=\"unknown\"".to_owned(),
                "target_endian=\"little\"".to_owned(),
                "target_pointer_width=\"64\"".to_owned(),
                "target_has_atomic=\"64\"".to_owned(),
            ];
            let cfgs: Vec<Cfg> = cfgs.iter().filter_map(|cfg| cfg.parse().ok()).collect();
            platform.matches(&format!("{arch}-unknown-linux-gnu"), &cfgs)
        })
    }

    /// Whether it is a matter of `--cfg`, such as `tokio_unstable`.
    fn is_custom(&self) -> bool {
        let words = self.target.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '"' && c != '-');
        let known = ["cfg", "all", "any", "not", "unix", "windows", "panic", "debug_assertions"];
        self.target.starts_with("cfg(")
            && words
                .filter(|word| !word.is_empty() && !word.contains('"'))
                .any(|word| !known.contains(&word) && !word.starts_with("target_") && word != "true" && word != "false")
    }

    fn is_for_linux(&self) -> bool {
        self.target.is_empty() || self.is_custom() || self.met() != [false; 2]
    }

    /// The condition, where not every image meets it.
    fn condition(&self) -> String {
        let is_always = self.target.is_empty() || self.met() == [true; 2] && !self.is_custom();
        if is_always { String::new() } else { self.target.clone() }
    }
}

/// The folder `path` seen from `base`, with its slash.
fn join(base: &str, path: &str) -> String {
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    let path = parts.join("/");
    if path.is_empty() { path } else { format!("{path}/") }
}
