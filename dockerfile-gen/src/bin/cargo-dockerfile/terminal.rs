//! All printing: data to stdout, everything else to stderr.
//!
//! Input: lines for people, and data. Output: none. The one idea: a project's text is never obeyed. What a message is
//! made of passes [`visible`] and [`tokens::conceal`], only styles of [`Style`] do not; data passes as it is where it is not shown on a terminal.
//!
//! A closed or full stream is no reason to stop: a reader that has read enough (`| head`) is fine, and stderr has nobody
//! to tell. Only a full stdout is an error, when all else is done: [`finish`] gives it.

use std::cell::Cell;
use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

use dockerfile_gen::secrets::tokens;
use dockerfile_gen::visible;
use serde_json::Value;

/// A style of a message: `{BOLD}name{BOLD:#}`. It only works in [`line!`] and [`note!`] themselves, because text that
/// was put together before is a project's as likely as ours.
pub(crate) struct Style(anstyle::Style);

pub(crate) const BOLD: Style = Style(anstyle::Style::new().bold());
pub(crate) const DIM: Style = Style(anstyle::Style::new().dimmed());
pub(crate) const GOOD: Style = colour(anstyle::AnsiColor::Green);
pub(crate) const WARN: Style = colour(anstyle::AnsiColor::Yellow);
pub(crate) const BAD: Style = colour(anstyle::AnsiColor::Red);

const fn colour(colour: anstyle::AnsiColor) -> Style {
    Style(colour.on_default().bold())
}

thread_local! {
    /// Whether a [`Style`] is being written, and not the text between styles.
    static IS_STYLE: Cell<bool> = const { Cell::new(false) };
}

impl fmt::Display for Style {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        IS_STYLE.set(true);
        let done = fmt::Display::fmt(&self.0, f);
        IS_STYLE.set(false);
        done
    }
}

/// Collects one line, in which all but styles is spelled visibly.
struct Line(String);

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        match IS_STYLE.get() {
            true => self.0.push_str(text),
            false => self.0.push_str(&visible::line(&tokens::conceal(text))),
        }
        Ok(())
    }
}

fn shown(text: fmt::Arguments<'_>) -> String {
    let mut line = Line(String::new());
    // Writing into a string succeeds; an error could only come from a `Display` of ours that gives up, and what it
    // wrote until then is shown.
    let _ = line.write_fmt(text);
    line.0.push('\n');
    line.0
}

/// The first reason why stdout does not take what is printed.
static FULL: Mutex<Option<io::Error>> = Mutex::new(None);

fn keep(done: io::Result<()>) {
    if let Err(error) = done {
        FULL.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}

fn is_full() -> bool {
    FULL.lock().unwrap_or_else(PoisonError::into_inner).is_some()
}

/// Prints one line to stdout: what a subcommand was asked for.
pub(crate) fn print_line(text: fmt::Arguments<'_>) {
    if !is_full() {
        keep(anstream::stdout().write_all(shown(text).as_bytes()));
    }
}

/// Prints one line to stderr: what people should know besides.
pub(crate) fn print_note(text: fmt::Arguments<'_>) {
    // There is nobody left to tell that nobody can be told.
    let _ = anstream::stderr().write_all(shown(text).as_bytes());
}

/// Prints one line to stdout.
macro_rules! line {
    ($($text:tt)*) => { $crate::terminal::print_line(format_args!($($text)*)) };
}

/// Prints one line to stderr.
macro_rules! note {
    ($($text:tt)*) => { $crate::terminal::print_note(format_args!($($text)*)) };
}

pub(crate) use {line, note};

/// Prints an error, a warning or a hint. What follows the first line is set apart, so that a text with line breaks
/// cannot pass for a message of its own.
pub(crate) fn message(style: &Style, kind: &str, text: &str) {
    for (index, line) in text.lines().enumerate() {
        match index {
            0 => note!("{style}{kind}{style:#}: {line}"),
            _ => note!("{DIM}{:>1$}{DIM:#} {line}", "|", kind.len() + 1),
        }
    }
}

/// Prints a file's text to stdout, byte for byte unless a terminal would obey it.
pub(crate) fn data(text: &str) {
    let mut out = io::stdout().lock();
    let is_terminal = out.is_terminal();
    if !is_full() {
        let text = if is_terminal { visible::lines(text) } else { text.into() };
        keep(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
    }
}

/// Prints a difference to stdout.
pub(crate) fn diff(text: &str) {
    data(&visible::lines(text));
}

/// Prints JSON to stdout.
pub(crate) fn json(value: &Value) {
    data(&visible::json(&format!("{value:#}\n")));
}

/// Ends printing.
///
/// # Errors
/// What kept stdout from taking all that was printed, unless its reader went away.
pub(crate) fn finish() -> io::Result<()> {
    keep(io::stdout().flush());
    match FULL.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_styles_reach_a_terminal() {
        let text = "a\u{1b}[1mb\nc\u{7f}";
        assert_eq!(shown(format_args!("{BOLD}{text}{BOLD:#}")), "\u{1b}[1ma\\u{1b}[1mb\\nc\\u{7f}\u{1b}[0m\n");
        assert_eq!(shown(format_args!("{text:>11}")), "  a\\u{1b}[1mb\\nc\\u{7f}\n");
        let earlier = format!("{BOLD}x");
        assert_eq!(shown(format_args!("{earlier}")), "\\u{1b}[1mx\n");
    }
}
