//! What some files hold, as far as it can be known.
//!
//! Input: files. Output: [`Digest`], and [`Truth`] about whether two are equal. The one idea: what a `RUN` left can be
//! named but not seen, so two names may or may not stand for the same bytes; what was copied upon it can be seen.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Whether something is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Truth {
    No,
    Unknown,
    Yes,
}

impl Truth {
    pub(super) fn and(self, other: Self) -> Self {
        self.min(other)
    }

    pub(super) fn or(self, other: Self) -> Self {
        self.max(other)
    }

    fn of(is_so: bool) -> Self {
        if is_so { Self::Yes } else { Self::No }
    }
}

/// Files that can be named but not seen: what one `RUN` left, or what an image holds.
pub(super) type Unseen = usize;

/// What a file or folder holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Digest {
    /// All of it is known, and this stands for it.
    Known(u128),
    /// Not all is known.
    Open(Arc<Open>),
}

/// What is known of files of which not all is known.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Open {
    /// What lies below what is known; `None` for nothing.
    pub(super) below: Option<Unseen>,
    /// Which part of it is meant.
    pub(super) path: String,
    /// What was put upon it, by the path from there.
    pub(super) over: BTreeMap<String, Digest>,
}

/// More entries than this are kept as one number.
const MOST_ENTRIES: usize = 64;

impl Digest {
    /// The digest of what `over` says lies upon `below`.
    pub(super) fn open(below: Option<Unseen>, path: &str, mut over: BTreeMap<String, Self>) -> Self {
        if over.len() > MOST_ENTRIES {
            let mut sum = 0_u128;
            over.retain(|path, digest| match digest {
                Self::Known(known) => {
                    sum = sum.wrapping_add(hash(&(path, *known)));
                    false
                }
                Self::Open(_) => true,
            });
            over.insert("\0".to_owned(), Self::Known(sum));
        }
        Self::Open(Arc::new(Open { below, path: path.to_owned(), over }))
    }

    /// Whether both stand for the same files.
    pub(super) fn same(&self, other: &Self) -> Truth {
        match (self, other) {
            (Self::Known(one), Self::Known(two)) => Truth::of(one == two),
            (Self::Open(one), Self::Open(two)) => one.same(two),
            (Self::Known(_), Self::Open(_)) | (Self::Open(_), Self::Known(_)) => Truth::Unknown,
        }
    }

    /// Whether two lists stand for the same files one by one.
    pub(super) fn same_all(one: &[Self], two: &[Self]) -> Truth {
        if one.len() != two.len() {
            return Truth::No;
        }
        one.iter().zip(two).fold(Truth::Yes, |truth, (one, two)| truth.and(one.same(two)))
    }
}

impl Open {
    fn same(&self, other: &Self) -> Truth {
        if self == other {
            return Truth::Yes;
        }
        // One and the same file below, or nothing: what lies upon it decides.
        let is_same_below = self.below == other.below && (self.below.is_none() || self.path == other.path);
        let mut truth = if is_same_below { Truth::Yes } else { Truth::Unknown };
        for (path, digest) in &self.over {
            match other.over.get(path) {
                Some(other) => truth = truth.and(digest.same(other)),
                None if is_same_below => return Truth::No,
                None => {}
            }
        }
        match is_same_below && other.over.len() != self.over.len() {
            true => Truth::No,
            false => truth,
        }
    }
}

/// A number that stands for `parts`, the same for the whole run of the program.
pub(super) fn hash(parts: &impl Hash) -> u128 {
    let mut one = DefaultHasher::new();
    parts.hash(&mut one);
    let mut two = one.clone();
    two.write_u8(1);
    u128::from(one.finish()) << 64 | u128::from(two.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(below: Option<Unseen>, over: &[(&str, u128)]) -> Digest {
        let over = over.iter().map(|(path, digest)| ((*path).to_owned(), Digest::Known(*digest))).collect();
        Digest::open(below, "/o", over)
    }

    #[test]
    fn what_cannot_be_seen_may_be_equal() {
        assert_eq!(open(Some(1), &[]).same(&open(Some(1), &[])), Truth::Yes);
        assert_eq!(open(Some(1), &[]).same(&open(Some(2), &[])), Truth::Unknown);
        assert_eq!(open(Some(1), &[]).same(&Digest::Known(1)), Truth::Unknown);
    }

    #[test]
    fn what_was_copied_upon_it_decides() {
        assert_eq!(open(Some(1), &[("a", 1)]).same(&open(Some(2), &[("a", 2)])), Truth::No);
        assert_eq!(open(Some(1), &[("a", 1)]).same(&open(Some(2), &[("a", 1)])), Truth::Unknown);
        assert_eq!(open(Some(1), &[("a", 1)]).same(&open(Some(1), &[("a", 1), ("b", 1)])), Truth::No);
        assert_eq!(open(Some(1), &[("a", 1)]).same(&open(Some(1), &[("b", 1)])), Truth::No);
    }
}
