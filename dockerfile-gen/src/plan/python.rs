//! The stages for Python projects.
//!
//! Input: [`PythonProject`]. Output: [`Plan`]. The one idea: dependencies are installed into /app/.venv in a stage that
//! has the compilers, and the stage that takes the sources never has them, so that each of its steps can be shipped as
//! the layer that it is: dependencies, sources, what the project adds to the environment, static files.

mod install;
mod manifests;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::project::Project;
use crate::project::python::{Manager, PythonProject};

use super::service::{Service, finish};
use super::system::{Family, SUITE, default_user, family, install as packages};
use super::{Change, Mount, Plan, Source, Stage, Step};

/// Where the project lies in the image.
const HOME: &str = "/app";

/// Where the environment lies in every stage: its scripts and pyvenv.cfg hold this path.
const VENV: &str = "/app/.venv";

/// Plans the image.
///
/// # Errors
/// As [`Plan::new`].
pub fn plan(project: &Project, python: &PythonProject, config: &Config) -> Result<Plan> {
    let images = Images::new(python, config)?;
    let shop = Workshop { project, python, config, images };
    let mut plan = Plan { made_from: made_from(python), ignore: ignore(python), ..Plan::default() };
    for frontend in &project.frontends {
        plan.stages.extend(super::node::frontend(frontend, config)?);
    }
    plan.stages.push(shop.base()?);
    plan.stages.extend(shop.manifests());
    plan.stages.extend(shop.tool());
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
        Self::environment(&mut stage);
        Ok(stage)
    }

    fn environment(stage: &mut Stage) {
        stage.push(Step::workdir(HOME));
        let pairs = [("PYTHONDONTWRITEBYTECODE", "1"), ("PYTHONUNBUFFERED", "1"), ("VIRTUAL_ENV", VENV)];
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
            Self::environment(&mut stage);
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
        for step in self.manifest_copies() {
            stage.push(step);
        }
        stage.push(self.install_dependencies());
        Ok(Some(stage))
    }

    /// The stages that make the application, added to `stages`, and the final one, returned without its end.
    fn application(&self, stages: &mut Vec<Stage>) -> Result<Stage> {
        // Not in `base`: what the user adds for the program has nothing to do with installing dependencies.
        let more = self.config.packages.iter().filter(|name| !self.python.run_packages.contains(*name));
        let more = packages("more", &more.cloned().collect(), &self.images.runtime)?;
        let steps = self.application_steps();
        let own_steps = self.config.steps.iter().any(|step| step.stage == "build");
        let runs = own_steps || steps.iter().any(|step| matches!(step.op, super::Op::Run { .. }));
        // Steps that may write anywhere cannot be taken over by copying one folder.
        let elsewhere = own_steps || self.python.django.as_ref().is_some_and(|django| django.static_elsewhere);
        let apart = more.is_some() && runs && !elsewhere;
        let name = if runs { "build" } else { "runtime" };
        let mut build = if self.bare_deps() && (apart || more.is_none()) {
            Stage::from_stage(name, "deps")
        } else {
            let mut stage = Stage::from_stage(name, "base");
            if runs {
                stage = stage.comment("No compiler has been here: each step is shipped as the layer that it is.");
            }
            if !apart {
                stage.maybe(more.clone());
            }
            stage.maybe(self.copy_dependencies());
            stage
        };
        self.fill(&mut build, steps);
        if !runs {
            return Ok(build);
        }
        stages.push(build);
        if !apart {
            return Ok(Stage::from_stage("runtime", "build"));
        }
        let mut own = Stage::from_stage("application", "build")
            .comment(
                "What the project adds to the dependencies, which the image takes from `deps`: in this way another",
            )
            .comment("system package builds nothing again.");
        let mount = Mount::Bind {
            from: Some("deps".into()),
            source: VENV.into(),
            target: "/tmp/before".into(),
            writable: false,
        };
        let step = Step::run("own-files", "python/own-files").mount(mount).seconds(1.0);
        own.push(step.why("what the project added to the environment, without the dependencies"));
        stages.push(own);
        let mut stage = Stage::from_stage("runtime", "base");
        stage.maybe(more);
        stage.maybe(self.copy_dependencies());
        // Owners come along, but that of the folder itself, which a layer on its own would make anew.
        let copy = Step::copy_from("application", "application", [format!("{HOME}/")], "./");
        self.own_folder(&mut stage);
        stage.push(Self::last_of(&stage, if self.python.writes { copy } else { copy.linked() }));
        Ok(stage)
    }

    /// Whether the stage of the dependencies holds them and nothing else, so that the image can go on from there.
    fn bare_deps(&self) -> bool {
        let install = &self.python.install;
        let left = install.metadata.is_some() && install.manager == Some(Manager::Pip);
        install.manager.is_some()
            && self.images.base == self.images.runtime
            && self.python.build_packages.is_empty()
            && !left
            && !self.config.steps.iter().any(|step| step.stage == "deps")
    }

    fn copy_dependencies(&self) -> Option<Step> {
        self.python.install.manager?;
        let copy = Step::copy_from("dependencies", "deps", [VENV], VENV).linked().after([""; 0]);
        Some(
            copy.change(Change::Lockfile)
                .seconds(3.0)
                .why("a layer of its own: a deploy without new dependencies does not move it"),
        )
    }

    /// Gives the user of the program the folder that it writes to.
    fn own_folder(&self, stage: &mut Stage) {
        if self.python.writes {
            // After the copy of the dependencies: a linked layer brings the folders above its files along, as root's.
            let step = Step::run("own", "python/own").word("user", self.user()).seconds(0.2);
            let step = Self::last_of(stage, step).why("the program writes into its own folder");
            stage.push(step);
        }
    }

    /// A step after all that the stage has.
    fn last_of(stage: &Stage, step: Step) -> Step {
        step.after(stage.steps.iter().map(|step| step.id.clone()).collect::<Vec<_>>())
    }

    /// The steps that make the application, in a stage that has the dependencies.
    fn fill(&self, stage: &mut Stage, steps: Vec<Step>) {
        self.own_folder(stage);
        let mut copy = match self.sources_stage() {
            Some(stage) => Step::copy_from("sources", &stage.name, [format!("{HOME}/")], "./"),
            None => Step::copy("sources", [Source::Path(self.context())], "./"),
        };
        if self.python.writes {
            let comment = "The program writes files here; mount a volume where they have to last.";
            copy = copy.owned_by(&self.user()).comment(comment);
        }
        stage.push(Self::last_of(stage, copy));
        for step in steps {
            stage.push(step);
        }
    }

    /// What happens once the sources are there.
    fn application_steps(&self) -> Vec<Step> {
        let python = self.python;
        let mut steps = Vec::new();
        if python.install.manager == Some(Manager::Uv) && python.install.lock.is_none() && !self.bare_deps() {
            let copy = Step::copy_from("lock", "deps", [format!("{HOME}/uv.lock")], "./");
            steps.push(copy.why("what the first run chose, so that the second does not choose again"));
        }
        steps.extend(self.install_project());
        for frontend in &self.project.frontends {
            let inside = frontend.output.as_str().strip_prefix(python.dir.as_str()).unwrap_or(frontend.output.as_str());
            let to = format!("./{}", inside.trim_start_matches('/'));
            let id = format!("assets-{}", frontend.stage);
            let copy = Step::copy_from(&id, &frontend.stage, [frontend.built()], &to);
            steps.push(copy.why("the server serves it from here"));
        }
        steps.extend(self.collect_static());
        steps
    }

    /// The folder of the project in the build context.
    fn context(&self) -> String {
        if self.python.dir.as_str().is_empty() { ".".to_owned() } else { format!("{}/", self.python.dir) }
    }

    /// The sources without those of the front ends, so that an edit there runs nothing here.
    fn sources_stage(&self) -> Option<Stage> {
        let base = self.python.dir.as_str();
        let inside = |dir: &str| match base {
            "" => Some(dir.to_owned()),
            base => dir.strip_prefix(base).and_then(|dir| dir.strip_prefix('/')).map(str::to_owned),
        };
        let dirs = self.project.frontends.iter().filter_map(|frontend| inside(frontend.dir.as_str()));
        let dirs: Vec<String> = dirs.filter(|dir| !dir.is_empty()).map(|dir| format!("./{dir}")).collect();
        if dirs.is_empty() {
            return None;
        }
        let mut stage = Stage::from_stage("sources", "base").comment("Without the front end's own sources.");
        stage.push(Step::copy("sources", [self.context()], "./"));
        stage.push(Step::run("prune", "python/prune").words("dirs", dirs).seconds(0.2));
        Some(stage)
    }

    fn collect_static(&self) -> Option<Step> {
        let django = self.python.django.as_ref().filter(|django| django.collect_static)?;
        // The word that hosts of Django services know for it.
        if self.config.build_env.contains_key("DISABLE_COLLECTSTATIC") {
            return None;
        }
        let mut env: Vec<String> = Vec::new();
        if django.name_settings {
            env.push(format!("DJANGO_SETTINGS_MODULE={}", django.settings));
        }
        let placeholders = django.required.iter().filter(|(name, _)| !self.config.build_env.contains_key(*name));
        env.extend(placeholders.map(|(name, value)| format!("{name}={value}")));
        env.extend(self.config.build_env.iter().map(|(name, value)| format!("{name}={value}")));
        let dir = self.python.install.member.join(django.dir.as_str()).unwrap_or_default();
        let step = Step::run("static", "python/collectstatic")
            .word("dir", dir.as_str())
            .words("env", env)
            .seconds(4.0)
            .why("static files are collected once, when the image is built");
        Some(if django.required.is_empty() {
            step
        } else {
            step.comment("The settings ask for these; the values reach nothing and stay in no layer.")
        })
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
    let base = if python.dir.as_str().is_empty() { String::new() } else { format!("{}/", python.dir) };
    let own =
        |pattern: &&str| if pattern.starts_with("**") { (*pattern).to_owned() } else { format!("{base}{pattern}") };
    let mut groups = vec![("what Python leaves about".into(), patterns.iter().map(own).collect())];
    if python.tests_apart {
        groups.push(("tests".into(), tests.iter().map(own).collect()));
    }
    if let Some(readme) = python.readme.as_ref().and_then(|readme| python.dir.join(readme.as_str())) {
        groups.push(("only quoted in the metadata".into(), vec![readme.to_string()]));
    }
    groups
}
