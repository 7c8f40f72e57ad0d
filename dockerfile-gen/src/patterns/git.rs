//! The patterns of a .gitignore.
//!
//! Rules: <https://git-scm.com/docs/gitignore>. Where that page is silent, this does what git 2.39 was seen to do:
//! bytes are counted, not characters; a pattern that cannot be read matches nothing; stars right behind the literal
//! beginning of a pattern count as `**` between slashes, so that `/a**/b` matches `ab`.

use super::Part;
use super::class::{Ranges, of_bytes, posix};

/// Reads a pattern; `None` if it can match nothing. With `name_only` it is about the last part of a path.
pub(crate) fn parts(pattern: &[u8], name_only: bool) -> Option<Vec<Part>> {
    let literal = pattern.iter().position(|byte| b"*?[\\".contains(byte)).unwrap_or(pattern.len());
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(&byte) = pattern.get(at) {
        at += 1;
        match byte {
            b'*' => {
                let first = at - 1;
                at += pattern[at..].iter().take_while(|&&byte| byte == b'*').count();
                let is_twin = at - first > 1;
                let opens = first == literal || pattern[first - 1] == b'/';
                at += stars(&pattern[at..], is_twin && opens && !name_only, &mut parts);
            }
            b'?' => parts.push(Part::Expression("[^/]".into())),
            b'\\' => {
                parts.push(Part::Literal(vec![*pattern.get(at)?]));
                at += 1;
            }
            b'[' => {
                let (class, len) = class(&pattern[at..])?;
                parts.push(Part::Expression(class));
                at += len;
            }
            byte => parts.push(Part::Literal(vec![byte])),
        }
    }
    Some(parts)
}

/// Adds what stars mean in front of `rest`, and says how much of it they take along.
fn stars(rest: &[u8], any_depth: bool, parts: &mut Vec<Part>) -> usize {
    match rest {
        [b'/', ..] if any_depth => {
            parts.push(Part::Expression("(?:.*/)?".into()));
            1
        }
        [] | [b'\\', b'/', ..] if any_depth => {
            parts.push(Part::Any);
            0
        }
        _ => {
            parts.push(Part::Star);
            0
        }
    }
}

/// Reads a class behind its `[`, and says how long it is; `None` if git cannot read it.
fn class(text: &[u8]) -> Option<(String, usize)> {
    let negated = matches!(text.first(), Some(b'!' | b'^'));
    let start = usize::from(negated);
    let mut at = start;
    let mut ranges = Ranges::new();
    // What a `-` would begin its range with: not a range's end nor a named class.
    let mut before = None;
    loop {
        let byte = *text.get(at)?;
        let next = text.get(at + 1).copied();
        match byte {
            b']' if at > start => break,
            b'\\' => {
                let escaped = u32::from(next?);
                ranges.push((escaped, escaped));
                before = Some(escaped);
                at += 2;
            }
            b'-' if before.is_some() && next.is_some_and(|next| next != b']') => {
                let skip = usize::from(next == Some(b'\\'));
                let high = u32::from(*text.get(at + 1 + skip)?);
                ranges.push((before?, high));
                before = None;
                at += 2 + skip;
            }
            b'[' if next == Some(b':') && named(&text[at + 2..])?.is_some() => {
                let (class, len) = named(&text[at + 2..])??;
                ranges.extend_from_slice(class);
                before = None;
                at += 2 + len;
            }
            byte => {
                ranges.push((u32::from(byte), u32::from(byte)));
                before = Some(u32::from(byte));
                at += 1;
            }
        }
    }
    Some((of_bytes(ranges, negated), at + 1))
}

type Named = Option<(&'static [(u32, u32)], usize)>;

/// Reads a named class behind its `[:`. The outer `None` spoils the pattern, the inner one means that it is none.
fn named(text: &[u8]) -> Option<Named> {
    let end = text.iter().position(|&byte| byte == b']')?;
    let Some(name) = text[..end].strip_suffix(b":") else { return Some(None) };
    Some(Some((posix(std::str::from_utf8(name).ok()?)?, end + 1)))
}
