//! The committed files of every example are what the tool writes today.

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
    for name in ["axum-workspace", "django-pipfile", "express-npm", "fastapi-uv", "go-modules", "vite-pnpm"] {
        check(&examples().join(name));
    }
}
