//! What the Dockerfile will do, before a word of it is written.
//!
//! Input: [`Project`] and [`Config`]. Output: [`Plan`], stages of steps. The one idea: a step knows what it reads,
//! what it costs, how often that changes and what must come before it, so that the order is computed and not
//! remembered; how a step is spelled is left to its template.

pub mod cargo;
mod check;
pub mod go;
pub mod node;
pub mod python;
pub mod service;
pub mod system;

pub use check::{Fault, Severity};

use std::collections::BTreeMap;

use crate::config::Config;
use crate::error::Result;
use crate::project::{Component, Credential, Project};

/// A class of inputs, by how often a commit changes it; `rates` in the configuration overrides the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Change {
    /// Text of the Dockerfile alone.
    Never,
    /// The base image and the toolchain.
    Base,
    /// System packages.
    System,
    /// The package manager and other tools.
    Tool,
    /// What decides the dependency set, after the manifests were reduced to it.
    Lockfile,
    /// Manifests and lockfiles as they are.
    Manifest,
    /// Sources.
    Source,
}

impl Change {
    /// The prior probability that a commit changes it, and its name in `rates`.
    ///
    /// Priors, not measurements of this project: `cargo dockerfile learn` measures.
    pub fn prior(self) -> (f64, &'static str) {
        match self {
            Self::Never => (0.0, "never"),
            Self::Base => (0.005, "base"),
            Self::System => (0.01, "system"),
            Self::Tool => (0.02, "tool"),
            Self::Lockfile => (0.15, "lockfile"),
            Self::Manifest => (0.25, "manifest"),
            Self::Source => (0.9, "source"),
        }
    }
}

/// What a step reads beside what the stage already holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Input {
    /// A file, folder or pattern of the build context; `.` is all of it.
    Context(String),
    /// A path of another stage.
    Stage {
        /// The stage.
        stage: String,
        /// An absolute path in it.
        path: String,
    },
    /// A path of an image.
    Image {
        /// The image.
        image: String,
        /// An absolute path in it.
        path: String,
    },
}

/// A `RUN --mount`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Mount {
    /// A folder that outlives the build on a builder that is not thrown away.
    Cache {
        /// Names the cache; shared by all builds on the builder that use it.
        id: String,
        /// Where it is mounted.
        target: String,
        /// Whether two steps that use it wait for each other.
        locked: bool,
        /// A stage and path whose content a new cache starts with.
        seed: Option<(String, String)>,
    },
    /// A file or folder of a stage or of the build context, not copied into the layer.
    Bind {
        /// The stage; `None` for the build context.
        from: Option<String>,
        /// The path there.
        source: String,
        /// Where it is mounted.
        target: String,
        /// Whether the step may write to it; what it writes is thrown away.
        writable: bool,
    },
    /// A credential.
    Credential(Credential),
}

/// A value that a template of a `RUN` gets. Each is quoted for the shell where it is used.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Value {
    /// One word.
    Word(String),
    /// Any number of words.
    Words(Vec<String>),
    /// Commands, each a list of words.
    Commands(Vec<Vec<String>>),
    /// Whether a part of the template is there.
    Flag(bool),
    /// A shell command that the user wrote in the configuration, passed on as it is.
    UserCommand(UserCommand),
}

/// Shell text from the user's own configuration.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct UserCommand(pub String);

/// What a step does.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Op {
    /// `COPY`.
    Copy {
        /// The stage or image; `None` for the build context.
        from: Option<String>,
        /// Literal paths or patterns, as [`Source`] says.
        sources: Vec<Source>,
        /// The destination; ends in `/` for a folder.
        dest: String,
        /// Whether the layer stands on its own (`--link`).
        link: bool,
        /// `UID:GID` of the copies.
        chown: Option<String>,
    },
    /// `RUN`, spelled by the template of this name.
    Run {
        /// Such as `go/build`.
        template: String,
        /// What the template fills in.
        values: BTreeMap<String, Value>,
        /// Its mounts, in the order in which they are printed.
        mounts: Vec<Mount>,
    },
    /// A file that stands in the Dockerfile itself: `COPY` of a here-document, spelled by the template of this name.
    File {
        /// Such as `rust/update-sources`.
        template: String,
    },
    /// `ENV`.
    Env {
        /// Names and values.
        pairs: Vec<(String, String)>,
    },
    /// `ENV` that takes its value from a variable that the base image sets.
    EnvFrom {
        /// The name.
        name: String,
        /// The variable of the base image.
        variable: String,
    },
    /// `ENV` that puts a folder before those in which programs are looked for.
    Path {
        /// An absolute path.
        first: String,
    },
    /// `ARG`.
    Arg {
        /// The name.
        name: String,
        /// The default.
        default: Option<String>,
    },
    /// `WORKDIR`.
    Workdir {
        /// An absolute path.
        path: String,
    },
    /// `USER`.
    User {
        /// `UID`, `UID:GID` or a name.
        user: String,
    },
    /// `EXPOSE`.
    Expose {
        /// The port.
        port: u16,
    },
    /// `ENTRYPOINT`, exec form.
    Entrypoint {
        /// The argument list.
        argv: Vec<String>,
    },
    /// `CMD`, exec form.
    Cmd {
        /// The argument list.
        argv: Vec<String>,
    },
    /// `LABEL`.
    Label {
        /// Names and values.
        pairs: Vec<(String, String)>,
    },
    /// `HEALTHCHECK`, exec form.
    Healthcheck {
        /// The argument list.
        argv: Vec<String>,
    },
    /// `STOPSIGNAL`.
    StopSignal {
        /// Such as `SIGQUIT`.
        signal: String,
    },
}

impl Op {
    /// The instruction, as the Dockerfile spells it; a template may spell a `Run` or a `File` otherwise.
    pub fn instruction(&self) -> &'static str {
        match self {
            Self::Copy { .. } | Self::File { .. } => "COPY",
            Self::Run { .. } => "RUN",
            Self::Env { .. } | Self::EnvFrom { .. } | Self::Path { .. } => "ENV",
            Self::Arg { .. } => "ARG",
            Self::Workdir { .. } => "WORKDIR",
            Self::User { .. } => "USER",
            Self::Expose { .. } => "EXPOSE",
            Self::Entrypoint { .. } => "ENTRYPOINT",
            Self::Cmd { .. } => "CMD",
            Self::Label { .. } => "LABEL",
            Self::Healthcheck { .. } => "HEALTHCHECK",
            Self::StopSignal { .. } => "STOPSIGNAL",
        }
    }
}

/// A source of a `COPY`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Source {
    /// A path that must exist; its special characters mean themselves.
    Path(String),
    /// A pattern that this tool wrote, such as `go.sum*`, where a file may be missing.
    Pattern(String),
}

impl Source {
    /// The text, unquoted.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Path(text) | Self::Pattern(text) => text,
        }
    }
}

impl From<&str> for Source {
    fn from(path: &str) -> Self {
        Self::Path(path.to_owned())
    }
}

impl From<String> for Source {
    fn from(path: String) -> Self {
        Self::Path(path)
    }
}

/// The end of the id of a cache that holds machine code; the stage declares `ARG TARGETARCH`.
pub const PER_PLATFORM: &str = "-${TARGETARCH}";

/// One instruction with what the ordering pass and the reader need to know of it.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Step {
    /// Its name, unique in the stage.
    pub id: String,
    /// What it does.
    pub op: Op,
    /// What it reads beside what the stage already holds.
    pub reads: Vec<Input>,
    /// How often what it reads changes.
    pub change: Change,
    /// Estimated seconds that it takes when it runs.
    pub seconds: f64,
    /// Steps of the same stage that must come before it; `None` until the stage fills in the one before.
    pub needs: Option<Vec<String>>,
    /// Why it stands where it stands, for `plan`.
    pub why: String,
    /// Comment lines above it, where it would surprise a reader.
    pub comment: Vec<String>,
}

impl Step {
    fn new(id: &str, op: Op) -> Self {
        Self {
            id: id.to_owned(),
            op,
            reads: Vec::new(),
            change: Change::Never,
            seconds: 0.0,
            needs: None,
            why: String::new(),
            comment: Vec::new(),
        }
    }

    /// A `RUN` spelled by `template`.
    pub fn run(id: &str, template: &str) -> Self {
        let op = Op::Run { template: template.to_owned(), values: BTreeMap::new(), mounts: Vec::new() };
        Self { seconds: 5.0, ..Self::new(id, op) }
    }

    /// A `COPY` of a here-document, spelled by `template`.
    pub fn file(id: &str, template: &str) -> Self {
        Self { seconds: 0.1, ..Self::new(id, Op::File { template: template.to_owned() }) }
    }

    /// A `COPY` from the build context into `dest`.
    pub fn copy<S: Into<Source>>(id: &str, sources: impl IntoIterator<Item = S>, dest: &str) -> Self {
        let sources: Vec<Source> = sources.into_iter().map(Into::into).collect();
        let reads = sources.iter().map(|source| Input::Context(source.as_str().to_owned())).collect();
        let op = Op::Copy { from: None, sources, dest: dest.to_owned(), link: false, chown: None };
        Self { reads, change: Change::Source, seconds: 0.3, ..Self::new(id, op) }
    }

    /// A `COPY --from` of absolute paths of a stage.
    pub fn copy_from<S: Into<Source>>(id: &str, stage: &str, sources: impl IntoIterator<Item = S>, dest: &str) -> Self {
        let mut step = Self::copy(id, sources, dest);
        for read in &mut step.reads {
            if let Input::Context(path) = read {
                *read = Input::Stage { stage: stage.to_owned(), path: std::mem::take(path) };
            }
        }
        if let Op::Copy { from, .. } = &mut step.op {
            *from = Some(stage.to_owned());
        }
        step
    }

    /// A `COPY --from` of absolute paths of an image.
    pub fn copy_image<S: Into<Source>>(
        id: &str,
        image: &str,
        sources: impl IntoIterator<Item = S>,
        dest: &str,
    ) -> Self {
        let mut step = Self::copy_from(id, image, sources, dest);
        for read in &mut step.reads {
            if let Input::Stage { stage, path } = read {
                *read = Input::Image { image: std::mem::take(stage), path: std::mem::take(path) };
            }
        }
        step.change(Change::Tool)
    }

    /// An `ENV`.
    pub fn env<K: Into<String>, V: Into<String>>(id: &str, pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let pairs = pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        Self::new(id, Op::Env { pairs })
    }

    /// An `ENV` that takes its value from a variable that the base image sets.
    pub fn env_from(id: &str, name: &str, variable: &str) -> Self {
        Self::new(id, Op::EnvFrom { name: name.to_owned(), variable: variable.to_owned() })
    }

    /// An `ENV` that puts a folder before those in which programs are looked for.
    pub fn path(first: &str) -> Self {
        Self::new("path", Op::Path { first: first.to_owned() })
    }

    /// An `ARG`.
    pub fn arg(name: &str, default: Option<&str>) -> Self {
        let id = format!("arg-{}", name.to_ascii_lowercase());
        Self::new(&id, Op::Arg { name: name.to_owned(), default: default.map(str::to_owned) })
    }

    /// A `WORKDIR`.
    pub fn workdir(path: &str) -> Self {
        Self { seconds: 0.1, ..Self::new("workdir", Op::Workdir { path: path.to_owned() }) }
    }

    /// A `USER`.
    pub fn user(user: &str) -> Self {
        Self::new("user", Op::User { user: user.to_owned() })
    }

    /// An `EXPOSE`.
    pub fn expose(port: u16) -> Self {
        Self::new("expose", Op::Expose { port })
    }

    /// An `ENTRYPOINT`.
    pub fn entrypoint<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Self {
        Self::new("entrypoint", Op::Entrypoint { argv: argv.into_iter().map(Into::into).collect() })
    }

    /// A `CMD`.
    pub fn cmd<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Self {
        Self::new("cmd", Op::Cmd { argv: argv.into_iter().map(Into::into).collect() })
    }

    /// A `LABEL`.
    pub fn label<K: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let pairs = pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        Self::new("label", Op::Label { pairs })
    }

    /// A `HEALTHCHECK`.
    pub fn healthcheck<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Self {
        Self::new("healthcheck", Op::Healthcheck { argv: argv.into_iter().map(Into::into).collect() })
    }

    /// A `STOPSIGNAL`.
    pub fn stop_signal(signal: &str) -> Self {
        Self::new("stopsignal", Op::StopSignal { signal: signal.to_owned() })
    }

    /// Gives the template of a `RUN` a word.
    #[must_use]
    pub fn word(self, name: &str, word: impl Into<String>) -> Self {
        self.value(name, Value::Word(word.into()))
    }

    /// Gives the template of a `RUN` a list of words.
    #[must_use]
    pub fn words<S: Into<String>>(self, name: &str, words: impl IntoIterator<Item = S>) -> Self {
        self.value(name, Value::Words(words.into_iter().map(Into::into).collect()))
    }

    /// Tells the template of a `RUN` whether a part of it is there.
    #[must_use]
    pub fn flag(self, name: &str, on: bool) -> Self {
        self.value(name, Value::Flag(on))
    }

    /// Gives the template of a `RUN` any value.
    #[must_use]
    pub fn value(mut self, name: &str, value: Value) -> Self {
        if let Op::Run { values, .. } = &mut self.op {
            values.insert(name.to_owned(), value);
        }
        self
    }

    /// Adds a mount to a `RUN`.
    #[must_use]
    pub fn mount(mut self, mount: Mount) -> Self {
        if let Op::Run { mounts, .. } = &mut self.op {
            if let Mount::Bind { from, source, .. } = &mount {
                let path = source.clone();
                self.reads.push(match from {
                    Some(stage) => Input::Stage { stage: stage.clone(), path },
                    None => Input::Context(path),
                });
            }
            mounts.push(mount);
        }
        self
    }

    /// Adds a cache mount that several steps may use at once.
    #[must_use]
    pub fn cache(self, id: impl Into<String>, target: &str) -> Self {
        self.mount(Mount::Cache { id: id.into(), target: target.to_owned(), locked: false, seed: None })
    }

    /// Adds a cache mount that one step at a time may use.
    #[must_use]
    pub fn locked_cache(self, id: impl Into<String>, target: &str) -> Self {
        self.mount(Mount::Cache { id: id.into(), target: target.to_owned(), locked: true, seed: None })
    }

    /// Adds the mounts of credentials.
    #[must_use]
    pub fn credentials<'a>(mut self, credentials: impl IntoIterator<Item = &'a Credential>) -> Self {
        for credential in credentials {
            self = self.mount(Mount::Credential(credential.clone()));
        }
        self
    }

    /// Says above the step how its credentials are passed.
    #[must_use]
    pub fn how_to_pass(self, credentials: &[Credential]) -> Self {
        let option = |credential: &Credential| match credential {
            Credential::Env { id, variable } => format!("--secret id={id},env={variable}"),
            Credential::File { id, .. } => format!("--secret id={id},src=$HOME/.{id}"),
            Credential::Ssh => "--ssh default".to_owned(),
        };
        let options: Vec<String> = credentials.iter().map(option).collect();
        if options.is_empty() {
            self
        } else {
            self.comment(format!("With credentials: docker build {} .", options.join(" ")))
        }
    }

    /// Makes the layer of a `COPY` stand on its own, so that it is reused when what is below it changes.
    #[must_use]
    pub fn linked(mut self) -> Self {
        if let Op::Copy { link, .. } = &mut self.op {
            *link = true;
        }
        self
    }

    /// Sets the owner, `UID:GID`, of what a `COPY` copies.
    #[must_use]
    pub fn owned_by(mut self, owner: &str) -> Self {
        if let Op::Copy { chown, .. } = &mut self.op {
            *chown = Some(owner.to_owned());
        }
        self
    }

    /// Sets how often what it reads changes.
    #[must_use]
    pub fn change(mut self, change: Change) -> Self {
        self.change = change;
        self
    }

    /// Sets the estimated seconds.
    #[must_use]
    pub fn seconds(mut self, seconds: f64) -> Self {
        self.seconds = seconds;
        self
    }

    /// Names the steps that must come before it, instead of the one that was pushed before it.
    #[must_use]
    pub fn after<S: Into<String>>(mut self, needs: impl IntoIterator<Item = S>) -> Self {
        self.needs = Some(needs.into_iter().map(Into::into).collect());
        self
    }

    /// Says why it stands where it stands.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    /// Adds a comment line above it.
    #[must_use]
    pub fn comment(mut self, line: impl Into<String>) -> Self {
        self.comment.push(line.into());
        self
    }
}

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
/// use dockerfile_gen::{Config, MemTree, Plan, Project};
///
/// let tree = MemTree::from([("go.mod", "module hello\n\ngo 1.25\n"), ("main.go", "package main\n\nfunc main() {}\n")]);
/// let config = Config::default();
/// let plan = Plan::new(&Project::detect(&tree, &config)?, &config)?;
/// for stage in plan.layers(&config) {
///     let given: Vec<usize> = (0..stage.layers.len()).collect();
///     assert!(cost(&stage.layers, &order(&stage.layers)) <= cost(&stage.layers, &given));
/// }
/// # Ok::<(), dockerfile_gen::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// Global build arguments: name, default, comment.
    pub args: Vec<(String, String, String)>,
    /// The stages; the last one is what `docker build` makes.
    pub stages: Vec<Stage>,
    /// What the header says that the file was made from.
    pub made_from: Vec<String>,
    /// Patterns for the .dockerignore that the stack brings: title and patterns.
    pub ignore: Vec<(String, Vec<String>)>,
    /// The source file that declares the plan, where it was not detected.
    pub declared_in: Option<String>,
}

impl Plan {
    /// Plans the image of a project.
    ///
    /// # Errors
    /// [`crate::Error::Unsupported`] for a base image that the steps cannot run on, and what else the stack refuses.
    pub fn new(project: &Project, config: &Config) -> Result<Self> {
        let mut plan = match &project.component {
            Component::Rust(rust) => cargo::plan(project, rust, config)?,
            Component::Node(node) => node::plan(project, node, config)?,
            Component::Python(python) => python::plan(project, python, config)?,
            Component::Go(go) => go::plan(project, go, config)?,
        };
        extra_steps(&mut plan, config)?;
        Ok(plan)
    }

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
fn extra_steps(plan: &mut Plan, config: &Config) -> Result<()> {
    for extra in &config.steps {
        let names: Vec<String> = plan.stages.iter().map(|stage| stage.name.clone()).collect();
        let Some(stage) = plan.stages.iter_mut().find(|stage| stage.name == extra.stage) else {
            return Err(crate::Error::Config {
                path: "configuration".into(),
                line: None,
                reason: format!("step `{}` names the stage `{}`, which there is not", extra.name, extra.stage),
                hint: format!("the stages are {}", names.join(", ")),
            });
        };
        let first = stage.steps.iter().find(|step| step.id == "workdir").map(|step| step.id.clone());
        let mut needs: Vec<String> = extra.needs.clone();
        if let Some(unknown) = needs.iter().find(|need| !stage.steps.iter().any(|step| step.id == **need)) {
            let known: Vec<&str> = stage.steps.iter().map(|step| step.id.as_str()).collect();
            return Err(crate::Error::Config {
                path: "configuration".into(),
                line: None,
                reason: format!("step `{}` needs `{unknown}`, which is no step of stage `{}`", extra.name, extra.stage),
                hint: format!("its steps are {}", known.join(", ")),
            });
        }
        needs.extend(first);
        if !extra.inputs.is_empty() {
            let id = format!("{}-inputs", extra.name);
            let copy = Step::copy(&id, extra.inputs.iter().map(String::as_str), "./").after(needs.clone());
            stage.push(copy.why("inputs of a step from the configuration"));
            needs.push(id);
        }
        let command = Value::UserCommand(UserCommand(extra.run.clone()));
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
