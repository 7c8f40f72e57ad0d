//! What the program needs in the image.
//!
//! Input: the package and how it is started. Output: [`Program`], [`Keep`], [`Listen`]. The one idea: a start command names
//! its entry, and whether the entry is in the tree tells whether the sources run or what is built from them.

use super::framework::{self, Framework};
use super::listen::{self, Listen};
use super::manager::{Manager, ManagerKind};
use super::manifest::Manifest;
use super::nx::{self, NxProject};
use super::scripts::Scripts;
use super::start::{self, Found, Start};
use super::{source, within, yaml};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::project::Notes;
use crate::tree::Tree;

/// What of the package gets into the image.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Keep {
    /// The sources, which run as they are.
    Sources,
    /// These paths, relative to the package, after the build.
    Paths(Vec<String>),
    /// All that is there after the build, because nothing says what of it is enough.
    All,
}

/// The program, before it is known what it needs.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// The framework.
    pub(crate) framework: Framework,
    /// What the container runs.
    pub(crate) start: Option<Start>,
    /// The file that Node runs, relative to the package.
    pub(crate) entry: Option<String>,
    /// Whether it needs development dependencies.
    pub(crate) needs_development: bool,
    /// The Nx project that builds it.
    pub(crate) nx: Option<NxProject>,
}

/// Finds out what the container runs.
pub(crate) fn program(
    tree: &dyn Tree,
    root: &Manifest,
    package: &Manifest,
    config: &Config,
    notes: &mut Notes,
) -> Result<Program> {
    let (name, found) = start::find(tree, package, config.bin.as_deref());
    let custom_next = |start: &Start| {
        start.argv.first().is_some_and(|word| word == "node")
            && start.argv.get(1).is_some_and(|entry| entry_exists(tree, package, entry))
    };
    let serves = match &found {
        Found::Start(start) => package.any_dependency("next").is_none() || custom_next(start),
        _ => false,
    };
    let own_server = serves && package.any_dependency("next").is_some();
    let framework = if own_server { Framework::Server } else { framework::detect(tree, package, serves, notes) };
    let mut nx = None;
    let start =
        match (&framework, found) {
            (Framework::Static { .. }, _) => None,
            (Framework::SvelteKit { node: false }, _) if config.command.is_none() => {
                return Err(Error::CannotStart {
                reason: "SvelteKit writes a server for Node only with `@sveltejs/adapter-node`, which svelte.config.js \
                         does not use"
                    .into(),
                hint: "install `@sveltejs/adapter-node` (or `@sveltejs/adapter-static`) and name it in svelte.config.js"
                    .into(),
            });
            }
            (Framework::Server | Framework::Nest | Framework::ReactRouter | Framework::Remix, Found::Start(start)) => {
                if let Some(name) = &name {
                    notes.found(&package.path, package.line_at("scripts", name), format!("`{name}` starts it"));
                }
                Some(start)
            }
            (Framework::Server, found) => {
                nx = nx::find(tree, &root.dir, config.bin.as_deref().or(config.package.as_deref()));
                if let Some(project) = &nx {
                    notes.found(&project.path, None, format!("Nx builds {}", project.entry));
                    Some(node(&project.entry))
                } else {
                    Some(derive(tree, package, config, found, notes)?)
                }
            }
            (framework, _) => Some(default_start(framework)),
        };
    let mut start = start;
    if config.command.is_some() {
        start = Some(Start { argv: config.command.clone().unwrap_or_default(), ..start.unwrap_or_default() });
    }
    let entry = start.as_ref().and_then(entry_of);
    let needs_development = start.as_mut().is_some_and(|start| development_needed(package, root, start, notes));
    if let (Framework::Server, Some(entry), false) = (&framework, &entry, config.command.is_some()) {
        check_entry(tree, package, entry)?;
    }
    Ok(Program { framework, start, entry, needs_development, nx })
}

fn node(entry: &str) -> Start {
    Start { argv: vec!["node".into(), entry.to_owned()], ..Start::default() }
}

fn default_start(framework: &Framework) -> Start {
    let argv: &[&str] = match framework {
        Framework::Next { standalone: true } => &["node", "server.js"],
        Framework::Next { standalone: false } => &["next", "start"],
        Framework::Nuxt | Framework::Nitro => &["node", ".output/server/index.mjs"],
        Framework::ReactRouter => &["react-router-serve", "./build/server/index.js"],
        Framework::Remix => &["remix-serve", "./build/server/index.js"],
        Framework::SvelteKit { .. } => &["node", "build"],
        Framework::Astro => &["node", "dist/server/entry.mjs"],
        Framework::Nest => &["node", "dist/main"],
        Framework::Static { .. } | Framework::Server => &[],
    };
    Start { argv: argv.iter().map(|word| (*word).to_owned()).collect(), ..Start::default() }
}

/// Looks for a program where no script starts one.
fn derive(tree: &dyn Tree, package: &Manifest, config: &Config, found: Found, notes: &mut Notes) -> Result<Start> {
    if config.command.is_some() {
        return Ok(Start::default());
    }
    let server = framework::SERVERS.iter().find(|name| package.dependency(name).is_some());
    let builds = package.script("build").is_some();
    let main = package.str("main").filter(|main| builds || entry_exists(tree, package, main));
    let files =
        ["server.js", "app.js", "index.js", "src/server.js", "src/app.js", "src/index.js", "src/main.js", "bin/www"];
    let file = files.into_iter().find(|file| tree.has(&within(&package.dir, file)));
    let compiled = || -> Option<String> {
        let out = source::setting(&tree.scan(&within(&package.dir, "tsconfig.json")), "outDir")?;
        let out = out.trim_start_matches("./").trim_end_matches('/').to_owned();
        let stem = ["server", "main", "index", "app"]
            .into_iter()
            .find(|stem| tree.has(&within(&package.dir, &format!("src/{stem}.ts"))))?;
        Some(format!("{out}/{stem}.js"))
    };
    if let (Some(server), Some(entry)) =
        (server, main.map(str::to_owned).or(file.map(str::to_owned)).or_else(|| compiled().filter(|_| builds)))
    {
        notes.found(&package.path, package.line(server), format!("no script starts it; with {server} `{entry}` does"));
        return Ok(node(&entry));
    }
    let reason = match found {
        Found::Development(command) => {
            format!("{}: the only script that starts anything is a development server (`{command}`)", package.path)
        }
        _ => format!("{}: there is no script that starts anything, and no server that is known here", package.path),
    };
    Err(Error::CannotStart {
        reason,
        hint:
            "add a `start` script, or name a script or a file with `--bin`, or the whole command with `command` in the \
               configuration"
                .into(),
    })
}

/// The file that Node runs.
fn entry_of(start: &Start) -> Option<String> {
    let mut words = start.argv.iter();
    let program = words.next()?;
    if !matches!(program.as_str(), "node" | "tsx" | "ts-node" | "bun" | "swc-node") {
        return None;
    }
    let mut takes_value = false;
    for word in words {
        if takes_value || word == "run" {
            takes_value = false;
        } else if matches!(
            word.as_str(),
            "-r" | "--require" | "--import" | "--loader" | "--experimental-loader" | "-P" | "--env-file"
        ) {
            takes_value = true;
        } else if !word.starts_with('-') {
            return Some(word.trim_start_matches("./").trim_end_matches('/').to_owned());
        }
    }
    None
}

/// Whether Node finds `entry` in the tree.
pub(crate) fn entry_exists(tree: &dyn Tree, package: &Manifest, entry: &str) -> bool {
    let entry = entry.trim_start_matches("./").trim_end_matches('/');
    if entry.is_empty() || entry == "." {
        let main = package.str("main").unwrap_or("index.js");
        return main != "." && entry_exists(tree, package, main);
    }
    let path = within(&package.dir, entry);
    ["", ".js", ".mjs", ".cjs", ".json", "/index.js"].iter().any(|ending| tree.has(&format!("{path}{ending}")))
}

/// Refuses an entry that is neither there nor built.
fn check_entry(tree: &dyn Tree, package: &Manifest, entry: &str) -> Result<()> {
    let entry = if entry == "." { package.str("main").unwrap_or("index.js") } else { entry };
    let built = package.scripts().any(|name| name.contains("build") || name.contains("compile") || name == "prepare")
        || tree.has(&within(&package.dir, "tsconfig.json"))
        || tree.has("nx.json")
        || tree.has("turbo.json");
    if entry_exists(tree, package, entry) || built {
        return Ok(());
    }
    Err(Error::CannotStart {
        reason: format!("{}: it starts `{entry}`, which is not there and which no script builds", package.path),
        hint: "mend the `start` script, or name the file with `--bin`".into(),
    })
}

/// Whether the command needs a package that is only a development dependency.
fn development_needed(package: &Manifest, root: &Manifest, start: &mut Start, notes: &mut Notes) -> bool {
    let provider = |program: &str| match program {
        "ts-node" | "ts-node-esm" => "ts-node".to_owned(),
        "typeorm" | "typeorm-ts-node-commonjs" => "typeorm".to_owned(),
        "sequelize" => "sequelize-cli".to_owned(),
        other => other.to_owned(),
    };
    let only_there = |program: &str| {
        let name = provider(program);
        let production = [package, root].iter().any(|manifest| manifest.dependency(&name).is_some());
        let development = [package, root].iter().any(|manifest| manifest.any_dependency(&name).is_some());
        development && !production
    };
    // A preparation whose tool is not there in production was meant for a developer's machine.
    start.before.retain(|command| {
        let missing = command.first().is_some_and(|program| only_there(program));
        if missing {
            notes.warn(format!(
                "`{}` before the start is left out: its package is a development dependency; run it as a job of its own",
                command.join(" ")
            ));
        }
        !missing
    });
    let mut needed: Vec<&str> = start.argv.first().map(String::as_str).into_iter().collect();
    let hooks = ["-r", "--require", "--import", "--loader"];
    for pair in start.argv.windows(2) {
        if hooks.contains(&pair[0].as_str()) {
            needed.extend(pair[1].split('/').next());
        }
    }
    match needed.into_iter().find(|program| *program != "node" && only_there(program)) {
        Some(program) => {
            notes.warn(format!(
                "the start command needs `{program}`, which is a development dependency, so the image carries all \
                 dependencies; move it to `dependencies`, or start what a build script compiles"
            ));
            true
        }
        None => false,
    }
}

/// Decides what of the package gets into the image.
pub(crate) fn keep(
    tree: &dyn Tree,
    package: &Manifest,
    program: &Program,
    scripts: &Scripts,
    config: &Config,
) -> Result<Keep> {
    let paths = |names: &[&str]| Keep::Paths(names.iter().map(|name| (*name).to_owned()).collect());
    let has = |path: &str| tree.has(&within(&package.dir, path)) || tree.has_dir(&within(&package.dir, path));
    Ok(match &program.framework {
        Framework::Static { dir, .. } => paths(&[dir]),
        Framework::Next { standalone } => {
            let mut names = if *standalone { Vec::new() } else { vec![".next", "package.json"] };
            names.extend(Some("public").filter(|public| has(public)));
            let config = framework::config(tree, package, "next.config").0;
            let file = config.rsplit('/').next().unwrap_or_default().to_owned();
            if !standalone && file != "package.json" {
                names.push(&file);
            }
            paths(&names)
        }
        Framework::Nuxt | Framework::Nitro => paths(&[".output"]),
        Framework::ReactRouter | Framework::Remix | Framework::SvelteKit { .. } => paths(&["build", "package.json"]),
        Framework::Astro => paths(&["dist", "package.json"]),
        Framework::Server | Framework::Nest => {
            if scripts.build.is_empty() && scripts.hooks.is_empty() {
                return Ok(Keep::Sources);
            }
            let Some(entry) = program.entry.as_deref().filter(|_| config.command.is_none()) else {
                return Ok(Keep::All);
            };
            let (top, inside) = entry.split_once('/').unwrap_or((entry, ""));
            if entry_exists(tree, package, entry) || inside.is_empty() || has(top) {
                return Ok(Keep::All);
            }
            let mut names = vec![top.to_owned(), "package.json".to_owned()];
            names.extend(read_at_run_time(tree, package, top));
            Keep::Paths(names)
        }
    })
}

/// Folders that programs conventionally read when they run.
const CONVENTIONAL: [&str; 22] = [
    "public",
    "static",
    "views",
    "templates",
    "assets",
    "locales",
    "locale",
    "i18n",
    "lang",
    "migrations",
    "prisma",
    "drizzle",
    "config",
    "resources",
    "proto",
    "protos",
    "emails",
    "email-templates",
    "data",
    "db",
    "database",
    "certs",
];

/// Folders and files of the package, beside what is built, that the program reads when it runs.
fn read_at_run_time(tree: &dyn Tree, package: &Manifest, built: &str) -> Vec<String> {
    let texts: Vec<String> = listen::sources(tree, &package.dir).iter().map(|path| tree.scan(path.as_str())).collect();
    let mentioned = |name: &str| {
        texts.iter().any(|text| {
            text.match_indices(name).any(|(at, _)| {
                let before = text[..at].trim_end_matches("./").trim_end_matches("../");
                let opened = before.ends_with(['\'', '"', '`']) || text[..at].ends_with("}/");
                let after = text[at + name.len()..].chars().next();
                let import = text[..at]
                    .rsplit('\n')
                    .next()
                    .is_some_and(|line| line.contains("import ") || line.contains("require("));
                opened && matches!(after, Some('/' | '\'' | '"' | '`')) && !import
            })
        })
    };
    let tools = |name: &str| {
        name == built
            || name.starts_with('.')
            || matches!(name, "test" | "tests" | "docs" | "scripts" | "node_modules" | "coverage" | "e2e" | "src")
    };
    let folders = tree.dirs_in(&package.dir);
    let mut names: Vec<String> = folders
        .into_iter()
        .filter(|name| !tools(name) && (CONVENTIONAL.contains(&name.as_str()) || mentioned(name)))
        .collect();
    if mentioned("src/") && !texts.iter().all(|text| !text.contains("process.cwd()")) {
        names.push("src".into());
    }
    for path in tree.files_in(&package.dir) {
        let name = path.file_name();
        let data = [".json", ".yaml", ".yml", ".graphql", ".proto", ".html", ".ejs", ".sql", ".txt", ".toml", ".csv"];
        let settings = name.starts_with("tsconfig")
            || name.starts_with("package")
            || name.contains("lock")
            || name.starts_with('.');
        if data.iter().any(|ending| name.ends_with(ending)) && !settings && mentioned(name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// Where the program listens.
pub(crate) fn listen(
    tree: &dyn Tree,
    package: &Manifest,
    program: &Program,
    config: &Config,
    notes: &mut Notes,
) -> Listen {
    let mut listen = match (&program.framework, &program.start) {
        (Framework::Static { .. }, _) => {
            return Listen { port: Some(config.port.unwrap_or(8080)), ..Listen::default() };
        }
        (Framework::Server | Framework::Nest, Some(start)) => listen::detect(tree, package, start, notes),
        (_, Some(start)) => listen::of_command(package, start, notes),
        (_, None) => Listen::default(),
    };
    let (port, host): (Option<u16>, Option<&str>) = match &program.framework {
        Framework::Next { .. } => (Some(3000), Some("HOSTNAME")),
        Framework::Nuxt | Framework::Nitro | Framework::SvelteKit { .. } => (Some(3000), Some("HOST")),
        Framework::Astro => (Some(4321), Some("HOST")),
        Framework::ReactRouter | Framework::Remix => (Some(3000), None),
        Framework::Nest => (Some(3000), None),
        Framework::Server | Framework::Static { .. } => (None, None),
    };
    if let Some(host) = host {
        listen.env.insert(host.into(), "0.0.0.0".into());
    }
    if listen.port.is_none() && port.is_some() {
        listen.port = port;
        notes.found(&package.path, None, format!("port {}, the framework's default", port.unwrap_or_default()));
    }
    let set = config.port.or(if host.is_some() { listen.port } else { None });
    if let Some(port) = set {
        listen.env.insert("PORT".into(), port.to_string());
    }
    let fastify_cli =
        program.start.as_ref().is_some_and(|start| start.argv.first().is_some_and(|word| word == "fastify"));
    if fastify_cli {
        listen.env.insert("FASTIFY_ADDRESS".into(), "0.0.0.0".into());
        listen.port = listen.port.or(Some(3000));
    }
    if listen.port.is_none() && config.port.is_none() {
        notes.warn("the port was not found, so the image exposes none; `--port` says it");
    }
    listen
}

/// Files and folders that an install reads beside manifests and the lockfile.
pub(crate) fn inputs(
    tree: &dyn Tree,
    root: &Manifest,
    manager: &Manager,
    keeps_npmrc: bool,
    notes: &mut Notes,
) -> Result<Vec<String>> {
    let mut inputs = Vec::new();
    let npmrc = Some(".npmrc").filter(|_| keeps_npmrc);
    let own: &[&str] = match manager.kind {
        ManagerKind::Npm => &["patches"],
        ManagerKind::YarnClassic => &[".yarnrc", "patches"],
        ManagerKind::YarnBerry => {
            &[".yarnrc.yml", ".yarn/releases", ".yarn/plugins", ".yarn/patches", ".yarn/cache", "patches"]
        }
        ManagerKind::Pnpm => &["pnpm-workspace.yaml", ".pnpmfile.cjs", ".pnpmfile.mjs", "pnpmfile.js", "patches"],
        ManagerKind::Bun => &["bunfig.toml", "patches"],
    };
    for name in npmrc.into_iter().chain(own.iter().copied()) {
        let path = within(&root.dir, name);
        if tree.has(&path) || tree.has_dir(&path) {
            notes.need(&path);
            inputs.push(name.to_owned());
        }
    }
    let settings = tree.text(&within(&root.dir, "pnpm-workspace.yaml"))?.unwrap_or_default();
    let patched = yaml::map(&settings, "patchedDependencies");
    let from_manifest = root.get("patchedDependencies").or_else(|| root.at("pnpm", "patchedDependencies"));
    let more =
        from_manifest.and_then(|map| map.as_object()).into_iter().flatten().filter_map(|(_, path)| path.as_str());
    for path in patched.iter().map(|(_, path)| *path).chain(more) {
        let known = inputs.iter().any(|input| path == *input || path.starts_with(&format!("{input}/")));
        if !known && tree.has(&within(&root.dir, path)) {
            notes.need(&within(&root.dir, path));
            inputs.push(path.to_owned());
        }
    }
    // Local packages and archives are installed from the project itself.
    for (_, range) in root.dependencies(&["dependencies", "devDependencies", "optionalDependencies"]) {
        let local = range
            .strip_prefix("file:")
            .or_else(|| range.strip_prefix("link:"))
            .or_else(|| range.strip_prefix("portal:"));
        let Some(local) = local.map(|path| path.trim_start_matches("./").trim_end_matches('/')) else { continue };
        let path = within(&root.dir, local);
        if !local.starts_with("..") && !local.is_empty() && (tree.has(&path) || tree.has_dir(&path)) {
            notes.need(&path);
            inputs.push(local.to_owned());
        }
    }
    if let Some(file) = &manager.lockfile {
        notes.need(&within(&root.dir, file));
    }
    inputs.sort();
    inputs.dedup();
    Ok(inputs)
}
