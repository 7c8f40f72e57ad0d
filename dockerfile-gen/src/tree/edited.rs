//! A tree with files that somebody edited, though nobody knows how.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::rel_path::RelPath;
use super::view::{FileMeta, Tree, content_id};
use crate::error::Result;

/// A [`Tree`] like another, but with other bytes in some files.
pub struct Edited<'a> {
    inner: &'a dyn Tree,
    files: BTreeMap<RelPath, FileMeta>,
    edited: BTreeSet<RelPath>,
}

impl<'a> Edited<'a> {
    /// Edits the files at `paths`: of a folder all that it holds, and where nothing lies a new file.
    pub fn new<'p>(inner: &'a dyn Tree, paths: impl IntoIterator<Item = &'p RelPath>) -> Self {
        let mut files = inner.files().clone();
        let mut edited = BTreeSet::new();
        for path in paths {
            let below: Vec<RelPath> = inner.under(path.as_str()).map(|(path, _)| path.clone()).collect();
            if below.is_empty() {
                files.entry(path.clone()).or_default();
                edited.insert(path.clone());
            }
            edited.extend(below);
        }
        for path in &edited {
            if let Some(meta) = files.get_mut(path) {
                (meta.content, meta.modified, meta.link) = (None, None, None);
                meta.size += 1;
            }
        }
        Self { inner, files, edited }
    }
}

impl Tree for Edited<'_> {
    fn files(&self) -> &BTreeMap<RelPath, FileMeta> {
        &self.files
    }

    fn empty_dirs(&self) -> &BTreeSet<RelPath> {
        self.inner.empty_dirs()
    }

    fn bytes(&self, path: &RelPath) -> Result<Vec<u8>> {
        if !self.edited.contains(path) {
            return self.inner.bytes(path);
        }
        let mut bytes = if self.inner.has(path.as_str()) { self.inner.bytes(path)? } else { Vec::new() };
        bytes.push(b'\n');
        Ok(bytes)
    }

    fn content_id(&self, path: &RelPath) -> Result<u128> {
        if self.edited.contains(path) { Ok(content_id(&self.bytes(path)?)) } else { self.inner.content_id(path) }
    }

    fn disk_root(&self) -> Option<&Path> {
        None
    }
}
