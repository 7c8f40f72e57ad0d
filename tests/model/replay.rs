//! On which commits of public repositories the dependency layer would rerun, and on which it had to.
//!
//! ```text
//! REPOSITORIES=/folder/of/clones cargo test --release --test model replay:: -- --ignored --nocapture
//! ```
//!
//! The folder holds clones (`git clone --no-checkout` will do), at most two levels deep; `ONLY=name,name` takes some of
//! them. The method and its limits are in `docs/replay.md`. Needs git and node, and takes `cargo-chef` if it is on `PATH`.
//! No file of a repository is kept.

mod checkout;
mod cut;
mod node;
mod others;
mod ours;
mod rust;
mod table;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use dockerfile_gen::history::Repository;
use dockerfile_gen::{ConfigLayer, Error, Tree, generate, generate_tree};
use serde_json::Value;

use crate::clones::clones;
use checkout::Checkout;
use cut::Cuts;
use ours::{Ours, Stack};
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
    /// With the Dockerfile that is generated for the commit.
    ours: Files,
    /// With the Dockerfile that was generated up to [`EVERY`] commits ago.
    left: Files,
}

const COMMITS: usize = 400;

/// After how many commits somebody refreshes the Dockerfile that is left as it was.
const EVERY: usize = 50;

/// At most this share of a repository's commits may rerun the layer for nothing.
const MOST_OF_ONE: f64 = 0.01;

/// The same of the commits of all repositories together.
const MOST_OF_ALL: f64 = 0.003;

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
    let share = |count: usize, of: usize| count as f64 / of.max(1) as f64;
    for row in &rows {
        assert_eq!(row.missed, 0, "{}: a layer did not follow its set", row.name);
        assert!(share(row.ours, row.pairs) <= MOST_OF_ONE, "{}: reran for nothing", row.name);
    }
    let sum = |of: fn(&Row) -> usize| rows.iter().map(of).sum::<usize>();
    let all = sum(|row| row.pairs);
    for (what, count) in [("refreshed", sum(|row| row.ours)), ("left as it was", sum(|row| row.left))] {
        println!("{what}: reran for nothing on {count} of {all} commits");
    }
    let is_enough = !only.is_empty() || share(sum(|row| row.ours), all) <= MOST_OF_ALL;
    assert!(is_enough, "reran for nothing too often");
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
    let mut row = Row::new(name, follower.stack);
    let mut last: Option<Keys> = None;
    let (mut left, mut age): (Option<Ours>, usize) = (None, 0);
    repository
        .replay("HEAD", COMMITS, |commit, tree| -> Result<(), Error> {
            let is_first = row.commits == 0 && last.is_none() && age == 0;
            let is_touched = follower.work.update(tree, (!is_first).then_some(&commit.changed[..]));
            row.commits += usize::from(!is_first);
            age += 1;
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
            let Some(ours) = follower.generate(tree) else {
                (last, left) = (None, None);
                return Ok(());
            };
            let old = left.get_or_insert_with(|| ours.clone());
            let now = follower.keys(&ours, old, COMMITS - row.commits);
            if let (Some(last), Some(now)) = (&last, &now) {
                row.compare(&commit.id, last, now);
            }
            last = now;
            if age >= EVERY || last.is_none() {
                // Somebody refreshes the file.
                age = 1;
                if let Some(last) = &mut last {
                    last.left.clone_from(&last.ours);
                }
                left = Some(ours);
            }
            Ok(())
        })
        .map_err(|error| error.to_string())?;
    println!("{}{}", row.line(), follower.cuts);
    Ok(row)
}

/// A folder that follows the history as its builds would see it.
struct Follower {
    stack: Stack,
    work: Checkout,
    out: PathBuf,
    /// What the sources, which are empty there, say at the newest commit.
    config: ConfigLayer,
    cuts: Cuts,
}

impl Follower {
    /// For the kind of project that the newest tree is.
    fn new(tree: &dyn Tree, scratch: &Path) -> Result<Self, String> {
        let whole = scratch.join("whole");
        checkout::write_all(tree, &whole);
        let generated = generate(&whole, ConfigLayer::default()).map_err(|error| error.to_string())?;
        fs::remove_dir_all(&whole).unwrap();
        let ours = Ours::of(&generated.files).ok_or("its Dockerfile has no layer of reduced dependencies")?;
        let work = Checkout::new(scratch.join("work"), ours.ignore(), ours.copied.clone());
        let features = ours.features();
        let mut config = ConfigLayer::default();
        config.features = (!features.is_empty()).then_some(features);
        Ok(Self { stack: ours.stack(), work, out: scratch.join("out"), config, cuts: Cuts::default() })
    }

    /// The Dockerfile that is generated for a commit, if it is of the same kind.
    fn generate(&mut self, tree: &dyn Tree) -> Option<Ours> {
        let generated = match self.stack {
            Stack::Rust => generate(&self.work.root, self.config.clone()),
            Stack::Node => generate_tree(tree, self.config.clone()),
        };
        let ours = Ours::of(&generated.ok()?.files).filter(|ours| ours.stack() == self.stack)?;
        self.work.take_whole(tree, &ours.copied);
        Some(ours)
    }

    /// The keys of a commit with two Dockerfiles: its own, and an older one.
    fn keys(&mut self, ours: &Ours, left: &Ours, to_come: usize) -> Option<Keys> {
        let work = &self.work;
        let set = ours.set(work)?;
        let raw = others::raw(work, self.stack);
        let peer = others::peer(work, self.stack, &raw);
        if self.stack == Stack::Rust {
            self.cuts.compare(ours, work, &self.out, to_come);
        }
        Some(Keys { set, raw, peer, left: left.key(work, &self.out)?, ours: ours.key(work, &self.out)? })
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
