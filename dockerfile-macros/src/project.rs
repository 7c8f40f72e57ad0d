//! The project that a macro is called in.
//!
//! Input: [`Options`]. Output: the generated files, or a compile error at the token concerned. The one idea: the macros
//! see the folder that `cargo dockerfile` sees, so their text is the same, byte for byte.

use std::path::{Path, PathBuf};

use dockerfile_gen::build_script::Place;
use dockerfile_gen::visible::lines;
use dockerfile_gen::{Error, Files, Generated, RelPath, Status};
use proc_macro2::Span;

use crate::args::{Folder, Options};
use crate::expand::Beside;

/// The folder of the package that is compiled.
pub(crate) fn package() -> syn::Result<PathBuf> {
    let dir = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    dir.ok_or_else(|| syn::Error::new(Span::call_site(), "`CARGO_MANIFEST_DIR` is not set: cargo has to compile this"))
}

/// The project's folder.
pub(crate) fn root(folder: Option<&Folder>) -> syn::Result<PathBuf> {
    let package = package()?;
    match folder {
        Some(folder) if !package.join(&folder.path).is_dir() => {
            let reason = format!("there is no folder `{}` beside the package's Cargo.toml", folder.path.display());
            Err(syn::Error::new(folder.span, reason))
        }
        Some(folder) => Ok(package.join(&folder.path)),
        None => Ok(Place::workspace(&package)),
    }
}

/// Generates, and remembers what was read.
pub(crate) fn generate(options: &Options) -> syn::Result<(PathBuf, Generated, Beside)> {
    let root = root(options.folder.as_ref())?;
    let generated = dockerfile_gen::generate(&root, options.layer.clone()).map_err(|error| {
        // A manifest that is not there is the fault of who said which stack it is.
        let key = if matches!(error, Error::Manifest { .. } | Error::NoProject { .. }) { "stack" } else { "" };
        let hint = error.hint().map(|hint| format!("\n{hint}")).unwrap_or_default();
        let span = options.blame(&error.to_string(), key).unwrap_or_else(Span::call_site);
        syn::Error::new(span, format!("{error}{hint}"))
    })?;
    let files = generated.reads.iter().map(|path| root.join(path.as_str())).collect();
    Ok((root, generated, Beside { files, ..Beside::default() }))
}

/// The text of a generated file.
pub(crate) fn text<'a>(files: &'a Files, name: &str) -> &'a str {
    RelPath::new(name).and_then(|path| files.0.get(&path)).map_or("", String::as_str)
}

/// Fails with the difference if a committed file is not what it should be.
pub(crate) fn check(root: &Path, files: &Files, options: &Options) -> syn::Result<Vec<PathBuf>> {
    let failed = |error: Error| syn::Error::new(Span::call_site(), error.to_string());
    let mut report = Vec::new();
    for (path, status) in files.check(root).map_err(failed)?.into_iter().rev() {
        if let Status::Stale { diff, .. } = status {
            report.push(format!("`{path}` is stale: run {} to refresh it\n{}", options.command(), lines(&diff)));
        }
    }
    match report.is_empty() {
        true => Ok(files.0.keys().map(|path| root.join(path.as_str())).collect()),
        false => Err(syn::Error::new(Span::call_site(), report.join("\n"))),
    }
}
