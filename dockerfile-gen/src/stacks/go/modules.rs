//! Which modules a project is made of.
//!
//! Input: the tree. Output: [`Modules`], or the folder that holds them. The one idea: go.work, go.mod and the folders that
//! `replace` names say it between them, and all of it must lie in the build context.

use std::collections::BTreeSet;

use super::choose;
use super::modfile::{self, ModFile, Replace};
use super::packages::{GoModule, Packages};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::facts::{Claim, Strength};
use crate::tree::{RelPath, Tree};

/// The module files that take part, the modules, and whether they are a workspace.
pub(super) struct Modules {
    pub files: Vec<(String, ModFile)>,
    pub modules: Vec<GoModule>,
    pub workspace: bool,
}

/// A path in the folder `dir`.
pub(super) fn within(dir: &str, path: &str) -> String {
    if dir.is_empty() { path.to_owned() } else { format!("{dir}/{path}") }
}

/// Folders that hold a go.mod, where the root has neither that nor a go.work.
fn nested_modules(tree: &dyn Tree) -> Vec<String> {
    if tree.has("go.mod") || tree.has("go.work") {
        return Vec::new();
    }
    let manifests = tree.files().keys().filter(|path| matches!(path.file_name(), "go.mod" | "go.work"));
    let dirs = manifests.map(|path| path.parent()).filter(|dir| dir.matches('/').count() < 3 && !choose::is_aside(dir));
    let dirs: BTreeSet<String> = dirs.map(str::to_owned).collect();
    // What lies in a workspace is a member of it.
    let in_workspace = |dir: &String| {
        dirs.iter().any(|root| dir.starts_with(&format!("{root}/")) && tree.has(&within(root, "go.work")))
    };
    dirs.iter().filter(|dir| !in_workspace(dir)).cloned().collect()
}

/// What speaks for Go where the root does not.
pub(super) fn nested_claim(tree: &dyn Tree) -> Result<Option<Claim>> {
    let dirs = nested_modules(tree);
    let Some(dir) = dirs.first() else { return Ok(None) };
    let manifest = if tree.has(&within(dir, "go.work")) { "go.work" } else { "go.mod" };
    Ok(Some(Claim::new(Strength::Possible, within(dir, manifest), None, format!("a module in {dir}"))))
}

/// The folder of the module that the image is for: the root, or the only one that holds a go.mod.
pub(super) fn nested(tree: &dyn Tree, config: &Config) -> Result<String> {
    let mut dirs = nested_modules(tree);
    if let Some(wanted) = &config.package {
        let wanted_dir = wanted.trim_start_matches("./").trim_end_matches('/');
        if let Some(dir) = dirs.iter().find(|dir| *dir == wanted_dir) {
            return Ok(dir.clone());
        }
    }
    if dirs.len() > 1 {
        // A library is not what an image is for.
        dirs.retain(|dir| {
            modules(tree, dir)
                .ok()
                .flatten()
                .is_some_and(|found| !Packages::new(tree, &found.modules, &[]).mains().is_empty())
        });
    }
    match dirs.as_slice() {
        [] => Ok(String::new()),
        [dir] => Ok(dir.clone()),
        dirs => Err(Error::Ambiguous {
            question: "which module the image is for".into(),
            found: dirs.iter().map(|dir| format!("`{dir}`")).collect::<Vec<_>>().join(", "),
            hint: "`--package FOLDER` or `package` in the configuration decides".into(),
        }),
    }
}

/// Reads the modules of the folder `dir`.
pub(super) fn modules(tree: &dyn Tree, dir: &str) -> Result<Option<Modules>> {
    let mut files = Vec::new();
    let mut dirs: Vec<(String, Option<(String, u32)>)> = Vec::new();
    let work_path = within(dir, "go.work");
    let base = RelPath::new(dir).unwrap_or_default();
    let work = modfile::read(tree, &work_path)?;
    let workspace = work.is_some();
    match work {
        Some(work) => {
            for (written, line) in &work.uses {
                let dir = base.join(written).ok_or_else(|| outside(&work_path, *line, written))?;
                dirs.push((dir.as_str().to_owned(), Some((written.clone(), *line))));
            }
            files.push((work_path.clone(), work));
        }
        None if tree.has(&within(dir, "go.mod")) => dirs.push((dir.to_owned(), None)),
        None => return Ok(None),
    }
    let mut modules = Vec::new();
    for (dir, used) in dirs {
        let path = within(&dir, "go.mod");
        let Some(file) = modfile::read(tree, &path)? else {
            let (written, line) = used.unwrap_or_default();
            return Err(Error::manifest(&work_path, Some(line), format!("uses `{written}`, which holds no go.mod")));
        };
        if file.module.is_empty() {
            return Err(Error::manifest(&path, None, "has no `module` line"));
        }
        modules.push(GoModule { path: file.module.clone(), dir });
        files.push((path, file));
    }
    for (path, file) in &files {
        let dir = RelPath::new(path.rsplit_once('/').map_or("", |(dir, _)| dir)).unwrap_or_default();
        for Replace { folder: target, line, .. } in &file.local_replaces {
            let target_dir = dir.join(target).ok_or_else(|| outside(path, *line, target))?;
            let manifest = format!("{target_dir}/go.mod");
            // What replaces a module is compiled from the project, so its sources say something about the image, too.
            if let Some(replacing) = modfile::read(tree, manifest.trim_start_matches('/'))?
                && !modules.iter().any(|module| module.dir == target_dir.as_str())
                && !replacing.module.is_empty()
            {
                modules.push(GoModule { path: replacing.module, dir: target_dir.as_str().to_owned() });
            }
        }
    }
    Ok(Some(Modules { files, modules, workspace }))
}

fn outside(path: &str, line: u32, written: &str) -> Error {
    Error::Unsupported {
        reason: format!("{path}:{line} names `{written}`, which is outside of the project and of the build context"),
        hint: "run in the folder that holds both, and choose the program with `--package` or `--bin`".into(),
    }
}
