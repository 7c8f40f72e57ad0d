//! Remembers which files were read, for `cargo::rerun-if-changed` and for macros.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::rel_path::RelPath;
use super::view::{FileMeta, Tree};
use crate::error::{Error, Result};

/// Files above this size, in bytes, are read again each time.
const LARGE: usize = 1 << 20;
/// Above this, in bytes, no more files are kept.
const MOST_KEPT: usize = 64 << 20;

/// A [`Tree`] that passes everything on and remembers what was read.
pub struct Recorder<'a> {
    inner: &'a dyn Tree,
    /// What was read, and its bytes if it is not large: detection comes back to many files.
    reads: Mutex<BTreeMap<RelPath, Option<Vec<u8>>>>,
    kept: AtomicUsize,
    too_much: Mutex<Option<Error>>,
}

impl<'a> Recorder<'a> {
    /// Watches `inner`.
    pub fn new(inner: &'a dyn Tree) -> Self {
        Self { inner, reads: Mutex::default(), kept: AtomicUsize::new(0), too_much: Mutex::default() }
    }

    /// Fails if a file was not read because all together are too large. A scan takes such a file for an empty one.
    pub(crate) fn all_was_read(&self) -> Result<()> {
        self.too_much.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }

    /// Every file that was read so far, sorted.
    pub fn reads(&self) -> BTreeSet<RelPath> {
        self.reads.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
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
        let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Some(bytes)) = reads.get(path) {
            return Ok(bytes.clone());
        }
        let found = self.inner.bytes(path);
        if let Err(Error::TooMuch { path, limit }) = &found {
            let mut first = self.too_much.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert(Error::TooMuch { path: path.clone(), limit: *limit });
        }
        let has_room = |bytes: &&Vec<u8>| {
            let kept = self.kept.load(Ordering::Relaxed) + bytes.len();
            bytes.len() <= LARGE && kept <= MOST_KEPT
        };
        let kept = found.as_ref().ok().filter(has_room).cloned();
        self.kept.fetch_add(kept.as_ref().map_or(0, Vec::len), Ordering::Relaxed);
        reads.insert(path.clone(), kept);
        found
    }

    fn content_id(&self, path: &RelPath) -> Result<u128> {
        self.reads.lock().unwrap_or_else(PoisonError::into_inner).entry(path.clone()).or_default();
        self.inner.content_id(path)
    }

    fn disk_root(&self) -> Option<&Path> {
        self.inner.disk_root()
    }
}
