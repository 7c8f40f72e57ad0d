//! Reads a text character by character.
//!
//! Input: a text, a [`Mode`] and variables. Output: the expanded text and its words. The one idea: BuildKit
//! keeps the word under construction in one buffer that a nested `${…:-…}` empties, and anything that must
//! agree with BuildKit on what is a heredoc has to lose the same characters.

use std::collections::BTreeSet;

use super::outcome::{Env, ExpandError, Expansion, Mode};
use super::pattern;

/// How deep `${a:-${b:-…}}` may nest.
const MAX_DEPTH: usize = 64;

/// A word and the bytes of the text that it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The words of `text`, with their places.
pub(crate) fn pieces(text: &str, mode: Mode) -> Result<Vec<Piece>, ExpandError> {
    let mut lexer = Lexer::new(text, mode, &|_| None);
    lexer.until(None, mode.keep_escapes).map(|(_, words)| words)
}

pub(super) fn expand(text: &str, mode: Mode, env: &Env<'_>) -> Result<Expansion, ExpandError> {
    let mut lexer = Lexer::new(text, mode, env);
    let (text, words) = lexer.until(None, mode.keep_escapes)?;
    let words = words.into_iter().map(|word| word.text).collect();
    Ok(Expansion { text, words, used: lexer.used, missing: lexer.missing })
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    mode: Mode,
    env: &'a Env<'a>,
    /// Whether escapes stay, which patterns decide for themselves.
    keep_escapes: bool,
    /// The word under construction, shared by all levels.
    word: String,
    depth: usize,
    used: BTreeSet<String>,
    missing: BTreeSet<String>,
}

/// The words of one level.
#[derive(Default)]
struct Words {
    done: Vec<Piece>,
    inside: bool,
    start: usize,
    end: usize,
}

impl<'a> Lexer<'a> {
    fn new(text: &'a str, mode: Mode, env: &'a Env<'a>) -> Self {
        // Go's scanner drops a byte order mark in front.
        let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let (used, missing) = (BTreeSet::new(), BTreeSet::new());
        Self { text, at, mode, env, keep_escapes: mode.keep_escapes, word: String::new(), depth: 0, used, missing }
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Reads up to `stop`, which is taken too, or to the end.
    fn until(&mut self, stop: Option<char>, keep_escapes: bool) -> Result<(String, Vec<Piece>), ExpandError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ExpandError::TooLarge);
        }
        let outer = std::mem::replace(&mut self.keep_escapes, keep_escapes);
        self.word.clear();
        let result = self.level(stop);
        self.keep_escapes = outer;
        self.depth -= 1;
        result
    }

    fn level(&mut self, stop: Option<char>) -> Result<(String, Vec<Piece>), ExpandError> {
        let mut result = String::new();
        let mut words = Words::default();
        while let Some(c) = self.peek() {
            let start = self.at;
            match c {
                c if stop == Some(c) => {
                    self.next();
                    self.finish(&mut words);
                    return Ok((result, words.done));
                }
                '$' => {
                    let value = self.dollar()?;
                    result.push_str(&value);
                    for c in value.chars() {
                        self.add(&mut words, c, start);
                    }
                }
                '<' => {
                    let value = self.less_than();
                    result.push_str(&value);
                    self.add_raw(&mut words, &value, start);
                }
                '\'' | '"' if !self.mode.ignore_quotes => {
                    let value = if c == '"' { self.double_quoted()? } else { self.single_quoted()? };
                    result.push_str(&value);
                    self.add_raw(&mut words, &value, start);
                }
                c if c == self.mode.escape => {
                    self.next();
                    if self.keep_escapes {
                        result.push(c);
                        self.add_raw(&mut words, c.encode_utf8(&mut [0; 4]), start);
                    }
                    let Some(c) = self.next() else { break };
                    result.push(c);
                    self.add_raw(&mut words, c.encode_utf8(&mut [0; 4]), start);
                }
                c => {
                    self.next();
                    result.push(c);
                    self.add(&mut words, c, start);
                }
            }
        }
        match stop {
            Some(stop) => Err(ExpandError::Unclosed(stop)),
            None => {
                self.finish(&mut words);
                Ok((result, words.done))
            }
        }
    }

    /// Adds a character that ends the word if it is white space.
    fn add(&mut self, words: &mut Words, c: char, start: usize) {
        if !c.is_whitespace() {
            self.add_raw(words, c.encode_utf8(&mut [0; 4]), start);
        } else if words.inside && !self.word.is_empty() {
            self.finish(words);
        }
    }

    fn add_raw(&mut self, words: &mut Words, text: &str, start: usize) {
        self.word.push_str(text);
        if !words.inside {
            words.start = start;
        }
        words.inside = true;
        words.end = self.at;
    }

    fn finish(&mut self, words: &mut Words) {
        if !self.word.is_empty() {
            let text = std::mem::take(&mut self.word);
            words.done.push(Piece { text, start: words.start, end: words.end });
            words.inside = false;
        }
    }

    fn single_quoted(&mut self) -> Result<String, ExpandError> {
        let mut result = String::new();
        self.quote(&mut result);
        loop {
            match self.peek() {
                None => return Err(ExpandError::Unclosed('\'')),
                Some('\'') => {
                    self.quote(&mut result);
                    return Ok(result);
                }
                Some(c) => {
                    self.next();
                    result.push(c);
                }
            }
        }
    }

    /// Takes a quote, and keeps it if quotes stay.
    fn quote(&mut self, result: &mut String) {
        let quote = self.next();
        if self.mode.keep_quotes {
            result.extend(quote);
        }
    }

    fn double_quoted(&mut self) -> Result<String, ExpandError> {
        let mut result = String::new();
        self.quote(&mut result);
        loop {
            match self.peek() {
                None => return Err(ExpandError::Unclosed('"')),
                Some('"') => {
                    self.quote(&mut result);
                    return Ok(result);
                }
                Some('$') => result.push_str(&self.dollar()?),
                Some(c) if c == self.mode.escape => {
                    self.next();
                    if self.keep_escapes {
                        result.push(c);
                    }
                    match self.peek() {
                        None => {}
                        Some(next) if next == '"' || next == '$' || next == self.mode.escape => {
                            self.next();
                            result.push(next);
                        }
                        // Before any other character it stays, and where escapes are kept it is there twice.
                        Some(_) => result.push(c),
                    }
                }
                Some(c) => {
                    self.next();
                    result.push(c);
                }
            }
        }
    }

    /// `<<` and the white space behind it, which belong to one word; or a lone `<`.
    fn less_than(&mut self) -> String {
        self.next();
        if self.peek() != Some('<') {
            return "<".into();
        }
        self.next();
        let mut result = String::from("<<");
        while let Some(c @ ('\t' | '\r' | ' ')) = self.peek() {
            self.next();
            result.push(c);
        }
        result
    }

    fn dollar(&mut self) -> Result<String, ExpandError> {
        self.next();
        if self.peek() != Some('{') {
            let name = self.name();
            if name.is_empty() {
                return Ok("$".into());
            }
            let value = self.look_up(&name);
            return Ok(self.or_kept(value, || format!("${name}")));
        }
        self.next();
        match self.peek() {
            None => return Err(ExpandError::Unclosed('}')),
            Some('{' | '}' | ':') => return Err(ExpandError::NoName),
            Some(_) => {}
        }
        let name = self.name();
        match self.next() {
            Some('}') => {
                let value = self.look_up(&name);
                Ok(self.or_kept(value, || format!("${{{name}}}")))
            }
            Some(':') => {
                let modifier = self.next();
                self.modified(&name, modifier, true)
            }
            Some(c @ ('+' | '-' | '?' | '#' | '%')) => self.modified(&name, Some(c), false),
            Some('/') => self.replaced(&name),
            Some(other) => Err(ExpandError::Modifier(other.escape_debug().to_string())),
            None => Err(ExpandError::Unclosed('}')),
        }
    }

    /// `${name-word}` and its kin, behind the modifier; `or_empty` says that a colon came before it.
    fn modified(&mut self, name: &str, modifier: Option<char>, or_empty: bool) -> Result<String, ExpandError> {
        let cuts = matches!(modifier, Some('#' | '%'));
        let shown: String = or_empty.then_some(':').into_iter().chain(modifier).collect();
        if or_empty && cuts {
            return Err(ExpandError::Modifier(shown));
        }
        let word = self.argument('}', cuts)?;
        let value = self.look_up(name);
        if value.is_none() && self.mode.keep_unset {
            return Ok(format!("${{{name}{shown}{word}}}"));
        }
        let present = value.as_ref().is_some_and(|value| !(or_empty && value.is_empty()));
        let unset = value.is_none();
        let value = value.unwrap_or_default();
        match modifier {
            Some('-') => Ok(if present { value } else { word }),
            Some('+') => Ok(if present { word } else { String::new() }),
            Some('?') if present => Ok(value),
            Some('?') => {
                let message = match (word.as_str(), unset) {
                    ("", true) => "is not allowed to be unset".into(),
                    ("", false) => "is not allowed to be empty".into(),
                    _ => word,
                };
                Err(ExpandError::Required { name: name.into(), message })
            }
            Some(c @ ('#' | '%')) => {
                let (word, longest) = word.strip_prefix(c).map_or((word.as_str(), false), |rest| (rest, true));
                let cut = if c == '#' { pattern::trim_prefix } else { pattern::trim_suffix };
                cut(word, &value, longest)
            }
            _ => Err(ExpandError::Modifier(shown)),
        }
    }

    /// `${name/pattern/text}` and `${name//pattern/text}`, behind the first slash.
    fn replaced(&mut self, name: &str) -> Result<String, ExpandError> {
        let all = self.peek() == Some('/');
        if all {
            self.next();
        }
        let pattern = self.argument('/', true)?;
        let with = self.argument('}', true)?;
        let value = self.look_up(name);
        if value.is_none() && self.mode.keep_unset {
            return Ok(format!("${{{name}/{pattern}/{with}}}"));
        }
        pattern::replace(&pattern, &value.unwrap_or_default(), &with, all)
    }

    /// Reads a part of `${…}` up to `stop`.
    fn argument(&mut self, stop: char, keep_escapes: bool) -> Result<String, ExpandError> {
        match self.until(Some(stop), keep_escapes) {
            Ok((word, _)) => Ok(word),
            Err(ExpandError::TooLarge) => Err(ExpandError::TooLarge),
            Err(_) if self.peek().is_none() => Err(ExpandError::Unclosed(stop)),
            Err(error) => Err(error),
        }
    }

    /// A name; or one of the shell's parameters, such as `1` or `@`, which are never set here.
    fn name(&mut self) -> String {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = match rest.chars().next() {
            Some(c) if c.is_ascii_digit() => rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()),
            Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => 1,
            _ => rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len()),
        };
        self.at += length;
        rest.get(..length).unwrap_or_default().to_owned()
    }

    fn look_up(&mut self, name: &str) -> Option<String> {
        let value = (self.env)(name);
        let seen = if value.is_some() { &mut self.used } else { &mut self.missing };
        seen.insert(name.to_owned());
        value
    }

    fn or_kept(&self, value: Option<String>, written: impl FnOnce() -> String) -> String {
        value.unwrap_or_else(|| if self.mode.keep_unset { written() } else { String::new() })
    }
}
