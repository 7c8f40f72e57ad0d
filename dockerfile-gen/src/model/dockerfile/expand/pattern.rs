//! The patterns of `${name#pattern}`, `${name%pattern}` and `${name/pattern/text}`.
//!
//! Input: a pattern and a value. Output: the value without, or with a replacement for, what matches. The
//! one idea: BuildKit turns patterns into regular expressions, so `*` and `?` stop at line ends, there are
//! no `[…]`, and the suffix is cut by turning both texts round.

use std::collections::HashSet;

use super::outcome::ExpandError;

/// How many places of a value may be compared with places of a pattern, all attempts together.
const MAX_STEPS: usize = 1 << 20;

/// One element of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    /// `*`
    Any,
    /// `?`
    One,
    Char(char),
}

/// Cuts the shortest, or the longest, beginning that matches.
pub(super) fn trim_prefix(pattern: &str, value: &str, longest: bool) -> Result<String, ExpandError> {
    let tokens = tokens(pattern)?;
    let value: Vec<char> = value.chars().collect();
    let mut matcher = Matcher { tokens: &tokens, value: &value, greedy: longest, steps: 0 };
    let end = matcher.end_at(0, &mut HashSet::new())?.unwrap_or_default();
    Ok(value.get(end..).unwrap_or_default().iter().collect())
}

/// Cuts the shortest, or the longest, end that matches.
pub(super) fn trim_suffix(pattern: &str, value: &str, longest: bool) -> Result<String, ExpandError> {
    let turned: String = value.chars().rev().collect();
    let rest = trim_prefix(&turn_round(pattern), &turned, longest)?;
    Ok(rest.chars().rev().collect())
}

/// Replaces the first match; or all of them, where the replacement is a template in which `$0` is the match.
pub(super) fn replace(pattern: &str, value: &str, with: &str, all: bool) -> Result<String, ExpandError> {
    let tokens = tokens(pattern)?;
    let value: Vec<char> = value.chars().collect();
    let mut matcher = Matcher { tokens: &tokens, value: &value, greedy: true, steps: 0 };
    let part = |from: usize, to: usize| value.get(from..to).unwrap_or_default().iter().collect::<String>();
    let (mut out, mut copied, mut search) = (String::new(), 0, 0);
    while let Some((start, end)) = matcher.find(search)? {
        out.push_str(&part(copied, start));
        // An empty match right behind the last match is none.
        if end > copied || start == 0 {
            match all {
                true => out.push_str(&fill(with, &part(start, end))),
                false => out.push_str(with),
            }
        }
        copied = end;
        if !all {
            break;
        }
        search = end.max(search + 1);
        if search > value.len() {
            break;
        }
    }
    out.push_str(&part(copied, value.len()));
    Ok(out)
}

/// Fills a replacement for all matches: Go's regular expressions read `$name`, `${name}` and `$$` in it.
fn fill(template: &str, matched: &str) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        let (open, inside) = match after.strip_prefix('{') {
            Some(inside) => (true, inside),
            None => (false, after),
        };
        let length = inside.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(inside.len());
        let (name, behind) = inside.split_at(length);
        let behind = if open { behind.strip_prefix('}') } else { Some(behind) };
        match behind {
            Some(behind) if !name.is_empty() => {
                // There are no groups, so every other name or number is empty.
                if name == "0" {
                    out.push_str(matched);
                }
                rest = behind;
            }
            _ => {
                out.push('$');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn tokens(pattern: &str) -> Result<Vec<Token>, ExpandError> {
    let mut tokens = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' => {
                if tokens.last() != Some(&Token::Any) {
                    tokens.push(Token::Any);
                }
            }
            '?' => tokens.push(Token::One),
            // The escape before these two was needed to get them past `${…}`.
            '\\' if matches!(chars.peek(), Some('}' | '/')) => {}
            '\\' => match chars.next() {
                Some(c @ ('*' | '?' | '\\')) => tokens.push(Token::Char(c)),
                _ => return Err(ExpandError::Pattern(pattern.to_owned())),
            },
            c => tokens.push(Token::Char(c)),
        }
    }
    Ok(tokens)
}

/// The pattern from its end to its beginning, with each escape still before its character.
fn turn_round(pattern: &str) -> String {
    let mut pieces: Vec<String> = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        let escaped = if c == '\\' { chars.next() } else { None };
        pieces.push([Some(c), escaped].into_iter().flatten().collect());
    }
    pieces.into_iter().rev().collect()
}

struct Matcher<'a> {
    tokens: &'a [Token],
    value: &'a [char],
    greedy: bool,
    steps: usize,
}

impl Matcher<'_> {
    /// The first match at or behind `from`.
    fn find(&mut self, from: usize) -> Result<Option<(usize, usize)>, ExpandError> {
        // What failed from one start fails from every later one.
        let mut failed = HashSet::new();
        for start in from..=self.value.len() {
            if let Some(end) = self.end_at(start, &mut failed)? {
                return Ok(Some((start, end)));
            }
        }
        Ok(None)
    }

    /// The end of the match that begins at `start`: of several, the one that a backtracking matcher finds first.
    fn end_at(&mut self, start: usize, failed: &mut HashSet<(usize, usize)>) -> Result<Option<usize>, ExpandError> {
        let mut open = vec![(0, start)];
        while let Some((token, at)) = open.pop() {
            if !failed.insert((token, at)) {
                continue;
            }
            self.steps += 1;
            if self.steps > MAX_STEPS {
                return Err(ExpandError::TooLarge);
            }
            let here = self.value.get(at).copied();
            match self.tokens.get(token) {
                None => return Ok(Some(at)),
                Some(Token::Char(c)) if here == Some(*c) => open.push((token + 1, at + 1)),
                Some(Token::One) if here.is_some_and(|c| c != '\n') => open.push((token + 1, at + 1)),
                Some(Token::Any) => {
                    let longer = here.is_some_and(|c| c != '\n').then_some((token, at + 1));
                    let shorter = Some((token + 1, at));
                    let order = if self.greedy { [shorter, longer] } else { [longer, shorter] };
                    open.extend(order.into_iter().flatten());
                }
                Some(Token::Char(_) | Token::One) => {}
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_cut_short_or_long() {
        assert_eq!(trim_prefix("*/", "a/b/c", false).unwrap(), "b/c");
        assert_eq!(trim_prefix("*/", "a/b/c", true).unwrap(), "c");
        assert_eq!(trim_prefix("x", "a/b/c", true).unwrap(), "a/b/c");
        assert_eq!(trim_prefix("*", "a\nb", true).unwrap(), "\nb");
    }

    #[test]
    fn a_suffix_is_cut_short_or_long() {
        assert_eq!(trim_suffix(".*", "1.2.3", false).unwrap(), "1.2");
        assert_eq!(trim_suffix(".*", "1.2.3", true).unwrap(), "1");
        assert_eq!(trim_suffix("\\**", "xx**", true).unwrap(), "xx");
        assert_eq!(trim_suffix("?é", "aöé", true).unwrap(), "a");
    }

    #[test]
    fn matches_are_replaced_once_or_always() {
        assert_eq!(replace("/?/", "/a/b/c/", "-", false).unwrap(), "-b/c/");
        assert_eq!(replace("a", "banana", "o", true).unwrap(), "bonono");
        assert_eq!(replace("", "ab", "-", true).unwrap(), "-a-b-");
        assert_eq!(replace("*", "ab", "-", true).unwrap(), "-");
    }

    #[test]
    fn the_replacement_of_all_matches_is_a_template() {
        assert_eq!(replace("a", "ba", "[$0$1$$]", true).unwrap(), "b[a$]");
        assert_eq!(replace("a", "ba", "[${0}]", true).unwrap(), "b[a]");
        assert_eq!(replace("a", "ba", "$-${x", true).unwrap(), "b$-${x");
        assert_eq!(replace("a", "ba", "$0", false).unwrap(), "b$0");
    }

    #[test]
    fn a_backslash_before_an_ordinary_character_is_refused() {
        assert_eq!(trim_prefix("\\x", "x", true), Err(ExpandError::Pattern("\\x".into())));
        assert!(trim_prefix("x\\", "x", true).is_err());
        assert_eq!(trim_prefix("\\}\\/", "}/x", true).unwrap(), "x");
    }

    #[test]
    fn a_pattern_that_would_take_hours_is_refused() {
        let pattern = "*a".repeat(50);
        assert_eq!(trim_prefix(&pattern, &"a".repeat(100), true).unwrap(), "");
        assert_eq!(
            trim_prefix(&format!("{}b", "*a".repeat(3000)), &"a".repeat(6000), true),
            Err(ExpandError::TooLarge)
        );
    }
}
