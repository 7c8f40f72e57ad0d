//! Python projects.

use crate::config::Config;
use crate::error::{Error, Result};
use crate::tree::Tree;

use super::{Claim, Notes};

/// The facts.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct PythonProject {
    /// The project's name.
    pub name: String,
}

/// Whether the image may be for this stack.
///
/// # Errors
/// As [`super::Project::detect`].
pub fn claim(_tree: &dyn Tree) -> Result<Option<Claim>> {
    Ok(None)
}

/// Reads the facts.
///
/// # Errors
/// As [`super::Project::detect`].
pub fn detect(_tree: &dyn Tree, _config: &Config, _notes: &mut Notes) -> Result<PythonProject> {
    Err(Error::NoProject { root: ".".into(), seen: "nothing".into() })
}
