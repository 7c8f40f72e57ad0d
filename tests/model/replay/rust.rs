//! What decides the units that cargo compiles for a binary's dependencies, read from manifests and lockfile.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::Set;
use super::checkout::Checkout;

/// The set for the binary of `package`, which is a name or a folder; `""` is the root.
pub(crate) fn set(work: &Checkout, package: &str, profile: &str) -> Option<Set> {
    let top = work.toml("Cargo.toml")?;
    let crates = Crates::of(work, &top);
    let start = crates.0.iter().find(|one| one.name == package || one.folder == folder(package))?;
    let root = crates.0.iter().find(|one| one.folder.is_empty());
    let reached = Reached::of(&work.toml("Cargo.lock")?, [Some(start), root].into_iter().flatten())?;

    let mut set = reached.sourced.clone();
    let mut open: Vec<&str> = [Some(start), root].into_iter().flatten().map(|one| one.folder.as_str()).collect();
    let mut seen = BTreeSet::new();
    while let Some(folder) = open.pop() {
        let Some(one) = crates.0.iter().find(|one| one.folder == folder && reached.own.contains(&one.name)) else {
            continue;
        };
        if seen.insert(folder) {
            set.insert(format!("own {}", one.name), one.facts(work, &top));
            open.extend(one.paths.iter().map(String::as_str));
        }
    }
    settings(work, &top, profile, &reached, &mut set);
    Some(set)
}

fn folder(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("{path}/") }
}

/// What belongs to no package: the profile, patches, cargo's configuration and the toolchain.
fn settings(work: &Checkout, top: &Value, profile: &str, reached: &Reached, set: &mut Set) {
    let mut next = Some(profile);
    while let Some(name) = next {
        let table = &top["profile"][name];
        set.insert(format!("profile {name}"), table.clone());
        next = table["inherits"].as_str().or((name != "release").then_some("release")).filter(|&parent| parent != name);
    }
    for (source, entries) in top["patch"].as_object().into_iter().flatten() {
        for (name, entry) in entries.as_object().into_iter().flatten() {
            if reached.names.contains(entry["package"].as_str().unwrap_or(name)) {
                set.insert(format!("patch {source} {name}"), entry.clone());
                let path = entry["path"].as_str().map(|path| path.trim_start_matches("./").trim_end_matches('/'));
                for (path, bytes) in path.into_iter().flat_map(|path| work.under(path)) {
                    set.insert(format!("patch file {path}"), json!(String::from_utf8_lossy(&bytes)));
                }
            }
        }
    }
    set.insert("replace".to_owned(), top["replace"].clone());
    let resolver = [&top["workspace"], &top["package"]].map(|table| table["resolver"].clone());
    set.insert("resolver".to_owned(), json!(resolver));
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

/// The packages of the lockfile that a build can use.
struct Reached {
    /// Those with a source, as the lockfile describes them.
    sourced: Set,
    /// The names of the others.
    own: BTreeSet<String>,
    names: BTreeSet<String>,
}

impl Reached {
    fn of<'c>(lock: &Value, start: impl Iterator<Item = &'c Crate>) -> Option<Self> {
        let packages = lock["package"].as_array()?;
        let text = |package: &Value, key: &str| package[key].as_str().unwrap_or_default().to_owned();
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, package) in packages.iter().enumerate() {
            by_name.entry(text(package, "name")).or_default().push(at);
        }
        let mut open: Vec<usize> = Vec::new();
        for one in start {
            let same = by_name.get(&one.name)?;
            open.extend(same.iter().copied().filter(|&at| packages[at].get("source").is_none()));
        }
        let mut reached = Self { sourced: Set::new(), own: BTreeSet::new(), names: BTreeSet::new() };
        let mut seen = BTreeSet::new();
        while let Some(at) = open.pop() {
            if !seen.insert(at) {
                continue;
            }
            let package = &packages[at];
            let needs: Vec<&str> =
                package["dependencies"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            for need in &needs {
                // A name, and where that is not enough a version and a source.
                let mut words = need.split(' ');
                let (name, version, source) = (words.next()?, words.next(), words.next());
                let fits = |&at: &usize| {
                    let package = &packages[at];
                    let source = source.map(|source| source.trim_matches(['(', ')']));
                    version.is_none_or(|version| package["version"] == version)
                        && source.is_none_or(|source| package["source"] == source)
                };
                let found = open.len();
                open.extend(by_name.get(name)?.iter().copied().filter(fits));
                if open.len() == found {
                    // Cargo refuses a lockfile that asks for what it does not have.
                    return None;
                }
            }
            let name = text(package, "name");
            reached.names.insert(name.clone());
            if package.get("source").is_none() {
                reached.own.insert(name);
                continue;
            }
            let id = format!("locked {name} {} {}", text(package, "version"), text(package, "source"));
            // A version beside a name is there only where another package has that name too.
            let needs: Vec<&str> = needs.iter().filter_map(|need| need.split(' ').next()).collect();
            let facts = json!({"checksum": package["checksum"], "needs": needs});
            if reached.sourced.insert(id, facts).is_some() {
                // Cargo refuses a package that is there twice.
                return None;
            }
        }
        Some(reached)
    }
}

/// A package of the project.
struct Crate {
    name: String,
    /// With its slash; `""` for the root.
    folder: String,
    manifest: Value,
    /// Its dependencies by table, each with what the workspace says of it.
    needs: BTreeMap<String, Map<String, Value>>,
    /// The folders that its dependencies lie in.
    paths: Vec<String>,
}

struct Crates(Vec<Crate>);

impl Crates {
    fn of(work: &Checkout, top: &Value) -> Self {
        let folders = work.folders_with("Cargo.toml").into_iter();
        Self(folders.filter_map(|folder| Crate::of(work, folder, top)).collect())
    }
}

impl Crate {
    fn of(work: &Checkout, folder: String, top: &Value) -> Option<Self> {
        let manifest = work.toml(&format!("{folder}Cargo.toml"))?;
        let name = manifest["package"]["name"].as_str()?.to_owned();
        let mut one = Self { name, folder, manifest, needs: BTreeMap::new(), paths: Vec::new() };
        let mut tables = vec![(String::new(), one.manifest.clone())];
        for (target, table) in one.manifest["target"].as_object().into_iter().flatten() {
            tables.push((format!("{target} "), table.clone()));
        }
        for (target, table) in tables {
            for kind in
                ["dependencies", "dev-dependencies", "build-dependencies", "dev_dependencies", "build_dependencies"]
            {
                for (name, need) in table[kind].as_object().into_iter().flatten() {
                    let need = one.need(name, need, top);
                    one.needs.entry(format!("{target}{kind}")).or_default().insert(name.clone(), need);
                }
            }
        }
        Some(one)
    }

    /// One dependency in full. Of an own package neither the version nor the place decides anything.
    fn need(&mut self, name: &str, need: &Value, top: &Value) -> Value {
        let table = |value: &Value| match value {
            Value::String(version) => Map::from_iter([("version".to_owned(), json!(version))]),
            other => other.as_object().cloned().unwrap_or_default(),
        };
        let mut need = table(need);
        let mut base = String::clone(&self.folder);
        if need.remove("workspace").is_some() {
            let mut shared = table(&top["workspace"]["dependencies"][name]);
            let features = |table: &Map<String, Value>| {
                table.get("features").and_then(Value::as_array).cloned().unwrap_or_default()
            };
            let all = [features(&shared), features(&need)].concat();
            shared.extend(need);
            shared.insert("features".to_owned(), Value::Array(all));
            need = shared;
            base = String::new();
        }
        let features = need.remove("features").unwrap_or_default();
        let features: BTreeSet<&str> = features.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if !features.is_empty() {
            need.insert("features".to_owned(), json!(features));
        }
        if let Some(path) = need.remove("path") {
            need.remove("version");
            need.insert("own".to_owned(), json!(true));
            self.paths.push(join(&base, path.as_str().unwrap_or_default()));
        }
        Value::Object(need)
    }

    fn facts(&self, work: &Checkout, top: &Value) -> Value {
        let package = &self.manifest["package"];
        let inherited = package["edition"]["workspace"] == true;
        let edition = if inherited { &top["workspace"]["package"]["edition"] } else { &package["edition"] };
        let script = package["build"].as_str().unwrap_or("build.rs");
        let mut lib = self.manifest["lib"].as_object().cloned().unwrap_or_default();
        lib.retain(|key, _| !["doc", "doctest", "test", "bench"].contains(&key.as_str()));
        json!({
            "edition": edition,
            "links": package["links"],
            "build script": work.has(&format!("{}{script}", self.folder)),
            "lib": lib,
            "features": self.manifest["features"],
            "needs": self.needs,
        })
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
    folder(&parts.join("/"))
}
