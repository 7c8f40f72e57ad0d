//! Files that become part of the binary.
//!
//! Input: the sources of a program and the tree. Output: [`Embedded`]. The one idea: a pattern of `//go:embed` that
//! matches nothing stops the compiler, so what it would match must be built first or somebody must be told.
//!
//! Source: <https://pkg.go.dev/embed#hdr-Directives>.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Source;
use crate::patterns::go_path::GoGlob;
use crate::tree::{RelPath, Tree};

/// A pattern that matches nothing in the project.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub(crate) struct MissingEmbed {
    /// The folder or file that would have to be there.
    pub path: RelPath,
    /// The file that embeds it.
    pub by: String,
    /// The line there.
    pub line: u32,
}

/// What a program embeds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Embedded {
    /// Files and folders that are there.
    pub roots: BTreeSet<RelPath>,
    /// Folders that are embedded, there or not, with the place.
    pub folders: BTreeMap<RelPath, (String, u32)>,
    /// What is not there.
    pub missing: Vec<MissingEmbed>,
}

/// Resolves the patterns of `sources`.
pub(super) fn embedded<'a>(tree: &dyn Tree, sources: impl IntoIterator<Item = &'a Source>) -> Embedded {
    let mut embedded = Embedded::default();
    for source in sources {
        let dir = RelPath::new(source.path.rsplit_once('/').map_or("", |(dir, _)| dir)).unwrap_or_default();
        for (written, line) in &source.embeds {
            let pattern = written.strip_prefix("all:").unwrap_or(written);
            let Some(path) = dir.join(pattern) else { continue };
            let found = matches(tree, path.as_str());
            let fixed = fixed_part(&path);
            let is_file = found.iter().any(|found| *found == path && tree.has(found.as_str()));
            if found.is_empty() {
                let missing = MissingEmbed { path: fixed.clone(), by: source.path.clone(), line: *line };
                if !embedded.missing.contains(&missing) {
                    embedded.missing.push(missing);
                }
            }
            if !is_file && (fixed != dir || found.is_empty()) {
                embedded.folders.entry(fixed).or_insert((source.path.clone(), *line));
            }
            embedded.roots.extend(found);
        }
    }
    embedded
}

/// The part of a pattern before the first component with a wildcard.
fn fixed_part(pattern: &RelPath) -> RelPath {
    let fixed: Vec<&str> = pattern.as_str().split('/').take_while(|part| !part.contains(['*', '?', '['])).collect();
    RelPath::new(&fixed.join("/")).unwrap_or_default()
}

/// Files and folders that a pattern matches.
fn matches(tree: &dyn Tree, pattern: &str) -> BTreeSet<RelPath> {
    // What Go cannot read as a pattern matches nothing.
    let Ok(parts) = pattern.split('/').map(GoGlob::new).collect::<Result<Vec<_>, _>>() else { return BTreeSet::new() };
    let fixed = fixed_part(&RelPath::new(pattern).unwrap_or_default());
    let mut found = BTreeSet::new();
    let single = tree.has(fixed.as_str()).then(|| fixed.clone());
    for path in tree.under(fixed.as_str()).map(|(path, _)| path).chain(single.as_ref()) {
        let names: Vec<&str> = path.as_str().split('/').collect();
        let all = names.len() >= parts.len() && parts.iter().zip(&names).all(|(part, name)| part.matches(name));
        if all {
            found.extend(RelPath::new(&names[..parts.len()].join("/")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::MemTree;

    #[test]
    fn patterns_are_relative_to_the_package() {
        let tree =
            MemTree::from([("web/static/a.css", ""), ("web/x.html", ""), ("web/y.html", ""), ("web/web.go", "")]);
        let source = Source::parse(
            "web/web.go",
            "package web\n//go:embed all:static *.html\n//go:embed dist/*\nvar fs embed.FS\n//go:embed x.html\nvar x string\n",
        );
        let embedded = embedded(&tree, &[source]);
        let roots: Vec<&str> = embedded.roots.iter().map(RelPath::as_str).collect();
        assert_eq!(roots, ["web/static", "web/x.html", "web/y.html"]);
        assert_eq!(embedded.missing[0].path.as_str(), "web/dist");
        assert_eq!(embedded.missing[0].line, 3);
        assert_eq!(embedded.folders.keys().map(RelPath::as_str).collect::<Vec<_>>(), ["web/dist", "web/static"]);
    }

    #[test]
    fn wildcards_are_those_of_go() {
        let tree = MemTree::from([
            ("a/v1/x.sql", ""),
            ("a/v2/x.sql", ""),
            ("a/vx/x.sql", ""),
            ("a/v1/y.txt", ""),
            ("m.go", ""),
        ]);
        let found = |pattern: &str| matches(&tree, pattern).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(found("a/v[0-9]/*.sql"), ["a/v1/x.sql", "a/v2/x.sql"]);
        assert_eq!(found("a/v[^0-9]"), ["a/vx"]);
        assert_eq!(found("a/v?/y*t"), ["a/v1/y.txt"]);
        assert!(found("a/**/x.sql").len() == 3 && found("a/*.sql").is_empty() && found("a/[").is_empty());
        assert!(found(&format!("{}b", "*a".repeat(40))).is_empty());
    }
}
