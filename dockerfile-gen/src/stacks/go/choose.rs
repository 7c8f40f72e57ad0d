//! Which main package the image runs.
//!
//! Input: the main packages and what build files say. Output: [`GoMain`]s, the chosen one first. The one idea: the rules
//! are tried from what the user says to what the names suggest, and the rule that decided is the evidence.

use std::collections::BTreeSet;

use super::hints::{Build, is_name};
use super::packages::{GoModule, owner};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::facts::Notes;
use crate::tree::RelPath;

/// A main package.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub(crate) struct GoMain {
    /// The name of its binary.
    pub name: String,
    /// Its folder, relative to the project; empty for the root.
    pub dir: String,
}

/// Folders that hold programs for the people who work on a project.
const AUXILIARY: &[&str] = &[
    "example",
    "examples",
    "sample",
    "samples",
    "demo",
    "demos",
    "tool",
    "tools",
    "hack",
    "script",
    "scripts",
    "test",
    "tests",
    "integration-test",
    "e2e",
    "bench",
    "benchmark",
    "benchmarks",
    "doc",
    "docs",
    "contrib",
    "ci",
    "internal",
    "third_party",
    "gen",
    "generate",
    "generator",
    "codegen",
    "mock",
    "mocks",
    "fixtures",
    "fuzz",
    "magefiles",
    "build",
];

/// Whether a module there is for the people who work on a project; `internal` is not: some keep their services there.
pub(super) fn is_aside(dir: &str) -> bool {
    dir.split('/').any(|part| part != "internal" && AUXILIARY.contains(&part) || matches!(part, "vendor" | "testdata"))
}

/// Names of programs that serve.
const SERVERS: &[&str] =
    &["server", "api", "web", "app", "service", "serve", "http", "backend", "daemon", "main", "run"];

/// Chooses; the others follow in the order of their names.
pub(super) fn choose(
    mains: Vec<GoMain>,
    modules: &[GoModule],
    builds: &[Build],
    config: &Config,
    serves: impl Fn(&GoMain) -> bool,
    notes: &mut Notes,
) -> Result<Vec<GoMain>> {
    let wanted = asked(&mains, modules, config)?;
    let released = |main: &GoMain| {
        builds.iter().any(|build| build.path.contains("goreleaser") && folder(&build.main).as_ref() == Some(&main.dir))
    };
    let is_program = |main: &&GoMain| !is_auxiliary(&main.dir) || released(main);
    let programs: Vec<GoMain> = mains.iter().filter(is_program).cloned().collect();
    // A repository of nothing but examples has a program, too, if it is clear which.
    let mut programs = if programs.is_empty() { mains.clone() } else { programs };
    let chosen = match wanted {
        Some(main) => main,
        None => {
            let (main, path, line, reason) = guess(&programs, modules, builds, serves)?;
            notes.found(path, line, reason);
            main
        }
    };
    programs.retain(|main| *main != chosen);
    if !programs.is_empty() {
        let names: Vec<String> =
            programs.iter().map(|main| format!("`{}` ({})", main.name, shown(&main.dir))).collect();
        notes.found(
            shown(&chosen.dir),
            None,
            format!("`{}` is what the image runs; `--bin` or a target stage chooses {}", chosen.name, names.join(", ")),
        );
    }
    programs.insert(0, chosen);
    Ok(programs)
}

/// The main package that the configuration asks for.
fn asked(mains: &[GoMain], modules: &[GoModule], config: &Config) -> Result<Option<GoMain>> {
    let Some(wanted) = config.bin.as_ref().or(config.package.as_ref()) else { return Ok(None) };
    let dir = RelPath::new(wanted).map(|path| path.as_str().to_owned());
    let in_package = |main: &&GoMain| match (&config.bin, &config.package) {
        (Some(_), Some(package)) => owner(modules, &main.dir).is_some_and(|m| m.path == *package || m.dir == *package),
        _ => true,
    };
    let candidates: Vec<&GoMain> = mains.iter().filter(in_package).collect();
    let by_name = candidates.iter().find(|main| main.name == *wanted);
    let by_dir = || candidates.iter().find(|main| Some(&main.dir) == dir.as_ref());
    let by_last = || candidates.iter().find(|main| main.dir.rsplit('/').next() == Some(wanted));
    let by_module = || {
        let module = modules.iter().find(|module| module.path == *wanted)?;
        let mut inside = candidates.iter().filter(|main| owner(modules, &main.dir) == Some(module));
        inside.next().filter(|_| inside.next().is_none())
    };
    match by_name.or_else(by_dir).or_else(by_last).or_else(by_module) {
        Some(main) => Ok(Some((*main).clone())),
        None => Err(Error::CannotStart {
            reason: format!("there is no main package `{wanted}`"),
            hint: format!("the main packages are {}; `--bin` chooses one", list(mains)),
        }),
    }
}

type Guess = (GoMain, String, Option<u32>, String);

fn guess(
    programs: &[GoMain],
    modules: &[GoModule],
    builds: &[Build],
    serves: impl Fn(&GoMain) -> bool,
) -> Result<Guess> {
    let at = |main: &GoMain, reason: &str| Ok((main.clone(), shown(&main.dir), None, reason.to_owned()));
    if let [only] = programs {
        return at(only, &format!("the main package of `{}`, the only one", only.name));
    }
    let find = |dir: &str| programs.iter().find(|main| main.dir == dir);
    if let Some(root) = find("") {
        return at(root, "the main package in the root");
    }
    if let Some((main, reason)) = named_as_module(programs, modules) {
        return at(main, reason);
    }
    for build in builds.iter().filter(|build| build.path.contains("goreleaser")) {
        if let Some(main) = folder(&build.main).and_then(|dir| find(&dir)) {
            let reason = format!("`{}` is the first program that is released", main.name);
            return Ok((main.clone(), build.path.clone(), Some(build.line), reason));
        }
    }
    let commands: Vec<&GoMain> = programs.iter().filter(|main| format!("/{}", main.dir).contains("/cmd/")).collect();
    if let [only] = commands.as_slice() {
        return at(only, "the only main package below cmd");
    }
    let serving: Vec<&GoMain> = programs.iter().filter(|main| serves(main)).collect();
    if let [only] = serving.as_slice() {
        return at(only, "the only main package that listens on a port");
    }
    let named = |main: &&GoMain| is_server_name(&main.name) && (serving.is_empty() || serving.contains(main));
    let mut servers = programs.iter().filter(named);
    if let (Some(main), None) = (servers.next(), servers.next()) {
        return at(main, "the only main package that is called as a server is");
    }
    for build in builds {
        let found = folder(&build.main).and_then(|dir| find(&dir));
        if let Some(main) = found.filter(|main| serving.is_empty() || serving.contains(main)) {
            let reason = format!("`{}` is what {} builds first", main.name, build.path);
            return Ok((main.clone(), build.path.clone(), Some(build.line), reason));
        }
    }
    Err(Error::Ambiguous {
        question: "which main package the image runs".into(),
        found: list(programs),
        hint: "`--bin NAME` or `bin` in the configuration decides".into(),
    })
}

/// The program that is called as the module is, or the daemon beside it, which is called `NAMEd` or `NAME-server`.
fn named_as_module<'m>(programs: &'m [GoMain], modules: &[GoModule]) -> Option<(&'m GoMain, &'static str)> {
    for module in modules {
        let name = base_name(&module.path);
        let daemon = |main: &&GoMain| {
            let rest = main.name.strip_prefix(&name).unwrap_or_default();
            matches!(rest, "d" | "server" | "-server" | "_server" | "-api") && owner(modules, &main.dir) == Some(module)
        };
        let itself = |main: &&GoMain| main.name == name && owner(modules, &main.dir) == Some(module);
        if let Some(main) = programs.iter().find(daemon) {
            return Some((main, "the main package that is called as the module's server is"));
        }
        if let Some(main) = programs.iter().find(itself) {
            return Some((main, "the main package that is called as the module is"));
        }
    }
    None
}

fn is_server_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SERVERS.contains(&name.as_str()) || name.split(['-', '_']).any(|part| matches!(part, "server" | "api" | "web"))
}

fn folder(written: &str) -> Option<String> {
    let written = written.trim_end_matches("main.go").trim_end_matches("*.go");
    RelPath::new(written).map(|path| path.as_str().to_owned())
}

/// Whether a folder holds what people work on the project with, and no program of it.
pub(super) fn is_auxiliary(dir: &str) -> bool {
    let parts: Vec<&str> = dir.split('/').collect();
    // `cmd/build` may be the program; `tools/cmd/x` is not.
    parts.iter().take_while(|part| **part != "cmd").any(|part| AUXILIARY.contains(&part.to_ascii_lowercase().as_str()))
}

/// What binaries are called: as goreleaser says, else as the folder, else as the module.
pub(super) fn named(dirs: Vec<String>, modules: &[GoModule], builds: &[Build]) -> Vec<GoMain> {
    let mut taken = BTreeSet::new();
    let mut mains = Vec::new();
    for dir in dirs {
        let released = builds.iter().find(|build| build.binary.is_some() && folder(&build.main).as_ref() == Some(&dir));
        let module = owner(modules, &dir);
        let last = dir.rsplit('/').next().unwrap_or_default();
        let is_root = module.is_none_or(|module| module.dir == dir);
        let name = match released.and_then(|build| build.binary.clone()) {
            Some(binary) => binary,
            None if is_root || matches!(last, "cmd" | "main" | "src") => {
                module.map(|module| base_name(&module.path)).unwrap_or_default()
            }
            None => last.to_owned(),
        };
        let name = if is_name(&name) { name } else { crate::facts::slug(&name) };
        let unique = if taken.insert(name.clone()) { name } else { crate::facts::slug(&dir) };
        taken.insert(unique.clone());
        mains.push(GoMain { name: unique, dir });
    }
    mains
}

/// The last component of a module path that is no major version.
pub(super) fn base_name(module: &str) -> String {
    let is_version =
        |part: &&str| part.strip_prefix('v').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    let last = module.rsplit('/').find(|part| !is_version(part)).unwrap_or(module);
    // `gopkg.in/name.v2`
    let bare =
        last.rsplit_once(".v").filter(|(_, n)| n.bytes().all(|b| b.is_ascii_digit())).map_or(last, |(name, _)| name);
    bare.to_owned()
}

fn list(mains: &[GoMain]) -> String {
    let names: Vec<String> = mains.iter().map(|main| format!("`{}` ({})", main.name, shown(&main.dir))).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

/// A folder as a reader would write it.
pub(super) fn shown(dir: &str) -> String {
    if dir.is_empty() { ".".into() } else { dir.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_called_by_its_last_component_that_is_no_version() {
        assert_eq!(base_name("github.com/traefik/whoami"), "whoami");
        assert_eq!(base_name("example.com/ntfy/v2"), "ntfy");
        assert_eq!(base_name("gopkg.in/yaml.v3"), "yaml");
        assert_eq!(base_name("app"), "app");
    }

    #[test]
    fn tools_and_examples_are_no_programs() {
        assert!(is_auxiliary("examples/hello"));
        assert!(is_auxiliary("internal/gen"));
        assert!(!is_auxiliary("cmd/tools"));
        assert!(!is_auxiliary(""));
    }
}
