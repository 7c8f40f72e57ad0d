//! One line of a .dockerignore as moby's patternmatcher v0.6.0 reads it.
//!
//! Input: a pattern without `!`. Output: [`DockerPattern`]. moby turns a glob into an expression for Go, and so does this;
//! [`super::go_regexp`] reads that expression. <https://pkg.go.dev/github.com/moby/patternmatcher>

use super::{Pattern, Reason, after, before, go_regexp};

/// A pattern, and how moby tries it. Which way it is shows: `**.md` matches whatever ends in `.md`, and only an
/// expression sees `|` as more than a character.
#[derive(Clone, Debug)]
pub(crate) enum DockerPattern {
    Exact(String),
    Prefix(String),
    Suffix(String),
    Expression(Pattern),
}

impl DockerPattern {
    pub(crate) fn new(pattern: &str) -> Result<Self, Reason> {
        let (way, expression) = translate(pattern);
        Ok(match way {
            Way::Exact => Self::Exact(pattern.to_owned()),
            Way::Prefix => Self::Prefix(pattern[..pattern.len() - "**".len()].to_owned()),
            Way::Suffix => Self::Suffix(pattern["**".len()..].to_owned()),
            Way::Expression => Self::Expression(go_regexp::read(&expression)?),
        })
    }

    pub(crate) fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(text) => path == text,
            Self::Prefix(text) => after(path.as_bytes(), text.as_bytes()).is_some(),
            // `**/foo` matches `foo` too.
            Self::Suffix(text) => {
                before(path.as_bytes(), text.as_bytes()).is_some() || text.strip_prefix('/') == Some(path)
            }
            Self::Expression(pattern) => pattern.matches(path),
        }
    }
}

/// Writes `pattern` as the expression that moby hands to Go, and says how moby tries it.
fn translate(pattern: &str) -> (Way, String) {
    let mut expression = String::from("^");
    let mut way = Way::Exact;
    let mut chars = pattern.chars().peekable();
    let mut is_first = true;
    while let Some(char) = chars.next() {
        match char {
            '*' if chars.next_if_eq(&'*').is_some() => {
                chars.next_if_eq(&'/');
                way = match (chars.peek().is_none(), way) {
                    (true, Way::Exact) => Way::Prefix,
                    (true, _) => {
                        expression.push_str(".*");
                        Way::Expression
                    }
                    (false, _) => {
                        expression.push_str("(.*/)?");
                        Way::Expression
                    }
                };
                if is_first {
                    way = Way::Suffix;
                }
            }
            '*' => {
                expression.push_str("[^/]*");
                way = Way::Expression;
            }
            '?' => {
                expression.push_str("[^/]");
                way = Way::Expression;
            }
            '.' | '+' | '(' | ')' | '$' => expression.extend(['\\', char]),
            '\\' => {
                expression.push('\\');
                if let Some(escaped) = chars.next() {
                    expression.push(escaped);
                    way = Way::Expression;
                }
            }
            '[' | ']' => {
                expression.push(char);
                way = Way::Expression;
            }
            char => expression.push(char),
        }
        is_first = false;
    }
    (way, format!("{expression}$"))
}

/// How a pattern is tried.
#[derive(Clone, Copy)]
enum Way {
    Exact,
    Prefix,
    Suffix,
    Expression,
}
