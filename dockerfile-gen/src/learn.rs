//! How often the inputs of a plan really change.
//!
//! Input: a [`Repository`] and a [`Plan`]. Output: [`Learned`], rates as the configuration takes them. The one idea: a
//! rate is the share of commits that touch what the steps of a class read; it is written into the user's configuration
//! and nowhere else, so that a shallow clone generates the same file as a full one.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Config;
use crate::error::{Error, Result};
use crate::model::history::{Commit, GitTree, Repository};
use crate::patterns::go_path::GoGlob;
use crate::plan::order;
use crate::plan::{Change, Input, Plan};
use crate::stacks::is_lockfile;

/// Change rates, and how many commits they come from.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Learned {
    /// How many commits were looked at.
    pub commits: usize,
    /// The share of commits that change a class of inputs, or a path where that differs much from its class.
    pub rates: BTreeMap<String, f64>,
}

/// Fewer commits than this say nothing about the next.
pub const FEWEST_COMMITS: usize = 20;

/// A path whose rate differs from that of its class by more than this gets a rate of its own.
const NOTABLE: f64 = 0.2;

/// Looks at the last `count` commits.
///
/// # Errors
/// [`Error::History`] if the history cannot be read.
pub fn learn(repository: &Repository, count: usize, plan: &Plan) -> Result<Learned> {
    let inputs = inputs(plan);
    let mut classes: BTreeMap<&str, usize> = inputs.values().map(|class| (*class, 0)).collect();
    let mut paths: BTreeMap<&str, usize> = inputs.keys().map(|path| (path.as_str(), 0)).collect();
    let (_, lockfile) = Change::Lockfile.prior();
    classes.insert(lockfile, 0);
    let globs: BTreeMap<&str, GoGlob> =
        inputs.keys().filter_map(|path| Some((path.as_str(), GoGlob::new(path).ok()?))).collect();
    let mut commits = 0;
    let mut is_first = true;
    repository.replay("HEAD", count, |commit: &Commit, _: &GitTree| -> Result<(), Error> {
        if std::mem::take(&mut is_first) {
            return Ok(());
        }
        commits += 1;
        let mut touched: BTreeSet<&str> = BTreeSet::new();
        for (path, count) in &mut paths {
            if commit.changed.iter().any(|changed| holds(path, &globs, changed)) {
                *count += 1;
                touched.extend(inputs.get(*path).copied());
            }
        }
        if commit.changed.iter().any(|changed| is_lockfile(changed.rsplit('/').next().unwrap_or(changed))) {
            touched.insert(lockfile);
        }
        for class in touched {
            *classes.entry(class).or_default() += 1;
        }
        Ok(())
    })?;
    let rate = |count: usize| (count as f64 / f64::max(commits as f64, 1.0) * 1000.0).round() / 1000.0;
    let mut rates: BTreeMap<String, f64> =
        classes.iter().map(|(class, count)| ((*class).to_owned(), rate(*count))).collect();
    for (path, count) in paths {
        let own = rate(count);
        let of_class = inputs.get(path).and_then(|class| rates.get(*class)).copied().unwrap_or(own);
        // A name without one of these would be taken for a class.
        if path.contains(['/', '.', '*']) && path != "." && (own - of_class).abs() > NOTABLE {
            rates.insert(path.to_owned(), own);
        }
    }
    Ok(Learned { commits, rates })
}

/// What the steps of a plan read of the context, and the class of each.
fn inputs(plan: &Plan) -> BTreeMap<String, &'static str> {
    let mut inputs = BTreeMap::new();
    for step in plan.stages.iter().flat_map(|stage| &stage.steps) {
        for read in &step.reads {
            if let Input::Context(path) = read {
                inputs.entry(path.trim_start_matches("./").to_owned()).or_insert(step.change.prior().1);
            }
        }
    }
    inputs
}

fn holds(path: &str, globs: &BTreeMap<&str, GoGlob>, changed: &str) -> bool {
    let path_dir = path.trim_end_matches('/');
    matches!(path_dir, "" | ".")
        || changed == path_dir
        || changed.strip_prefix(path_dir).is_some_and(|rest| rest.starts_with('/'))
        || globs.get(path).is_some_and(|glob| glob.matches(changed))
}

/// The seconds that a commit is expected to cost with the plan as it is ordered, at the rates of `config`.
pub fn expected_cost(plan: &Plan, config: &Config) -> f64 {
    let stage = |layers: &crate::plan::layers::StageLayers| {
        let given: Vec<usize> = (0..layers.layers.len()).collect();
        order::cost(&layers.layers, &given)
    };
    plan.layers(config).iter().map(stage).sum()
}
