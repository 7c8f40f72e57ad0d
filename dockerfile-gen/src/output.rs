//! Puts generated files on disk, or says how they differ from what is there.
//!
//! Input: [`Files`]. Output: a [`Status`] a file. The one idea: nothing of the user's is lost. What this crate did not
//! write, or what was edited since, is replaced only when told to, and then a backup is kept; a write is atomic, and a
//! file whose bytes would not change is not touched.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::plan::render::MARK;
use crate::tree::RelPath;

/// Generated files: path relative to the project, and text.
///
/// ```
/// use dockerfile_gen::{ConfigLayer, Error, MemTree, Overwrite, Status, generate_tree};
/// # let root = std::env::temp_dir().join(format!("doctest-files-{}", std::process::id()));
/// # std::fs::create_dir_all(&root)?;
/// let tree = MemTree::from([("go.mod", "module hello\n\ngo 1.25\n"), ("main.go", "package main\n\nfunc main() {}\n")]);
/// let files = generate_tree(&tree, ConfigLayer::default())?.files;
///
/// assert!(files.diff(&root)?.contains("+++ b/Dockerfile\n"));
/// let statuses = files.write(&root, Overwrite::Refuse)?;
/// assert!(statuses.values().all(|status| matches!(status, Status::Written { backup: None })));
/// assert!(files.check(&root)?.values().all(|status| *status == Status::Fresh));
/// assert_eq!(files.diff(&root)?, "");
///
/// // What was not written by this crate, or was edited since, is only replaced when told to.
/// std::fs::write(root.join("Dockerfile"), "FROM scratch\n")?;
/// assert!(matches!(files.write(&root, Overwrite::Refuse), Err(Error::NotOurs { .. })));
/// let statuses = files.write(&root, Overwrite::Backup)?;
/// assert_eq!(statuses["Dockerfile"], Status::Written { backup: Some(root.join("Dockerfile.bak")) });
/// # std::fs::remove_dir_all(root)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Files(pub BTreeMap<RelPath, String>);

/// How a generated file compares to what is on disk.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "status", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Status {
    /// The same bytes are there.
    Fresh,
    /// It was written.
    Written {
        /// Where what was there before is kept.
        backup: Option<PathBuf>,
    },
    /// Something else, or nothing, is there.
    Stale {
        /// A unified diff from what is there to what should be.
        diff: String,
    },
}

/// What to do with a file that this crate did not write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overwrite {
    /// Leave it and fail.
    #[default]
    Refuse,
    /// Replace it and keep a backup beside it.
    Backup,
}

impl Files {
    /// Compares each file to what is below `root`, and touches nothing.
    ///
    /// # Errors
    /// [`Error::Read`] if a file is there and cannot be read.
    pub fn check(&self, root: impl AsRef<Path>) -> Result<BTreeMap<RelPath, Status>> {
        let mut statuses = BTreeMap::new();
        for (path, text) in &self.0 {
            let old = read(&root.as_ref().join(path.as_str()))?;
            let status = match old {
                Some(old) if old == text.as_bytes() => Status::Fresh,
                old => Status::Stale { diff: diff(path, old.as_deref(), text) },
            };
            statuses.insert(path.clone(), status);
        }
        Ok(statuses)
    }

    /// What writing would change below `root`, as unified diffs one after the other; empty if all is fresh.
    ///
    /// # Errors
    /// As [`Files::check`].
    pub fn diff(&self, root: impl AsRef<Path>) -> Result<String> {
        let statuses = self.check(root)?.into_values();
        let diffs = statuses.filter_map(|status| match status {
            Status::Stale { diff } => Some(diff),
            Status::Fresh | Status::Written { .. } => None,
        });
        Ok(diffs.collect())
    }

    /// Writes each file that is not fresh below `root`, all or none: if one may not be replaced, none is.
    ///
    /// # Errors
    /// [`Error::NotOurs`] for a file that `overwrite` protects, [`Error::Read`] and [`Error::Write`].
    pub fn write(&self, root: impl AsRef<Path>, overwrite: Overwrite) -> Result<BTreeMap<RelPath, Status>> {
        let mut statuses = BTreeMap::new();
        let mut stale = Vec::new();
        for (path, text) in &self.0 {
            let place = root.as_ref().join(path.as_str());
            let old = read(&place)?;
            if old.as_deref() == Some(text.as_bytes()) {
                statuses.insert(path.clone(), Status::Fresh);
                continue;
            }
            let foreign = old.as_ref().is_some_and(|old| !is_untouched(old));
            if (foreign || is_link(&place)) && overwrite == Overwrite::Refuse {
                return Err(Error::NotOurs { path: place });
            }
            stale.push((path, text, place, old.filter(|_| foreign)));
        }
        for (path, text, place, keep) in stale {
            let backup = keep.map(|old| save(&place, &old)).transpose()?;
            replace(&place, text.as_bytes())?;
            statuses.insert(path.clone(), Status::Written { backup });
        }
        Ok(statuses)
    }
}

/// A unified diff from `old` (nothing, if it is missing) to `new`.
fn diff(path: &RelPath, old: Option<&[u8]>, new: &str) -> String {
    let text = String::from_utf8_lossy(old.unwrap_or_default());
    let before = if old.is_some() { format!("a/{path}") } else { "/dev/null".into() };
    similar::TextDiff::from_lines(text.as_ref(), new).unified_diff().header(&before, &format!("b/{path}")).to_string()
}

fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Read { path: path.to_owned(), source }),
    }
}

fn is_link(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|meta| meta.is_symlink())
}

/// The start of the line that carries the checksum of the rest of the file.
const STAMP: &str = "# Checksum, to notice edits by hand: ";

/// Adds the checksum line below the header, the first run of comment lines.
pub(crate) fn stamped(text: &str) -> String {
    let header: usize = text.split_inclusive('\n').take_while(|line| line.starts_with('#')).map(str::len).sum();
    let (head, rest) = text.split_at(header);
    format!("{head}{STAMP}{:016x}\n{rest}", fnv(&[head.as_bytes(), rest.as_bytes()]))
}

/// Whether these are bytes that this crate wrote and nobody edited since. Line ends do not count: git may change them.
pub fn is_untouched(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    let Some(at) = text.find(STAMP).filter(|_| text.contains(MARK)) else { return false };
    let line = text[at..].split_inclusive('\n').next().unwrap_or_default();
    let sum = line[STAMP.len()..].trim_end();
    sum == format!("{:016x}", fnv(&[&text.as_bytes()[..at], &text.as_bytes()[at + line.len()..]]))
}

/// FNV-1a, 64 bit: notices edits, and needs no crate. It is no protection against forgery, and need not be.
fn fnv(parts: &[&[u8]]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.iter());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Keeps `old` beside `place`, under a name that is free.
fn save(place: &Path, old: &[u8]) -> Result<PathBuf> {
    let name = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut number = 0;
    loop {
        let suffix = if number == 0 { String::new() } else { format!(".{number}") };
        let backup = place.with_file_name(format!("{name}.bak{suffix}"));
        match OpenOptions::new().write(true).create_new(true).open(&backup) {
            Ok(mut file) => {
                file.write_all(old).map_err(|source| Error::Write { path: backup.clone(), source })?;
                return Ok(backup);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(source) => return Err(Error::Write { path: backup, source }),
        }
    }
}

/// Writes beside `place` and renames, so that nobody ever sees half a file. A link is replaced by the file.
fn replace(place: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |source| Error::Write { path: place.to_owned(), source };
    let name = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let draft = place.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&draft)?;
        file.write_all(bytes)?;
        keep_permissions(place, &file)?;
        file.sync_all()?;
        fs::rename(&draft, place)
    })();
    if written.is_err() {
        // What is left of a failed write is ours; if it cannot be removed either, the first error says more.
        let _ = fs::remove_file(&draft);
    }
    written.map_err(failed)
}

fn keep_permissions(place: &Path, file: &File) -> io::Result<()> {
    match fs::symlink_metadata(place) {
        Ok(meta) if meta.is_file() => file.set_permissions(meta.permissions()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(text: &str) -> Files {
        Files(BTreeMap::from([(RelPath::new("Dockerfile").unwrap(), stamped(text))]))
    }

    fn folder(name: &str) -> PathBuf {
        let root = std::env::temp_dir().join(format!("dockerfile-gen-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        root
    }

    const TEXT: &str = "# syntax=docker/dockerfile:1\n# Generated by cargo dockerfile from go.mod.\nFROM a\n";

    #[test]
    fn what_was_written_is_fresh_and_not_touched_again() {
        let root = folder("fresh");
        assert!(matches!(files(TEXT).check(&root).unwrap().values().next(), Some(Status::Stale { .. })));
        files(TEXT).write(&root, Overwrite::Refuse).unwrap();
        let before = fs::metadata(root.join("Dockerfile")).unwrap().modified().unwrap();
        assert_eq!(files(TEXT).write(&root, Overwrite::Refuse).unwrap().into_values().next(), Some(Status::Fresh));
        assert_eq!(fs::metadata(root.join("Dockerfile")).unwrap().modified().unwrap(), before);
        assert_eq!(fs::read_dir(&root).unwrap().count(), 1, "no draft is left");
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_generated_file_is_refreshed_but_an_edited_one_is_kept() {
        let root = folder("edited");
        let place = root.join("Dockerfile");
        files(TEXT).write(&root, Overwrite::Refuse).unwrap();
        let newer = TEXT.replace("FROM a", "FROM b");
        files(&newer).write(&root, Overwrite::Refuse).unwrap();
        let edited = fs::read_to_string(&place).unwrap() + "RUN my own line\n";
        fs::write(&place, &edited).unwrap();
        assert!(matches!(files(TEXT).write(&root, Overwrite::Refuse), Err(Error::NotOurs { .. })));
        assert_eq!(fs::read_to_string(&place).unwrap(), edited);
        files(TEXT).write(&root, Overwrite::Backup).unwrap();
        assert_eq!(fs::read_to_string(root.join("Dockerfile.bak")).unwrap(), edited);
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_checkout_with_other_line_ends_is_still_ours() {
        assert!(is_untouched(stamped(TEXT).replace('\n', "\r\n").as_bytes()));
        assert!(!is_untouched(b"FROM scratch\n"));
    }
}
