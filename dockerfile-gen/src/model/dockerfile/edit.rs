//! Changes to a text that leave the rest of it alone.
//!
//! Input: a text and [`Edit`]s. Output: the changed text. The one idea: a change is a span and what to put
//! there; spans that overlap are an error and never a surprise.

use std::collections::BTreeSet;

use super::span::Span;

/// Puts `text` in the place of what `span` covers. An empty span inserts, an empty text removes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edit {
    /// What goes.
    pub span: Span,
    /// What comes.
    pub text: String,
}

/// Why edits cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// It reaches over the end of the text, or into the middle of a character.
    #[error("edit of bytes {} to {} does not fit the text", .0.start, .0.end)]
    Misfit(Span),
    /// Two of them change the same bytes.
    #[error("edits of bytes {} to {} and {} to {} overlap", .0.start, .0.end, .1.start, .1.end)]
    Overlap(Span, Span),
}

/// Applies all `edits` to `source`, whatever their order. Insertions at one place keep theirs; the same edit
/// given twice is applied once.
///
/// ```
/// use dockerfile_gen::dockerfile::{Edit, Span, apply_edits};
/// let edit = Edit { span: Span::new(5, 9), text: "alpine".into() };
/// assert_eq!(apply_edits("FROM a:12 AS b\n", &[edit]).unwrap(), "FROM alpine AS b\n");
/// ```
///
/// # Errors
/// [`EditError`] if one does not fit the text, or two overlap.
pub fn apply_edits(source: &str, edits: &[Edit]) -> Result<String, EditError> {
    let mut seen = BTreeSet::new();
    let mut sorted: Vec<&Edit> = edits.iter().filter(|edit| seen.insert(*edit)).collect();
    sorted.sort_by_key(|edit| edit.span);
    let mut out = String::with_capacity(source.len());
    let mut last = Span::default();
    for edit in sorted {
        if edit.span.start < last.end {
            return Err(EditError::Overlap(last, edit.span));
        }
        let between = source.get(last.end..edit.span.start).ok_or(EditError::Misfit(edit.span))?;
        source.get(edit.span.start..edit.span.end).ok_or(EditError::Misfit(edit.span))?;
        out.push_str(between);
        out.push_str(&edit.text);
        last = edit.span;
    }
    out.push_str(source.get(last.end..).unwrap_or_default());
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(start: usize, end: usize, text: &str) -> Edit {
        Edit { span: Span::new(start, end), text: text.into() }
    }

    #[test]
    fn edits_are_applied_whatever_their_order() {
        let edits = [edit(4, 5, "E"), edit(0, 1, ""), edit(2, 2, "x"), edit(2, 2, "y"), edit(6, 6, "!")];
        assert_eq!(apply_edits("abcdef", &edits).unwrap(), "bxycdEf!");
    }

    #[test]
    fn neighbours_do_not_overlap_and_the_same_edit_counts_once() {
        assert_eq!(apply_edits("abc", &[edit(1, 2, "y"), edit(0, 1, "x"), edit(1, 2, "y")]).unwrap(), "xyc");
    }

    #[test]
    fn overlaps_and_misfits_are_refused() {
        assert!(matches!(apply_edits("abc", &[edit(0, 2, ""), edit(1, 3, "")]), Err(EditError::Overlap(..))));
        assert!(matches!(apply_edits("abc", &[edit(2, 4, "")]), Err(EditError::Misfit(_))));
        assert!(matches!(apply_edits("é", &[edit(1, 1, "x")]), Err(EditError::Misfit(_))));
    }
}
