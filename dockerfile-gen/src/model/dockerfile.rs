//! Reads Dockerfiles, and gives back the same bytes.
//!
//! Input: a text. Output: [`Dockerfile`], or [`ParseError`]s. The one idea: the text stays whole and the tree
//! is laid over it, so nothing can get lost; what the tree says is what BuildKit would read, oddities
//! included. Whether it is wise is for a linter to say.
//!
//! The rules are those of BuildKit's own frontend (<https://docs.docker.com/reference/dockerfile/>, and where
//! that is silent its source). A file with `# syntax=` is read by another frontend, which may know more.

mod arguments;
mod check;
mod directive;
mod duration;
mod edit;
mod error;
mod expand;
mod file;
mod flags;
mod heredoc;
mod instruction;
mod json;
mod keyword;
mod lines;
mod mount;
mod parse;
mod run;
mod span;
mod stage;
mod tree;

#[cfg(test)]
mod laws;

pub use edit::{Edit, EditError, apply_edits};
pub use error::{ParseError, Phase, Reason};
pub use expand::{Env, ExpandError, Expansion, Mode, expand, expand_body, expand_word, expand_words, unquote};
pub use file::Dockerfile;
pub use keyword::Keyword;
pub use mount::{Device, Expander, Mount, MountError, MountKind, Sharing};
pub use run::{Network, RunCommand, Security};
pub use span::{Position, Span};
pub use stage::{Base, Stage, copy_source, default_platform, mount_source};
pub use tree::{
    Arguments, Command, Comment, Declaration, Directive, DirectiveKind, Flag, Healthcheck, Heredoc, Instruction, Pair,
    Source, Transfer, Word,
};
