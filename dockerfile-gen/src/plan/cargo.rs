//! The stages for Cargo packages and workspaces.

use crate::config::Config;
use crate::error::Result;
use crate::project::Project;
use crate::project::cargo::RustProject;

use super::Plan;

/// Plans the image.
///
/// # Errors
/// As [`Plan::new`].
pub fn plan(_project: &Project, _facts: &RustProject, _config: &Config) -> Result<Plan> {
    Ok(Plan::default())
}
