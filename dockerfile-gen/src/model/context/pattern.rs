//! Lists of patterns as moby's patternmatcher v0.6.0 reads them: .dockerignore, `--exclude`, `--parents`.
//!
//! Input: patterns. Output: [`Matcher`], and [`Walk`], which asks it about many paths in order. The one idea: the last
//! pattern that matches a path or a folder above it decides, and what is known of a folder is not asked again for what
//! lies in it. The order of asking is moby's, quirks included, since a line that was not asked about a folder does not
//! count for what lies in it. <https://pkg.go.dev/github.com/moby/patternmatcher>

use super::go_path::clean;
use crate::patterns::Reason;
use crate::patterns::docker::DockerPattern;
use crate::patterns::go_path::{MALFORMED, is_refused};

/// One pattern.
#[derive(Clone, Debug)]
struct Pattern {
    /// Whether it brings back, as a leading `!` says.
    is_exception: bool,
    read: DockerPattern,
}

/// Patterns in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matcher {
    patterns: Vec<Pattern>,
    has_exceptions: bool,
}

/// What patterns say of a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) matched: bool,
    /// The number, from 0, of the pattern that decided; `None` if none matches.
    pub(crate) by: Option<usize>,
}

impl Matcher {
    /// Reads one more pattern; says whether it is one (blanks are none).
    pub(crate) fn push(&mut self, text: &str) -> Result<bool, Reason> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(false);
        }
        let text = clean(text);
        let (is_exception, text) = text.strip_prefix('!').map_or((false, text.as_str()), |text| (true, text));
        if text.is_empty() {
            return Err("`!` stands alone");
        }
        if is_refused(text) {
            return Err(MALFORMED);
        }
        self.patterns.push(Pattern { is_exception, read: DockerPattern::new(text)? });
        self.has_exceptions |= is_exception;
        Ok(true)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Asks about `path`, which lies in a folder of which `above` is known, and notes what a folder must know.
    fn decide(&self, path: &str, above: &[bool], mut note: Option<&mut Vec<bool>>) -> Decision {
        let mut decision = Decision::default();
        for (at, pattern) in self.patterns.iter().enumerate() {
            let above = above.get(at).copied().unwrap_or_default();
            let hit = above || pattern.is_exception == decision.matched && pattern.read.matches(path);
            if let Some(note) = &mut note {
                note.push(hit);
            }
            if hit && decision.matched == pattern.is_exception {
                decision = Decision { matched: !pattern.is_exception, by: Some(at) };
            }
        }
        decision
    }

    /// Whether `path`, which [`Walk`] keeps, is refused when its bytes are asked for: there, every pattern is asked
    /// about every folder above.
    pub(crate) fn refuses_to_open(&self, path: &str) -> bool {
        if !self.has_exceptions {
            return false;
        }
        let mut matched = false;
        for pattern in &self.patterns {
            let mut ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
            if pattern.is_exception == matched && ends.any(|end| pattern.read.matches(&path[..end])) {
                matched = !pattern.is_exception;
            }
        }
        matched
    }
}

/// Asks about paths one after the other; quick if those of a folder come together.
pub(crate) struct Walk<'m, 'p> {
    matcher: &'m Matcher,
    open: Vec<Folder<'p>>,
}

struct Folder<'p> {
    path: &'p str,
    decision: Decision,
    matched: Vec<bool>,
}

impl<'m, 'p> Walk<'m, 'p> {
    pub(crate) fn new(matcher: &'m Matcher) -> Self {
        Self { matcher, open: Vec::new() }
    }

    /// What the patterns say of `path`; never anything of the root.
    pub(crate) fn decide(&mut self, path: &'p str) -> Decision {
        if path.is_empty() {
            return Decision::default();
        }
        self.enter(parent(path));
        let Some(folder) = self.open.last() else { return self.matcher.decide(path, &[], None) };
        if folder.decision.matched && !self.matcher.has_exceptions {
            return folder.decision;
        }
        self.matcher.decide(path, &folder.matched, None)
    }

    fn enter(&mut self, dir: &'p str) {
        while self.open.last().is_some_and(|folder| !holds(folder.path, dir)) {
            self.open.pop();
        }
        let known = self.open.last().map_or(0, |folder| folder.path.len());
        let ends = dir.match_indices('/').map(|(at, _)| at).chain([dir.len()]).filter(|&end| end > known);
        for end in ends {
            let path = &dir[..end];
            let mut matched = Vec::with_capacity(self.matcher.patterns.len());
            let above = self.open.last().map_or(&[][..], |folder| &folder.matched);
            let decision = self.matcher.decide(path, above, Some(&mut matched));
            self.open.push(Folder { path, decision, matched });
        }
    }
}

/// Whether `dir` is `folder` or lies in it.
fn holds(folder: &str, dir: &str) -> bool {
    dir.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    /// moby's translation, literally: a regular expression for each pattern, all of it left to the regex crate.
    fn expression(pattern: &str) -> Regex {
        let any = "(?s:.*)";
        let plain = |text: &str| !text.contains(['*', '?', '[', ']', '\\']);
        let text = match (pattern.strip_prefix("**"), pattern.strip_suffix("**")) {
            (Some(""), _) => any.to_owned(),
            (Some(suffix), _) if plain(suffix) => {
                format!("{any}{}|{}", regex::escape(suffix), regex::escape(suffix.strip_prefix('/').unwrap_or("\0")))
            }
            (_, Some(prefix)) if plain(prefix) => format!("{}{any}", regex::escape(prefix)),
            _ if plain(pattern) => regex::escape(pattern),
            _ => translate(pattern),
        };
        Regex::new(&format!("^(?:{text})$")).unwrap()
    }

    fn translate(pattern: &str) -> String {
        let (mut rest, mut text) = (pattern, String::new());
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix("**") {
                rest = after.strip_prefix('/').unwrap_or(after);
                text += if rest.is_empty() { ".*" } else { "(?:.*/)?" };
            } else if let Some(after) = rest.strip_prefix('*') {
                (rest, text) = (after, text + "[^/]*");
            } else if let Some(after) = rest.strip_prefix('?') {
                (rest, text) = (after, text + "[^/]");
            } else if rest.starts_with(['.', '$', '+', '(', ')']) {
                let (one, after) = rest.split_at(1);
                (rest, text) = (after, text + "\\" + one);
            } else {
                let chars = if rest.starts_with('\\') { 2 } else { 1 };
                let end = rest.char_indices().nth(chars).map_or(rest.len(), |(at, _)| at);
                text += &rest[..end];
                rest = &rest[end..];
            }
        }
        text
    }

    /// Asks about every folder on the way, noting for each pattern whether it was seen to match.
    fn slow(patterns: &[(bool, Regex)], path: &str) -> bool {
        let mut noted = vec![false; patterns.len()];
        let mut matched = false;
        for end in path.match_indices('/').map(|(at, _)| at).chain([path.len()]) {
            matched = false;
            for ((is_exception, regex), noted) in patterns.iter().zip(&mut noted) {
                *noted = *noted || *is_exception == matched && regex.is_match(&path[..end]);
                if *noted {
                    matched = !*is_exception;
                }
            }
        }
        matched
    }

    fn matcher(patterns: &[&str]) -> Matcher {
        let mut matcher = Matcher::default();
        patterns.iter().for_each(|pattern| assert!(matcher.push(pattern).unwrap()));
        matcher
    }

    fn hits(pattern: &str, path: &str) -> bool {
        let matcher = matcher(&[pattern]);
        Walk::new(&matcher).decide(path).matched
    }

    #[test]
    fn what_no_glob_says_reaches_the_expression() {
        assert!(hits("\\d*", "1x") && !hits("\\d*", "dx"));
        assert!(hits("a|b*", "ax") && hits("a|b*", "xb") && !hits("a|b", "a"));
        assert!(hits("x{2}?", "xxa") && !hits("x{2}?", "x{2}a"));
        assert!(hits("*.{js,ts}", "a.{js,ts}") && !hits("*.{js,ts}", "a.js"));
        assert!(hits("^a*", "ab") && hits("^a", "^a"));
        assert!(hits("a[^x]b", "a/b") && hits("[[:alpha:]]1", "b1") && hits("a[*]b", "a/]b"));
        assert!(hits("\\x61?", "ab") && hits("\\141?", "ab") && hits("\\Qa", "a") == hits("\\Qa", "Qa"));
        for bad in ["x\\q", "*{2}", "a[", "[z-a]", "!", "a{2000}*", "\\pL", "a\\"] {
            assert!(Matcher::default().push(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn two_stars_without_slashes_are_prefix_and_suffix() {
        assert!(hits("**.md", "a/xb.md") && !hits("**.md", "md") && hits("**/md", "md") && hits("**md", "xmd"));
        assert!(hits("foo**", "foobar/x") && hits("foo/**", "foo/x") && !hits("foo/**", "foo"));
    }

    #[test]
    fn a_later_line_reaches_a_file_only_if_it_was_asked_about_the_folder() {
        let matcher = matcher(&["*", "!a/b", "a"]);
        assert!(!Walk::new(&matcher).decide("a/b").matched);
        assert!(matcher.refuses_to_open("a/b"), "BuildKit lists the file and then sends nothing of it");
    }

    #[test]
    fn a_hostile_line_costs_no_more_than_its_length() {
        let matcher = matcher(&[&"a*".repeat(500), &"**/a/".repeat(300), &"a{0,900}".repeat(20)]);
        assert!(!Walk::new(&matcher).decide(&"a".repeat(3000).replace("aaaaaaaa", "aaaaaaa/")).matched);
    }

    fn pattern() -> impl Strategy<Value = String> {
        let part = prop::sample::select(vec![
            "a", "b", "c", "ab", "/", "/", "*", "**", "**/", "/**", "?", "[ab]", "[^a]", "[a-c]", "\\*", "\\.", ".",
            "+", "$",
        ]);
        (prop::bool::weighted(0.3), prop::collection::vec(part, 1..6)).prop_map(|(is_exception, parts)| {
            let text = clean(&parts.concat()).trim_start_matches('/').to_owned();
            format!("{}{}", if is_exception { "!" } else { "" }, if text.is_empty() { "a" } else { &text })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]
        #[test]
        fn agrees_with_moby_on_the_regex_crate(
            patterns in prop::collection::vec(pattern(), 1..5),
            mut paths in prop::collection::vec("[abc.*]{1,3}(/[abc]{1,2}){0,3}", 1..20),
        ) {
            paths.sort();
            let mut matcher = Matcher::default();
            let mut regexes = Vec::new();
            for pattern in &patterns {
                prop_assert!(matcher.push(pattern).unwrap());
                let (is_exception, pattern) = pattern.strip_prefix('!').map_or((false, pattern.as_str()), |rest| (true, rest));
                regexes.push((is_exception, expression(pattern)));
            }
            let mut walk = Walk::new(&matcher);
            for path in &paths {
                prop_assert_eq!(walk.decide(path).matched, slow(&regexes, path), "{:?} {}", patterns, path);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,30}", path in "\\PC{0,20}") {
            let mut matcher = Matcher::default();
            if matcher.push(&text).is_ok() {
                Walk::new(&matcher).decide(&path);
            }
        }

        #[test]
        fn any_mix_of_what_means_something_is_read_or_refused(
            parts in prop::collection::vec(prop::sample::select(vec![
                "[", "]", "^", "-", "\\", "Q", "E", "x", "{", "}", ",", "1", "9", "|", "*", "?", "/", "!", "[:", ":]", "é", "a", "b",
            ]), 0..12),
            path in "[ab1/é]{0,8}",
        ) {
            let mut matcher = Matcher::default();
            if matcher.push(&parts.concat()).is_ok() {
                Walk::new(&matcher).decide(&path);
            }
        }
    }
}
