//! What a step of the user's gets, and where it may write.
//!
//! Input: a step of the configuration. Output: the folders that its inputs are copied into, and its command. The one
//! idea: files lie where the project has them, so that paths mean the same in the step, in the build and at home.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::ExtraStep;
use crate::error::{Error, Result};

/// The inputs by the folder that they are copied into. `COPY` takes what lies in a folder, without the folder.
///
/// # Errors
/// [`Error::Config`] for a pattern that stands for several folders: `COPY` would throw together what lies in them.
pub(super) fn by_folder(step: &ExtraStep) -> Result<BTreeMap<String, Vec<&str>>> {
    let mut folders: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for input in &step.inputs {
        let path = input.trim_start_matches("./");
        let folder = match path.strip_suffix('/') {
            Some(folder) => folder,
            None => path.rsplit_once('/').map_or("", |(folder, _)| folder),
        };
        if folder.contains(['*', '?', '[']) {
            return Err(Error::Config {
                path: "configuration".into(),
                line: None,
                reason: format!("`inputs` of step `{}`: `{input}` stands for several folders", step.name),
                hint: "name each folder, or leave `inputs` out and set `needs = [\"sources\"]`".into(),
            });
        }
        let folder = if matches!(folder, "" | ".") { "./".to_owned() } else { format!("./{folder}/") };
        folders.entry(folder).or_default().push(input);
    }
    Ok(folders)
}

/// The command, after the folders have been made that it names and that no input brings along: where the sources are
/// not copied yet, `src/api.json` could not be written.
pub(super) fn with_folders(step: &ExtraStep) -> String {
    let folders: BTreeSet<&str> = named_folders(&step.run).collect();
    let brought = |folder: &str| {
        step.inputs.iter().any(|input| {
            let input = input.trim_start_matches("./").trim_end_matches('/');
            input == folder || input.starts_with(&format!("{folder}/")) || folder.starts_with(&format!("{input}/"))
        })
    };
    let missing: Vec<&str> = folders.into_iter().filter(|folder| !brought(folder)).collect();
    if missing.is_empty() {
        return step.run.clone();
    }
    format!("mkdir -p {} && {}", missing.join(" "), step.run)
}

/// The folders of the relative paths in a command, but of those that are run.
fn named_folders(command: &str) -> impl Iterator<Item = &str> {
    let mut is_program = true;
    let words = command.split_whitespace().flat_map(move |word| {
        let was_program = is_program;
        is_program = word.ends_with(['|', ';', '&']) || was_program && word.contains('=') && !word.starts_with('-');
        let word = word.trim_start_matches(['>', '<', '&', '1', '2']);
        let path = word.rsplit_once('=').map_or(word, |(_, path)| path);
        (!was_program).then_some(path.trim_start_matches("./"))
    });
    words.filter_map(|path| {
        let (folder, _) = path.rsplit_once('/')?;
        let is_plain = folder.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
        (is_plain && !folder.is_empty() && !folder.starts_with(['/', '-', '.'])).then_some(folder)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(run: &str, inputs: &[&str]) -> ExtraStep {
        let mut step = ExtraStep::new("step", run);
        step.inputs = inputs.iter().map(|input| (*input).to_owned()).collect();
        step
    }

    #[test]
    fn inputs_keep_their_folders() {
        let step = step("true", &["proto/", "./tools/gen.py", "tools/x.py", "Makefile", "schema/*.json"]);
        let folders = by_folder(&step).unwrap();
        let of = |folder: &str| folders[folder].clone();
        assert_eq!(of("./proto/"), ["proto/"]);
        assert_eq!(of("./tools/"), ["./tools/gen.py", "tools/x.py"]);
        assert_eq!(of("./"), ["Makefile"]);
        assert_eq!(of("./schema/"), ["schema/*.json"]);
        assert!(by_folder(&self::step("true", &["crates/*/proto/"])).is_err());
    }

    #[test]
    fn folders_that_are_written_into_are_made() {
        let made = |run: &str, inputs: &[&str]| with_folders(&step(run, inputs));
        assert_eq!(
            made("jq . schema/a.json > src/a.json", &["schema/"]),
            "mkdir -p src && jq . schema/a.json > src/a.json"
        );
        assert_eq!(made("jq . a.json >src/gen/a.json", &["a.json"]), "mkdir -p src/gen && jq . a.json >src/gen/a.json");
        assert_eq!(
            made("scripts/gen.sh --out=src/a.rs", &["scripts/"]),
            "mkdir -p src && scripts/gen.sh --out=src/a.rs"
        );
        assert_eq!(made("curl https://host.example/a/b | sh", &[]), "curl https://host.example/a/b | sh");
        assert_eq!(made("cat /etc/hosts > made.txt", &[]), "cat /etc/hosts > made.txt");
    }
}
