//! One build after the other, on one builder.
//!
//! Input: [`Input`]s in the order in which they are built. Output: a [`Build`] for each. The one idea: go through the
//! vertices from the base up, ask the store for each, and remember what was run.

mod leave;
mod reason;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::cause::Cause;
use super::context::{Copy, Sent};
use super::digest::Digest;
use super::fault::{Fault, FaultReason};
use super::files::Files;
use super::graph::{self, Facet, Graph, Label, Op, Selector, Vertex, deduplicate};
use super::options::{Context, Image, Input, Output};
use super::store::{Found, Id, Slot, Store};
use crate::model::context::BuildContext;
use crate::model::dockerfile::Keyword;

/// A builder, with the cache that earlier builds filled.
#[derive(Debug, Default)]
pub struct Builder {
    store: Store,
    /// The steps of the build before.
    past: Vec<Past>,
    /// The records whose files are remembered.
    recent: BTreeSet<Id>,
    /// The copies of the contexts that the builder keeps.
    copies: BTreeMap<String, Copy>,
}

/// A step of the build before, to say what is different now.
#[derive(Debug)]
struct Past {
    key: String,
    facets: Vec<(Facet, String)>,
    label: Label,
    record: Id,
    vertex: usize,
}

/// What a build did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Build {
    /// The steps, in the order of their lines. Equal steps of two stages are one step, under the name that BuildKit
    /// gives it.
    pub steps: Vec<Step>,
    /// What the target is, for builds on top of it.
    pub image: Image,
}

/// A step as BuildKit lists it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Step {
    /// As BuildKit prints it, such as `[build 2/3] COPY . .`.
    pub name: String,
    /// The line of its instruction, from 1.
    pub line: usize,
    /// The stage, as BuildKit prints it; `""` if there is only one.
    pub stage: String,
    /// The instruction.
    pub keyword: Keyword,
    /// Whether it is reused. `None` if that hangs on what another step leaves behind.
    pub cached: Option<bool>,
    /// Why it is not reused, or on what it hangs.
    pub why: Cause,
    /// What it takes from the build context.
    pub reads: Reads,
}

/// What a step takes from the build context.
#[derive(Clone, Debug, Default)]
pub struct Reads {
    pub(super) selectors: Vec<Selector>,
}

impl Reads {
    /// Whether an edit of `path` can matter to the step. Links on the way are not followed, and what is left out of the
    /// context is not considered.
    pub fn touches(&self, path: &str) -> bool {
        self.selectors.iter().any(|selector| selector.touches(path))
    }

    /// Whether it takes anything.
    pub fn is_empty(&self) -> bool {
        self.selectors.is_empty()
    }
}

/// What became of a vertex.
struct Outcome {
    record: Id,
    cached: Option<bool>,
}

/// One build while it is gone through.
struct Run<'a> {
    input: &'a Input<'a>,
    graph: &'a Graph,
    contexts: BTreeMap<String, Sent<'a>>,
    outcomes: BTreeMap<usize, Outcome>,
    /// The records of the steps that are run in this build, or may be, with their names.
    ran: BTreeMap<Id, (Option<bool>, String)>,
    /// Vertices whose files are asked for.
    shown: BTreeSet<usize>,
    is_first: bool,
}

impl Run<'_> {
    /// What somebody knows of what a `RUN` leaves.
    fn output(&self, label: &Label) -> Option<Output> {
        let outputs = self.input.outputs?;
        outputs(&super::options::Ran { stage: &label.stage, name: &label.name, tree: self.input.context.tree })
    }

    /// What BuildKit says of a step that is reused, needs nothing and that nothing asks for: it lists it as done, not as
    /// reused, though it does not run it. `None` for all other steps.
    fn unneeded(&self, number: usize) -> Option<Option<bool>> {
        let vertex = self.graph.vertices.get(number)?;
        let is_reused = self.outcomes.get(&number).is_some_and(|outcome| outcome.cached == Some(true));
        if !vertex.inputs.is_empty() || !is_reused || self.graph.target.vertex == Some(number) {
            return None;
        }
        let asks = |(_, vertex): &(usize, &Vertex)| vertex.inputs.iter().any(|input| input.vertex == number);
        let needed = self.graph.vertices.iter().enumerate().filter(|(number, _)| self.graph.needed.contains(number));
        let mut users = needed.filter(asks).map(|(user, _)| self.outcomes.get(&user).and_then(|user| user.cached));
        users.try_fold(Some(false), |so_far, user| match user {
            Some(true) => Some(so_far),
            None => Some(None),
            Some(false) => None,
        })
    }
}

impl Builder {
    /// A builder that never built anything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Builds, and remembers it.
    ///
    /// # Errors
    /// [`Fault`] where BuildKit would stop.
    pub fn build(&mut self, input: &Input<'_>) -> Result<Build, Fault> {
        let graph = graph::dispatch::graph(input)?;
        let mut run = Run {
            input,
            contexts: self.contexts(input, &graph)?,
            outcomes: BTreeMap::new(),
            ran: BTreeMap::new(),
            shown: shown(&graph),
            is_first: self.store.is_empty(),
            graph: &graph,
        };
        let done = self.go_through(&mut run);
        let kept = run.outcomes.values().map(|outcome| outcome.record).collect();
        let (mut steps, past) = match done {
            Ok(done) => {
                self.store.forget_files(&self.recent, &kept);
                self.recent = kept;
                done
            }
            Err(fault) => {
                self.store.forget_files(&kept, &self.recent);
                self.copies.extend(run.contexts.into_iter().map(|(name, sent)| (name, sent.into_copy())));
                return Err(fault);
            }
        };
        for (step, past) in steps.iter_mut().zip(&past) {
            if let Some(cached) = run.unneeded(past.vertex) {
                (step.cached, step.why) = (cached, Cause::Unneeded);
            }
        }
        steps.sort_by_key(|step: &Step| step.line);
        self.past = past;
        let image = self.image(&run, &graph);
        self.copies.extend(run.contexts.into_iter().map(|(name, sent)| (name, sent.into_copy())));
        Ok(Build { steps, image })
    }

    fn go_through(&mut self, run: &mut Run<'_>) -> Result<(Vec<Step>, Vec<Past>), Fault> {
        let graph = run.graph;
        let (mut steps, mut past) = (Vec::new(), Vec::new());
        for (number, vertex) in graph.vertices.iter().enumerate().filter(|(number, _)| graph.needed.contains(number)) {
            let line = vertex.label.as_ref().map(|label| label.line);
            let step = self.vertex(run, number, vertex).map_err(|reason| Fault { line, reason })?;
            let record = run.outcomes.get(&number).map_or(0, |outcome| outcome.record);
            if let (Some(step), Some(label)) = (step, vertex.label.clone()) {
                steps.push(step);
                let (key, facets) = (vertex.key.clone(), vertex.facets.clone());
                past.push(Past { key, facets, label, record, vertex: number });
            }
        }
        Ok((steps, past))
    }

    fn contexts<'a>(&mut self, input: &'a Input<'_>, graph: &Graph) -> Result<BTreeMap<String, Sent<'a>>, Fault> {
        let mut contexts = BTreeMap::new();
        for (name, wanted) in &graph.wanted {
            let context = match name.as_str() {
                "" => Some(&input.context),
                name => input.contexts.get(name),
            };
            let Some(context) = context else { continue };
            let sent = sent_for(context, wanted)?;
            let copy = self.copies.remove(name).unwrap_or_default();
            contexts.insert(name.clone(), Sent::new(context.tree, sent, copy, input.options.hashes_whole_paths));
        }
        Ok(contexts)
    }

    fn vertex(&mut self, run: &mut Run<'_>, number: usize, vertex: &Vertex) -> Result<Option<Step>, FaultReason> {
        if let Op::Context(_) = vertex.op {
            let record = self.store.anonymous();
            run.outcomes.insert(number, Outcome { record, cached: Some(true) });
            return Ok(None);
        }
        let slots = self.slots(run, vertex)?;
        let found = self.store.look_up(&vertex.key, &slots);
        // Steps that differ in what no key holds are one to the builder: it runs the first and shares the outcome.
        let twin = found.sure.and_then(|sure| run.ran.get(&sure));
        let cached = match (&found, vertex.ignores_cache) {
            (_, true) => Some(false),
            (Found { sure: Some(_), .. }, false) => twin.map_or(Some(true), |(cached, _)| *cached),
            (Found { maybe, .. }, false) if !maybe.is_empty() => None,
            _ => Some(false),
        };
        let why = match twin {
            Some((_, name)) if !vertex.ignores_cache => Cause::SameAs(name.clone()),
            _ => self.why(run, vertex, &slots, &found, cached),
        };
        let record = match found.sure {
            Some(record) => record,
            None => self.store.add(&vertex.key, slots, &found),
        };
        run.outcomes.insert(number, Outcome { record, cached });
        if let (Some(label), false) = (&vertex.label, cached == Some(true)) {
            run.ran.entry(record).or_insert((cached, label.name.clone()));
        }
        self.leave_files(run, number, vertex, cached)?;
        Ok(vertex.label.clone().map(|label| Step {
            name: label.name,
            line: label.line,
            stage: label.stage,
            keyword: label.keyword,
            cached,
            why,
            reads: reads(run.graph, vertex),
        }))
    }

    /// The inputs of a vertex, with what they hold.
    fn slots(&self, run: &Run<'_>, vertex: &Vertex) -> Result<Vec<Slot>, FaultReason> {
        let mut slots = Vec::with_capacity(vertex.inputs.len());
        for input in &vertex.inputs {
            let id = run.outcomes.get(&input.vertex).map_or(0, |outcome| outcome.record);
            let Some(selectors) = &input.selectors else {
                slots.push(Slot { id, paths: String::new(), content: None });
                continue;
            };
            let paths: Vec<&str> = selectors.iter().map(|selector| selector.path.as_str()).collect();
            let content = self.content(run, input.vertex, &deduplicate(selectors))?;
            slots.push(Slot { id, paths: paths.join("\0"), content: Some(content) });
        }
        Ok(slots)
    }

    fn content(&self, run: &Run<'_>, source: usize, selectors: &[Selector]) -> Result<Vec<Digest>, FaultReason> {
        let op = run.graph.vertices.get(source).map(|vertex| &vertex.op);
        if let Some(Op::Context(name)) = op {
            return run.contexts.get(name).map_or(Ok(Vec::new()), |sent| sent.digests(selectors));
        }
        let files = self.files(run, source);
        let missing = |selector: &Selector| {
            let label = run.graph.vertices.get(source).and_then(|vertex| vertex.label.as_ref());
            let stage = label.map(|label| label.stage.clone()).unwrap_or_default();
            FaultReason::NotInStage { path: format!("/{}", selector.path), stage }
        };
        selectors.iter().map(|selector| files.digest(selector).ok_or_else(|| missing(selector))).collect()
    }

    fn files(&self, run: &Run<'_>, vertex: usize) -> Arc<Files> {
        let record = run.outcomes.get(&vertex).map(|outcome| outcome.record);
        let files = record.and_then(|record| self.store.files(record));
        files.map_or_else(|| Arc::new(Files::Empty), |(files, _)| files)
    }

    fn image(&self, run: &Run<'_>, graph: &Graph) -> Image {
        let target = &graph.target;
        let layers = match target.vertex.and_then(|vertex| graph.vertices.get(vertex).zip(run.outcomes.get(&vertex))) {
            Some((Vertex { op: Op::Image(_), facets, .. }, _)) => {
                facets.first().map(|(_, layers)| layers.clone()).unwrap_or_default()
            }
            Some((_, outcome)) => format!("built here, {}", outcome.record),
            None => "nothing".to_owned(),
        };
        Image {
            layers,
            env: target.state.image_env.clone(),
            workdir: target.state.cwd.clone(),
            user: target.state.user.clone(),
            shell: target.state.shell.clone().unwrap_or_default(),
            onbuild: target.onbuild.clone(),
        }
    }
}

/// The files that a build asks its context for. Files that no stage on the way to the target names are not sent.
///
/// # Errors
/// [`Fault`] where BuildKit would stop before it asks.
pub fn sent<'a>(input: &'a Input<'_>) -> Result<BuildContext<'a>, Fault> {
    match graph::dispatch::graph(input)?.wanted.get("") {
        Some(wanted) => sent_for(&input.context, wanted),
        None => Ok(BuildContext::default()),
    }
}

fn sent_for<'a>(context: &'a Context<'_>, wanted: &BTreeSet<String>) -> Result<BuildContext<'a>, Fault> {
    let all = BuildContext::new(context.tree, &context.ignore);
    if wanted.iter().any(|path| crate::model::context::go_path::rooted(path).is_empty()) {
        return Ok(all);
    }
    all.sent_for(wanted.iter().map(String::as_str)).map_err(|fault| Fault { line: None, reason: fault.into() })
}

/// The vertices whose files are asked for by path, and those that have a part in them.
fn shown(graph: &Graph) -> BTreeSet<usize> {
    let mut shown = BTreeSet::new();
    let mut open: Vec<usize> = Vec::new();
    for vertex in graph.needed.iter().filter_map(|number| graph.vertices.get(*number)) {
        open.extend(vertex.inputs.iter().filter(|input| input.selectors.is_some()).map(|input| input.vertex));
    }
    while let Some(number) = open.pop() {
        let Some(vertex) = graph.vertices.get(number) else { continue };
        if !shown.insert(number) || matches!(vertex.op, Op::Run) {
            continue;
        }
        open.extend(vertex.inputs.iter().map(|input| input.vertex));
    }
    shown
}

fn reads(graph: &Graph, vertex: &Vertex) -> Reads {
    let is_context = |number: usize| {
        graph.vertices.get(number).is_some_and(|vertex| matches!(&vertex.op, Op::Context(name) if name.is_empty()))
    };
    let inputs = vertex.inputs.iter().filter(|input| is_context(input.vertex));
    Reads { selectors: inputs.flat_map(|input| input.selectors.clone().unwrap_or_default()).collect() }
}
