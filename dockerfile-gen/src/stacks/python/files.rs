//! Files and folders that matter beside the sources.
//!
//! Input: the sources and manifests. Output: notes on what the build reads, what the program serves and where it writes.
//! The one idea: what nobody reads stays out of the image, and so an edit to it rebuilds nothing.

use std::collections::BTreeSet;

use crate::facts::{Asset, Notes};
use crate::tree::{RelPath, Tree};

use super::django::Django;
use super::paths::{Names, string};
use super::pyproject::Pyproject;
use super::sources::Sources;
use super::start::Start;

/// Folders of programs that are run by hand.
const ASIDE: [&str; 6] = ["scripts", "dev", "tools", "contrib", "ci", "bin"];

/// Whether the program writes into its own folder.
pub(crate) fn writes(app_dir: &RelPath, sources: &Sources, django: Option<&Django>, notes: &mut Notes) -> bool {
    if let Some(django) = django.filter(|django| !django.writable.is_empty()) {
        if django.sqlite {
            notes.warn("the data lies in a SQLite file in the image's own folder: mount a volume there, or set another database");
        }
        return true;
    }
    let marks = [
        "sqlite:///",
        "sqlite+aiosqlite:///",
        "sqlite3.connect(",
        "SqliteDatabase(",
        "FileHandler(",
        "makedirs(",
        ".mkdir(",
    ];
    let of_program = |path: &RelPath| !path.as_str().split('/').any(|part| ASIDE.contains(&part));
    match sources.find(&marks, of_program) {
        Some((source, line)) => {
            let path = app_dir.join(source.path.as_str()).unwrap_or_default();
            notes.found(path.to_string(), Some(line), "writes files, so the program's folder belongs to its user");
            true
        }
        None => false,
    }
}

/// Notes the folders that the program serves and that a front end may build.
pub(crate) fn assets(
    tree: &dyn Tree,
    app_dir: &RelPath,
    sources: &Sources,
    django: Option<&Django>,
    start: &Start,
    notes: &mut Notes,
) {
    let mut folders: BTreeSet<RelPath> = BTreeSet::new();
    let top = |path: &RelPath| app_dir.join(path.as_str());
    folders.extend(django.iter().flat_map(|django| &django.static_dirs).filter_map(top));
    for source in &sources.files {
        let Some(file) = top(&source.path) else { continue };
        let mut names = Names::default();
        names.read(&file, &source.text);
        for line in source.text.lines().filter(|line| {
            line.contains("StaticFiles(") || line.contains("static_folder=") || line.contains(".frontend(")
        }) {
            let value = ["directory=", "static_folder="].iter().find_map(|key| Some(line.split_once(key)?.1));
            let Some(value) = value.map(|value| value.split([',', ')']).next().unwrap_or_default()) else { continue };
            // Flask takes the folder from the module's own, Starlette from where the program runs.
            let base = match line.contains("static_folder=") {
                true => RelPath::new(file.parent()),
                false => top(&start.dir),
            };
            let literal = || base?.join(string(value)?);
            folders.extend(names.eval(value, &file).or_else(literal));
        }
    }
    let built = |path: &RelPath| {
        let mut parent = path.parent().to_owned();
        let in_front_end = std::iter::from_fn(|| {
            let here = (!parent.is_empty()).then(|| parent.clone())?;
            parent = here.rsplit_once('/').map_or(String::new(), |(up, _)| up.to_owned());
            Some(here)
        });
        !tree.has_dir(path.as_str()) || in_front_end.into_iter().any(|dir| tree.has(&format!("{dir}/package.json")))
    };
    let found = folders.into_iter().filter(|path| !path.as_str().is_empty() && built(path));
    notes.assets.extend(found.map(|path| Asset { path, embedded: false }));
}

/// The README, if all that is done with it is to quote it in the metadata of the project.
pub(crate) fn quoted_only(
    tree: &dyn Tree,
    app_dir: &RelPath,
    pyproject: &Pyproject,
    sources: &Sources,
) -> Option<String> {
    let plain = |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    // A manifest that names none may do so tomorrow.
    let name = pyproject.readme().unwrap_or("README.md");
    let name = Some(name).filter(plain).filter(|name| name.to_uppercase().starts_with("README"))?;
    let there = app_dir.join(name).is_some_and(|path| tree.has(path.as_str()));
    let read =
        sources.find(&[name], |_| true).is_some() || pyproject.has("tool.hatch.metadata.hooks.fancy-pypi-readme");
    let setup = ["setup.py", "setup.cfg"]
        .iter()
        .any(|file| app_dir.join(file).is_some_and(|path| tree.scan(path.as_str()).contains(name)));
    (there && !read && !setup).then(|| name.to_owned())
}

/// Whether nothing imports or packages what is called as a test.
pub(crate) fn tests_apart(sources: &Sources, pyproject: Option<&Pyproject>) -> bool {
    let of_test = |line: &str| {
        let line = line.trim_start();
        let import = line.starts_with("from ") || line.starts_with("import ");
        let mut words = line.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        line.contains(".tests\"")
            || line.contains(".tests'")
            || import
                && !line.contains("django.test")
                && words.any(|word| {
                    matches!(word, "tests" | "conftest") || word.starts_with("test_") || word.ends_with("_test")
                })
    };
    let packaged = |line: &str| (line.contains("packages") || line.contains("include")) && line.contains("\"tests");
    !sources.files.iter().any(|source| source.text.lines().any(of_test))
        && !pyproject.is_some_and(|pyproject| pyproject.text.lines().any(packaged))
}

/// Notes the documents at the top that the program itself reads, as a changelog that it shows.
pub(crate) fn documents(tree: &dyn Tree, app_dir: &RelPath, sources: &Sources, notes: &mut Notes) {
    let is_document = |name: &str| {
        let licence = name.starts_with("LICENSE") || name.starts_with("COPYING");
        licence || [".md", ".rst", ".adoc"].iter().any(|ending| name.ends_with(ending))
    };
    let files = tree.files_in(app_dir.as_str()).map(RelPath::file_name).filter(|name| is_document(name));
    for name in files.chain(["docs"]) {
        let quoted = [format!("\"{name}\""), format!("'{name}'"), format!("/{name}\""), format!("/{name}'")];
        let quoted: Vec<&str> = quoted.iter().map(String::as_str).collect();
        let of_program = |path: &RelPath| path.file_name() != "setup.py";
        if let (Some(path), Some((source, line))) = (app_dir.join(name), sources.find(&quoted, of_program)) {
            let reader = app_dir.join(source.path.as_str()).unwrap_or_default();
            notes.found(reader.to_string(), Some(line), format!("reads `{path}`, which stays in the image"));
            notes.need(path.as_str());
        }
    }
}

/// Notes the files that the build reads and that are no sources.
pub(crate) fn keep(
    tree: &dyn Tree,
    dir: &RelPath,
    app_dir: &RelPath,
    pyproject: Option<&Pyproject>,
    installs: bool,
    has_stub: bool,
    notes: &mut Notes,
) {
    let mut need = |base: &RelPath, name: &str| {
        if let Some(path) = base.join(name).filter(|path| tree.has(path.as_str())) {
            notes.need(path.as_str());
        }
    };
    if !installs {
        return;
    }
    for base in [dir, app_dir] {
        let stub = pyproject.and_then(Pyproject::readme).filter(|_| has_stub);
        for file in pyproject.map(Pyproject::build_files).unwrap_or_default() {
            if Some(file.as_str()) != stub {
                need(base, &file);
            }
        }
        // What setuptools and hatchling take into a distribution unasked.
        let own: Vec<String> = tree.files_in(base.as_str()).map(|path| path.file_name().to_owned()).collect();
        let setup = ["setup.py", "setup.cfg"]
            .map(|file| base.join(file).map(|path| tree.scan(path.as_str())).unwrap_or_default());
        for file in own {
            let upper = file.to_ascii_uppercase();
            let licence = ["LICENSE", "LICENCE", "COPYING", "NOTICE"].iter().any(|start| upper.starts_with(start));
            if licence || file == "MANIFEST.in" || setup.iter().any(|text| text.contains(&file)) {
                need(base, &file);
            }
        }
    }
}
