//! What keys the dependency layer where manifests are copied as they are, and where the best known tool is used.

use std::env;
use std::fs;
use std::process::Command;

use serde_json::Value;

use super::Files;
use super::checkout::Checkout;
use super::node;
use super::ours::Stack;

/// Every manifest of the project, and its lockfiles.
pub(crate) fn raw(work: &Checkout, stack: Stack) -> Files {
    let mut paths = match stack {
        Stack::Rust => crates(work),
        Stack::Node => node::manifests(work),
    };
    paths.extend(locks(stack).iter().chain(settings(stack)).map(|&path| path.to_owned()));
    paths.iter().flat_map(|path| work.under(path)).collect()
}

/// What each package manager locks in.
pub(crate) fn locks(stack: Stack) -> &'static [&'static str] {
    match stack {
        Stack::Rust => &["Cargo.lock"],
        Stack::Node => &["package-lock.json", "pnpm-lock.yaml", "yarn.lock"],
    }
}

fn settings(stack: Stack) -> &'static [&'static str] {
    match stack {
        Stack::Node => &["pnpm-workspace.yaml", ".npmrc", ".yarnrc.yml", "patches"],
        Stack::Rust => &[],
    }
}

/// The manifests of the packages that the lockfile calls the project's own.
fn crates(work: &Checkout) -> Vec<String> {
    let lock = work.toml("Cargo.lock").unwrap_or_default();
    let packages = lock.get("package").and_then(Value::as_array).into_iter().flatten();
    let own: Vec<&str> =
        packages.filter(|one| one.get("source").is_none()).filter_map(|one| one["name"].as_str()).collect();
    let manifests = work.folders_with("Cargo.toml").into_iter().map(|folder| format!("{folder}Cargo.toml"));
    let is_own = |path: &String| {
        let manifest = work.toml(path).unwrap_or_default();
        path == "Cargo.toml" || manifest["package"]["name"].as_str().is_some_and(|name| own.contains(&name))
    };
    manifests.filter(is_own).collect()
}

/// What the best known way looks at: the recipe of cargo-chef, the lockfile of `pnpm fetch`, and else the manifests and the
/// lockfile, as the guides of npm and yarn copy them.
pub(crate) fn peer(work: &Checkout, stack: Stack, raw: &Files) -> Option<Files> {
    match stack {
        Stack::Rust => chef(work),
        Stack::Node if raw.contains_key("pnpm-lock.yaml") => Some(
            raw.iter()
                .filter(|(path, _)| !path.ends_with("package.json"))
                .map(|(path, bytes)| (path.clone(), bytes.clone()))
                .collect(),
        ),
        Stack::Node => Some(raw.clone()),
    }
}

fn chef(work: &Checkout) -> Option<Files> {
    let recipe = env::temp_dir().join(format!("replay-recipe-{}.json", std::process::id()));
    let mut command = Command::new("cargo-chef");
    command.args(["chef", "prepare", "--recipe-path"]).arg(&recipe).current_dir(&work.root);
    // The toolchain that a project asks for is not fetched.
    command.env("RUSTUP_TOOLCHAIN", env::var("RUSTUP_TOOLCHAIN").unwrap_or_else(|_| "stable".to_owned()));
    let done = command.env("CARGO_NET_OFFLINE", "true").output().ok()?;
    let bytes = fs::read(&recipe).ok()?;
    let _ = fs::remove_file(&recipe);
    done.status.success().then(|| Files::from([("recipe.json".to_owned(), bytes)]))
}
