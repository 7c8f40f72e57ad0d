//! `cargo dockerfile init`: a commented configuration file, or the built-in templates to start from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dockerfile_gen::{Error, Files, Overwrite, RelPath, Status};

/// The configuration file that `init` writes: every option, commented out.
pub(crate) fn config() -> String {
    let (stacks, features) = (dockerfile_gen::names().join(", "), dockerfile_gen::meanings("features"));
    include_str!("dockerfile.toml").replace("{stacks}", &stacks).replace("{features}", &features)
}

/// Writes the configuration file, or the templates into `templates`, and returns what was written.
pub(crate) fn write(root: &Path, templates: Option<&str>, force: bool) -> Result<Vec<PathBuf>, Error> {
    let mut files = BTreeMap::new();
    match templates {
        None => drop(files.insert(RelPath::new("dockerfile.toml").unwrap_or_default(), config())),
        Some(folder) => {
            let Some(folder) = RelPath::new(folder) else {
                return Err(Error::Unsupported {
                    reason: format!("`{folder}` is not a folder below the project's"),
                    hint: "templates belong to the project: name a folder as seen from its own".into(),
                });
            };
            let place = |name: &str| folder.join(&format!("{name}.hbs")).unwrap_or_default();
            files.extend(dockerfile_gen::builtin().map(|(name, text)| (place(name), text.to_owned())));
        }
    }
    let overwrite = if force { Overwrite::Backup } else { Overwrite::Refuse };
    let statuses = Files(files).write(root, overwrite)?;
    let written = statuses.into_iter().filter(|(_, status)| matches!(status, Status::Written { .. }));
    Ok(written.map(|(path, _)| root.join(path.as_str())).collect())
}
