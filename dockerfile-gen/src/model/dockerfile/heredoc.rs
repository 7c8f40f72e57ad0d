//! Heredocs: where they are announced, and their bodies.
//!
//! Input: the joined line of an instruction, and the lines behind it. Output: [`Heredoc`]s. The one idea:
//! BuildKit splits the whole line as a shell would, always with a backslash as escape, and looks at each
//! word; a line that cannot be split has none.

use super::error::{Errors, Reason};
use super::expand::{self, ExpandError, Mode};
use super::lines::{Line, View};
use super::span::Span;
use super::tree::Heredoc;

/// A word such as `<<-EOF`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Announced {
    pub(super) delimiter: String,
    expand: bool,
    strip_tabs: bool,
    fd: Option<u64>,
}

/// The heredocs that `line` announces, with the place of each word.
pub(super) fn announced(line: View<'_>, errors: &mut Errors) -> Vec<(Announced, Span)> {
    if !line.text().contains("<<") {
        return Vec::new();
    }
    let mode = Mode { keep_quotes: true, keep_escapes: true, keep_unset: true, ..Mode::word('\\') };
    let mut found = Vec::new();
    for piece in expand::pieces(line.text(), mode).unwrap_or_default() {
        let span = line.part(piece.start..piece.end).span();
        match announcement(&piece.text) {
            Ok(Some(heredoc)) => found.push((heredoc, span)),
            Ok(None) => {}
            Err(source) => errors.unreadable(span, Reason::HeredocDelimiter { word: piece.text, source }),
        }
    }
    found
}

/// Reads a word as the announcement of a heredoc; `None` if it is none.
pub(super) fn announcement(word: &str) -> Result<Option<Announced>, ExpandError> {
    let digits = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
    let (fd, rest) = word.split_at(digits);
    let Some(rest) = rest.strip_prefix("<<") else { return Ok(None) };
    let (strip_tabs, rest) = rest.strip_prefix('-').map_or((false, rest), |rest| (true, rest));
    let rest = rest.trim_start_matches([' ', '\t', '\r', '\n', '\u{c}']);
    if rest.is_empty() || rest.contains('<') {
        return Ok(None);
    }
    let mode = Mode::unquote('\\');
    let plain = expand::pieces(rest, mode)?;
    let [plain] = plain.as_slice() else { return Ok(None) };
    let raw = expand::pieces(rest, Mode { keep_quotes: true, ..mode })?;
    // A quote that is there only as long as quotes are kept did quote something.
    let quotes = |text: &str| text.matches(['\'', '"']).count();
    let expand = raw.first().is_some_and(|raw| quotes(&raw.text) == quotes(&plain.text));
    let fd = if fd.is_empty() { None } else { Some(fd.parse().unwrap_or(u64::MAX)) };
    Ok(Some(Announced { delimiter: plain.text.clone(), expand, strip_tabs, fd }))
}

/// Takes the bodies of `announced` from the lines that begin at `next`, and moves `next` behind them.
///
/// Without its delimiter a body goes on to the end of the file.
pub(super) fn bodies(
    announced: Vec<(Announced, Span)>,
    source: &str,
    lines: &[Line<'_>],
    next: &mut usize,
    errors: &mut Errors,
) -> Vec<Heredoc> {
    let mut heredocs = Vec::new();
    for (heredoc, word) in announced {
        let Announced { delimiter, expand, strip_tabs, fd } = heredoc;
        let start = lines.get(*next).map_or(source.len(), |line| line.start);
        let mut body_end = start;
        let mut end = None;
        while let Some(line) = lines.get(*next) {
            *next += 1;
            let text = if strip_tabs { line.text.trim_start_matches('\t') } else { line.text };
            if text == delimiter {
                end = Some(line.span());
                break;
            }
            body_end = line.next;
        }
        if end.is_none() {
            errors.unreadable(word, Reason::UnterminatedHeredoc { delimiter: delimiter.clone() });
        }
        let body_span = Span::new(start, body_end);
        let body = body_span.text(source).to_owned();
        heredocs.push(Heredoc { delimiter, expand, strip_tabs, fd, word, body, body_span, end });
    }
    heredocs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delimiter(word: &str) -> Option<String> {
        announcement(word).unwrap().map(|heredoc| heredoc.delimiter)
    }

    #[test]
    fn a_word_is_a_heredoc_only_in_one_form() {
        assert_eq!(delimiter("<<EOF").as_deref(), Some("EOF"));
        assert_eq!(delimiter("<< EOF").as_deref(), Some("EOF"));
        assert_eq!(delimiter("<<-EOF>x").as_deref(), Some("EOF>x"));
        assert_eq!(delimiter("<<'a b'").as_deref(), Some("a b"));
        assert_eq!(delimiter("<<$X").as_deref(), Some("$X"));
        for word in ["", "<<", "<<-", "<EOF", "<<<EOF", "<<a b", "x<<EOF", "<<''", "<<a<b"] {
            assert_eq!(delimiter(word), None, "{word}");
        }
        assert!(announcement("<<'EOF").is_err());
    }

    #[test]
    fn a_quoted_delimiter_stops_expansion_and_an_escaped_one_does_not() {
        let expands = |word: &str| announcement(word).unwrap().unwrap().expand;
        assert!(expands("<<EOF") && expands("<<E\\'F"));
        assert!(!expands("<<'EOF'") && !expands("<<E\"O\"F"));
    }

    #[test]
    fn the_number_in_front_is_kept() {
        let fd = |word: &str| announcement(word).unwrap().unwrap().fd;
        assert_eq!(
            (fd("3<<EOF"), fd("<<EOF"), fd(&format!("{}<<EOF", "9".repeat(30)))),
            (Some(3), None, Some(u64::MAX))
        );
    }
}
