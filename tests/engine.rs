//! Builds the examples on a real engine, changes a file, builds again, and looks at which steps were CACHED.
//!
//! `cargo test --test engine -- --ignored` runs it; `docker` has to reach an engine with BuildKit.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// A copy of an example, in a folder whose name no other build context has.
struct Project {
    root: PathBuf,
    image: String,
}

/// A step as BuildKit names it, and whether it was taken from the cache.
type Steps = BTreeMap<String, bool>;

fn run(program: &str, args: &[&str]) -> String {
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
    fn example(name: &str) -> Self {
        let unique = format!("engine-{name}-{}", std::process::id());
        let root = std::env::temp_dir().join(&unique);
        let _ = fs::remove_dir_all(&root);
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name), &root);
        for left in ["target", "node_modules", ".venv", "dist"] {
            let _ = fs::remove_dir_all(root.join(left));
        }
        Self { root, image: format!("dockerfile-gen-test/{name}") }
    }

    fn generate(&self) {
        run(env!("CARGO_BIN_EXE_cargo-dockerfile"), &["generate", self.root.to_str().unwrap()]);
        run("docker", &["build", "--check", self.root.to_str().unwrap()]);
    }

    /// Builds and returns the steps that the final image consists of.
    fn build(&self, more: &[&str]) -> Steps {
        let mut args = vec!["build", "--progress=plain", "-t", &self.image];
        args.extend(more);
        args.push(self.root.to_str().unwrap());
        let text = run("docker", &args);
        let mut names: BTreeMap<&str, &str> = BTreeMap::new();
        let mut steps = Steps::new();
        for line in text.lines() {
            let Some((vertex, rest)) = line.split_once(' ') else { continue };
            // A `FROM` is no step of ours, and is resolved anew each time.
            if rest.starts_with('[') && !rest.starts_with("[internal]") && !rest.contains("] FROM ") {
                names.insert(vertex, rest);
            }
            if let Some(name) = names.get(vertex)
                && (rest == "CACHED" || rest.starts_with("DONE"))
            {
                steps.insert((*name).to_owned(), rest == "CACHED");
            }
        }
        steps
    }

    fn edit(&self, path: &str, from: &str, to: &str) {
        let path = self.root.join(path);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{} does not hold {from:?}", path.display());
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    fn append(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        let mut old = fs::read_to_string(&path).unwrap();
        old.push_str(text);
        fs::write(path, old).unwrap();
    }

    /// Starts a container, asks `path` on `port` and returns the body.
    fn get(&self, port: u16, path: &str, env: &[&str]) -> String {
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

fn in_stages(steps: &Steps, prefixes: &[&str]) -> Vec<(String, bool)> {
    let of = |name: &str| prefixes.iter().any(|prefix| name.starts_with(&format!("[{prefix}")));
    steps.iter().filter(|(name, _)| of(name)).map(|(name, cached)| (name.clone(), *cached)).collect()
}

/// Every step that installs dependencies was taken from the cache, and there is at least one.
#[track_caller]
fn dependencies_cached(steps: &Steps, what: &str) {
    let found = in_stages(steps, &["deps ", "prod-deps ", "compiled "]);
    assert!(!found.is_empty(), "no dependency steps in {steps:#?}");
    assert!(found.iter().all(|(_, cached)| *cached), "after {what} dependencies ran again: {found:#?}");
}

#[track_caller]
fn all_cached(steps: &Steps, what: &str) {
    assert!(!steps.is_empty());
    let again: Vec<&String> = steps.iter().filter(|(_, cached)| !**cached).map(|(name, _)| name).collect();
    assert!(again.is_empty(), "after {what} these ran again: {again:#?}");
}

#[test]
#[ignore = "needs a docker engine"]
fn axum_workspace() {
    let project = Project::example("axum-workspace");
    project.generate();
    project.build(&[]);
    assert!(project.get(8080, "/", &[]).contains("0.3.0"));
    all_cached(&project.build(&[]), "nothing");
    project.append("README.md", "more\n");
    all_cached(&project.build(&[]), "an edit of README.md");
    project.append("crates/catalog/src/lib.rs", "// an edit\n");
    dependencies_cached(&project.build(&[]), "an edit of a source file");
    project.edit("Cargo.toml", "version = \"0.3.0\"", "version = \"0.3.1\" # a comment");
    project.edit("Cargo.toml", "rust-version = \"1.85\"", "rust-version = \"1.86\"");
    let lock = fs::read_to_string(project.root.join("Cargo.lock")).unwrap();
    fs::write(project.root.join("Cargo.lock"), lock.replace("version = \"0.3.0\"", "version = \"0.3.1\"")).unwrap();
    dependencies_cached(&project.build(&[]), "a version bump");
    assert!(project.get(8080, "/", &[]).contains("0.3.1"), "the stub or an old binary was shipped");
    // A file whose content is new and whose time is older than everything in the cache.
    project.edit("crates/prices/data/prices.csv", "\n", "\n\n");
    let csv = project.root.join("crates/prices/data/prices.csv");
    let file = fs::File::options().append(true).open(csv).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)).unwrap();
    let steps = project.build(&[]);
    dependencies_cached(&steps, "an edit of a build script's input");
    let built = in_stages(&steps, &["build "]);
    assert!(built.iter().any(|(_, cached)| !cached), "a change with an old time was not seen: {built:#?}");
    project.build(&["--target", "shop-cli"]);
}

/// Law 1 for cargo: what does not decide the dependency set leaves its layer alone, and what does, does not.
#[test]
#[ignore = "needs a docker engine"]
fn cargo_manifest_edits() {
    let project = Project::example("axum-workspace");
    project.generate();
    let deps = |what: &str| {
        let steps = project.build(&["--target", "deps"]);
        let found = in_stages(&steps, &["deps "]);
        assert!(!found.is_empty(), "{what}: {steps:#?}");
        found.iter().all(|(_, cached)| *cached)
    };
    deps("at first");
    let server = "crates/server/Cargo.toml";
    let new = |path: &str, text: &str| {
        let path = project.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let free: [(&str, &dyn Fn()); 12] = [
        ("a comment", &|| project.append(server, "# a comment\n")),
        ("keywords and a description", &|| {
            project.edit(server, "[package]", "[package]\nkeywords = [\n  \"shop\",\n]")
        }),
        ("metadata", &|| project.append(server, "\n[package.metadata.docs.rs]\nall-features = true\n")),
        ("lints", &|| project.append("Cargo.toml", "\n[workspace.lints.clippy]\npedantic = \"warn\"\n")),
        ("a development profile", &|| project.append("Cargo.toml", "\n[profile.dev]\nopt-level = 1\n")),
        ("rust-version", &|| project.edit("Cargo.toml", "rust-version = \"1.85\"", "rust-version = \"1.86\"")),
        ("an alias", &|| new(".cargo/config.toml", "[alias]\nxtask = \"run\"\n")),
        ("a test", &|| new("crates/server/tests/api.rs", "#[test]\nfn works() {}\n")),
        ("a module", &|| new("crates/catalog/src/more.rs", "")),
        ("a binary", &|| new("crates/server/src/bin/extra.rs", "fn main() {}\n")),
        ("formatting", &|| project.edit("Cargo.toml", "members = [\"crates/*\"]", "members = [\n    \"crates/*\",\n]")),
        ("a member of the workspace", &|| {
            new("crates/extra/Cargo.toml", "[package]\nname = \"extra\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
            new("crates/extra/src/lib.rs", "");
            project.append("Cargo.lock", "\n[[package]]\nname = \"extra\"\nversion = \"0.1.0\"\n");
        }),
    ];
    for (what, edit) in free {
        edit();
        assert!(deps(what), "{what} compiled the dependencies again");
    }
    let decisive: [(&str, &dyn Fn()); 3] = [
        ("a feature", &|| project.edit("Cargo.toml", "\"http1\", ", "\"http1\", \"query\", ")),
        ("a profile", &|| project.edit("Cargo.toml", "strip = true", "strip = true\npanic = \"abort\"")),
        ("compiler flags", &|| new(".cargo/config.toml", "[build]\nrustflags = [\"-Cdebuginfo=0\"]\n")),
    ];
    for (what, edit) in decisive {
        edit();
        assert!(!deps(what), "{what} did not reach the dependencies");
    }
}

#[test]
#[ignore = "needs a docker engine"]
fn express_npm() {
    let project = Project::example("express-npm");
    project.generate();
    project.build(&[]);
    assert!(project.get(3000, "/health", &[]).contains("ok"));
    all_cached(&project.build(&[]), "nothing");
    project.append("README.md", "more\n");
    all_cached(&project.build(&[]), "an edit of README.md");
    project.append("src/server.js", "// an edit\n");
    dependencies_cached(&project.build(&[]), "an edit of a source file");
    project.edit("package.json", "\"description\": \"", "\"description\": \"now ");
    dependencies_cached(&project.build(&[]), "another description");
}

#[test]
#[ignore = "needs a docker engine"]
fn vite_pnpm() {
    let project = Project::example("vite-pnpm");
    project.generate();
    project.build(&[]);
    assert!(project.get(8080, "/a/path/of/the/app", &[]).contains("<html"));
    all_cached(&project.build(&[]), "nothing");
    project.append("README.md", "more\n");
    all_cached(&project.build(&[]), "an edit of README.md");
    project.append("src/main.tsx", "// an edit\n");
    dependencies_cached(&project.build(&[]), "an edit of a source file");
}

#[test]
#[ignore = "needs a docker engine"]
fn django_pipfile() {
    let project = Project::example("django-pipfile");
    project.generate();
    project.build(&[]);
    assert!(project.get(8000, "/health", &["DJANGO_ALLOWED_HOSTS=localhost,127.0.0.1"]).contains("ok"));
    all_cached(&project.build(&[]), "nothing");
    project.append("README.md", "more\n");
    all_cached(&project.build(&[]), "an edit of README.md");
    project.append("manage.py", "# an edit\n");
    dependencies_cached(&project.build(&[]), "an edit of a source file");
}

#[test]
#[ignore = "needs a docker engine"]
fn fastapi_uv() {
    let project = Project::example("fastapi-uv");
    // The lockfile names the index that it was made with, so it is made here.
    let locker = project.root.join("locker.Dockerfile");
    fs::write(
        &locker,
        "FROM python:3.13-slim AS lock\nCOPY --from=ghcr.io/astral-sh/uv:latest /uv /bin/\nWORKDIR /p\n\
         COPY pyproject.toml ./\nRUN uv lock\nFROM scratch\nCOPY --from=lock /p/uv.lock /\n",
    )
    .unwrap();
    let root = project.root.to_str().unwrap();
    run("docker", &["build", "-f", locker.to_str().unwrap(), "--output", root, root]);
    fs::remove_file(locker).unwrap();
    project.generate();
    project.build(&[]);
    assert!(project.get(8000, "/health", &[]).contains("ok"));
    all_cached(&project.build(&[]), "nothing");
    project.append("src/wordcount/main.py", "# an edit\n");
    dependencies_cached(&project.build(&[]), "an edit of a source file");
    project.edit("pyproject.toml", "description = \"", "description = \"now ");
    dependencies_cached(&project.build(&[]), "another description");
}

#[test]
#[ignore = "needs a docker engine"]
fn go_modules() {
    let project = Project::example("go-modules");
    project.generate();
    project.build(&[]);
    assert!(project.get(8080, "/health", &[]).contains("ok"));
    all_cached(&project.build(&[]), "nothing");
    project.append("README.md", "more\n");
    all_cached(&project.build(&[]), "an edit of README.md");
    project.append("cmd/server/main.go", "// an edit\n");
    dependencies_cached(&project.build(&[]), "an edit of a source file");
}
