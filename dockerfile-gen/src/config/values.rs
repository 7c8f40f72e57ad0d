//! Checks the texts in a configuration that land in a generated file.
//!
//! Input: a layer. Output: the first [`Wrong`] value with the name of its setting. The one idea: a step is tried out in a
//! Dockerfile of its own with the parser, so whatever would take in the instruction behind it is found before anything is
//! planned, and named.

use super::options::{ConfigLayer, ExtraStep};
use crate::error::Error;
use crate::model::context::Dockerignore;
use crate::model::dockerfile::{Dockerfile, Keyword};
use crate::plan::quote;

/// A value that no file can take.
pub(super) struct Wrong {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) reason: String,
    pub(super) hint: &'static str,
}

impl Wrong {
    fn new(key: impl Into<String>, value: &str, reason: impl Into<String>, hint: &'static str) -> Self {
        // A message is read by people: of a long value they get the start.
        let value = if value.len() > 80 { value.chars().take(60).chain(['…']).collect() } else { value.to_owned() };
        Self { key: key.into(), value, reason: reason.into(), hint }
    }
}

/// Bytes of a value at most: BuildKit reads lines of 64 KiB, and quoting makes a value longer.
const LONGEST: usize = 30 * 1024;

/// Finds the first value that no file can take.
pub(super) fn find_wrong(layer: &ConfigLayer) -> Option<Wrong> {
    let single = [
        ("package", &layer.package),
        ("bin", &layer.bin),
        ("profile", &layer.profile),
        ("frontend", &layer.frontend),
        ("templates", &layer.templates),
    ];
    let lists = [("features", &layer.features), ("keep", &layer.keep), ("ignore", &layer.ignore)];
    let maps = [("env", &layer.env), ("build-env", &layer.build_env), ("labels", &layer.labels)];
    let mut words = single.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.as_deref()?)));
    let mut items = lists
        .into_iter()
        .flat_map(|(key, list)| list.iter().flatten().map(move |value| (key.to_owned(), value.as_str())));
    let mut pairs = maps.into_iter().flat_map(|(key, map)| {
        map.iter().flatten().map(move |(name, value)| (format!("{key}.{name}"), value.0.as_str()))
    });
    words
        .find_map(line)
        .or_else(|| items.find_map(line))
        .or_else(|| pairs.find_map(line))
        .or_else(|| {
            let label = layer.labels.iter().flatten().map(|(name, _)| name).find(|name| !is_label(name));
            let hint = "use letters, digits, `_`, `.`, `-` and `/`";
            label.map(|name| Wrong::new("labels", name, "is not the name of a label", hint))
        })
        .or_else(|| command(layer))
        .or_else(|| layer.ignore.iter().flatten().find_map(|text| pattern(text)))
        .or_else(|| {
            let steps = layer.steps.iter().flatten();
            steps.enumerate().find_map(|(at, step)| self::step(step, &layer.steps.as_deref().unwrap_or_default()[..at]))
        })
}

/// A value that has to stand in one line.
fn line((key, value): (String, &str)) -> Option<Wrong> {
    if value.contains(char::is_control) {
        let reason = "holds a line break or another control character, which a Dockerfile cannot";
        return Some(Wrong::new(key, value, reason, "write it in one line"));
    }
    (value.len() > LONGEST).then(|| {
        let reason = format!("has {} bytes, and BuildKit reads lines of at most 65535", value.len());
        Wrong::new(key, value, reason, "shorten it, or put it into a file")
    })
}

fn is_label(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-/".contains(&byte))
}

fn command(layer: &ConfigLayer) -> Option<Wrong> {
    let words = layer.command.as_ref()?;
    if words.first().is_none_or(|program| program.trim().is_empty()) {
        let hint = "name the program first: `command = [\"program\", \"argument\"]`";
        return Some(Wrong::new("command", &words.join(" "), "names no program", hint));
    }
    let length: usize = words.iter().map(|word| word.len() + 4).sum();
    (length > LONGEST).then(|| {
        let reason = format!("has {length} bytes, and BuildKit reads lines of at most 65535");
        Wrong::new("command", &words.join(" "), reason, "put it into a script of the project")
    })
}

/// A line of the .dockerignore.
fn pattern(text: &str) -> Option<Wrong> {
    let reason = match Dockerignore::parse("", text) {
        Err(Error::Manifest { reason, .. }) => format!("is no pattern: {reason}"),
        Err(error) => format!("is no pattern: {error}"),
        Ok(ignore) if ignore.lines().is_empty() => "is blank or a comment".into(),
        Ok(_) => return None,
    };
    Some(Wrong::new("ignore", text, reason, "write a line as a .dockerignore has it"))
}

/// A step, where `above` are those before it.
fn step(step: &ExtraStep, above: &[ExtraStep]) -> Option<Wrong> {
    let key = |field: &str| format!("steps.{field}");
    if step.name.trim().is_empty() || step.name.contains(char::is_control) || step.name.len() > 200 {
        return Some(Wrong::new(key("name"), &step.name, "is not a name", "name the step in a word or two"));
    }
    if above.iter().any(|other| other.name == step.name && other.stage == step.stage) {
        return Some(Wrong::new(key("name"), &step.name, "is the name of two steps", "give each a name of its own"));
    }
    let mut inputs = step.inputs.iter().map(|path| (key("inputs"), path.as_str()));
    inputs
        .find_map(line)
        .or_else(|| run(&step.run).map(|(reason, hint)| Wrong::new(key("run"), &step.run, reason, hint)))
}

/// Why a command cannot be a `RUN`.
fn run(command: &str) -> Option<(String, &'static str)> {
    if command.trim().is_empty() {
        return Some(("is blank".into(), "write a shell command"));
    }
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if command.replace("\r\n", "\n").contains(odd) {
        return Some(("holds a control character".into(), "write lines, with tabs at most"));
    }
    let (file, errors) =
        Dockerfile::parse_lenient(&format!("FROM scratch\nRUN {}\nUSER 1\n", quote::user_command(command)));
    if let Some(error) = errors.first() {
        return Some((
            format!("cannot be a `RUN`: {}", error.reason),
            "write several lines, or call a script of the project",
        ));
    }
    let found: Vec<Keyword> = file.instructions.iter().map(|instruction| instruction.keyword).collect();
    (found != [Keyword::From, Keyword::Run, Keyword::User]).then(|| {
        let hint = "end it with a command; a backslash at the end goes on in the next line";
        ("takes in the instruction that follows it".into(), hint)
    })
}
