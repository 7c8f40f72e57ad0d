//! Why a step is run, in words.
//!
//! Input: the parts of a key, and two trees. Output: [`Cause`]. The one idea: of the steps that run only the first of
//! a chain has a cause; that cause is a file, an instruction or an argument, and it is named.

use std::collections::BTreeSet;
use std::fmt;

use super::build::{Builder, Reads, Step};
use super::fault::Fault;
use super::graph::{Facet, Selector};
use super::options::{Context, Input};
use crate::model::context::pattern::{Matcher, Walk};
use crate::patterns::go_path::GoGlob;
use crate::tree::{RelPath, Tree};

/// Why a step is reused, run, or one of the two.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// It is reused.
    Reused,
    /// Nothing was built before.
    First,
    /// The cache is not to be used.
    NoCache,
    /// A step before it in its stage is run.
    Follows(String),
    /// A step before it in its stage may be run.
    MayFollow(String),
    /// The image is another.
    Base(String),
    /// These files of the context changed.
    Files(Vec<String>),
    /// The instruction, or what it sees of those above it, is another.
    Edited(String),
    /// The paths that it takes from a stage hold something else.
    Stage {
        /// The stage.
        stage: String,
        /// The paths.
        paths: Vec<String>,
    },
    /// It is reused if the stage leaves the paths as they were.
    HangsOn {
        /// The stage.
        stage: String,
        /// The paths.
        paths: Vec<String>,
    },
    /// It is the same as another step of this build, and shares what becomes of that.
    SameAs(String),
    /// It need not be run, and nothing needs what it leaves. BuildKit does not list it as reused all the same.
    Unneeded,
    /// There was no such step.
    New,
}

impl Cause {
    /// Whether the step itself is the reason, and not one before it.
    pub fn is_root(&self) -> bool {
        !matches!(
            self,
            Self::Reused
                | Self::Unneeded
                | Self::SameAs(_)
                | Self::Follows(_)
                | Self::MayFollow(_)
                | Self::HangsOn { .. }
        )
    }
}

/// As many files as are named.
const MOST_FILES: usize = 3;

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reused => Ok(()),
            Self::First => f.write_str("nothing was built before"),
            Self::NoCache => f.write_str("the cache is switched off for it"),
            Self::Follows(step) => write!(f, "follows `{step}`"),
            Self::MayFollow(step) => write!(f, "reused if `{step}` is"),
            Self::Base(image) => write!(f, "`{image}` is another image"),
            Self::Files(files) => match files.split_at_checked(MOST_FILES) {
                _ if files.is_empty() => f.write_str("what it takes of the context is another"),
                Some((first, rest)) if !rest.is_empty() => {
                    write!(f, "{} and {} more changed", list(first), rest.len())
                }
                _ => write!(f, "{} changed", list(files)),
            },
            Self::Edited(what) => f.write_str(what),
            Self::Stage { stage, paths } => write!(f, "{} of `{stage}` changed", list(paths)),
            Self::HangsOn { stage, paths } => {
                write!(f, "reused if what `{stage}` runs leaves {} as it was", list(paths))
            }
            Self::SameAs(step) => write!(f, "is the same as `{step}`"),
            Self::Unneeded => f.write_str("nothing needs it, so it is listed as done and not as reused"),
            Self::New => f.write_str("there was no such step before"),
        }
    }
}

fn list(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}

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
