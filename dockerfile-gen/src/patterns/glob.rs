//! Which paths the workspace globs of a manifest name.
//!
//! Input: the patterns of Cargo's and uv's `members`, of package.json's `workspaces` or of pnpm's `packages`. Output:
//! [`Glob`] and [`GlobSet`], asked about one path at a time. A pattern matches a whole path, and only `**` crosses a `/`.
//!
//! | pattern | matches |
//! |---|---|
//! | `*` | any characters but `/`, also none |
//! | `?` | one character but `/` |
//! | `[ab]` `[a-z]` `[!a]` | one character of the class, never `/`; a `]` in front stands for itself |
//! | `\c` | the character `c` |
//! | `**` between slashes | any number of folders, also none: `a/**` matches `a` too |
//! | `**` elsewhere | what `*` matches |
//!
//! For the package managers of Node only:
//!
//! | pattern | matches |
//! |---|---|
//! | `{a,b}` `{1..3}` | one of the alternatives |
//! | `@(a|b)` `?(a|b)` `*(a|b)` `+(a|b)` | one, at most one, any number, at least one of them |
//! | `!(a|b)` | what `*` matches but they do not |
//! | `[^a]` | what `[!a]` matches |
//!
//! and there no wildcard matches a leading dot. A `./` in front, slashes at the end and doubled slashes mean nothing. What
//! cannot be read as a class, a group or an escape stands for itself.

use std::borrow::Cow;

use super::class::{Ranges, of_chars};
use super::{Part, Pattern, Reason, TOO_LARGE, expression};

/// Whose rules a pattern follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// The crate `glob`, which Cargo and uv use.
    Cargo,
    /// minimatch and micromatch, which npm, Yarn, pnpm and Bun follow.
    Node,
}

impl Dialect {
    /// Whether wildcards leave out names that begin with a dot.
    fn hides_dots(self) -> bool {
        self == Self::Node
    }
}

/// A pattern for paths inside the project.
#[derive(Clone, Debug)]
pub(crate) struct Glob {
    named: Vec<Pattern>,
    /// What a `!(…)` takes back.
    but_not: Vec<Pattern>,
    /// The pattern as written, once for each alternative of its braces.
    alternatives: Vec<String>,
}

impl Glob {
    /// Reads `pattern`; an error if it is too large to mean anything.
    pub(crate) fn new(pattern: &str, dialect: Dialect) -> Result<Self, Reason> {
        let alternatives = match dialect {
            Dialect::Cargo => vec![pattern.to_owned()],
            Dialect::Node => expand(pattern)?,
        };
        let read = |not| {
            let patterns = alternatives.iter().map(|one| Pattern::new(parts(one, Reader { dialect, not })));
            patterns.collect::<Result<Vec<_>, _>>()
        };
        let named = read(Not::Star)?;
        let has_not = dialect == Dialect::Node && pattern.contains("!(");
        let but_not = if has_not { read(Not::Group)? } else { Vec::new() };
        Ok(Self { named, but_not, alternatives })
    }

    /// Whether the pattern names `path`; `""` is the root.
    pub(crate) fn matches(&self, path: &str) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(path));
        any(&self.named) && !any(&self.but_not)
    }
}

/// What a leading `!` means in a list of patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bang {
    /// It takes back what the patterns before it name: npm, Yarn 2 and later, Bun.
    TakesBackBefore,
    /// It takes back what any pattern of the list names: pnpm.
    TakesBackAll,
    /// Nothing: Yarn 1.
    Literal,
}

/// The patterns of a list in Node's dialect.
#[derive(Clone, Debug)]
pub(crate) struct GlobSet {
    globs: Vec<(bool, Glob)>,
    bang: Bang,
}

impl GlobSet {
    /// Reads `patterns`; with an error comes the number of the pattern.
    pub(crate) fn new<'p>(patterns: impl IntoIterator<Item = &'p str>, bang: Bang) -> Result<Self, (usize, Reason)> {
        let mut globs = Vec::new();
        for (at, pattern) in patterns.into_iter().enumerate() {
            let (named, text) = match pattern.strip_prefix('!') {
                Some(rest) if !rest.starts_with('(') && bang != Bang::Literal => (false, rest),
                _ => (true, pattern),
            };
            globs.push((named, Glob::new(text, Dialect::Node).map_err(|reason| (at, reason))?));
        }
        Ok(Self { globs, bang })
    }

    /// Whether there are no patterns.
    pub(crate) fn is_empty(&self) -> bool {
        self.globs.is_empty()
    }

    /// The patterns without braces, each with whether it names what it matches or takes it back. Of two that match the
    /// same path the later one decides.
    pub(crate) fn alternatives(&self) -> impl Iterator<Item = (bool, &str)> {
        let mut globs: Vec<_> = self.globs.iter().collect();
        if self.bang == Bang::TakesBackAll {
            globs.sort_by_key(|(named, _)| !named);
        }
        globs.into_iter().flat_map(|(named, glob)| glob.alternatives.iter().map(|one| (*named, one.as_str())))
    }

    /// Whether the list names `path`.
    pub(crate) fn matches(&self, path: &str) -> bool {
        let mut hits = self.globs.iter().filter(|(_, glob)| glob.matches(path)).map(|(named, _)| *named);
        match self.bang {
            Bang::TakesBackAll => hits.clone().any(|named| named) && hits.all(|named| named),
            Bang::TakesBackBefore | Bang::Literal => hits.next_back().unwrap_or(false),
        }
    }
}

/// What is written for `!(a|b)`: what it names and more, or what it takes back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Not {
    Star,
    Group,
}

#[derive(Clone, Copy)]
struct Reader {
    dialect: Dialect,
    not: Not,
}

fn parts(pattern: &str, reader: Reader) -> Vec<Part> {
    let mut names: Vec<Vec<char>> = Vec::new();
    for name in split(pattern) {
        let is_twin = is_any_depth(&name) && names.last().is_some_and(|last| is_any_depth(last));
        if !name.is_empty() && name != ['.'] && !is_twin {
            names.push(name);
        }
    }
    let (folder, folders) = match reader.dialect.hides_dots() {
        true => ("[^/.][^/]*", "(?:/[^/.][^/]*)*"),
        false => ("[^/]+", "(?:/.*)?"),
    };
    let mut parts = Vec::new();
    let mut wants_slash = false;
    for (at, name) in names.iter().enumerate() {
        let any_depth = is_any_depth(name);
        let is_last = at + 1 == names.len();
        if any_depth && is_last && wants_slash {
            parts.push(Part::Expression(folders.into()));
        } else if any_depth && is_last {
            parts.push(Part::Expression(format!("(?:{folder}{folders})?")));
        } else {
            if wants_slash {
                parts.push(Part::char('/'));
            }
            if any_depth {
                parts.push(Part::Expression(format!("(?:{folder}/)*")));
            } else {
                reader.name(name, true, &mut parts);
            }
            wants_slash = !any_depth;
        }
    }
    parts
}

fn is_any_depth(name: &[char]) -> bool {
    name == ['*', '*']
}

/// Splits at slashes; an escaped slash is a slash.
fn split(pattern: &str) -> Vec<Vec<char>> {
    let plain = pattern.replace("\\/", "/");
    plain.split('/').map(|name| name.chars().collect()).collect()
}

impl Reader {
    /// Reads what stands between slashes, or in a group.
    fn name(self, name: &[char], mut is_first: bool, parts: &mut Vec<Part>) {
        let mut rest = name;
        while let Some((&char, after)) = rest.split_first() {
            if self.dialect == Dialect::Node
                && let Some((group, after)) = group(rest)
            {
                parts.push(self.group(char, &group, after.is_empty(), is_first));
                (rest, is_first) = (after, false);
                continue;
            }
            let hides_dot = is_first && self.dialect.hides_dots();
            rest = after;
            match char {
                '*' => {
                    rest = &rest[rest.iter().take_while(|char| **char == '*').count()..];
                    parts.push(match rest.first() {
                        None | Some('.') if hides_dot => Part::Expression("[^/.][^/]*".into()),
                        _ if hides_dot => Part::Expression("(?:[^/.][^/]*)?".into()),
                        _ => Part::Star,
                    });
                }
                '?' if hides_dot => parts.push(Part::Expression("(?u:[^/.])".into())),
                '?' => parts.push(Part::Expression("(?u:[^/])".into())),
                '[' => match class(rest, self.dialect, is_first) {
                    Some((class, after)) => {
                        parts.push(Part::Expression(class));
                        rest = after;
                    }
                    None => parts.push(Part::char('[')),
                },
                '\\' => match rest.split_first() {
                    Some((&escaped, after)) => {
                        parts.push(Part::char(escaped));
                        rest = after;
                    }
                    None => parts.push(Part::char('\\')),
                },
                char => parts.push(Part::char(char)),
            }
            is_first = false;
        }
    }

    /// Writes a group such as `@(a|b)`, which is the last of its name or not.
    fn group(self, sign: char, alternatives: &[&[char]], is_last: bool, is_first: bool) -> Part {
        let hides_dot = is_first && self.dialect.hides_dots();
        if sign == '!' && self.not == Not::Star {
            return match hides_dot {
                true if is_last => Part::Expression("[^/.][^/]*".into()),
                true => Part::Expression("(?:[^/.][^/]*)?".into()),
                false => Part::Star,
            };
        }
        let each = alternatives.iter().map(|name| {
            let mut parts = Vec::new();
            self.name(name, is_first, &mut parts);
            expression(&parts)
        });
        let times = if matches!(sign, '?' | '*' | '+') { sign.to_string() } else { String::new() };
        Part::Expression(format!("(?:{}){times}", each.collect::<Vec<_>>().join("|")))
    }
}

/// Reads a sign, its `(`, the alternatives up to its `)`, and what follows. Groups in groups are no deeper than anyone
/// writes them.
fn group(text: &[char]) -> Option<(Vec<&[char]>, &[char])> {
    let ['@' | '?' | '*' | '+' | '!', '(', inside @ ..] = text else { return None };
    let (mut depth, mut start, mut found) = (0_usize, 0, Vec::new());
    for (at, char) in inside.iter().enumerate() {
        match char {
            '(' if depth == DEEPEST_GROUP => return None,
            '(' => depth += 1,
            '|' if depth == 0 => {
                found.push(&inside[start..at]);
                start = at + 1;
            }
            ')' if depth == 0 => {
                found.push(&inside[start..at]);
                return Some((found, &inside[at + 1..]));
            }
            ')' => depth -= 1,
            _ => {}
        }
    }
    None
}

const DEEPEST_GROUP: usize = 8;

/// Reads a class behind its `[`; `None` if it never closes.
fn class(text: &[char], dialect: Dialect, is_first: bool) -> Option<(String, &[char])> {
    let (negated, mut rest) = match text.split_first() {
        Some((&'!', rest)) => (true, rest),
        Some((&'^', rest)) if dialect == Dialect::Node => (true, rest),
        _ => (false, text),
    };
    let mut ranges = Ranges::new();
    loop {
        let (&first, after) = rest.split_first()?;
        if first == ']' && !ranges.is_empty() {
            if negated && is_first && dialect.hides_dots() {
                ranges.push(('.' as u32, '.' as u32));
            }
            return Some((of_chars(ranges, negated, false), after));
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

/// More alternatives than any workspace has, in a longer pattern than any has.
const MOST_ALTERNATIVES: usize = 256;
const LONGEST_BRACED: usize = 1024;

/// Writes a pattern with braces as patterns without.
fn expand(pattern: &str) -> Result<Vec<String>, Reason> {
    let mut done = Vec::new();
    let mut open = vec![pattern.to_owned()];
    if pattern.len() > LONGEST_BRACED && pattern.contains('{') {
        return Err(TOO_LARGE);
    }
    while let Some(next) = open.pop() {
        match alternatives(&next) {
            Some((before, inner, after)) => {
                open.extend(inner.iter().rev().map(|one| format!("{before}{one}{after}")));
            }
            None => done.push(next),
        }
        if open.len() + done.len() > MOST_ALTERNATIVES {
            return Err(TOO_LARGE);
        }
    }
    Ok(done)
}

/// The first `{...}` that holds a comma or a range: what is before it, its alternatives, and what is behind it.
fn alternatives(pattern: &str) -> Option<(&str, Vec<Cow<'_, str>>, &str)> {
    let mut from = 0;
    while let Some(open) = find(pattern, from, '{') {
        if let Some((inner, end)) = inside(pattern, open + 1)
            && let Some(inner) = named(inner)
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

/// What a pair of braces names; `None` if it stands for itself.
fn named(inner: Vec<&str>) -> Option<Vec<Cow<'_, str>>> {
    let [only] = inner.as_slice() else { return Some(inner.into_iter().map(Cow::Borrowed).collect()) };
    let (first, last) = only.split_once("..")?;
    if let (Ok(first), Ok(last)) = (first.parse::<i32>(), last.parse::<i32>()) {
        let (low, high) = (first.min(last), first.max(last));
        return Some((low..=high).take(MOST_ALTERNATIVES + 1).map(|one| one.to_string().into()).collect());
    }
    let letter = |text: &str| text.parse::<char>().ok().filter(char::is_ascii_alphabetic);
    let (first, last) = (letter(first)?, letter(last)?);
    Some((first.min(last)..=first.max(last)).map(|one| one.to_string().into()).collect())
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
            let glob = cargo(pattern);
            hits.iter().for_each(|path| assert!(glob.matches(path), "{pattern} {path}"));
            misses.iter().for_each(|path| assert!(!glob.matches(path), "{pattern} {path}"));
        }
    }

    fn cargo(pattern: &str) -> Glob {
        Glob::new(pattern, Dialect::Cargo).unwrap()
    }

    fn node(pattern: &str) -> Glob {
        Glob::new(pattern, Dialect::Node).unwrap()
    }

    #[test]
    fn braces_name_alternatives() {
        let glob = node("{apps,libs/{a,b}}/*");
        assert!(glob.matches("apps/x") && glob.matches("libs/b/x") && !glob.matches("libs/x"));
        assert!(node("a{b}").matches("a{b}"));
        assert!(node("a\\{b,c}").matches("a{b,c}"));
        assert!(node("a{,x}").matches("a") && node("a{,x}").matches("ax"));
        assert!(node("v{1..3}").matches("v2") && !node("v{1..3}").matches("v4"));
        assert!(node("{a..c}").matches("b") && node("{a..}").matches("{a..}"));
        assert!(Glob::new(&"{a,b}".repeat(100), Dialect::Node).is_err());
        assert!(Glob::new("{1..2000000000}", Dialect::Node).is_err());
    }

    #[test]
    fn groups_are_read_as_minimatch_reads_them() {
        let cases: &[(&str, &[&str], &[&str])] = &[
            ("packages/@(a|b)", &["packages/a", "packages/b"], &["packages/c", "packages/ab"]),
            ("packages/!(a|b*)", &["packages/c", "packages/ab"], &["packages/a", "packages/bx", "packages/.c"]),
            ("p/+(a|b)", &["p/abba"], &["p/", "p/abc"]),
            ("p/?(x)y", &["p/y", "p/xy"], &["p/xxy"]),
            ("p/*(x)y", &["p/y", "p/xxy"], &["p/zy"]),
            ("p/@(a", &["p/@(a"], &["p/a"]),
            ("!(a)/*", &["b/x"], &["a/x"]),
        ];
        for (pattern, hits, misses) in cases {
            let glob = node(pattern);
            hits.iter().for_each(|path| assert!(glob.matches(path), "{pattern} {path}"));
            misses.iter().for_each(|path| assert!(!glob.matches(path), "{pattern} {path}"));
        }
    }

    #[test]
    fn wildcards_of_node_leave_out_hidden_folders() {
        for (pattern, path) in
            [("*", ".a"), ("packages/**", "packages/.a"), ("**/b", ".a/b"), ("?a", ".a"), ("[!x]a", ".a")]
        {
            assert!(!node(pattern).matches(path) && cargo(pattern).matches(path), "{pattern} {path}");
        }
        assert!(node(".*").matches(".a") && node("a/**").matches("a/b/c") && node("**").matches(""));
    }

    #[test]
    fn a_bang_means_what_the_manager_says() {
        let set = |patterns: &[&str], bang| GlobSet::new(patterns.iter().copied(), bang).unwrap();
        let patterns = ["!**/test/**", "packages/**", "apps/*"];
        let pnpm = set(&patterns, Bang::TakesBackAll);
        assert!(pnpm.matches("packages/a") && pnpm.matches("apps/b"));
        assert!(!pnpm.matches("packages/a/test/b") && !pnpm.matches("packages/test"));
        assert!(set(&patterns, Bang::TakesBackBefore).matches("packages/test"));
        let npm = set(&["packages/*", "!packages/x", "packages/x"], Bang::TakesBackBefore);
        assert!(npm.matches("packages/x"));
        assert!(!set(&["packages/*", "!packages/x"], Bang::TakesBackBefore).matches("packages/x"));
        assert!(set(&["packages/*", "!packages/x"], Bang::Literal).matches("packages/x"));
    }

    #[test]
    fn a_hostile_pattern_costs_no_more_than_its_length() {
        assert!(!cargo(&format!("{}b", "*a".repeat(400))).matches(&"a".repeat(4000)));
        assert!(!node(&format!("{}b", "**/".repeat(400))).matches(&"a/".repeat(2000)));
        for text in ["{".repeat(1 << 16), "{a,".repeat(300), "@(".repeat(5000), "!(a".repeat(5000), "[".repeat(5000)] {
            if let Ok(glob) = Glob::new(&text, Dialect::Node) {
                glob.matches("x");
            }
        }
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
            prop_assert_eq!(cargo(&parts.join("/")).matches(&names.join("/")), slow(&parts, &names));
        }

        #[test]
        fn any_text_is_a_pattern(pattern in "\\PC{0,20}", path in "\\PC{0,20}") {
            for dialect in [Dialect::Node, Dialect::Cargo] {
                if let Ok(glob) = Glob::new(&pattern, dialect) {
                    glob.matches(&path);
                }
            }
        }
    }
}
