//! Text of a project, as a message may show it.
//!
//! Input: any text. Output: the same, with every character that a terminal obeys instead of showing it spelled as
//! `\u{1b}`. The one idea: there is one list of such characters, and every message passes it.

use std::borrow::Cow;
use std::fmt;

/// Whether a terminal, a CI log or an editor would do something else than show the character: control characters of all
/// kinds (an escape sequence starts with one), and those that turn the direction of text around or hide it.
///
/// Source of the second kind: <https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing>.
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// One line of text: what is invisible is spelled, line breaks too.
///
/// ```
/// use dockerfile_gen::visible::line;
/// assert_eq!(line("a\u{1b}[2J\nb"), "a\\u{1b}[2J\\nb");
/// ```
pub fn line(text: &str) -> Cow<'_, str> {
    match text.chars().any(is_invisible) {
        true => Cow::Owned(text.chars().map(Spelled).map(|c| c.to_string()).collect()),
        false => Cow::Borrowed(text),
    }
}

/// Text of several lines, such as a difference or what a compiler says: its line breaks and tabs stay.
///
/// ```
/// use dockerfile_gen::visible::lines;
/// assert_eq!(lines("a\u{202e}\n\tb\r\n"), "a\\u{202e}\n\tb\\r\n");
/// ```
pub fn lines(text: &str) -> Cow<'_, str> {
    let stays = |c: char| matches!(c, '\n' | '\t');
    if !text.chars().any(|c| is_invisible(c) && !stays(c)) {
        return Cow::Borrowed(text);
    }
    let spell = |c: char| if stays(c) { c.to_string() } else { Spelled(c).to_string() };
    Cow::Owned(text.chars().map(spell).collect())
}

/// The message of an error, which may have lines.
pub(crate) fn message(text: fmt::Arguments<'_>) -> String {
    lines(&text.to_string()).into_owned()
}

/// JSON with what is invisible spelled as JSON spells it: it only occurs inside of strings, and means the same there.
///
/// ```
/// let text = serde_json::json!({"name": "a\u{7f}\u{202e}"}).to_string();
/// let shown = dockerfile_gen::visible::json(&text);
/// assert_eq!(shown, r#"{"name":"a\u007f\u202e"}"#);
/// assert_eq!(serde_json::from_str::<serde_json::Value>(&shown)?, serde_json::from_str::<serde_json::Value>(&text)?);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn json(text: &str) -> Cow<'_, str> {
    let spelled = |c: char| is_invisible(c) && c != '\n';
    if !text.chars().any(spelled) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match spelled(c) {
            true => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| shown.push_str(&format!("\\u{unit:04x}"))),
            false => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// A character, spelled if it is invisible.
struct Spelled(char);

impl fmt::Display for Spelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            '\n' => f.write_str("\\n"),
            '\r' => f.write_str("\\r"),
            '\t' => f.write_str("\\t"),
            c if is_invisible(c) => write!(f, "{}", c.escape_unicode()),
            c => write!(f, "{c}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        let all: String = (0..=0x10_ffff).filter_map(char::from_u32).collect();
        assert!(!line(&all).chars().any(is_invisible));
        assert!(!lines(&all).chars().any(|c| is_invisible(c) && c != '\n' && c != '\t'));
        for c in ["\u{1b}", "\u{9b}", "\u{7f}", "\r", "\u{8}", "\u{85}", "\u{202e}", "\u{2066}", "\u{2028}"] {
            assert!(line(c).starts_with('\\'), "{c:?}");
        }
    }

    #[test]
    fn what_people_write_is_shown_as_it_is() {
        for text in ["ü 日本語 ‘q’ é", "👩\u{200d}💻", "C:\\dir", ""] {
            assert!(matches!(line(text), Cow::Borrowed(_)), "{text}");
        }
    }
}
