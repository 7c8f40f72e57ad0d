//! One instruction, and how to make it.
//!
//! The one idea: a constructor fills in what the instruction says of reads and costs, and methods that read as a
//! sentence say the rest.

use std::collections::BTreeMap;

use crate::facts::Credential;

use super::change::Change;
use super::operation::{Input, Mount, Op, Source, Value};

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
        Self { seconds: 0.1, ..Self::new(id, Op::File { template: template.to_owned(), values: BTreeMap::new() }) }
    }

    /// A `COPY` from the build context into `dest`.
    pub fn copy<S: Into<Source>>(id: &str, sources: impl IntoIterator<Item = S>, dest: &str) -> Self {
        let sources: Vec<Source> = sources.into_iter().map(Into::into).collect();
        let reads = sources.iter().map(|source| Input::Context(source.as_str().to_owned())).collect();
        let op = Op::Copy { from: None, sources, dest: dest.to_owned(), link: false, chown: None, exclude: Vec::new() };
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

    /// An `ENV` that takes its values from variables that the base image or the builder sets.
    pub fn env_from<'a>(id: &str, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let pairs = pairs.into_iter().map(|(name, variable)| (name.to_owned(), variable.to_owned())).collect();
        Self::new(id, Op::EnvFrom { pairs })
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

    /// Gives the template of a `RUN` or of a file a word.
    #[must_use]
    pub fn word(self, name: &str, word: impl Into<String>) -> Self {
        self.value(name, Value::Word(word.into()))
    }

    /// Gives the template of a `RUN` or of a file a list of words.
    #[must_use]
    pub fn words<S: Into<String>>(self, name: &str, words: impl IntoIterator<Item = S>) -> Self {
        self.value(name, Value::Words(words.into_iter().map(Into::into).collect()))
    }

    /// Tells the template of a `RUN` or of a file whether a part of it is there.
    #[must_use]
    pub fn flag(self, name: &str, on: bool) -> Self {
        self.value(name, Value::Flag(on))
    }

    /// Gives the template of a `RUN` or of a file any value.
    #[must_use]
    pub fn value(mut self, name: &str, value: Value) -> Self {
        if let Op::Run { values, .. } | Op::File { values, .. } = &mut self.op {
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
        self.mount(Mount::Cache { id: id.into(), target: target.to_owned(), locked: false })
    }

    /// Adds a cache mount that one step at a time may use.
    #[must_use]
    pub fn locked_cache(self, id: impl Into<String>, target: &str) -> Self {
        self.mount(Mount::Cache { id: id.into(), target: target.to_owned(), locked: true })
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

    /// Copies only what matches one of `patterns`, in order; `!` leaves out again what one before took in.
    #[must_use]
    pub fn only<S: AsRef<str>>(mut self, patterns: impl IntoIterator<Item = S>) -> Self {
        if let Op::Copy { exclude, .. } = &mut self.op {
            exclude.push("**".into());
            exclude.extend(patterns.into_iter().map(|pattern| match pattern.as_ref().strip_prefix('!') {
                Some(left_out) => left_out.to_owned(),
                None => format!("!{}", pattern.as_ref()),
            }));
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
