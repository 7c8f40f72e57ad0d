//! Reads the imports of every file and fails where files import each other in a circle.
//!
//! Every file counts for itself: a parent that only declares and re-exports its children is a file like any other, so
//! what children share stands in a file of its own.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The files of a crate by the path of their module, and what each imports.
type Imports = BTreeMap<String, BTreeSet<String>>;

#[test]
fn no_file_imports_itself_by_way_of_others() {
    for sources in ["src", "../dockerfile-macros/src"] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(sources);
        let circles = circles(&imports(&root));
        assert!(circles.is_empty(), "files of {sources} import each other:\n{}", circles.join("\n"));
    }
}

#[test]
fn a_room_uses_only_the_rooms_below_it() {
    let all = imports(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let above = [
        ("patterns", ["patterns", "error"].as_slice()),
        ("tree", &["tree", "error", "patterns"]),
        ("model", &["model", "tree", "error", "patterns", "process"]),
        ("plan", &["plan", "config", "error", "facts", "model", "patterns", "secrets", "tree"]),
        ("secrets", &["secrets", "tree"]),
        ("config", &["config", "error", "model", "plan::quote", "tree"]),
    ];
    for (room, allowed) in above {
        let inside = |path: &str| path == room || path.starts_with(&format!("{room}::"));
        for (file, imported) in all.iter().filter(|(file, _)| inside(file)) {
            let is_allowed =
                |path: &str| allowed.iter().any(|room| path == *room || path.starts_with(&format!("{room}::")));
            let stranger = imported.iter().find(|path| !is_allowed(path));
            assert_eq!(stranger, None, "{file} is part of {room}");
        }
    }
}

#[test]
fn circles_are_found() {
    let text = [
        ("", "mod a;\nmod b;\n"),
        ("a", "use crate::b::{self, C};\n#[cfg(test)]\nmod tests {\n    use crate::d;\n}\n"),
        ("b", "// use crate::e;\nfn f() { super::c::g(\"crate::e::x\") }\n"),
        ("c", "pub use crate::{a::A, e};\n"),
        ("d", "use super::a;\n"),
        ("e", "\n"),
    ];
    let files: BTreeMap<String, String> = text.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
    let found: Imports = files.keys().map(|file| (file.clone(), imports_of(file, &files))).collect();
    assert_eq!(found["c"], BTreeSet::from(["a".to_owned(), "e".to_owned()]));
    assert_eq!(circles(&found), ["a -> b -> c -> a"]);
}

fn imports(root: &Path) -> Imports {
    let mut files = BTreeMap::new();
    read(root, "", &mut files);
    files.keys().map(|file| (file.clone(), imports_of(file, &files))).collect()
}

/// Reads the files of a folder; the crate's root is `""`. Files of tests alone are not read.
fn read(dir: &Path, module: &str, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        let inner = |name: &str| if module.is_empty() { name.to_owned() } else { format!("{module}::{name}") };
        if entry.path().is_dir() {
            if name != "bin" {
                read(&entry.path(), &inner(&name), files);
            }
        } else if let Some(name) = name.strip_suffix(".rs").filter(|name| !["tests", "laws"].contains(name)) {
            let path = if inner(name) == "lib" { String::new() } else { inner(name) };
            files.insert(path, fs::read_to_string(entry.path()).unwrap());
        }
    }
}

/// The files that a file takes something from.
fn imports_of(file: &str, files: &BTreeMap<String, String>) -> BTreeSet<String> {
    let code = code(&files[file]);
    let here: Vec<&str> = file.split("::").filter(|part| !part.is_empty()).collect();
    let mut paths = Vec::new();
    let mut rest = code.as_str();
    while let Some(at) = rest.find(|c: char| c.is_alphabetic() || c == '_') {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let before = rest[..at].chars().next_back();
        rest = &rest[at..];
        let word = &rest[..rest.find(|c: char| !is_word(c)).unwrap_or(rest.len())];
        let is_first = before != Some(':');
        let statement = rest.find(';').map_or(rest, |end| &rest[..end]);
        let declared = || files.contains_key(&joined(&here, &[word]));
        if word == "use" {
            spread(statement["use".len()..].trim(), "", &mut paths);
            rest = &rest[statement.len()..];
        } else if is_first
            && (matches!(word, "crate" | "super" | "self") || rest[word.len()..].starts_with("::") && declared())
        {
            let end = rest.find(|c: char| !is_word(c) && c != ':').unwrap_or(rest.len());
            if rest[..end].contains("::") {
                paths.push(rest[..end].trim_end_matches(':').to_owned());
            }
            rest = &rest[end..];
        } else {
            rest = &rest[word.len()..];
        }
    }
    let found = paths.iter().filter_map(|path| resolve(path, &here, files));
    found.filter(|found| found != file).collect()
}

fn joined(here: &[&str], path: &[&str]) -> String {
    here.iter().chain(path).copied().collect::<Vec<_>>().join("::")
}

/// Takes `a::{b, c::{d, e}}` apart.
fn spread(path: &str, before: &str, paths: &mut Vec<String>) {
    let path = path.trim();
    let Some((head, list)) = path.split_once('{') else {
        let plain = path.split(" as ").next().unwrap_or(path);
        paths.push(format!("{before}{plain}").trim_end_matches("::self").to_owned());
        return;
    };
    let (mut depth, mut from) = (0, 0);
    let list = &list[..list.rfind('}').unwrap_or(list.len())];
    for (at, c) in list.char_indices().chain([(list.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if !list[from..at].trim().is_empty() {
                    spread(&list[from..at], &format!("{before}{head}"), paths);
                }
                from = at + 1;
            }
            _ => {}
        }
    }
}

/// The file that a path leads to: that of the longest part of it which is a module.
fn resolve(path: &str, here: &[&str], files: &BTreeMap<String, String>) -> Option<String> {
    let mut parts: Vec<&str> = path.split("::").map(str::trim).collect();
    let mut base = here.to_vec();
    match parts[0] {
        "crate" => base.clear(),
        "self" | "super" => {}
        first if files.contains_key(&joined(here, &[first])) => parts.insert(0, "self"),
        _ => return None,
    }
    while parts.first() == Some(&"super") {
        base.pop();
        parts.remove(0);
    }
    if ["crate", "self"].contains(parts.first().unwrap_or(&"")) {
        parts.remove(0);
    }
    (0..=parts.len()).rev().map(|count| joined(&base, &parts[..count])).find(|path| files.contains_key(path))
}

/// The text without comments, texts in quotes, tests and the places that visibility names.
fn code(text: &str) -> String {
    let mut out = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() == "#[cfg(test)]" {
            let next = lines.next().unwrap_or_default();
            if next.ends_with('{') {
                let indent = next.len() - next.trim_start().len();
                lines.by_ref().find(|line| line.len() == indent + 1 && line.trim() == "}");
            }
            continue;
        }
        let line = line.split("//").next().unwrap_or_default();
        let bare: Vec<&str> = line.split('"').step_by(2).collect();
        let bare = bare.join(" ").replace("pub(super)", "pub").replace("pub(crate)", "pub");
        out.push_str(if bare.trim_start().starts_with("pub(in") {
            bare.split(')').nth(1).unwrap_or_default()
        } else {
            &bare
        });
        out.push('\n');
    }
    out
}

/// Every circle once, from its first file round to it again.
fn circles(imports: &Imports) -> Vec<String> {
    let mut found = BTreeSet::new();
    for start in imports.keys() {
        if let Some(mut circle) = way(start, start, imports) {
            let first = circle.iter().enumerate().min_by_key(|(_, file)| (*file).clone()).map_or(0, |(at, _)| at);
            circle.rotate_left(first);
            circle.push(circle[0].clone());
            found.insert(circle.join(" -> "));
        }
    }
    found.into_iter().collect()
}

/// The shortest way from a file to another along imports.
fn way(from: &str, to: &str, imports: &Imports) -> Option<Vec<String>> {
    let mut open = std::collections::VecDeque::from([vec![from.to_owned()]]);
    let mut seen = BTreeSet::new();
    while let Some(path) = open.pop_front() {
        for next in imports.get(path.last()?).into_iter().flatten() {
            if next == to {
                return Some(path);
            }
            if seen.insert(next.clone()) {
                open.push_back([path.as_slice(), std::slice::from_ref(next)].concat());
            }
        }
    }
    None
}
