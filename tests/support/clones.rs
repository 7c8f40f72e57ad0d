//! The clones below a folder.

use std::fs;
use std::path::{Path, PathBuf};

/// Every clone at most `depth` levels below `folder`, bare ones too, sorted.
pub(crate) fn clones(folder: &Path, depth: usize) -> Vec<PathBuf> {
    if folder.join("HEAD").exists() || folder.join(".git").exists() {
        return vec![folder.to_owned()];
    }
    let entries = fs::read_dir(folder).into_iter().flatten().map(Result::unwrap);
    let dirs = entries.filter(|entry| depth > 0 && entry.file_type().unwrap().is_dir());
    let mut clones: Vec<PathBuf> = dirs.flat_map(|entry| clones(&entry.path(), depth - 1)).collect();
    clones.sort();
    clones
}
