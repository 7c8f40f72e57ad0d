//! Runs the binary on every `tests/fixtures/<stack>/<case>.txtar` and compares what it says and writes.
//!
//! Each case is a test with a name of its own: `cargo test --test fixtures node::` runs those of Node,
//! `cargo test --test fixtures -- --list` lists all.
//!
//! A case is one text file: `-- PATH --` starts a file of the project; `-- args --` holds further arguments, one a line.
//! What is expected stands behind `-- expect Dockerfile --`, `-- expect .dockerignore --`, `-- expect stderr --` and
//! `-- expect exit --`; only what a case names is compared. `UPDATE_EXPECT=1` rewrites those parts
//! (a new case starts with `-- expect Dockerfile --` and `-- expect stderr --` left empty).
//! Adding a case needs no Rust line. The head of a case says what it is about; where the answer is wrong today, a line that
//! starts with `Not yet:` says how.
#![allow(missing_docs, clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
use similar::TextDiff;

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

/// Writes the project of a case into `root`, and returns the arguments that the case adds.
fn unpack(case: &Case, root: &Path) -> Vec<String> {
    let mut args: Vec<String> = vec!["generate".into()];
    fs::create_dir_all(root).unwrap();
    for (name, body) in &case.parts {
        if name == "args" {
            args.extend(body.lines().map(str::to_owned));
        } else if !name.starts_with("expect ") {
            let file = root.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, body).unwrap();
        }
    }
    args
}

fn run(args: &[String], more: &[&str], root: &Path) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-dockerfile"));
    let out = command.args(args).args(more).arg(root).output().unwrap();
    let text = String::from_utf8(out.stderr).unwrap() + &String::from_utf8(out.stdout).unwrap();
    // cargo, which runs in the folder for temporary files, names what lies below it by a relative path.
    let relative = root.strip_prefix(std::env::temp_dir()).unwrap_or(root);
    let text = text.replace(root.to_str().unwrap(), "PROJECT").replace(relative.to_str().unwrap(), "PROJECT");
    (out.status.code().unwrap(), text)
}

/// Runs the case in the file `path`, in the folder `root`.
fn check(path: &Path, root: &Path) -> Result<(), Failed> {
    let mut case = parse(&fs::read_to_string(path).unwrap());
    if !case.parts.iter().any(|(name, _)| name.starts_with("expect ")) {
        return Err("the case expects nothing: add `-- expect Dockerfile --` or `-- expect stderr --`".into());
    }
    let _ = fs::remove_dir_all(root);
    let args = unpack(&case, root);
    let (code, said) = run(&args, &[], root);
    let mut wrong = String::new();
    if code == 0 {
        // Generating, writing and checking agree, and a second run touches nothing.
        let (stale, diff) = run(&args, &["--check"], root);
        if stale != 0 {
            wrong.push_str(&format!("--check after generate exits with {stale}\n{diff}"));
        }
    }
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
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
        if got != *body && !update {
            let diff = TextDiff::from_lines(body.as_str(), got.as_str());
            let (expected, found) = (part.clone(), part.replacen("expect", "got", 1));
            wrong.push_str(&diff.unified_diff().header(&expected, &found).to_string());
        }
        *body = got;
    }
    if update {
        fs::write(path, print(&case)).unwrap();
    }
    fs::remove_dir_all(root).unwrap();
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(format!("{wrong}{}: UPDATE_EXPECT=1 rewrites what is expected", path.display()).into()),
    }
}

/// Leaves out the middle of long here-documents: a program is the same in every case, and the examples hold it whole.
/// A manifest that declares dependencies is another one in each.
fn without_programs(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, body)) = rest.split_once("<<'EOF'") {
        let Some((body, after)) = body.split_once("\nEOF\n") else { break };
        out.push_str(before);
        match body.lines().count() > 15 && !body.starts_with(" Cargo.toml\n") {
            true => out.push_str("<<'EOF'\n(a program)\nEOF\n"),
            false => out.push_str(&format!("<<'EOF'{body}\nEOF\n")),
        }
        rest = after;
    }
    out + rest
}

/// The files of all cases, sorted.
fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("tests/fixtures");
    let stacks = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let files = stacks.flat_map(|stack| fs::read_dir(stack).unwrap().map(|entry| entry.unwrap().path()));
    let mut cases: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|extension| extension == "txtar")).collect();
    cases.sort();
    cases
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let all = std::env::temp_dir().join(format!("fixtures-{}", std::process::id()));
    let trial = |path: PathBuf| {
        let stem = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
        let (stack, case) = (stem(path.parent().unwrap()), stem(&path));
        let root = all.join(&stack).join(&case);
        Trial::test(format!("{stack}::{case}"), move || check(&path, &root))
    };
    let conclusion = libtest_mimic::run(&arguments, cases().into_iter().map(trial).collect());
    let _ = fs::remove_dir_all(&all);
    conclusion.exit_code()
}
