//! Every example: built, asked, edited, built again.

use std::fs;
use std::time::Duration;

use crate::harness::{Project, all_cached, dependencies_cached, in_stages, run};

#[test]
#[ignore = "needs a docker engine"]
fn axum_workspace() {
    let project = Project::example("axum-workspace");
    project.generate();
    project.build(&[]);
    assert!(project.get(8080, "/", &[]).contains("0.3.0"));
    all_cached(&project.build(&[]), "nothing");
    project.append("README.md", "more\n");
    all_cached(&project.build(&[]), "an edit of README.md");
    // An edit of its own: an earlier run of the test would have left the results of the steps after it.
    project.append("crates/catalog/src/lib.rs", &format!("// an edit by {}\n", std::process::id()));
    dependencies_cached(&project.build(&[]), "an edit of a source file");
    project.edit("Cargo.toml", "version = \"0.3.0\"", "version = \"0.3.1\" # a comment");
    project.edit("Cargo.toml", "rust-version = \"1.85\"", "rust-version = \"1.86\"");
    let lock = fs::read_to_string(project.root.join("Cargo.lock")).unwrap();
    fs::write(project.root.join("Cargo.lock"), lock.replace("version = \"0.3.0\"", "version = \"0.3.1\"")).unwrap();
    dependencies_cached(&project.build(&[]), "a version bump");
    assert!(project.get(8080, "/", &[]).contains("0.3.1"), "the stub or an old binary was shipped");
    // A file whose content is new and whose time is older than everything in the cache.
    project.edit("crates/prices/data/prices.csv", "\n", "\n\n");
    let csv = project.root.join("crates/prices/data/prices.csv");
    let file = fs::File::options().append(true).open(csv).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)).unwrap();
    let steps = project.build(&[]);
    dependencies_cached(&steps, "an edit of a build script's input");
    let built = in_stages(&steps, &["build "]);
    assert!(built.iter().any(|(_, cached)| !cached), "a change with an old time was not seen: {built:#?}");
    project.build(&["--target", "shop-cli"]);
}

#[test]
#[ignore = "needs a docker engine"]
fn express_npm() {
    let project = Project::example("express-npm");
    project.generate();
    project.build(&[]);
    assert!(project.get(3000, "/health", &[]).contains("ok"));
    all_cached(&project.build(&[]), "nothing");
    project.append("README.md", "more\n");
    all_cached(&project.build(&[]), "an edit of README.md");
    project.append("src/server.js", "// an edit\n");
    dependencies_cached(&project.build(&[]), "an edit of a source file");
    project.edit("package.json", "\"description\": \"", "\"description\": \"now ");
    dependencies_cached(&project.build(&[]), "another description");
}

#[test]
#[ignore = "needs a docker engine"]
fn vite_pnpm() {
    let project = Project::example("vite-pnpm");
    project.generate();
    project.build(&[]);
    assert!(project.get(8080, "/a/path/of/the/app", &[]).contains("<html"));
    all_cached(&project.build(&[]), "nothing");
    project.append("README.md", "more\n");
    all_cached(&project.build(&[]), "an edit of README.md");
    project.append("src/main.tsx", "// an edit\n");
    dependencies_cached(&project.build(&[]), "an edit of a source file");
}

#[test]
#[ignore = "needs a docker engine"]
fn django_pipfile() {
    let project = Project::example("django-pipfile");
    project.generate();
    project.build(&[]);
    assert!(project.get(8000, "/health", &["DJANGO_ALLOWED_HOSTS=localhost,127.0.0.1"]).contains("ok"));
    all_cached(&project.build(&[]), "nothing");
    project.append("README.md", "more\n");
    all_cached(&project.build(&[]), "an edit of README.md");
    project.append("manage.py", "# an edit\n");
    dependencies_cached(&project.build(&[]), "an edit of a source file");
}

#[test]
#[ignore = "needs a docker engine"]
fn fastapi_uv() {
    let project = Project::example("fastapi-uv");
    // As it is in a clone, without a lockfile, and then with one.
    for locked in [false, true] {
        if locked {
            lock(&project);
        }
        project.generate();
        project.build(&[]);
        assert!(project.get(8000, "/health", &[]).contains("ok"));
        all_cached(&project.build(&[]), "nothing");
        project.append("README.md", "more\n");
        all_cached(&project.build(&[]), "an edit of README.md");
        project.append("src/wordcount/main.py", "# an edit\n");
        dependencies_cached(&project.build(&[]), "an edit of a source file");
        project.edit("pyproject.toml", "description = \"", "description = \"now ");
        dependencies_cached(&project.build(&[]), "another description");
        project.append("pyproject.toml", &format!("\n[tool.ruff.{}]\n", if locked { "lint" } else { "format" }));
        dependencies_cached(&project.build(&[]), "the settings of a tool");
    }
    project.edit("pyproject.toml", "version = \"0.2.0\"", "version = \"0.2.1\"");
    lock(&project);
    dependencies_cached(&project.build(&[]), "a version bump");
    assert!(project.get(8000, "/health", &[]).contains("ok"));
    project.edit("pyproject.toml", "    \"uvicorn", "    \"tomli-w\",\n    \"uvicorn");
    lock(&project);
    project.build(&[]);
    project.say("python -c 'import tomli_w'");
}

/// Writes uv.lock. It names the index that it was made with, so the example has none.
fn lock(project: &Project) {
    let locker = project.root.join("locker.Dockerfile");
    fs::write(
        &locker,
        "FROM python:3.13-slim AS lock\nCOPY --from=ghcr.io/astral-sh/uv:latest /uv /bin/\nWORKDIR /p\n\
         COPY pyproject.toml ./\nRUN uv lock\nFROM scratch\nCOPY --from=lock /p/uv.lock /\n",
    )
    .unwrap();
    let root = project.root.to_str().unwrap();
    run("docker", &["build", "-f", locker.to_str().unwrap(), "--output", root, root]);
    fs::remove_file(locker).unwrap();
}

#[test]
#[ignore = "needs a docker engine"]
fn go_modules() {
    let project = Project::example("go-modules");
    project.generate();
    project.build(&[]);
    assert!(project.get(8080, "/health", &[]).contains("ok"));
    all_cached(&project.build(&[]), "nothing");
    project.append("README.md", "more\n");
    all_cached(&project.build(&[]), "an edit of README.md");
    project.append("cmd/server/main.go", "// an edit\n");
    dependencies_cached(&project.build(&[]), "an edit of a source file");
}
