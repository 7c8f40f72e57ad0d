//! A folder with a project in it, and the command line run on it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub(crate) struct World {
    pub(crate) root: PathBuf,
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

impl World {
    /// An empty folder.
    pub(crate) fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("hostile-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        Self { root: root.canonicalize().unwrap() }
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    /// A program that leaves a trace when it runs.
    pub(crate) fn trap(&self, path: &str) {
        self.write(path, &format!("#!/bin/sh\necho \"$0 $*\" >> {}\nexit 1\n", self.path("RAN").display()));
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// No trap ran.
    pub(crate) fn nothing_ran(&self) {
        let ran = fs::read_to_string(self.path("RAN")).unwrap_or_default();
        assert_eq!(ran, "", "a program of the project ran");
    }

    pub(crate) fn rust(&self, dir: &str) {
        self.write(&format!("{dir}/Cargo.toml"), "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
        self.write(&format!("{dir}/src/main.rs"), "fn main() {}\n");
    }

    pub(crate) fn node(&self, dir: &str) {
        let manifest = r#"{"name":"a","dependencies":{"express":"4"},"scripts":{"start":"node index.js"}}"#;
        self.write(&format!("{dir}/package.json"), manifest);
        self.write(&format!("{dir}/index.js"), "app.listen(3000)\n");
    }

    /// The command line, called directly and not by cargo.
    pub(crate) fn tool(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-dockerfile"));
        command.args(args).current_dir(&self.root).env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN");
        command
    }

    pub(crate) fn git(&self, dir: &str, args: &[&str]) {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgSign=false"];
        let done = Command::new("git").args(identity).args(args).current_dir(self.path(dir)).output().unwrap();
        assert!(done.status.success(), "{}", said(&done));
    }

    /// A repository with enough commits to learn from.
    pub(crate) fn history(&self, dir: &str) {
        self.git(dir, &["init", "-q"]);
        for number in 0..25 {
            self.write(&format!("{dir}/index.js"), &format!("app.listen(3000) // {number}\n"));
            self.git(dir, &["add", "-A"]);
            self.git(dir, &["commit", "-qm", "more"]);
        }
    }

    pub(crate) fn names(&self, dir: &str) -> Vec<String> {
        let names = fs::read_dir(self.path(dir)).unwrap().flatten();
        let mut names: Vec<String> = names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// `PATH` with `dirs` in front.
pub(crate) fn path_with(dirs: &[&Path]) -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap();
    let dirs = dirs.iter().map(|dir| dir.to_path_buf());
    std::env::join_paths(dirs.chain(std::env::split_paths(&path))).unwrap()
}
