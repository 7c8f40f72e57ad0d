//! Where the Python project lies.
//!
//! Input: the tree. Output: the folders with a manifest, and how sure it is that one of them is a service. The one idea:
//! the top comes first, one folder further down (`backend/`) second, and settings of tools are no project.

use crate::error::{Error, Result};
use crate::facts::Strength;
use crate::tree::{RelPath, Tree};

use super::services::serves;
use super::sources::is_aside;

/// A folder that may be a Python project.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The folder.
    pub(crate) dir: RelPath,
    /// How sure it is.
    pub(crate) strength: Strength,
    /// The file that says so.
    pub(crate) file: String,
    /// The line.
    pub(crate) line: Option<u32>,
    /// Why.
    pub(crate) reason: String,
}

const MANIFESTS: &[&str] = &[
    "pyproject.toml",
    "Pipfile",
    "requirements.txt",
    "requirements-prod.txt",
    "requirements-production.txt",
    "requirements_prod.txt",
    "requirements.prod.txt",
    "requirements/production.txt",
    "requirements/prod.txt",
    "requirements/requirements.txt",
    "requirements/main.txt",
    "requirements/base.txt",
    "requirements/common.txt",
    "requirements/default.txt",
    "requirements/app.txt",
    "requirements.in",
    "setup.cfg",
    "setup.py",
];

/// Names of folders that a service usually lies in, the likeliest first.
const USUAL: &[&str] = &["backend", "server", "api", "app", "src", "service", "web", "python"];

/// Every place, the top first.
pub(crate) fn places(tree: &dyn Tree) -> Vec<Place> {
    let mut places: Vec<Place> = place(tree, &RelPath::default()).into_iter().collect();
    if places.iter().all(|place| place.strength == Strength::Tools) {
        let dirs = tree
            .dirs_in("")
            .into_iter()
            .filter(|dir| !is_aside(dir) && !matches!(dir.as_str(), "scripts" | "tools" | "ci"));
        places.extend(dirs.filter_map(|dir| place(tree, &RelPath::new(&dir)?)));
    }
    places
}

/// The place that the image is for.
///
/// # Errors
/// [`Error::NoProject`] if there is none, [`Error::Ambiguous`] if there are several services.
pub(crate) fn choose(tree: &dyn Tree) -> Result<Place> {
    let places = places(tree);
    let strongest = places.iter().map(|place| place.strength).max();
    let mut best: Vec<Place> = places.into_iter().filter(|place| Some(place.strength) == strongest).collect();
    let usual = |place: &Place| USUAL.iter().position(|name| *name == place.dir.as_str());
    best.sort_by_key(|place| (!place.dir.as_str().is_empty(), usual(place).unwrap_or(USUAL.len()), place.dir.clone()));
    let clear =
        best.len() < 2 || best.first().is_some_and(|first| first.dir.as_str().is_empty() || usual(first).is_some());
    match best.first() {
        Some(first) if clear => Ok(first.clone()),
        Some(_) => Err(Error::Ambiguous {
            question: "which folder is the image for".into(),
            found: best.iter().map(|place| place.dir.as_str()).collect::<Vec<_>>().join(", "),
            hint: "run in one of them: `cargo dockerfile FOLDER`".into(),
        }),
        None => Err(Error::NoProject { root: ".".into(), seen: "there is no Python manifest".into(),
            hint: "run in the folder that holds pyproject.toml, requirements.txt or Pipfile, or name it: `cargo dockerfile PATH`".into(),
        }),
    }
}

fn place(tree: &dyn Tree, dir: &RelPath) -> Option<Place> {
    let mut found: Option<Place> = None;
    for name in MANIFESTS {
        let path = dir.join(name)?;
        if !tree.has(path.as_str()) {
            continue;
        }
        let text = tree.scan(path.as_str());
        let (strength, line, reason) = weigh(name, &text);
        if found.as_ref().is_none_or(|found| found.strength < strength) {
            found = Some(Place { dir: dir.clone(), strength, file: path.to_string(), line, reason });
        }
    }
    let manage = dir.join("manage.py")?;
    if found.is_some() && tree.scan(manage.as_str()).contains("DJANGO_SETTINGS_MODULE") {
        let reason = "a Django project".to_owned();
        found =
            Some(Place { dir: dir.clone(), strength: Strength::Service, file: manage.to_string(), line: None, reason });
    }
    found.or_else(|| bare_script(tree, dir))
}

/// A script at the top of a project without any manifest.
fn bare_script(tree: &dyn Tree, dir: &RelPath) -> Option<Place> {
    if !dir.as_str().is_empty() {
        return None;
    }
    let usual = ["main.py", "app.py", "server.py", "__main__.py", "bot.py", "run.py"];
    let file = usual.iter().find(|name| tree.has(name))?;
    let reason = "a script without a manifest".to_owned();
    Some(Place { dir: dir.clone(), strength: Strength::Possible, file: (*file).to_owned(), line: None, reason })
}

fn weigh(name: &str, text: &str) -> (Strength, Option<u32>, String) {
    let service = text.lines().position(|line| {
        let items = line.split(['"', '\'']).skip(1).step_by(2);
        match name {
            "setup.py" | "pyproject.toml" => {
                let quoted = items.into_iter().any(serves);
                quoted
                    || name == "pyproject.toml"
                        && line.split_once('=').is_some_and(|(key, _)| !key.contains('[') && serves(key.trim()))
            }
            _ => serves(line),
        }
    });
    if let Some(index) = service {
        return (Strength::Service, Some(index as u32 + 1), "depends on a web framework or server".into());
    }
    let tables = ["[project]", "[tool.poetry]", "[tool.poetry.dependencies]", "[tool.uv.workspace]", "[tool.pdm]"];
    let is_project = match name {
        "pyproject.toml" => text.lines().any(|line| tables.contains(&line.trim())),
        "setup.cfg" => text.lines().any(|line| matches!(line.trim(), "[metadata]" | "[options]")),
        _ => true,
    };
    let runs = text.lines().position(|line| matches!(line.trim(), "[project.scripts]" | "[tool.poetry.scripts]"));
    match (is_project, runs) {
        (true, Some(index)) => (Strength::Service, Some(index as u32 + 1), "has console scripts".into()),
        (true, None) => (Strength::Possible, None, "a Python manifest".into()),
        (false, _) => (Strength::Tools, None, "settings of tools".into()),
    }
}
