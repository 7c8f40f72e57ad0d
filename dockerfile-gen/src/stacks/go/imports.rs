//! What the programs import from outside of the project.
//!
//! Input: the sources of the programs. Output: import paths, sorted. The one idea: a package comes along with those that it
//! imports, so the direct imports stand for all that a program is compiled from, beside itself.

use std::collections::BTreeSet;

use super::packages::{GoModule, folder};
use super::source::Source;

/// Packages of the standard library, and what comes along with each of them (`go list -deps`, Go 1.21 to 1.27). Only what
/// they do not bring has to be declared beside them.
const BRINGS: &[(&str, &str)] = &[
    (
        "net/http",
        "bufio bytes cmp compress/flate compress/gzip container/list context crypto crypto/aes crypto/cipher crypto/des \
         crypto/dsa crypto/ecdh crypto/ecdsa crypto/ed25519 crypto/elliptic crypto/hmac crypto/md5 crypto/rand \
         crypto/rc4 crypto/rsa crypto/sha1 crypto/sha256 crypto/sha512 crypto/subtle crypto/tls crypto/x509 \
         crypto/x509/pkix encoding/asn1 encoding/base64 encoding/binary encoding/hex encoding/pem errors fmt hash \
         hash/crc32 io io/fs log maps math math/big math/bits math/rand mime mime/multipart mime/quotedprintable net \
         net/http/httptrace net/netip net/textproto net/url os path path/filepath reflect runtime slices sort strconv \
         strings sync sync/atomic syscall time unicode unicode/utf16 unicode/utf8",
    ),
    (
        "fmt",
        "cmp errors io io/fs math math/bits os path reflect runtime slices sort strconv sync sync/atomic syscall time \
         unicode unicode/utf8",
    ),
];

/// The packages that have to be declared, so that all that `sources` import from outside of the project is compiled.
/// `replaced` are the modules that folders of the project stand in for.
pub(super) fn outside(sources: &[&Source], modules: &[GoModule], replaced: &BTreeSet<String>) -> Vec<String> {
    let imports: BTreeSet<&str> =
        sources.iter().flat_map(|source| &source.imports).map(|(path, _)| path.as_str()).collect();
    let is_own = |path: &str| folder(modules, path).is_some() || replaced.iter().any(|module| is_in(path, module));
    let mut outside: BTreeSet<&str> = imports.into_iter().filter(|path| is_importable(path) && !is_own(path)).collect();
    for (package, brought) in BRINGS {
        if outside.contains(package) {
            outside.retain(|path| !brought.split_whitespace().any(|brought| brought == *path));
        }
    }
    outside.into_iter().map(str::to_owned).collect()
}

/// Whether a file outside of all packages may import `path`; `C` and `unsafe` are no packages that are compiled.
fn is_importable(path: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~/+".contains(c);
    let is_element = |element: &str| !matches!(element, "" | "." | ".." | "internal");
    !matches!(path, "C" | "unsafe") && path.chars().all(is_plain) && path.split('/').all(is_element)
}

fn is_in(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outside_of(text: &str, replaced: &str) -> Vec<String> {
        let own = [GoModule { path: "example.com/shop".into(), dir: String::new() }];
        outside(&[&Source::parse("main.go", text)], &own, &BTreeSet::from([replaced.to_owned()]))
    }

    #[test]
    fn own_and_replaced_packages_are_compiled_by_the_build() {
        let text = "package main\nimport (\n\"C\"\n\"example.com/shop/cart\"\n\"example.com/shopping\"\n\"example.com/lib/x\"\n\
                    \"example.com/library\"\n\"example.com/shopping/internal/x\"\n\"./near\"\n)\n";
        assert_eq!(outside_of(text, "example.com/lib"), ["example.com/library", "example.com/shopping"]);
    }

    #[test]
    fn the_standard_library_is_declared_as_far_as_it_does_not_come_along() {
        let server = "package main\nimport (\n\"fmt\"\n\"net/http\"\n\"os\"\n\"os/signal\"\n\"crypto/tls\"\n)\n";
        assert_eq!(outside_of(server, "-"), ["net/http", "os/signal"]);
        assert_eq!(
            outside_of("package main\nimport \"fmt\"\nimport \"os\"\nimport \"bufio\"\n", "-"),
            ["bufio", "fmt"]
        );
    }
}
