//! Paths and globs as Go reads them, since BuildKit is written in Go.
//!
//! Input: the text of a path or glob. Output: [`clean`]ed paths, and [`GoGlob`]. The one idea: a star takes as few
//! characters as lets the literals behind it match, and never gives that up, as in Go's `path.Match`; so a class that
//! matches a `/` (`[^x]` does) finds here what it finds there. <https://pkg.go.dev/path#Match>

use crate::model::glob::class::Class;

/// The shortest path that means the same, as Go's `path.Clean`: `.` for nothing, leading `..` kept.
pub(crate) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

/// `path` seen from the root of a file system that it cannot leave, without the leading slash; `""` is the root.
pub(crate) fn rooted(path: &str) -> String {
    clean(&format!("/{path}")).split_off(1)
}

/// Whether a star, a question mark or a class stands in `text`.
pub(crate) fn has_wildcard(text: &str) -> bool {
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => {
                chars.next();
            }
            '*' | '?' | '[' => return true,
            _ => {}
        }
    }
    false
}

/// A glob for whole paths, as Go's `path.Match` reads it.
#[derive(Clone, Debug)]
pub(crate) struct GoGlob(Vec<Token>);

#[derive(Clone, Debug)]
enum Token {
    Star,
    Any,
    Class(Class),
    One(char),
}

impl GoGlob {
    /// Reads `pattern`; `None` if it is malformed.
    pub(crate) fn new(pattern: &str) -> Option<Self> {
        let (tokens, rest) = tokens(pattern);
        rest.is_empty().then_some(Self(tokens))
    }

    /// Whether all of `name` matches.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let (mut tokens, mut name) = (self.0.as_slice(), name);
        while !tokens.is_empty() {
            let (star, chunk, rest) = split_chunk(tokens);
            tokens = rest;
            if chunk.is_empty() {
                return !name.contains('/');
            }
            let Some(left) = find(chunk, name, star, rest.is_empty()) else { return false };
            name = left;
        }
        name.is_empty()
    }
}

/// Whether moby refuses `pattern` as malformed. It tries the pattern on `.` and looks no further than the part behind a
/// star at which that fails, so what is wrong behind it goes unseen.
pub(crate) fn is_refused(pattern: &str) -> bool {
    let (tokens, rest) = tokens(pattern);
    if rest.is_empty() {
        return false;
    }
    let last_star = tokens.iter().rposition(|token| matches!(token, Token::Star)).unwrap_or_default();
    let (mut seen, mut name) = (&tokens[..last_star], ".");
    while !seen.is_empty() {
        let (star, chunk, rest) = split_chunk(seen);
        seen = rest;
        let Some(left) = find(chunk, name, star, false) else { return false };
        name = left;
    }
    true
}

/// Reads `pattern` up to what is malformed, and gives that.
fn tokens(pattern: &str) -> (Vec<Token>, &str) {
    let mut tokens = Vec::new();
    let mut rest = pattern;
    while let Some(char) = rest.chars().next() {
        let after = &rest[char.len_utf8()..];
        let (token, after) = match char {
            '*' => (Token::Star, after),
            '?' => (Token::Any, after),
            '[' => match class(after) {
                Some((class, after)) => (Token::Class(class), after),
                None => return (tokens, rest),
            },
            '\\' => match after.chars().next() {
                Some(escaped) => (Token::One(escaped), &after[escaped.len_utf8()..]),
                None => return (tokens, rest),
            },
            char => (Token::One(char), after),
        };
        tokens.push(token);
        rest = after;
    }
    (tokens, rest)
}

/// Splits into whether a star stands in front, what follows up to the next star, and the rest.
fn split_chunk(tokens: &[Token]) -> (bool, &[Token], &[Token]) {
    let stars = tokens.iter().take_while(|token| matches!(token, Token::Star)).count();
    let rest = &tokens[stars..];
    let end = rest.iter().position(|token| matches!(token, Token::Star)).unwrap_or(rest.len());
    let (chunk, rest) = rest.split_at(end);
    (stars > 0, chunk, rest)
}

/// Finds the first place in `name` where `chunk` matches, in front or behind what a star may take, and gives what is
/// left behind it. The last chunk must leave nothing.
fn find<'n>(chunk: &[Token], name: &'n str, star: bool, is_last: bool) -> Option<&'n str> {
    let mut from = name;
    loop {
        if let Some(left) = begin(chunk, from)
            && (left.is_empty() || !is_last)
        {
            return Some(left);
        }
        let skipped = from.chars().next()?;
        if !star || skipped == '/' {
            return None;
        }
        from = &from[skipped.len_utf8()..];
    }
}

fn begin<'n>(chunk: &[Token], name: &'n str) -> Option<&'n str> {
    let mut chars = name.chars();
    for token in chunk {
        let char = chars.next()?;
        let fits = match token {
            Token::Star => false,
            Token::Any => char != '/',
            Token::Class(class) => class.has(u32::from(char)),
            Token::One(one) => *one == char,
        };
        if !fits {
            return None;
        }
    }
    Some(chars.as_str())
}

fn class(text: &str) -> Option<(Class, &str)> {
    let negated = text.starts_with('^');
    let mut rest = &text[usize::from(negated)..];
    let mut ranges = Vec::new();
    loop {
        if let Some(after) = rest.strip_prefix(']')
            && !ranges.is_empty()
        {
            return Some((Class::new(ranges, negated, true), after));
        }
        let (low, after) = member(rest)?;
        let (high, after) = match after.strip_prefix('-') {
            Some(after) => member(after)?,
            None => (low, after),
        };
        ranges.push((u32::from(low), u32::from(high)));
        rest = after;
    }
}

fn member(text: &str) -> Option<(char, &str)> {
    if text.starts_with(['-', ']']) {
        return None;
    }
    let text = text.strip_prefix('\\').unwrap_or(text);
    let char = text.chars().next()?;
    Some((char, &text[char.len_utf8()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned() {
        let cases = [
            ("", "."),
            ("a//b/", "a/b"),
            ("./a", "a"),
            ("a/..", "."),
            ("../a", "../a"),
            ("a/../../b", "../b"),
            ("/", "/"),
            ("/../a", "/a"),
            ("//a", "/a"),
            ("../../a", "../../a"),
        ];
        for (path, cleaned) in cases {
            assert_eq!(clean(path), cleaned, "{path}");
        }
        assert_eq!(rooted("../../a/./b"), "a/b");
        assert_eq!(rooted("."), "");
    }

    #[test]
    fn globs_are_read_as_in_go() {
        let cases = [
            ("*.txt", "a.txt", true),
            ("*.txt", "d/a.txt", false),
            ("**/b", "a/b", true),
            ("**/b", "x/a/b", false),
            ("d[^x]a", "d/a", true),
            ("[a-c]?", "bx", true),
            ("[a-c]?", "b/", false),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("*a*b*c", "xaxbxc", true),
            ("*a*b*c", "xaxbx", false),
            ("[]", "]", false),
            ("br[[]x]", "br[x]", true),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("*ü?", "üxü", false),
            ("*ü?", "xüü", true),
        ];
        for (pattern, name, expected) in cases {
            let found = GoGlob::new(pattern).is_some_and(|glob| glob.matches(name));
            assert_eq!(found, expected, "{pattern} {name}");
        }
        assert!(!is_refused("a*[]a]") && is_refused(".*[]a]") && is_refused("*[]a]"));
        for malformed in ["[", "[a", "[]a]", "[a-]", "[-a]", "a\\", "[a\\", "[^]"] {
            assert!(GoGlob::new(malformed).is_none() && is_refused(malformed), "{malformed}");
        }
    }
}
