//! Questions that several stacks ask of a project's texts.

pub(crate) mod yaml;
