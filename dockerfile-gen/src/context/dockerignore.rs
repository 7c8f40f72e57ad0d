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
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (number, line) in (1..).zip(text.split('\n')) {
            let failed = |reason: &str| Error::manifest(path, Some(number), format!("`{}`: {reason}", line.trim()));
            if line.len() >= LONGEST_LINE {
                return Err(Error::manifest(path, Some(number), "the line is longer than 64 KiB"));
            }
            if let Some(pattern) = pattern(line)
                && ignore.matcher.push(&pattern).map_err(failed)?
            {
                ignore.lines.push(IgnoreLine { number, text: line.trim().to_owned() });
            }
        }
        Ok(ignore)
    }

    /// Reads the file that holds for the Dockerfile at `dockerfile`: `<dockerfile>.dockerignore` if there is one, even
    /// an empty one, and else the `.dockerignore` of the root. They are never merged.
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
    pub fn verdicts<'p>(&self, paths: impl IntoIterator<Item = &'p str>) -> impl Iterator<Item = (&'p str, Verdict<'_>)> {
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
