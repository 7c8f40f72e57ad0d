//! Which files a `COPY` or `ADD` takes, and where they land.
//!
//! Input: a [`BuildContext`] and a [`CopySpec`]. Output: for each source its [`SourceMatch`]es, in the order in which
//! BuildKit copies them. The one idea: what is listed is what is hashed, so two contexts for which this gives the same
//! paths, and the same bytes and modes in them, are the same to the cache.

use std::cmp::Ordering;

use super::entries::{BuildContext, Entry};
use super::go_path::{clean, has_wildcard, rooted};
use super::pattern::{Matcher, Walk};
use crate::patterns::go_path::GoGlob;

/// A `COPY`, or an `ADD` of local files, after its variables were replaced. Here-documents, URLs and git repositories
/// among the sources are the caller's; `ADD` unpacks a local tar archive, which is listed here as the file that it is.
#[derive(Clone, Debug, Default)]
pub struct CopySpec {
    /// The sources in order.
    pub sources: Vec<String>,
    /// The destination from the root of the image, that is, behind `WORKDIR`; its final slash matters.
    pub dest: String,
    /// Whether the image has a folder at `dest` already; a final slash of `dest` says so by itself.
    pub dest_is_dir: bool,
    /// The values of `--exclude`.
    pub exclude: Vec<String>,
    /// Whether `--parents` is given.
    pub parents: bool,
}

/// What one source named, or one of the paths that match its wildcard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceMatch {
    /// The source, as a number from 0.
    pub source: usize,
    /// The path that the source names, or one that its wildcard matches, with the symbolic links still in it.
    pub named: String,
    /// What is copied, behind symbolic links; `""` is the whole context.
    pub root: String,
    /// Where it lands: the file itself, or what the folder holds.
    pub lands: String,
    /// The root and all that is taken of it, in the order of the file tree (`a/x` before `a-b`).
    pub entries: Vec<Selected>,
}

/// A file or folder that is copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// Its path in the context.
    pub path: String,
    /// Whether it is a folder. The mode of a folder and its being there count, even if it is empty.
    pub is_dir: bool,
}

impl SourceMatch {
    /// The path of `selected` below the root; `""` for the root.
    pub fn inside<'s>(&self, selected: &'s Selected) -> &'s str {
        selected.path.strip_prefix(self.root.as_str()).unwrap_or(&selected.path).trim_start_matches('/')
    }

    /// Where `selected` lands in the image.
    pub fn lands_at(&self, selected: &Selected) -> String {
        match self.inside(selected) {
            "" => self.lands.clone(),
            inside => format!("{}/{inside}", self.lands.trim_end_matches('/')),
        }
    }
}

/// Why a build would stop at a `COPY`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CopyFault {
    /// A source without a wildcard, or the folder in front of a wildcard, is not in the context.
    #[error("`{path}` is not in the build context")]
    Missing {
        /// The source, as a number from 0.
        source_number: usize,
        /// What was looked for.
        path: String,
    },
    /// Symbolic links lead in a circle.
    #[error("the symbolic links of `{path}` lead in a circle")]
    Circle {
        /// The source.
        path: String,
    },
    /// A source or `--exclude` cannot be read.
    #[error("`{pattern}`: {reason}")]
    BadPattern {
        /// The source or pattern.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A folder would have to replace the file that was copied before it.
    #[error("folder `{path}` cannot be copied over the file `{dest}`")]
    OntoFile {
        /// The folder.
        path: String,
        /// Where both land.
        dest: String,
    },
}

/// Finds what `copy` takes from `context`. A wildcard that matches nothing gives nothing and is no fault.
///
/// # Errors
/// [`CopyFault`] if the build would stop there.
pub fn match_sources(context: &BuildContext<'_>, copy: &CopySpec) -> Result<Vec<SourceMatch>, CopyFault> {
    let exclude = matcher(&copy.exclude)?;
    let mut dest = Dest::new(copy);
    let mut found = Vec::new();
    for (number, source) in copy.sources.iter().enumerate() {
        let (base, include) = if copy.parents { pivot(source)? } else { (source.as_str(), None) };
        for path in context.named(base, number)? {
            let root = context.resolve(&path)?;
            let missing = || CopyFault::Missing { source_number: number, path: path.clone() };
            let is_dir = context.get(&root).ok_or_else(missing)? == Entry::Dir;
            let lands = dest.place(&path, is_dir)?;
            let entries = context.select(&root, is_dir, include.as_ref(), &exclude);
            found.push(SourceMatch { source: number, named: path, root, lands, entries });
        }
    }
    Ok(found)
}

fn matcher<P: AsRef<str>>(patterns: &[P]) -> Result<Matcher, CopyFault> {
    let mut matcher = Matcher::default();
    for pattern in patterns {
        let pattern = pattern.as_ref();
        let failed = |reason: &str| CopyFault::BadPattern { pattern: pattern.to_owned(), reason: reason.to_owned() };
        matcher.push(pattern).map_err(failed)?;
    }
    Ok(matcher)
}

/// Splits a source of `--parents` at its `/./`: what is in front is not created in the image.
fn pivot(source: &str) -> Result<(&str, Option<Matcher>), CopyFault> {
    let (base, pattern) = source.split_once("/./").unwrap_or(("", source));
    // A pattern that begins with a slash is taken as it is: `/../a` finds nothing, `../a` finds `a`.
    let pattern = pattern.strip_prefix('/').map_or_else(|| rooted(pattern), str::to_owned);
    Ok((base, Some(matcher(&[pattern])?)))
}

/// What is known of the destination while one match after the other is copied.
struct Dest {
    path: String,
    state: DestState,
}

#[derive(PartialEq, Eq)]
enum DestState {
    Absent,
    Dir,
    File,
}

impl Dest {
    fn new(copy: &CopySpec) -> Self {
        let path = clean(&format!("/{}", copy.dest));
        let is_dir = copy.dest_is_dir || path == "/" || copy.dest.ends_with('/') || copy.dest.ends_with("/.");
        Self { path, state: if is_dir { DestState::Dir } else { DestState::Absent } }
    }

    fn place(&mut self, path: &str, is_dir: bool) -> Result<String, CopyFault> {
        if is_dir && self.state == DestState::File {
            return Err(CopyFault::OntoFile { path: path.to_owned(), dest: self.path.clone() });
        }
        if is_dir {
            self.state = DestState::Dir;
        }
        if is_dir || self.state != DestState::Dir {
            // Of several files that land at one path, the last stays.
            self.state = if is_dir { DestState::Dir } else { DestState::File };
            return Ok(self.path.clone());
        }
        let name = path.rsplit('/').next().unwrap_or_default();
        Ok(format!("{}/{name}", self.path.trim_end_matches('/')))
    }
}

/// As many links as BuildKit follows.
const MOST_LINKS: usize = 255;

impl BuildContext<'_> {
    /// What a mount of `path`, in which nothing is a wildcard, would show, behind symbolic links.
    pub(crate) fn literal(&self, path: &str) -> Result<String, CopyFault> {
        let named = rooted(path);
        let root = self.resolve(&named)?;
        match self.get(&root) {
            Some(_) => Ok(root),
            None => Err(CopyFault::Missing { source_number: 0, path: named }),
        }
    }

    /// The paths that `source` names: itself, or what its wildcard matches, in the order of the file tree.
    fn named(&self, source: &str, number: usize) -> Result<Vec<String>, CopyFault> {
        let path = rooted(source);
        let failed = |reason: &str| CopyFault::BadPattern { pattern: source.to_owned(), reason: reason.to_owned() };
        Matcher::default().push(&path).map_err(failed)?;
        let parts: Vec<&str> = path.split('/').collect();
        let Some(at) = parts.iter().position(|part| has_wildcard(part)) else { return Ok(vec![path]) };
        let (base, wild) = (self.resolve(&parts[..at].join("/"))?, parts[at..].join("/"));
        if self.get(&base).is_none() {
            return Err(CopyFault::Missing { source_number: number, path: parts[..at].join("/") });
        }
        let glob = GoGlob::new(&wild).map_err(failed)?;
        let mut found: Vec<(&str, bool)> = self
            .below(&base)
            .filter(|(_, inside, _)| glob.matches(inside))
            .map(|(path, _, entry)| (path, entry == Entry::Dir))
            .collect();
        found.sort_by(|one, two| tree_order(one.0, two.0));
        // What lies in a folder that matches comes with the folder.
        let mut named: Vec<String> = Vec::new();
        let mut last_dir: Option<&str> = None;
        for (path, is_dir) in found {
            if last_dir.is_none_or(|dir| !path.strip_prefix(dir).is_some_and(|rest| rest.starts_with('/'))) {
                named.push(path.to_owned());
                last_dir = is_dir.then_some(path).or(last_dir);
            }
        }
        Ok(named)
    }

    /// Follows the symbolic links of `path`, which cannot leave the context.
    fn resolve(&self, path: &str) -> Result<String, CopyFault> {
        let (mut done, mut rest) = (String::new(), path.to_owned());
        let mut links = 0;
        while !rest.is_empty() {
            let (part, after) = rest.split_once('/').unwrap_or((&rest, ""));
            let next = rooted(&format!("{done}/{part}"));
            let link = match self.get(&next) {
                Some(Entry::File { meta, .. }) => meta.link.as_deref(),
                _ => None,
            };
            let Some(target) = link else {
                done = next;
                rest = after.to_owned();
                continue;
            };
            links += 1;
            if links > MOST_LINKS {
                return Err(CopyFault::Circle { path: path.to_owned() });
            }
            if target.starts_with('/') {
                done.clear();
            }
            rest = format!("{target}/{after}");
        }
        Ok(done)
    }

    /// What is copied of `root`: `include` and `exclude` are asked about paths below it, never about itself.
    fn select(&self, root: &str, is_dir: bool, include: Option<&Matcher>, exclude: &Matcher) -> Vec<Selected> {
        let mut selected = vec![Selected { path: root.to_owned(), is_dir }];
        if !is_dir {
            return selected;
        }
        let taken = match include {
            None if exclude.is_empty() => None,
            include => Some(self.filtered(root, include, exclude)),
        };
        let mut below: Vec<_> = taken.as_ref().unwrap_or(self).below(root).collect();
        below.sort_by(|one, two| tree_order(one.1, two.1));
        for (path, _, entry) in below {
            selected.push(Selected { path: path.to_owned(), is_dir: entry == Entry::Dir });
        }
        selected
    }

    /// A folder that is not taken itself comes along all the same for what is taken in it.
    fn filtered(&self, root: &str, include: Option<&Matcher>, exclude: &Matcher) -> Self {
        let (mut include, mut exclude) = (include.map(Walk::new), Walk::new(exclude));
        let mut taken = Self::default();
        for (path, inside, entry) in self.below(root) {
            let is_included = include.as_mut().is_none_or(|include| include.decide(inside).matched);
            if is_included && !exclude.decide(inside).matched {
                taken.insert(path, entry);
            }
        }
        taken
    }
}

/// Orders paths part by part, as a walk over the tree meets them.
fn tree_order(one: &str, two: &str) -> Ordering {
    one.split('/').cmp(two.split('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::context::Dockerignore;
    use crate::tree::MemTree;

    fn lands(tree: &MemTree, copy: &CopySpec) -> Vec<String> {
        let context = BuildContext::new(tree, &Dockerignore::default());
        let mut all = Vec::new();
        for found in match_sources(&context, copy).unwrap() {
            let slash = |selected: &Selected| if selected.is_dir { "/" } else { "" };
            all.extend(found.entries.iter().map(|selected| format!("{}{}", found.lands_at(selected), slash(selected))));
        }
        all
    }

    fn parents(sources: &[&str]) -> CopySpec {
        let sources = sources.iter().map(|source| source.to_string()).collect();
        CopySpec { sources, dest: "/out/".into(), parents: true, ..CopySpec::default() }
    }

    /// The tree of BuildKit's own test of `--parents`, which the engine here cannot run.
    fn tree() -> MemTree {
        MemTree::from(
            ["b/c/d/foo", "b/c/d/e/bay", "b2/c/d/e/bar", "b/c2/d/e/baz", "b/c2/d/e2/baz"]
                .map(|path| (format!("test/a/{path}"), "x")),
        )
    }

    #[test]
    fn parents_keeps_the_way_behind_the_pivot() {
        let files = |source: &[&str]| -> Vec<String> {
            let all = lands(&tree(), &parents(source));
            all.into_iter().filter(|path| !path.ends_with('/')).collect()
        };
        assert_eq!(files(&["/test/a/b/./c/d"]), ["/out/c/d/e/bay", "/out/c/d/foo"]);
        for source in ["./test/a/b/c/d", "/test/a/b/c/d/.", "../test/a/b/c/d"] {
            assert_eq!(files(&[source]), ["/out/test/a/b/c/d/e/bay", "/out/test/a/b/c/d/foo"], "{source}");
        }
        assert_eq!(files(&["/test/a/./b/./c/d/foo"]), ["/out/b/c/d/foo"]);
        assert_eq!(files(&["/test/a/./*/c"]), ["/out/b/c/d/e/bay", "/out/b/c/d/foo", "/out/b2/c/d/e/bar"]);
        assert_eq!(files(&["/test/a/b*/./c/**/e"]), ["/out/c/d/e/bay", "/out/c/d/e/bar"]);
        assert_eq!(
            files(&["/test/a/b/c*/./d/**/baz", "/test/a/b*/./c/**/bar"]),
            ["/out/d/e/baz", "/out/d/e2/baz", "/out/c/d/e/bar"]
        );
        assert_eq!(files(&["no*/such", "/../test"]), [""; 0]);
    }

    #[test]
    fn parents_takes_a_folder_only_for_what_it_holds() {
        let all = lands(&tree(), &parents(&["**/bar"]));
        assert_eq!(all[0], "/out/");
        assert_eq!(
            all[1..],
            [
                "/out/test/",
                "/out/test/a/",
                "/out/test/a/b2/",
                "/out/test/a/b2/c/",
                "/out/test/a/b2/c/d/",
                "/out/test/a/b2/c/d/e/",
                "/out/test/a/b2/c/d/e/bar"
            ]
        );
    }

    #[test]
    fn what_is_taken_is_listed_as_a_walk_meets_it() {
        let mut tree = MemTree::from([("a-b", ""), ("a/x", ""), ("a.c", ""), ("b/c/d", "")]);
        tree.insert_empty_dir("a/e");
        let copy = CopySpec { sources: vec![".".into()], dest: "/".into(), ..CopySpec::default() };
        assert_eq!(lands(&tree, &copy), ["//", "/a/", "/a/e/", "/a/x", "/a-b", "/a.c", "/b/", "/b/c/", "/b/c/d"]);
    }

    #[test]
    fn a_known_folder_takes_a_file_in() {
        let tree = MemTree::from([("app", "")]);
        let copy = CopySpec { sources: vec!["app".into()], dest: "/usr/bin".into(), ..CopySpec::default() };
        assert_eq!(lands(&tree, &copy), ["/usr/bin"]);
        assert_eq!(lands(&tree, &CopySpec { dest_is_dir: true, ..copy }), ["/usr/bin/app"]);
    }

    #[test]
    fn faults_say_what_is_wrong() {
        let tree = MemTree::from([("d/a", "")]);
        let context = BuildContext::new(&tree, &Dockerignore::default());
        let fault = |source: &str, exclude: &str| {
            let exclude = vec![exclude.to_owned()];
            let copy = CopySpec { sources: vec![source.into()], dest: "/o/".into(), exclude, ..CopySpec::default() };
            match_sources(&context, &copy).unwrap_err().to_string()
        };
        assert_eq!(fault("d/b", ""), "`d/b` is not in the build context");
        assert_eq!(fault("e/*", ""), "`e` is not in the build context");
        assert_eq!(fault("d/[", ""), "`d/[`: malformed class or escape");
        assert_eq!(fault("d", "x["), "`x[`: malformed class or escape");
    }
}
