//! The packages of a workspace.
//!
//! Input: globs in package.json or pnpm-workspace.yaml. Output: the members, and of these what one package needs. The one
//! idea: a member is what the globs match and that has a package.json, found in the tree as the package manager finds it.

use std::collections::BTreeSet;

use super::manager::{Manager, ManagerKind};
use super::manifest::Manifest;
use crate::error::{Error, Result};
use crate::patterns::glob::{Bang, GlobSet};
use crate::sense::yaml;
use crate::tree::Tree;
use crate::tree::within;

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

/// Patterns for the manifests of all that `globs` match, as a Dockerfile understands them.
pub(crate) fn patterns(globs: &GlobSet) -> Vec<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./*@".contains(c);
    let pattern = |(named, glob): (bool, &str)| {
        let glob = glob.trim_start_matches("./").trim_matches('/');
        let plain = !glob.is_empty() && glob.chars().all(is_plain);
        plain.then(|| format!("{}{glob}/package.json", if named { "" } else { "!" }))
    };
    let inside = globs.alternatives().filter(|(_, glob)| !matches!(*glob, "." | "./") && !glob.contains(".."));
    // Docker has no other wildcards; a manifest too many does no harm.
    inside.map(pattern).collect::<Option<_>>().unwrap_or_else(|| vec![ALL_MANIFESTS.into()])
}

/// The manifests of all folders.
pub(crate) const ALL_MANIFESTS: &str = "**/package.json";

/// The globs of the workspace, read as its manager reads them.
pub(crate) fn globs(tree: &dyn Tree, root: &Manifest, kind: ManagerKind) -> Result<GlobSet> {
    let bang = match kind {
        ManagerKind::Pnpm => Bang::TakesBackAll,
        ManagerKind::YarnClassic => Bang::Literal,
        ManagerKind::Npm | ManagerKind::YarnBerry | ManagerKind::Bun => Bang::TakesBackBefore,
    };
    if kind == ManagerKind::Pnpm {
        let path = within(&root.dir, "pnpm-workspace.yaml");
        let settings = yaml::file(tree, &path)?;
        let items = settings.get("packages").map(yaml::Node::items).unwrap_or_default();
        let listed: Vec<(&str, u32)> = items.iter().filter_map(|item| Some((item.text()?, item.line))).collect();
        return GlobSet::new(listed.iter().map(|(glob, _)| *glob), bang)
            .map_err(|(at, reason)| Error::manifest(&path, listed.get(at).map(|(_, line)| *line), reason));
    }
    let listed = match root.get("workspaces") {
        Some(value) if value.is_object() => value.get("packages"),
        other => other,
    };
    let listed = listed.and_then(|value| value.as_array()).into_iter().flatten();
    GlobSet::new(listed.filter_map(|glob| glob.as_str()), bang)
        .map_err(|(_, reason)| Error::manifest(&root.path, root.line("workspaces"), reason))
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
        let read = |globs: &[&str], bang| patterns(&GlobSet::new(globs.iter().copied(), bang).unwrap());
        assert_eq!(
            read(&["./apps/web/", "!packages/old", "packages/**"], Bang::TakesBackBefore),
            ["apps/web/package.json", "!packages/old/package.json", "packages/**/package.json"]
        );
        assert_eq!(
            read(&["!packages/old", "packages/**"], Bang::TakesBackAll),
            ["packages/**/package.json", "!packages/old/package.json"]
        );
        assert_eq!(
            read(&["{apps,packages}/*", "docs"], Bang::Literal),
            ["apps/*/package.json", "packages/*/package.json", "docs/package.json"]
        );
        assert_eq!(read(&["packages/[ab]*", "docs"], Bang::Literal), [ALL_MANIFESTS]);
        assert_eq!(read(&[".", "docs", "../other"], Bang::Literal), ["docs/package.json"]);
    }
}
