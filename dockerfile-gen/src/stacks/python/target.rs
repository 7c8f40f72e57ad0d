//! Where a file of the project is imported from.
//!
//! Input: a file. Output: [`Target`], the module's name and the folder that must be on Python's path. The one idea: what
//! the file itself imports tells which folder its author runs it from.

use crate::tree::{RelPath, Tree};

use super::sources::{Source, imports, is_identifier};

/// A module that can be imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The dotted name.
    pub(crate) module: String,
    /// The folder that it is imported from, relative to the folder of the Python project.
    pub(crate) root: RelPath,
}

/// Finds out how the file is imported, in the Python project in `dir`. `None` if its name is no module's.
pub(crate) fn target(tree: &dyn Tree, dir: &RelPath, source: &Source) -> Option<Target> {
    let path = source.path.as_str();
    let parents: Vec<&str> = path.rsplit_once('/').map_or(Vec::new(), |(dir, _)| dir.split('/').collect());
    let is_package = source.path.file_name() == "__init__.py";
    let relative = source.text.lines().any(|line| line.trim_start().starts_with("from ."));
    // The file's own folder cannot be on the path if the file is the package or imports relatively.
    let deepest = parents.len() - usize::from((is_package || relative) && !parents.is_empty());
    let at = |depth: usize| RelPath::new(&parents.get(..depth).unwrap_or_default().join("/")).unwrap_or_default();
    let fits = |depth: &usize| parents.get(*depth..).unwrap_or_default().iter().all(|part| is_identifier(part));
    let is_src = |depth: &usize| *depth == 1 && parents.first() == Some(&"src") && !has(tree, dir, "src/__init__.py");
    let known = imports(&source.text);
    let score = |depth: &usize| {
        let root = at(*depth);
        let local = |name: &&&str| root.join(name).is_some_and(|path| is_module(tree, dir, path.as_str()));
        (known.iter().filter(local).count(), is_src(depth), std::cmp::Reverse(*depth))
    };
    let depth = (0..=deepest).filter(fits).max_by_key(score)?;
    let mut parts: Vec<&str> = parents.get(depth..).unwrap_or_default().to_vec();
    let stem = source.path.file_name().strip_suffix(".py")?;
    if !is_package {
        parts.push(stem);
    }
    let named = !parts.is_empty() && parts.iter().all(|part| is_identifier(part));
    named.then(|| Target { module: parts.join("."), root: at(depth) })
}

fn has(tree: &dyn Tree, dir: &RelPath, path: &str) -> bool {
    dir.join(path).is_some_and(|path| tree.has(path.as_str()))
}

/// Whether a path without an ending is a module or a folder that holds one.
fn is_module(tree: &dyn Tree, dir: &RelPath, path: &str) -> bool {
    let Some(full) = dir.join(path) else { return false };
    tree.has(&format!("{full}.py")) || tree.under(full.as_str()).any(|(file, _)| file.as_str().ends_with(".py"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::MemTree;

    fn found(files: &[(&str, &str)]) -> (String, String) {
        let mut tree = MemTree::default();
        for (path, text) in files {
            tree.insert(path, *text);
        }
        let source = Source { path: RelPath::new(files[0].0).unwrap(), text: files[0].1.to_owned() };
        let target = target(&tree, &RelPath::default(), &source).unwrap();
        (target.module, target.root.to_string())
    }

    fn pair(module: &str, root: &str) -> (String, String) {
        (module.to_owned(), root.to_owned())
    }

    #[test]
    fn imports_tell_the_folder() {
        assert_eq!(found(&[("app/main.py", "from app.core import x"), ("app/core.py", "")]), pair("app.main", ""));
        assert_eq!(found(&[("app/main.py", "from core import x"), ("app/core.py", "")]), pair("main", "app"));
        assert_eq!(found(&[("app/main.py", "from .core import x"), ("app/core.py", "")]), pair("app.main", ""));
        assert_eq!(found(&[("src/shop/__init__.py", "import os")]), pair("shop", "src"));
        assert_eq!(found(&[("src/main.py", "from src.x import y"), ("src/x.py", "")]), pair("src.main", ""));
        assert_eq!(found(&[("my-app/main.py", "")]), pair("main", "my-app"));
        assert_eq!(found(&[("main.py", "")]), pair("main", ""));
    }
}
