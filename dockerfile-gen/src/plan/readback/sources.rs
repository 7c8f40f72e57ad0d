//! Finds what every `COPY` and mount names.
//!
//! Input: the instructions with their steps, and the context. Output: nothing, or an [`Error`]. The one idea: of the
//! context only what the instructions name is looked at; and what is taken from a stage must be something that the stage
//! is told to make, for nobody can look into a stage that is not built.

use crate::error::{Error, Result};
use crate::model::context::{BuildContext, Dockerignore};
use crate::model::dockerfile::{Arguments, Command, Dockerfile, Instruction, Source as Word, copy_source, expand_word};
use crate::plan::check::{Severity, find_source};
use crate::plan::{Base, Input, Mount, Op, Plan, Source, Stage, Step};

use super::read::{Difference, Read, Written, place};

/// Resolves the sources of all instructions.
pub(super) fn resolve(
    written: &Written<'_>,
    file: &Dockerfile,
    reads: &[Read<'_>],
    ignore: &Dockerignore,
) -> Result<()> {
    let named: Vec<Named<'_>> = reads.iter().flat_map(|read| named(read, file.escape)).collect();
    let sources = || named.iter().map(|named| named.path.as_str());
    let context = BuildContext::of_sources(written.tree, ignore, sources());
    // A folder in front of a pattern is there only if something of it is sent.
    let sent = context.sent_for(sources()).unwrap_or(context);
    for named in &named {
        if let Err(reason) = find(written, &sent, ignore, named) {
            return Err(blame(written, named, reason));
        }
    }
    let stages = file.stages();
    for read in reads.iter().filter(|read| !read.is_users) {
        for input in &read.step.reads {
            let Input::Stage { stage, path } = input else { continue };
            let above = stages.get(..read.stage).unwrap_or_default();
            let failed = |reason: String| {
                let step = place(&written.plan.stages[read.stage], read.step);
                Difference::at(read.instruction, format!("{step}: {reason}")).bug("Dockerfile")
            };
            let Some(from) = copy_source(above, stage) else {
                return Err(failed(format!("there is no stage `{stage}` above")));
            };
            if !can_have(written.plan, reads, from, path) {
                return Err(failed(format!("nothing in stage `{stage}` makes `{path}`")));
            }
        }
    }
    Ok(())
}

/// A path or pattern of the context that an instruction names.
struct Named<'a> {
    read: &'a Read<'a>,
    path: String,
    /// Whether it is a pattern that may match nothing.
    is_optional: bool,
}

fn named<'a>(read: &'a Read<'a>, escape: char) -> Vec<Named<'a>> {
    let step = match &read.step.op {
        Op::Copy { from: None, sources, .. } => sources.as_slice(),
        _ => &[],
    };
    let is_optional = |at: usize| matches!(step.get(at), Some(Source::Pattern(_)));
    let copied = match &read.instruction.args {
        Arguments::Copy(copy) if read.instruction.flag("from").is_none() => copy.sources.as_slice(),
        _ => &[],
    };
    let copied = copied.iter().enumerate().filter_map(|(at, word)| match word {
        Word::Path(word) => {
            let path = expand_word(&word.text, escape, &|_| None).unwrap_or_default();
            Some(Named { read, path, is_optional: is_optional(at) })
        }
        Word::Heredoc { .. } => None,
    });
    let mounts = match &read.step.op {
        Op::Run { mounts, .. } => mounts.as_slice(),
        _ => &[],
    };
    let mounted = mounts.iter().filter_map(|mount| match mount {
        Mount::Bind { from: None, source, .. } => Some(Named { read, path: source.clone(), is_optional: false }),
        _ => None,
    });
    copied.chain(mounted).collect()
}

fn find(
    written: &Written<'_>,
    sent: &BuildContext<'_>,
    ignore: &Dockerignore,
    named: &Named<'_>,
) -> Result<(), (String, Option<String>)> {
    match find_source(sent, written.tree, ignore, &named.path) {
        None => Ok(()),
        Some(fault) if fault.severity == Severity::Warning && named.is_optional => Ok(()),
        Some(fault) => Err((fault.reason, fault.hint)),
    }
}

/// Says whose fault it is that a source is not there.
fn blame(written: &Written<'_>, named: &Named<'_>, (reason, hint): (String, Option<String>)) -> Error {
    let step = named.read.step;
    let own = written.config.steps.iter().find(|own| step.id.starts_with(&format!("{}-inputs", own.name)));
    if let Some(own) = own {
        return Error::Config {
            path: "configuration".into(),
            line: None,
            reason: format!("`inputs` of step `{}`: {reason}", own.name),
            hint: hint.unwrap_or_else(|| "name files and folders of the project".into()),
        };
    }
    // What a link of the project leads to, or does not, is no doing of ours.
    let path = named.path.trim_start_matches("./").trim_end_matches(['*', '/']);
    let is_link = |path: &str| written.tree.files().get(path).is_some_and(|meta| meta.link.is_some());
    let mut upwards = path.match_indices('/').map(|(at, _)| &path[..at]).chain([path]);
    if let Some(link) = upwards.find(|path| is_link(path)) {
        return Error::manifest(link, None, reason);
    }
    let step = place(&written.plan.stages[named.read.stage], step);
    Difference::at(named.read.instruction, format!("{step}: {reason}")).bug("Dockerfile")
}

/// Folders in which many keep something, so that to name one says nothing of what lies in it.
const SHARED: [&str; 12] =
    ["", "/", "/tmp", "/var", "/var/cache", "/opt", "/usr", "/usr/local", "/usr/local/bin", "/etc", "/root", "/home"];

/// Whether stage number `from`, or one below it, is told to make `path`.
fn can_have(plan: &Plan, reads: &[Read<'_>], from: usize, path: &str) -> bool {
    let path = path.trim_end_matches('/');
    let mut number = Some(from);
    while let Some(at) = number {
        let Some(stage) = plan.stages.get(at) else { return true };
        // A stage that is nothing but an image: nobody knows what the image holds.
        if stage.steps.is_empty() && matches!(stage.base, Base::Image(_)) {
            return true;
        }
        let mut steps = reads.iter().filter(|read| read.stage == at);
        if steps.any(|read| read.is_users || makes(plan, stage, read, path)) {
            return true;
        }
        number = match &stage.base {
            Base::Stage(base) => plan.stages.iter().position(|stage| stage.name == *base),
            Base::Image(_) => None,
        };
    }
    false
}

fn makes(plan: &Plan, stage: &Stage, read: &Read<'_>, path: &str) -> bool {
    match &read.step.op {
        Op::Copy { dest, .. } => {
            let dest = from_root(&workdir(plan, stage, read.step), dest);
            meets(&dest, path)
        }
        Op::Run { values, .. } => {
            let own = values.values().any(|value| matches!(value, crate::plan::Value::UserCommand(_)));
            own || meets(&workdir(plan, stage, read.step), path) || says(read.instruction, path)
        }
        Op::File { .. } => says(read.instruction, path),
        Op::Workdir { path: dir } => dir.trim_end_matches('/') == path,
        _ => false,
    }
}

/// The working folder of a step: of its stage, else of the stages below.
fn workdir(plan: &Plan, stage: &Stage, step: &Step) -> String {
    let mut stage = stage;
    let mut upto = stage.steps.iter().position(|other| std::ptr::eq(other, step)).unwrap_or(stage.steps.len());
    loop {
        let found = stage.steps.iter().take(upto).rev().find_map(|step| match &step.op {
            Op::Workdir { path } => Some(path),
            _ => None,
        });
        if let Some(path) = found {
            return path.trim_end_matches('/').to_owned();
        }
        let Base::Stage(base) = &stage.base else { return String::new() };
        let Some(below) = plan.stages.iter().find(|stage| stage.name == *base) else { return String::new() };
        (stage, upto) = (below, below.steps.len());
    }
}

fn from_root(workdir: &str, path: &str) -> String {
    let path = path.trim_start_matches("./").trim_end_matches(['/', '.']);
    if path.starts_with('/') { path.to_owned() } else { format!("{workdir}/{path}").trim_end_matches('/').to_owned() }
}

/// Whether one of the two is or holds the other.
fn meets(one: &str, other: &str) -> bool {
    let inside =
        |path: &str, dir: &str| path.strip_prefix(dir).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    inside(other, one) || inside(one, other)
}

/// Whether the text of an instruction names `path`, or a folder that holds it and little else.
fn says(instruction: &Instruction, path: &str) -> bool {
    let exec = match &instruction.args {
        Arguments::Run(Command::Exec(words)) => words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    let texts = || instruction.heredocs.iter().map(|doc| doc.body.as_str()).chain([instruction.rest.text.as_str()]);
    let mut name = path;
    while !SHARED.contains(&name) {
        if texts().chain(exec.iter().copied()).any(|text| text.contains(name)) {
            return true;
        }
        name = name.rsplit_once('/').map_or("", |(above, _)| above);
    }
    false
}
