//! What `cargo update --workspace` leaves of a lockfile beside the declared dependencies, as a pure function.
//!
//! The packages that the declaration names, as the lockfile has them, and all that these lead to. Cargo leaves out a
//! little more: optional dependencies that were on only by a feature which nothing declared asks for. `CUT_BY_CARGO=20`
//! holds the function against cargo on the newest twenty commits that touch a manifest or the lockfile of each repository.

use std::collections::BTreeSet;
use std::env;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

use cargo_metadata::semver::VersionReq;
use serde_json::Value;

use super::checkout::Checkout;
use super::ours::Ours;
use super::rust::Lock;

/// The entries that are left, one a line, below the version of the format.
pub(crate) fn cut(declaration: &str, lock: &Value) -> Option<BTreeSet<String>> {
    let version = format!("version = {}", lock["version"]);
    let lock = Lock::of(lock)?;
    let declared: Value = toml::from_str(declaration).ok()?;
    let targets = declared["target"].as_object().into_iter().flatten().map(|(_, table)| table);
    let kinds = ["dependencies", "build-dependencies", "dev-dependencies"];
    let tables = [&declared].into_iter().chain(targets);
    let entries = tables.flat_map(|table| kinds.iter().filter_map(|kind| table[kind].as_object())).flatten();
    let (mut open, mut lines) = (Vec::new(), BTreeSet::from([version]));
    for (key, entry) in entries {
        let name = entry["package"].as_str().unwrap_or(key);
        match chosen(&lock, name, entry) {
            Some(at) => open.push(at),
            // Cargo takes the newest there is.
            None => drop(lines.insert(format!("{name} is not locked"))),
        }
    }
    for at in lock.closure(open)? {
        // Cargo spells a version beside a name only where it leaves two packages of that name.
        let needs: BTreeSet<String> =
            lock.needs(at).iter().flat_map(|need| lock.meant(need)).map(|need| lock.id(need)).collect();
        lines.insert(format!("{} {} {needs:?}", lock.id(at), lock.packages[at]["checksum"]));
    }
    Some(lines)
}

fn chosen(lock: &Lock, name: &str, entry: &Value) -> Option<usize> {
    let asked = entry.as_str().or_else(|| entry["version"].as_str()).unwrap_or("*");
    let asked = VersionReq::parse(asked).ok()?;
    let git = entry["git"].as_str();
    let revision = ["branch", "tag", "rev"].iter().find_map(|kind| Some(format!("?{kind}={}", entry[kind].as_str()?)));
    let fits = |at: &usize| {
        let source = lock.source(*at);
        let is_there = match git {
            Some(url) => {
                let rest = source.strip_prefix("git+").and_then(|source| source.strip_prefix(url));
                rest.is_some_and(|rest| rest.starts_with(revision.as_deref().unwrap_or("#")))
            }
            None => lock.version(*at).is_some_and(|version| asked.matches(&version)),
        };
        // A patch has another source, or none.
        is_there || git.is_some() && source.is_empty()
    };
    // Of several that `*` allows, cargo was seen to keep the oldest.
    lock.named(name).iter().copied().filter(fits).min_by_key(|at| lock.version(*at))
}

/// How the function and cargo compare.
#[derive(Default)]
pub(crate) struct Cuts {
    /// Commits on which both were asked.
    compared: usize,
    /// On which both left the same packages.
    same: usize,
    /// Packages that cargo left out besides, at most on one commit.
    more: usize,
    /// What both left last.
    last: Option<[BTreeSet<String>; 2]>,
    /// Commits on which only the function, or only cargo, left something else than before.
    differ: [usize; 2],
}

impl Cuts {
    /// Asks both, where not more commits are to come than `CUT_BY_CARGO` says.
    pub(crate) fn compare(&mut self, ours: &Ours, work: &Checkout, dir: &Path, to_come: usize) {
        let wanted = env::var("CUT_BY_CARGO").ok().and_then(|count| count.parse::<usize>().ok()).unwrap_or(0);
        let Some(lock) = work.toml("Cargo.lock").filter(|_| to_come < wanted) else { return };
        let (Some(lines), Some(by_cargo)) =
            (cut(&ours.declaration, &lock), by_cargo(&ours.declaration, work, &ours.copied, dir))
        else {
            return;
        };
        let id = |line: &String| line.split(' ').take(3).collect::<Vec<_>>().join(" ");
        let ids: BTreeSet<String> = lines.iter().filter(|line| !line.starts_with("version = ")).map(id).collect();
        let missing: Vec<&String> = by_cargo.difference(&ids).collect();
        assert!(missing.is_empty(), "cargo keeps what the function leaves out: {missing:?}");
        self.compared += 1;
        self.same += usize::from(ids == by_cargo);
        self.more = self.more.max(ids.len() - by_cargo.len());
        if let Some([last, last_by_cargo]) = &self.last {
            let is_new = [*last != ids, *last_by_cargo != by_cargo];
            self.differ[0] += usize::from(is_new == [true, false]);
            self.differ[1] += usize::from(is_new == [false, true]);
        }
        self.last = Some([ids, by_cargo]);
    }
}

impl fmt::Display for Cuts {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { compared, same, more, differ: [only, only_cargo], .. } = self;
        if *compared == 0 {
            return Ok(());
        }
        write!(
            to,
            "\n  cut by cargo too on {compared} commits: the same packages on {same}, at most {more} fewer; \
             changed alone: the function {only}, cargo {only_cargo}"
        )
    }
}

/// What cargo itself leaves: the packages, sorted; `None` if it cannot be asked, as where a repository would be cloned.
pub(crate) fn by_cargo(
    declaration: &str,
    work: &Checkout,
    copied: &BTreeSet<String>,
    dir: &Path,
) -> Option<BTreeSet<String>> {
    let _ = fs::remove_dir_all(dir);
    let write = |path: &str, bytes: &[u8]| {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    write("Cargo.toml", declaration.as_bytes());
    write("Cargo.lock", work.text("Cargo.lock")?.as_bytes());
    write("src/main.rs", b"fn main() {}");
    for (path, bytes) in copied.iter().flat_map(|path| work.under(path)) {
        write(&path, &bytes);
    }
    let mut command = Command::new("cargo");
    let done = command.args(["update", "--workspace", "--quiet"]).current_dir(dir).output().unwrap();
    if !done.status.success() {
        println!("cargo cuts nothing: {}", String::from_utf8_lossy(&done.stderr).lines().next().unwrap_or_default());
        return None;
    }
    let text = fs::read_to_string(dir.join("Cargo.lock")).unwrap();
    let lock = Lock::of(&toml::from_str(&text).unwrap())?;
    let name = toml::from_str::<Value>(declaration).unwrap()["package"]["name"].clone();
    Some((0..lock.packages.len()).filter(|&at| lock.packages[at]["name"] != name).map(|at| lock.id(at)).collect())
}
