//! The one pattern engine, on the crate `regex`.
//!
//! Input: a pattern as [`Part`]s, which a file for each dialect writes: [`docker`] (.dockerignore), [`git`] (.gitignore),
//! [`go_path`] (`COPY` and `go:embed`), [`glob`] (workspaces). Output: [`Pattern`], which says whether a text matches as a
//! whole. Literals at both ends are compared before an expression is built or run, which settles nearly every path of a
//! large project. An expression takes time in proportion to text times pattern, whatever a hostile pattern says.
//!
//! Uses nothing of this crate, so that `tree` and `model` can both use it.

pub(crate) mod class;
pub(crate) mod docker;
pub(crate) mod git;
pub(crate) mod glob;
pub(crate) mod go_path;
mod go_regexp;

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};

/// Why something is not a pattern.
pub(crate) type Reason = &'static str;

const TOO_LARGE: Reason = "the pattern is too large or repeats too often";

/// Bytes of a compiled expression at most. A line of 500 stars needs a tenth of it.
const LARGEST: usize = 4 << 20;

/// An expression that is shorter than this and repeats nothing by number cannot reach [`LARGEST`].
const SURELY_SMALL: usize = 512;

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// This byte, or this character in UTF-8.
    Literal(Vec<u8>),
    /// Any number of bytes but `/`.
    Star,
    /// Any number of bytes.
    Any,
    /// What this expression of the crate `regex` matches, in which `.` and classes stand for bytes.
    Expression(String),
}

impl Part {
    pub(crate) fn char(char: char) -> Self {
        Self::Literal(char.to_string().into_bytes())
    }

    fn write(&self, expression: &mut String) {
        match self {
            Self::Literal(bytes) => bytes.iter().for_each(|byte| escape(*byte, expression)),
            Self::Star => expression.push_str("[^/]*"),
            Self::Any => expression.push_str(".*"),
            Self::Expression(text) => {
                expression.push_str("(?:");
                expression.push_str(text);
                expression.push(')');
            }
        }
    }
}

fn escape(byte: u8, expression: &mut String) {
    if byte.is_ascii_alphanumeric() || byte == b'/' || byte == b'_' {
        expression.push(char::from(byte));
    } else {
        *expression += &format!("\\x{byte:02X}");
    }
}

/// Writes `parts` as one expression, in which `.` and classes stand for bytes.
pub(crate) fn expression(parts: &[Part]) -> String {
    let mut text = String::new();
    parts.iter().for_each(|part| part.write(&mut text));
    text
}

/// A pattern, ready to be tried.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    prefix: Vec<u8>,
    suffix: Vec<u8>,
    middle: Middle,
}

/// What lies between the literal prefix and the literal suffix.
#[derive(Clone, Debug)]
enum Middle {
    Nothing,
    NoSlash,
    Any,
    Expression { needs: Vec<u8>, compiled: Compiled },
}

impl Pattern {
    /// Reads `parts` as the pattern of a whole text.
    pub(crate) fn new(mut parts: Vec<Part>) -> Result<Self, Reason> {
        let is_literal = |part: &&Part| matches!(part, Part::Literal(_));
        let front = parts.iter().take_while(is_literal).count();
        let prefix = literal(parts.drain(..front).as_slice());
        let back = parts.iter().rev().take_while(is_literal).count();
        let suffix = literal(parts.drain(parts.len() - back..).as_slice());
        let middle = match parts.as_slice() {
            [] => Middle::Nothing,
            [Part::Star] => Middle::NoSlash,
            [Part::Any] => Middle::Any,
            parts => {
                let runs = parts.split(|part| !is_literal(&part));
                let needs = literal(runs.max_by_key(|run| run.len()).unwrap_or_default());
                Middle::Expression { needs, compiled: Compiled::new(format!("^{}$", expression(parts)))? }
            }
        };
        Ok(Self { prefix, suffix, middle })
    }

    /// Reads `expression`, which is searched for in a text.
    pub(crate) fn search(expression: String) -> Result<Self, Reason> {
        let middle = Middle::Expression { needs: Vec::new(), compiled: Compiled::new(expression)? };
        Ok(Self { prefix: Vec::new(), suffix: Vec::new(), middle })
    }

    /// Whether all of `text` matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let middle = after(text.as_bytes(), &self.prefix).and_then(|rest| before(rest, &self.suffix));
        middle.is_some_and(|middle| match &self.middle {
            Middle::Nothing => middle.is_empty(),
            Middle::NoSlash => !middle.contains(&b'/'),
            Middle::Any => true,
            Middle::Expression { needs, compiled } => {
                holds(middle, needs) && compiled.get().is_some_and(|regex| regex.is_match(middle))
            }
        })
    }
}

fn literal(parts: &[Part]) -> Vec<u8> {
    let bytes = parts.iter().map(|part| if let Part::Literal(bytes) = part { bytes.as_slice() } else { &[] });
    bytes.collect::<Vec<_>>().concat()
}

/// An expression that is compiled when it is first needed: of a long .gitignore hardly a line is.
#[derive(Clone, Debug)]
pub(crate) struct Compiled {
    text: String,
    regex: OnceLock<Option<Regex>>,
}

impl Compiled {
    /// Reads an expression in which `.` and classes stand for bytes.
    pub(crate) fn new(text: String) -> Result<Self, Reason> {
        let regex = OnceLock::new();
        if text.len() > SURELY_SMALL || text.contains('{') {
            let _ = regex.set(Some(compile(&text).ok_or(TOO_LARGE)?));
        }
        Ok(Self { text, regex })
    }

    pub(crate) fn get(&self) -> Option<&Regex> {
        self.regex.get_or_init(|| compile(&self.text)).as_ref()
    }
}

fn compile(text: &str) -> Option<Regex> {
    RegexBuilder::new(text).unicode(false).dot_matches_new_line(true).size_limit(LARGEST).build().ok()
}

// Nearly every pattern is settled by a literal that a path does not have. Looking at one byte before calling out to
// compare slices makes that several times faster.

/// What follows `prefix` in `text`.
pub(crate) fn after<'t>(text: &'t [u8], prefix: &[u8]) -> Option<&'t [u8]> {
    match (prefix.first(), text.first()) {
        (None, _) => Some(text),
        (Some(one), Some(other)) if one == other => text.strip_prefix(prefix),
        _ => None,
    }
}

/// What precedes `suffix` in `text`.
pub(crate) fn before<'t>(text: &'t [u8], suffix: &[u8]) -> Option<&'t [u8]> {
    match (suffix.last(), text.last()) {
        (None, _) => Some(text),
        (Some(one), Some(other)) if one == other => text.strip_suffix(suffix),
        _ => None,
    }
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    let [first, .., last] = part else { return part.first().is_none_or(|one| text.contains(one)) };
    let ends = text.get(part.len() - 1..).unwrap_or_default();
    text.iter()
        .zip(ends)
        .enumerate()
        .any(|(at, (one, end))| one == first && end == last && text[at..].starts_with(part))
}
