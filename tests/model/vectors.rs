//! What a real BuildKit was seen to do, case by case.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use dockerfile_gen::context::{BuildContext, CopyFault, CopySpec, Dockerignore, Entry, match_sources};
use dockerfile_gen::{MemTree, Tree};
use serde_json::Value;

fn vectors(name: &str) -> Value {
    let path = format!("{}/../tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn strings(value: &Value) -> BTreeSet<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// `vectors/dockerignore.json`: the files and folders of one tree that each .dockerignore left out.
#[test]
fn dockerignore_leaves_out_what_buildkit_left_out() {
    let vectors = vectors("dockerignore");
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

/// Reads `COPY` with `--exclude` and without variables.
fn copy(instruction: &str) -> CopySpec {
    let words: Vec<String> = match instruction.split_once('[') {
        Some(("COPY ", list)) if list.ends_with("\"]") => serde_json::from_str(&format!("[{list}")).unwrap(),
        _ => instruction.split(' ').skip(1).map(str::to_owned).collect(),
    };
    let (flags, mut words): (Vec<String>, Vec<String>) = words.into_iter().partition(|word| word.starts_with("--"));
    let dest = words.pop().unwrap();
    let exclude = flags.iter().map(|flag| flag.strip_prefix("--exclude=").unwrap().to_owned()).collect();
    CopySpec { sources: words, dest, exclude, ..CopySpec::default() }
}

/// What the image holds afterwards, written as in the vectors.
fn landed(tree: &MemTree, context: &BuildContext<'_>, copy: &CopySpec) -> Result<BTreeMap<String, String>, CopyFault> {
    let mut image = BTreeMap::new();
    for found in match_sources(context, copy)? {
        for selected in &found.entries {
            let path = found.lands_at(selected).trim_start_matches('/').to_owned();
            let mut above = path.as_str();
            while let Some((dir, _)) = above.rsplit_once('/') {
                image.insert(dir.to_owned(), "a folder".to_owned());
                above = dir;
            }
            let what = match context.get(&selected.path).unwrap() {
                Entry::Dir => "a folder".to_owned(),
                Entry::File { emptied: true, .. } => "the file ``".to_owned(),
                Entry::File { meta, .. } => match &meta.link {
                    Some(target) => format!("a link to `{target}`"),
                    None => {
                        let (key, _) = tree.files().get_key_value(selected.path.as_str()).unwrap();
                        format!("the file `{}`", String::from_utf8(tree.bytes(key).unwrap()).unwrap())
                    }
                },
            };
            image.insert(path, what);
        }
    }
    Ok(image)
}

fn expected(lands: &Value) -> BTreeMap<String, String> {
    let written = |(path, what): (&String, &Value)| {
        let what = match (what["link"].as_str(), what["file"].as_str()) {
            (Some(target), _) => format!("a link to `{target}`"),
            (_, Some(text)) => format!("the file `{text}`"),
            _ => "a folder".to_owned(),
        };
        (path.clone(), what)
    };
    lands.as_object().unwrap().iter().map(written).collect()
}

fn name(fault: &CopyFault) -> &'static str {
    match fault {
        CopyFault::Missing { .. } => "missing",
        CopyFault::Circle { .. } => "circle",
        CopyFault::BadPattern { .. } => "bad-pattern",
        CopyFault::OntoFile { .. } => "onto-file",
        _ => "something else",
    }
}

/// `vectors/copy.json`: what one `COPY` into an empty image left there, or how it failed. The cases up to the first
/// failure were one build, so what one of them asks for was there for all; the others were a build each.
#[test]
fn copy_takes_what_buildkit_took() {
    let vectors = vectors("copy");
    let mut tree = MemTree::default();
    for file in strings(&vectors["files"]) {
        tree.insert(file, file);
    }
    for dir in strings(&vectors["empty_dirs"]) {
        tree.insert_empty_dir(dir);
    }
    for (path, target) in vectors["links"].as_object().unwrap() {
        tree.insert_link(path, target.as_str().unwrap());
    }
    let cases = vectors["cases"].as_array().unwrap();
    let alone = cases.iter().position(|case| case.get("fails").is_some()).unwrap();
    let (together, alone) = cases.split_at(alone);
    assert!(together.len() > 70 && alone.len() > 20);

    let shared = Dockerignore::parse(".dockerignore", "l1\nl2\ndang\n").unwrap();
    let all: Vec<CopySpec> = together.iter().map(|case| copy(case["instruction"].as_str().unwrap())).collect();
    let all: Vec<&str> = all.iter().flat_map(|copy| &copy.sources).map(String::as_str).collect();
    let context = BuildContext::new(&tree, &shared).sent_for(all).unwrap();
    for case in together {
        let instruction = case["instruction"].as_str().unwrap();
        let landed = landed(&tree, &context, &copy(instruction)).unwrap();
        assert_eq!(landed, expected(&case["lands"]), "{instruction}");
    }
    for case in alone {
        let instruction = case["instruction"].as_str().unwrap();
        let copy = copy(instruction);
        let ignore = Dockerignore::parse(".dockerignore", case["dockerignore"].as_str().unwrap_or_default()).unwrap();
        let context = BuildContext::new(&tree, &ignore);
        let landed = context
            .sent_for(copy.sources.iter().map(String::as_str))
            .and_then(|context| landed(&tree, &context, &copy));
        match (landed, case["fails"].as_str()) {
            (Ok(landed), None) => assert_eq!(landed, expected(&case["lands"]), "{instruction}"),
            (Err(fault), Some(fails)) => assert_eq!(name(&fault), fails, "{instruction}"),
            (landed, fails) => panic!("{instruction}: {landed:?}, expected {fails:?}"),
        }
    }
}
