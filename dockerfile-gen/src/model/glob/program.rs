//! The matcher behind every pattern of this crate.
//!
//! Input: a pattern as a tree of [`Node`]s, which each dialect builds in its own way. Output: [`Program`], which says
//! whether a text matches as a whole. The one idea: all positions of the pattern advance over the text together, so
//! the time is at worst text times pattern, whatever a hostile pattern says; literals that the text must hold are
//! looked for first, which settles nearly every path of a large project.

use super::class::Class;

/// What a pattern counts: git counts bytes, everybody else characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Byte,
    Char,
}

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    One(u32),
    Set(Class),
    /// At least the first number of times, at most the second.
    Repeat(Box<Node>, u32, Option<u32>),
    Seq(Vec<Node>),
    Either(Vec<Node>),
    Edge(Edge),
}

/// A place between two characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    Start,
    End,
    Word,
    NoWord,
}

impl Node {
    /// Any number of `class`, also none.
    pub(crate) fn many(class: Class) -> Self {
        Self::Repeat(Box::new(Self::Set(class)), 0, None)
    }

    /// `nodes` or nothing.
    pub(crate) fn optional(nodes: Vec<Node>) -> Self {
        Self::Repeat(Box::new(Self::Seq(nodes)), 0, Some(1))
    }

    fn has_edge(&self) -> bool {
        match self {
            Self::One(_) | Self::Set(_) => false,
            Self::Repeat(node, ..) => node.has_edge(),
            Self::Seq(nodes) | Self::Either(nodes) => nodes.iter().any(Self::has_edge),
            Self::Edge(_) => true,
        }
    }
}

/// A pattern, ready to be tried.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    prefix: Vec<u8>,
    suffix: Vec<u8>,
    core: Core,
}

/// What lies between the literal prefix and the literal suffix.
#[derive(Clone, Debug)]
enum Core {
    Nothing,
    NoSlash,
    Ops { ops: Vec<Op>, needs: Vec<u8>, unit: Unit },
}

#[derive(Clone, Debug)]
enum Op {
    One(u32),
    Set(Class),
    Fork(usize, usize),
    Goto(usize),
    Edge(Edge),
    Done,
}

/// More steps than any path has characters: only `{1000}` a few times over gets here.
const MOST_OPS: usize = 20_000;

impl Program {
    /// Compiles `node`; `None` if it says to repeat more than is reasonable.
    pub(crate) fn new(node: Node, unit: Unit) -> Option<Self> {
        let mut nodes = match node {
            Node::Seq(nodes) => nodes,
            other => vec![other],
        };
        let (mut prefix, mut suffix) = (Vec::new(), Vec::new());
        if !nodes.iter().any(Node::has_edge) {
            let literal = |node: &Node| matches!(node, Node::One(_));
            let front = nodes.iter().take_while(|node| literal(node)).count();
            prefix = bytes(nodes.drain(..front), unit);
            let back = nodes.iter().rev().take_while(|node| literal(node)).count();
            suffix = bytes(nodes.drain(nodes.len() - back..), unit);
        }
        Some(Self { prefix, suffix, core: Core::new(nodes, unit)? })
    }

    /// The text that every match begins with.
    pub(crate) fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// Whether all of `text` matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        let Some(middle) = after(bytes, &self.prefix).and_then(|rest| before(rest, &self.suffix)) else { return false };
        match &self.core {
            Core::Nothing => middle.is_empty(),
            Core::NoSlash => !middle.contains(&b'/'),
            Core::Ops { ops, needs, unit } => {
                holds(middle, needs)
                    && match unit {
                        Unit::Byte => run(ops, middle.iter().map(|&byte| u32::from(byte))),
                        Unit::Char => text
                            .get(self.prefix.len()..self.prefix.len() + middle.len())
                            .is_some_and(|middle| run(ops, middle.chars().map(u32::from))),
                    }
            }
        }
    }
}

impl Core {
    fn new(nodes: Vec<Node>, unit: Unit) -> Option<Self> {
        match nodes.as_slice() {
            [] => return Some(Self::Nothing),
            [Node::Repeat(node, 0, None)] if matches!(&**node, Node::Set(class) if class.is_no_slash()) => {
                return Some(Self::NoSlash);
            }
            _ => {}
        }
        let needs = nodes.split(|node| !matches!(node, Node::One(_))).max_by_key(|run| run.len()).unwrap_or_default();
        let needs = bytes(needs.iter().cloned(), unit);
        let mut ops = Vec::new();
        for node in &nodes {
            emit(node, &mut ops)?;
        }
        ops.push(Op::Done);
        Some(Self::Ops { ops, needs, unit })
    }
}

fn bytes(nodes: impl Iterator<Item = Node>, unit: Unit) -> Vec<u8> {
    let mut bytes = Vec::new();
    for node in nodes {
        let Node::One(one) = node else { continue };
        match (unit, char::from_u32(one)) {
            (Unit::Char, Some(char)) => bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
            _ => bytes.push(one as u8),
        }
    }
    bytes
}

// Nearly every pattern is settled by a literal that a path does not have. Looking at one byte before calling out to
// compare slices makes that several times faster.

/// What follows `prefix` in `text`.
pub(crate) fn after<'t>(text: &'t [u8], prefix: &[u8]) -> Option<&'t [u8]> {
    match (prefix.first(), text.first()) {
        (None, _) => Some(text),
        (Some(one), Some(other)) if one == other => text.strip_prefix(prefix),
        _ => None,
    }
}

/// What precedes `suffix` in `text`.
pub(crate) fn before<'t>(text: &'t [u8], suffix: &[u8]) -> Option<&'t [u8]> {
    match (suffix.last(), text.last()) {
        (None, _) => Some(text),
        (Some(one), Some(other)) if one == other => text.strip_suffix(suffix),
        _ => None,
    }
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    let [first, .., last] = part else { return part.first().is_none_or(|one| text.contains(one)) };
    let ends = text.get(part.len() - 1..).unwrap_or_default();
    text.iter()
        .zip(ends)
        .enumerate()
        .any(|(at, (one, end))| one == first && end == last && text[at..].starts_with(part))
}

fn emit(node: &Node, ops: &mut Vec<Op>) -> Option<()> {
    if ops.len() > MOST_OPS {
        return None;
    }
    match node {
        Node::One(one) => ops.push(Op::One(*one)),
        Node::Set(class) => ops.push(Op::Set(class.clone())),
        Node::Edge(edge) => ops.push(Op::Edge(*edge)),
        Node::Seq(nodes) => {
            for node in nodes {
                emit(node, ops)?;
            }
        }
        Node::Either(nodes) => either(nodes, ops)?,
        Node::Repeat(node, min, max) => {
            for _ in 0..*min {
                emit(node, ops)?;
            }
            match max {
                None => {
                    let fork = hole(ops);
                    emit(node, ops)?;
                    ops.push(Op::Goto(fork));
                    fill(ops, fork);
                }
                Some(max) => {
                    let mut forks = Vec::new();
                    for _ in *min..*max {
                        forks.push(hole(ops));
                        emit(node, ops)?;
                    }
                    forks.into_iter().for_each(|fork| fill(ops, fork));
                }
            }
        }
    }
    Some(())
}

fn either(nodes: &[Node], ops: &mut Vec<Op>) -> Option<()> {
    let Some((last, others)) = nodes.split_last() else { return Some(()) };
    let mut ends = Vec::new();
    for node in others {
        let fork = hole(ops);
        emit(node, ops)?;
        ends.push(hole(ops));
        fill(ops, fork);
    }
    emit(last, ops)?;
    let end = ops.len();
    ends.into_iter().for_each(|at| ops[at] = Op::Goto(end));
    Some(())
}

/// Leaves room for a jump whose target is not known yet.
fn hole(ops: &mut Vec<Op>) -> usize {
    ops.push(Op::Done);
    ops.len() - 1
}

/// Makes the hole a fork: go on behind it, or here.
fn fill(ops: &mut [Op], at: usize) {
    let here = ops.len();
    ops[at] = Op::Fork(at + 1, here);
}

/// The positions in the program that are reached at one place of the text.
struct States {
    list: Vec<usize>,
    /// The round in which a position was last entered.
    seen: Vec<u32>,
    round: u32,
    done: bool,
    todo: Vec<usize>,
}

impl States {
    fn new(ops: usize) -> Self {
        Self { list: Vec::new(), seen: vec![0; ops], round: 0, done: false, todo: Vec::new() }
    }

    fn clear(&mut self) {
        self.list.clear();
        self.round += 1;
        self.done = false;
    }

    /// Enters `at` and all that is reached from there without reading on, between the units `before` and `after`.
    fn enter(&mut self, ops: &[Op], at: usize, before: Option<u32>, after: Option<u32>) {
        self.todo.push(at);
        while let Some(at) = self.todo.pop() {
            let (Some(op), Some(seen)) = (ops.get(at), self.seen.get_mut(at)) else { continue };
            if *seen == self.round {
                continue;
            }
            *seen = self.round;
            match op {
                Op::One(_) | Op::Set(_) => self.list.push(at),
                Op::Fork(one, two) => self.todo.extend([*two, *one]),
                Op::Goto(to) => self.todo.push(*to),
                Op::Edge(edge) => {
                    let here = match edge {
                        Edge::Start => before.is_none(),
                        Edge::End => after.is_none(),
                        Edge::Word => is_word(before) != is_word(after),
                        Edge::NoWord => is_word(before) == is_word(after),
                    };
                    if here {
                        self.todo.push(at + 1);
                    }
                }
                Op::Done => self.done = true,
            }
        }
    }
}

fn is_word(unit: Option<u32>) -> bool {
    unit.and_then(char::from_u32).is_some_and(|char| char.is_ascii_alphanumeric() || char == '_')
}

fn run(ops: &[Op], units: impl Iterator<Item = u32>) -> bool {
    let mut units = units.peekable();
    let (mut now, mut next) = (States::new(ops.len()), States::new(ops.len()));
    now.clear();
    now.enter(ops, 0, None, units.peek().copied());
    while let Some(unit) = units.next() {
        if now.list.is_empty() {
            return false;
        }
        let after = units.peek().copied();
        next.clear();
        for &at in &now.list {
            let goes_on = match ops.get(at) {
                Some(Op::One(one)) => *one == unit,
                Some(Op::Set(class)) => class.has(unit),
                _ => false,
            };
            if goes_on {
                next.enter(ops, at + 1, Some(unit), after);
            }
        }
        std::mem::swap(&mut now, &mut next);
    }
    now.done
}
