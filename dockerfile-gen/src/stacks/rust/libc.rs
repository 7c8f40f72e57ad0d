//! Whether the final image can start what the build links.
//!
//! Input: the images of the configuration. Output: the Debian release to build on, an error or a warning. The one idea: a
//! binary for glibc starts where there is that glibc or a newer one; one for musl, which Rust links statically, starts
//! anywhere.

use crate::config::Config;
use crate::error::{Error, Result};
use crate::facts::Notes;
use crate::plan::system::{Family, family};

/// What images are made of, with the Debian release of Rust's own images whose glibc is the same or older.
const RELEASES: [(&str, &str); 14] = [
    ("forky", "trixie"),
    ("trixie", "trixie"),
    ("debian13", "trixie"),
    ("debian:13", "trixie"),
    ("noble", "bookworm"),
    ("ubuntu:24.04", "bookworm"),
    ("bookworm", "bookworm"),
    ("debian12", "bookworm"),
    ("debian:12", "bookworm"),
    ("jammy", "bullseye"),
    ("ubuntu:22.04", "bullseye"),
    ("bullseye", "bullseye"),
    ("debian11", "bullseye"),
    ("debian:11", "bullseye"),
];

/// Rust's images by age, the oldest first.
const SUITES: [&str; 3] = ["bullseye", "bookworm", "trixie"];

/// The release whose binaries an image can start.
fn release(image: &str) -> Option<&'static str> {
    let image = image.to_ascii_lowercase();
    RELEASES.iter().find(|(name, _)| image.contains(name)).map(|(_, suite)| *suite)
}

/// The release to build on: the usual one, or that of an older image which the binary is to start in.
pub(super) fn suite<'s>(usual: &'s str, runtime: Option<&str>) -> &'s str {
    let age = |suite: &str| SUITES.iter().position(|known| *known == suite);
    let asked = runtime.and_then(release);
    asked.filter(|asked| age(asked) < age(usual)).unwrap_or(usual)
}

/// Holds the final image against the one that builds.
///
/// # Errors
/// [`Error::Unsupported`] if the binary cannot start there.
pub(super) fn check(config: &Config, target: Option<&str>, notes: &mut Notes) -> Result<()> {
    let Some(runtime) = config.runtime.as_deref() else { return Ok(()) };
    let is_musl = config.base.as_deref().is_some_and(|base| family(base) == Family::Alpine)
        || target.is_some_and(|target| target.contains("musl"));
    let has_glibc = runtime != "scratch" && family(runtime) != Family::Alpine && !runtime.contains("/static");
    if is_musl {
        return Ok(());
    }
    if !has_glibc {
        return Err(Error::Unsupported {
            reason: format!("the binary is linked with glibc, which `{runtime}` does not have"),
            hint: "build for musl with the option `base`, such as `rust:1-alpine`, or choose a runtime with glibc, such as \
                   `gcr.io/distroless/cc-debian13:nonroot`"
                .into(),
        });
    }
    match (config.base.as_deref().map(release), release(runtime)) {
        (Some(Some(base)), Some(found)) if suite(base, Some(found)) != base => notes.warn(format!(
            "`{runtime}` has an older glibc than the image that builds: the binary may not start; leave `base` out, or let \
             it be one for {found}"
        )),
        (_, None) => notes.warn(format!(
            "it is not known which glibc `{runtime}` has: the binary starts there if it is as new as the one of the image \
             that builds, which `base` names"
        )),
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_runtime_is_built_for() {
        assert_eq!(suite("trixie", Some("debian:bookworm-slim")), "bookworm");
        assert_eq!(suite("trixie", Some("gcr.io/distroless/cc-debian12")), "bookworm");
        assert_eq!(suite("trixie", Some("ubuntu:22.04")), "bullseye");
        assert_eq!(suite("bookworm", Some("debian:trixie-slim")), "bookworm");
        assert_eq!(suite("trixie", None), "trixie");
    }
}
