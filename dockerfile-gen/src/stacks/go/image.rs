//! The stages of a Go service.
//!
//! Input: [`GoProject`]. Output: [`Plan`]. The one idea: the Dockerfile declares which packages the program imports, so
//! they are compiled before any source is there, into a layer for builders that start empty and into caches for others.
//!
//! ```text
//! base -> deps    go.mod, the declared imports, and what they compile to
//!      -> build -> build-NAME ...
//! ```

mod context;
mod runtime;

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Config;
use crate::error::{Error, Result};
use crate::plan::dockerignore;
use crate::plan::names::stage_name;
use crate::plan::system::{self, Family, SUITE};
use crate::plan::{Change, Input, Plan, Source, Stage, Step};
use crate::stacks::frontend::Frontend;
use crate::stacks::go::{GoMain, GoProject, MissingEmbed};
use crate::stacks::project::Project;
use context::Context;

/// Where the project lies in the build stages.
const SRC: &str = "/src";

/// Where the go command keeps modules: a cache mount, as in the official images.
const GOMODCACHE: &str = "/go/pkg/mod";

/// Where the go command keeps what it compiled: a cache mount.
const GOCACHE: &str = "/root/.cache/go-build";

/// What the listing of the declared packages prints: those that there are not.
const ERRORS: &str = "{{with .Error}}{{.}}{{end}}";

/// Plans the image.
///
/// # Errors
/// [`Error::CannotStart`] if what is embedded is not there and nothing builds it, [`Error::Unsupported`] for images
/// that the steps cannot run on.
pub(crate) fn plan(project: &Project, go: &GoProject, config: &Config) -> Result<Plan> {
    let Some((main, others)) = go.mains.split_first() else {
        return Err(Error::CannotStart { reason: "no main package".into(), hint: "`--bin` chooses one".into() });
    };
    let cross = !go.cgo && !config.compat;
    let mut context = Context { project, go, config, cross, embedded: Vec::new(), names: names(project, go) };
    let outputs = embedded_outputs(&context)?;
    context.embedded = outputs.iter().flat_map(|output| &output.reads).filter_map(stage_read).collect();
    let base = config.base.clone().unwrap_or_else(|| format!("golang:{}-{SUITE}", go.version));
    let runtime = runtime::runtime(go, config, &base)?;

    let mut stages = vec![first(&context, &base)?];
    stages.push(deps(&context)?);
    for frontend in &project.frontends {
        stages.extend(crate::stacks::node::image::frontend(frontend, config)?);
    }
    stages.push(build(&context, main, outputs));
    for other in others {
        let mut stage = Stage::from_stage(&context.build_stage(other), "build");
        compile(&mut stage, &context, other, false);
        stages.push(stage);
    }
    stages.extend(runtime::stages(&context, main, others, &runtime)?);
    Ok(Plan {
        stages,
        made_from: vec![in_module(go, if go.workspace { "go.work" } else { "go.mod" })],
        ignore: ignored(project, go),
        ..Plan::default()
    })
}

/// What the compiler never reads; the build itself keeps what it embeds.
fn ignored(project: &Project, go: &GoProject) -> Vec<(String, Vec<String>)> {
    let mut patterns: Vec<String> =
        ["**/*_test.go", "**/testdata", "**/*.test", "**/*.out", ".golangci.y*ml", "bin"].map(str::to_owned).into();
    if !go.vendored {
        patterns.push(dockerignore::escape(&in_module(go, "vendor")));
    }
    let mut groups = vec![("Go".to_owned(), patterns)];
    for frontend in &project.frontends {
        groups.push((format!("front end in {}", frontend.dir), crate::stacks::node::image::ignored(&frontend.node)));
    }
    groups
}

/// Where the output of a front end goes in the build stage; refuses what the compiler would refuse: embedded files that
/// nobody makes.
fn embedded_outputs(context: &Context<'_>) -> Result<Vec<Step>> {
    let covers = |output: &str, path: &str| path == output || path.starts_with(&format!("{output}/"));
    let (project, config) = (context.project, context.config);
    let is_made = |path: &str| {
        project.frontends.iter().any(|frontend| covers(frontend.output.as_str(), path))
            || config.keep.iter().any(|keep| covers(keep.trim_end_matches('/'), path))
    };
    let missing: Vec<&MissingEmbed> =
        context.go.missing_embeds.iter().filter(|missing| !is_made(missing.path.as_str())).collect();
    let mut outputs = Vec::new();
    let root = if context.go.dir.is_empty() { "." } else { SRC };
    let mut copy = |frontend: &Frontend, into: &str| {
        let id = format!("{}-output", frontend.stage);
        let step = Step::copy_from(&id, &frontend.stage, [frontend.built()], &format!("{root}/{into}"));
        outputs.push(step.why("the program embeds it, so it must be there before the compiler runs"));
    };
    match (project.frontends.as_slice(), missing.as_slice()) {
        // The user says which front end it is; where its build goes is what is missing.
        ([frontend], [missing]) if config.frontend.is_some() => copy(frontend, missing.path.as_str()),
        (frontends, []) => {
            frontends.iter().filter(|f| f.embedded).for_each(|frontend| copy(frontend, frontend.output.as_str()));
        }
        (_, [missing, ..]) if config.steps.is_empty() => {
            return Err(Error::CannotStart {
                reason: format!(
                    "{}:{} embeds `{}`, which is not in the project, and no front end that was found builds it",
                    missing.by, missing.line, missing.path
                ),
                hint: "name the folder of the front end with `frontend`, or add the command that makes it to `steps`"
                    .into(),
            });
        }
        (frontends, _) => {
            frontends.iter().filter(|f| f.embedded).for_each(|frontend| copy(frontend, frontend.output.as_str()));
        }
    }
    Ok(outputs)
}

fn first(context: &Context<'_>, base: &str) -> Result<Stage> {
    if system::family(base) == Family::Distroless {
        return Err(Error::Unsupported {
            reason: format!("`{base}` has no shell to compile in"),
            hint: "choose an image with the go command with `base`, such as `golang:1.26-trixie`".into(),
        });
    }
    let (go, config) = (context.go, context.config);
    let mut stage = Stage::from_image("base", base);
    stage.native = context.cross;
    stage.push(Step::workdir(SRC));
    let mut packages = go.build_packages.clone();
    packages.extend(config.build_packages.iter().cloned());
    if go.cgo && system::family(base) == Family::Alpine {
        packages.extend(["gcc".to_owned(), "libc6-dev".to_owned()]);
    }
    stage.maybe(system::install("packages", &packages, base)?);
    let mut flags = vec!["-buildvcs=false".to_owned(), "-trimpath".to_owned()];
    if !go.tags.is_empty() {
        flags.push(format!("-tags={}", go.tags.join(",")));
    }
    let mut environment = vec![
        ("CGO_ENABLED".to_owned(), if go.cgo { "1" } else { "0" }.to_owned()),
        ("GOFLAGS".to_owned(), flags.join(" ")),
    ];
    if go.exact_toolchain {
        // The official images refuse to fetch a patch release newer than their own.
        environment.push(("GOTOOLCHAIN".into(), "auto".into()));
    }
    if let Some(private) = &go.private {
        environment.push(("GOPRIVATE".into(), private.clone()));
    }
    if config.base.is_some() {
        environment.push(("GOCACHE".into(), GOCACHE.into()));
        environment.push(("GOMODCACHE".into(), GOMODCACHE.into()));
    }
    environment.retain(|(name, _)| !config.build_env.contains_key(name));
    environment.extend(config.build_env.iter().map(|(name, value)| (name.clone(), value.clone())));
    stage.push(Step::env("environment", environment).why("every go command of the build agrees on these"));
    if context.cross {
        stage.push(
            Step::arg("TARGETOS", None)
                .comment("Compiled on the builder's own platform, for the one that the image is for."),
        );
        stage.push(Step::arg("TARGETARCH", None));
        stage.push(Step::env_from("platform", [("GOOS", "TARGETOS"), ("GOARCH", "TARGETARCH")]));
    }
    Ok(stage)
}

/// A path beside go.mod.
fn in_module(go: &GoProject, path: &str) -> String {
    if go.dir.is_empty() { path.to_owned() } else { format!("{}/{path}", go.dir) }
}

/// What the program imports, compiled before the sources are there.
fn deps(context: &Context<'_>) -> Result<Stage> {
    let go = context.go;
    let mut stage = Stage::from_stage("deps", "base")
        .comment("Dependencies, compiled: again only when go.mod, go.sum or the list of imports changes.");
    stage.maybe(enter(go));
    for step in manifests(go)? {
        stage.push(step);
    }
    if go.vendored {
        stage.push(Step::copy("vendor", [in_module(go, "vendor")], "./vendor").change(Change::Lockfile));
    }
    if go.imports.is_empty() {
        return Ok(stage);
    }
    stage.push(
        Step::file("declare", "go/declare")
            .words("imports", go.imports.iter().cloned())
            .change(Change::Manifest)
            .comment(
                "The direct imports. One that is missing here is compiled by the build instead: right, but slower.",
            )
            .why("says what to compile before any source is there"),
    );
    stage.push(
        with_modules(Step::run("compile", "go/deps"), context)
            .locked_cache(format!("{}-go-deps", context.project.name), GOCACHE)
            .word("errors", ERRORS)
            .flag("modules", needs_modules(go))
            .flag("workspace", go.workspace && !go.vendored)
            .comment("`-export` compiles, `-e` passes over imports that go.mod no longer has. The layer is for builders whose")
            .comment("caches are empty.")
            .how_to_pass(&go.credentials)
            .change(Change::Manifest)
            .seconds(60.0)
            .why("most of a build is spent here, and no edit of the project's own code changes it"),
    );
    Ok(stage)
}

/// The go.mod and go.sum of each module, where they are in the project.
fn manifests(go: &GoProject) -> Result<Vec<Step>> {
    let mut files: Vec<(String, [Source; 2])> = Vec::new();
    let of = |dir: &str, first: &str, others: &str| {
        let first = if dir.is_empty() { first.to_owned() } else { format!("{dir}/{first}") };
        Ok::<_, Error>([Source::Path(first), Source::pattern_in(dir, others)?])
    };
    if go.workspace {
        files.push((go.dir.clone(), of(&go.dir, "go.work", "go.work.sum*")?));
    }
    // Beside a vendor folder, only a workspace asks for the manifests of its members.
    let others = go.modules.iter().filter(|module| go.workspace || !go.vendored || module.dir == go.dir);
    for module in others {
        files.push((module.dir.clone(), of(&module.dir, "go.mod", "go.sum*")?));
    }
    let step = |(index, (dir, sources)): (usize, (String, [Source; 2]))| {
        let id = if index == 0 { "manifests".to_owned() } else { format!("manifest-{index}") };
        let dest = match dir.strip_prefix(go.dir.as_str()).map(|rest| rest.trim_start_matches('/')) {
            Some("") => "./".to_owned(),
            Some(rest) if go.dir.is_empty() || dir.starts_with(&format!("{}/", go.dir)) => format!("./{rest}/"),
            _ => format!("{SRC}/{dir}/").replace("//", "/"),
        };
        Step::copy(&id, sources, &dest).change(Change::Manifest).why("Go has little else in it")
    };
    Ok(files.into_iter().enumerate().map(step).collect())
}

/// Whether the go command may fetch anything.
fn needs_modules(go: &GoProject) -> bool {
    go.has_requires && !go.vendored || go.exact_toolchain
}

/// Mounts the modules, and what fetching private ones needs.
fn with_modules(step: Step, context: &Context<'_>) -> Step {
    if !needs_modules(context.go) {
        return step;
    }
    step.cache(format!("{}-go-modules", context.project.name), GOMODCACHE).credentials(&context.go.credentials)
}

/// Goes into the folder of the module, for this stage and all that start from it.
fn enter(go: &GoProject) -> Option<Step> {
    let step = Step::workdir(&format!("{SRC}/{}", go.dir)).why("the go command runs where go.mod is");
    (!go.dir.is_empty()).then_some(step)
}

fn build(context: &Context<'_>, main: &GoMain, outputs: Vec<Step>) -> Stage {
    let mut stage = Stage::from_stage("build", "deps");
    stage.push(Step::copy("sources", ["."], if context.go.dir.is_empty() { "./" } else { "/src/" }));
    for output in outputs {
        stage.push(output);
    }
    if context.go.version_variable.is_some() {
        stage.push(Step::arg("VERSION", None).why("declared late: another version compiles nothing again"));
    }
    compile(&mut stage, context, main, !context.go.imports.is_empty());
    stage
}

fn compile(stage: &mut Stage, context: &Context<'_>, main: &GoMain, seeds: bool) {
    let variable = context.go.version_variable.as_ref();
    let step = with_modules(Step::run("build", "go/build"), context)
        .word("package", package(context.go, main))
        .word("output", format!("/out/{}", main.name))
        .word("variable", variable.cloned().unwrap_or_default())
        .flag("seeds", seeds)
        .flag("stamped", variable.is_some())
        .cache(format!("{}-go-build", context.project.name), GOCACHE)
        .change(Change::Source)
        .seconds(10.0);
    stage.push(if seeds { step.comment("Fills empty caches from the layer.") } else { step });
}

fn stage_read(read: &Input) -> Option<String> {
    match read {
        Input::Stage { stage, .. } => Some(stage.clone()),
        Input::Context(_) | Input::Image { .. } => None,
    }
}

fn package(go: &GoProject, main: &GoMain) -> String {
    let dir = main.dir.strip_prefix(&go.dir).unwrap_or(&main.dir).trim_start_matches('/');
    if dir.is_empty() { ".".into() } else { format!("./{dir}") }
}

/// Names for the final stages that no other stage has.
fn names(project: &Project, go: &GoProject) -> BTreeMap<String, String> {
    let own = ["base", "deps", "build", "system", "runtime"];
    let mut taken: BTreeSet<String> = own.map(str::to_owned).into();
    taken.extend(project.frontends.iter().flat_map(Frontend::stages));
    let mut names = BTreeMap::new();
    for main in &go.mains {
        let mut name = stage_name(&main.name, &mut taken);
        // The stage that compiles it is named after it.
        while !taken.insert(format!("build-{name}")) {
            name = stage_name(&name, &mut taken);
        }
        names.insert(main.dir.clone(), name);
    }
    names
}
