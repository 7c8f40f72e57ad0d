//! The files that a step leaves, as far as the text and the context tell.
//!
//! Input: what was copied, upon what. Output: [`Files`], and the [`Digest`] of a path in them. The one idea: layers are
//! kept as they were written and asked from the top; a `RUN` hides everything below it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::digest::{Digest, Unseen, hash};
use super::graph::Selector;
use crate::model::context::go_path::clean;
use crate::model::context::pattern::{Matcher, parent};
use crate::patterns::go_path::GoGlob;

/// The files of a step.
#[derive(Debug)]
pub(super) enum Files {
    /// None.
    Empty,
    /// What an image holds, or what was fetched.
    Unseen(Unseen),
    /// What a `RUN` left of what was there.
    Ran(Ran),
    /// What was copied upon what was there.
    Written(Arc<Files>, Vec<Write>),
}

/// What a `RUN` left.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) unseen: Unseen,
    /// A path at which it surely left something else than a run with another number.
    pub(super) told: Option<(String, u128)>,
    /// What was there before.
    pub(super) below: Arc<Files>,
}

/// Something that was written.
#[derive(Clone, Debug)]
pub(super) struct Write {
    /// Where, from the root, without a leading slash.
    pub(super) at: String,
    pub(super) what: What,
}

/// What was written.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// A file or link.
    File(Node),
    /// A file, or the same file in the folder that may be there.
    FileOrInto(Node),
    Folder,
    /// An archive, unpacked.
    Archive(u128),
    /// What lies at `path` in other files, of which not all is known.
    From {
        files: Arc<Files>,
        selector: Selector,
        changes: String,
    },
}

/// A file or link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// Stands for its bytes, mode and owner.
    pub(super) digest: u128,
    /// Where a link leads.
    pub(super) link: Option<String>,
}

impl Node {
    pub(super) fn file(mode: u32, content: u128) -> Self {
        Self { digest: hash(&("file", mode, content)), link: None }
    }

    pub(super) fn link(target: &str) -> Self {
        Self { digest: hash(&("link", target)), link: Some(target.to_owned()) }
    }

    /// What `--chown` and `--chmod` make of it.
    pub(super) fn changed(&self, changes: &str) -> Self {
        match changes {
            "" => self.clone(),
            changes => Self { digest: hash(&(self.digest, changes)), link: self.link.clone() },
        }
    }
}

/// Stands for a folder, without what it holds. Its mode is left out: BuildKit does not see when it changes.
pub(super) fn folder() -> u128 {
    hash(&"folder")
}

/// What lies at a path, of which all is known.
#[derive(Debug)]
pub(super) struct Known {
    /// Files and folders by the path from there, `""` for itself. `None` is a folder.
    pub(super) entries: BTreeMap<String, Option<Node>>,
}

impl Known {
    pub(super) fn is_file(&self) -> bool {
        self.entries.get("").is_some_and(Option::is_some)
    }
}

/// The digest of files and folders by their paths below one of them.
pub(super) fn sum<'a>(entries: impl IntoIterator<Item = (&'a str, u128)>) -> u128 {
    entries.into_iter().fold(0, |sum, (path, node)| sum.wrapping_add(hash(&(path, node))))
}

/// As many links as are followed.
const MOST_LINKS: usize = 40;

/// What was found at a path.
#[derive(Default)]
struct Seen {
    below: Option<Unseen>,
    known: BTreeMap<String, Option<Node>>,
    open: BTreeMap<String, Digest>,
}

impl Files {
    /// What `selector` names holds; `None` if all is known and nothing is there.
    pub(super) fn digest(&self, selector: &Selector) -> Option<Digest> {
        let (path, glob) = split_pattern(selector);
        let (path, mut seen) = self.look(&path);
        let exclude = matcher(selector);
        let keep =
            |inside: &str| glob.as_ref().is_none_or(|glob| matches_above(glob, inside)) && !excludes(&exclude, inside);
        if glob.is_some() || !exclude.is_empty() {
            seen.known.retain(|inside, _| keep(inside));
            seen.open.retain(|inside, _| inside.contains('\0') || keep(inside));
        }
        if seen.below.is_none() && seen.open.is_empty() {
            if seen.known.is_empty() && glob.is_none() {
                return None;
            }
            let nodes = seen.known.iter().map(|(path, node)| (path.as_str(), digest_of(node.as_ref())));
            return Some(Digest::Known(sum(nodes)));
        }
        let path = format!("{path}{}", if selector.is_filter() { format!(" {selector:?}") } else { String::new() });
        let known = seen.known.iter().map(|(path, node)| (path.clone(), Digest::Known(digest_of(node.as_ref()))));
        let mut over: BTreeMap<String, Digest> = known.collect();
        over.extend(seen.open);
        Some(Digest::open(seen.below, &path, over))
    }

    /// What lies at `path`, if all of it is known.
    pub(super) fn known(&self, path: &str) -> Option<Known> {
        let (_, seen) = self.look(path);
        (seen.below.is_none() && seen.open.is_empty()).then_some(Known { entries: seen.known })
    }

    /// Whether a folder lies at `path`. Of images it is assumed that they have the usual folders and no others.
    pub(super) fn is_folder(&self, path: &str) -> bool {
        if path.is_empty() {
            return true;
        }
        match self {
            Self::Empty => false,
            Self::Unseen(_) => USUAL.contains(&path),
            Self::Ran(ran) => ran.below.is_folder(path),
            Self::Written(below, writes) => {
                let holds = |write: &Write| match &write.what {
                    What::Folder | What::From { .. } if write.at == path => true,
                    _ => is_below(&write.at, path),
                };
                writes.iter().any(holds) || below.is_folder(path)
            }
        }
    }

    /// Whether a `RUN` lies below.
    pub(super) fn has_run(&self) -> bool {
        match self {
            Self::Empty | Self::Unseen(_) => false,
            Self::Ran(..) => true,
            Self::Written(below, _) => below.has_run(),
        }
    }

    fn look(&self, path: &str) -> (String, Seen) {
        let mut path = path.to_owned();
        for _ in 0..MOST_LINKS {
            let mut seen = Seen::default();
            match self.look_once(&path, &mut seen) {
                None => return (path, seen),
                Some(elsewhere) => path = elsewhere,
            }
        }
        (path, Seen::default())
    }

    /// Gathers what lies at `path`, from the top down; gives the path that a link leads to, if there is one on the way.
    fn look_once(&self, path: &str, seen: &mut Seen) -> Option<String> {
        let mut files = self;
        loop {
            match files {
                Self::Empty => return None,
                Self::Unseen(unseen) => {
                    seen.below = Some(*unseen);
                    return None;
                }
                Self::Ran(ran) => {
                    seen.below = Some(ran.unseen);
                    if let Some((at, told)) = &ran.told
                        && relative(at, path).is_some()
                    {
                        seen.doubt(at, Digest::Known(*told));
                    }
                    return None;
                }
                Self::Written(below, writes) => {
                    for write in writes.iter().rev() {
                        match write.look(path, seen) {
                            Step::On => {}
                            Step::Hidden => return None,
                            Step::Elsewhere(target) => return Some(target),
                        }
                    }
                    files = below;
                }
            }
        }
    }
}

enum Step {
    On,
    /// What lies below cannot be seen.
    Hidden,
    /// A link leads there.
    Elsewhere(String),
}

impl Write {
    fn look(&self, path: &str, seen: &mut Seen) -> Step {
        let inside = relative(&self.at, path);
        match &self.what {
            What::File(node) => {
                if let (Some(link), Some(rest)) = (&node.link, relative(path, &self.at)) {
                    let target =
                        if link.starts_with('/') { link.clone() } else { format!("{}/{link}", parent(&self.at)) };
                    return Step::Elsewhere(clean(&format!("/{target}/{rest}")).trim_start_matches('/').to_owned());
                }
                let Some(inside) = inside else { return Step::On };
                seen.insert(inside, Some(node.clone()));
                if inside.is_empty() { Step::Hidden } else { Step::On }
            }
            What::Folder => {
                if let Some(inside) = inside {
                    seen.insert(inside, None);
                }
                Step::On
            }
            What::FileOrInto(node) => {
                if inside.is_some() || relative(path, &self.at).is_some() {
                    seen.doubt(&self.at, Digest::Known(node.digest));
                }
                Step::On
            }
            What::Archive(archive) => {
                if inside.is_some() || relative(path, &self.at).is_some() {
                    seen.doubt(&self.at, Digest::Known(*archive));
                }
                Step::On
            }
            What::From { files, selector, changes } => {
                self.look_into(path, files, selector, changes, seen);
                Step::On
            }
        }
    }

    /// What other files bring to `path`. Whether a file or a folder was copied is not known.
    fn look_into(&self, path: &str, files: &Files, selector: &Selector, changes: &str, seen: &mut Seen) {
        let mut wanted = Vec::new();
        if relative(&self.at, path).is_some() {
            wanted.push(selector.clone());
        } else if let Some(rest) = relative(path, &self.at) {
            if selector.is_filter() {
                wanted.push(selector.clone());
            } else {
                let name = selector.path.rsplit('/').next().unwrap_or_default();
                wanted.push(Selector::path(&join(&selector.path, rest)));
                wanted.extend(relative(rest, name).map(|rest| Selector::path(&join(&selector.path, rest))));
            }
        }
        for selector in wanted {
            let Some(digest) = files.digest(&selector) else { continue };
            let digest = match (digest, changes) {
                (digest, "") => digest,
                (Digest::Known(known), changes) => Digest::Known(hash(&(known, changes))),
                (open, changes) => Digest::open(None, changes, BTreeMap::from([(String::new(), open)])),
            };
            seen.doubt(&format!("{}\0{}", self.at, selector.path), digest);
        }
    }
}

impl Seen {
    /// What lies on top stays.
    fn insert(&mut self, path: &str, node: Option<Node>) {
        self.known.entry(path.to_owned()).or_insert(node);
    }

    /// Something is there that cannot be said to lie at one path.
    fn doubt(&mut self, at: &str, digest: Digest) {
        let key = format!("{at}\0{}", self.open.len());
        self.open.insert(key, digest);
    }
}

/// The path from `above` to `path`, if it is the same or lies in it.
fn relative<'p>(path: &'p str, above: &str) -> Option<&'p str> {
    if above.is_empty() {
        return Some(path);
    }
    let rest = path.strip_prefix(above)?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix('/') }
}

fn is_below(path: &str, above: &str) -> bool {
    relative(path, above).is_some_and(|rest| !rest.is_empty())
}

fn join(path: &str, rest: &str) -> String {
    match (path, rest) {
        (path, "") => path.to_owned(),
        ("", rest) => rest.to_owned(),
        (path, rest) => format!("{path}/{rest}"),
    }
}

fn digest_of(node: Option<&Node>) -> u128 {
    node.map_or_else(folder, |node| node.digest)
}

/// The folder in front of the first wildcard, and what must match behind it.
fn split_pattern(selector: &Selector) -> (String, Option<GoGlob>) {
    if !selector.is_pattern {
        return (selector.path.clone(), None);
    }
    let parts: Vec<&str> = selector.path.split('/').collect();
    let wild = parts.iter().position(|part| crate::model::context::go_path::has_wildcard(part)).unwrap_or(parts.len());
    (parts[..wild].join("/"), GoGlob::new(&parts[wild..].join("/")).ok())
}

/// Whether `path` or a folder above it matches.
fn matches_above(glob: &GoGlob, path: &str) -> bool {
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    ends.into_iter().any(|end| glob.matches(&path[..end]))
}

fn matcher(selector: &Selector) -> Matcher {
    let mut matcher = Matcher::default();
    for pattern in &selector.exclude {
        // What cannot be read as a pattern was refused when the text was.
        let _ = matcher.push(pattern);
    }
    matcher
}

fn excludes(matcher: &Matcher, path: &str) -> bool {
    !matcher.is_empty() && crate::model::context::pattern::Walk::new(matcher).decide(path).matched
}

/// Folders that nearly every image has.
const USUAL: [&str; 34] = [
    "bin",
    "boot",
    "dev",
    "etc",
    "home",
    "lib",
    "lib64",
    "media",
    "mnt",
    "opt",
    "proc",
    "root",
    "run",
    "sbin",
    "srv",
    "sys",
    "tmp",
    "usr",
    "usr/bin",
    "usr/lib",
    "usr/local",
    "usr/local/bin",
    "usr/local/lib",
    "usr/local/sbin",
    "usr/local/share",
    "usr/sbin",
    "usr/share",
    "usr/src",
    "usr/local/include",
    "usr/include",
    "var",
    "var/lib",
    "var/log",
    "var/cache",
];
