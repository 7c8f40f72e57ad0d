//! Whether a program needs a C compiler, and which libraries.
//!
//! Input: its sources. Output: [`Cgo`]. The one idea: C comes in through `import "C"` or through a package that is known
//! to be made of it, and only what the program imports counts: go.mod lists much that is there for tests.

use std::collections::BTreeSet;

use super::source::Source;

/// What a program needs of C.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cgo {
    /// What was imported, and where.
    pub why: Option<(String, String, u32)>,
    /// Debian packages to build with.
    pub build_packages: BTreeSet<String>,
    /// Debian packages to run with.
    pub packages: BTreeSet<String>,
}

/// Import path, packages to build with, packages to run with. A path stands for all below it.
const KNOWN: &[(&str, &[&str], &[&str])] = &[
    ("C", &[], &[]),
    ("gorm.io/driver/sqlite", &[], &[]),
    ("github.com/mattn/go-sqlite3", &[], &[]),
    ("github.com/jinzhu/gorm/dialects/sqlite", &[], &[]),
    ("github.com/golang-migrate/migrate/v4/database/sqlite3", &[], &[]),
    ("github.com/mutecomm/go-sqlcipher", &[], &[]),
    ("github.com/confluentinc/confluent-kafka-go", &[], &[]),
    ("github.com/DataDog/zstd", &[], &[]),
    ("github.com/valyala/gozstd", &[], &[]),
    ("github.com/uber/h3-go", &[], &[]),
    ("github.com/godror/godror", &[], &[]),
    ("github.com/chai2010/webp", &[], &[]),
    ("github.com/miekg/pkcs11", &[], &[]),
    ("github.com/smacker/go-tree-sitter", &[], &[]),
    ("github.com/tree-sitter/go-tree-sitter", &[], &[]),
    ("github.com/bytecodealliance/wasmtime-go", &[], &["libgcc-s1"]),
    ("github.com/wasmerio/wasmer-go", &[], &["libgcc-s1"]),
    ("github.com/marcboeker/go-duckdb", &[], &["libstdc++6"]),
    ("github.com/duckdb/duckdb-go", &[], &["libstdc++6"]),
    ("rogchap.com/v8go", &[], &["libstdc++6"]),
    ("github.com/tidwall/sqlite", &[], &[]),
    ("gocv.io/x/gocv", &["libopencv-dev"], &["libopencv-dev"]),
    ("github.com/h2non/bimg", &["libvips-dev", "pkg-config"], &["libvips42"]),
    ("github.com/davidbyttow/govips", &["libvips-dev", "pkg-config"], &["libvips42"]),
    ("gopkg.in/gographics/imagick", &["libmagickwand-dev", "pkg-config"], &["libmagickwand-7.q16-10"]),
    ("github.com/otiai10/gosseract", &["libtesseract-dev", "libleptonica-dev"], &["libtesseract5", "tesseract-ocr"]),
    ("github.com/google/gopacket/pcap", &["libpcap-dev"], &["libpcap0.8"]),
    ("github.com/gopacket/gopacket/pcap", &["libpcap-dev"], &["libpcap0.8"]),
    ("github.com/pebbe/zmq4", &["libzmq3-dev", "pkg-config"], &["libzmq5"]),
    ("github.com/alexbrainman/odbc", &["unixodbc-dev"], &["libodbc2"]),
    ("github.com/libgit2/git2go", &["libgit2-dev", "pkg-config"], &["libgit2-1.9"]),
    ("github.com/linxGnu/grocksdb", &["librocksdb-dev"], &["librocksdb9.10"]),
    ("github.com/kolesa-team/go-webp", &["libwebp-dev"], &["libwebp7"]),
    ("github.com/coreos/go-systemd/v22/sdjournal", &["libsystemd-dev"], &["libsystemd0"]),
    ("github.com/msteinert/pam", &["libpam0g-dev"], &["libpam0g"]),
    ("github.com/spacemonkeygo/openssl", &["libssl-dev", "pkg-config"], &["libssl3"]),
];

/// Looks through the imports of a program.
pub(super) fn cgo(sources: &[Source]) -> Cgo {
    let mut needs = Cgo::default();
    for source in sources {
        for (import, line) in &source.imports {
            let known = KNOWN.iter().find(|(path, ..)| {
                import.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/') && *path != "C")
            });
            let Some((path, build, run)) = known else { continue };
            needs.why.get_or_insert(((*path).to_owned(), source.path.clone(), *line));
            needs.build_packages.extend(build.iter().map(|name| (*name).to_owned()));
            needs.packages.extend(run.iter().map(|name| (*name).to_owned()));
        }
    }
    needs
}
