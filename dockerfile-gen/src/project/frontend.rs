//! Front ends that a server of another stack embeds or serves.
//!
//! Input: the tree, and the folders that the server reads. Output: [`Frontend`]s, each to be built in a stage of its
//! own. The one idea: a front end is a Node project in a sub-folder whose output is one of those folders.

use crate::config::Config;
use crate::error::Result;
use crate::tree::{RelPath, Tree};

use super::Notes;
use super::node::NodeProject;

/// A front end.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Frontend {
    /// The Node project that builds it.
    pub node: NodeProject,
    /// The stage that builds it, unique in the plan: `frontend`, or `frontend-DIR` where there are several.
    pub stage: String,
    /// The folder that it lies in, relative to the project.
    pub dir: RelPath,
    /// The folder that its build writes, relative to the project.
    pub output: RelPath,
    /// Whether the server embeds the output; otherwise it reads it from disk at run time.
    pub embedded: bool,
}

impl Frontend {
    /// The absolute path of the build's output in the stage [`Frontend::stage`].
    ///
    /// A plan copies from there: into the build stage, before the compiler runs, if it is embedded; else into the final
    /// stage alone, so that an edit to the front end recompiles nothing.
    pub fn built(&self) -> String {
        format!("/app/{}", self.output)
    }
}

/// Looks for front ends that build what the server reads (`notes.assets`).
///
/// # Errors
/// As [`super::Project::detect`].
pub fn detect(_tree: &dyn Tree, _config: &Config, _notes: &mut Notes) -> Result<Vec<Frontend>> {
    Ok(Vec::new())
}
