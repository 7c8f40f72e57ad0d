//! What the user decides, through whichever door.
//!
//! Input: manifests, `dockerfile.toml`, flags, macro tokens. Output: [`Config`]. The one idea: every option is
//! written once, in [`ConfigLayer`], and every door fills in the same struct; a later layer wins field by field.

mod load;
mod options;
mod values;

pub use load::nearest;
pub(crate) use load::{checked, is_user, line_of, load};
pub use options::{Config, ConfigLayer, ExtraStep, Manifests, Scalar};
