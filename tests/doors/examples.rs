//! The committed files of every example are what the tool writes today.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

fn check(root: &Path) {
    let out = Command::new(env!("CARGO_BIN_EXE_cargo-dockerfile")).arg("--check").arg(root).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{}\n{text}", root.display());
}

#[test]
fn committed_files_are_fresh() {
    for name in ["axum-workspace", "django-pipfile", "express-npm", "go-modules", "vite-pnpm"] {
        check(&examples().join(name));
    }
}

#[test]
fn fastapi_uv_is_fresh_once_it_is_locked() {
    // uv.lock names the index that it was made with, so none is committed; what it holds does not matter here.
    let root = std::env::temp_dir().join(format!("example-fastapi-uv-{}", std::process::id()));
    let _ = fs::remove_dir_all(&root);
    copy(&examples().join("fastapi-uv"), &root);
    fs::write(root.join("uv.lock"), "version = 1\nrequires-python = \">=3.12\"\n").unwrap();
    check(&root);
    fs::remove_dir_all(root).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true if entry.file_name() == ".venv" => {}
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}
