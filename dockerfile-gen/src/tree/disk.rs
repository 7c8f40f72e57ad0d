//! A folder on disk as a tree.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{FileMeta, RelPath, Tree};
use crate::error::{Error, Result};

/// A [`Tree`] over a folder on disk, listed once when it is opened; contents are read when asked for.
#[derive(Debug)]
pub struct DiskTree {
    root: PathBuf,
    files: BTreeMap<RelPath, FileMeta>,
}

impl DiskTree {
    /// Lists the files below `root`.
    ///
    /// # Errors
    /// [`Error::Read`] if the folder or one below it cannot be listed.
    pub fn open(root: impl AsRef<Path>) -> Result<Self> {
        let root = root.as_ref();
        let root = fs::canonicalize(root).map_err(|source| Error::Read { path: root.to_owned(), source })?;
        let mut files = BTreeMap::new();
        let mut open = vec![RelPath::default()];
        while let Some(dir) = open.pop() {
            list(&root, &dir, &mut files, &mut open)?;
        }
        Ok(Self { root, files })
    }
}

fn list(root: &Path, dir: &RelPath, files: &mut BTreeMap<RelPath, FileMeta>, open: &mut Vec<RelPath>) -> Result<()> {
    let path = root.join(dir.as_str());
    let failed = |source| Error::Read { path: path.clone(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(&path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        found.push((name, entry));
    }
    let has_cargo = found.iter().any(|(name, _)| name == "Cargo.toml");
    for (name, entry) in found {
        let Some(rel) = dir.join(&name) else { continue };
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() {
            if !is_bulk(&name, has_cargo, &entry.path()) {
                open.push(rel);
            }
        } else {
            files.insert(rel, meta(&entry, kind.is_symlink()));
        }
    }
    Ok(())
}

/// Folders that no project keeps in its repository and that may hold a hundred thousand files.
fn is_bulk(name: &str, beside_cargo: bool, path: &Path) -> bool {
    match name {
        ".git" | ".hg" | ".svn" | "node_modules" | "__pycache__" | ".venv" | ".tox" | ".nox" | ".mypy_cache"
        | ".pytest_cache" | ".ruff_cache" | ".next" | ".nuxt" | ".turbo" | ".svelte-kit" | ".pnpm-store" => true,
        "target" => beside_cargo || path.join("CACHEDIR.TAG").exists(),
        "venv" | "env" => path.join("pyvenv.cfg").exists(),
        _ => false,
    }
}

fn meta(entry: &fs::DirEntry, is_link: bool) -> FileMeta {
    let link = if is_link {
        fs::read_link(entry.path()).ok().map(|target| target.to_string_lossy().into_owned())
    } else {
        None
    };
    let (size, executable) = match entry.metadata() {
        Ok(meta) => (meta.len(), is_executable(&meta)),
        Err(_) => (0, false),
    };
    FileMeta { size, executable, link }
}

#[cfg(unix)]
fn is_executable(meta: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    meta.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_meta: &fs::Metadata) -> bool {
    false
}

impl Tree for DiskTree {
    fn files(&self) -> &BTreeMap<RelPath, FileMeta> {
        &self.files
    }

    fn bytes(&self, path: &RelPath) -> Result<Vec<u8>> {
        let full = self.root.join(path.as_str());
        // A link may lead out of the project: what lies there is not in the build context.
        let real = fs::canonicalize(&full).map_err(|source| Error::Read { path: full.clone(), source })?;
        if !real.starts_with(&self.root) {
            return Err(super::missing(path));
        }
        fs::read(&real).map_err(|source| Error::Read { path: full, source })
    }

    fn disk_root(&self) -> Option<&Path> {
        Some(&self.root)
    }
}
