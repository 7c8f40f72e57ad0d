//! A folder on disk as a tree.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::read::Reader;
use super::rel_path::RelPath;
use super::view::{FileMeta, Tree};
use super::{git_index, gitignore};
use crate::error::{Error, Result};

/// A [`Tree`] over a folder on disk, listed once when it is opened; contents are read when asked for.
#[derive(Debug)]
pub struct DiskTree {
    root: PathBuf,
    reader: Reader,
    files: BTreeMap<RelPath, FileMeta>,
    empty_dirs: BTreeSet<RelPath>,
}

impl DiskTree {
    /// Lists the files that a fresh clone would have, without the folders `bulk`. See [`DiskTree::open`].
    pub(crate) fn open_without(root: &Path, bulk: &[Bulk]) -> Result<Self> {
        let mut tree = Self::empty(root)?;
        let (above, ignores) = gitignore::above(&tree.root)?;
        let mut open = vec![(RelPath::default(), ignores)];
        while let Some((dir, ignores)) = open.pop() {
            let path = tree.root.join(dir.as_str());
            let found = entries(&path)?;
            let base = if dir.as_str().is_empty() { above.len() } else { above.len() + dir.as_str().len() + 1 };
            let beside = |wanted: &str| found.iter().any(|(name, _)| name == wanted);
            let ignores = match beside(gitignore::NAME) {
                true => ignores.and_of(&tree.reader, dir.as_str(), base)?,
                false => ignores,
            };
            let is_bulk = |name: &str, path: &Path| {
                is_always_bulk(name, bulk)
                    || bulk.iter().any(|folder| folder.name == name && folder.is_here(&beside, path))
            };
            let bulky: Vec<bool> = found.iter().map(|(name, entry)| is_bulk(name, &entry.path())).collect();
            for ((name, entry), is_bulk) in found.into_iter().zip(bulky) {
                let Some(rel) = dir.join(&name) else { continue };
                let kind = entry.file_type().map_err(|source| Error::Read { path: entry.path(), source })?;
                let is_bulk = kind.is_dir() && is_bulk;
                if is_bulk || ignores.ignores(&format!("{above}{rel}"), kind.is_dir()) {
                    continue;
                }
                if kind.is_dir() {
                    open.push((rel, ignores.clone()));
                } else {
                    tree.files.insert(rel, meta(&entry));
                }
            }
        }
        tree.add_tracked(bulk);
        Ok(tree)
    }

    /// Adds what git tracks although a .gitignore names it.
    fn add_tracked(&mut self, bulk: &[Bulk]) {
        for tracked in git_index::tracked(&self.root) {
            let Some(path) = RelPath::new(&tracked).filter(|path| !self.files.contains_key(path)) else { continue };
            let full = self.root.join(path.as_str());
            let in_bulk = path.as_str().split('/').any(|name| is_always_bulk(name, bulk));
            // A folder that git tracks may be a link by now: what lies behind it is no part of the project.
            if let (Ok(meta), false, false) = (fs::symlink_metadata(&full), in_bulk, self.is_behind_link(&path))
                && !meta.is_dir()
            {
                self.files.insert(path, file_meta(&full, &meta));
            }
        }
    }

    /// Whether a folder on the way to `path` is a link.
    fn is_behind_link(&self, path: &RelPath) -> bool {
        let above = path.as_str().match_indices('/').map(|(at, _)| &path.as_str()[..at]);
        above.into_iter().any(|dir| fs::symlink_metadata(self.root.join(dir)).is_ok_and(|meta| meta.is_symlink()))
    }

    /// Lists all that lies below `root`, `.git` and empty folders included: what a build context would hold without a
    /// .dockerignore.
    ///
    /// # Errors
    /// [`Error::Read`] if the folder or one below it cannot be listed.
    pub fn open_all(root: impl AsRef<Path>) -> Result<Self> {
        let mut tree = Self::empty(root.as_ref())?;
        let mut open = vec![RelPath::default()];
        while let Some(dir) = open.pop() {
            let found = entries(&tree.root.join(dir.as_str()))?;
            let is_empty = found.is_empty();
            for (name, entry) in found {
                let Some(rel) = dir.join(&name) else { continue };
                let kind = entry.file_type().map_err(|source| Error::Read { path: entry.path(), source })?;
                if kind.is_dir() {
                    open.push(rel);
                } else {
                    tree.files.insert(rel, meta(&entry));
                }
            }
            if is_empty && dir != RelPath::default() {
                tree.empty_dirs.insert(dir);
            }
        }
        Ok(tree)
    }

    fn empty(root: &Path) -> Result<Self> {
        let root = fs::canonicalize(root).map_err(|source| Error::Read { path: root.to_owned(), source })?;
        let reader = Reader::open(&root)?;
        Ok(Self { root, reader, files: BTreeMap::new(), empty_dirs: BTreeSet::new() })
    }
}

/// What lies directly in a folder; names that are not UTF-8 are left out.
fn entries(path: &Path) -> Result<Vec<(String, fs::DirEntry)>> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if let Ok(name) = entry.file_name().into_string() {
            found.push((name, entry));
        }
    }
    Ok(found)
}

/// A folder that no project keeps in its repository and that may hold a hundred thousand files.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bulk {
    name: &'static str,
    sign: Sign,
}

/// What shows that a folder is bulk.
#[derive(Clone, Copy, Debug)]
enum Sign {
    /// Its name alone.
    Name,
    /// A file beside it.
    Beside(&'static str),
    /// A file in it.
    Inside(&'static str),
}

impl Bulk {
    /// A folder whose name alone shows it.
    pub(crate) const fn named(name: &'static str) -> Self {
        Self { name, sign: Sign::Name }
    }

    /// A folder that is bulk beside the file `other`.
    pub(crate) const fn beside(name: &'static str, other: &'static str) -> Self {
        Self { name, sign: Sign::Beside(other) }
    }

    /// A folder that is bulk if it holds the file `inner`.
    pub(crate) const fn holding(name: &'static str, inner: &'static str) -> Self {
        Self { name, sign: Sign::Inside(inner) }
    }

    fn is_here(&self, beside: &dyn Fn(&str) -> bool, path: &Path) -> bool {
        match self.sign {
            Sign::Name => true,
            Sign::Beside(other) => beside(other),
            Sign::Inside(inner) => path.join(inner).exists(),
        }
    }
}

/// Whether the name alone shows that a folder is bulk.
fn is_always_bulk(name: &str, bulk: &[Bulk]) -> bool {
    matches!(name, ".git" | ".hg" | ".svn")
        || bulk.iter().any(|folder| folder.name == name && matches!(folder.sign, Sign::Name))
}

fn meta(entry: &fs::DirEntry) -> FileMeta {
    entry.metadata().map(|meta| file_meta(&entry.path(), &meta)).unwrap_or_default()
}

fn file_meta(path: &Path, meta: &fs::Metadata) -> FileMeta {
    let target = || fs::read_link(path).ok().map(|target| target.to_string_lossy().into_owned());
    let link = if meta.is_symlink() { target() } else { None };
    let mode = mode(meta);
    let executable = mode.is_some_and(|mode| mode & 0o100 != 0);
    FileMeta { size: meta.len(), executable, link, mode, ..FileMeta::default() }
}

#[cfg(unix)]
fn mode(meta: &fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    Some(meta.permissions().mode() & 0o7777)
}

#[cfg(not(unix))]
fn mode(_meta: &fs::Metadata) -> Option<u32> {
    None
}

impl Tree for DiskTree {
    fn files(&self) -> &BTreeMap<RelPath, FileMeta> {
        &self.files
    }

    fn empty_dirs(&self) -> &BTreeSet<RelPath> {
        &self.empty_dirs
    }

    fn bytes(&self, path: &RelPath) -> Result<Vec<u8>> {
        self.reader.bytes(path.as_str())
    }

    fn content_id(&self, path: &RelPath) -> Result<u128> {
        self.reader.content_id(path.as_str())
    }

    fn disk_root(&self) -> Option<&Path> {
        Some(&self.root)
    }
}
