//! The cause for which a step is run, or may be.
//!
//! Input: a vertex, its inputs, and the steps of the build before. Output: [`Cause`]. The one idea: a step that follows
//! one that is run has no cause of its own; for any other, what stood at its place before tells what is different.

use super::{Builder, Past, Run};
use crate::model::simulate::cause::Cause;
use crate::model::simulate::digest::{Digest, Truth};
use crate::model::simulate::graph::{Op, Vertex};
use crate::model::simulate::store::{Found, Slot};
use crate::model::simulate::why::difference;

impl Builder {
    pub(super) fn why(
        &self,
        run: &Run<'_>,
        vertex: &Vertex,
        slots: &[Slot],
        found: &Found,
        cached: Option<bool>,
    ) -> Cause {
        match cached {
            Some(true) => Cause::Reused,
            None => {
                let doubtful = found.maybe.first().map_or(0, |(_, input)| *input);
                self.why_of_input(run, vertex, doubtful, true)
            }
            Some(false) if vertex.ignores_cache => Cause::NoCache,
            Some(false) if run.is_first => Cause::First,
            Some(false) => self.why_not(run, vertex, slots),
        }
    }

    fn why_not(&self, run: &Run<'_>, vertex: &Vertex, slots: &[Slot]) -> Cause {
        for (number, input) in vertex.inputs.iter().enumerate().filter(|(_, input)| input.selectors.is_none()) {
            if run.outcomes.get(&input.vertex).is_some_and(|outcome| outcome.cached != Some(true)) {
                return self.why_of_input(run, vertex, number, false);
            }
        }
        if let Some(past) = self.past.iter().find(|past| past.key == vertex.key) {
            let known = self.store.inputs(past.record);
            for (number, (slot, known)) in slots.iter().zip(known).enumerate() {
                let is_other = match (&slot.content, &known.content) {
                    (Some(one), Some(two)) => Digest::same_all(one, two) != Truth::Yes,
                    _ => slot.id != known.id,
                };
                if is_other {
                    return self.why_of_input(run, vertex, number, false);
                }
            }
        }
        match self.nearest(vertex, slots) {
            Some(past) => Cause::Edited(difference(&past.facets, &vertex.facets)),
            None => Cause::New,
        }
    }

    fn why_of_input(&self, run: &Run<'_>, vertex: &Vertex, number: usize, is_doubtful: bool) -> Cause {
        let Some(input) = vertex.inputs.get(number) else { return Cause::New };
        let Some(source) = run.graph.vertices.get(input.vertex) else { return Cause::New };
        let label = source.label.clone();
        match (&source.op, &input.selectors, label) {
            (Op::Context(_), _, _) => Cause::Files(Vec::new()),
            (Op::Image(name), None, _) => Cause::Base(name.clone()),
            (Op::Image(name), Some(_), _) => Cause::Base(name.clone()),
            (Op::Document { .. }, _, _) => Cause::Edited("the text of the file is another".to_owned()),
            (_, None, Some(label)) if is_doubtful => Cause::MayFollow(label.name),
            (_, None, Some(label)) => Cause::Follows(label.name),
            (_, Some(selectors), Some(label)) => {
                let paths = selectors.iter().map(|selector| format!("/{}", selector.path)).collect();
                let stage = if label.stage.is_empty() { label.name } else { label.stage };
                match is_doubtful {
                    true => Cause::HangsOn { stage, paths },
                    false => Cause::Stage { stage, paths },
                }
            }
            _ => Cause::New,
        }
    }

    /// The step of the build before that was most like this one, and stood upon the same.
    fn nearest(&self, vertex: &Vertex, slots: &[Slot]) -> Option<&Past> {
        let label = vertex.label.as_ref()?;
        let base = slots.first().filter(|slot| slot.content.is_none()).map(|slot| slot.id);
        let candidates = self.past.iter().filter(|past| past.label.keyword == label.keyword);
        let candidates = candidates.filter(|past| {
            let known = self.store.inputs(past.record).first().filter(|slot| slot.content.is_none());
            known.map(|slot| slot.id) == base
        });
        let likeness = |past: &&Past| {
            let equal = past.facets.iter().zip(&vertex.facets).filter(|(one, two)| one == two).count();
            (equal, past.label.stage == label.stage)
        };
        candidates.max_by_key(likeness)
    }
}
