//! What a build script does about a stale file.

/// What to do when a file is not what it should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// Write it. What stands in the way is a warning, because a Dockerfile is no reason for a build to fail.
    #[default]
    Write,
    /// Write nothing and let the build fail with the difference.
    Check,
    /// Write nothing and let cargo print a warning.
    Warn,
}
