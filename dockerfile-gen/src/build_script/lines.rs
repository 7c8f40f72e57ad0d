//! What a build script says to cargo.
//!
//! Input: [`Line`]s. Output: `cargo::…` on stdout. The one idea: this is the only place in the library that prints,
//! because for a build script stdout is the way to cargo and to nobody else.
//!
//! Source: <https://doc.rust-lang.org/cargo/reference/build-scripts.html#outputs-of-the-build-script>.

use std::io::Write;
use std::path::PathBuf;

use crate::stacks::is_source;
use crate::tree::RelPath;
use crate::visible;

/// One instruction to cargo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Run the script again when this file or folder changes, or while it is missing.
    Watch(PathBuf),
    /// Run the script again when this variable changes.
    WatchVariable(&'static str),
    /// Show this, now and with every build until the script runs again.
    Warning(String),
    /// Show this and let the build fail.
    Error(String),
}

/// Prints the lines.
pub(super) fn print(lines: &[Line]) {
    let text: String = lines.iter().map(|line| spelled(line) + "\n").collect();
    let mut out = std::io::stdout().lock();
    // Without a reader there is no cargo to tell, and a Dockerfile is no reason for a build to fail.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn spelled(line: &Line) -> String {
    let (key, text) = match line {
        Line::Watch(path) => ("rerun-if-changed", path.to_string_lossy().into_owned()),
        Line::WatchVariable(name) => ("rerun-if-env-changed", (*name).to_owned()),
        Line::Warning(text) => ("warning", text.clone()),
        Line::Error(text) => ("error", text.clone()),
    };
    // A line break would start another instruction, and the text may come from a manifest.
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line {
        // A path is for cargo, which does not show it.
        Line::Watch(_) | Line::WatchVariable(_) => format!("cargo::{key}={}", text.trim()),
        Line::Warning(_) | Line::Error(_) => format!("cargo::{key}={}", visible::line(text.trim())),
    }
}

/// Lines of a difference that are shown; the rest is counted.
const SHOWN: usize = 60;

/// Says that a file is stale: with the difference where the build fails for it, in one line otherwise.
pub(super) fn stale(path: &RelPath, diff: &str, fails: bool, lines: &mut Vec<Line>) {
    let headline = format!("`{path}` is stale: run `cargo dockerfile` to refresh it");
    if !fails {
        lines.push(Line::Warning(headline));
        return;
    }
    lines.push(Line::Error(headline));
    let all: Vec<&str> = diff.lines().collect();
    lines.extend(all.iter().take(SHOWN).map(|line| Line::Error((*line).to_owned())));
    if all.len() > SHOWN {
        let more = all.len() - SHOWN;
        lines.push(Line::Error(format!("… and {more} more lines: `cargo dockerfile --diff` shows all")));
    }
}

/// Whether cargo should run the script again when this file changes: not for sources, which change all the time and
/// seldom say anything that gets into a Dockerfile.
pub(super) fn is_watched(path: &RelPath) -> bool {
    let name = path.file_name();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    !(is_source(extension) || extension == "html") || name.contains(".config.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_a_project_is_one_line() {
        let line = Line::Warning("a\ncargo::rustc-link-lib=evil\r\u{85}b".into());
        assert_eq!(spelled(&line), "cargo::warning=a cargo::rustc-link-lib=evil  b");
        assert_eq!(
            spelled(&Line::Error("a\u{202e}b\u{2028}\u{1b}[2J".into())),
            "cargo::error=a\\u{202e}b\\u{2028} [2J"
        );
    }

    #[test]
    fn manifests_are_watched_and_sources_are_not() {
        let watched = |path: &str| is_watched(&RelPath::new(path).unwrap());
        for path in ["Cargo.toml", "crates/a/Cargo.toml", "go.sum", ".cargo/config.toml", "web/vite.config.ts"] {
            assert!(watched(path), "{path}");
        }
        assert!(!watched("src/main.rs") && !watched("web/src/App.tsx"));
    }

    #[test]
    fn a_long_difference_is_cut() {
        let diff = "+x\n".repeat(SHOWN + 5);
        let mut lines = Vec::new();
        stale(&RelPath::new("Dockerfile").unwrap(), &diff, true, &mut lines);
        assert_eq!(lines.len(), SHOWN + 2);
        assert!(spelled(&lines[SHOWN + 1]).contains("5 more lines"));
    }
}
