//! Which Rust the project is built with.
//!
//! Input: `rust-toolchain.toml` or `rust-toolchain`, `rust-version`. Output: [`Toolchain`]. The one idea: a toolchain
//! file decides, `rust-version` is only a minimum, and the edition says nothing.

use cargo_metadata::Metadata;

use crate::config::line_of;
use crate::error::{Error, Result};
use crate::facts::Notes;
use crate::tree::Tree;

use super::members::Binary;

/// The toolchain.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub(crate) struct Toolchain {
    /// The tag of the official image, such as `1.90`; `1` is the newest stable.
    pub version: String,
    /// Whether a toolchain file names another channel than the image holds, so that rustup has to fetch it.
    pub fetch: bool,
    /// The toolchain file.
    pub file: Option<String>,
    /// Further targets that it asks for.
    pub targets: Vec<String>,
    /// Further components that the build needs.
    pub components: Vec<String>,
}

/// Components that no build needs.
const DEVELOPMENT: [&str; 9] =
    ["cargo", "rustc", "rust-std", "clippy", "rustfmt", "rust-analyzer", "rust-docs", "llvm-tools", "rust-src"];

/// Reads the toolchain file, or takes the newest stable.
pub(super) fn detect(tree: &dyn Tree, metadata: &Metadata, binary: &Binary, notes: &mut Notes) -> Result<Toolchain> {
    if let Some(path) = ["rust-toolchain.toml", "rust-toolchain"].into_iter().find(|path| tree.has(path)) {
        notes.need(path);
        return file(path, &tree.text(path)?.unwrap_or_default(), notes);
    }
    let package = metadata.packages.iter().find(|package| package.name.as_str() == binary.package);
    match package.and_then(|package| package.rust_version.as_ref()) {
        Some(minimum) => {
            let path = binary.dir.join("Cargo.toml").unwrap_or_default();
            notes.found(path.as_str(), None, format!("Rust {minimum} is the minimum: the newest stable is used"));
        }
        None => notes.found("Cargo.toml", None, "no toolchain is named: the newest stable Rust is used"),
    }
    Ok(Toolchain { version: "1".into(), ..Toolchain::default() })
}

fn file(path: &str, text: &str, notes: &mut Notes) -> Result<Toolchain> {
    let mut toolchain = Toolchain { file: Some(path.to_owned()), ..Toolchain::default() };
    let trimmed = text.trim();
    let channel = if !trimmed.contains('[') {
        trimmed.lines().next().unwrap_or_default().trim().to_owned()
    } else {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error.span().map(|span| line_of(text, span.start));
            Error::manifest(path, line, error.message().to_owned())
        })?;
        let section = table.get("toolchain");
        let list = |key: &str| -> Vec<String> {
            let array = section.and_then(|section| section.get(key)).and_then(toml::Value::as_array);
            array.into_iter().flatten().filter_map(toml::Value::as_str).map(str::to_owned).collect()
        };
        toolchain.targets = list("targets");
        toolchain.components =
            list("components").into_iter().filter(|name| !DEVELOPMENT.contains(&name.as_str())).collect();
        section.and_then(|section| section.get("channel")).and_then(toml::Value::as_str).unwrap_or("stable").to_owned()
    };
    let line = text.lines().position(|line| line.contains(&channel)).map(|index| index as u32 + 1);
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = channel.split('.').collect();
    match parts.as_slice() {
        [major, rest @ ..] if number(major) && rest.len() <= 2 && rest.iter().all(|part| number(part)) => {
            toolchain.version = channel.clone();
            notes.found(path, line, format!("Rust {channel}"));
        }
        _ if channel == "stable" || channel.starts_with("stable-") => {
            toolchain.version = "1".into();
            notes.found(path, line, "the newest stable Rust");
        }
        _ => {
            toolchain.version = "1".into();
            toolchain.fetch = true;
            notes.found(path, line, format!("Rust `{channel}`, which rustup fetches: no image has it"));
        }
    }
    Ok(toolchain)
}
