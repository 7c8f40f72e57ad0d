//! What a step takes from a build context.
//!
//! Input: a context, as it is sent, and the paths that a step asks for. Output: digests, and what a `COPY` writes. The
//! one idea: the digest is made of what BuildKit hashes: names, modes, links and bytes, and with a wildcard or
//! `--exclude` before BuildKit 0.26 only the last part of each name.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::digest::{Digest, hash};
use super::fault::FaultReason;
use super::files::{Files, Node, What, Write, folder, sum};
use super::graph::{CopyOp, Selector};
use crate::error::Result;
use crate::model::context::{BuildContext, CopyFault, CopySpec, Entry, SourceMatch, match_sources};
use crate::tree::{FileMeta, RelPath, Tree, content_id};

/// A context that is sent, and what was found out about it.
pub(super) struct Sent<'t> {
    tree: &'t dyn Tree,
    context: BuildContext<'t>,
    /// What the builder has from before, and what it has now.
    copy: RefCell<Copy>,
    nodes: RefCell<HashMap<&'t str, Node>>,
    digests: RefCell<BTreeMap<Selector, Digest>>,
    whole_paths: bool,
}

/// The builder's own copy of a context, as far as the tree knows when files were written.
pub(super) type Copy = BTreeMap<String, (FileMeta, u128)>;

impl<'t> Sent<'t> {
    pub(super) fn new(tree: &'t dyn Tree, context: BuildContext<'t>, copy: Copy, whole_paths: bool) -> Self {
        Self {
            tree,
            context,
            copy: RefCell::new(copy),
            nodes: RefCell::default(),
            digests: RefCell::default(),
            whole_paths,
        }
    }

    pub(super) fn into_copy(self) -> Copy {
        self.copy.into_inner()
    }

    /// What `selectors` name holds.
    pub(super) fn digests(&self, selectors: &[Selector]) -> Result<Vec<Digest>, FaultReason> {
        selectors.iter().map(|selector| self.digest(selector)).collect()
    }

    fn digest(&self, selector: &Selector) -> Result<Digest, FaultReason> {
        if let Some(known) = self.digests.borrow().get(selector) {
            return Ok(known.clone());
        }
        let digest = if selector.is_filter() { self.filtered(selector)? } else { self.plain(&selector.path)? };
        let digest = Digest::Known(digest);
        self.digests.borrow_mut().insert(selector.clone(), digest.clone());
        Ok(digest)
    }

    fn plain(&self, path: &str) -> Result<u128, FaultReason> {
        let root = self.context.literal(path)?;
        let mut total = sum([("", self.digest_of(self.context.get(&root))?)]);
        for (_, inside, entry) in self.context.below(&root) {
            total = total.wrapping_add(sum([(inside, self.digest_of(Some(entry))?)]));
        }
        Ok(total)
    }

    fn digest_of(&self, entry: Option<Entry<'t>>) -> Result<u128, FaultReason> {
        match entry {
            Some(Entry::File { path, meta, emptied }) => Ok(self.node_of(path, meta, emptied)?.digest),
            Some(Entry::Dir) | None => Ok(folder()),
        }
    }

    fn match_digest(&self, found: &SourceMatch) -> Result<u128, FaultReason> {
        let mut nodes = Vec::with_capacity(found.entries.len());
        for selected in &found.entries {
            let node = if selected.is_dir { folder() } else { self.node(&selected.path)?.digest };
            nodes.push((found.inside(selected), node));
        }
        Ok(sum(nodes))
    }

    fn filtered(&self, selector: &Selector) -> Result<u128, FaultReason> {
        let copy = CopySpec {
            sources: vec![selector.parents.clone().unwrap_or_else(|| selector.path.clone())],
            dest: "/".to_owned(),
            dest_is_dir: true,
            exclude: selector.exclude.clone(),
            parents: selector.parents.is_some(),
        };
        let mut list = Vec::new();
        for found in match_sources(&self.context, &copy)? {
            let is_link = self.link(&found.named).is_some();
            let is_whole = found.named.is_empty();
            for selected in &found.entries {
                let inside = found.inside(selected);
                let path = match (found.named.as_str(), inside) {
                    (named, "") => named.to_owned(),
                    ("", inside) => inside.to_owned(),
                    (named, inside) => format!("{named}/{inside}"),
                };
                let node = if selected.is_dir { folder() } else { self.node(&selected.path)?.digest };
                let name = if self.whole_paths { path.as_str() } else { path.rsplit('/').next().unwrap_or(&path) };
                list.push((name.to_owned(), node));
                if is_link {
                    // What a link leads to is hashed as a whole.
                    list.pop();
                    list.push((name.to_owned(), self.match_digest(&found)?));
                    break;
                }
                // BuildKit follows also the links that lie directly in the root, and fails if they lead nowhere.
                if is_whole && !inside.contains('/') && self.link(&path).is_some() {
                    list.pop();
                    list.push((name.to_owned(), self.plain(&path)?));
                }
            }
        }
        Ok(hash(&list))
    }

    fn link(&self, path: &str) -> Option<&str> {
        match self.context.get(path)? {
            Entry::File { meta, .. } => meta.link.as_deref(),
            Entry::Dir => None,
        }
    }

    fn node(&self, path: &str) -> Result<Node, FaultReason> {
        match self.context.get(path) {
            Some(Entry::File { path, meta, emptied }) => self.node_of(path, meta, emptied),
            _ => Err(CopyFault::Missing { source_number: 0, path: path.to_owned() }.into()),
        }
    }

    fn node_of(&self, path: &'t RelPath, meta: &FileMeta, emptied: bool) -> Result<Node, FaultReason> {
        if let Some(target) = &meta.link {
            return Ok(Node::link(target));
        }
        if emptied {
            return Ok(Node::file(meta.permissions(), content_id(b"")));
        }
        if let Some(content) = meta.content.filter(|_| meta.modified.is_none()) {
            return Ok(Node::file(meta.permissions(), content));
        }
        if let Some(node) = self.nodes.borrow().get(path.as_str()) {
            return Ok(node.clone());
        }
        let content = match self.unchanged(path.as_str(), meta) {
            Some(content) => content,
            None => self.tree.content_id(path)?,
        };
        if meta.modified.is_some() {
            self.copy.borrow_mut().insert(path.as_str().to_owned(), (meta.clone(), content));
        }
        let node = Node::file(meta.permissions(), content);
        self.nodes.borrow_mut().insert(path.as_str(), node.clone());
        Ok(node)
    }

    /// The content that the builder has and takes for the file's, as size, time and mode are equal.
    fn unchanged(&self, path: &str, meta: &FileMeta) -> Option<u128> {
        meta.modified?;
        let copy = self.copy.borrow();
        let (known, content) = copy.get(path)?;
        (known == meta).then_some(*content)
    }

    /// What a `COPY` upon `below` writes.
    pub(super) fn writes(&self, copy: &CopyOp, below: &Arc<Files>) -> Result<Vec<Write>, FaultReason> {
        let dest = copy.spec.dest.trim_matches('/').trim_end_matches("/.").to_owned();
        let is_folder = below.is_folder(&dest);
        let spec = CopySpec { dest_is_dir: is_folder, ..copy.spec.clone() };
        let mut writes = Vec::new();
        for found in match_sources(&self.context, &spec)? {
            let is_loose = !is_folder && !copy.spec.dest.ends_with('/') && below.has_run();
            for selected in &found.entries {
                let at = found.lands_at(selected).trim_start_matches('/').to_owned();
                if selected.is_dir {
                    writes.push(Write { at, what: What::Folder });
                    continue;
                }
                let node = self.node(&selected.path)?.changed(&copy.changes);
                let is_single = found.inside(selected).is_empty();
                let what = if copy.unpacks && is_single && is_archive(&selected.path) {
                    What::Archive(node.digest)
                } else if is_single && is_loose && !looks_like_file(&at, &selected.path) {
                    What::FileOrInto(node)
                } else {
                    What::File(node)
                };
                writes.push(Write { at, what });
            }
        }
        Ok(writes)
    }
}

/// Whether `dest` is rather the name of the file that is copied there than of a folder that a `RUN` made.
fn looks_like_file(dest: &str, source: &str) -> bool {
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    last(dest) == last(source) || last(dest).trim_start_matches('.').contains('.')
}

fn is_archive(path: &str) -> bool {
    let endings = [".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".tzst", ".gz", ".bz2", ".xz", ".zst"];
    endings.iter().any(|ending| path.ends_with(ending))
}
