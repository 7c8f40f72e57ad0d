//! What a step does: an instruction, with what it reads and mounts.
//!
//! Plain data; how it is spelled is left to [`render`](crate::plan::render).

use std::collections::BTreeMap;

use crate::error::Result;
use crate::facts::Credential;
use crate::plan::quote;

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

/// A value that a template of a `RUN` or of a file gets. Each is quoted for the shell where it is used.
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
        /// Patterns, relative to the source, of what is left out; `!` takes back in. In force is the last that matches.
        exclude: Vec<String>,
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
        /// Such as `rust/dependencies`.
        template: String,
        /// What the template fills in.
        values: BTreeMap<String, Value>,
    },
    /// `ENV`.
    Env {
        /// Names and values.
        pairs: Vec<(String, String)>,
    },
    /// `ENV` that takes its values from variables that the base image or the builder sets.
    EnvFrom {
        /// Names, and the variables that hold their values.
        pairs: Vec<(String, String)>,
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
    /// What `pattern` matches in the folder `dir`, whose characters mean themselves.
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::Error::Unsupported) for a folder that a Dockerfile cannot name.
    pub fn pattern_in(dir: &str, pattern: &str) -> Result<Self> {
        Ok(Self::Pattern(quote::glob_in(dir, pattern)?))
    }

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
