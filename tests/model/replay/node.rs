//! What decides a project's `node_modules`, read from manifests, lockfile and settings.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Set;
use super::checkout::Checkout;

/// The fields of a manifest that say what is installed.
const FIELDS: [&str; 19] = [
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
    "peerDependenciesMeta",
    "dependenciesMeta",
    "bundleDependencies",
    "bundledDependencies",
    "overrides",
    "resolutions",
    "patchedDependencies",
    "trustedDependencies",
    "allowScripts",
    "installConfig",
    "workspaces",
    "pnpm",
    "os",
    "cpu",
    "libc",
];

pub(crate) fn set(work: &Checkout) -> Option<Set> {
    let mut set = Set::new();
    let lone = lone(work);
    for path in manifests(work).into_iter().filter(|path| !lone.contains(path)) {
        let manifest = work.json(&path)?;
        let says = FIELDS.iter().map(|&field| (field.to_owned(), manifest[field].clone()));
        set.extend(says.map(|(field, value)| (format!("{path} {field}"), value)));
        if path != "package.json" {
            // Members are linked by name, and so are their programs.
            set.insert(format!("{path} links"), json!([manifest["name"], manifest["bin"]]));
        }
    }
    if let Some(lock) = work.json("package-lock.json") {
        set.extend(npm(lock).into_iter().filter(|(entry, value)| !is_of(entry, value, &lone)));
    }
    for lock in ["pnpm-lock.yaml", "yarn.lock"] {
        let is_lone = |line: &str| {
            let member = line.strip_prefix("  ").and_then(|line| line.strip_suffix(": {}"));
            member.is_some_and(|member| lone.contains(&format!("{member}/package.json")))
        };
        let lines = |text: &str| json!(meaning(text).into_iter().filter(|line| !is_lone(line)).collect::<Vec<_>>());
        set.extend(work.text(lock).map(|text| (lock.to_owned(), lines(&text))));
    }
    let is_locked = ["package-lock.json", "pnpm-lock.yaml", "yarn.lock"].iter().any(|lock| work.has(lock));
    for settings in [".npmrc", ".yarnrc.yml", "pnpm-workspace.yaml", ".pnpmfile.cjs"] {
        set.extend(work.text(settings).map(|text| (settings.to_owned(), json!(meaning(&text)))));
    }
    for (path, bytes) in work.under("patches") {
        set.insert(path, json!(String::from_utf8_lossy(&bytes)));
    }
    is_locked.then_some(set)
}

/// Members that depend on nothing, have no commands, and that nobody depends on: nothing is installed for them.
fn lone(work: &Checkout) -> BTreeSet<String> {
    let manifests = manifests(work);
    let all: Vec<Value> = manifests.iter().filter_map(|path| work.json(path)).collect();
    let depends =
        |manifest: &Value| FIELDS.iter().any(|field| field.contains("ependencies") && manifest[field] != Value::Null);
    let asked = |name: &str| {
        all.iter().any(|manifest| {
            FIELDS.iter().any(|field| field.contains("ependencies") && manifest[field][name] != Value::Null)
        })
    };
    let is_lone = |path: &String| {
        let manifest = work.json(path).unwrap_or_default();
        let name = manifest["name"].as_str().unwrap_or_default();
        path != "package.json"
            && !name.is_empty()
            && !depends(&manifest)
            && manifest["bin"] == Value::Null
            && !asked(name)
    };
    manifests.into_iter().filter(is_lone).collect()
}

/// Whether an entry of npm's lockfile is one of these members, or the link to it.
fn is_of(entry: &str, value: &Value, members: &BTreeSet<String>) -> bool {
    let path = entry.strip_prefix("package-lock.json packages ").unwrap_or_default();
    let folder = if value["link"] == json!(true) { value["resolved"].as_str().unwrap_or_default() } else { path };
    members.contains(&format!("{folder}/package.json"))
}

/// Each entry of a lockfile of npm: what it says of the project itself only as far as that is installed.
fn npm(lock: Value) -> Set {
    let entries = ["packages", "dependencies"].into_iter().flat_map(|section| {
        let entries = lock[section].as_object().cloned().unwrap_or_default();
        entries.into_iter().map(move |(path, mut entry)| {
            let is_own = section == "packages" && !path.contains("node_modules/");
            if let Some(fields) = entry.as_object_mut().filter(|_| is_own) {
                fields.retain(|field, _| FIELDS.contains(&field.as_str()));
            }
            (format!("package-lock.json {section} {path}"), entry)
        })
    });
    entries.chain([("package-lock.json lockfileVersion".to_owned(), lock["lockfileVersion"].clone())]).collect()
}

/// The lines without comments and empty ones.
fn meaning(text: &str) -> Vec<&str> {
    let lines = text.lines().map(str::trim_end);
    lines.filter(|line| !line.is_empty() && !line.trim_start().starts_with(['#', ';'])).collect()
}

/// The project's own manifests: the root's, and those of its workspace.
pub(crate) fn manifests(work: &Checkout) -> Vec<String> {
    let root = work.json("package.json").unwrap_or_default();
    let list = root["workspaces"].as_array().or_else(|| root["workspaces"]["packages"].as_array());
    let mut members: Vec<String> = list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    // Of pnpm's file only the list under `packages` is read.
    let settings = work.text("pnpm-workspace.yaml").unwrap_or_default();
    let mut lines = settings.lines().skip_while(|line| line.trim_end() != "packages:").skip(1);
    while let Some(member) = lines.next().and_then(|line| line.trim().strip_prefix("- ")) {
        members.push(member.trim_matches(['"', '\'']).to_owned());
    }
    let is_member = |folder: &str| members.iter().any(|pattern| matches(pattern, folder.trim_end_matches('/')));
    let folders = work.folders_with("package.json").into_iter().filter(|folder| folder.is_empty() || is_member(folder));
    folders.map(|folder| format!("{folder}package.json")).collect()
}

/// `packages/a` for itself, `packages/*` for a folder in it, `packages/**` for all below.
pub(crate) fn matches(pattern: &str, folder: &str) -> bool {
    let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
    match (pattern.strip_suffix("/**"), pattern.strip_suffix("/*")) {
        (Some(above), _) => folder.starts_with(&format!("{above}/")),
        (None, Some(above)) => folder.rsplit_once('/').is_some_and(|(parent, _)| parent == above),
        (None, None) => pattern == folder,
    }
}
