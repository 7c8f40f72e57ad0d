//! On which commits of public repositories the dependency layer would rerun, and on which it had to.
//!
//! ```text
//! REPOSITORIES=/folder/of/clones cargo test --release --test model replay:: -- --ignored --nocapture
//! ```
//!
//! The folder holds clones, bare ones or mirrors too, at most two levels deep; `ONLY=name,name` takes some of them. The
//! method and its limits are in `docs/replay.md`. Needs git, perl, node and python3, and takes `cargo-chef` if it is on
//! `PATH`. No file of a repository is kept.

mod checkout;
mod node;
mod others;
mod ours;
mod python;
mod rust;
mod table;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use dockerfile_gen::history::Repository;
use dockerfile_gen::{ConfigLayer, Error, Tree, generate};
use serde_json::Value;

use crate::clones::clones;
use checkout::Checkout;
use ours::Ours;
use table::Row;

/// What decides the dependencies, by what it is a part of.
type Set = BTreeMap<String, Value>;

/// Files by path: equal ones give equal keys.
type Files = BTreeMap<String, Vec<u8>>;

/// What a commit gives.
struct Keys {
    set: Set,
    raw: Files,
    peer: Option<Files>,
    ours: Files,
}

const COMMITS: usize = 400;

#[test]
#[ignore = "needs clones of public repositories; see the head of tests/model/replay.rs"]
fn the_dependency_layer_reruns_only_when_its_set_changes() {
    let folder = env::var("REPOSITORIES").expect("`REPOSITORIES` names the folder of the clones");
    let only = env::var("ONLY").unwrap_or_default();
    let mut rows = Vec::new();
    for clone in clones(Path::new(&folder), 2) {
        let name = name(Path::new(&folder), &clone);
        if !only.is_empty() && !only.split(',').any(|part| name.contains(part)) {
            continue;
        }
        match replay(&clone, &name) {
            Ok(row) => rows.push(row),
            Err(reason) => println!("{name}: not replayed: {reason}"),
        }
    }
    println!("\n{}", table::table(&rows));
    assert!(!rows.is_empty(), "no repository was replayed");
    for row in &rows {
        assert_eq!((row.ours, row.missed), (0, 0), "{}: reran for nothing, or did not although it had to", row.name);
    }
}

/// The folder directly below the folder of all clones; `owner+name` is `owner/name`.
fn name(folder: &Path, clone: &Path) -> String {
    let below = clone.strip_prefix(folder).unwrap().components().next();
    below.map_or_else(|| "one".to_owned(), |part| part.as_os_str().to_string_lossy().replacen('+', "/", 1))
}

fn replay(clone: &Path, name: &str) -> Result<Row, String> {
    let repository = Repository::open(clone).map_err(|error| error.to_string())?;
    let newest = repository.tree("HEAD").map_err(|error| error.to_string())?;
    let scratch = Scratch::new(name);
    let mut follower = Follower::new(&newest, &scratch.0)?;
    let mut row = Row::new(name, follower.ours.stack());
    let mut last: Option<Keys> = None;
    let mut is_first = true;
    repository
        .replay("HEAD", COMMITS, |commit, tree| -> Result<(), Error> {
            let is_touched = follower.work.update(tree, (!is_first).then_some(&commit.changed[..]));
            row.commits += usize::from(!is_first);
            is_first = false;
            if !is_touched {
                // Every key is as it was.
                row.pairs += usize::from(last.is_some());
                return Ok(());
            }
            if !follower.work.is_complete() {
                row.incomplete += 1;
                last = None;
                return Ok(());
            }
            let mut now = follower.keys();
            if now.is_none()
                && let Ok(other) = Follower::new(tree, &scratch.0)
                && other.ours.stack() == follower.ours.stack()
            {
                // Another package manager, or a file that is not there: the Dockerfile would be another one.
                (follower, last) = (other, None);
                follower.work.update(tree, None);
                now = follower.keys();
            }
            if let (Some(last), Some(now)) = (&last, &now) {
                row.compare(&commit.id, last, now);
            }
            last = now;
            Ok(())
        })
        .map_err(|error| error.to_string())?;
    println!("{}", row.line());
    Ok(row)
}

/// A Dockerfile, and a folder that follows the history as its builds would see it.
struct Follower {
    ours: Ours,
    work: Checkout,
    out: PathBuf,
    kind: Vec<bool>,
}

impl Follower {
    /// With the Dockerfile that is generated for this tree.
    fn new(tree: &dyn Tree, scratch: &Path) -> Result<Self, String> {
        let whole = scratch.join("whole");
        let _ = fs::remove_dir_all(&whole);
        checkout::write_all(tree, &whole);
        let generated = generate(&whole, ConfigLayer::default()).map_err(|error| error.to_string())?;
        let ours = Ours::of(&generated.files).ok_or("its Dockerfile has no program that reduces manifests")?;
        let work = Checkout::new(scratch.join("work"), ours.ignore(), ours.copied());
        let kind = Self::kind(&ours, |path| tree.has(path));
        Ok(Self { ours, work, out: scratch.join("out"), kind })
    }

    /// Which of the files are there that decide what kind of Dockerfile it is.
    fn kind(ours: &Ours, has: impl Fn(&str) -> bool) -> Vec<bool> {
        others::locks(ours.stack()).iter().chain(&["pyproject.toml"]).map(|path| has(path)).collect()
    }

    fn keys(&self) -> Option<Keys> {
        let (work, ours) = (&self.work, &self.ours);
        if Self::kind(ours, |path| work.has(path)) != self.kind {
            return None;
        }
        let set = ours.set(work)?;
        let raw = others::raw(work, ours.stack());
        let peer = others::peer(work, ours.stack(), &raw);
        let ours = ours.run(work, &self.out)?;
        Some(Keys { set, raw, peer, ours })
    }
}

/// A folder that goes with the value.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let name = name.replace('/', "-");
        let root = env::temp_dir().join(format!("replay-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        Self(root)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
