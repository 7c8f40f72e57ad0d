//! Projects that a stranger wrote: the worst that can happen is an error message.
#![allow(missing_docs, clippy::unwrap_used)]

mod injection;
mod readback;
