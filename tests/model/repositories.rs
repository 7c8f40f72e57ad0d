//! Every Dockerfile of public repositories, read and printed again.
//!
//! ```text
//! REPOSITORIES=/folder/of/clones cargo test --test model repositories:: -- --ignored --nocapture
//! ```
//!
//! The folder holds clones, bare ones or mirrors too, at most two levels deep. Those that this was held against are
//! listed in `tests/repositories.txt`; none of their files is kept here.

use std::env;
use std::path::Path;

use crate::clones::clones;
use dockerfile_gen::context::Dockerignore;
use dockerfile_gen::dockerfile::{Dockerfile, Phase};
use dockerfile_gen::history::Repository;
use dockerfile_gen::simulate::{Builder, Context, Input};
use dockerfile_gen::{MemTree, Tree};

/// `Dockerfile`, `Dockerfile.dev`, `dev.Dockerfile`.
fn is_dockerfile(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
    let is_ignore = name.ends_with(".dockerignore");
    !is_ignore && (name == "dockerfile" || name.starts_with("dockerfile.") || name.ends_with(".dockerfile"))
}

#[test]
#[ignore = "needs clones of public repositories; see the head of tests/model/repositories.rs"]
fn every_dockerfile_comes_back_byte_for_byte() {
    let folder = env::var("REPOSITORIES").expect("`REPOSITORIES` names the folder of the clones");
    let (mut repositories, mut files, mut refused, mut followed) = (0, 0, 0, 0);
    for clone in clones(Path::new(&folder), 2) {
        let Ok(tree) = Repository::open(&clone).and_then(|repository| repository.tree("HEAD")) else { continue };
        let mut count = 0;
        for path in tree.files().keys().filter(|path| is_dockerfile(path.as_str())) {
            let Ok(text) = String::from_utf8(tree.bytes(path).unwrap()) else { continue };
            let (file, errors) = Dockerfile::parse_lenient(&text);
            assert_eq!(file.to_string(), text, "{} {path}", clone.display());
            for instruction in &file.instructions {
                assert!(!file.text(instruction.span).is_empty(), "{} {path}", clone.display());
            }
            refused += usize::from(errors.iter().any(|error| error.phase == Phase::Parse));
            let context = Context { tree: &MemTree::default(), ignore: Dockerignore::default() };
            followed += usize::from(Builder::new().build(&Input::new(&file, context)).is_ok());
            count += 1;
        }
        if count > 0 {
            println!("{count:>5} {}", clone.display());
            repositories += 1;
            files += count;
        }
    }
    println!(
        "{files} Dockerfiles of {repositories} repositories, {refused} that BuildKit refuses, {followed} need no file"
    );
    assert!(repositories >= 30, "only {repositories} repositories");
}
