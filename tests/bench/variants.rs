//! What is compared: a folder for each, with a Dockerfile of its own.

mod go;
mod python;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use dockerfile_gen::Project;

use crate::facts::{Component, RustProject};
use dockerfile_gen::{ConfigLayer, Overwrite, generate};

use super::engine::{Built, build, image};

/// How cargo is called outside of any image.
struct Bare {
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

pub(crate) struct Variant {
    pub(crate) name: &'static str,
    /// Its copy of the project.
    pub(crate) root: PathBuf,
    /// For cargo outside of any image.
    bare: Option<Bare>,
    incremental: bool,
}

impl Variant {
    pub(crate) fn dockerfile(&self) -> PathBuf {
        self.root.join("Dockerfile")
    }

    /// # Errors
    /// What the engine or cargo said last.
    pub(crate) fn build(&self) -> Result<Built, String> {
        let Some(Bare { arguments, environment }) = &self.bare else {
            let tag = format!("dockerfile-gen-bench/{}", self.name);
            return build(&self.root, &self.dockerfile(), &tag, &[]);
        };
        let begin = Instant::now();
        let mut cargo = Command::new("cargo");
        cargo.args(arguments).current_dir(&self.root).env("CARGO_TARGET_DIR", self.root.join("target"));
        cargo.env("CARGO_INCREMENTAL", if self.incremental { "1" } else { "0" }).envs(environment.iter().cloned());
        let out = cargo.output().map_err(|error| error.to_string())?;
        let seconds = begin.elapsed().as_secs_f64();
        if out.status.success() { Ok(Built::bare(seconds)) } else { Err(String::from_utf8_lossy(&out.stderr).into()) }
    }

    /// Writes our Dockerfile anew.
    pub(crate) fn regenerate(&self) {
        if self.name == "ours" {
            let mut layer = ConfigLayer::default();
            layer.incremental = self.incremental.then_some(true);
            let generated = generate(&self.root, layer).unwrap();
            generated.files.write(&self.root, Overwrite::Backup).unwrap();
        }
    }
}

impl Drop for Variant {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let (name, target) = (entry.file_name(), to.join(entry.file_name()));
        if [".git", "target", "node_modules", ".venv"].iter().any(|left| name == *left) {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            let _ = fs::copy(entry.path(), target);
        }
    }
}

/// The variants for a project, ours first, each in a fresh copy.
pub(crate) fn variants(from: &Path, project: &Project, incremental: bool) -> Vec<Variant> {
    let component = Component::of(project);
    let mut files: Vec<(&'static str, String)> = vec![("ours", String::new())];
    files.extend(match &component {
        Component::Rust(rust) => rust_files(rust),
        Component::Node {} if from.join("pnpm-lock.yaml").exists() => pnpm_files(from),
        Component::Node {} => npm_files(from),
        Component::Python(python) => python::files(python),
        Component::Go(go) => go::files(go),
    });
    let parent = std::env::temp_dir().join(format!("layers-{}", std::process::id()));
    let mut variants: Vec<Variant> = files
        .into_iter()
        .map(|(name, text)| {
            // The same name for all: some tools derive cache keys from the folder.
            let root = parent.join(name).join("project");
            let _ = fs::remove_dir_all(&root);
            copy(from, &root);
            if name != "ours" {
                fs::write(root.join("Dockerfile"), text).unwrap();
                fs::write(root.join(".dockerignore"), "Dockerfile\n.dockerignore\n.git\ntarget\nnode_modules\n.venv\n")
                    .unwrap();
            } else {
                for file in ["Dockerfile", ".dockerignore"] {
                    let _ = fs::remove_file(root.join(file));
                }
            }
            let variant = Variant { name, root, bare: None, incremental };
            variant.regenerate();
            variant
        })
        .collect();
    if let Component::Rust(rust) = &component {
        let root = parent.join("bare").join("project");
        copy(from, &root);
        let bare = Bare { arguments: cargo_arguments(rust), environment: rust.build_env.clone() };
        variants.push(Variant { name: "bare", root, bare: Some(bare), incremental });
    }
    variants
}

fn cargo_arguments(rust: &RustProject) -> Vec<String> {
    let mut words: Vec<String> = ["build", "--locked", "--release", "--package"].map(str::to_owned).into();
    words.extend([rust.binary.package.clone(), "--bin".into(), rust.binary.name.clone()]);
    if !rust.binary.features.is_empty() {
        words.extend(["--features".into(), rust.binary.features.join(",")]);
    }
    words
}

fn rust_files(rust: &RustProject) -> Vec<(&'static str, String)> {
    let build = cargo_arguments(rust)[1..].join(" ");
    let cook = build.replace("--locked ", "");
    let base = format!("FROM rust:{}-slim-trixie", rust.toolchain.version);
    let packages: Vec<&str> = rust.build_packages.iter().map(String::as_str).collect();
    let install = if packages.is_empty() {
        String::new()
    } else {
        let list = packages.join(" ");
        format!("RUN apt-get update && apt-get install -y {list} && rm -rf /var/lib/apt/lists/*\n")
    };
    let env: String = rust.build_env.iter().map(|(name, value)| format!("ENV {name}={value}\n")).collect();
    // cargo-chef's own image has it, too; its installation is not held against it.
    image("cargo-chef-bench", &format!("{base}\nRUN cargo install cargo-chef --locked\n"));
    let name = &rust.binary.name;
    let end = format!(
        "FROM debian:trixie-slim\nCOPY --from=builder /app/target/release/{name} /usr/local/bin/\nENTRYPOINT [\"{name}\"]\n"
    );
    vec![
        ("copy", format!("{base} AS builder\n{install}{env}WORKDIR /app\nCOPY . .\nRUN cargo build {build}\n{end}")),
        (
            // As its README has it.
            "cargo-chef",
            format!(
                "FROM cargo-chef-bench AS chef\n{install}{env}WORKDIR /app\nFROM chef AS planner\nCOPY . .\n\
                 RUN cargo chef prepare --recipe-path recipe.json\nFROM chef AS builder\n\
                 COPY --from=planner /app/recipe.json recipe.json\nRUN cargo chef cook {cook} --recipe-path recipe.json\n\
                 COPY . .\nRUN cargo build {build}\n{end}"
            ),
        ),
    ]
}

/// The script that builds, where package.json has one.
fn node_build(root: &Path, runner: &str) -> String {
    let manifest = fs::read_to_string(root.join("package.json")).unwrap_or_default();
    let value: serde_json::Value = serde_json::from_str(&manifest).unwrap_or_default();
    if value["scripts"]["build"].is_string() { format!("RUN {runner} run build\n") } else { String::new() }
}

fn npm_files(root: &Path) -> Vec<(&'static str, String)> {
    let (base, build) = ("FROM node:24-slim\nWORKDIR /app\n", node_build(root, "npm"));
    vec![
        ("copy", format!("{base}COPY . .\nRUN npm ci\n{build}")),
        (
            // Docker's guide for Node.
            "guide",
            format!(
                "{base}COPY package.json package-lock.json ./\nRUN --mount=type=cache,target=/root/.npm npm ci\nCOPY . .\n{build}"
            ),
        ),
    ]
}

fn pnpm_files(root: &Path) -> Vec<(&'static str, String)> {
    // pnpm fetches the version that package.json names, unless it is that one.
    let manifest = fs::read_to_string(root.join("package.json")).unwrap_or_default();
    let named = manifest.split_once("\"packageManager\": \"pnpm@").and_then(|(_, rest)| rest.split(['"', '+']).next());
    let base = format!("FROM node:24-slim\nRUN npm install -g pnpm@{}\nWORKDIR /app\n", named.unwrap_or("10"));
    let build = node_build(root, "pnpm");
    let mount = "--mount=type=cache,id=pnpm,target=/pnpm/store";
    vec![
        ("copy", format!("{base}COPY . .\nRUN pnpm install --frozen-lockfile\n{build}")),
        (
            // pnpm's page on Docker, first example.
            "guide",
            format!("{base}ENV PNPM_HOME=/pnpm\nCOPY . .\nRUN {mount} pnpm install --frozen-lockfile\n{build}"),
        ),
        (
            // The same page, third example.
            "fetch",
            format!(
                "{base}COPY pnpm-lock.yaml ./\nRUN pnpm fetch\nCOPY . .\nRUN pnpm install --offline --frozen-lockfile\n{build}"
            ),
        ),
    ]
}
