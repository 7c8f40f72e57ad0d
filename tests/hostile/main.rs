//! Projects that a stranger wrote: the worst that can happen is an error message.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stderr)]

#[cfg(all(unix, feature = "cli"))]
mod cargo;
#[cfg(all(unix, feature = "cli"))]
mod files;
mod injection;
mod readback;
#[cfg(feature = "cli")]
mod secrets;
#[cfg(all(unix, feature = "cli"))]
mod settings;
#[cfg(all(unix, feature = "cli"))]
mod terminal;
#[cfg(all(unix, feature = "cli"))]
mod world;
