//! The stages of Node services and of front ends.
//!
//! Input: [`NodeProject`] or [`Frontend`]. Output: stages. The one idea: what is installed depends on reduced manifests
//! only, and development and production dependencies are separate stages, so that no source edit installs anything.

mod build;
mod install;
mod layout;
mod runtime;

use crate::config::Config;
use crate::error::Result;
use crate::plan::{Plan, Stage, Step};
use crate::stacks::frontend::Frontend;
use crate::stacks::node::{Framework, ManagerKind, NodeProject};
use crate::stacks::project::Project;
use crate::tree::within;

use layout::{Layout, has_build};

/// Plans the image.
///
/// # Errors
/// As [`crate::generate`].
pub(crate) fn plan(project: &Project, node: &NodeProject, config: &Config) -> Result<Plan> {
    let layout = Layout::new(node, config, "", config.base.as_ref());
    let mut stages = Vec::new();
    for other in &project.frontends {
        stages.extend(frontend(other, config)?);
    }
    stages.extend(install::stages(&layout)?);
    if has_build(node) {
        stages.push(build::stage(&layout, "build")?);
    }
    stages.push(runtime::stage(&layout, project)?);
    let lockfile = node.manager.lockfile.clone();
    let made_from = [Some("package.json".to_owned()), lockfile].into_iter().flatten();
    Ok(Plan {
        stages,
        made_from: made_from.map(|file| within(node.root.as_str(), &file)).collect(),
        ignore: vec![("Node".into(), ignored(node))],
        ..Plan::default()
    })
}

/// The stages that build a front end; the last one is [`Frontend::stage`] and holds the output at [`Frontend::built`].
///
/// They depend on no stage of the server, so a plan puts them first and copies from the last one:
/// `Step::copy_from("front-end", &frontend.stage, [frontend.built()], "./web/dist")`.
///
/// # Errors
/// As [`crate::generate`].
pub(crate) fn frontend(frontend: &Frontend, config: &Config) -> Result<Vec<Stage>> {
    let prefix = format!("{}-", frontend.stage);
    let layout = Layout::new(&frontend.node, config, &prefix, None);
    let mut stages = install::stages(&layout)?;
    let mut last = build::stage(&layout, &frontend.stage)?;
    for (index, path) in frontend.beside.iter().enumerate() {
        let step = Step::copy(&format!("beside-{index}"), [path.as_str()], &format!("/app/{path}"));
        last.steps.insert(0, step.after([] as [&str; 0]).why("the front end's scripts name it"));
        // Scripts run after what they read is there.
        for needs in last.steps.iter_mut().filter(|step| step.id == "sources").filter_map(|step| step.needs.as_mut()) {
            needs.push(format!("beside-{index}"));
        }
    }
    stages.push(last);
    // What it makes is for browsers and the same on every platform.
    for stage in stages.iter_mut().filter(|stage| matches!(stage.base, crate::plan::Base::Image(_))) {
        stage.native = true;
    }
    Ok(stages)
}

/// What front ends and Node services add to the .dockerignore.
pub(crate) fn ignored(node: &NodeProject) -> Vec<String> {
    let mut patterns = vec![
        "**/node_modules",
        "**/.next",
        "**/.nuxt",
        "**/.output",
        "**/.svelte-kit",
        "**/.turbo",
        "**/.nx",
        "**/.angular",
        "**/.parcel-cache",
        "**/.cache",
        "**/.pnpm-store",
        "**/*.tsbuildinfo",
        "**/coverage",
        "**/storybook-static",
        ".yarn/install-state.gz",
        ".husky",
    ];
    if !matches!(node.framework, Framework::Static { .. }) {
        // A site may be made of such files; a program is not.
        patterns.extend(["**/README.md", "**/CHANGELOG.md"]);
    }
    if !node.scripts.checks {
        patterns.extend([
            "**/*.test.*",
            "**/*.spec.*",
            "**/__tests__",
            "**/__mocks__",
            "test",
            "tests",
            "**/cypress",
            "**/e2e",
            "**/playwright.config.*",
            "**/jest.config.*",
            "**/.eslintrc*",
            "**/.eslintignore",
            "**/eslint.config.*",
            "**/.prettierrc*",
            "**/.prettierignore",
            "**/.lintstagedrc*",
            "**/commitlint.config.*",
        ]);
    }
    let mut patterns: Vec<String> = patterns.into_iter().map(str::to_owned).collect();
    if node.manager.kind == ManagerKind::YarnBerry && !node.input_folders.iter().any(|folder| folder == ".yarn/cache") {
        patterns.push(".yarn/cache".into());
    }
    patterns
}
