//! What is counted, and how it is printed.

use std::collections::BTreeSet;

use super::ours::Stack;
use super::{Files, Keys, Set};

pub(crate) struct Row {
    pub(crate) name: String,
    stack: Stack,
    /// Commits that were visited.
    pub(crate) commits: usize,
    /// Those that could be compared with the one before.
    pub(crate) pairs: usize,
    /// Those of which the clone does not have a manifest.
    pub(crate) incomplete: usize,
    changed: usize,
    raw: usize,
    peer: usize,
    /// Pairs at which the peer could be asked.
    asked: usize,
    /// Pairs of which anything differs.
    touched: usize,
    pub(crate) ours: usize,
    pub(crate) missed: usize,
    /// With the Dockerfile as it was up to fifty commits ago: reruns for nothing.
    pub(crate) left: usize,
    /// With that file: commits whose set it does not follow.
    behind: usize,
}

impl Row {
    pub(crate) fn new(name: &str, stack: Stack) -> Self {
        let name = name.to_owned();
        Self {
            name,
            stack,
            commits: 0,
            pairs: 0,
            incomplete: 0,
            changed: 0,
            raw: 0,
            peer: 0,
            asked: 0,
            touched: 0,
            ours: 0,
            missed: 0,
            left: 0,
            behind: 0,
        }
    }

    pub(crate) fn compare(&mut self, commit: &str, last: &Keys, now: &Keys) {
        self.pairs += 1;
        self.touched += 1;
        let is_changed = last.set != now.set;
        self.changed += usize::from(is_changed);
        self.asked += usize::from(last.peer.is_some() && now.peer.is_some());
        self.missed += usize::from(is_changed && last.ours == now.ours);
        if is_changed && last.ours == now.ours {
            println!("{} {commit}: missed {}", self.name, differences(&last.set, &now.set));
        }
        let is_left = last.left != now.left;
        self.behind += usize::from(is_changed && !is_left);
        if is_changed {
            // A file that declares and copies all that there is has to follow, however old it is.
            let is_declared = [last, now].iter().all(|keys| {
                let is_same = |part: &str| keys.left.get(part) == keys.ours.get(part);
                is_same("Cargo.toml") && is_same("toolchain") && keys.left.keys().eq(keys.ours.keys())
            });
            if is_declared && !is_left && last.ours != now.ours {
                println!("{} {commit}: missed by the file that was left", self.name);
                self.missed += 1;
            }
            return;
        }
        self.left += usize::from(is_left);
        if is_left {
            println!("{} {commit}: reran for nothing, left as it was{}", self.name, lines(&last.left, &now.left));
        }
        self.raw += usize::from(last.raw != now.raw);
        if let (Some(last), Some(now)) = (&last.peer, &now.peer) {
            self.peer += usize::from(last != now);
        }
        self.ours += usize::from(last.ours != now.ours);
        if last.ours != now.ours {
            println!("{} {commit}: reran for nothing{}", self.name, lines(&last.ours, &now.ours));
        }
    }

    fn share(&self, count: usize) -> String {
        let share = 100.0 * count as f64 / self.pairs.max(1) as f64;
        format!("{count} ({share:.1} %)")
    }

    pub(crate) fn line(&self) -> String {
        let stack = match self.stack {
            Stack::Rust => "Rust",
            Stack::Node => "Node",
        };
        // Where nothing changed nobody had to be asked.
        let silent = self.touched - self.asked;
        let peer = match (self.asked, silent) {
            (0, 1..) => "–".to_owned(),
            (_, 0) => self.share(self.peer),
            _ => format!("{} of {}", self.peer, self.pairs - silent),
        };
        let (raw, ours, left) = (self.share(self.raw), self.share(self.ours), self.share(self.left));
        let compared = match self.incomplete {
            0 => self.pairs.to_string(),
            lacking => format!("{} ({lacking} lack a file)", self.pairs),
        };
        format!(
            "| {} | {stack} | {} | {} | {} | {raw} | {peer} | {ours} | {left} | {} | {} |",
            self.name, self.commits, compared, self.changed, self.behind, self.missed
        )
    }
}

pub(crate) fn table(rows: &[Row]) -> String {
    let mut rows: Vec<&Row> = rows.iter().collect();
    rows.sort_by_key(|row| (row.stack as usize, row.name.to_lowercase()));
    let head = "| repository | stack | commits | compared | set changed | raw | peer | ours | left | behind | missed |\n\
                |---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n";
    rows.iter().fold(head.to_owned(), |text, row| text + &row.line() + "\n")
}

/// The parts of two sets that differ.
fn differences(last: &Set, now: &Set) -> String {
    let keys: BTreeSet<&String> = last.keys().chain(now.keys()).collect();
    let differ: Vec<String> = keys
        .into_iter()
        .filter(|key| last.get(*key) != now.get(*key))
        .map(|key| format!("\n  {key}: {:?} -> {:?}", last.get(key).map(clip), now.get(key).map(clip)))
        .collect();
    differ.into_iter().take(8).collect()
}

fn clip(value: &serde_json::Value) -> String {
    value.to_string().chars().take(300).collect()
}

/// The lines of two keys that differ.
fn lines(last: &Files, now: &Files) -> String {
    let paths: BTreeSet<&String> = last.keys().chain(now.keys()).collect();
    let mut text = String::new();
    for path in paths.into_iter().filter(|path| last.get(*path) != now.get(*path)) {
        let lines = |files: &Files| -> Vec<String> {
            let bytes = files.get(path).map(Vec::as_slice).unwrap_or_default();
            String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect()
        };
        let (old, new) = (lines(last), lines(now));
        text.push_str(&format!("\n  {path}"));
        let gone = old.iter().filter(|line| !new.contains(line)).map(|line| format!("\n    - {line}"));
        let come = new.iter().filter(|line| !old.contains(line)).map(|line| format!("\n    + {line}"));
        text.extend(gone.take(6).chain(come.take(6)).map(|line| line.chars().take(200).collect::<String>()));
    }
    text
}
