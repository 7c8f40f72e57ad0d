//! What the README tells a reader to run does what it says.

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_first_command_prints_the_committed_files_of_the_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let command = readme.lines().find_map(|line| line.strip_prefix("$ cargo run --quiet -- ")).unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_cargo-dockerfile"))
        .args(command.split_whitespace())
        .current_dir(&root)
        .output()
        .unwrap();
    assert!(out.status.success());
    let printed = String::from_utf8(out.stdout).unwrap();
    let example = root.join(command.split_whitespace().last().unwrap());
    assert!(printed.starts_with(&fs::read_to_string(example.join("Dockerfile")).unwrap()));
    assert!(printed.ends_with(&fs::read_to_string(example.join(".dockerignore")).unwrap()));
}

#[test]
fn every_command_of_the_readme_is_one_that_the_help_knows() {
    let help = Command::new(env!("CARGO_BIN_EXE_cargo-dockerfile")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    for row in readme.lines().filter_map(|line| line.strip_prefix("| `cargo dockerfile ")) {
        let word = row.split(['`', ' ']).next().unwrap().trim_start_matches('[').trim_end_matches(']');
        assert!(help.contains(word), "`{word}` is in the README and not in the help:\n{help}");
    }
}
