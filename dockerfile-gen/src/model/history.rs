//! The commits of a repository, one after the other, as trees.
//!
//! Input: a folder in a git repository. Output: [`Commit`]s, and [`GitTree`]s of them. The one idea: git's plumbing is
//! asked once for a whole tree and once for all differences, so that a commit costs what it changed; a blob is read only
//! when its bytes are asked for, since its name already says whether two are equal.

mod git;
mod tree;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use git::{Git, Records};
pub use tree::GitTree;

use crate::error::{Error, Result};

/// A folder in a git repository.
#[derive(Clone, Debug)]
pub struct Repository {
    git: Git,
    /// The folder from the root of the repository, with a slash behind it; `""` for the root.
    prefix: String,
    is_shallow: bool,
}

/// A commit and what it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Commit {
    /// Its full name.
    pub id: String,
    /// The paths in the folder that differ from the commit before, sorted.
    pub changed: Vec<String>,
}

impl Repository {
    /// Finds the repository that `folder` lies in.
    ///
    /// # Errors
    /// [`Error::History`] if git is missing, or `folder` is in no repository that git wants to read.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        let git = Git::new(folder.as_ref());
        let said = git.line(&["rev-parse", "--is-shallow-repository", "--show-prefix"])?;
        let (shallow, prefix) = said.split_once('\n').unwrap_or((&said, ""));
        Ok(Self { prefix: prefix.trim_end_matches('\n').to_owned(), is_shallow: shallow == "true", git })
    }

    /// Whether older commits were not fetched.
    pub fn is_shallow(&self) -> bool {
        self.is_shallow
    }

    /// Whether the folder is the root of the repository.
    pub fn is_root(&self) -> bool {
        self.prefix.is_empty()
    }

    /// The folder as `revision` has it.
    ///
    /// # Errors
    /// [`Error::History`] if there is no such commit.
    pub fn tree(&self, revision: &str) -> Result<GitTree> {
        let id = self.git.line(&["rev-parse", "--verify", "--end-of-options", &format!("{revision}^{{commit}}")])?;
        self.tree_of(id.trim())
    }

    fn tree_of(&self, id: &str) -> Result<GitTree> {
        let mut tree = GitTree::new(self.git.blobs());
        // A folder that the commit does not have is empty.
        let treeish = format!("{id}:{}", self.prefix.trim_end_matches('/'));
        let is_there = self.git.succeeds(&["cat-file", "-e", &treeish])?;
        if is_there {
            let mut records =
                self.git.records(&["ls-tree", "-r", "-z", "--full-tree", "--end-of-options", &treeish])?;
            while let Some(record) = records.next()? {
                let Some((meta, path)) = record.split_once('\t') else { continue };
                let mut fields = meta.split(' ');
                if let (Some(mode), Some(_), Some(blob)) = (fields.next(), fields.next(), fields.next()) {
                    tree.set(path, mode, blob)?;
                }
            }
            records.finish()?;
        }
        Ok(tree)
    }

    /// The names of up to `count` commits, the oldest first, that lead to `revision` by first parents, and the one
    /// before them if there is one.
    fn line_of(&self, revision: &str, count: usize) -> Result<(Option<String>, Vec<String>)> {
        let most = count.saturating_add(1).to_string();
        let arguments =
            ["rev-list", "--first-parent", "--reverse", "--max-count", &most, "--end-of-options", revision, "--"];
        let said = self.git.line(&arguments)?;
        let mut ids: Vec<String> = said.lines().map(str::to_owned).collect();
        // The first is what the others are compared with.
        if ids.is_empty() {
            return Err(Error::History {
                reason: "the repository has no commits".to_owned(),
                hint: "commit something first".to_owned(),
            });
        }
        let first = ids.remove(0);
        Ok((Some(first), ids))
    }

    /// Visits the folder as it was before the last `count` commits that lead to `revision` by first parents, and then as
    /// each of them left it. The tree of one commit becomes that of the next, so memory does not grow.
    ///
    /// Gives how many commits were visited behind the first, which are fewer where the history, or the part of it that
    /// was fetched, is shorter.
    ///
    /// # Errors
    /// [`Error::History`] if git fails, and whatever `visit` gives.
    pub fn replay<E: From<Error>>(
        &self,
        revision: &str,
        count: usize,
        mut visit: impl FnMut(&Commit, &GitTree) -> Result<(), E>,
    ) -> Result<usize, E> {
        let (Some(first), ids) = self.line_of(revision, count)? else { return Ok(0) };
        let mut tree = self.tree_of(&first)?;
        tree.set_commit(self.is_root(), &first);
        visit(&Commit { id: first.clone(), changed: Vec::new() }, &tree)?;
        if ids.is_empty() {
            return Ok(0);
        }
        let mut pairs = String::new();
        for (parent, id) in std::iter::once(&first).chain(&ids).zip(&ids) {
            // A commit and its parent; what the commit itself says of its parents does not count then.
            pairs.push_str(&format!("{id} {parent}\n"));
        }
        let arguments = [
            "diff-tree",
            "--stdin",
            "--always",
            "-r",
            "-z",
            "--raw",
            "--no-abbrev",
            "--no-renames",
            "--no-ext-diff",
            "--no-textconv",
            "--ignore-submodules=none",
        ];
        let mut records = self.git.records_from(&arguments, pairs)?;
        let mut visited = 0;
        let mut commit = self.next_commit(&mut records, &mut tree, None)?;
        while let Some((mut here, next)) = commit {
            here.changed.sort();
            tree.set_commit(self.is_root(), &here.id);
            visit(&here, &tree)?;
            visited += 1;
            commit = match next {
                Some(id) => self.next_commit(&mut records, &mut tree, Some(id))?,
                None => None,
            };
        }
        records.finish()?;
        Ok(visited)
    }

    /// Reads what one commit changed, into the tree, and the name of the next.
    fn next_commit(
        &self,
        records: &mut Records,
        tree: &mut GitTree,
        id: Option<String>,
    ) -> Result<Option<(Commit, Option<String>)>> {
        let id = match id {
            Some(id) => id,
            None => match records.next()? {
                Some(id) => id.trim().to_owned(),
                None => return Ok(None),
            },
        };
        let mut changed = BTreeSet::new();
        loop {
            let Some(record) = records.next()? else {
                return Ok(Some((Commit { id, changed: changed.into_iter().collect() }, None)));
            };
            let Some(difference) = record.strip_prefix(':') else {
                let next = record.trim().to_owned();
                return Ok(Some((Commit { id, changed: changed.into_iter().collect() }, Some(next))));
            };
            let path = records.next()?.unwrap_or_default();
            let Some(path) = path.strip_prefix(self.prefix.as_str()) else { continue };
            let fields: Vec<&str> = difference.split(' ').collect();
            if let [_, mode, _, blob, status] = fields.as_slice() {
                match status.starts_with('D') {
                    true => tree.remove(path),
                    false => tree.set(path, mode, blob)?,
                }
                changed.insert(path.to_owned());
            }
        }
    }
}

impl GitTree {
    fn new(blobs: Arc<git::Blobs>) -> Self {
        Self::with_blobs(blobs)
    }
}

#[cfg(test)]
mod tests;
