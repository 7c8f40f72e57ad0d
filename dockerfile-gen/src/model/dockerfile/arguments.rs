//! What stands behind the flags of an instruction.
//!
//! Input: a keyword and a [`View`]. Output: [`Arguments`]. The one idea: each instruction has its own way to
//! split words, taken over from BuildKit as it is; what cannot be made sense of is reported and becomes
//! [`Arguments::Unknown`].

use std::ops::Range;

use super::error::{Errors, Reason};
use super::expand::unquote;
use super::heredoc;
use super::json::{self, Form};
use super::keyword::Keyword;
use super::lines::View;
use super::tree::{Arguments, Command, Declaration, Healthcheck, Pair, Source, Transfer, Word};

/// Reads the arguments of any instruction but `ONBUILD`.
pub(super) fn read(keyword: Keyword, view: View<'_>, escape: char, errors: &mut Errors) -> Arguments {
    let read = match keyword {
        Keyword::Add => transfer(keyword, view, errors).map(Arguments::Add),
        Keyword::Arg => declarations(view, escape, errors).map(Arguments::Arg),
        Keyword::Cmd => command(keyword, view, errors).map(Arguments::Cmd),
        Keyword::Copy => transfer(keyword, view, errors).map(Arguments::Copy),
        Keyword::Entrypoint => command(keyword, view, errors).map(Arguments::Entrypoint),
        Keyword::Env => pairs(keyword, view, escape, errors).map(Arguments::Env),
        Keyword::Expose => at_least_one(keyword, words(view), view, errors).map(Arguments::Expose),
        Keyword::From => from(view, errors),
        Keyword::Healthcheck => healthcheck(view, errors).map(Arguments::Healthcheck),
        Keyword::Label => pairs(keyword, view, escape, errors).map(Arguments::Label),
        Keyword::Maintainer => exactly_one(keyword, view, errors).map(Arguments::Maintainer),
        Keyword::Run => command(keyword, view, errors).map(Arguments::Run),
        Keyword::Shell => shell(view, errors).map(Arguments::Shell),
        Keyword::StopSignal => exactly_one(keyword, view, errors).map(Arguments::StopSignal),
        Keyword::User => exactly_one(keyword, view, errors).map(Arguments::User),
        Keyword::Volume => volume(view, errors),
        Keyword::Workdir => exactly_one(keyword, view, errors).map(Arguments::Workdir),
        Keyword::Onbuild | Keyword::Unknown => None,
    };
    read.unwrap_or(Arguments::Unknown)
}

fn words(view: View<'_>) -> Vec<Word> {
    view.split_blanks().into_iter().map(View::word).collect()
}

/// The words of a JSON array; `None` if it is none, and an error if it holds other things than strings.
fn json_words(keyword: Keyword, view: View<'_>, errors: &mut Errors) -> Result<Option<Vec<Word>>, ()> {
    match json::form(view.text()) {
        Form::Other => Ok(None),
        Form::Strings(strings) => {
            let word = |(text, range): (String, Range<usize>)| Word { text, span: view.part(range).span() };
            Ok(Some(strings.into_iter().map(word).collect()))
        }
        Form::Mixed => {
            errors.unreadable(view.span(), Reason::NotStrings { keyword });
            Err(())
        }
    }
}

fn command(keyword: Keyword, view: View<'_>, errors: &mut Errors) -> Option<Command> {
    let words = json_words(keyword, view, errors).ok()?;
    Some(words.map_or_else(|| Command::Shell(view.word()), Command::Exec))
}

fn shell(view: View<'_>, errors: &mut Errors) -> Option<Vec<Word>> {
    let keyword = Keyword::Shell;
    match json_words(keyword, view, errors).ok()? {
        Some(words) => at_least_one(keyword, words, view, errors),
        None if view.is_empty() => at_least_one(keyword, Vec::new(), view, errors),
        None => {
            errors.refuse(view.span(), Reason::ShellNotJson);
            None
        }
    }
}

fn at_least_one(keyword: Keyword, words: Vec<Word>, view: View<'_>, errors: &mut Errors) -> Option<Vec<Word>> {
    if words.is_empty() {
        errors.refuse(view.span(), Reason::ArgumentCount { keyword, wanted: "at least one argument", found: 0 });
        return None;
    }
    Some(words)
}

fn exactly_one(keyword: Keyword, view: View<'_>, errors: &mut Errors) -> Option<Word> {
    if view.is_empty() {
        errors.refuse(view.span(), Reason::ArgumentCount { keyword, wanted: "one argument", found: 0 });
        return None;
    }
    Some(view.word())
}

fn from(view: View<'_>, errors: &mut Errors) -> Option<Arguments> {
    let mut words = words(view).into_iter();
    match (words.next(), words.next(), words.next(), words.len()) {
        (Some(image), None, None, 0) => Some(Arguments::From { image, as_name: None }),
        (Some(image), Some(keyword), Some(name), 0) if keyword.text.eq_ignore_ascii_case("as") => {
            if !is_stage_name(&name.text) {
                errors.refuse(name.span, Reason::StageName { name: name.text.clone() });
            }
            Some(Arguments::From { image, as_name: Some(name) })
        }
        (image, second, third, more) => {
            let found = [image, second, third].into_iter().flatten().count() + more;
            let reason = Reason::ArgumentCount { keyword: Keyword::From, wanted: "`image` or `image AS name`", found };
            errors.refuse(view.span(), reason);
            None
        }
    }
}

/// Names are put into small letters before they are looked at.
fn is_stage_name(name: &str) -> bool {
    let name = name.to_lowercase();
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.'))
}

fn transfer(keyword: Keyword, view: View<'_>, errors: &mut Errors) -> Option<Transfer> {
    let (mut words, json_form) = match json_words(keyword, view, errors).ok()? {
        Some(words) => (words, true),
        None => (words(view), false),
    };
    let found = words.len();
    let dest = words.pop().filter(|_| found >= 2);
    let Some(dest) = dest else {
        let wanted = "at least one source and a destination";
        errors.refuse(view.span(), Reason::ArgumentCount { keyword, wanted, found });
        return None;
    };
    if let Ok(Some(_)) = heredoc::announcement(&dest.text) {
        errors.refuse(dest.span, Reason::HeredocDestination { keyword });
    }
    // Which heredoc it is gets known when the bodies are read. Here a word in a JSON array counts too.
    let source = |word: Word| match heredoc::announcement(&word.text) {
        Ok(Some(heredoc)) => Source::Heredoc { word, name: heredoc.delimiter, index: None },
        _ => Source::Path(word),
    };
    Some(Transfer { sources: words.into_iter().map(source).collect(), dest, json_form })
}

fn volume(view: View<'_>, errors: &mut Errors) -> Option<Arguments> {
    let keyword = Keyword::Volume;
    let (paths, json_form) = match json_words(keyword, view, errors).ok()? {
        Some(words) => (words, true),
        None => (words(view), false),
    };
    let paths = at_least_one(keyword, paths, view, errors)?;
    if let Some(empty) = paths.iter().find(|path| path.text.trim().is_empty()) {
        errors.refuse(empty.span, Reason::EmptyVolume);
    }
    Some(Arguments::Volume { paths, json_form })
}

fn healthcheck(view: View<'_>, errors: &mut Errors) -> Option<Healthcheck> {
    let text = view.text();
    let is_space = |c: char| c.is_ascii_whitespace() || c == '\u{b}';
    let first = text.find(is_space).unwrap_or(text.len());
    let behind = text.get(first..).unwrap_or_default();
    let spaces = behind.len() - behind.trim_start_matches(is_space).len();
    let (kind, rest) = (view.part(0..first), view.from(first + spaces));
    let keyword = Keyword::Healthcheck;
    // The command is read whatever the kind, and may be no valid array even then.
    let command = command(keyword, rest, errors);
    match kind.text().to_uppercase().as_str() {
        "NONE" if rest.is_empty() || command == Some(Command::Exec(Vec::new())) => Some(Healthcheck::None),
        "NONE" => {
            let found = if let Some(Command::Exec(words)) = command { words.len() } else { 1 };
            errors.refuse(rest.span(), Reason::ArgumentCount { keyword, wanted: "nothing behind `NONE`", found });
            None
        }
        "CMD" if rest.is_empty() || command == Some(Command::Exec(Vec::new())) => {
            errors.refuse(view.span(), Reason::ArgumentCount { keyword, wanted: "a command behind `CMD`", found: 0 });
            None
        }
        "CMD" => command.map(Healthcheck::Cmd),
        "" => {
            errors.refuse(view.span(), Reason::ArgumentCount { keyword, wanted: "`CMD command` or `NONE`", found: 0 });
            None
        }
        _ => {
            errors.refuse(kind.span(), Reason::HealthcheckKind { found: kind.text().to_owned() });
            None
        }
    }
}

fn declarations(view: View<'_>, escape: char, errors: &mut Errors) -> Option<Vec<Declaration>> {
    let words = quoted_words(view, escape);
    if words.is_empty() {
        let reason = Reason::ArgumentCount { keyword: Keyword::Arg, wanted: "at least one argument", found: 0 };
        errors.refuse(view.span(), reason);
        return None;
    }
    let mut declarations = Vec::new();
    for word in words {
        let Some((name, default)) = split_equals(word) else {
            declarations.push(Declaration { name: word.word(), default: None, unquoted: None });
            continue;
        };
        if name.is_empty() {
            errors.refuse(word.span(), Reason::BlankName { keyword: Keyword::Arg });
        }
        let unquoted = Some(unquote(default.text(), escape));
        declarations.push(Declaration { name: name.word(), default: Some(default.word()), unquoted });
    }
    Some(declarations)
}

fn pairs(keyword: Keyword, view: View<'_>, escape: char, errors: &mut Errors) -> Option<Vec<Pair>> {
    let words = quoted_words(view, escape);
    let Some(first) = words.first() else {
        errors.refuse(view.span(), Reason::ArgumentCount { keyword, wanted: "at least one argument", found: 0 });
        return None;
    };
    if !first.text().contains('=') {
        let Some((key, value)) = view.split_once() else {
            errors.unreadable(view.span(), Reason::NoValue { keyword, name: view.text().to_owned() });
            return None;
        };
        return Some(vec![pair(key, value, escape, true)]);
    }
    let mut pairs = Vec::new();
    for word in words {
        match split_equals(word) {
            Some((key, value)) => {
                if key.is_empty() {
                    errors.refuse(word.span(), Reason::BlankName { keyword });
                }
                pairs.push(pair(key, value, escape, false));
            }
            None => errors.unreadable(word.span(), Reason::NoEquals { word: word.text().to_owned() }),
        }
    }
    Some(pairs)
}

fn pair(key: View<'_>, value: View<'_>, escape: char, legacy: bool) -> Pair {
    Pair { key: key.word(), value: value.word(), unquoted: unquote(value.text(), escape), legacy }
}

fn split_equals(view: View<'_>) -> Option<(View<'_>, View<'_>)> {
    let equals = view.text().find('=')?;
    Some((view.part(0..equals), view.from(equals + 1)))
}

/// The words between white space that is neither quoted nor escaped. Quotes and escapes stay.
fn quoted_words(view: View<'_>, escape: char) -> Vec<View<'_>> {
    let mut words = Vec::new();
    let mut start = None;
    let mut quote = None;
    let mut end = view.text().len();
    let mut chars = view.text().char_indices();
    while let Some((at, c)) = chars.next() {
        if quote.is_none() && c.is_whitespace() {
            words.extend(start.take().map(|start| view.part(start..at)));
            continue;
        }
        let first = *start.get_or_insert(at);
        // Between single quotes nothing is escaped. At the end an escape is dropped.
        if c == escape && quote != Some('\'') {
            if chars.next().is_none() {
                end = at;
                start = (first < at).then_some(first);
            }
            continue;
        }
        quote = match (c, quote) {
            ('\'' | '"', None) => Some(c),
            (c, Some(open)) if c == open => None,
            _ => quote,
        };
    }
    words.extend(start.map(|start| view.part(start..end)));
    words
}
