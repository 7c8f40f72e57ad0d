//! What every tree shows.
//!
//! The one idea: a view knows every file before one is read, so a question about paths costs nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hasher};
use std::path::PathBuf;

use super::read;
use super::rel_path::RelPath;
use crate::error::{Error, Result};

/// What a [`Tree`] knows of a file without reading it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileMeta {
    /// Bytes; 0 where the tree does not know it yet.
    pub size: u64,
    /// Whether the owner may execute it.
    pub executable: bool,
    /// Where it points to, for a symbolic link.
    pub link: Option<String>,
    /// Its permission bits, where the tree knows more than [`FileMeta::executable`] says.
    pub mode: Option<u32>,
    /// When it was last written, in nanoseconds since 1970, where the tree keeps that. A builder does not fetch a file
    /// again that has the size, the time and the mode of its own copy.
    pub modified: Option<i128>,
    /// What [`Tree::content_id`] says of it, where the tree knows that without reading it.
    pub content: Option<u128>,
}

impl FileMeta {
    /// Its permission bits: those it has, or those that a checkout gives it.
    pub fn permissions(&self) -> u32 {
        match (self.mode, &self.link, self.executable) {
            (_, Some(_), _) => 0o777,
            (Some(mode), None, _) => mode,
            (None, None, true) => 0o755,
            (None, None, false) => 0o644,
        }
    }
}

/// A read-only view of a project's files.
///
/// Folders exist as prefixes of files, and where they are empty in [`Tree::empty_dirs`]. What git ignores, and what no
/// build context should hold (`.git`, `node_modules`, `target` beside a `Cargo.toml`, virtual environments), is not
/// listed, so that a developer's checkout and a fresh clone look the same; only [`super::DiskTree::open_all`] shows all.
pub trait Tree: Send + Sync {
    /// Every file, sorted by path.
    fn files(&self) -> &BTreeMap<RelPath, FileMeta>;

    /// The folders in which nothing lies, sorted. Git knows none, so only a tree that shows a folder as it is has any;
    /// `COPY` takes them along, and they count in its cache key.
    fn empty_dirs(&self) -> &BTreeSet<RelPath> {
        static NONE: BTreeSet<RelPath> = BTreeSet::new();
        &NONE
    }

    /// The bytes of one file.
    ///
    /// # Errors
    /// [`Error::Read`] if it is not in the tree or cannot be read.
    fn bytes(&self, path: &RelPath) -> Result<Vec<u8>>;

    /// A number that stands for the bytes of one file: equal for equal bytes, within one run of the program, among
    /// trees of one kind. A tree that knows such a number without reading the file gives that.
    ///
    /// # Errors
    /// As [`Tree::bytes`].
    fn content_id(&self, path: &RelPath) -> Result<u128> {
        Ok(content_id(&self.bytes(path)?))
    }

    /// The folder on disk that the tree shows, if it shows one. `cargo metadata` needs it.
    fn disk_root(&self) -> Option<&std::path::Path> {
        None
    }
}

impl dyn Tree + '_ {
    /// Whether there is a file at `path`.
    pub fn has(&self, path: &str) -> bool {
        self.files().contains_key(path)
    }

    /// Whether any file lies below the folder `path`.
    pub fn has_dir(&self, path: &str) -> bool {
        self.under(path).next().is_some()
    }

    /// Every file below the folder `dir` (all files for `""`), sorted.
    pub fn under<'a>(&'a self, dir: &str) -> impl Iterator<Item = (&'a RelPath, &'a FileMeta)> + use<'a> {
        let prefix = if dir.is_empty() { String::new() } else { format!("{}/", dir.trim_end_matches('/')) };
        let from = RelPath::new_unchecked(prefix.clone());
        self.files().range(from..).take_while(move |(path, _)| path.as_str().starts_with(&prefix))
    }

    /// The files that lie directly in the folder `dir`, sorted.
    pub fn files_in<'a>(&'a self, dir: &str) -> impl Iterator<Item = &'a RelPath> + use<'a> {
        let depth = if dir.is_empty() { 0 } else { dir.trim_end_matches('/').len() + 1 };
        self.under(dir).map(|(path, _)| path).filter(move |path| !path.as_str()[depth..].contains('/'))
    }

    /// The names of the folders directly in the folder `dir`, sorted.
    pub fn dirs_in(&self, dir: &str) -> Vec<String> {
        let depth = if dir.is_empty() { 0 } else { dir.trim_end_matches('/').len() + 1 };
        let mut names: Vec<String> = Vec::new();
        for (path, _) in self.under(dir) {
            if let Some((first, _)) = path.as_str()[depth..].split_once('/')
                && names.last().is_none_or(|last| last != first)
            {
                names.push(first.to_owned());
            }
        }
        names
    }

    /// Every folder but the root, also the empty ones, sorted.
    pub fn dirs(&self) -> BTreeSet<&str> {
        let mut dirs = BTreeSet::new();
        let empty = self.empty_dirs().iter().map(RelPath::as_str);
        let mut last = "";
        for mut dir in empty.chain(self.files().keys().map(RelPath::parent)) {
            // Most files lie beside the one before.
            if std::mem::replace(&mut last, dir) == dir {
                continue;
            }
            while !dir.is_empty() && dirs.insert(dir) {
                dir = dir.rsplit_once('/').map_or("", |(above, _)| above);
            }
        }
        dirs
    }

    /// The text of a file, or `None` if there is no such file.
    ///
    /// # Errors
    /// [`Error::Read`] if it cannot be read, [`Error::Manifest`] if it is not UTF-8.
    pub fn text(&self, path: &str) -> Result<Option<String>> {
        let Some((path, _)) = self.files().get_key_value(path) else { return Ok(None) };
        let bytes = self.bytes(path)?;
        // A tree that is no folder on disk may hold anything, too.
        let limit = read::most(path.as_str());
        if bytes.len() as u64 > limit {
            return Err(Error::TooLarge { path: path.as_str().into(), limit });
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec).unwrap_or(bytes);
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(bad) => {
                let upto = &bad.as_bytes()[..bad.utf8_error().valid_up_to()];
                let line = 1 + upto.iter().filter(|&&b| b == b'\n').count() as u32;
                Err(Error::manifest(path.as_str(), Some(line), "is not UTF-8 text"))
            }
        }
    }

    /// The text of a source file for a scan: lossy, and empty if it is missing, unreadable or over 1 MiB.
    pub fn scan(&self, path: &str) -> String {
        match self.files().get_key_value(path) {
            Some((path, meta)) if meta.size <= 1 << 20 => {
                let bytes = self.bytes(path).unwrap_or_default();
                String::from_utf8(bytes).unwrap_or_else(|bad| String::from_utf8_lossy(bad.as_bytes()).into_owned())
            }
            _ => String::new(),
        }
    }
}

/// What [`Tree::content_id`] says of bytes that lie in no tree.
pub(crate) fn content_id(bytes: &[u8]) -> u128 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    u128::from(hasher.finish()) << 64 | bytes.len() as u128
}

pub(crate) fn missing(path: &RelPath) -> Error {
    Error::Read { path: PathBuf::from(path.as_str()), source: std::io::ErrorKind::NotFound.into() }
}
