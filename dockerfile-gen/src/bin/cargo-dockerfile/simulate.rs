//! `cargo dockerfile simulate`: what an edit, or each of the last commits, reruns.

use std::path::{Path, PathBuf};

use dockerfile_gen::context::Dockerignore;
use dockerfile_gen::dockerfile::{Dockerfile, Keyword};
use dockerfile_gen::history::Repository;
use dockerfile_gen::simulate::{
    Context, Fault, ImageStore, Input, Options, Replay, Step, StepShare, Text, estimate, measured, replay, simulate,
};
use dockerfile_gen::tree::{Edited, MOST_OF_A_MANIFEST, named};
use dockerfile_gen::{DiskTree, Error, RelPath, Tree};
use serde_json::{Value, json};

use crate::terminal::{self, BAD, BOLD, DIM, GOOD, WARN, line, note};

#[derive(clap::Args, Debug)]
pub(crate) struct SimulateArgs {
    /// The folder that is the build context
    #[arg(default_value = ".")]
    path: PathBuf,
    /// The Dockerfile [default: Dockerfile in the context]
    #[arg(long, short, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Say what reruns after an edit of this file or folder
    #[arg(long, value_name = "PATH", conflicts_with_all = ["before", "commits"])]
    edit: Vec<String>,
    /// Compare two folders: this one was built before
    #[arg(long, value_name = "DIR", requires = "after", conflicts_with = "commits")]
    before: Option<PathBuf>,
    /// Compare two folders: this one is built now
    #[arg(long, value_name = "DIR", requires = "before")]
    after: Option<PathBuf>,
    /// Say what each of the last N commits would have rerun
    #[arg(long, value_name = "N")]
    commits: Option<usize>,
    /// Build each commit with the Dockerfile that it had itself
    #[arg(long, requires = "commits", conflicts_with = "against")]
    then: bool,
    /// Another Dockerfile to hold beside it
    #[arg(long, value_name = "FILE", requires = "commits")]
    against: Option<PathBuf>,
    /// What `docker build --no-cache --progress=rawjson` printed, for the seconds of each step
    #[arg(long, value_name = "FILE", requires = "commits")]
    measured: Option<PathBuf>,
    /// The stage to build
    #[arg(long)]
    target: Option<String>,
    /// A build argument
    #[arg(long, value_name = "NAME=VALUE")]
    build_arg: Vec<String>,
    /// Where the engine keeps its images: classic or containerd; it decides what `COPY --link` is worth
    #[arg(long, value_name = "STORE", default_value = "classic", value_parser = ["classic", "containerd"])]
    image_store: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &SimulateArgs) -> Result<(), Error> {
    if let Some(count) = args.commits {
        return commits(args, count);
    }
    let (before, after) = match (&args.before, &args.after) {
        (Some(before), Some(after)) => (before, after),
        _ if args.edit.is_empty() => {
            return Err(Error::Unsupported {
                reason: "nothing to simulate".into(),
                hint: "name an edit with `--edit PATH`, two folders with `--before` and `--after`, or `--commits N`"
                    .into(),
            });
        }
        _ => (&args.path, &args.path),
    };
    let tree = DiskTree::open_all(before)?;
    let other = DiskTree::open_all(after)?;
    let edits: Vec<RelPath> = args.edit.iter().filter_map(|path| RelPath::new(path)).collect();
    let edited = Edited::new(&other, &edits);
    let before = Side::new(&tree, args.file.as_deref())?;
    let after = Side::new(if edits.is_empty() { &other } else { &edited }, args.file.as_deref())?;
    let options = options(args)?;
    let steps = simulate(&before.input(&options), &after.input(&options)).map_err(|fault| at(&after.path, &fault))?;
    if args.json {
        let rows: Vec<Value> = steps.iter().map(row).collect();
        terminal::json(&Value::Array(rows));
    } else {
        table(&after.file, &steps);
    }
    Ok(())
}

/// A Dockerfile and the files around it.
struct Side<'a> {
    tree: &'a dyn Tree,
    path: String,
    file: Dockerfile,
    ignore: Dockerignore,
}

impl<'a> Side<'a> {
    fn new(tree: &'a dyn Tree, file: Option<&Path>) -> Result<Self, Error> {
        let (path, text) = dockerfile(tree, file)?;
        let file = parse(&path, &text)?;
        let ignore = Dockerignore::of(tree, &path)?;
        Ok(Self { tree, path, file, ignore })
    }

    fn input(&self, options: &Options) -> Input<'_> {
        let mut input = Input::new(&self.file, Context { tree: self.tree, ignore: self.ignore.clone() });
        input.options = options.clone();
        input
    }
}

/// The path of the Dockerfile, as docker is told of it, and its text.
pub(crate) fn dockerfile(tree: &dyn Tree, file: Option<&Path>) -> Result<(String, String), Error> {
    let names = match file.and_then(Path::to_str) {
        Some(name) => vec![name],
        None => vec!["Dockerfile", "dockerfile"],
    };
    for name in &names {
        let inside = name.strip_prefix("./").unwrap_or(name);
        if let Some(text) = tree.text(inside)? {
            return small_enough(inside.to_owned(), text);
        }
    }
    let Some(path) = file else {
        let path = tree.disk_root().unwrap_or(Path::new("")).join("Dockerfile");
        return Err(Error::Read { path, source: std::io::ErrorKind::NotFound.into() });
    };
    // It need not lie in the context.
    small_enough(path.display().to_string(), named(path, tree.disk_root())?)
}

/// A Dockerfile may have any name, so its size is asked for when it is known to be one.
fn small_enough(path: String, text: String) -> Result<(String, String), Error> {
    match text.len() as u64 > MOST_OF_A_MANIFEST {
        true => Err(Error::TooLarge { path: path.into(), limit: MOST_OF_A_MANIFEST }),
        false => Ok((path, text)),
    }
}

pub(crate) fn parse(path: &str, text: &str) -> Result<Dockerfile, Error> {
    text.parse().map_err(|error: dockerfile_gen::dockerfile::ParseError| Error::Manifest {
        path: path.to_owned(),
        line: u32::try_from(error.line).ok(),
        reason: error.to_string(),
    })
}

pub(crate) fn at(path: &str, fault: &Fault) -> Error {
    let line = fault.line.and_then(|line| u32::try_from(line).ok());
    Error::Manifest { path: path.to_owned(), line, reason: fault.to_string() }
}

fn options(args: &SimulateArgs) -> Result<Options, Error> {
    let mut options = Options::default();
    options.target.clone_from(&args.target);
    if args.image_store == "containerd" {
        options.store = ImageStore::Containerd;
    }
    for pair in &args.build_arg {
        let value = match pair.split_once('=') {
            Some((name, value)) => Some((name.to_owned(), value.to_owned())),
            None => std::env::var(pair).ok().map(|value| (pair.clone(), value)),
        };
        options.build_args.extend(value);
    }
    Ok(options)
}

fn row(step: &Step) -> Value {
    json!({
        "step": step.name,
        "line": step.line,
        "stage": step.stage,
        "cached": step.cached,
        "why": step.why.to_string(),
    })
}

/// Prints every instruction in order; those that make no layer say so.
fn table(file: &Dockerfile, steps: &[Step]) {
    let mut rows: Vec<(usize, Row)> = steps.iter().map(|step| (step.line, Row::Layer(step))).collect();
    for instruction in &file.instructions {
        if !makes_layer(instruction.keyword) {
            rows.push((instruction.line, Row::Metadata(instruction.joined.chars().take(100).collect())));
        }
    }
    rows.sort_by_key(|(line, _)| *line);
    for (number, row) in rows {
        match row {
            Row::Layer(step) => layer(step),
            Row::Metadata(text) => line!("{DIM}{:>6} {number:>4}  {text}{DIM:#}", "-"),
        }
    }
    let count = |cached: Option<bool>| steps.iter().filter(|step| step.cached == cached).count();
    let (reused, run, open) = (count(Some(true)), count(Some(false)), count(None));
    note!(
        "{BOLD}{reused}{BOLD:#} reused, {BOLD}{run}{BOLD:#} run, {BOLD}{open}{BOLD:#} may be either; `-` is metadata only"
    );
}

enum Row<'a> {
    Layer(&'a Step),
    Metadata(String),
}

fn layer(step: &Step) {
    let (style, verdict) = match step.cached {
        Some(true) => (&GOOD, "CACHED"),
        Some(false) => (&BAD, "RERUN"),
        None => (&WARN, "MAYBE"),
    };
    line!("{style}{verdict:>6}{style:#} {:>4}  {}", step.line, step.name);
    let why = step.why.to_string();
    if !why.is_empty() {
        line!("{:>13}{DIM}{why}{DIM:#}", "");
    }
}

fn makes_layer(keyword: Keyword) -> bool {
    matches!(keyword, Keyword::Run | Keyword::Copy | Keyword::Add | Keyword::Workdir)
}

fn commits(args: &SimulateArgs, count: usize) -> Result<(), Error> {
    let repository = Repository::open(&args.path)?;
    let options = options(args)?;
    let seconds = match &args.measured {
        Some(path) => measured(&named(path, None)?),
        None => Default::default(),
    };
    let cost =
        |step: &StepShare| seconds.get(&step.name).copied().unwrap_or_else(|| estimate(step.keyword, &step.name));
    let tree = DiskTree::open(&args.path)?;
    let mut reports = Vec::new();
    for file in [Some(args.file.as_deref()), args.against.as_deref().map(Some)].into_iter().flatten() {
        let (path, text) = dockerfile(&tree, file)?;
        let file = parse(&path, &text)?;
        let text = if args.then { Text::Then } else { Text::Now(&file) };
        let replay = replay(&repository, "HEAD", count, text, &path, &options)?;
        reports.push((path, replay));
    }
    if repository.is_shallow() && reports.iter().any(|(_, replay)| replay.commits < count) {
        let text = "the clone is shallow, so older commits are missing; `git fetch --unshallow` brings them";
        terminal::message(&WARN, "warning", text);
    }
    if args.json {
        let reports: Vec<Value> = reports.iter().map(|(path, replay)| report_json(path, replay, &cost)).collect();
        terminal::json(&Value::Array(reports));
        return Ok(());
    }
    for (path, replay) in &reports {
        report(path, replay, &cost);
    }
    if let [(one, first), (two, second)] = reports.as_slice() {
        let (mine, other) = (expected(first, &cost), expected(second, &cost));
        line!("{BOLD}{one}{BOLD:#} {mine:.1} s a commit, {BOLD}{two}{BOLD:#} {other:.1} s a commit");
    }
    Ok(())
}

fn share(count: usize, replay: &Replay) -> f64 {
    if replay.commits == 0 { 0.0 } else { count as f64 / replay.commits as f64 }
}

/// The seconds that a commit is expected to cost, half of what is open included.
fn expected(replay: &Replay, cost: &dyn Fn(&StepShare) -> f64) -> f64 {
    let step = |step: &StepShare| (share(step.run, replay) + share(step.open, replay) / 2.0) * cost(step);
    replay.steps.iter().map(step).sum()
}

fn blame(step: &StepShare) -> Vec<(&String, usize)> {
    let mut blame: Vec<(&String, usize)> = step.blame.iter().map(|(path, count)| (path, *count)).collect();
    blame.sort_by_key(|(path, count)| (std::cmp::Reverse(*count), path.as_str()));
    blame
}

fn report(path: &str, replay: &Replay, cost: &dyn Fn(&StepShare) -> f64) {
    line!("{BOLD}{path}{BOLD:#}: {} commits, {:.1} s a commit expected", replay.commits, expected(replay, cost));
    line!("{DIM}   run  open   secs  line{DIM:#}");
    for step in &replay.steps {
        let (run, open) = (share(step.run, replay) * 100.0, share(step.open, replay) * 100.0);
        let name: String = step.name.chars().take(90).collect();
        line!("{run:>5.0}% {open:>4.0}% {:>6.1} {:>5}  {name}", cost(step), step.line);
        let files: Vec<String> =
            blame(step).into_iter().take(3).map(|(path, count)| format!("{path} ({count})")).collect();
        if !files.is_empty() {
            line!("{:>26}{DIM}{}{DIM:#}", "", files.join(", "));
        }
    }
    if let Some((commit, reason)) = replay.refused.first() {
        let short: String = commit.chars().take(10).collect();
        let count = replay.refused.len();
        let text = format!("{count} commits do not build with this file, such as {short}: {reason}");
        terminal::message(&WARN, "warning", &text);
    }
}

fn report_json(path: &str, replay: &Replay, cost: &dyn Fn(&StepShare) -> f64) -> Value {
    let step = |step: &StepShare| {
        let blame: Vec<Value> =
            blame(step).into_iter().take(10).map(|(path, count)| json!({"path": path, "commits": count})).collect();
        json!({
            "step": step.name,
            "line": step.line,
            "stage": step.stage,
            "run": share(step.run, replay),
            "maybe": share(step.open, replay),
            "seconds": cost(step),
            "blame": blame,
        })
    };
    let refused = |(commit, reason): &(String, String)| json!({"commit": commit, "reason": reason});
    json!({
        "file": path,
        "commits": replay.commits,
        "seconds": expected(replay, cost),
        "steps": replay.steps.iter().map(step).collect::<Vec<_>>(),
        "refused": replay.refused.iter().map(refused).collect::<Vec<_>>(),
    })
}
