//! What was written, what the parser reads in it, and how the two differ.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Config;
use crate::error::Error;
use crate::model::dockerfile::Instruction;
use crate::plan::{Plan, Stage, Step};
use crate::tree::{RelPath, Tree};

/// What was generated.
pub(crate) struct Written<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) config: &'a Config,
    pub(crate) tree: &'a dyn Tree,
    /// The text of the Dockerfile.
    pub(crate) dockerfile: &'a str,
    /// The text of the .dockerignore.
    pub(crate) dockerignore: &'a str,
    /// Files that the .dockerignore has to leave out.
    pub(crate) secrets: &'a BTreeSet<RelPath>,
}

/// An instruction, and the step that it was written for.
pub(super) struct Read<'a> {
    pub(super) stage: usize,
    pub(super) step: &'a Step,
    pub(super) instruction: &'a Instruction,
    /// Whether a template of the user's spells the step.
    pub(super) is_users: bool,
}

/// A difference between what was planned and what was read.
pub(super) struct Difference {
    /// The line of the Dockerfile, from 1; `None` where something is missing.
    pub(super) line: Option<usize>,
    pub(super) reason: String,
}

impl Difference {
    pub(super) fn at(instruction: &Instruction, reason: impl Into<String>) -> Self {
        Self { line: Some(instruction.line), reason: reason.into() }
    }

    pub(super) fn bug(self, file: &str) -> Error {
        Error::Readback { path: file.to_owned(), line: self.line.map(|line| line as u32), reason: self.reason }
    }
}

/// How many instructions each step consists of that a template of the user's spells, by stage and step.
pub(super) type Users = BTreeMap<(usize, usize), usize>;

/// What a reader would call a step.
pub(super) fn place(stage: &Stage, step: &Step) -> String {
    format!("step `{}` of stage `{}`", step.id, stage.name)
}
