//! Asks cargo what the manifests say.
//!
//! Input: a tree on disk. Output: [`Metadata`]. The one idea: `--no-deps --offline` reads manifests only, so that it
//! needs neither the network nor a lockfile.

use std::collections::BTreeSet;
use std::path::Path;

use cargo_metadata::{CargoOpt, Metadata, MetadataCommand};

use crate::error::{Error, Result};
use crate::tree::Tree;

/// Runs `cargo metadata --no-deps --offline`.
///
/// cargo runs outside the project first, where no toolchain file makes rustup fetch a toolchain; a manifest that only
/// the project's own toolchain understands is tried again inside.
pub(super) fn read(tree: &dyn Tree) -> Result<Metadata> {
    let Some(root) = tree.disk_root() else {
        return Err(Error::Cargo { reason: "the project is not on disk".into() });
    };
    tree.text("Cargo.toml")?.ok_or_else(|| Error::manifest("Cargo.toml", None, "is missing"))?;
    // Cargo reads the manifests of the members itself.
    for (path, meta) in tree.files().iter().filter(|(path, _)| path.file_name() == "Cargo.toml") {
        crate::tree::read::small_enough(path, meta.size)?;
    }
    let outside = std::env::temp_dir();
    let mut metadata = run(root, &outside).or_else(|first| run(root, root).map_err(|_| first))?;
    if metadata.workspace_root.as_std_path() != root {
        let member = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
        return Err(Error::Unsupported {
            reason: format!("`{member}` is a member of the workspace in `{}`", metadata.workspace_root),
            hint: format!("run in the workspace's folder, with `--package {member}`: the lockfile there is shared"),
        });
    }
    add_outside_members(&mut metadata, root, &outside);
    Ok(metadata)
}

/// Adds the packages that members depend on by path and that are no members themselves.
fn add_outside_members(metadata: &mut Metadata, root: &Path, from: &Path) {
    let mut asked = BTreeSet::new();
    loop {
        let known: BTreeSet<_> =
            metadata.packages.iter().filter_map(|package| package.manifest_path.parent()).collect();
        let paths = metadata.packages.iter().flat_map(|package| &package.dependencies);
        let paths = paths.filter_map(|dependency| dependency.path.as_deref());
        let missing = paths.filter(|path| path.starts_with(root.to_string_lossy().as_ref()) && !known.contains(path));
        let Some(next) = missing.map(ToOwned::to_owned).find(|path| !asked.contains(path)) else { return };
        if let Ok(more) = run(next.as_std_path(), from) {
            let new = more.packages.into_iter().filter(|package| package.manifest_path.parent() == Some(&next));
            let new: Vec<_> = new.collect();
            metadata.packages.extend(new);
        }
        asked.insert(next);
    }
}

fn run(root: &Path, from: &Path) -> Result<Metadata> {
    let mut command = MetadataCommand::new();
    command.manifest_path(root.join("Cargo.toml")).current_dir(from).no_deps();
    command.other_options(vec!["--offline".into()]).features(CargoOpt::AllFeatures);
    command.exec().map_err(|error| {
        let reason = match &error {
            cargo_metadata::Error::CargoMetadata { stderr } => stderr.trim().to_owned(),
            cargo_metadata::Error::Io(source) => format!("cargo could not be run: {source}"),
            other => other.to_string(),
        };
        let reason = reason.strip_prefix("error: ").unwrap_or(&reason).replace(&format!("{}/", root.display()), "");
        Error::Cargo { reason }
    })
}
