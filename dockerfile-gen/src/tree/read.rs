//! The one way to read a file.
//!
//! Input: a folder and a path below it. Output: bytes. The one idea: a project is not trusted, so what is opened is
//! looked at before it is read. It is a regular file, it lies below the folder whatever links are on the way, and it is
//! not larger than what somebody would write. Opening never waits.

use std::fs::{File, Metadata};
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::folder::Folder;
use super::folder::opened::Opened;
use super::rel_path::RelPath;
use crate::error::{Error, Result};

/// The most that is read of one file, in bytes.
pub const MOST_OF_A_FILE: u64 = 32 << 20;
/// The most that is read of all files of a project together, in bytes.
pub const MOST_IN_ALL: u64 = 2 << 30;
/// The most that is read of a file to compare it. Its bytes are not kept, so it may be a large one.
const MOST_TO_COMPARE: u64 = 4 << 30;

/// Reads the files below one folder.
#[derive(Debug)]
pub(crate) struct Reader {
    folder: Folder,
    left: AtomicU64,
}

impl Reader {
    /// Opens the folder at `path`, which may be a link: the user named it.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let folder = Folder::open(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        Ok(Self { folder, left: AtomicU64::new(MOST_IN_ALL) })
    }

    /// The bytes of the file at `path`, which is seen from the folder.
    pub(crate) fn bytes(&self, path: &str) -> Result<Vec<u8>> {
        let full = || self.folder.path().join(path);
        let (file, meta) = self.regular(path)?;
        let bytes = whole(&file, &meta, most(path), &full)?;
        let length = bytes.len() as u64;
        let take = |left: u64| left.checked_sub(length);
        match self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take) {
            Ok(_) => Ok(bytes),
            Err(_) => Err(Error::TooMuch { path: full(), limit: MOST_IN_ALL }),
        }
    }

    /// As [`Reader::bytes`], and `None` if nothing is there.
    pub(crate) fn bytes_if_there(&self, path: &str) -> Result<Option<Vec<u8>>> {
        match self.bytes(path) {
            Err(Error::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            other => other.map(Some),
        }
    }

    /// What [`super::content_id`] says of the bytes of a file, read piece by piece.
    pub(crate) fn content_id(&self, path: &str) -> Result<u128> {
        let full = || self.folder.path().join(path);
        let (mut file, meta) = self.regular(path)?;
        if meta.len() > MOST_TO_COMPARE {
            return Err(Error::TooLarge { path: full(), limit: MOST_TO_COMPARE });
        }
        let (mut hasher, mut length) = (DefaultHasher::new(), 0u64);
        let mut piece = vec![0; usize::try_from(meta.len()).unwrap_or(usize::MAX).clamp(1, 1 << 18)];
        loop {
            match file.read(&mut piece) {
                Ok(0) => return Ok(u128::from(hasher.finish()) << 64 | u128::from(length)),
                Ok(count) => {
                    hasher.write(&piece[..count]);
                    length += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(Error::Read { path: full(), source }),
            }
            if length > MOST_TO_COMPARE {
                return Err(Error::TooLarge { path: full(), limit: MOST_TO_COMPARE });
            }
        }
    }

    /// Whether `path` itself, and not what a link leads to, is a regular file.
    pub(crate) fn is_regular(&self, path: &str) -> bool {
        std::fs::symlink_metadata(self.folder.path().join(path)).is_ok_and(|meta| meta.is_file())
    }

    fn regular(&self, path: &str) -> Result<(File, Metadata)> {
        let full = || self.folder.path().join(path);
        match self.folder.open_below(path) {
            Ok(Opened::Something(file)) => regular(file, &full),
            Ok(Opened::LeadsOut) => Err(Error::LeadsOut { path: full() }),
            Err(source) => Err(Error::Read { path: full(), source }),
        }
    }
}

/// The text of a file that the user named. A link at its end that leads out of its folder is not followed; if it lies
/// below `root`, one that leads out of that folder is not.
///
/// # Errors
/// [`Error::Read`], [`Error::NotAFile`], [`Error::TooLarge`] and [`Error::LeadsOut`].
pub fn named(path: &Path, root: Option<&Path>) -> Result<String> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let absolute = std::path::absolute(path).map_err(failed)?;
    let inside = root.and_then(|root| Some((root, absolute.strip_prefix(root).ok()?)));
    let (folder, rest) = match (inside, absolute.parent(), absolute.file_name()) {
        (Some((root, rest)), ..) => (root, rest),
        (None, Some(folder), Some(name)) => (folder, Path::new(name)),
        _ => return Err(failed(io::ErrorKind::IsADirectory.into())),
    };
    let rest = rest.to_str().ok_or_else(|| failed(io::ErrorKind::InvalidFilename.into()))?;
    let bytes = Reader::open(folder)?.bytes(rest)?;
    String::from_utf8(bytes).map_err(|_| failed(io::ErrorKind::InvalidData.into()))
}

/// Looks at what was opened.
pub(super) fn regular(file: File, full: &dyn Fn() -> PathBuf) -> Result<(File, Metadata)> {
    let meta = file.metadata().map_err(|source| Error::Read { path: full(), source })?;
    match meta.is_file() {
        true => Ok((file, meta)),
        false if meta.is_dir() => Err(Error::NotAFile { path: full(), what: "a folder" }),
        false => Err(Error::NotAFile { path: full(), what: "a FIFO, a socket or a device" }),
    }
}

/// All bytes of a file that has at most `limit`, also if it grows meanwhile.
pub(super) fn whole(mut file: &File, meta: &Metadata, limit: u64, full: &dyn Fn() -> PathBuf) -> Result<Vec<u8>> {
    let too_large = || Error::TooLarge { path: full(), limit };
    if meta.len() > limit {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or_default() + 1);
    let read = Read::by_ref(&mut file).take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|source| Error::Read { path: full(), source })?;
    if bytes.len() as u64 > limit {
        return Err(too_large());
    }
    Ok(bytes)
}

/// The most that is read of a Dockerfile and of a manifest, in bytes. The largest of public projects have a tenth.
pub const MOST_OF_A_MANIFEST: u64 = 1 << 20;

/// What needs many times its size in memory to be read is held to less than [`MOST_OF_A_FILE`]: the starts and ends of
/// names, and bytes. The largest lockfiles of public projects have 5 MiB.
const LIMITS: &[(&str, &str, u64)] = &[
    ("", "Dockerfile", MOST_OF_A_MANIFEST),
    ("Dockerfile", "", MOST_OF_A_MANIFEST),
    ("", "dockerfile", MOST_OF_A_MANIFEST),
    ("", ".dockerignore", MOST_OF_A_MANIFEST),
    ("", ".gitignore", MOST_OF_A_MANIFEST),
    ("", ".hbs", MOST_OF_A_MANIFEST),
    // Cargo takes more than two hundred times the size.
    ("Cargo.toml", "Cargo.toml", 512 << 10),
    ("", ".toml", MOST_OF_A_MANIFEST),
    ("Pipfile", "Pipfile", MOST_OF_A_MANIFEST),
    ("package.json", "package.json", MOST_OF_A_MANIFEST),
    ("go.", ".mod", MOST_OF_A_MANIFEST),
    ("", ".txt", 7 << 19),
    ("", ".in", 7 << 19),
    ("Cargo", ".lock", 8 << 20),
    ("Pipfile", ".lock", 6 << 20),
    ("pdm", ".lock", 7 << 20),
    ("poetry", ".lock", 7 << 20),
    ("uv", ".lock", 7 << 20),
];

/// The most that is read of the file at `path`.
pub(super) fn most(path: &str) -> u64 {
    let name = path.rsplit('/').next().unwrap_or(path);
    let fits = |(start, end, _): &&(&str, &str, u64)| name.starts_with(start) && name.ends_with(end);
    LIMITS.iter().find(fits).map_or(MOST_OF_A_FILE, |(_, _, most)| *most)
}

/// Refuses a file that is larger than what is read of it, before somebody else reads it.
pub(crate) fn small_enough(path: &RelPath, size: u64) -> Result<()> {
    let limit = most(path.as_str());
    if size > limit { Err(Error::TooLarge { path: path.as_str().into(), limit }) } else { Ok(()) }
}

/// As many values a TOML file may hold: each takes a thousand bytes when it is read, however short it is. The largest
/// lockfiles of public projects have half of it.
const MOST_VALUES: usize = 250_000;

/// Refuses TOML that holds more than [`MOST_VALUES`].
pub(crate) fn few_enough(path: &str, text: &str) -> Result<()> {
    match text.bytes().filter(|byte| *byte == b'=').count() > MOST_VALUES {
        true => Err(Error::manifest(path, None, format!("has more than {MOST_VALUES} values"))),
        false => Ok(()),
    }
}

/// The way to a file in the project, for an error.
pub(super) fn full(root: &Path, path: &RelPath) -> PathBuf {
    root.join(path.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_is_compared_as_if_it_had_been_read_at_once() {
        let root = std::env::temp_dir().join(format!("dockerfile-gen-compared-{}", std::process::id()));
        fs::create_dir_all(&root).unwrap();
        let bytes: Vec<u8> = (0..1_000_003u32).map(|number| number as u8).collect();
        fs::write(root.join("a"), &bytes).unwrap();
        fs::write(root.join("empty"), "").unwrap();
        let reader = Reader::open(&root).unwrap();
        assert_eq!(reader.content_id("a").unwrap(), crate::tree::content_id(&bytes));
        assert_eq!(reader.content_id("empty").unwrap(), crate::tree::content_id(b""));
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn all_files_together_have_a_limit() {
        let root = std::env::temp_dir().join(format!("dockerfile-gen-total-{}", std::process::id()));
        fs::create_dir_all(&root).unwrap();
        fs::write(root.join("a"), "12345678").unwrap();
        let mut reader = Reader::open(&root).unwrap();
        reader.left = AtomicU64::new(20);
        assert!(reader.bytes("a").is_ok() && reader.bytes("a").is_ok());
        assert!(matches!(reader.bytes("a"), Err(Error::TooMuch { .. })));
        fs::remove_dir_all(root).unwrap();
    }

    /// Whatever reads or writes by itself goes round the checks of the two functions.
    #[test]
    fn nothing_else_reads_or_writes() {
        let forbidden = [
            "fs::read(",
            "read_to_string(",
            "fs::write(",
            "File::open",
            "File::create",
            "OpenOptions",
            "fs::copy(",
            "fs::rename(",
            "fs::remove",
            "create_dir",
            "hard_link(",
            "set_permissions(",
        ];
        let mut open = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
        open.push(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../dockerfile-macros/src"));
        let mut seen = 0;
        while let Some(path) = open.pop() {
            if path.is_dir() {
                open.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
                continue;
            }
            let is_own = ["tree/read.rs", "tree/write.rs", "folder/by_handle.rs", "folder/by_path.rs"]
                .iter()
                .any(|own| path.ends_with(own));
            if is_own || path.extension().is_none_or(|end| end != "rs") || path.ends_with("tests.rs") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            for line in code.lines().map(str::trim_start).filter(|line| !line.starts_with("//")) {
                // The tables of what programs do name such calls as text.
                let is_text = line.starts_with('"');
                let found = forbidden.iter().find(|call| line.contains(*call) && !is_text);
                assert_eq!(found, None, "{}: {line}", path.display());
            }
            seen += 1;
        }
        assert!(seen > 50);
    }
}
