//! Builds a project again and again on a real engine, with our Dockerfile and with what else there is, in one run.
//!
//! ```text
//! cargo bench --profile dev --bench layers -- PROJECT [--rounds N] [--edits A,B] [--variants A,B] [--source FILE]... [--incremental] [--first]
//! ```
//!
//! Every variant has a copy of PROJECT of its own. For each edit every variant is edited and built in turn; what is printed
//! are steps that ran, the median of the seconds over the rounds, and how ours compares with the best of the others.
//! `--first` measures builds without any cache as well, and for that it empties the engine's build cache.
//! `--incremental` generates ours with that option and passes `CARGO_INCREMENTAL=1` to cargo itself (the variant `bare`, outside of any image).

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

#[path = "../support/docker.rs"]
mod docker;
mod edits;
mod engine;
mod facts;
#[path = "../support/steps.rs"]
mod steps;
mod variants;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dockerfile_gen::ConfigLayer;

use edits::{Edit, edits};
use engine::{Built, prune};
use variants::{Variant, variants};

struct Options {
    project: PathBuf,
    rounds: usize,
    edits: Vec<String>,
    variants: Vec<String>,
    sources: Vec<String>,
    incremental: bool,
    first: bool,
}

impl Options {
    fn from_args() -> Option<Self> {
        let mut options = Self {
            project: PathBuf::new(),
            rounds: 3,
            edits: Vec::new(),
            variants: Vec::new(),
            sources: Vec::new(),
            incremental: false,
            first: false,
        };
        // cargo adds `--bench`.
        let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
        let list = |text: Option<String>| Some(text?.split(',').map(str::to_owned).collect::<Vec<_>>());
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--rounds" => options.rounds = args.next()?.parse().ok()?,
                "--edits" => options.edits = list(args.next())?,
                "--variants" => options.variants = list(args.next())?,
                "--source" => options.sources.push(args.next()?),
                "--incremental" => options.incremental = true,
                "--first" => options.first = true,
                path => options.project = Path::new(path).canonicalize().ok()?,
            }
        }
        options.project.is_dir().then_some(options)
    }
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

/// What each variant took for one edit.
type Row = BTreeMap<&'static str, Vec<Built>>;

fn report(edit: &str, row: &Row, order: &[&'static str]) {
    let time = |name: &str| row.get(name).map(|built| median(built.iter().map(|built| built.seconds).collect()));
    let best =
        order.iter().filter(|name| !["ours", "bare"].contains(*name)).filter_map(|name| time(name)).reduce(f64::min);
    let ratio = |of: Option<f64>, to: Option<f64>| match (of, to) {
        (Some(of), Some(to)) => format!("{:.2}", of / to),
        _ => String::new(),
    };
    let cells: Vec<String> = order
        .iter()
        .map(|name| match (time(name), row.get(name).and_then(|built| built.last())) {
            (Some(seconds), Some(last)) if *name != "bare" => format!("{seconds:.1} ({})", last.ran()),
            (Some(seconds), _) => format!("{seconds:.1}"),
            _ => "failed".into(),
        })
        .collect();
    println!(
        "| {edit} | {} | {} | {} |",
        cells.join(" | "),
        ratio(best, time("ours")),
        ratio(time("ours"), time("bare"))
    );
    if let Some(ours) = row.get("ours").and_then(|built| built.last()) {
        eprintln!("  ours ran: {}", ours.names().join(" ; "));
    }
}

fn main() {
    let Some(options) = Options::from_args() else {
        eprintln!(
            "usage: cargo bench --profile dev --bench layers -- PROJECT [--rounds N] [--edits A,B] [--variants A,B] [--source FILE] [--incremental] [--first]"
        );
        return;
    };
    let generated = dockerfile_gen::generate(&options.project, ConfigLayer::default()).unwrap();
    let project = generated.project;
    let wanted = |name: &str| options.variants.is_empty() || options.variants.iter().any(|variant| variant == name);
    let variants: Vec<Variant> = variants(&options.project, &project, options.incremental)
        .into_iter()
        .filter(|variant| wanted(variant.name))
        .collect();
    let order: Vec<&'static str> = variants.iter().map(|variant| variant.name).collect();
    println!("Seconds, and in brackets how many steps ran; the last two columns are ratios.\n");
    println!("| edit | {} | best other / ours | ours / bare |", order.join(" | "));
    println!("|---|{}---|---|", "---|".repeat(order.len()));
    let mut first = Row::new();
    for variant in &variants {
        if options.first && variant.name != "bare" {
            prune();
        }
        match variant.build() {
            Ok(built) => first.entry(variant.name).or_default().push(built),
            Err(text) => eprintln!("{} does not build:\n{text}", variant.name),
        }
    }
    if options.first {
        report("first build", &first, &order);
        // Emptying the cache took the other variants' layers along.
        for variant in &variants {
            let _ = variant.build();
        }
    }
    // A text that was built before would be found in the cache.
    let unique = std::process::id() as usize * 100;
    for Edit { name, apply } in edits(&project, &options.sources) {
        if !options.edits.is_empty() && !options.edits.iter().any(|edit| name.starts_with(edit.as_str())) {
            continue;
        }
        let mut row = Row::new();
        for round in 0..options.rounds {
            for variant in variants.iter().filter(|variant| first.contains_key(variant.name)) {
                if apply(variant, unique + round).is_none() {
                    continue;
                }
                match variant.build() {
                    Ok(built) => row.entry(variant.name).or_default().push(built),
                    Err(text) => eprintln!("{}, {name}: {text}", variant.name),
                }
            }
        }
        if !row.is_empty() {
            report(&name, &row, &order);
        }
    }
}
