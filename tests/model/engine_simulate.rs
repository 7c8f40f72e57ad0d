//! Random builds and edits on a real engine, held against what `simulate` says of them.
//!
//! ```text
//! SIMULATE_SCENARIOS=300 cargo test --test model engine_simulate:: -- --ignored --nocapture
//! ```
//!
//! `SIMULATE_SEED` chooses the first scenario; a difference is printed with the seed that brings it back.

mod engine;
mod scenario;

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs, process};

use dockerfile_gen::DiskTree;
use dockerfile_gen::context::Dockerignore;
use dockerfile_gen::dockerfile::Dockerfile;
use dockerfile_gen::simulate::{Builder, Context, ImageStore, Input, Options, Step};
use engine::{Built, build, image_store};
use scenario::{Scenario, Side};

fn number(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[test]
#[ignore = "needs a Docker engine with `debian:trixie-slim`; see the head of tests/model/engine_simulate.rs"]
fn simulate_agrees_with_the_engine() {
    let store = image_store().expect("no Docker engine answers");
    let (count, first) = (number("SIMULATE_SCENARIOS", 300), number("SIMULATE_SEED", 1));
    let mut totals = Totals::default();
    let mut differences = Vec::new();
    for seed in first..first + count {
        let salt = format!("s{}x{seed}", process::id());
        let dir = env::temp_dir().join(format!("simulate-{salt}"));
        let scenario = Scenario::new(seed, &salt);
        if let Err(difference) = check(&scenario, &dir, store, &mut totals) {
            println!("seed {seed}: {difference}\n{scenario}");
            differences.push(format!("seed {seed}: {difference}"));
        }
        fs::remove_dir_all(&dir).unwrap();
    }
    println!("{count} scenarios, {} differences: {totals:?}", differences.len());
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

#[derive(Debug, Default)]
struct Totals {
    reused: usize,
    run: usize,
    open: usize,
    refused: usize,
}

fn check(scenario: &Scenario, dir: &Path, store: ImageStore, totals: &mut Totals) -> Result<(), String> {
    let mut builder = Builder::new();
    for (side, is_after) in [(&scenario.before, false), (&scenario.after, true)] {
        side.write(dir);
        let built = build(dir, &side.options);
        let said = say(&mut builder, side, dir, store);
        match (built, said) {
            (Built::Refused(_), Err(_)) => {
                totals.refused += 1;
                return Ok(());
            }
            // A file in the way of a folder shows only when files are written; no key knows of it.
            (Built::Refused(error), Ok(_)) if error.contains("directory") => {
                totals.refused += 1;
                return Ok(());
            }
            (Built::Refused(error), Ok(_)) => return Err(format!("the engine refuses it: {error}")),
            (Built::Steps(_), Err(error)) => return Err(format!("the engine builds it: {error}")),
            (Built::Steps(engine), Ok(steps)) if is_after => compare(&engine, &steps, totals)?,
            (Built::Steps(_), Ok(_)) => {}
        }
    }
    Ok(())
}

fn say(builder: &mut Builder, side: &Side, dir: &Path, store: ImageStore) -> Result<Vec<Step>, String> {
    let file: Dockerfile = side.dockerfile.parse().map_err(|error| format!("{error}"))?;
    let tree = DiskTree::open_all(dir).unwrap();
    let ignore = Dockerignore::of(&tree, "Dockerfile").map_err(|error| error.to_string())?;
    let mut input = Input::new(&file, Context { tree: &tree, ignore });
    let mut options = Options::default();
    options.store = store;
    for option in &side.options {
        match option.split_once('=') {
            Some(("--target", name)) => options.target = Some(name.to_owned()),
            Some(("--build-arg", pair)) => {
                let (name, value) = pair.split_once('=').unwrap();
                options.build_args.insert(name.to_owned(), value.to_owned());
            }
            Some(("--no-cache-filter", stage)) => options.no_cache_filter.push(stage.to_owned()),
            Some(("--network", mode)) => options.network = Some(mode.to_owned()),
            other => panic!("{other:?}"),
        }
    }
    input.options = options;
    builder.build(&input).map(|build| build.steps).map_err(|fault| fault.to_string())
}

fn compare(engine: &BTreeMap<String, bool>, steps: &[Step], totals: &mut Totals) -> Result<(), String> {
    let ours: BTreeMap<&str, &Step> = steps.iter().map(|step| (step.name.as_str(), step)).collect();
    if let Some(name) = engine.keys().find(|name| !ours.contains_key(name.as_str())) {
        return Err(format!("`{name}` is missing from {:?}", ours.keys()));
    }
    for (name, step) in ours {
        let Some(&cached) = engine.get(name) else { return Err(format!("`{name}` is not in {:?}", engine.keys())) };
        match step.cached {
            None => totals.open += 1,
            Some(said) if said != cached => return Err(format!("`{name}` is cached: {cached} ({})", step.why)),
            Some(true) => totals.reused += 1,
            Some(false) => totals.run += 1,
        }
    }
    Ok(())
}
