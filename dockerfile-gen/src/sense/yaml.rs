//! YAML files with the line of everything in them: pnpm-workspace.yaml, .yarnrc.yml, lockfiles, compose and CI files.
//!
//! Input: the text of a file. Output: the first document as a [`Node`]. Events of the parser become nodes one after the
//! other, so a reader that wants only the first keys of a large lockfile stops there. Files are untrusted: aliases that
//! unfold to more than [`MOST_NODES`] nodes, and nesting beyond [`DEEPEST`], are errors.

use std::collections::{HashMap, HashSet};

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError};

use crate::error::{Error, Result};
use crate::tree::Tree;

/// A value and the line that it starts in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) line: u32,
    pub(crate) value: Value,
}

/// What a node holds. Numbers and truth values are text here: whoever asks knows what they want.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key, the line that it stands in, and its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) line: u32,
    pub(crate) node: Node,
}

impl Node {
    /// The entry of a map.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The value of a key of a map.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The line of a key of a map.
    pub(crate) fn line_of(&self, key: &str) -> Option<u32> {
        self.entry(key).map(|entry| entry.line)
    }

    /// The text of a scalar, or the text at a key.
    pub(crate) fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// The text of the scalar at a key.
    pub(crate) fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    /// The items of a list; none for anything else.
    pub(crate) fn items(&self) -> &[Node] {
        if let Value::List(items) = &self.value { items } else { &[] }
    }

    /// The texts in the list at a key.
    pub(crate) fn texts_of(&self, key: &str) -> impl Iterator<Item = &str> {
        self.get(key).map(Node::items).unwrap_or_default().iter().filter_map(Node::text)
    }

    /// The entries of a map; none for anything else.
    pub(crate) fn entries(&self) -> &[Entry] {
        if let Value::Map(entries) = &self.value { entries } else { &[] }
    }

    /// How many nodes it consists of.
    fn size(&self) -> usize {
        match &self.value {
            Value::Null | Value::Text(_) => 1,
            Value::List(items) => 1 + items.iter().map(Node::size).sum::<usize>(),
            Value::Map(entries) => 1 + entries.iter().map(|entry| entry.node.size()).sum::<usize>(),
        }
    }
}

/// Nodes of a file at most, those that aliases repeat included.
const MOST_NODES: usize = 500_000;
/// Levels of lists and maps at most.
const DEEPEST: usize = 64;

/// Reads the file at `path`; a file that does not exist holds nothing.
///
/// # Errors
/// As [`read`], and if the file cannot be read.
pub(crate) fn file(tree: &dyn Tree, path: &str) -> Result<Node> {
    read(path, &tree.text(path)?.unwrap_or_default())
}

/// Reads the first document of `text`, the content of the file at `path`.
///
/// # Errors
/// [`Error::Manifest`] with the line for what is not YAML, a key that a map has twice, and what is too large.
pub(crate) fn read(path: &str, text: &str) -> Result<Node> {
    read_until(path, text, |_| false)
}

/// As [`read`], but reads no further than until the map at the top has all of `keys`.
///
/// # Errors
/// As [`read`], for what was read.
pub(crate) fn read_keys(path: &str, text: &str, keys: &[&str]) -> Result<Node> {
    read_until(path, text, |names| keys.iter().all(|key| names.contains(*key)))
}

fn read_until(path: &str, text: &str, is_enough: impl Fn(&HashSet<String>) -> bool) -> Result<Node> {
    let mut parser = Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut reader = Reader::default();
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| not_yaml(path, &error))?;
        let line = line(span.start);
        let step = reader.take(event, line).map_err(|reason| Error::manifest(path, Some(line), reason))?;
        match (step, reader.open.as_slice()) {
            (Step::Done(node), _) => return Ok(node),
            (Step::Added, [Open { kind: Kind::Map { entries, names, .. }, line, .. }]) if is_enough(names) => {
                return Ok(Node { line: *line, value: Value::Map(entries.clone()) });
            }
            _ => {}
        }
    }
    Ok(Node { line: 1, value: Value::Null })
}

fn line(marker: Marker) -> u32 {
    u32::try_from(marker.line()).unwrap_or(u32::MAX)
}

fn not_yaml(path: &str, error: &ScanError) -> Error {
    Error::manifest(path, Some(line(*error.marker())), format!("is not YAML: {}", error.info()))
}

/// Makes nodes of events.
#[derive(Default)]
struct Reader {
    /// The lists and maps that are not complete, the outermost first.
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

struct Open {
    line: u32,
    anchor: usize,
    kind: Kind,
}

enum Kind {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, names: HashSet<String>, key: Option<Node> },
}

enum Step {
    /// Nothing that the level above sees.
    Inside,
    /// A value was added to what is open.
    Added,
    /// The document is complete.
    Done(Node),
}

impl Reader {
    fn take(&mut self, event: Event<'_>, line: u32) -> Result<Step, String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_null = style == ScalarStyle::Plain
                    && tag.is_none()
                    && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let value = if is_null { Value::Null } else { Value::Text(text.into_owned()) };
                self.nodes += 1;
                self.add(Node { line, value }, anchor)
            }
            Event::Alias(anchor) => {
                let mut node = self.anchors.get(&anchor).cloned().ok_or("an alias stands in what it names")?;
                node.line = line;
                self.nodes += node.size();
                self.add(node, 0)
            }
            Event::SequenceStart(_, anchor, _) => self.open(Kind::List(Vec::new()), line, anchor),
            Event::MappingStart(_, anchor, _) => {
                self.open(Kind::Map { entries: Vec::new(), names: HashSet::new(), key: None }, line, anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(Step::Inside) };
                let value = match open.kind {
                    Kind::List(items) => Value::List(items),
                    Kind::Map { entries, names, .. } => Value::Map(merged(entries, names)),
                };
                self.add(Node { line: open.line, value }, open.anchor)
            }
            _ => Ok(Step::Inside),
        }
    }

    fn open(&mut self, kind: Kind, line: u32, anchor: usize) -> Result<Step, String> {
        if self.open.len() >= DEEPEST {
            return Err(format!("is nested deeper than {DEEPEST} levels"));
        }
        self.nodes += 1;
        self.open.push(Open { line, anchor, kind });
        Ok(Step::Inside)
    }

    /// Puts a complete value into what is open.
    fn add(&mut self, node: Node, anchor: usize) -> Result<Step, String> {
        if anchor > 0 {
            self.nodes += node.size();
            self.anchors.insert(anchor, node.clone());
        }
        if self.nodes > MOST_NODES {
            return Err(format!("has more than {MOST_NODES} values, those that aliases repeat included"));
        }
        let Some(open) = self.open.last_mut() else { return Ok(Step::Done(node)) };
        match &mut open.kind {
            Kind::List(items) => items.push(node),
            Kind::Map { key: key @ None, .. } => {
                *key = Some(node);
                return Ok(Step::Inside);
            }
            Kind::Map { entries, names, key } => {
                let key = key.take().unwrap_or(Node { line: node.line, value: Value::Null });
                // What asks for keys knows none that is a list or a map.
                if let Value::Text(name) = key.value {
                    if !names.insert(name.clone()) {
                        return Err(format!("has the key `{name}` twice in one map"));
                    }
                    entries.push(Entry { key: name, line: key.line, node });
                }
            }
        }
        Ok(Step::Added)
    }
}

/// Puts what `<<` names into the map where it has no key of its own for it.
fn merged(mut entries: Vec<Entry>, mut names: HashSet<String>) -> Vec<Entry> {
    if let Some(at) = entries.iter().position(|entry| entry.key == "<<") {
        let from = entries.remove(at).node;
        let maps = if from.items().is_empty() { std::slice::from_ref(&from) } else { from.items() };
        let more = maps.iter().flat_map(Node::entries).filter(|entry| names.insert(entry.key.clone()));
        entries.extend(more.cloned());
    }
    entries
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn packages(text: &str) -> Vec<String> {
        read("pnpm-workspace.yaml", text).unwrap().texts_of("packages").map(str::to_owned).collect()
    }

    #[test]
    fn a_list_is_read_in_every_spelling() {
        let spellings = [
            "packages:\n  - apps/*\n  - '!**/x'\n",
            "packages:\n- apps/* # all\n# none\n- \"!**/x\"\n",
            "packages: [apps/*, '!**/x']\n",
            "packages: [\n  'apps/*',\n  \"!**/x\",\n]\n",
            "{packages: [apps/*, '!**/x'], other: 1}",
            "---\n\"packages\":\n  - >-\n    apps/*\n  - |-\n    !**/x\n...\n",
            "# first\n\n%YAML 1.2\n---\npackages  :\n  -   'apps/*'\n\n  -\n    '!**/x'\n",
            "x: &all\n  - apps/*\n  - &not '!**/x'\npackages: *all\n",
            "packages:\r\n  - apps/*\r\n  - '!**/x'\r\n",
            "\u{feff}packages:\n  - \"apps/\\x2a\"\n  - '!**/x'\n---\npackages: [other]\n",
            "? packages\n: - !!str apps/*\n  - '!**/x'\n",
            "base: &base {packages: [apps/*, '!**/x']}\n<<: *base\n",
        ];
        for text in spellings {
            assert_eq!(packages(text), ["apps/*", "!**/x"], "{text}");
        }
    }

    #[test]
    fn values_and_their_lines() {
        let node = read("f", "a: 1\nlist:\n  - x\n  - y: [p, q]\nnone: ~\nempty:\nquoted: 'null'\n").unwrap();
        assert_eq!((node.text_of("a"), node.line_of("list")), (Some("1"), Some(2)));
        let items = node.get("list").unwrap().items();
        assert_eq!((items[1].line, items[1].texts_of("y").last()), (4, Some("q")));
        assert_eq!(node.text_of("none").or(node.text_of("empty")), None);
        assert_eq!(node.text_of("quoted"), Some("null"));
        assert_eq!(read("f", "").unwrap().value, Value::Null);
        assert_eq!(read("f", "# nothing\n").unwrap().value, Value::Null);
    }

    #[test]
    fn what_cannot_be_read_names_its_line() {
        for (text, start) in [
            ("a: 1\n\tb: 2\n", "f:1: is not YAML"),
            ("a: 1\na: 2\n", "f:2: has the key `a` twice"),
            ("a: [1\n", "f:"),
            ("a: *b\n", "f:1: is not YAML"),
            ("a: &a [*a]\n", "f:1: "),
            (&format!("a:\n  {}{}\n", "[".repeat(70), "]".repeat(70)), "f:2: is nested deeper than 64 levels"),
        ] {
            let error = read("f", text).unwrap_err().to_string();
            assert!(error.starts_with(start), "{text}: {error}");
        }
    }

    #[test]
    fn hostile_files_are_errors_at_once() {
        let mut laughs = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for at in 1..20 {
            let alias = format!("*a{}", at - 1);
            laughs += &format!("a{at}: &a{at} [{}]\n", [alias.as_str(); 10].join(", "));
        }
        let wide = (0..100_000).map(|at| format!("k{at}: 1\n")).collect::<String>();
        let merges = format!("a: &a {{{}}}\n{}", "x: 1, y: 2", "b: {<<: *a}\n");
        let start = Instant::now();
        assert!(read("f", &laughs).unwrap_err().to_string().contains("aliases"));
        assert!(read("f", &wide).is_ok());
        assert!(read("f", &merges).is_ok());
        for text in [
            "[".repeat(1 << 20),
            "- ".repeat(1 << 20),
            "{a: ".repeat(1 << 18),
            "? ".repeat(1 << 20),
            "a: ".repeat(1 << 18),
        ] {
            assert!(read("f", &text).is_err());
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    }

    #[test]
    fn of_a_large_lockfile_only_the_head_is_read() {
        let entry = "  /a@1.0.0:\n    resolution: {integrity: sha512-x}\n    dev: true\n";
        let text = format!("lockfileVersion: '6.0'\npackages:\n{}", entry.repeat(300_000));
        let start = Instant::now();
        let lock = read_keys("pnpm-lock.yaml", &text, &["lockfileVersion"]).unwrap();
        assert_eq!(lock.text_of("lockfileVersion"), Some("6.0"));
        assert!(start.elapsed() < Duration::from_millis(500));
    }
}
