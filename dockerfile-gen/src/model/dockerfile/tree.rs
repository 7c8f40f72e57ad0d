//! The data that a parsed Dockerfile consists of.
//!
//! Input: none, these are plain types. Output: none. The one idea: every piece keeps the bytes it was read
//! from as a [`Span`] and says in its other fields what BuildKit makes of them.

use super::keyword::Keyword;
use super::span::Span;

/// A piece of text as BuildKit's parser hands it on, and where it stands.
///
/// Quotes, escapes and variables are still in it; only lines that were continued are joined. In a JSON
/// array it is the decoded string, and the span includes the quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// The text.
    pub text: String,
    /// Its bytes in the file. With a continuation inside, these include the line ends and comments.
    pub span: Span,
}

/// A line such as `# syntax=docker/dockerfile:1` at the top of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// Which one.
    pub kind: DirectiveKind,
    /// What stands behind the `=`, without white space around it.
    pub value: Word,
    /// The line without its indentation and its end.
    pub span: Span,
    /// The line, from 1.
    pub line: usize,
    /// Whether BuildKit heeds it. `syntax` and `check` count only in the first column, `escape` not behind a `#!`.
    pub heeded: bool,
}

/// The directives that BuildKit knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DirectiveKind {
    /// `# syntax=`: the image that reads this file.
    Syntax,
    /// `# escape=`: the character that continues lines and escapes, a backslash or a backtick.
    Escape,
    /// `# check=`: which build checks to skip or to turn into errors.
    Check,
}

impl DirectiveKind {
    /// The name in small letters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Escape => "escape",
            Self::Check => "check",
        }
    }
}

/// A line that begins with `#` and is no directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// From the `#` to the end of the line, without the line end.
    pub span: Span,
    /// The line, from 1.
    pub line: usize,
    /// Whether it stands among the continued lines of an instruction.
    pub inside: bool,
}

/// One instruction with everything that belongs to it, heredocs included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Which one.
    pub keyword: Keyword,
    /// The first word as written.
    pub name: Word,
    /// From the first character to the end of the last line, without that line's end.
    pub span: Span,
    /// The first line, from 1.
    pub line: usize,
    /// The last line, that of the last heredoc's delimiter included.
    pub end_line: usize,
    /// The whole instruction in one line, as BuildKit joins it: an escape at a line's end, the line end,
    /// comments and blank lines between are gone, the indentation of continued lines stays. No heredocs.
    pub joined: String,
    /// The words that begin with `--`, before the arguments.
    pub flags: Vec<Flag>,
    /// The rest of the joined line behind the flags, without white space around it.
    pub rest: Word,
    /// What the rest says.
    pub args: Arguments,
    /// The heredocs, in the order of their bodies. Those of an `ONBUILD` belong to its trigger.
    pub heredocs: Vec<Heredoc>,
    /// The instruction behind `ONBUILD`.
    pub onbuild: Option<Box<Instruction>>,
    /// Blank lines among the continued lines, which BuildKit skips with a warning.
    pub blank_lines: Vec<usize>,
}

/// A flag such as `--from=build`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// The name without the dashes.
    pub name: String,
    /// What stands behind the `=`, without quotes and escapes; `None` without a `=`.
    pub value: Option<Word>,
    /// The whole flag.
    pub span: Span,
}

/// What stands behind the flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arguments {
    /// `FROM image [AS name]`
    From {
        /// The image or stage, variables still in it.
        image: Word,
        /// The name of the stage as written. BuildKit compares names in small letters.
        as_name: Option<Word>,
    },
    /// `RUN`; see [`Instruction::run_command`] for what is run once the heredocs are in.
    Run(Command),
    /// `CMD`
    Cmd(Command),
    /// `ENTRYPOINT`
    Entrypoint(Command),
    /// `SHELL ["word", …]`
    Shell(Vec<Word>),
    /// `COPY`
    Copy(Transfer),
    /// `ADD`
    Add(Transfer),
    /// `ENV`
    Env(Vec<Pair>),
    /// `LABEL`
    Label(Vec<Pair>),
    /// `ARG`
    Arg(Vec<Declaration>),
    /// `WORKDIR`
    Workdir(Word),
    /// `USER`
    User(Word),
    /// `STOPSIGNAL`
    StopSignal(Word),
    /// `MAINTAINER`
    Maintainer(Word),
    /// `EXPOSE`, one word a port or range
    Expose(Vec<Word>),
    /// `VOLUME`
    Volume {
        /// The paths.
        paths: Vec<Word>,
        /// Whether they are written as a JSON array.
        json_form: bool,
    },
    /// `HEALTHCHECK`
    Healthcheck(Healthcheck),
    /// `ONBUILD`; the instruction is in [`Instruction::onbuild`].
    Onbuild,
    /// What could not be made sense of: an unknown instruction, or one that BuildKit refuses.
    Unknown,
}

/// A command in one of its two forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A line for the shell.
    Shell(Word),
    /// A JSON array of words, run without a shell.
    Exec(Vec<Word>),
}

/// What `COPY` and `ADD` move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Where the files come from, in order.
    pub sources: Vec<Source>,
    /// Where they go.
    pub dest: Word,
    /// Whether sources and destination are written as a JSON array.
    pub json_form: bool,
}

/// One source of a `COPY` or `ADD`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A path, pattern or URL.
    Path(Word),
    /// A file whose content is a heredoc.
    Heredoc {
        /// The word with the `<<`.
        word: Word,
        /// The name of the file, which is the delimiter.
        name: String,
        /// Which of [`Instruction::heredocs`] holds the content; without one the file is empty.
        index: Option<usize>,
    },
}

/// A name and a value of `ENV` or `LABEL`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The name as written.
    pub key: Word,
    /// The value as written.
    pub value: Word,
    /// The value without quotes and escapes, variables left as they are; as written if its quotes are broken.
    pub unquoted: String,
    /// Whether it is written `NAME value` and not `NAME=value`.
    pub legacy: bool,
}

/// A name, and perhaps a default, of `ARG`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// The name.
    pub name: Word,
    /// What stands behind the `=`, as written.
    pub default: Option<Word>,
    /// The default without quotes and escapes, variables left as they are; as written if its quotes are broken.
    pub unquoted: Option<String>,
}

/// What `HEALTHCHECK` says. Its times are flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Healthcheck {
    /// `HEALTHCHECK NONE`
    None,
    /// `HEALTHCHECK CMD …`
    Cmd(Command),
}

/// A text that stands in the lines behind the instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heredoc {
    /// The line that ends it, without tabs and line end.
    pub delimiter: String,
    /// Whether variables in the body are expanded; not so if any part of the delimiter is quoted. `RUN` never expands.
    pub expand: bool,
    /// Whether `<<-` asks for tabs at the beginning of lines to be dropped.
    pub strip_tabs: bool,
    /// The number before the `<<`.
    pub fd: Option<u64>,
    /// The word that announces it, from the number or the first `<` to the end of the delimiter.
    pub word: Span,
    /// The body as written: whole lines with their ends, tabs included.
    pub body: String,
    /// The lines of the body with their ends.
    pub body_span: Span,
    /// The line of the delimiter without its end; `None` if the file ends before it.
    pub end: Option<Span>,
}

impl Heredoc {
    /// The body as a file would get it: without leading tabs if the heredoc asks for that.
    pub fn content(&self) -> String {
        if self.strip_tabs {
            self.body.split_inclusive('\n').map(|line| line.trim_start_matches('\t')).collect()
        } else {
            self.body.clone()
        }
    }
}

impl Instruction {
    /// The value of the first flag of that name; `""` for a flag without a value.
    pub fn flag(&self, name: &str) -> Option<&str> {
        let flag = self.flags.iter().find(|flag| flag.name == name)?;
        Some(flag.value.as_ref().map_or("", |value| value.text.as_str()))
    }

    /// The values of all flags of that name, in order.
    pub fn flags_named<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Word> {
        self.flags.iter().filter(move |flag| flag.name == name).filter_map(|flag| flag.value.as_ref())
    }
}
