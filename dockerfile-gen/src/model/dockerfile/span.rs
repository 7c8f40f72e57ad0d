//! Places in a text.
//!
//! Input: byte offsets. Output: [`Span`] and [`Position`]. The one idea: the tree holds byte offsets only;
//! lines and columns are worked out when somebody has to read them.

/// A range of bytes of the text, the end not included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Span {
    /// The offset of the first byte.
    pub start: usize,
    /// The offset behind the last byte.
    pub end: usize,
}

impl Span {
    /// The bytes from `start` up to `end`; empty at `start` if `end` lies before it.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end: end.max(start) }
    }

    /// The empty place before the byte at `offset`, where something can be put in.
    pub fn at(offset: usize) -> Self {
        Self { start: offset, end: offset }
    }

    /// How many bytes it covers.
    pub fn len(self) -> usize {
        self.end - self.start
    }

    /// Whether it covers nothing.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether `other` lies inside, edges included.
    pub fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// What it covers of `source`; `""` if it does not lie in it.
    pub fn text(self, source: &str) -> &str {
        source.get(self.start..self.end).unwrap_or_default()
    }
}

/// A place as people count: both numbers from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
}

/// Where the lines of a text begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LineIndex {
    starts: Vec<usize>,
}

impl LineIndex {
    pub(super) fn new(source: &str) -> Self {
        let after_newlines = source.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(at, _)| at + 1);
        Self { starts: std::iter::once(0).chain(after_newlines).collect() }
    }

    /// The place of the byte at `offset` of `source`; the end of the text for an offset behind it.
    pub(super) fn position(&self, source: &str, offset: usize) -> Position {
        let offset = offset.min(source.len());
        let line = self.starts.partition_point(|&start| start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or_default();
        let before = source.get(start..offset).unwrap_or_default().trim_start_matches('\u{feff}');
        Position { line, column: before.chars().count() + 1 }
    }

    /// The bytes of the lines from `first` to `last`, counted from 1, with their line ends.
    pub(super) fn lines(&self, source: &str, first: usize, last: usize) -> Span {
        let start_of = |line: usize| self.starts.get(line.saturating_sub(1)).copied().unwrap_or(source.len());
        Span::new(start_of(first), start_of(last + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(text: &str, offset: usize) -> Position {
        LineIndex::new(text).position(text, offset)
    }

    #[test]
    fn columns_count_characters_and_not_bytes() {
        let text = "FROM a\nRUN é x\n";
        let x = text.find('x').unwrap();
        assert_eq!(position(text, x), Position { line: 2, column: 7 });
        assert_eq!(position(text, 0), Position { line: 1, column: 1 });
        assert_eq!(position(text, 99), Position { line: 3, column: 1 });
    }

    #[test]
    fn a_byte_order_mark_is_no_column() {
        assert_eq!(position("\u{feff}FROM a", 3), Position { line: 1, column: 1 });
    }

    #[test]
    fn lines_are_taken_with_their_ends() {
        let text = "a\r\nb\nc";
        let index = LineIndex::new(text);
        assert_eq!(index.lines(text, 1, 2).text(text), "a\r\nb\n");
        assert_eq!(index.lines(text, 3, 3).text(text), "c");
        assert_eq!(index.lines(text, 7, 9).text(text), "");
    }
}
