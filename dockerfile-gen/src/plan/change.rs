//! How often inputs change.

/// A class of inputs, by how often a commit changes it; `rates` in the configuration overrides the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Change {
    /// Text of the Dockerfile alone.
    Never,
    /// The base image and the toolchain.
    Base,
    /// System packages.
    System,
    /// The package manager and other tools.
    Tool,
    /// What decides the dependency set, after the manifests were reduced to it.
    Lockfile,
    /// Manifests and lockfiles as they are.
    Manifest,
    /// Sources.
    Source,
}

impl Change {
    /// The prior probability that a commit changes it, and its name in `rates`.
    ///
    /// Priors, not measurements of this project: `cargo dockerfile learn` measures.
    pub fn prior(self) -> (f64, &'static str) {
        match self {
            Self::Never => (0.0, "never"),
            Self::Base => (0.005, "base"),
            Self::System => (0.01, "system"),
            Self::Tool => (0.02, "tool"),
            Self::Lockfile => (0.15, "lockfile"),
            Self::Manifest => (0.25, "manifest"),
            Self::Source => (0.9, "source"),
        }
    }
}
