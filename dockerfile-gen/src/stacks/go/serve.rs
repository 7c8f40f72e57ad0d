//! What a program reads from disk when it runs.
//!
//! Input: its sources and the tree. Output: [`Served`] files and folders, and what is read but missing. The one idea: a
//! literal that names something of the project, and is no pattern of `//go:embed`, is a path that the program will look
//! for in its working folder.

use std::collections::{BTreeMap, BTreeSet};

use super::place::{Place, place};
use super::source::Source;
use crate::facts::Served;
use crate::secrets::{self, Verdict};
use crate::tree::{RelPath, Tree};

/// What the program reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reads {
    /// What is there, with the place that reads it.
    pub served: BTreeMap<Served, (String, u32)>,
    /// Folders that a front end may build, with the place that reads them.
    pub missing_folders: BTreeMap<RelPath, (String, u32)>,
    /// Files that are not there, but a sample of which is: file, sample, place.
    pub samples: BTreeMap<RelPath, (RelPath, String, u32)>,
    /// Where a `.env` file is loaded.
    pub dotenv: Option<(String, u32)>,
}

/// Where paths are looked for.
struct Search<'a> {
    tree: &'a dyn Tree,
    /// The folder that the program is started in, relative to the project.
    base: &'a RelPath,
    /// Files and folders that are part of the binary.
    embedded: &'a BTreeSet<RelPath>,
}

/// Looks through `sources` for paths of a program that is started in `base`; `embedded` are the files and folders that
/// are part of the binary.
pub(super) fn reads(tree: &dyn Tree, sources: &[Source], embedded: &BTreeSet<RelPath>, base: &RelPath) -> Reads {
    let search = Search { tree, base, embedded };
    let mut reads = Reads::default();
    for source in sources.iter().filter(|source| !source.generated) {
        let import_lines: BTreeSet<u32> = source.imports.iter().map(|(_, line)| *line).collect();
        for (index, token) in source.tokens.iter().enumerate() {
            let Some(text) = token.text() else { continue };
            if !import_lines.contains(&token.line) && could_be_path(text) {
                let at = (source.path.clone(), token.line);
                consider(&search, &mut reads, text, &place(source, index), at);
            }
        }
        joined(&search, source, &mut reads);
        configuration(&search, source, &mut reads);
    }
    let folders: Vec<RelPath> =
        reads.served.keys().filter(|served| served.folder).map(|served| served.path.clone()).collect();
    reads
        .served
        .retain(|served, _| !folders.iter().any(|folder| inside(&served.path, folder) && served.path != *folder));
    reads
}

fn could_be_path(text: &str) -> bool {
    !text.is_empty()
        && text.len() < 200
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/:*@+ ".contains(&byte))
        && text.bytes().any(|byte| byte.is_ascii_alphanumeric())
}

/// The path that a literal may mean: without `file://`, the alias of stuffbin (`path:alias`) and patterns.
fn path_of(text: &str, base: &RelPath) -> Option<RelPath> {
    let text = text.strip_prefix("file://").unwrap_or(text);
    let text = match text.split_once(':') {
        Some((path, _)) if path.starts_with("./") => path,
        Some(_) => return None,
        None => text,
    };
    let fixed: Vec<&str> = text.split('/').take_while(|part| !part.contains('*')).collect();
    let path = base.join(&fixed.join("/"))?;
    (!text.starts_with('/') && path != *base && !path.as_str().is_empty()).then_some(path)
}

fn consider(search: &Search<'_>, reads: &mut Reads, text: &str, place: &Place<'_>, at: (String, u32)) {
    let (tree, embedded) = (search.tree, search.embedded);
    let Some(path) = path_of(text, search.base) else { return };
    let reader = place.calls.first().is_some_and(|call| is_reader(call.name, call.index));
    let named = place.key.is_some_and(is_path_name)
        || place.calls.iter().any(|call| call.first.is_some_and(|(_, first)| first != text && is_path_name(first)));
    if path.file_name() == ".env" {
        let loads =
            place.calls.iter().any(|call| matches!(call.name, "Load" | "Overload" | "ReadConfig" | "SetConfigFile"));
        if loads {
            reads.dotenv.get_or_insert(at);
        }
        return;
    }
    let is_embedded = embedded.iter().any(|root| inside(&path, root));
    if is_embedded && !(reader && text.starts_with("./")) || is_secret(tree, &path) || is_never_read(&path) {
        return;
    }
    let explicit = text.starts_with("./") || text.starts_with("file://") || text.contains('/') || reader || named;
    if tree.has(path.as_str()) {
        if explicit || reader {
            reads.served.entry(Served { path, folder: false }).or_insert(at);
        }
    } else if tree.has_dir(path.as_str()) {
        if explicit && holds_no_code(tree, &path) {
            reads.served.entry(Served { path, folder: true }).or_insert(at);
        }
    } else if let Some(sample) = sample_of(tree, &path) {
        reads.samples.entry(path).or_insert((sample, at.0, at.1));
    } else if explicit && is_built_by_node(tree, &path) {
        reads.missing_folders.entry(path).or_insert(at);
    }
}

/// Functions that take the name of a file or folder, and which of their arguments it is.
fn is_reader(name: &str, index: usize) -> bool {
    match name {
        "Dir" | "DirFS" | "ReadFile" | "Open" | "OpenFile" | "ReadDir" | "ParseGlob" | "LoadHTMLGlob"
        | "SetConfigFile" | "AddConfigPath" | "DecodeFile" | "LoadFile" | "WalkDir" | "Walk" | "Glob"
        | "ReadConfig" | "LoadConfig" | "LoadMessageFile" | "NewLocalFS" => index == 0,
        "ParseFiles" | "LoadHTMLFiles" => true,
        "Static" | "StaticFile" | "File" | "Up" | "UpContext" | "StaticDir" => index == 1,
        "ServeFile" => index == 2,
        "LoadX509KeyPair" => false,
        _ => false,
    }
}

/// Names of variables, fields and flags that hold a path.
fn is_path_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["dir", "path", "folder", "file", "root", "static", "template", "public", "migrations", "assets", "config"]
        .iter()
        .any(|part| name.contains(part))
}

/// Whether the image gets the file at run time, if at all: it has a secret's name, or is the certificate of such a key.
fn is_secret(tree: &dyn Tree, path: &RelPath) -> bool {
    let verdict = secrets::verdict(tree, path.as_str());
    matches!(verdict, Some(Verdict::Secret(_))) || path.file_name().ends_with(".crt")
}

/// What is in a project for people and tools, whatever the code says of it.
fn is_never_read(path: &RelPath) -> bool {
    let first = path.as_str().split('/').next().unwrap_or_default();
    let name = path.file_name();
    first.starts_with('.')
        || matches!(first, "vendor" | "node_modules" | "testdata" | "doc" | "docs" | "test" | "tests")
        || matches!(name, "go.mod" | "go.sum" | "go.work" | "Makefile" | "Dockerfile" | "package.json")
        || name.ends_with(".go")
        || name.ends_with(".md")
}

/// A folder with Go files holds packages, which are part of the binary.
fn holds_no_code(tree: &dyn Tree, path: &RelPath) -> bool {
    !tree.under(path.as_str()).any(|(file, _)| file.file_name().ends_with(".go"))
}

fn sample_of(tree: &dyn Tree, path: &RelPath) -> Option<RelPath> {
    let (stem, kind) = path.as_str().rsplit_once('.')?;
    // Most texts with a dot are no paths at all.
    if kind.len() > 10 || !kind.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    [".sample", ".example", ".dist", ".template"]
        .iter()
        .flat_map(|ending| [format!("{path}{ending}"), format!("{stem}{ending}.{kind}")])
        .find(|name| tree.has(name))
        .and_then(|name| RelPath::new(&name))
}

/// Whether the folder would lie in a Node project, or is where one usually puts its build.
fn is_built_by_node(tree: &dyn Tree, path: &RelPath) -> bool {
    let mut dir = path.parent();
    loop {
        let manifest = if dir.is_empty() { "package.json".to_owned() } else { format!("{dir}/package.json") };
        if tree.has(&manifest) {
            let last = path.file_name();
            return !last.contains('.')
                && (!dir.is_empty() || matches!(last, "dist" | "build" | "public" | "static" | "out"));
        }
        if dir.is_empty() {
            return false;
        }
        dir = dir.rsplit_once('/').map_or("", |(parent, _)| parent);
    }
}

/// `filepath.Join("web", "static")`.
fn joined(search: &Search<'_>, source: &Source, reads: &mut Reads) {
    for (index, window) in source.tokens.windows(4).enumerate() {
        let [package, dot, function, open] = window else { continue };
        let is_join =
            matches!(package.word(), Some("filepath" | "path")) && dot.is('.') && function.word() == Some("Join");
        if !is_join || !open.is('(') {
            continue;
        }
        let mut parts = Vec::new();
        let mut rest = source.tokens[index + 4..].iter();
        let closed = loop {
            match (rest.next(), rest.next()) {
                (Some(part), Some(mark)) if part.text().is_some() && (mark.is(',') || mark.is(')')) => {
                    parts.extend(part.text());
                    if mark.is(')') {
                        break true;
                    }
                }
                _ => break false,
            }
        };
        if closed && parts.len() > 1 {
            let at = (source.path.clone(), package.line);
            consider(search, reads, &format!("./{}", parts.join("/")), &Place::default(), at);
        }
    }
}

/// viper: a name without an ending, looked for in the folders that were added.
fn configuration(search: &Search<'_>, source: &Source, reads: &mut Reads) {
    let tree = search.tree;
    let argument = |function: &str| -> Vec<(String, u32)> {
        let calls = source.tokens.windows(3).filter(|w| w[0].word() == Some(function) && w[1].is('('));
        calls.filter_map(|w| Some((w[2].text()?.to_owned(), w[0].line))).collect()
    };
    for (name, line) in argument("SetConfigName") {
        for (dir, _) in argument("AddConfigPath") {
            for kind in ["yaml", "yml", "toml", "json"] {
                let Some(path) = search.base.join(&format!("{dir}/{name}.{kind}")) else { continue };
                let at = (source.path.clone(), line);
                if is_secret(tree, &path) {
                    continue;
                }
                if tree.has(path.as_str()) {
                    reads.served.entry(Served { path, folder: false }).or_insert(at);
                } else if let Some(sample) = sample_of(tree, &path) {
                    reads.samples.entry(path).or_insert((sample, at.0, at.1));
                }
            }
        }
    }
    // godotenv.Load() without a name loads `.env`.
    let load = source.tokens.windows(3).find(|w| w[0].word() == Some("godotenv") && w[1].is('.'));
    if let Some(window) = load
        && reads.dotenv.is_none()
    {
        reads.dotenv = Some((source.path.clone(), window[0].line));
    }
}

/// Where the program looks for the folder of its own binary, to keep files there.
pub(super) fn beside_binary(sources: &[Source]) -> Option<(String, u32)> {
    sources.iter().filter(|source| !source.generated).find_map(|source| {
        let tokens = source.tokens.as_slice();
        // `exe, err := os.Executable()`
        let names = tokens.windows(8).filter(|w| w[1].is(',') && w[3].is(':') && w[5].word() == Some("os"));
        let named: BTreeSet<&str> =
            names.filter(|w| w[7].word() == Some("Executable")).filter_map(|w| w[0].word()).collect();
        let found = tokens.windows(5).find(|w| {
            let is_dir = w[0].word() == Some("Dir") && w[1].is('(');
            let is_argument = w[2].word() == Some("os") && w[3].is('.') && w[4].word() == Some("Args");
            is_dir && (is_argument || w[3].is(')') && w[2].word().is_some_and(|name| named.contains(name)))
        })?;
        Some((source.path.clone(), found[0].line))
    })
}

/// Whether `path` is `root` or lies below it.
pub(super) fn inside(path: &RelPath, root: &RelPath) -> bool {
    root.as_str().is_empty()
        || path == root
        || path.as_str().strip_prefix(root.as_str()).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::MemTree;

    fn served(code: &str, embedded: &[&str]) -> Vec<String> {
        let tree = MemTree::from([
            ("templates/a.html", ""),
            ("static/x.css", ""),
            ("config.toml", ""),
            ("config/app.yaml", ""),
            ("internal/x.go", ""),
            ("migrations/1.sql", ""),
            ("README.md", ""),
        ]);
        let source = Source::parse("main.go", &format!("package main\n{code}\n"));
        let embedded = embedded.iter().filter_map(|path| RelPath::new(path)).collect();
        reads(&tree, &[source], &embedded, &RelPath::default())
            .served
            .keys()
            .map(|served| served.path.to_string())
            .collect()
    }

    #[test]
    fn paths_of_the_project_that_the_code_opens_are_served() {
        assert_eq!(served("var t = template.ParseGlob(\"templates/*.html\")", &[]), ["templates"]);
        assert_eq!(served("var h = http.FileServer(http.Dir(\"static\"))", &[]), ["static"]);
        assert_eq!(served("func f(r Router) { r.Static(\"/assets\", \"./static\") }", &[]), ["static"]);
        assert_eq!(served("var m, _ = migrate.New(\"file://migrations\", dsn)", &[]), ["migrations"]);
        assert_eq!(served("var m, _ = migrate.New(\"file://./migrations\", dsn)", &[]), ["migrations"]);
        assert_eq!(
            served("func f() { viper.SetConfigName(\"app\"); viper.AddConfigPath(\"./config\") }", &[]),
            ["config"]
        );
        assert_eq!(served("var p = filepath.Join(\"static\", \"x.css\")", &[]), ["static/x.css"]);
    }

    #[test]
    fn a_program_that_keeps_files_beside_itself_is_noticed() {
        let beside = |code: &str| {
            super::beside_binary(&[Source::parse("main.go", &format!("package main\nfunc main() {{ {code} }}\n"))])
                .is_some()
        };
        assert!(beside("dir := filepath.Dir(os.Args[0])"));
        assert!(beside("exe, err := os.Executable(); open(filepath.Dir(exe))"));
        assert!(!beside("exe, err := os.Executable(); open(exe); filepath.Dir(path)"));
    }

    #[test]
    fn words_code_and_embedded_files_are_not() {
        assert_eq!(served("var kind = \"static\"", &[]), [""; 0]);
        assert_eq!(served("var dir = \"internal\"\nvar readme = \"./README.md\"", &[]), [""; 0]);
        assert_eq!(served("var t = template.ParseFS(fs, \"templates/a.html\")", &["templates"]), [""; 0]);
        assert_eq!(served("var x = \"../../etc/passwd\"\nvar y = \"/static\"", &[]), [""; 0]);
    }
}
