//! Nx projects, whose targets stand in project.json and not among the scripts.
//!
//! Input: project.json files. Output: [`NxProject`]. The one idea: the options of the build target say where the compiled
//! program lies.

use crate::tree::Tree;
use crate::tree::within;

/// A project with a build target that makes a program for Node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NxProject {
    /// Its name.
    pub(crate) name: String,
    /// Its project.json.
    pub(crate) path: String,
    /// The compiled program, relative to the root.
    pub(crate) entry: String,
    /// The folder that the build writes, relative to the root.
    pub(crate) output: String,
}

/// Finds the program: the project `wanted`, or the only application that is built for Node.
pub(crate) fn find(tree: &dyn Tree, root: &str, wanted: Option<&str>) -> Option<NxProject> {
    if !tree.has(&within(root, "nx.json")) {
        return None;
    }
    let files = tree.under(root).filter(|(path, _)| path.file_name() == "project.json");
    let mut found: Vec<NxProject> = files.filter_map(|(path, _)| read(tree, path.as_str(), root)).collect();
    if let Some(wanted) = wanted {
        found.retain(|project| project.name == wanted);
    }
    // The project of the root comes first.
    found.sort_by_key(|project| project.path.matches('/').count());
    found.into_iter().next()
}

fn read(tree: &dyn Tree, path: &str, root: &str) -> Option<NxProject> {
    let json: serde_json::Value = serde_json::from_str(&tree.scan(path)).ok()?;
    let build = json.get("targets")?.get("build")?;
    let executor = build.get("executor")?.as_str()?;
    let options = build.get("options")?;
    let text = |key: &str| options.get(key).and_then(|value| value.as_str());
    let for_node = executor.starts_with("@nx/esbuild")
        || executor.starts_with("@nx/node")
        || executor.starts_with("@nrwl/node")
        || text("target") == Some("node")
        || text("platform") == Some("node");
    let output = text("outputPath")?.trim_start_matches("./").trim_end_matches('/').to_owned();
    let main = text("main")?;
    let file = text("outputFileName").map_or_else(
        || {
            let name = main.rsplit('/').next().unwrap_or_default();
            format!("{}.js", name.split('.').next().unwrap_or_default())
        },
        str::to_owned,
    );
    let folder = path.strip_prefix(root).unwrap_or(path).trim_start_matches('/').trim_end_matches("project.json");
    let name = json.get("name").and_then(|name| name.as_str()).or(folder.trim_end_matches('/').rsplit('/').next())?;
    let application = json.get("projectType").is_none_or(|kind| kind == "application");
    (for_node && application).then(|| NxProject {
        name: name.to_owned(),
        path: path.to_owned(),
        entry: format!("{output}/{file}"),
        output,
    })
}
