//! What a real BuildKit was seen to do, case by case.

use std::collections::BTreeSet;
use std::fs;

use dockerfile_gen::MemTree;
use dockerfile_gen::context::{BuildContext, Dockerignore};
use serde_json::Value;

fn strings(value: &Value) -> BTreeSet<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// `vectors/dockerignore.json`: the files and folders of one tree that each .dockerignore left out.
#[test]
fn dockerignore_leaves_out_what_buildkit_left_out() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/dockerignore.json");
    let vectors: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut tree = MemTree::default();
    for file in strings(&vectors["tree_files"]) {
        tree.insert(file, "x");
    }
    for dir in strings(&vectors["tree_empty_dirs"]) {
        tree.insert_empty_dir(dir);
    }
    let everything = BuildContext::new(&tree, &Dockerignore::default());
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 58);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let ignore = Dockerignore::parse(".dockerignore", case["dockerignore"].as_str().unwrap());
        if case.get("error").is_some() {
            assert!(ignore.is_err(), "{name}");
            continue;
        }
        let ignore = ignore.unwrap();
        let context = BuildContext::new(&tree, &ignore);
        let left_out: BTreeSet<&str> =
            everything.entries().keys().copied().filter(|path| context.get(path).is_none()).collect();
        let mut expected = strings(&case["excluded_files"]);
        expected.extend(strings(&case["excluded_dirs"]));
        assert_eq!(left_out, expected, "{name}");
        for file in strings(&vectors["tree_files"]) {
            assert_eq!(ignore.excludes(file).is_some(), left_out.contains(file), "{name} {file}");
        }
    }
}
