//! Says which steps of a build a builder would reuse, and why not the others.
//!
//! Input: two [`Input`]s, before and after an edit. Output: [`Step`]s, each reused, run, or one of the two. The one
//! idea: a builder is a store of keys; what a build asks it for follows from the text and the files, and only what a
//! `RUN` leaves behind cannot be known without running it. Where an answer hangs on that, it is given as such.
//!
//! ```
//! use dockerfile_gen::MemTree;
//! use dockerfile_gen::context::Dockerignore;
//! use dockerfile_gen::dockerfile::Dockerfile;
//! use dockerfile_gen::simulate::{Context, Input, simulate};
//!
//! let file: Dockerfile = "FROM alpine\nCOPY lock /\nRUN install\nCOPY . /src\n".parse()?;
//! let before = MemTree::from([("lock", "a 1"), ("main", "1")]);
//! let after = MemTree::from([("lock", "a 1"), ("main", "2")]);
//! let input = |tree| Input::new(&file, Context { tree, ignore: Dockerignore::default() });
//! let steps = simulate(&input(&before), &input(&after))?;
//! let answers: Vec<Option<bool>> = steps.iter().map(|step| step.cached).collect();
//! assert_eq!(answers, [Some(true), Some(true), Some(false)]);
//! assert_eq!(steps[2].why.to_string(), "`main` changed");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod build;
mod cause;
mod context;
mod cost;
mod digest;
mod fault;
mod files;
mod graph;
mod options;
mod replay;
mod state;
mod store;
mod why;

#[cfg(test)]
mod tests;

pub use build::{Build, Builder, Reads, Step, sent};
pub use cause::Cause;
pub use cost::{estimate, measured};
pub use fault::{Fault, FaultReason};
pub use options::{Context, Image, ImageStore, Input, Options, Output, Outputs, Ran};
pub use replay::{Replay, StepShare, Text, replay};
pub use why::{changed_files, simulate};
