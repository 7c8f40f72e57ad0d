//! How each package manager installs dependencies, and then the project.
//!
//! Input: the facts about the install. Output: the tool's stage and the install steps. The one idea: the manager is mounted
//! where it is needed and in no layer; the second, strict run is the manager's own, so the first can only save time.

use crate::stacks::python::Manager;

use super::Workshop;
use crate::plan::{Change, Mount, Stage, Step};

/// The tag of uv's image where the project asks for none.
const UV: &str = "0.13";
/// The versions of the other managers where the project asks for none: for Python 3.10 and later, for 3.8 and 3.9, and for
/// what is older.
const POETRY: [&str; 3] = ["2.5.1", "1.8.5", "1.5.1"];
/// What lists Poetry's packages from its second release on.
const POETRY_EXPORT: &str = "poetry-plugin-export==1.9.0";
const PDM: [&str; 3] = ["2.29.3", "2.20.1", "2.10.4"];
const PIPENV: [&str; 3] = ["2026.10.3", "2024.4.1", "2023.10.3"];

/// pip's cache of downloads and of wheels that it built.
const PIP_CACHE: &str = "/root/.cache/pip";

impl Workshop<'_> {
    fn tool_version<'a>(&'a self, defaults: [&'a str; 3]) -> &'a str {
        let [new, old, oldest] = defaults;
        let default = match self.python.version.minor {
            10.. => new,
            8 | 9 => old,
            _ => oldest,
        };
        self.python.install.tool_version.as_deref().unwrap_or(default)
    }

    /// The image that holds uv.
    pub(super) fn tool(&self) -> Option<Stage> {
        let uv = self.python.install.manager == Some(Manager::Uv);
        uv.then(|| Stage::from_image("uv", format!("ghcr.io/astral-sh/uv:{}", self.tool_version([UV; 3]))))
    }

    /// Installs a package manager that is a Python package.
    pub(super) fn install_manager(&self) -> Step {
        let (dir, packages) = match self.python.install.manager {
            Some(Manager::Poetry) => {
                let version = self.tool_version(POETRY);
                let mut packages = vec![format!("poetry=={version}")];
                // Poetry 1 brings it along.
                packages.extend((self.lists() && !version.starts_with("1.")).then(|| POETRY_EXPORT.to_owned()));
                ("/opt/poetry", packages)
            }
            // With this extra PDM installs the versions that it was released with; other ones have broken it.
            Some(Manager::Pdm) => ("/opt/pdm", vec![format!("pdm[locked]=={}", self.tool_version(PDM))]),
            _ => ("/opt/pipenv", vec![format!("pipenv=={}", self.tool_version(PIPENV))]),
        };
        let step = Step::run("tool", "python/tool").word("dir", dir).words("packages", packages);
        let step = step.cache("pip", PIP_CACHE).change(Change::Tool).seconds(15.0);
        step.why("the package manager stays out of the image")
    }

    fn with_tool(&self, step: Step) -> Step {
        let bind = |from: &str, source: &str, target: &str| Mount::Bind {
            from: Some(from.to_owned()),
            source: source.to_owned(),
            target: target.to_owned(),
            writable: false,
        };
        match self.python.install.manager {
            Some(Manager::Uv) => step.mount(bind("uv", "/uv", "/usr/local/bin/uv")).cache("uv", "/root/.cache/uv"),
            Some(Manager::Poetry) => {
                step.mount(bind("requirements", "/opt/poetry", "/opt/poetry")).cache("poetry", "/root/.cache/pypoetry")
            }
            Some(Manager::Pdm) => {
                step.mount(bind("requirements", "/opt/pdm", "/opt/pdm")).cache("pdm", "/root/.cache/pdm")
            }
            Some(Manager::Pipenv | Manager::Pip) | None => step.cache("pip", PIP_CACHE),
        }
    }

    fn build_env(&self) -> Vec<String> {
        self.config.build_env.iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    /// Installs everything that the project depends on.
    pub(super) fn install_dependencies(&self) -> Step {
        let install = &self.python.install;
        let step = match install.manager {
            Some(Manager::Uv) if self.lists() => {
                let python = self.python.exact_pin.then(|| "--python=/usr/local/bin/python".to_owned());
                let step = Step::run("install", "python/uv-install").words("venv", python);
                self.with_tool(step.word("list", self.list()))
            }
            Some(Manager::Uv) => {
                let mode = install.lock.is_some().then_some("--frozen");
                let mut options = vec!["--no-install-local".to_owned()];
                options.extend(self.uv_choices());
                let step = Step::run("install", "python/uv").words("mode", mode).words("options", options);
                self.with_tool(step.flag("compile", true).words("readme", [""; 0]))
            }
            Some(Manager::Poetry) if !self.lists() => {
                let mut options = self.poetry_options();
                options.extend(["--no-root".into(), "--no-directory".into()]);
                let step = Step::run("install", "python/poetry").words("options", options);
                self.with_tool(step.flag("venv", true).flag("bare", self.bare_venv()).words("readme", [""; 0]))
            }
            _ => {
                let files = if self.lists() && install.manager != Some(Manager::Pip) {
                    vec![self.list().to_owned()]
                } else {
                    install.requirements.clone()
                };
                // A list is complete, and what it overrides would not pass pip's own check.
                let complete = install.manager != Some(Manager::Pip);
                let step = Step::run("install", "python/pip").words("files", files).flag("complete", complete);
                let step = step.words("declared", install.declared.clone()).flag("bare", self.bare_venv());
                step.cache("pip", PIP_CACHE)
            }
        };
        let mut step = step.flag("ssh", install.ssh).words("env", self.build_env());
        step = step.credentials(&self.python.credentials).how_to_pass(&self.python.credentials);
        step = step.change(Change::Lockfile).seconds(40.0);
        step.why("reruns when the dependency set changes; the cache mount keeps what was downloaded")
    }

    /// Whether the environment can do without a pip of its own, which Poetry before 1.7 asks.
    fn bare_venv(&self) -> bool {
        let version = self.tool_version(POETRY);
        self.python.install.manager != Some(Manager::Poetry) || !version.starts_with("1.") || version == "1.8.5"
    }

    /// Which Python, and what of the project is wanted.
    pub(super) fn uv_choices(&self) -> Vec<String> {
        let install = &self.python.install;
        let mut options = Vec::new();
        if self.python.exact_pin {
            options.push("--python=/usr/local/bin/python".into());
        }
        options.extend(install.package.iter().map(|package| format!("--package={package}")));
        options.extend(install.extras.iter().map(|extra| format!("--extra={extra}")));
        options.extend(install.groups.iter().map(|group| format!("--group={group}")));
        options
    }

    pub(super) fn poetry_choices(&self) -> Vec<String> {
        let install = &self.python.install;
        let groups: Vec<&str> = std::iter::once("main").chain(install.groups.iter().map(String::as_str)).collect();
        let mut options = vec![format!("--only={}", groups.join(","))];
        options.extend(install.extras.iter().map(|extra| format!("--extras={extra}")));
        options
    }

    fn poetry_options(&self) -> Vec<String> {
        let mut options = self.poetry_choices();
        let version = self.tool_version(POETRY);
        if version.starts_with("2.") || version == "1.8.5" {
            options.push("--compile".into());
        }
        options
    }

    pub(super) fn pdm_options(&self) -> Vec<String> {
        let install = &self.python.install;
        let groups = install.extras.iter().chain(&install.groups);
        groups.map(|group| format!("--group={group}")).collect()
    }

    /// Builds a wheel of a project with compiled parts, where the compilers are.
    pub(super) fn wheel(&self) -> Option<Stage> {
        if !self.python.native {
            return None;
        }
        let mut stage = Stage::from_stage("wheel", "deps").comment("The project's own compiled parts.");
        stage.push(Step::copy("sources", [self.context()], "./"));
        let member = self.python.install.member.as_str();
        let dir = if member.is_empty() { ".".to_owned() } else { format!("./{member}") };
        let step = Step::run("wheel", "python/wheel").word("dir", dir).words("env", self.project_env());
        let step = self.with_readme(step);
        stage.push(step.cache("pip", PIP_CACHE).seconds(60.0));
        Some(stage)
    }

    /// Variables of the project's own build.
    fn project_env(&self) -> Vec<String> {
        let versions = self.python.version_variables.iter();
        let mut env: Vec<String> = versions.map(|variable| format!("{variable}=0.0.0")).collect();
        env.extend(self.build_env());
        env
    }

    /// Installs the project itself, and whatever the first install left out.
    pub(super) fn install_project(&self) -> Option<Step> {
        let python = self.python;
        let install = &python.install;
        if python.native {
            let step = Step::run("project", "python/install-wheel").cache("pip", PIP_CACHE).mount(Mount::Bind {
                from: Some("wheel".into()),
                source: "/wheels".into(),
                target: "/wheels".into(),
                writable: false,
            });
            return Some(step.seconds(2.0).why("compiled where the compilers are"));
        }
        let step = match install.manager? {
            Manager::Uv if self.needs_no_second_run() => return None,
            Manager::Uv => {
                // Checking the lock means asking for the metadata of all there is, and for git's that takes git.
                let strict = install.lock.is_some() && !install.git;
                let step =
                    Step::run("project", "python/uv").words("mode", [if strict { "--locked" } else { "--frozen" }]);
                // Compiling looks at the whole environment again, and what is installed in place is not in it.
                let mut options: Vec<String> =
                    self.python.native.then(|| "--no-install-project".into()).into_iter().collect();
                options.extend(self.uv_choices());
                let step =
                    step.words("options", options).flag("compile", install.copies_folders || install.lock.is_none());
                step.flag("ssh", install.ssh).why(if strict {
                    "the strict run: it fails if the lock is out of date"
                } else {
                    "the project itself"
                })
            }
            Manager::Poetry if python.installs_itself || install.folders => {
                let step = Step::run("project", "python/poetry").words("options", self.poetry_options());
                step.flag("venv", false).flag("bare", false).flag("ssh", install.ssh).why("the project itself")
            }
            Manager::Pdm if python.installs_itself || install.folders => {
                let step = Step::run("project", "python/pdm").words("options", self.pdm_options());
                step.flag("venv", false).flag("ssh", install.ssh).why("the project itself")
            }
            Manager::Pipenv if !install.local.is_empty() => {
                let folders = install.local.iter().flat_map(|(folder, editable)| {
                    editable.then(|| "-e".to_owned()).into_iter().chain([folder.clone()])
                });
                let step = Step::run("project", "python/pip-project");
                step.words("local", ["--no-deps".to_owned()].into_iter().chain(folders)).why("folders of the project")
            }
            Manager::Pip if !install.local.is_empty() || python.installs_itself => {
                let mut local: Vec<String> = Vec::new();
                for (argument, editable) in &install.local {
                    local.extend(editable.then(|| "-e".to_owned()));
                    local.push(argument.clone());
                }
                if local.is_empty() {
                    let extras = install.extras.join(",");
                    let project = if extras.is_empty() { ".".to_owned() } else { format!(".[{extras}]") };
                    local.extend(["-e".to_owned(), project]);
                }
                // What comes from git would be fetched again, without git.
                local.extend(install.git.then(|| "--no-deps".to_owned()));
                Step::run("project", "python/pip-project").words("local", local).why("the project itself")
            }
            Manager::Pip | Manager::Pipenv | Manager::Poetry | Manager::Pdm => return None,
        };
        let step = self.with_tool(step).words("env", self.project_env()).credentials(&python.credentials);
        Some(self.with_readme(step).change(Change::Never).seconds(2.0))
    }

    /// Puts an empty README where the build asks for one.
    fn with_readme(&self, step: Step) -> Step {
        let readme: Vec<String> = self.python.readme.iter().map(|path| format!("./{path}")).collect();
        let comment = "The README is only quoted in the metadata: with an empty one, editing it rebuilds nothing.";
        let step = if readme.is_empty() { step } else { step.comment(comment) };
        step.words("readme", readme)
    }
}
