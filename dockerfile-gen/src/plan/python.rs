//! The stages for Python projects.

use crate::config::Config;
use crate::error::Result;
use crate::project::Project;
use crate::project::python::PythonProject;

use super::Plan;

/// Plans the image.
///
/// # Errors
/// As [`Plan::new`].
pub fn plan(_project: &Project, _facts: &PythonProject, _config: &Config) -> Result<Plan> {
    Ok(Plan::default())
}
