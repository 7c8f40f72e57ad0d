//! All printing: data to stdout, everything else to stderr.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anstream::{eprintln, print, println};
use anstyle::{AnsiColor, Style};
use dockerfile_gen::plan::{Base, Input, Step};
use dockerfile_gen::{Error, Generated, RelPath, Status};
use serde_json::json;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const WARN: Style = AnsiColor::Yellow.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// Prints an error and what to do about it.
pub(crate) fn error(error: &Error) {
    eprintln!("{BAD}error{BAD:#}: {error}");
    if let Some(hint) = error.hint() {
        eprintln!("{GOOD}hint{GOOD:#}: {hint}");
    }
}

/// Prints the generated files, one after the other.
pub(crate) fn files(generated: &Generated) {
    for (index, (path, text)) in generated.files.0.iter().rev().enumerate() {
        if index > 0 {
            println!("\n# ---- {path} ----");
        }
        print!("{text}");
    }
}

/// Prints what the user should know or decide.
pub(crate) fn warnings(generated: &Generated) {
    for warning in &generated.project.notes.warnings {
        eprintln!("{WARN}warning{WARN:#}: {warning}");
    }
}

/// Says what was found, what was written and what to do next; a diff goes to stdout.
pub(crate) fn summary(root: &Path, generated: &Generated, statuses: &BTreeMap<RelPath, Status>) {
    for evidence in &generated.project.notes.evidence {
        let line = evidence.line.map(|line| format!(":{line}")).unwrap_or_default();
        eprintln!("{GOOD}{:>12}{GOOD:#} {} {DIM}({}{line}){DIM:#}", "Found", evidence.reason, evidence.path);
    }
    for (path, why) in &generated.project.notes.kept {
        eprintln!("{GOOD}{:>12}{GOOD:#} {path}: {why}", "Keeps");
    }
    warnings(generated);
    let mut written = false;
    for (path, status) in statuses.iter().rev() {
        match status {
            Status::Fresh => eprintln!("{GOOD}{:>12}{GOOD:#} {path}", "Fresh"),
            Status::Written { backup } => {
                written = true;
                let kept = backup.as_ref().map(|place| format!(", the old one is {}", place.display()));
                eprintln!("{GOOD}{:>12}{GOOD:#} {path}{}", "Wrote", kept.unwrap_or_default());
            }
            Status::Stale { diff, only_dependencies } => {
                let why = if *only_dependencies {
                    "only the declared dependencies are behind, so the image is right and builds slower; "
                } else {
                    ""
                };
                eprintln!("{BAD}{:>12}{BAD:#} {path}: {why}run `cargo dockerfile` to refresh it", "Stale");
                print!("{diff}");
            }
            _ => {}
        }
    }
    if written {
        let name = &generated.project.name;
        eprintln!("{GOOD}{:>12}{GOOD:#} docker build -t {name} {}", "Next", root.display());
    }
}

/// Prints facts, plan and statuses for programs.
pub(crate) fn json(generated: &Generated, statuses: Option<&BTreeMap<RelPath, Status>>) {
    let statuses = statuses.map(|statuses| {
        statuses.iter().map(|(path, status)| (path.to_string(), json!(status))).collect::<BTreeMap<_, _>>()
    });
    let value = json!({
        "project": generated.project,
        "plan": generated.plan,
        "files": statuses,
        "reads": generated.reads,
    });
    println!("{value:#}");
}

/// Prints which files `init` wrote.
pub(crate) fn written(paths: &[PathBuf]) {
    for path in paths {
        eprintln!("{GOOD}{:>12}{GOOD:#} {}", "Wrote", path.display());
    }
}

/// Prints the stages and steps as a tree, and the evidence.
pub(crate) fn plan(generated: &Generated) {
    println!("{BOLD}{}{BOLD:#} ({})", generated.project.name, generated.project.component.stack());
    for stage in &generated.plan.stages {
        let base = match &stage.base {
            Base::Image(image) => format!("image {image}"),
            Base::Stage(stage) => format!("stage {stage}"),
            _ => String::new(),
        };
        println!("\n{BOLD}{}{BOLD:#} {DIM}from {base}{DIM:#}", stage.name);
        for line in &stage.comment {
            println!("│ {DIM}{line}{DIM:#}");
        }
        for (index, step) in stage.steps.iter().enumerate() {
            let last = index + 1 == stage.steps.len();
            println!("{} {}", if last { "└─" } else { "├─" }, step_line(step));
            if !step.why.is_empty() {
                println!("{}    {DIM}{}{DIM:#}", if last { " " } else { "│" }, step.why);
            }
        }
    }
    println!("\n{BOLD}Evidence{BOLD:#}");
    for evidence in &generated.project.notes.evidence {
        let line = evidence.line.map(|line| format!(":{line}")).unwrap_or_default();
        println!("  {}{line}: {}", evidence.path, evidence.reason);
    }
    warnings(generated);
}

fn step_line(step: &Step) -> String {
    let reads: Vec<String> = step
        .reads
        .iter()
        .map(|read| match read {
            Input::Context(path) if path == "." => "the build context".into(),
            Input::Context(path) => path.clone(),
            Input::Stage { stage, path } => format!("{path} of {stage}"),
            Input::Image { image, path } => format!("{path} of {image}"),
            _ => String::new(),
        })
        .collect();
    let (rate, class) = step.change.prior();
    let mut line = format!("{} {BOLD}{}{BOLD:#}", step.op.instruction(), step.id);
    if !reads.is_empty() {
        line.push_str(&format!(" reads {}", reads.join(", ")));
    }
    if rate > 0.0 {
        line.push_str(&format!(", changes in about {:.0} % of commits ({class})", rate * 100.0));
    }
    if step.seconds >= 1.0 {
        line.push_str(&format!(", takes about {:.0} s", step.seconds));
    }
    line
}
