//! What BuildKit would be told to do: the steps and what each needs.
//!
//! Input: [`Input`]. Output: [`Graph`]. The one idea: a step is known by what it does and by the steps it needs, never
//! by its stage, so that equal steps of two stages are one vertex here as they are in BuildKit; of its names the one
//! counts that is met last on the way back from the target.

pub(super) mod dispatch;
mod resolve;
mod run;
mod secret;
mod transfer;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::model::context::CopySpec;
use crate::model::context::go_path::{has_wildcard, rooted};
use crate::model::dockerfile::Keyword;

/// The vertices, each behind those that it needs.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) vertices: Vec<Vertex>,
    /// Which of them the target needs.
    pub(super) needed: BTreeSet<usize>,
    /// The paths that the needed stages ask for, by context; `""` is the build context.
    pub(super) wanted: BTreeMap<String, BTreeSet<String>>,
    /// What the target leaves, for a build on top of it.
    pub(super) target: Target,
}

/// What the last stage leaves.
#[derive(Clone, Debug, Default)]
pub(super) struct Target {
    pub(super) vertex: Option<usize>,
    pub(super) state: super::state::State,
    pub(super) onbuild: Vec<String>,
}

/// Something that BuildKit does.
#[derive(Debug)]
pub(super) struct Vertex {
    pub(super) op: Op,
    /// The part of the cache key that the text decides.
    pub(super) key: String,
    /// What `key` is made of, to say what is different about it.
    pub(super) facets: Vec<(Facet, String)>,
    pub(super) inputs: Vec<VertexInput>,
    /// Whether the cache is not to be asked.
    pub(super) ignores_cache: bool,
    /// How it is shown; `None` for what the user sees nothing of.
    pub(super) label: Option<Label>,
}

/// A part of a cache key that a user can recognise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Facet {
    Text,
    Env,
    Dir,
    User,
    Mounts,
    Options,
    Sources,
    Dest,
    Flags,
}

/// How a vertex is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Label {
    /// As BuildKit prints it.
    pub(super) name: String,
    /// The line of its instruction, from 1.
    pub(super) line: usize,
    /// The stage, as BuildKit prints it.
    pub(super) stage: String,
    pub(super) keyword: Keyword,
}

/// What a vertex does, as far as its key or its files ask for more than the text.
#[derive(Debug)]
pub(super) enum Op {
    /// An image, by what stands for its layers.
    Image(String),
    /// The build context, `""`, or another one.
    Context(String),
    /// A file with a text that stands in the Dockerfile.
    Document { name: String, text: String },
    /// What `ADD` fetches.
    Remote,
    /// `WORKDIR`.
    Folder { path: String },
    /// The folder that a cache mount begins with.
    CacheFolder,
    /// `RUN`.
    Run,
    /// `COPY` and `ADD`.
    Copy(CopyOp),
    /// What `COPY --link` copied, put upon what was there.
    Link,
}

/// A `COPY` or `ADD`.
#[derive(Debug)]
pub(super) struct CopyOp {
    /// Where the paths come from, as a number in the inputs; `None` if there are no paths.
    pub(super) from: Option<usize>,
    /// Whether the first input is what is copied into; not so on an empty image.
    pub(super) has_base: bool,
    pub(super) spec: CopySpec,
    /// Documents and what was fetched: their number in the inputs, and the name.
    pub(super) extra: Vec<(usize, String)>,
    /// `--chown` and `--chmod`, which change what lands.
    pub(super) changes: String,
    /// Whether archives are unpacked.
    pub(super) unpacks: bool,
}

/// A vertex that another one needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct VertexInput {
    pub(super) vertex: usize,
    /// Which of its files count, if only they do; `None` if it counts by identity.
    pub(super) selectors: Option<Vec<Selector>>,
}

/// A path or pattern in the files of another vertex.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Selector {
    /// From the root, without a leading slash; `""` is all.
    pub(super) path: String,
    /// Whether stars and the like match.
    pub(super) is_pattern: bool,
    /// The values of `--exclude`.
    pub(super) exclude: Vec<String>,
    /// The source as written, with `--parents`.
    pub(super) parents: Option<String>,
}

impl Selector {
    pub(super) fn path(path: &str) -> Self {
        Self { path: path.to_owned(), is_pattern: false, exclude: Vec::new(), parents: None }
    }

    /// Whether files are chosen one by one below it.
    pub(super) fn is_filter(&self) -> bool {
        self.is_pattern || !self.exclude.is_empty() || self.parents.is_some()
    }
}

/// Drops the paths that lie in others, and sorts, as BuildKit does before it hashes.
pub(super) fn deduplicate(selectors: &[Selector]) -> Vec<Selector> {
    let paths: BTreeSet<&str> =
        selectors.iter().filter(|selector| !selector.is_filter()).map(|selector| selector.path.as_str()).collect();
    let is_inside = |path: &str| {
        paths.contains("") && !path.is_empty() || path.match_indices('/').any(|(at, _)| paths.contains(&path[..at]))
    };
    let mut kept: Vec<Selector> =
        paths.iter().filter(|path| !is_inside(path)).map(|path| Selector::path(path)).collect();
    kept.extend(selectors.iter().filter(|selector| selector.is_filter()).cloned());
    kept.sort_by(|one, two| one.path.cmp(&two.path));
    kept
}

/// A vertex as one stage wrote it; several may be one vertex.
#[derive(Debug)]
struct Node {
    vertex: usize,
    inputs: Vec<usize>,
    label: Option<Label>,
    ignores_cache: bool,
}

/// Gathers nodes, and gives equal ones the same vertex.
#[derive(Debug, Default)]
struct Nodes {
    nodes: Vec<Node>,
    vertices: Vec<Vertex>,
    known: HashMap<String, usize>,
}

/// A node that another one needs, and which of its files count; all by identity without.
type DraftInput = (usize, Option<Vec<Selector>>);

/// What a node is made from.
struct Draft {
    op: Op,
    key: String,
    /// What tells vertices apart but not cache keys.
    definition: String,
    facets: Vec<(Facet, String)>,
    inputs: Vec<DraftInput>,
    /// The nodes in the order in which BuildKit walks them, where that is another.
    walk: Option<Vec<usize>>,
    ignores_cache: bool,
    label: Option<Label>,
}

impl Draft {
    fn hidden(op: Op, key: String) -> Self {
        Self {
            op,
            key,
            definition: String::new(),
            facets: Vec::new(),
            inputs: Vec::new(),
            walk: None,
            ignores_cache: false,
            label: None,
        }
    }
}

impl Nodes {
    /// Adds a node and gives its number.
    fn add(&mut self, draft: Draft) -> usize {
        let Draft { op, key, definition, facets, inputs, walk, ignores_cache, label } = draft;
        let nodes = walk.unwrap_or_else(|| inputs.iter().map(|(node, _)| *node).collect());
        let inputs: Vec<VertexInput> = inputs
            .into_iter()
            .filter_map(|(node, selectors)| Some(VertexInput { vertex: self.nodes.get(node)?.vertex, selectors }))
            .collect();
        let whole = format!("{key}\0{definition}\0{inputs:?}");
        let vertex = *self.known.entry(whole).or_insert(self.vertices.len());
        if vertex == self.vertices.len() {
            self.vertices.push(Vertex { op, key, facets, inputs, ignores_cache: false, label: None });
        }
        self.nodes.push(Node { vertex, inputs: nodes, label, ignores_cache });
        self.nodes.len() - 1
    }

    fn vertex(&self, node: usize) -> Option<usize> {
        self.nodes.get(node).map(|node| node.vertex)
    }

    /// Walks back from `target`, names what is met, and says what it was.
    fn walk(&mut self, target: Option<usize>) -> BTreeSet<usize> {
        let mut needed = BTreeSet::new();
        let mut seen = vec![false; self.nodes.len()];
        let mut open: Vec<(usize, usize)> = target.into_iter().map(|node| (node, 0)).collect();
        while let Some((node, next)) = open.pop() {
            let Some(here) = self.nodes.get(node) else { continue };
            if next == 0 && std::mem::replace(&mut seen[node], true) {
                continue;
            }
            if let Some(&input) = here.inputs.get(next) {
                open.push((node, next + 1));
                open.push((input, 0));
                continue;
            }
            needed.insert(here.vertex);
            if let Some(vertex) = self.vertices.get_mut(here.vertex) {
                vertex.ignores_cache |= here.ignores_cache;
                vertex.label = here.label.clone().or(vertex.label.take());
            }
        }
        needed
    }
}

impl CopyOp {
    /// The paths and patterns that it copies.
    pub(super) fn selectors(&self) -> Vec<Selector> {
        let selector = |path: &String| {
            let base = match (self.spec.parents, path.split_once("/./")) {
                (true, Some((base, _))) => rooted(base),
                (true, None) => String::new(),
                (false, _) => rooted(path),
            };
            Selector {
                is_pattern: has_wildcard(&base),
                path: base,
                exclude: self.spec.exclude.clone(),
                parents: self.spec.parents.then(|| path.clone()),
            }
        };
        self.spec.sources.iter().map(selector).collect()
    }
}
