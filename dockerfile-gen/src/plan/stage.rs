//! Stages, and the plan that they make.

use super::operation::{UserCommand, Value};
use super::render::builtin::Templates;
use super::step::Step;
use crate::config::Config;
use crate::error::{Error, Result};

/// What a stage starts from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Base {
    /// An image.
    Image(String),
    /// An earlier stage.
    Stage(String),
}

/// A stage.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Stage {
    /// Its name: lower case, unique.
    pub name: String,
    /// What it starts from.
    pub base: Base,
    /// Whether it runs on the builder's own platform, because what it makes runs on every platform.
    pub native: bool,
    /// Comment lines above it: what it is for.
    pub comment: Vec<String>,
    /// Its steps.
    pub steps: Vec<Step>,
}

impl Stage {
    /// A stage that starts from an image.
    pub fn from_image(name: &str, image: impl Into<String>) -> Self {
        Self::new(name, Base::Image(image.into()))
    }

    /// A stage that starts from an earlier stage.
    pub fn from_stage(name: &str, stage: &str) -> Self {
        Self::new(name, Base::Stage(stage.to_owned()))
    }

    fn new(name: &str, base: Base) -> Self {
        Self { name: name.to_owned(), base, native: false, comment: Vec::new(), steps: Vec::new() }
    }

    /// Adds a comment line above it.
    #[must_use]
    pub fn comment(mut self, line: impl Into<String>) -> Self {
        self.comment.push(line.into());
        self
    }

    /// Adds a step. Unless it names what it needs, it needs the one before.
    pub fn push(&mut self, mut step: Step) -> &mut Self {
        if step.needs.is_none() {
            step.needs = Some(self.steps.last().map(|last| last.id.clone()).into_iter().collect());
        }
        self.steps.push(step);
        self
    }

    /// Adds a step if there is one.
    pub fn maybe(&mut self, step: Option<Step>) -> &mut Self {
        if let Some(step) = step {
            self.push(step);
        }
        self
    }
}

/// All that will be written into the Dockerfile.
///
/// ```
/// use dockerfile_gen::order::{cost, order};
/// use dockerfile_gen::{Config, ConfigLayer, MemTree, generate_tree};
///
/// let tree = MemTree::from([("go.mod", "module hello\n\ngo 1.25\n"), ("main.go", "package main\n\nfunc main() {}\n")]);
/// let config = Config::default();
/// let plan = generate_tree(&tree, ConfigLayer::default())?.plan;
/// for stage in plan.layers(&config) {
///     let given: Vec<usize> = (0..stage.layers.len()).collect();
///     assert!(cost(&stage.layers, &order(&stage.layers)) <= cost(&stage.layers, &given));
/// }
/// # Ok::<(), dockerfile_gen::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// The stages; the last one is what `docker build` makes.
    pub stages: Vec<Stage>,
    /// What the header says that the file was made from.
    pub made_from: Vec<String>,
    /// Patterns for the .dockerignore that the stack brings: title and patterns.
    pub ignore: Vec<(String, Vec<String>)>,
    /// The source file that declares the plan, where it was not detected.
    pub declared_in: Option<String>,
    /// The built-in templates that its steps may name beside those that every plan has.
    #[serde(skip)]
    pub(crate) templates: Vec<Templates>,
}

impl Plan {
    /// A plan that somebody wrote, in the source file `place`, instead of having it detected.
    ///
    /// ```
    /// use dockerfile_gen::plan::{Plan, Stage, Step};
    /// use dockerfile_gen::{Config, MemTree, spell};
    ///
    /// let mut image = Stage::from_image("web", "nginx:1.29");
    /// image.push(Step::copy("pages", ["public"], "/usr/share/nginx/html/")).push(Step::expose(80));
    /// let mut plan = Plan::declared("src/image.rs", [image]);
    /// let text = spell(&mut plan, &Config::default(), &MemTree::default())?;
    /// assert!(text.ends_with("FROM nginx:1.29 AS web\nCOPY public /usr/share/nginx/html/\nEXPOSE 80\n"));
    /// # Ok::<(), dockerfile_gen::Error>(())
    /// ```
    pub fn declared(place: &str, stages: impl IntoIterator<Item = Stage>) -> Self {
        Self { stages: stages.into_iter().collect(), declared_in: Some(place.to_owned()), ..Self::default() }
    }
}

/// Adds the user's own steps to their stages; the ordering pass places them.
pub(crate) fn extra_steps(plan: &mut Plan, config: &Config) -> Result<()> {
    for extra in &config.steps {
        let names: Vec<String> = plan.stages.iter().map(|stage| stage.name.clone()).collect();
        let Some(stage) = plan.stages.iter_mut().find(|stage| stage.name == extra.stage) else {
            return Err(Error::Config {
                path: "configuration".into(),
                line: None,
                reason: format!("step `{}` names the stage `{}`, which there is not", extra.name, extra.stage),
                hint: format!("the stages are {}", names.join(", ")),
            });
        };
        if stage.steps.iter().any(|step| step.id == extra.name || step.id == format!("{}-inputs", extra.name)) {
            return Err(Error::Config {
                path: "configuration".into(),
                line: None,
                reason: format!("stage `{}` has a step `{}` already", extra.stage, extra.name),
                hint: "give the step in `steps` another `name`".into(),
            });
        }
        let first = stage.steps.iter().find(|step| step.id == "workdir").map(|step| step.id.clone());
        let mut needs: Vec<String> = extra.needs.clone();
        if let Some(unknown) = needs.iter().find(|need| !stage.steps.iter().any(|step| step.id == **need)) {
            let known: Vec<&str> = stage.steps.iter().map(|step| step.id.as_str()).collect();
            return Err(Error::Config {
                path: "configuration".into(),
                line: None,
                reason: format!("step `{}` needs `{unknown}`, which is no step of stage `{}`", extra.name, extra.stage),
                hint: format!("its steps are {}", known.join(", ")),
            });
        }
        needs.extend(first);
        let before = needs.clone();
        for (number, (folder, inputs)) in super::extra::by_folder(extra)?.into_iter().enumerate() {
            let number = if number == 0 { String::new() } else { format!("-{}", number + 1) };
            let id = format!("{}-inputs{number}", extra.name);
            let copy = Step::copy(&id, inputs, &folder).after(before.clone());
            stage.push(copy.why("inputs of a step from the configuration"));
            needs.push(id);
        }
        let has_sources = needs.iter().any(|need| need == "sources");
        let command = if has_sources { extra.run.clone() } else { super::extra::with_folders(extra) };
        let command = Value::UserCommand(UserCommand(command));
        let run = Step::run(&extra.name, "common/extra").value("command", command).seconds(f64::from(extra.seconds));
        stage.push(run.after(needs).why("from the configuration"));
        // Whatever ends the stage (the build itself) comes after what the user adds before it.
        let id = extra.name.clone();
        for step in stage.steps.iter_mut().filter(|step| step.id == "build") {
            step.needs.get_or_insert_default().push(id.clone());
        }
    }
    Ok(())
}
