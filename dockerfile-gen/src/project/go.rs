//! Go modules and workspaces.
//!
//! Input: go.mod, go.work, the Go files. Output: [`GoProject`]. The one idea: a main package is what says
//! `package main`, wherever it lies.

use crate::config::Config;
use crate::error::{Error, Result};
use crate::tree::Tree;

use super::{Claim, Notes, Strength};

/// The facts about a Go project.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct GoProject {
    /// The project's name: the last component of the module path.
    pub name: String,
    /// The module path.
    pub module: String,
    /// Major and minor version of the toolchain, such as `1.24`.
    pub version: String,
    /// The folder of the main package that the image runs, relative to the module.
    pub main: String,
    /// The name of its binary.
    pub binary: String,
    /// Whether there is a go.sum.
    pub has_sum: bool,
}

/// Whether the image may be for Go.
///
/// # Errors
/// As [`super::Project::detect`].
pub fn claim(tree: &dyn Tree) -> Result<Option<Claim>> {
    Ok(tree.has("go.mod").then(|| Claim::new(Strength::Possible, "go.mod", None, "a module")))
}

/// Reads the facts.
///
/// # Errors
/// As [`super::Project::detect`].
pub fn detect(tree: &dyn Tree, _config: &Config, notes: &mut Notes) -> Result<GoProject> {
    let text = tree.text("go.mod")?.ok_or_else(|| Error::manifest("go.mod", None, "is missing"))?;
    let mut module = String::new();
    let mut version = String::from("1");
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(path) = line.strip_prefix("module ") {
            module = path.trim().to_owned();
        }
        if let Some(go) = line.strip_prefix("go ") {
            version = go.trim().split('.').take(2).collect::<Vec<_>>().join(".");
            notes.found("go.mod", Some(index as u32 + 1), format!("Go {version}"));
        }
    }
    let binary = super::slug(module.rsplit('/').next().unwrap_or_default());
    let name = binary.clone();
    Ok(GoProject { name, module, version, main: ".".into(), binary, has_sum: tree.has("go.sum") })
}
