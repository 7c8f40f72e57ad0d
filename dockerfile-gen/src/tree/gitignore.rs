//! What git ignores.
//!
//! Input: the .gitignore files on the way from the repository's folder down. Output: [`Ignores`], a chain of files that
//! says whether a path is ignored. The one idea: the deepest file decides, and in it the last line that matches; a
//! folder that is ignored is never entered, so nothing in it can be brought back.
//!
//! Rules: <https://git-scm.com/docs/gitignore>. Where that page is silent, this does what git 2.39 was seen to do:
//! bytes are counted, not characters; a pattern that cannot be read matches nothing; stars right behind the literal
//! beginning of a pattern count as `**` between slashes, so that `/a**/b` matches `ab`. What git knows beyond these
//! files is left out: a user's own excludes, `.git/info/exclude`, and that a file may be tracked although it is ignored.

use std::path::Path;
use std::sync::Arc;

use super::read::Reader;
use crate::error::{Error, Result};
use crate::model::glob::class::{Class, posix};
use crate::model::glob::program::{Node, Program, Unit};

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
    program: Program,
}

impl Ignores {
    /// Adds the file of `folder`, seen from the reader's, to which `base` bytes of a path lead, if it has one.
    ///
    /// # Errors
    /// [`Error::TooLarge`]: to go on without its lines would bring in what it keeps out.
    pub(crate) fn and_of(&self, reader: &Reader, folder: &str, base: usize) -> Result<Self> {
        let path = if folder.is_empty() { NAME.to_owned() } else { format!("{folder}/{NAME}") };
        // Git does not follow a link here either; it could lead anywhere.
        if !reader.is_regular(&path) {
            return Ok(self.clone());
        }
        let rules = match reader.bytes(&path) {
            Ok(bytes) => rules(&bytes),
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
        (is_dir || !self.dirs_only) && self.program.matches(if self.name_only { name } else { path })
    }
}

fn rules(bytes: &[u8]) -> Vec<Rule> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes.split(|&byte| byte == b'\n').filter_map(rule).collect()
}

fn rule(line: &[u8]) -> Option<Rule> {
    if line.starts_with(b"#") {
        return None;
    }
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = line.split(|&byte| byte == 0).next().unwrap_or_default();
    let line = trim_end(line);
    let (brings_back, line) = line.strip_prefix(b"!").map_or((false, line), |rest| (true, rest));
    let (dirs_only, line) = line.strip_suffix(b"/").map_or((false, line), |rest| (true, rest));
    if line.is_empty() {
        return None;
    }
    let name_only = !line.contains(&b'/');
    let pattern = line.strip_prefix(b"/").unwrap_or(line);
    let program = Program::new(Node::Seq(nodes(pattern, name_only)?), Unit::Byte)?;
    Some(Rule { brings_back, dirs_only, name_only, program })
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

/// Reads a pattern; `None` if it can match nothing.
fn nodes(pattern: &[u8], name_only: bool) -> Option<Vec<Node>> {
    let literal = pattern.iter().position(|byte| b"*?[\\".contains(byte)).unwrap_or(pattern.len());
    let mut nodes = Vec::new();
    let mut at = 0;
    while let Some(&byte) = pattern.get(at) {
        at += 1;
        match byte {
            b'*' => {
                let first = at - 1;
                at += pattern[at..].iter().take_while(|&&byte| byte == b'*').count();
                let is_twin = at - first > 1;
                let opens = first == literal || pattern[first - 1] == b'/';
                at += stars(&pattern[at..], is_twin && opens && !name_only, &mut nodes);
            }
            b'?' => nodes.push(Node::Set(Class::no_slash())),
            b'\\' => {
                nodes.push(Node::One(u32::from(*pattern.get(at)?)));
                at += 1;
            }
            b'[' => {
                let (class, len) = class(&pattern[at..])?;
                nodes.push(Node::Set(class));
                at += len;
            }
            byte => nodes.push(Node::One(u32::from(byte))),
        }
    }
    Some(nodes)
}

/// Adds what stars mean in front of `rest`, and says how much of it they take along.
fn stars(rest: &[u8], any_depth: bool, nodes: &mut Vec<Node>) -> usize {
    match rest {
        [b'/', ..] if any_depth => {
            nodes.push(Node::optional(vec![Node::many(Class::any()), Node::One('/' as u32)]));
            1
        }
        [] | [b'\\', b'/', ..] if any_depth => {
            nodes.push(Node::many(Class::any()));
            0
        }
        _ => {
            nodes.push(Node::many(Class::no_slash()));
            0
        }
    }
}

/// Reads a class behind its `[`, and says how long it is; `None` if git cannot read it.
fn class(text: &[u8]) -> Option<(Class, usize)> {
    let negated = matches!(text.first(), Some(b'!' | b'^'));
    let start = usize::from(negated);
    let mut at = start;
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    // What a `-` would begin its range with: not a range's end nor a named class.
    let mut before = None;
    loop {
        let byte = *text.get(at)?;
        let next = text.get(at + 1).copied();
        match byte {
            b']' if at > start => break,
            b'\\' => {
                let escaped = u32::from(next?);
                ranges.push((escaped, escaped));
                before = Some(escaped);
                at += 2;
            }
            b'-' if before.is_some() && next.is_some_and(|next| next != b']') => {
                let skip = usize::from(next == Some(b'\\'));
                let high = u32::from(*text.get(at + 1 + skip)?);
                ranges.push((before?, high));
                before = None;
                at += 2 + skip;
            }
            b'[' if next == Some(b':') && named(&text[at + 2..])?.is_some() => {
                let (class, len) = named(&text[at + 2..])??;
                ranges.extend_from_slice(class);
                before = None;
                at += 2 + len;
            }
            byte => {
                ranges.push((u32::from(byte), u32::from(byte)));
                before = Some(u32::from(byte));
                at += 1;
            }
        }
    }
    Some((Class::new(ranges, negated, false), at + 1))
}

type Named = Option<(&'static [(u32, u32)], usize)>;

/// Reads a named class behind its `[:`. The outer `None` spoils the pattern, the inner one means that it is none.
fn named(text: &[u8]) -> Option<Named> {
    let end = text.iter().position(|&byte| byte == b']')?;
    let Some(name) = text[..end].strip_suffix(b":") else { return Some(None) };
    Some(Some((posix(std::str::from_utf8(name).ok()?)?, end + 1)))
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
