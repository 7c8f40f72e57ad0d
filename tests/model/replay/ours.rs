//! What keys the dependency layer of a generated Dockerfile.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use dockerfile_gen::Files as Generated;
use dockerfile_gen::context::Dockerignore;

use super::checkout::Checkout;
use super::rust::Selection;
use super::{Files, Set, cut, node, rust};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stack {
    Rust,
    Node,
}

#[derive(Clone)]
pub(crate) struct Ours {
    /// The dependencies that the file itself declares.
    pub(crate) declaration: String,
    /// What the dependency stages copy.
    pub(crate) copied: BTreeSet<String>,
    kind: Kind,
    ignore: String,
}

#[derive(Clone)]
enum Kind {
    /// What is built, and what the file says of the compiler.
    Rust(Selection, String),
    /// What reduces the manifests.
    Node(String),
}

impl Ours {
    pub(crate) fn of(files: &Generated) -> Option<Self> {
        let dockerfile = files.0.get("Dockerfile")?;
        let ignore = files.0.get(".dockerignore").cloned().unwrap_or_default();
        if let Some(lock) = stage(dockerfile, "lock") {
            let (_, rest) = lock.split_once("COPY <<'EOF' Cargo.toml\n")?;
            let (declaration, rest) = rest.split_once("\nEOF\n")?;
            let base = stage(dockerfile, "base")?;
            let rustup = base.lines().filter(|line| line.contains("rustup") || line.contains("RUSTUP"));
            let toolchain = rustup.chain(dockerfile.lines().find(|line| line.ends_with(" AS base")));
            let toolchain = toolchain.collect::<Vec<_>>().join("\n");
            let kind = Kind::Rust(selection(stage(dockerfile, "build")?)?, toolchain);
            return Some(Self { declaration: declaration.to_owned(), copied: copied(rest), kind, ignore });
        }
        let manifests = stage(dockerfile, "manifests")?;
        let (head, program) = manifests.split_once(" <<'EOF'\n")?;
        let (program, _) = program.split_once("\nEOF\n")?;
        let copied = copied(head).into_iter().chain(copied(stage(dockerfile, "deps")?)).collect();
        Some(Self { declaration: String::new(), copied, kind: Kind::Node(program.to_owned()), ignore })
    }

    pub(crate) fn stack(&self) -> Stack {
        match self.kind {
            Kind::Rust(..) => Stack::Rust,
            Kind::Node(_) => Stack::Node,
        }
    }

    pub(crate) fn ignore(&self) -> Dockerignore {
        Dockerignore::parse(".dockerignore", &self.ignore).unwrap()
    }

    /// The features that the generator chose because the sources do not compile without.
    pub(crate) fn features(&self) -> Vec<String> {
        match &self.kind {
            Kind::Rust(selection, _) => selection.features.clone(),
            Kind::Node(_) => Vec::new(),
        }
    }

    /// What decides the dependencies at a commit, by what the project says.
    pub(crate) fn set(&self, work: &Checkout) -> Option<Set> {
        match &self.kind {
            Kind::Rust(selection, _) => rust::set(work, selection),
            Kind::Node(_) => node::set(work),
        }
    }

    /// What the step that installs the dependencies gets at a commit.
    pub(crate) fn key(&self, work: &Checkout, out: &Path) -> Option<Files> {
        let mut files: Files = self.copied.iter().flat_map(|path| work.under(path)).collect();
        match &self.kind {
            Kind::Rust(_, toolchain) => {
                files.insert("toolchain".to_owned(), toolchain.clone().into_bytes());
                let lock = cut::cut(&self.declaration, &work.toml("Cargo.lock")?)?;
                files.insert("Cargo.toml".to_owned(), self.declaration.clone().into_bytes());
                let lock: Vec<String> = lock.into_iter().collect();
                files.insert("Cargo.lock".to_owned(), lock.join("\n").into_bytes());
            }
            Kind::Node(program) => reduce(program, &mut files, out)?,
        }
        Some(files)
    }
}

/// Runs the program that reduces manifests in a folder with what it gets.
fn reduce(program: &str, files: &mut Files, out: &Path) -> Option<()> {
    let _ = fs::remove_dir_all(out);
    for (path, bytes) in &*files {
        let path = out.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let script = out.with_extension("cjs");
    fs::write(&script, program).unwrap();
    let done = Command::new("node").arg(&script).current_dir(out).output().unwrap();
    for (path, bytes) in files.iter_mut() {
        *bytes = fs::read(out.join(path)).ok()?;
    }
    done.status.success().then_some(())
}

/// What a stage builds.
fn selection(build: &str) -> Option<Selection> {
    let (_, command) = build.split_once("cargo build")?;
    let words = words(command.split(" && ").next()?);
    let after = |flag: &str| words.iter().skip_while(|word| *word != flag).nth(1).cloned();
    let features = after("--features").unwrap_or_default();
    let features = features.split(',').filter(|feature| !feature.is_empty()).map(str::to_owned).collect();
    let profile = after("--profile").unwrap_or_else(|| "release".to_owned());
    Some(Selection { package: after("--package")?, features, profile })
}

/// The instructions of one stage.
fn stage<'d>(dockerfile: &'d str, name: &str) -> Option<&'d str> {
    let (_, rest) = dockerfile.split_once(&format!(" AS {name}\n"))?;
    Some(rest.split_once("\nFROM ").map_or(rest, |(stage, _)| stage))
}

/// What a stage takes from the build context, but for the lockfile that is cut down.
fn copied(stage: &str) -> BTreeSet<String> {
    let lines = stage.lines().filter_map(|line| line.strip_prefix("COPY "));
    let own = lines.filter(|line| !line.contains("--from=") && !line.contains("<<"));
    let sources = own.flat_map(|line| {
        let mut words = words(line);
        words.pop();
        let kept: Vec<String> =
            words.iter().filter_map(|word| word.strip_prefix("--exclude=!")).map(str::to_owned).collect();
        if kept.is_empty() { words.into_iter().filter(|word| !word.starts_with("--")).collect() } else { kept }
    });
    sources.map(|source| source.trim_end_matches('/').to_owned()).filter(|source| source != "Cargo.lock").collect()
}

/// The words of a shell command, of which some stand in single quotes.
fn words(command: &str) -> Vec<String> {
    let joined = command.replace("\\\n", " ");
    let words = joined.split_whitespace();
    words.map(|word| word.trim_matches('\'').to_owned()).collect()
}
