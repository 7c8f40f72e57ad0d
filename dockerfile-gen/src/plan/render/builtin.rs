//! The built-in templates, part of the binary.

macro_rules! builtin {
    ($($name:literal),* $(,)?) => {
        /// Every built-in template: name and text, sorted by name.
        pub const BUILTIN: &[(&str, &str)] = &[
            $(($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/", $name, ".hbs")))),*
        ];
    };
}

builtin![
    "common/apk",
    "common/apt",
    "common/arg",
    "common/cmd",
    "common/copy",
    "common/entrypoint",
    "common/env",
    "common/expose",
    "common/extra",
    "common/healthcheck",
    "common/label",
    "common/stopsignal",
    "common/user",
    "common/workdir",
    "go/build",
    "go/declare",
    "go/deps",
    "node/build",
    "node/bun-install",
    "node/manager",
    "node/manifest",
    "node/manifests",
    "node/nginx",
    "node/npm-install",
    "node/npm-prune",
    "node/patch",
    "node/pnpm-install",
    "node/pnpm-prune",
    "node/run",
    "node/writable",
    "node/yarn-classic-install",
    "node/yarn-focus",
    "node/yarn-install",
    "python/collectstatic",
    "python/install-wheel",
    "python/own",
    "python/own-files",
    "python/pdm",
    "python/pdm-export",
    "python/pip",
    "python/pip-project",
    "python/pipenv-requirements",
    "python/poetry",
    "python/poetry-export",
    "python/prune",
    "python/tool",
    "python/uv",
    "python/uv-export",
    "python/uv-install",
    "python/wheel",
    "python/without-local",
    "rust/build",
    "rust/build-plain",
    "rust/dependencies",
    "rust/deps",
    "rust/in-app",
    "rust/lock",
    "rust/toolchain",
];

/// The text of a built-in template.
pub(crate) fn get(name: &str) -> Option<&'static str> {
    BUILTIN.binary_search_by_key(&name, |(known, _)| known).ok().map(|index| BUILTIN[index].1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn the_table_holds_exactly_the_folder() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        let mut found = BTreeSet::new();
        for folder in std::fs::read_dir(&root).unwrap().flatten().filter(|entry| entry.path().is_dir()) {
            for file in std::fs::read_dir(folder.path()).unwrap().flatten() {
                let path = file.path().with_extension("");
                found.insert(path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
            }
        }
        let table: Vec<&str> = BUILTIN.iter().map(|(name, _)| *name).collect();
        assert!(table.is_sorted());
        assert_eq!(table.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), found);
    }
}
