//! Variables that hold secrets, which BuildKit does not print.

use crate::model::dockerfile::{Instruction, MountKind};

/// The variables that secrets are put into, which are never shown.
pub(super) fn secret_variables(instruction: &Instruction) -> Vec<String> {
    let mounts = instruction.mounts('\\', &|_| None).unwrap_or_default();
    mounts.into_iter().filter(|mount| mount.kind == MountKind::Secret).filter_map(|mount| mount.env).collect()
}
