//! `cargo dockerfile context`: what a build sends, and what is left out by which line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dockerfile_gen::context::{BuildContext, Dockerignore, Entry};
use dockerfile_gen::secrets::{Verdict, verdict};
use dockerfile_gen::simulate::{Context, Input, sent};
use dockerfile_gen::{DiskTree, Error, Tree};
use serde_json::{Value, json};

use crate::simulate::{at, dockerfile, parse};
use crate::terminal::{self, BOLD, DIM, WARN, line};

#[derive(clap::Args, Debug)]
pub(crate) struct ContextArgs {
    /// The folder that is the build context
    #[arg(default_value = ".")]
    path: PathBuf,
    /// The Dockerfile whose ignore file holds and whose instructions ask for files [default: Dockerfile in the context]
    #[arg(long, short, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Say whether this file is sent, and which line decides
    #[arg(long, value_name = "FILE")]
    why: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// As many files as the table shows.
const MOST_FILES: usize = 20;

pub(crate) fn run(args: &ContextArgs) -> Result<(), Error> {
    let tree = DiskTree::open_all(&args.path)?;
    let found = match (dockerfile(&tree, args.file.as_deref()), &args.file) {
        (Ok(found), _) => Some(found),
        // Without a Dockerfile nothing is asked for, and all that is not left out might be.
        (Err(Error::Read { source, .. }), None) if source.kind() == std::io::ErrorKind::NotFound => None,
        (Err(error), _) => return Err(error),
    };
    let path = found.as_ref().map_or("", |(path, _)| path);
    let ignore = Dockerignore::of(&tree, path)?;
    let all = BuildContext::new(&tree, &ignore);
    if let Some(why) = &args.why {
        return explain(why, &ignore, &all, args.json);
    }
    let asked = match &found {
        Some((path, text)) => {
            let file = parse(path, text)?;
            let input = Input::new(&file, Context { tree: &tree, ignore: ignore.clone() });
            let sent = sent(&input).map_err(|fault| at(path, &fault))?;
            Some(sent.entries().keys().map(|path| (*path).to_owned()).collect::<std::collections::BTreeSet<_>>())
        }
        None => None,
    };
    let is_sent = |path: &str| asked.as_ref().is_none_or(|asked| asked.contains(path));
    let mut files: Vec<(&str, u64)> = all
        .entries()
        .iter()
        .filter_map(|(path, entry)| match entry {
            Entry::File { meta, .. } if is_sent(path) => Some((*path, meta.size)),
            _ => None,
        })
        .collect();
    files.sort_by_key(|(path, size)| (std::cmp::Reverse(*size), *path));
    let left_out = left_out(&tree, &ignore);
    let warnings = warnings(&tree, &files);
    if args.json {
        print_json(&files, &left_out, &warnings, &ignore);
    } else {
        print(&files, &left_out, &warnings, &ignore, all.entries().len());
    }
    Ok(())
}

/// Files and bytes that each line leaves out.
type LeftOut = BTreeMap<u32, (String, usize, u64)>;

fn left_out(tree: &dyn Tree, ignore: &Dockerignore) -> LeftOut {
    let mut left_out = LeftOut::new();
    let paths = tree.files().iter();
    let verdicts = ignore.verdicts(tree.files().keys().map(|path| path.as_str()));
    for ((_, meta), (_, verdict)) in paths.zip(verdicts) {
        if let (true, Some(line)) = (verdict.excluded, verdict.line) {
            let entry = left_out.entry(line.number).or_insert_with(|| (line.text.clone(), 0, 0));
            entry.1 += 1;
            entry.2 += meta.size;
        }
    }
    left_out
}

/// Folders that no build needs from outside.
const BULK: [&str; 10] =
    [".git", "node_modules", "target", ".venv", "venv", "__pycache__", "dist", ".next", ".gradle", "coverage"];

fn warnings(tree: &dyn Tree, files: &[(&str, u64)]) -> Vec<String> {
    let mut warnings = Vec::new();
    for (path, _) in files {
        if let Some(Verdict::Secret(kind)) = verdict(tree, path) {
            warnings.push(format!(
                "`{path}` looks like a secret ({}) and is sent; leave it out in the .dockerignore: {}",
                kind.what,
                kind.instead.advice(path)
            ));
        }
    }
    let mut bulk: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
    for (path, size) in files {
        let parts = path.match_indices('/').map(|(at, _)| &path[..at]);
        let dir = parts.into_iter().find(|dir| BULK.contains(&dir.rsplit('/').next().unwrap_or(dir)));
        if let Some(dir) = dir {
            let entry = bulk.entry(dir).or_default();
            *entry = (entry.0 + 1, entry.1 + size);
        }
    }
    for (dir, (count, size)) in bulk {
        warnings
            .push(format!("`{dir}` is sent with {count} files, {}; leave it out in the .dockerignore", bytes(size)));
    }
    warnings
}

fn explain(path: &str, ignore: &Dockerignore, all: &BuildContext<'_>, json: bool) -> Result<(), Error> {
    let clean = Path::new(path).components().collect::<PathBuf>();
    let path = clean.to_str().unwrap_or(path).trim_start_matches("./");
    let verdict = ignore.verdict(path);
    let is_there = all.get(path).is_some();
    let file = ignore.path().unwrap_or(".dockerignore");
    if json {
        let line = verdict.line.map(|line| json!({"file": file, "line": line.number, "pattern": line.text}));
        terminal::json(&json!({"path": path, "sent": !verdict.excluded || is_there, "decided_by": line}));
        return Ok(());
    }
    let what = match (verdict.excluded, is_there) {
        (false, _) => "may be sent",
        (true, true) => "is left out itself, and there for what it holds",
        (true, false) => "is left out",
    };
    match verdict.line {
        Some(line) => line!("{BOLD}{path}{BOLD:#} {what}: {file}:{} `{}`", line.number, line.text),
        None => line!("{BOLD}{path}{BOLD:#} {what}: no line matches"),
    }
    Ok(())
}

fn print(files: &[(&str, u64)], left_out: &LeftOut, warnings: &[String], ignore: &Dockerignore, all: usize) {
    let total: u64 = files.iter().map(|(_, size)| size).sum();
    line!("{BOLD}{}{BOLD:#} files, {} are sent of {all} entries in the context", files.len(), bytes(total));
    for (path, size) in files.iter().take(MOST_FILES) {
        line!("{:>10}  {path}", bytes(*size));
    }
    if let Some(more) = files.len().checked_sub(MOST_FILES).filter(|more| *more > 0) {
        line!("{:>10}  {DIM}and {more} smaller ones{DIM:#}", "");
    }
    if !left_out.is_empty() {
        line!("");
        line!("left out by {BOLD}{}{BOLD:#}", ignore.path().unwrap_or_default());
    }
    for (line, (text, count, size)) in left_out {
        line!("{line:>6}  `{text}` {count} files, {}", bytes(*size));
    }
    for warning in warnings {
        terminal::message(&WARN, "warning", warning);
    }
}

fn print_json(files: &[(&str, u64)], left_out: &LeftOut, warnings: &[String], ignore: &Dockerignore) {
    let file = |(path, size): &(&str, u64)| json!({"path": path, "size": size});
    let line = |(line, (text, count, size)): (&u32, &(String, usize, u64))| json!({"line": line, "pattern": text, "files": count, "size": size});
    let value = json!({
        "files": files.iter().map(file).collect::<Vec<Value>>(),
        "size": files.iter().map(|(_, size)| size).sum::<u64>(),
        "ignore_file": ignore.path(),
        "left_out": left_out.iter().map(line).collect::<Vec<Value>>(),
        "warnings": warnings,
    });
    terminal::json(&value);
}

fn bytes(size: u64) -> String {
    let units = ["B", "kB", "MB", "GB"];
    let mut value = size as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{size} B") } else { format!("{value:.1} {}", units[unit]) }
}
