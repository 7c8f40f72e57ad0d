//! A project in a folder of its own, the engine that builds it, and what the engine says of its steps.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::docker::{docker_build, keep};
use crate::steps::{Steps, steps};

/// A copy of an example, in a folder whose name no other build context has.
pub(crate) struct Project {
    pub(crate) root: PathBuf,
    pub(crate) image: String,
}

pub(crate) fn run(program: &str, args: &[&str]) -> String {
    let out = Command::new(program).args(args).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{program} {args:?}\n{text}");
    text
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

impl Project {
    /// An empty folder.
    pub(crate) fn empty(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("engine-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        Self { root, image: format!("dockerfile-gen-test/{name}") }
    }

    pub(crate) fn example(name: &str) -> Self {
        let project = Self::empty(name);
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name), &project.root);
        for left in ["target", "node_modules", ".venv", "dist"] {
            let _ = fs::remove_dir_all(project.root.join(left));
        }
        project
    }

    pub(crate) fn generate(&self) {
        run(env!("CARGO_BIN_EXE_cargo-dockerfile"), &["generate", self.root.to_str().unwrap()]);
        run("docker", &["build", "--check", self.root.to_str().unwrap()]);
    }

    /// Builds and returns the steps that the final image consists of.
    pub(crate) fn build(&self, more: &[&str]) -> Steps {
        self.build_log(more).0
    }

    /// As `build`, with all that the engine said.
    pub(crate) fn build_log(&self, more: &[&str]) -> (Steps, String) {
        let mut args = vec!["--progress=plain", "-t", &self.image];
        args.extend(more);
        args.push(self.root.to_str().unwrap());
        keep(&self.image);
        let out = docker_build(&args);
        let text = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.success(), "docker build {args:?}\n{text}");
        (steps(&text), text)
    }

    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let path = self.root.join(path);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{} does not hold {from:?}", path.display());
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// What a command says in a container of the image.
    pub(crate) fn say(&self, command: &str) -> String {
        run("docker", &["run", "--rm", &self.image, "sh", "-c", command])
    }

    pub(crate) fn append(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        let mut old = fs::read_to_string(&path).unwrap();
        old.push_str(text);
        fs::write(path, old).unwrap();
    }

    /// The digests of the image's layers, bottom first.
    pub(crate) fn layers(&self) -> Vec<String> {
        let json = run("docker", &["inspect", "-f", "{{json .RootFS.Layers}}", &self.image]);
        serde_json::from_str(&json).unwrap()
    }

    /// Starts a container, asks `path` on `port` and returns the body.
    pub(crate) fn get(&self, port: u16, path: &str, env: &[&str]) -> String {
        let published = format!("127.0.0.1::{port}");
        let mut args = vec!["run", "-d", "-p", &published];
        for pair in env {
            args.extend(["-e", pair]);
        }
        args.push(&self.image);
        let id = run("docker", &args).trim().to_owned();
        let address = run("docker", &["port", &id, &format!("{port}/tcp")]);
        let address = address.lines().next().unwrap().trim().to_owned();
        let begin = Instant::now();
        let answer = loop {
            match ask(&address, path) {
                Some(answer) => break answer,
                None if begin.elapsed() < Duration::from_secs(30) => std::thread::sleep(Duration::from_millis(200)),
                None => break format!("no answer\n{}", run("docker", &["logs", &id])),
            }
        };
        run("docker", &["rm", "-f", &id]);
        answer
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

fn ask(address: &str, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    head.contains(" 200").then(|| body.to_owned())
}

pub(crate) fn in_stages(steps: &Steps, prefixes: &[&str]) -> Vec<(String, bool)> {
    let of = |name: &str| prefixes.iter().any(|prefix| name.starts_with(&format!("[{prefix}")));
    steps.iter().filter(|(name, _)| of(name)).map(|(name, cached)| (name.clone(), *cached)).collect()
}

/// Every step that installs dependencies was taken from the cache, and there is at least one.
#[track_caller]
pub(crate) fn dependencies_cached(steps: &Steps, what: &str) {
    let found = in_stages(steps, &["deps ", "prod-deps ", "compiled "]);
    assert!(!found.is_empty(), "no dependency steps in {steps:#?}");
    assert!(found.iter().all(|(_, cached)| *cached), "after {what} dependencies ran again: {found:#?}");
}

#[track_caller]
pub(crate) fn all_cached(steps: &Steps, what: &str) {
    assert!(!steps.is_empty());
    let again: Vec<&String> = steps.iter().filter(|(_, cached)| !**cached).map(|(name, _)| name).collect();
    assert!(again.is_empty(), "after {what} these ran again: {again:#?}");
}
