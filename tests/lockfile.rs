//! The program that reduces the manifests of a Node project, run on real folders: what it makes of npm's lockfile.
//!
//! It is taken out of a generated Dockerfile and run by the machine's own node; without one the test says so.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stderr)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dockerfile_gen::{ConfigLayer, generate};

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

/// The lockfile that the `deps` stage gets.
fn reduced(name: &str, lock: &str) -> String {
    let root = std::env::temp_dir().join(format!("lockfile-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&root);
    let (project, out) = (root.join("project"), root.join("manifests"));
    fs::create_dir_all(&project).unwrap();
    for (path, text) in [("package.json", MANIFEST), ("package-lock.json", lock), ("index.js", "")] {
        fs::write(project.join(path), text).unwrap();
    }
    let text = program(&project).replace("/src/", &format!("{}/", project.display()));
    let script = root.join("program.cjs");
    fs::write(&script, text.replace("/tmp/manifests", &out.display().to_string())).unwrap();
    let ran = Command::new("node").arg(&script).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let reduced = fs::read_to_string(out.join("package-lock.json")).unwrap();
    fs::remove_dir_all(&root).unwrap();
    reduced
}

fn program(project: &Path) -> String {
    let generated = generate(PathBuf::from(project), ConfigLayer::default()).unwrap();
    let text = generated.files.0.get("Dockerfile").unwrap();
    let (_, program) = text.split_once("node - <<'EOF'\n").unwrap();
    program.split_once("\nEOF\n").unwrap().0.to_owned()
}

#[test]
fn own_versions_and_nothing_else() {
    if Command::new("node").arg("--version").output().is_err() {
        eprintln!("no node on this machine: the program was not tried");
        return;
    }
    let expected = LOCK.replacen("\"version\": \"1.2.3\"", "\"version\": \"0.0.0\"", 2).replacen(
        "      \"license\": \"MIT\",\n      \"dependencies\"",
        "      \"dependencies\"",
        1,
    );
    assert_eq!(reduced("two-spaces", LOCK), expected);
    // As npm writes it beside a package.json that is indented otherwise, or on Windows.
    for (name, from, to) in [("four-spaces", "  ", "    "), ("tabs", "  ", "\t"), ("line-ends", "\n", "\r\n")] {
        assert_eq!(reduced(name, &LOCK.replace(from, to)), expected.replace(from, to), "{name}");
    }
    let other = LOCK.replace("\"1.2.3\"", "\"2.0.0\"").replacen("\"MIT\",\n      \"dep", "\"ISC\",\n      \"dep", 1);
    assert_eq!(reduced("another-version", &other), expected);
    let added = LOCK.replace("0.1.2\"", "0.1.3\"");
    assert_ne!(reduced("another-dependency", &added), expected);
}
