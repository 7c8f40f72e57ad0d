//! The files and folders that are sent.

use std::collections::{BTreeMap, HashSet};
use std::ops::Bound;

use super::dockerignore::Dockerignore;
use super::go_path::{has_wildcard, rooted};
use super::pattern::{Walk, parent};
use crate::patterns::go_path::GoGlob;
use crate::tree::{FileMeta, RelPath, Tree};

/// The files and folders that are sent to the builder.
#[derive(Clone, Debug, Default)]
pub struct BuildContext<'t> {
    pub(super) entries: BTreeMap<&'t str, Entry<'t>>,
}

/// A file or folder of the context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry<'t> {
    /// A folder, empty or not. Folders count in the cache key of a `COPY`.
    Dir,
    /// A file or symbolic link.
    File {
        /// Its path, as the tree has it.
        path: &'t RelPath,
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
        let mut walk = Walk::new(&ignore.matcher);
        let mut entries: Vec<(&str, Entry<'t>)> = Vec::with_capacity(2 * tree.files().len());
        entries.extend(tree.dirs().into_iter().filter(|dir| !walk.decide(dir).matched).map(|dir| (dir, Entry::Dir)));
        let mut folders: HashSet<&str> = entries.iter().map(|(dir, _)| *dir).collect();
        let mut left_out: Vec<&str> = entries.iter().map(|(dir, _)| parent(dir)).collect();
        let mut walk = Walk::new(&ignore.matcher);
        let mut last = "";
        for (key, meta) in tree.files() {
            let path = key.as_str();
            if !walk.decide(path).matched {
                let emptied = meta.link.is_none() && ignore.matcher.refuses_to_open(path);
                entries.push((path, Entry::File { path: key, meta, emptied }));
                let above = parent(path);
                if std::mem::replace(&mut last, above) != above {
                    left_out.push(above);
                }
            }
        }
        // A folder that is left out is there all the same for what it holds.
        for mut above in left_out {
            while !above.is_empty() && folders.insert(above) {
                entries.push((above, Entry::Dir));
                above = parent(above);
            }
        }
        // Two sorted lists, which nearly always this is, become a map at once.
        Self { entries: entries.into_iter().collect() }
    }

    /// The part of the context that `sources` name: enough to match them, and found without a look at every file.
    pub(crate) fn of_sources<'s>(
        tree: &'t dyn Tree,
        ignore: &Dockerignore,
        sources: impl IntoIterator<Item = &'s str>,
    ) -> Self {
        let mut part = Self::default();
        for source in sources {
            let path = rooted(source);
            let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
            let is_link = |path: &str| tree.files().get(path).is_some_and(|meta| meta.link.is_some());
            if ends.clone().any(|end| is_link(&path[..end])) || !part.add(tree, ignore, &path) {
                // Where links lead is known only to the whole.
                return Self::new(tree, ignore);
            }
        }
        part
    }

    /// Adds what `path`, whose last parts may be patterns, names, and of a folder one thing that it holds; says no where
    /// that is a link.
    fn add(&mut self, tree: &'t dyn Tree, ignore: &Dockerignore, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        let wild = parts.iter().position(|part| has_wildcard(part));
        let base = parts[..wild.unwrap_or(parts.len())].join("/");
        let glob = wild.map(|at| GoGlob::new(&parts[at..].join("/")));
        let depth = parts.len() - wild.unwrap_or(parts.len());
        let own = tree.files().get_key_value(base.as_str()).filter(|_| wild.is_none());
        let mut walk = Walk::new(&ignore.matcher);
        let mut has_sent: Option<&str> = None;
        for (key, meta) in own.into_iter().chain(tree.under(&base)) {
            let path = key.as_str();
            let inside = path[base.len()..].trim_start_matches('/');
            let end = inside.match_indices('/').nth(depth.saturating_sub(1)).map_or(inside.len(), |(at, _)| at);
            // What the pattern is about: the file, or a folder above it.
            let named = if glob.is_some() { &path[..path.len() - inside.len() + end] } else { base.as_str() };
            if has_sent == Some(named) {
                if glob.is_none() {
                    break;
                }
                continue;
            }
            if glob.as_ref().is_some_and(|glob| !glob.as_ref().is_ok_and(|glob| glob.matches(&inside[..end]))) {
                continue;
            }
            if !walk.decide(path).matched {
                if meta.link.is_some() && (named == path) {
                    return false;
                }
                self.insert(path, Entry::File { path: key, meta, emptied: false });
                has_sent = Some(if glob.is_some() { &path[..named.len()] } else { &path[..base.len()] });
            } else if path.len() > named.len() && !Walk::new(&ignore.matcher).decide(&path[..named.len()]).matched {
                self.insert(&path[..named.len()], Entry::Dir);
            }
        }
        self.add_base(tree, ignore, &base);
        true
    }

    /// Adds a folder that is sent although nothing in it is.
    fn add_base(&mut self, tree: &'t dyn Tree, ignore: &Dockerignore, base: &str) {
        let first = tree.under(base).next().filter(|_| !base.is_empty() && !self.entries.contains_key(base));
        if let Some((path, _)) = first
            && let Some(dir) = path.as_str().get(..base.len())
            && !Walk::new(&ignore.matcher).decide(dir).matched
        {
            self.insert(dir, Entry::Dir);
        }
    }

    pub(super) fn insert(&mut self, path: &'t str, entry: Entry<'t>) {
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
