//! Which packages there are and which of them a program is made of.
//!
//! Input: the tree and the modules. Output: main packages, and the sources that one is compiled from. The one idea: only
//! what a main package imports can say something about its image, so nothing else is read.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Source, builds};
use crate::tree::Tree;

/// A module whose sources are in the project.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub(crate) struct GoModule {
    /// The module path.
    pub path: String,
    /// The folder that holds its go.mod, relative to the project.
    pub dir: String,
}

/// The folders with Go files, and the modules that they belong to.
pub(super) struct Packages<'a> {
    tree: &'a dyn Tree,
    modules: &'a [GoModule],
    tags: &'a [String],
    /// Go files, without tests, by folder.
    files: BTreeMap<String, Vec<String>>,
}

impl<'a> Packages<'a> {
    /// Lists the folders of `modules`, as the go command sees them.
    pub(super) fn new(tree: &'a dyn Tree, modules: &'a [GoModule], tags: &'a [String]) -> Self {
        let foreign: BTreeSet<&str> = tree
            .files()
            .keys()
            .filter(|path| path.file_name() == "go.mod")
            .map(|path| path.parent())
            .filter(|dir| !modules.iter().any(|module| module.dir == *dir))
            .collect();
        let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for path in tree.files().keys() {
            let name = path.file_name();
            let is_source = name.ends_with(".go") && !name.ends_with("_test.go") && !name.starts_with(['_', '.']);
            if is_source && owner(modules, path.parent()).is_some() && !hidden(path.parent(), &foreign) {
                files.entry(path.parent().to_owned()).or_default().push(path.as_str().to_owned());
            }
        }
        Self { tree, modules, tags, files }
    }

    /// Whether there is anything that is compiled: `tools.go` files are not.
    pub(super) fn has_code(&self) -> bool {
        let compiled = |path: &String| builds(&Source::header(path, &self.tree.scan(path)), self.tags);
        self.files.values().flatten().any(compiled)
    }

    /// Folders of main packages, sorted.
    pub(super) fn mains(&self) -> Vec<String> {
        let is_main = |files: &Vec<String>| {
            let headers = files.iter().map(|path| Source::header(path, &self.tree.scan(path)));
            headers.into_iter().find(|source| builds(source, self.tags)).is_some_and(|source| source.package == "main")
        };
        self.files.iter().filter(|(_, files)| is_main(files)).map(|(dir, _)| dir.clone()).collect()
    }

    /// Whether a package has a `func main()`.
    pub(super) fn has_main(&self, dir: &str) -> bool {
        let files = self.files.get(dir).into_iter().flatten().map(|path| (path, self.tree.scan(path)));
        // Only what may have one is worth reading in full.
        let likely = files.filter(|(_, text)| text.contains("func main"));
        likely
            .map(|(path, text)| Source::parse(path, &text))
            .any(|source| builds(&source, self.tags) && source.has_main())
    }

    /// The sources of a package.
    pub(super) fn sources(&self, dir: &str) -> Vec<Source> {
        let files = self.files.get(dir).into_iter().flatten();
        files.map(|path| Source::parse(path, &self.tree.scan(path))).filter(|s| builds(s, self.tags)).collect()
    }

    /// The sources of the packages of this project that `dir` is compiled from, its own first.
    pub(super) fn reach(&self, dir: &str) -> Vec<Source> {
        let mut seen = BTreeSet::from([dir.to_owned()]);
        let mut queue = vec![dir.to_owned()];
        let mut sources = Vec::new();
        while let Some(dir) = queue.pop() {
            let found = self.sources(&dir);
            let imports: BTreeSet<&str> =
                found.iter().flat_map(|source| &source.imports).map(|(path, _)| path.as_str()).collect();
            for dir in imports.into_iter().filter_map(|path| folder(self.modules, path)).rev() {
                if self.files.contains_key(&dir) && seen.insert(dir.clone()) {
                    queue.push(dir);
                }
            }
            sources.extend(found);
        }
        sources
    }
}

/// The folder of an import path of this project.
pub(super) fn folder(modules: &[GoModule], import: &str) -> Option<String> {
    let holds = |module: &&GoModule| {
        import.strip_prefix(&module.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let module = modules.iter().filter(holds).max_by_key(|module| module.path.len())?;
    let rest = import.strip_prefix(&module.path)?.trim_start_matches('/');
    Some(match (module.dir.is_empty(), rest.is_empty()) {
        (true, _) => rest.to_owned(),
        (false, true) => module.dir.clone(),
        (false, false) => format!("{}/{rest}", module.dir),
    })
}

/// The module that a folder belongs to: the innermost one.
pub(super) fn owner<'m>(modules: &'m [GoModule], dir: &str) -> Option<&'m GoModule> {
    modules.iter().filter(|module| within(dir, &module.dir)).max_by_key(|module| module.dir.len())
}

fn within(dir: &str, root: &str) -> bool {
    root.is_empty() || dir == root || dir.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'))
}

/// Folders that the go command does not look into, and modules that are not built here.
fn hidden(dir: &str, foreign: &BTreeSet<&str>) -> bool {
    dir.split('/').any(|part| {
        part.starts_with('_')
            || part.starts_with('.') && !part.is_empty()
            || matches!(part, "testdata" | "vendor" | "node_modules")
    }) || foreign.iter().any(|root| !root.is_empty() && within(dir, root))
}
