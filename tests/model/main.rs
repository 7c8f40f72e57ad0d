//! The model of BuildKit: what it reads, what a build sends and what it reuses, held against what a real one was seen to
//! do. Tests that need an engine, clones or a quiet machine are ignored; the head of each file has its command.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // Not only the tests themselves may fail by panic here.

mod cache;
#[path = "../support/clones.rs"]
mod clones;
mod corpus;
mod engine_simulate;
mod replay;
mod repositories;
mod speed;
mod vectors;
