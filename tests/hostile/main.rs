//! Projects that a stranger wrote: the worst that can happen is an error message.
#![allow(missing_docs, clippy::unwrap_used)]

#[cfg(all(unix, feature = "cli"))]
mod files;
mod injection;
mod readback;
#[cfg(feature = "cli")]
mod secrets;
