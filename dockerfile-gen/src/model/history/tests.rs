use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::*;
use crate::tree::Tree;

/// A repository in a folder of its own.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("history-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let repository = Self(folder);
        repository.git(&["init", "-q", "-b", "main"]);
        repository
    }

    fn git(&self, arguments: &[&str]) {
        let fixed = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false", "-C"];
        let status = Command::new("git").args(fixed).arg(&self.0).args(arguments).status().unwrap();
        assert!(status.success(), "{arguments:?}");
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "x"]);
    }

    fn open(&self, folder: &str) -> Repository {
        Repository::open(self.0.join(folder)).unwrap()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn replay(repository: &Repository, count: usize) -> Vec<(Vec<String>, Vec<String>)> {
    let mut seen = Vec::new();
    let visit = |commit: &Commit, tree: &GitTree| -> Result<()> {
        let files = tree.files().keys().map(|path| path.as_str().to_owned());
        seen.push((commit.changed.clone(), files.filter(|path| path != ".git/HEAD").collect()));
        Ok(())
    };
    repository.replay("HEAD", count, visit).unwrap();
    seen
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn each_commit_is_what_it_left() {
    let repository = Temporary::new("commits");
    repository.write("a", "1");
    repository.write("d/ä b", "1");
    repository.commit();
    repository.write("a", "2");
    repository.commit();
    repository.git(&["mv", "a", "b"]);
    repository.commit();
    repository.commit();
    fs::remove_dir_all(repository.0.join("d")).unwrap();
    repository.commit();
    let seen = replay(&repository.open(""), 10);
    let expected = [
        (vec![], vec!["a".into(), "d/ä b".into()]),
        (words("a"), vec!["a".into(), "d/ä b".into()]),
        (words("a b"), vec!["b".into(), "d/ä b".into()]),
        (vec![], vec!["b".into(), "d/ä b".into()]),
        (vec!["d/ä b".to_owned()], words("b")),
    ];
    assert_eq!(seen, expected);
    // What comes first is what the others are compared with, and changed nothing.
    let last = replay(&repository.open(""), 2);
    assert_eq!((&last[0].0, &last[0].1), (&vec![], &expected[2].1));
    assert_eq!(last[1..], expected[3..]);
}

#[test]
fn a_merge_counts_as_all_that_it_brought() {
    let repository = Temporary::new("merge");
    repository.write("a", "1");
    repository.commit();
    repository.git(&["checkout", "-q", "-b", "side"]);
    repository.write("b", "1");
    repository.commit();
    repository.write("c", "1");
    repository.commit();
    repository.git(&["checkout", "-q", "main"]);
    repository.write("a", "2");
    repository.commit();
    repository.git(&["merge", "-q", "--no-ff", "-m", "m", "side"]);
    let changed: Vec<Vec<String>> = replay(&repository.open(""), 9).into_iter().map(|(changed, _)| changed).collect();
    assert_eq!(changed, [vec![], words("a"), words("b c")]);
}

#[test]
fn a_folder_of_a_repository_is_seen_from_itself() {
    let repository = Temporary::new("folder");
    repository.write("other", "1");
    repository.commit();
    repository.write("app/a", "1");
    repository.commit();
    repository.write("other", "2");
    repository.write("app/s/b", "1");
    repository.commit();
    let seen = replay(&repository.open("app"), 9);
    assert_eq!(seen, [(vec![], vec![]), (words("a"), words("a")), (words("s/b"), words("a s/b"))]);
}

#[test]
fn bytes_modes_and_links_are_those_of_the_commit() {
    let repository = Temporary::new("bytes");
    repository.write("run", "#!/bin/sh\n");
    repository.git(&["update-index", "--add", "--chmod=+x", "run"]);
    std::os::unix::fs::symlink("run", repository.0.join("link")).unwrap();
    repository.git(&["add", "link"]);
    repository.git(&["commit", "-q", "-m", "x"]);
    repository.write("run", "changed on disk");
    let tree = repository.open("").tree("HEAD").unwrap();
    let path = |name: &str| tree.files().get_key_value(name).unwrap();
    assert_eq!(tree.bytes(path("run").0).unwrap(), b"#!/bin/sh\n");
    assert_eq!((path("run").1.permissions(), path("link").1.link.as_deref()), (0o755, Some("run")));
    assert_eq!(tree.content_id(path("run").0).unwrap(), tree.content_id(path("run").0).unwrap());
}

#[test]
fn what_is_no_history_is_said_plainly() {
    let folder = std::env::temp_dir().join(format!("history-none-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let error = Repository::open(&folder).unwrap_err();
    assert!(error.to_string().contains("not a git repository") && error.hint().is_some(), "{error}");
    fs::remove_dir_all(&folder).unwrap();

    let repository = Temporary::new("empty");
    let error = repository.open("").replay("HEAD", 3, |_, _| Ok::<(), Error>(())).unwrap_err();
    assert!(matches!(error, Error::History { .. }), "{error}");
}

#[test]
fn a_shallow_clone_ends_where_it_was_cut() {
    let repository = Temporary::new("origin");
    for text in ["1", "2", "3"] {
        repository.write("a", text);
        repository.commit();
    }
    let clone = std::env::temp_dir().join(format!("history-clone-{}", std::process::id()));
    let url = format!("file://{}", repository.0.display());
    let status = Command::new("git").args(["clone", "-q", "--depth", "2", &url]).arg(&clone).status().unwrap();
    assert!(status.success());
    let shallow = Repository::open(&clone).unwrap();
    assert!(shallow.is_shallow());
    assert_eq!(replay(&shallow, 9).len(), 2);
    fs::remove_dir_all(&clone).unwrap();
}
