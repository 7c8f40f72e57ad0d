//! The expressions for Go that a line of a .dockerignore can become.
//!
//! Input: the text of an expression. Output: [`Pattern`]. moby turns a glob into an expression and lets through what a glob
//! does not use, so `\d` is a digit, `a|b*` an alternative and `x{2}?` a repetition. Known here is what can come through:
//! no groups of the user's own, no flags. Each piece is written again for the crate `regex`, which reads some of them
//! differently: a `{` alone, `&&` in a class, `\Q`. <https://pkg.go.dev/regexp/syntax>

use super::class::{Ranges, all_but, of_chars, posix};
use super::{Part, Pattern, Reason, expression};

/// Reads `text` so that it is searched for, as Go's `MatchString` does.
pub(super) fn read(text: &str) -> Result<Pattern, Reason> {
    let mut parser = Parser { rest: text, edges: 0 };
    let mut all = parser.alternatives()?;
    if !parser.rest.is_empty() {
        return Err("unexpected `)`");
    }
    let is_edge = |part: Option<&Part>, edge: &str| matches!(part, Some(Part::Expression(text)) if text == edge);
    match all.as_mut_slice() {
        [only] if parser.edges == 2 && is_edge(only.first(), START) && is_edge(only.last(), END) => {
            only.pop();
            only.remove(0);
            Pattern::new(std::mem::take(only))
        }
        all => Pattern::search(either(all)),
    }
}

const START: &str = r"\A";
const END: &str = r"\z";

fn either(all: &[Vec<Part>]) -> String {
    all.iter().map(|parts| expression(parts)).collect::<Vec<_>>().join("|")
}

struct Parser<'t> {
    rest: &'t str,
    /// How many places such as `^` and `\b` were read.
    edges: usize,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let char = chars.next();
        self.rest = chars.as_str();
        char
    }

    fn take(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Reads to the end, or to the `)` of the group.
    fn alternatives(&mut self) -> Result<Vec<Vec<Part>>, Reason> {
        let mut all = vec![self.sequence()?];
        while self.take("|") {
            all.push(self.sequence()?);
        }
        Ok(all)
    }

    fn sequence(&mut self) -> Result<Vec<Part>, Reason> {
        let mut parts: Vec<Part> = Vec::new();
        // A repetition of a repetition is refused.
        let mut repeated = false;
        while !self.rest.starts_with(['|', ')']) {
            let before = self.rest;
            let Some(char) = self.next() else { break };
            let times = match char {
                '*' | '+' | '?' => Some(char.to_string()),
                '{' => self.times()?,
                _ => None,
            };
            if let Some(times) = times {
                self.take("?");
                let part = parts.pop().ok_or("nothing to repeat")?;
                if repeated {
                    return Err("repeats a repetition");
                }
                parts.push(repeat(&part, &times));
                repeated = true;
                continue;
            }
            repeated = false;
            self.rest = before;
            self.item(&mut parts)?;
        }
        Ok(parts)
    }

    /// Reads what stands behind `{`; gives it back if it is no number of times, and then the brace is literal.
    fn times(&mut self) -> Result<Option<String>, Reason> {
        let before = self.rest;
        let Some(min) = self.number() else {
            self.rest = before;
            return Ok(None);
        };
        let max = if !self.take(",") {
            Some(min)
        } else if self.rest.starts_with('}') {
            None
        } else if let Some(max) = self.number() {
            Some(max)
        } else {
            self.rest = before;
            return Ok(None);
        };
        if !self.take("}") {
            self.rest = before;
            return Ok(None);
        }
        match max {
            _ if min > MOST_TIMES => Err("repeats too often"),
            Some(max) if max > MOST_TIMES || max < min => Err("repeats too often"),
            Some(max) => Ok(Some(format!("{{{min},{max}}}"))),
            None => Ok(Some(format!("{{{min},}}"))),
        }
    }

    fn number(&mut self) -> Option<u32> {
        let end = self.rest.find(|char: char| !char.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        if digits.is_empty() || digits.len() > 1 && digits.starts_with('0') {
            return None;
        }
        self.rest = rest;
        Some(digits.parse().unwrap_or(u32::MAX))
    }

    fn item(&mut self, parts: &mut Vec<Part>) -> Result<(), Reason> {
        let part = match self.next() {
            Some('^') => self.edge(START),
            Some('$') => self.edge(END),
            Some('.') => Part::Expression(r"[^\n]".into()),
            Some('(') => {
                let group = either(&self.alternatives()?);
                if !self.take(")") {
                    return Err("missing `)`");
                }
                Part::Expression(group)
            }
            Some('[') if self.take("^/]") => Part::Expression(NO_SLASH.into()),
            Some('[') => Part::Expression(self.class()?),
            Some('\\') => return self.escape(parts),
            Some(char) => Part::char(char),
            None => return Ok(()),
        };
        parts.push(part);
        Ok(())
    }

    fn edge(&mut self, edge: &str) -> Part {
        self.edges += 1;
        Part::Expression(edge.to_owned())
    }

    fn escape(&mut self, parts: &mut Vec<Part>) -> Result<(), Reason> {
        let edge = match self.rest.chars().next() {
            Some('A') => START,
            Some('z') => END,
            Some('b') => r"\b",
            Some('B') => r"\B",
            Some('Q') => {
                self.next();
                let (literal, rest) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
                self.rest = rest;
                parts.extend(literal.chars().map(Part::char));
                return Ok(());
            }
            _ => {
                parts.push(match self.perl() {
                    Some((ranges, negated)) => Part::Expression(of_chars(ranges, negated, true)),
                    None => Part::char(char::from_u32(self.escaped_char()?).ok_or(INVALID_ESCAPE)?),
                });
                return Ok(());
            }
        };
        self.next();
        let edge = self.edge(edge);
        parts.push(edge);
        Ok(())
    }

    /// Reads `d`, `s`, `w` and their opposites behind a backslash.
    fn perl(&mut self) -> Option<(Ranges, bool)> {
        let char = self.rest.chars().next()?;
        let ranges = match char.to_ascii_lowercase() {
            'd' => vec![(48, 57)],
            's' => vec![(9, 10), (12, 13), (32, 32)],
            'w' => vec![(48, 57), (65, 90), (95, 95), (97, 122)],
            _ => return None,
        };
        self.next();
        Some((ranges, char.is_ascii_uppercase()))
    }

    fn escaped_char(&mut self) -> Result<u32, Reason> {
        let char = self.next().ok_or("ends in a backslash")?;
        Ok(match char {
            'a' => 7,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'v' => 11,
            'x' => self.hex().ok_or(INVALID_ESCAPE)?,
            '1'..='7' if !self.rest.starts_with(is_octal) => return Err(INVALID_ESCAPE),
            '0'..='7' => {
                let mut value = u32::from(char) - u32::from('0');
                for _ in 0..2 {
                    let Some(digit) = self.rest.chars().next().filter(|&char| is_octal(char)) else { break };
                    value = value * 8 + u32::from(digit) - u32::from('0');
                    self.next();
                }
                value
            }
            'p' | 'P' => return Err("Unicode classes such as `\\pL` are not supported here"),
            char if char.is_ascii() && !char.is_ascii_alphanumeric() => u32::from(char),
            _ => return Err(INVALID_ESCAPE),
        })
    }

    fn hex(&mut self) -> Option<u32> {
        let braced = self.take("{");
        let end = if braced { self.rest.find('}')? } else { 2 };
        let digits = self.rest.get(..end).filter(|digits| digits.chars().all(|char| char.is_ascii_hexdigit()))?;
        let value = u32::from_str_radix(digits, 16).ok().filter(|&value| value <= 0x10_ffff)?;
        self.rest = self.rest.get(end + usize::from(braced)..)?;
        Some(value)
    }

    fn class(&mut self) -> Result<String, Reason> {
        let negated = self.take("^");
        let mut ranges = Ranges::new();
        let mut is_first = true;
        while is_first || !self.take("]") {
            is_first = false;
            if self.named(&mut ranges)? {
                continue;
            }
            if let Some(after) = self.rest.strip_prefix('\\') {
                let before = std::mem::replace(&mut self.rest, after);
                if let Some((perl, negated)) = self.perl() {
                    add(perl, negated, &mut ranges);
                    continue;
                }
                self.rest = before;
            }
            let low = self.class_char()?;
            let mut high = low;
            if self.rest.starts_with('-') && self.rest.len() > 1 && !self.rest.starts_with("-]") {
                self.next();
                high = self.class_char()?;
            }
            if high < low {
                return Err("invalid range in a class");
            }
            ranges.push((low, high));
        }
        Ok(of_chars(ranges, negated, true))
    }

    fn class_char(&mut self) -> Result<u32, Reason> {
        match self.next() {
            None => Err("missing `]`"),
            Some('\\') => self.escaped_char(),
            Some(char) => Ok(u32::from(char)),
        }
    }

    /// Reads `[:name:]` if one stands here.
    fn named(&mut self, ranges: &mut Ranges) -> Result<bool, Reason> {
        let Some((name, after)) = self.rest.strip_prefix("[:").and_then(|rest| rest.split_once(":]")) else {
            return Ok(false);
        };
        let (negated, name) = name.strip_prefix('^').map_or((false, name), |name| (true, name));
        let class: &[(u32, u32)] = match name {
            "ascii" => &[(0, 127)],
            "word" => &[(48, 57), (65, 90), (95, 95), (97, 122)],
            name => posix(name).ok_or("invalid named class")?,
        };
        add(class.to_vec(), negated, ranges);
        self.rest = after;
        Ok(true)
    }
}

const INVALID_ESCAPE: Reason = "invalid escape";
const MOST_TIMES: u32 = 1000;

fn is_octal(char: char) -> bool {
    ('0'..='7').contains(&char)
}

/// Adds `class`, or all but it.
fn add(class: Ranges, negated: bool, ranges: &mut Ranges) {
    ranges.extend(if negated { all_but(class, u32::from(char::MAX)) } else { class });
}

/// A character but `/`.
const NO_SLASH: &str = "(?u:[^/])";

fn repeat(part: &Part, times: &str) -> Part {
    match part {
        // Over any number of whole characters, bytes do as well and are quicker.
        Part::Expression(text) if text == NO_SLASH && times == "*" => Part::Star,
        part => Part::Expression(format!("(?:{}){times}", expression(std::slice::from_ref(part)))),
    }
}
