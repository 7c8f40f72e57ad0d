//! Reads what a project says about itself and writes a cache-optimal Dockerfile and .dockerignore.
//!
//! ```no_run
//! use dockerfile_gen::{ConfigLayer, Overwrite, generate};
//!
//! let generated = generate(".", ConfigLayer::default())?;
//! for warning in &generated.project.notes.warnings {
//!     eprintln!("{warning}");
//! }
//! generated.files.write(".", Overwrite::Refuse)?;
//! # Ok::<(), dockerfile_gen::Error>(())
//! ```
//!
//! The pipeline is a chain of pure passes: [`DiskTree`] and [`Config`] → [`Project`] and [`Plan`] → order → text.
//! Nothing here prints, exits, or looks at the clock, the network or the environment; only [`build_script`], which
//! speaks to cargo and to nobody else, does what build scripts do.
//!
//! | to | use |
//! |---|---|
//! | generate for a folder | [`generate`], then [`Files::check`], [`Files::diff`] or [`Files::write`] |
//! | decide in Rust what is detected otherwise | [`ConfigLayer`] |
//! | read the facts | [`Project`] |
//! | look at stages and steps, or build them in Rust | [`Plan`], [`spell`] |
//! | keep the files fresh from build.rs | [`build_script::regenerate`] |
//! | read a Dockerfile without losing a byte | [`dockerfile::Dockerfile`] |
//! | ask which files a `COPY` takes | [`context`] |

pub mod build_script;
pub mod config;
pub mod error;
pub mod facts;
mod generate;
pub mod learn;
pub mod model;
pub mod output;
mod patterns;
pub mod plan;
mod process;
pub mod secrets;
mod sense;
mod stacks;
pub mod tree;
pub mod visible;

pub use config::{Config, ConfigLayer};
pub use error::{Error, Result};
pub use generate::{Generated, generate, generate_tree, spell};
pub use model::{context, dockerfile, history, simulate};
pub use output::{Files, Overwrite, Status};
pub use plan::{Plan, check, layers, order, quote, render};
pub use stacks::{Project, builtin, configure, meanings, names, titles};
pub use tree::{DiskTree, MemTree, Recorder, RelPath, Tree};

/// Values can be handed to other threads and shared between them.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<Generated>();
    is_shared::<Error>();
    is_shared::<ConfigLayer>();
    is_shared::<Config>();
    is_shared::<DiskTree>();
    is_shared::<MemTree>();
    is_shared::<Recorder<'_>>();
    is_shared::<check::Fault>();
    is_shared::<build_script::BuildScript>();
    is_shared::<dockerfile::Dockerfile>();
    is_shared::<dockerfile::ParseError>();
    is_shared::<context::BuildContext<'_>>();
};
