//! Which binary the image runs.
//!
//! Input: the workspace's members. Output: one [`Binary`] and the others. The one idea: what is said outright
//! (configuration, `default-run`, the only one) beats what is likely (a web framework, a server-like name).

use cargo_metadata::{DependencyKind, Metadata};

use crate::config::Config;
use crate::error::{Error, Result};
use crate::tree::Tree;

use super::members::{Binary, Member, is_bin};
use crate::facts::Notes;

/// Crates that a package with a server depends on.
const SERVERS: [&str; 16] = [
    "actix-web",
    "axum",
    "axum-server",
    "gotham",
    "hyper",
    "hyper-util",
    "ntex",
    "pingora",
    "poem",
    "rocket",
    "rouille",
    "salvo",
    "tide",
    "tiny_http",
    "tonic",
    "warp",
];

const LIKELY: [&str; 10] = ["server", "service", "api", "app", "web", "http", "backend", "daemon", "gateway", "main"];
const UNLIKELY: [&str; 17] = [
    "xtask",
    "tool",
    "tools",
    "test",
    "tests",
    "bench",
    "benches",
    "example",
    "examples",
    "fuzz",
    "codegen",
    "gen",
    "migrate",
    "migration",
    "cli",
    "client",
    "demo",
];

/// Every binary of the workspace, with the features that it is built with.
pub(super) fn binaries(members: &[Member<'_>], config: &Config) -> Vec<Binary> {
    let mut found = Vec::new();
    for member in members {
        for target in member.package.targets.iter().filter(|target| is_bin(&target.kind)) {
            let mut features = target.required_features.clone();
            let known = config.features.iter().filter(|feature| member.package.features.contains_key(*feature));
            features.extend(known.cloned());
            features.sort();
            features.dedup();
            found.push(Binary {
                name: target.name.clone(),
                package: member.package.name.to_string(),
                dir: member.dir.clone(),
                features,
            });
        }
    }
    found
}

/// Chooses the binary that the image runs.
pub(super) fn choose(
    tree: &dyn Tree,
    metadata: &Metadata,
    members: &[Member<'_>],
    all: Vec<Binary>,
    config: &Config,
    notes: &mut Notes,
) -> Result<(Binary, Vec<Binary>)> {
    let wanted = |binary: &&Binary| {
        config.package.as_ref().is_none_or(|package| binary.package == *package)
            && config.bin.as_ref().is_none_or(|name| binary.name == *name)
    };
    let candidates: Vec<&Binary> = all.iter().filter(wanted).collect();
    let chosen = match candidates.as_slice() {
        [] => return Err(nothing(&all, config)),
        [only] => {
            let reason = if all.len() == 1 { "the only binary" } else { "the binary that was asked for" };
            notes.found(
                manifest(only),
                None,
                format!("binary `{}` of package `{}`, {reason}", only.name, only.package),
            );
            (*only).clone()
        }
        several => weigh(tree, metadata, members, several, notes).clone(),
    };
    let others: Vec<Binary> = all.into_iter().filter(|binary| *binary != chosen).collect();
    if !others.is_empty() {
        let names: Vec<&str> = others.iter().map(|binary| binary.name.as_str()).collect();
        notes.found("Cargo.toml", None, format!("other binaries, each with `--target`: {}", names.join(", ")));
    }
    Ok((chosen, others))
}

fn manifest(binary: &Binary) -> String {
    binary.dir.join("Cargo.toml").unwrap_or_default().to_string()
}

fn nothing(all: &[Binary], config: &Config) -> Error {
    let asked = config.bin.as_ref().or(config.package.as_ref());
    match asked {
        Some(name) if !all.is_empty() => {
            let known = all.iter().flat_map(|binary| [binary.name.as_str(), binary.package.as_str()]);
            let near = crate::config::nearest(name, known).map(|near| format!("did you mean `{near}`? "));
            let names: Vec<&str> = all.iter().map(|binary| binary.name.as_str()).collect();
            Error::Config {
                path: "command line".into(),
                line: None,
                reason: format!("there is no binary `{name}` in this workspace"),
                hint: format!("{}the binaries are {}", near.unwrap_or_default(), names.join(", ")),
            }
        }
        _ => Error::CannotStart {
            reason: "no package of the workspace has a binary target".into(),
            hint: "add a `src/main.rs` or a `[[bin]]`, or choose another stack with `--stack`".into(),
        },
    }
}

/// Takes the likeliest of several binaries and says why.
fn weigh<'a>(
    tree: &dyn Tree,
    metadata: &Metadata,
    members: &[Member<'_>],
    several: &[&'a Binary],
    notes: &mut Notes,
) -> &'a Binary {
    let defaults: Vec<&str> = if metadata.workspace_default_members.is_available() {
        metadata.workspace_default_packages().iter().map(|package| package.name.as_str()).collect()
    } else {
        Vec::new()
    };
    let narrowed = defaults.len() < members.len();
    let mut scored: Vec<(i32, Vec<&'static str>, &Binary)> = several
        .iter()
        .map(|binary| {
            let (score, why) = score(tree, metadata, members, binary);
            let default = narrowed && defaults.contains(&binary.package.as_str());
            let mut why = why;
            if default {
                why.insert(0, "in `default-members`");
            }
            (score + if default { 6 } else { 0 }, why, *binary)
        })
        .collect();
    scored.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.2.name.cmp(&b.2.name)));
    let (best, why, binary) = scored[0].clone();
    let reason = if why.is_empty() { "the first by name".to_owned() } else { why.join(", ") };
    notes.found(manifest(binary), None, format!("binary `{}` of package `{}`: {reason}", binary.name, binary.package));
    if scored.get(1).is_some_and(|(second, ..)| *second == best) {
        let names: Vec<&str> = several.iter().map(|binary| binary.name.as_str()).collect();
        notes.warn(format!(
            "the image runs `{}`, but it is not clear which of {} it should run; `--bin` decides",
            binary.name,
            names.join(", ")
        ));
    }
    binary
}

fn score(_tree: &dyn Tree, metadata: &Metadata, members: &[Member<'_>], binary: &Binary) -> (i32, Vec<&'static str>) {
    let mut score = 0;
    let mut why = Vec::new();
    let Some(member) = members.iter().find(|member| member.package.name.as_str() == binary.package) else {
        return (score, why);
    };
    let package = member.package;
    if package.default_run.as_deref() == Some(binary.name.as_str()) {
        score += 20;
        why.push("`default-run`");
    }
    let normal = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
    if normal.clone().any(|dependency| SERVERS.contains(&dependency.name.as_str())) {
        score += 8;
        why.push("depends on a web framework");
    } else if normal.filter(|dependency| dependency.path.is_some()).any(|local| serves(members, &local.name)) {
        score += 4;
        why.push("depends on a crate with a web framework");
    }
    let words: Vec<String> = binary.name.split(['-', '_']).map(str::to_ascii_lowercase).collect();
    if words
        .iter()
        .any(|word| LIKELY.contains(&word.as_str()) || word.ends_with('d') && word.len() > 3 && word != "build")
    {
        score += 3;
        why.push("a server-like name");
    }
    let place = member.dir.as_str();
    let odd = words.iter().map(String::as_str).chain(place.split(['/', '-', '_']));
    if odd.clone().any(|word| UNLIKELY.contains(&word)) {
        score -= 6;
    }
    if binary.name == package.name.as_str() {
        score += 2;
        why.push("named as its package");
    }
    let root = metadata.workspace_root.file_name().unwrap_or_default();
    if member.dir.as_str().is_empty() {
        score += 3;
        why.push("in the root package");
    } else if binary.name == root {
        score += 2;
    }
    (score, why)
}

fn serves(members: &[Member<'_>], name: &str) -> bool {
    members.iter().filter(|member| member.package.name.as_str() == name).any(|member| {
        let mut normal =
            member.package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
        normal.any(|dependency| SERVERS.contains(&dependency.name.as_str()))
    })
}
