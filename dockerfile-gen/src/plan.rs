//! What the Dockerfile will do, before a word of it is written.
//!
//! Input: what a stack decides, as stages of steps. Output: [`Plan`]. The one idea: a step knows what it reads,
//! what it costs, how often that changes and what must come before it, so that the order is computed and not
//! remembered; how a step is spelled is left to its template.

mod change;
pub mod check;
pub(crate) mod dockerignore;
mod extra;
pub mod layers;
pub(crate) mod names;
mod operation;
pub mod order;
pub mod quote;
pub(crate) mod readback;
pub mod render;
pub mod service;
mod stage;
mod step;
pub mod system;
pub(crate) mod withhold;

pub use change::Change;
pub use operation::{Input, Mount, Op, PER_PLATFORM, Source, UserCommand, Value};
pub(crate) use stage::extra_steps;
pub use stage::{Base, Plan, Stage};
pub use step::Step;
