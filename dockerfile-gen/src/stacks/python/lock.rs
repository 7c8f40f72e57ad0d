//! What a lockfile installs in production.
//!
//! Input: uv.lock, poetry.lock, pdm.lock or Pipfile.lock, and what the project asks for. Output: [`Locked`] by name. The
//! one idea: a lock also holds development tools, so only what production reaches counts.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use crate::error::{Error, Result};

use super::pyproject::{parse_toml, strings};
use super::requirement::{normalize, parse};

/// A locked distribution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Locked {
    /// Its version.
    pub(crate) version: String,
    /// The file names of its archives, where the lock lists them.
    pub(crate) files: Vec<String>,
}

/// The distributions of a production install.
pub(crate) type Lock = BTreeMap<String, Locked>;

/// Names and their extras, to start from.
pub(crate) type Roots = BTreeMap<String, BTreeSet<String>>;

struct Package {
    locked: Locked,
    /// Dependencies; those of an extra behind the extra's name, the others behind `""`.
    needs: Vec<(String, String, BTreeSet<String>)>,
    groups: Option<Vec<String>>,
}

/// uv.lock: what `root` reaches, with these of its own extras and groups.
///
/// # Errors
/// [`Error::Manifest`] if it is not TOML.
pub(crate) fn uv(lock: &Table, root: &str, extras: &BTreeSet<String>) -> Lock {
    let packages = packages(lock, uv_package);
    reach(&packages, &BTreeMap::from([(root.to_owned(), extras.clone())]))
}

/// poetry.lock and pdm.lock: what belongs to the main group, or, where the lock does not say, what `roots` reach.
///
/// # Errors
/// [`Error::Manifest`] if it is not TOML.
pub(crate) fn grouped(path: &str, text: &str, roots: &Roots, groups: &[String]) -> Result<Lock> {
    let packages = packages(&parse_toml(path, text)?, grouped_package);
    if packages.iter().any(|(_, package)| package.groups.is_some()) {
        let main = ["main", "default"];
        let wanted = |name: &String| main.contains(&name.as_str()) || groups.contains(name);
        let chosen = packages.into_iter().filter(|(_, package)| package.groups.iter().flatten().any(wanted));
        return Ok(chosen.map(|(name, package)| (name, package.locked)).collect());
    }
    Ok(reach(&packages, roots))
}

/// Pipfile.lock: its `default` section.
///
/// # Errors
/// [`Error::Manifest`] if it is not JSON.
pub(crate) fn pipfile(path: &str, text: &str) -> Result<Lock> {
    let json: serde_json::Value = serde_json::from_str(text)
        .map_err(|error| Error::manifest(path, Some(error.line() as u32), "is not the JSON that pipenv writes"))?;
    let default = json.get("default").and_then(serde_json::Value::as_object);
    let entries = default.into_iter().flatten().map(|(name, entry)| {
        let version = entry.get("version").and_then(serde_json::Value::as_str).unwrap_or_default();
        (normalize(name), Locked { version: version.trim_start_matches('=').to_owned(), files: Vec::new() })
    });
    Ok(entries.collect())
}

fn packages(table: &Table, read: fn(&Table) -> Package) -> Vec<(String, Package)> {
    let list = table.get("package").and_then(Value::as_array);
    let tables = list.into_iter().flatten().filter_map(Value::as_table);
    tables.filter_map(|table| Some((normalize(table.get("name")?.as_str()?), read(table)))).collect()
}

fn text(table: &Table, key: &str) -> String {
    table.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn uv_package(table: &Table) -> Package {
    let mut needs = Vec::new();
    let mut add = |of: &str, list: Option<&Value>| {
        for need in list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table) {
            let extras = strings(need.get("extra")).iter().map(|extra| normalize(extra)).collect();
            needs.push((of.to_owned(), normalize(&text(need, "name")), extras));
        }
    };
    add("", table.get("dependencies"));
    for key in ["optional-dependencies", "dev-dependencies"] {
        for (extra, list) in table.get(key).and_then(Value::as_table).into_iter().flatten() {
            add(&normalize(extra), Some(list));
        }
    }
    let wheels = table.get("wheels").and_then(Value::as_array).into_iter().flatten();
    let files = wheels
        .filter_map(Value::as_table)
        .filter_map(|wheel| wheel.get("url").or_else(|| wheel.get("path")).or_else(|| wheel.get("filename"))?.as_str())
        .map(|url| url.rsplit('/').next().unwrap_or_default().to_owned())
        .collect();
    Package { locked: Locked { version: text(table, "version"), files }, needs, groups: None }
}

fn grouped_package(table: &Table) -> Package {
    let mut needs = Vec::new();
    match table.get("dependencies") {
        Some(Value::Table(dependencies)) => {
            needs.extend(dependencies.iter().map(|(name, spec)| {
                let extras = strings(spec.get("extras")).iter().map(|extra| normalize(extra)).collect();
                (String::new(), normalize(name), extras)
            }));
        }
        list => {
            let parsed = strings(list).into_iter().filter_map(|line| parse(&line));
            needs.extend(parsed.map(|need| (String::new(), need.name, need.extras)));
        }
    }
    for (extra, list) in table.get("extras").and_then(Value::as_table).into_iter().flatten() {
        let parsed = strings(Some(list)).into_iter().filter_map(|line| parse(&line));
        needs.extend(parsed.map(|need| (normalize(extra), need.name, need.extras)));
    }
    let files = table.get("files").and_then(Value::as_array).into_iter().flatten();
    let files = files.filter_map(|file| file.get("file").or_else(|| file.get("url"))?.as_str());
    let files = files.map(|name| name.rsplit('/').next().unwrap_or_default().to_owned()).collect();
    let groups = table.get("groups").map(|groups| strings(Some(groups)));
    Package { locked: Locked { version: text(table, "version"), files }, needs, groups }
}

/// Everything that the roots need, directly or not.
fn reach(packages: &[(String, Package)], roots: &Roots) -> Lock {
    let mut found = Lock::new();
    let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
    let mut open: Vec<(String, String)> = Vec::new();
    let with_extras = |name: &str, extras: &BTreeSet<String>| -> Vec<(String, String)> {
        std::iter::once(String::new()).chain(extras.iter().cloned()).map(|extra| (name.to_owned(), extra)).collect()
    };
    for (name, extras) in roots {
        open.extend(with_extras(name, extras));
    }
    while let Some((name, extra)) = open.pop() {
        if !seen.insert((name.clone(), extra.clone())) {
            continue;
        }
        for (_, package) in packages.iter().filter(|(known, _)| *known == name) {
            found.entry(name.clone()).or_insert_with(|| package.locked.clone());
            let needs = package.needs.iter().filter(|(of, ..)| *of == extra);
            open.extend(needs.flat_map(|(_, need, extras)| with_extras(need, extras)));
        }
    }
    found
}

/// Whether one of the archives is a wheel that installs on this minor version on Linux without a compiler; `None` if the
/// lock lists no wheels.
pub(crate) fn has_wheel(files: &[String], minor: u32, musl: bool) -> Option<bool> {
    let wheels: Vec<&str> = files.iter().filter_map(|file| file.strip_suffix(".whl")).collect();
    if wheels.is_empty() {
        return if files.is_empty() { None } else { Some(false) };
    }
    let libc = if musl { "musllinux" } else { "manylinux" };
    Some(wheels.iter().any(|wheel| {
        let mut tags = wheel.rsplit('-');
        let (platform, abi, python) = (tags.next(), tags.next(), tags.next());
        let (Some(platform), Some(abi), Some(python)) = (platform, abi, python) else { return false };
        let runs = platform == "any" || platform.contains(libc) || platform.starts_with("linux_");
        runs && python.split('.').any(|tag| match tag.strip_prefix("cp3").map(str::parse::<u32>) {
            Some(Ok(built)) => built == minor || abi == "abi3" && built <= minor,
            _ => tag.starts_with("py3") || tag == "cp3",
        })
    }))
}

/// The folders of the project that Pipfile.lock installs, and whether each is installed in place.
pub(crate) fn pipfile_folders(text: &str) -> Vec<(String, bool)> {
    let lock: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let packages = lock["default"].as_object().into_iter().flatten();
    let mut folders: Vec<(String, bool)> = packages
        .filter_map(|(_, package)| {
            let place = package["path"].as_str()?.trim_start_matches("./");
            let place = if matches!(place, "" | ".") { ".".to_owned() } else { format!("./{place}") };
            let extras: Vec<&str> =
                package["extras"].as_array().into_iter().flatten().filter_map(|one| one.as_str()).collect();
            let extras = if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
            Some((format!("{place}{extras}"), package["editable"].as_bool().unwrap_or(false)))
        })
        .collect();
    folders.sort();
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    const UV: &str = r#"
[[package]]
name = "app"
source = { editable = "." }
dependencies = [{ name = "fastapi", extra = ["standard"] }]
[package.dev-dependencies]
dev = [{ name = "ruff" }]
prod = [{ name = "gunicorn" }]
[[package]]
name = "fastapi"
version = "0.120"
wheels = [{ url = "https://registry.example/fastapi-0.120-py3-none-any.whl" }]
[package.optional-dependencies]
standard = [{ name = "uvicorn" }]
[[package]]
name = "uvicorn"
version = "0.37"
[[package]]
name = "ruff"
version = "1"
[[package]]
name = "gunicorn"
version = "23"
"#;

    #[test]
    fn development_tools_are_not_reached() {
        let names = |extras: &[&str]| {
            let extras = extras.iter().map(|extra| (*extra).to_owned()).collect();
            uv(&parse_toml("uv.lock", UV).unwrap(), "app", &extras).into_keys().collect::<Vec<_>>()
        };
        assert_eq!(names(&[]), ["app", "fastapi", "uvicorn"]);
        assert_eq!(names(&["prod"]), ["app", "fastapi", "gunicorn", "uvicorn"]);
    }

    #[test]
    fn groups_decide_where_the_lock_has_them() {
        let text = "[[package]]\nname = \"a\"\nversion = \"1\"\ngroups = [\"main\"]\n\
                    [[package]]\nname = \"b\"\nversion = \"1\"\ngroups = [\"dev\"]\n";
        let lock = grouped("poetry.lock", text, &Roots::new(), &[]).unwrap();
        assert_eq!(lock.into_keys().collect::<Vec<_>>(), ["a"]);
        let old = "[[package]]\nname = \"a\"\nversion = \"1\"\n[package.dependencies]\nB = {version = \"*\"}\n\
                   [[package]]\nname = \"b\"\nversion = \"1\"\n[[package]]\nname = \"c\"\nversion = \"1\"\n";
        let lock = grouped("poetry.lock", old, &BTreeMap::from([("a".into(), BTreeSet::new())]), &[]).unwrap();
        assert_eq!(lock.into_keys().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn wheels_are_matched_by_their_tags() {
        let fits = |file: &str, minor| has_wheel(&[file.to_owned()], minor, false);
        assert_eq!(fits("a-1-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", 13), Some(true));
        assert_eq!(fits("a-1-cp312-cp312-manylinux_2_17_x86_64.whl", 13), Some(false));
        assert_eq!(fits("a-1-cp39-abi3-manylinux_2_28_x86_64.whl", 13), Some(true));
        assert_eq!(fits("a-1-cp313-cp313-macosx_11_0_arm64.whl", 13), Some(false));
        assert_eq!(fits("a-1-py2.py3-none-any.whl", 13), Some(true));
        assert_eq!(fits("a-1.tar.gz", 13), Some(false));
        assert_eq!(has_wheel(&[], 13, false), None);
    }
}
