//! Edits of a Go project.

use std::fs;

use crate::facts::GoProject;

use super::{Edit, append, edit, run, words};

/// Small modules that hardly any project has.
const MODULES: [&str; 4] = [
    "github.com/xrash/smetrics@v0.0.0-20250705151800-55b8f293f342",
    "github.com/huandu/xstrings@v1.5.0",
    "github.com/rivo/uniseg@v0.4.7",
    "github.com/kballard/go-shellquote@v0.0.0-20180428030007-95032a82bc51",
];

pub(super) fn edits(go: &GoProject, sources: &[String]) -> Vec<Edit> {
    let inside = |path: &str| if go.dir.is_empty() { path.to_owned() } else { format!("{}/{path}", go.dir) };
    let manifest = inside("go.mod");
    let mut edits = Vec::new();
    for source in sources {
        edits.push(edit(&format!("comment in {source}"), append(source, |round| format!("// edit {round}\n"))));
        let variable = |round| format!("\nvar _ = \"edit {round}\"\n");
        edits.push(edit(&format!("declaration in {source}"), append(source, variable)));
    }
    let main = go.mains[0].dir.clone();
    let package = inside("internal/added");
    edits.push(edit(
        "new package",
        Box::new(move |variant, round| {
            let dir = variant.root.join(&package);
            fs::create_dir_all(&dir).ok()?;
            fs::write(dir.join("added.go"), format!("package added\n\nvar Round = {round}\n")).ok()
        }),
    ));
    edits.push(edit("comment in go.mod", append(&manifest, |round| format!("// edit {round}\n"))));
    let (dir, at) = (go.dir.clone(), manifest);
    edits.push(edit(
        "dependency added",
        Box::new(move |variant, round| {
            // The comment makes it a go.mod that no cache has seen.
            append(&at, |round| format!("// edit {round}\n"))(variant, round)?;
            let module = MODULES[round % MODULES.len()];
            run("go", {
                let dir = if dir.is_empty() { ".".to_owned() } else { dir.clone() };
                move |_| words(format!("-C {dir} get {module}"))
            })(variant, round)?;
            let path = module.split('@').next()?;
            let text = format!("package main\n\nimport _ \"{path}\"\n");
            fs::write(variant.root.join(&main).join(format!("added_{}.go", round % MODULES.len())), text).ok()
        }),
    ));
    edits
}
