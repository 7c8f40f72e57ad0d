//! A set of characters, as `[a-z]` writes it.

/// Characters (or bytes, for the dialects that count bytes) given as ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Class {
    ranges: Vec<(u32, u32)>,
    negated: bool,
    /// Whether it may match a `/`: a path's own globs never do, the regular expressions of a .dockerignore do.
    slash: bool,
}

const SLASH: u32 = '/' as u32;

impl Class {
    /// Everything.
    pub(crate) fn any() -> Self {
        Self { ranges: Vec::new(), negated: true, slash: true }
    }

    /// Everything but the separator of folders.
    pub(crate) fn no_slash() -> Self {
        Self { ranges: Vec::new(), negated: true, slash: false }
    }

    /// What lies in `ranges` (both ends belong to them), or what does not.
    pub(crate) fn new(ranges: Vec<(u32, u32)>, negated: bool, slash: bool) -> Self {
        Self { ranges, negated, slash }
    }

    /// Whether it is exactly [`Class::no_slash`], for which there is a short cut.
    pub(crate) fn is_no_slash(&self) -> bool {
        self.negated && (self.ranges.as_slice() == [(SLASH, SLASH)] || self.ranges.is_empty() && !self.slash)
    }

    pub(crate) fn has(&self, unit: u32) -> bool {
        if unit == SLASH && !self.slash {
            return false;
        }
        self.ranges.iter().any(|&(low, high)| low <= unit && unit <= high) != self.negated
    }
}

/// The ASCII characters of a named class such as `[:alpha:]`; `None` for a name that POSIX does not have.
pub(crate) fn posix(name: &str) -> Option<&'static [(u32, u32)]> {
    Some(match name {
        "alnum" => &[(48, 57), (65, 90), (97, 122)],
        "alpha" => &[(65, 90), (97, 122)],
        "blank" => &[(9, 9), (32, 32)],
        "cntrl" => &[(0, 31), (127, 127)],
        "digit" => &[(48, 57)],
        "graph" => &[(33, 126)],
        "lower" => &[(97, 122)],
        "print" => &[(32, 126)],
        "punct" => &[(33, 47), (58, 64), (91, 96), (123, 126)],
        "space" => &[(9, 13), (32, 32)],
        "upper" => &[(65, 90)],
        "xdigit" => &[(48, 57), (65, 70), (97, 102)],
        _ => return None,
    })
}
