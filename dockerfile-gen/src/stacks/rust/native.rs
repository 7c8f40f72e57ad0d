//! System packages that crates need.
//!
//! Input: the crates of the binary. Output: Debian packages to build with and to run with, and variables. The one
//! idea: a `*-sys` crate says by its name which library it links; a second crate beside it (`openssl-src`) says that it
//! brings its own. Debian's old names are used where both releases know them.

use std::collections::BTreeSet;

use super::lock::Crates;
use crate::facts::Notes;

/// A crate, the crate that makes it self-contained, packages to build, packages to run.
type Row = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

const TABLE: &[Row] = &[
    ("alsa-sys", "", &["libasound2-dev", "pkg-config"], &["libasound2"]),
    ("aws-lc-fips-sys", "", &["cmake", "golang", "perl", "make", "g++"], &[]),
    ("cairo-sys-rs", "", &["libcairo2-dev", "pkg-config"], &["libcairo2"]),
    ("capnpc", "", &["capnproto"], &[]),
    ("clang-sys", "", &["libclang-dev"], &[]),
    ("cmake", "", &["cmake", "g++", "make"], &[]),
    ("cyclonedds-sys", "", &["cmake", "g++", "make"], &[]),
    ("freetype-sys", "cc", &["libfreetype-dev", "pkg-config"], &["libfreetype6"]),
    ("gdal-sys", "", &["libgdal-dev", "libclang-dev", "pkg-config"], &["libgdal36"]),
    ("geos-sys", "", &["libgeos-dev", "pkg-config"], &["libgeos-c1v5"]),
    ("glib-sys", "", &["libglib2.0-dev", "pkg-config"], &["libglib2.0-0"]),
    ("grpcio-sys", "", &["cmake", "g++", "make"], &["libstdc++6"]),
    ("hidapi", "", &["libudev-dev", "pkg-config"], &["libudev1"]),
    ("jemalloc-sys", "", &["make"], &[]),
    ("leptonica-sys", "", &["libleptonica-dev", "libclang-dev", "pkg-config"], &["tesseract-ocr"]),
    ("libdbus-sys", "", &["libdbus-1-dev", "pkg-config"], &["libdbus-1-3"]),
    ("libduckdb-sys", "", &["g++"], &["libstdc++6"]),
    ("libgssapi-sys", "", &["libkrb5-dev", "libclang-dev"], &["libgssapi-krb5-2"]),
    ("libheif-sys", "", &["libheif-dev", "pkg-config"], &["libheif1"]),
    ("libpulse-sys", "", &["libpulse-dev", "pkg-config"], &["libpulse0"]),
    ("librocksdb-sys", "", &["libclang-dev", "clang", "g++", "make"], &["libstdc++6"]),
    ("libseccomp-sys", "", &["libseccomp-dev"], &["libseccomp2"]),
    ("libsodium-sys", "", &["libsodium-dev", "pkg-config"], &["libsodium23"]),
    ("libsqlite3-sys", "cc", &["libsqlite3-dev", "pkg-config"], &["libsqlite3-0"]),
    ("libsystemd-sys", "", &["libsystemd-dev", "pkg-config"], &["libsystemd0"]),
    ("libudev-sys", "", &["libudev-dev", "pkg-config"], &["libudev1"]),
    ("libusb1-sys", "", &["libusb-1.0-0-dev", "pkg-config"], &["libusb-1.0-0"]),
    ("libvips", "", &["libvips-dev", "pkg-config"], &["libvips42"]),
    ("libxml", "", &["libxml2-dev", "libclang-dev", "pkg-config"], &["libxml2"]),
    ("link-cplusplus", "", &["g++"], &["libstdc++6"]),
    ("magic-sys", "", &["libmagic-dev", "pkg-config"], &["libmagic1"]),
    ("mysqlclient-sys", "mysqlclient-src", &["default-libmysqlclient-dev", "pkg-config"], &["libmariadb3"]),
    ("openblas-src", "", &["libopenblas-dev", "gfortran", "pkg-config"], &["libopenblas0"]),
    ("openssl-sys", "openssl-src", &["libssl-dev", "pkg-config"], &["libssl3"]),
    ("openssl-src", "", &["make", "perl"], &[]),
    ("pango-sys", "", &["libpango1.0-dev", "pkg-config"], &["libpango-1.0-0"]),
    ("pcap", "", &["libpcap-dev"], &["libpcap0.8"]),
    ("pq-sys", "pq-src", &["libpq-dev"], &["libpq5"]),
    ("proj-sys", "", &["libproj-dev", "libclang-dev", "cmake", "g++", "pkg-config"], &["libproj25"]),
    ("prost-build", "protoc-bin-vendored", &["protobuf-compiler", "libprotobuf-dev"], &[]),
    ("protobuf-codegen", "protoc-bin-vendored", &["protobuf-compiler"], &[]),
    ("rdkafka-sys", "", &["g++", "make", "zlib1g-dev", "pkg-config"], &["zlib1g", "libstdc++6"]),
    ("sasl2-sys", "", &["libsasl2-dev", "pkg-config"], &["libsasl2-2"]),
    ("serialport", "", &["libudev-dev", "pkg-config"], &["libudev1"]),
    ("tesseract-sys", "", &["libtesseract-dev", "libleptonica-dev", "libclang-dev", "pkg-config"], &["tesseract-ocr"]),
    ("tikv-jemalloc-sys", "", &["make"], &[]),
    ("v4l2-sys-mit", "", &["libclang-dev", "libv4l-dev"], &["libv4l-0"]),
    ("yeslogic-fontconfig-sys", "", &["libfontconfig1-dev", "pkg-config"], &["libfontconfig1"]),
    ("zmq-sys", "zeromq-src", &["libzmq3-dev", "pkg-config"], &["libzmq5"]),
];

/// Crates that read the system's certificates when the program runs.
const CERTIFICATES: [&str; 5] =
    ["openssl-sys", "native-tls", "rustls-native-certs", "rustls-platform-verifier", "curl-sys"];

/// Crates whose build scripts ask git for the version.
const GIT_VERSION: [&str; 5] = ["vergen", "vergen-git2", "vergen-gitcl", "vergen-gix", "shadow-rs"];

/// Adds what the crates need.
pub(super) fn packages(
    crates: &Crates,
    notes: &mut Notes,
    build: &mut BTreeSet<String>,
    run: &mut BTreeSet<String>,
    env: &mut Vec<(String, String)>,
) {
    for (name, own, to_build, to_run) in TABLE {
        if !crates.has(name) || brings_its_own(crates, name, own) {
            continue;
        }
        let both: Vec<&str> = to_build.iter().chain(*to_run).copied().collect();
        notes.found("Cargo.lock", None, format!("`{name}` needs {}", both.join(", ")));
        build.extend(to_build.iter().map(|name| (*name).to_owned()));
        run.extend(to_run.iter().map(|name| (*name).to_owned()));
    }
    // zlib and bzip2 are linked from the system if pkg-config finds them there; the slim image has neither, so the
    // crates build their own and the binary stays free of them.
    if CERTIFICATES.iter().any(|name| crates.has(name)) {
        run.insert("ca-certificates".into());
    }
    if crates.git {
        build.insert("ca-certificates".into());
    }
    if crates.ssh {
        build.extend(["git".to_owned(), "openssh-client".to_owned()]);
        env.push(("CARGO_NET_GIT_FETCH_WITH_CLI".into(), "true".into()));
        // The image knows no host yet.
        env.push(("GIT_SSH_COMMAND".into(), "ssh -o StrictHostKeyChecking=accept-new".into()));
    }
    if let Some(name) = GIT_VERSION.iter().find(|name| crates.has(name)) {
        notes.warn(format!(
            "`{name}` asks git for the version, and .git is not in the build context: its values will be placeholders"
        ));
        env.push(("VERGEN_IDEMPOTENT".into(), "true".into()));
    }
}

fn brings_its_own(crates: &Crates, name: &str, own: &str) -> bool {
    match own {
        "" => false,
        // `cc` as a dependency of the crate itself means that it compiles a bundled copy.
        "cc" => crates.names.get(name).is_some_and(|dependencies| dependencies.contains("cc")),
        own => crates.has(own),
    }
}
