//! What the stages of one Node project share.

use crate::config::Config;
use crate::stacks::node::{Framework, Keep, ManagerKind, NodeProject, suite};
use crate::tree::within;

/// What the stages of one Node project share.
pub(super) struct Layout<'a> {
    pub(super) node: &'a NodeProject,
    pub(super) config: &'a Config,
    /// Put in front of the names of stages.
    pub(super) prefix: String,
    /// The folder of the root manifest in the stages.
    pub(super) workdir: String,
    /// The image that dependencies are installed and sources are built in.
    pub(super) image: String,
}

impl<'a> Layout<'a> {
    pub(super) fn new(node: &'a NodeProject, config: &'a Config, prefix: &str, base: Option<&String>) -> Self {
        let image = match base {
            Some(image) => image.clone(),
            None if runs_on_bun(node) => "oven/bun:1".into(),
            None => format!("node:{}-{}-slim", node.version, suite(node.version, crate::plan::system::SUITE)),
        };
        let workdir = within("/app", node.root.as_str()).trim_end_matches('/').to_owned();
        Self { node, config, prefix: prefix.to_owned(), workdir, image }
    }

    pub(super) fn name(&self, stage: &str) -> String {
        format!("{}{stage}", self.prefix)
    }

    /// The package's folder, relative to the root manifest.
    pub(super) fn package_dir(&self) -> &str {
        inside(self.node, self.node.dir.as_str())
    }
}

/// A folder of the project, relative to the root manifest.
pub(super) fn inside<'a>(node: &NodeProject, dir: &'a str) -> &'a str {
    dir.strip_prefix(node.root.as_str()).unwrap_or(dir).trim_start_matches('/')
}

/// Whether Bun runs the program and nothing else asks for Node.
pub(super) fn runs_on_bun(node: &NodeProject) -> bool {
    node.bun && node.manager.kind == ManagerKind::Bun
}

/// Whether there is anything to do between installing dependencies and running.
pub(super) fn has_build(node: &NodeProject) -> bool {
    node.keep != Keep::Sources
}

/// Whether the running program needs a node_modules folder.
pub(super) fn has_modules(node: &NodeProject) -> bool {
    !matches!(
        node.framework,
        Framework::Static { .. } | Framework::Nuxt | Framework::Nitro | Framework::Next { standalone: true }
    )
}
