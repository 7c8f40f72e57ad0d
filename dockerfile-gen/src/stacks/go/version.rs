//! Which Go compiles the project.
//!
//! Input: go.mod, go.work and version files. Output: [`Toolchain`]. The one idea: a `go` line is the least that works, and
//! newer releases keep to it; so it names the image where there is one, and a release with security fixes where there
//! is none any more.

use super::modfile::{ModFile, minor};
use crate::facts::Notes;
use crate::tree::Tree;

/// The oldest release that has an image of the Debian release that all stages share.
const OLDEST_IMAGE: u32 = 24;

/// The oldest release that gets security fixes; <https://go.dev/doc/devel/release#policy>.
const OLDEST_SUPPORTED: u32 = 26;

/// The toolchain of the build stages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Toolchain {
    /// Major and minor version.
    pub version: String,
    /// Whether a patch release is demanded, which an image of that minor version may not have yet.
    pub exact: bool,
}

/// Decides, from the module files that take part and their paths.
pub(super) fn toolchain(tree: &dyn Tree, dir: &str, files: &[(String, ModFile)], notes: &mut Notes) -> Toolchain {
    let mut best: Option<(String, String, Option<u32>, &str)> = None;
    let mut offer = |version: &str, path: &str, line: Option<u32>, what: &'static str| {
        let newer = best.as_ref().is_none_or(|(known, ..)| numbers(version) > numbers(known));
        if minor(version).is_some() && newer {
            best = Some((version.to_owned(), path.to_owned(), line, what));
        }
    };
    for (path, file) in files {
        if let Some((version, line)) = &file.toolchain {
            offer(version, path, Some(*line), "the `toolchain` line");
        }
        if let Some((version, line)) = &file.go {
            offer(version, path, Some(*line), "the `go` line");
        }
    }
    for (path, version, line) in version_files(tree, dir) {
        offer(&version, &path, Some(line), "a version file");
    }
    let Some((demanded, path, line, what)) = best else {
        notes.found("go.mod", None, format!("Go 1.{OLDEST_SUPPORTED}: nothing names a release"));
        return Toolchain { version: format!("1.{OLDEST_SUPPORTED}"), exact: false };
    };
    let demanded_minor = minor(&demanded).unwrap_or(OLDEST_SUPPORTED);
    let exact = numbers(&demanded).1 > 0;
    if demanded_minor >= OLDEST_IMAGE {
        notes.found(&path, line, format!("Go 1.{demanded_minor}, from {what}"));
        if demanded_minor < OLDEST_SUPPORTED {
            notes.warn(format!(
                "Go 1.{demanded_minor} gets no security fixes any more; a newer `go` or `toolchain` line in {path} changes that"
            ));
        }
        return Toolchain { version: format!("1.{demanded_minor}"), exact };
    }
    if let Some((path, version, line)) = old_tools(files) {
        let reason = format!("Go 1.{OLDEST_IMAGE}: golang.org/x/tools {version} does not compile with newer releases");
        notes.found(path, Some(line), reason);
        return Toolchain { version: format!("1.{OLDEST_IMAGE}"), exact: false };
    }
    let reason =
        format!("Go 1.{OLDEST_SUPPORTED}, the oldest release with security fixes; {what} asks for at least {demanded}");
    notes.found(&path, line, reason);
    Toolchain { version: format!("1.{OLDEST_SUPPORTED}"), exact: false }
}

/// Minor version and patch, for comparing.
fn numbers(version: &str) -> (u32, u32) {
    let patch = version.split('.').nth(2).and_then(|patch| patch.parse().ok()).unwrap_or(0);
    (minor(version).unwrap_or(0), patch)
}

/// Files that version managers read, in the root and in the folder of the module.
fn version_files(tree: &dyn Tree, dir: &str) -> Vec<(String, String, u32)> {
    let mut found = Vec::new();
    let names = [".go-version", ".tool-versions", "mise.toml", ".mise.toml"];
    let nested = names.iter().filter(|_| !dir.is_empty()).map(|name| format!("{dir}/{name}"));
    for path in names.iter().map(|name| (*name).to_owned()).chain(nested) {
        for (index, raw) in tree.scan(&path).lines().enumerate() {
            let line = raw.split('#').next().unwrap_or_default().trim();
            let version = match path.rsplit('/').next() {
                Some(".go-version") => Some(line),
                Some(".tool-versions") => line.strip_prefix("golang ").or_else(|| line.strip_prefix("go ")),
                _ => line.split_once('=').filter(|(key, _)| key.trim() == "go").map(|(_, value)| value),
            };
            if let Some(version) = version {
                let version = version.trim().trim_matches(['"', '\'']).trim_start_matches("go");
                found.push((path.clone(), version.to_owned(), index as u32 + 1));
            }
        }
    }
    found
}

/// golang.org/x/tools before the release that Go 1.25 and later can compile; 0.24.1 and 0.25.1 were mended, too.
fn old_tools(files: &[(String, ModFile)]) -> Option<(String, String, u32)> {
    files.iter().find_map(|(path, file)| {
        let tools = file.requires.iter().find(|require| require.path == "golang.org/x/tools")?;
        let mut parts = tools.version.trim_start_matches("v0.").split(['.', '-']);
        let mut part = || parts.next().and_then(|part| part.parse::<u32>().ok()).unwrap_or(0);
        let (minor, patch) = (part(), part());
        let broken = minor < 24 || matches!((minor, patch), (24 | 25, 0));
        broken.then(|| (path.clone(), tools.version.clone(), tools.line))
    })
}
