//! A tree in memory, for tests and for projects that exist only as data.

use std::collections::{BTreeMap, BTreeSet};

use super::rel_path::RelPath;
use super::view::{FileMeta, Tree, content_id, missing};
use crate::error::Result;

/// A [`Tree`] whose files are given as text.
///
/// ```
/// use dockerfile_gen::{MemTree, Tree};
/// let tree = MemTree::from([("go.mod", "module m\n"), ("cmd/m/main.go", "package main\n")]);
/// assert!((&tree as &dyn Tree).has_dir("cmd"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemTree {
    files: BTreeMap<RelPath, FileMeta>,
    bytes: BTreeMap<RelPath, Vec<u8>>,
    empty_dirs: BTreeSet<RelPath>,
}

impl MemTree {
    /// Adds or replaces a file. A path that leaves the project is left out.
    pub fn insert(&mut self, path: &str, bytes: impl Into<Vec<u8>>) -> &mut Self {
        if let Some(path) = RelPath::new(path) {
            let bytes = bytes.into();
            self.files.insert(path.clone(), FileMeta { size: bytes.len() as u64, ..FileMeta::default() });
            self.bytes.insert(path, bytes);
        }
        self
    }

    /// Adds a folder in which nothing lies.
    pub fn insert_empty_dir(&mut self, path: &str) -> &mut Self {
        self.empty_dirs.extend(RelPath::new(path));
        self
    }

    /// Adds or replaces a symbolic link to `target`.
    pub fn insert_link(&mut self, path: &str, target: &str) -> &mut Self {
        self.insert(path, "");
        if let Some(meta) = RelPath::new(path).and_then(|path| self.files.get_mut(&path)) {
            meta.link = Some(target.to_owned());
        }
        self
    }

    /// Sets the permission bits of a file.
    pub fn set_mode(&mut self, path: &str, mode: u32) -> &mut Self {
        if let Some(meta) = RelPath::new(path).and_then(|path| self.files.get_mut(&path)) {
            meta.mode = Some(mode);
            meta.executable = mode & 0o100 != 0;
        }
        self
    }

    /// Sets when a file was last written, in nanoseconds since 1970.
    pub fn set_modified(&mut self, path: &str, nanoseconds: i128) -> &mut Self {
        if let Some(meta) = RelPath::new(path).and_then(|path| self.files.get_mut(&path)) {
            meta.modified = Some(nanoseconds);
        }
        self
    }

    /// Removes a file.
    pub fn remove(&mut self, path: &str) -> &mut Self {
        self.files.remove(path);
        self.bytes.remove(path);
        self
    }
}

impl<P: AsRef<str>, T: Into<Vec<u8>>, const N: usize> From<[(P, T); N]> for MemTree {
    fn from(files: [(P, T); N]) -> Self {
        let mut tree = Self::default();
        for (path, bytes) in files {
            tree.insert(path.as_ref(), bytes);
        }
        tree
    }
}

impl Tree for MemTree {
    fn files(&self) -> &BTreeMap<RelPath, FileMeta> {
        &self.files
    }

    fn empty_dirs(&self) -> &BTreeSet<RelPath> {
        &self.empty_dirs
    }

    fn bytes(&self, path: &RelPath) -> Result<Vec<u8>> {
        self.bytes.get(path).cloned().ok_or_else(|| missing(path))
    }

    fn content_id(&self, path: &RelPath) -> Result<u128> {
        self.bytes.get(path).map(|bytes| content_id(bytes)).ok_or_else(|| missing(path))
    }
}
