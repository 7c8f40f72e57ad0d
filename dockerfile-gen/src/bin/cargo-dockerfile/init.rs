//! `cargo dockerfile init`: a commented configuration file, or the built-in templates to start from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dockerfile_gen::render::BUILTIN;
use dockerfile_gen::{Error, Files, Overwrite, RelPath, Status};

/// The configuration file that `init` writes: every option, commented out.
pub(crate) const CONFIG: &str = include_str!("dockerfile.toml");

/// Writes the configuration file, or the templates into `templates`, and returns what was written.
pub(crate) fn write(root: &Path, templates: Option<&str>, force: bool) -> Result<Vec<PathBuf>, Error> {
    let mut files = BTreeMap::new();
    let mut add = |path: &str, text: &str| {
        files.insert(RelPath::new(path).unwrap_or_default(), text.to_owned());
    };
    match templates {
        None => add("dockerfile.toml", CONFIG),
        Some(folder) => BUILTIN.iter().for_each(|(name, text)| add(&format!("{folder}/{name}.hbs"), text)),
    }
    for path in files.keys() {
        let folder = root.join(path.parent());
        std::fs::create_dir_all(&folder).map_err(|source| Error::Write { path: folder, source })?;
    }
    let overwrite = if force { Overwrite::Backup } else { Overwrite::Refuse };
    let statuses = Files(files).write(root, overwrite)?;
    let written = statuses.into_iter().filter(|(_, status)| matches!(status, Status::Written { .. }));
    Ok(written.map(|(path, _)| root.join(path.as_str())).collect())
}
