//! Runs the binary on every `tests/fixtures/<stack>/<case>.txtar` and compares what it says and writes.
//!
//! A case is one text file: `-- PATH --` starts a file of the project; `-- args --` holds further arguments, one a line.
//! What is expected stands behind `-- expect Dockerfile --`, `-- expect .dockerignore --`, `-- expect stderr --` and
//! `-- expect exit --`; only what a case names is compared. `UPDATE_EXPECT=1` rewrites those parts
//! (a new case starts with `-- expect Dockerfile --` and `-- expect stderr --` left empty).
//! Adding a case needs no Rust line.
#![allow(missing_docs, clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

struct Case {
    intro: String,
    parts: Vec<(String, String)>,
}

fn parse(text: &str) -> Case {
    let mut case = Case { intro: String::new(), parts: Vec::new() };
    for line in text.split_inclusive('\n') {
        match line.trim_end().strip_prefix("-- ").and_then(|rest| rest.strip_suffix(" --")) {
            Some(name) => case.parts.push((name.to_owned(), String::new())),
            None => match case.parts.last_mut() {
                Some((_, body)) => body.push_str(line),
                None => case.intro.push_str(line),
            },
        }
    }
    case
}

fn print(case: &Case) -> String {
    let mut text = case.intro.clone();
    for (name, body) in &case.parts {
        text.push_str(&format!("-- {name} --\n{body}"));
        if !body.is_empty() && !body.ends_with('\n') {
            text.push('\n');
        }
    }
    text
}

fn run(args: &[&str], root: &Path) -> (i32, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_cargo-dockerfile")).args(args).arg(root).output().unwrap();
    let text = String::from_utf8(out.stderr).unwrap() + &String::from_utf8(out.stdout).unwrap();
    (out.status.code().unwrap(), text.replace(root.to_str().unwrap(), "PROJECT"))
}

fn check(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let mut case = parse(&text);
    let name = path.file_stem().unwrap().to_str().unwrap();
    let root = std::env::temp_dir().join(format!("fixture-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&root);
    let mut args: Vec<String> = vec!["generate".into()];
    for (name, body) in &case.parts {
        if name == "args" {
            args.extend(body.lines().map(str::to_owned));
        } else if !name.starts_with("expect ") {
            let file = root.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, body).unwrap();
        }
    }
    fs::create_dir_all(&root).unwrap();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (code, said) = run(&args, &root);
    let mut wrong = Vec::new();
    if code == 0 {
        // Generating, writing and checking agree, and a second run touches nothing.
        let mut check_args = args.clone();
        check_args.push("--check");
        let (stale, diff) = run(&check_args, &root);
        if stale != 0 {
            wrong.push(format!("{name}: --check after generate exits with {stale}\n{diff}"));
        }
    }
    for (part, body) in &mut case.parts {
        let got = match part.strip_prefix("expect ") {
            None => continue,
            Some("stderr") => said.clone(),
            Some("exit") => format!("{code}\n"),
            Some(file) => fs::read_to_string(root.join(file)).unwrap_or_default(),
        };
        // A checksum says nothing to a reader of the case.
        let got: String = got.split_inclusive('\n').filter(|line| !line.starts_with("# Checksum")).collect();
        let got = without_programs(&got);
        if got != *body {
            if std::env::var_os("UPDATE_EXPECT").is_none() {
                wrong.push(format!("{name}: {part} differs; expected:\n{body}\ngot:\n{got}"));
            }
            *body = got;
        }
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(path, print(&case)).unwrap();
    }
    fs::remove_dir_all(root).unwrap();
    wrong
}

/// Leaves out the middle of long here-documents: a program is the same in every case, and the examples hold it whole.
fn without_programs(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, body)) = rest.split_once("<<'EOF'") {
        let Some((body, after)) = body.split_once("\nEOF\n") else { break };
        out.push_str(before);
        match body.lines().count() > 15 {
            true => out.push_str("<<'EOF'\n(a program)\nEOF\n"),
            false => out.push_str(&format!("<<'EOF'{body}\nEOF\n")),
        }
        rest = after;
    }
    out + rest
}

#[test]
fn every_case() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures");
    let mut cases: Vec<PathBuf> = Vec::new();
    for stack in fs::read_dir(root).unwrap().flatten() {
        cases.extend(fs::read_dir(stack.path()).into_iter().flatten().flatten().map(|entry| entry.path()));
    }
    cases.retain(|path| path.extension().is_some_and(|extension| extension == "txtar"));
    cases.sort();
    let only = std::env::var("FIXTURE").unwrap_or_default();
    let wrong: Vec<String> =
        cases.iter().filter(|path| path.to_str().unwrap().contains(&only)).flat_map(|path| check(path)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
