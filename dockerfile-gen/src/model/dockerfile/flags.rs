//! The `--name=value` words in front of the arguments.
//!
//! Input: what stands behind the keyword. Output: [`Flag`]s and the rest. The one idea: splitting them is
//! the same for all instructions and happens first; what an instruction takes is a table.

use super::duration;
use super::error::{Errors, Reason};
use super::keyword::{Keyword, nearest};
use super::lines::View;
use super::mount::{self, Device};
use super::span::Span;
use super::tree::{Flag, Word};

/// Splits the flags off. Quotes and escapes in them are resolved here, and nowhere later.
///
/// BuildKit reads them byte by byte, and so spoils what is not ASCII; here it stays what it is.
pub(super) fn split(view: View<'_>, escape: char) -> (Vec<Flag>, View<'_>) {
    let mut flags = Vec::new();
    let mut rest = view;
    loop {
        let text = rest.text();
        let start = text.len() - text.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\u{b}').len();
        if !text.get(start..).is_some_and(|text| text.starts_with("--")) {
            return (flags, rest.from(start));
        }
        let (word, length) = resolve(text.get(start..).unwrap_or_default(), escape);
        let behind = rest.from(start + length);
        if word.text == "--" {
            return (flags, behind);
        }
        flags.push(flag(&word, rest.part(start..start + length)));
        rest = behind;
    }
}

/// A flag without its quotes and escapes.
#[derive(Default)]
struct Resolved {
    text: String,
    /// Where the first `=` is in `text`, and behind it in what was written.
    equals: Option<(usize, usize)>,
}

/// Reads one flag from the beginning of `text`, and says how long it is as written.
fn resolve(text: &str, escape: char) -> (Resolved, usize) {
    let mut word = Resolved::default();
    let mut quote = None;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match (c, quote) {
            (c, None) if c.is_whitespace() => return (word, at),
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            // Even between single quotes, unlike everywhere else. At the end it is dropped.
            (c, _) if c == escape => word.text.extend(chars.next().map(|(_, c)| c)),
            (c, _) => {
                if c == '=' && word.equals.is_none() {
                    word.equals = Some((word.text.len(), at + 1));
                }
                word.text.push(c);
            }
        }
    }
    (word, text.len())
}

fn flag(word: &Resolved, written: View<'_>) -> Flag {
    let span = written.span();
    let (name, value) = match word.text.split_once('=') {
        Some((name, value)) => {
            // Without a place of its own, as the `=` is escaped, the value stands where the flag does.
            let value_span = match word.equals {
                Some((equals, behind)) if equals == name.len() => written.from(behind).span(),
                _ => span,
            };
            (name, Some(Word { text: value.to_owned(), span: value_span }))
        }
        None => (word.text.as_str(), None),
    };
    Flag { name: name.strip_prefix("--").unwrap_or(name).to_owned(), value, span }
}

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    /// Nothing, `true` or `false`.
    Switch,
    /// Any text.
    Text,
    /// Any text, and the flag may be repeated.
    Texts,
    /// A time such as `1m30s`.
    Duration,
    /// A whole number, 0 or more.
    Count,
    /// A network mode.
    Network,
    /// A security mode.
    Security,
    Mount,
    Device,
}

/// The flags that the newest BuildKit knows; an older one refuses some of them.
fn known(keyword: Keyword) -> &'static [(&'static str, Takes)] {
    match keyword {
        Keyword::Add => &[
            ("checksum", Takes::Text),
            ("chmod", Takes::Text),
            ("chown", Takes::Text),
            ("exclude", Takes::Texts),
            ("keep-git-dir", Takes::Switch),
            ("link", Takes::Switch),
            ("unpack", Takes::Switch),
        ],
        Keyword::Copy => &[
            ("chmod", Takes::Text),
            ("chown", Takes::Text),
            ("exclude", Takes::Texts),
            ("from", Takes::Text),
            ("link", Takes::Switch),
            ("parents", Takes::Switch),
        ],
        Keyword::From => &[("platform", Takes::Text)],
        Keyword::Healthcheck => &[
            ("interval", Takes::Duration),
            ("retries", Takes::Count),
            ("start-interval", Takes::Duration),
            ("start-period", Takes::Duration),
            ("timeout", Takes::Duration),
        ],
        Keyword::Run => &[
            ("device", Takes::Device),
            ("mount", Takes::Mount),
            ("network", Takes::Network),
            ("security", Takes::Security),
        ],
        Keyword::Arg
        | Keyword::Cmd
        | Keyword::Entrypoint
        | Keyword::Env
        | Keyword::Expose
        | Keyword::Label
        | Keyword::Maintainer
        | Keyword::Onbuild
        | Keyword::Shell
        | Keyword::StopSignal
        | Keyword::User
        | Keyword::Volume
        | Keyword::Workdir
        | Keyword::Unknown => &[],
    }
}

/// Reports the flags that BuildKit refuses.
pub(super) fn check(keyword: Keyword, flags: &[Flag], errors: &mut Errors) {
    // For these it never looks at them.
    if matches!(keyword, Keyword::Arg | Keyword::StopSignal | Keyword::Unknown) {
        return;
    }
    let known = known(keyword);
    for (index, flag) in flags.iter().enumerate() {
        let Some((_, takes)) = known.iter().find(|(name, _)| *name == flag.name) else {
            let similar = nearest(&flag.name, known.iter().map(|(name, _)| *name));
            errors.refuse(flag.span, Reason::UnknownFlag { keyword, flag: flag.name.clone(), similar });
            continue;
        };
        let repeats = matches!(takes, Takes::Texts | Takes::Mount | Takes::Device);
        if !repeats && flags.iter().take(index).any(|earlier| earlier.name == flag.name) {
            errors.refuse(flag.span, Reason::DuplicateFlag { flag: flag.name.clone() });
        }
        match (&flag.value, takes) {
            (None, Takes::Switch) => {}
            (None, _) => errors.refuse(flag.span, Reason::FlagWithoutValue { flag: flag.name.clone() }),
            (Some(value), takes) => check_value(flag, value, *takes, errors),
        }
    }
}

fn check_value(flag: &Flag, value: &Word, takes: Takes, errors: &mut Errors) {
    let text = value.text.as_str();
    let span = if value.text.is_empty() { flag.span } else { value.span };
    let wanted = match takes {
        Takes::Switch if text.is_empty() => {
            return errors.refuse(span, Reason::FlagWithoutValue { flag: flag.name.clone() });
        }
        Takes::Switch if !["true", "false"].contains(&text.to_lowercase().as_str()) => "`true` or `false`",
        Takes::Network if !["default", "none", "host"].contains(&text) => "`default`, `none` or `host`",
        Takes::Security if !["sandbox", "insecure"].contains(&text) => "`sandbox` or `insecure`",
        Takes::Duration if !text.is_empty() && !duration::is_interval(text) => {
            "a time of a millisecond or more, such as `1m30s`"
        }
        Takes::Count if !text.is_empty() && !is_count(text) => "a whole number, 0 or more",
        Takes::Mount => return check_mount(span, mount::check_unexpanded(text), errors),
        Takes::Device => return check_mount(span, Device::parse(text).map(|_| ()), errors),
        _ => return,
    };
    errors.refuse(span, Reason::FlagValue { flag: flag.name.clone(), wanted, found: text.to_owned() });
}

fn check_mount(span: Span, result: Result<(), mount::MountError>, errors: &mut Errors) {
    if let Err(error) = result {
        errors.refuse(span, error);
    }
}

/// A number that fits 32 bits and is not negative.
fn is_count(text: &str) -> bool {
    text.parse::<i32>().is_ok_and(|count| count >= 0)
}
