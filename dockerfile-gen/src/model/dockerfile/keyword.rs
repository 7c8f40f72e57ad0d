//! The names of instructions.

use std::fmt;

/// What an instruction is, by its first word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // each is the instruction of that name
pub enum Keyword {
    Add,
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Expose,
    From,
    Healthcheck,
    Label,
    Maintainer,
    Onbuild,
    Run,
    Shell,
    StopSignal,
    User,
    Volume,
    Workdir,
    /// A first word that BuildKit does not know.
    Unknown,
}

impl Keyword {
    /// Every instruction that BuildKit knows.
    pub const ALL: [Self; 18] = [
        Self::Add,
        Self::Arg,
        Self::Cmd,
        Self::Copy,
        Self::Entrypoint,
        Self::Env,
        Self::Expose,
        Self::From,
        Self::Healthcheck,
        Self::Label,
        Self::Maintainer,
        Self::Onbuild,
        Self::Run,
        Self::Shell,
        Self::StopSignal,
        Self::User,
        Self::Volume,
        Self::Workdir,
    ];

    /// The instruction named `word`, in whatever case.
    pub fn parse(word: &str) -> Self {
        // Through small letters, as BuildKit does: a few letters outside ASCII have only one of the two.
        let word = word.to_lowercase();
        Self::ALL.into_iter().find(|keyword| keyword.as_str().to_lowercase() == word).unwrap_or(Self::Unknown)
    }

    /// The name in capitals; `UNKNOWN` for [`Keyword::Unknown`].
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "ADD",
            Self::Arg => "ARG",
            Self::Cmd => "CMD",
            Self::Copy => "COPY",
            Self::Entrypoint => "ENTRYPOINT",
            Self::Env => "ENV",
            Self::Expose => "EXPOSE",
            Self::From => "FROM",
            Self::Healthcheck => "HEALTHCHECK",
            Self::Label => "LABEL",
            Self::Maintainer => "MAINTAINER",
            Self::Onbuild => "ONBUILD",
            Self::Run => "RUN",
            Self::Shell => "SHELL",
            Self::StopSignal => "STOPSIGNAL",
            Self::User => "USER",
            Self::Volume => "VOLUME",
            Self::Workdir => "WORKDIR",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// Whether words of the form `<<EOF` begin a heredoc here.
    pub fn takes_heredocs(self) -> bool {
        matches!(self, Self::Add | Self::Copy | Self::Run)
    }
}

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The candidate that `word` was probably meant to be: the nearest one, with a slip for every three letters at most.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A long word is no slip of a short one, and the table of distances grows with both.
    if word.chars().count() > 24 {
        return None;
    }
    let word = word.to_lowercase();
    let near = candidates.into_iter().map(|known| (distance(&word, &known.to_lowercase()), known));
    let (slips, known) = near.min_by_key(|&(slips, _)| slips)?;
    (slips <= 2 && slips * 3 <= known.len()).then_some(known)
}

/// How many characters must be put in, taken out, changed or swapped with the next to get from `a` to `b`.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            if i == 0 || j == 0 {
                table[i][j] = i + j;
                continue;
            }
            let changed = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = changed.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(table[i - 2][j - 2] + 1);
            }
            table[i][j] = best;
        }
    }
    table[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_case_of_an_instruction_does_not_matter() {
        assert_eq!(Keyword::parse("sToPsIgNaL"), Keyword::StopSignal);
        assert_eq!(Keyword::parse("FORM"), Keyword::Unknown);
        assert_eq!(Keyword::parse(""), Keyword::Unknown);
    }

    #[test]
    fn slips_are_recognised_and_other_words_are_not() {
        let names = || Keyword::ALL.map(Keyword::as_str);
        assert_eq!(nearest("FORM", names()), Some("FROM"));
        assert_eq!(nearest("copyy", names()), Some("COPY"));
        assert_eq!(nearest("apt-get", names()), None);
        assert_eq!(nearest("FOO", names()), None);
        assert_eq!(nearest("", names()), None);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("form", "from"), 1);
    }
}
