//! The files that a step leaves.
//!
//! Input: a vertex and what its inputs left. Output: [`Files`], remembered with its record. The one idea: what a step
//! writes is listed only if some other step asks for it by path.

use std::sync::Arc;

use super::{Builder, Run};
use crate::model::context::go_path::rooted;
use crate::model::simulate::digest::hash;
use crate::model::simulate::fault::FaultReason;
use crate::model::simulate::files::{Files, Node, Ran, What, Write};
use crate::model::simulate::graph::{CopyOp, Op, Selector, Vertex};
use crate::model::simulate::options::Output;
use crate::tree::content_id;

impl Builder {
    /// Notes what a vertex leaves.
    pub(super) fn leave_files(
        &mut self,
        run: &Run<'_>,
        number: usize,
        vertex: &Vertex,
        cached: Option<bool>,
    ) -> Result<(), FaultReason> {
        let Some(record) = run.outcomes.get(&number).map(|outcome| outcome.record) else { return Ok(()) };
        let is_shown = run.shown.contains(&number);
        if cached == Some(true) && self.store.files(record).is_some_and(|(_, is_whole)| is_whole || !is_shown) {
            return Ok(());
        }
        let below = || match vertex.inputs.first() {
            Some(input) => self.files(run, input.vertex),
            None => Arc::new(Files::Empty),
        };
        let files = match &vertex.op {
            Op::Image(_) | Op::Remote => Files::Unseen(self.store.new_unseen()),
            Op::Context(_) => Files::Empty,
            Op::Document { name, text } => {
                let node = Node::file(0o644, content_id(text.as_bytes()));
                let at = rooted(name);
                Files::Written(Arc::new(Files::Empty), vec![Write { at, what: What::File(node) }])
            }
            Op::Folder { path } => {
                let at = path.trim_start_matches('/').to_owned();
                Files::Written(below(), vec![Write { at, what: What::Folder }])
            }
            Op::CacheFolder => {
                let node = Node::file(0o755, content_id(vertex.key.as_bytes()));
                Files::Written(below(), vec![Write { at: "cache".to_owned(), what: What::File(node) }])
            }
            Op::Run => {
                let below = below();
                let output = vertex.label.as_ref().and_then(|label| run.output(label));
                let (unseen, told) = match output {
                    Some(Output { same, other }) => {
                        let told = other.map(|(at, text)| (rooted(&at), hash(&text)));
                        (self.store.told(&same), told)
                    }
                    None => (self.store.new_unseen(), None),
                };
                Files::Ran(Ran { unseen, told, below })
            }
            Op::Copy(copy) => {
                let below = if copy.has_base { below() } else { Arc::new(Files::Empty) };
                let writes = if is_shown {
                    self.writes(run, vertex, copy, &below)?
                } else {
                    let at = copy.spec.dest.trim_matches('/').to_owned();
                    let is_folder = copy.spec.dest.ends_with('/') && !at.is_empty();
                    is_folder.then_some(Write { at, what: What::Folder }).into_iter().collect()
                };
                Files::Written(below, writes)
            }
            Op::Link => {
                let copied = vertex.inputs.get(1).map(|input| self.files(run, input.vertex));
                match copied.as_deref() {
                    Some(Files::Written(_, writes)) => Files::Written(below(), writes.clone()),
                    _ => Files::Written(below(), Vec::new()),
                }
            }
        };
        self.store.keep_files(record, Arc::new(files), is_shown);
        Ok(())
    }

    fn writes(
        &self,
        run: &Run<'_>,
        vertex: &Vertex,
        copy: &CopyOp,
        below: &Arc<Files>,
    ) -> Result<Vec<Write>, FaultReason> {
        let mut writes = Vec::new();
        let source =
            |number: usize| vertex.inputs.get(number).map(|input| (input.vertex, self.files(run, input.vertex)));
        if let Some((from, files)) = copy.from.and_then(source) {
            match run.graph.vertices.get(from).map(|vertex| &vertex.op) {
                Some(Op::Context(name)) => {
                    if let Some(sent) = run.contexts.get(name) {
                        writes.extend(sent.writes(copy, below)?);
                    }
                }
                _ => {
                    for selector in copy.selectors() {
                        writes.extend(from_files(copy, &selector, &files, below));
                    }
                }
            }
        }
        for (number, name) in &copy.extra {
            if let Some((_, files)) = source(*number) {
                let selector = Selector::path(&rooted(name));
                writes.extend(from_files(copy, &selector, &files, below));
            }
        }
        Ok(writes)
    }
}

/// What a `COPY` of other files writes.
fn from_files(copy: &CopyOp, selector: &Selector, files: &Arc<Files>, below: &Arc<Files>) -> Vec<Write> {
    let dest = copy.spec.dest.trim_end_matches("/.").trim_matches('/').to_owned();
    let name = selector.path.rsplit('/').next().unwrap_or_default();
    let is_folder = copy.spec.dest.ends_with('/') || copy.spec.dest.ends_with("/.") || below.is_folder(&dest);
    let known = if selector.is_filter() { None } else { files.known(&selector.path) };
    let Some(known) = known else {
        let what = What::From { files: files.clone(), selector: selector.clone(), changes: copy.changes.clone() };
        return vec![Write { at: dest, what }];
    };
    let root = if known.is_file() && is_folder { join(&dest, name) } else { dest };
    let write = |(inside, node): (String, Option<Node>)| {
        let what = node.map_or(What::Folder, |node| What::File(node.changed(&copy.changes)));
        Write { at: join(&root, &inside), what }
    };
    known.entries.into_iter().map(write).collect()
}

fn join(path: &str, rest: &str) -> String {
    match (path, rest) {
        (path, "") => path.to_owned(),
        ("", rest) => rest.to_owned(),
        (path, rest) => format!("{path}/{rest}"),
    }
}
