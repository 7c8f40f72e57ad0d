//! The manifests that cargo will open, looked at before it does.
//!
//! Input: the folder of a workspace. Output: nothing, or the first manifest that is no regular file inside of the folder.
//! The one idea: cargo opens by name whatever the manifests name, and shows lines of what it cannot read. So the manifests
//! are followed as cargo follows them, and each is opened the one way that looks first.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use crate::error::{Error, Result};
use crate::patterns::glob::{Dialect, Glob};
use crate::tree::RelPath;
use crate::tree::read::Reader;

const NAME: &str = "Cargo.toml";

/// As many folders are looked through for members at most.
const MOST_FOLDERS: usize = 200_000;

/// Looks at all manifests of the workspace in `root`.
///
/// # Errors
/// As the one way to read a file has them; [`Error::Manifest`] for a member or a workspace outside of the folder.
pub(super) fn look(root: &Path) -> Result<()> {
    let mut looked = Looked { root, reader: Reader::open(root)?, seen: BTreeSet::new(), open: Vec::new(), folders: 0 };
    above(root)?;
    looked.open.push(RelPath::default());
    while let Some(dir) = looked.open.pop() {
        // Cargo looks for the workspace of a package in all folders above it.
        let upwards = dir.as_str().match_indices('/').map(|(at, _)| &dir.as_str()[..at]);
        looked.open.extend(upwards.filter_map(RelPath::new).filter(|above| !looked.seen.contains(above)));
        if looked.seen.insert(dir.clone()) {
            looked.manifest(&dir)?;
        }
    }
    Ok(())
}

/// A FIFO above the project would keep cargo waiting.
fn above(root: &Path) -> Result<()> {
    for path in root.ancestors().skip(1).map(|dir| dir.join(NAME)) {
        if path.metadata().is_ok_and(|meta| !meta.is_file() && !meta.is_dir()) {
            return Err(Error::NotAFile { path, what: "a FIFO, a socket or a device" });
        }
    }
    Ok(())
}

struct Looked<'a> {
    root: &'a Path,
    reader: Reader,
    seen: BTreeSet<RelPath>,
    open: Vec<RelPath>,
    folders: usize,
}

impl Looked<'_> {
    fn manifest(&mut self, dir: &RelPath) -> Result<()> {
        let Some(path) = dir.join(NAME) else { return Ok(()) };
        let bytes = match self.reader.bytes(path.as_str()) {
            Ok(bytes) => bytes,
            // A folder on the way may be a file; either way cargo finds none.
            Err(Error::Read { source, .. }) if is_missing(&source) => return Ok(()),
            Err(error) => return Err(error),
        };
        // What is wrong with its text, cargo says.
        let Ok(table) = String::from_utf8_lossy(&bytes).parse::<toml::Table>() else { return Ok(()) };
        for other in local_paths(&table) {
            self.open.extend(self.inside(dir, other));
        }
        if let Some(other) =
            table.get("package").and_then(|package| package.get("workspace")).and_then(toml::Value::as_str)
        {
            match self.inside(dir, other) {
                Some(other) => self.open.push(other),
                // In the folders above cargo looks by itself.
                None if self.root.starts_with(lexical(&self.root.join(dir.as_str()).join(other))) => {}
                None => return Err(outside(&path, other)),
            }
        }
        let Some(workspace) = table.get("workspace") else { return Ok(()) };
        let list = |key: &str| {
            let list = workspace.get(key).and_then(toml::Value::as_array);
            list.into_iter().flatten().filter_map(toml::Value::as_str).map(str::to_owned).collect::<Vec<_>>()
        };
        let excluded: Vec<RelPath> = list("exclude").iter().filter_map(|other| self.inside(dir, other)).collect();
        for member in list("members").iter().chain(&list("default-members")) {
            self.member(dir, &path, member, &excluded)?;
        }
        Ok(())
    }

    /// The folder `other`, seen from `dir`; `None` if it is outside.
    fn inside(&self, dir: &RelPath, other: &str) -> Option<RelPath> {
        match Path::new(other).is_absolute() {
            true => RelPath::new(lexical(Path::new(other)).strip_prefix(self.root).ok()?.to_str()?),
            false => dir.join(other),
        }
    }

    /// Adds the folders that a pattern of `members` names.
    fn member(&mut self, dir: &RelPath, manifest: &RelPath, pattern: &str, excluded: &[RelPath]) -> Result<()> {
        let Some(wild) = pattern.find(['*', '?', '[']) else {
            let member = self.inside(dir, pattern).ok_or_else(|| outside(manifest, pattern))?;
            self.open.push(member);
            return Ok(());
        };
        let fixed = pattern[..wild].rfind('/').map_or(0, |slash| slash + 1);
        let start = match fixed {
            0 => Some(dir.clone()),
            _ => self.inside(dir, &pattern[..fixed]),
        };
        let mut found = vec![start.ok_or_else(|| outside(manifest, pattern))?];
        for part in pattern[fixed..].split('/').filter(|part| !matches!(*part, "" | ".")) {
            found = self.step(&found, part)?.ok_or_else(|| outside(manifest, pattern))?;
        }
        let is_excluded = |path: &RelPath| {
            let below = |other: &RelPath| path.as_str().strip_prefix(other.as_str());
            excluded.iter().any(|other| below(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
        };
        self.open.extend(found.into_iter().filter(|path| !is_excluded(path)));
        Ok(())
    }

    /// The folders that one part of a pattern names, seen from `from`; `None` if one is outside.
    fn step(&mut self, from: &[RelPath], part: &str) -> Result<Option<Vec<RelPath>>> {
        let mut found = Vec::new();
        if !part.contains(['*', '?', '[']) {
            return Ok(from.iter().map(|dir| dir.join(part)).collect());
        }
        let is_deep = part == "**";
        let glob = Glob::new(part, Dialect::Cargo);
        let mut open = from.to_vec();
        while let Some(dir) = open.pop() {
            if is_deep {
                found.push(dir.clone());
            }
            for (name, is_link) in self.folders(&dir)? {
                let Some(path) = dir.join(&name) else { continue };
                if is_deep && !is_link {
                    open.push(path);
                } else if is_deep || glob.as_ref().is_ok_and(|glob| glob.matches(&name)) {
                    found.push(path);
                }
            }
        }
        Ok(Some(found))
    }

    /// The folders directly in `dir`, also behind links, and whether they are links; none behind a link that leads out,
    /// where cargo's manifest would be refused.
    fn folders(&mut self, dir: &RelPath) -> Result<Vec<(String, bool)>> {
        let place = self.root.join(dir.as_str());
        let is_inside = place.canonicalize().is_ok_and(|real| real.starts_with(self.root));
        if !is_inside {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&place).into_iter().flatten().flatten() {
            let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir()) || is_link && entry.path().is_dir();
            if let (true, Ok(name)) = (is_folder, entry.file_name().into_string()) {
                found.push((name, is_link));
            }
        }
        self.folders += found.len();
        match self.folders > MOST_FOLDERS {
            true => Err(Error::manifest(NAME, None, format!("its `members` name more than {MOST_FOLDERS} folders"))),
            false => Ok(found),
        }
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn outside(manifest: &RelPath, path: &str) -> Error {
    Error::manifest(manifest.as_str(), None, format!("names `{path}`, which is outside of the project"))
}

/// A path without `.` and `..`.
fn lexical(path: &Path) -> std::path::PathBuf {
    use std::path::Component;
    let mut clean = std::path::PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => _ = clean.pop(),
            part => clean.push(part),
        }
    }
    clean
}

/// Every `path` of a dependency or of what stands in for one.
fn local_paths(table: &toml::Table) -> Vec<&str> {
    const LISTS: [&str; 6] =
        ["dependencies", "dev-dependencies", "build-dependencies", "dev_dependencies", "build_dependencies", "replace"];
    let mut paths = Vec::new();
    let mut open: Vec<&toml::Table> = vec![table];
    open.extend(table.get("workspace").and_then(toml::Value::as_table));
    for key in ["target", "patch"] {
        let groups = table.get(key).and_then(toml::Value::as_table).into_iter().flatten();
        for group in groups.filter_map(|(_, group)| group.as_table()) {
            open.push(group);
            if key == "patch" {
                paths.extend(paths_of(group));
            }
        }
    }
    for table in open {
        let lists = LISTS.iter().filter_map(|key| table.get(*key)).filter_map(toml::Value::as_table);
        lists.for_each(|list| paths.extend(paths_of(list)));
    }
    paths
}

fn paths_of(list: &toml::Table) -> impl Iterator<Item = &str> {
    list.values().filter_map(|dependency| dependency.get("path")?.as_str())
}
