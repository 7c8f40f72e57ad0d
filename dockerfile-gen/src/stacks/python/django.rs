//! Django projects.
//!
//! Input: manage.py and the settings. Output: [`Django`]. The one idea: the settings that a server would load decide, not
//! those that manage.py takes for development, and a file that imports another with `*` is read together with it.

use std::collections::BTreeMap;

use crate::tree::{RelPath, Tree};

use super::paths::{Names, string};
use super::sources::{is_identifier, line_with};

/// The facts about a Django project.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub(crate) struct Django {
    /// The folder of manage.py, relative to the folder of the Python project.
    pub dir: RelPath,
    /// The settings module, such as `shop.settings.production`.
    pub settings: String,
    /// Whether the module must be named in the environment, because another one is the default.
    pub name_settings: bool,
    /// The module and object of the WSGI application.
    pub wsgi: Option<String>,
    /// The module and object of the ASGI application.
    pub asgi: Option<String>,
    /// Whether the settings ask for ASGI (`ASGI_APPLICATION`).
    pub prefers_asgi: bool,
    /// Whether there are static files to collect.
    pub collect_static: bool,
    /// Whether they are, or for all that is known may be, collected outside of the project.
    pub static_elsewhere: bool,
    /// Variables that the settings cannot be loaded without, and a value to build with.
    pub required: BTreeMap<String, String>,
    /// Folders that the server writes to, relative to the folder of the Python project.
    pub writable: Vec<RelPath>,
    /// Whether the data is kept in a SQLite file.
    pub sqlite: bool,
    /// Whether GeoDjango is used.
    pub gis: bool,
    /// Folders that static files are taken from, relative to the folder of the Python project.
    pub static_dirs: Vec<RelPath>,
    /// Whether a request to 127.0.0.1 is answered, as far as the settings say.
    pub answers_localhost: bool,
    /// Why: file, line and reason of each fact.
    #[serde(skip)]
    pub(crate) evidence: Vec<(String, Option<u32>, String)>,
}

struct Module {
    path: RelPath,
    text: String,
}

/// Reads the project whose manage.py lies in `dir`, a folder of the Python project in `root`.
pub(crate) fn read(tree: &dyn Tree, root: &RelPath, dir: &RelPath) -> Option<Django> {
    let at = |rest: &str| root.join(dir.join(rest)?.as_str());
    let manage_path = at("manage.py")?;
    let manage = tree.scan(manage_path.as_str());
    let (default, line) = settings_default(&manage)?;
    let mut django = Django { dir: dir.clone(), ..Django::default() };
    django.evidence.push((manage_path.to_string(), Some(line), format!("a Django project with settings `{default}`")));

    let package = default.split('.').next().unwrap_or_default().to_owned();
    let server = |name: &str| {
        let module = format!("{package}.{name}");
        let path = at(&format!("{package}/{name}.py"))?;
        tree.has(path.as_str()).then(|| (module, tree.scan(path.as_str()), path))
    };
    let (wsgi, asgi) = (server("wsgi"), server("asgi"));
    let served = wsgi.iter().chain(&asgi).find_map(|(_, text, path)| Some((settings_default(text)?, path)));
    django.settings = default.clone();
    if let Some(((other, line), path)) = served {
        django.settings = other;
        if django.settings != default {
            django.evidence.push((
                path.to_string(),
                Some(line),
                format!("the server's settings are `{}`", django.settings),
            ));
        }
    }
    if let Some(better) = production_sibling(tree, root, dir, &django.settings) {
        let reason = format!("settings `{better}`, not the development ones");
        django.evidence.push((manage_path.to_string(), None, reason));
        django.settings = better;
    }
    let default_of_server = wsgi.iter().chain(&asgi).find_map(|(_, text, _)| settings_default(text));
    django.name_settings =
        django.settings != default || default_of_server.is_some_and(|(name, _)| name != django.settings);
    let application = |server: Option<&(String, String, RelPath)>| {
        let (module, text, _) = server?;
        let object = if line_with(text, &["application ="]).is_some() { "application" } else { "app" };
        Some(format!("{module}:{object}"))
    };
    django.wsgi = application(wsgi.as_ref());
    django.asgi = application(asgi.as_ref());

    let mut chain = Vec::new();
    follow(tree, root, dir, &django.settings, &mut chain, 0);
    settings(&mut django, root, &chain);
    Some(django)
}

/// The module that `os.environ.setdefault("DJANGO_SETTINGS_MODULE", …)` names, and its line.
fn settings_default(text: &str) -> Option<(String, u32)> {
    text.lines().enumerate().find_map(|(index, line)| {
        let (_, rest) = line.split_once("DJANGO_SETTINGS_MODULE").filter(|_| !line.trim_start().starts_with('#'))?;
        let after = rest.split_once(',').or_else(|| rest.split_once('=')).map_or("", |(_, after)| after);
        // The call may go on in the next line.
        let next = text.lines().nth(index + 1).unwrap_or_default();
        let name = [after, next].into_iter().find_map(|text| text.split(['"', '\'']).nth(1))?;
        name.split('.').all(is_identifier).then(|| (name.to_owned(), index as u32 + 1))
    })
}

fn production_sibling(tree: &dyn Tree, root: &RelPath, dir: &RelPath, settings: &str) -> Option<String> {
    const DEVELOPMENT: [&str; 4] = ["dev", "development", "local", "debug"];
    let path = module_path(tree, root, dir, settings).unwrap_or_default();
    let parent = if path.file_name() == "__init__.py" {
        // A package that is itself the settings, by taking over those for development, or holds none.
        let text = tree.scan(path.as_str());
        let takes = |name: &str| text.contains(&format!("from .{name} import"));
        let empty = text.lines().all(|line| line.trim().is_empty() || line.starts_with('#'));
        (empty || DEVELOPMENT.into_iter().any(takes)).then_some(settings)?
    } else {
        let (parent, last) = settings.rsplit_once('.')?;
        DEVELOPMENT.contains(&last).then_some(parent)?
    };
    let siblings = ["production", "prod"].into_iter().map(|name| format!("{parent}.{name}"));
    siblings.into_iter().find(|module| module_path(tree, root, dir, module).is_some())
}

fn module_path(tree: &dyn Tree, root: &RelPath, dir: &RelPath, module: &str) -> Option<RelPath> {
    let base = root.join(dir.as_str())?.join(&module.replace('.', "/"))?;
    let candidates = [format!("{base}.py"), format!("{base}/__init__.py")];
    candidates.into_iter().find(|path| tree.has(path)).and_then(|path| RelPath::new(&path))
}

/// Reads a settings module and those that it imports with `*`, the imported first.
fn follow(tree: &dyn Tree, root: &RelPath, dir: &RelPath, module: &str, chain: &mut Vec<Module>, depth: u8) {
    let Some(path) = module_path(tree, root, dir, module).filter(|_| depth < 6) else { return };
    if chain.iter().any(|known| known.path == path) {
        return;
    }
    let text = tree.scan(path.as_str());
    let is_package = path.file_name() == "__init__.py";
    for line in text.lines() {
        let Some((from, names)) = line.strip_prefix("from ").and_then(|rest| rest.split_once(" import ")) else {
            continue;
        };
        if !names.trim_start().starts_with('*') {
            continue;
        }
        let dots = from.len() - from.trim_start_matches('.').len();
        let mut parents: Vec<&str> = if dots == 0 { Vec::new() } else { module.split('.').collect() };
        for _ in 0..dots.saturating_sub(usize::from(is_package)) {
            parents.pop();
        }
        parents.push(from.trim_start_matches('.'));
        let next = parents.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".");
        follow(tree, root, dir, &next, chain, depth + 1);
    }
    chain.push(Module { path, text });
}

/// Reads what the settings say; a later module of the chain wins.
fn settings(django: &mut Django, root: &RelPath, chain: &[Module]) {
    let mut names = Names::default();
    let holds = |texts: &[&str]| {
        let found = chain.iter().rev().find_map(|module| Some((module, line_with(&module.text, texts)?)));
        found.map(|(module, line)| (module.path.to_string(), Some(line)))
    };
    let inside = |path: &RelPath| {
        let rest = path.as_str().strip_prefix(root.as_str())?;
        RelPath::new(rest.trim_start_matches('/'))
    };
    for module in chain {
        names.read(&module.path, &module.text);
        for variable in required(&module.text) {
            let optional = [format!("\"{}\" in ", variable.0), format!("'{}' in ", variable.0)];
            if !chain.iter().any(|module| optional.iter().any(|text| module.text.contains(text.as_str()))) {
                django.required.insert(variable.0, variable.1);
            }
        }
    }
    let static_root = holds(&["STATIC_ROOT ="]).or_else(|| holds(&["STATIC_ROOT:"]));
    let remote = holds(&["STATICFILES_STORAGE = \"storages.", "STATICFILES_STORAGE = 'storages."]);
    if let (Some((path, line)), true, None) = (static_root, holds(&["django.contrib.staticfiles"]).is_some(), remote) {
        django.collect_static = true;
        django.static_elsewhere =
            names.get("STATIC_ROOT").and_then(inside).or_else(|| bare_static_root(chain)).is_none();
        django.evidence.push((path, line, "static files are collected into STATIC_ROOT".into()));
    }
    if let Some((path, line)) = holds(&["django.db.backends.sqlite3", "django.contrib.gis.db.backends.spatialite"]) {
        django.sqlite = true;
        django.writable.push(django.dir.clone());
        django.evidence.push((path, line, "the data lies in a SQLite file".into()));
    }
    if let Some(media) = names.get("MEDIA_ROOT").and_then(inside) {
        django.writable.push(media);
    }
    django.gis = holds(&["django.contrib.gis"]).is_some();
    django.prefers_asgi = holds(&["ASGI_APPLICATION ="]).is_some();
    let hosts = holds(&["ALLOWED_HOSTS"]).is_some();
    django.answers_localhost = hosts && holds(&["\"*\"", "'*'", "127.0.0.1"]).is_some();
    for module in chain {
        django.static_dirs.extend(static_dirs(module, &names).iter().filter_map(inside));
    }
}

/// `STATIC_ROOT` where it is a bare string: a folder below the one in which manage.py runs.
fn bare_static_root(chain: &[Module]) -> Option<RelPath> {
    let lines = chain.iter().flat_map(|module| module.text.lines());
    let mut values = lines.filter_map(|line| line.strip_prefix("STATIC_ROOT")?.split_once('='));
    values.next_back().and_then(|(_, value)| RelPath::new(string(value.trim())?))
}

/// The folders that `STATICFILES_DIRS` lists.
fn static_dirs(module: &Module, names: &Names) -> Vec<RelPath> {
    let Some(start) = module.text.find("\nSTATICFILES_DIRS") else { return Vec::new() };
    let list = module.text.get(start..).unwrap_or_default();
    let Some((_, list)) = list.split_once(['[', '(']) else { return Vec::new() };
    let mut dirs = Vec::new();
    for line in list.lines().take(30) {
        let end = line.contains([']']) || line.trim() == ")";
        let item = line.trim().trim_end_matches([']', ',', ' ']);
        dirs.extend(names.eval(item, &module.path).or_else(|| RelPath::new(string(item)?)));
        if end {
            break;
        }
    }
    dirs
}

/// Variables that the module reads unconditionally and without a default, each with a value that loads.
fn required(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut depth = 0_i32;
    let mut at_margin = true;
    for line in text.lines() {
        let code = line.split(" #").next().unwrap_or_default();
        if depth <= 0 && !code.trim().is_empty() {
            at_margin = !code.starts_with([' ', '\t']);
        }
        depth += code.matches(['(', '[', '{']).count() as i32 - code.matches([')', ']', '}']).count() as i32;
        if at_margin && !code.trim_start().starts_with('#') {
            found.extend(reads(code));
        }
    }
    found
}

/// The variables that one line reads without a default.
fn reads(code: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let accessors: [(&str, char); 12] = [
        ("environ[", ']'),
        ("environ.get(", ')'),
        ("getenv(", ')'),
        ("env(", ')'),
        ("env.str(", ')'),
        ("env.bool(", ')'),
        ("env.int(", ')'),
        ("env.list(", ')'),
        ("env.db(", ')'),
        ("env.cache(", ')'),
        ("env.url(", ')'),
        ("config(", ')'),
    ];
    for (accessor, close) in accessors {
        for (at, _) in code.match_indices(accessor) {
            let before = code.get(..at).unwrap_or_default().chars().next_back();
            // `dj_database_url.config(` and `myenv(` are other functions.
            let of_os = accessor.starts_with("environ") || accessor.starts_with("getenv");
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '.' && !of_os) {
                continue;
            }
            let rest = code.get(at + accessor.len()..).unwrap_or_default();
            let inside = rest.split_once(close).map_or(rest, |(inside, _)| inside);
            // A default, or a call that goes on in the next line, where a default may be.
            if inside.contains(',') || !rest.contains(close) {
                continue;
            }
            let Some(name) = string(inside).filter(|name| is_identifier(name)) else { continue };
            // `os.environ.get("X")` is only fatal for what Django itself demands.
            let lenient = matches!(accessor, "environ.get(" | "getenv(");
            if lenient && (!code.trim_start().starts_with("SECRET_KEY") || code.contains(" or ")) {
                continue;
            }
            let numeric =
                matches!(accessor, "env.bool(" | "env.int(") || code.contains("int(") || code.contains("cast=");
            found.push((name.to_owned(), placeholder(name, numeric)));
        }
    }
    found
}

/// A value that most settings accept, and that reaches nothing.
fn placeholder(name: &str, numeric: bool) -> String {
    let upper = name.to_ascii_uppercase();
    let value = if numeric || upper.ends_with("PORT") || upper.ends_with("TIMEOUT") {
        "1"
    } else if upper.contains("DATABASE") && upper.contains("URL") || upper == "DB_URL" {
        "sqlite:////tmp/build.sqlite3"
    } else if upper.contains("REDIS") || upper.contains("BROKER") || upper.contains("CACHE") {
        "redis://localhost"
    } else if upper.contains("EMAIL") && upper.contains("URL") {
        "consolemail://"
    } else if upper.contains("URL") || upper.contains("DSN") {
        "https://build@localhost/1"
    } else {
        "build"
    };
    value.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::MemTree;

    #[test]
    fn the_settings_that_a_server_loads_are_read_with_what_they_import() {
        let tree = MemTree::from([
            ("web/manage.py", "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings.dev')\n"),
            (
                "web/shop/wsgi.py",
                "os.environ.setdefault(\n    \"DJANGO_SETTINGS_MODULE\", \"shop.settings.dev\")\napplication = x()\n",
            ),
            (
                "web/shop/settings/base.py",
                "BASE = Path(__file__).parent.parent.parent\nSTATIC_ROOT = BASE / 's'\nINSTALLED_APPS = ['django.contrib.staticfiles']\nMEDIA_ROOT = BASE / 'm'\nSTATICFILES_DIRS = [\n    BASE / 'ui/dist',\n]\n",
            ),
            (
                "web/shop/settings/production.py",
                "from .base import *\nSECRET_KEY = os.environ['KEY']\nDATABASES = {\n  'default': env.db('DATABASE_URL'),\n}\nif 'X' in os.environ:\n    X = os.environ['X']\nY = env('Y', default='z')\nP = int(os.environ['SIZE'])\n",
            ),
        ]);
        let django = read(&tree, &RelPath::default(), &RelPath::new("web").unwrap()).unwrap();
        assert_eq!(django.settings, "shop.settings.production");
        assert!(django.name_settings && django.collect_static && !django.sqlite);
        assert_eq!(django.wsgi.as_deref(), Some("shop.wsgi:application"));
        let names: Vec<&str> = django.required.keys().map(String::as_str).collect();
        assert_eq!(names, ["DATABASE_URL", "KEY", "SIZE"]);
        assert_eq!(django.required["SIZE"], "1");
        assert_eq!(django.writable, [RelPath::new("web/m").unwrap()]);
        assert_eq!(django.static_dirs, [RelPath::new("web/ui/dist").unwrap()]);
    }
}
