//! How a word is expanded, what becomes of it, and why it may not be.

use std::collections::BTreeSet;

/// Looks up a variable; `None` if it is not set.
pub type Env<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// How a text is to be expanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    /// The character that takes the meaning from the next one.
    pub escape: char,
    /// Whether quotes quote and stay in the result.
    pub keep_quotes: bool,
    /// Whether escapes escape and stay in the result.
    pub keep_escapes: bool,
    /// Whether quotes are characters like any other.
    pub ignore_quotes: bool,
    /// Whether variables that are not set stay in the result as they were written.
    pub keep_unset: bool,
}

impl Mode {
    /// How arguments are expanded: quotes and escapes go, unset variables become empty.
    pub fn word(escape: char) -> Self {
        Self { escape, keep_quotes: false, keep_escapes: false, ignore_quotes: false, keep_unset: false }
    }

    /// How bodies of heredocs are expanded: quotes stay, and the escape is always a backslash.
    pub fn body() -> Self {
        Self { ignore_quotes: true, ..Self::word('\\') }
    }

    /// Takes quotes and escapes away and leaves variables alone.
    pub fn unquote(escape: char) -> Self {
        Self { keep_unset: true, ..Self::word(escape) }
    }
}

/// What became of a word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expansion {
    /// The whole text.
    pub text: String,
    /// The text split at white space that is not quoted, variables split too.
    pub words: Vec<String>,
    /// The variables that were looked up and are set.
    pub used: BTreeSet<String>,
    /// The variables that were looked up and are not set.
    pub missing: BTreeSet<String>,
}

/// Why a word cannot be expanded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpandError {
    /// A quote or a part of `${…}` that is not ended.
    #[error("no closing `{0}`")]
    Unclosed(char),
    /// `${}`, `${:…}` and the like.
    #[error("no name of a variable after `${{`")]
    NoName,
    /// `${name=value}` and the like.
    #[error("`{0}` is no modifier of a variable")]
    Modifier(String),
    /// `${name?message}` of a variable that is not set, or is empty with `:?`.
    #[error("{name}: {message}")]
    Required {
        /// The variable.
        name: String,
        /// What the Dockerfile says about it.
        message: String,
    },
    /// A pattern with a backslash before an ordinary character.
    #[error("`{0}` is no pattern: a backslash may stand before `*`, `?`, `/`, `}}` and a backslash only")]
    Pattern(String),
    /// A pattern or a nesting that would take too long.
    #[error("too complicated to expand")]
    TooLarge,
}

impl ExpandError {
    /// Says what to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Unclosed(close) => format!("add the `{close}`, or escape the character that opens it"),
            Self::NoName => "name a variable, or escape the `$`".into(),
            Self::Modifier(_) => "use one of `:-` `:+` `:?` `-` `+` `?` `#` `##` `%` `%%` `/` `//`".into(),
            Self::Required { name, .. } => format!("set `{name}`, for example with `--build-arg {name}=value`"),
            Self::Pattern(_) => "remove the backslash, or double it".into(),
            Self::TooLarge => "use fewer wildcards and fewer nested variables".into(),
        }
    }
}
