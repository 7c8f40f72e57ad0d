//! What is written is what was planned, and every `COPY` finds its files; or an error names the cause.

use std::fs;
use std::path::PathBuf;

use dockerfile_gen::context::{BuildContext, CopySpec, Dockerignore, match_sources};
use dockerfile_gen::dockerfile::{Arguments, Dockerfile, Source, expand_word};
use dockerfile_gen::{ConfigLayer, Error, Generated, MemTree, Tree, generate, generate_tree};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::injection::{as_planned, json, nasty};

const GO_MAIN: &str = "package main\n\nfunc main() { http.ListenAndServe(\":7000\", nil) }\n";

fn tree(files: &[(&str, &str)]) -> MemTree {
    let mut tree = MemTree::default();
    for (path, text) in files {
        tree.insert(path, *text);
    }
    tree
}

fn text(generated: &Generated, name: &str) -> String {
    generated.files.0.iter().find(|(path, _)| path.as_str() == name).unwrap().1.clone()
}

/// Every source of a `COPY` from the context takes something, unless its last name is a pattern of ours.
fn finds_all(tree: &dyn Tree, generated: &Generated) {
    let ignore = Dockerignore::parse(".dockerignore", &text(generated, ".dockerignore")).unwrap();
    let context = BuildContext::new(tree, &ignore);
    let file: Dockerfile = text(generated, "Dockerfile").parse().unwrap();
    for instruction in file.instructions.iter().filter(|instruction| instruction.flag("from").is_none()) {
        let Arguments::Copy(copy) = &instruction.args else { continue };
        for source in &copy.sources {
            let Source::Path(word) = source else { continue };
            let path = expand_word(&word.text, '\\', &|_| None).unwrap();
            let spec = CopySpec { sources: vec![path.clone()], dest: "/x/".into(), ..CopySpec::default() };
            let found = match_sources(&context, &spec).unwrap_or_else(|fault| panic!("{path}: {fault}"));
            assert!(!found.is_empty() || path.ends_with('*'), "{path} matches nothing");
        }
    }
}

fn go(dir: &str, settings: &str) -> (MemTree, Result<Generated, Error>) {
    let (module, main) = (format!("{dir}/go.mod"), format!("{dir}/main.go"));
    let files = [
        (module.trim_start_matches('/'), "module example.com/a\n\ngo 1.26\n"),
        (main.trim_start_matches('/'), GO_MAIN),
        ("dockerfile.toml", settings),
    ];
    let tree = tree(&files);
    let generated = generate_tree(&tree, ConfigLayer::default());
    (tree, generated)
}

#[test]
fn a_static_site_without_a_build_script_is_built_by_its_framework() {
    let site = |package: &str, config: (&str, &str)| {
        let tree = tree(&[("package.json", package), config, ("src/pages/index.astro", "x")]);
        text(&generate_tree(&tree, ConfigLayer::default()).unwrap(), "Dockerfile")
    };
    let astro = r#"{"name": "site", "scripts": {"dev": "astro dev"}, "dependencies": {"astro": "5.0.0"}}"#;
    assert!(site(astro, ("astro.config.mjs", "")).contains("    node_modules/.bin/astro build\n"));
    let next = r#"{"name": "site", "dependencies": {"next": "15.0.0"}}"#;
    assert!(
        site(next, ("next.config.js", "module.exports = {output: 'export'}"))
            .contains("node_modules/.bin/next build\n")
    );
}

#[test]
fn a_step_that_takes_in_what_follows_is_an_error_that_names_it() {
    for run in ["echo a \\", "cat <<EOF", "a\nEOF\r\r\nRUN pwnd\nb", "a\u{0}", " \t", &"a".repeat(70_000)] {
        let (_, generated) = go("", &format!("[[steps]]\nname = \"s\"\nrun = {}\n", json(run)));
        let error = generated.unwrap_err();
        assert!(matches!(error, Error::Config { .. }), "{run:?}: {error}");
        assert!(error.to_string().starts_with("dockerfile.toml:3: `steps.run = "), "{error}");
        assert!(error.to_string().len() < 400, "{error}");
    }
    for run in ["echo 'a\\' && true", "cat <<'EOF' > /x\na\nEOF\necho b", "a\r\nb", "EOF\nEOFF"] {
        let (_, generated) = go("", &format!("[[steps]]\nname = \"s\"\nrun = {}\n", json(run)));
        as_planned(&generated.unwrap());
    }
}

#[test]
fn settings_that_no_file_can_take_are_named() {
    let long = "x".repeat(70_000);
    for (line, key) in [
        ("command = []".to_owned(), "command"),
        ("command = [\" \"]".into(), "command"),
        (format!("env = {{ A = \"{long}\" }}"), "env.A"),
        ("env = { A = \"a\\nb\" }".into(), "env.A"),
        (format!("labels = {{ a = \"{long}\" }}"), "labels.a"),
        ("ignore = [\"!\"]".into(), "ignore"),
        ("ignore = [\"a\\nb\"]".into(), "ignore"),
        ("ignore = [\"#a\"]".into(), "ignore"),
    ] {
        let error = go("", &format!("{line}\n")).1.unwrap_err();
        assert!(error.to_string().starts_with(&format!("dockerfile.toml:1: `{key} = ")), "{line:.40}: {error}");
    }
}

#[test]
fn a_copy_finds_every_name_that_a_folder_can_have() {
    for dir in [
        "a[b]",
        "a*b",
        "a?b",
        "a\\b",
        "a b",
        "a$HOME",
        "a\"b",
        "a'b",
        "#a",
        "!a",
        "-a",
        "--from=x",
        "ü",
        "a]b",
        " a",
        "a ",
        "a{2}b",
        "a|b",
        "a^b",
        "a{2}[x]",
        "[a-z]",
        "<<EOF",
        "[!a]",
        "日本?",
        "d*/e[f/g h",
    ] {
        let (tree, generated) = go(dir, "");
        let generated = generated.unwrap_or_else(|error| panic!("{dir}: {error}"));
        as_planned(&generated);
        finds_all(&tree, &generated);
        let ignore = text(&generated, ".dockerignore");
        assert!(!ignore.lines().any(|line| line.starts_with("!a/vendor")), "{ignore}");
    }
    let error = go("a\nb", "").1.unwrap_err();
    assert!(error.to_string().contains("a\\nb"), "{error}");
}

#[test]
fn names_of_programs_make_names_of_stages() {
    let programs = ["2fa", "a-b", "a_b", "build", "Deps", "frontend", "scratch", "context", "ü"];
    let paths: Vec<String> = programs.iter().map(|name| format!("cmd/{name}/main.go")).collect();
    let mut files = vec![("go.mod", "module example.com/a\n\ngo 1.26\n")];
    files.extend(paths.iter().map(|path| (path.as_str(), GO_MAIN)));
    let mut layer = ConfigLayer::default();
    layer.bin = Some("2fa".into());
    let generated = generate_tree(&tree(&files), layer).unwrap();
    as_planned(&generated);
    let file: Dockerfile = text(&generated, "Dockerfile").parse().unwrap();
    let mut names: Vec<String> = file.stages().into_iter().map(|stage| stage.name.unwrap()).collect();
    names.sort();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "{names:?}");
}

#[test]
fn a_rust_program_may_have_any_name_and_description() {
    let root = std::env::temp_dir().join(format!("readback-rust-{}", std::process::id()));
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(root.join("src")).unwrap();
    let long = "a".repeat(70_000);
    let manifest = format!(
        "[package]\nname = \"svc\"\nversion = \"0.1.0\"\nedition = \"2021\"\ndescription = \"{long}\"\n\
         [[bin]]\nname = \"2fa\"\npath = \"src/main.rs\"\n[[bin]]\nname = \"b\"\npath = \"src/b.rs\"\n"
    );
    fs::write(root.join("Cargo.toml"), manifest).unwrap();
    for name in ["src/main.rs", "src/b.rs"] {
        fs::write(root.join(name), "fn main() {}\n").unwrap();
    }
    let generated = generate(PathBuf::from(&root), ConfigLayer::default()).unwrap();
    as_planned(&generated);
    let dockerfile = text(&generated, "Dockerfile");
    assert!(dockerfile.contains("\nFROM runtime AS bin-2fa\n"), "{dockerfile:.2000}");
    assert!(dockerfile.lines().all(|line| line.len() < 1000));
    fs::remove_dir_all(root).unwrap();
}

#[test]
fn a_service_without_packages_has_a_folder_to_copy() {
    for lock in ["package-lock.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock"] {
        let package = r#"{"name": "a", "scripts": {"start": "node index.js"}}"#;
        let content =
            if lock.ends_with(".json") { r#"{"lockfileVersion": 3, "packages": {"": {"name": "a"}}}"# } else { "" };
        let tree = tree(&[
            ("package.json", package),
            (lock, content),
            ("index.js", "require(\"http\").createServer().listen(3000)"),
        ]);
        let dockerfile = text(&generate_tree(&tree, ConfigLayer::default()).unwrap(), "Dockerfile");
        assert!(dockerfile.contains(" && mkdir -p node_modules\n"), "{lock}: {dockerfile}");
    }
}

/// The files of a hostile project of one of the stacks that need no program of their own.
fn project() -> impl Strategy<Value = Vec<(String, String)>> {
    (0..3u8, prop::collection::vec(nasty(), 6)).prop_map(|(stack, words)| {
        let [name, script, main, version, dependency, dir] = words.try_into().unwrap();
        let inside = |file: &str| format!("{dir}/{file}").trim_start_matches('/').replace("//", "/");
        match stack {
            0 => vec![
                ("package.json".to_owned(), format!(
                    r#"{{"name": {}, "main": {}, "description": {}, "engines": {{"node": {}}}, "dependencies": {{"express": "4", {}: "1"}},
                       "scripts": {{"start": {}, "build": {}, "postinstall": {}}}}}"#,
                    json(&name), json(&main), json(&name), json(&version), json(&dependency), json(&script), json(&script), json(&script),
                )),
                ("index.js".to_owned(), "require('express')().listen(3000)".to_owned()),
                (inside("x.js"), format!("require('fs').readFileSync({})", json(&name))),
            ],
            1 => vec![
                (inside("pyproject.toml"), format!(
                    "[project]\nname = {}\nversion = {}\ndescription = {}\ndependencies = [\"fastapi\", \"uvicorn\", {}]\n",
                    json(&name), json(&version), json(&script), json(&dependency),
                )),
                (inside("main.py"), "from fastapi import FastAPI\napp = FastAPI()\n".to_owned()),
                ("requirements.txt".to_owned(), format!("flask\n{dependency}\n-r {}\n", inside("r.txt"))),
                (inside("r.txt"), "x\n".to_owned()),
                ("app.py".to_owned(), "from flask import Flask\napp = Flask(__name__)\n".to_owned()),
            ],
            _ => vec![
                (inside("go.mod"), format!("module example.com/{name}\n\ngo 1.24\n")),
                (inside("main.go"), GO_MAIN.to_owned()),
                (inside(&format!("cmd/{main}/main.go")), GO_MAIN.to_owned()),
                (inside(&format!("cmd/{script}/main.go")), GO_MAIN.to_owned()),
            ],
        }
    })
}

/// Says whether files were generated; panics for a bug of ours.
fn holds(files: &[(String, String)]) -> bool {
    let mut tree = MemTree::default();
    for (path, text) in files {
        tree.insert(path, text.clone());
    }
    match generate_tree(&tree, ConfigLayer::default()) {
        Ok(generated) => {
            as_planned(&generated);
            finds_all(&tree, &generated);
            true
        }
        Err(error @ Error::Readback { .. }) => panic!("{error}"),
        Err(_) => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_project_passes_or_is_refused_by_name(files in project()) {
        holds(&files);
    }
}

/// A hostile package or workspace of Rust; cargo reads it from a disk.
fn rust_project() -> impl Strategy<Value = Vec<(String, String)>> {
    (any::<bool>(), prop::collection::vec(nasty(), 5)).prop_map(|(is_workspace, words)| {
        let [name, text, version, feature, dir] = words.try_into().unwrap();
        // What no package may be called is refused by cargo, and tells nothing of what is written.
        let plain: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(8).collect();
        let package = format!(
            "[package]\nname = \"p{plain}\"\nversion = \"0.1.0\"\nedition = \"2021\"\ndescription = {}\nrepository = {}\n\
             license = {}\nauthors = [{}]\n[features]\nf{plain} = []\n[package.metadata.x]\na = {}\n[[bin]]\nname = {}\npath = \"src/main.rs\"\n",
            json(&text), json(&text), json(&version), json(&name), json(&feature), json(&format!("b{name}")),
        );
        let config = format!("[build]\ntarget-dir = {}\n[env]\nA = {}\n", json(&dir), json(&text));
        let toolchain = format!("[toolchain]\nchannel = {}\n", json(&version));
        let dir = dir.trim_matches(['/', '.', '\0', ' ']).replace('\0', "");
        let dir = if dir.is_empty() || dir.contains("..") { "m".to_owned() } else { dir };
        let mut files = vec![(".cargo/config.toml".to_owned(), config), ("rust-toolchain.toml".into(), toolchain)];
        if is_workspace {
            files.push(("Cargo.toml".into(), format!("[workspace]\nresolver = \"2\"\nmembers = [{}, \"*\"]\n", json(&dir))));
            files.push((format!("{dir}/Cargo.toml"), package));
            files.push((format!("{dir}/src/main.rs"), "fn main() {}\n".into()));
        } else {
            files.push(("Cargo.toml".into(), package));
            files.push(("src/main.rs".into(), format!("const A: &str = include_str!({});\nfn main() {{}}\n", json(&text))));
        }
        files
    })
}

/// As [`holds`], for files that are written to a disk first.
fn holds_on_disk(files: &[(String, String)]) -> bool {
    let root = std::env::temp_dir().join(format!("readback-campaign-{}", std::process::id()));
    let _ = fs::remove_dir_all(&root);
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let generated = generate(&root, ConfigLayer::default());
    let is_written = match generated {
        Ok(generated) => {
            as_planned(&generated);
            finds_all(&dockerfile_gen::DiskTree::open(&root).unwrap(), &generated);
            true
        }
        Err(error @ Error::Readback { .. }) => panic!("{error}"),
        Err(_) => false,
    };
    fs::remove_dir_all(root).unwrap();
    is_written
}

/// `COUNT` projects from the seed `SEED`: none has an instruction that was not planned.
#[allow(clippy::print_stdout)]
fn campaign_of(
    count: usize,
    projects: impl Strategy<Value = Vec<(String, String)>>,
    holds: fn(&[(String, String)]) -> bool,
) {
    let number = |name: &str, default: usize| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (count, seed) = (number("COUNT", count), number("SEED", 1));
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&(seed as u64).to_le_bytes());
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let (mut written, mut failed) = (0, Vec::new());
    for _ in 0..count {
        let files = projects.new_tree(&mut runner).unwrap().current();
        match std::panic::catch_unwind(|| holds(&files)) {
            Ok(is_written) => written += usize::from(is_written),
            Err(_) => failed.push(files),
        }
    }
    println!(
        "{count} projects: {written} generated, {} refused, {} wrong",
        count - written - failed.len(),
        failed.len()
    );
    assert!(failed.is_empty(), "{:?}", &failed[..failed.len().min(5)]);
}

#[test]
#[ignore = "takes minutes"]
fn campaign() {
    campaign_of(15_000, project(), holds);
}

#[test]
#[ignore = "starts cargo for each project"]
fn campaign_on_disk() {
    campaign_of(500, rust_project(), holds_on_disk);
}
