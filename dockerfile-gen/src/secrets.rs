//! What is a secret: the one list.
//!
//! Input: the path of a file, or text. Output: whether it is, or holds, a secret, and how to hand it over instead.
//! The one idea: one table of file names and one of tokens feed the .dockerignore, what `context` says, and the search
//! of all that gets into a Dockerfile.

mod files;
mod harmless;
pub mod tokens;

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::tree::{RelPath, Tree};

pub use files::{Instead, Kind};

/// What is known of a file whose name is one of the table's.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// It is a secret.
    Secret(&'static Kind),
    /// It only looks like one; this says what shows that.
    Harmless(&'static str),
    /// It lies in a folder of sources that has the name of a secret; so long is the folder's path.
    Sources(usize),
}

/// What the table says of the file at `path`, whose text is read where the name does not decide; `None` for most files.
///
/// ```
/// use dockerfile_gen::MemTree;
/// use dockerfile_gen::secrets::{Verdict, verdict};
///
/// let tree = MemTree::from([
///     (".env", "A=1"),
///     (".env.example", "A="),
///     ("ca.pem", "-----BEGIN CERTIFICATE-----\n"),
///     ("tls/server.PEM", "-----BEGIN PRIVATE KEY-----\n"),
///     ("src/tokens.rs", ""),
/// ]);
/// assert!(matches!(verdict(&tree, ".env"), Some(Verdict::Secret(_))));
/// assert!(matches!(verdict(&tree, ".env.example"), Some(Verdict::Harmless(_))));
/// assert!(matches!(verdict(&tree, "ca.pem"), Some(Verdict::Harmless(_))));
/// assert!(matches!(verdict(&tree, "tls/server.PEM"), Some(Verdict::Secret(_))));
/// assert!(verdict(&tree, "src/tokens.rs").is_none());
/// ```
pub fn verdict(tree: &dyn Tree, path: &str) -> Option<Verdict> {
    let (kind, end) = INDEX.kind(&path.to_ascii_lowercase())?;
    if end < path.len() {
        let is_secret = is_secret_folder(kind, &path[..end]);
        return Some(if is_secret { Verdict::Secret(kind) } else { Verdict::Sources(end) });
    }
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let template = is_template(&name) && (kind.harmless.is_none() || !tokens_in(tree, path));
    if template || kind.unless.iter().any(|pattern| matches(pattern, &name)) {
        return Some(Verdict::Harmless("is a template or a public part"));
    }
    match kind.harmless {
        Some(harmless) if read(tree, path).is_some_and(|text| (harmless.test)(&text)) => {
            Some(Verdict::Harmless(harmless.what))
        }
        _ => Some(Verdict::Secret(kind)),
    }
}

/// The files of `tree` whose names are the table's, sorted.
pub(crate) fn candidates(tree: &dyn Tree) -> Vec<&RelPath> {
    let mut lower = String::new();
    let mut found = Vec::new();
    // Most files lie beside the one before.
    let mut above = ("", false);
    for path in tree.files().keys() {
        lower.clear();
        lower.push_str(path.as_str());
        lower.make_ascii_lowercase();
        let parent = path.parent();
        if above.0 != parent {
            above = (parent, INDEX.above(&lower[..parent.len()]).is_some());
        }
        if above.1 || INDEX.file(&lower, lower.rsplit('/').next().unwrap_or_default()).is_some() {
            found.push(path);
        }
    }
    found
}

/// Whether the text of a file named `path` shows that it holds no secret.
pub(crate) fn is_harmless(path: &str, text: &str) -> bool {
    INDEX
        .kind(&path.to_ascii_lowercase())
        .is_none_or(|(kind, _)| kind.harmless.is_some_and(|harmless| (harmless.test)(text)))
}

/// Lines of a .dockerignore that leave out the kinds that every project may have: title and lines. A line that would
/// leave out one of `sources`, folders that have the name of a secret, is none of them.
pub(crate) fn lines(sources: &[&str]) -> impl Iterator<Item = (&'static str, Vec<String>)> {
    files::FILES.iter().map(move |(title, kinds)| {
        let mut lines: Vec<String> = Vec::new();
        for kind in kinds.iter().filter(|kind| kind.always) {
            let hides = |name: &str| sources.iter().any(|dir| matches(name, last_parts(dir, name)));
            let names = kind.names.iter().map(|name| name.trim_end_matches('/'));
            lines.extend(names.filter(|name| !hides(name)).map(|name| format!("**/{name}")));
            lines.extend(kind.unless.iter().map(|name| format!("!**/{name}")));
        }
        (*title, lines)
    })
}

/// Patterns for what a .gitignore says of the table's kinds: such a file is in nobody's tree and yet in a context.
pub(crate) fn ignored_by_git(text: &str) -> Vec<String> {
    let mut patterns = Vec::new();
    for line in text.lines().map(str::trim) {
        let name = line.trim_start_matches("**/").trim_start_matches('/');
        let is_plain =
            !name.is_empty() && !line.starts_with(['#', '!']) && !name.contains(['[', '\\']) && !name.contains("**");
        let sample = name.trim_end_matches('/').replace(['*', '?'], "x").to_ascii_lowercase();
        let sample = if name.ends_with('/') { format!("{sample}/x") } else { sample };
        if is_plain && name.trim_matches('*').len() > 2 && INDEX.kind(&sample).is_some() && !is_template(&sample) {
            patterns.push(format!("**/{}", name.trim_end_matches('/')));
        }
    }
    patterns
}

/// Up to here a file is read to see what it holds.
const LARGEST: u64 = 1 << 20;

fn read(tree: &dyn Tree, path: &str) -> Option<String> {
    let (_, meta) = tree.files().get_key_value(path)?;
    let fits = meta.size <= LARGEST && meta.link.is_none();
    fits.then(|| tree.scan(path))
}

fn tokens_in(tree: &dyn Tree, path: &str) -> bool {
    read(tree, path).is_none_or(|text| tokens::find(&text).is_some())
}

/// Whether a name says that the file is there to be copied and filled in.
fn is_template(name: &str) -> bool {
    let words = |word: &str| {
        matches!(word, "example" | "sample" | "template" | "tmpl" | "tpl" | "dist" | "defaults" | "schema")
    };
    name.split(['.', '-', '_']).any(words)
}

/// The names of the table, so that most files cost two look-ups.
struct Index {
    /// A name without wildcards and folders.
    names: HashMap<&'static str, &'static Kind>,
    /// `*.ending`.
    endings: HashMap<&'static str, &'static Kind>,
    /// Names of more than one part.
    paths: Globs,
    /// All others.
    globs: Globs,
    /// Folders without wildcards.
    folders: HashMap<&'static str, &'static Kind>,
    /// Folders of more than one part or with wildcards.
    folder_globs: Globs,
}

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut index = Index {
        names: HashMap::new(),
        endings: HashMap::new(),
        paths: Globs::default(),
        globs: Globs::default(),
        folders: HashMap::new(),
        folder_globs: Globs::default(),
    };
    for kind in files::FILES.iter().flat_map(|(_, kinds)| *kinds) {
        for name in kind.names {
            let is_fixed = !name.contains(['*', '?']);
            match (name.strip_suffix('/'), name.strip_prefix("*.")) {
                (Some(folder), _) if is_fixed && !folder.contains('/') => {
                    _ = index.folders.entry(folder).or_insert(kind)
                }
                (Some(folder), _) => index.folder_globs.push(folder, kind),
                (None, _) if is_fixed && !name.contains('/') => _ = index.names.entry(name).or_insert(kind),
                (None, Some(ending)) if !ending.contains(['*', '?', '.', '/']) => {
                    _ = index.endings.entry(ending).or_insert(kind);
                }
                _ if name.contains('/') => index.paths.push(name, kind),
                _ => index.globs.push(name, kind),
            }
        }
    }
    index
});

impl Index {
    /// The kind of the file at `path`, in lower case, and where in the path the name that says so ends.
    fn kind(&self, path: &str) -> Option<(&'static Kind, usize)> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let above = self.above(parent);
        // A folder of sources may hold a secret of its own.
        match above.filter(|(kind, end)| is_secret_folder(kind, &path[..*end])) {
            Some(secret) => Some(secret),
            None => self.file(path, name).map(|kind| (kind, path.len())).or(above),
        }
    }

    /// The kind of the folder `dir` or of one above it.
    fn above(&self, dir: &str) -> Option<(&'static Kind, usize)> {
        let ends = dir.match_indices('/').map(|(at, _)| at).chain([dir.len()]);
        let mut sources = None;
        for end in ends.filter(|end| *end > 0) {
            let here = &dir[..end];
            let name = here.rsplit('/').next().unwrap_or(here);
            // A line of a .dockerignore means folders, too.
            let kind = self.folder(here, name).or_else(|| self.file(here, name).filter(|kind| kind.always));
            match kind {
                Some(kind) if is_secret_folder(kind, here) => return Some((kind, end)),
                Some(kind) => sources = sources.or(Some((kind, end))),
                None => {}
            }
        }
        sources
    }

    fn file(&self, path: &str, name: &str) -> Option<&'static Kind> {
        let ending = || name.rsplit_once('.').and_then(|(_, ending)| self.endings.get(ending));
        // What names a folder says more than a name alone.
        let in_folder = if path.len() > name.len() { self.paths.find(path, name) } else { None };
        in_folder.or_else(|| self.names.get(name).or_else(ending).copied()).or_else(|| self.globs.find(path, name))
    }

    fn folder(&self, path: &str, name: &str) -> Option<&'static Kind> {
        self.folders.get(name).copied().or_else(|| self.folder_globs.find(path, name))
    }
}

/// Whether a folder is one of the table's, or a hidden one that has the name of a secret file. Any other holds sources.
fn is_secret_folder(kind: &Kind, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let of_table = |pattern: &&str| {
        pattern
            .strip_suffix('/')
            .is_some_and(|pattern| matches(pattern, last_parts(&path.to_ascii_lowercase(), pattern)))
    };
    name.starts_with('.') || kind.names.iter().any(of_table)
}

/// A pattern with what is fixed of it, which nearly every name lacks.
struct Fixed {
    pattern: &'static str,
    kind: &'static Kind,
    /// In front of the first wildcard of the last part.
    start: &'static str,
    /// After the last wildcard.
    end: &'static str,
    /// The last byte of it but one, which is looked at before slices are compared.
    before_last: Option<u8>,
    /// The longest piece between wildcards.
    middle: &'static str,
}

/// Patterns, found by the byte that a name ends with or, where that is a wildcard, begins with: few are tried for a file.
struct Globs {
    last: [Vec<Fixed>; 256],
    first: [Vec<Fixed>; 256],
    /// Wildcards at both ends.
    other: Vec<Fixed>,
}

impl Default for Globs {
    fn default() -> Self {
        let none = || std::array::from_fn(|_| Vec::new());
        Self { last: none(), first: none(), other: Vec::new() }
    }
}

impl Globs {
    fn push(&mut self, pattern: &'static str, kind: &'static Kind) {
        let name = pattern.rsplit('/').next().unwrap_or(pattern);
        let mut pieces = name.split(['*', '?']);
        let start = pieces.next().unwrap_or_default();
        let end = pieces.next_back().unwrap_or(start);
        let middle = pieces.max_by_key(|piece| piece.len()).unwrap_or_default();
        let before_last = end.bytes().nth_back(1);
        let fixed = Fixed { pattern, kind, start, end, before_last, middle };
        match (start.as_bytes().first(), end.as_bytes().last()) {
            (_, Some(last)) => self.last[usize::from(*last)].push(fixed),
            (Some(first), None) => self.first[usize::from(*first)].push(fixed),
            (None, None) => self.other.push(fixed),
        }
    }

    fn find(&self, path: &str, name: &str) -> Option<&'static Kind> {
        let last = &self.last[usize::from(*name.as_bytes().last()?)];
        let first = &self.first[usize::from(*name.as_bytes().first()?)];
        let before_last = name.bytes().nth_back(1);
        let may_be = |fixed: &&Fixed| {
            (fixed.before_last.is_none() || fixed.before_last == before_last)
                && name.ends_with(fixed.end)
                && name.starts_with(fixed.start)
                && name.contains(fixed.middle)
        };
        let mut near = last.iter().chain(first).chain(&self.other).filter(may_be);
        near.find(|fixed| matches(fixed.pattern, last_parts(path, fixed.pattern))).map(|fixed| fixed.kind)
    }
}

/// As many parts of the end of `path` as `pattern` has.
fn last_parts<'p>(path: &'p str, pattern: &str) -> &'p str {
    let slashes = pattern.bytes().filter(|byte| *byte == b'/').count();
    path.rmatch_indices('/').nth(slashes).map_or(path, |(at, _)| &path[at + 1..])
}

/// Whether `*` and `?`, which stand for no `/`, make `pattern` into `text`.
fn matches(pattern: &str, text: &str) -> bool {
    fn rest(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((b'*', after)), _) if rest(after, text) => true,
            (Some((b'*', _)), Some((byte, text))) => *byte != b'/' && rest(pattern, text),
            (Some((b'?', after)), Some((byte, text))) => *byte != b'/' && rest(after, text),
            (Some((wanted, after)), Some((byte, text))) => wanted == byte && rest(after, text),
            _ => false,
        }
    }
    rest(pattern.as_bytes(), text.as_bytes())
}

/// A path that `keep` of the settings names.
pub(crate) fn is_kept(keep: &[String], path: &RelPath) -> bool {
    keep.iter().any(|kept| RelPath::new(kept).is_some_and(|kept| kept == *path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_of_the_table_is_found() {
        for kind in files::FILES.iter().flat_map(|(_, kinds)| *kinds) {
            for name in kind.names {
                assert_eq!(*name, name.to_ascii_lowercase(), "names are in lower case");
                let sample = name.replace('*', "y").replace('?', ".");
                let sample = if name.ends_with('/') { format!("{sample}x") } else { sample };
                assert!(INDEX.kind(&sample).is_some() && INDEX.kind(&format!("a/b/{sample}")).is_some(), "{name}");
            }
        }
    }
}
