//! A light look into Python sources.
//!
//! Input: the tree. Output: [`Sources`], the files that may say how the service starts, and the [`App`]s that they
//! define. The one idea: what a server imports is assigned at the margin of a file, so no parser is needed to see it.

use crate::tree::{RelPath, Tree};

/// How many source files are looked into.
const MOST: usize = 200;

/// A source file.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// Its path, relative to the folder of the Python project.
    pub(crate) path: RelPath,
    /// Its text.
    pub(crate) text: String,
}

/// The source files that were looked into, the likeliest entry points first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    /// Path and text.
    pub(crate) files: Vec<Source>,
}

/// What makes an object a server can serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Maker {
    /// A class, by its name.
    Class(&'static str),
    /// A function of the project's own.
    Function,
}

/// An object that a server can serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct App {
    /// The file, relative to the folder of the Python project.
    pub(crate) path: RelPath,
    /// The line.
    pub(crate) line: u32,
    /// The name of the object, or of the function that makes it.
    pub(crate) object: String,
    /// What makes it.
    pub(crate) maker: Maker,
    /// Whether the object is a function that makes the application.
    pub(crate) factory: bool,
}

const CLASSES: &[&str] =
    &["FastAPI", "Flask", "Starlette", "Litestar", "Quart", "Sanic", "Dash", "Bottle", "Robyn", "FastMCP", "APIFlask"];
const FACTORIES: &[&str] = &[
    "create_app",
    "make_app",
    "get_app",
    "build_app",
    "create_application",
    "get_application",
    "app_factory",
    "init_app",
];
const ENTRY_FILES: &[&str] = &[
    "main.py",
    "app.py",
    "asgi.py",
    "wsgi.py",
    "server.py",
    "application.py",
    "api.py",
    "run.py",
    "__main__.py",
    "__init__.py",
    "autoapp.py",
    "index.py",
    "bot.py",
    "start.py",
    "web.py",
];

/// Folders whose files start nothing.
pub(crate) fn is_aside(component: &str) -> bool {
    component.starts_with('.')
        || matches!(
            component,
            "tests"
                | "test"
                | "testing"
                | "migrations"
                | "docs"
                | "doc"
                | "examples"
                | "example"
                | "samples"
                | "benchmarks"
                | "notebooks"
                | "site-packages"
                | "venv"
                | "env"
                | "node_modules"
                | "alembic"
                | "build"
                | "dist"
        )
}

/// Reads the sources below the folder `dir`.
pub(crate) fn read(tree: &dyn Tree, dir: &RelPath) -> Sources {
    let skip = if dir.as_str().is_empty() { 0 } else { dir.as_str().len() + 1 };
    let mut paths: Vec<(usize, usize, String)> = Vec::new();
    for (path, meta) in tree.under(dir.as_str()) {
        let Some(rest) = path.as_str().get(skip..).filter(|rest| rest.ends_with(".py")) else { continue };
        let name = path.file_name();
        let is_test =
            name.starts_with("test_") || name.ends_with("_test.py") || matches!(name, "conftest.py" | "tests.py");
        if is_test || meta.size > 1 << 18 || rest.split('/').rev().skip(1).any(is_aside) {
            continue;
        }
        let rank = ENTRY_FILES.iter().position(|entry| *entry == name).unwrap_or(ENTRY_FILES.len());
        paths.push((rest.matches('/').count(), rank, rest.to_owned()));
    }
    // Entry points lie at the top or carry one of the usual names.
    paths.sort_by_key(|(depth, rank, path)| (depth * 4 + rank, path.clone()));
    paths.truncate(MOST);
    let files = paths.into_iter().filter_map(|(_, _, path)| {
        let text = tree.scan(dir.join(&path)?.as_str());
        Some(Source { path: RelPath::new(&path)?, text })
    });
    Sources { files: files.collect() }
}

impl Sources {
    /// The file at a path, if it was looked into.
    pub(crate) fn get(&self, path: &str) -> Option<&Source> {
        self.files.iter().find(|source| source.path.as_str() == path)
    }

    /// Every application object, the likeliest first.
    pub(crate) fn apps(&self) -> Vec<App> {
        let mut apps: Vec<App> = self.files.iter().flat_map(apps_of).collect();
        apps.sort_by_key(|app| {
            let name = app.path.file_name();
            let file = ENTRY_FILES.iter().position(|entry| *entry == name).unwrap_or(ENTRY_FILES.len());
            let object = ["app", "application", "api", "server"].iter().position(|usual| *usual == app.object);
            (app.factory, app.path.as_str().matches('/').count(), file, object.unwrap_or(9), app.path.clone())
        });
        apps
    }

    /// The first file, of those whose path is wanted, and its line that holds one of the texts outside a comment.
    pub(crate) fn find(&self, texts: &[&str], wanted: impl Fn(&RelPath) -> bool) -> Option<(&Source, u32)> {
        let mut files = self.files.iter().filter(|source| wanted(&source.path));
        files.find_map(|source| Some((source, line_with(&source.text, texts)?)))
    }
}

/// The first line, from 1, that holds one of the texts outside a comment.
pub(crate) fn line_with(text: &str, texts: &[&str]) -> Option<u32> {
    let held = |line: &str| !line.trim_start().starts_with('#') && texts.iter().any(|text| line.contains(text));
    text.lines().position(held).map(|index| index as u32 + 1)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether a text is a Python identifier, so that it can be part of a module's name.
pub(crate) fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_word) && !text.starts_with(|c: char| c.is_ascii_digit())
}

fn apps_of(source: &Source) -> Vec<App> {
    let mut apps = Vec::new();
    let entry = matches!(source.path.file_name(), "wsgi.py" | "asgi.py");
    for (index, line) in source.text.lines().enumerate() {
        let made = assigned(line).or_else(|| defined(line, source)).or_else(|| entry.then(|| imported(line)).flatten());
        apps.extend(made.map(|(object, maker, factory)| App {
            path: source.path.clone(),
            line: index as u32 + 1,
            object: object.to_owned(),
            maker,
            factory,
        }));
    }
    apps
}

/// `app = FastAPI(…`, `app: Flask = create_app(…`, at the margin.
fn assigned(line: &str) -> Option<(&str, Maker, bool)> {
    let (target, value) = line.split_once('=')?;
    if value.starts_with('=') || line.starts_with([' ', '\t', '#']) {
        return None;
    }
    let object = target.split(':').next()?.trim();
    let (callee, _) = value.trim_start().split_once('(')?;
    let name = callee.rsplit('.').next()?.trim();
    let maker = match CLASSES.iter().find(|class| **class == name) {
        Some(class) => Maker::Class(class),
        None if callee == "web.Application" => Maker::Class("aiohttp"),
        None if callee == "falcon.App" || callee == "falcon.asgi.App" => Maker::Class("falcon"),
        None if FACTORIES.contains(&name) => Maker::Function,
        None => return None,
    };
    is_identifier(object).then_some((object, maker, false))
}

/// `def create_app(…` with nothing that a caller must pass.
fn defined<'a>(line: &'a str, source: &Source) -> Option<(&'a str, Maker, bool)> {
    let rest = line.strip_prefix("def ").or_else(|| line.strip_prefix("async def "))?;
    let (name, parameters) = rest.split_once('(')?;
    if !FACTORIES.contains(&name) || name == "init_app" {
        return None;
    }
    let parameters = parameters.split(')').next().unwrap_or_default();
    let optional = |parameter: &str| parameter.trim().is_empty() || parameter.contains(['=', '*']);
    let class = CLASSES.iter().find(|class| source.text.contains(&format!("{class}(")))?;
    parameters.split(',').all(optional).then_some((name, Maker::Class(class), true))
}

/// `from project import app` in a wsgi.py.
fn imported(line: &str) -> Option<(&str, Maker, bool)> {
    let (_, names) = line.strip_prefix("from ")?.split_once(" import ")?;
    let objects = names.split(',').map(|name| name.rsplit(" as ").next().unwrap_or_default().trim());
    let object = objects.into_iter().find(|name| matches!(*name, "app" | "application"))?;
    Some((object, Maker::Function, false))
}

/// The first components of what a file imports by absolute name.
pub(crate) fn imports(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for line in text.lines() {
        let line = line.trim_start();
        let list = if let Some(rest) = line.strip_prefix("from ") {
            rest.split_once(" import").map_or("", |(module, _)| module)
        } else {
            line.strip_prefix("import ").unwrap_or_default()
        };
        let modules = list.split(',').filter_map(|module| module.trim().split(['.', ' ']).next());
        names.extend(modules.filter(|name| is_identifier(name)));
    }
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::MemTree;

    #[test]
    fn the_likeliest_application_comes_first() {
        let tree = MemTree::from([
            ("tests/test_x.py", "app = FastAPI()\n"),
            ("src/shop/main.py", "import os\n\napi: FastAPI = fastapi.FastAPI(\n    title='x')\n"),
            ("src/shop/factory.py", "def create_app(config=None) -> FastAPI:\n    app = FastAPI()\n"),
            ("src/shop/other.py", "    app = Flask(__name__)\nif app == FastAPI():\n"),
        ]);
        let apps = read(&tree, &RelPath::default()).apps();
        let found: Vec<(&str, &str, u32, bool)> =
            apps.iter().map(|app| (app.path.as_str(), app.object.as_str(), app.line, app.factory)).collect();
        assert_eq!(found, [("src/shop/main.py", "api", 3, false), ("src/shop/factory.py", "create_app", 1, true)]);
    }

    #[test]
    fn factories_that_need_arguments_are_none() {
        let source = |text: &str| Source { path: RelPath::new("a.py").unwrap(), text: text.to_owned() };
        assert!(apps_of(&source("def create_app(config):\n    return Flask(__name__)\n")).is_empty());
        assert_eq!(apps_of(&source("def create_app(**kw):\n    return Flask(__name__)\n")).len(), 1);
    }

    #[test]
    fn imports_by_absolute_name() {
        assert_eq!(imports("import os.path, sys\nfrom app.core import x\nfrom . import y\n"), ["app", "os", "sys"]);
    }
}
