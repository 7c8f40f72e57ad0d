//! The stages of a Rust service.
//!
//! Input: [`RustProject`]. Output: [`Plan`]. The one idea: dependencies are compiled from a manifest that declares
//! nothing else, in a cache that lasts, and the result is a layer as well; so a warm builder compiles only the
//! difference, and a fresh one starts from the layer.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{Config, Manifests};
use crate::error::Result;
use crate::facts::Served;
use crate::facts::slug;
use crate::plan::names::stage_name;
use crate::plan::service::{Service, finish};
use crate::plan::system::{Family, SUITE, default_user, family, install};
use crate::plan::{Change, PER_PLATFORM, Plan, Source, Stage, Step};
use crate::stacks::frontend::Frontend;
use crate::stacks::project::Project;
use crate::stacks::rust::{Binary, Declaration, RustProject};

/// Where cargo keeps what it downloads. The whole of it is one cache mount, for cargo's lock lies in it: so builds
/// can share it, and no project waits for another.
const CARGO_HOME: &str = "/var/cache/cargo";

/// Where the manifest lies that declares the dependencies. BuildKit reads the whole folder above what is copied between
/// stages, so that is a small one.
const MANIFEST: &str = "/deps/manifest";

/// Debian packages whose files the distroless `cc` image has.
const IN_DISTROLESS: [&str; 6] = ["ca-certificates", "libgcc-s1", "libssl3", "libstdc++6", "tzdata", "zlib1g"];

/// The first Rust that has images for trixie; older ones have bookworm.
const FIRST_ON_TRIXIE: u32 = 89;

/// Plans the image.
///
/// # Errors
/// As [`crate::generate`].
pub(crate) fn plan(project: &Project, rust: &RustProject, config: &Config) -> Result<Plan> {
    let images = Images::new(rust, config);
    let mut plan = Plan { made_from: vec!["Cargo.toml".into()], ..Plan::default() };
    if rust.locked {
        plan.made_from.push("Cargo.lock".into());
    }
    for frontend in &project.frontends {
        plan.stages.extend(crate::stacks::node::image::frontend(frontend, config)?);
    }
    let declaration = rust.dependencies.as_ref().filter(|_| config.manifests != Some(Manifests::Copy));
    let shop = Workshop { project, rust, config, layered: declaration.is_some() };
    plan.stages.push(shop.base(&images)?);
    if let Some(declaration) = declaration {
        plan.stages.push(shop.lock(declaration));
        plan.stages.push(shop.deps(declaration));
    }
    plan.stages.push(shop.build());
    let mut runtime = runtime(project, rust, config, &images)?;
    if rust.others.is_empty() {
        runtime.push(copy_binary(&rust.binary, "build"));
        plan.stages.push(runtime);
    } else {
        plan.stages.push(runtime);
        let mut taken: BTreeSet<String> = plan.stages.iter().map(|stage| stage.name.clone()).collect();
        for binary in &rust.others {
            let name = stage_name(&binary.name, &mut taken);
            let from = stage_name(&format!("build-{name}"), &mut taken);
            plan.stages.push(shop.other(binary, &from));
            plan.stages.push(other(config, &images, binary, &name, &from));
        }
        let mut last = Stage::from_stage(&stage_name(&rust.binary.name, &mut taken), "runtime");
        last.push(copy_binary(&rust.binary, "build"));
        plan.stages.push(last);
    }
    if let Some(service) = plan.stages.last_mut() {
        let port = rust.port;
        let service_facts = Service {
            entrypoint: vec![format!("/usr/local/bin/{}", rust.binary.name)],
            command: rust.arguments.clone(),
            port,
            user: default_user(&images.runtime).into(),
            labels: project.notes.labels.clone(),
            ..Service::default()
        };
        finish(service, &service_facts, config);
    }
    plan.ignore = ignore(rust);
    for frontend in &project.frontends {
        plan.ignore
            .push((format!("front end in {}", frontend.dir), crate::stacks::node::image::ignored(&frontend.node)));
    }
    Ok(plan)
}

/// The images of the build and of the final stages: one release, one glibc.
struct Images {
    base: String,
    runtime: String,
}

impl Images {
    fn new(rust: &RustProject, config: &Config) -> Self {
        let minor = rust.toolchain.version.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok());
        let (suite, distroless) = match minor {
            Some(minor) if minor < FIRST_ON_TRIXIE => ("bookworm", "debian12"),
            _ => (SUITE, crate::plan::system::DISTROLESS_SUITE),
        };
        let build_suite = super::libc::suite(suite, config.runtime.as_deref());
        let base = config.base.clone().unwrap_or_else(|| format!("rust:{}-slim-{build_suite}", rust.toolchain.version));
        let small = config.packages.is_empty()
            && rust.run_packages.iter().all(|package| IN_DISTROLESS.contains(&package.as_str()));
        let runtime = config.runtime.clone().unwrap_or_else(|| match (family(&base), small) {
            (Family::Alpine, _) => "alpine:3".into(),
            (_, true) => format!("gcr.io/distroless/cc-{distroless}:nonroot"),
            (_, false) => format!("debian:{suite}-slim"),
        });
        Self { base, runtime }
    }
}

/// What the build stages have in common.
struct Workshop<'a> {
    project: &'a Project,
    rust: &'a RustProject,
    config: &'a Config,
    layered: bool,
}

impl Workshop<'_> {
    fn profile(&self) -> &str {
        self.config.profile.as_deref().unwrap_or("release")
    }

    fn profile_words(&self) -> Vec<String> {
        match self.profile() {
            "release" => vec!["--release".to_owned()],
            profile => vec!["--profile".to_owned(), profile.to_owned()],
        }
    }

    /// What to build.
    fn select(&self, binary: &Binary) -> Vec<String> {
        let mut words = self.profile_words();
        words.extend(["--package".into(), binary.package.clone(), "--bin".into(), binary.name.clone()]);
        if self.config.no_default_features {
            words.push("--no-default-features".into());
        }
        if !binary.features.is_empty() {
            words.extend(["--features".into(), binary.features.join(",")]);
        }
        words
    }

    fn binary_path(&self, binary: &Binary) -> String {
        let triple = self.rust.target.as_ref().map(|target| format!("{target}/")).unwrap_or_default();
        let folder = match self.profile() {
            "dev" | "test" => "debug",
            "bench" => "release",
            profile => profile,
        };
        format!("/app/target/{triple}{folder}/{}", binary.name)
    }

    /// The caches: what was downloaded, and (where it lasts) the target folder with the sources it was built from.
    fn cached(&self, step: Step, lasting: bool) -> Step {
        let mut step = step.cache("cargo-home", CARGO_HOME);
        if lasting {
            step = step.locked_cache(format!("{}-target{PER_PLATFORM}", slug(&self.project.name)), "/app");
        }
        step.credentials(&self.rust.credentials)
    }

    fn base(&self, images: &Images) -> Result<Stage> {
        let (rust, config) = (self.rust, self.config);
        let mut stage = Stage::from_image("base", &images.base);
        let mut packages = rust.build_packages.clone();
        packages.extend(config.build_packages.iter().cloned());
        if family(&images.base) == Family::Alpine {
            packages.insert("libc6-dev".into());
        }
        if self.layered {
            packages.insert("rsync".into());
        }
        stage.maybe(install("system", &packages, &images.base)?);
        stage.push(Step::workdir(if self.layered { MANIFEST } else { "/app" }));
        let toolchain = &rust.toolchain;
        if toolchain.fetch
            && let Some(file) = &toolchain.file
        {
            stage.push(Step::copy("toolchain-file", [file.as_str()], "./").change(Change::Base));
            let step =
                Step::run("toolchain", "rust/toolchain").flag("fetch", true).flag("both", false).flag("more", false);
            stage.push(
                step.words("words", [""; 0])
                    .seconds(30.0)
                    .change(Change::Base)
                    .why("the image does not have this toolchain"),
            );
        } else if toolchain.file.is_some() {
            // rustup would fetch a second copy of what the image has under another name.
            let step = Step::env_from("toolchain", [("RUSTUP_TOOLCHAIN", "RUST_VERSION")]);
            stage.push(step.comment("The image's own toolchain, whatever name rust-toolchain gives it."));
        }
        for (id, words, list) in [
            ("components", ["component", "add"], &toolchain.components),
            ("targets", ["target", "add"], &toolchain.targets),
        ] {
            let words = words.into_iter().map(str::to_owned).chain(list.iter().cloned());
            if !list.is_empty() {
                let step = Step::run(id, "rust/toolchain").flag("fetch", false).flag("both", false).flag("more", true);
                stage.push(step.words("words", words).change(Change::Base));
            }
        }
        let mut env = rust.build_env.clone();
        env.push(("CARGO_HOME".into(), CARGO_HOME.into()));
        if !self.layered || rust.target_dir.is_some() {
            env.push(("CARGO_TARGET_DIR".into(), "/app/target".into()));
        }
        if config.incremental {
            env.push(("CARGO_INCREMENTAL".into(), "1".into()));
            if !rust.sets_codegen_units {
                // rustc takes 256 units when it works incrementally, and what it builds is slower then.
                let profile = self.profile().to_ascii_uppercase().replace('-', "_");
                env.push((format!("CARGO_PROFILE_{profile}_CODEGEN_UNITS"), "16".into()));
            }
        }
        env.retain(|(name, _)| !config.build_env.contains_key(name));
        env.extend(config.build_env.clone());
        stage.push(Step::env("environment", env).after(["workdir"]));
        Ok(stage)
    }
    fn lock(&self, declaration: &Declaration) -> Stage {
        let binary = &self.rust.binary.name;
        let mut stage = Stage::from_stage("lock", "base")
            .comment(format!("What {binary} depends on, as its crates declare it. Cargo.lock is cut down to that, so that a new version"))
            .comment("of the project, or of what only its tests use, compiles no dependency again.");
        stage.push(Step::file("declaration", "rust/dependencies").words("lines", declaration.manifest.clone()));
        for (dir, files) in self.settings(declaration) {
            let id = format!("settings-{}", slug(&dir));
            stage.push(Step::copy(&id, files, &dir).change(Change::Manifest).after(["declaration"]));
        }
        for dir in self.rust.vendored.iter().chain(&declaration.folders) {
            let id = format!("folder-{}", slug(dir.as_str()));
            let copy = Step::copy(&id, [dir.as_str()], &format!("./{dir}/"));
            stage.push(copy.change(Change::Manifest).after(["declaration"]));
        }
        let before: Vec<String> = stage.steps.iter().map(|step| step.id.clone()).collect();
        let copy = Step::copy("lockfile", ["Cargo.lock"], "./").change(Change::Manifest);
        stage.push(copy.after(before));
        let step = self.cached(Step::run("lock", "rust/lock"), false);
        stage.push(
            step.seconds(1.5).change(Change::Manifest).why("what comes out differs only when the dependency set does"),
        );
        stage
    }

    /// Cargo's settings, by the folder that they are copied into.
    fn settings<'d>(&self, declaration: &'d Declaration) -> BTreeMap<String, Vec<&'d str>> {
        let mut folders: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for file in &declaration.settings {
            folders.entry(format!("./{}/", file.parent())).or_default().push(file.as_str());
        }
        folders
    }

    fn deps(&self, declaration: &Declaration) -> Stage {
        let mut stage = Stage::from_stage("deps", "base")
            .comment("Compiles the dependencies in a cache that lasts, so that a new one compiles alone, and keeps them as a")
            .comment("layer as well, which a builder without that cache starts from.");
        stage.push(Step::arg("TARGETARCH", None));
        for dir in &declaration.folders {
            // With the times that the crates were compiled with, or cargo compiles them again.
            let id = format!("patch-{}", slug(dir.as_str()));
            stage.push(
                Step::copy(&id, [dir.as_str()], &format!("/deps/app/{dir}/")).change(Change::Manifest).after([""; 0]),
            );
        }
        stage.push(Step::copy_from("lock", "lock", [MANIFEST], "./").change(Change::Lockfile).after([""; 0]));
        let before: Vec<String> = stage.steps.iter().map(|step| step.id.clone()).collect();
        let step = Step::run("deps", "rust/deps").words("select", self.profile_words());
        let step = step.how_to_pass(&self.rust.credentials);
        stage.push(
            self.cached(step, true)
                .seconds(90.0)
                .after(before)
                .why("the longest step: below everything that changes more often"),
        );
        stage
    }

    fn build(&self) -> Stage {
        if !self.layered {
            let mut stage = Stage::from_stage("build", "base");
            stage.push(Step::copy("sources", [Source::from(".")], "./"));
            self.embed(&mut stage);
            let step = Step::run("build", "rust/build-plain")
                .flag("locked", self.rust.locked)
                .words("select", self.select(&self.rust.binary))
                .word("binary_path", self.binary_path(&self.rust.binary))
                .word("out", format!("/out/{}", self.rust.binary.name));
            stage.push(self.cached(step.how_to_pass(&self.rust.credentials), false).seconds(120.0));
            return stage;
        }
        let mut stage = Stage::from_stage("build", "deps");
        let script = Step::file("in-app", "rust/in-app")
            .comment("cargo goes by the times of files, and a checkout says nothing true about them. So it builds in /app, a cache")
            .comment("that lasts: files get a new time there when their content is new, and what was deleted goes.");
        stage.push(script);
        stage.push(Step::workdir("/src"));
        let sources = Step::copy("sources", [Source::from(".")], "./");
        stage.push(sources.why("the sources change with almost every commit"));
        self.embed(&mut stage);
        let step = Step::run("build", "rust/build")
            .words("select", self.select(&self.rust.binary))
            .word("binary_path", self.binary_path(&self.rust.binary));
        stage.push(self.cached(step, true).seconds(20.0));
        stage
    }

    /// Puts front ends that the binary embeds where it looks for them.
    fn embed(&self, stage: &mut Stage) {
        for frontend in self.project.frontends.iter().filter(|frontend| frontend.embedded) {
            stage.push(frontend_output(frontend, "./"));
        }
    }

    /// The build of another binary, in a stage that `docker build` reaches only with `--target`.
    fn other(&self, binary: &Binary, name: &str) -> Stage {
        let mut stage = Stage::from_stage(name, "build");
        let template = if self.layered { "rust/build" } else { "rust/build-plain" };
        let mut step = Step::run("build", template)
            .words("select", self.select(binary))
            .word("binary_path", self.binary_path(binary));
        if !self.layered {
            step = step.flag("locked", self.rust.locked).word("out", format!("/out/{}", binary.name));
        }
        stage.push(self.cached(step, self.layered).seconds(20.0));
        stage
    }
}

/// Copies what a front end's build wrote to where the project has it.
fn frontend_output(frontend: &Frontend, project: &str) -> Step {
    let id = format!("{}-output", frontend.stage);
    let step = Step::copy_from(&id, &frontend.stage, [frontend.built()], &format!("{project}{}/", frontend.output));
    step.why("the front end is built on its own and enters as late as it can")
}

/// What every final image has: packages, the files that the program reads, its environment.
fn runtime(project: &Project, rust: &RustProject, config: &Config, images: &Images) -> Result<Stage> {
    let mut stage = Stage::from_image("runtime", &images.runtime);
    let mut packages = rust.run_packages.clone();
    if family(&images.runtime) == Family::Distroless {
        packages.retain(|package| !IN_DISTROLESS.contains(&package.as_str()));
    }
    packages.extend(config.packages.iter().cloned());
    stage.maybe(install("system", &packages, &images.runtime)?);
    stage.push(Step::workdir("/app"));
    for Served { path, folder } in &rust.runtime_files {
        let id = format!("files-{}", slug(path.as_str()));
        // A folder is copied under its own name, a file into the folder that it comes from.
        let into = if *folder { path.as_str() } else { path.parent() };
        let dest = if into.is_empty() { "./".to_owned() } else { format!("./{into}/") };
        stage.push(Step::copy(&id, [path.as_str()], &dest).change(Change::Manifest).why("read when the program runs"));
    }
    for frontend in project.frontends.iter().filter(|frontend| !frontend.embedded) {
        stage.push(frontend_output(frontend, "./").linked());
    }
    let mut env: Vec<(String, String)> = rust.run_env.clone();
    env.retain(|(name, _)| !config.env.contains_key(name));
    env.extend(config.env.clone());
    if !env.is_empty() {
        stage.push(Step::env("environment", env));
    }
    Ok(stage)
}

/// Puts a binary into a final stage.
fn copy_binary(binary: &Binary, from: &str) -> Step {
    let step = Step::copy_from("binary", from, [format!("/out/{}", binary.name)], "/usr/local/bin/");
    step.linked().why("the application's own layer, the last one")
}

/// The final stage of another binary.
fn other(config: &Config, images: &Images, binary: &Binary, name: &str, from: &str) -> Stage {
    let mut stage = Stage::from_stage(name, "runtime");
    stage.push(copy_binary(binary, from));
    let service = Service {
        entrypoint: vec![format!("/usr/local/bin/{}", binary.name)],
        user: default_user(&images.runtime).into(),
        ..Service::default()
    };
    let mut config = config.clone();
    config.command = None;
    config.port = None;
    finish(&mut stage, &service, &config);
    stage
}

/// What only developers need.
fn ignore(rust: &RustProject) -> Vec<(String, Vec<String>)> {
    let mut patterns = vec![
        "**/target".to_owned(),
        "**/*.rs.bk".into(),
        "**/*.profraw".into(),
        "**/proptest-regressions".into(),
        "**/README.md".into(),
        "**/CHANGELOG.md".into(),
    ];
    for (kind, folder) in [("test", "tests"), ("bench", "benches"), ("example", "examples")] {
        if !rust.explicit_targets.contains(kind) {
            patterns.push(folder.to_owned());
            patterns.push(format!("**/{folder}"));
        }
    }
    patterns.extend(
        ["rustfmt.toml", ".rustfmt.toml", "clippy.toml", "deny.toml", "release.toml", "cliff.toml"].map(str::to_owned),
    );
    vec![("Rust: build output, and what only tests read".into(), patterns)]
}
