//! What is wrong with a Dockerfile.
//!
//! Input: none. Output: [`ParseError`]. The one idea: an error says when BuildKit would stop at it, because
//! a file with a broken stage that nobody builds is still a file that BuildKit accepts.

use std::fmt;

use super::expand::ExpandError;
use super::keyword::Keyword;
use super::mount::MountError;
use super::span::Span;

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
    /// The bytes that are wrong.
    pub span: Span,
    /// When BuildKit stops at it.
    pub phase: Phase,
    /// What is wrong.
    pub reason: Reason,
}

/// When BuildKit stops at an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Always, when it reads the file.
    Parse,
    /// When it builds the stage; a stage that is not needed may have it.
    Build,
    /// When it builds an image on top of this one, and runs the `ONBUILD` instruction.
    Trigger,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// BuildKit reads lines of at most 64 KiB.
    #[error("line of {length} bytes, BuildKit reads at most 65535")]
    LineTooLong {
        /// Bytes of the line.
        length: usize,
    },
    /// A parser directive stands there twice.
    #[error("second `{name}` directive")]
    DuplicateDirective {
        /// `syntax`, `escape` or `check`.
        name: &'static str,
    },
    /// `# escape=` with something else than a backslash or a backtick.
    #[error("escape character `{found}` is neither a backslash nor a backtick")]
    InvalidEscape {
        /// What was given.
        found: String,
    },
    /// A file without a single instruction.
    #[error("no instruction in the file")]
    NoInstructions,
    /// A file of nothing but global `ARG`s.
    #[error("no `FROM` in the file, so there is nothing to build")]
    NoStage,
    /// Something else than `ARG` before the first `FROM`.
    #[error("`{keyword}` before the first `FROM`")]
    OutsideStage {
        /// The instruction.
        keyword: Keyword,
    },
    /// A first word that is no instruction.
    #[error("unknown instruction `{}`", visible(.found))]
    UnknownInstruction {
        /// The word.
        found: String,
        /// What was probably meant.
        similar: Option<Keyword>,
    },
    /// A continuation with nothing behind it, and nothing before.
    #[error("continuation without an instruction")]
    NoInstruction,
    /// A JSON array with something else than strings in it.
    #[error("a JSON array of `{keyword}` may hold nothing but strings")]
    NotStrings {
        /// The instruction.
        keyword: Keyword,
    },
    /// `SHELL` in shell form.
    #[error("`SHELL` takes a JSON array of strings")]
    ShellNotJson,
    /// Too few or too many arguments.
    #[error("`{keyword}` takes {wanted}, found {}", count(*.found))]
    ArgumentCount {
        /// The instruction.
        keyword: Keyword,
        /// How many it takes, in words.
        wanted: &'static str,
        /// How many there are.
        found: usize,
    },
    /// A flag that the instruction does not have.
    #[error("`{keyword}` has no flag `--{flag}`")]
    UnknownFlag {
        /// The instruction.
        keyword: Keyword,
        /// The flag, without dashes.
        flag: String,
        /// What was probably meant.
        similar: Option<&'static str>,
    },
    /// A flag that may be given once, given again.
    #[error("second flag `--{flag}`")]
    DuplicateFlag {
        /// The flag, without dashes.
        flag: String,
    },
    /// A flag without a value.
    #[error("flag `--{flag}` without a value")]
    FlagWithoutValue {
        /// The flag, without dashes.
        flag: String,
    },
    /// A value that the flag does not take.
    #[error("flag `--{flag}` takes {wanted}, found `{found}`")]
    FlagValue {
        /// The flag, without dashes.
        flag: String,
        /// What it takes.
        wanted: &'static str,
        /// What was given.
        found: String,
    },
    /// A stage name that is none.
    #[error("`{name}` is no name for a stage")]
    StageName {
        /// The name.
        name: String,
    },
    /// `ENV` or `LABEL` in the old form, without a value.
    #[error("`{keyword} {name}` without a value")]
    NoValue {
        /// The instruction.
        keyword: Keyword,
        /// The name.
        name: String,
    },
    /// A word without `=` among pairs.
    #[error("`{word}` is no `name=value`")]
    NoEquals {
        /// The word.
        word: String,
    },
    /// `=value`
    #[error("value without a name in `{keyword}`")]
    BlankName {
        /// The instruction.
        keyword: Keyword,
    },
    /// `VOLUME [""]`
    #[error("empty path in `VOLUME`")]
    EmptyVolume,
    /// A heredoc whose last line never comes.
    #[error("heredoc `{delimiter}` is not ended by a line `{delimiter}`")]
    UnterminatedHeredoc {
        /// The line that is missing.
        delimiter: String,
    },
    /// A heredoc whose delimiter cannot be read.
    #[error("the delimiter of the heredoc `{word}` cannot be read: {source}")]
    HeredocDelimiter {
        /// The word with the `<<`.
        word: String,
        /// Why not.
        source: ExpandError,
    },
    /// A heredoc as the destination of a copy.
    #[error("a heredoc cannot be the destination of `{keyword}`")]
    HeredocDestination {
        /// The instruction.
        keyword: Keyword,
    },
    /// `HEALTHCHECK` with something else than `CMD` or `NONE`.
    #[error("`HEALTHCHECK` takes `CMD` or `NONE`, found `{found}`")]
    HealthcheckKind {
        /// The word.
        found: String,
    },
    /// `ONBUILD` with an instruction that cannot wait.
    #[error("`{found}` cannot be triggered by `ONBUILD`")]
    OnbuildTrigger {
        /// The instruction.
        found: Keyword,
    },
    /// `COPY --from=$X`
    #[error("`COPY --from={found}`: variables and quotes mean nothing here")]
    FromExpansion {
        /// What was given.
        found: String,
    },
    /// `COPY --from=7` in a file with fewer stages.
    #[error("no stage with the number {found}")]
    NoSuchStage {
        /// The number.
        found: String,
    },
    /// A port that is none.
    #[error("`{found}` is no port")]
    Port {
        /// What was given.
        found: String,
    },
    /// A `RUN --mount` that cannot be.
    #[error("`--mount`: {0}")]
    Mount(#[from] MountError),
    /// Quotes or variables that cannot be expanded.
    #[error("{0}")]
    Expand(#[from] ExpandError),
}

/// The word with characters that nobody can see written as numbers.
fn visible(word: &str) -> String {
    let unseen = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{feff}');
    word.chars().map(|c| if unseen(c) { c.escape_unicode().to_string() } else { c.to_string() }).collect()
}

fn count(found: usize) -> String {
    match found {
        0 => "none".into(),
        found => found.to_string(),
    }
}

impl ParseError {
    /// Says what to do about it.
    pub fn remedy(&self) -> String {
        self.reason.remedy()
    }
}

impl Reason {
    /// Says what to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::LineTooLong { .. } => "break the line with a continuation, or move the text into a file".into(),
            Self::DuplicateDirective { name } => format!("keep one `# {name}=` line"),
            Self::InvalidEscape { .. } => "write `# escape=\\` or `# escape=` with a backtick".into(),
            Self::NoInstructions | Self::NoStage => "begin a stage with `FROM image`".into(),
            Self::OutsideStage { .. } => "put a `FROM` before it; only `ARG` may stand above".into(),
            Self::UnknownInstruction { found, .. } if visible(found) != *found => {
                "type the line anew: it holds a character that is not the space it looks like".into()
            }
            Self::UnknownInstruction { similar: Some(similar), .. } => format!("did you mean `{similar}`?"),
            Self::UnknownInstruction { .. } => {
                "if it belongs to the instruction above, end that line with a continuation".into()
            }
            Self::NoInstruction => "remove the line".into(),
            Self::NotStrings { .. } => "put every element into double quotes".into(),
            Self::ShellNotJson => "write it as `SHELL [\"/bin/bash\", \"-c\"]`".into(),
            Self::ArgumentCount { keyword, .. } => format!("write it as `{}`", usage(*keyword)),
            Self::UnknownFlag { similar: Some(similar), .. } => format!("did you mean `--{similar}`?"),
            Self::UnknownFlag { keyword, .. } => {
                format!("remove it, or put `--` before it if it is an argument of `{keyword}`")
            }
            Self::DuplicateFlag { flag } => format!("keep one `--{flag}`"),
            Self::FlagWithoutValue { flag } => format!("write it as `--{flag}=value`"),
            Self::FlagValue { wanted, .. } => format!("give it {wanted}"),
            Self::StageName { .. } => {
                "begin it with a letter and go on with letters, digits, `-`, `_` and `.` only".into()
            }
            Self::NoValue { keyword, name } => format!("write it as `{keyword} {name}=value`"),
            Self::NoEquals { .. } => "write `name=value`, and put values with white space into quotes".into(),
            Self::BlankName { .. } => "put a name before the `=`".into(),
            Self::EmptyVolume => "name a path".into(),
            Self::UnterminatedHeredoc { delimiter } if delimiter.contains(['>', '|', ';', '&', ')']) => {
                "put a space behind the delimiter: what follows it without one belongs to it".into()
            }
            Self::UnterminatedHeredoc { delimiter } => format!("add a line that holds `{delimiter}` and nothing else"),
            Self::HeredocDelimiter { source, .. } => source.remedy(),
            Self::HeredocDestination { .. } => "give a path as the last argument".into(),
            Self::HealthcheckKind { .. } => "write `HEALTHCHECK CMD command` or `HEALTHCHECK NONE`".into(),
            Self::OnbuildTrigger { .. } => "remove the `ONBUILD`".into(),
            Self::FromExpansion { .. } => {
                "name a stage: `FROM $IMAGE AS name` below a global `ARG`, then `COPY --from=name`".into()
            }
            Self::NoSuchStage { .. } => "name the stage with `AS`, and copy from the name".into(),
            Self::Port { .. } => "write it as `8080`, `8080/udp` or `8000-8010`".into(),
            Self::Mount(error) => error.remedy(),
            Self::Expand(error) => error.remedy(),
        }
    }
}

/// How an instruction is written.
fn usage(keyword: Keyword) -> &'static str {
    match keyword {
        Keyword::Add => "ADD source destination",
        Keyword::Arg => "ARG name=default",
        Keyword::Cmd => "CMD [\"program\", \"argument\"]",
        Keyword::Copy => "COPY source destination",
        Keyword::Entrypoint => "ENTRYPOINT [\"program\", \"argument\"]",
        Keyword::Env => "ENV name=value",
        Keyword::Expose => "EXPOSE port",
        Keyword::From => "FROM image AS name",
        Keyword::Healthcheck => "HEALTHCHECK CMD command",
        Keyword::Label => "LABEL name=value",
        Keyword::Maintainer => "LABEL org.opencontainers.image.authors=name",
        Keyword::Onbuild => "ONBUILD instruction",
        Keyword::Run => "RUN command",
        Keyword::Shell => "SHELL [\"/bin/bash\", \"-c\"]",
        Keyword::StopSignal => "STOPSIGNAL signal",
        Keyword::User => "USER name",
        Keyword::Volume => "VOLUME path",
        Keyword::Workdir => "WORKDIR path",
        Keyword::Unknown => "INSTRUCTION argument",
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.reason)
    }
}

impl std::error::Error for ParseError {}

/// Errors on their way to a reader: places are still byte offsets.
#[derive(Debug, Default)]
pub(super) struct Errors {
    pub(super) found: Vec<(Span, Phase, Reason)>,
    /// Inside the instruction of an `ONBUILD`, which BuildKit checks only when it is triggered.
    pub(super) in_trigger: bool,
}

impl Errors {
    /// Something that cannot even be read, in a trigger or not.
    pub(super) fn unreadable(&mut self, span: Span, reason: impl Into<Reason>) {
        self.found.push((span, Phase::Parse, reason.into()));
    }

    /// Something that can be read and makes no sense.
    pub(super) fn refuse(&mut self, span: Span, reason: impl Into<Reason>) {
        let phase = if self.in_trigger { Phase::Trigger } else { Phase::Parse };
        self.found.push((span, phase, reason.into()));
    }

    /// Something that fails only when the stage is built.
    pub(super) fn when_built(&mut self, span: Span, reason: impl Into<Reason>) {
        let phase = if self.in_trigger { Phase::Trigger } else { Phase::Build };
        self.found.push((span, phase, reason.into()));
    }
}
