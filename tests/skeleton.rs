//! The program that reduces a cargo workspace to what decides its dependencies, run on real folders.
//!
//! It is taken out of a generated Dockerfile and run by the machine's own perl; without one the tests say so.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/need.rs"]
mod need;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dockerfile_gen::{ConfigLayer, generate};
use need::need;

const FILES: [(&str, &str); 18] = [
    (
        "Cargo.toml",
        r#"[workspace]
members = ["server", "libs/*"]
resolver = "2"
[workspace.package]
version = "1.2.3"
edition = "2021"
rust-version = "1.80"
[workspace.dependencies]
core = { path = "libs/core", version = "1.2.3", default-features = false }
renamed = { package = "real-name", path = "libs/renamed" }
tool = { path = "libs/tool" }
[profile.release]
lto = true
[profile.dev]
opt-level = 1
"#,
    ),
    (
        "server/Cargo.toml",
        r#"[package]
name = "server"
version.workspace = true
edition = { workspace = true }
description = "Serves # not a comment"
default-run = "serve"
[[bin]]
name = "serve"
path = "src/bin/serve.rs"
[features]
default = ["core/fast"]
extra = ["dep:derive"]
[dependencies]
core = { workspace = true, features = [
    "fast", # a comment
] }
renamed.workspace = true
[dependencies.derive]
path = "../libs/derive"
version = "1.2"
optional = true
[target.'cfg(target_os = "linux")'.dependencies]
sys = { path = '../libs/sys', version = "=1.2.3" }
[build-dependencies]
dotted.path = "../libs/dotted"
dotted.version = "1.2.3"
[dev-dependencies]
tester = { path = "../libs/tester" }
"#,
    ),
    ("server/src/bin/serve.rs", "fn main() {}\n"),
    ("server/build.rs", "fn main() {}\n"),
    (
        "libs/core/Cargo.toml",
        "[package]\nname = \"core\"\nversion.workspace = true\nedition.workspace = true\n[features]\nfast = []\n\
         [lib]\npath = \"lib/core.rs\"\n",
    ),
    ("libs/core/lib/core.rs", "pub fn core() {}\n"),
    ("libs/renamed/Cargo.toml", "[package]\nname = \"real-name\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
    ("libs/renamed/src/lib.rs", ""),
    (
        "libs/derive/Cargo.toml",
        "[lib]\nproc-macro = true\n[package]\nname = \"derive\"\nversion = \"1.2.3\"\nedition = \"2021\"\n",
    ),
    ("libs/derive/src/lib.rs", ""),
    (
        "libs/sys/Cargo.toml",
        "[package]\nname = \"sys\"\nversion = \"1.2.3\"\nlinks = \"sys\"\nbuild = \"make.rs\"\nedition = \"2021\"\n",
    ),
    ("libs/sys/src/lib.rs", ""),
    ("libs/sys/make.rs", "fn main() {}\n"),
    ("libs/dotted/Cargo.toml", "[package]\nname = 'dotted'\nversion = \"1.2.3\"\nedition = \"2021\"\n"),
    ("libs/dotted/src/lib.rs", ""),
    ("libs/tester/Cargo.toml", "[package]\nname = \"tester\"\nversion = \"1.2.3\"\nedition = \"2021\"\n"),
    ("libs/tester/src/lib.rs", ""),
    ("libs/tool/Cargo.toml", "[package]\nname = \"tool\"\nversion = \"1.2.3\"\nedition = \"2021\"\n"),
];

struct Project {
    root: PathBuf,
}

/// The files of a skeleton: path and text.
type Skeleton = BTreeMap<String, String>;

impl Project {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("workspace-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        let project = Self { root };
        for (path, text) in FILES {
            project.put(path, text);
        }
        project.put("libs/tool/src/main.rs", "fn main() {}\n");
        project.cargo("project", &["generate-lockfile", "--offline"]);
        project
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.root.join("project").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn edit(&self, path: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.root.join("project").join(path)).unwrap();
        assert!(text.contains(from), "{path} does not hold {from:?}");
        self.put(path, &text.replace(from, to));
    }

    fn cargo(&self, dir: &str, args: &[&str]) {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(args).current_dir(self.root.join(dir)).env("CARGO_TARGET_DIR", self.root.join("target"));
        let out = cargo.env_remove("RUSTFLAGS").output().unwrap();
        assert!(out.status.success(), "cargo {args:?}\n{}", String::from_utf8_lossy(&out.stderr));
    }

    /// Runs the program of the generated Dockerfile, and reads what it wrote.
    fn skeleton(&self) -> Skeleton {
        let (project, skeleton) = (self.root.join("project"), self.root.join("skeleton"));
        let generated = generate(&project, ConfigLayer::default()).unwrap();
        let text = generated.files.0.get("Dockerfile").unwrap();
        let (_, program) = text.split_once("perl - ").unwrap();
        let (arguments, program) = program.split_once(" <<'EOF'\n").unwrap();
        let (program, _) = program.split_once("\nEOF\n").unwrap();
        let program = program
            .replace("'/src'", &format!("'{}'", project.display()))
            .replace("/tmp/skeleton", &skeleton.display().to_string());
        let script = self.root.join("program.pl");
        fs::write(&script, program).unwrap();
        let _ = fs::remove_dir_all(&skeleton);
        let out = Command::new("perl").arg("-w").arg(&script).args(arguments.split(' ')).output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success() && said.is_empty(), "{said}");
        let mut files = Skeleton::new();
        read(&skeleton, &skeleton, &mut files);
        files
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

fn read(root: &Path, dir: &Path, files: &mut Skeleton) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            read(root, &entry.path(), files);
        } else {
            let path = entry.path().strip_prefix(root).unwrap().display().to_string();
            files.insert(path, fs::read_to_string(entry.path()).unwrap());
        }
    }
}

#[test]
fn cargo_builds_the_skeleton() {
    if !need("perl") {
        return;
    }
    let project = Project::new("builds");
    let skeleton = project.skeleton();
    assert!(!skeleton.keys().any(|path| path.starts_with("libs/tool")), "the binary does not use it: {skeleton:#?}");
    assert!(!skeleton["libs/core/lib/core.rs"].contains("core"), "a stub");
    project.cargo("skeleton", &["check", "--offline", "--locked", "--package", "server", "--bin", "serve"]);
}

#[test]
fn a_patch_from_a_folder_stays_whole() {
    if !need("perl") {
        return;
    }
    let project = Project::new("patch");
    project.edit("Cargo.toml", "[profile.dev]", "[patch.crates-io]\npatched = { path = \"patched\" }\n[profile.dev]");
    project.put("patched/Cargo.toml", "[package]\nname = \"patched\"\nversion = \"2.0.0\"\n");
    project.put("patched/src/lib.rs", "pub fn patched() {}\n");
    project.edit("server/Cargo.toml", "[dev-dependencies]", "patched = \"2\"\n[dev-dependencies]");
    project.cargo("project", &["generate-lockfile", "--offline"]);
    let skeleton = project.skeleton();
    assert_eq!(skeleton["patched/src/lib.rs"], "pub fn patched() {}\n");
    project.cargo("skeleton", &["check", "--offline", "--locked", "--package", "server", "--bin", "serve"]);
}

#[test]
fn a_package_that_is_its_own_workspace() {
    if !need("perl") {
        return;
    }
    let project = Project::new("single");
    fs::remove_dir_all(project.root.join("project")).unwrap();
    project.put("Cargo.toml", "[package]\nname='one' # a comment\nversion = \"0.3.0\"\n[[example]]\nname = \"x\"\n");
    project.put("src/main.rs", "fn main() {}\n");
    project.put("examples/x.rs", "fn main() {}\n");
    project.put(".cargo/config.toml", "[alias]\nx = \"run\"\n[build]\nrustflags = [\n \"-Cdebuginfo=0\" ]\n");
    project.cargo("project", &["generate-lockfile", "--offline"]);
    let skeleton = project.skeleton();
    assert_eq!(skeleton[".cargo/config.toml"], "build.rustflags=[\"-Cdebuginfo=0\"]\n");
    project.cargo("skeleton", &["check", "--offline", "--locked", "--package", "one", "--bin", "one"]);
}

/// The lockfile says which of them is meant, and the project's own one loses its version.
#[test]
fn a_registry_has_a_package_of_the_same_name() {
    if !need("perl") {
        return;
    }
    let project = Project::new("same-name");
    let source = "source = \"registry+https://registry.example\"\nchecksum = \"00\"\n";
    project.edit("Cargo.lock", " \"core\",", " \"core 1.2.3\",\n \"user\",");
    let mut lock = fs::read_to_string(project.root.join("project/Cargo.lock")).unwrap();
    for (name, needs) in [("core", ""), ("user", "dependencies = [\n \"core 0.1.0\",\n]\n"), ("unused", "")] {
        lock.push_str(&format!("\n[[package]]\nname = \"{name}\"\nversion = \"0.1.0\"\n{source}{needs}"));
    }
    project.put("Cargo.lock", &lock);
    let skeleton = &project.skeleton()["Cargo.lock"];
    assert!(skeleton.contains(" \"core 0.0.0-deps\",\n") && skeleton.contains(" \"core 0.1.0\",\n"), "{skeleton}");
    assert!(!skeleton.contains("unused"), "{skeleton}");
}

/// Law 1: what does not decide the dependencies makes no other skeleton, and what does makes one.
#[test]
fn only_what_decides_the_dependencies_changes_it() {
    if !need("perl") {
        return;
    }
    let project = Project::new("edits");
    let first = project.skeleton();
    let edit = |path: &'static str, from: &'static str, to: &'static str| -> Box<dyn Fn(&Project)> {
        Box::new(move |project| project.edit(path, from, to))
    };
    let new = |path: &'static str, text: &'static str| -> Box<dyn Fn(&Project)> {
        Box::new(move |project| project.put(path, text))
    };
    let free = [
        ("a description", edit("server/Cargo.toml", "Serves # not", "Serves it # not")),
        ("a comment", edit("server/Cargo.toml", "[[bin]]", "# more\n[[bin]] # and more")),
        (
            "authors, licence and keywords",
            edit("server/Cargo.toml", "default-run", "license = \"MIT\"\nkeywords = [\n\"a\"]\ndefault-run"),
        ),
        ("line ends", edit("server/Cargo.toml", "\n", "\r\n")),
        (
            "formatting",
            edit(
                "server/Cargo.toml",
                "{ workspace = true, features = [\r\n    \"fast\", # a comment\r\n] }",
                "{workspace = true, features = [\"fast\"]}",
            ),
        ),
        (
            "an order",
            edit(
                "libs/core/Cargo.toml",
                "version.workspace = true\nedition.workspace = true",
                "edition.workspace = true\nversion.workspace = true",
            ),
        ),
        ("lints", edit("Cargo.toml", "[profile.dev]", "[workspace.lints.rust]\nunsafe_code = \"deny\"\n[profile.dev]")),
        ("metadata", edit("Cargo.toml", "[profile.dev]", "[workspace.metadata.x]\ny = 1\n[profile.dev]")),
        ("rust-version", edit("Cargo.toml", "1.80", "1.82")),
        ("a profile for development", edit("Cargo.toml", "opt-level = 1", "opt-level = 2")),
        (
            "a profile for benchmarks",
            edit("Cargo.toml", "[profile.dev]", "[profile.profiling]\ninherits = \"release\"\n[profile.dev]"),
        ),
        (
            "a dependency that nobody uses yet",
            edit("Cargo.toml", "[profile.release]", "unused = \"1\"\n[profile.release]"),
        ),
        (
            "a profile with a longer name",
            edit("Cargo.toml", "[profile.dev]", "[profile.release-lto]\ninherits = \"release\"\n[profile.dev]"),
        ),
        ("what is tested", edit("libs/core/Cargo.toml", "[lib]", "[lib]\ndoctest = false")),
        ("the edition said again", edit("libs/core/Cargo.toml", "edition.workspace = true", "edition = \"2021\"")),
        ("a spelling", edit("server/Cargo.toml", "renamed.workspace = true", "renamed = { workspace = true }")),
        ("a leftover in the lockfile", edit("Cargo.lock", " \"dotted\",", " \"dotted 1.2.3\",")),
        ("an alias", new(".cargo/config.toml", "[alias]\nx = \"run\"\n")),
        ("a module", new("libs/core/lib/more.rs", "")),
        ("a test", new("libs/core/tests/all.rs", "")),
        ("a binary", new("server/src/bin/other.rs", "fn main() {}\n")),
    ];
    for (what, edit) in free {
        edit(&project);
        assert_eq!(project.skeleton(), first, "{what}");
    }
    for path in [
        "Cargo.toml",
        "server/Cargo.toml",
        "libs/derive/Cargo.toml",
        "libs/sys/Cargo.toml",
        "libs/dotted/Cargo.toml",
        "libs/tester/Cargo.toml",
    ] {
        let text = fs::read_to_string(project.root.join("project").join(path)).unwrap();
        project.put(path, &text.replace("1.2.3", "1.3.0"));
    }
    project.edit("libs/tool/Cargo.toml", "1.2.3", "1.3.0");
    project.cargo("project", &["generate-lockfile", "--offline"]);
    assert_eq!(project.skeleton(), first, "a version");
    project.put("libs/zeta/Cargo.toml", "[package]\nname = \"zeta\"\nversion = \"0.1.0\"\n");
    project.put("libs/zeta/src/lib.rs", "");
    project.cargo("project", &["generate-lockfile", "--offline"]);
    assert_eq!(project.skeleton(), first, "a member");
    let patch = "[patch.crates-io]\nlibc = { git = \"https://git.example/libc\" }\n[profile.dev]";
    project.edit("Cargo.toml", "[profile.dev]", patch);
    assert_eq!(project.skeleton(), first, "a patch that nobody uses");

    let decisive = [
        ("a feature", edit("server/Cargo.toml", "[\"core/fast\"]", "[]")),
        ("a profile", edit("Cargo.toml", "lto = true", "lto = false")),
        ("flags", new(".cargo/config.toml", "[build]\nrustflags = []\n")),
        ("an edition", edit("Cargo.toml", "edition = \"2021\"", "edition = \"2024\"")),
        ("a toolchain", new("rust-toolchain", "1.95\n")),
        (
            "a dependency",
            edit("libs/core/Cargo.toml", "[lib]", "[dependencies]\nreal-name = { path = \"../renamed\" }\n[lib]"),
        ),
        ("a patch", edit("Cargo.toml", "libc = { git", "dotted = { git")),
        (
            "a version in the lockfile",
            edit(
                "Cargo.lock",
                "name = \"core\"\n",
                "name = \"core\"\nsource = \"registry+https://registry.example\"\n",
            ),
        ),
    ];
    let mut last = first;
    for (what, edit) in decisive {
        edit(&project);
        let now = project.skeleton();
        assert_ne!(now, last, "{what}");
        last = now;
    }
}
