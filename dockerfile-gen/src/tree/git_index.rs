//! Which files git tracks.
//!
//! Input: the index of a repository. Output: paths. The one idea: git ignores only what it does not track, so a lockfile
//! that was added with force is part of a fresh clone although a .gitignore names it.
//!
//! Source: <https://git-scm.com/docs/index-format>.

use std::fs;
use std::path::{Path, PathBuf};

use super::read::Reader;

/// Paths of the tracked files of the repository that `root` lies in, relative to `root` and sorted; none if there is no
/// repository, or its index is of a kind that is not known here or larger than what is read of a file.
pub(super) fn tracked(root: &Path) -> Vec<String> {
    let Some(repository) = repository(root) else { return Vec::new() };
    let way = root.strip_prefix(repository).ok().and_then(Path::to_str).unwrap_or_default();
    let way = if way.is_empty() { String::new() } else { format!("{}/", way.replace('\\', "/")) };
    let paths = entries(&index(repository).unwrap_or_default()).unwrap_or_default();
    paths.iter().filter_map(|path| path.strip_prefix(&way)).map(str::to_owned).collect()
}

/// The nearest folder at or above `root` that has a `.git`.
pub(super) fn repository(root: &Path) -> Option<&Path> {
    root.ancestors().find(|dir| fs::symlink_metadata(dir.join(".git")).is_ok())
}

/// The index in the folder `.git`, or in the one that a file of this name points to: a work tree or a submodule.
fn index(repository: &Path) -> Option<Vec<u8>> {
    let reader = Reader::open(repository).ok()?;
    // A link named `.git` could lead anywhere.
    if fs::symlink_metadata(repository.join(".git")).ok()?.is_dir() {
        return reader.bytes(".git/index").ok();
    }
    if !reader.is_regular(".git") {
        return None;
    }
    let text = String::from_utf8(reader.bytes(".git").ok()?).ok()?;
    let git_dir = fs::canonicalize(repository.join(text.strip_prefix("gitdir:")?.trim())).ok()?;
    let of_this = is_inside_repository_above(&git_dir, repository) || points_back(&git_dir, repository);
    Reader::open(&git_dir).ok().filter(|_| of_this)?.bytes("index").ok()
}

/// Whether a submodule's `.git` points into the repository that it is part of.
fn is_inside_repository_above(git_dir: &Path, repository: &Path) -> bool {
    let mut above = repository.ancestors().skip(1);
    above.any(|dir| git_dir.starts_with(dir.join(".git").join("modules")))
}

/// Whether a work tree's `.git` is the one that git itself knows there. A file with this name can name any folder.
fn points_back(git_dir: &Path, repository: &Path) -> bool {
    let back = || -> Option<PathBuf> {
        let text = String::from_utf8(Reader::open(git_dir).ok()?.bytes("gitdir").ok()?).ok()?;
        fs::canonicalize(git_dir.join(text.trim())).ok()
    };
    back().is_some_and(|back| back == repository.join(".git"))
}

/// The paths of an index of version 2, 3 or 4; `None` if it is broken.
fn entries(index: &[u8]) -> Option<Vec<String>> {
    /// Times, device, owner and size (24 + 16 bytes) and the name of the object (20 bytes).
    const FIXED: usize = 60;
    if index.get(..4)? != b"DIRC" {
        return None;
    }
    let version = number(index, 4)?;
    let count = number(index, 8)?;
    let mut at = 12;
    let mut paths: Vec<String> = Vec::new();
    let mut name: Vec<u8> = Vec::new();
    for _ in 0..count {
        let start = at;
        let kind = number(index, start + 24)? >> 12;
        // A file, a link or a submodule; anything else means that this is not the format that it looks like.
        if !matches!(kind, 0o10 | 0o12 | 0o16) {
            return None;
        }
        let flags = index.get(start + FIXED)?;
        at = start + FIXED + if version >= 3 && flags & 0x40 != 0 { 4 } else { 2 };
        if version == 4 {
            let (dropped, length) = offset(index.get(at..)?)?;
            at += length;
            name.truncate(name.len().checked_sub(dropped)?);
        } else {
            name.clear();
        }
        let rest = index.get(at..)?;
        let end = rest.iter().position(|&byte| byte == 0)?;
        name.extend_from_slice(&rest[..end]);
        // Entries are filled up with zeros, at least one, to a multiple of eight bytes.
        at = if version == 4 { at + end + 1 } else { start + ((at + end - start) / 8 + 1) * 8 };
        if let (Ok(path), true) = (String::from_utf8(name.clone()), kind != 0o16) {
            paths.push(path);
        }
    }
    Some(paths)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// A number in groups of seven bits, where every group but the last counts one more.
fn offset(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0usize;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        value = value << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
        value += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(version: u32, entries: &[(&[u8], &str)]) -> Vec<u8> {
        let mut out = b"DIRC".to_vec();
        out.extend(version.to_be_bytes());
        out.extend((entries.len() as u32).to_be_bytes());
        for (prefix, name) in entries {
            let start = out.len();
            out.extend([0; 24]);
            out.extend(0o100_644u32.to_be_bytes());
            out.extend([0; 32]);
            out.extend([0, 0]);
            out.extend(*prefix);
            out.extend(name.as_bytes());
            out.push(0);
            while version < 4 && !(out.len() - start).is_multiple_of(8) {
                out.push(0);
            }
        }
        out
    }

    #[test]
    fn every_version_names_its_files() {
        let plain = index(2, &[(b"", "a"), (b"", "dir/file.rs"), (b"", "exactly")]);
        assert_eq!(entries(&plain).unwrap(), ["a", "dir/file.rs", "exactly"]);
        let short = index(4, &[(&[0], "dir/a"), (&[1], "bc"), (&[6], "x")]);
        assert_eq!(entries(&short).unwrap(), ["dir/a", "dir/bc", "x"]);
    }

    #[test]
    fn a_broken_index_names_none() {
        let whole = index(2, &[(b"", "some/file"), (b"", "other")]);
        for length in 0..whole.len() - 8 {
            assert!(entries(&whole[..length]).is_none_or(|paths| paths.is_empty()), "{length}");
        }
        assert!(entries(&index(4, &[(&[9], "x")])).is_none());
        assert!(entries(b"DIRC\0\0\0\x02\xff\xff\xff\xff").is_none());
    }
}
