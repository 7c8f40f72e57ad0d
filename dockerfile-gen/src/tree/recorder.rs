//! Remembers which files were read, for `cargo::rerun-if-changed` and for macros.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::{FileMeta, RelPath, Tree};
use crate::error::Result;

/// A [`Tree`] that passes everything on and remembers what was read.
pub struct Recorder<'a> {
    inner: &'a dyn Tree,
    reads: Mutex<BTreeSet<RelPath>>,
}

impl<'a> Recorder<'a> {
    /// Watches `inner`.
    pub fn new(inner: &'a dyn Tree) -> Self {
        Self { inner, reads: Mutex::default() }
    }

    /// Every file that was read so far, sorted.
    pub fn reads(&self) -> BTreeSet<RelPath> {
        self.reads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Tree for Recorder<'_> {
    fn files(&self) -> &BTreeMap<RelPath, FileMeta> {
        self.inner.files()
    }

    fn empty_dirs(&self) -> &BTreeSet<RelPath> {
        self.inner.empty_dirs()
    }

    fn bytes(&self, path: &RelPath) -> Result<Vec<u8>> {
        self.reads.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone());
        self.inner.bytes(path)
    }

    fn content_id(&self, path: &RelPath) -> Result<u128> {
        self.reads.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone());
        self.inner.content_id(path)
    }

    fn disk_root(&self) -> Option<&Path> {
        self.inner.disk_root()
    }
}
