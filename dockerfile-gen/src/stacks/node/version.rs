//! Which Node the project asks for.
//!
//! Input: version files, package.json. Output: a major version. The one idea: a file that pins a version comes before a
//! range, and of a range the image takes a release line with long-term support.

use nodejs_semver::Range;

use super::manifest::{Manifest, major};
use crate::error::Result;
use crate::facts::Notes;
use crate::tree::Tree;

/// Release lines with long-term support, the preferred one first: in wide use and maintained, then what is newer, then
/// older ones. Source: <https://github.com/nodejs/Release>.
const LINES: [u32; 7] = [24, 26, 22, 20, 18, 16, 14];

/// Lines whose maintenance is over.
const ENDED: u32 = 20;

/// Decides the major version and says why; the second value says whether the project pins it.
pub(crate) fn detect(tree: &dyn Tree, root: &Manifest, package: &Manifest, notes: &mut Notes) -> Result<(u32, bool)> {
    let pinned = pinned(tree, root, package, notes)?;
    let version = pinned.unwrap_or_else(|| ranged(root, package, notes));
    Ok((supported(version, notes), pinned.is_some()))
}

/// A version that has images, with what the user should know of it.
fn supported(version: u32, notes: &mut Notes) -> u32 {
    if version % 2 == 1 && version < LINES[1] {
        // An odd line ends after half a year, and with it its images.
        notes.warn(format!(
            "Node {version} has ended and was never a long-term line; the image has Node {}",
            version + 1
        ));
        return version + 1;
    }
    if version <= ENDED {
        notes.warn(format!(
            "Node {version} gets no security fixes any more; ask for a newer line, such as {}",
            LINES[0]
        ));
    } else if version % 2 == 1 {
        notes.warn(format!("Node {version} is no line with long-term support; {} is one", version + 1));
    }
    version
}

/// The version that a file pins.
fn pinned(tree: &dyn Tree, root: &Manifest, package: &Manifest, notes: &mut Notes) -> Result<Option<u32>> {
    let mut folders = vec![package.dir.as_str(), root.dir.as_str(), ""];
    folders.dedup();
    for folder in folders {
        for name in [".nvmrc", ".node-version", ".tool-versions"] {
            let path = crate::tree::within(folder, name);
            let Some(text) = tree.text(&path)? else { continue };
            for (line, number) in text.lines().zip(1..) {
                let line = line.split('#').next().unwrap_or_default().trim();
                let asked = if name == ".tool-versions" {
                    let mut words = line.split_whitespace();
                    if !matches!(words.next(), Some("nodejs" | "node")) {
                        continue;
                    }
                    words.next().unwrap_or_default()
                } else {
                    line
                };
                if asked.is_empty() {
                    continue;
                }
                let Some(version) = named(asked) else {
                    notes.warn(format!("{path}:{number}: `{asked}` is not a version of Node that is known here"));
                    break;
                };
                notes.found(&path, Some(number), format!("Node {version}, pinned by `{asked}`"));
                return Ok(Some(version));
            }
        }
    }
    for manifest in [package, root] {
        if let Some(version) = manifest.str_at("volta", "node").and_then(named) {
            notes.found(&manifest.path, manifest.line("volta"), format!("Node {version}, pinned for Volta"));
            return Ok(Some(version));
        }
    }
    Ok(None)
}

/// A major version from `v20.11.1`, `20`, `lts/*` or `lts/jod`.
fn named(asked: &str) -> Option<u32> {
    let asked = asked.trim().to_ascii_lowercase();
    Some(match asked.as_str() {
        "lts/*" | "lts" | "lts/krypton" | "node" | "stable" | "latest" | "current" => 24,
        "lts/jod" => 22,
        "lts/iron" => 20,
        "lts/hydrogen" => 18,
        "lts/gallium" => 16,
        "lts/fermium" => 14,
        other => {
            let version = other.strip_prefix("lts/").unwrap_or(other).trim_start_matches('v');
            let plain = version.bytes().next().is_some_and(|byte| byte.is_ascii_digit());
            major(version).filter(|version| plain && (10..100).contains(version))?
        }
    })
}

/// The line that a range asks for, or the default.
fn ranged(root: &Manifest, package: &Manifest, notes: &mut Notes) -> u32 {
    let dev_engine = |manifest: &'_ Manifest| -> Option<String> {
        let runtime = manifest.at("devEngines", "runtime")?;
        let runtime = runtime.as_array().map_or(Some(runtime), |list| list.first())?;
        Some(runtime.get("version")?.as_str()?.to_owned())
    };
    for manifest in [package, root] {
        let (range, key) = match (manifest.str_at("engines", "node"), dev_engine(manifest)) {
            (Some(range), _) => (range.to_owned(), "engines"),
            (None, Some(range)) => (range, "devEngines"),
            (None, None) => continue,
        };
        let line = manifest.line_at(key, if key == "engines" { "node" } else { "runtime" });
        if let Some(version) = newest(&range) {
            notes.found(&manifest.path, line, format!("Node {version}, a long-term line that satisfies `{range}`"));
            return version;
        }
        if let Some(version) = named(range.trim_start_matches(['^', '~', '>', '<', '=', ' '])) {
            notes.found(&manifest.path, line, format!("Node {version}, from `{range}`"));
            return version;
        }
        notes.warn(format!("{}: no line of Node is known that satisfies `{range}`", manifest.path));
    }
    // Its releases are bound to versions of Node: <https://github.com/sass/node-sass#node-version-support-policy>.
    let bound = match package.major("node-sass").or_else(|| root.major("node-sass")) {
        Some(..=4) => Some(14),
        Some(5..=6) => Some(16),
        Some(7..=8) => Some(18),
        Some(9) => Some(20),
        _ => None,
    };
    if let Some(version) = bound {
        notes.found(
            &package.path,
            package.line("node-sass"),
            format!("Node {version}, the newest that node-sass compiles with"),
        );
        return version;
    }
    notes.found(&package.path, None, format!("Node {}, because nothing asks for another", LINES[0]));
    LINES[0]
}

/// The preferred line with a release that satisfies `range`.
fn newest(range: &str) -> Option<u32> {
    let range = Range::parse(range.trim()).ok()?;
    LINES.into_iter().find(|major| {
        // Of a line its latest release counts, which is not known here; it is above every lower bound that is in use.
        Range::parse(format!(">={major}.0.0 <{}.0.0-0", major + 1)).is_ok_and(|line| line.intersect(&range).is_some())
    })
}

/// The Debian release of the official images of this version: older lines ended before the newest came.
pub(crate) fn suite(major: u32, newest: &'static str) -> &'static str {
    match major {
        ..=15 => "bullseye",
        16..=19 => "bookworm",
        _ => newest,
    }
}

/// The npm that the official image of this version brings.
pub(crate) fn bundled_npm(major: u32) -> u32 {
    match major {
        ..=14 => 6,
        15..=17 => 8,
        18..=23 => 10,
        _ => 11,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_get_a_long_term_line() {
        assert_eq!(newest(">=12.0.0"), Some(24));
        assert_eq!(newest(">=22.12"), Some(24));
        assert_eq!(newest("^20.9.0 || >=22"), Some(24));
        assert_eq!(newest("^20.9.0"), Some(20));
        assert_eq!(newest("22.x"), Some(22));
        assert_eq!(newest(">=18 <21"), Some(20));
        assert_eq!(newest(">=25"), Some(26));
        assert_eq!(newest("18"), Some(18));
        assert_eq!(newest("nonsense of the day"), None);
    }

    #[test]
    fn names_of_lines() {
        assert_eq!(named("lts/*"), Some(24));
        assert_eq!(named("v20.11.1"), Some(20));
        assert_eq!(named("lts/iron"), Some(20));
        assert_eq!(named("22"), Some(22));
        assert_eq!(named("iojs-3"), None);
        assert_eq!(named("; rm -rf"), None);
    }
}
