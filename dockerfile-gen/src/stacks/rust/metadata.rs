//! Asks cargo what the manifests say.
//!
//! Input: a tree on disk. Output: [`Metadata`]. The one idea: `--no-deps --offline` reads manifests only, so that it
//! needs neither the network nor a lockfile, and runs nothing that the project names.

use std::collections::BTreeSet;
use std::path::Path;

use cargo_metadata::{Metadata, MetadataCommand};

use super::opened;
use crate::error::{Error, Result};
use crate::process;
use crate::tree::Tree;

/// Runs `cargo metadata --no-deps --offline`.
///
/// cargo runs outside of the project, with the toolchain of the user: the project's own toolchain file may name any
/// program as cargo, so a manifest that only this toolchain understands is an error.
pub(super) fn read(tree: &dyn Tree) -> Result<Metadata> {
    let Some(root) = tree.disk_root() else {
        return Err(Error::Cargo { reason: "the project is not on disk".into() });
    };
    tree.text("Cargo.toml")?.ok_or_else(|| Error::manifest("Cargo.toml", None, "is missing"))?;
    // Cargo reads the manifests of the members itself.
    for (path, meta) in tree.files().iter().filter(|(path, _)| path.file_name() == "Cargo.toml") {
        crate::tree::read::small_enough(path, meta.size)?;
    }
    opened::look(root)?;
    let cargo = Cargo { root, registries: registries(tree)? };
    let mut metadata = cargo.metadata(root)?;
    if metadata.workspace_root.as_std_path() != root {
        let member = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
        return Err(Error::Unsupported {
            reason: format!("`{member}` is a member of the workspace in `{}`", metadata.workspace_root),
            hint: format!("run in the workspace's folder, with `--package {member}`: the lockfile there is shared"),
        });
    }
    add_outside_members(tree, &mut metadata, &cargo);
    Ok(metadata)
}

/// Adds the packages that members depend on by path and that are no members themselves.
fn add_outside_members(tree: &dyn Tree, metadata: &mut Metadata, cargo: &Cargo<'_>) {
    let root = cargo.root;
    let mut asked = BTreeSet::new();
    loop {
        let known: BTreeSet<_> =
            metadata.packages.iter().filter_map(|package| package.manifest_path.parent()).collect();
        let paths = metadata.packages.iter().flat_map(|package| &package.dependencies);
        let paths = paths.filter_map(|dependency| dependency.path.as_deref());
        let missing = paths.filter(|path| path.starts_with(root.to_string_lossy().as_ref()) && !known.contains(path));
        let Some(next) = missing.map(ToOwned::to_owned).find(|path| !asked.contains(path)) else { return };
        // Cargo would wait for what is no file, such as a named pipe.
        let manifest = next.join("Cargo.toml");
        let is_file = manifest.strip_prefix(root.to_string_lossy().as_ref()).is_ok_and(|path| tree.has(path.as_str()));
        if is_file && let Ok(more) = cargo.metadata(next.as_std_path()) {
            let new = more.packages.into_iter().filter(|package| package.manifest_path.parent() == Some(&next));
            let new: Vec<_> = new.collect();
            metadata.packages.extend(new);
        }
        asked.insert(next);
    }
}

/// Where the registries lie that the project's settings name, as variables. cargo wants to know the address of each that
/// a manifest names; it starts outside, where it does not see these settings, and no other of them gets to it.
fn registries(tree: &dyn Tree) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for path in [".cargo/config.toml", ".cargo/config"] {
        let Some(text) = tree.text(path)? else { continue };
        // What is wrong with the file is said where all of it is read.
        let settings: toml::Table = text.parse().unwrap_or_default();
        for (name, registry) in settings.get("registries").and_then(toml::Value::as_table).into_iter().flatten() {
            let index = registry.get("index").and_then(toml::Value::as_str).filter(|index| !index.contains('\0'));
            let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
            if let Some(index) = index.filter(|_| is_name) {
                let name = name.to_ascii_uppercase().replace('-', "_");
                found.push((format!("CARGO_REGISTRIES_{name}_INDEX"), index.to_owned()));
            }
        }
        break;
    }
    Ok(found)
}

/// How cargo is asked about the manifests of one project.
struct Cargo<'a> {
    root: &'a Path,
    registries: Vec<(String, String)>,
}

impl Cargo<'_> {
    /// What the manifest in `dir` says, which lies in the project.
    fn metadata(&self, dir: &Path) -> Result<Metadata> {
        let failed = |reason: String| Error::Cargo { reason };
        let mut cargo = process::cargo(self.root)
            .ok_or_else(|| failed("there is no `cargo` in PATH outside of the project".into()))?;
        cargo.args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
            "--all-features",
            "--manifest-path",
        ]);
        cargo.envs(self.registries.iter().map(|(name, index)| (name, index)));
        let output = process::run(cargo.arg(dir.join("Cargo.toml")))
            .map_err(|source| failed(format!("cargo could not be run: {source}")))?;
        if !output.status.success() {
            let said = without_strange_lines(&String::from_utf8_lossy(&output.stderr), self.root);
            let reason = said.trim();
            let reason = reason.strip_prefix("error: ").unwrap_or(reason);
            // cargo writes a path below the folder that it starts in, which is `/`, without it.
            let folder = format!("{}/", self.root.display());
            let reason = reason.replace(&folder, "");
            let relative = folder.trim_start_matches('/');
            return Err(failed(if relative.is_empty() { reason } else { reason.replace(relative, "") }));
        }
        let text = String::from_utf8(output.stdout).map_err(|_| failed("a path is not UTF-8".into()))?;
        MetadataCommand::parse(text.trim()).map_err(|error| failed(error.to_string()))
    }
}

/// What cargo says, without the lines that it quotes from manifests outside of `root`: it looks for a workspace in the
/// folders above, and there may lie a link to anything.
fn without_strange_lines(said: &str, root: &Path) -> String {
    let root = root.to_string_lossy();
    let root = root.trim_matches('/');
    let mut is_ours = true;
    let mut kept = Vec::new();
    for line in said.lines() {
        let text = line.trim_start();
        if let Some(path) = text.strip_prefix("--> ") {
            is_ours = path.trim_start_matches('/').strip_prefix(root).is_some_and(|rest| rest.starts_with('/'));
        }
        let is_quoted = text.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start().starts_with('|');
        if is_ours || !is_quoted {
            kept.push(line);
        }
    }
    kept.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_manifests_outside_are_not_quoted() {
        let said = "error: key with no value\n --> tmp/r/Cargo.toml:3:18\n  |\n3 | SECRET\n  | ^\nerror: failed";
        let shown = without_strange_lines(said, Path::new("/tmp/r/p"));
        assert_eq!(shown, "error: key with no value\n --> tmp/r/Cargo.toml:3:18\nerror: failed");
        assert_eq!(without_strange_lines(said, Path::new("/tmp/r")), said);
    }
}
