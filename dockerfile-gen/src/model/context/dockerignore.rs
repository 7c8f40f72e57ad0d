//! What a .dockerignore leaves out of the build context.
//!
//! Input: the text of a .dockerignore. Output: [`Dockerignore`], which says of a path whether it is sent and which line
//! decided. The one idea: this is not .gitignore. A line names whole paths from the root of the context (`foo` is not
//! `a/foo`), the last line that matches decides, and `!` reaches into folders that are left out.
//! <https://docs.docker.com/build/concepts/context/#dockerignore-files>

use super::pattern::{Matcher, Walk};
use crate::error::{Error, Result};
use crate::tree::Tree;

/// The lines of a .dockerignore. One without lines leaves nothing out.
#[derive(Clone, Debug, Default)]
pub struct Dockerignore {
    path: Option<String>,
    lines: Vec<IgnoreLine>,
    /// How many lines were read, patterns or not.
    count: u32,
    pub(crate) matcher: Matcher,
}

/// A line that is a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoreLine {
    /// Its number in the file, from 1.
    pub number: u32,
    /// What it says, without the blanks around it.
    pub text: String,
}

/// What a .dockerignore says of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict<'i> {
    /// Whether the path is left out of the context. A folder may be left out and yet come back because of what it holds.
    pub excluded: bool,
    /// The line that decided; `None` if no line matches.
    pub line: Option<&'i IgnoreLine>,
}

/// Where Go stops to read a line.
const LONGEST_LINE: usize = 64 * 1024;

impl Dockerignore {
    /// Reads `text`, the content of the file at `path`.
    ///
    /// # Errors
    /// [`Error::Manifest`] for a line that fails the build. BuildKit says so only when it asks the line about a path.
    pub fn parse(path: &str, text: &str) -> Result<Self> {
        let mut ignore = Self { path: Some(path.to_owned()), ..Self::default() };
        ignore.read_on(text.strip_prefix('\u{feff}').unwrap_or(text))?;
        Ok(ignore)
    }

    /// Reads lines that are added to the end of the file, which ends in a line break.
    ///
    /// # Errors
    /// As [`Dockerignore::parse`].
    pub(crate) fn read_on(&mut self, text: &str) -> Result<()> {
        let path = self.path.clone().unwrap_or_default();
        let path = path.as_str();
        for line in text.split('\n') {
            let number = self.count + 1;
            self.count = number;
            let failed = |reason: &str| Error::manifest(path, Some(number), format!("`{}`: {reason}", line.trim()));
            if line.len() >= LONGEST_LINE {
                return Err(Error::manifest(path, Some(number), "the line is longer than 64 KiB"));
            }
            if let Some(pattern) = pattern(line)
                && self.matcher.push(&pattern).map_err(failed)?
            {
                self.lines.push(IgnoreLine { number, text: line.trim().to_owned() });
            }
        }
        // What follows the last line break is no line yet.
        self.count -= 1;
        Ok(())
    }

    /// Reads the file that holds for the Dockerfile at `dockerfile`: `<dockerfile>.dockerignore` if there is one, even
    /// an empty one, and else the `.dockerignore` of the root. They are never merged.
    ///
    /// `dockerfile` is the name that was asked for, so `Dockerfile` where docker by itself took a `dockerfile`; it is
    /// `""` for a Dockerfile that is no file and for a named context.
    ///
    /// # Errors
    /// As [`Dockerignore::parse`], and if the file cannot be read.
    pub fn of(tree: &dyn Tree, dockerfile: &str) -> Result<Self> {
        for path in [format!("{dockerfile}.dockerignore"), ".dockerignore".to_owned()] {
            if let Some(text) = tree.text(&path)? {
                return Self::parse(&path, &text);
            }
        }
        Ok(Self::default())
    }

    /// The file that was read, if there was one.
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// The lines that are patterns, in order.
    pub fn lines(&self) -> &[IgnoreLine] {
        &self.lines
    }

    /// What the file says of `path`, a file or folder in the context.
    pub fn verdict(&self, path: &str) -> Verdict<'_> {
        self.say(Walk::new(&self.matcher).decide(path))
    }

    /// The line that leaves `path` out; `None` if it is sent.
    pub fn excludes(&self, path: &str) -> Option<&IgnoreLine> {
        let verdict = self.verdict(path);
        verdict.line.filter(|_| verdict.excluded)
    }

    /// What the file says of each of `paths`; quickest if they are sorted.
    pub fn verdicts<'p>(
        &self,
        paths: impl IntoIterator<Item = &'p str>,
    ) -> impl Iterator<Item = (&'p str, Verdict<'_>)> {
        let mut walk = Walk::new(&self.matcher);
        paths.into_iter().map(move |path| (path, self.say(walk.decide(path))))
    }

    fn say(&self, decision: super::pattern::Decision) -> Verdict<'_> {
        Verdict { excluded: decision.matched, line: decision.by.and_then(|by| self.lines.get(by)) }
    }
}

/// The pattern that a line gives to the matcher, if it is no comment and not blank.
fn pattern(line: &str) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let line = line.trim();
    let (bang, pattern) = line.strip_prefix('!').map_or(("", line), |rest| ("!", rest.trim()));
    if pattern.is_empty() {
        return (!bang.is_empty()).then(|| bang.to_owned());
    }
    let pattern = super::go_path::clean(pattern);
    let pattern = pattern.strip_prefix('/').filter(|rest| !rest.is_empty()).unwrap_or(&pattern);
    Some(format!("{bang}{pattern}"))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::model::context::{BuildContext, Entry};
    use crate::tree::MemTree;

    fn parse(text: &str) -> Dockerignore {
        Dockerignore::parse(".dockerignore", text).unwrap()
    }

    #[test]
    fn the_line_that_decided_is_named() {
        let ignore = parse("# build output\n\nsrc\n!src/keep\n  src/keep/not  \n");
        let line = |path: &str| ignore.verdict(path).line.map(|line| (line.number, line.text.as_str()));
        assert_eq!(line("src/a"), Some((3, "src")));
        assert_eq!(line("src/keep/a"), Some((4, "!src/keep")));
        assert_eq!(line("src/keep/not/a"), Some((5, "src/keep/not")));
        assert_eq!(line("lib/a"), None);
        assert_eq!(ignore.excludes("src/keep/a"), None);
        assert_eq!(ignore.excludes("src/a").map(|line| line.number), Some(3));
        assert_eq!(ignore.excludes(""), None);
    }

    #[test]
    fn a_list_gets_the_verdicts_that_each_path_gets() {
        let ignore = parse("*\n!a/b\na/b/c\n!**/d\nx/*\n!x/y/z\n");
        let paths = ["a", "a-b", "a/b", "a/b/c", "a/b/c/d", "a/b/e", "x", "x/y/z/w", "x/y", "b/d/e", "a/b/c"];
        for (path, verdict) in ignore.verdicts(paths) {
            assert_eq!(verdict, ignore.verdict(path), "{path}");
        }
    }

    #[test]
    fn a_line_that_fails_the_build_is_refused_with_its_number() {
        for (text, message) in [
            ("a\n!\n", ".dockerignore:2: `!`: `!` stands alone"),
            ("a\r\n\r\ntrail\\ \r\n", ".dockerignore:3: `trail\\`: malformed class or escape"),
            ("src\\pkg", ".dockerignore:1: `src\\pkg`: Unicode classes such as `\\pL` are not supported here"),
            ("src\\ui", ".dockerignore:1: `src\\ui`: invalid escape"),
        ] {
            assert_eq!(Dockerignore::parse(".dockerignore", text).unwrap_err().to_string(), message);
        }
        assert!(Dockerignore::parse(".dockerignore", &"a".repeat(70_000)).is_err());
    }

    #[test]
    fn the_file_beside_the_dockerfile_replaces_the_one_of_the_root() {
        let mut tree = MemTree::from([(".dockerignore", "a"), ("docker/Dockerfile.dockerignore", "")]);
        let of = |tree: &MemTree, dockerfile| Dockerignore::of(tree, dockerfile).unwrap();
        assert_eq!(of(&tree, "docker/Dockerfile").path(), Some("docker/Dockerfile.dockerignore"));
        assert!(of(&tree, "docker/Dockerfile").lines().is_empty());
        assert_eq!(of(&tree, "Dockerfile").path(), Some(".dockerignore"));
        assert_eq!(of(&tree, "").path(), Some(".dockerignore"));
        tree.remove(".dockerignore");
        assert_eq!(of(&tree, "Dockerfile").path(), None);
    }

    #[test]
    fn a_file_may_arrive_empty() {
        let tree = MemTree::from([("a/b", "x"), ("a/c", "x"), ("d", "x")]);
        let context = |text: &str| {
            let ignore = parse(text);
            let context = BuildContext::new(&tree, &ignore);
            context
                .entries()
                .iter()
                .map(|(path, entry)| (path.to_string(), matches!(entry, Entry::File { emptied: true, .. })))
                .collect::<Vec<_>>()
        };
        assert_eq!(context("*\n!a/b\na\n"), [("a".into(), false), ("a/b".into(), true)]);
        assert_eq!(context("*\n!a/b\n"), [("a".into(), false), ("a/b".into(), false)]);
    }

    #[test]
    fn a_large_context_is_read_at_once() {
        let tops = ["node_modules/pkg", "src", "web/app", "tests/data", "target/debug/deps"];
        let paths: Vec<String> =
            (0..100_000).map(|at| format!("{}{}/lib/module{}/file{at}.rs", tops[at % 5], at % 71, at % 997)).collect();
        let mut paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        paths.sort_unstable();
        let mut text =
            String::from("**/*.log\n*.md\n**/test*/**\nnode_modules*\n!src1*/lib\n**/__pycache__\n.git\nweb/**/tmp?\n");
        (0..52).for_each(|at| text += &format!("**/out{at}*/*.tmp\n"));
        let ignore = parse(&text);
        let start = Instant::now();
        let excluded = ignore.verdicts(paths.iter().copied()).filter(|(_, verdict)| verdict.excluded).count();
        // A release build takes a tenth of a second; the limit only shows whether the time explodes.
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
        assert_eq!(excluded, 40_000);
    }
}
