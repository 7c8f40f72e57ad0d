//! How manifests reach the dependency layer.
//!
//! Input: the manifests. Output: the `manifests` stage, and the copies in `deps`. The one idea: where a manifest says
//! more than the dependencies, a cheap stage writes out what decides them, and the layer is keyed by that.

use std::collections::BTreeMap;

use crate::config::Manifests;
use crate::stacks::python::{Manager, Metadata};
use crate::tree::RelPath;

use super::Workshop;
use crate::plan::{Change, Stage, Step};

/// Keys of pyproject.toml that decide what uv installs from a lock.
const UV_KEYS: &[&str] = &[
    "project.name",
    "project.requires-python",
    "project.dependencies",
    "project.optional-dependencies",
    "dependency-groups",
    "tool.uv",
];

/// Keys that Poetry's content hash covers, and what it demands of itself.
const POETRY_KEYS: &[&str] = &[
    "project.name",
    "project.requires-python",
    "project.dependencies",
    "project.optional-dependencies",
    "dependency-groups",
    "tool.poetry.dependencies",
    "tool.poetry.dev-dependencies",
    "tool.poetry.group",
    "tool.poetry.extras",
    "tool.poetry.source",
    "tool.poetry.requires-poetry",
    "tool.poetry.requires-plugins",
];

/// Keys that PDM's content hash covers, and those that steer the install.
const PDM_KEYS: &[&str] = &[
    "project.name",
    "project.requires-python",
    "project.dependencies",
    "project.optional-dependencies",
    "dependency-groups",
    "tool.pdm.source",
    "tool.pdm.dev-dependencies",
    "tool.pdm.resolution",
    "tool.pdm.options",
    "tool.pdm.distribution",
];

impl Workshop<'_> {
    /// Whether the manifests are reduced before the dependencies are installed.
    pub(super) fn filters(&self) -> bool {
        let install = &self.python.install;
        // An image with a Python from before 3.7 or none at all cannot run the script; only the user's own can be that.
        let wanted = self.config.manifests != Some(Manifests::Copy);
        let earns = match install.manager {
            Some(Manager::Pip) => install.metadata.is_some() || !install.local.is_empty(),
            Some(Manager::Uv) => install.lock.is_some(),
            Some(_) => true,
            None => false,
        };
        // These can only be read by reducing them: pip installs no dependencies without their project.
        let must = install.manager == Some(Manager::Pip) && earns;
        wanted && earns || must
    }

    fn names(&self) -> Vec<&str> {
        let base = self.python.dir.as_str();
        let inside = |path: &'_ RelPath| {
            path.as_str().len() - path.as_str().trim_start_matches(base).trim_start_matches('/').len()
        };
        self.python.install.manifests.iter().filter_map(|path| path.as_str().get(inside(path)..)).collect()
    }

    fn in_context(&self, name: &str) -> String {
        self.python.dir.join(name).map(|path| path.to_string()).unwrap_or_default()
    }

    /// The stage that reduces the manifests.
    pub(super) fn manifests(&self) -> Option<Stage> {
        if !self.filters() {
            return None;
        }
        let install = &self.python.install;
        let from = if self.images.base == self.images.runtime {
            Stage::from_stage("manifests", "base")
        } else {
            let mut stage = Stage::from_image("manifests", &self.images.base);
            stage.push(Step::workdir(super::HOME));
            stage
        };
        let mut stage =
            from.comment("What decides the dependencies: what else changes in a manifest reinstalls nothing.");
        let old = self.python.version.minor < 11;
        let reads =
            |step: Step| step.flag("old", old).seconds(0.5).why("the dependency layer is keyed by what this writes");
        let keyed = |keys: &[&str]| {
            let step = Step::run("reduce", "python/manifests").words("keys", keys.iter().copied());
            let step = step.flag("lock", install.manager == Some(Manager::Uv)).flag("workspace", install.workspace);
            let step = step.word("shipped", install.package.as_deref().unwrap_or_default());
            reads(step.flag("poetry", install.manager == Some(Manager::Poetry)))
        };
        match install.manager {
            Some(Manager::Uv) => {
                stage.push(self.copy(&["pyproject.toml", "uv.lock"]));
                stage.push(keyed(UV_KEYS));
            }
            Some(Manager::Poetry) => {
                stage.push(self.copy(&["pyproject.toml"]));
                stage.push(keyed(POETRY_KEYS));
            }
            Some(Manager::Pdm) => {
                stage.push(self.copy(&["pyproject.toml"]));
                stage.push(keyed(PDM_KEYS));
            }
            Some(Manager::Pipenv) => {
                stage.push(self.copy(&["Pipfile"]));
                stage.push(reads(Step::run("reduce", "python/pipfile")));
            }
            Some(Manager::Pip) | None => {
                for step in self.copies() {
                    stage.push(step);
                }
                if !install.requirements.is_empty() {
                    let files = self.names().into_iter().filter(|name| name.ends_with(".txt") || name.ends_with(".in"));
                    stage.push(Step::run("without-local", "python/without-local").words("files", files).seconds(0.5));
                }
                match install.metadata {
                    Some(Metadata::Pyproject) => {
                        let step = Step::run("requirements", "python/requirements");
                        stage.push(reads(step.words("extras", self.expanded_extras())));
                    }
                    Some(Metadata::Setup) => {
                        stage.push(reads(Step::run("requirements", "python/setup")));
                    }
                    None => {}
                }
            }
        }
        Some(stage)
    }

    fn expanded_extras(&self) -> Vec<String> {
        let listed = self.python.install.local.iter().filter_map(|(argument, _)| argument.strip_prefix(".["));
        let listed = listed.flat_map(|list| list.trim_end_matches(']').split(',').map(|extra| extra.trim().to_owned()));
        let mut extras: Vec<String> = self.python.install.extras.iter().cloned().chain(listed).collect();
        extras.sort();
        extras.dedup();
        extras
    }

    /// A copy of some of the manifests into the working directory.
    fn copy(&self, names: &[&str]) -> Step {
        let sources: Vec<String> = names.iter().map(|name| self.in_context(name)).collect();
        Step::copy("manifests", sources, "./").change(Change::Manifest)
    }

    /// Copies of all manifests to where they lie in the project: one for each folder.
    fn copies(&self) -> Vec<Step> {
        let mut folders: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for name in self.names() {
            let folder = name.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
            folders.entry(folder).or_default().push(self.in_context(name));
        }
        let steps = folders.into_iter().enumerate().map(|(index, (folder, files))| {
            let id = if index == 0 { "manifests".to_owned() } else { format!("manifests-{}", index + 1) };
            Step::copy(&id, files, &format!("./{folder}")).change(Change::Manifest)
        });
        steps.collect()
    }

    /// What the dependency stage copies before it installs.
    pub(super) fn manifest_copies(&self) -> Vec<Step> {
        if !self.filters() {
            return self.copies();
        }
        let copied = ["pyproject.toml", "Pipfile", "uv.lock", "setup.cfg", "setup.py"];
        let mut steps = Vec::new();
        if self.python.install.manager != Some(Manager::Pip) {
            let others: Vec<&str> = self.names().into_iter().filter(|name| !copied.contains(name)).collect();
            if !others.is_empty() {
                let sources: Vec<String> = others.iter().map(|name| self.in_context(name)).collect();
                steps.push(Step::copy("lock", sources, "./").change(Change::Lockfile));
            }
        }
        let step = Step::copy_from("manifests", "manifests", ["/tmp/manifests/"], "./").change(Change::Lockfile);
        steps.push(step.why("keyed by content: a version bump or a new script changes nothing here"));
        steps
    }
}
