//! What the steps of one plan share.

use std::collections::BTreeMap;

use crate::config::Config;
use crate::stacks::go::{GoMain, GoProject};
use crate::stacks::project::Project;

/// What the steps of one plan have in common.
pub(super) struct Context<'a> {
    pub(super) project: &'a Project,
    pub(super) go: &'a GoProject,
    pub(super) config: &'a Config,
    /// Whether the build stages run on the builder's platform and compile for the target's.
    pub(super) cross: bool,
    /// Stages of front ends whose output becomes part of the binary.
    pub(super) embedded: Vec<String>,
    /// By the folder of a program, the name of its final stage.
    pub(super) names: BTreeMap<String, String>,
}

impl Context<'_> {
    /// The name of the final stage of a program.
    pub(super) fn stage_name(&self, main: &GoMain) -> &str {
        self.names.get(&main.dir).map_or("app", String::as_str)
    }

    /// The name of the stage that compiles a program which is not the default one.
    pub(super) fn build_stage(&self, main: &GoMain) -> String {
        format!("build-{}", self.stage_name(main))
    }
}
