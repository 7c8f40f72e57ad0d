//! Which Python.
//!
//! Input: what the project says about versions. Output: one minor version, or an exact one where nothing else is allowed.
//! The one idea: a range does not mean its lower bound and not the newest release either, but the version that most wheels
//! are there for, as long as the range and the pinned dependencies allow it.

pub(crate) mod choose;

use crate::error::{Error, Result};

/// Minor versions of Python 3 in the order in which they are tried.
pub(crate) const PREFERENCE: [u32; 8] = [13, 14, 12, 11, 10, 9, 8, 7];

/// The oldest minor version that still gets security fixes (<https://devguide.python.org/versions/>).
pub(crate) const OLDEST_SUPPORTED: u32 = 11;

/// A version of Python 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[non_exhaustive]
pub(crate) struct Version {
    /// The second component.
    pub minor: u32,
    /// The third, where the project allows only one.
    pub patch: Option<u32>,
}

impl Version {
    /// A minor version.
    pub(crate) fn minor(minor: u32) -> Self {
        Self { minor, patch: None }
    }

    /// The Debian release of the newest official image of this version that this tool's own default allows:
    /// images of releases from before a Debian release were never built on it.
    pub(crate) fn suite(self, newest: &'static str) -> &'static str {
        let patch = self.patch.unwrap_or(u32::MAX);
        let trixie = match self.minor {
            ..9 => u32::MAX,
            9 => 23,
            10 => 18,
            11 => 13,
            12 => 11,
            13 => 6,
            _ => 0,
        };
        let bookworm = match self.minor {
            ..7 => return "bullseye",
            7..10 => 17,
            10 => 12,
            11 => 4,
            _ => 0,
        };
        match patch {
            patch if patch >= trixie && trixie != u32::MAX => newest,
            patch if patch >= bookworm => "bookworm",
            _ => "bullseye",
        }
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.patch {
            Some(patch) => write!(f, "3.{}.{patch}", self.minor),
            None => write!(f, "3.{}", self.minor),
        }
    }
}

/// Reads a version that a file names outright: `3.12`, `3.12.4`, `python-3.12.4`, `cpython@3.12`.
///
/// # Errors
/// [`Error::Unsupported`] for another interpreter or Python 2, [`Error::Manifest`] for what is no version.
pub(crate) fn named(text: &str, path: &str, line: Option<u32>) -> Result<Version> {
    let text = text.trim().trim_matches(['"', '\'']);
    let lower = text.to_ascii_lowercase();
    let bare =
        lower.trim_start_matches("cpython").trim_start_matches("python").trim_start_matches(['-', '@', '=', ' ']);
    let mut parts = bare.split('.').map(|part| part.trim_end_matches(['t', 'd', '+']).parse::<u32>());
    match (parts.next(), parts.next(), parts.next()) {
        (Some(Ok(3)), None, None) => Ok(Version::minor(PREFERENCE[0])),
        (Some(Ok(3)), Some(Ok(minor)), None) => Ok(Version::minor(minor)),
        (Some(Ok(3)), Some(Ok(minor)), Some(patch)) => Ok(Version { minor, patch: patch.ok() }),
        (Some(Ok(2)), ..) => Err(Error::Unsupported {
            reason: format!("{path} asks for Python 2, for which there are no maintained images"),
            hint: "choose an image of your own with `base`".into(),
        }),
        _ if lower.contains("pypy") || lower.contains("graal") || lower.contains("conda") => Err(Error::Unsupported {
            reason: format!("{path} asks for `{text}`, and only CPython is known here"),
            hint: "choose an image with `base`, such as `pypy:3.11-slim-trixie`".into(),
        }),
        _ => Err(Error::manifest(path, line, format!("`{text}` is not a Python version such as `3.13`"))),
    }
}

/// Whether a range (PEP 440, or Poetry's `^`, `~` and `||`) allows some release of a minor version.
pub(crate) fn allows(range: &str, minor: u32) -> bool {
    range.split("||").flat_map(|part| part.split('|')).any(|part| {
        let clauses = part.split(',').flat_map(split_spaces);
        clauses.into_iter().all(|clause| clause_allows(&clause, minor))
    })
}

/// Clauses that only white space separates, as Poetry allows: `>=3.8 <4.0`.
fn split_spaces(text: &str) -> Vec<String> {
    let mut clauses: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match clauses.last_mut() {
            Some(last) if last.ends_with(['<', '>', '=', '!', '~', '^']) => last.push_str(word),
            _ => clauses.push(word.to_owned()),
        }
    }
    clauses
}

/// The components of a version; `None` for a wildcard or what is no number.
fn components(text: &str) -> Vec<Option<u32>> {
    text.trim_start_matches('v').split('.').map(|part| part.parse().ok()).collect()
}

fn clause_allows(clause: &str, minor: u32) -> bool {
    let operator = clause.trim_end_matches(|c: char| !"<>=!~^".contains(c));
    let numbers = components(clause[operator.len()..].trim());
    let major = match numbers.first() {
        Some(Some(major)) => *major,
        _ => return true,
    };
    let number = |index: usize| numbers.get(index).copied().flatten();
    let bound = number(1).unwrap_or(0);
    // Where Python 3 lies to the bound's major version, no minor version matters.
    let order = 3.cmp(&major).then(minor.cmp(&bound));
    match operator {
        ">=" => order.is_ge(),
        ">" => order.is_gt() || order.is_eq() && number(2).is_some(),
        // Official images carry the newest patch release, which `<3.12.4`, `<=3.12` and `<=3.12.4` leave out.
        "<" | "<=" => order.is_lt(),
        "!=" => !(order.is_eq() && (numbers.len() < 3 || number(2).is_none())),
        "~=" if numbers.len() < 3 => major == 3 && minor >= bound,
        "^" => major == 3 && minor >= bound,
        _ if numbers.len() == 1 || number(1).is_none() => major == 3,
        _ => order.is_eq(),
    }
}

/// The one release that a range allows, if it names all three components of it.
pub(crate) fn exact(range: &str) -> Option<Version> {
    let text = range.trim().trim_start_matches('=').trim();
    match components(text)[..] {
        [Some(3), Some(minor), Some(patch)] => Some(Version { minor, patch: Some(patch) }),
        _ => None,
    }
}

/// Distributions with compiled parts: the first release with wheels for 3.10, 3.11, 3.12, 3.13 and 3.14, or, for pure ones,
/// the first that runs there. A pinned older one would have to be compiled, or fail.
const FIRST_WHEELS: &[(&str, [&str; 5])] = &[
    ("aiohttp", ["3.8", "3.8.3", "3.9.0", "3.10.6", "3.13.0"]),
    ("asyncpg", ["0.25", "0.27", "0.29", "0.30", "0.31"]),
    ("blis", ["0.7.5", "0.7.9", "0.7.11", "1.2.1", "1.3.1"]),
    ("brotli", ["1.0.9", "1.0.9", "1.1", "1.1", "1.2"]),
    ("cffi", ["1.15", "1.15.1", "1.16", "1.17", "2.0"]),
    ("contourpy", ["1.0.2", "1.0.6", "1.1.1", "1.3", "1.3.3"]),
    ("cymem", ["2.0.6", "2.0.7", "2.0.8", "2.0.11", "2.0.13"]),
    ("django", ["2.2", "3.2", "4.2", "4.2", "5.2"]),
    ("frozenlist", ["1.2", "1.3.3", "1.4.1", "1.5", "1.8"]),
    ("gevent", ["21.12", "22.10", "23.7", "24.10", "25.8"]),
    ("greenlet", ["1.1.2", "2.0", "3.0", "3.1", "3.2.4"]),
    ("grpcio", ["1.41.1", "1.49.1", "1.59", "1.66.2", "1.75"]),
    ("h5py", ["3.6", "3.8", "3.10", "3.12", "3.15"]),
    ("hiredis", ["2.0", "2.1", "2.3", "3.0", "3.3"]),
    ("httptools", ["0.3", "0.5", "0.6", "0.6.2", "0.7"]),
    ("jiter", ["0.1", "0.1", "0.1", "0.6", "0.11"]),
    ("kiwisolver", ["1.3.2", "1.4.4", "1.4.5", "1.4.7", "1.4.9"]),
    ("levenshtein", ["0.17", "0.20.6", "0.22", "0.26", "0.27.2"]),
    ("llvmlite", ["0.38", "0.40", "0.42", "0.44", "0.46"]),
    ("lxml", ["4.6.4", "4.9.2", "4.9.3", "5.3", "6.0"]),
    ("lz4", ["3.1.10", "4.0.2", "4.3.3", "4.4", "4.4.5"]),
    ("matplotlib", ["3.5", "3.6.1", "3.8", "3.9.2", "3.10.5"]),
    ("msgpack", ["1.0.3", "1.0.5", "1.0.6", "1.1", "1.1.2"]),
    ("multidict", ["5.2", "6.0.3", "6.0.5", "6.1", "6.7"]),
    ("murmurhash", ["1.0.6", "1.0.9", "1.0.10", "1.0.12", "1.0.15"]),
    ("numba", ["0.55", "0.57", "0.59", "0.61", "0.63"]),
    ("numpy", ["1.21.2", "1.23.2", "1.26", "2.1", "2.3.2"]),
    ("orjson", ["3.6.4", "3.8", "3.9.7", "3.10.7", "3.11.3"]),
    ("pandas", ["1.3.3", "1.5.1", "2.1.1", "2.2.3", "2.3.3"]),
    ("pillow", ["8.3.2", "9.3", "10.1", "11", "12"]),
    ("preshed", ["3.0.6", "3.0.8", "3.0.9", "3.0.10", "3.0.12"]),
    ("propcache", ["0.1", "0.1", "0.1", "0.2", "0.4"]),
    ("psycopg-binary", ["3.0", "3.1.4", "3.1.12", "3.2.3", "3.2.10"]),
    ("psycopg2-binary", ["2.9.2", "2.9.4", "2.9.9", "2.9.10", "2.9.11"]),
    ("pyarrow", ["6.0.1", "10.0.1", "14", "18", "22"]),
    ("pydantic", ["1.9", "1.10", "1.10.13", "2.8", "2.12"]),
    ("pydantic-core", ["0.1", "0.1", "2.4", "2.20", "2.41"]),
    ("pymongo", ["3.13", "4.3", "4.5", "4.9", "4.15"]),
    ("pyproj", ["3.2.1", "3.4", "3.6.1", "3.7", "3.7.2"]),
    ("pyyaml", ["6.0", "6.0.1", "6.0.1", "6.0.2", "6.0.3"]),
    ("rapidfuzz", ["1.8", "2.11", "3.3", "3.10", "3.14"]),
    ("regex", ["2021.10.8", "2022.9.13", "2023.8.8", "2024.9.11", "2025.9.1"]),
    ("rpds-py", ["0.7", "0.7", "0.9.2", "0.19.1", "0.27"]),
    ("ruamel-yaml-clib", ["0.2.6", "0.2.7", "0.2.8", "0.2.12", "0.2.14"]),
    ("scikit-learn", ["1.0.1", "1.1.3", "1.3.1", "1.5.2", "1.7.2"]),
    ("scipy", ["1.7.2", "1.9.3", "1.11.3", "1.14.1", "1.16.2"]),
    ("sentencepiece", ["0.1.97", "0.1.98", "0.2", "0.2.1", "0.2.1"]),
    ("shapely", ["1.8", "1.8.5", "2.0.2", "2.0.6", "2.1.2"]),
    ("spacy", ["3.2", "3.4.2", "3.7.2", "3.8.5", "3.8.8"]),
    ("sqlalchemy", ["1.4.25", "1.4.42", "2.0.22", "2.0.31", "2.0.44"]),
    ("srsly", ["2.4.2", "2.4.5", "2.4.8", "2.5.1", "2.5.2"]),
    ("statsmodels", ["0.13.1", "0.13.5", "0.14.1", "0.14.4", "0.14.6"]),
    ("tensorflow", ["2.8", "2.12", "2.16", "2.20", "2.21"]),
    ("thinc", ["8.0.12", "8.1.5", "8.2", "8.3.6", "8.3.8"]),
    ("tiktoken", ["0.3", "0.3", "0.5.2", "0.8", "0.12"]),
    ("tokenizers", ["0.11", "0.13.2", "0.14.1", "0.15", "0.15"]),
    ("torch", ["1.11", "2.0", "2.2", "2.5", "2.9"]),
    ("ujson", ["4.3", "5.5", "5.8", "5.10", "5.11"]),
    ("uvloop", ["0.16", "0.17", "0.18", "0.21", "0.22"]),
    ("websockets", ["10", "10.4", "12", "13", "15"]),
    ("xxhash", ["3", "3.1", "3.4", "3.5", "3.6"]),
    ("yarl", ["1.7", "1.8.2", "1.9.2", "1.12", "1.21"]),
    ("zope-interface", ["5.4", "5.5", "6.1", "7.1", "8.0"]),
    ("zstandard", ["0.16", "0.19", "0.22", "0.23", "0.25"]),
];

/// The newest minor version for which a pinned distribution has wheels; `None` if it does not matter.
pub(crate) fn newest_for(name: &str, version: &str) -> Option<u32> {
    let row = FIRST_WHEELS.binary_search_by_key(&name, |(known, _)| known).ok()?;
    let (_, first) = FIRST_WHEELS.get(row)?;
    let pinned = release(version);
    let newest = first.iter().zip(10..).filter(|(first, _)| pinned >= release(first)).map(|(_, minor)| minor).last();
    Some(newest.unwrap_or(9))
}

fn release(version: &str) -> Vec<u32> {
    let digits = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0);
    let mut parts: Vec<u32> = version.split('.').map(digits).collect();
    while parts.last() == Some(&0) {
        parts.pop();
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(range: &str) -> Option<u32> {
        PREFERENCE.into_iter().find(|minor| allows(range, *minor))
    }

    #[test]
    fn ranges_of_every_manager() {
        for (range, minor) in [
            (">=3.11", 13),
            (">=3.14,<4.0", 14),
            ("^3.9", 13),
            ("~3.10", 10),
            ("~=3.8", 13),
            ("~=3.11.2", 11),
            (">=3.8 <3.12", 11),
            (">= 3.8, < 3.12", 11),
            ("==3.9.*", 9),
            ("3.12.*", 12),
            ("*", 13),
            ("3", 13),
            ("<3.12.5", 11),
            (">=3.9,!=3.13.*", 14),
            ("^3.8,!=3.9.7", 13),
            ("2.7 || ^3.10", 13),
            (">3.12", 13),
            ("<=3.12", 11),
        ] {
            assert_eq!(first(range), Some(minor), "{range}");
        }
        assert_eq!(first("<3"), None);
    }

    #[test]
    fn an_exact_release_gets_an_image_that_was_built() {
        let version = exact("==3.10.6").unwrap();
        assert_eq!((version.to_string().as_str(), version.suite("trixie")), ("3.10.6", "bullseye"));
        assert_eq!(exact("3.12.4").unwrap().suite("trixie"), "bookworm");
        assert_eq!(Version::minor(8).suite("trixie"), "bookworm");
        assert_eq!(Version::minor(12).suite("trixie"), "trixie");
        assert_eq!(exact(">=3.10.6"), None);
    }

    #[test]
    fn files_that_name_a_version() {
        assert_eq!(named("python-3.12.1\n", "runtime.txt", None).unwrap().minor, 12);
        assert_eq!(named("cpython@3.11", ".python-version", None).unwrap().minor, 11);
        assert!(matches!(named("pypy3.10", ".python-version", None), Err(Error::Unsupported { .. })));
        assert!(matches!(named("python-2.7.18", "runtime.txt", None), Err(Error::Unsupported { .. })));
        assert!(matches!(named("$(rm)", ".python-version", Some(1)), Err(Error::Manifest { .. })));
    }

    #[test]
    fn old_pins_hold_the_version_back() {
        assert!(FIRST_WHEELS.is_sorted_by_key(|(name, _)| name));
        assert_eq!(newest_for("numpy", "1.24.3"), Some(11));
        assert_eq!(newest_for("numpy", "1.19.5"), Some(9));
        assert_eq!(newest_for("django", "2.2.28"), Some(10));
        assert_eq!(newest_for("pillow", "11.0.0"), Some(13));
        assert_eq!(newest_for("requests", "2.0"), None);
    }
}
