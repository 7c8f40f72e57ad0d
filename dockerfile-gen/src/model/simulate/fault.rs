//! Why a build would stop before it runs anything, or at a `COPY`.

use crate::error::Error;
use crate::model::context::CopyFault;
use crate::model::dockerfile::{ExpandError, MountError};

/// Why a build cannot be followed to its end: BuildKit would stop there too.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct Fault {
    /// The line of the Dockerfile, from 1; `None` where it is nobody's fault in particular.
    pub line: Option<usize>,
    /// What is wrong.
    pub reason: FaultReason,
}

/// What is wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FaultReason {
    /// There is no `FROM`.
    #[error("no stage to build")]
    NoStage,
    /// `--target` names no stage.
    #[error("no stage is named `{0}`")]
    NoTarget(String),
    /// Stages need each other.
    #[error("stage `{0}` needs itself, by way of the stages it copies or mounts from")]
    Circular(String),
    /// What is copied or mounted comes from a stage further down.
    #[error("stage `{from}` must stand above stage `{stage}`, which copies or mounts from it")]
    LaterStage {
        /// The stage that is needed.
        from: String,
        /// The stage that needs it.
        stage: String,
    },
    /// `--from` gives a number that no stage has.
    #[error("there is no stage number {0}")]
    NoStageNumber(String),
    /// Nobody can tell what `FROM` names.
    #[error("`FROM {0}` names no image")]
    NoImage(String),
    /// A variable or quote cannot be expanded.
    #[error(transparent)]
    Expand(#[from] ExpandError),
    /// A mount cannot be read.
    #[error(transparent)]
    Mount(#[from] MountError),
    /// A mount has no target, or the root as its target.
    #[error("a mount cannot have the target `{0}`")]
    MountTarget(String),
    /// A `COPY` of the build context fails.
    #[error(transparent)]
    Copy(#[from] CopyFault),
    /// A `COPY` from a stage fails.
    #[error("`{path}` is not in stage `{stage}`")]
    NotInStage {
        /// What was looked for.
        path: String,
        /// Where.
        stage: String,
    },
    /// An `ONBUILD` instruction of the base cannot be read.
    #[error("`ONBUILD {0}` of the base cannot be read")]
    Trigger(String),
    /// An instruction that BuildKit refuses.
    #[error("`{0}` cannot be read")]
    Unreadable(String),
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] Box<Error>),
}

impl FaultReason {
    /// The fault at `line`.
    pub(super) fn at(self, line: usize) -> Fault {
        Fault { line: Some(line), reason: self }
    }
}

impl From<Error> for FaultReason {
    fn from(error: Error) -> Self {
        Self::Read(Box::new(error))
    }
}
