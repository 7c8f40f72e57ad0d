//! The build context as BuildKit sees it.
//!
//! Input: a [`Tree`] and the [`Dockerignore`] that holds for a Dockerfile. Output: [`BuildContext`], the files and
//! folders that `COPY` can find, and from [`match_sources`] which of them a `COPY` takes and where they land. The one
//! idea: every quirk here was seen on a real BuildKit (0.25) or read in its source, because a path that is wrongly
//! thought to be sent, or not, is a wrong answer about the cache.
//!
//! ```
//! use dockerfile_gen::MemTree;
//! use dockerfile_gen::context::{BuildContext, CopySpec, Dockerignore, match_sources};
//!
//! let tree = MemTree::from([("package.json", "{}"), ("src/main.js", ""), ("src/main.test.js", "")]);
//! let ignore = Dockerignore::parse(".dockerignore", "**/*.test.js\n")?;
//! assert_eq!(ignore.excludes("src/main.test.js").map(|line| line.number), Some(1));
//!
//! let context = BuildContext::new(&tree, &ignore);
//! let copy = CopySpec { sources: vec!["src".into()], dest: "/app/".into(), ..CopySpec::default() };
//! let found = &match_sources(&context, &copy)?[0];
//! let lands: Vec<String> = found.entries.iter().map(|selected| found.lands_at(selected)).collect();
//! assert_eq!(lands, ["/app", "/app/main.js"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod copy;
mod dockerignore;
pub(crate) mod go_path;
pub(crate) mod pattern;
mod re2;
mod sent;

pub use copy::{CopyFault, CopySpec, Selected, SourceMatch, match_sources};
pub use dockerignore::{Dockerignore, IgnoreLine, Verdict};

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::tree::{FileMeta, Tree};
use pattern::{Walk, parent};

/// The files and folders that are sent to the builder.
#[derive(Clone, Debug, Default)]
pub struct BuildContext<'t> {
    entries: BTreeMap<&'t str, Entry<'t>>,
}

/// A file or folder of the context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry<'t> {
    /// A folder, empty or not. Folders count in the cache key of a `COPY`.
    Dir,
    /// A file or symbolic link.
    File {
        /// What the tree knows of it.
        meta: &'t FileMeta,
        /// Whether it arrives without its content. That is a fault of BuildKit: where a line of the .dockerignore
        /// brings a file back and a later line leaves out a folder above it, the file is sent, but empty.
        emptied: bool,
    },
}

impl<'t> BuildContext<'t> {
    /// Lists what `ignore` leaves of `tree`. A folder that is left out is there all the same if it holds what is sent.
    pub fn new(tree: &'t dyn Tree, ignore: &Dockerignore) -> Self {
        let mut entries: Vec<(&str, Entry<'t>)> = Vec::with_capacity(tree.files().len());
        let mut walk = Walk::new(&ignore.matcher);
        for dir in tree.dirs() {
            if !walk.decide(dir).matched {
                with_folders(&mut entries, dir, Entry::Dir);
            }
        }
        let mut walk = Walk::new(&ignore.matcher);
        for (path, meta) in tree.files() {
            let path = path.as_str();
            if !walk.decide(path).matched {
                let emptied = meta.link.is_none() && ignore.matcher.refuses_to_open(path);
                with_folders(&mut entries, path, Entry::File { meta, emptied });
            }
        }
        // Nearly sorted, as it is here, a list becomes a map at once.
        Self { entries: entries.into_iter().collect() }
    }

    fn insert(&mut self, path: &'t str, entry: Entry<'t>) {
        self.entries.insert(path, entry);
        let mut above = parent(path);
        while !above.is_empty() && !self.entries.contains_key(above) {
            self.entries.insert(above, Entry::Dir);
            above = parent(above);
        }
    }

    /// Every file and folder but the root, sorted by path.
    pub fn entries(&self) -> &BTreeMap<&'t str, Entry<'t>> {
        &self.entries
    }

    /// What lies at `path`; the root `""` is a folder.
    pub fn get(&self, path: &str) -> Option<Entry<'t>> {
        if path.is_empty() { Some(Entry::Dir) } else { self.entries.get(path).copied() }
    }

    /// All that lies below the folder `dir`, with the path from there, in the order of the whole paths.
    pub(crate) fn below<'a>(&'a self, dir: &str) -> impl Iterator<Item = (&'t str, &'t str, Entry<'t>)> + use<'a, 't> {
        let prefix = if dir.is_empty() { String::new() } else { format!("{dir}/") };
        let range = self.entries.range::<str, _>((Bound::Excluded(prefix.as_str()), Bound::Unbounded));
        range.map_while(move |(path, entry)| path.strip_prefix(prefix.as_str()).map(|rest| (*path, rest, *entry)))
    }
}

/// Adds an entry and the folders above it, unless the entry before lies in the same.
fn with_folders<'t>(entries: &mut Vec<(&'t str, Entry<'t>)>, path: &'t str, entry: Entry<'t>) {
    let mut above = parent(path);
    if entries.last().is_none_or(|(last, _)| parent(last) != above && *last != above) {
        while !above.is_empty() {
            entries.push((above, Entry::Dir));
            above = parent(above);
        }
    }
    entries.push((path, entry));
}
