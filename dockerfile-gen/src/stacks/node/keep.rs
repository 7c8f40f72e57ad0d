//! Which files the program and the install need.
//!
//! Input: the package, its program, its sources. Output: [`Keep`] and the inputs of an install. The one idea: what a
//! program reads when it runs is named in its sources, and where that is not enough everything is kept.

use super::framework::{self, Framework};
use super::manager::{Manager, ManagerKind};
use super::manifest::Manifest;
use super::needs::{Program, entry_exists};
use super::scripts::Scripts;
use super::source::Source;
use crate::config::Config;
use crate::error::Result;
use crate::facts::Notes;
use crate::sense::yaml;
use crate::tree::{Tree, within};

/// What of the package gets into the image.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub(crate) enum Keep {
    /// The sources, which run as they are.
    Sources,
    /// These paths, relative to the package, after the build.
    Paths(Vec<String>),
    /// All that is there after the build, because nothing says what of it is enough.
    All,
}

/// Decides what of the package gets into the image.
pub(crate) fn keep(
    tree: &dyn Tree,
    package: &Manifest,
    program: &Program,
    scripts: &Scripts,
    sources: &[Source],
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
        // The older compiler of Remix writes into `public` as well.
        Framework::Remix if has("public") => paths(&["build", "public", "package.json"]),
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
            names.extend(read_at_run_time(tree, package, top, sources));
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
fn read_at_run_time(tree: &dyn Tree, package: &Manifest, built: &str, sources: &[Source]) -> Vec<String> {
    let mentioned = |name: &str| {
        sources.iter().any(|Source { text, .. }| {
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
    if mentioned("src/") && sources.iter().any(|source| source.text.contains("process.cwd()")) {
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

/// Files, and folders, that an install reads beside manifests and the lockfile.
pub(crate) fn inputs(
    tree: &dyn Tree,
    root: &Manifest,
    manager: &Manager,
    keeps_npmrc: bool,
    notes: &mut Notes,
) -> Result<(Vec<String>, Vec<String>)> {
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
    let settings = yaml::file(tree, &within(&root.dir, "pnpm-workspace.yaml"))?;
    let patched = settings.get("patchedDependencies").map(yaml::Node::entries).unwrap_or_default();
    let from_manifest = root.get("patchedDependencies").or_else(|| root.at("pnpm", "patchedDependencies"));
    let more =
        from_manifest.and_then(|map| map.as_object()).into_iter().flatten().filter_map(|(_, path)| path.as_str());
    for path in patched.iter().filter_map(|entry| entry.node.text()).chain(more) {
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
    let is_file = |input: &String| !tree.has_dir(&within(&root.dir, input));
    Ok(inputs.into_iter().partition(is_file))
}

/// Settings that an install would read and that nobody has written yet. What .gitignore names is not among them, and
/// stays out of the build context: it may hold a token.
pub(crate) fn missing_settings(tree: &dyn Tree, root: &Manifest, manager: &Manager) -> Vec<String> {
    let names: &[&str] = match manager.kind {
        ManagerKind::Npm => &[".npmrc"],
        ManagerKind::YarnClassic => &[".npmrc", ".yarnrc"],
        ManagerKind::YarnBerry => &[".yarnrc.yml"],
        ManagerKind::Pnpm => &[".npmrc", "pnpm-workspace.yaml"],
        ManagerKind::Bun => &[".npmrc", "bunfig.toml"],
    };
    let ignores = [".gitignore".to_owned(), within(&root.dir, ".gitignore")].map(|file| tree.scan(&file));
    let is_ignored = |name: &str| {
        let mut lines = ignores.iter().flat_map(|text| text.lines());
        lines.any(|line| line.trim().trim_start_matches("**/").trim_start_matches('/') == name)
    };
    let missing = names.iter().filter(|name| !tree.has(&within(&root.dir, name))).map(|name| (*name).to_owned());
    missing.filter(|name| !is_ignored(name)).collect()
}

/// Whether the program makes files in its own folder, which belongs to root otherwise.
pub(crate) fn writes(package: &Manifest, sources: &[Source], notes: &mut Notes) -> bool {
    const CALLS: [&str; 8] = [
        "mkdirSync(",
        "mkdir(",
        "writeFile(",
        "writeFileSync(",
        "createWriteStream(",
        "ensureDir",
        "diskStorage(",
        "new Database(",
    ];
    const LIBRARIES: [&str; 8] = [
        "better-sqlite3",
        "sqlite3",
        "multer",
        "nedb",
        "lowdb",
        "winston-daily-rotate-file",
        "node-localstorage",
        "sqlite",
    ];
    if let Some(library) = LIBRARIES.iter().find(|name| package.dependency(name).is_some()) {
        notes.found(&package.path, package.line(library), format!("`{library}` may write into the program's folder"));
        return true;
    }
    for source in sources {
        if let Some(at) = CALLS.iter().find_map(|call| source.text.find(call)) {
            let line = super::source::line_of(&source.text, at);
            notes.found(source.path.as_str(), Some(line), "may write into the program's folder");
            return true;
        }
    }
    false
}
