//! The stages of Node services and of front ends.
//!
//! Input: [`NodeProject`] or [`Frontend`]. Output: stages. The one idea: what is installed depends on reduced manifests
//! only, and development and production dependencies are separate stages, so that no source edit installs anything.

mod build;
mod install;
mod runtime;

use crate::config::Config;
use crate::error::Result;
use crate::plan::{Plan, Stage, Step};
use crate::stacks::Project;
use crate::stacks::frontend::Frontend;
use crate::stacks::node::{Framework, Keep, ManagerKind, NodeProject, suite, within};

/// What the stages of one Node project share.
struct Layout<'a> {
    node: &'a NodeProject,
    config: &'a Config,
    /// Put in front of the names of stages.
    prefix: String,
    /// The folder of the root manifest in the stages.
    workdir: String,
    /// The image that dependencies are installed and sources are built in.
    image: String,
}

impl<'a> Layout<'a> {
    fn new(node: &'a NodeProject, config: &'a Config, prefix: &str, base: Option<&String>) -> Self {
        let image = match base {
            Some(image) => image.clone(),
            None if runs_on_bun(node) => "oven/bun:1".into(),
            None => format!("node:{}-{}-slim", node.version, suite(node.version, crate::plan::system::SUITE)),
        };
        let workdir = within("/app", node.root.as_str()).trim_end_matches('/').to_owned();
        Self { node, config, prefix: prefix.to_owned(), workdir, image }
    }

    fn name(&self, stage: &str) -> String {
        format!("{}{stage}", self.prefix)
    }

    /// The package's folder, relative to the root manifest.
    fn package_dir(&self) -> &str {
        inside(self.node, self.node.dir.as_str())
    }
}

/// A folder of the project, relative to the root manifest.
fn inside<'a>(node: &NodeProject, dir: &'a str) -> &'a str {
    dir.strip_prefix(node.root.as_str()).unwrap_or(dir).trim_start_matches('/')
}

/// Whether Bun runs the program and nothing else asks for Node.
fn runs_on_bun(node: &NodeProject) -> bool {
    node.bun && node.manager.kind == ManagerKind::Bun
}

/// Whether there is anything to do between installing dependencies and running.
fn has_build(node: &NodeProject) -> bool {
    node.keep != Keep::Sources
}

/// Whether the running program needs a node_modules folder.
fn has_modules(node: &NodeProject) -> bool {
    !matches!(
        node.framework,
        Framework::Static { .. } | Framework::Nuxt | Framework::Nitro | Framework::Next { standalone: true }
    )
}

/// Plans the image.
///
/// # Errors
/// As [`Plan::new`].
pub fn plan(project: &Project, node: &NodeProject, config: &Config) -> Result<Plan> {
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
/// As [`Plan::new`].
pub fn frontend(frontend: &Frontend, config: &Config) -> Result<Vec<Stage>> {
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
pub fn ignored(node: &NodeProject) -> Vec<String> {
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
