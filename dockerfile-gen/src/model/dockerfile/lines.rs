//! Physical lines, and the one long line that an instruction makes of several.
//!
//! Input: the text. Output: [`Line`]s, and [`Joined`] with [`View`]s into it. The one idea: everything
//! behind works on the joined text, as BuildKit does, and a [`View`] knows which bytes of the file it shows.

use std::ops::Range;

use super::span::Span;
use super::tree::Word;

/// BuildKit reads lines into a buffer of this many bytes, the line end included.
pub(super) const LONGEST_LINE: usize = 64 * 1024;

/// A line of the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// From 1.
    pub(super) number: usize,
    /// The offset of `text`.
    pub(super) start: usize,
    /// The line without carriage returns and newline at its end, and without a byte order mark at its beginning.
    pub(super) text: &'a str,
    /// The offset behind the newline.
    pub(super) next: usize,
}

impl<'a> Line<'a> {
    /// What is left when the indentation is gone, and its offset.
    pub(super) fn unindented(&self) -> (&'a str, usize) {
        let text = self.text.trim_start();
        (text, self.start + self.text.len() - text.len())
    }

    pub(super) fn is_comment(&self) -> bool {
        self.text.trim_start().starts_with('#')
    }

    pub(super) fn is_blank(&self) -> bool {
        self.text.trim_start().is_empty()
    }

    /// The bytes of `text`.
    pub(super) fn span(&self) -> Span {
        Span::new(self.start, self.start + self.text.len())
    }
}

/// Splits a file into its lines.
pub(super) fn lines(source: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut offset = 0;
    for whole in source.split_inclusive('\n') {
        let (mark, rest) = match whole.strip_prefix('\u{feff}') {
            Some(rest) if offset == 0 => (whole.len() - rest.len(), rest),
            _ => (0, whole),
        };
        let text = rest.trim_end_matches(['\r', '\n']);
        let next = offset + whole.len();
        lines.push(Line { number: lines.len() + 1, start: offset + mark, text, next });
        offset = next;
    }
    lines
}

/// The text without a continuation at its end, and whether there was one.
///
/// An escape before the last one is enough to make it no continuation, even where that one is escaped itself.
pub(super) fn strip_continuation(text: &str, escape: char) -> (&str, bool) {
    match text.trim_end_matches([' ', '\t']).strip_suffix(escape) {
        Some(rest) if !rest.ends_with(escape) => (rest, true),
        _ => (text, false),
    }
}

/// The text of an instruction in one line.
#[derive(Clone, Debug, Default)]
pub(super) struct Joined {
    text: String,
    /// Where pieces of it begin: the offset in `text` and that in the file.
    pieces: Vec<(usize, usize)>,
}

impl Joined {
    /// Adds a piece of the file that begins at `offset`.
    pub(super) fn push(&mut self, piece: &str, offset: usize) {
        // The first piece counts even if empty, so that there always is a place to point at.
        if !piece.is_empty() || self.pieces.is_empty() {
            self.pieces.push((self.text.len(), offset));
            self.text.push_str(piece);
        }
    }

    pub(super) fn view(&self) -> View<'_> {
        View { joined: self, start: 0, end: self.text.len() }
    }

    /// The place in the file of the byte at `at`.
    fn offset(&self, at: usize) -> usize {
        let index = self.pieces.partition_point(|&(start, _)| start <= at).saturating_sub(1);
        self.pieces.get(index).map_or(0, |&(start, offset)| offset + (at - start))
    }

    fn span(&self, range: Range<usize>) -> Span {
        let start = self.offset(range.start);
        // Counted from the last byte inside, so that a line end behind it is not taken along.
        let end = if range.is_empty() { start } else { self.offset(range.end - 1) + 1 };
        Span::new(start, end)
    }
}

/// A part of a [`Joined`] text.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    joined: &'a Joined,
    start: usize,
    end: usize,
}

impl<'a> View<'a> {
    pub(super) fn text(self) -> &'a str {
        self.joined.text.get(self.start..self.end).unwrap_or_default()
    }

    pub(super) fn is_empty(self) -> bool {
        self.start == self.end
    }

    pub(super) fn span(self) -> Span {
        self.joined.span(self.start..self.end)
    }

    /// A part, by offsets in [`View::text`].
    pub(super) fn part(self, range: Range<usize>) -> Self {
        let start = (self.start + range.start).min(self.end);
        let end = (self.start + range.end).clamp(start, self.end);
        Self { start, end, ..self }
    }

    /// What lies behind an offset in [`View::text`].
    pub(super) fn from(self, at: usize) -> Self {
        self.part(at..self.end - self.start)
    }

    pub(super) fn trim(self) -> Self {
        let text = self.text();
        let start = text.len() - text.trim_start().len();
        self.part(start..start + text.trim().len())
    }

    pub(super) fn word(self) -> Word {
        Word { text: self.text().to_owned(), span: self.span() }
    }

    /// Splits at the first white space; `None` if there is none.
    pub(super) fn split_once(self) -> Option<(Self, Self)> {
        let text = self.text();
        let first = text.find(is_blank)?;
        let rest = text.get(first..).unwrap_or_default();
        let next = rest.find(|c| !is_blank(c)).map_or(text.len(), |at| first + at);
        Some((self.part(0..first), self.from(next)))
    }

    /// The words between white space, with nothing quoted.
    pub(super) fn split_blanks(self) -> Vec<Self> {
        let mut words = Vec::new();
        let mut rest = self;
        while let Some((word, behind)) = rest.split_once() {
            words.push(word);
            rest = behind;
        }
        if !rest.is_empty() {
            words.push(rest);
        }
        words
    }
}

/// White space between the words of an instruction: that of ASCII, where other places know Unicode's.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\u{b}' | '\u{c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_lose_their_ends_and_the_mark() {
        let lines = lines("\u{feff}a\r\nb\r\r\n\n\u{feff}c");
        let texts: Vec<&str> = lines.iter().map(|line| line.text).collect();
        assert_eq!(texts, ["a", "b", "", "\u{feff}c"]);
        assert_eq!((lines[0].start, lines[1].start, lines[3].number), (3, 6, 4));
    }

    #[test]
    fn an_escape_before_the_last_one_makes_it_no_continuation() {
        assert_eq!(strip_continuation("RUN a \\ \t", '\\'), ("RUN a ", true));
        assert_eq!(strip_continuation("RUN a \\\\", '\\'), ("RUN a \\\\", false));
        assert_eq!(strip_continuation("RUN a \\\\\\", '\\'), ("RUN a \\\\\\", false));
        assert_eq!(strip_continuation("\\", '\\'), ("", true));
        assert_eq!(strip_continuation("RUN a \\", '`'), ("RUN a \\", false));
    }

    #[test]
    fn a_view_knows_its_bytes_in_the_file() {
        let source = "RUN a \\\n# c\n  bc";
        let mut joined = Joined::default();
        joined.push("RUN a ", 0);
        joined.push("  bc", 12);
        let view = joined.view();
        assert_eq!(view.text(), "RUN a   bc");
        let words = view.split_blanks();
        assert_eq!(words.iter().map(|word| word.span().text(source)).collect::<Vec<_>>(), ["RUN", "a", "bc"]);
        assert_eq!(view.from(4).span().text(source), "a \\\n# c\n  bc");
        assert_eq!(view.part(0..6).span().text(source), "RUN a ");
    }
}
