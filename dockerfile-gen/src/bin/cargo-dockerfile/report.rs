//! What is printed of a project and its files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dockerfile_gen::plan::{Base, Input, Step};
use dockerfile_gen::{Error, Generated, RelPath, Status};
use serde_json::{Value, json};

use crate::terminal::{self, BAD, BOLD, DIM, GOOD, WARN, line, note};

/// Prints an error and what to do about it.
pub(crate) fn error(error: &Error) {
    terminal::message(&BAD, "error", &error.to_string());
    if let Some(hint) = error.hint() {
        terminal::message(&GOOD, "hint", &hint);
    }
}

/// Prints the generated files, one after the other.
pub(crate) fn files(generated: &Generated) {
    for (index, (path, text)) in generated.files.0.iter().rev().enumerate() {
        if index > 0 {
            terminal::data(&format!("\n# ---- {path} ----\n"));
        }
        terminal::data(text);
    }
}

/// Prints what the user should know or decide.
pub(crate) fn warnings(generated: &Generated) {
    for warning in &generated.project.notes.warnings {
        terminal::message(&WARN, "warning", warning);
    }
}

/// Says what was found, what was written and what to do next; a diff goes to stdout.
pub(crate) fn summary(root: &Path, generated: &Generated, statuses: &BTreeMap<RelPath, Status>) {
    for evidence in &generated.project.notes.evidence {
        let line = evidence.line.map(|line| format!(":{line}")).unwrap_or_default();
        note!("{GOOD}{:>12}{GOOD:#} {} {DIM}({}{line}){DIM:#}", "Found", evidence.reason, evidence.path);
    }
    for (path, why) in &generated.project.notes.kept {
        note!("{GOOD}{:>12}{GOOD:#} {path}: {why}", "Keeps");
    }
    warnings(generated);
    let mut written = false;
    for (path, status) in statuses.iter().rev() {
        match status {
            Status::Fresh => note!("{GOOD}{:>12}{GOOD:#} {path}", "Fresh"),
            Status::Written { backup } => {
                written = true;
                let kept = backup.as_ref().map(|place| format!(", the old one is {}", place.display()));
                note!("{GOOD}{:>12}{GOOD:#} {path}{}", "Wrote", kept.unwrap_or_default());
            }
            Status::Stale { diff, only_dependencies } => {
                let why = if *only_dependencies {
                    "only the declared dependencies are behind, so the image is right and builds slower; "
                } else {
                    ""
                };
                note!("{BAD}{:>12}{BAD:#} {path}: {why}run `cargo dockerfile` to refresh it", "Stale");
                terminal::diff(diff);
            }
            _ => {}
        }
    }
    if written {
        let name = &generated.project.name;
        note!("{GOOD}{:>12}{GOOD:#} docker build -t {name} {}", "Next", root.display());
    }
}

/// Prints facts, plan and statuses for programs.
pub(crate) fn json(generated: &Generated, statuses: Option<&BTreeMap<RelPath, Status>>) {
    let statuses = statuses.map(|statuses| {
        statuses.iter().map(|(path, status)| (path.to_string(), json!(status))).collect::<BTreeMap<_, _>>()
    });
    let mut value = json!({
        "project": generated.project,
        "plan": generated.plan,
        "reads": generated.reads,
    });
    conceal(generated, &mut value);
    // What differs is shown as it is in the files.
    value["files"] = json!(statuses);
    terminal::json(&value);
}

/// Takes out of every text what must not be shown.
fn conceal(generated: &Generated, value: &mut Value) {
    match value {
        Value::String(text) => *text = generated.conceal(text),
        Value::Array(list) => list.iter_mut().for_each(|value| conceal(generated, value)),
        Value::Object(map) => map.values_mut().for_each(|value| conceal(generated, value)),
        _ => {}
    }
}

/// Prints which files `init` wrote.
pub(crate) fn written(paths: &[PathBuf]) {
    for path in paths {
        note!("{GOOD}{:>12}{GOOD:#} {}", "Wrote", path.display());
    }
}

/// Prints the stages and steps as a tree, and the evidence.
pub(crate) fn plan(generated: &Generated) {
    line!("{BOLD}{}{BOLD:#} ({})", generated.project.name, generated.project.stack);
    for stage in &generated.plan.stages {
        let base = match &stage.base {
            Base::Image(image) => format!("image {image}"),
            Base::Stage(stage) => format!("stage {stage}"),
            _ => String::new(),
        };
        line!("");
        line!("{BOLD}{}{BOLD:#} {DIM}from {base}{DIM:#}", stage.name);
        for line in &stage.comment {
            line!("│ {DIM}{line}{DIM:#}");
        }
        for (index, step) in stage.steps.iter().enumerate() {
            let last = index + 1 == stage.steps.len();
            let branch = if last { "└─" } else { "├─" };
            line!("{branch} {} {BOLD}{}{BOLD:#}{}", step.op.instruction(), step.id, costs(step));
            if !step.why.is_empty() {
                line!("{}    {DIM}{}{DIM:#}", if last { " " } else { "│" }, step.why);
            }
        }
    }
    line!("");
    line!("{BOLD}Evidence{BOLD:#}");
    for evidence in &generated.project.notes.evidence {
        let line = evidence.line.map(|line| format!(":{line}")).unwrap_or_default();
        line!("  {}{line}: {}", evidence.path, evidence.reason);
    }
    warnings(generated);
}

/// What a step reads, how often that changes, and how long it takes.
fn costs(step: &Step) -> String {
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
    let mut line = String::new();
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
