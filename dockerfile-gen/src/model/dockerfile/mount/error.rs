//! What is wrong with a mount or a device.

use crate::model::dockerfile::expand::ExpandError;

/// Why a mount or device cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MountError {
    /// Nothing behind the `=`.
    #[error("nothing given")]
    Empty,
    /// A quote inside a field that does not begin with one, or one that is not closed.
    #[error("stray or missing `\"` in `{0}`")]
    Quote(String),
    /// `from=$X`
    #[error("`from={0}`: variables mean nothing here")]
    FromVariable(String),
    /// A field without `=`.
    #[error("field `{0}` needs a value")]
    NoValue(String),
    /// A field that no mount has.
    #[error("unknown field `{field}`")]
    UnknownField {
        /// The field.
        field: String,
        /// What was probably meant.
        similar: Option<&'static str>,
    },
    /// A field that this kind of mount does not have.
    #[error("a mount of type `{kind}` has no field `{field}`")]
    Misplaced {
        /// The kind.
        kind: &'static str,
        /// The field.
        field: String,
    },
    /// A value that the field does not take.
    #[error("`{field}` takes {wanted}, found `{found}`")]
    Value {
        /// The field.
        field: String,
        /// What it takes.
        wanted: &'static str,
        /// What was given.
        found: String,
    },
    /// A secret that is not named.
    #[error("a secret needs an `id`, a `source` or a `target`")]
    SecretUnnamed,
    /// A secret named twice.
    #[error("a secret takes `id` or `source`, not both")]
    SecretNamedTwice,
    /// A device named twice.
    #[error("the device is `{0}` already")]
    DeviceNamedTwice(String),
    /// Quotes or variables that cannot be expanded.
    #[error("{0}")]
    Expand(#[from] ExpandError),
}

impl MountError {
    /// Says what to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Empty => "write it as `--mount=type=cache,target=/path`".into(),
            Self::Quote(_) => "put quotes round whole fields, or leave them out".into(),
            Self::FromVariable(_) => {
                "name a stage: `FROM $IMAGE AS name` below a global `ARG`, then `from=name`".into()
            }
            Self::NoValue(field) => format!("write `{field}=value`"),
            Self::UnknownField { similar: Some(similar), .. } => format!("did you mean `{similar}`?"),
            Self::UnknownField { .. } | Self::Misplaced { .. } => "remove the field, or change the `type`".into(),
            Self::Value { field, wanted, .. } => format!("give `{field}` {wanted}"),
            Self::SecretUnnamed => "add `id=name`".into(),
            Self::SecretNamedTwice => "keep the `id`".into(),
            Self::DeviceNamedTwice(_) => "use one `--device` for each device".into(),
            Self::Expand(error) => error.remedy(),
        }
    }
}
