//! What a real BuildKit was seen to reuse, case by case.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use dockerfile_gen::MemTree;
use dockerfile_gen::context::Dockerignore;
use dockerfile_gen::dockerfile::Dockerfile;
use dockerfile_gen::simulate::{Builder, Context, Image, ImageStore, Input, Options, Step};
use serde_json::Value;

const CONTEXT: &str = "/context";

/// One side of a case: what is there before, or after, the edit.
struct Side {
    files: BTreeMap<String, String>,
    dockerfile: String,
    vector: Value,
    /// `edit_` or nothing.
    prefix: &'static str,
}

impl Side {
    /// What the vector says for this side; the edit falls back to what was before.
    fn get(&self, name: &str) -> &Value {
        let own = &self.vector[format!("{}{name}", self.prefix)];
        if own.is_null() { &self.vector[name] } else { own }
    }

    fn options(&self) -> (Vec<String>, Options) {
        let mut options = Options::default();
        options.build_args = texts(self.get("build_args"));
        let mut words = Vec::new();
        for word in self.get("opts").as_array().into_iter().flatten().filter_map(Value::as_str) {
            match word.split_once('=') {
                Some(("--target", value)) => options.target = Some(value.into()),
                Some(("--network", value)) => options.network = Some(value.into()),
                Some(("--shm-size", value)) => options.shm_size = Some(value.into()),
                Some(("--platform", value)) => options.platform = Some(value.into()),
                Some(("--add-host", value)) => options.add_hosts.push(value.split_once(':').unwrap().0.into()),
                Some(("--no-cache-filter", value)) => options.no_cache_filter.push(value.into()),
                Some(("--label", _)) => {}
                _ if word == "--no-cache" => options.no_cache = true,
                _ => words.push(word.replace("/context/", "")),
            }
        }
        (words, options)
    }

    fn tree(&self) -> MemTree {
        let mut tree = MemTree::default();
        let mut modes = texts(&self.vector["modes"]);
        modes.extend(if self.prefix.is_empty() { BTreeMap::new() } else { texts(&self.vector["edit_modes"]) });
        let mut links = texts(&self.vector["symlinks"]);
        links.extend(if self.prefix.is_empty() { BTreeMap::new() } else { texts(&self.vector["edit_symlinks"]) });
        for (path, text) in &self.files {
            match path.strip_suffix('/') {
                Some(dir) => tree.insert_empty_dir(dir),
                None => tree.insert(path, text.as_str()),
            };
        }
        for (path, target) in links {
            tree.insert_link(&path, &target);
        }
        for (path, mode) in modes {
            tree.set_mode(&path, u32::from_str_radix(&mode, 8).unwrap());
        }
        for (path, time) in self.get("mtimes").as_object().into_iter().flatten() {
            tree.set_modified(path, i128::from(time.as_i64().unwrap()));
        }
        tree
    }

    /// Builds the images that the side starts with, and then the side.
    fn build(&self, builder: &mut Builder, bases: &mut Builder, store: ImageStore) -> Vec<Step> {
        let mut images = BTreeMap::new();
        for (name, text) in texts(self.get("bases")) {
            images.insert(name, base(bases, &text));
        }
        let (words, mut options) = self.options();
        options.images = images;
        options.store = store;
        let (mut path, mut named) = ("Dockerfile".to_owned(), None);
        for pair in words.chunks(2) {
            match pair {
                [flag, value] if flag == "-f" => path = value.clone(),
                [flag, value] if flag == "--build-context" => {
                    named = value.split_once('=').map(|(name, dir)| (name.to_owned(), format!("{dir}/")));
                }
                other => panic!("{other:?}"),
            }
        }
        let text = if path == "Dockerfile" { &self.dockerfile } else { &self.files[&path] };
        let file: Dockerfile = text.parse().unwrap();
        let (tree, mut other) = (self.tree(), MemTree::default());
        let mut input = Input::new(&file, Context { tree: &tree, ignore: Dockerignore::of(&tree, &path).unwrap() });
        if let Some((name, dir)) = named {
            for (path, text) in &self.files {
                path.strip_prefix(&dir).map(|path| other.insert(path, text.as_str()));
            }
            input.contexts.insert(name, Context { tree: &other, ignore: Dockerignore::default() });
        }
        input.options = options;
        builder.build(&input).unwrap_or_else(|fault| panic!("{}: {fault}", self.vector["name"])).steps
    }
}

fn base(builder: &mut Builder, text: &str) -> Image {
    let file: Dockerfile = text.parse().unwrap();
    let tree = MemTree::default();
    let input = Input::new(&file, Context { tree: &tree, ignore: Dockerignore::default() });
    builder.build(&input).unwrap().image
}

fn texts(value: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    value.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), text(value))).collect()
}

fn sides(vector: &Value) -> (Side, Side) {
    let mut files = texts(&vector["files"]);
    let dockerfile = vector["dockerfile"].as_str().unwrap().to_owned();
    files.insert("Dockerfile".into(), dockerfile.clone());
    if let Some(ignore) = vector["dockerignore"].as_str() {
        files.insert(".dockerignore".into(), ignore.into());
    }
    let mut edited = files.clone();
    for (path, text) in vector["edit"].as_object().unwrap() {
        match text.as_str() {
            Some(text) => edited.insert(path.clone(), text.into()),
            None => edited.remove(path),
        };
    }
    let after = edited["Dockerfile"].clone();
    let before = Side { files, dockerfile, vector: vector.clone(), prefix: "" };
    (before, Side { files: edited, dockerfile: after, vector: vector.clone(), prefix: "edit_" })
}

fn answers(steps: &[Step]) -> BTreeMap<String, Option<bool>> {
    steps.iter().map(|step| (step.name.clone(), step.cached)).collect()
}

/// The cases in which a step takes what a `RUN` of another stage leaves, or what lies in an image, and that `RUN` or
/// image is another: no text tells whether it is reused.
const OPEN: [&str; 23] = [
    "arg-stage-scope",
    "df-copy-context-to-from-stage-same-content",
    "mnt-bind-from-image",
    "mnt-cache-from-seed-changed",
    "ms-artifact-owner",
    "ms-bind-from-stage-identical",
    "ms-bind-from-stage-rw",
    "ms-bind-from-stage-subpath-file",
    "ms-bind-from-stage-whole",
    "ms-builder-base-bump-identical-artifact",
    "ms-chain-of-content-hits",
    "ms-changed-artifact",
    "ms-copy-from-symlink-artifact",
    "ms-dir-artifact-extra-file",
    "ms-dir-artifact-other-file-changed",
    "ms-identical-artifact",
    "ms-identical-artifact-new-mode",
    "ms-identical-steps-shared",
    "real-go",
    "real-node",
    "real-node-lock",
    "trick-copy-root-makes-content-based",
    "trick-self-bind-makes-from-content-based",
];

fn expected(steps: &Value) -> BTreeMap<String, bool> {
    let step = |step: &Value| (step["step"].as_str().unwrap().to_owned(), step["cached"].as_bool().unwrap());
    steps.as_array().unwrap().iter().map(step).collect()
}

/// Compares, and says whether an answer was left open.
fn compare(vector: &Value, expect: &str, store: ImageStore, wrong: &mut Vec<String>) -> bool {
    let (before, after) = sides(vector);
    let (mut builder, mut bases) = (Builder::new(), Builder::new());
    before.build(&mut builder, &mut bases, store);
    let steps = after.build(&mut builder, &mut bases, store);
    let (answers, expected) = (answers(&steps), expected(&vector[expect]));
    let name = vector["name"].as_str().unwrap();
    let mut is_open = false;
    if answers.keys().ne(expected.keys()) {
        wrong.push(format!("{name}: {:#?} instead of {:#?}", answers.keys(), expected.keys()));
        return false;
    }
    for (step, cached) in expected {
        match answers[&step] {
            None => is_open = true,
            Some(answer) if answer == cached => {}
            Some(answer) => {
                let why = steps.iter().find(|found| found.name == step).map(|step| step.why.to_string());
                wrong.push(format!("{name}: {step} is cached: {cached}, not {answer} ({})", why.unwrap_or_default()));
            }
        }
    }
    is_open
}

#[test]
fn each_answer_is_what_buildkit_did() {
    let path = format!("{}/../tests/vectors/cache.json", env!("CARGO_MANIFEST_DIR"));
    let vectors: Value = serde_json::from_str(&fs::read_to_string(path).unwrap().replace("@CTX@", CONTEXT)).unwrap();
    let vectors = vectors["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 181);
    let (mut wrong, mut open) = (Vec::new(), BTreeSet::new());
    for vector in vectors {
        if compare(vector, "expect", ImageStore::Classic, &mut wrong) {
            open.insert(vector["name"].as_str().unwrap());
        }
        if vector.get("expect_containerd_image_store").is_some() {
            compare(vector, "expect_containerd_image_store", ImageStore::Containerd, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(open.into_iter().collect::<Vec<_>>(), OPEN);
}

#[test]
fn the_same_build_again_runs_nothing() {
    let path = format!("{}/../tests/vectors/cache.json", env!("CARGO_MANIFEST_DIR"));
    let vectors: Value = serde_json::from_str(&fs::read_to_string(path).unwrap().replace("@CTX@", CONTEXT)).unwrap();
    for vector in vectors["vectors"].as_array().unwrap() {
        let (before, after) = sides(vector);
        let (mut builder, mut bases) = (Builder::new(), Builder::new());
        for side in [&before, &after, &after, &before] {
            side.build(&mut builder, &mut bases, ImageStore::Classic);
        }
        if after.options().1.no_cache || !after.options().1.no_cache_filter.is_empty() {
            continue;
        }
        for side in [&after, &before] {
            for step in side.build(&mut builder, &mut bases, ImageStore::Classic) {
                assert_eq!(step.cached, Some(true), "{}: {} {}", vector["name"], step.name, step.why);
            }
        }
    }
}
