//! A commit as a tree.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::git::Blobs;
use crate::error::Result;
use crate::tree::{FileMeta, RelPath, Tree, content_id, missing};

/// A [`Tree`] over a commit. Sizes are not known; bytes are read when they are asked for.
#[derive(Debug)]
pub struct GitTree {
    files: BTreeMap<RelPath, FileMeta>,
    names: BTreeMap<RelPath, String>,
    /// Submodules, which a clone has as empty folders.
    modules: BTreeSet<RelPath>,
    /// Stands for the state of `.git`, if that is shown.
    head: Option<String>,
    blobs: Arc<Blobs>,
}

/// The file that stands for all of `.git`.
const HEAD: &str = ".git/HEAD";

impl GitTree {
    pub(super) fn with_blobs(blobs: Arc<Blobs>) -> Self {
        Self { files: BTreeMap::new(), names: BTreeMap::new(), modules: BTreeSet::new(), head: None, blobs }
    }

    /// Adds or replaces what lies at `path`. A name that is no path of a project is left out.
    pub(super) fn set(&mut self, path: &str, mode: &str, blob: &str) -> Result<()> {
        let Some(path) = RelPath::new(path).filter(|clean| clean.as_str() == path) else { return Ok(()) };
        self.remove(path.as_str());
        if mode == "160000" {
            self.modules.insert(path);
            return Ok(());
        }
        let link = match mode {
            "120000" => Some(String::from_utf8_lossy(&self.blobs.read(blob)?).into_owned()),
            _ => None,
        };
        let content = Some(number(blob));
        let meta = FileMeta { executable: mode == "100755", link, content, ..FileMeta::default() };
        self.files.insert(path.clone(), meta);
        self.names.insert(path, blob.to_owned());
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &str) {
        self.files.remove(path);
        self.names.remove(path);
        self.modules.remove(path);
    }

    /// Shows `.git`, as the context of a build in a clone has it, and as it is at the commit `id`.
    pub(super) fn set_commit(&mut self, is_root: bool, id: &str) {
        if is_root {
            let meta = FileMeta { content: Some(number(id)), ..FileMeta::default() };
            self.files.insert(RelPath::new_unchecked(HEAD.to_owned()), meta);
            self.head = Some(id.to_owned());
        }
    }
}

impl Tree for GitTree {
    fn files(&self) -> &BTreeMap<RelPath, FileMeta> {
        &self.files
    }

    fn empty_dirs(&self) -> &BTreeSet<RelPath> {
        &self.modules
    }

    fn bytes(&self, path: &RelPath) -> Result<Vec<u8>> {
        match (&self.head, self.names.get(path)) {
            (_, Some(name)) => self.blobs.read(name),
            (Some(head), None) if path.as_str() == HEAD => Ok(head.clone().into_bytes()),
            _ => Err(missing(path)),
        }
    }

    fn content_id(&self, path: &RelPath) -> Result<u128> {
        self.files.get(path).and_then(|meta| meta.content).ok_or_else(|| missing(path))
    }
}

/// The first half of a name, which is enough to tell blobs apart.
fn number(name: &str) -> u128 {
    let start = name.get(..32).and_then(|start| u128::from_str_radix(start, 16).ok());
    start.unwrap_or_else(|| content_id(name.as_bytes()))
}
