//! How long answers take.
//!
//! ```text
//! REPOSITORY=/a/clone/of/moby/buildkit cargo test --release --test model speed:: -- --ignored --nocapture
//! ```

use std::env;
use std::time::{Duration, Instant};

use dockerfile_gen::context::Dockerignore;
use dockerfile_gen::dockerfile::Dockerfile;
use dockerfile_gen::history::Repository;
use dockerfile_gen::simulate::{Context, Input, Options, Text, replay, simulate};
use dockerfile_gen::{MemTree, Tree};

fn tree(files: usize) -> MemTree {
    let mut tree = MemTree::default();
    for number in 0..files {
        tree.insert(
            &format!("packages/p{}/src/module{}/file{number}.ts", number % 40, number % 200),
            "export {}\n".repeat(50),
        );
    }
    tree.insert("package.json", "{}").insert("package-lock.json", "{}");
    tree
}

const DOCKERFILE: &str = "FROM node:22 AS build\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci\n\
    COPY . .\nRUN npm run build\nFROM node:22-slim\nWORKDIR /app\nCOPY --from=build /app/dist dist\n\
    COPY --from=build /app/packages packages\nRUN --mount=target=/src ls /src\nCMD [\"node\", \"dist\"]\n";

#[test]
#[ignore = "measures; run it with `--release`"]
fn ten_thousand_files_take_less_than_a_tenth_of_a_second() {
    let file: Dockerfile = DOCKERFILE.parse().unwrap();
    for count in [1_000, 10_000, 40_000] {
        let (before, mut after) = (tree(count), tree(count));
        after.insert("packages/p1/src/module1/file1.ts", "changed");
        let ignore = Dockerignore::parse(".dockerignore", "**/*.md\nnode_modules\n!docs/x\n").unwrap();
        let input = |tree| Input::new(&file, Context { tree, ignore: ignore.clone() });
        let start = Instant::now();
        let steps = simulate(&input(&before), &input(&after)).unwrap();
        let took = start.elapsed();
        println!("{count} files: {took:?}, {} steps", steps.len());
        assert!(count != 10_000 || took < Duration::from_millis(100), "{took:?}");
    }
}

#[test]
#[ignore = "measures; run it with `--release` and a clone in `REPOSITORY`"]
fn a_thousand_commits_take_less_than_half_a_minute() {
    let repository = Repository::open(env::var("REPOSITORY").expect("`REPOSITORY` names a clone")).unwrap();
    let head = repository.tree("HEAD").unwrap();
    let text = (&head as &dyn Tree).text("Dockerfile").unwrap().unwrap();
    let file: Dockerfile = text.parse().unwrap();
    for (count, text) in [(100, Text::Now(&file)), (1_000, Text::Now(&file)), (1_000, Text::Then)] {
        let start = Instant::now();
        let replay = replay(&repository, "HEAD", count, text, "Dockerfile", &Options::default()).unwrap();
        let took = start.elapsed();
        println!(
            "{} commits, {} refused, {} files: {took:?}",
            replay.commits,
            replay.refused.len(),
            head.files().len()
        );
        assert!(took < Duration::from_secs(30), "{took:?}");
    }
}
