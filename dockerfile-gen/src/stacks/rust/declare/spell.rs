//! The manifest as text.
//!
//! The one idea: one dependency a line, tables in cargo's order, everything sorted, so that a change of one dependency
//! is a change of one line.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::Dependency;

use super::known::{Asked, Key, Known};
use super::reach::Side;

/// `[package]`, and what comes before it.
pub(super) fn head(known: &Known<'_>, root: &toml::Table, resolver: &str, host: bool) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(unstable) = root.get("cargo-features") {
        lines.extend([format!("cargo-features = {}", value(unstable)), String::new()]);
    }
    let own = known.metadata.packages.iter().find(|package| package.name.as_str() == known.binary.package);
    let edition = own.map_or("2021", |package| package.edition.as_str());
    let name = if known.lock.versions("dependencies") > 0 { "declared-dependencies" } else { "dependencies" };
    lines.extend(["[package]".to_owned(), format!("name = \"{name}\""), format!("edition = \"{edition}\"")]);
    if resolver != default_resolver(edition) {
        lines.push(format!("resolver = \"{resolver}\""));
    }
    if host {
        // A package without a build script has no use for what build scripts depend on.
        lines.push("build = \"src/main.rs\"".into());
    }
    lines
}

/// The resolver of an edition.
pub(super) fn default_resolver(edition: &str) -> &'static str {
    match edition {
        "2015" | "2018" => "1",
        "2021" => "2",
        _ => "3",
    }
}

/// The tables of dependencies.
pub(super) fn tables(dependencies: &BTreeMap<Key<'_>, Asked>) -> Vec<String> {
    let names = names(dependencies);
    let mut lines = Vec::new();
    let mut open = None;
    for (key, asked) in dependencies {
        let table = Some((key.side, &key.target));
        if open != table {
            let kind = match key.side {
                Side::Image => "dependencies",
                Side::Host => "build-dependencies",
                Side::Neither => "dev-dependencies",
            };
            let target = key.target.as_ref().map(|target| format!("target.{}.", literal(target)));
            lines.extend([String::new(), format!("[{}{kind}]", target.unwrap_or_default())]);
            open = table;
        }
        lines.push(line(key, asked, &names[&(key.name, key.source.as_str(), key.version)]));
    }
    lines
}

/// A dependency: name, source and version.
type Identity<'k> = (&'k str, &'k str, Option<&'k str>);

/// The keys of the dependencies: a second version of a crate has a key of its own.
fn names<'k>(dependencies: &'k BTreeMap<Key<'_>, Asked>) -> BTreeMap<Identity<'k>, String> {
    let identities: BTreeSet<Identity<'k>> =
        dependencies.keys().map(|key| (key.name, key.source.as_str(), key.version)).collect();
    let mut taken: BTreeSet<String> = identities.iter().map(|(name, ..)| (*name).to_owned()).collect();
    let mut seen = BTreeSet::new();
    let mut names = BTreeMap::new();
    for identity in identities {
        let mut name = identity.0.to_owned();
        if !seen.insert(identity.0) {
            let free = (2..).map(|number| format!("{}-{number}", identity.0)).find(|name| !taken.contains(name));
            name = free.unwrap_or_default();
            taken.insert(name.clone());
        }
        names.insert(identity, name);
    }
    names
}

fn line(key: &Key<'_>, asked: &Asked, name: &str) -> String {
    let mut parts = Vec::new();
    if name != key.name {
        parts.push(format!("package = {}", string(key.name)));
    }
    let version = string(&asked.requirement);
    if !key.source.starts_with("git = ") {
        parts.push(format!("version = {version}"));
    }
    if !key.source.is_empty() {
        parts.push(key.source.clone());
    }
    if !asked.default {
        parts.push("default-features = false".into());
    }
    let features: Vec<String> =
        asked.features.iter().filter(|feature| *feature != "default").map(|feature| string(feature)).collect();
    if !features.is_empty() {
        parts.push(format!("features = [{}]", features.join(", ")));
    }
    match parts.as_slice() {
        [only] if only.starts_with("version") => format!("{name} = {version}"),
        parts => format!("{name} = {{ {} }}", parts.join(", ")),
    }
}

/// Where a dependency comes from, as its line says it; nothing for crates.io.
pub(super) fn source(dependency: &Dependency, registries: &BTreeMap<String, String>) -> String {
    if let Some(index) = &dependency.registry {
        return match registries.get(index) {
            Some(name) => format!("registry = {}", string(name)),
            None => format!("registry-index = {}", string(index)),
        };
    }
    let Some(url) = dependency.source.as_ref().and_then(|source| source.repr.strip_prefix("git+")) else {
        return String::new();
    };
    let (url, query) = url.split('#').next().unwrap_or(url).split_once('?').unwrap_or((url, ""));
    let mut text = format!("git = {}", string(url));
    for (name, of) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        if ["branch", "tag", "rev"].contains(&name) {
            text.push_str(&format!(", {name} = {}", string(&decoded(of))));
        }
    }
    text
}

/// Text in which `%2F` stands for `/`.
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match part.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend(part[2..].bytes());
            }
            None => bytes.extend([b"%", part.as_bytes()].concat()),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// A table under its own headers, one key a line.
pub(super) fn table(header: &str, table: &toml::Table) -> Vec<String> {
    let (inner, plain): (Vec<_>, Vec<_>) = table.iter().partition(|(_, value)| value.is_table());
    let mut lines = Vec::new();
    if !plain.is_empty() || inner.is_empty() {
        lines.extend([String::new(), format!("[{header}]")]);
        lines.extend(plain.iter().map(|(name, of)| format!("{} = {}", bare(name), value(of))));
    }
    for (name, inner) in inner {
        lines.extend(
            inner.as_table().into_iter().flat_map(|inner| self::table(&format!("{header}.{}", bare(name)), inner)),
        );
    }
    lines
}

/// A value on one line.
pub(super) fn value(of: &toml::Value) -> String {
    match of {
        toml::Value::String(text) => string(text),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => format!("{number:?}"),
        toml::Value::Boolean(is) => is.to_string(),
        toml::Value::Datetime(at) => at.to_string(),
        toml::Value::Array(list) => format!("[{}]", list.iter().map(value).collect::<Vec<_>>().join(", ")),
        toml::Value::Table(table) => {
            let pairs: Vec<String> = table.iter().map(|(name, of)| format!("{} = {}", bare(name), value(of))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
    }
}

/// A key, in quotes where it needs them.
pub(super) fn bare(key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !key.is_empty() && key.chars().all(plain) { key.to_owned() } else { string(key) }
}

/// A string with escapes.
fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", c as u32)),
            c => out.push(c),
        }
    }
    out + "\""
}

/// A key that holds double quotes, such as a condition.
fn literal(key: &str) -> String {
    if key.contains('\'') || key.chars().any(char::is_control) { string(key) } else { format!("'{key}'") }
}
