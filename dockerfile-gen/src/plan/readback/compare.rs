//! Holds the instructions of a Dockerfile against the steps of its plan.
//!
//! Input: the plan and the parsed file. Output: each instruction with its step, or the first [`Difference`]. The one idea:
//! both are lists in the same order, so they are walked together, and what the plan says must be what BuildKit would take
//! out of the text: names, paths, words, not the text itself.

use std::collections::BTreeMap;

use crate::model::dockerfile::{
    Arguments, Command, Dockerfile, Healthcheck, Instruction, Keyword, Mount as ParsedMount, MountKind, Pair,
    Source as Word, Stage as ParsedStage, expand_word,
};
use crate::plan::render::{Templates, builtin};
use crate::plan::{Base, Mount, Op, Plan, Source, Stage, Step, Value, quote};

use super::read::{Difference, Read, Users, place};

/// Walks plan and file together.
pub(super) fn compare<'a>(plan: &'a Plan, file: &'a Dockerfile, users: &Users) -> Result<Vec<Read<'a>>, Difference> {
    let mut rest = file.instructions.iter();
    let missing = |what: String| Difference { line: None, reason: format!("{what} is missing") };
    let stages = file.stages();
    let mut reads = Vec::new();
    for (at, stage) in plan.stages.iter().enumerate() {
        let instruction = rest.next().ok_or_else(|| missing(format!("stage `{}`", stage.name)))?;
        from(stage, instruction, stages.get(at)).map_err(|reason| Difference::at(instruction, reason))?;
        if stages.iter().take(at).any(|above| above.name == stages.get(at).and_then(|stage| stage.name.clone())) {
            return Err(Difference::at(instruction, format!("there are two stages `{}`", stage.name)));
        }
        for (number, step) in stage.steps.iter().enumerate() {
            let own = users.get(&(at, number));
            for _ in 0..own.copied().unwrap_or(1) {
                let instruction = rest.next().ok_or_else(|| missing(place(stage, step)))?;
                if own.is_none() {
                    let failed = |reason| Difference::at(instruction, format!("{}: {reason}", place(stage, step)));
                    instruct(step, instruction, file.escape, &plan.templates).map_err(failed)?;
                }
                reads.push(Read { stage: at, step, instruction, is_users: own.is_some() });
            }
        }
    }
    match rest.next() {
        Some(more) => Err(Difference::at(more, format!("`{}` was not planned", start(&more.joined)))),
        None => Ok(reads),
    }
}

/// The start of a text, for a message.
fn start(text: &str) -> String {
    text.chars().take(60).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, planned: &T, found: &T) -> Result<(), String> {
    if planned == found {
        return Ok(());
    }
    Err(format!("{what} is {}, planned was {}", start(&format!("{found:?}")), start(&format!("{planned:?}"))))
}

fn from(stage: &Stage, instruction: &Instruction, parsed: Option<&ParsedStage>) -> Result<(), String> {
    let (Arguments::From { image, as_name }, Some(_)) = (&instruction.args, parsed) else {
        return Err(format!("`{}` stands where stage `{}` begins", start(&instruction.joined), stage.name));
    };
    let base = match &stage.base {
        Base::Image(name) | Base::Stage(name) => name,
    };
    same("the base", base, &image.text)?;
    same("the name", &stage.name, &as_name.as_ref().map(|name| name.text.clone()).unwrap_or_default())?;
    same("`--platform`", &stage.native.then_some("$BUILDPLATFORM"), &instruction.flag("platform"))
}

/// Compares one instruction with the step that it was written for.
fn instruct(step: &Step, instruction: &Instruction, escape: char, own: &[Templates]) -> Result<(), String> {
    let expanded = |text: &str| expand_word(text, escape, &|_| None).unwrap_or_default();
    match (&step.op, &instruction.args) {
        (Op::Copy { from, sources, dest, link, chown, exclude }, Arguments::Copy(copy)) => {
            same("`--from`", &from.as_deref(), &instruction.flag("from"))?;
            same("`--chown`", &chown.as_deref(), &instruction.flag("chown"))?;
            let left_out = instruction.flags.iter().filter(|flag| flag.name == "exclude");
            let left_out = left_out.filter_map(|flag| flag.value.as_ref().map(|value| value.text.clone()));
            same("the list of what is left out", exclude, &left_out.collect())?;
            // Builders without it get none.
            if instruction.flag("link").is_some() && !link {
                return Err("`--link` was not planned".into());
            }
            let planned: Vec<String> = sources.iter().map(pattern).collect();
            let found = copy.sources.iter().map(|source| match source {
                Word::Path(word) => clean(&expanded(&word.text)).to_owned(),
                Word::Heredoc { word, .. } => word.text.clone(),
            });
            same("the list of sources", &planned, &found.collect())?;
            same("the destination", &clean(dest), &clean(&expanded(&copy.dest.text)))?;
            same("the number of here-documents", &0, &instruction.heredocs.len())
        }
        (Op::Run { template, values, mounts }, Arguments::Run(_)) => {
            let text = builtin::get(template, own).unwrap_or_default();
            run(text, values, mounts, instruction, escape)
        }
        (Op::File { .. }, Arguments::Copy(_)) => same("the number of here-documents", &1, &instruction.heredocs.len()),
        (Op::File { .. }, Arguments::Shell(_)) => Ok(()),
        (Op::Env { pairs }, Arguments::Env(found)) | (Op::Label { pairs }, Arguments::Label(found)) => {
            let found = found.iter().map(|pair| (pair.key.text.clone(), pair.unquoted.clone())).collect();
            same("the list of names and values", pairs, &found)
        }
        (Op::EnvFrom { pairs }, Arguments::Env(found)) => {
            let planned: Vec<_> = pairs.iter().map(|(name, of)| (name.clone(), format!("${{{of}}}"))).collect();
            let found = found.iter().map(|pair| (pair.key.text.clone(), pair.unquoted.clone())).collect();
            same("the list of names and variables", &planned, &found)
        }
        (Op::Path { .. }, Arguments::Env(found)) => same("the name", &vec!["PATH"], &keys(found)),
        (Op::Arg { name, default }, _) => argument(instruction, name, default.as_ref()),
        (Op::Workdir { path }, Arguments::Workdir(word)) => same("the path", path, &expanded(&word.text)),
        (Op::User { user }, Arguments::User(word)) => same("the user", user, &word.text),
        (Op::Expose { port }, Arguments::Expose(ports)) => {
            let found: Vec<&str> = ports.iter().map(|port| port.text.as_str()).collect();
            same("the port", &vec![port.to_string().as_str()], &found)
        }
        (Op::Entrypoint { argv }, Arguments::Entrypoint(command))
        | (Op::Cmd { argv }, Arguments::Cmd(command))
        | (Op::Healthcheck { argv }, Arguments::Healthcheck(Healthcheck::Cmd(command))) => exec(argv, command),
        (Op::StopSignal { signal }, Arguments::StopSignal(word)) => same("the signal", signal, &word.text),
        _ => Err(format!("`{}` stands where `{}` was planned", start(&instruction.joined), step.op.instruction())),
    }
}

/// A source as `COPY` matches it, without the `./` that keeps it from being taken for a flag.
fn pattern(source: &Source) -> String {
    match source {
        // A path that cannot be written was an error before.
        Source::Path(path) => clean(&quote::glob_literal(path).unwrap_or_default()).to_owned(),
        Source::Pattern(pattern) => clean(pattern).to_owned(),
    }
}

fn clean(path: &str) -> &str {
    path.strip_prefix("./").filter(|rest| !rest.is_empty()).unwrap_or(path)
}

fn keys(pairs: &[Pair]) -> Vec<&str> {
    pairs.iter().map(|pair| pair.key.text.as_str()).collect()
}

fn argument(instruction: &Instruction, name: &str, default: Option<&String>) -> Result<(), String> {
    match (&instruction.args, instruction.keyword) {
        (Arguments::Arg(found), Keyword::Arg) => {
            let found = found.iter().map(|one| (one.name.text.as_str(), one.unquoted.as_ref())).collect();
            same("the argument", &vec![(name, default)], &found)
        }
        _ => Err(format!("`{}` stands where `ARG {name}` was planned", start(&instruction.joined))),
    }
}

fn exec(argv: &[String], command: &Command) -> Result<(), String> {
    let Command::Exec(words) = command else { return Err("the command is no JSON array".into()) };
    if argv.first().is_none_or(|program| program.trim().is_empty()) {
        return Err("there is no program to run".into());
    }
    same("the command", &argv.to_vec(), &words.iter().map(|word| word.text.clone()).collect())
}

fn run(
    text: &str,
    values: &BTreeMap<String, Value>,
    mounts: &[Mount],
    instruction: &Instruction,
    escape: char,
) -> Result<(), String> {
    let own_command = values.values().find_map(|value| match value {
        Value::UserCommand(command) => Some(command.0.trim()),
        _ => None,
    });
    let heredocs = match own_command {
        Some(command) => usize::from(command.contains('\n')),
        None => here_documents(text, values),
    };
    same("the number of here-documents", &heredocs, &instruction.heredocs.len())?;
    let is_empty = match &instruction.args {
        Arguments::Run(Command::Shell(line)) => line.text.trim_start_matches(['&', ' ']).is_empty(),
        Arguments::Run(Command::Exec(words)) => words.is_empty(),
        _ => true,
    };
    if is_empty {
        return Err("there is no command".into());
    }
    // What the user's own command asks for comes on top.
    if own_command.is_none() {
        same("the number of flags", &mounts.len(), &instruction.flags.len())?;
    }
    for (planned, flag) in mounts.iter().zip(&instruction.flags) {
        let value = flag.value.as_ref().filter(|_| flag.name == "mount").map(|value| value.text.as_str());
        let mut expand = |text: &str| expand_word(text, escape, &|name| Some(format!("${{{name}}}")));
        let found = ParsedMount::parse(value.unwrap_or_default(), &mut expand).map_err(|error| error.to_string())?;
        mount(planned, &found)?;
    }
    Ok(())
}

/// How many here-documents a template begins, without those in a part that the values leave out.
fn here_documents(template: &str, values: &BTreeMap<String, Value>) -> usize {
    let is_set = |name: &str| match values.get(name) {
        None | Some(Value::Flag(false)) => false,
        Some(Value::Word(word)) => !word.is_empty(),
        Some(Value::Words(words)) => !words.is_empty(),
        Some(Value::Commands(commands)) => !commands.is_empty(),
        Some(Value::Flag(true) | Value::UserCommand(_)) => true,
    };
    let mut parts = Vec::new();
    let mut count = 0;
    for (index, piece) in template.split("{{").enumerate() {
        let (tag, text) = if index == 0 { ("", piece) } else { piece.split_once("}}").unwrap_or((piece, "")) };
        match tag.split_once(' ') {
            Some(("#if" | "#each", name)) => parts.push(is_set(name)),
            Some(("#unless", name)) => parts.push(!is_set(name)),
            _ if matches!(tag, "/if" | "/each" | "/unless") => _ = parts.pop(),
            _ if tag == "else" => parts.iter_mut().last().into_iter().for_each(|is_there| *is_there = !*is_there),
            _ => {}
        }
        if parts.iter().all(|is_there| *is_there) {
            count += text.matches("<<'EOF'").count();
        }
    }
    count
}

fn mount(planned: &Mount, found: &ParsedMount) -> Result<(), String> {
    use crate::facts::Credential;
    let (kind, id, from, source, target) = match planned {
        Mount::Cache { id, target, .. } => (MountKind::Cache, Some(id.clone()), None, None, Some(target)),
        Mount::Bind { from, source, target, .. } => {
            let source = Some(source).filter(|source| *source != ".");
            (MountKind::Bind, None, from.as_ref(), source, Some(target))
        }
        Mount::Credential(Credential::File { id, target }) => {
            (MountKind::Secret, Some(id.clone()), None, None, Some(target))
        }
        Mount::Credential(Credential::Env { id, .. }) => (MountKind::Secret, Some(id.clone()), None, None, None),
        Mount::Credential(Credential::Ssh) => (MountKind::Ssh, None, None, None, None),
    };
    same("the kind of the mount", &kind, &found.kind)?;
    same("the id of the mount", &id, &found.id)?;
    same("the origin of the mount", &from, &found.from.as_ref())?;
    same("the source of the mount", &source, &found.source.as_ref())?;
    same("the target of the mount", &target, &found.target.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_here_document_counts_where_the_values_put_one() {
        const TEMPLATES: [&str; 3] = [
            "{{#if a}}x <<'EOF'\nEOF{{/if}}",
            "{{#if b}}x{{else}}{{#each a}}{{this}}{{/each}} <<'EOF'\nEOF{{/if}}",
            "<<'EOF'\nEOF",
        ];
        let counts = |values: &[(&str, Value)]| {
            let values = values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            TEMPLATES.map(|template| here_documents(template, &values))
        };
        let a = ("a", Value::Words(vec!["<<'EOF'".into()]));
        assert_eq!(counts(&[a]), [1, 1, 1], "what a value says is no part of the template");
        assert_eq!(counts(&[("a", Value::Words(Vec::new())), ("b", Value::Flag(true))]), [0, 0, 1]);
    }
}
