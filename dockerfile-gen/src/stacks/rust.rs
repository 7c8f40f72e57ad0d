//! Cargo packages and workspaces.
//!
//! Input: what `cargo metadata` says, Cargo.lock, the toolchain file, `.cargo/config.toml`, the sources. Output:
//! [`RustProject`]. The one idea: cargo itself reads the manifests, so that a binary is called what cargo calls it.

mod choose;
mod declare;
mod features;
pub(crate) mod image;
mod libc;
mod lock;
mod members;
mod metadata;
mod native;
mod opened;
mod settings;
mod sources;
mod toolchain;

pub(crate) use declare::Declaration;
pub(crate) use members::Binary;
pub(crate) use toolchain::Toolchain;

use members::Member;

use std::collections::BTreeSet;

use cargo_metadata::Metadata;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::facts::{Claim, Credential, Notes, Served, Strength};
use crate::tree::{RelPath, Tree};

/// The facts about a Rust project.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub(crate) struct RustProject {
    /// The name of the image: the binary's.
    pub name: String,
    /// The binary that the image runs.
    pub binary: Binary,
    /// The other binaries of the workspace, each with a target of its own.
    pub others: Vec<Binary>,
    /// Whether there is a Cargo.lock.
    pub locked: bool,
    /// What the binary depends on; `None` where the dependencies cannot have a layer of their own.
    pub dependencies: Option<Declaration>,
    /// Whether the profile says how many codegen units a crate is split into.
    pub sets_codegen_units: bool,
    /// The toolchain.
    pub toolchain: Toolchain,
    /// Debian packages that the build needs.
    pub build_packages: BTreeSet<String>,
    /// Debian packages that the binary needs to run.
    pub run_packages: BTreeSet<String>,
    /// Environment of the build.
    pub build_env: Vec<(String, String)>,
    /// The triple that `build.target` of `.cargo/config.toml` names.
    pub target: Option<String>,
    /// The target folder, relative to the workspace, that `.cargo/config.toml` names.
    pub target_dir: Option<String>,
    /// Folders of the project that sources of dependencies are vendored in.
    pub vendored: Vec<RelPath>,
    /// Folders and files that the binary reads when it runs, relative to the workspace.
    pub runtime_files: Vec<Served>,
    /// The port that it listens on.
    pub port: Option<u16>,
    /// Environment that makes it listen on every address.
    pub run_env: Vec<(String, String)>,
    /// Default arguments of the binary.
    pub arguments: Vec<String>,
    /// What fetching needs.
    pub credentials: Vec<Credential>,
    /// Whether there is a `[[bench]]`, `[[test]]` or `[[example]]` that cargo wants to see: such folders stay.
    pub explicit_targets: BTreeSet<String>,
}

/// Whether the image may be for Rust.
///
/// # Errors
/// As [`crate::generate`].
pub(crate) fn claim(tree: &dyn Tree) -> Result<Option<Claim>> {
    let Some(text) = tree.text("Cargo.toml")? else { return Ok(None) };
    let runs = text.contains("[[bin]]")
        || text.contains("[workspace]")
        || text.contains("[workspace.")
        || tree.has("src/main.rs")
        || tree.has_dir("src/bin");
    let extension = tree.has("pyproject.toml") && (text.contains("cdylib") && !tree.has("src/main.rs"));
    Ok(Some(match (runs, extension) {
        (_, true) => Claim::new(Strength::Tools, "Cargo.toml", None, "an extension module of a Python package"),
        (true, false) => Claim::new(Strength::Service, "Cargo.toml", None, "a package or workspace with binaries"),
        (false, false) => Claim::new(Strength::Possible, "Cargo.toml", None, "a package"),
    }))
}

/// Reads the facts.
///
/// # Errors
/// As [`crate::generate`].
pub(crate) fn detect(tree: &dyn Tree, config: &Config, notes: &mut Notes) -> Result<RustProject> {
    // cargo takes most of the time, so the files are read meanwhile.
    let (metadata, lock) = std::thread::scope(|scope| {
        let lock = scope.spawn(|| {
            sources::warm(tree);
            lock::read(tree)
        });
        (metadata::read(tree), lock.join())
    });
    let metadata = metadata?;
    let lock = lock.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    let members = members(&metadata, notes)?;
    if members.iter().flat_map(|member| &member.package.dependencies).any(|dep| dep.name == "dockerfile-macros") {
        // The macros are expanded again inside the image.
        ["dockerfile.toml"].into_iter().chain(config.templates.as_deref()).for_each(|path| notes.need(path));
    }
    let binaries = choose::binaries(&members, config);
    let (mut binary, others) = choose::choose(tree, &metadata, &members, binaries, config, notes)?;
    features::choose(tree, &members, &mut binary, config, notes);
    let toolchain = toolchain::detect(tree, &metadata, &binary, notes)?;
    let mut build_packages = BTreeSet::new();
    let mut run_packages = BTreeSet::new();
    let mut build_env = Vec::new();
    let mut settings = settings::read(tree, notes, &mut build_packages)?;
    let locked = lock.is_some();
    let mut dependencies = None;
    if let Some(lock) = &lock {
        let registries = &settings.registries;
        let crates = lock::reachable(lock, &metadata, &binary, config);
        let known =
            declare::Known { tree, metadata: &metadata, lock, crates: &crates, binary: &binary, config, registries };
        match declare::declare(&known)? {
            Ok(declaration) => {
                declaration.folders.iter().for_each(|folder| notes.need(folder.as_str()));
                dependencies = Some(declaration);
            }
            Err(reason) => notes.warn(format!("dependencies get no layer of their own: {reason}")),
        }
        settings.credentials.extend(crates.ssh.then_some(Credential::Ssh));
        native::packages(&crates, notes, &mut build_packages, &mut run_packages, &mut build_env);
    } else {
        notes.warn("there is no Cargo.lock: each build takes the newest dependencies; run `cargo generate-lockfile` and commit it");
    }
    let scan = sources::scan(tree, &metadata, &members, &binary, notes);
    if scan.runs_git {
        build_packages.insert("git".into());
    }
    libc::check(config, settings.target.as_deref(), notes)?;
    let mut build_env_all = settings.env;
    build_env_all.append(&mut build_env);
    if tree.has_dir(".sqlx") {
        notes.found(".sqlx", None, "sqlx queries are checked offline");
        notes.need(".sqlx");
        build_env_all.push(("SQLX_OFFLINE".into(), "true".into()));
    }
    labels(&members, &binary, notes);
    Ok(RustProject {
        name: binary.name.clone(),
        locked,
        dependencies,
        sets_codegen_units: declare::sets_codegen_units(tree, config)?,
        toolchain,
        build_packages,
        run_packages,
        build_env: build_env_all,
        target: settings.target,
        target_dir: settings.target_dir,
        vendored: settings.vendored,
        runtime_files: scan.runtime_files,
        port: scan.port,
        run_env: scan.run_env,
        arguments: if scan.serves_path { vec![".".into()] } else { Vec::new() },
        credentials: settings.credentials,
        explicit_targets: explicit_targets(tree, &members),
        binary,
        others,
    })
}

/// This tool's own crates, which a project may use as a library: whoever tries them out names a checkout.
const OWN: [&str; 2] = ["dockerfile-gen", "dockerfile-macros"];

/// The members, with their folders relative to the workspace.
fn members<'m>(metadata: &'m Metadata, notes: &mut Notes) -> Result<Vec<Member<'m>>> {
    let root = metadata.workspace_root.as_std_path();
    let mut members = Vec::new();
    for package in metadata.workspace_packages() {
        let dir = package.manifest_path.as_std_path().parent().unwrap_or(root);
        let dir = dir.strip_prefix(root).ok().and_then(|dir| RelPath::new(&dir.to_string_lossy().replace('\\', "/")));
        let dir = dir.ok_or_else(|| Error::Unsupported {
            reason: format!("the workspace member `{}` lies outside the workspace's folder", package.name),
            hint: "run in the folder that holds both, or move the member".into(),
        })?;
        for dependency in &package.dependencies {
            let is_own = OWN.contains(&dependency.name.as_str());
            if let Some(path) = &dependency.path
                && !path.as_std_path().starts_with(root)
            {
                if is_own {
                    notes.warn(format!(
                        "`{}` takes `{}` from a folder outside the workspace: the image builds once it comes from a registry",
                        package.name, dependency.name
                    ));
                    continue;
                }
                return Err(Error::Unsupported {
                    reason: format!(
                        "`{}` depends on `{}` by a path that leaves the workspace: it would not be in the build context",
                        package.name, dependency.name
                    ),
                    hint: "make the folder that holds both the workspace, or publish the dependency".into(),
                });
            }
        }
        members.push(Member { package, dir });
    }
    members.sort_by(|a, b| a.dir.cmp(&b.dir));
    Ok(members)
}

/// Kinds of targets that a manifest lists by hand: cargo refuses the manifest if their files are missing.
fn explicit_targets(tree: &dyn Tree, members: &[Member<'_>]) -> BTreeSet<String> {
    let mut kinds = BTreeSet::new();
    for member in members {
        let path = member.dir.join("Cargo.toml").unwrap_or_default();
        let text = tree.scan(path.as_str());
        for kind in ["test", "bench", "example"] {
            if text.contains(&format!("[[{kind}]]")) {
                kinds.insert(kind.to_owned());
            }
        }
    }
    kinds
}

/// What the manifest says of the package, as OCI labels.
fn labels(members: &[Member<'_>], binary: &Binary, notes: &mut Notes) {
    let Some(member) = members.iter().find(|member| member.package.name.as_str() == binary.package) else { return };
    let package = member.package;
    let mut add = |key: &str, value: Option<&String>| {
        notes.label(key, value.map(String::as_str).unwrap_or_default());
    };
    add("title", Some(&binary.name));
    add("description", package.description.as_ref());
    add("licenses", package.license.as_ref());
    add("source", package.repository.as_ref());
}
