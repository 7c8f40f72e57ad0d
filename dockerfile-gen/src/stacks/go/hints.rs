//! What a project's own build files say about its programs.
//!
//! Input: `.goreleaser.y*ml`, Makefile, Taskfile, Procfile. Output: [`Hints`]. The one idea: the people who build a project
//! have written down which main package is the program, what it is called and which tags it needs; a Dockerfile at
//! the root is not read, because it is what will be written.

use crate::tree::Tree;

/// A build that a file describes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Build {
    /// The main package, as it is written, such as `./cmd/server`; the root where nothing is said.
    pub main: String,
    pub binary: Option<String>,
    pub tags: Vec<String>,
    pub cgo: Option<bool>,
    /// Variables that `-ldflags -X` sets, such as `main.version`.
    pub variables: Vec<String>,
    /// Whether it is what developers run, and not what is built.
    pub runs: bool,
    pub path: String,
    pub line: u32,
}

/// All builds, those of goreleaser first, in the root and in the folder of the module.
pub(super) fn builds(tree: &dyn Tree, module_dir: &str) -> Vec<Build> {
    let folders: &[&str] = if module_dir.is_empty() { &[""] } else { &[module_dir, ""] };
    let mut builds = Vec::new();
    for dir in folders {
        let at = |name: &str| if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") };
        let from = builds.len();
        for name in [".goreleaser.yml", ".goreleaser.yaml", "goreleaser.yml", "goreleaser.yaml"] {
            builds.extend(goreleaser(&at(name), &tree.scan(&at(name))));
        }
        for name in ["Makefile", "makefile", "GNUmakefile", "Taskfile.yml", "Taskfile.yaml", "justfile", "Procfile"] {
            builds.extend(commands(&at(name), &tree.scan(&at(name))));
        }
        for build in &mut builds[from..] {
            build.main = at(&build.main);
        }
    }
    builds.sort_by_key(|build: &Build| !build.path.contains("goreleaser"));
    builds
}

/// The private module patterns that a build file exports, with the place.
pub(super) fn private(tree: &dyn Tree) -> Option<(String, String, u32)> {
    let workflows = tree.under(".github/workflows").map(|(path, _)| path.as_str().to_owned());
    let fixed = ["Makefile", "makefile", ".envrc", ".gitlab-ci.yml", ".goreleaser.yml", ".goreleaser.yaml", "go.env"];
    for path in fixed.into_iter().map(str::to_owned).chain(workflows) {
        for (index, line) in tree.scan(&path).lines().enumerate() {
            let code = line.split('#').next().unwrap_or_default();
            let Some((_, rest)) = code.split_once("GOPRIVATE") else { continue };
            let value = rest.trim_start_matches([':', '=', '?', ' ', '\t']);
            let value = value.split([' ', '\t', ';', '&']).next().unwrap_or_default().trim_matches(['"', '\'']);
            let plain = |c: char| c.is_ascii_alphanumeric() || "./-_*,~".contains(c);
            if !value.is_empty() && value.contains('.') && value.chars().all(plain) {
                return Some((value.to_owned(), path, index as u32 + 1));
            }
        }
    }
    None
}

/// `builds:` of a goreleaser file, read line by line: a list of maps of words and lists of words.
fn goreleaser(path: &str, text: &str) -> Vec<Build> {
    let mut builds: Vec<Build> = Vec::new();
    let mut inside = false;
    let mut item_indent = None;
    let mut key = String::new();
    for (index, raw) in text.lines().enumerate() {
        let indent = raw.len() - raw.trim_start().len();
        let line = raw.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if indent == 0 && !line.starts_with('-') {
            inside = line == "builds:";
            item_indent = None;
            continue;
        }
        if !inside {
            continue;
        }
        let item = item_indent.get_or_insert(indent);
        let mut rest = line;
        if indent == *item && line.starts_with('-') {
            builds.push(Build { main: ".".into(), path: path.into(), line: index as u32 + 1, ..Build::default() });
            rest = line[1..].trim_start();
        }
        let Some(build) = builds.last_mut() else { continue };
        if let Some(entry) = rest.strip_prefix("- ") {
            setting(build, &key, entry.trim());
        } else if let Some((name, value)) = rest.split_once(':') {
            // Only keys of the item itself: `hooks:` and `overrides:` have keys of their own.
            if indent <= *item + 2 {
                key = name.trim().to_owned();
                setting(build, &key, value.trim());
                if key == "main" || key == "binary" {
                    build.line = index as u32 + 1;
                }
            }
        }
    }
    builds.retain(|build| !build.main.contains("{{"));
    builds
}

fn setting(build: &mut Build, key: &str, value: &str) {
    let value = value.trim_matches(['[', ']', '"', '\'']);
    if value.is_empty() {
        return;
    }
    match key {
        "main" => build.main = value.to_owned(),
        "binary" => build.binary = is_name(value).then(|| value.to_owned()),
        "tags" => build.tags.extend(tag_list(value)),
        "flags" => build.tags.extend(flag_tags(value)),
        "env" if value == "CGO_ENABLED=0" => build.cgo = Some(false),
        "env" if value == "CGO_ENABLED=1" => build.cgo = Some(true),
        "ldflags" => build.variables.extend(variables(value)),
        _ => {}
    }
}

/// `go build` and `go run` commands of a file with shell lines.
fn commands(path: &str, text: &str) -> Vec<Build> {
    let mut builds = Vec::new();
    for (index, line) in joined(text) {
        for command in line.split(['&', ';', '|']) {
            let Some(at) = command.find("go build ").or_else(|| command.find("go run ")) else { continue };
            let (before, rest) = command.split_at(at);
            let words: Vec<&str> = rest.split_whitespace().skip(2).map(|word| word.trim_matches(['"', '\''])).collect();
            let main = words.iter().position(|word| *word == "." || word.starts_with("./") || word.starts_with("cmd/"));
            let Some(main) = main else { continue };
            builds.push(Build {
                main: words[main].to_owned(),
                binary: None,
                tags: flag_tags(rest),
                cgo: before
                    .contains("CGO_ENABLED=0")
                    .then_some(false)
                    .or(before.contains("CGO_ENABLED=1").then_some(true)),
                variables: variables(rest),
                runs: rest.starts_with("go run"),
                path: path.to_owned(),
                line: index,
            });
        }
    }
    builds
}

/// Lines with their continuations, and the number of the first.
fn joined(text: &str) -> Vec<(u32, String)> {
    let mut lines: Vec<(u32, String)> = Vec::new();
    let mut open = false;
    for (index, line) in text.lines().enumerate() {
        let body = line.trim_end().trim_end_matches('\\');
        match lines.last_mut() {
            Some((_, last)) if open => last.push_str(body),
            _ => lines.push((index as u32 + 1, body.to_owned())),
        }
        open = line.trim_end().ends_with('\\');
    }
    lines
}

/// The tags of `-tags x,y`, `-tags=x` and `-tags "x y"`.
fn flag_tags(flags: &str) -> Vec<String> {
    let Some((_, rest)) = flags.split_once("-tags") else { return Vec::new() };
    let rest = rest.trim_start_matches(['=', ' ']);
    let list = match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => rest[1..].split(quote).next().unwrap_or_default(),
        _ => rest.split_whitespace().next().unwrap_or_default(),
    };
    tag_list(list)
}

fn tag_list(list: &str) -> Vec<String> {
    list.split([',', ' '])
        .map(|tag| tag.trim_matches(['"', '\'']))
        .filter(|tag| is_name(tag))
        .map(str::to_owned)
        .collect()
}

/// The variables of `-X path.name=value`.
fn variables(flags: &str) -> Vec<String> {
    let words: Vec<&str> = flags.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect();
    let after_flag =
        words.windows(2).filter(|pair| pair[0].trim_start_matches(['"', '\'']) == "-X").map(|pair| pair[1]);
    let joined = words.iter().filter_map(|word| word.strip_prefix("-X=").or_else(|| word.strip_prefix("-X'")));
    after_flag
        .chain(joined)
        .filter_map(|word| word.trim_matches(['"', '\'']).split_once('='))
        .map(|(name, _)| name.to_owned())
        .filter(|name| name.contains('.') && name.chars().all(|c| c.is_ascii_alphanumeric() || "./-_".contains(c)))
        .collect()
}

/// Whether a word is safe as a file name and as a tag: letters, digits, `.`, `-`, `_`.
pub(super) fn is_name(word: &str) -> bool {
    !word.is_empty()
        && word.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && word.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goreleaser_names_programs() {
        let text = "version: 2\nbefore:\n  hooks:\n    - go generate\nbuilds:\n  - id: a\n    main: ./cmd/a\n    binary: aa\n    \
                    env:\n      - CGO_ENABLED=0\n    flags: [\"-tags=x,y\"]\n    ldflags:\n      - -s -w -X main.version={{.Version}}\n  \
                    - main: ./cmd/b\n    hooks:\n      post: make pack\narchives:\n  - main: no\n";
        let found = goreleaser("g.yml", text);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].main.as_str(), found[0].binary.as_deref()), ("./cmd/a", Some("aa")));
        assert_eq!(found[0].cgo, Some(false));
        assert_eq!(found[0].tags, ["x", "y"]);
        assert_eq!(found[0].variables, ["main.version"]);
        assert_eq!(found[1].main, "./cmd/b");
    }

    #[test]
    fn shell_lines_name_programs() {
        let text = "run:\n\tCGO_ENABLED=0 go run -ldflags=\"-X 'main.v=1'\" ./cmd --config x.toml\nb:\n\tgo build -tags sqlite_fts5 \\\n\t  -o bin/x ./cmd/x && echo\n";
        let found = commands("Makefile", text);
        assert_eq!(found[0].main, "./cmd");
        assert!(found[0].runs && !found[1].runs);
        assert_eq!((found[1].main.as_str(), found[1].line), ("./cmd/x", 4));
        assert_eq!(found[1].tags, ["sqlite_fts5"]);
    }
}
