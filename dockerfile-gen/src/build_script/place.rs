//! Where a build script or a macro runs.
//!
//! Input: the environment and the folders around the package. Output: [`Place`]. The one idea: what a developer keeps
//! has a sign of it (version control, or the generated files themselves), and what cargo or a builder copied has not,
//! or has a sign of its own.
//!
//! Signs of cargo's: `Cargo.toml.orig` lies in every package that `cargo package` made, so in a registry's, in a
//! vendored one, on docs.rs, and in `target/package` while `cargo publish` verifies; `.cargo-ok` lies in what cargo
//! unpacked or checked out into its own folder.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Mode;
use crate::error::{Error, Result};
use crate::plan::render::MARK;
use crate::tree::named;
use crate::tree::read::Reader;

/// The variable that decides over the mode.
pub(super) const SWITCH: &str = "DOCKERFILE_GEN";
/// What docs.rs sets.
pub(super) const DOCS_RS: &str = "DOCS_RS";

/// What kind of folder a package lies in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// A developer's checkout, with the folder of its workspace.
    Checkout(PathBuf),
    /// A copy that is nobody's to change, or to complain about.
    Elsewhere(Elsewhere),
}

/// Why a folder is no developer's checkout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Elsewhere {
    /// docs.rs builds documentation.
    DocsRs,
    /// A package: from a registry, vendored, or unpacked to be verified.
    Package,
    /// Cargo's own checkout of a git dependency.
    GitDependency,
    /// A build of a container image.
    ImageBuild,
    /// A folder that neither version control nor an earlier run knows.
    Unkept,
}

impl Place {
    /// Finds out for the package in `manifest_dir`, which is `CARGO_MANIFEST_DIR` for build scripts and macros;
    /// `folder`, seen from there, is the project's where that is not the workspace's.
    pub fn of(manifest_dir: impl AsRef<Path>, folder: Option<&Path>) -> Self {
        Surroundings::new(manifest_dir.as_ref()).place(folder)
    }

    /// The folder of the workspace that the package in `manifest_dir` belongs to: the project of all doors.
    pub fn workspace(manifest_dir: impl AsRef<Path>) -> PathBuf {
        Surroundings::new(manifest_dir.as_ref()).root(None)
    }
}

/// What the process can see of where it runs.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    pub(super) manifest_dir: PathBuf,
    pub(super) out_dir: PathBuf,
    pub(super) is_editor: bool,
    switch: Option<OsString>,
    is_docs_rs: bool,
    is_container: bool,
    is_image_build: bool,
    cargo: OsString,
}

impl Surroundings {
    /// Of a build script.
    pub(super) fn of_process() -> Result<Self> {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let (Some(manifest_dir), Some(out_dir)) = (variable("CARGO_MANIFEST_DIR"), variable("OUT_DIR")) else {
            return Err(Error::Unsupported {
                reason: "`CARGO_MANIFEST_DIR` and `OUT_DIR` are not set: this is no build script that cargo runs"
                    .into(),
                hint: "call it from build.rs; elsewhere, call `dockerfile_gen::generate`".into(),
            });
        };
        Ok(Self { out_dir, ..Self::new(&manifest_dir) })
    }

    fn new(manifest_dir: &Path) -> Self {
        let is_there = |path: &str| Path::new(path).exists();
        let host = named(Path::new("/proc/sys/kernel/hostname"), None).unwrap_or_default();
        Self {
            manifest_dir: manifest_dir.to_owned(),
            out_dir: PathBuf::new(),
            // rust-analyzer is its own rustc wrapper when it runs build scripts.
            is_editor: std::env::var_os("RA_RUSTC_WRAPPER").is_some(),
            switch: std::env::var_os(SWITCH),
            is_docs_rs: std::env::var_os(DOCS_RS).is_some(),
            is_container: ["/.dockerenv", "/run/.containerenv", "/kaniko"].into_iter().any(is_there),
            // The host name of every `RUN` of BuildKit, unless the builder sets another.
            is_image_build: host.trim() == "buildkitsandbox",
            cargo: std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
        }
    }

    /// The mode that the variable asks for, `mode` if it is silent, or `None` if it says off.
    pub(super) fn switch(&self, mode: Mode) -> Result<Option<Mode>, String> {
        let value = self.switch.as_deref().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        match value.as_str() {
            "" | "on" | "1" | "true" => Ok(Some(mode)),
            "off" | "0" | "false" => Ok(None),
            "write" => Ok(Some(Mode::Write)),
            "check" => Ok(Some(Mode::Check)),
            "warn" => Ok(Some(Mode::Warn)),
            other => Err(format!("`{SWITCH}={other}` means nothing: expected off, write, check or warn")),
        }
    }

    /// Decides; `folder` is seen from the package's folder and stands for the workspace's.
    pub(super) fn place(&self, folder: Option<&Path>) -> Place {
        if self.is_docs_rs {
            return Place::Elsewhere(Elsewhere::DocsRs);
        }
        if ["Cargo.toml.orig", ".cargo-checksum.json"].iter().any(|sign| self.manifest_dir.join(sign).exists()) {
            return Place::Elsewhere(Elsewhere::Package);
        }
        if self.manifest_dir.ancestors().any(|dir| dir.join(".cargo-ok").exists()) {
            return Place::Elsewhere(Elsewhere::GitDependency);
        }
        if self.is_image_build {
            return Place::Elsewhere(Elsewhere::ImageBuild);
        }
        let root = self.root(folder);
        match (is_kept(&root), self.is_container) {
            (true, _) => Place::Checkout(root),
            (false, true) => Place::Elsewhere(Elsewhere::ImageBuild),
            (false, false) => Place::Elsewhere(Elsewhere::Unkept),
        }
    }

    fn root(&self, folder: Option<&Path>) -> PathBuf {
        let root = match folder {
            Some(folder) => self.manifest_dir.join(folder),
            None => self.workspace().unwrap_or_else(|| self.manifest_dir.clone()),
        };
        std::fs::canonicalize(&root).unwrap_or(root)
    }

    /// The folder of the workspace, as cargo itself says; this neither locks nor resolves anything.
    fn workspace(&self) -> Option<PathBuf> {
        let mut command = Command::new(&self.cargo);
        command.args(["locate-project", "--workspace", "--message-format", "plain", "--manifest-path"]);
        let output = command.arg(self.manifest_dir.join("Cargo.toml")).output().ok()?;
        let manifest = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
        manifest.parent().filter(|dir| output.status.success() && dir.is_absolute()).map(Path::to_owned)
    }
}

/// Whether somebody keeps this folder: it lies under version control, or a generated file lies there. A build context
/// has neither, because the generated .dockerignore leaves out all of them.
fn is_kept(root: &Path) -> bool {
    let signs = [".git", ".jj", ".hg", ".svn", ".pijul"];
    root.ancestors().any(|dir| signs.iter().any(|sign| dir.join(sign).exists()))
        || ["Dockerfile", ".dockerignore"].iter().any(|name| is_generated(root, name))
}

fn is_generated(root: &Path, name: &str) -> bool {
    let bytes = Reader::open(root).and_then(|reader| reader.bytes(name));
    bytes.is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(MARK))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn surroundings(name: &str) -> (PathBuf, Surroundings) {
        let root = std::env::temp_dir().join(format!("dockerfile-gen-place-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        let root = root.canonicalize().unwrap();
        fs::write(root.join("Cargo.toml"), "[package]\nname = \"a\"\nversion = \"0.0.0\"\n[lib]\npath = \"a.rs\"\n")
            .unwrap();
        let mut surroundings = Surroundings::new(&root);
        surroundings.is_docs_rs = false;
        surroundings.is_container = false;
        surroundings.is_image_build = false;
        (root, surroundings)
    }

    #[test]
    fn only_what_somebody_keeps_is_a_checkout() {
        let (root, mut here) = surroundings("kept");
        assert_eq!(here.place(None), Place::Elsewhere(Elsewhere::Unkept));
        here.is_container = true;
        assert_eq!(here.place(None), Place::Elsewhere(Elsewhere::ImageBuild));
        fs::write(root.join("Dockerfile"), "FROM scratch\n").unwrap();
        assert_eq!(here.place(None), Place::Elsewhere(Elsewhere::ImageBuild), "a Dockerfile by hand is no sign");
        fs::create_dir(root.join(".git")).unwrap();
        assert_eq!(here.place(None), Place::Checkout(root.clone()), "such as a development container");
        here.is_image_build = true;
        assert_eq!(here.place(None), Place::Elsewhere(Elsewhere::ImageBuild));
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn an_earlier_run_is_a_sign() {
        let (root, here) = surroundings("earlier");
        fs::write(root.join(".dockerignore"), format!("# {MARK}\n")).unwrap();
        assert_eq!(here.place(None), Place::Checkout(root.clone()));
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn cargos_own_copies_are_left_alone() {
        for (sign, why) in [
            ("Cargo.toml.orig", Elsewhere::Package),
            (".cargo-checksum.json", Elsewhere::Package),
            (".cargo-ok", Elsewhere::GitDependency),
        ] {
            let (root, here) = surroundings("copies");
            fs::create_dir(root.join(".git")).unwrap();
            fs::write(root.join(sign), "").unwrap();
            assert_eq!(here.place(None), Place::Elsewhere(why));
            fs::remove_dir_all(root).unwrap();
        }
    }

    #[test]
    fn the_variable_decides_over_the_mode() {
        let (root, mut here) = surroundings("switch");
        let mut mode = |value: &str| {
            here.switch = Some(value.into());
            here.switch(Mode::Write)
        };
        assert_eq!(mode("off"), Ok(None));
        assert_eq!(mode("Check"), Ok(Some(Mode::Check)));
        assert_eq!(mode(""), Ok(Some(Mode::Write)));
        assert!(mode("offf").unwrap_err().contains("off, write, check or warn"));
        fs::remove_dir_all(root).unwrap();
    }
}
