//! Packages of the workspace, and the binaries that they make.

use cargo_metadata::{Package, TargetKind};

use crate::tree::RelPath;

/// A binary target.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub(crate) struct Binary {
    /// Its name, which `[[bin]] name` decides.
    pub name: String,
    /// The package that it belongs to.
    pub package: String,
    /// The folder of that package, relative to the workspace.
    pub dir: RelPath,
    /// Features that it is built with: `required-features` and those from the configuration.
    pub features: Vec<String>,
}

/// A workspace member and where it lies.
pub(crate) struct Member<'a> {
    pub(crate) package: &'a Package,
    pub(crate) dir: RelPath,
}

/// Whether a target is a binary.
pub(crate) fn is_bin(kinds: &[TargetKind]) -> bool {
    kinds.contains(&TargetKind::Bin)
}
