//! Go modules and workspaces.
//!
//! Input: go.mod, go.work, the Go files. Output: [`GoProject`]. The one idea: a main package is what says
//! `package main`, wherever it lies, and what it imports tells everything else that the image needs to know.

mod address;
mod cgo;
mod choose;
mod cli;
mod embed;
mod hints;
pub(crate) mod image;
mod imports;
mod listen;
mod modfile;
mod modules;
mod packages;
mod place;
mod programs;
mod sample;
mod serve;
mod source;
mod version;
mod words;

pub(crate) use choose::GoMain;
pub(crate) use embed::MissingEmbed;
pub(crate) use packages::GoModule;

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Config;
use crate::error::{Error, Result};
use crate::facts::{Asset, Claim, Credential, Notes, Served, Strength};
use crate::tree::{RelPath, Tree};

use address::Origin;
use hints::Build;
use modules::{Modules, modules, nested, nested_claim, within};
use packages::Packages;
use source::Source;

/// The facts about a Go project.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub(crate) struct GoProject {
    /// The project's name: that of the module, with what stands before it where it says little.
    pub name: String,
    /// Major and minor version of the toolchain, such as `1.24`.
    pub version: String,
    /// Whether a patch release is demanded, which the go command may have to fetch.
    pub exact_toolchain: bool,
    /// The folder that the go command runs in, relative to the project: that of go.mod or go.work.
    pub dir: String,
    /// The module, or the members of the workspace.
    pub modules: Vec<GoModule>,
    /// Whether there is a go.work.
    pub workspace: bool,
    /// Whether the dependencies are in a vendor folder.
    pub vendored: bool,
    /// Whether any module is required.
    pub has_requires: bool,
    /// The main packages that are programs of the project; the image runs the first.
    pub mains: Vec<GoMain>,
    /// What the programs import from outside of the project, as far as it does not come along with the others.
    pub imports: Vec<String>,
    /// Build tags.
    pub tags: Vec<String>,
    /// Whether C is compiled.
    pub cgo: bool,
    /// Debian packages to build with.
    pub build_packages: BTreeSet<String>,
    /// Debian packages to run with.
    pub packages: BTreeSet<String>,
    /// What the program reads from its working folder.
    pub served: Vec<Served>,
    /// Whether the program keeps files in the folder of its binary.
    pub beside_binary: bool,
    /// What `//go:embed` asks for and is not there.
    pub missing_embeds: Vec<MissingEmbed>,
    /// The port that the program listens on.
    pub port: Option<u16>,
    /// Environment that the program needs to be reached.
    pub env: BTreeMap<String, String>,
    /// Arguments that the program needs to start its server.
    pub args: Vec<String>,
    /// The variable that release builds set to the version, such as `main.version`.
    pub version_variable: Option<String>,
    /// Patterns of private modules.
    pub private: Option<String>,
    /// What fetching private modules needs.
    pub credentials: Vec<Credential>,
}

/// Whether the image may be for Go.
///
/// # Errors
/// As [`crate::generate`].
pub(crate) fn claim(tree: &dyn Tree) -> Result<Option<Claim>> {
    let Some(Modules { files, modules, .. }) = modules(tree, "")? else { return nested_claim(tree) };
    let manifest = files.first().map_or("go.mod", |(path, _)| path);
    let packages = Packages::new(tree, &modules, &[]);
    let mains = packages.mains();
    if let Some(dir) = mains.iter().find(|dir| !choose::is_auxiliary(dir)) {
        let reason = format!("a main package in {}", choose::shown(dir));
        return Ok(Some(Claim::new(Strength::Service, manifest, None, reason)));
    }
    if !packages.has_code() {
        let reason = "a module for development tools only";
        return Ok(Some(Claim::new(Strength::Tools, manifest, None, reason)));
    }
    let reason = if mains.is_empty() { "a library" } else { "main packages for development only" };
    Ok(Some(Claim::new(Strength::Possible, manifest, None, reason)))
}

/// Reads the facts.
///
/// # Errors
/// As [`crate::generate`].
pub(crate) fn detect(tree: &dyn Tree, config: &Config, notes: &mut Notes) -> Result<GoProject> {
    let dir = nested(tree, config)?;
    let Some(Modules { files, modules, workspace }) = modules(tree, &dir)? else {
        return Err(Error::manifest("go.mod", None, "is missing, and there is no go.work"));
    };
    let toolchain = version::toolchain(tree, &dir, &files, notes);
    let builds = hints::builds(tree, &dir);
    let plain = Packages::new(tree, &modules, &config.features);
    let found = choose::named(plain.mains(), &modules, &builds);
    let found: Vec<GoMain> = found.into_iter().filter(|main| plain.has_main(&main.dir)).collect();
    if found.is_empty() {
        return Err(Error::CannotStart {
            reason: "no Go file says `package main` with a `func main()`; this is a library".into(),
            hint: "run in the folder of the module that holds the program, or choose another stack with `--stack`"
                .into(),
        });
    }
    let serves = |main: &GoMain| listen::address(&crate::tree::MemTree::default(), &plain.reach(&main.dir)).is_some();
    let mains = choose::choose(found, &modules, &builds, config, serves, notes)?;
    let main = mains[0].clone();
    let own: Vec<&Build> =
        builds.iter().filter(|build| RelPath::new(&build.main).is_some_and(|path| path.as_str() == main.dir)).collect();
    let tags = tags(&own, config, notes);
    let packages = Packages::new(tree, &modules, &tags);
    let sources = packages.reach(&main.dir);
    let mut project = GoProject {
        name: project_name(&modules, &main),
        version: toolchain.version,
        exact_toolchain: toolchain.exact,
        workspace,
        vendored: tree.has(&within(&dir, "vendor/modules.txt")),
        dir,
        has_requires: files.iter().any(|(_, file)| !file.requires.is_empty()),
        tags: tags.clone(),
        ..GoProject::default()
    };
    let others: Vec<Source> = mains.iter().skip(1).flat_map(|main| packages.reach(&main.dir)).collect();
    let all: Vec<&Source> = sources.iter().chain(&others).collect();
    let replaced =
        files.iter().flat_map(|(_, file)| &file.local_replaces).map(|replace| replace.path.clone()).collect();
    project.imports = imports::outside(&all, &modules, &replaced);
    need_all(tree, &all, notes);
    compiler(&mut project, &sources, &own, config, notes);
    files_read(tree, &mut project, &sources, notes);
    missing_programs(&sources, config, notes);
    address(tree, &mut project, &sources, config, notes);
    project.version_variable = version_variable(&own, &sources, &modules, &main, notes);
    private(tree, &mut project, notes);
    labels(&modules, &main, notes);
    project.modules = modules;
    project.mains = mains;
    Ok(project)
}

/// A name that keeps the caches of different projects apart: half of all programs are called `app` or `server`.
fn project_name(modules: &[GoModule], main: &GoMain) -> String {
    let path = packages::owner(modules, &main.dir).map(|module| module.path.as_str()).unwrap_or_default();
    let base = choose::base_name(path);
    let before = path.strip_suffix(base.as_str()).and_then(|rest| rest.trim_end_matches('/').rsplit('/').next());
    match before.filter(|before| {
        !before.is_empty() && matches!(base.as_str(), "api" | "app" | "backend" | "server" | "service" | "web" | "main")
    }) {
        Some(before) => format!("{before}-{base}"),
        None => base,
    }
}

/// Build tags: the user's, else those of the release build.
fn tags(own: &[&Build], config: &Config, notes: &mut Notes) -> Vec<String> {
    if !config.features.is_empty() {
        return config.features.iter().filter(|tag| hints::is_name(tag)).cloned().collect();
    }
    let Some(build) = own.iter().find(|build| !build.tags.is_empty() && !build.runs) else {
        return Vec::new();
    };
    notes.found(&build.path, Some(build.line), format!("built with the tags {}", build.tags.join(",")));
    build.tags.clone()
}

/// Keeps every file that a program is compiled from in the build context.
fn need_all(tree: &dyn Tree, sources: &[&Source], notes: &mut Notes) {
    for source in sources {
        notes.need(&source.path);
    }
    notes.needed.extend(embed::embedded(tree, sources.iter().copied()).roots);
}

/// Whether C is compiled, and with which libraries.
fn compiler(project: &mut GoProject, sources: &[Source], own: &[&Build], config: &Config, notes: &mut Notes) {
    let needs = cgo::cgo(sources);
    let released = own.iter().find(|build| build.cgo.is_some());
    let set = config.build_env.get("CGO_ENABLED").map(|value| value == "1");
    project.cgo = set.or(released.and_then(|build| build.cgo)).unwrap_or(needs.why.is_some());
    match (&needs.why, project.cgo, released) {
        (Some((import, path, line)), true, _) => {
            notes.found(path, Some(*line), format!("cgo: imports `{import}`"));
            project.build_packages = needs.build_packages;
            project.packages = needs.packages;
            if import == "C" && project.build_packages.is_empty() {
                notes.warn(format!(
                    "{path}:{line} compiles C; what its `#cgo` lines link has to be named with `build-packages` and `packages`"
                ));
            }
        }
        (None, true, Some(build)) => notes.found(&build.path, Some(build.line), "cgo: released with CGO_ENABLED=1"),
        (Some((import, path, line)), false, Some(build)) => {
            notes.found(path, Some(*line), format!("imports `{import}`, but {} builds without cgo", build.path));
        }
        _ => {}
    }
}

/// What the program embeds and reads from disk.
fn files_read(tree: &dyn Tree, project: &mut GoProject, sources: &[Source], notes: &mut Notes) {
    let embedded = embed::embedded(tree, sources);
    for (path, (by, line)) in &embedded.folders {
        notes.found(by, Some(*line), format!("embeds `{path}`"));
        notes.assets.push(Asset { path: path.clone(), embedded: true });
    }
    project.missing_embeds = embedded.missing;
    let reads = serve::reads(tree, sources, &embedded.roots, &RelPath::new(&project.dir).unwrap_or_default());
    for (served, (by, line)) in &reads.served {
        notes.found(by, Some(*line), format!("reads `{}` when it runs: copied into the image", served.path));
        notes.needed.insert(served.path.clone());
        if served.folder {
            notes.assets.push(Asset { path: served.path.clone(), embedded: false });
        }
    }
    if !reads.served.is_empty() {
        let paths: Vec<String> = reads.served.keys().map(|served| format!("`{}`", served.path)).collect();
        notes
            .warn(format!("the program reads {} from its working folder, so the image holds a copy", paths.join(", ")));
    }
    for (path, (by, line)) in &reads.missing_folders {
        notes.found(by, Some(*line), format!("reads `{path}` when it runs"));
        notes.assets.push(Asset { path: path.clone(), embedded: false });
    }
    for (path, (sample, by, line)) in &reads.samples {
        notes.warn(format!(
            "{by}:{line} reads `{path}`, of which there is only `{sample}`: mount yours when you run the image"
        ));
    }
    if let Some((by, line)) = &reads.dotenv {
        notes.warn(format!("{by}:{line} loads `.env`, which stays out of the image: use `docker run --env-file .env`"));
    }
    project.served = reads.served.into_keys().collect();
    if let Some((path, line)) = serve::beside_binary(sources) {
        notes.found(path, Some(line), "keeps files beside its binary, so that lies in a folder of its user");
        project.beside_binary = true;
    }
}

/// Says which programs the program starts that the image will not have.
fn missing_programs(sources: &[Source], config: &Config, notes: &mut Notes) {
    let mut started = programs::started(sources);
    started.retain(|name, _| !config.packages.contains(name));
    if let Some((path, line)) = started.values().next() {
        let names: Vec<String> = started.keys().map(|name| format!("`{name}`")).collect();
        notes.warn(format!(
            "the program starts {} ({path}:{line}), which the image does not have: `packages` adds what is needed",
            names.join(", ")
        ));
    }
}

/// The port, the address and the sub-command of the server.
fn address(tree: &dyn Tree, project: &mut GoProject, sources: &[Source], config: &Config, notes: &mut Notes) {
    let start = cli::start(sources, &project.name);
    if let Some(start) = &start
        && let Some(command) = &start.command
    {
        notes.found(&start.path, Some(start.line), format!("`{command}` is the sub-command that starts the server"));
        project.args.push(command.clone());
    }
    let Some(found) = listen::address(tree, sources) else {
        if let Some((path, line)) = listen::reads_port(sources) {
            let port = config.port.unwrap_or(8080);
            notes.found(path, Some(line), format!("the port is what `PORT` says: {port} in the image"));
            project.env.insert("PORT".into(), port.to_string());
            project.port = Some(port);
        }
        return;
    };
    notes.found(&found.path, Some(found.line), format!("listens on port {}", found.port));
    project.port = Some(found.port);
    let place = (found.path.clone(), found.line);
    let wanted = config.port.unwrap_or(found.port);
    if found.is_loopback() {
        set_address(project, &start, &found.origin, place, found.with_port(wanted), Why::Loopback, notes);
        return;
    }
    if wanted != found.port {
        set_address(project, &start, &found.origin, place, found.with_port(wanted), Why::Port, notes);
    }
    if found.host.is_empty()
        && let Some((origin, path, line)) = listen::loopback_host(sources)
    {
        set_address(project, &start, &origin, (path, line), "0.0.0.0".into(), Why::Loopback, notes);
    }
}

/// Why an address is set.
#[derive(Clone, Copy)]
enum Why {
    /// The default serves the container alone.
    Loopback,
    /// The user wants another port.
    Port,
}

/// Sets what the address comes from, where it is sure that the program that runs knows it.
fn set_address(
    project: &mut GoProject,
    start: &Option<cli::Start>,
    origin: &Origin,
    (path, line): (String, u32),
    value: String,
    why: Why,
    notes: &mut Notes,
) {
    let reason = match why {
        Why::Loopback => "its default serves the container alone",
        Why::Port => "the port that was asked for",
    };
    match origin {
        Origin::Env(name) => {
            notes.found(path, Some(line), format!("`{name}={value}` in the image: {reason}"));
            project.env.insert(name.clone(), value);
        }
        // A flag of another file may belong to another command, which would end with an error.
        Origin::Flag { name, cobra } if hints::is_name(name) && flag_is_known(*cobra, start.as_ref(), &path) => {
            let dashes = if *cobra { "--" } else { "-" };
            let argument = format!("{dashes}{name}={value}");
            notes.found(path, Some(line), format!("`{argument}` in the image: {reason}"));
            project.args.push(argument);
        }
        Origin::Flag { .. } | Origin::Code | Origin::File => notes.warn(match why {
            Why::Loopback => format!(
                "{path}:{line} listens on the loopback address, where nothing outside the container reaches it: make it 0.0.0.0"
            ),
            Why::Port => format!("{path}:{line} decides the port, and nothing was found that sets another one"),
        }),
    }
}

fn flag_is_known(cobra: bool, start: Option<&cli::Start>, path: &str) -> bool {
    match start {
        Some(start) => start.path == path,
        None => !cobra,
    }
}

/// The variable that release builds set to the version, if the program has it.
fn version_variable(
    own: &[&Build],
    sources: &[Source],
    modules: &[GoModule],
    main: &GoMain,
    notes: &mut Notes,
) -> Option<String> {
    for build in own {
        for variable in &build.variables {
            let (package, name) = variable.rsplit_once('.')?;
            let is_version = matches!(
                name.to_ascii_lowercase().as_str(),
                "version" | "versionstring" | "buildversion" | "appversion"
            );
            let dir = if package == "main" { Some(main.dir.clone()) } else { packages::folder(modules, package) };
            let folder = |source: &Source| source.path.rsplit_once('/').map_or("", |(dir, _)| dir).to_owned();
            let declares = |source: &&Source| source.tokens.iter().any(|token| token.word() == Some(name));
            if is_version && sources.iter().filter(declares).any(|source| dir.as_deref() == Some(&folder(source))) {
                notes.found(
                    &build.path,
                    Some(build.line),
                    format!("`{variable}` holds the version: build argument `VERSION`"),
                );
                return Some(variable.clone());
            }
        }
    }
    None
}

/// Private modules.
fn private(tree: &dyn Tree, project: &mut GoProject, notes: &mut Notes) {
    if project.vendored {
        return;
    }
    if let Some((patterns, path, line)) = hints::private(tree) {
        notes.found(path, Some(line), format!("private modules: {patterns}"));
        project.private = Some(patterns);
        project.credentials.push(Credential::File { id: "netrc".into(), target: "/root/.netrc".into() });
    }
    if tree.has(".netrc") {
        notes.warn("`.netrc` holds credentials and does not belong into a repository");
    }
}

fn labels(modules: &[GoModule], main: &GoMain, notes: &mut Notes) {
    notes.label("title", &main.name);
    let module = packages::owner(modules, &main.dir).map(|module| module.path.as_str()).unwrap_or_default();
    let parts: Vec<&str> = module.split('/').collect();
    if let [host @ ("github.com" | "gitlab.com" | "codeberg.org" | "bitbucket.org"), owner, name, ..] = parts.as_slice()
    {
        notes.label("source", &format!("https://{host}/{owner}/{name}"));
    }
}
