//! What a user meets: the build script, the examples as their readers would use them, and what the README says.
#![allow(missing_docs, clippy::unwrap_used)]

mod build_script;
mod copied;
mod examples;
#[path = "../support/need.rs"]
mod need;
#[path = "../support/project.rs"]
mod project;
mod readme;
