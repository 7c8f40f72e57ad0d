//! Builds the examples on a real engine, changes a file, builds again, and looks at which steps were CACHED.
//!
//! `cargo test --test engine -- --ignored` runs it; `docker` has to reach an engine with BuildKit.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

#[path = "support/docker.rs"]
mod docker;
#[path = "engine/environment.rs"]
mod environment;
#[path = "engine/examples.rs"]
mod examples;
#[path = "engine/harness.rs"]
mod harness;
#[path = "engine/laws.rs"]
mod laws;
#[path = "support/need.rs"]
mod need;
#[path = "engine/stale.rs"]
mod stale;
#[path = "support/steps.rs"]
mod steps;
#[path = "engine/transfer.rs"]
mod transfer;
#[path = "engine/workspace.rs"]
mod workspace;
