//! The stages for Python projects.
//!
//! Input: [`PythonProject`]. Output: [`Plan`]. The one idea: dependencies are installed into /app/.venv in a stage that
//! has the compilers, and the stage that takes the sources never has them, so that each of its steps can be shipped as
//! the layer that it is: dependencies, sources, what the project adds to the environment, static files.

mod application;
mod install;
mod requirements;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::plan::dockerignore;
use crate::plan::service::{Service, finish};
use crate::plan::system::{Family, SUITE, default_user, family, install as packages};
use crate::plan::{Plan, Stage, Step};
use crate::stacks::project::Project;
use crate::stacks::python::{Manager, PythonProject};

/// Where the project lies in the image.
const HOME: &str = "/app";

/// Where the environment lies in every stage: its scripts and pyvenv.cfg hold this path.
const VENV: &str = "/app/.venv";

/// Plans the image.
///
/// # Errors
/// As [`crate::generate`].
pub(crate) fn plan(project: &Project, python: &PythonProject, config: &Config) -> Result<Plan> {
    let images = Images::new(python, config)?;
    let shop = Workshop { project, python, config, images };
    let mut plan = Plan { made_from: made_from(python), ignore: ignore(python), ..Plan::default() };
    for frontend in &project.frontends {
        plan.stages.extend(crate::stacks::node::image::frontend(frontend, config)?);
    }
    plan.stages.push(shop.base()?);
    plan.stages.extend(shop.tool());
    plan.stages.extend(shop.requirements()?);
    plan.stages.extend(shop.deps()?);
    plan.stages.extend(shop.wheel());
    plan.stages.extend(shop.sources_stage());
    let mut last = shop.application(&mut plan.stages)?;
    shop.finish(&mut last);
    plan.stages.push(last);
    Ok(plan)
}

/// The images of the stages with and without compilers: one interpreter, one glibc.
struct Images {
    base: String,
    runtime: String,
}

impl Images {
    fn new(python: &PythonProject, config: &Config) -> Result<Self> {
        let default = || format!("python:{}-slim-{}", python.version, python.version.suite(SUITE));
        let runtime = config.runtime.clone().or_else(|| config.base.clone()).unwrap_or_else(default);
        let base = config.base.clone().unwrap_or_else(|| match family(&runtime) {
            Family::Alpine => runtime.clone(),
            _ => default(),
        });
        for image in [&base, &runtime] {
            if family(image) == Family::Distroless {
                return Err(Error::Unsupported {
                    reason: format!(
                        "`{image}` has no shell and no pip, and a virtual environment belongs to one interpreter"
                    ),
                    hint: "choose a slim image of the same Python, such as `python:3.13-slim-trixie`".into(),
                });
            }
        }
        if family(&base) != family(&runtime) {
            return Err(Error::Unsupported {
                reason: format!("what is compiled in `{base}` cannot run in `{runtime}`, which has another C library"),
                hint: "choose `base` and `runtime` of one family".into(),
            });
        }
        Ok(Self { base, runtime })
    }

    /// Debian names that this suite spells otherwise.
    fn local_name(image: &str, package: &str) -> String {
        match package {
            "libldap2" if image.contains("bookworm") => "libldap-2.5-0",
            "libldap2" if image.contains("bullseye") => "libldap-2.4-2",
            other => other,
        }
        .to_owned()
    }
}

struct Workshop<'a> {
    project: &'a Project,
    python: &'a PythonProject,
    config: &'a Config,
    images: Images,
}

impl Workshop<'_> {
    /// What the stages with and without compilers share.
    fn base(&self) -> Result<Stage> {
        let image = &self.images.runtime;
        let mut stage = Stage::from_image("base", image);
        let names = self.python.run_packages.iter().map(|name| Images::local_name(image, name)).collect();
        stage.maybe(packages("system", &names, image)?);
        self.environment(&mut stage);
        Ok(stage)
    }

    fn environment(&self, stage: &mut Stage) {
        stage.push(Step::workdir(HOME));
        let mut pairs = vec![("PYTHONDONTWRITEBYTECODE", "1"), ("PYTHONUNBUFFERED", "1")];
        if self.python.install.manager == Some(Manager::Pdm) {
            // PDM would look for an interpreter elsewhere.
            pairs.push(("VIRTUAL_ENV", VENV));
        }
        stage.push(Step::env("environment", pairs).after(["workdir"]));
        stage.push(Step::path(&format!("{VENV}/bin")).after(["environment"]));
    }

    /// The dependencies, and all that it takes to compile them.
    fn deps(&self) -> Result<Option<Stage>> {
        if self.python.install.manager.is_none() {
            return Ok(None);
        }
        let image = &self.images.base;
        let mut stage = if *image == self.images.runtime {
            Stage::from_stage("deps", "base")
        } else {
            let mut stage = Stage::from_image("deps", image);
            self.environment(&mut stage);
            stage
        };
        let mut names = self.python.build_packages.clone();
        // What a compiled dependency links against also has to be there when it is tried out.
        if *image != self.images.runtime {
            names.extend(self.python.run_packages.iter().cloned());
        }
        let names = names.iter().map(|name| Images::local_name(image, name)).collect();
        if let Some(step) = packages("compilers", &names, image)? {
            stage.push(step);
        }
        self.copy_requirements(&mut stage);
        stage.push(self.install_dependencies());
        Ok(Some(stage))
    }

    fn user(&self) -> String {
        self.config.user.clone().unwrap_or_else(|| default_user(&self.images.runtime).to_owned())
    }

    /// What the container runs.
    fn finish(&self, stage: &mut Stage) {
        let python = self.python;
        let start = &python.start;
        let here = |dir: &str| {
            let inside = python.install.member.join(dir).unwrap_or_default();
            if inside.as_str().is_empty() { HOME.to_owned() } else { format!("{HOME}/{inside}") }
        };
        let dir = here(start.dir.as_str());
        if dir != HOME {
            stage.push(Step::workdir(&dir));
        }
        let mut env = start.env.clone();
        if self.config.user.is_none() {
            // A user without a name has `/` for a home, and servers keep sockets and caches at home.
            env.insert("HOME".into(), "/tmp".into());
        }
        if let Some(path) = &start.python_path {
            env.insert("PYTHONPATH".into(), here(path.as_str()));
        }
        env.extend(self.config.env.clone());
        if !env.is_empty() {
            stage.push(Step::env("settings", env));
        }
        let service = Service {
            command: start.command.clone(),
            port: start.port,
            health: start.health.clone(),
            probe: ["python", "-c", "import urllib.request; urllib.request.urlopen('{url}', timeout=3)"]
                .map(str::to_owned)
                .into(),
            user: default_user(&self.images.runtime).into(),
            labels: self.project.notes.labels.clone(),
            ..Service::default()
        };
        finish(stage, &service, self.config);
    }
}

fn made_from(python: &PythonProject) -> Vec<String> {
    let mut files: Vec<String> = python.install.manifests.iter().map(ToString::to_string).collect();
    if files.is_empty() {
        files.push("the sources".into());
    }
    files
}

/// What Python projects leave about that no image needs.
fn ignore(python: &PythonProject) -> Vec<(String, Vec<String>)> {
    let patterns = [
        "**/__pycache__",
        "**/*.py[cod]",
        "**/.venv",
        "**/venv",
        "**/.tox",
        "**/.nox",
        "**/.pytest_cache",
        "**/.mypy_cache",
        "**/.ruff_cache",
        "**/.coverage",
        "**/.coverage.*",
        "**/htmlcov",
        "**/*.egg-info",
        "**/.ipynb_checkpoints",
        "**/node_modules",
    ];
    let tests = [
        "test",
        "**/tests",
        "**/tests.py",
        "**/conftest.py",
        "**/test_*.py",
        "**/*_test.py",
        "tox.ini",
        "noxfile.py",
        "pytest.ini",
        ".coveragerc",
    ];
    let dir = python.dir.as_str();
    let base = if dir.is_empty() { String::new() } else { format!("{}/", dockerignore::escape(dir)) };
    let own =
        |pattern: &&str| if pattern.starts_with("**") { (*pattern).to_owned() } else { format!("{base}{pattern}") };
    let mut groups = vec![("what Python leaves about".into(), patterns.iter().map(own).collect())];
    if python.tests_apart {
        groups.push(("tests".into(), tests.iter().map(own).collect()));
    }
    if let Some(readme) = python.readme.as_ref().and_then(|readme| python.dir.join(readme.as_str())) {
        groups.push(("only quoted in the metadata".into(), vec![dockerignore::escape(readme.as_str())]));
    }
    groups
}
