//! Edits of a Python project.

use crate::facts::{Manager, PythonProject};

use super::super::variants::Variant;
use super::{Apply, Edit, append, change, edit, run};

/// Small packages without dependencies that hardly any project has.
const PACKAGES: [&str; 4] = ["text-unidecode==1.3", "toolz==1.0.0", "inflection==0.5.1", "pathvalidate==3.3.1"];

pub(super) fn edits(python: &PythonProject, sources: &[String]) -> Vec<Edit> {
    let inside = |path: &str| python.dir.join(path).unwrap().to_string();
    let mut edits = Vec::new();
    for source in sources {
        edits.push(edit(&format!("comment in {source}"), append(source, |round| format!("# edit {round}\n"))));
    }
    // A virtual workspace's version is that of the member that is shipped.
    let member = python.dir.join(python.install.member.as_str()).unwrap();
    let own = member.join("pyproject.toml").unwrap().to_string();
    let (lock, name, at) = (inside("uv.lock"), python.name.clone(), own.clone());
    edits.push(edit(
        "version bump",
        Box::new(move |variant, round| {
            let version = format!("version = \"77.0.{round}\"");
            change(variant, &at, |old| replace_line(old, "version = ", &version))?;
            // Only uv repeats it in the lockfile.
            let entry = format!("name = \"{name}\"\n");
            let _ = change(variant, &lock, |old| {
                let (head, tail) = old.split_once(&entry)?;
                Some(format!("{head}{entry}{}", replace_line(tail, "version = ", &version)?))
            });
            Some(())
        }),
    ));
    let at = own.clone();
    edits.push(edit(
        "description",
        Box::new(move |variant, round| {
            change(variant, &at, |old| replace_line(old, "description = ", &format!("description = \"edit {round}\"")))
        }),
    ));
    edits.push(edit("settings of a tool", append(&own, |round| format!("\n[tool.x{round}]\ny = 1\n"))));
    for file in &python.install.requirements {
        edits.push(edit(&format!("comment in {file}"), append(&inside(file), |round| format!("# edit {round}\n"))));
    }
    edits.push(edit("dependency added", dependency(python)));
    edits
}

/// Replaces the first line that starts so.
fn replace_line(text: &str, start: &str, line: &str) -> Option<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().position(|old| old.starts_with(start))?;
    lines[at] = line;
    Some(lines.join("\n") + "\n")
}

/// Adds a package as the manager's users do it. The marker, which always holds, makes it a set that no cache has seen.
fn dependency(python: &PythonProject) -> Apply {
    let (dir, install) = (python.dir.to_string(), &python.install);
    let file = install.requirements.first().map(|file| python.dir.join(file).unwrap().to_string());
    let (manager, workspace_package) = (install.manager, install.package.clone());
    let directory = move |variant: &Variant| variant.root.join(&dir).to_string_lossy().into_owned();
    Box::new(move |variant, round| {
        let package = PACKAGES[round % PACKAGES.len()];
        let marked = format!("{package}; python_full_version >= '3.0.{round}'");
        let dir = directory(variant);
        let (program, arguments): (_, Vec<String>) = match manager? {
            Manager::Uv => {
                let mut words = ["add", "--no-sync", "--directory", &dir, &marked].map(str::to_owned).to_vec();
                words.extend(workspace_package.iter().map(|name| format!("--package={name}")));
                ("uv", words)
            }
            Manager::Poetry => {
                let python = format!("--python=>=3.0.{round}");
                ("poetry", ["add", "--lock", "--directory", &dir, &python, package].map(str::to_owned).to_vec())
            }
            Manager::Pip => {
                return append(file.as_deref()?, move |_| format!("{marked}\n"))(variant, round);
            }
            _ => return None,
        };
        run(program, move |_| arguments.clone())(variant, round)
    })
}
