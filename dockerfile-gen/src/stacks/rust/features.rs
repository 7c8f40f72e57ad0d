//! Features without which a package refuses to compile.
//!
//! Input: the package and its sources. Output: a feature to switch on. The one idea: a `compile_error!` behind
//! `#[cfg(not(any(feature = …)))]` says that one of these has to be chosen.

use std::collections::{BTreeMap, BTreeSet};

use super::members::{Binary, Member};
use crate::config::{Config, line_of};
use crate::facts::Notes;
use crate::tree::Tree;

/// Switches a feature on where none is on and the package does not compile without.
pub(super) fn choose(tree: &dyn Tree, members: &[Member<'_>], binary: &mut Binary, config: &Config, notes: &mut Notes) {
    let Some(member) = members.iter().find(|member| member.package.name.as_str() == binary.package) else { return };
    let known = &member.package.features;
    for file in ["build.rs", "src/main.rs", "src/lib.rs"] {
        let Some(path) = member.dir.join(file).filter(|path| tree.has(path.as_str())) else { continue };
        let text = tree.scan(path.as_str());
        for (offset, wanted) in demands(&text) {
            let default = (!config.no_default_features).then(|| "default".to_owned());
            let on = closure(known, binary.features.iter().cloned().chain(default));
            if wanted.iter().any(|feature| on.contains(feature)) {
                continue;
            }
            let Some(chosen) = pick(known, &wanted) else { continue };
            let line = line_of(&text, offset);
            notes.warn(format!(
                "{path}:{line} does not compile without one of the features {}: `{chosen}` is chosen, and `features` decides",
                wanted.join(", ")
            ));
            binary.features.push(chosen);
        }
    }
}

/// Where one of several features is demanded, and which.
fn demands(text: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    for (offset, _) in text.match_indices("cfg(not(") {
        let Some((condition, rest)) = text[offset..].split_once(")]") else { continue };
        let demands = rest.trim_start().starts_with("compile_error!");
        // `target_os = …` and the like are another matter.
        let features = condition.matches("feature = ").count();
        let only_features = features > 0 && condition.matches(" = ").count() == features;
        if demands && only_features && !condition.contains("all(") {
            let names = condition.split("feature = \"").skip(1).filter_map(|rest| rest.split('"').next());
            found.push((offset, names.map(str::to_owned).collect()));
        }
    }
    found
}

/// The features that are on when these are.
fn closure(known: &BTreeMap<String, Vec<String>>, first: impl IntoIterator<Item = String>) -> BTreeSet<String> {
    let mut on = BTreeSet::new();
    let mut open: Vec<String> = first.into_iter().collect();
    while let Some(name) = open.pop() {
        if on.insert(name.clone()) {
            open.extend(known.get(&name).into_iter().flatten().cloned());
        }
    }
    on
}

/// The first of the features, or one that brings it along and builds what it needs itself.
fn pick(known: &BTreeMap<String, Vec<String>>, wanted: &[String]) -> Option<String> {
    let first = wanted.iter().find(|feature| known.contains_key(*feature))?;
    let whole = known.iter().find(|(_, items)| {
        items.contains(first) && items.iter().any(|item| item.ends_with("/bundled") || item.ends_with("/vendored"))
    });
    Some(whole.map_or(first, |(name, _)| name).clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demand_for_a_feature_is_found_and_met() {
        let text = "fn main() {\n#[cfg(not(any(feature = \"a_system\", feature = \"b\")))]\ncompile_error!(\"one\");\n\
                    #[cfg(not(unix))]\ncompile_error!(\"unix\");\n#[cfg(not(feature = \"c\"))]\nuse c;\n}\n";
        let demands = demands(text);
        assert_eq!(demands.len(), 1, "{demands:?}");
        assert_eq!(demands[0].1, ["a_system", "b"]);
        let known = BTreeMap::from([
            ("a".to_owned(), vec!["a_system".to_owned(), "sys/bundled".to_owned()]),
            ("a_system".to_owned(), vec![]),
            ("b".to_owned(), vec![]),
        ]);
        assert_eq!(pick(&known, &demands[0].1).as_deref(), Some("a"));
        assert!(closure(&known, ["a".to_owned()]).contains("a_system"));
    }
}
