//! What the dependency layer is installed from.
//!
//! Input: the manifests. Output: the `requirements` stage, and the copies in `deps`. The one idea: the package manager
//! itself lists what is locked, and the layer is keyed by that list, so that another version or description of the
//! project installs nothing again. What it cannot list is installed from the manifests as they are.

use std::collections::BTreeMap;

use crate::config::Manifests;
use crate::error::Result;
use crate::facts::Credential;
use crate::plan::system::install as packages;
use crate::plan::{Change, Mount, Stage, Step};
use crate::stacks::python::Manager;
use crate::tree::RelPath;

use super::{HOME, Workshop};

/// Where the list lies, in every stage that has it.
const LIST: &str = "/tmp/requirements.txt";

impl Workshop<'_> {
    /// Whether the dependencies are installed from a list that a stage of its own writes.
    pub(super) fn lists(&self) -> bool {
        let install = &self.python.install;
        let as_they_are = self.config.manifests == Some(Manifests::Copy);
        match install.manager {
            // The passwords of indexes, and how a package is built, are known only to the manager's own install.
            Some(Manager::Uv | Manager::Poetry) => {
                let unlocked_git = install.lock.is_none() && install.git;
                !as_they_are && !self.has_passwords() && !install.special_builds && !unlocked_git
            }
            Some(Manager::Pdm | Manager::Pipenv) => true,
            Some(Manager::Pip) => !install.local.is_empty() && !install.requirements.is_empty(),
            None => false,
        }
    }

    fn has_passwords(&self) -> bool {
        self.python.credentials.iter().any(|credential| *credential != Credential::Ssh)
    }

    /// What the list is for, above the stage that writes it.
    fn comment(&self, stage: Stage) -> Stage {
        let manifest = match self.python.install.manager {
            Some(Manager::Pipenv) => "Pipfile",
            _ => "pyproject.toml",
        };
        let stage =
            stage.comment("The packages to install, as a plain list. As long as it stays the same, they are not");
        stage.comment(format!("installed again, whatever else changes in {manifest}."))
    }

    /// The list: uv's own format where packages come from other indexes than the public one, which only that can say.
    pub(super) fn list(&self) -> &'static str {
        if self.python.install.manager == Some(Manager::Uv) && self.python.install.indexes {
            "/tmp/pylock.toml"
        } else {
            LIST
        }
    }

    /// The stage that lists the dependencies.
    ///
    /// # Errors
    /// As [`packages`].
    pub(super) fn requirements(&self) -> Result<Option<Stage>> {
        Ok(match self.python.install.manager {
            Some(Manager::Uv) if self.lists() => Some(self.listed_by_uv()),
            Some(Manager::Pip) if self.lists() => Some(self.without_local()),
            Some(Manager::Poetry) => Some(self.listed_by_poetry()?),
            Some(Manager::Pdm) => Some(self.listed_by_pdm()?),
            Some(Manager::Pipenv) => Some(self.listed_by_pipenv()?),
            Some(Manager::Uv | Manager::Pip) | None => None,
        })
    }

    /// Whether uv has installed all there is once the list is: the project is no package, and no folder of it is one.
    pub(super) fn needs_no_second_run(&self) -> bool {
        let install = &self.python.install;
        self.lists() && !self.python.installs_itself && !install.workspace && !install.folders
    }

    fn listed_by_uv(&self) -> Stage {
        let install = &self.python.install;
        let mut stage = self.comment(Stage::from_stage("requirements", "base"));
        self.copy_manifests(&mut stage);
        let mut options: Vec<String> = Vec::new();
        if install.lock.is_some() {
            // Without a second run this is where a lock that is out of date has to fail.
            let strict = self.needs_no_second_run() && !install.git;
            options.push(if strict { "--locked" } else { "--frozen" }.to_owned());
        }
        options.extend(self.uv_choices());
        let step = Step::run("list", "python/uv-export").words("options", options).word("list", self.list());
        let step = step.mount(Mount::Bind {
            from: Some("uv".into()),
            source: "/uv".into(),
            target: "/usr/local/bin/uv".into(),
            writable: false,
        });
        stage.push(Self::listing(step));
        stage
    }

    /// A stage with a package manager that is installed with pip, and with the manifests.
    fn with_manager(&self) -> Result<Stage> {
        let install = &self.python.install;
        // A system package that the program needs does not install the package manager again.
        let plain = self.images.base == self.images.runtime && self.python.run_packages.is_empty();
        let mut stage = if plain {
            Stage::from_stage("requirements", "base")
        } else {
            Stage::from_image("requirements", &self.images.base)
        };
        if self.lists() {
            stage = self.comment(stage);
        }
        if install.lock.is_none() && install.git {
            stage.maybe(packages("git", &self.python.build_packages, &self.images.base)?);
        }
        if !plain {
            stage.push(Step::workdir(HOME));
        }
        stage.push(self.install_manager());
        if self.lists() {
            self.copy_manifests(&mut stage);
        }
        Ok(stage)
    }

    fn listed_by_poetry(&self) -> Result<Stage> {
        let install = &self.python.install;
        let mut stage = self.with_manager()?;
        if !self.lists() {
            return Ok(stage);
        }
        let step = Step::run("list", "python/poetry-export").flag("lock", install.lock.is_none());
        let mut options = self.poetry_choices();
        // pip checks either all hashes or none, and what comes from git has none.
        options.extend(install.git.then(|| "--without-hashes".to_owned()));
        let step = step.words("options", options).word("list", LIST).flag("folders", install.folders);
        let step = if install.lock.is_none() { step.cache("poetry", "/root/.cache/pypoetry") } else { step };
        stage.push(Self::listing(step));
        Ok(stage)
    }

    fn listed_by_pdm(&self) -> Result<Stage> {
        let install = &self.python.install;
        let mut stage = self.with_manager()?;
        let step = Step::run("list", "python/pdm-export").flag("folders", install.folders);
        let mut options = self.pdm_options();
        options.extend(install.git.then(|| "--without-hashes".to_owned()));
        stage.push(Self::listing(step.words("options", options).word("list", LIST)));
        Ok(stage)
    }

    fn listed_by_pipenv(&self) -> Result<Stage> {
        let install = &self.python.install;
        let mut stage = self.with_manager()?;
        let step = Step::run("list", "python/pipenv-requirements").flag("lock", install.lock.is_none());
        let mut options: Vec<String> = Vec::new();
        if !install.groups.is_empty() {
            options.push(format!("--categories=packages,{}", install.groups.join(",")));
        }
        options.extend((!install.git && !install.folders).then(|| "--hash".to_owned()));
        let step = step.words("options", options).word("list", LIST).flag("folders", install.folders);
        let step = if install.lock.is_none() { step.credentials(&self.python.credentials) } else { step };
        stage.push(Self::listing(step));
        Ok(stage)
    }

    fn listing(step: Step) -> Step {
        step.change(Change::Manifest).seconds(1.0).why("the dependency layer is keyed by what this writes")
    }

    /// The requirements files without the lines that install folders of the project.
    fn without_local(&self) -> Stage {
        let mut stage = Stage::from_stage("requirements", "base")
            .comment("The packages to install, without the folders of the project: those follow with its sources.");
        self.copy_manifests(&mut stage);
        let names = self.pip_files();
        let archives = names.iter().any(|name| is_archive(name));
        let files = names.into_iter().filter(|name| !is_archive(name));
        let step = Step::run("list", "python/without-local").words("files", files).flag("archives", archives);
        stage.push(Self::listing(step).seconds(0.2));
        stage
    }

    fn names(&self) -> Vec<&str> {
        let base = self.python.dir.as_str();
        let inside = |path: &'_ RelPath| {
            path.as_str().len() - path.as_str().trim_start_matches(base).trim_start_matches('/').len()
        };
        self.python.install.manifests.iter().filter_map(|path| path.as_str().get(inside(path)..)).collect()
    }

    /// What pip reads, without the metadata, whose dependencies stand in the Dockerfile.
    fn pip_files(&self) -> Vec<&str> {
        let metadata = ["pyproject.toml", "setup.cfg", "setup.py"];
        self.names().into_iter().filter(|name| !metadata.contains(name)).collect()
    }

    /// Copies the manifests to where they lie in the project: one step for each folder.
    fn copy_manifests(&self, stage: &mut Stage) {
        let names = if self.python.install.manager == Some(Manager::Pip) { self.pip_files() } else { self.names() };
        let mut folders: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for name in names {
            let folder = name.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
            let path = self.python.dir.join(name).map(|path| path.to_string()).unwrap_or_default();
            folders.entry(folder).or_default().push(path);
        }
        for (index, (folder, files)) in folders.into_iter().enumerate() {
            let id = if index == 0 { "manifests".to_owned() } else { format!("manifests-{}", index + 1) };
            stage.push(Step::copy(&id, files, &format!("./{folder}")).change(Change::Manifest));
        }
    }

    /// Gives the dependency stage what it installs from.
    pub(super) fn copy_requirements(&self, stage: &mut Stage) {
        if !self.lists() {
            self.copy_manifests(stage);
            return;
        }
        let copy = if self.python.install.manager == Some(Manager::Pip) {
            Step::copy_from("requirements", "requirements", [format!("{HOME}/")], "./")
        } else {
            Step::copy_from("requirements", "requirements", [self.list()], "/tmp/")
        };
        let copy = copy.change(Change::Lockfile);
        stage.push(copy.why("keyed by content: a version bump or a new script changes nothing here"));
    }
}

fn is_archive(name: &str) -> bool {
    [".whl", ".zip", ".gz"].iter().any(|ending| name.ends_with(ending))
}
