//! Reads what a project says about itself and writes a cache-optimal Dockerfile and .dockerignore.

pub mod context;
pub mod error;
pub mod glob;
pub mod tree;

pub use error::{Error, Result};
pub use tree::{DiskTree, MemTree, Recorder, RelPath, Tree};
