//! Which part of the context a build asks for.
//!
//! Input: a [`BuildContext`] and the sources of all `COPY`, `ADD` and bind mounts that a build reaches. Output: the
//! context that the builder really gets. The one idea: a folder is sent only for what it holds, so `COPY dir/lock* ./`
//! fails, with `dir` not found, when nothing matches and no other source brings anything of `dir` along.

use std::collections::BTreeSet;

use super::copy::CopyFault;
use super::entries::{BuildContext, Entry};
use super::go_path::{clean, has_wildcard, rooted};
use super::pattern::{Matcher, Walk, parent};
use crate::patterns::go_path::GoGlob;

impl<'t> BuildContext<'t> {
    /// What is sent for `sources`, as they stand in the Dockerfile after variables were replaced. The whole context is
    /// sent if there are none, or if one names the root.
    ///
    /// # Errors
    /// [`CopyFault::BadPattern`] if BuildKit refuses a source as a pattern.
    pub fn sent_for<'s>(&self, sources: impl IntoIterator<Item = &'s str>) -> Result<Self, CopyFault> {
        let wanted = self.with_links(sources);
        if wanted.is_empty() || wanted.contains("") {
            return Ok(self.clone());
        }
        let mut matcher = Matcher::default();
        for path in &wanted {
            matcher
                .push(path)
                .map_err(|reason| CopyFault::BadPattern { pattern: path.clone(), reason: reason.to_owned() })?;
        }
        let mut sent = Self::default();
        let mut walk = Walk::new(&matcher);
        for (path, entry) in &self.entries {
            if walk.decide(path).matched {
                sent.insert(path, *entry);
            }
        }
        Ok(sent)
    }

    /// The sources, and what the symbolic links on their way lead to.
    fn with_links<'s>(&self, sources: impl IntoIterator<Item = &'s str>) -> BTreeSet<String> {
        let mut wanted = BTreeSet::new();
        let mut open: Vec<String> = sources.into_iter().map(rooted).collect();
        while let Some(path) = open.pop() {
            let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
            for end in ends {
                let (here, rest) = (&path[..end], &path[end..]);
                let targets = self.targets(here);
                if (rest.is_empty() || !targets.is_empty()) && !wanted.insert(here.to_owned()) {
                    break;
                }
                open.extend(targets.iter().map(|target| rooted(&format!("{target}{rest}"))));
                if !targets.is_empty() {
                    break;
                }
            }
        }
        wanted
    }

    /// Where `path` leads if it is a link, or where the links lead that its last part matches.
    fn targets(&self, path: &str) -> Vec<String> {
        let dir = parent(path);
        let name = path.rsplit('/').next().unwrap_or_default();
        let Some(glob) = GoGlob::new(name).ok().filter(|_| has_wildcard(name)) else {
            return self.target(path).into_iter().collect();
        };
        let inside = self.below(dir).filter(|(_, rest, _)| !rest.contains('/') && glob.matches(rest));
        inside.filter_map(|(path, _, _)| self.target(path)).collect()
    }

    fn target(&self, path: &str) -> Option<String> {
        let Some(Entry::File { meta, .. }) = self.get(path) else { return None };
        let link = clean(meta.link.as_ref()?);
        Some(if link.starts_with('/') { link } else { format!("{}/{link}", parent(path)) })
    }
}
