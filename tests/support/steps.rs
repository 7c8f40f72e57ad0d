//! What `docker build --progress=plain` says of its steps.

use std::collections::BTreeMap;

/// A step as BuildKit names it, and whether it was taken from the cache.
pub(crate) type Steps = BTreeMap<String, bool>;

/// The steps that the image consists of.
pub(crate) fn steps(log: &str) -> Steps {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    let mut steps = Steps::new();
    for line in log.lines() {
        let Some((vertex, rest)) = line.split_once(' ') else { continue };
        // A `FROM` is no step of ours, and is resolved anew each time.
        if rest.starts_with('[') && !rest.starts_with("[internal]") && !rest.contains("] FROM ") {
            names.insert(vertex, rest);
        }
        if let Some(name) = names.get(vertex)
            && (rest == "CACHED" || rest.starts_with("DONE"))
        {
            steps.insert((*name).to_owned(), rest == "CACHED");
        }
    }
    steps
}
