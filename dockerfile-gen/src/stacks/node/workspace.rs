//! The packages of a workspace.
//!
//! Input: globs in package.json or pnpm-workspace.yaml. Output: the members, and of these what one package needs. The one
//! idea: a member is what the globs match and that has a package.json, found in the tree as the package manager finds it.

use std::collections::BTreeSet;

use super::manager::{Manager, ManagerKind};
use super::manifest::Manifest;
use super::{within, yaml};
use crate::error::Result;
use crate::tree::Tree;

/// Reads the manifests of the members of the workspace whose root is `root`, sorted by folder.
pub(crate) fn members(tree: &dyn Tree, root: &Manifest, kind: ManagerKind) -> Result<Vec<Manifest>> {
    let globs = globs(tree, root, kind)?;
    let mut members = Vec::new();
    if globs.is_empty() {
        return Ok(members);
    }
    for (path, _) in tree.under(&root.dir) {
        if path.file_name() != "package.json" || path.parent() == root.dir {
            continue;
        }
        let inside = path.parent().strip_prefix(root.dir.as_str()).unwrap_or(path.parent()).trim_start_matches('/');
        if is_member(&globs, inside) {
            members.extend(Manifest::read(tree, path.parent())?);
        }
    }
    Ok(members)
}

/// Patterns for the manifests of all that `globs` match, as a Dockerfile understands them.
pub(crate) fn patterns(globs: &[String]) -> Vec<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./*@".contains(c);
    let pattern = |glob: &String| {
        let (not, glob) = glob.strip_prefix('!').map_or(("", glob.as_str()), |glob| ("!", glob));
        let glob = glob.trim_start_matches("./").trim_matches('/');
        let plain = !glob.is_empty() && glob.chars().all(is_plain) && glob.split('/').all(|part| part != "..");
        plain.then(|| format!("{not}{glob}/package.json"))
    };
    let known = globs.iter().filter(|glob| glob.trim_end_matches('/') != "." && !glob.contains(".."));
    // Braces and the like are not known to Docker; a manifest too many does no harm.
    known.map(pattern).collect::<Option<_>>().unwrap_or_else(|| vec!["**/package.json".into()])
}

pub(crate) fn globs(tree: &dyn Tree, root: &Manifest, kind: ManagerKind) -> Result<Vec<String>> {
    if kind == ManagerKind::Pnpm {
        let settings = tree.text(&within(&root.dir, "pnpm-workspace.yaml"))?.unwrap_or_default();
        return Ok(yaml::list(&settings, "packages").into_iter().map(str::to_owned).collect());
    }
    let listed = match root.get("workspaces") {
        Some(value) if value.is_object() => value.get("packages"),
        other => other,
    };
    let listed = listed.and_then(|value| value.as_array()).into_iter().flatten();
    Ok(listed.filter_map(|glob| glob.as_str()).map(str::to_owned).collect())
}

fn is_member(globs: &[String], dir: &str) -> bool {
    let mut member = false;
    for glob in globs {
        let (keep, glob) = match glob.strip_prefix('!') {
            Some(glob) => (false, glob),
            None => (true, glob.as_str()),
        };
        if matches(glob.trim_start_matches("./").trim_end_matches('/'), dir) {
            member = keep;
        }
    }
    member
}

/// Whether a glob of `*` and `**` matches a whole path. One with more stars than any project needs matches nothing:
/// trying them all would take for ever.
pub(crate) fn matches(glob: &str, path: &str) -> bool {
    if glob.bytes().filter(|byte| *byte == b'*').count() > 6 {
        return false;
    }
    fn segments(glob: &[&str], path: &[&str]) -> bool {
        match (glob.split_first(), path.split_first()) {
            (None, None) => true,
            (Some((&"**", rest)), _) => {
                segments(rest, path) || path.split_first().is_some_and(|(_, below)| segments(glob, below))
            }
            (Some((first, rest)), Some((name, below))) => word(first, name) && segments(rest, below),
            _ => false,
        }
    }
    fn word(glob: &str, name: &str) -> bool {
        match glob.split_once('*') {
            None => glob == name,
            Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
                (0..=name.len()).filter(|at| name.is_char_boundary(*at)).any(|at| word(rest, &name[at..]))
            }),
        }
    }
    let split = |text: &'_ str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
    let (glob, path) = (split(glob), split(path));
    segments(&glob.iter().map(String::as_str).collect::<Vec<_>>(), &path.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The members that the member in folder `dir` needs, what is needed first, itself last.
pub(crate) fn closure<'a>(members: &'a [Manifest], dir: &str) -> Vec<&'a Manifest> {
    fn visit<'a>(members: &'a [Manifest], at: &'a Manifest, seen: &mut BTreeSet<&'a str>, out: &mut Vec<&'a Manifest>) {
        if !seen.insert(&at.dir) {
            return;
        }
        for (name, range) in at.dependencies(&["dependencies", "devDependencies", "optionalDependencies"]) {
            let local = !range.contains("npm:");
            if let Some(needed) = members.iter().find(|member| local && member.str("name") == Some(name)) {
                visit(members, needed, seen, out);
            }
        }
        out.push(at);
    }
    let mut out = Vec::new();
    if let Some(first) = members.iter().find(|member| member.dir == dir) {
        visit(members, first, &mut BTreeSet::new(), &mut out);
    }
    out
}

impl Manager {
    /// The words that run a script of the package in `dir`, from the folder of the root manifest.
    pub(crate) fn script(&self, script: &str, dir: &str, name: &str) -> Vec<String> {
        let call = self.call.iter().map(String::as_str);
        let here = dir.is_empty();
        let filter = format!("./{dir}");
        let workspace = format!("--workspace={dir}");
        let folder = format!("--cwd={dir}");
        let rest: Vec<&str> = match self.kind {
            _ if here => vec!["run", script],
            ManagerKind::Npm => vec!["run", script, &workspace],
            ManagerKind::YarnClassic | ManagerKind::YarnBerry => vec!["workspace", name, "run", script],
            ManagerKind::Pnpm => vec!["--filter", &filter, "run", script],
            ManagerKind::Bun => vec!["run", &folder, script],
        };
        call.chain(rest).map(str::to_owned).collect()
    }

    /// The words that run a program of a dependency, from the folder of the root manifest.
    pub(crate) fn program(&self, program: &str, dir: &str) -> Vec<String> {
        if self.pnp {
            return self.call.iter().map(String::as_str).chain(["run", program]).map(str::to_owned).collect();
        }
        vec![within(dir, &format!("node_modules/.bin/{program}"))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_globs_of_a_workspace_are_those_of_its_dockerfile() {
        let patterns = |globs: &[&str]| patterns(&globs.iter().map(|glob| (*glob).to_owned()).collect::<Vec<_>>());
        assert_eq!(
            patterns(&["./apps/web/", "packages/**", "!packages/old"]),
            ["apps/web/package.json", "packages/**/package.json", "!packages/old/package.json"]
        );
        assert_eq!(patterns(&["{apps,packages}/*", "docs"]), ["**/package.json"]);
        assert_eq!(patterns(&[".", "docs"]), ["docs/package.json"]);
    }

    #[test]
    fn globs_match_as_package_managers_do() {
        assert!(matches("packages/*", "packages/ui"));
        assert!(!matches("packages/*", "packages/ui/test"));
        assert!(matches("packages/**", "packages/ui/test"));
        assert!(matches("**", "a/b"));
        assert!(matches("apps/web-*", "apps/web-1"));
        let globs = ["packages/**".to_owned(), "!**/test".to_owned()];
        assert!(is_member(&globs, "packages/ui"));
        assert!(!is_member(&globs, "packages/ui/test"));
    }
}
