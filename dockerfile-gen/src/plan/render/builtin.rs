//! The built-in templates, part of the binary.

/// Templates, each with its name and its text.
pub type Templates = &'static [(&'static str, &'static str)];

/// The templates of one folder.
macro_rules! templates {
    ($folder:literal: $($name:literal),* $(,)?) => {
        &[$((
            concat!($folder, "/", $name),
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/", $folder, "/", $name, ".hbs")),
        )),*]
    };
}

pub(crate) use templates;

/// The templates that every stack uses.
pub(crate) const COMMON: Templates = templates!["common": "apk", "apt", "arg", "cmd", "copy", "entrypoint", "env", "expose", "extra", "healthcheck", "label", "stopsignal", "user", "workdir"];

/// The text of a built-in template.
pub(crate) fn get(name: &str, own: &[Templates]) -> Option<&'static str> {
    own.iter().chain([&COMMON]).copied().flatten().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn the_table_holds_exactly_the_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/common");
        let files = std::fs::read_dir(folder).unwrap().flatten();
        let found = files.map(|file| format!("common/{}", file.path().file_stem().unwrap().to_str().unwrap()));
        let table: BTreeSet<String> = COMMON.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(table, found.collect());
    }
}
