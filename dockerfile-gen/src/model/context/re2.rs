//! The regular expressions that a line of a .dockerignore can become.
//!
//! Input: the text of an expression. Output: [`Program`]. The one idea: moby turns a glob into an expression for Go and
//! lets through what a glob does not use, so `\d` is a digit, `a|b*` an alternative and `x{2}?` a repetition. Known
//! here is what can come through: no groups of the user's own, no flags. <https://pkg.go.dev/regexp/syntax>

use crate::model::glob::class::{Class, posix};
use crate::model::glob::program::{Edge, Node, Program, Unit};

/// What Go says of an expression that it cannot read.
pub(crate) type Reason = &'static str;

type Ranges = Vec<(u32, u32)>;

/// Compiles `expression` so that it is searched for, as Go's `MatchString` does.
pub(crate) fn compile(expression: &str) -> Result<Program, Reason> {
    let mut parser = Parser { rest: expression };
    let node = parser.alternatives()?;
    if !parser.rest.is_empty() {
        return Err("unexpected `)`");
    }
    let node = match node {
        Node::Seq(mut nodes) if nodes.len() > 1 && is_whole(&nodes) => {
            nodes.pop();
            nodes.remove(0);
            Node::Seq(nodes)
        }
        node => Node::Seq(vec![Node::many(Class::any()), node, Node::many(Class::any())]),
    };
    Program::new(node, Unit::Char).ok_or("repeats too often")
}

fn is_whole(nodes: &[Node]) -> bool {
    nodes.first() == Some(&Node::Edge(Edge::Start)) && nodes.last() == Some(&Node::Edge(Edge::End))
}

struct Parser<'t> {
    rest: &'t str,
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
    fn alternatives(&mut self) -> Result<Node, Reason> {
        let mut all = Vec::new();
        loop {
            all.push(Node::Seq(self.sequence()?));
            if !self.take("|") {
                break;
            }
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Node::Either(all) })
    }

    fn sequence(&mut self) -> Result<Vec<Node>, Reason> {
        let mut nodes: Vec<Node> = Vec::new();
        // A repetition of a repetition is refused.
        let mut repeated = false;
        while !self.rest.starts_with(['|', ')']) {
            let before = self.rest;
            let Some(char) = self.next() else { break };
            let times = match char {
                '*' => Some((0, None)),
                '+' => Some((1, None)),
                '?' => Some((0, Some(1))),
                '{' => self.times()?,
                _ => None,
            };
            if let Some((min, max)) = times {
                self.take("?");
                let node = nodes.pop().ok_or("nothing to repeat")?;
                if repeated {
                    return Err("repeats a repetition");
                }
                nodes.push(Node::Repeat(Box::new(node), min, max));
                repeated = true;
                continue;
            }
            repeated = false;
            self.rest = before;
            self.item(&mut nodes)?;
        }
        Ok(nodes)
    }

    /// Reads what stands behind `{`; gives it back if it is no number of times, and then the brace is literal.
    fn times(&mut self) -> Result<Option<(u32, Option<u32>)>, Reason> {
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
            max => Ok(Some((min, max))),
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

    fn item(&mut self, nodes: &mut Vec<Node>) -> Result<(), Reason> {
        match self.next() {
            Some('^') => nodes.push(Node::Edge(Edge::Start)),
            Some('$') => nodes.push(Node::Edge(Edge::End)),
            Some('.') => nodes.push(Node::Set(Class::new(vec![('\n' as u32, '\n' as u32)], true, true))),
            Some('(') => {
                nodes.push(self.alternatives()?);
                if !self.take(")") {
                    return Err("missing `)`");
                }
            }
            Some('[') => nodes.push(Node::Set(self.class()?)),
            Some('\\') => self.escape(nodes)?,
            Some(char) => nodes.push(Node::One(u32::from(char))),
            None => {}
        }
        Ok(())
    }

    fn escape(&mut self, nodes: &mut Vec<Node>) -> Result<(), Reason> {
        let edge = match self.rest.chars().next() {
            Some('A') => Edge::Start,
            Some('z') => Edge::End,
            Some('b') => Edge::Word,
            Some('B') => Edge::NoWord,
            Some('Q') => {
                self.next();
                let (literal, rest) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
                self.rest = rest;
                nodes.extend(literal.chars().map(|char| Node::One(u32::from(char))));
                return Ok(());
            }
            _ => {
                nodes.push(match self.perl() {
                    Some((ranges, negated)) => Node::Set(Class::new(ranges, negated, true)),
                    None => Node::One(self.escaped_char()?),
                });
                return Ok(());
            }
        };
        self.next();
        nodes.push(Node::Edge(edge));
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

    fn class(&mut self) -> Result<Class, Reason> {
        let negated = self.take("^");
        let mut ranges: Ranges = Vec::new();
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
        Ok(Class::new(ranges, negated, true))
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

/// Adds `class`, whose ranges are sorted, or all but it.
fn add(class: Ranges, negated: bool, ranges: &mut Ranges) {
    if !negated {
        ranges.extend(class);
        return;
    }
    let mut from = 0;
    for (low, high) in class {
        if from < low {
            ranges.push((from, low - 1));
        }
        from = high + 1;
    }
    ranges.push((from, u32::MAX));
}
