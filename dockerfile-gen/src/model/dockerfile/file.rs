//! A whole Dockerfile.

use std::fmt;
use std::str::FromStr;

use super::error::{ParseError, Phase};
use super::parse;
use super::span::{LineIndex, Position, Span};
use super::tree::{Comment, Directive, DirectiveKind, Instruction};

/// A Dockerfile: its text, and what it says.
///
/// ```
/// use dockerfile_gen::dockerfile::{Dockerfile, Keyword};
/// let text = "FROM alpine\n\nRUN apk add \\\n    # for scripts\n    bash\n";
/// let file: Dockerfile = text.parse().unwrap();
/// assert_eq!(file.instructions[1].keyword, Keyword::Run);
/// assert_eq!(file.instructions[1].rest.text, "apk add     bash");
/// assert_eq!(file.to_string(), text);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dockerfile {
    pub(super) source: String,
    pub(super) index: LineIndex,
    /// The character that continues lines and escapes, a backslash or a backtick.
    pub escape: char,
    /// The parser directives at the top.
    pub directives: Vec<Directive>,
    /// The lines that begin with `#` and are no directives, in order.
    pub comments: Vec<Comment>,
    /// The instructions, in order.
    pub instructions: Vec<Instruction>,
}

impl Dockerfile {
    /// Reads a Dockerfile whatever is wrong with it.
    ///
    /// Gives all errors in the order of their places, including those that BuildKit would meet only when it
    /// builds the stage. What could not be made sense of is [`super::Arguments::Unknown`].
    pub fn parse_lenient(text: &str) -> (Self, Vec<ParseError>) {
        let parsed = parse::parse(text);
        let index = LineIndex::new(text);
        let errors = parsed.errors.found.into_iter();
        let errors = errors.map(|(span, phase, reason)| {
            let Position { line, column } = index.position(text, span.start);
            ParseError { line, column, span, phase, reason }
        });
        let errors = errors.collect();
        let file = Self {
            source: text.to_owned(),
            index,
            escape: parsed.escape,
            directives: parsed.directives,
            comments: parsed.comments,
            instructions: parsed.instructions,
        };
        (file, errors)
    }

    /// The text, byte for byte as it was read.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What `span` covers of the text.
    pub fn text(&self, span: Span) -> &str {
        span.text(&self.source)
    }

    /// The line and column of a byte.
    pub fn position(&self, offset: usize) -> Position {
        self.index.position(&self.source, offset)
    }

    /// The bytes of the lines from `first` to `last`, counted from 1, with their line ends.
    pub fn lines(&self, first: usize, last: usize) -> Span {
        self.index.lines(&self.source, first, last)
    }

    /// The value of a directive that BuildKit heeds. Of `syntax` only the first word, which is the image.
    pub fn directive(&self, kind: DirectiveKind) -> Option<&str> {
        let found = self.directives.iter().find(|directive| directive.heeded && directive.kind == kind)?;
        let value = found.value.text.as_str();
        Some(match kind {
            DirectiveKind::Syntax => value.split(' ').next().unwrap_or(value),
            DirectiveKind::Escape | DirectiveKind::Check => value,
        })
    }
}

impl FromStr for Dockerfile {
    type Err = ParseError;

    /// Reads a Dockerfile as BuildKit does: the first thing that it would always refuse is an error.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (file, errors) = Self::parse_lenient(text);
        match errors.into_iter().find(|error| error.phase == Phase::Parse) {
            Some(error) => Err(error),
            None => Ok(file),
        }
    }
}

impl fmt::Display for Dockerfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}
