//! What can go wrong, said so that a person can mend it.
//!
//! Input: none. Output: [`Error`], whose every variant names its path and, where there is one, its line.
//! The one idea: the message says what was seen, [`Error::hint`] says what to do about it.

use std::io;
use std::path::PathBuf;

use crate::visible::message;

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a Dockerfile could not be generated, checked or written.
///
/// ```
/// use dockerfile_gen::{ConfigLayer, MemTree, generate_tree};
///
/// let tree = MemTree::from([("go.mod", "module hello\n"), ("dockerfile.toml", "prt = 8080\n")]);
/// let error = generate_tree(&tree, ConfigLayer::default()).unwrap_err();
/// assert!(error.to_string().starts_with("dockerfile.toml:1: unknown field `prt`"));
/// assert_eq!(error.hint().as_deref(), Some("did you mean `port`?"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No stack that this crate knows was found.
    #[error("{}", message(format_args!("no supported project in `{root}`: {seen}")))]
    NoProject {
        /// The folder that was searched.
        root: String,
        /// What was looked for or found instead.
        seen: String,
        /// Where to look.
        hint: String,
    },
    /// A file or folder could not be read.
    #[error("{}", message(format_args!("could not read `{}`: {source}", path.display())))]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("{}", message(format_args!("could not write `{}`: {source}", path.display())))]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file is larger than any that a person would write.
    #[error("{}", message(format_args!("`{}` is larger than {}, which is the most that is read of such a file", path.display(), size(*limit))))]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that is read, in bytes.
        limit: u64,
    },
    /// All files together are larger than what is read in one run.
    #[error("{}", message(format_args!("`{}` is not read: with it more than {} of this project would be read", path.display(), size(*limit))))]
    TooMuch {
        /// The file at which the limit was reached.
        path: PathBuf,
        /// The most that is read, in bytes.
        limit: u64,
    },
    /// Something else than a regular file has the name of one.
    #[error("{}", message(format_args!("`{}` is {what}, not a regular file", path.display())))]
    NotAFile {
        /// Where it is.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// A link leads out of the project.
    #[error("{}", message(format_args!("`{}` is not read, because it leads out of the folder through a link", path.display())))]
    LeadsOut {
        /// The link, or the path with a link in it.
        path: PathBuf,
    },
    /// A link stands where a file would be written.
    #[error("{}", message(format_args!("`{}` is a link, and nothing is written through a link", path.display())))]
    Linked {
        /// The link.
        path: PathBuf,
        /// Whether it is on the way to the file, and not the file itself.
        is_folder: bool,
    },
    /// Somebody wrote a file at the same time.
    #[error("{}", message(format_args!("`{}` was changed by somebody else while it was to be written, and is left as it is", path.display())))]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// Another run does not come to an end.
    #[error("{}", message(format_args!("`{}` was not written, because another run has been writing into its folder for too long", path.display())))]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// A manifest, lockfile or other project file does not say what its format demands.
    #[error("{}", message(format_args!("{}: {reason}", at(path, *line))))]
    Manifest {
        /// The file, relative to the project.
        path: String,
        /// The line, from 1.
        line: Option<u32>,
        /// What was expected.
        reason: String,
    },
    /// A configuration key or value is wrong.
    #[error("{}", message(format_args!("{}: {reason}", at(path, *line))))]
    Config {
        /// The file, or the door (`command line`, `macro`) that the value came through.
        path: String,
        /// The line, from 1.
        line: Option<u32>,
        /// Which key or value, and why it is wrong.
        reason: String,
        /// What to write instead.
        hint: String,
    },
    /// Several answers are possible and none is clearly the right one.
    #[error("{}", message(format_args!("{question}: found {found}")))]
    Ambiguous {
        /// What had to be decided.
        question: String,
        /// The candidates.
        found: String,
        /// What decides.
        hint: String,
    },
    /// The image would build but could not possibly start.
    #[error("{}", message(format_args!("the image could not start: {reason}")))]
    CannotStart {
        /// What is missing.
        reason: String,
        /// The option that decides.
        hint: String,
    },
    /// What was asked for cannot be emitted correctly.
    #[error("{}", message(format_args!("{reason}")))]
    Unsupported {
        /// What was asked for and why it cannot be had.
        reason: String,
        /// What to do instead.
        hint: String,
    },
    /// What was about to be written is not what was planned: a bug of this crate. Nothing was written.
    #[error("{}", message(format_args!("this is a bug of cargo dockerfile, and nothing was written: {}: {reason}", at(path, *line))))]
    Readback {
        /// The file that was about to be written.
        path: String,
        /// The line in it, from 1.
        line: Option<u32>,
        /// What differs, and at which instruction.
        reason: String,
    },
    /// A file that this tool did not write stands where it would write.
    #[error("{}", message(format_args!("`{}` was not written by cargo dockerfile and is left as it is", path.display())))]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// `cargo metadata` could not be run or refused the manifest.
    #[error("{}", message(format_args!("`cargo metadata` failed: {reason}")))]
    Cargo {
        /// What cargo said.
        reason: String,
    },
    /// The history of a repository could not be read.
    #[error("{}", message(format_args!("could not read the history: {reason}")))]
    History {
        /// What git said, or what is missing.
        reason: String,
        /// What to do.
        hint: String,
    },
    /// A template could not be parsed or rendered.
    #[error("{}", message(format_args!("could not render template `{template}`: {reason}")))]
    Template {
        /// The template's name, such as `rust/build`.
        template: String,
        /// What handlebars said.
        reason: String,
    },
}

/// A limit in the largest unit in which it is a whole number.
fn size(bytes: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB"];
    let fits = (0..units.len()).rev().find(|power| bytes.is_multiple_of(1 << (10 * power))).unwrap_or_default();
    format!("{} {}", bytes >> (10 * fits), units[fits])
}

fn at(path: &str, line: Option<u32>) -> String {
    match line {
        Some(line) => format!("{path}:{line}"),
        None => path.to_owned(),
    }
}

/// Whether a newer cargo, or a nightly one, could read what this one refuses.
fn is_for_another_cargo(reason: &str) -> bool {
    ["cargo-features", "cargo feature", "nightly", "edition", "newer version", "version of Cargo", "toolchain"]
        .iter()
        .any(|sign| reason.contains(sign))
}

impl Error {
    /// Says what to do about the error, where something can be done.
    pub fn hint(&self) -> Option<String> {
        self.advice().map(|hint| crate::visible::line(&hint).into_owned())
    }

    fn advice(&self) -> Option<String> {
        match self {
            Self::Config { hint, .. }
            | Self::Ambiguous { hint, .. }
            | Self::CannotStart { hint, .. }
            | Self::Unsupported { hint, .. }
            | Self::NoProject { hint, .. }
            | Self::History { hint, .. } => Some(hint.clone()),
            Self::NotOurs { .. } => {
                Some("`--print` shows what would be written, `--force` replaces the file and keeps a backup".into())
            }
            Self::Manifest { path, .. } => Some(format!("mend `{path}` and run again")),
            Self::Cargo { reason } if is_for_another_cargo(reason) => Some(
                "cargo runs with your default toolchain, because a project's own may be any program: \
                 `cargo +nightly dockerfile` runs it with another that you have"
                    .into(),
            ),
            Self::Cargo { .. } => {
                Some("install Rust from https://rustup.rs, or mend the manifest that cargo names".into())
            }
            Self::Template { .. } => {
                Some("mend the template, or remove it from your template folder to use the built-in one".into())
            }
            Self::Readback { .. } => Some(format!(
                "please report it with the files that the project is made of: {}/issues",
                env!("CARGO_PKG_REPOSITORY")
            )),
            Self::TooLarge { .. } => {
                Some("if it does not belong to the project, remove it or name it in a .gitignore".into())
            }
            Self::TooMuch { .. } => Some("name what the project does not consist of in a .gitignore".into()),
            Self::NotAFile { .. } => Some("move it out of the way, and run again".into()),
            Self::LeadsOut { .. } => Some("put the file itself there, or remove the link".into()),
            Self::Linked { is_folder: false, .. } => Some(
                "`--print` shows what would be written, `--force` replaces the link and leaves what it leads to".into(),
            ),
            Self::Linked { is_folder: true, .. } => {
                Some("name the folder itself, or replace the link by a folder".into())
            }
            Self::Changed { .. } => Some("look at it, and run again".into()),
            Self::Busy { .. } => Some("end the other run, and run again".into()),
            Self::Read { .. } | Self::Write { .. } => None,
        }
    }

    /// Makes a [`Error::Manifest`] for `path`, at `line` where it is known.
    pub(crate) fn manifest(path: &str, line: Option<u32>, reason: impl Into<String>) -> Self {
        Self::Manifest { path: path.to_owned(), line, reason: reason.into() }
    }
}
