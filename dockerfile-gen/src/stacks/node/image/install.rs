//! The stages that install dependencies.
//!
//! Input: the layout. Output: `base`, `manifests`, `deps` and `prod-deps`. The one idea: each install reads what the
//! `manifests` stage wrote, which stays the same until the dependency set changes.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Manifests;
use crate::error::Result;
use crate::facts::Credential;
use crate::plan::system::{self, Family};
use crate::plan::{Change, Source, Stage, Step};
use crate::stacks::node::workspace::ALL_MANIFESTS;
use crate::stacks::node::{Manager, ManagerKind, NodeProject};
use crate::tree::within;

use super::layout::{Layout, has_build, has_modules, inside, runs_on_bun};

/// Plans the stages.
pub(super) fn stages(layout: &Layout<'_>) -> Result<Vec<Stage>> {
    let mut stages = vec![base(layout)?];
    if !copies_all(layout) {
        stages.push(manifests(layout)?);
    }
    let only_production = !has_build(layout.node) && !layout.node.needs_development && layout.node.prisma.is_none();
    stages.push(deps(layout, only_production)?);
    if !only_production && has_modules(layout.node) && !layout.node.needs_development {
        stages.extend(production(layout)?);
    }
    Ok(stages)
}

/// The stage that holds the modules of the running program.
pub(super) fn modules_stage(layout: &Layout<'_>) -> String {
    let node = layout.node;
    let separate =
        (has_build(node) || node.prisma.is_some()) && !node.needs_development && node.can_leave_out_development();
    layout.name(if separate { "prod-deps" } else { "deps" })
}

fn base(layout: &Layout<'_>) -> Result<Stage> {
    let node = layout.node;
    let mut stage = Stage::from_image(&layout.name("base"), layout.image.clone());
    stage.push(Step::workdir(&layout.workdir).after([] as [&str; 0]));
    let mut packages: BTreeSet<String> = node.system.build.clone();
    packages.extend(layout.config.build_packages.iter().cloned());
    let install = system::install("packages", &packages, &layout.image)?;
    stage.maybe(install.map(|step| step.after([] as [&str; 0])));
    let mut env: Vec<(&str, &str)> = Vec::new();
    match node.manager.kind {
        // The store lies where the cache mount is, on whatever file system.
        ManagerKind::Pnpm => env.push(("PNPM_HOME", "/pnpm")),
        ManagerKind::YarnBerry if own_cache(node) => {}
        // Packages that Plug'n'Play reads must be part of the layer; others are unpacked from a cache mount.
        ManagerKind::YarnBerry => {
            env.push(("YARN_ENABLE_GLOBAL_CACHE", if node.manager.pnp { "false" } else { "true" }));
        }
        ManagerKind::Npm | ManagerKind::YarnClassic | ManagerKind::Bun => {}
    }
    env.extend(node.system.env.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    if !env.is_empty() {
        stage.push(Step::env("environment", env).after([] as [&str; 0]));
    }
    if let Some(package) = node.manager.install.as_ref().filter(|_| !runs_on_bun(node)) {
        let step = Step::run("manager", "node/manager")
            .word("package", package)
            // The image's own `yarn` is in the way of another one.
            .flag("force", node.manager.kind == ManagerKind::YarnBerry)
            .cache("npm", "/root/.npm");
        stage.push(step.after([] as [&str; 0]).change(Change::Tool).why("the exact version that the project asks for"));
    }
    Ok(stage)
}

/// Whether the project carries its packages with it.
fn own_cache(node: &NodeProject) -> bool {
    node.input_folders.iter().any(|folder| folder == ".yarn/cache")
}

/// What an install reads, with the manifests, and the lockfile where it repeats them, reduced to what decides.
fn manifests(layout: &Layout<'_>) -> Result<Stage> {
    let node = layout.node;
    let mut stage = Stage::from_stage(&layout.name("manifests"), &layout.name("base")).comment(
        "What an install reads, without the fields that it does not use: so a new version or script installs nothing.",
    );
    let lock = reduced_lockfile(node);
    let whole = if node.workspace { node.member_manifests.clone() } else { Vec::new() };
    stage.steps.extend(copies(layout, whole.is_empty())?.into_iter().filter(is_beside_manifests));
    if !whole.is_empty() {
        let root = if node.root.as_str().is_empty() { ".".to_owned() } else { format!("{}/", node.root) };
        let files = ["package.json"].into_iter().chain(lock).chain(whole.iter().map(String::as_str));
        let step = Step::copy("members", [root], "./").only(files).after([] as [&str; 0]).change(Change::Manifest);
        stage.push(step.comment("The manifests of all members, also of those that come later, and no other file."));
    }
    let copied: Vec<String> = stage.steps.iter().map(|step| step.id.clone()).collect();
    // Yarn 1 links no member without a version.
    let keeps_versions = !whole.is_empty() && node.manager.kind == ManagerKind::YarnClassic;
    let about = ABOUT.into_iter().filter(|field| *field != "version" || !keeps_versions);
    let template = if lock.is_none() && whole.is_empty() { "node/manifest" } else { "node/manifests" };
    let mut step = Step::run("reduce", template)
        .words("program", if runs_on_bun(node) { &["bun", "run", "-"][..] } else { &["node"] }.iter().copied())
        .words("about", about)
        .words("tools", TOOLS)
        .flag("workspace", !whole.is_empty())
        .flag("lock", lock.is_some())
        .flag("lenient", whole.iter().any(|pattern| pattern == ALL_MANIFESTS))
        .word("lockfile", lock.unwrap_or_default())
        .after(copied)
        .seconds(0.3)
        .change(Change::Manifest)
        .why("reduces the manifests to what decides the dependency set");
    if lock.is_some() {
        step = step.comment("The lockfile repeats these fields for the project's own packages.");
    }
    if !whole.is_empty() && !keeps_versions {
        step = step.comment("The version of a member stays if another one asks for a range of versions.");
    }
    stage.push(step);
    Ok(stage)
}

/// What a manifest says about the package; nothing of it decides what is installed.
const ABOUT: [&str; 10] = [
    "version",
    "description",
    "keywords",
    "author",
    "contributors",
    "license",
    "repository",
    "homepage",
    "bugs",
    "funding",
];

/// What a manifest says to tools that run later, or that have run when dependencies are installed.
const TOOLS: [&str; 12] = [
    "scripts",
    "engines",
    "packageManager",
    "devEngines",
    "main",
    "module",
    "types",
    "exports",
    "files",
    "eslintConfig",
    "jest",
    "prettier",
];

/// The lockfile where it is JSON and repeats what the manifests say.
fn reduced_lockfile(node: &NodeProject) -> Option<&str> {
    node.manager.lockfile.as_deref().filter(|file| file.ends_with(".json"))
}

/// Adds the steps that put the manifests into a stage.
fn receive(stage: &mut Stage, layout: &Layout<'_>) -> Result<()> {
    if copies_all(layout) {
        stage.steps.extend(copies(layout, true)?);
        return Ok(());
    }
    let from = format!("{}/", layout.workdir);
    let step = Step::copy_from("manifests", &layout.name("manifests"), [from], "./");
    stage.push(step.change(Change::Lockfile).after([] as [&str; 0]).why("what decides the dependency set"));
    stage.steps.extend(copies(layout, false)?.into_iter().filter(|step| !is_beside_manifests(step)));
    Ok(())
}

/// Whether a step copies what lies beside the root's manifest. Local packages and patches are no manifests to reduce.
fn is_beside_manifests(step: &Step) -> bool {
    step.id == "manifests"
}

/// Whether the manifests are copied as they are: `--exclude` is not known to all builders.
fn copies_all(layout: &Layout<'_>) -> bool {
    layout.config.manifests == Some(Manifests::Copy) || layout.config.compat && layout.node.workspace
}

/// Copies what an install reads: settings, patches, local packages, the lockfile, and `with_manifests` the manifests.
fn copies(layout: &Layout<'_>, with_manifests: bool) -> Result<Vec<Step>> {
    let node = layout.node;
    let root = node.root.as_str();
    let members = node.members.iter().map(|dir| inside(node, dir.as_str())).filter(|dir| !dir.is_empty());
    let members = members.map(|dir| within(dir, "package.json"));
    let manifests = std::iter::once("package.json".to_owned()).chain(members).filter(|_| with_manifests);
    let lock = node.manager.lockfile.clone().filter(|_| with_manifests || reduced_lockfile(node).is_none());
    let mut folders: BTreeMap<String, Vec<Source>> = BTreeMap::new();
    for file in manifests.chain(lock).chain(node.inputs.clone()) {
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        folders.entry(folder.to_owned()).or_default().push(within(root, &file).into());
    }
    let missing = node.missing_settings.iter().map(|file| Source::pattern_in(root, &format!("{file}*")));
    folders.entry(String::new()).or_default().extend(missing.collect::<Result<Vec<_>>>()?);
    folders.retain(|_, sources| !sources.is_empty());
    for folder in &node.input_folders {
        folders.insert(folder.clone(), vec![within(root, folder).into()]);
    }
    let step = |(folder, sources): (String, Vec<Source>)| {
        if folder.is_empty() {
            return Step::copy("manifests", sources, "./").after([] as [&str; 0]).change(Change::Manifest);
        }
        let step = Step::copy(&format!("manifests-{folder}"), sources, &format!("./{folder}/"));
        step.after([] as [&str; 0]).change(Change::Manifest)
    };
    Ok(folders.into_iter().map(step).collect())
}

fn deps(layout: &Layout<'_>, production: bool) -> Result<Stage> {
    let node = layout.node;
    let mut stage = Stage::from_stage(&layout.name("deps"), &layout.name("base"));
    receive(&mut stage, layout)?;
    if let Some(prisma) = node.prisma.as_ref().filter(|prisma| prisma.in_modules) {
        let file = inside(node, prisma.schema.as_str());
        let is_file = file.ends_with(".prisma");
        let dest = if is_file {
            file.rsplit_once('/').map_or("./".into(), |(dir, _)| format!("./{dir}/"))
        } else {
            format!("./{file}/")
        };
        let step = Step::copy("schema", [prisma.schema.as_str()], &dest).change(Change::Manifest);
        stage.push(step.after([] as [&str; 0]).why("installing Prisma's client generates it from the schema"));
    }
    let needs: Vec<String> = stage.steps.iter().map(|step| step.id.clone()).collect();
    stage.push(install(layout, production).after(needs));
    if node.scripts.patches && (!production || node.scripts.patches_in_production) {
        stage.push(Step::run("patches", "node/patch").seconds(1.0).why("the project patches its dependencies"));
    }
    if let Some(prisma) = node.prisma.as_ref().filter(|prisma| prisma.in_modules && prisma.generate) {
        let program = node.manager.program("prisma", inside(node, prisma.dir.as_str()));
        let schema = format!("--schema={}", inside(node, prisma.schema.as_str()));
        let command = program.into_iter().chain(["generate".to_owned(), schema]);
        stage.push(
            Step::run("client", "node/run").words("command", command).why("no install script generates the client"),
        );
    }
    Ok(stage)
}

fn production(layout: &Layout<'_>) -> Result<Option<Stage>> {
    let node = layout.node;
    if !node.can_leave_out_development() {
        return Ok(None);
    }
    let name = layout.name("prod-deps");
    if node.leaves_by_pruning() {
        let mut stage = Stage::from_stage(&name, &layout.name("deps"));
        let template = if node.manager.kind == ManagerKind::Pnpm { "node/pnpm-prune" } else { "node/npm-prune" };
        stage.push(
            Step::run("prune", template)
                .flag("bare", makes_no_folder(layout, true))
                .why("keeps what was done to the dependencies after they were installed"),
        );
        return Ok(Some(stage));
    }
    let mut stage = Stage::from_stage(&name, &layout.name("base"))
        .comment("What the running program needs; installed beside the other dependencies, not after them.");
    receive(&mut stage, layout)?;
    let needs: Vec<String> = stage.steps.iter().map(|step| step.id.clone()).collect();
    stage.push(install(layout, true).after(needs));
    if node.scripts.patches {
        stage.push(Step::run("patches", "node/patch").seconds(1.0).why("the project patches its dependencies"));
    }
    Ok(Some(stage))
}

/// The install itself.
fn install(layout: &Layout<'_>, production: bool) -> Step {
    let node = layout.node;
    let Manager { kind, frozen, .. } = node.manager;
    let package = layout.package_dir();
    let filtered = node.workspace && production && !package.is_empty();
    let step = |template: &str| {
        let step = Step::run("install", template).flag("frozen", frozen).flag("production", production);
        step.flag("bare", makes_no_folder(layout, production))
    };
    let step = match kind {
        ManagerKind::Npm => {
            let step = step("node/npm-install")
                .flag("legacy", node.manager.legacy_peers)
                .flag("filtered", filtered)
                .words("workspaces", filtered.then_some(package));
            // Two installs at once would both fetch what they have in common.
            let twice = modules_stage(layout) != layout.name("deps");
            if twice { step.locked_cache("npm", "/root/.npm") } else { step.cache("npm", "/root/.npm") }
        }
        ManagerKind::YarnClassic => step("node/yarn-classic-install")
            .flag("lenient", !node.pinned)
            .locked_cache("yarn-classic", "/usr/local/share/.cache/yarn"),
        ManagerKind::YarnBerry => {
            let step = if production {
                let names = if filtered { node.package.clone() } else { "--all".into() };
                step("node/yarn-focus").words("workspaces", [names])
            } else {
                step("node/yarn-install")
            };
            let step = step.words("call", node.manager.call.iter().cloned());
            if node.manager.pnp || own_cache(node) { step } else { step.cache("yarn-berry", "/root/.yarn/berry/cache") }
        }
        ManagerKind::Pnpm => {
            // A folder in braces, for `./folder...` would be taken without what it depends on.
            let filter = format!("{{./{package}}}...");
            store(step("node/pnpm-install").words("filters", filtered.then_some(filter)))
        }
        ManagerKind::Bun => step("node/bun-install").cache("bun", "/root/.bun/install/cache"),
    };
    let mut step = step.credentials(&node.credentials).seconds(40.0);
    for credential in &node.credentials {
        step = match credential {
            Credential::Env { id, variable } => {
                step.comment(format!("Needs a token: docker build --secret id={id},env={variable} ."))
            }
            Credential::File { id, .. } => {
                let file = within(node.root.as_str(), ".npmrc");
                step.comment(format!("Needs a token: docker build --secret id={id},src={file} ."))
            }
            Credential::Ssh => step.comment("Needs your ssh agent: docker build --ssh default ."),
        };
    }
    step.why("reruns only when the dependency set changes")
}

/// Whether an install may leave no node_modules folder, which the final stage copies.
fn makes_no_folder(layout: &Layout<'_>, production: bool) -> bool {
    let node = layout.node;
    let is_copied = has_modules(node) && (production || modules_stage(layout) == layout.name("deps"));
    node.bare && is_copied && !node.workspace && !node.manager.pnp
}

/// The strict install once more, with the real manifests, where that takes a moment and fetches nothing: it links the
/// commands of members.
pub(super) fn check(layout: &Layout<'_>) -> Option<Vec<String>> {
    let node = layout.node;
    // `npm ci` and Yarn would install everything again; what they could find is in the manifests that `deps` got.
    let reduced = !copies_all(layout);
    let strict = node.manager.kind == ManagerKind::Pnpm && node.manager.frozen && reduced && node.workspace;
    let words = ["pnpm", "install", "--offline", "--frozen-lockfile", "--ignore-scripts"];
    strict.then(|| words.map(str::to_owned).to_vec())
}

/// Mounts the store of pnpm.
pub(super) fn store(step: Step) -> Step {
    step.cache("pnpm-store", "/pnpm/store")
}

/// Whether a default image can be told apart from one that has no Node.
pub(super) fn lacks_node(image: &str) -> bool {
    let name = image.rsplit('/').next().unwrap_or_default().split(['@', ':']).next().unwrap_or_default();
    matches!(name, "debian" | "ubuntu" | "alpine" | "scratch" | "busybox")
        || system::family(image) == Family::Distroless && !name.contains("node")
}
