//! What is made of the sources, and how it reaches the image.
//!
//! Input: the facts about the project. Output: the stages after `deps`. The one idea: the image goes on from the stage in
//! which the project was installed, unless something below it changes for reasons of its own: compilers, system packages.

use crate::error::Result;
use crate::stacks::python::Manager;

use super::{HOME, VENV, Workshop};
use crate::plan::system::install as packages;
use crate::plan::{Change, Mount, Op, Source, Stage, Step};

impl Workshop<'_> {
    /// The stages that make the application, added to `stages`, and the final one, returned without its end.
    pub(super) fn application(&self, stages: &mut Vec<Stage>) -> Result<Stage> {
        // Not in `base`: what the user adds for the program has nothing to do with installing dependencies.
        let more = self.config.packages.iter().filter(|name| !self.python.run_packages.contains(*name));
        let more = packages("more", &more.cloned().collect(), &self.images.runtime)?;
        let steps = self.application_steps();
        let own_steps = self.config.steps.iter().any(|step| step.stage == "build");
        let runs = own_steps || steps.iter().any(|step| matches!(step.op, Op::Run { .. }));
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
        install.manager.is_some()
            && self.images.base == self.images.runtime
            && self.python.build_packages.is_empty()
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
        steps.extend(self.copy_lock());
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

    /// The lock that was made for a project without one.
    fn copy_lock(&self) -> Option<Step> {
        let install = &self.python.install;
        let lock = match install.manager? {
            Manager::Uv if !self.needs_no_second_run() => "uv.lock",
            Manager::Poetry if self.python.installs_itself || install.folders => "poetry.lock",
            _ => return None,
        };
        let stage = if self.lists() { "requirements" } else { "deps" };
        // What goes on from there has it already.
        let there = stage == "deps" && self.bare_deps();
        let copy = (install.lock.is_none() && !there)
            .then(|| Step::copy_from("lock", stage, [format!("{HOME}/{lock}")], "./"));
        copy.map(|copy| copy.why("what the first run chose, so that the second does not choose again"))
    }

    /// The folder of the project in the build context.
    pub(super) fn context(&self) -> String {
        if self.python.dir.as_str().is_empty() { ".".to_owned() } else { format!("{}/", self.python.dir) }
    }

    /// The sources without those of the front ends, so that an edit there runs nothing here.
    pub(super) fn sources_stage(&self) -> Option<Stage> {
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
}
