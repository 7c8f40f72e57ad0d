//! Names of stages that follow from the names of programs and folders.
//!
//! Input: any text. Output: a name that BuildKit takes and no other stage has. The one idea: whoever names a stage after
//! something of the project asks here, with the names that are taken.

use std::collections::BTreeSet;

use crate::facts::slug;

/// `scratch` is the image without files; `context` is what `docker build` calls the folder that is sent.
const RESERVED: [&str; 2] = ["scratch", "context"];

/// Makes a name for a stage: lower case, begins with a letter, and is not in `taken`, to which it is added.
pub(crate) fn stage_name(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut free = slug(name);
    if !free.starts_with(|c: char| c.is_ascii_lowercase()) {
        free.insert_str(0, "bin-");
    }
    while RESERVED.contains(&free.as_str()) || !taken.insert(free.clone()) {
        free.push_str("-bin");
    }
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ones_that_buildkit_takes_and_unique() {
        let mut taken = BTreeSet::from(["build".to_owned()]);
        let names = ["2fa", "a-b", "a_b", "A.B", "scratch", "build", "Ünï", "日本", "_x"];
        let made: Vec<String> = names.iter().map(|name| stage_name(name, &mut taken)).collect();
        assert_eq!(made, ["bin-2fa", "a-b", "a-b-bin", "a-b-bin-bin", "scratch-bin", "build-bin", "n", "app", "x"]);
    }
}
