//! What keys the dependency layer of a generated Dockerfile: what the program of its `manifests` stage writes, and
//! what its `deps` stage copies besides.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use dockerfile_gen::Files as Generated;
use dockerfile_gen::context::Dockerignore;

use super::checkout::Checkout;
use super::{Files, Set, node, python, rust};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stack {
    Rust,
    Node,
    Python,
}

pub(crate) struct Ours {
    stack: Stack,
    arguments: Vec<String>,
    program: String,
    copied: BTreeSet<String>,
    ignore: String,
    /// The build profile, for cargo.
    profile: String,
}

impl Ours {
    pub(crate) fn of(files: &Generated) -> Option<Self> {
        let dockerfile = files.0.get("Dockerfile")?;
        let stage = stage(dockerfile, "manifests")?;
        let (head, program) = stage.split_once(" <<'EOF'\n")?;
        let (program, _) = program.split_once("\nEOF\n")?;
        let (_, run) = head.rsplit_once("RUN ")?;
        let mut words = words(run).into_iter().skip_while(|word| word.starts_with("--mount="));
        let stack = match words.next()?.as_str() {
            "perl" => Stack::Rust,
            "node" => Stack::Node,
            "python" => Stack::Python,
            _ => return None,
        };
        // The first of the arguments is the `-` for a program from stdin.
        let arguments = words.skip(1).collect();
        let deps = self::stage(dockerfile, "deps").unwrap_or_default();
        let profile = deps.split_once(" --profile ").and_then(|(_, rest)| rest.split_whitespace().next());
        let profile = profile.unwrap_or("release").to_owned();
        let ignore = files.0.get(".dockerignore").cloned().unwrap_or_default();
        Some(Self { stack, arguments, program: program.to_owned(), copied: copied(deps), ignore, profile })
    }

    pub(crate) fn stack(&self) -> Stack {
        self.stack
    }

    pub(crate) fn ignore(&self) -> Dockerignore {
        Dockerignore::parse(".dockerignore", &self.ignore).unwrap()
    }

    /// What the `deps` stage takes from the project itself, and files that the program is told of.
    pub(crate) fn copied(&self) -> BTreeSet<String> {
        let told = self.arguments.iter().filter(|_| self.stack == Stack::Node);
        self.copied.iter().chain(told).cloned().collect()
    }

    /// What decides the dependencies at a commit, by what the project says.
    pub(crate) fn set(&self, work: &Checkout) -> Option<Set> {
        match self.stack {
            Stack::Rust => rust::set(work, self.arguments.first()?, &self.profile),
            Stack::Node => node::set(work),
            Stack::Python => python::set(work),
        }
    }

    /// Runs the program on a commit.
    pub(crate) fn run(&self, work: &Checkout, out: &Path) -> Option<Files> {
        let _ = fs::remove_dir_all(out);
        let (source, target) = (work.root.display().to_string(), out.display().to_string());
        let (program, interpreter) = match self.stack {
            Stack::Rust => {
                (self.program.replace("'/src'", &format!("'{source}'")).replace("/tmp/skeleton", &target), "perl")
            }
            Stack::Node => {
                // Links to members are no part of what the dependency stages get.
                let links = out.with_extension("links");
                let _ = fs::remove_dir_all(&links);
                let program = self.program.replace("/src/", &format!("{source}/"));
                let program = program.replace("/tmp/links", &links.display().to_string());
                (program.replace("/tmp/manifests", &target), "node")
            }
            Stack::Python => (self.program.replace("/tmp/manifests", &target), "python3"),
        };
        let script = out.with_extension(match self.stack {
            Stack::Node => "cjs",
            Stack::Rust | Stack::Python => "program",
        });
        fs::write(&script, program).unwrap();
        let mut command = Command::new(interpreter);
        let done = command.arg(&script).args(&self.arguments).current_dir(&work.root).output().unwrap();
        if !done.status.success() {
            return None;
        }
        let mut files = Files::new();
        read(out, out, &mut files);
        for path in &self.copied {
            let taken = work.under(path);
            if taken.is_empty() {
                return None;
            }
            files.extend(taken);
        }
        Some(files)
    }
}

/// The instructions of one stage.
fn stage<'d>(dockerfile: &'d str, name: &str) -> Option<&'d str> {
    let (_, rest) = dockerfile.split_once(&format!(" AS {name}\n"))?;
    Some(rest.split_once("\nFROM ").map_or(rest, |(stage, _)| stage))
}

/// What a stage takes from the build context.
fn copied(stage: &str) -> BTreeSet<String> {
    let lines = stage.lines().filter_map(|line| line.strip_prefix("COPY "));
    let own = lines.filter(|line| !line.contains("--from=") && !line.contains("<<"));
    let sources = own.flat_map(|line| {
        let mut words = words(line);
        words.pop();
        words.into_iter().filter(|word| !word.starts_with("--"))
    });
    sources.map(|source| source.trim_end_matches('/').to_owned()).collect()
}

/// The words of a shell command, of which some stand in single quotes.
fn words(command: &str) -> Vec<String> {
    let joined = command.replace("\\\n", " ");
    let words = joined.split_whitespace();
    words.map(|word| word.trim_matches('\'').to_owned()).collect()
}

fn read(root: &Path, dir: &Path, files: &mut Files) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_type().unwrap().is_dir() {
            read(root, &entry.path(), files);
        } else {
            let path = entry.path().strip_prefix(root).unwrap().display().to_string();
            files.insert(path, fs::read(entry.path()).unwrap());
        }
    }
}
