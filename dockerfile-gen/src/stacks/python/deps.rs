//! What a project depends on, whoever says it.
//!
//! Input: requirements from manifests, and a lock. Output: [`Deps`], which answers whether a distribution will be there.
//! The one idea: an extra counts as what it brings, so that `fastapi[standard]` is known to bring a server.

use std::collections::BTreeMap;

use super::lock::Lock;
use super::requirement::Requirement;

/// A dependency that a manifest names.
#[derive(Clone, Debug)]
pub(crate) struct Direct {
    /// What is asked for.
    pub(crate) requirement: Requirement,
    /// The file.
    pub(crate) path: String,
    /// The line.
    pub(crate) line: Option<u32>,
}

/// The dependencies of a production install.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deps {
    /// By normalised name.
    pub(crate) direct: BTreeMap<String, Direct>,
    /// What the lock installs, where there is a lock.
    pub(crate) lock: Option<Lock>,
    /// Whether some are computed when the project is built, so that what is not named may still be there.
    pub(crate) partly_unknown: bool,
}

/// What a distribution, or one of its extras, is known to bring along.
const BRINGS: &[(&str, &str, &[&str])] = &[
    ("apiflask", "", &["flask"]),
    ("channels", "daphne", &["daphne"]),
    ("chainlit", "", &["fastapi", "uvicorn"]),
    ("connexion", "uvicorn", &["uvicorn"]),
    ("dash", "", &["flask"]),
    ("fastapi", "all", &["uvicorn", "fastapi-cli"]),
    ("fastapi", "standard", &["uvicorn", "fastapi-cli"]),
    ("fastapi", "standard-no-fastapi-cloud-cli", &["uvicorn", "fastapi-cli"]),
    ("fastapi-cli", "standard", &["uvicorn"]),
    ("fastmcp", "", &["uvicorn", "starlette"]),
    ("flask-restful", "", &["flask"]),
    ("flask-restx", "", &["flask"]),
    ("gradio", "", &["fastapi", "uvicorn"]),
    ("litestar", "standard", &["uvicorn"]),
    ("nicegui", "", &["fastapi", "uvicorn"]),
    ("quart", "", &["hypercorn"]),
    ("uvicorn-worker", "", &["gunicorn", "uvicorn"]),
    ("wagtail", "", &["django", "pillow"]),
];

impl Deps {
    /// Adds a dependency; the first to name it is its evidence.
    pub(crate) fn add(&mut self, requirement: Requirement, path: &str, line: Option<u32>) {
        let name = requirement.name.clone();
        match self.direct.get_mut(&name) {
            Some(known) => known.requirement.extras.extend(requirement.extras),
            None => {
                self.direct.insert(name, Direct { requirement, path: path.to_owned(), line });
            }
        }
    }

    /// Whether a distribution will be installed, as far as is known.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.direct.contains_key(name)
            || self.lock.as_ref().is_some_and(|lock| lock.contains_key(name))
            || BRINGS.iter().any(|(by, extra, brings)| {
                let there = self.direct.get(*by);
                brings.contains(&name)
                    && there.is_some_and(|by| extra.is_empty() || by.requirement.extras.contains(*extra))
            })
    }

    /// The first of several distributions that will be installed.
    pub(crate) fn first<'a>(&self, names: &[&'a str]) -> Option<&'a str> {
        names.iter().find(|name| self.has(name)).copied()
    }

    /// Where a distribution is named: file and line.
    pub(crate) fn evidence(&self, name: &str) -> Option<(String, Option<u32>)> {
        let by = BRINGS.iter().filter(|(.., brings)| brings.contains(&name)).map(|(by, ..)| *by);
        let direct = std::iter::once(name).chain(by).find_map(|name| self.direct.get(name))?;
        Some((direct.path.clone(), direct.line))
    }

    /// Every distribution that is known to be installed, with its version where that is fixed.
    pub(crate) fn all(&self) -> BTreeMap<String, Option<String>> {
        let mut all: BTreeMap<String, Option<String>> = BTreeMap::new();
        for (name, direct) in &self.direct {
            all.insert(name.clone(), direct.requirement.pinned().map(str::to_owned));
        }
        for (name, locked) in self.lock.iter().flatten() {
            all.insert(name.clone(), Some(locked.version.clone()));
        }
        for (_, _, brings) in BRINGS.iter().filter(|(by, ..)| self.direct.contains_key(*by)) {
            for name in brings.iter().filter(|name| self.has(name)) {
                all.entry((*name).to_owned()).or_default();
            }
        }
        all
    }
}
