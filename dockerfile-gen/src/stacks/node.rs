//! Node projects.
//!
//! Input: package.json files, lockfiles, configuration of frameworks, sources. Output: [`NodeProject`]. The one idea: the
//! program that the container runs is found first; what must be installed, built and copied follows from it.

pub(crate) mod bundle;
pub(crate) mod framework;
pub(crate) mod image;
mod keep;
mod listen;
pub(crate) mod manager;
pub(crate) mod manifest;
mod native;
mod needs;
mod nx;
mod registry;
mod scripts;
mod shell;
pub(crate) mod source;
mod start;
mod version;
mod workspace;

use std::collections::BTreeSet;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::facts::{Claim, Credential, Notes, Strength};
use crate::tree::{RelPath, Tree, within};

pub(crate) use framework::Framework;
pub(crate) use keep::Keep;
pub(crate) use listen::Listen;
pub(crate) use manager::{Manager, ManagerKind};
pub(crate) use native::{Prisma, System};
pub(crate) use scripts::Scripts;
pub(crate) use start::Start;
pub(crate) use version::suite;

use manifest::Manifest;
use start::Found;

/// The facts about a Node project.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub(crate) struct NodeProject {
    /// The package's name without its scope.
    pub name: String,
    /// The folder of the root manifest and the lockfile, relative to the project.
    pub root: RelPath,
    /// The folder of the package that the image is for, relative to the project.
    pub dir: RelPath,
    /// The package's name as its package.json says it.
    pub package: String,
    /// The major version of Node.
    pub version: u32,
    /// Whether the project pins that version; otherwise dependencies may ask for an older one.
    pub pinned: bool,
    /// Whether Bun runs the program, and not Node.
    pub bun: bool,
    /// The package manager.
    pub manager: Manager,
    /// Whether the root is that of a workspace.
    pub workspace: bool,
    /// In a workspace, the folders of the packages that this one needs and of itself, what is needed first.
    pub members: Vec<RelPath>,
    /// Patterns, relative to the root, that match the manifests of all members; `!` leaves out what one before matched.
    pub member_manifests: Vec<String>,
    /// Files that an install reads beside manifests and the lockfile, relative to the root.
    pub inputs: Vec<String>,
    /// Folders that it reads, relative to the root.
    pub input_folders: Vec<String>,
    /// Files with settings of the package manager that are not there yet but may come, relative to the root.
    pub missing_settings: Vec<String>,
    /// Tokens for private registries.
    pub credentials: Vec<Credential>,
    /// The framework.
    pub framework: Framework,
    /// What is run after the sources are there, from the folder of the root manifest.
    pub scripts: Scripts,
    /// System packages.
    pub system: System,
    /// Prisma.
    pub prisma: Option<Prisma>,
    /// What the container runs; `None` for static files.
    pub start: Option<Start>,
    /// Whether what it runs needs development dependencies.
    pub needs_development: bool,
    /// Whether the running program needs no package, so that an install may make no folder for them.
    pub bare: bool,
    /// Where it listens.
    pub listen: Listen,
    /// What of the package gets into the image.
    pub keep: Keep,
    /// Whether the program writes into its own folder.
    pub writes: bool,
}

impl NodeProject {
    /// Whether the image can do without development dependencies.
    pub(crate) fn can_leave_out_development(&self) -> bool {
        let plugin = self.input_folders.iter().any(|folder| folder == ".yarn/plugins");
        // Yarn 2 and 3 install a part of the dependencies only with the workspace-tools plugin.
        let yarn = self.manager.kind != ManagerKind::YarnBerry || self.manager.major >= 4 || plugin;
        let needs_patching = self.scripts.patches && !self.scripts.patches_in_production;
        yarn && !(self.workspace && self.leaves_by_pruning()) && (!needs_patching || self.prunable())
    }

    /// Whether production dependencies are what is left of all of them, because something was done to them after the
    /// install that needs a development dependency.
    pub(crate) fn leaves_by_pruning(&self) -> bool {
        // pnpm keeps Prisma's client deep in a folder whose name holds versions, so it cannot be copied by name.
        let client =
            self.manager.kind == ManagerKind::Pnpm && self.prisma.as_ref().is_some_and(|prisma| prisma.in_modules);
        client || self.scripts.patches && !self.scripts.patches_in_production && self.prunable()
    }

    fn prunable(&self) -> bool {
        matches!(self.manager.kind, ManagerKind::Npm | ManagerKind::Pnpm) && !self.workspace
    }
}

/// Whether the image may be for Node.
///
/// # Errors
/// As [`crate::generate`].
pub(crate) fn claim(tree: &dyn Tree) -> Result<Option<Claim>> {
    let Some(package) = Manifest::read(tree, "")? else { return Ok(None) };
    let claim = |strength, key: &str, reason: &str| {
        Ok(Some(Claim::new(strength, package.path.clone(), package.line(key), reason)))
    };
    if let Some(server) = framework::SERVERS.iter().find(|name| package.dependency(name).is_some()) {
        return claim(Strength::Service, server, &format!("depends on {server}"));
    }
    if let (Some(name), Found::Start(_)) = start::find(tree, &package, None) {
        return claim(Strength::Service, &name, "a script that starts it");
    }
    let scratch = &mut Notes::default();
    match framework::detect(tree, &package, false, scratch) {
        Framework::Server => {}
        _ => return claim(Strength::Service, "scripts", "a web framework"),
    }
    if package.get("workspaces").is_some() || tree.has("pnpm-workspace.yaml") {
        return claim(Strength::Possible, "workspaces", "a workspace");
    }
    if package.script("build").is_some() || package.get("main").is_some() || package.get("bin").is_some() {
        return claim(Strength::Possible, "name", "a package");
    }
    claim(Strength::Tools, "devDependencies", "a package.json for tools")
}

/// Reads the facts of the package in the folder `dir`, or of the package of the workspace there that the image is for.
///
/// # Errors
/// As [`crate::generate`].
pub(crate) fn detect(tree: &dyn Tree, dir: &str, config: &Config, notes: &mut Notes) -> Result<NodeProject> {
    let missing = || Error::manifest(&within(dir, "package.json"), None, "is missing");
    let root = root_of(tree, dir)?.ok_or_else(missing)?;
    // The manager decides where members are listed and does not depend on which of them is built.
    let scratch = &mut Notes::default();
    let kind = manager::detect(tree, &root, 24, scratch)?.kind;
    let members = workspace::members(tree, &root, kind)?;
    let package = if root.dir == dir {
        choose(tree, &root, &members, config, notes)?
    } else {
        Manifest::read(tree, dir)?.ok_or_else(missing)?
    };
    let (version, pinned) = version::detect(tree, &root, &package, notes)?;
    let manager = manager::detect(tree, &root, version, notes)?;
    if dir.is_empty() {
        labels(&package, notes);
    }
    let program = needs::program(tree, &root, &package, config, notes)?;
    assemble(tree, config, notes, Parts { root, members, package, version, pinned, manager }, program)
}

/// Reads the facts of a package whose build writes files for browsers.
pub(crate) fn detect_files(tree: &dyn Tree, dir: &str, framework: Framework, notes: &mut Notes) -> Result<NodeProject> {
    let missing = || Error::manifest(&within(dir, "package.json"), None, "is missing");
    let root = root_of(tree, dir)?.ok_or_else(missing)?;
    let package = Manifest::read(tree, dir)?.ok_or_else(missing)?;
    let (version, pinned) = version::detect(tree, &root, &package, notes)?;
    let manager = manager::detect(tree, &root, version, notes)?;
    let members = workspace::members(tree, &root, manager.kind)?;
    let program = needs::Program { framework, start: None, entry: None, needs_development: false, nx: None };
    // The options in the configuration are about the server.
    assemble(tree, &Config::default(), notes, Parts { root, members, package, version, pinned, manager }, program)
}

/// What is known before the program is looked for.
struct Parts {
    root: Manifest,
    members: Vec<Manifest>,
    package: Manifest,
    version: u32,
    pinned: bool,
    manager: Manager,
}

fn assemble(
    tree: &dyn Tree,
    config: &Config,
    notes: &mut Notes,
    parts: Parts,
    program: needs::Program,
) -> Result<NodeProject> {
    let Parts { root, members, package, version, pinned, manager } = parts;
    let needed = workspace::closure(&members, &package.dir);
    let mut packages: Vec<&Manifest> = needed.clone();
    if packages.is_empty() {
        packages.push(&package);
    }
    let mut all = packages.clone();
    if root.dir != package.dir {
        all.push(&root);
    }
    let bun = program.start.as_ref().is_some_and(|start| start.argv.first().is_some_and(|word| word == "bun"));
    let mut system = native::system(tree, &root, &all, &manager, notes);
    let mut scripts = scripts::detect(tree, &root, &packages, &package, &manager, &program, notes);
    let prisma = native::prisma(tree, &all, &root, &manager, scripts.generates_prisma, notes);
    if let Some(prisma) = &prisma {
        let start = program.start.as_ref();
        let migrates = start.is_some_and(|start| start.before.iter().flatten().any(|word| word == "prisma"));
        if prisma.engine || migrates {
            // Without it Prisma guesses which build of its engine fits, and guesses wrong on slim images.
            system.build.insert("openssl".into());
            system.run.insert("openssl".into());
        }
        if prisma.generate && !prisma.in_modules {
            let dir = prisma.dir.as_str().strip_prefix(root.dir.as_str()).unwrap_or_default().trim_start_matches('/');
            let mut command = manager.program("prisma", dir);
            let schema = prisma.schema.as_str().strip_prefix(root.dir.as_str()).unwrap_or_default();
            command.extend(["generate".to_owned(), format!("--schema={}", schema.trim_start_matches('/'))]);
            scripts.hooks.insert(0, command);
        }
    }
    scripts.variables(tree, &package, prisma.as_ref(), &program.framework, notes);
    let own = matches!(program.framework, Framework::Server | Framework::Nest);
    let sources = if own { source::read(tree, &package.dir) } else { Vec::new() };
    notes.assets.extend(bundle::served(tree, &package.dir, &sources));
    if !notes.assets.is_empty() {
        // What a script for another host builds is built in a stage of its own.
        scripts.build.retain(|command| !command.iter().any(|word| word == "heroku-postbuild"));
    }
    let keep = keep::keep(tree, &package, &program, &scripts, &sources, config)?;
    let writes = own && keep::writes(&package, &sources, notes);
    let listen = needs::listen(tree, &package, &program, &sources, config, notes);
    let (credentials, keeps_npmrc) = registry::detect(tree, &root.dir, notes)?;
    let (inputs, input_folders) = keep::inputs(tree, &root, &manager, keeps_npmrc, notes)?;
    let missing_settings = keep::missing_settings(tree, &root, &manager);
    let name = package.name().rsplit('/').next().unwrap_or_default().to_owned();
    let path = |dir: &str| RelPath::new(dir).unwrap_or_default();
    let node = NodeProject {
        name,
        root: path(&root.dir),
        dir: path(&package.dir),
        package: package.name().to_owned(),
        version,
        pinned,
        bun,
        workspace: !members.is_empty(),
        bare: root.dependencies(&["dependencies", "optionalDependencies", "peerDependencies"]).next().is_none(),
        member_manifests: workspace::patterns(&workspace::globs(tree, &root, manager.kind)?),
        members: needed.iter().map(|member| path(&member.dir)).collect(),
        inputs,
        input_folders,
        missing_settings,
        credentials,
        framework: program.framework,
        scripts,
        system,
        prisma,
        needs_development: program.needs_development,
        start: program.start,
        listen,
        keep,
        writes,
        manager,
    };
    if node.start.is_some() && !node.needs_development && !node.can_leave_out_development() {
        notes.warn(format!(
            "{} cannot install production dependencies alone here, so the image carries all of them",
            node.manager.kind.program()
        ));
    }
    Ok(node)
}

/// The manifest beside the lockfile: of `dir` itself, or of the workspace above it that has it as a member.
fn root_of(tree: &dyn Tree, dir: &str) -> Result<Option<Manifest>> {
    let mut above = dir;
    while let Some((parent, _)) = above.rsplit_once('/').or((!above.is_empty()).then_some(("", ""))) {
        above = parent;
        let own_lock = ["package-lock.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb"]
            .iter()
            .any(|file| tree.has(&within(dir, file)));
        let Some(root) = Manifest::read(tree, above)?.filter(|_| !own_lock) else { continue };
        let kind = manager::detect(tree, &root, 24, &mut Notes::default())?.kind;
        if workspace::members(tree, &root, kind)?.iter().any(|member| member.dir == dir) {
            return Ok(Some(root));
        }
    }
    Manifest::read(tree, dir)
}

/// Decides which package of a workspace the image is for.
fn choose(
    tree: &dyn Tree,
    root: &Manifest,
    members: &[Manifest],
    config: &Config,
    notes: &mut Notes,
) -> Result<Manifest> {
    if let Some(wanted) = &config.package {
        let all = members.iter().chain([root]);
        let found =
            all.clone().find(|member| member.str("name") == Some(wanted) || member.dir == wanted.trim_matches('/'));
        return found.cloned().ok_or_else(|| Error::Ambiguous {
            question: format!("there is no package `{wanted}`"),
            found: all.map(|member| member.name().to_owned()).collect::<Vec<_>>().join(", "),
            hint: "`--package` takes a name or a folder".into(),
        });
    }
    let delegated = members.iter().find(|member| delegates(root, member));
    if let Some(member) = delegated {
        notes.found(&root.path, root.line_at("scripts", "start"), format!("the service is `{}`", member.name()));
        return Ok(member.clone());
    }
    let mut ranked: Vec<(u32, &Manifest)> =
        members.iter().map(|member| (rank(tree, member), member)).filter(|(rank, _)| *rank > 0).collect();
    ranked.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.dir.cmp(&b.1.dir)));
    let own = rank(tree, root);
    match ranked.first() {
        Some((rank, best)) if *rank > own => {
            notes.found(&best.path, best.line("name"), format!("the image is for the package `{}`", best.name()));
            let others: Vec<&str> = ranked[1..].iter().map(|(_, other)| other.name()).collect();
            if !others.is_empty() {
                let others = others.join(", ");
                notes.warn(format!(
                    "the image is for `{}`; the workspace has {others} as well: `--package` decides",
                    best.name()
                ));
            }
            Ok((*best).clone())
        }
        _ => Ok(root.clone()),
    }
}

/// Whether the root's start script starts this member.
fn delegates(root: &Manifest, member: &Manifest) -> bool {
    let Some(script) = root.script("start") else { return false };
    let words: BTreeSet<&str> = script.split(|c: char| c.is_whitespace() || "=;&".contains(c)).collect();
    let named =
        member.str("name").is_some_and(|name| words.contains(name) || words.contains(format!("{name}...").as_str()));
    let inside = member.dir.strip_prefix(root.dir.as_str()).unwrap_or(&member.dir).trim_matches('/');
    named
        || [inside.to_owned(), format!("./{inside}"), format!("{inside}/")]
            .iter()
            .any(|dir| words.contains(dir.as_str()))
}

/// How much a package looks like the service of its workspace; 0 if it is a library.
fn rank(tree: &dyn Tree, package: &Manifest) -> u32 {
    let serves = matches!(start::find(tree, package, None).1, Found::Start(_));
    let framework = framework::detect(tree, package, serves, &mut Notes::default());
    let depends = framework::SERVERS.iter().any(|name| package.dependency(name).is_some());
    let name = package.name().rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let named = ["server", "api", "backend", "service", "app", "web"].iter().any(|word| name.contains(word));
    let example = ["example", "docs", "doc", "e2e", "test", "storybook", "playground", "demo"];
    let aside = example.iter().any(|word| package.dir.contains(word) || name.contains(word));
    let base = match framework {
        Framework::Server | Framework::Nest if serves && depends => 50,
        Framework::Server if serves => 20,
        Framework::Server if depends && package.script("build").is_some() => 10,
        Framework::Server => return 0,
        Framework::Static { .. } => 20,
        _ => 40,
    };
    if aside { 1 } else { base + u32::from(named) * 5 + u32::from(package.dir.starts_with("apps/")) * 3 }
}

/// What package.json says of the project, as OCI labels.
fn labels(package: &Manifest, notes: &mut Notes) {
    for (key, label) in [("name", "title"), ("description", "description"), ("license", "licenses")] {
        notes.label(label, package.str(key).unwrap_or_default());
    }
    let source = package.str("repository").or_else(|| package.str_at("repository", "url")).unwrap_or_default();
    let source = source.trim_start_matches("git+").trim_end_matches(".git");
    if source.starts_with("https://") && !source.contains(['@', ' ']) && !source.chars().any(char::is_control) {
        notes.label("source", source);
    }
}
