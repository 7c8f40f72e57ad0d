//! The programs that reduce Python manifests to what decides the dependencies, edit by edit.
//!
//! They are taken out of a generated Dockerfile and run by the machine's own Python; one without `tomllib` is told of.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/need.rs"]
mod need;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dockerfile_gen::{ConfigLayer, generate};
use need::need_that;

/// A file, a text in it, and what replaces that text.
type Edit = (&'static str, &'static str, &'static str);

struct Case {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
    free: &'static [Edit],
    decisive: &'static [Edit],
}

const PROJECT: &str = r#"# a comment
[project]
name = "shop"
version = "1.2.3"
description = "Sells"
authors = [{ name = "A", email = "a@example.org" }]
keywords = ["shop"]
classifiers = ["Framework :: FastAPI"]
requires-python = ">=3.12"
dependencies = [
    "fastapi>=0.115",
    "uvicorn>=0.35; python_version >= '3.12'",
]
[project.optional-dependencies]
more = ["idna"]
[project.scripts]
shop = "shop:run"
[dependency-groups]
dev = ["pytest"]
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[tool.ruff]
line-length = 100
"#;

const FREE: [Edit; 10] = [
    ("pyproject.toml", "1.2.3", "1.2.4"),
    ("pyproject.toml", "\"Sells\"", "\"Sells \\\"more\\\"\"\nreadme = \"README.md\""),
    ("pyproject.toml", "[{ name = \"A\", email = \"a@example.org\" }]", "[]\nlicense = \"MIT\""),
    ("pyproject.toml", "keywords = [\"shop\"]\n", ""),
    ("pyproject.toml", ":: FastAPI", ":: Flask"),
    ("pyproject.toml", "\"shop:run\"", "\"shop:main\""),
    ("pyproject.toml", "line-length = 100", "line-length = 99\n[tool.pytest.ini_options]\ntestpaths = [\"t\"]"),
    ("pyproject.toml", "# a comment", "# another"),
    ("pyproject.toml", "    \"fastapi>=0.115\",\n", "\t'fastapi>=0.115', # why\n"),
    ("pyproject.toml", "more = [\"idna\"]\n", "more = [\n    \"idna\",\n]\n\n"),
];

const DECISIVE: [Edit; 4] = [
    ("pyproject.toml", "    \"fastapi>=0.115\",\n", ""),
    ("pyproject.toml", "\"fastapi>=0.115\"", "\"fastapi[standard]>=0.115\""),
    ("pyproject.toml", ">=0.35;", ">=0.36;"),
    ("pyproject.toml", "    \"fastapi>=0.115\",\n", "    \"fastapi>=0.115\",\n    \"toolz\",\n"),
];

const APP: (&str, &str) = ("shop/__init__.py", "from fastapi import FastAPI\n\napp = FastAPI()\n");

const UV_LOCK: &str = r#"version = 1
requires-python = ">=3.12"

[[package]]
name = "fastapi"
version = "0.120.0"
source = { registry = "https://registry.example/simple" }

[[package]]
name = "shop"
version = "1.2.3"
source = { editable = "." }
dependencies = [
    { name = "fastapi" },
]
"#;

const WORKSPACE_LOCK: &str = r#"version = 1
resolution-markers = [
    "python_full_version >= '3.14'",
]

[manifest]
members = [
    "leaf",
    "shop",
]

[[package]]
name = "fastapi"
version = "0.120.0"
source = { registry = "https://registry.example/simple" }

[[package]]
name = "leaf"
version = "0.1.0"
source = { editable = "packages/leaf" }

[[package]]
name = "shop"
version = "1.2.3"
source = { editable = "packages/shop" }
dependencies = [
    { name = "fastapi" },
    { name = "leaf" },
]
"#;

fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "uv",
            files: &[("pyproject.toml", PROJECT), ("uv.lock", UV_LOCK), APP],
            free: &[("uv.lock", "version = \"1.2.3\"", "version = \"1.2.4\"")],
            decisive: &[
                ("uv.lock", "0.120.0", "0.121.0"),
                ("uv.lock", "registry.example", "other.example"),
                ("pyproject.toml", "requires-python = \">=3.12\"", "requires-python = \">=3.13\""),
                ("pyproject.toml", "[tool.ruff]", "[tool.uv]\nconstraint-dependencies = [\"idna<4\"]\n[tool.ruff]"),
                ("pyproject.toml", "[tool.ruff]", "[[tool.uv.index]]\nurl = \"https://other.example\"\n[tool.ruff]"),
            ],
        },
        Case {
            name: "uv workspace",
            files: &[
                ("pyproject.toml", "[tool.uv.workspace]\nmembers = [\"packages/*\"]\n"),
                ("uv.lock", WORKSPACE_LOCK),
                ("packages/shop/pyproject.toml", PROJECT),
                ("packages/shop/src/shop/__init__.py", APP.1),
            ],
            free: &[
                ("uv.lock", "version = \"0.1.0\"", "version = \"0.2.0\""),
                ("uv.lock", "    \"leaf\",\n", "    \"leaf\",\n    \"new\",\n"),
                (
                    "uv.lock",
                    "[[package]]\nname = \"shop\"",
                    "[[package]]\nname = \"new\"\nversion = \"0.1.0\"\nsource = { virtual = \"packages/new\" }\n\n\
                     [[package]]\nname = \"shop\"",
                ),
            ],
            decisive: &[
                ("uv.lock", "'3.14'", "'3.15'"),
                ("uv.lock", "    { name = \"leaf\" },\n", ""),
                ("pyproject.toml", "packages/*", "packages/shop"),
            ],
        },
        Case {
            name: "Poetry",
            files: &[("pyproject.toml", PROJECT), ("poetry.lock", "# Poetry 2.5.1\npackage = []\n"), APP],
            free: &[(
                "pyproject.toml",
                "[tool.ruff]",
                "[tool.poetry]\npackages = [{ include = \"shop\" }]\n[tool.ruff]",
            )],
            decisive: &[
                (
                    "pyproject.toml",
                    "[tool.ruff]",
                    "[[tool.poetry.source]]\nname = \"x\"\nurl = \"https://x.example\"\n[tool.ruff]",
                ),
                ("pyproject.toml", "[tool.ruff]", "[tool.poetry.group.more.dependencies]\ntoolz = \"1\"\n[tool.ruff]"),
            ],
        },
        Case {
            name: "PDM",
            files: &[("pyproject.toml", PROJECT), ("pdm.lock", "[metadata]\ncontent_hash = \"\"\n"), APP],
            free: &[("pyproject.toml", "[tool.ruff]", "[tool.pdm.scripts]\nx = \"y\"\n[tool.ruff]")],
            decisive: &[(
                "pyproject.toml",
                "[tool.ruff]",
                "[tool.pdm.resolution.overrides]\nidna = \"3.10\"\n[tool.ruff]",
            )],
        },
        Case {
            name: "pip",
            files: &[("pyproject.toml", PROJECT), APP],
            free: &[("pyproject.toml", "more = [\"idna\"]", "more = [\"toolz\"]")],
            decisive: &[],
        },
        Case {
            name: "requirements with a folder",
            files: &[
                ("requirements.txt", "fastapi==0.120.0 # why\n-e ./lib\n"),
                ("lib/setup.py", ""),
                ("app.py", APP.1),
            ],
            free: &[("requirements.txt", "-e ./lib", "./lib")],
            decisive: &[("requirements.txt", "0.120.0", "0.121.0")],
        },
        Case {
            name: "Pipenv",
            files: &[
                (
                    "Pipfile",
                    "[[source]]\nurl = \"https://a.example\"\n[packages]\nfastapi = \"*\" # why\n[scripts]\nx = \"y\"\n",
                ),
                ("Pipfile.lock", "{}"),
                ("app.py", APP.1),
            ],
            free: &[("Pipfile", "x = \"y\"", "x = \"z\""), ("Pipfile", "fastapi = \"*\" # why", "fastapi = '*'")],
            decisive: &[("Pipfile", "fastapi = \"*\"", "fastapi = \">=0.1\""), ("Pipfile", "a.example", "b.example")],
        },
    ]
}

/// What the dependency stage is keyed by.
fn reduce(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut config = ConfigLayer::default();
    config.command = Some(vec!["x".to_owned()]);
    let generated = generate(root, config).unwrap();
    let text = generated.files.0["Dockerfile"].clone();
    let out = root.with_extension("out");
    let _ = fs::remove_dir_all(&out);
    let (_, stage) = text.split_once(" AS manifests\n").unwrap_or_else(|| panic!("no manifests stage:\n{text}"));
    let (stage, _) = stage.split_once("\nFROM ").unwrap();
    for program in stage.split("RUN python -").skip(1) {
        let (arguments, body) = program.split_once("<<'EOF'\n").unwrap();
        let (body, _) = body.split_once("\nEOF\n").unwrap();
        let command = format!("exec python3 -{}", arguments.replace("\\\n", " "));
        let mut shell = Command::new("sh");
        let mut shell = shell.args(["-c", &command]).current_dir(root).stdin(Stdio::piped()).spawn().unwrap();
        let body = body.replace("/tmp/manifests", out.to_str().unwrap());
        shell.stdin.take().unwrap().write_all(body.as_bytes()).unwrap();
        assert!(shell.wait().unwrap().success(), "{body}");
    }
    let files = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| (path.file_name().unwrap().into(), fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn only_what_decides_the_set_is_kept() {
    if !need_that("python3", &["-c", "import tomllib"]) {
        return;
    }
    for case in cases() {
        let root = std::env::temp_dir().join(format!("manifests-{}", std::process::id())).join("shop");
        let _ = fs::remove_dir_all(&root);
        for (path, text) in case.files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let first = reduce(&root);
        let after = |(path, from, to): Edit| {
            let path = root.join(path);
            let old = fs::read_to_string(&path).unwrap();
            assert!(old.contains(from), "{}: no {from:?}", case.name);
            fs::write(&path, old.replacen(from, to, 1)).unwrap();
            let reduced = reduce(&root);
            fs::write(&path, old).unwrap();
            reduced
        };
        let is_project = case.files.contains(&("pyproject.toml", PROJECT));
        let shared = |edits: &'static [Edit]| edits.iter().take(if is_project { edits.len() } else { 0 });
        for edit in shared(&FREE).chain(case.free) {
            assert_eq!(after(*edit), first, "{}: {edit:?} reinstalls", case.name);
        }
        for edit in shared(&DECISIVE).chain(case.decisive) {
            assert_ne!(after(*edit), first, "{}: {edit:?} does not reinstall", case.name);
        }
        let _ = fs::remove_dir_all(root.parent().unwrap());
    }
}
