//! What a builder remembers of the steps that it ran.
//!
//! Input: keys. Output: records. The one idea: a step is a hit if a record has the same text and each of its inputs is
//! the record's, either by identity or by content; where one of these is not known, it may be a hit, and what comes of
//! it may be the same as that record.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::digest::{Digest, Truth, Unseen, hash};
use super::files::Files;

/// A record.
pub(super) type Id = usize;

/// An input of a step.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    /// What made it.
    pub(super) id: Id,
    /// The paths in it that count.
    pub(super) paths: String,
    /// What they hold; `None` where it counts by identity.
    pub(super) content: Option<Vec<Digest>>,
}

/// Stands for a key. An input counts by content where all of that is known, else by identity.
fn exact(key: &str, inputs: &[Slot]) -> u128 {
    fn part(slot: &Slot) -> (Option<Id>, &str, Option<Vec<u128>>) {
        let known = slot.content.as_ref().and_then(|content| {
            let known = content.iter().map(|digest| match digest {
                Digest::Known(known) => Some(*known),
                Digest::Open(_) => None,
            });
            known.collect::<Option<Vec<u128>>>()
        });
        if known.is_some() { (None, "", known) } else { (Some(slot.id), &slot.paths, None) }
    }
    hash(&(key, inputs.iter().map(part).collect::<Vec<_>>()))
}

#[derive(Debug)]
struct Record {
    inputs: Vec<Slot>,
    /// Records that it may be the same as.
    maybe: Vec<Id>,
    files: Option<(Arc<Files>, bool)>,
}

/// What a look-up found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The record that is a hit.
    pub(super) sure: Option<Id>,
    /// Records that may be hits, and the first input of each that nobody knows.
    pub(super) maybe: Vec<(Id, usize)>,
}

/// Everything that was ever run.
#[derive(Debug, Default)]
pub(super) struct Store {
    records: Vec<Record>,
    by_key: HashMap<String, Vec<Id>>,
    /// Records by all that is in their keys, where that is known.
    exact: HashMap<u128, Id>,
    unseen: Unseen,
    /// Names for files of which somebody said when they are the same.
    told: HashMap<String, Unseen>,
}

/// As many records that a step may be the same as are remembered.
const MOST_MAYBE: usize = 8;

/// As many records of one text are looked at for what may be a hit, the youngest first.
const MOST_CANDIDATES: usize = 64;

/// As many records are looked at to find out whether two may be one.
const MOST_POSSIBLE: usize = 64;

impl Store {
    pub(super) fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// A name for files that cannot be seen.
    pub(super) fn new_unseen(&mut self) -> Unseen {
        self.unseen += 1;
        self.unseen
    }

    /// A name for files that cannot be seen but are the same whenever `text` is.
    pub(super) fn told(&mut self, text: &str) -> Unseen {
        if let Some(&known) = self.told.get(text) {
            return known;
        }
        let unseen = self.new_unseen();
        self.told.insert(text.to_owned(), unseen);
        unseen
    }

    /// A record that no key leads to.
    pub(super) fn anonymous(&mut self) -> Id {
        self.records.push(Record { inputs: Vec::new(), maybe: Vec::new(), files: None });
        self.records.len() - 1
    }

    pub(super) fn look_up(&self, key: &str, inputs: &[Slot]) -> Found {
        let mut found = Found { sure: self.exact.get(&exact(key, inputs)).copied(), maybe: Vec::new() };
        if found.sure.is_some() {
            return found;
        }
        for &id in self.by_key.get(key).into_iter().flatten().rev().take(MOST_CANDIDATES) {
            let Some(record) = self.records.get(id).filter(|record| record.inputs.len() == inputs.len()) else {
                continue;
            };
            let mut truth = Truth::Yes;
            let mut doubtful = None;
            for (number, (slot, known)) in inputs.iter().zip(&record.inputs).enumerate() {
                let here = self.same_input(slot, known);
                if here == Truth::Unknown {
                    doubtful.get_or_insert(number);
                }
                truth = truth.and(here);
            }
            match (truth, doubtful) {
                (Truth::Yes, _) => found.sure = Some(id),
                (Truth::Unknown, Some(doubtful)) => found.maybe.push((id, doubtful)),
                _ => {}
            }
        }
        found
    }

    /// Whether an input is what a record had.
    fn same_input(&self, slot: &Slot, known: &Slot) -> Truth {
        let by_identity = match slot.paths == known.paths {
            true => self.same(slot.id, known.id),
            false => Truth::No,
        };
        match (&slot.content, &known.content) {
            (Some(one), Some(two)) if by_identity != Truth::Yes => by_identity.or(Digest::same_all(one, two)),
            _ => by_identity,
        }
    }

    /// Whether two records are one.
    pub(super) fn same(&self, one: Id, two: Id) -> Truth {
        if one == two {
            return Truth::Yes;
        }
        let has_doubt = |id: Id| self.records.get(id).is_some_and(|record| !record.maybe.is_empty());
        if !has_doubt(one) && !has_doubt(two) {
            return Truth::No;
        }
        match (self.possible(one), self.possible(two)) {
            (Some(one), Some(two)) if one.is_disjoint(&two) => Truth::No,
            _ => Truth::Unknown,
        }
    }

    /// Every record that `id` may be; `None` if they are too many.
    fn possible(&self, id: Id) -> Option<BTreeSet<Id>> {
        let mut all = BTreeSet::new();
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            if all.insert(id) {
                open.extend(self.records.get(id).into_iter().flat_map(|record| &record.maybe));
            }
            if all.len() > MOST_POSSIBLE {
                return None;
            }
        }
        Some(all)
    }

    pub(super) fn add(&mut self, key: &str, inputs: Vec<Slot>, found: &Found) -> Id {
        let id = self.records.len();
        self.exact.entry(exact(key, &inputs)).or_insert(id);
        let maybe = found.maybe.iter().map(|(id, _)| *id).take(MOST_MAYBE).collect();
        self.records.push(Record { inputs, maybe, files: None });
        match self.by_key.get_mut(key) {
            Some(ids) => ids.push(id),
            None => {
                self.by_key.insert(key.to_owned(), vec![id]);
            }
        }
        id
    }

    /// The inputs that a record had.
    pub(super) fn inputs(&self, id: Id) -> &[Slot] {
        self.records.get(id).map_or(&[], |record| &record.inputs)
    }

    /// The files that a step left, and whether all that it wrote is in them.
    pub(super) fn files(&self, id: Id) -> Option<(Arc<Files>, bool)> {
        self.records.get(id)?.files.clone()
    }

    pub(super) fn keep_files(&mut self, id: Id, files: Arc<Files>, is_whole: bool) {
        if let Some(record) = self.records.get_mut(id) {
            record.files = Some((files, is_whole));
        }
    }

    /// Forgets the files of all but `kept`, so that memory does not grow with the number of builds.
    pub(super) fn forget_files(&mut self, old: &BTreeSet<Id>, kept: &BTreeSet<Id>) {
        for &id in old.difference(kept) {
            if let Some(record) = self.records.get_mut(id) {
                record.files = None;
            }
        }
    }
}
