//! A small project in a folder of its own, on which real cargo runs.
//!
//! All of them share one target folder, so that the library is compiled for them once.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// The project; its folder is removed when it is dropped.
pub(crate) struct Project {
    pub(crate) root: PathBuf,
}

/// What came of a command.
pub(crate) struct Ran {
    pub(crate) ok: bool,
    /// All that went to stderr.
    pub(crate) said: String,
    /// All that went to stdout.
    pub(crate) out: String,
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

impl Project {
    /// An empty folder with a lockfile, so that nothing has to be downloaded again.
    pub(crate) fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("doors-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        let project = Self { root: root.canonicalize().unwrap() };
        project.write(".gitignore", "target\n");
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
        fs::copy(lock, project.root.join("Cargo.lock")).unwrap();
        project
    }

    pub(crate) fn git_init(&self) {
        assert!(Command::new("git").args(["init", "-q"]).arg(&self.root).status().unwrap().success());
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap()
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }

    pub(crate) fn cargo(&self, args: &[&str], env: &[(&str, &str)]) -> Ran {
        run(Command::new(env!("CARGO")), &self.root, args, env)
    }

    /// Builds, which must go well and in silence.
    pub(crate) fn build(&self) {
        let ran = self.cargo(&["check", "--quiet"], &[]);
        assert!(ran.ok && ran.said.is_empty(), "{}", ran.said);
    }

    /// What lies in the folder: bytes, and when they were written.
    pub(crate) fn snapshot(&self) -> BTreeMap<PathBuf, (SystemTime, Vec<u8>)> {
        let mut found = BTreeMap::new();
        let mut open = vec![self.root.clone()];
        while let Some(dir) = open.pop() {
            for entry in fs::read_dir(dir).unwrap().flatten() {
                let path = entry.path();
                match entry.file_type().unwrap().is_dir() {
                    true if path.ends_with(".git") || path.ends_with("target") => {}
                    true => open.push(path),
                    false => {
                        let at = entry.metadata().unwrap().modified().unwrap();
                        found.insert(path.clone(), (at, fs::read(path).unwrap()));
                    }
                }
            }
        }
        found
    }

    /// Runs cargo, which must go well, in silence, and leave all files as they are.
    pub(crate) fn touches_nothing(&self, args: &[&str], env: &[(&str, &str)]) {
        let before = self.snapshot();
        let ran = self.cargo(args, env);
        assert!(ran.ok, "{}", ran.said);
        assert!(!ran.said.contains("Dockerfile"), "{}", ran.said);
        assert_eq!(self.snapshot(), before);
    }
}

pub(crate) fn run(mut cargo: Command, dir: &Path, args: &[&str], env: &[(&str, &str)]) -> Ran {
    for name in ["DOCKERFILE_GEN", "DOCS_RS", "RA_RUSTC_WRAPPER"] {
        cargo.env_remove(name);
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("doors");
    // What the library needs was downloaded to build this test.
    cargo.env("CARGO_TARGET_DIR", target).env("CARGO_NET_OFFLINE", "true").env("CARGO_TERM_COLOR", "never");
    let out = cargo.args(args).current_dir(dir).envs(env.iter().copied()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { ok: out.status.success(), said: text(&out.stderr), out: text(&out.stdout) }
}
