//! A folder that follows a history with what decides dependencies: manifests whole, sources as empty files.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use dockerfile_gen::context::Dockerignore;
use dockerfile_gen::{RelPath, Tree};
use serde_json::Value;

use super::Files;

pub(crate) struct Checkout {
    pub(crate) root: PathBuf,
    ignore: Dockerignore,
    /// Folders and files of which every byte counts.
    whole: BTreeSet<String>,
    files: Files,
    stubs: BTreeSet<String>,
    /// What counts and the clone does not have.
    missing: BTreeSet<String>,
}

impl Checkout {
    pub(crate) fn new(root: PathBuf, ignore: Dockerignore, whole: BTreeSet<String>) -> Self {
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        Self { root, ignore, whole, files: Files::new(), stubs: BTreeSet::new(), missing: BTreeSet::new() }
    }

    /// Follows the tree, and says whether anything is different now. Without a list of changes all is new.
    pub(crate) fn update(&mut self, tree: &dyn Tree, changed: Option<&[String]>) -> bool {
        let mut is_touched = match changed {
            Some(paths) => paths.iter().fold(false, |any, path| self.put(tree, path) | any),
            None => tree.files().keys().fold(false, |any, path| self.put(tree, path.as_str()) | any),
        };
        for folder in self.patches() {
            if self.whole.insert(folder.clone()) {
                let paths: Vec<String> = tree.under(&folder).map(|(path, _)| path.to_string()).collect();
                is_touched |= paths.iter().fold(false, |any, path| self.put(tree, path) | any);
            }
        }
        is_touched
    }

    /// Follows these files whole from now on.
    pub(crate) fn take_whole(&mut self, tree: &dyn Tree, paths: &BTreeSet<String>) {
        let new: Vec<&String> = paths.iter().filter(|path| !path.contains('*')).collect();
        for path in new.into_iter().filter(|path| self.whole.insert(String::clone(path))).collect::<Vec<_>>() {
            let below: Vec<String> = tree.under(path).map(|(path, _)| path.to_string()).collect();
            for path in below.iter().chain([path]) {
                self.put(tree, path);
            }
        }
    }

    /// Whether the clone has all that counts.
    pub(crate) fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }

    pub(crate) fn text(&self, path: &str) -> Option<String> {
        self.files.get(path).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    pub(crate) fn toml(&self, path: &str) -> Option<Value> {
        toml::from_str(&self.text(path)?).ok()
    }

    pub(crate) fn json(&self, path: &str) -> Option<Value> {
        serde_json::from_str(&self.text(path)?).ok()
    }

    /// Whether there is such a file, empty here or not.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.files.contains_key(path) || self.stubs.contains(path)
    }

    /// The folders in which a file of this name lies, each with its slash.
    pub(crate) fn folders_with(&self, name: &str) -> Vec<String> {
        let folders = self.files.keys().filter_map(|path| path.strip_suffix(name));
        folders.filter(|folder| folder.is_empty() || folder.ends_with('/')).map(str::to_owned).collect()
    }

    /// The file at a path, or those in the folder there, or those that a pattern of `COPY` means.
    pub(crate) fn under(&self, path: &str) -> Files {
        if path.contains('*') {
            let pattern = Dockerignore::parse("COPY", path).unwrap();
            let meant = self.files.iter().filter(|(name, _)| pattern.excludes(name).is_some());
            return meant.map(|(name, bytes)| (name.clone(), bytes.clone())).collect();
        }
        let folder = format!("{path}/");
        let inside = self.files.iter().filter(|(name, _)| *name == path || name.starts_with(&folder));
        inside.map(|(name, bytes)| (name.clone(), bytes.clone())).collect()
    }

    fn put(&mut self, tree: &dyn Tree, path: &str) -> bool {
        // Cargo wants the files of every target, also of those that our build does without.
        let is_cargo = path.ends_with(".rs") || path.ends_with("Cargo.toml");
        if !is_cargo && self.ignore.excludes(path).is_some() {
            return false;
        }
        let place = self.root.join(path);
        let found = tree.files().get_key_value(path).filter(|(_, meta)| meta.link.is_none());
        let Some((key, _)) = found else {
            let was = self.files.remove(path).is_some() | self.stubs.remove(path) | self.missing.remove(path);
            if was {
                let _ = fs::remove_file(&place);
                // Git keeps no empty folder, and `members = ["crates/*"]` would find one.
                let above = place.ancestors().skip(1).take_while(|&folder| folder != self.root);
                above.take_while(|folder| fs::remove_dir(folder).is_ok()).for_each(drop);
            }
            return was;
        };
        if self.is_whole(path) {
            let Ok(bytes) = tree.bytes(key) else { return self.missing.insert(path.to_owned()) };
            write(&place, &bytes);
            let was_missing = self.missing.remove(path) | self.stubs.remove(path);
            return self.files.insert(path.to_owned(), bytes.clone()).is_none_or(|old| old != bytes) || was_missing;
        }
        let is_new = path.ends_with(".rs") && self.stubs.insert(path.to_owned());
        if is_new {
            write(&place, b"");
        }
        is_new
    }

    fn is_whole(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        let names = [
            "Cargo.toml",
            "Cargo.lock",
            "rust-toolchain",
            "rust-toolchain.toml",
            "package.json",
            "package-lock.json",
            "yarn.lock",
            "pnpm-lock.yaml",
            "pnpm-workspace.yaml",
            "bun.lock",
            "bunfig.toml",
            ".npmrc",
            ".yarnrc",
            ".yarnrc.yml",
            ".pnpmfile.cjs",
        ];
        let is_config = path.starts_with(".cargo/") || path.contains("/.cargo/") || path.starts_with("patches/");
        let is_listed = |whole: &String| path == whole || path.starts_with(&format!("{whole}/"));
        names.contains(&name) || is_config || self.whole.iter().any(is_listed)
    }

    /// The folders that replace a crate.
    pub(crate) fn patches(&self) -> Vec<String> {
        let manifest = self.toml("Cargo.toml").unwrap_or_default();
        let sources = manifest.get("patch").and_then(Value::as_object).into_iter().flat_map(|patch| patch.values());
        let entries = sources.filter_map(Value::as_object).flat_map(|source| source.values());
        let paths = entries.filter_map(|entry| entry.get("path")?.as_str());
        paths.map(|path| path.trim_start_matches("./").trim_end_matches('/').to_owned()).collect()
    }
}

/// A whole tree on disk; what the clone does not have is empty.
pub(crate) fn write_all(tree: &dyn Tree, root: &Path) {
    for (path, meta) in tree.files() {
        let is_there = meta.link.is_none() && !path.as_str().starts_with(".git/");
        if is_there {
            write(&root.join(path.as_str()), &tree.bytes(&RelPath::clone(path)).unwrap_or_default());
        }
    }
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}
