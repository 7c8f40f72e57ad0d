//! Globs for whole paths as Go's `path.Match` reads them: the sources of `COPY`, and `go:embed`.
//!
//! Input: the text of a glob. Output: [`GoGlob`]. In Go, a star takes as few characters as let the pieces up to the next
//! star match, and never gives that up. That shows only where a class matches a `/` (`[^x]` does): then each piece is an
//! expression of its own. <https://pkg.go.dev/path#Match>

use super::class::of_chars;
use super::{Compiled, Part, Pattern, Reason, expression};

/// A glob for whole paths.
#[derive(Clone, Debug)]
pub(crate) enum GoGlob {
    Whole(Pattern),
    Pieces(Vec<Compiled>),
}

impl GoGlob {
    /// Reads `pattern`; an error if it is malformed.
    pub(crate) fn new(pattern: &str) -> Result<Self, Reason> {
        let tokens = tokens(pattern);
        if !tokens.rest.is_empty() {
            return Err(MALFORMED);
        }
        Ok(if tokens.crosses_slashes {
            Self::Pieces(pieces(&tokens.parts, true)?)
        } else {
            Self::Whole(Pattern::new(tokens.parts)?)
        })
    }

    /// Whether all of `name` matches.
    pub(crate) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Whole(pattern) => pattern.matches(name),
            Self::Pieces(pieces) => takes(pieces, name) == Some(name.len()),
        }
    }
}

pub(crate) const MALFORMED: Reason = "malformed class or escape";

/// Whether moby refuses `pattern` as malformed. It tries the pattern on `.` and looks no further than the part behind a
/// star at which that fails, so what is wrong behind it goes unseen.
pub(crate) fn is_refused(pattern: &str) -> bool {
    let tokens = tokens(pattern);
    if tokens.rest.is_empty() {
        return false;
    }
    let last_star = tokens.parts.iter().rposition(|part| *part == Part::Star).unwrap_or_default();
    pieces(&tokens.parts[..last_star], false).is_ok_and(|pieces| takes(&pieces, ".").is_some())
}

/// The expressions of what lies between stars, each with the stars in front of it; with `whole`, the last must reach the
/// end.
fn pieces(parts: &[Part], whole: bool) -> Result<Vec<Compiled>, Reason> {
    let mut pieces = Vec::new();
    let mut rest = parts;
    while !rest.is_empty() {
        let stars = rest.iter().take_while(|part| **part == Part::Star).count();
        let end = rest[stars..].iter().position(|part| *part == Part::Star).map_or(rest.len(), |end| stars + end);
        let skip = if stars > 0 { "[^/]*?" } else { "" };
        let (piece, after) = (expression(&rest[stars..end]), &rest[end..]);
        let end = if whole && after.is_empty() { r"\z" } else { "" };
        pieces.push(Compiled::new(format!(r"\A{skip}{piece}{end}"))?);
        rest = after;
    }
    Ok(pieces)
}

/// How many bytes of `name` the pieces take, one after the other; `None` if one finds no place.
fn takes(pieces: &[Compiled], name: &str) -> Option<usize> {
    let mut taken = 0;
    for piece in pieces {
        taken += piece.get()?.find(&name.as_bytes()[taken..])?.end();
    }
    Some(taken)
}

/// A pattern up to what is malformed.
struct Tokens<'p> {
    parts: Vec<Part>,
    /// Whether a class may match a `/`.
    crosses_slashes: bool,
    rest: &'p str,
}

fn tokens(pattern: &str) -> Tokens<'_> {
    let mut tokens = Tokens { parts: Vec::new(), crosses_slashes: false, rest: pattern };
    while let Some(char) = tokens.rest.chars().next() {
        let after = &tokens.rest[char.len_utf8()..];
        let (part, after) = match char {
            '*' => (Part::Star, after),
            '?' => (Part::Expression("(?u:[^/])".into()), after),
            '[' => match class(after) {
                Some((class, crosses_slashes, after)) => {
                    tokens.crosses_slashes |= crosses_slashes;
                    (Part::Expression(class), after)
                }
                None => return tokens,
            },
            '\\' => match after.chars().next() {
                Some(escaped) => (Part::char(escaped), &after[escaped.len_utf8()..]),
                None => return tokens,
            },
            char => (Part::char(char), after),
        };
        tokens.parts.push(part);
        tokens.rest = after;
    }
    tokens
}

/// Reads a class behind its `[`: its expression, whether it matches a `/`, and what follows.
fn class(text: &str) -> Option<(String, bool, &str)> {
    let negated = text.starts_with('^');
    let mut rest = &text[usize::from(negated)..];
    let mut ranges = Vec::new();
    loop {
        if let Some(after) = rest.strip_prefix(']')
            && !ranges.is_empty()
        {
            let has_slash = ranges.iter().any(|&(low, high)| (low..=high).contains(&u32::from('/')));
            return Some((of_chars(ranges, negated, true), has_slash != negated, after));
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
            let found = GoGlob::new(pattern).is_ok_and(|glob| glob.matches(name));
            assert_eq!(found, expected, "{pattern} {name}");
        }
        assert!(!is_refused("a*[]a]") && is_refused(".*[]a]") && is_refused("*[]a]"));
        for malformed in ["[", "[a", "[]a]", "[a-]", "[-a]", "a\\", "[a\\", "[^]"] {
            assert!(GoGlob::new(malformed).is_err() && is_refused(malformed), "{malformed}");
        }
    }
}
