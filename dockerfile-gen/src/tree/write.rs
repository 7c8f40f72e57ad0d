//! The one way to write a file.
//!
//! Input: a folder, a path below it, and what to do with what is there. Output: what was done. The one idea: nothing
//! that somebody wrote is lost, whenever this process is killed and whoever writes meanwhile. The new text goes into a
//! draft beside its place. The draft and the old file change places at once; if the old file is then not what was
//! looked at, they change back.
//!
//! No folder on the way and no file is written through a link. Runs that write into one folder wait for each other. A
//! draft that is there when no other run is in was left by a killed one: it is removed, unless it is a file of the
//! user's that had just been replaced, which becomes a backup.

use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::fault;
use super::folder::opened::Kind;
use super::folder::{Folder, take_permissions};
use super::read::{full, most, regular, whole};
use super::rel_path::RelPath;
use crate::error::{Error, Result};

/// What is there before a file is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Old {
    /// Nothing.
    Missing,
    /// A regular file.
    File(Vec<u8>),
    /// A link, wherever it leads.
    Link,
}

/// What to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// Nothing: it says what it should.
    Fresh,
    /// Replace it.
    New {
        /// The bytes that belong there.
        bytes: Vec<u8>,
        /// Whether to keep what is there beside it. A link is not kept: what it leads to stays where it is.
        keep: bool,
    },
}

/// Decides, from what is there.
pub(crate) type Decide<'a> = &'a mut dyn FnMut(&Old) -> Result<Put>;

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// Nothing.
    Fresh,
    /// The file was written.
    Written {
        /// Where what was there before is kept.
        backup: Option<PathBuf>,
    },
}

/// Whether bytes are generated ones that nobody edited, so that they need not be kept.
pub(crate) type IsOurs = fn(&[u8]) -> bool;

/// The middle of the name of every draft. The generated .dockerignore leaves out such names.
const DRAFT: &str = ".cargo-dockerfile-";
/// How long another run is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// Drafts of this age were left by a run that is over, where runs cannot wait for each other.
const OLD: Duration = Duration::from_secs(60 * 60);

/// Writes the file at `path` below `root` as `decide` says, and makes the folders on the way.
///
/// # Errors
/// What `decide` returns; [`Error::Linked`] for a linked folder on the way; [`Error::Changed`] if somebody writes the
/// file at the same time; [`Error::NotAFile`], [`Error::TooLarge`], [`Error::Read`] and [`Error::Write`].
pub(crate) fn write(root: &Path, path: &RelPath, is_ours: IsOurs, decide: Decide<'_>) -> Result<Done> {
    let place =
        Place::reach(root, path, true)?.ok_or_else(|| failed(&full(root, path))(io::ErrorKind::NotFound.into()))?;
    let alone = place.wait()?;
    place.sweep(alone, is_ours);
    let old = place.old()?;
    let (bytes, keep) = match decide(&old.content)? {
        Put::Fresh => return Ok(Done::Fresh),
        Put::New { bytes, keep } => (bytes, keep && matches!(old.content, Old::File(_))),
    };
    let draft = place.draft(&bytes, &old)?;
    let backup = match old.content {
        Old::Missing => place.put_new(&draft).map(|()| None),
        Old::File(_) | Old::Link => place.replace(&draft, &bytes, &old, keep),
    }?;
    // The text is there whether or not the folder can be flushed.
    let _ = place.folder.flush();
    Ok(Done::Written { backup })
}

/// What is at `path` below `root`, as [`write()`] would show it to its caller; nothing is made or removed.
///
/// # Errors
/// As [`write()`].
pub(crate) fn look(root: &Path, path: &RelPath) -> Result<Old> {
    Place::reach(root, path, false)?.map_or(Ok(Old::Missing), |place| Ok(place.old()?.content))
}

/// A name in an open folder.
struct Place {
    folder: Folder,
    name: String,
    path: PathBuf,
}

/// What is there, and its metadata if it is a file.
struct Found {
    content: Old,
    meta: Option<std::fs::Metadata>,
}

impl Place {
    /// Goes to the folder of `path` without following a link; `None` if it does not exist and is not to be made.
    fn reach(root: &Path, path: &RelPath, make: bool) -> Result<Option<Self>> {
        let read = |source| Error::Read { path: root.to_owned(), source };
        let mut folder = Folder::open(root).map_err(read)?;
        for part in path.parent().split('/').filter(|part| !part.is_empty()) {
            let here = folder.path().join(part);
            let kind = folder.kind(part).map_err(failed(&here))?;
            match kind {
                Some(Kind::Link) => return Err(Error::Linked { path: here, is_folder: true }),
                None if !make => return Ok(None),
                // Another run may make it at the same time.
                None => match folder.make_folder(part) {
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(&here)(error)),
                    _ => {}
                },
                Some(_) => {}
            }
            folder = folder.child(part).map_err(failed(&here))?;
        }
        Ok(Some(Self { folder, name: path.file_name().to_owned(), path: full(root, path) }))
    }

    /// Waits until no other run is in the folder; `false` if there is no telling.
    fn wait(&self) -> Result<bool> {
        let start = Instant::now();
        loop {
            match self.folder.lock() {
                Ok(true) => return Ok(true),
                Ok(false) if start.elapsed() > PATIENCE => return Err(Error::Busy { path: self.path.clone() }),
                Ok(false) => std::thread::sleep(Duration::from_millis(5)),
                // Some network file systems have no locks.
                Err(_) => return Ok(false),
            }
        }
    }

    fn old(&self) -> Result<Found> {
        let link = |content| Ok(Found { content, meta: None });
        let read = |source| Error::Read { path: self.path.clone(), source };
        match self.folder.kind(&self.name).map_err(read)? {
            None => link(Old::Missing),
            Some(Kind::Link) => link(Old::Link),
            Some(Kind::File | Kind::Folder | Kind::Other) => match self.file(&self.name) {
                Ok((bytes, meta)) => Ok(Found { content: Old::File(bytes), meta: Some(meta) }),
                // It was removed in between.
                Err(Error::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => link(Old::Missing),
                Err(error) => Err(error),
            },
        }
    }

    fn file(&self, name: &str) -> Result<(Vec<u8>, std::fs::Metadata)> {
        let here = || self.path.with_file_name(name);
        let file = self.folder.open_here(name).map_err(|source| Error::Read { path: here(), source })?;
        let (file, meta) = regular(file, &here)?;
        Ok((whole(&file, &meta, most(name), &here)?, meta))
    }

    /// Writes a draft, which nobody else knows, and has the disk keep it.
    fn draft(&self, bytes: &[u8], old: &Found) -> Result<String> {
        let draft = self.draft_name("tmp");
        let mut file = self.folder.create(&draft).map_err(failed(&self.path))?;
        let written = fill(&mut file, bytes, old.meta.as_ref());
        self.or_remove(&draft, written)?;
        Ok(draft)
    }

    fn draft_name(&self, end: &str) -> String {
        // The keys are new for each state and nobody else can know them.
        let number = RandomState::new().build_hasher().finish();
        format!(".{}{DRAFT}{number:016x}.{end}", self.name)
    }

    /// Removes a draft that cannot become anything.
    fn or_remove<T>(&self, draft: &str, done: io::Result<T>) -> Result<T> {
        done.map_err(|error| {
            // If it cannot be removed either, the first error says more, and the next run removes it.
            let _ = self.folder.remove(draft);
            failed(&self.path)(error)
        })
    }

    /// Puts the draft where nothing is.
    fn put_new(&self, draft: &str) -> Result<()> {
        match self.folder.rename_new(draft, &self.name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let _ = self.folder.remove(draft);
                Err(self.changed())
            }
            done => self.or_remove(draft, done),
        }
    }

    fn changed(&self) -> Error {
        Error::Changed { path: self.path.clone() }
    }

    /// Puts the draft where `old` is, and says where that is kept.
    fn replace(&self, draft: &str, bytes: &[u8], old: &Found, keep: bool) -> Result<Option<PathBuf>> {
        // Under this name a killed run leaves either our text or the user's, so it is not removed unseen.
        let aside = self.draft_name("old");
        self.or_remove(draft, self.folder.rename(draft, &aside))?;
        match self.folder.exchange(&aside, &self.name) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Unsupported => return self.overwrite(&aside, old, keep),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let _ = self.folder.remove(&aside);
                return Err(self.changed());
            }
            Err(error) => return self.or_remove(&aside, Err(error)),
        }
        // Whoever had opened the old file before has had the time to write into it.
        let _ = self.folder.flush();
        if !self.is_still(&aside, old) {
            return self.change_back(&aside, bytes);
        }
        if keep {
            return self.keep(&aside).map(Some);
        }
        // What is left is removed by the next run.
        let _ = self.folder.remove(&aside);
        Ok(None)
    }

    /// Whether `name` still holds what was looked at.
    fn is_still(&self, name: &str, old: &Found) -> bool {
        match &old.content {
            Old::Missing => false,
            Old::Link => matches!(self.folder.kind(name), Ok(Some(Kind::Link))),
            Old::File(bytes) => self.file(name).is_ok_and(|(now, _)| now == *bytes),
        }
    }

    /// Takes the new text back out, and leaves what somebody else wrote.
    fn change_back(&self, aside: &str, bytes: &[u8]) -> Result<Option<PathBuf>> {
        match self.folder.exchange(aside, &self.name) {
            Ok(()) if self.file(aside).is_ok_and(|(now, _)| now == bytes) => {
                let _ = self.folder.remove(aside);
            }
            // Somebody wrote once more in between, or removed the new file: both texts are kept.
            _ => drop(self.keep(aside)?),
        }
        Err(self.changed())
    }

    /// Replaces the old file where the file system cannot let files change places.
    fn overwrite(&self, draft: &str, old: &Found, keep: bool) -> Result<Option<PathBuf>> {
        let mut backup = None;
        if keep && let Old::File(bytes) = &old.content {
            let copy = self.draft(bytes, old)?;
            backup = Some(self.keep(&copy)?);
        }
        if !self.is_still(&self.name, old) {
            let _ = self.folder.remove(draft);
            return Err(self.changed());
        }
        self.or_remove(draft, self.folder.rename(draft, &self.name))?;
        Ok(backup)
    }

    /// Gives a file beside the place the name of a backup that is free.
    fn keep(&self, aside: &str) -> Result<PathBuf> {
        keep(&self.folder, aside, &self.name).map_err(failed(&self.path))
    }

    /// Removes what killed runs left in the folder. What cannot be removed does no harm.
    fn sweep(&self, alone: bool, is_ours: IsOurs) {
        for name in self.folder.names().unwrap_or_default() {
            let Some((of, end)) = draft_of(&name) else { continue };
            let is_over = || {
                let Ok((_, meta)) = self.file(&name) else { return false };
                meta.modified().ok().and_then(|time| time.elapsed().ok()).is_some_and(|age| age > OLD)
            };
            if alone || is_over() {
                self.clear(&name, of, end, is_ours);
            }
        }
    }

    /// Removes a draft of the file `of`, or makes it a backup if nothing else has what it says.
    fn clear(&self, name: &str, of: &str, end: &str, is_ours: IsOurs) {
        match self.folder.kind(name) {
            Ok(Some(Kind::File)) => {}
            Ok(Some(Kind::Link)) if end == "old" => drop(self.folder.remove(name)),
            _ => return,
        }
        let is_kept = || {
            let Ok((bytes, _)) = self.file(name) else { return false };
            let there = |name: &str| self.file(name).is_ok_and(|(there, _)| there == bytes);
            is_ours(&bytes) || there(of) || there(&format!("{of}.bak"))
        };
        if end == "tmp" || is_kept() {
            let _ = self.folder.remove(name);
        } else {
            let _ = keep(&self.folder, name, of);
        }
    }
}

/// Renames `aside` to the first name of a backup of the file `of` that is free.
fn keep(folder: &Folder, aside: &str, of: &str) -> io::Result<PathBuf> {
    for number in 0u32.. {
        let name = if number == 0 { format!("{of}.bak") } else { format!("{of}.bak.{number}") };
        match folder.rename_new(aside, &name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            done => return done.map(|()| folder.path().join(name)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Writes the bytes in two halves, so that a test can end the process between them.
fn fill(file: &mut File, bytes: &[u8], old: Option<&std::fs::Metadata>) -> io::Result<()> {
    for half in [&bytes[..bytes.len() / 2], &bytes[bytes.len() / 2..]] {
        fault::step()?;
        file.write_all(half)?;
    }
    if let Some(old) = old {
        take_permissions(file, old)?;
    }
    fault::step()?;
    file.sync_all()
}

/// The file that a draft is for and the end of its name; `None` if this is no name of a draft.
fn draft_of(name: &str) -> Option<(&str, &str)> {
    let (of, rest) = name.strip_prefix('.')?.rsplit_once(DRAFT)?;
    let (number, end) = rest.split_once('.')?;
    let is_number = number.len() == 16 && number.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (is_number && !of.is_empty() && matches!(end, "tmp" | "old")).then_some((of, end))
}

fn failed(path: &Path) -> impl Fn(io::Error) -> Error {
    move |source| Error::Write { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::fault::{Fault, plan};
    use super::*;
    use std::fs;

    fn is_ours(bytes: &[u8]) -> bool {
        bytes.starts_with(b"ours")
    }

    fn put(root: &Path, keep: bool) -> Result<Done> {
        let path = RelPath::new("d/f").unwrap();
        write(root, &path, is_ours, &mut |_| Ok(Put::New { bytes: b"ours, new".to_vec(), keep }))
    }

    /// Every file of the folder but whole or half drafts that are ours.
    fn texts(root: &Path) -> Vec<(String, String)> {
        let read = |entry: fs::DirEntry| {
            let name = entry.file_name().into_string().unwrap();
            let text = fs::read_to_string(entry.path()).unwrap();
            (name, text)
        };
        fs::read_dir(root.join("d")).unwrap().map(|entry| read(entry.unwrap())).collect()
    }

    /// Whatever call fails, or is the last of a killed process: the place holds the old text or the new one, the user's
    /// text is somewhere, and the next run leaves no draft.
    #[test]
    fn a_fault_at_any_step_loses_nothing() {
        let root = std::env::temp_dir().join(format!("dockerfile-gen-fault-{}", std::process::id()));
        let mut cases = 0;
        for (old, keep) in [(None, false), (Some("ours, old"), false), (Some("theirs"), true)] {
            for fault in [Fault::Fails, Fault::Killed] {
                for step in 0..40 {
                    let _ = fs::remove_dir_all(&root);
                    fs::create_dir_all(root.join("d")).unwrap();
                    if let Some(old) = old {
                        fs::write(root.join("d/f"), old).unwrap();
                    }
                    plan(Some((step, fault)));
                    let done = put(&root, keep);
                    plan(None);
                    let place = texts(&root).into_iter().find(|(name, _)| name == "f").map(|(_, text)| text);
                    let says = format!("{old:?} {fault:?} {step} {done:?}");
                    assert!(place.as_deref() == old || place.as_deref() == Some("ours, new"), "{says}: {place:?}");
                    assert!(done.is_err() || place.as_deref() == Some("ours, new"), "{says}");
                    let is_kept = || texts(&root).iter().any(|(_, text)| text == "theirs");
                    assert!(old != Some("theirs") || is_kept(), "{says}");
                    put(&root, keep).unwrap();
                    assert!(old != Some("theirs") || is_kept(), "{says}, after the next run");
                    let drafts = texts(&root).into_iter().filter(|(name, _)| draft_of(name).is_some()).count();
                    assert_eq!(drafts, 0, "{says}");
                    cases += 1;
                }
            }
        }
        fs::remove_dir_all(root).unwrap();
        assert_eq!(cases, 240);
    }

    #[test]
    fn names_of_drafts_are_known_and_no_others() {
        assert_eq!(draft_of(".Dockerfile.cargo-dockerfile-0123456789abcdef.tmp"), Some(("Dockerfile", "tmp")));
        assert_eq!(draft_of("..dockerignore.cargo-dockerfile-0123456789abcdef.old"), Some((".dockerignore", "old")));
        for name in ["Dockerfile.bak", ".cargo-dockerfile-0123456789abcdef.tmp", ".a.cargo-dockerfile-0.tmp"] {
            assert_eq!(draft_of(name), None);
        }
    }
}
