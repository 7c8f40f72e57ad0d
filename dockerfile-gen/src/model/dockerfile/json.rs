//! JSON arrays of strings, as in `CMD ["a", "b"]`.
//!
//! Input: the arguments of an instruction. Output: [`Form`]. The one idea: BuildKit tries JSON first and
//! silently takes what is no JSON for a shell line, so the border between the two must lie where Go's
//! decoder puts it; and every string must know where it stood.

use std::ops::Range;

/// Go's decoder follows arrays and objects no deeper; what is deeper is no JSON to it.
const MAX_DEPTH: usize = 10_000;

/// What a text is to Go's JSON decoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// An array of nothing but strings, with the place of each, quotes included.
    Strings(Vec<(String, Range<usize>)>),
    /// An array with something else in it, which BuildKit refuses.
    Mixed,
    /// No JSON array.
    Other,
}

/// Decides what `text` is.
pub(super) fn form(text: &str) -> Form {
    let trimmed = text.trim_start();
    if !trimmed.starts_with('[') {
        return Form::Other;
    }
    let mut reader = Reader { text: text.as_bytes(), source: text, at: text.len() - trimmed.len() };
    reader.array().unwrap_or(Form::Other)
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Value,
    /// A value, or the end of an empty array.
    ValueOrEnd,
    /// A comma or the end.
    Comma,
    Key,
    /// A key, or the end of an empty object.
    KeyOrEnd,
}

struct Reader<'a> {
    text: &'a [u8],
    source: &'a str,
    at: usize,
}

impl Reader<'_> {
    /// Reads the array and all that is in it; `None` if it is no JSON.
    fn array(&mut self) -> Option<Form> {
        let mut strings = Vec::new();
        let mut mixed = false;
        // The closing characters of what is open, so that depth costs no stack.
        let mut open = vec![b']'];
        let mut next = Next::ValueOrEnd;
        self.at += 1;
        while let Some(&close) = open.last() {
            self.blanks();
            let start = self.at;
            let byte = self.take()?;
            match (byte, next) {
                (b']' | b'}', Next::Comma | Next::ValueOrEnd | Next::KeyOrEnd) if byte == close => {
                    open.pop();
                    next = Next::Comma;
                }
                (b',', Next::Comma) => next = if close == b']' { Next::Value } else { Next::Key },
                (b'"', Next::Key | Next::KeyOrEnd) => {
                    self.string()?;
                    self.blanks();
                    if self.take()? != b':' {
                        return None;
                    }
                    next = Next::Value;
                }
                (b'[' | b'{', Next::Value | Next::ValueOrEnd) => {
                    mixed = true;
                    open.push(if byte == b'[' { b']' } else { b'}' });
                    if open.len() > MAX_DEPTH {
                        return None;
                    }
                    next = if byte == b'[' { Next::ValueOrEnd } else { Next::KeyOrEnd };
                }
                (b'"', Next::Value | Next::ValueOrEnd) => {
                    let text = self.string()?;
                    strings.push((text, start..self.at));
                    next = Next::Comma;
                }
                (_, Next::Value | Next::ValueOrEnd) => {
                    self.at = start;
                    self.literal()?;
                    mixed = true;
                    next = Next::Comma;
                }
                _ => return None,
            }
        }
        self.blanks();
        if self.at < self.text.len() {
            return None;
        }
        Some(if mixed { Form::Mixed } else { Form::Strings(strings) })
    }

    fn take(&mut self) -> Option<u8> {
        let byte = self.text.get(self.at).copied()?;
        self.at += 1;
        Some(byte)
    }

    fn blanks(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// `true`, `false`, `null` or a number that a double can hold.
    fn literal(&mut self) -> Option<()> {
        let rest = self.text.get(self.at..)?;
        if let Some(word) = [&b"true"[..], b"false", b"null"].into_iter().find(|word| rest.starts_with(word)) {
            self.at += word.len();
            return Some(());
        }
        let start = self.at;
        if self.text.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        if self.text.get(self.at) == Some(&b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.text.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.text.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        let number: f64 = self.source.get(start..self.at)?.parse().ok()?;
        number.is_finite().then_some(())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    /// Reads a string behind its opening quote.
    fn string(&mut self) -> Option<String> {
        let mut out = String::new();
        loop {
            let start = self.at;
            while self.text.get(self.at).is_some_and(|&byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
                self.at += 1;
            }
            out.push_str(self.source.get(start..self.at)?);
            match self.take()? {
                b'"' => return Some(out),
                b'\\' => out.push(self.escaped()?),
                _ => return None,
            }
        }
    }

    fn escaped(&mut self) -> Option<char> {
        Some(match self.take()? {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            b'u' => {
                let first = self.hex()?;
                let mark = self.at;
                // Two halves make one character; a half alone is the replacement character, not an error.
                if (0xd800..0xdc00).contains(&first) && self.take() == Some(b'\\') && self.take() == Some(b'u') {
                    let second = self.hex()?;
                    if (0xdc00..0xe000).contains(&second) {
                        return char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
                    }
                }
                self.at = mark;
                char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return None,
        })
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.source.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(text: &str) -> Vec<String> {
        match form(text) {
            Form::Strings(strings) => strings.into_iter().map(|(text, _)| text).collect(),
            other => panic!("{text} is {other:?}"),
        }
    }

    #[test]
    fn strings_are_decoded() {
        assert_eq!(strings(r#" [ "a" ,"b\n\"\\\/" ] "#), ["a", "b\n\"\\/"]);
        assert_eq!(strings(r#"["\u00e9\ud83d\ude00"]"#), ["é😀"]);
        assert_eq!(strings(r#"["\ud83dx", "\ude00"]"#), ["\u{fffd}x", "\u{fffd}"]);
        assert_eq!(strings("[]"), Vec::<String>::new());
    }

    #[test]
    fn places_include_the_quotes() {
        let text = r#"["a", "é"]"#;
        let Form::Strings(strings) = form(text) else { panic!() };
        assert_eq!(strings.iter().map(|(_, at)| &text[at.clone()]).collect::<Vec<_>>(), ["\"a\"", "\"é\""]);
    }

    #[test]
    fn other_values_make_it_mixed() {
        for text in ["[1]", "[\"a\", null]", "[[\"a\"]]", "[{\"a\":[true,-0.5e+3]},\"b\"]", "[{}]", "[[]]"] {
            assert_eq!(form(text), Form::Mixed, "{text}");
        }
    }

    #[test]
    fn what_go_cannot_decode_is_a_shell_line() {
        for text in [
            "",
            "a",
            "{}",
            "[",
            "[a]",
            "['a']",
            "[\"a\"",
            "[\"a\",]",
            "[,]",
            "[\"a\" \"b\"]",
            "[\"a\"] x",
            "[1e999]",
            "[01]",
            "[\"\\x\"]",
            "[\"\t\"]",
            "[{1:2}]",
            "[{\"a\"}]",
            "[\"a\"}",
            "[\"\\u12\"]",
            "[ -x foo ]",
        ] {
            assert_eq!(form(text), Form::Other, "{text}");
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(form(&nested(10_000)), Form::Mixed);
        assert_eq!(form(&nested(10_001)), Form::Other);
        assert_eq!(form(&"[".repeat(1_000_000)), Form::Other);
    }
}
