//! requirements.txt and every file that it reaches.
//!
//! Input: the files to start with. Output: [`Closure`]. The one idea: `-r` and `-c` are followed from the file that says
//! them, so that the dependency layer gets each of them and nothing else.

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::tree::{RelPath, Tree};

use super::requirement::{self, Requirement};

/// What a set of requirements files says, together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Closure {
    /// Every file that is read, constraints included.
    pub(crate) files: BTreeSet<RelPath>,
    /// The dependencies, with file and line.
    pub(crate) requirements: Vec<(Requirement, String, u32)>,
    /// Folders of this project that are installed from here.
    pub(crate) local: Vec<Local>,
    /// Indexes other than the default: address, file and line.
    pub(crate) indexes: Vec<(String, String, u32)>,
    /// Whether a version control system is needed to fetch something.
    pub(crate) vcs: bool,
    /// Whether that goes through ssh.
    pub(crate) ssh: bool,
}

/// A line that installs a folder of the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Local {
    /// Whether it is installed in place (`-e`).
    pub(crate) editable: bool,
    /// The folder as pip takes it, with extras: `.`, `./lib[all]`.
    pub(crate) argument: String,
    /// The folder, relative to the project.
    pub(crate) dir: RelPath,
    /// The extras, normalised.
    pub(crate) extras: BTreeSet<String>,
}

/// Reads `start` and what it reaches. Paths are relative to the project; pip runs in the folder `dir`.
///
/// # Errors
/// [`Error::Manifest`] for a file that is not there.
pub(crate) fn read(tree: &dyn Tree, dir: &RelPath, start: &[RelPath]) -> Result<Closure> {
    let mut closure = Closure::default();
    let mut open: Vec<(RelPath, bool)> = start.iter().rev().map(|path| (path.clone(), false)).collect();
    while let Some((path, constraint)) = open.pop() {
        if !closure.files.insert(path.clone()) {
            continue;
        }
        let text = tree.text(path.as_str())?.ok_or_else(|| Error::manifest(path.as_str(), None, "is missing"))?;
        let mut found = Vec::new();
        for (number, line) in logical_lines(&text) {
            let at = Line { tree, dir, path: &path, number, constraint };
            at.read(&line, &mut closure, &mut found)?;
        }
        open.extend(found.into_iter().rev());
    }
    Ok(closure)
}

/// Lines without comments, joined where one ends in `\`, each with the number of its first line.
fn logical_lines(text: &str) -> Vec<(u32, String)> {
    let mut lines = Vec::new();
    let mut held: Option<(u32, String)> = None;
    for (index, line) in text.lines().enumerate() {
        let (number, mut joined) = held.take().unwrap_or((index as u32 + 1, String::new()));
        let comment = line.starts_with('#').then_some(0).or_else(|| line.find(" #")).or_else(|| line.find("\t#"));
        match line.strip_suffix('\\').filter(|_| comment.is_none()) {
            Some(open) => {
                joined.push_str(open);
                held = Some((number, joined));
            }
            None => {
                joined.push_str(&line[..comment.unwrap_or(line.len())]);
                lines.push((number, joined.trim().to_owned()));
            }
        }
    }
    lines.extend(held);
    lines.retain(|(_, line)| !line.is_empty());
    lines
}

struct Line<'a> {
    tree: &'a dyn Tree,
    dir: &'a RelPath,
    path: &'a RelPath,
    number: u32,
    constraint: bool,
}

impl Line<'_> {
    fn read(&self, line: &str, closure: &mut Closure, found: &mut Vec<(RelPath, bool)>) -> Result<()> {
        if let Some(file) = option(line, "-r", "--requirement") {
            found.push((self.included(file)?, self.constraint));
        } else if let Some(file) = option(line, "-c", "--constraint") {
            found.push((self.included(file)?, true));
        } else if let Some(url) = option(line, "-i", "--index-url").or_else(|| option(line, "", "--extra-index-url")) {
            closure.indexes.push((url.to_owned(), self.path.to_string(), self.number));
        } else if let Some(place) = option(line, "-e", "--editable") {
            self.place(place, true, closure);
        } else if !line.starts_with('-') {
            self.place(line, false, closure);
        }
        Ok(())
    }

    /// A dependency, a folder or an address.
    fn place(&self, text: &str, editable: bool, closure: &mut Closure) {
        let word = text.split_whitespace().next().unwrap_or_default();
        let url = word.contains("://") || word.starts_with("git@");
        let direct = requirement::parse(text);
        let address = direct.as_ref().and_then(|one| one.url.as_deref()).unwrap_or(if url { word } else { "" });
        if address.starts_with("git+") || address.starts_with("git@") {
            closure.vcs = true;
            closure.ssh |= address.contains("ssh://") || address.starts_with("git@");
        }
        let is_path = !url && (word.starts_with('.') || word.contains('/') && direct.is_none());
        match direct {
            Some(one) if !self.constraint && !is_path => {
                closure.requirements.push((one, self.path.to_string(), self.number));
            }
            // `#egg=NAME` is the old way to name what an address holds.
            None if url && !self.constraint => {
                let name = word.split_once("#egg=").map(|(_, name)| name.split('&').next().unwrap_or_default());
                if let Some(one) = name.and_then(requirement::parse) {
                    closure.requirements.push((one, self.path.to_string(), self.number));
                }
            }
            _ if is_path => self.local(word, editable, closure),
            _ => {}
        }
    }

    fn local(&self, word: &str, editable: bool, closure: &mut Closure) {
        let (place, extras) =
            word.split_once('[').map_or((word, ""), |(place, list)| (place, list.trim_end_matches(']')));
        // pip takes these from the folder that it runs in, unlike `-r`.
        let Some(dir) = self.dir.join(place) else { return };
        if self.tree.has(dir.as_str()) {
            closure.files.insert(dir);
            return;
        }
        let inside = dir.as_str().strip_prefix(self.dir.as_str()).unwrap_or_default().trim_start_matches('/');
        let mut argument = if inside.is_empty() { ".".to_owned() } else { format!("./{inside}") };
        if !extras.is_empty() {
            argument.push_str(&format!("[{extras}]"));
        }
        let extras = extras.split(',').map(requirement::normalize).filter(|extra| !extra.is_empty()).collect();
        closure.local.push(Local { editable, argument, dir, extras });
    }

    fn included(&self, file: &str) -> Result<RelPath> {
        let here = RelPath::new(self.path.parent()).unwrap_or_default();
        match here.join(file.trim_matches(['"', '\''])) {
            Some(path) if self.tree.has(path.as_str()) => Ok(path),
            _ => Err(Error::manifest(
                self.path.as_str(),
                Some(self.number),
                format!("names `{file}`, which is not in the project"),
            )),
        }
    }
}

/// The value of an option, with a space, an `=` or nothing before it.
fn option<'a>(line: &'a str, short: &str, long: &str) -> Option<&'a str> {
    let value = match line.strip_prefix(long) {
        Some(rest) if rest.starts_with([' ', '=', '\t']) => rest[1..].trim(),
        _ if !short.is_empty() && !line.starts_with("--") => line.strip_prefix(short)?.trim_start_matches('=').trim(),
        _ => return None,
    };
    (!value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::MemTree;

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    #[test]
    fn nested_files_are_followed_from_where_they_are_named() {
        let tree = MemTree::from([
            ("requirements.txt", "-r requirements/prod.txt\n-e .[web]\n"),
            (
                "requirements/prod.txt",
                "-rbase.txt\n--constraint=../pins.txt\ngunicorn==23.0 \\\n  --hash=sha256:0 # server\n",
            ),
            (
                "requirements/base.txt",
                "# comment\nDjango>=5 # framework\ngit+ssh://git@git.example/x.git#egg=x\n-r prod.txt\n",
            ),
            ("pins.txt", "sqlparse==0.5\n"),
        ]);
        let closure = read(&tree, &path(""), &[path("requirements.txt")]).unwrap();
        let files: Vec<&str> = closure.files.iter().map(RelPath::as_str).collect();
        assert_eq!(files, ["pins.txt", "requirements.txt", "requirements/base.txt", "requirements/prod.txt"]);
        let names: Vec<(&str, u32)> =
            closure.requirements.iter().map(|(one, _, line)| (one.name.as_str(), *line)).collect();
        assert_eq!(names, [("gunicorn", 3), ("django", 2), ("x", 3)]);
        assert!(closure.vcs && closure.ssh);
        assert_eq!(closure.local[0].argument, ".[web]");
    }

    #[test]
    fn a_missing_file_is_named_with_its_line() {
        let tree = MemTree::from([("requirements.txt", "flask\n-r base.txt\n")]);
        let error = read(&tree, &path(""), &[path("requirements.txt")]).unwrap_err().to_string();
        assert!(error.contains("requirements.txt:2") && error.contains("base.txt"), "{error}");
    }
}
