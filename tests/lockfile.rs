//! The lines that reduce the manifests of a Node project: which edits leave the bytes as they were, and which do not.
//!
//! They are taken out of a generated Dockerfile and run by the machine's own node; without one the test says so.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use dockerfile_gen::{ConfigLayer, generate};

type Files<'a> = BTreeMap<&'a str, String>;

/// What the program makes of `later`, in the Dockerfile that was generated for `files`.
fn reduced(files: &Files<'_>, later: &Files<'_>, names: &[&str]) -> Option<Vec<String>> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    if Command::new("node").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "node is not there");
        eprintln!("node is not there: nothing was tried");
        return None;
    }
    let folder = |files: &Files<'_>| -> PathBuf {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("reduce-{}-{count}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    };
    let (at_first, now) = (folder(files), folder(later));
    let generated = generate(at_first.clone(), ConfigLayer::default()).unwrap();
    let dockerfile = generated.files.0.get("Dockerfile").unwrap();
    let (_, program) = dockerfile.split_once("RUN node <<'EOF'\n").unwrap();
    let (program, _) = program.split_once("\nEOF\n").unwrap();
    assert!(program.lines().count() <= 12, "{program}");
    // Only what the stage copies is there.
    for file in fs::read_dir(&now).unwrap().filter_map(Result::ok).filter(|file| file.path().is_file()) {
        let name = file.file_name();
        if !["package.json", "package-lock.json"].contains(&name.to_str().unwrap()) {
            fs::remove_file(file.path()).unwrap();
        }
    }
    let out = Command::new("node").args(["-e", program]).current_dir(&now).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let texts = names.iter().map(|name| fs::read_to_string(now.join(name)).unwrap()).collect();
    for root in [at_first, now] {
        fs::remove_dir_all(root).unwrap();
    }
    Some(texts)
}

fn changed(files: &Files<'_>, path: &str, from: &str, to: &str) -> bool {
    let mut later = files.clone();
    let text = later.get_mut(path).unwrap();
    assert!(text.contains(from), "{path} has no {from}");
    *text = text.replacen(from, to, 1);
    let names: Vec<&str> = files.keys().copied().filter(|name| name.ends_with(".json")).collect();
    reduced(files, files, &names).is_some_and(|before| Some(before) != reduced(files, &later, &names))
}

fn single() -> Files<'static> {
    let manifest = r#"{ "name": "app", "version": "1.2.3", "license": "MIT", "scripts": { "start": "node index.js" },
        "dependencies": { "version": "^0.1.2", "license": "^1.0.3" }, "overrides": { "a": "1" } }"#;
    let lock = r#"{ "name": "app", "version": "1.2.3", "lockfileVersion": 3, "packages": {
        "": { "name": "app", "version": "1.2.3", "license": "MIT",
              "dependencies": { "version": "^0.1.2", "license": "^1.0.3" } },
        "node_modules/license": { "version": "1.0.3", "license": "MIT" },
        "node_modules/version": { "version": "0.1.2", "license": "ISC", "engines": { "node": "*" } } } }"#;
    let files = [("package.json", manifest), ("package-lock.json", lock), ("index.js", "console.log(1);\n")];
    files.into_iter().map(|(path, text)| (path, text.to_owned())).collect()
}

#[test]
fn what_a_project_says_of_itself_decides_nothing() {
    let files = single();
    for (path, from, to) in [
        ("package.json", "1.2.3", "1.2.4"),
        ("package.json", "\"MIT\"", "\"Apache-2.0\""),
        ("package.json", "node index.js", "node ./index.js"),
        ("package.json", "{ \"name\"", "{\n  \"description\": \"a shop\",\n  \"name\""),
        ("package-lock.json", "\"version\": \"1.2.3\"", "\"version\": \"1.2.4\""),
        (
            "package-lock.json",
            "\"version\": \"1.2.3\", \"license\": \"MIT\"",
            "\"version\": \"9.0.0\", \"license\": \"X\"",
        ),
    ] {
        assert!(!changed(&files, path, from, to), "{path}: {from} became {to}");
    }
}

#[test]
fn dependencies_and_what_is_not_known_decide() {
    let files = single();
    for (path, from, to) in [
        ("package.json", "^1.0.3", "^1.0.4"),
        ("package.json", "\"overrides\"", "\"somethingNew\""),
        ("package-lock.json", "\"version\": \"1.0.3\"", "\"version\": \"1.0.4\""),
        (
            "package-lock.json",
            "\"node_modules/version\": { \"version\": \"0.1.2\"",
            "\"node_modules/version\": { \"version\": \"0.1.3\"",
        ),
    ] {
        let tried = Command::new("node").arg("--version").output().is_ok();
        assert_eq!(changed(&files, path, from, to), tried, "{path}: {from} became {to}");
    }
}

#[test]
fn the_version_of_a_member_counts_where_a_range_of_it_is_asked_for() {
    let tried = Command::new("node").arg("--version").output().is_ok();
    for (range, decides) in [("^1.0.0", true), ("*", false)] {
        let manifest = r#"{ "name": "root", "private": true, "workspaces": ["packages/*"], "version": "0.1.0",
            "scripts": { "start": "node packages/app/index.js" } }"#;
        let app = format!(r#"{{ "name": "app", "version": "3.0.0", "dependencies": {{ "@x/lib": "{range}" }} }}"#);
        let lock = format!(
            r#"{{ "name": "root", "lockfileVersion": 3, "packages": {{
                "": {{ "name": "root", "workspaces": ["packages/*"] }},
                "packages/app": {{ "version": "3.0.0", "dependencies": {{ "@x/lib": "{range}" }} }},
                "packages/lib": {{ "name": "@x/lib", "version": "1.0.0" }},
                "node_modules/@x/lib": {{ "resolved": "packages/lib", "link": true }} }} }}"#
        );
        let files: Files<'_> = [
            ("package.json", manifest),
            ("package-lock.json", &lock),
            ("packages/app/package.json", &app),
            ("packages/app/index.js", "console.log(1);\n"),
            ("packages/lib/package.json", r#"{ "name": "@x/lib", "version": "1.0.0" }"#),
        ]
        .into_iter()
        .map(|(path, text)| (path, text.to_owned()))
        .collect();
        let lib = |path: &str| changed(&files, path, "1.0.0\" }", "1.1.0\" }");
        assert_eq!(lib("packages/lib/package.json"), decides && tried, "{range}");
        assert_eq!(lib("package-lock.json"), decides && tried, "{range}");
        assert!(!changed(&files, "packages/app/package.json", "3.0.0", "3.1.0"), "{range}");
    }
}

#[test]
fn a_template_of_a_manifest_is_passed_over() {
    let files: Files<'_> = [
        (
            "package.json",
            r#"{ "name": "root", "private": true, "workspaces": ["packages/[ab]*"], "scripts": { "start": "node a.js" } }"#,
        ),
        ("package-lock.json", r#"{ "name": "root", "lockfileVersion": 3, "packages": { "": { "name": "root" } } }"#),
        ("packages/a/package.json", r#"{ "name": "a", "version": "1.0.0" }"#),
        ("templates/new/package.json", "{ \"name\": {{name}} }"),
        ("a.js", "console.log(1);\n"),
    ]
    .into_iter()
    .map(|(path, text)| (path, text.to_owned()))
    .collect();
    assert!(!changed(&files, "packages/a/package.json", "1.0.0", "1.0.1"));
}
