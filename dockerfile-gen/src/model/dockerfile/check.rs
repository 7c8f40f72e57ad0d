//! What BuildKit refuses only once it expands words.
//!
//! Input: the instructions. Output: errors. The one idea: no variable is known here, so only that is
//! reported which no value can mend: broken quotes, and mounts and ports without variables.

use super::error::{Errors, Reason};
use super::expand::{Mode, expand};
use super::keyword::Keyword;
use super::mount::Mount;
use super::tree::{Arguments, Heredoc, Instruction, Source, Transfer, Word};

pub(super) fn check(instructions: &[Instruction], escape: char, errors: &mut Errors) {
    let stages = instructions.iter().filter(|instruction| instruction.keyword == Keyword::From).count();
    for instruction in instructions {
        check_one(instruction, escape, errors);
        if let Some(trigger) = &instruction.onbuild {
            errors.in_trigger = true;
            check_one(trigger, escape, errors);
            errors.in_trigger = false;
        } else if instruction.keyword == Keyword::Copy {
            stage_number(instruction, stages, errors);
        }
    }
}

fn check_one(instruction: &Instruction, escape: char, errors: &mut Errors) {
    let mut words: Vec<&Word> = Vec::new();
    match &instruction.args {
        Arguments::From { image, .. } => from(instruction, image, escape, errors),
        Arguments::Env(pairs) | Arguments::Label(pairs) => {
            words.extend(pairs.iter().flat_map(|pair| [&pair.key, &pair.value]));
        }
        Arguments::Copy(transfer) => {
            words.extend(transfer_words(instruction, transfer));
            from_stage(instruction, escape, errors);
            bodies(&instruction.heredocs, errors);
        }
        Arguments::Add(transfer) => {
            words.extend(transfer_words(instruction, transfer));
            bodies(&instruction.heredocs, errors);
        }
        Arguments::Arg(declarations) => {
            words.extend(declarations.iter().filter_map(|declaration| declaration.default.as_ref()));
        }
        Arguments::Workdir(word) | Arguments::User(word) | Arguments::StopSignal(word) => words.push(word),
        Arguments::Volume { paths, .. } => words.extend(paths),
        Arguments::Expose(ports) => {
            words.extend(ports);
            ports.iter().for_each(|port| check_port(port, escape, errors));
        }
        Arguments::Run(_) => mounts(instruction, escape, errors),
        Arguments::Cmd(_)
        | Arguments::Entrypoint(_)
        | Arguments::Shell(_)
        | Arguments::Maintainer(_)
        | Arguments::Healthcheck(_)
        | Arguments::Onbuild
        | Arguments::Unknown => {}
    }
    for word in words {
        if let Err(error) = expand(&word.text, Mode::unquote(escape), &|_| None) {
            errors.when_built(word.span, error);
        }
    }
}

/// The base of a stage is expanded for every stage, needed or not.
fn from(instruction: &Instruction, image: &Word, escape: char, errors: &mut Errors) {
    for word in std::iter::once(image).chain(instruction.flags_named("platform")) {
        if let Err(error) = expand(&word.text, Mode::unquote(escape), &|_| None) {
            errors.refuse(word.span, error);
        }
    }
}

fn transfer_words<'a>(instruction: &'a Instruction, transfer: &'a Transfer) -> Vec<&'a Word> {
    let paths = transfer.sources.iter().filter_map(|source| match source {
        Source::Path(word) => Some(word),
        Source::Heredoc { .. } => None,
    });
    let flags = ["chown", "chmod", "checksum"].into_iter().flat_map(|name| instruction.flags_named(name));
    paths.chain([&transfer.dest]).chain(flags).collect()
}

fn bodies(heredocs: &[Heredoc], errors: &mut Errors) {
    for heredoc in heredocs.iter().filter(|heredoc| heredoc.expand) {
        let mode = Mode { keep_unset: true, ..Mode::body() };
        if let Err(error) = expand(&heredoc.content(), mode, &|_| None) {
            errors.when_built(heredoc.word, error);
        }
    }
}

/// A `--from` that changes when it is expanded is refused for every stage, needed or not.
fn from_stage(instruction: &Instruction, escape: char, errors: &mut Errors) {
    for from in instruction.flags_named("from") {
        let expanded = expand(&from.text, Mode::word(escape), &|_| None);
        if !expanded.is_ok_and(|expansion| expansion.text == from.text) {
            errors.refuse(from.span, Reason::FromExpansion { found: from.text.clone() });
        }
    }
}

fn stage_number(instruction: &Instruction, stages: usize, errors: &mut Errors) {
    for from in instruction.flags_named("from") {
        if let Ok(number) = from.text.parse::<i64>()
            && !usize::try_from(number).is_ok_and(|number| number < stages)
        {
            errors.when_built(from.span, Reason::NoSuchStage { found: from.text.clone() });
        }
    }
}

fn mounts(instruction: &Instruction, escape: char, errors: &mut Errors) {
    for value in instruction.flags_named("mount").filter(|value| !value.text.contains('$')) {
        let mut unquoted = |value: &str| expand(value, Mode::word(escape), &|_| None).map(|expansion| expansion.text);
        let known = super::mount::check_unexpanded(&value.text).is_err();
        if let (false, Err(error)) = (known, Mount::parse(&value.text, &mut unquoted)) {
            errors.when_built(value.span, error);
        }
    }
}

fn check_port(port: &Word, escape: char, errors: &mut Errors) {
    let Ok(expansion) = expand(&port.text, Mode::word(escape), &|_| None) else { return };
    // With a variable in it, it may become anything.
    if expansion.missing.is_empty() && !expansion.words.iter().all(|port| is_port(port)) {
        errors.when_built(port.span, Reason::Port { found: port.text.clone() });
    }
}

/// Whether it is `port`, `first-last`, `…/protocol`, or one of these behind an address and a port of the host.
fn is_port(port: &str) -> bool {
    let container = port.rsplit_once(':').map_or(port, |(_, container)| container);
    let (range, protocol) = container.split_once('/').unwrap_or((container, ""));
    let number = |text: &str| text.parse::<u16>().ok();
    let range = match range.split_once('-') {
        Some((first, last)) => number(first).zip(number(last)).is_some_and(|(first, last)| first <= last),
        None => number(range).is_some(),
    };
    range && ["", "tcp", "udp", "sctp"].contains(&protocol.to_lowercase().as_str())
}
