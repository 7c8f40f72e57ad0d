//! What git ignores.
//!
//! Input: the .gitignore files on the way from the repository's folder down. Output: [`Ignores`], a chain of files that
//! says whether a path is ignored. The one idea: the deepest file decides, and in it the last line that matches; a
//! folder that is ignored is never entered, so nothing in it can be brought back.
//!
//! Rules: <https://git-scm.com/docs/gitignore>; a line's pattern is read by [`git`]. What git knows beyond these files is
//! left out: a user's own excludes, `.git/info/exclude`, and that a file may be tracked although it is ignored.

use std::path::Path;
use std::sync::Arc;

use super::read::Reader;
use crate::error::{Error, Result};
use crate::patterns::{Pattern, Reason, git};

/// The name of the files.
pub(super) const NAME: &str = ".gitignore";

/// The .gitignore files that hold in a folder, the folder's own first. Paths are seen from the repository's folder.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ignores(Option<Arc<IgnoreFile>>);

#[derive(Debug)]
struct IgnoreFile {
    /// How many bytes of a path lead to the folder of the file.
    base: usize,
    rules: Vec<Rule>,
    outer: Ignores,
}

#[derive(Debug)]
struct Rule {
    brings_back: bool,
    dirs_only: bool,
    /// Whether only the last part of a path counts, as in a pattern without a slash.
    name_only: bool,
    pattern: Pattern,
}

impl Ignores {
    /// Adds the file of `folder`, seen from the reader's, to which `base` bytes of a path lead, if it has one.
    ///
    /// # Errors
    /// [`Error::TooLarge`], and [`Error::Manifest`] for a line that is too large to be a pattern: to go on without its
    /// lines would bring in what they keep out.
    pub(crate) fn and_of(&self, reader: &Reader, folder: &str, base: usize) -> Result<Self> {
        let path = if folder.is_empty() { NAME.to_owned() } else { format!("{folder}/{NAME}") };
        // Git does not follow a link here either; it could lead anywhere.
        if !reader.is_regular(&path) {
            return Ok(self.clone());
        }
        let rules = match reader.bytes(&path) {
            Ok(bytes) => rules(&bytes).map_err(|(line, reason)| Error::manifest(&path, Some(line), reason))?,
            Err(error @ Error::TooLarge { .. }) => return Err(error),
            // Git goes on without one that it cannot read.
            Err(_) => Vec::new(),
        };
        Ok(Self(Some(Arc::new(IgnoreFile { base, rules, outer: self.clone() }))))
    }

    /// Whether `path` is ignored, in a folder that is not.
    pub(crate) fn ignores(&self, path: &str, is_dir: bool) -> bool {
        let name = path.rsplit('/').next().unwrap_or_default();
        let mut file = self.0.as_deref();
        while let Some(here) = file {
            let path = path.get(here.base..).unwrap_or_default();
            if let Some(rule) = here.rules.iter().rev().find(|rule| rule.matches(path, name, is_dir)) {
                return !rule.brings_back;
            }
            file = here.outer.0.as_deref();
        }
        false
    }
}

/// The way from the repository's folder to `root`, with a slash at its end, and the files on it without the one of
/// `root` itself. Nothing if git knows no repository there, or ignores `root`.
pub(crate) fn above(root: &Path) -> Result<(String, Ignores)> {
    let outside = || Ok(Default::default());
    let Some(repository) = super::git_index::repository(root) else { return outside() };
    let reader = Reader::open(repository)?;
    let (mut way, mut ignores) = (String::new(), Ignores::default());
    for part in root.strip_prefix(repository).unwrap_or(Path::new("")) {
        let Some(name) = part.to_str() else { return outside() };
        ignores = ignores.and_of(&reader, way.trim_end_matches('/'), way.len())?;
        way.push_str(name);
        if ignores.ignores(&way, true) {
            return outside();
        }
        way.push('/');
    }
    Ok((way, ignores))
}

impl Rule {
    fn matches(&self, path: &str, name: &str, is_dir: bool) -> bool {
        (is_dir || !self.dirs_only) && self.pattern.matches(if self.name_only { name } else { path })
    }
}

/// Reads the lines of a file; with an error comes the number of its line.
fn rules(bytes: &[u8]) -> Result<Vec<Rule>, (u32, Reason)> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let lines = (1..).zip(bytes.split(|&byte| byte == b'\n'));
    lines.filter_map(|(number, line)| rule(line).map_err(|reason| (number, reason)).transpose()).collect()
}

fn rule(line: &[u8]) -> Result<Option<Rule>, Reason> {
    if line.starts_with(b"#") {
        return Ok(None);
    }
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = line.split(|&byte| byte == 0).next().unwrap_or_default();
    let line = trim_end(line);
    let (brings_back, line) = line.strip_prefix(b"!").map_or((false, line), |rest| (true, rest));
    let (dirs_only, line) = line.strip_suffix(b"/").map_or((false, line), |rest| (true, rest));
    if line.is_empty() {
        return Ok(None);
    }
    let name_only = !line.contains(&b'/');
    let pattern = line.strip_prefix(b"/").unwrap_or(line);
    let Some(parts) = git::parts(pattern, name_only) else { return Ok(None) };
    Ok(Some(Rule { brings_back, dirs_only, name_only, pattern: Pattern::new(parts)? }))
}

/// Drops the spaces at the end that no backslash keeps.
fn trim_end(line: &[u8]) -> &[u8] {
    let (mut end, mut at) = (0, 0);
    while let Some(&byte) = line.get(at) {
        at += if byte == b'\\' { 2 } else { 1 };
        if byte != b' ' {
            end = at.min(line.len());
        }
    }
    &line[..end]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::PathBuf;
    use std::process::Command;
    use std::sync::atomic::{AtomicU32, Ordering};

    use proptest::prelude::*;

    use crate::tree::{DiskTree, Tree};

    /// A repository that is removed with the test.
    struct Repository(PathBuf);

    impl Repository {
        fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let name = format!("gitignore-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            let repository = Self(std::env::temp_dir().join(name));
            fs::create_dir_all(&repository.0).unwrap();
            repository.git(&["init", "-q"]);
            for (path, bytes) in files {
                let path = repository.0.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, bytes).unwrap();
            }
            repository
        }

        fn git(&self, args: &[&str]) -> Vec<u8> {
            let git = Command::new("git")
                .args(args)
                .current_dir(&self.0)
                .env("GIT_CONFIG_GLOBAL", "/dev/null")
                .env("GIT_CONFIG_SYSTEM", "/dev/null")
                .output()
                .unwrap();
            git.stdout
        }

        fn git_files(&self) -> BTreeSet<String> {
            let listed = self.git(&["ls-files", "-z", "-co", "--exclude-standard"]);
            listed
                .split(|&b| b == 0)
                .filter(|p| !p.is_empty())
                .map(|p| String::from_utf8(p.to_vec()).unwrap())
                .collect()
        }

        fn our_files(&self) -> BTreeSet<String> {
            DiskTree::open(&self.0).unwrap().files().keys().map(|path| path.as_str().to_owned()).collect()
        }
    }

    impl Drop for Repository {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    const FILES: &[&str] = &[
        "a.md",
        "b.txt",
        "README",
        "#hash",
        "!bang",
        "sp ace",
        "trail ",
        "A.MD",
        "star*",
        "br[x]",
        "x-y",
        "é",
        "xb",
        "ab",
        "a]c",
        "foo/bar",
        "foo/deep/bar",
        "foobar/baz",
        "src/a.md",
        "src/deep/a.md",
        "src/deep/keep/k",
        "dist/o",
        "web/dist/o",
        "web/src/dist",
        "a/b/c/d",
        "a/b/e",
        "a/f",
        "ax/b",
        "logs/1.log",
        "logs/keep.log",
        "x.log",
        "-",
    ];

    /// One .gitignore a line, with `\n` for a new line in it.
    const CASES: &str = r"
*.md
/*.md
foo
foo/
/foo/
/foo
foo/bar
foo/*
foo/**
foo/**/bar
**/bar
**/foo/bar
**/dist
dist/
/dist
web/dist/
src/**/a.md
src/*/a.md
src/deep/**\n!src/deep/keep/
src/*\n!src/deep\n!src/deep/keep\nsrc/deep/a.md
src\n!src/deep/a.md
*\n!*/\n!*.md
/*\n!/src
logs/*\n!logs/keep.log
*.log\n!keep.log
!b.txt\n*.txt
#hash
\#hash
\!bang
!bang
trail 
trail\ 
trail\\ 
sp ace
sp\ ace
  a.md
A.md
star\*
star*
br[[]x]
br[x]
br\[x\]
[a-c]*
[!a-c]*
[^a-c]*
[[:upper:]]*
[[:upper:]*
[[:nope:]]*
[]-a]*
a[]]c
a[\]]c
x[+-.]y
[--a]
[z-a]*
[
[a
a\
?
??
???
a?
a/**/d
a/**
a/**/
/**/b
/a**/b
/a**
a/b**
**b
b**
**
*
/
//
foo//
/**
**/
./foo
a/./b
foo/../a.md
f*o/b?r
a/*/e
\a/b
a\/b
a[/]f
*.txt\r\n*.md\r
\t*.md
!\n!!b.txt
a/b\n!a/b/c
";

    #[test]
    fn each_line_means_what_git_says() {
        let repository = Repository::new(FILES.iter().map(|path| (*path, b"x".as_slice())));
        for case in CASES.trim_matches('\n').lines() {
            let text = case.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t");
            fs::write(repository.0.join(".gitignore"), text).unwrap();
            assert_eq!(repository.our_files(), repository.git_files(), "{case}");
            fs::rename(repository.0.join(".gitignore"), repository.0.join("src/.gitignore")).unwrap();
            assert_eq!(repository.our_files(), repository.git_files(), "{case} in src");
            fs::remove_file(repository.0.join("src/.gitignore")).unwrap();
        }
    }

    #[test]
    fn the_deeper_file_decides() {
        let repository = Repository::new([
            (".gitignore", b"*.log\nbuild/\n".as_slice()),
            ("a/.gitignore", b"!keep.log\n/b/x\n"),
            ("a/keep.log", b""),
            ("a/b/keep.log", b""),
            ("a/b/x", b""),
            ("a/x", b""),
            ("a/build/.gitignore", b"!*\n"),
            ("a/build/o", b""),
            ("keep.log", b""),
        ]);
        let files = repository.our_files();
        assert_eq!(files, repository.git_files());
        assert!(files.contains("a/b/keep.log") && !files.contains("keep.log") && !files.contains("a/build/o"));
    }

    #[test]
    fn a_folder_of_a_repository_is_ignored_as_from_its_root() {
        let repository = Repository::new([
            (".gitignore", b"/services/api/out\n*.log\n/target\n".as_slice()),
            ("services/.gitignore", b"api/gen/\n"),
            ("services/api/out", b""),
            ("services/api/a.log", b""),
            ("services/api/gen/x", b""),
            ("services/api/main", b""),
            ("target/package/p/a.log", b""),
        ]);
        let files = |dir: &str| -> Vec<String> {
            let tree = DiskTree::open(repository.0.join(dir)).unwrap();
            tree.files().keys().map(|path| path.as_str().to_owned()).collect()
        };
        assert_eq!(files("services/api"), ["main"]);
        // Somebody works in an ignored folder: what ignores all of it says nothing about it.
        assert_eq!(files("target/package/p"), ["a.log"]);
    }

    #[test]
    fn the_whole_folder_is_shown_on_demand() {
        let repository =
            Repository::new([(".gitignore", b"out\n".as_slice()), ("out/o", b""), ("node_modules/x", b"")]);
        fs::create_dir_all(repository.0.join("empty/er")).unwrap();
        let tree = DiskTree::open_all(&repository.0).unwrap();
        let tree: &dyn Tree = &tree;
        assert!(tree.has("out/o") && tree.has("node_modules/x") && tree.has_dir(".git"));
        assert!(tree.empty_dirs().iter().any(|dir| dir.as_str() == "empty/er"));
        assert!(tree.dirs().contains("empty") && tree.dirs().contains("out"));
        let tree = DiskTree::open(&repository.0).unwrap();
        assert!((&tree as &dyn Tree).dirs().is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn a_linked_gitignore_is_not_followed() {
        let repository = Repository::new([("rules", b"*.md\n".as_slice()), ("a.md", b"")]);
        std::os::unix::fs::symlink("rules", repository.0.join(".gitignore")).unwrap();
        assert!(repository.our_files().contains("a.md"));
    }

    fn line() -> impl Strategy<Value = String> {
        let part = prop::sample::select(vec![
            "a", "b", "c", "*", "**", "?", "/", "/", "[ab]", "[!a]", "[", "]", "\\", "-", "!", " ", "#", "a*", "/**/",
            "**/",
        ]);
        prop::collection::vec(part, 1..6).prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
        #[test]
        fn random_trees_look_as_git_sees_them(
            paths in prop::collection::vec("[abc]{1,2}(/[abc]{1,2}){0,3}", 1..20),
            root in prop::collection::vec(line(), 0..5),
            nested in prop::collection::vec(line(), 0..3),
        ) {
            let mut files: Vec<String> = Vec::new();
            for path in paths {
                let clashes = |other: &String| other.starts_with(&format!("{path}/")) || path.starts_with(&format!("{other}/"));
                if !files.iter().any(|other| *other == path || clashes(other)) {
                    files.push(path);
                }
            }
            let (root, nested) = (root.join("\n"), nested.join("\n"));
            let mut all: Vec<(&str, &[u8])> = files.iter().map(|path| (path.as_str(), b"".as_slice())).collect();
            all.push((".gitignore", root.as_bytes()));
            let below = files.iter().find_map(|path| path.split_once('/')).map(|(dir, _)| format!("{dir}/.gitignore"));
            all.extend(below.as_deref().map(|path| (path, nested.as_bytes())));
            let repository = Repository::new(all);
            prop_assert_eq!(repository.our_files(), repository.git_files());
        }
    }
}
