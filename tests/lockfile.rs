//! The program that reduces the manifests of a Node project, run on real folders: what it makes of lockfiles and settings.
//!
//! It is taken out of a generated Dockerfile and run by the machine's own node; without one the test says so.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/need.rs"]
mod need;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use dockerfile_gen::{ConfigLayer, generate};
use need::need;

const MANIFEST: &str = r#"{
  "name": "app",
  "version": "1.2.3",
  "license": "MIT",
  "main": "index.js",
  "scripts": { "start": "node index.js" },
  "dependencies": { "version": "^0.1.2", "license": "^1.0.3" }
}
"#;

/// With packages that are called as the keys are.
const LOCK: &str = r#"{
  "name": "app",
  "version": "1.2.3",
  "lockfileVersion": 2,
  "requires": true,
  "packages": {
    "": {
      "name": "app",
      "version": "1.2.3",
      "license": "MIT",
      "dependencies": {
        "license": "^1.0.3",
        "version": "^0.1.2"
      }
    },
    "node_modules/license": {
      "version": "1.0.3",
      "license": "MIT",
      "peer": true
    },
    "node_modules/version": {
      "version": "0.1.2",
      "license": "ISC",
      "dependencies": {
        "version": "*"
      }
    }
  },
  "dependencies": {
    "license": {
      "version": "1.0.3"
    },
    "version": {
      "version": "0.1.2"
    }
  }
}
"#;

/// What the `deps` stage of a project gets, generated when it had the first files, built when it has the others, too.
fn reduced(files: &[(&str, &str)], later: &[(&str, &str)]) -> BTreeMap<String, String> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let root = std::env::temp_dir().join(format!("lockfile-{}-{number}", std::process::id()));
    let _ = fs::remove_dir_all(&root);
    let (project, out) = (root.join("project"), root.join("manifests"));
    let write = |files: &[(&str, &str)]| {
        for (path, text) in files {
            let path = project.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    };
    write(files);
    let generated = generate(PathBuf::from(&project), ConfigLayer::default()).unwrap();
    write(later);
    let text = generated.files.0.get("Dockerfile").unwrap();
    let (_, text) = text.split_once(" node - ").or_else(|| text.split_once("RUN node - ")).unwrap();
    let (arguments, text) = text.split_once(" <<'EOF'\n").unwrap();
    let (text, _) = text.split_once("\nEOF\n").unwrap();
    let text = text.replace("/src/", &format!("{}/", project.display()));
    let text = text.replace("/tmp/links", &root.join("links").display().to_string());
    let script = root.join("program.cjs");
    fs::write(&script, text.replace("/tmp/manifests", &out.display().to_string())).unwrap();
    let ran = Command::new("node").arg(&script).args(arguments.split(' ')).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let mut texts = BTreeMap::new();
    read(&out, "", &mut texts);
    read_links(&root.join("links/node_modules"), &mut texts);
    fs::remove_dir_all(&root).unwrap();
    texts
}

fn read(folder: &Path, prefix: &str, texts: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = format!("{prefix}{}", entry.file_name().display());
        if entry.file_type().unwrap().is_dir() {
            read(&entry.path(), &format!("{path}/"), texts);
        } else {
            texts.insert(path, fs::read_to_string(entry.path()).unwrap());
        }
    }
}

/// What each link in a folder leads to.
fn read_links(folder: &Path, texts: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let target = fs::read_link(entry.path()).unwrap();
        texts.insert(format!("-> {}", entry.file_name().display()), target.display().to_string());
    }
}

#[test]
fn own_versions_and_nothing_else() {
    if !need("node") {
        return;
    }
    let reduced = |lock: &str| {
        let files = [("package.json", MANIFEST), ("package-lock.json", lock), ("index.js", "")];
        reduced(&files, &[])["package-lock.json"].clone()
    };
    let expected = LOCK.replacen("\"version\": \"1.2.3\"", "\"version\": \"0.0.0\"", 2).replacen(
        "      \"license\": \"MIT\",\n      \"dependencies\"",
        "      \"dependencies\"",
        1,
    );
    let expected: String = expected.lines().map(|line| format!("{}\n", line.trim())).collect();
    assert_eq!(reduced(LOCK), expected);
    // As npm writes it beside a package.json that is indented otherwise, or on Windows.
    for (name, from, to) in [("four-spaces", "  ", "    "), ("tabs", "  ", "\t"), ("line-ends", "\n", "\r\n")] {
        assert_eq!(reduced(&LOCK.replace(from, to)), expected, "{name}");
    }
    let other = LOCK.replace("\"1.2.3\"", "\"2.0.0\"").replacen("\"MIT\",\n      \"dep", "\"ISC\",\n      \"dep", 1);
    assert_eq!(reduced(&other), expected);
    let added = LOCK.replace("0.1.2\"", "0.1.3\"");
    assert_ne!(reduced(&added), expected);
}

#[test]
fn the_order_of_dependencies_does_not_count() {
    if !need("node") {
        return;
    }
    let files = [("package.json", MANIFEST), ("package-lock.json", LOCK), ("index.js", "")];
    let other =
        MANIFEST.replace(r#""version": "^0.1.2", "license": "^1.0.3""#, r#""license": "^1.0.3", "version": "^0.1.2""#);
    assert_ne!(other, MANIFEST);
    assert_eq!(reduced(&files, &[("package.json", &other)]), reduced(&files, &[]));
}

#[test]
fn settings_that_come_later_count() {
    if !need("node") {
        return;
    }
    let files = [("package.json", MANIFEST), ("package-lock.json", LOCK), ("index.js", "")];
    let before = reduced(&files, &[]);
    let after = reduced(&files, &[(".npmrc", "legacy-peer-deps=true\n")]);
    assert_eq!(after.len(), before.len() + 1);
    assert_eq!(after[".npmrc"], "legacy-peer-deps=true\n");
}

/// A workspace in which `server` depends on `lib`.
const WORKSPACE: [(&str, &str); 6] = [
    ("package.json", r#"{ "name": "root", "private": true }"#),
    ("pnpm-workspace.yaml", "packages:\n  - packages/*\n"),
    ("pnpm-lock.yaml", PNPM_LOCK),
    (
        "packages/server/package.json",
        r#"{ "name": "server", "scripts": { "start": "node main.js" }, "dependencies": { "lib": "workspace:*" } }"#,
    ),
    ("packages/server/main.js", "require('lib')"),
    ("packages/lib/package.json", r#"{ "name": "lib" }"#),
];

const PNPM_LOCK: &str = "lockfileVersion: '9.0'

importers:

  .: {}

  packages/lib: {}

  packages/server:
    dependencies:
      lib:
        specifier: workspace:*
        version: link:../lib
";

#[test]
fn a_member_that_nothing_is_installed_for_does_not_count() {
    if !need("node") {
        return;
    }
    let before = reduced(&WORKSPACE, &[]);
    assert_eq!(before["pnpm-lock.yaml"], PNPM_LOCK);
    let line = PNPM_LOCK.replace("  packages/lib", "  packages/extra: {}\n\n  packages/lib");
    let member = ("packages/extra/package.json", r#"{ "name": "extra", "version": "1.0.0" }"#);
    assert_eq!(reduced(&WORKSPACE, &[member, ("pnpm-lock.yaml", &line)]), before);
    // It counts as soon as somebody depends on it.
    let server = WORKSPACE[3].1.replace("\"lib\"", "\"extra\": \"workspace:*\", \"lib\"");
    let after = reduced(&WORKSPACE, &[member, ("pnpm-lock.yaml", &line), (WORKSPACE[3].0, &server)]);
    assert!(after.contains_key("packages/extra/package.json"));
}

#[test]
fn a_range_that_a_member_asks_of_another_needs_its_version() {
    if !need("node") {
        return;
    }
    for (range, version) in [("*", "0.0.0"), ("^", "0.0.0"), ("^1.0.0", "1.2.3"), ("../lib", "0.0.0")] {
        let server = WORKSPACE[3].1.replace("workspace:*", &format!("workspace:{range}"));
        let lib = r#"{ "name": "lib", "version": "1.2.3" }"#;
        let after = reduced(&WORKSPACE, &[(WORKSPACE[3].0, &server), (WORKSPACE[5].0, lib)]);
        let manifest = &after["packages/lib/package.json"];
        assert!(manifest.contains(&format!("\"version\": \"{version}\"")), "{range}: {manifest}");
    }
}

/// A workspace of npm's in which `server` depends on nothing of the workspace.
const NPM_WORKSPACE: [(&str, &str); 4] = [
    ("package.json", r#"{ "name": "root", "private": true, "workspaces": ["packages/*"] }"#),
    ("package-lock.json", NPM_LOCK),
    (
        "packages/server/package.json",
        r#"{ "name": "server", "scripts": { "start": "node main.js" }, "dependencies": { "ms": "2.1.3" } }"#,
    ),
    ("packages/server/main.js", "require('ms')"),
];

const NPM_LOCK: &str = r#"{
  "name": "root",
  "lockfileVersion": 3,
  "requires": true,
  "packages": {
    "": {
      "name": "root",
      "workspaces": [
        "packages/*"
      ]
    },
    "node_modules/ms": {
      "version": "2.1.3"
    },
    "node_modules/server": {
      "resolved": "packages/server",
      "link": true
    },
    "packages/server": {
      "dependencies": {
        "ms": "2.1.3"
      }
    }
  }
}
"#;

#[test]
fn npm_links_a_member_that_nothing_is_installed_for() {
    if !need("node") {
        return;
    }
    let before = reduced(&NPM_WORKSPACE, &[]);
    let lock = NPM_LOCK
        .replace(
            "    \"node_modules/ms\"",
            "    \"node_modules/zebra\": {\n      \"resolved\": \"packages/zebra\",\n      \"link\": true\n    },\n    \"node_modules/ms\"",
        )
        .replace("    }\n  }\n}", "    },\n    \"packages/zebra\": {\n      \"version\": \"1.0.0\"\n    }\n  }\n}");
    let member = r#"{ "name": "zebra", "version": "1.0.0" }"#;
    let path = "packages/zebra/package.json";
    let mut after = reduced(&NPM_WORKSPACE, &[(path, member), ("package-lock.json", &lock)]);
    assert_eq!(after.remove("-> zebra").unwrap(), "../packages/zebra");
    assert_eq!(after, before);
    // With commands, or without an entry in the lockfile, it is npm's to judge.
    let command = r#"{ "name": "zebra", "version": "1.0.0", "bin": "zebra.js" }"#;
    assert!(reduced(&NPM_WORKSPACE, &[(path, command), ("package-lock.json", &lock)]).contains_key(path));
    assert!(reduced(&NPM_WORKSPACE, &[(path, member)]).contains_key(path));
}
