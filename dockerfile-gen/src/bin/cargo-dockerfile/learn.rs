//! `cargo dockerfile learn`: change rates from the history, and what they are worth.

use std::path::PathBuf;

use dockerfile_gen::history::Repository;
use dockerfile_gen::learn::{FEWEST_COMMITS, expected_cost, learn};
use dockerfile_gen::{ConfigLayer, DiskTree, Error, Plan, Status, configure, generate};
use serde_json::json;

use crate::settings;
use crate::terminal::{self, BOLD, DIM, GOOD, WARN, line, note};

#[derive(clap::Args, Debug)]
pub(crate) struct LearnArgs {
    /// The project's folder
    #[arg(default_value = ".")]
    path: PathBuf,
    /// How many commits to look at
    #[arg(long, value_name = "N", default_value_t = 500)]
    commits: usize,
    /// Show the rates and write nothing
    #[arg(long)]
    print: bool,
    /// Print JSON and write nothing
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &LearnArgs) -> Result<(), Error> {
    let repository = Repository::open(&args.path)?;
    let before = generate(&args.path, ConfigLayer::default())?;
    let learned = learn(&repository, args.commits, &before.plan)?;
    let mut layer = ConfigLayer::default();
    layer.rates = Some(learned.rates.clone());
    let tree = DiskTree::open(&args.path)?;
    let config = configure(&tree, layer.clone())?;
    let after = generate(&args.path, layer)?;
    let (old, new) = (expected_cost(&before.plan, &config), expected_cost(&after.plan, &config));
    if args.json {
        let value =
            json!({"commits": learned.commits, "rates": learned.rates, "seconds": old, "reordered_seconds": new});
        terminal::json(&value);
        return Ok(());
    }
    line!("{BOLD}{}{BOLD:#} commits", learned.commits);
    for (name, rate) in &learned.rates {
        line!("{:>6.1} %  {name}", rate * 100.0);
    }
    moves(&before.plan, &after.plan);
    line!("");
    if (old - new) < 0.05 {
        line!("no other order would save anything: {old:.1} s a commit");
    } else {
        line!("{GOOD}{:.1} s{GOOD:#} a commit saved: {new:.1} s instead of {old:.1} s", old - new);
    }
    if repository.is_shallow() {
        let text = "the clone is shallow; `git fetch --unshallow` brings the older commits";
        terminal::message(&WARN, "warning", text);
    }
    if learned.commits < FEWEST_COMMITS {
        let text = format!("{} commits are too few to learn from, so nothing is written", learned.commits);
        terminal::message(&WARN, "warning", &text);
    } else if !args.print {
        match settings::write_rates(&args.path, &learned.rates)? {
            Status::Written { backup } => {
                let kept = backup.map(|place| format!(", the old one is {}", place.display())).unwrap_or_default();
                let path = args.path.join(settings::NAME);
                note!("{GOOD}{:>12}{GOOD:#} {}{kept}", "Wrote", path.display());
            }
            _ => note!("{GOOD}{:>12}{GOOD:#} {}", "Fresh", args.path.join(settings::NAME).display()),
        }
    }
    Ok(())
}

/// Prints the stages whose order changes.
fn moves(before: &Plan, after: &Plan) {
    for (old, new) in before.stages.iter().zip(&after.stages) {
        let steps = |stage: &dockerfile_gen::plan::Stage| -> Vec<String> {
            stage.steps.iter().map(|step| step.id.clone()).collect()
        };
        let (one, two) = (steps(old), steps(new));
        if one != two {
            line!("");
            line!("{BOLD}{}{BOLD:#}", old.name);
            line!("{DIM}before{DIM:#} {}", one.join(", "));
            line!("{DIM}after {DIM:#} {}", two.join(", "));
        }
    }
}
