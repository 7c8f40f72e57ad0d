//! Puts generated files on disk, or says how they differ from what is there.
//!
//! Input: [`Files`]. Output: a [`Status`] a file. The one idea: nothing of the user's is lost. What this crate did not
//! write, or what was edited since, is replaced only when told to, and then a backup is kept; a write is atomic, and a
//! file whose bytes would not change is not touched.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::plan::render::MARK;
use crate::tree::RelPath;
use crate::tree::read::Reader;
use crate::tree::write::{Done, Old, Put, look, write};

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
        /// Whether nothing but the declared dependencies differs: the image is right, and only its dependency layer is
        /// behind.
        only_dependencies: bool,
    },
}

/// Manifests that stand in a Dockerfile and declare dependencies.
const DECLARATIONS: [&str; 2] = ["COPY <<'EOF' Cargo.toml\n", "COPY <<'EOF' deps.go\n"];

/// Whether two Dockerfiles differ in nothing but the dependencies that they declare.
fn only_dependencies(old: &[u8], new: &str) -> bool {
    let rest = |text: &str| {
        let mut inside = false;
        let mut kept = String::new();
        for line in text.split_inclusive('\n') {
            inside &= line.trim_end() != "EOF";
            if !inside && !line.starts_with("# Checksum") {
                kept.push_str(line);
            }
            inside |= DECLARATIONS.contains(&line);
        }
        kept
    };
    let old = String::from_utf8_lossy(old);
    DECLARATIONS.iter().any(|declaration| new.contains(declaration)) && rest(&old) == rest(new)
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
    /// [`Error::Read`] if a file is there and cannot be read, [`Error::LeadsOut`] if it is a link out of `root`,
    /// [`Error::NotAFile`] and [`Error::TooLarge`].
    pub fn check(&self, root: impl AsRef<Path>) -> Result<BTreeMap<RelPath, Status>> {
        let mut statuses = BTreeMap::new();
        let reader = Reader::open(root.as_ref())?;
        for (path, text) in &self.0 {
            let old = reader.bytes_if_there(path.as_str())?;
            let status = match old {
                Some(old) if old == text.as_bytes() => Status::Fresh,
                old => Status::Stale {
                    diff: diff(path, old.as_deref(), text),
                    only_dependencies: old.as_deref().is_some_and(|old| only_dependencies(old, text)),
                },
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
            Status::Stale { diff, .. } => Some(diff),
            Status::Fresh | Status::Written { .. } => None,
        });
        Ok(diffs.collect())
    }

    /// Writes each file that is not fresh below `root`, all or none: if one may not be replaced, none is. Folders on the
    /// way are made.
    ///
    /// # Errors
    /// [`Error::NotOurs`] for a file and [`Error::Linked`] for a link that `overwrite` protects, [`Error::Linked`] for a
    /// linked folder on the way, [`Error::Changed`] for a file that somebody writes at the same time, and
    /// [`Error::Read`], [`Error::Write`], [`Error::NotAFile`], [`Error::TooLarge`] and [`Error::Busy`].
    pub fn write(&self, root: impl AsRef<Path>, overwrite: Overwrite) -> Result<BTreeMap<RelPath, Status>> {
        let root = root.as_ref();
        let decide = |path: &RelPath, text: &str, old: &Old| decide(&root.join(path.as_str()), text, old, overwrite);
        for (path, text) in &self.0 {
            decide(path, text, &look(root, path)?)?;
        }
        let mut statuses = BTreeMap::new();
        for (path, text) in &self.0 {
            let done = write(root, path, is_untouched, &mut |old| decide(path, text, old))?;
            statuses.insert(path.clone(), done.into());
        }
        Ok(statuses)
    }
}

/// Says what is to be done with what is at the place of `text`.
fn decide(place: &Path, text: &str, old: &Old, overwrite: Overwrite) -> Result<Put> {
    let keep = match old {
        Old::File(old) if old == text.as_bytes() => return Ok(Put::Fresh),
        Old::File(old) => !is_untouched(old),
        Old::Link if overwrite == Overwrite::Refuse => {
            return Err(Error::Linked { path: place.to_owned(), is_folder: false });
        }
        Old::Link | Old::Missing => false,
    };
    if keep && overwrite == Overwrite::Refuse {
        return Err(Error::NotOurs { path: place.to_owned() });
    }
    Ok(Put::New { bytes: text.into(), keep })
}

/// Writes the file at `path` below `root` anew: `change` gets the text that is there, and what was there is kept beside
/// it. Safe as [`Files::write`].
///
/// # Errors
/// What `change` returns, [`Error::Linked`] for a link, [`Error::Manifest`] for a file that is not UTF-8, and what
/// [`Files::write`] returns.
pub fn update(root: &Path, path: &RelPath, change: &mut dyn FnMut(&str) -> Result<String>) -> Result<Status> {
    let done = write(root, path, is_untouched, &mut |old| {
        let text = match old {
            Old::Missing => "",
            Old::File(bytes) => {
                std::str::from_utf8(bytes).map_err(|_| Error::manifest(path.as_str(), None, "is not UTF-8 text"))?
            }
            Old::Link => return Err(Error::Linked { path: root.join(path.as_str()), is_folder: false }),
        };
        let new = change(text)?;
        let is_fresh = new == text && *old != Old::Missing;
        Ok(if is_fresh { Put::Fresh } else { Put::New { bytes: new.into(), keep: true } })
    });
    done.map(Status::from)
}

impl From<Done> for Status {
    fn from(done: Done) -> Self {
        match done {
            Done::Fresh => Self::Fresh,
            Done::Written { backup } => Self::Written { backup },
        }
    }
}

/// A unified diff from `old` (nothing, if it is missing) to `new`.
fn diff(path: &RelPath, old: Option<&[u8]>, new: &str) -> String {
    let text = String::from_utf8_lossy(old.unwrap_or_default());
    let before = if old.is_some() { format!("a/{path}") } else { "/dev/null".into() };
    similar::TextDiff::from_lines(text.as_ref(), new).unified_diff().header(&before, &format!("b/{path}")).to_string()
}

/// The start of the line that ends with the checksum of the rest of the file.
const STAMP: &str = "# Checksum";

/// Adds the checksum line below the header, the first run of comment lines.
pub(crate) fn stamped(text: &str) -> String {
    let header: usize = text.split_inclusive('\n').take_while(|line| line.starts_with('#')).map(str::len).sum();
    let (head, rest) = text.split_at(header);
    format!("{head}{STAMP}: {:016x}\n{rest}", fnv(&[head.as_bytes(), rest.as_bytes()]))
}

/// Whether these are bytes that this crate wrote and nobody edited since. Line ends do not count: git may change them.
pub fn is_untouched(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    let Some(at) = text.find(STAMP).filter(|_| text.contains(MARK)) else { return false };
    let line = text[at..].split_inclusive('\n').next().unwrap_or_default();
    let sum = line.split_whitespace().next_back().unwrap_or_default();
    sum == format!("{:016x}", fnv(&[&text.as_bytes()[..at], &text.as_bytes()[at + line.len()..]]))
}

/// FNV-1a, 64 bit: notices edits, and needs no crate. It is no protection against forgery, and need not be.
fn fnv(parts: &[&[u8]]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.iter());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

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

    #[test]
    fn a_declaration_that_is_behind_is_told_from_other_changes() {
        let file = |dependency: &str, rest: &str| {
            format!(
                "FROM rust\n# Checksum {dependency}\nCOPY <<'EOF' Cargo.toml\n[dependencies]\n{dependency}\nEOF\n{rest}\n"
            )
        };
        let (old, new) = (file("a = \"*\"", "RUN x"), file("b = \"*\"", "RUN x"));
        assert!(only_dependencies(old.as_bytes(), &new));
        assert!(!only_dependencies(old.as_bytes(), &file("b = \"*\"", "RUN y")));
        assert!(!only_dependencies(b"FROM rust\n", "FROM rust:1\n"));
    }
}
