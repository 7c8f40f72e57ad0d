//! Which paths the workspace globs of a manifest name.
//!
//! Input: the patterns of Cargo's `members`, of package.json's `workspaces` or of pnpm's `packages`. Output: [`Glob`]
//! and [`GlobSet`], asked about one path at a time. The one idea: a pattern matches a whole path, and only `**` crosses
//! a `/`.
//!
//! | pattern | matches |
//! |---|---|
//! | `*` | any characters but `/`, also none, also a leading dot |
//! | `?` | one character but `/` |
//! | `[ab]` `[a-z]` `[!a]` `[^a]` | one character of the class, never `/`; a `]` in front stands for itself |
//! | `\c` | the character `c` |
//! | `**` between slashes | any number of folders, also none: `a/**` matches `a` too |
//! | `**` elsewhere | what `*` matches |
//! | `{a,b}` | `a` or `b`, in [`Glob::braced`] only: npm, Yarn and pnpm know it, Cargo does not |
//!
//! A `./` in front, slashes at the end and doubled slashes mean nothing. What cannot be read as a class or as an escape
//! stands for itself, so every text is a pattern.

pub(crate) mod class;
pub(crate) mod program;

use class::Class;
use program::{Node, Program, Unit};

/// A pattern for paths inside the project.
///
/// ```
/// use dockerfile_gen::glob::Glob;
/// assert!(Glob::new("crates/*").matches("crates/core"));
/// assert!(!Glob::new("crates/*").matches("crates/core/src"));
/// assert!(Glob::braced("{apps,packages}/**").matches("apps/web/admin"));
/// ```
#[derive(Clone, Debug)]
pub struct Glob {
    base: String,
    /// `None` if the pattern is too large to mean anything: it then matches nothing.
    program: Option<Program>,
}

impl Glob {
    /// Reads `pattern`, in which braces stand for themselves.
    pub fn new(pattern: &str) -> Self {
        Self::compile(nodes(pattern))
    }

    /// Reads `pattern`, in which `{a,b}` names alternatives.
    pub fn braced(pattern: &str) -> Self {
        let mut all: Vec<Vec<Node>> = expand(pattern).iter().map(|one| nodes(one)).collect();
        match all.pop() {
            Some(only) if all.is_empty() => Self::compile(only),
            last => {
                all.extend(last);
                Self::compile(vec![Node::Either(all.into_iter().map(Node::Seq).collect())])
            }
        }
    }

    fn compile(nodes: Vec<Node>) -> Self {
        let program = Program::new(Node::Seq(nodes), Unit::Char);
        let prefix = program.as_ref().map(|program| String::from_utf8_lossy(program.prefix()).into_owned());
        let base = prefix.as_deref().and_then(|prefix| prefix.rsplit_once('/')).map_or("", |(dir, _)| dir);
        Self { base: base.to_owned(), program }
    }

    /// Whether the pattern names `path`; `""` is the root.
    pub fn matches(&self, path: &str) -> bool {
        self.program.as_ref().is_some_and(|program| program.matches(path))
    }

    /// The folder that holds all that the pattern can name; `""` for the root.
    pub fn base(&self) -> &str {
        &self.base
    }
}

/// Patterns of which those with a leading `!` take back what the others name, wherever they stand, as in pnpm.
#[derive(Clone, Debug, Default)]
pub struct GlobSet {
    named: Vec<Glob>,
    taken_back: Vec<Glob>,
}

impl GlobSet {
    /// Reads `patterns` with braces, as the package managers of Node do.
    pub fn braced<P: AsRef<str>>(patterns: impl IntoIterator<Item = P>) -> Self {
        let mut set = Self::default();
        for pattern in patterns {
            match pattern.as_ref().strip_prefix('!') {
                Some(pattern) => set.taken_back.push(Glob::braced(pattern)),
                None => set.named.push(Glob::braced(pattern.as_ref())),
            }
        }
        set
    }

    /// Whether any pattern names `path` and none takes it back.
    pub fn matches(&self, path: &str) -> bool {
        let any = |globs: &[Glob]| globs.iter().any(|glob| glob.matches(path));
        any(&self.named) && !any(&self.taken_back)
    }
}

fn nodes(pattern: &str) -> Vec<Node> {
    let mut parts: Vec<Vec<char>> = Vec::new();
    for part in split(pattern) {
        let is_twin = is_any_depth(&part) && parts.last().is_some_and(|last| is_any_depth(last));
        if !part.is_empty() && part != ['.'] && !is_twin {
            parts.push(part);
        }
    }
    let mut nodes = Vec::new();
    let mut wants_slash = false;
    let slash = || Node::One('/' as u32);
    for (at, part) in parts.iter().enumerate() {
        let any_depth = is_any_depth(part);
        let is_last = at + 1 == parts.len();
        if any_depth && is_last && wants_slash {
            nodes.push(Node::optional(vec![slash(), Node::many(Class::any())]));
        } else if any_depth && is_last {
            nodes.push(Node::many(Class::any()));
        } else {
            if wants_slash {
                nodes.push(slash());
            }
            if any_depth {
                nodes.push(Node::optional(vec![Node::many(Class::any()), slash()]));
            } else {
                component(part, &mut nodes);
            }
            wants_slash = !any_depth;
        }
    }
    nodes
}

fn is_any_depth(part: &[char]) -> bool {
    part == ['*', '*']
}

/// Splits at slashes; an escaped slash is a slash.
fn split(pattern: &str) -> Vec<Vec<char>> {
    let plain = pattern.replace("\\/", "/");
    plain.split('/').map(|part| part.chars().collect()).collect()
}

fn component(part: &[char], nodes: &mut Vec<Node>) {
    let mut rest = part;
    while let Some((&char, after)) = rest.split_first() {
        rest = after;
        match char {
            '*' => {
                while let Some((&'*', after)) = rest.split_first() {
                    rest = after;
                }
                nodes.push(Node::many(Class::no_slash()));
            }
            '?' => nodes.push(Node::Set(Class::no_slash())),
            '[' => match class(rest) {
                Some((class, after)) => {
                    nodes.push(Node::Set(class));
                    rest = after;
                }
                None => nodes.push(Node::One('[' as u32)),
            },
            '\\' => match rest.split_first() {
                Some((&escaped, after)) => {
                    nodes.push(Node::One(u32::from(escaped)));
                    rest = after;
                }
                None => nodes.push(Node::One('\\' as u32)),
            },
            char => nodes.push(Node::One(u32::from(char))),
        }
    }
}

/// Reads a class behind its `[`; `None` if it never closes.
fn class(text: &[char]) -> Option<(Class, &[char])> {
    let (negated, mut rest) = match text.split_first() {
        Some((&('!' | '^'), rest)) => (true, rest),
        _ => (false, text),
    };
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    loop {
        let (&first, after) = rest.split_first()?;
        if first == ']' && !ranges.is_empty() {
            return Some((Class::new(ranges, negated, false), after));
        }
        let (low, after) = escaped(rest)?;
        let (high, after) = match after.split_first() {
            Some((&'-', end)) if end.first().is_some_and(|&char| char != ']') => escaped(end)?,
            _ => (low, after),
        };
        ranges.push((u32::from(low), u32::from(high)));
        rest = after;
    }
}

fn escaped(text: &[char]) -> Option<(char, &[char])> {
    match text {
        ['\\', char, rest @ ..] | [char, rest @ ..] => Some((*char, rest)),
        [] => None,
    }
}

/// More alternatives than any workspace has, in a longer pattern than any has; beyond, braces stand for themselves.
const MOST_ALTERNATIVES: usize = 256;
const LONGEST_BRACED: usize = 1024;

/// Writes a pattern with braces as patterns without.
fn expand(pattern: &str) -> Vec<String> {
    let mut done = Vec::new();
    let mut open = vec![pattern.to_owned()];
    if pattern.len() > LONGEST_BRACED {
        return open;
    }
    while let Some(next) = open.pop() {
        match alternatives(&next) {
            Some((before, inner, after)) => {
                open.extend(inner.iter().rev().map(|one| format!("{before}{one}{after}")));
            }
            None => done.push(next),
        }
        if open.len() + done.len() > MOST_ALTERNATIVES {
            return vec![pattern.to_owned()];
        }
    }
    done
}

/// The first `{...}` that holds a comma: what is before it, its alternatives, and what is behind it.
fn alternatives(pattern: &str) -> Option<(&str, Vec<&str>, &str)> {
    let mut from = 0;
    while let Some(open) = find(pattern, from, '{') {
        if let Some((inner, end)) = inside(pattern, open + 1)
            && inner.len() > 1
        {
            return Some((&pattern[..open], inner, &pattern[end..]));
        }
        from = open + 1;
    }
    None
}

fn find(pattern: &str, from: usize, wanted: char) -> Option<usize> {
    let mut escaped = false;
    for (at, char) in pattern[from..].char_indices() {
        if char == wanted && !escaped {
            return Some(from + at);
        }
        escaped = char == '\\' && !escaped;
    }
    None
}

fn inside(pattern: &str, from: usize) -> Option<(Vec<&str>, usize)> {
    let (mut depth, mut escaped, mut start) = (0_usize, false, from);
    let mut found = Vec::new();
    for (at, char) in pattern[from..].char_indices() {
        let at = from + at;
        match char {
            _ if escaped => {}
            '{' => depth += 1,
            '}' if depth == 0 => {
                found.push(&pattern[start..at]);
                return Some((found, at + 1));
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(&pattern[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        escaped = char == '\\' && !escaped;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_of_real_workspaces() {
        let cases: &[(&str, &[&str], &[&str])] = &[
            ("crates/*", &["crates/a", "crates/.a"], &["crates", "crates/a/b", "xcrates/a"]),
            ("./packages/*/", &["packages/a"], &["packages"]),
            ("packages/**", &["packages", "packages/a", "packages/a/b"], &["packagesx"]),
            ("**/examples/*", &["examples/a", "x/y/examples/a"], &["examples", "xexamples/a"]),
            ("a/**/b", &["a/b", "a/x/b", "a/x/y/b"], &["ab", "a/xb"]),
            ("a/**/**/b", &["a/b", "a/x/b"], &["a"]),
            ("**", &["", "a", "a/b"], &[]),
            (".", &[""], &["a"]),
            ("lib-[a-c]?", &["lib-ax"], &["lib-dx", "lib-a", "lib-a/"]),
            ("lib-[!a-c]", &["lib-d"], &["lib-a", "lib-/"]),
            ("a[]x]b", &["a]b", "axb"], &["ab"]),
            ("a[b", &["a[b"], &["ab"]),
            ("a\\*b\\", &["a*b\\"], &["axb\\"]),
            ("{a,b}", &["{a,b}"], &["a"]),
            ("ü?", &["üö"], &["ü"]),
            ("a**b", &["ab", "axb"], &["a/b"]),
        ];
        for (pattern, hits, misses) in cases {
            let glob = Glob::new(pattern);
            hits.iter().for_each(|path| assert!(glob.matches(path), "{pattern} {path}"));
            misses.iter().for_each(|path| assert!(!glob.matches(path), "{pattern} {path}"));
        }
    }

    #[test]
    fn braces_name_alternatives() {
        let glob = Glob::braced("{apps,libs/{a,b}}/*");
        assert!(glob.matches("apps/x") && glob.matches("libs/b/x") && !glob.matches("libs/x"));
        assert!(Glob::braced("a{b}").matches("a{b}"));
        assert!(Glob::braced("a\\{b,c}").matches("a{b,c}"));
        assert!(Glob::braced("a{,x}").matches("a") && Glob::braced("a{,x}").matches("ax"));
        let many = "{a,b}".repeat(100);
        assert!(Glob::braced(&many).matches(&many));
    }

    #[test]
    fn negation_takes_back_wherever_it_stands() {
        let set = GlobSet::braced(["!**/test/**", "packages/**", "apps/*"]);
        assert!(set.matches("packages/a") && set.matches("apps/b"));
        assert!(!set.matches("packages/a/test/b") && !set.matches("packages/test"));
    }

    #[test]
    fn the_base_is_where_to_look() {
        assert_eq!(Glob::new("crates/deep/x*/y").base(), "crates/deep");
        assert_eq!(Glob::new("**/x").base(), "");
        assert_eq!(Glob::new("a/b").base(), "a");
    }

    #[test]
    fn a_hostile_pattern_costs_no_more_than_its_length() {
        let glob = Glob::braced(&format!("{}b", "*a".repeat(400)));
        assert!(!glob.matches(&"a".repeat(4000)));
        let glob = Glob::braced(&format!("{}b", "**/".repeat(400)));
        assert!(!glob.matches(&"a/".repeat(2000)));
        Glob::braced(&"{".repeat(1 << 16)).matches("x");
        Glob::braced(&"{a,".repeat(300)).matches("x");
    }

    /// The meaning in its plainest form: all ways to read the pattern, tried one after the other.
    fn slow(pattern: &[&str], path: &[&str]) -> bool {
        match (pattern, path) {
            (["**", rest @ ..], _) => slow(rest, path) || !path.is_empty() && slow(pattern, &path[1..]),
            ([part, rest @ ..], [name, names @ ..]) => {
                slow_part(&part.chars().collect::<Vec<_>>(), &name.chars().collect::<Vec<_>>()) && slow(rest, names)
            }
            ([], path) => path.is_empty(),
            (_, []) => false,
        }
    }

    fn slow_part(part: &[char], name: &[char]) -> bool {
        match (part, name) {
            (['*', rest @ ..], _) => slow_part(rest, name) || !name.is_empty() && slow_part(part, &name[1..]),
            (['?', rest @ ..], [_, name @ ..]) => slow_part(rest, name),
            ([one, rest @ ..], [char, name @ ..]) => one == char && slow_part(rest, name),
            ([], name) => name.is_empty(),
            (_, []) => false,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_plain_meaning(
            pattern in prop::collection::vec("[ab*?]{1,4}", 1..5),
            path in prop::collection::vec("[ab]{1,3}", 1..5),
        ) {
            let parts: Vec<&str> = pattern.iter().map(String::as_str).collect();
            let names: Vec<&str> = path.iter().map(String::as_str).collect();
            prop_assert_eq!(Glob::new(&parts.join("/")).matches(&names.join("/")), slow(&parts, &names));
        }

        #[test]
        fn any_text_is_a_pattern(pattern in "\\PC{0,20}", path in "\\PC{0,20}") {
            let glob = Glob::braced(&pattern);
            glob.matches(&path);
        }
    }
}
