//! What dependencies need beside Node: compilers, libraries, Prisma's schema.
//!
//! Input: package.json files and the lockfile. Output: system packages and [`Prisma`]. The one idea: names in the lockfile
//! tell which packages compile when they are installed.

use std::collections::BTreeSet;

use super::manager::{Manager, ManagerKind};
use super::manifest::Manifest;
use super::source;
use crate::facts::Notes;
use crate::sense::yaml;
use crate::tree::within;
use crate::tree::{RelPath, Tree};

/// System packages.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub(crate) struct System {
    /// For installing dependencies and building.
    pub build: BTreeSet<String>,
    /// For running.
    pub run: BTreeSet<String>,
    /// Environment that both need.
    pub env: Vec<(String, String)>,
}

/// Prisma, whose client is generated from a schema.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub(crate) struct Prisma {
    /// The folder of the package that has the schema, relative to the project.
    pub dir: RelPath,
    /// The schema: a file or a folder, relative to the project.
    pub schema: RelPath,
    /// Whether installing generates the client, so that the schema must be there before.
    pub on_install: bool,
    /// Whether `prisma generate` must be run before the build.
    pub generate: bool,
    /// Whether the client lies in node_modules, and not among the sources.
    pub in_modules: bool,
    /// Whether its client runs a native engine, which links to OpenSSL.
    pub engine: bool,
    /// Variables that its configuration insists on, although generating needs no database.
    pub variables: BTreeSet<String>,
}

/// Packages that compile with node-gyp unless a binary can be downloaded, and libraries for them: build, run.
const COMPILED: [(&str, &[&str], &[&str]); 23] = [
    // What these two install compiles where no binary can be downloaded.
    ("@mapbox/node-pre-gyp", &[], &[]),
    ("node-pre-gyp", &[], &[]),
    ("argon2", &[], &[]),
    ("bcrypt", &[], &[]),
    ("better-sqlite3", &[], &[]),
    (
        "canvas",
        &["libcairo2-dev", "libgif-dev", "libjpeg-dev", "libpango1.0-dev", "librsvg2-dev"],
        &["libcairo2", "libgif7", "libjpeg62-turbo", "libpango-1.0-0", "libpangocairo-1.0-0", "librsvg2-2"],
    ),
    ("deasync", &[], &[]),
    ("farmhash", &[], &[]),
    ("grpc", &[], &[]),
    ("isolated-vm", &[], &[]),
    ("kerberos", &["libkrb5-dev"], &["libgssapi-krb5-2"]),
    ("leveldown", &[], &[]),
    ("libpq", &["libpq-dev"], &["libpq5"]),
    ("libxmljs", &[], &[]),
    ("libxmljs2", &[], &[]),
    ("node-expat", &[], &[]),
    ("node-rdkafka", &["libssl-dev", "zlib1g-dev"], &["libssl3", "zlib1g"]),
    ("node-sass", &[], &[]),
    ("re2", &[], &[]),
    ("sqlite3", &[], &[]),
    ("tree-sitter", &[], &[]),
    ("usb", &["libudev-dev"], &["libudev1"]),
    ("zeromq", &[], &[]),
];

/// Development tools that download a program when they are installed, and what keeps them from it.
const DOWNLOADS: [(&str, &str, &str); 6] = [
    ("chromedriver", "CHROMEDRIVER_SKIP_DOWNLOAD", "true"),
    ("cypress", "CYPRESS_INSTALL_BINARY", "0"),
    ("electron", "ELECTRON_SKIP_BINARY_DOWNLOAD", "1"),
    ("geckodriver", "GECKODRIVER_SKIP_DOWNLOAD", "true"),
    ("mongodb-memory-server", "MONGOMS_DISABLE_POSTINSTALL", "1"),
    ("puppeteer", "PUPPETEER_SKIP_DOWNLOAD", "true"),
];

/// Reads the system packages that locked dependencies need.
pub(crate) fn system(
    tree: &dyn Tree,
    root: &Manifest,
    all: &[&Manifest],
    manager: &Manager,
    notes: &mut Notes,
) -> System {
    let mut system = System::default();
    let path = manager.lockfile.as_ref().map(|file| within(&root.dir, file));
    let lock = path.as_ref().map(|path| tree.scan(path)).unwrap_or_default();
    let locked = locked_names(&lock, manager.kind);
    let has = |name: &str| locked.contains(name) || all.iter().any(|package| package.any_dependency(name).is_some());
    for (name, build, run) in COMPILED {
        if !has(name) {
            continue;
        }
        notes.found(path.as_deref().unwrap_or(&root.path), None, format!("`{name}` may compile when it is installed"));
        system.build.extend(["g++", "make", "python3"].map(str::to_owned));
        system.build.extend(build.iter().map(|package| (*package).to_owned()));
        system.run.extend(run.iter().map(|package| (*package).to_owned()));
    }
    for (name, variable, value) in DOWNLOADS {
        let produces = all.iter().any(|package| package.dependency(name).is_some());
        if !produces && all.iter().any(|package| package.any_dependency(name).is_some()) {
            notes.found(&root.path, root.line(name), format!("`{name}` is for development: its download is left out"));
            system.env.push((variable.into(), value.into()));
        }
    }
    if has("puppeteer") && all.iter().any(|package| package.dependency("puppeteer").is_some()) {
        notes.found(&root.path, root.line("puppeteer"), "Puppeteer with Debian's Chromium");
        system.run.insert("chromium".into());
        system.env.push(("PUPPETEER_EXECUTABLE_PATH".into(), "/usr/bin/chromium".into()));
        system.env.push(("PUPPETEER_SKIP_DOWNLOAD".into(), "true".into()));
    }
    // What tests drive a browser with is not used in a build, and would be fetched from elsewhere.
    for (name, variable, value) in
        [("cypress", "CYPRESS_INSTALL_BINARY", "0"), ("puppeteer", "PUPPETEER_SKIP_DOWNLOAD", "true")]
    {
        let set = system.env.iter().any(|(known, _)| known == variable);
        if has(name) && !set {
            system.env.push((variable.into(), value.into()));
        }
    }
    if all.iter().any(|package| package.dependencies(&KINDS).any(|(_, range)| is_git(range))) {
        notes.found(&root.path, None, "a dependency comes from a git repository");
        system.build.extend(["ca-certificates", "git"].map(str::to_owned));
    }
    system
}

const KINDS: [&str; 3] = ["dependencies", "devDependencies", "optionalDependencies"];

fn is_git(range: &str) -> bool {
    let slashes = range.matches('/').count() == 1;
    let short = slashes && !range.starts_with(['.', '@', '~']) && !range.contains(':');
    range.starts_with("git") || range.contains(".git") || short
}

/// The names of the locked packages, as far as lines tell.
fn locked_names(lock: &str, kind: ManagerKind) -> BTreeSet<&str> {
    let starts_entry = |line: &str| match kind {
        ManagerKind::Npm => line.trim_start().starts_with("\"node_modules/"),
        ManagerKind::YarnClassic | ManagerKind::YarnBerry => !line.starts_with([' ', '#']),
        ManagerKind::Pnpm => line.strip_prefix("  ").is_some_and(|rest| !rest.starts_with(' ')),
        ManagerKind::Bun => line.starts_with("    \""),
    };
    let mut names = BTreeSet::new();
    for line in lock.lines() {
        if !starts_entry(line) {
            continue;
        }
        let line = line.trim().trim_start_matches(['"', '\'', '/']);
        if kind == ManagerKind::Npm {
            let path = line.split('"').next().unwrap_or_default();
            names.extend(path.rsplit("node_modules/").next());
        } else {
            // `name@range`, `@scope/name@range`, and `/name/1.2.3` of old pnpm locks.
            let at = line.char_indices().skip(1).find(|(_, c)| matches!(c, '@' | '"' | ':'));
            names.extend(at.map(|(at, _)| &line[..at]));
        }
    }
    names
}

/// Reads what Prisma needs, if the package or a package that it needs uses it.
pub(crate) fn prisma(
    tree: &dyn Tree,
    packages: &[&Manifest],
    root: &Manifest,
    manager: &Manager,
    build_generates: bool,
    notes: &mut Notes,
) -> Option<Prisma> {
    let user = packages.iter().find(|package| {
        package.any_dependency("prisma").or(package.any_dependency("@prisma/client")).is_some()
            && schema(tree, package, root).is_some()
    })?;
    let schema = schema(tree, user, root)?;
    let major = user.major("prisma").or_else(|| user.major("@prisma/client")).unwrap_or(6);
    let text = match tree.has(schema.as_str()) {
        true => tree.scan(schema.as_str()),
        false => tree.under(schema.as_str()).map(|(path, _)| tree.scan(path.as_str())).collect(),
    };
    let in_modules = major < 7 && source::setting(&text, "output").is_none_or(|dir| dir.contains("node_modules"));
    let on_install = major < 7 && in_modules && runs_scripts(tree, root, manager);
    let variables = match super::framework::config(tree, user, "prisma.config") {
        (path, config) if path != user.path => needed_variables(&config),
        _ => BTreeSet::new(),
    };
    notes.found(schema.as_str(), None, format!("Prisma {major} generates a client from this schema"));
    Some(Prisma {
        dir: RelPath::new(&user.dir)?,
        schema,
        on_install,
        generate: !on_install && !build_generates,
        in_modules,
        engine: major < 7,
        variables,
    })
}

fn schema(tree: &dyn Tree, package: &Manifest, root: &Manifest) -> Option<RelPath> {
    let configured = package.str_at("prisma", "schema").or_else(|| root.str_at("prisma", "schema"));
    let config = super::framework::config(tree, package, "prisma.config").1;
    let named = source::setting(&config, "schema");
    [configured, named.as_deref(), Some("prisma/schema.prisma"), Some("schema.prisma"), Some("prisma/schema")]
        .into_iter()
        .flatten()
        .filter_map(|path| RelPath::new(&within(&package.dir, path)))
        .find(|path| tree.has(path.as_str()) || tree.has_dir(path.as_str()))
}

/// Whether installing runs the scripts of Prisma's packages.
fn runs_scripts(tree: &dyn Tree, root: &Manifest, manager: &Manager) -> bool {
    match manager.kind {
        ManagerKind::Npm => manager.major < 12,
        ManagerKind::YarnClassic | ManagerKind::YarnBerry => true,
        ManagerKind::Bun => {
            let trusted = root.get("trustedDependencies").and_then(|list| list.as_array());
            trusted.is_some_and(|list| list.iter().any(|name| name == "@prisma/client"))
        }
        ManagerKind::Pnpm if manager.major < 10 => true,
        ManagerKind::Pnpm => {
            let path = within(&root.dir, "pnpm-workspace.yaml");
            let settings = yaml::read(&path, &tree.scan(&path)).ok();
            let settings = settings.as_ref();
            let listed = root.at("pnpm", "onlyBuiltDependencies").and_then(|list| list.as_array());
            let allowed = |settings: &yaml::Node| {
                settings.texts_of("onlyBuiltDependencies").any(|name| name == "@prisma/client")
                    || settings.get("allowBuilds").and_then(|map| map.text_of("@prisma/client")) == Some("true")
            };
            settings.is_some_and(allowed) || listed.is_some_and(|list| list.iter().any(|name| name == "@prisma/client"))
        }
    }
}

/// Variables in `env('NAME')`, which fails where they are not set.
fn needed_variables(config: &str) -> BTreeSet<String> {
    source::occurrences(config, "env")
        .filter_map(|at| {
            let rest = config[at + "env".len()..].strip_prefix('(')?.trim_start();
            let inner = rest.strip_prefix(['\'', '"'])?;
            inner.split(['\'', '"']).next()
        })
        .filter(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
        .map(str::to_owned)
        .collect()
}
