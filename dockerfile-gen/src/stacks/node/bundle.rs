//! Packages that build something for browsers.
//!
//! Input: the tree. Output: [`Candidate`]s. The one idea: what a build writes says more than what a package depends on.

use super::framework::{self, Framework};
use super::manifest::Manifest;
use super::source::Source;
use crate::error::Result;
use crate::facts::{Asset, Notes};
use crate::tree::{RelPath, Tree, within};

/// A package that builds something for browsers.
pub(crate) struct Candidate {
    pub(crate) manifest: Manifest,
    /// The folder that it writes, relative to the project.
    pub(crate) output: RelPath,
    /// The same, as the package says it.
    pub(crate) dir: String,
    pub(crate) by: String,
}

/// Every package that builds something for browsers, those nearer to the root first.
pub(crate) fn candidates(tree: &dyn Tree) -> Result<Vec<Candidate>> {
    let manifests = tree.files().keys().filter(|path| path.file_name() == "package.json");
    let mut found = Vec::new();
    for path in manifests.filter(|path| path.as_str().matches('/').count() <= 4) {
        let aside = ["docs", "doc", "examples", "example", "test", "tests", "testdata", "fixtures", "node_modules"];
        if path.as_str().split('/').any(|part| aside.contains(&part)) {
            continue;
        }
        // What is no JSON is a template or a test case.
        let Ok(Some(manifest)) = Manifest::read(tree, path.parent()) else { continue };
        if manifest.script("build").is_none() {
            continue;
        }
        let Some((dir, by)) = output(tree, &manifest) else { continue };
        let Some(output) = RelPath::new(&within(&manifest.dir, &dir)) else { continue };
        found.push(Candidate { manifest, output, dir, by });
    }
    found.sort_by_key(|candidate| candidate.manifest.dir.matches('/').count());
    Ok(found)
}

/// The folder that a package's build writes, relative to the package, and what writes it.
pub(crate) fn output(tree: &dyn Tree, manifest: &Manifest) -> Option<(String, String)> {
    let scratch = &mut Notes::default();
    if let Framework::Static { dir, by, .. } = framework::detect(tree, manifest, false, scratch) {
        return Some((dir, by));
    }
    let script = manifest.script("build")?;
    let mut words = script.split_whitespace();
    let by = words.clone().next().unwrap_or("the build").to_owned();
    while let Some(word) = words.next() {
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (word, None),
        };
        if matches!(flag, "-o" | "--output" | "--outfile" | "--outdir" | "--out-dir" | "--outDir" | "--dist-dir" | "-d")
        {
            let value = value.or_else(|| words.next())?.trim_matches(['"', '\'']).trim_start_matches("./");
            let is_file = value.rsplit('/').next().is_some_and(|name| name.contains('.'));
            let folder = if is_file { value.rsplit_once('/').map_or("", |(folder, _)| folder) } else { value };
            return (!folder.is_empty()).then(|| (folder.trim_end_matches('/').to_owned(), by));
        }
    }
    let (_, text) = framework::config(tree, manifest, "webpack.config");
    let at = text.find("__dirname,")? + "__dirname,".len();
    let inner = text.get(at..)?.trim_start().strip_prefix(['\'', '"'])?;
    let folder = inner.split(['\'', '"']).next()?.trim_start_matches("./").trim_end_matches('/');
    (!folder.is_empty() && text[..at].contains("output")).then(|| (folder.to_owned(), "webpack".to_owned()))
}

/// Looks for the front ends in folders of a Node service that its sources serve.
pub(crate) fn served(tree: &dyn Tree, package: &str, sources: &[Source]) -> Vec<Asset> {
    if sources.is_empty() {
        return Vec::new();
    }
    let Ok(candidates) = candidates(tree) else { return Vec::new() };
    let quoted =
        |text: &str, word: &str| ['\'', '"', '`'].iter().any(|quote| text.contains(&format!("{quote}{word}{quote}")));
    let mentions = |text: &str, dir: &str, built: &str| {
        let whole = format!("{dir}/{built}");
        text.match_indices(&whole).any(|(at, _)| text[at + whole.len()..].starts_with(['\'', '"', '`', '/']))
            || quoted(text, dir) && quoted(text, built)
    };
    candidates
        .into_iter()
        .filter(|candidate| candidate.manifest.dir != package && !candidate.manifest.dir.is_empty())
        .filter(|candidate| {
            let dir = candidate.manifest.dir.rsplit('/').next().unwrap_or_default();
            sources.iter().any(|source| mentions(&source.text, dir, &candidate.dir))
        })
        .map(|candidate| Asset { path: candidate.output, embedded: false })
        .collect()
}
