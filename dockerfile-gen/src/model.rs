//! BuildKit as it is: what a Dockerfile says, what a `COPY` takes, and what a build runs again.
//!
//! Declares the modules and nothing else. They use only `tree` and `error`, and know nothing of stacks and plans.

pub mod context;
pub mod dockerfile;
pub mod history;
pub mod simulate;
