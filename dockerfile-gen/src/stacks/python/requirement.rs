//! One dependency, as PEP 508 spells it.
//!
//! Input: a line such as `uvicorn[standard]>=0.30; python_version > "3.8"`. Output: [`Requirement`]. The one idea: names
//! are compared normalised, and of the rest only what decides something is kept.

use std::collections::BTreeSet;

/// A dependency on a distribution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Requirement {
    /// The normalised name.
    pub(crate) name: String,
    /// The extras, normalised.
    pub(crate) extras: BTreeSet<String>,
    /// The version specifiers, as they are.
    pub(crate) versions: String,
    /// Where it is fetched from, if not from an index.
    pub(crate) url: Option<String>,
}

impl Requirement {
    /// The version, if exactly one will do.
    pub(crate) fn pinned(&self) -> Option<&str> {
        let version = self.versions.strip_prefix("==")?.trim_start_matches('=').trim();
        (!version.contains(['*', ',', '|'])).then_some(version)
    }
}

/// Lower case, and a single `-` for every run of `-`, `_` and `.` (PEP 503).
pub(crate) fn normalize(name: &str) -> String {
    let mut out = String::new();
    for c in name.trim().chars() {
        match c {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            c => out.extend(c.to_lowercase()),
        }
    }
    out
}

/// Reads a dependency; `None` for what is none, such as a path.
pub(crate) fn parse(text: &str) -> Option<Requirement> {
    let text = text.split_once(';').map_or(text, |(before, _)| before).trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    let (name, mut rest) = text.split_at(end);
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || name.contains('/') {
        return None;
    }
    rest = rest.trim_start();
    let mut extras = BTreeSet::new();
    if let Some(inside) = rest.strip_prefix('[') {
        let (list, after) = inside.split_once(']')?;
        extras.extend(list.split(',').map(normalize).filter(|extra| !extra.is_empty()));
        rest = after.trim_start();
    }
    let url = rest.strip_prefix('@').map(|url| url.trim().to_owned());
    let versions = if url.is_some() { "" } else { rest.trim_start_matches('(').trim_end_matches(')').trim() };
    if !versions.is_empty() && !versions.starts_with(['=', '<', '>', '!', '~', '^', '*']) {
        return None;
    }
    Some(Requirement { name: normalize(name), extras, versions: versions.replace(' ', ""), url })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_extras_and_pins_are_read() {
        let one = parse("Uvicorn_Worker[standard, Foo.Bar] == 0.30 ; python_version > '3'").unwrap();
        assert_eq!(one.name, "uvicorn-worker");
        assert_eq!(one.extras, ["foo-bar".to_owned(), "standard".to_owned()].into());
        assert_eq!(one.pinned(), Some("0.30"));
        assert_eq!(parse("a~=1.2").unwrap().pinned(), None);
        assert_eq!(parse("a==1.*").unwrap().pinned(), None);
        assert_eq!(
            parse("tool @ git+https://git.example/t.git@v1").unwrap().url.unwrap(),
            "git+https://git.example/t.git@v1"
        );
    }

    #[test]
    fn paths_and_options_are_none() {
        for text in ["./lib", "-e .", "lib/x", "", "https://x.example/a.whl", "../shared"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
