//! Why a step is run, in words.
//!
//! Input: the parts of a key, and two trees. Output: [`Cause`]. The one idea: of the steps that run only the first of
//! a chain has a cause; that cause is a file, an instruction or an argument, and it is named.

use std::collections::BTreeSet;

use super::build::{Builder, Reads, Step};
use super::cause::{Cause, list};
use super::fault::Fault;
use super::graph::{Facet, Selector};
use super::options::{Context, Input};
use crate::model::context::pattern::{Matcher, Walk};
use crate::patterns::go_path::GoGlob;
use crate::tree::{RelPath, Tree};

/// What is different about a step.
pub(super) fn difference(before: &[(Facet, String)], after: &[(Facet, String)]) -> String {
    let mut differences = Vec::new();
    for ((facet, old), (_, new)) in before.iter().zip(after).filter(|(old, new)| old != new) {
        differences.push(match facet {
            Facet::Text => "the instruction was edited".to_owned(),
            Facet::Env => env_difference(old, new),
            Facet::Dir => format!("the working directory is `{new}`, not `{old}`"),
            Facet::User => format!("the user is {}, not {}", named(new), named(old)),
            Facet::Mounts => "its mounts were edited".to_owned(),
            Facet::Options => "the options of the build or of the step are others".to_owned(),
            Facet::Sources => "its sources were edited".to_owned(),
            Facet::Dest => format!("it goes to `{new}`, not `{old}`"),
            Facet::Flags => "its flags were edited".to_owned(),
        });
    }
    match differences.is_empty() {
        true => "the step stands upon something else".to_owned(),
        false => differences.join(", "),
    }
}

fn named(user: &str) -> String {
    if user.is_empty() { "the default".to_owned() } else { format!("`{user}`") }
}

fn env_difference(old: &str, new: &str) -> String {
    let (before, after): (BTreeSet<&str>, BTreeSet<&str>) = (old.lines().collect(), new.lines().collect());
    let changed = before.symmetric_difference(&after).filter_map(|line| line.split_once('='));
    let names: BTreeSet<String> = changed.map(|(name, _)| name.to_owned()).collect();
    let names: Vec<String> = names.into_iter().collect();
    match names.is_empty() {
        true => "the variables are in another order".to_owned(),
        false => format!("variable {} changed", list(&names)),
    }
}

/// Builds `before` and then `after` on a new builder, and says what the second build reuses.
///
/// # Errors
/// [`Fault`] if one of the two does not build.
pub fn simulate(before: &Input<'_>, after: &Input<'_>) -> Result<Vec<Step>, Fault> {
    let mut builder = Builder::new();
    builder.build(before)?;
    let mut build = builder.build(after)?;
    for step in &mut build.steps {
        if let Cause::Files(files) = &mut step.why {
            *files = changed_files(&before.context, &after.context, &step.reads);
        }
    }
    Ok(build.steps)
}

/// The files of a context, and empty folders, that are others before and after, among those that a step takes. Those
/// that cannot be read count as changed.
pub fn changed_files(before: &Context<'_>, after: &Context<'_>, reads: &Reads) -> Vec<String> {
    let mut paths: Vec<&RelPath> = [before.tree, after.tree]
        .into_iter()
        .flat_map(|tree| tree.files().keys().chain(tree.empty_dirs()))
        .filter(|path| reads.touches(path.as_str()))
        .collect();
    // Sorted lists one behind the other are sorted at once.
    paths.sort();
    paths.dedup();
    let mut kept_before = before.ignore.verdicts(paths.iter().map(|path| path.as_str()));
    let mut kept_after = after.ignore.verdicts(paths.iter().map(|path| path.as_str()));
    let mut changed = Vec::new();
    for path in &paths {
        let is_kept = |verdict: Option<(&str, crate::model::context::Verdict<'_>)>| {
            verdict.is_some_and(|(_, verdict)| !verdict.excluded)
        };
        let (was, is) = (is_kept(kept_before.next()), is_kept(kept_after.next()));
        let one = if was { look(before.tree, path) } else { Look::Absent };
        let two = if is { look(after.tree, path) } else { Look::Absent };
        if one != two {
            changed.push(path.as_str().to_owned());
        }
    }
    changed
}

#[derive(PartialEq, Eq)]
enum Look {
    Absent,
    Folder,
    Link(String),
    File(u32, Option<u128>),
}

fn look(tree: &dyn Tree, path: &RelPath) -> Look {
    match tree.files().get(path) {
        None if tree.empty_dirs().contains(path) => Look::Folder,
        None => Look::Absent,
        Some(meta) => match &meta.link {
            Some(link) => Look::Link(link.clone()),
            None => Look::File(meta.permissions(), tree.content_id(path).ok()),
        },
    }
}

impl Selector {
    /// Whether an edit of `path` can change what it names.
    pub(super) fn touches(&self, path: &str) -> bool {
        let source = match &self.parents {
            Some(parents) => crate::model::context::go_path::rooted(&parents.replacen("/./", "/", 1)),
            None => self.path.clone(),
        };
        let is_pattern = self.is_pattern || self.parents.is_some();
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        let glob = if is_pattern { GoGlob::new(&source).ok() } else { None };
        for end in ends {
            let is_hit = match &glob {
                Some(glob) => glob.matches(&path[..end]),
                None => source.is_empty() || source == path[..end],
            };
            if is_hit {
                let root = if source.is_empty() { 0 } else { end };
                return !self.leaves_out(path[root..].trim_start_matches('/'));
            }
        }
        false
    }

    fn leaves_out(&self, inside: &str) -> bool {
        let mut matcher = Matcher::default();
        for pattern in &self.exclude {
            // What cannot be read fails the build, and that is said elsewhere.
            let _ = matcher.push(pattern);
        }
        !matcher.is_empty() && Walk::new(&matcher).decide(inside).matched
    }
}
