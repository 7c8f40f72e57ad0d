//! System packages and the images they are installed into.
//!
//! Input: Debian package names and an image. Output: one install [`Step`], or the reason why there cannot be one.
//! The one idea: everything speaks Debian's names, and only this module knows how another family spells them.

use std::collections::BTreeSet;

use super::{Change, Mount, Step};
use crate::error::{Error, Result};
use crate::facts::slug;

/// The Debian release of every default image: build and run stages share it, and so the same glibc.
pub const SUITE: &str = "trixie";

/// The distroless counterpart of [`SUITE`].
pub const DISTROLESS_SUITE: &str = "debian13";

/// The user of the final image where the image brings none: no name, so no /etc/passwd entry is needed.
pub const USER: &str = "10001:10001";

/// What kind of system an image holds, as far as its name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Family {
    /// `apt-get`, glibc.
    Debian,
    /// `apk`, musl.
    Alpine,
    /// No shell and no package manager.
    Distroless,
}

/// The family of an image, from its name: `alpine` and `distroless`/`scratch` say so, everything else is
/// taken for Debian.
pub fn family(image: &str) -> Family {
    let name = image.to_ascii_lowercase();
    if name.contains("alpine") {
        Family::Alpine
    } else if name.contains("distroless") || name == "scratch" || name.contains("chainguard") {
        Family::Distroless
    } else {
        Family::Debian
    }
}

/// The user that an image without a better one of its own runs as.
pub fn default_user(image: &str) -> &'static str {
    match family(image) {
        Family::Distroless if image != "scratch" => "65532:65532",
        _ => USER,
    }
}

/// A step that installs `packages` (Debian names) into a stage that starts from `image`; `None` if there are none.
///
/// # Errors
/// [`Error::Unsupported`] if the image has no package manager, or if a package has no known name there.
pub fn install(id: &str, packages: &BTreeSet<String>, image: &str) -> Result<Option<Step>> {
    if packages.is_empty() {
        return Ok(None);
    }
    let step = match family(image) {
        Family::Debian => {
            let suite = ["trixie", "bookworm", "bullseye", "forky", "noble", "jammy"]
                .into_iter()
                .find(|suite| image.contains(suite))
                .map_or_else(|| slug(image), str::to_owned);
            let cache = |kind: &str, target: &str| Mount::Cache {
                id: format!("apt-{kind}-{suite}"),
                target: target.to_owned(),
                locked: true,
            };
            Step::run(id, "common/apt")
                .mount(cache("archives", "/var/cache/apt"))
                .mount(cache("lists", "/var/lib/apt/lists"))
                .flag("several", packages.len() > 1)
                .words("packages", packages.iter().cloned())
        }
        Family::Alpine => {
            let mut names = BTreeSet::new();
            for package in packages {
                let known = apk(package).ok_or_else(|| Error::Unsupported {
                    reason: format!("`{image}` is an Alpine image and the name of `{package}` there is not known"),
                    hint: "choose a Debian image with `base` and `runtime`, or list Alpine's own names in `packages`"
                        .into(),
                })?;
                names.extend(known.iter().map(|name| (*name).to_owned()));
            }
            Step::run(id, "common/apk").words("packages", names)
        }
        Family::Distroless => {
            return Err(Error::Unsupported {
                reason: format!(
                    "`{image}` has no package manager, but the image needs {}",
                    packages.iter().cloned().collect::<Vec<_>>().join(", ")
                ),
                hint: "choose a Debian image with `runtime`, such as `debian:trixie-slim`".into(),
            });
        }
    };
    Ok(Some(
        step.change(Change::System)
            .seconds(15.0)
            .why("system packages change rarely: below everything that changes more often"),
    ))
}

/// Alpine's names for a Debian package; a name that is the same in both is passed on.
fn apk(debian: &str) -> Option<&'static [&'static str]> {
    Some(match debian {
        "ca-certificates" => &["ca-certificates"],
        "tzdata" => &["tzdata"],
        "gcc" | "libc6-dev" => &["gcc", "musl-dev"],
        "g++" => &["g++"],
        "build-essential" => &["build-base"],
        "make" => &["make"],
        "cmake" => &["cmake"],
        "git" => &["git"],
        "curl" => &["curl"],
        "bash" => &["bash"],
        "openssh-client" => &["openssh-client-default"],
        "pkg-config" => &["pkgconf"],
        "python3" => &["python3"],
        "perl" => &["perl"],
        "clang" => &["clang"],
        "lld" => &["lld"],
        "mold" => &["mold"],
        "libclang-dev" => &["clang-dev"],
        "protobuf-compiler" | "libprotobuf-dev" => &["protobuf-dev"],
        "openssl" => &["openssl"],
        "libssl-dev" => &["openssl-dev"],
        "libssl3" => &["libssl3", "libcrypto3"],
        "libpq-dev" => &["libpq-dev"],
        "libpq5" => &["libpq"],
        "default-libmysqlclient-dev" => &["mariadb-connector-c-dev"],
        "libmariadb3" => &["mariadb-connector-c"],
        "libsqlite3-dev" => &["sqlite-dev"],
        "libsqlite3-0" => &["sqlite-libs"],
        "zlib1g-dev" => &["zlib-dev"],
        "zlib1g" => &["zlib"],
        "libcurl4-openssl-dev" => &["curl-dev"],
        "libcurl4" => &["libcurl"],
        "libffi-dev" => &["libffi-dev"],
        "libffi8" => &["libffi"],
        "libxml2-dev" => &["libxml2-dev"],
        "libxml2" => &["libxml2"],
        "libxslt1-dev" => &["libxslt-dev"],
        "libxslt1.1" => &["libxslt"],
        "libjpeg-dev" => &["libjpeg-turbo-dev"],
        "libgit2-dev" => &["libgit2-dev"],
        "libusb-1.0-0-dev" => &["libusb-dev"],
        "libusb-1.0-0" => &["libusb"],
        "libudev-dev" => &["eudev-dev"],
        "libudev1" => &["eudev-libs"],
        "libdbus-1-dev" => &["dbus-dev"],
        "libdbus-1-3" => &["dbus-libs"],
        "libasound2-dev" => &["alsa-lib-dev"],
        "libasound2" => &["alsa-lib"],
        "libsodium-dev" => &["libsodium-dev"],
        "libsodium23" => &["libsodium"],
        "libzmq3-dev" => &["zeromq-dev"],
        "libzmq5" => &["libzmq"],
        "libstdc++6" => &["libstdc++"],
        "libgcc-s1" => &["libgcc"],
        "libmagic1" => &["libmagic"],
        "libsasl2-dev" => &["cyrus-sasl-dev"],
        "libsasl2-2" => &["libsasl"],
        "libldap-dev" => &["openldap-dev"],
        "libldap2" => &["libldap"],
        "libkrb5-dev" => &["krb5-dev"],
        "libcairo2-dev" => &["cairo-dev"],
        "libcairo2" => &["cairo"],
        "libpango1.0-dev" => &["pango-dev"],
        "ffmpeg" => &["ffmpeg"],
        "poppler-utils" => &["poppler-utils"],
        "tesseract-ocr" => &["tesseract-ocr"],
        "gettext" => &["gettext"],
        "tini" => &["tini"],
        "rsync" => &["rsync"],
        "libvips42" => &["vips"],
        "libvips-dev" => &["vips-dev"],
        "chromium" => &["chromium"],
        "libopenblas-dev" => &["openblas-dev"],
        "libgomp1" => &["libgomp"],
        "librdkafka-dev" => &["librdkafka-dev"],
        "librdkafka1" => &["librdkafka"],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Op;

    fn packages(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn each_family_gets_its_own_steps_or_a_refusal() {
        let template = |image: &str| match install("x", &packages(&["libssl-dev"]), image).unwrap().unwrap().op {
            Op::Run { template, .. } => template,
            _ => unreachable!(),
        };
        assert_eq!(template("rust:1.95-slim-trixie"), "common/apt");
        assert_eq!(template("rust:1.95-alpine3.22"), "common/apk");
        let refused = install("x", &packages(&["libpq5"]), "gcr.io/distroless/cc-debian13:nonroot").unwrap_err();
        assert!(refused.hint().unwrap().contains("runtime"));
        assert!(install("x", &packages(&["libnobody-knows9"]), "alpine:3.22").is_err());
        assert!(install("x", &packages(&[]), "scratch").unwrap().is_none());
    }
}
