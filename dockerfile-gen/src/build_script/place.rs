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
use std::path::{Component, Path, PathBuf};

use super::mode::Mode;
use crate::error::{Error, Result};
use crate::patterns::glob::{Dialect, Glob};
use crate::plan::render::MARK;
use crate::process;
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
    /// Somebody else's workspace or folder: nobody there names the package as a part of it.
    Foreign,
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
            is_image_build: host.trim() == "buildkitsandbox" || has_builders_mounts(),
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
            (true, _) if !self.belongs_to(&root) => Place::Elsewhere(Elsewhere::Foreign),
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
        let mut cargo = process::cargo(&self.manifest_dir)?;
        cargo.args(["locate-project", "--workspace", "--message-format", "plain", "--manifest-path"]);
        let output = process::run(cargo.arg(self.manifest_dir.join("Cargo.toml"))).ok()?;
        let manifest = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
        manifest.parent().filter(|dir| output.status.success() && dir.is_absolute()).map(Path::to_owned)
    }

    /// Whether the package may write into `root`: its own folder, or one whose owner made the package a part of it.
    ///
    /// A dependency by path is a member of the workspace that it lies in, too, as a copy below `third_party` does. So
    /// only a package that `members` names counts as the owner's, and none with a repository of its own in between.
    fn belongs_to(&self, root: &Path) -> bool {
        let own = std::fs::canonicalize(&self.manifest_dir).unwrap_or_else(|_| self.manifest_dir.clone());
        if root.starts_with(&own) {
            return true;
        }
        let mut between = own.ancestors().take_while(|dir| !root.starts_with(dir));
        if between.any(has_version_control) {
            return false;
        }
        let workspace = self.workspace().map(|dir| std::fs::canonicalize(&dir).unwrap_or(dir));
        match workspace.filter(|workspace| *workspace != own && root.starts_with(workspace)) {
            Some(workspace) => names_member(&workspace, &own),
            // A folder that build.rs names: a service in another language around the package.
            None => own.starts_with(root) && (is_generated_in(root) || root.join("dockerfile.toml").exists()),
        }
    }
}

/// Whether `members` of the manifest in `workspace` names the folder of `package`.
fn names_member(workspace: &Path, package: &Path) -> bool {
    let text = Reader::open(workspace).and_then(|reader| reader.bytes("Cargo.toml")).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let manifest: toml::Table = toml::from_str(&text).unwrap_or_default();
    let members = manifest.get("workspace").and_then(|table| table.get("members")).and_then(toml::Value::as_array);
    let package = package.strip_prefix(workspace).ok().and_then(Path::to_str).map(|path| path.replace('\\', "/"));
    let Some(package) = package else { return false };
    members.into_iter().flatten().filter_map(toml::Value::as_str).any(|member| {
        let parts = Path::new(member).components().filter(|part| *part != Component::CurDir);
        let pattern = parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
        Glob::new(&pattern, Dialect::Cargo).is_ok_and(|glob| glob.matches(&package))
    })
}

/// Whether the files that every `RUN` of BuildKit gets from it are mounted. The builder may have been told another name
/// for the host, which is the more usual sign.
fn has_builders_mounts() -> bool {
    is_builders(&named(Path::new("/proc/self/mountinfo"), None).unwrap_or_default())
}

/// BuildKit's executor keeps both files in a folder of its own:
/// <https://github.com/moby/buildkit/blob/master/executor/oci/resolvconf.go>.
fn is_builders(mounts: &str) -> bool {
    mounts.lines().any(|mount| {
        let mut fields = mount.split(' ').skip(3);
        let (from, to) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        matches!(to, "/etc/resolv.conf" | "/etc/hosts")
            && (from.contains("/executor/resolv.conf") || from.contains("/executor/hosts"))
    })
}

/// Whether somebody keeps this folder: it lies under version control, or a generated file lies there. A build context
/// has neither, because the generated .dockerignore leaves out all of them.
fn is_kept(root: &Path) -> bool {
    root.ancestors().any(has_version_control) || is_generated_in(root)
}

fn has_version_control(dir: &Path) -> bool {
    [".git", ".jj", ".hg", ".svn", ".pijul"].iter().any(|sign| dir.join(sign).exists())
}

fn is_generated_in(root: &Path) -> bool {
    ["Dockerfile", ".dockerignore"].iter().any(|name| is_generated(root, name))
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
    fn a_member_that_nobody_names_writes_nothing_above_itself() {
        for (members, is_own) in [
            (r#"["third_party/app"]"#, true),
            (r#"["./third_party/*/"]"#, true),
            (r#"["crates/*", "third_party/app/*"]"#, false),
            ("[]", false),
        ] {
            let (root, mut here) = surroundings("member");
            fs::create_dir(root.join(".git")).unwrap();
            let text = fs::read_to_string(root.join("Cargo.toml")).unwrap();
            let text = format!("{text}[dependencies]\napp = {{ path = \"third_party/app\" }}\n");
            fs::write(root.join("Cargo.toml"), format!("{text}[workspace]\nmembers = {members}\n")).unwrap();
            fs::write(root.join("a.rs"), "").unwrap();
            here.manifest_dir = root.join("third_party/app");
            fs::create_dir_all(&here.manifest_dir).unwrap();
            let package = text.split("[dependencies]").next().unwrap().replace("\"a\"", "\"app\"");
            fs::write(here.manifest_dir.join("Cargo.toml"), &package).unwrap();
            for other in ["crates/b", "third_party/app/c"] {
                let name = other.rsplit('/').next().unwrap();
                fs::create_dir_all(root.join(other)).unwrap();
                fs::write(root.join(other).join("Cargo.toml"), package.replace("app", name)).unwrap();
            }
            let expected = if is_own { Place::Checkout(root.clone()) } else { Place::Elsewhere(Elsewhere::Foreign) };
            assert_eq!(here.place(None), expected, "{members}");
            assert_eq!(here.place(Some(Path::new("../.."))), expected, "{members}");
            assert_eq!(here.place(Some(Path::new("."))), Place::Checkout(here.manifest_dir.clone()));
            // A submodule is a repository of its own.
            fs::write(here.manifest_dir.join(".git"), "gitdir: ../../.git/modules/app\n").unwrap();
            assert_eq!(here.place(None), Place::Elsewhere(Elsewhere::Foreign), "{members}");
            fs::remove_dir_all(root).unwrap();
        }
    }

    #[test]
    fn a_folder_around_the_package_has_to_be_prepared_for_it() {
        let (root, mut here) = surroundings("around");
        fs::create_dir(root.join(".git")).unwrap();
        let package = root.join("rust");
        fs::create_dir(&package).unwrap();
        fs::rename(root.join("Cargo.toml"), package.join("Cargo.toml")).unwrap();
        here.manifest_dir = package;
        assert_eq!(here.place(Some(Path::new(".."))), Place::Elsewhere(Elsewhere::Foreign));
        fs::write(root.join("dockerfile.toml"), "").unwrap();
        assert_eq!(here.place(Some(Path::new(".."))), Place::Checkout(root.clone()));
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_builder_is_known_by_what_it_mounts() {
        let build = "177 169 254:0 /var/lib/docker/buildkit/executor/resolv.conf /etc/resolv.conf ro,nosuid - ext4 /dev/vda rw\n";
        let run = "165 147 254:0 /var/lib/docker/containers/31d4/resolv.conf /etc/resolv.conf rw - ext4 /dev/vda rw\n";
        assert!(is_builders(build) && is_builders(&format!("{run}{build}")));
        assert!(!is_builders(run) && !is_builders(""));
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
