//! What the program needs in the image.
//!
//! Input: the package and how it is started. Output: [`Program`] and [`Listen`]. The one idea: a start command names
//! its entry, and whether the entry is in the tree tells whether the sources run or what is built from them.

use super::framework::{self, Framework};
use super::listen::{self, Listen};
use super::manifest::Manifest;
use super::nx::{self, NxProject};
use super::source;
use super::source::Source;
use super::start::{self, Found, Start};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::facts::Notes;
use crate::tree::Tree;
use crate::tree::within;

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

/// Where the program listens.
pub(crate) fn listen(
    tree: &dyn Tree,
    package: &Manifest,
    program: &Program,
    sources: &[Source],
    config: &Config,
    notes: &mut Notes,
) -> Listen {
    let mut listen = match (&program.framework, &program.start) {
        (Framework::Static { .. }, _) => {
            return Listen { port: Some(config.port.unwrap_or(8080)), ..Listen::default() };
        }
        (Framework::Server | Framework::Nest, Some(start)) => listen::detect(tree, package, start, sources, notes),
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
