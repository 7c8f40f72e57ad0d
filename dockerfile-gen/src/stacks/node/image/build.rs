//! The stage that builds.
//!
//! Input: the layout. Output: one stage on top of `deps`. The one idea: sources come last, then the project's own install
//! hooks, which the dependency layer left out, then the build.

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::facts::slug;
use crate::plan::{Mount, Stage, Step, Value};
use crate::stacks::node::{Framework, Keep};
use crate::tree::within;

use super::install;
use super::layout::{Layout, has_modules, inside};

/// Plans the stage.
///
/// # Errors
/// [`Error::Unsupported`] if nothing is known that builds the package.
pub(super) fn stage(layout: &Layout<'_>, name: &str) -> Result<Stage> {
    let node = layout.node;
    let mut stage = Stage::from_stage(name, &layout.name("deps"));
    if let Framework::Static { fallback, by, .. } = &node.framework
        && layout.prefix.is_empty()
    {
        let port = layout.config.port.unwrap_or(8080).to_string();
        let pages = matches!(by.as_str(), "Astro" | "Next.js" | "Docusaurus" | "VitePress" | "Gatsby" | "Nuxt");
        let step = Step::run("server", "node/nginx")
            .word("port", port)
            .flag("fallback", *fallback)
            .flag("not_found", pages && !fallback);
        stage.push(step.after([] as [&str; 0]).seconds(0.2).why("text of the Dockerfile alone"));
    }
    let root = node.root.as_str();
    let source = if root.is_empty() { ".".to_owned() } else { format!("{root}/") };
    stage.push(Step::copy("sources", [source], "./").after([] as [&str; 0]));
    let mut env: Vec<(String, String)> = node.scripts.env.clone().into_iter().collect();
    for (key, value) in &layout.config.build_env {
        env.retain(|(known, _)| known != key);
        env.push((key.clone(), value.clone()));
    }
    for name in node.scripts.public.iter().filter(|name| !layout.config.build_env.contains_key(*name)) {
        stage.push(Step::arg(name, None).why("built into what the browser gets: give it with --build-arg"));
    }
    if let Some(first) = stage.steps.iter_mut().find(|step| step.id.starts_with("arg-")) {
        first.comment.push("Built into what the browser gets; give them with --build-arg.".into());
    }
    if !env.is_empty() {
        stage.push(Step::env("build-environment", env));
    }
    // Folders of members are copied whole, and their module folders hold development dependencies.
    let members = has_modules(node) && node.members.len() > 1;
    let check = install::check(layout);
    let commands: Vec<_> = check.iter().chain(&node.scripts.hooks).chain(&node.scripts.build).cloned().collect();
    let makes = matches!(node.keep, Keep::Paths(_));
    if makes && node.scripts.build.is_empty() {
        return Err(Error::Unsupported {
            reason: format!("{} says nothing of how it is built", within(node.dir.as_str(), "package.json")),
            hint: "add a script `build` to it".into(),
        });
    }
    let step = Step::run("build", "node/build")
        .value("commands", Value::Commands(commands))
        .flag("strip", node.keep == Keep::All || members)
        .flag("pnp", node.manager.pnp)
        .seconds(30.0);
    let step = if check.is_some() { install::store(step) } else { step };
    stage.push(caches(step, layout).why("the project's own install hooks, which need its sources, and its build"));
    Ok(stage)
}

/// Mounts the caches of the build.
fn caches(mut step: Step, layout: &Layout<'_>) -> Step {
    let node = layout.node;
    let mut seen = BTreeSet::new();
    for folder in &node.scripts.caches {
        let target = format!("{}/{}", layout.workdir, inside(node, folder));
        let kind = folder.rsplit('/').find(|part| *part != "cache").unwrap_or_default();
        let id = format!("{}-{}", slug(&within(&node.name, layout.package_dir())), slug(kind));
        if seen.insert(target.clone()) {
            step = step.mount(Mount::Cache { id, target, locked: true });
        }
    }
    step
}
