//! `cargo dockerfile learn`: change rates from the history, and what they are worth.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anstream::{eprintln, println};
use anstyle::{AnsiColor, Style};
use dockerfile_gen::history::Repository;
use dockerfile_gen::learn::{FEWEST_COMMITS, expected_cost, learn, with_rates};
use dockerfile_gen::output::update;
use dockerfile_gen::{ConfigLayer, DiskTree, Error, Plan, RelPath, Status, config, generate};
use serde_json::json;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const WARN: Style = AnsiColor::Yellow.on_default().bold();

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
    let config = config::load(&tree, layer.clone())?;
    let after = generate(&args.path, layer)?;
    let (old, new) = (expected_cost(&before.plan, &config), expected_cost(&after.plan, &config));
    if args.json {
        let value =
            json!({"commits": learned.commits, "rates": learned.rates, "seconds": old, "reordered_seconds": new});
        println!("{value:#}");
        return Ok(());
    }
    println!("{BOLD}{}{BOLD:#} commits", learned.commits);
    for (name, rate) in &learned.rates {
        println!("{:>6.1} %  {name}", rate * 100.0);
    }
    moves(&before.plan, &after.plan);
    if (old - new) < 0.05 {
        println!("\nno other order would save anything: {old:.1} s a commit");
    } else {
        println!("\n{GOOD}{:.1} s{GOOD:#} a commit saved: {new:.1} s instead of {old:.1} s", old - new);
    }
    if repository.is_shallow() {
        eprintln!("{WARN}warning{WARN:#}: the clone is shallow; `git fetch --unshallow` brings the older commits");
    }
    if learned.commits < FEWEST_COMMITS {
        eprintln!(
            "{WARN}warning{WARN:#}: {} commits are too few to learn from, so nothing is written",
            learned.commits
        );
    } else if !args.print {
        write(&args.path, &learned.rates)?;
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
            println!(
                "\n{BOLD}{}{BOLD:#}\n{DIM}before{DIM:#} {}\n{DIM}after {DIM:#} {}",
                old.name,
                one.join(", "),
                two.join(", ")
            );
        }
    }
}

fn write(root: &std::path::Path, rates: &BTreeMap<String, f64>) -> Result<(), Error> {
    let name = "dockerfile.toml";
    let Some(path) = RelPath::new(name) else { return Ok(()) };
    let status = update(root, &path, &mut |text| Ok(with_rates(text, rates)))?;
    let backup = match status {
        Status::Written { backup: Some(backup) } => format!(", the old one is {}", backup.display()),
        _ => String::new(),
    };
    eprintln!("{GOOD}{:>12}{GOOD:#} {}{backup}", "Wrote", root.join(name).display());
    Ok(())
}
