//! The stages of a Go service.
//!
//! Input: [`GoProject`]. Output: [`Plan`]. The one idea: Go's caches are keyed by content, so the modules, and what they
//! compile to, can lie in layers that a fresh builder imports, while a lasting one goes on with its caches.
//!
//! ```text
//! base -> manifests    go.mod and go.sum of every member of a workspace
//!      -> deps         the modules, as archives
//!           -> imports     which packages the program imports: runs at every edit, hardly ever says something new
//!           -> compiled    those packages, compiled
//!                -> build -> build-NAME ...
//! ```

mod runtime;

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{Config, Manifests};
use crate::error::{Error, Result};
use crate::plan::dockerignore;
use crate::plan::names::stage_name;
use crate::plan::system::{self, Family, SUITE};
use crate::plan::{Change, Input, Mount, Plan, Source, Stage, Step};
use crate::stacks::Project;
use crate::stacks::frontend::Frontend;
use crate::stacks::go::{GoMain, GoProject, MissingEmbed};

/// Where the project lies in the build stages.
const SRC: &str = "/src";

/// Where the go command keeps modules: a cache mount, as in the official images.
const GOMODCACHE: &str = "/go/pkg/mod";

/// Where the go command keeps what it compiled: a cache mount.
const GOCACHE: &str = "/root/.cache/go-build";

/// The part of it that the dependencies consist of, in a layer.
const GOCACHE_LAYER: &str = "/var/cache/go-build";

/// The packages that a program imports and that are not part of the project, one a line.
const OUTSIDE: &str = "{{if or .Standard (and .Module (not .Module.Main))}}{{.ImportPath}}{{end}}";

/// The same, where folders of the project stand in for modules: they are not there yet when this list is compiled.
const OUTSIDE_REPLACED: &str = "{{if .Standard}}{{.ImportPath}}{{else if .Module}}{{if not (or .Module.Main \
                                (and .Module.Replace (not .Module.Replace.Version)))}}{{.ImportPath}}{{end}}{{end}}";

/// What the steps of one plan have in common.
struct Context<'a> {
    project: &'a Project,
    go: &'a GoProject,
    config: &'a Config,
    /// Whether the build stages run on the builder's platform and compile for the target's.
    cross: bool,
    /// Whether dependencies are compiled in a layer of their own.
    layered: bool,
    /// Stages of front ends whose output becomes part of the binary.
    embedded: Vec<String>,
    /// By the folder of a program, the name of its final stage.
    names: BTreeMap<String, String>,
}

impl Context<'_> {
    /// The name of the final stage of a program.
    fn stage_name(&self, main: &GoMain) -> &str {
        self.names.get(&main.dir).map_or("app", String::as_str)
    }

    /// The name of the stage that compiles a program which is not the default one.
    fn build_stage(&self, main: &GoMain) -> String {
        format!("build-{}", self.stage_name(main))
    }
}

/// Plans the image.
///
/// # Errors
/// [`Error::CannotStart`] if what is embedded is not there and nothing builds it, [`Error::Unsupported`] for images
/// that the steps cannot run on.
pub fn plan(project: &Project, go: &GoProject, config: &Config) -> Result<Plan> {
    let Some((main, others)) = go.mains.split_first() else {
        return Err(Error::CannotStart { reason: "no main package".into(), hint: "`--bin` chooses one".into() });
    };
    let layered = config.manifests != Some(Manifests::Copy);
    let cross = !go.cgo && !config.compat;
    let mut context = Context { project, go, config, cross, layered, embedded: Vec::new(), names: names(project, go) };
    let outputs = embedded_outputs(&context)?;
    context.embedded = outputs.iter().flat_map(|output| &output.reads).filter_map(stage_read).collect();
    let base = config.base.clone().unwrap_or_else(|| format!("golang:{}-{SUITE}", go.version));
    let runtime = runtime::runtime(go, config, &base)?;

    let mut stages = vec![first(&context, &base)?];
    if has_many_manifests(&context) {
        stages.push(manifests());
    }
    stages.push(deps(&context)?);
    if layered {
        stages.push(imports(&context, main));
        stages.push(compiled(&context));
    }
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
    Ok(stage)
}

/// A path beside go.mod.
fn in_module(go: &GoProject, path: &str) -> String {
    if go.dir.is_empty() { path.to_owned() } else { format!("{}/{path}", go.dir) }
}

/// Whether more than one go.mod decides the modules.
fn has_many_manifests(context: &Context<'_>) -> bool {
    (context.go.workspace || context.go.local_replaces) && !context.go.vendored
}

/// Finds the manifests where they are, so that a new member needs no new Dockerfile.
fn manifests() -> Stage {
    let mut stage = Stage::from_stage("manifests", "base")
        .comment("The go.mod and go.sum of every module: runs at every edit, but its result changes only with them.");
    stage.push(
        Step::run("manifests", "go/manifests")
            .mount(Mount::Bind { from: None, source: ".".into(), target: SRC.into(), writable: false })
            .change(Change::Source)
            .seconds(0.5)
            .why("finds the members by itself, so that a new one needs no new Dockerfile"),
    );
    stage
}

/// The modules in a layer, which a fresh builder imports; the cache mount below it keeps them for the next change.
fn deps(context: &Context<'_>) -> Result<Stage> {
    let go = context.go;
    let mut stage = Stage::from_stage("deps", "base");
    if go.vendored {
        stage = stage.comment("Modules come from the vendor folder.");
    } else if go.has_requires {
        stage = stage.comment("Modules: fetched again only when go.mod or go.sum changes, and then only what is new.");
    }
    if has_many_manifests(context) {
        stage.push(Step::copy_from("manifests", "manifests", ["/tmp/manifests/"], "./").change(Change::Lockfile));
        stage.maybe(enter(go));
    } else {
        stage.maybe(enter(go));
        let first = if go.workspace { "go.work" } else { "go.mod" };
        let others = if go.workspace { "go.work.sum*" } else { "go.sum*" };
        let manifests = [Source::from(in_module(go, first)), Source::pattern_in(&go.dir, others)?];
        stage.push(Step::copy("manifests", manifests, "./").change(Change::Manifest).why("Go has little else in it"));
    }
    if go.vendored {
        for (index, module) in go.modules.iter().filter(|_| go.workspace).enumerate() {
            let (id, folder) = (format!("manifest-{index}"), format!("{SRC}/{}/", module.dir));
            let file = if module.dir.is_empty() { "go.mod".into() } else { format!("{}/go.mod", module.dir) };
            stage.push(Step::copy(&id, [file], &folder).change(Change::Manifest));
        }
        stage.push(Step::copy("vendor", [in_module(go, "vendor")], "./vendor").change(Change::Lockfile));
    } else if downloads(go) {
        let mut download = with_modules(Step::run("download", "go/download"), go)
            .credentials(&go.credentials)
            .change(Change::Manifest)
            .seconds(20.0)
            .comment(
                "The layer is for builders that start empty; the cache lets others fetch and unpack nothing twice.",
            )
            .comment("hadolint ignore=DL4006")
            .why("modules in a layer are there on a builder that has nothing but a registry cache");
        if !go.credentials.is_empty() {
            download = download.comment("Private modules: docker build --secret id=netrc,src=$HOME/.netrc .");
        }
        stage.push(download);
    }
    if context.cross {
        stage.push(
            Step::arg("TARGETOS", None)
                .comment("What is compiled for; the modules above are the same for all platforms."),
        );
        stage.push(Step::arg("TARGETARCH", None));
        stage.push(Step::env_from("system", "GOOS", "TARGETOS"));
        stage.push(Step::env_from("architecture", "GOARCH", "TARGETARCH"));
    }
    Ok(stage)
}

/// Whether modules are fetched at all.
fn downloads(go: &GoProject) -> bool {
    go.has_requires && !go.vendored
}

/// Mounts the modules. On a builder that has none, the go command takes them from the layer instead of a network; but a
/// toolchain that it has to fetch is checked against a database that no layer holds.
fn with_modules(step: Step, go: &GoProject) -> Step {
    let step = step.flag("modules", downloads(go)).flag("toolchain", downloads(go) && go.exact_toolchain);
    if downloads(go) || go.exact_toolchain { step.cache("go-modules", GOMODCACHE) } else { step }
}

/// Goes into the folder of the module, for this stage and all that start from it.
fn enter(go: &GoProject) -> Option<Step> {
    let step = Step::workdir(&format!("{SRC}/{}", go.dir)).why("the go command runs where go.mod is");
    (!go.dir.is_empty()).then_some(step)
}

fn imports(context: &Context<'_>, main: &GoMain) -> Stage {
    let mut stage = Stage::from_stage("imports", "deps")
        .comment("What the program imports: listed at every edit, but the list itself hardly ever changes.");
    if context.go.exact_toolchain && downloads(context.go) {
        stage = stage.comment("`go version` fetches the patch release that go.mod demands, where the image is older.");
    }
    let format = if context.go.local_replaces && !context.go.vendored { OUTSIDE_REPLACED } else { OUTSIDE };
    stage.push(
        with_modules(Step::run("imports", "go/imports"), context.go)
            .mount(Mount::Bind { from: None, source: ".".into(), target: SRC.into(), writable: false })
            .word("format", format)
            .word("package", package(context.go, main))
            .change(Change::Source)
            .seconds(1.0)
            .why("COPY is keyed by content: the same list compiles nothing again"),
    );
    stage
}

fn compiled(context: &Context<'_>) -> Stage {
    let mut stage = Stage::from_stage("compiled", "deps")
        .comment("Dependencies and the standard library, compiled: again only when a module or the list changes.");
    stage.push(Step::copy_from("import-list", "imports", ["/tmp/imports"], "/tmp/").change(Change::Lockfile));
    stage.push(
        with_modules(Step::run("compile", "go/compile"), context.go)
            .locked_cache(format!("{}-go-build", context.project.name), GOCACHE)
            .comment(
                "The go command marks what it uses, once an hour; what has a new mark is what this set consists of.",
            )
            .change(Change::Lockfile)
            .seconds(60.0)
            .why("most of a build is spent here, and no edit of the project's own code changes it"),
    );
    stage
}

fn build(context: &Context<'_>, main: &GoMain, outputs: Vec<Step>) -> Stage {
    let from = if context.layered { "compiled" } else { "deps" };
    let mut stage = Stage::from_stage("build", from);
    stage.push(Step::copy("sources", ["."], if context.go.dir.is_empty() { "./" } else { "/src/" }));
    for output in outputs {
        stage.push(output);
    }
    if context.go.version_variable.is_some() {
        stage.push(Step::arg("VERSION", None).why("declared late: another version compiles nothing again"));
    }
    compile(&mut stage, context, main, context.layered);
    stage
}

fn compile(stage: &mut Stage, context: &Context<'_>, main: &GoMain, seeds: bool) {
    let variable = context.go.version_variable.as_ref();
    let step = with_modules(Step::run("build", "go/build"), context.go)
        .word("package", package(context.go, main))
        .word("output", format!("/out/{}", main.name))
        .word("variable", variable.cloned().unwrap_or_default())
        .word("layer", if seeds { GOCACHE_LAYER } else { "" })
        .word("cache", GOCACHE)
        .flag("stamped", variable.is_some())
        .cache(format!("{}-go-build", context.project.name), GOCACHE)
        .change(Change::Source)
        .seconds(10.0);
    stage.push(if seeds { step.comment("A builder that has no cache starts from the layers.") } else { step });
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
    let own = ["base", "manifests", "deps", "imports", "compiled", "build", "system", "runtime"];
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
