//! Which package manager installs the dependencies.
//!
//! Input: package.json, lockfiles, the managers' settings. Output: [`Manager`]. The one idea: what the project says comes
//! before the lockfile that it has, and without either it is npm.

use nodejs_semver::Range;

use super::manifest::{Manifest, major};
use super::version;
use crate::tree::within;
use std::collections::BTreeSet;

use crate::error::Result;
use crate::facts::Notes;
use crate::sense::yaml::{self, Node};
use crate::tree::Tree;

/// A kind of package manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub(crate) enum ManagerKind {
    /// npm.
    Npm,
    /// Yarn 1.
    YarnClassic,
    /// Yarn 2 and later.
    YarnBerry,
    /// pnpm.
    Pnpm,
    /// Bun.
    Bun,
}

impl ManagerKind {
    /// The name of its program.
    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::YarnClassic | Self::YarnBerry => "yarn",
            Self::Pnpm => "pnpm",
            Self::Bun => "bun",
        }
    }
}

/// The package manager.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub(crate) struct Manager {
    /// What it is.
    pub kind: ManagerKind,
    /// The package to install globally, such as `pnpm@10.34.8`; `None` where the image has the right one.
    pub install: Option<String>,
    /// The words that call it: `pnpm`, or `node .yarn/releases/yarn-4.1.0.cjs`.
    pub call: Vec<String>,
    /// Its major version.
    pub major: u32,
    /// The lockfile, relative to the folder of the root manifest; `None` if there is none.
    pub lockfile: Option<String>,
    /// Whether the lockfile belongs to the manifests, so that an install may insist on it.
    pub frozen: bool,
    /// Whether Yarn resolves packages without a node_modules folder.
    pub pnp: bool,
    /// Whether npm must ignore conflicts between peer dependencies, as npm 6 did, which wrote the lockfile.
    pub legacy_peers: bool,
}

const LOCKFILES: [(&str, ManagerKind); 6] = [
    ("pnpm-lock.yaml", ManagerKind::Pnpm),
    ("bun.lock", ManagerKind::Bun),
    ("bun.lockb", ManagerKind::Bun),
    ("yarn.lock", ManagerKind::YarnClassic),
    ("package-lock.json", ManagerKind::Npm),
    ("npm-shrinkwrap.json", ManagerKind::Npm),
];

/// Decides the package manager and says why.
pub(crate) fn detect(tree: &dyn Tree, root: &Manifest, node: u32, notes: &mut Notes) -> Result<Manager> {
    let present: Vec<(&str, ManagerKind)> =
        LOCKFILES.into_iter().filter(|(file, _)| tree.has(&within(&root.dir, file))).collect();
    let (program, asked) = chosen(tree, root, &present, notes);
    let kind = match program {
        "pnpm" => ManagerKind::Pnpm,
        "bun" => ManagerKind::Bun,
        "yarn" if is_berry(tree, root, asked.as_deref()) => ManagerKind::YarnBerry,
        "yarn" => ManagerKind::YarnClassic,
        _ => ManagerKind::Npm,
    };
    let lockfile = present.iter().find(|(_, other)| other.program() == kind.program()).map(|(file, _)| *file);
    if lockfile.is_none() {
        notes.warn(format!(
            "there is no lockfile of {}: every build may install other versions; commit one",
            kind.program()
        ));
    }
    let lock = match lockfile {
        Some(file) if file != "bun.lockb" => tree.text(&within(&root.dir, file))?.unwrap_or_default(),
        _ => String::new(),
    };
    let mut manager = Manager {
        kind,
        install: None,
        call: vec![kind.program().to_owned()],
        major: asked.as_deref().and_then(major).unwrap_or_default(),
        lockfile: lockfile.map(str::to_owned),
        frozen: lockfile.is_some(),
        pnp: false,
        legacy_peers: false,
    };
    match kind {
        ManagerKind::Npm => npm(&mut manager, asked, &lock, root, node, notes),
        ManagerKind::YarnClassic => {
            manager.major = 1;
            if let Some(name) = unknown("yarn.lock", &lock, root).filter(|_| !lock.is_empty()) {
                notes.warn(format!(
                    "yarn.lock does not know `{name}` as package.json asks for it, so a frozen install would refuse: run \
                     `yarn install` once and commit the lockfile"
                ));
                manager.frozen = false;
            }
            // The images bring Yarn 1 until Node 25; its last releases differ in nothing that an install would notice.
            manager.install = (node >= 26).then(|| "yarn@1.22.22".to_owned());
        }
        ManagerKind::YarnBerry => berry(tree, &mut manager, asked, root, &lock, notes)?,
        ManagerKind::Pnpm => pnpm(tree, &mut manager, asked, root, &lock, node, notes)?,
        ManagerKind::Bun => manager.install = Some(format!("bun@{}", asked.unwrap_or_else(|| "1".into()))),
    }
    if let Some(file) = &manager.lockfile {
        notes.found(within(&root.dir, file), None, format!("{} installs the dependencies", kind.program()));
    }
    Ok(manager)
}

/// The program and the version that the project asks for.
fn chosen(
    tree: &dyn Tree,
    root: &Manifest,
    present: &[(&'static str, ManagerKind)],
    notes: &mut Notes,
) -> (&'static str, Option<String>) {
    let known = |name: &str| ["npm", "pnpm", "yarn", "bun"].into_iter().find(|known| *known == name);
    if let Some((name, version)) = root.str("packageManager").and_then(|asked| asked.split_once('@'))
        && let Some(program) = known(name)
    {
        // What follows `+` is a checksum.
        let version = version.split('+').next().unwrap_or_default();
        let line = root.line("packageManager");
        if let Some(version) = plain(version) {
            notes.found(&root.path, line, format!("{program} {version}, from `packageManager`"));
            return (program, Some(version));
        }
        notes.warn(format!("{}: `packageManager` names no version that can be installed", root.path));
        return (program, None);
    }
    if let Some(engine) = root.at("devEngines", "packageManager") {
        let engine = engine.as_array().map_or(Some(engine), |list| list.first());
        let text = |key: &str| engine.and_then(|engine| engine.get(key)).and_then(|value| value.as_str());
        if let Some(program) = text("name").and_then(known) {
            notes.found(&root.path, root.line("devEngines"), format!("{program}, from `devEngines`"));
            return (program, text("version").and_then(plain));
        }
    }
    let from_volta = |program: &str| root.str_at("volta", program).and_then(plain);
    // Of several lockfiles the first one that knows what package.json asks for is the one that is kept up.
    let agrees = |file: &str| unknown(file, &tree.scan(&within(&root.dir, file)), root).is_none();
    if let Some((file, kind)) = present.iter().find(|(file, _)| present.len() == 1 || agrees(file)).or(present.first())
    {
        let others: Vec<&str> =
            present.iter().filter(|(_, other)| other.program() != kind.program()).map(|(file, _)| *file).collect();
        if !others.is_empty() {
            notes.warn(format!(
                "there are lockfiles of several package managers: `{file}` is used, {} not; \
                 `packageManager` in package.json decides",
                others.join(", ")
            ));
        }
        let program = kind.program();
        return (program, from_volta(program).or_else(|| root.str_at("engines", program).and_then(exact)));
    }
    let engine = ["pnpm", "yarn", "bun"].into_iter().find(|program| root.str_at("engines", program).is_some());
    (engine.unwrap_or("npm"), None)
}

/// A version that is nothing but a version.
fn plain(version: &str) -> Option<String> {
    let ok = version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    (ok && version.bytes().next().is_some_and(|byte| byte.is_ascii_digit())).then(|| version.to_owned())
}

/// The version of a range that names exactly one.
fn exact(range: &str) -> Option<String> {
    plain(range.trim().trim_start_matches('=')).filter(|version| version.split('.').count() == 3)
}

fn is_berry(tree: &dyn Tree, root: &Manifest, asked: Option<&str>) -> bool {
    match asked.and_then(major) {
        Some(major) => major >= 2,
        None => {
            tree.has(&within(&root.dir, ".yarnrc.yml")) || is_berry_lock(&tree.scan(&within(&root.dir, "yarn.lock")))
        }
    }
}

fn npm(manager: &mut Manager, asked: Option<String>, lock: &str, root: &Manifest, node: u32, notes: &mut Notes) {
    let bundled = version::bundled_npm(node);
    manager.major = asked.as_deref().and_then(major).unwrap_or(bundled);
    manager.install = asked.filter(|_| manager.major != bundled).map(|version| format!("npm@{version}"));
    let Some(file) = manager.lockfile.clone() else { return };
    if lock.lines().take(8).any(|line| line.trim() == "\"lockfileVersion\": 1,") {
        notes.found(&file, None, "written by npm 6, which ignored conflicts between peer dependencies");
        manager.legacy_peers = true;
    }
    if let Some(name) = unknown(&file, lock, root) {
        notes.warn(format!(
            "{file} does not agree with package.json about `{name}`, so `npm ci` would refuse: \
             `npm install` is used; run it once and commit the lockfile"
        ));
        manager.frozen = false;
    }
}

const KINDS: [&str; 3] = ["dependencies", "devDependencies", "optionalDependencies"];

/// A dependency that package.json asks for and a lockfile does not know, as far as its text tells.
fn unknown(file: &str, lock: &str, root: &Manifest) -> Option<String> {
    match file {
        "yarn.lock" if !is_berry_lock(lock) => {
            // `"@scope/a@^1.0.0", a@^2:`
            let entries = lock.lines().filter(|line| line.ends_with(':') && !line.starts_with([' ', '#']));
            let keys = entries.flat_map(|line| line.trim_end_matches(':').split(", "));
            let known: BTreeSet<&str> = keys.map(|key| key.trim_matches('"')).collect();
            let missing = |name: &str, range: &str| !known.contains(format!("{name}@{range}").as_str());
            let resolved = root.get("resolutions").is_some();
            let mut asked = root.dependencies(&KINDS).filter(|(_, range)| !range.contains(':'));
            asked.find(|(name, range)| !resolved && missing(name, range)).map(|(name, _)| name.to_owned())
        }
        "package-lock.json" | "npm-shrinkwrap.json" => disagreement(lock, root),
        _ => None,
    }
}

/// A dependency that package.json and the root entry of package-lock.json say different things about.
fn disagreement(lock: &str, root: &Manifest) -> Option<String> {
    let start = lock.find("\n    \"\": {")? + "\n    \"\": ".len();
    let end = start + lock[start..].find("\n    }")? + "\n    }".len();
    let locked: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&lock[start..end]).ok()?;
    for (name, range) in root.dependencies(&KINDS) {
        let same = KINDS.iter().any(|kind| locked.get(*kind).and_then(|all| all.get(name)?.as_str()) == Some(range));
        // npm keeps the first of two entries for one package.
        if !same && KINDS.iter().filter(|kind| root.at(kind, name).is_some()).count() == 1 {
            return Some(name.to_owned());
        }
    }
    None
}

fn berry(
    tree: &dyn Tree,
    manager: &mut Manager,
    asked: Option<String>,
    root: &Manifest,
    lock: &str,
    notes: &mut Notes,
) -> Result<()> {
    let settings_path = within(&root.dir, ".yarnrc.yml");
    let settings = yaml::file(tree, &settings_path)?;
    let release = settings.text_of("yarnPath").filter(|path| tree.has(&within(&root.dir, path)));
    manager.pnp = match settings.text_of("nodeLinker") {
        Some(linker) => linker == "pnp",
        None => true,
    };
    if manager.pnp {
        notes.found(&settings_path, None, "Yarn without node_modules (Plug'n'Play)");
    }
    if let Some(path) = release {
        let line = settings.line_of("yarnPath");
        let named = path.rsplit('/').next().unwrap_or_default();
        manager.major = major(named).or(asked.as_deref().and_then(major)).unwrap_or(4);
        manager.call = vec!["node".into(), path.to_owned()];
        notes.found(&settings_path, line, format!("Yarn {} is part of the project", manager.major));
        return Ok(());
    }
    let version = match asked {
        Some(version) => version,
        // The format of the lockfile tells the release line: 4 is Yarn 2, 5 and 6 are Yarn 3, 8 is Yarn 4.
        None => match lock_format(&within(&root.dir, "yarn.lock"), lock)? {
            Some(..=4) => "2".into(),
            Some(5..=7) => "3".into(),
            _ => "4".into(),
        },
    };
    manager.major = major(&version).unwrap_or(4);
    manager.install = Some(format!("@yarnpkg/cli-dist@{version}"));
    Ok(())
}

/// The format of a lockfile of Yarn 2 or later; one of Yarn 1 is no YAML and says nothing.
fn lock_format(path: &str, lock: &str) -> Result<Option<u32>> {
    if !is_berry_lock(lock) {
        return Ok(None);
    }
    let lock = yaml::read_keys(path, lock, &["__metadata"])?;
    Ok(lock.get("__metadata").and_then(|metadata| metadata.text_of("version")?.parse().ok()))
}

fn is_berry_lock(lock: &str) -> bool {
    lock.lines().take(10).any(|line| line.trim_end() == "__metadata:")
}

fn pnpm(
    tree: &dyn Tree,
    manager: &mut Manager,
    asked: Option<String>,
    root: &Manifest,
    lock: &str,
    node: u32,
    notes: &mut Notes,
) -> Result<()> {
    let version = match asked {
        Some(version) => version,
        None => {
            let settings = yaml::file(tree, &within(&root.dir, "pnpm-workspace.yaml"))?;
            let path = within(&root.dir, "pnpm-lock.yaml");
            let head = yaml::read_keys(&path, lock, &["lockfileVersion"])?;
            let (version, reason) = pnpm_line(head.text_of("lockfileVersion"), lock, &settings, root);
            notes.found(path, head.line_of("lockfileVersion"), reason);
            version.to_string()
        }
    };
    manager.major = major(&version).unwrap_or(10);
    if manager.major >= 11 && node < 22 {
        notes.warn(format!("pnpm {version} needs Node 22 or later, but Node {node} is asked for"));
    }
    manager.install = Some(format!("pnpm@{version}"));
    Ok(())
}

/// The release line of pnpm that fits a lockfile.
fn pnpm_line(format: Option<&str>, lock: &str, settings: &Node, root: &Manifest) -> (u32, String) {
    let format = format.unwrap_or("9.0");
    let line = match major(format) {
        Some(..=5) if format == "5.3" => 6,
        Some(..=5) => 7,
        Some(6..=8) => 8,
        // Since 10, scripts of dependencies run only where the settings allow it; without such settings 9, which runs
        // them, does what the program needs.
        _ => {
            let range = root.str_at("engines", "pnpm").and_then(|range| Range::parse(range).ok());
            let fits = |line: u32| {
                let releases = Range::parse(format!(">={line}.0.0 <{}.0.0-0", line + 1));
                range.as_ref().is_none_or(|range| releases.is_ok_and(|line| line.intersect(range).is_some()))
            };
            let mut keys = settings.entries().iter().map(|entry| entry.key.as_str());
            let modern = keys.any(|key| !matches!(key, "packages" | "catalog" | "catalogs"))
                || root.at("pnpm", "onlyBuiltDependencies").is_some()
                || root.at("pnpm", "ignoredBuiltDependencies").is_some();
            let preferred = if modern || !lock_needs_scripts(lock) { [10, 9, 11] } else { [9, 10, 11] };
            preferred.into_iter().find(|line| fits(*line)).unwrap_or(preferred[0])
        }
    };
    (line, format!("pnpm {line}, which writes and reads lockfile version {format}"))
}

/// Whether a package whose install script does what the program needs is locked.
fn lock_needs_scripts(lock: &str) -> bool {
    const SCRIPTED: [&str; 12] = [
        "@prisma/client@",
        "argon2@",
        "bcrypt@",
        "better-sqlite3@",
        "canvas@",
        "node-sass@",
        "prisma@",
        "puppeteer@",
        "sqlite3@",
        "re2@",
        "@prisma/engines@",
        "isolated-vm@",
    ];
    lock.lines().filter_map(|line| line.strip_prefix("  ")).any(|line| {
        let name = line.trim_start_matches(['\'', '"', '/']);
        SCRIPTED.iter().any(|scripted| name.starts_with(scripted))
    })
}
