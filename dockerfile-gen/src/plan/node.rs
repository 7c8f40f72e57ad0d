//! The stages for Node projects.

use crate::config::Config;
use crate::error::Result;
use crate::project::Project;
use crate::project::frontend::Frontend;
use crate::project::node::NodeProject;

use super::{Plan, Stage};

/// Plans the image.
///
/// # Errors
/// As [`Plan::new`].
pub fn plan(_project: &Project, _facts: &NodeProject, _config: &Config) -> Result<Plan> {
    Ok(Plan::default())
}

/// The stages that build a front end; the last one is [`Frontend::stage`] and holds the output at [`Frontend::built`].
///
/// They depend on no stage of the server, so a plan puts them first and copies from the last one:
/// `Step::copy_from("front-end", &frontend.stage, [frontend.built()], "./web/dist")`.
///
/// # Errors
/// As [`Plan::new`].
pub fn frontend(frontend: &Frontend, _config: &Config) -> Result<Vec<Stage>> {
    Ok(vec![Stage::from_image(&frontend.stage, "node:24-slim")])
}
