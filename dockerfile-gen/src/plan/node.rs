//! The stages for Node projects.

use crate::config::Config;
use crate::error::Result;
use crate::project::Project;
use crate::project::node::NodeProject;

use super::Plan;

/// Plans the image.
///
/// # Errors
/// As [`Plan::new`].
pub fn plan(_project: &Project, _facts: &NodeProject, _config: &Config) -> Result<Plan> {
    Ok(Plan::default())
}
