//! The packages of a workspace.
//!
//! Input: globs in package.json or pnpm-workspace.yaml. Output: the members, and of these what one package needs. The one
//! idea: a member is what the globs match and that has a package.json, found in the tree as the package manager finds it.

use std::collections::BTreeSet;

use super::manager::{Manager, ManagerKind};
use super::manifest::Manifest;
use super::within;
use crate::error::{Error, Result};
use crate::patterns::glob::{Bang, GlobSet};
use crate::sense::yaml;
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
        // Every manager leaves out what is installed there.
        let is_installed = inside.split('/').any(|name| name == "node_modules");
        if !is_installed && globs.matches(inside) {
            members.extend(Manifest::read(tree, path.parent())?);
        }
    }
    Ok(members)
}

/// Where a manager's list of members stands: the file, and each glob with its line.
struct Listed {
    path: String,
    globs: Vec<(String, Option<u32>)>,
}

/// Reads the list of members of the workspace at `root`.
fn listed(tree: &dyn Tree, root: &Manifest, kind: ManagerKind) -> Result<Listed> {
    if kind == ManagerKind::Pnpm {
        let path = within(&root.dir, "pnpm-workspace.yaml");
        let settings = yaml::file(tree, &path)?;
        let items = settings.get("packages").map(yaml::Node::items).unwrap_or_default();
        let globs = items.iter().filter_map(|item| Some((item.text()?.to_owned(), Some(item.line)))).collect();
        return Ok(Listed { path, globs });
    }
    let listed = match root.get("workspaces") {
        Some(value) if value.is_object() => value.get("packages"),
        other => other,
    };
    let line = root.line("workspaces");
    let globs = listed.and_then(|value| value.as_array()).into_iter().flatten();
    let globs = globs.filter_map(|glob| Some((glob.as_str()?.to_owned(), line))).collect();
    Ok(Listed { path: root.path.clone(), globs })
}

/// The globs of the workspace, read as its manager reads them.
fn globs(tree: &dyn Tree, root: &Manifest, kind: ManagerKind) -> Result<GlobSet> {
    let bang = match kind {
        ManagerKind::Pnpm => Bang::TakesBackAll,
        ManagerKind::YarnClassic => Bang::Literal,
        ManagerKind::Npm | ManagerKind::YarnBerry | ManagerKind::Bun => Bang::TakesBackBefore,
    };
    let Listed { path, globs } = listed(tree, root, kind)?;
    GlobSet::new(globs.iter().map(|(glob, _)| glob.as_str()), bang)
        .map_err(|(at, reason)| Error::manifest(&path, globs.get(at).and_then(|(_, line)| *line), reason))
}

/// Patterns for the manifests of all members, as a Dockerfile understands them.
pub(crate) fn patterns(tree: &dyn Tree, root: &Manifest, kind: ManagerKind) -> Result<Vec<String>> {
    let globs: Vec<String> = listed(tree, root, kind)?.globs.into_iter().map(|(glob, _)| glob).collect();
    Ok(dockerfile_patterns(&globs))
}

fn dockerfile_patterns(globs: &[String]) -> Vec<String> {
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
        let patterns =
            |globs: &[&str]| dockerfile_patterns(&globs.iter().map(|glob| (*glob).to_owned()).collect::<Vec<_>>());
        assert_eq!(
            patterns(&["./apps/web/", "packages/**", "!packages/old"]),
            ["apps/web/package.json", "packages/**/package.json", "!packages/old/package.json"]
        );
        assert_eq!(patterns(&["{apps,packages}/*", "docs"]), ["**/package.json"]);
        assert_eq!(patterns(&[".", "docs"]), ["docs/package.json"]);
    }
}
