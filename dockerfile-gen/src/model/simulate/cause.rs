//! What a step says of itself: reused, run and why, or what it hangs on.

use std::fmt;

/// Why a step is reused, run, or one of the two.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// It is reused.
    Reused,
    /// Nothing was built before.
    First,
    /// The cache is not to be used.
    NoCache,
    /// A step before it in its stage is run.
    Follows(String),
    /// A step before it in its stage may be run.
    MayFollow(String),
    /// The image is another.
    Base(String),
    /// These files of the context changed.
    Files(Vec<String>),
    /// The instruction, or what it sees of those above it, is another.
    Edited(String),
    /// The paths that it takes from a stage hold something else.
    Stage {
        /// The stage.
        stage: String,
        /// The paths.
        paths: Vec<String>,
    },
    /// It is reused if the stage leaves the paths as they were.
    HangsOn {
        /// The stage.
        stage: String,
        /// The paths.
        paths: Vec<String>,
    },
    /// It is the same as another step of this build, and shares what becomes of that.
    SameAs(String),
    /// It need not be run, and nothing needs what it leaves. BuildKit does not list it as reused all the same.
    Unneeded,
    /// There was no such step.
    New,
}

impl Cause {
    /// Whether the step itself is the reason, and not one before it.
    pub fn is_root(&self) -> bool {
        !matches!(
            self,
            Self::Reused
                | Self::Unneeded
                | Self::SameAs(_)
                | Self::Follows(_)
                | Self::MayFollow(_)
                | Self::HangsOn { .. }
        )
    }
}

/// As many files as are named.
const MOST_FILES: usize = 3;

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reused => Ok(()),
            Self::First => f.write_str("nothing was built before"),
            Self::NoCache => f.write_str("the cache is switched off for it"),
            Self::Follows(step) => write!(f, "follows `{step}`"),
            Self::MayFollow(step) => write!(f, "reused if `{step}` is"),
            Self::Base(image) => write!(f, "`{image}` is another image"),
            Self::Files(files) => match files.split_at_checked(MOST_FILES) {
                _ if files.is_empty() => f.write_str("what it takes of the context is another"),
                Some((first, rest)) if !rest.is_empty() => {
                    write!(f, "{} and {} more changed", list(first), rest.len())
                }
                _ => write!(f, "{} changed", list(files)),
            },
            Self::Edited(what) => f.write_str(what),
            Self::Stage { stage, paths } => write!(f, "{} of `{stage}` changed", list(paths)),
            Self::HangsOn { stage, paths } => {
                write!(f, "reused if what `{stage}` runs leaves {} as it was", list(paths))
            }
            Self::SameAs(step) => write!(f, "is the same as `{step}`"),
            Self::Unneeded => f.write_str("nothing needs it, so it is listed as done and not as reused"),
            Self::New => f.write_str("there was no such step before"),
        }
    }
}

pub(super) fn list(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}
