//! What `.cargo/config.toml` changes about a build.
//!
//! Input: the file. Output: [`Settings`]. The one idea: a linker or a registry that is named there has to be in the
//! image, or the first thing that fails is a dependency.
//!
//! Source: <https://doc.rust-lang.org/cargo/reference/config.html>.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::line_of;
use crate::error::{Error, Result};
use crate::facts::slug;
use crate::facts::{Credential, Notes};
use crate::tree::{RelPath, Tree};

/// What the settings change.
#[derive(Default)]
pub(super) struct Settings {
    pub(super) env: Vec<(String, String)>,
    pub(super) target: Option<String>,
    pub(super) target_dir: Option<String>,
    pub(super) vendored: Vec<RelPath>,
    pub(super) credentials: Vec<Credential>,
    /// Index → name.
    pub(super) registries: BTreeMap<String, String>,
}

/// Reads `.cargo/config.toml` (or `.cargo/config`).
pub(super) fn read(tree: &dyn Tree, notes: &mut Notes, packages: &mut BTreeSet<String>) -> Result<Settings> {
    let mut settings = Settings::default();
    let Some(path) = [".cargo/config.toml", ".cargo/config"].into_iter().find(|path| tree.has(path)) else {
        return Ok(settings);
    };
    let text = tree.text(path)?.unwrap_or_default();
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map(|span| line_of(&text, span.start));
        Error::manifest(path, line, error.message().to_owned())
    })?;
    notes.need(".cargo");
    linkers(path, &text, &table, notes, packages);
    let build = table.get("build").and_then(toml::Value::as_table);
    let of_build = |key: &str| build.and_then(|build| build.get(key)).and_then(toml::Value::as_str).map(str::to_owned);
    settings.target = of_build("target");
    settings.target_dir = of_build("target-dir");
    for key in ["rustc-wrapper", "rustc-workspace-wrapper"] {
        if let Some(wrapper) = of_build(key) {
            notes.found(
                path,
                line(&text, key),
                format!("`{wrapper}` wraps rustc on developers' machines; the image builds without it"),
            );
            let variable = format!("CARGO_BUILD_{}", key.to_ascii_uppercase().replace('-', "_"));
            settings.env.push((variable, String::new()));
        }
    }
    registries(path, &text, &table, notes, &mut settings);
    Ok(settings)
}

fn line(text: &str, needle: &str) -> Option<u32> {
    text.lines().position(|line| line.contains(needle)).map(|index| index as u32 + 1)
}

/// Installs the linkers that sections for Linux name.
fn linkers(path: &str, text: &str, table: &toml::Table, notes: &mut Notes, packages: &mut BTreeSet<String>) {
    let targets = table.get("target").and_then(toml::Value::as_table).into_iter().flatten();
    let here = targets.filter(|(name, _)| {
        !["windows", "darwin", "macos", "wasm", "android", "ios"].iter().any(|system| name.contains(system))
            || name.contains("not(")
    });
    let mut words: Vec<String> = Vec::new();
    for section in here.map(|(_, section)| section).chain(table.get("build")) {
        for key in ["linker", "rustflags"] {
            match section.get(key) {
                Some(toml::Value::String(text)) => words.extend(text.split_whitespace().map(str::to_owned)),
                Some(toml::Value::Array(list)) => {
                    words.extend(list.iter().filter_map(toml::Value::as_str).map(str::to_owned));
                }
                _ => {}
            }
        }
    }
    for (sign, package) in [("clang", "clang"), ("lld", "lld"), ("mold", "mold"), ("gcc", "gcc"), ("wild", "")] {
        let named = |word: &String| {
            word.rsplit(['=', '/']).next().is_some_and(|tail| tail == sign || tail.starts_with(&format!("{sign}-")))
        };
        if words.iter().any(named) {
            match package {
                "" => notes.warn(format!(
                    "{path} names the linker `{sign}`, which Debian does not have: install it with `steps`"
                )),
                "gcc" => {}
                package => {
                    notes.found(path, line(text, sign), format!("links with {sign}"));
                    packages.insert(package.to_owned());
                }
            }
        }
    }
}

/// Vendored sources and private registries.
fn registries(path: &str, text: &str, table: &toml::Table, notes: &mut Notes, settings: &mut Settings) {
    for (_, source) in table.get("source").and_then(toml::Value::as_table).into_iter().flatten() {
        if let Some(dir) = source.get("directory").and_then(toml::Value::as_str).and_then(RelPath::new) {
            notes.found(path, line(text, dir.as_str()), format!("dependencies are vendored in `{dir}`"));
            notes.need(dir.as_str());
            settings.vendored.push(dir);
        }
    }
    for (name, registry) in table.get("registries").and_then(toml::Value::as_table).into_iter().flatten() {
        let variable = format!("CARGO_REGISTRIES_{}_TOKEN", name.to_ascii_uppercase().replace(['-', '.'], "_"));
        notes.found(path, line(text, name), format!("private registry `{name}`"));
        if let Some(index) = registry.get("index").and_then(toml::Value::as_str) {
            settings.registries.insert(index.to_owned(), name.clone());
        }
        if registry.get("token").is_some() {
            notes.warn(format!(
                "{path} holds the token of registry `{name}`: take it out, it would get into the build context"
            ));
        }
        let id = format!("cargo-{}-token", slug(name));
        if variable.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            settings.credentials.push(Credential::Env { id, variable });
        }
    }
}
