//! What the commits of a repository would have cost.
//!
//! Input: a [`Repository`], a Dockerfile and options. Output: [`Replay`]. The one idea: one builder builds the same
//! Dockerfile for every commit in turn, so that each commit meets the cache that those before it left; what it runs is
//! counted by step, and laid at the door of the files that it changed.

use std::collections::BTreeMap;

use super::build::{Builder, Step};
use super::cause::Cause;
use super::fault::Fault;
use super::options::{Context, Input, Options};
use crate::error::{Error, Result};
use crate::model::context::Dockerignore;
use crate::model::dockerfile::{Dockerfile, Keyword};
use crate::model::history::{Commit, GitTree, Repository};
use crate::tree::Tree;

/// What a number of commits would have run.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Replay {
    /// How many commits were built upon the one before them.
    pub commits: usize,
    /// The steps, in the order of their lines.
    pub steps: Vec<StepShare>,
    /// The commits whose files this Dockerfile does not build, and why. They are counted in nothing.
    pub refused: Vec<(String, String)>,
}

/// How often a step was run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StepShare {
    /// As BuildKit prints it.
    pub name: String,
    /// The line of its instruction, from 1.
    pub line: usize,
    /// The stage, as BuildKit prints it.
    pub stage: String,
    /// The instruction.
    pub keyword: Keyword,
    /// In how many commits it was run.
    pub run: usize,
    /// In how many more it was run unless another step left what it left before.
    pub open: usize,
    /// The files for whose sake it was run, where it was the first to be, and how often.
    pub blame: BTreeMap<String, usize>,
}

/// Which Dockerfile the commits are built with.
#[derive(Clone, Copy, Debug)]
pub enum Text<'a> {
    /// All with this one: what the commits would cost with it.
    Now(&'a Dockerfile),
    /// Each with its own: what the commits did cost.
    Then,
}

/// The .dockerignore of the commit before, and what stands for its bytes.
type Ignore = Option<(Vec<u128>, Dockerignore)>;

/// Builds the Dockerfile, which lies at `path` in the context, for the last `count` commits that lead to `revision`.
///
/// # Errors
/// [`Error::History`] if the history cannot be read.
pub fn replay(
    repository: &Repository,
    revision: &str,
    count: usize,
    text: Text<'_>,
    path: &str,
    options: &Options,
) -> Result<Replay> {
    let mut replay = Replay::default();
    let mut steps: BTreeMap<String, StepShare> = BTreeMap::new();
    let mut builder = Builder::new();
    let mut is_built = false;
    let mut ignore: Ignore = None;
    let mut then = Then::default();
    repository.replay(revision, count, |commit, tree| -> Result<()> {
        let ignored = ignore_of(tree, path, &mut ignore)?;
        let file = match text {
            Text::Now(file) => file,
            Text::Then => match then.read(tree, path)? {
                Ok(file) => file,
                Err(reason) => {
                    replay.refused.push((commit.id.clone(), reason));
                    return Ok(());
                }
            },
        };
        let mut input = Input::new(file, Context { tree, ignore: ignored.clone() });
        input.options = options.clone();
        match builder.build(&input) {
            Ok(build) if is_built => {
                replay.commits += 1;
                build.steps.iter().for_each(|step| count_step(&mut steps, step, commit, &ignored));
            }
            Ok(_) => is_built = true,
            Err(fault) => replay.refused.push((commit.id.clone(), said(&fault))),
        }
        Ok(())
    })?;
    replay.steps = steps.into_values().collect();
    replay.steps.sort_by(|one, two| (one.line, &one.name).cmp(&(two.line, &two.name)));
    Ok(replay)
}

/// The Dockerfile of the commit before, and what stands for its bytes.
#[derive(Default)]
struct Then {
    content: Option<u128>,
    file: Option<Dockerfile>,
}

impl Then {
    /// The Dockerfile of a commit, or why there is none.
    fn read(&mut self, tree: &GitTree, path: &str) -> Result<std::result::Result<&Dockerfile, String>> {
        let Some((key, _)) = tree.files().get_key_value(path) else {
            return Ok(Err(format!("there is no `{path}`")));
        };
        let content = Some(tree.content_id(key)?);
        if self.content != content {
            let text = String::from_utf8_lossy(&tree.bytes(key)?).into_owned();
            self.content = content;
            self.file = text.parse().ok();
        }
        Ok(self.file.as_ref().ok_or_else(|| format!("`{path}` cannot be read")))
    }
}

fn said(fault: &Fault) -> String {
    fault.line.map_or_else(|| fault.to_string(), |line| format!("line {line}: {fault}"))
}

fn ignore_of(tree: &GitTree, path: &str, last: &mut Ignore) -> Result<Dockerignore> {
    let mut ids = Vec::new();
    for name in [format!("{path}.dockerignore"), ".dockerignore".to_owned()] {
        ids.push(match tree.files().get_key_value(name.as_str()) {
            Some((name, _)) => tree.content_id(name)?,
            None => 0,
        });
    }
    if let Some((known, ignore)) = last
        && *known == ids
    {
        return Ok(ignore.clone());
    }
    let ignore = match Dockerignore::of(tree, path) {
        Ok(ignore) => ignore,
        // The build fails there, but only this one.
        Err(Error::Manifest { .. }) => Dockerignore::default(),
        Err(error) => return Err(error),
    };
    *last = Some((ids, ignore.clone()));
    Ok(ignore)
}

fn count_step(steps: &mut BTreeMap<String, StepShare>, step: &Step, commit: &Commit, ignore: &Dockerignore) {
    let share = steps.entry(step.name.clone()).or_insert_with(|| StepShare {
        name: step.name.clone(),
        line: step.line,
        stage: step.stage.clone(),
        keyword: step.keyword,
        run: 0,
        open: 0,
        blame: BTreeMap::new(),
    });
    match (step.cached, &step.why) {
        (Some(true), _) | (_, Cause::Unneeded) => {}
        (None, _) => share.open += 1,
        (Some(false), why) => {
            share.run += 1;
            if let Cause::Files(_) = why {
                let changed = commit.changed.iter().map(String::as_str).chain([".git/HEAD"]);
                for path in changed.filter(|path| step.reads.touches(path) && ignore.excludes(path).is_none()) {
                    *share.blame.entry(path.to_owned()).or_default() += 1;
                }
            }
        }
    }
}
