//! What the parts of a declaration are made from.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::Metadata;

use super::reach::Side;
use crate::config::Config;
use crate::stacks::rust::lock::{Crates, Lock};
use crate::stacks::rust::members::Binary;
use crate::tree::Tree;

/// What is known when the declaration is made.
pub(in crate::stacks::rust) struct Known<'a> {
    pub(in crate::stacks::rust) tree: &'a dyn Tree,
    pub(in crate::stacks::rust) metadata: &'a Metadata,
    pub(in crate::stacks::rust) lock: &'a Lock,
    pub(in crate::stacks::rust) crates: &'a Crates,
    pub(in crate::stacks::rust) binary: &'a Binary,
    pub(in crate::stacks::rust) config: &'a Config,
    /// Index → name of the registries in `.cargo/config.toml`.
    pub(in crate::stacks::rust) registries: &'a BTreeMap<String, String>,
}

/// A dependency in a table of the manifest; the lockfile says which version it is.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key<'a> {
    pub(super) side: Side,
    pub(super) target: Option<String>,
    pub(super) name: &'a str,
    pub(super) source: String,
    pub(super) version: Option<&'a str>,
}

/// What is asked of it, by all who ask.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) requirement: String,
    pub(super) features: BTreeSet<String>,
    pub(super) default: bool,
}
