//! What decides a project's virtual environment, read from manifests and lockfile.

use serde_json::{Value, json};

use super::Set;
use super::checkout::Checkout;
use super::node::matches;

pub(crate) fn set(work: &Checkout) -> Option<Set> {
    let mut set = Set::new();
    let mut is_locked = false;
    if let Some(lock) = work.toml("uv.lock") {
        is_locked = true;
        for key in ["requires-python", "resolution-markers", "conflicts", "options", "manifest"] {
            set.insert(format!("uv.lock {key}"), lock[key].clone());
        }
        set.extend(packages(&lock, "uv.lock"));
    }
    if let Some(lock) = work.toml("poetry.lock") {
        is_locked = true;
        set.insert("poetry.lock extras".to_owned(), lock["extras"].clone());
        set.insert("poetry.lock python".to_owned(), lock["metadata"]["python-versions"].clone());
        set.extend(packages(&lock, "poetry.lock"));
    }
    if let Some(lock) = work.toml("pdm.lock") {
        is_locked = true;
        // The format and the strategy say how the entries are read.
        let mut metadata = lock["metadata"].clone();
        forget(&mut metadata, "content_hash");
        set.insert("pdm.lock metadata".to_owned(), metadata);
        set.extend(packages(&lock, "pdm.lock"));
    }
    for path in manifests(work) {
        let manifest = work.toml(&path)?;
        let (project, tool) = (&manifest["project"], &manifest["tool"]);
        let mut says = vec![("dependencies", &project["dependencies"])];
        // Without a lockfile only those are installed.
        if is_locked {
            says.push(("extras", &project["optional-dependencies"]));
            says.push(("groups", &manifest["dependency-groups"]));
            says.push(("python", &project["requires-python"]));
        }
        if is_locked && !tool["uv"].is_null() {
            says.push(("uv", &tool["uv"]));
        }
        for key in ["dependencies", "dev-dependencies", "group", "extras", "source"] {
            says.push((key, &tool["poetry"][key]));
        }
        says.extend(["dev-dependencies", "source", "resolution", "overrides"].map(|key| (key, &tool["pdm"][key])));
        let says = says.into_iter().enumerate();
        set.extend(says.map(|(at, (key, value))| (format!("{path} {at} {key}"), value.clone())));
    }
    Some(set)
}

/// The entries of a lockfile. Of the project's own packages the version decides nothing, and of a file not when it was
/// uploaded.
fn packages(lock: &Value, path: &str) -> Set {
    let packages = lock["package"].as_array().cloned().unwrap_or_default();
    let entries = packages.into_iter().enumerate().map(|(at, mut package)| {
        let is_own = ["editable", "virtual", "directory"].iter().any(|kind| package["source"].get(kind).is_some());
        let mut version = package["version"].take();
        if is_own {
            version = json!("own");
        }
        if let Some(fields) = package.as_object_mut() {
            fields.remove("version");
        }
        forget(&mut package, "upload-time");
        let name = package["name"].as_str().unwrap_or_default().to_owned();
        // Several versions of a package are told apart by number too.
        let number = if is_own { 0 } else { at };
        (name, version, number, package)
    });
    let mut set = Set::new();
    for (name, version, number, package) in entries {
        let mut key = format!("{path} {name} {version}");
        if set.contains_key(&key) {
            key = format!("{key} {number}");
        }
        set.insert(key, package);
    }
    set
}

fn forget(value: &mut Value, key: &str) {
    match value {
        Value::Object(fields) => {
            fields.remove(key);
            fields.values_mut().for_each(|value| forget(value, key));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| forget(value, key)),
        _ => {}
    }
}

/// The project's own manifests: the root's, and those of its workspace.
pub(crate) fn manifests(work: &Checkout) -> Vec<String> {
    let root = work.toml("pyproject.toml").unwrap_or_default();
    let members = root["tool"]["uv"]["workspace"]["members"].as_array().cloned().unwrap_or_default();
    let is_member = |folder: &str| {
        members.iter().filter_map(Value::as_str).any(|pattern| matches(pattern, folder.trim_end_matches('/')))
    };
    let folders = work.folders_with("pyproject.toml").into_iter();
    let own = folders.filter(|folder| folder.is_empty() || is_member(folder));
    own.map(|folder| format!("{folder}pyproject.toml")).collect()
}
