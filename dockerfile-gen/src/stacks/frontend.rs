//! Front ends that a server of another stack embeds or serves.
//!
//! Input: the tree, and the folders that the server reads. Output: [`Frontend`]s, each to be built in a stage of its
//! own. The one idea: a front end is a Node project in a sub-folder whose output is one of those folders.

use crate::config::Config;
use crate::error::{Error, Result};
use crate::facts::slug;
use crate::facts::{Asset, Notes};
use crate::tree::{RelPath, Tree};

use super::node::bundle::{Candidate, candidates};
use super::node::framework::Framework;
use super::node::manifest::Manifest;
use super::node::{self, NodeProject};

/// A front end.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub(crate) struct Frontend {
    /// The Node project that builds it.
    pub node: NodeProject,
    /// The stage that builds it, unique in the plan: `frontend`, or `frontend-DIR` where there are several.
    pub stage: String,
    /// The folder that it lies in, relative to the project.
    pub dir: RelPath,
    /// The folder that its build writes, relative to the project.
    pub output: RelPath,
    /// Whether the server embeds the output; otherwise it reads it from disk at run time.
    pub embedded: bool,
    /// Files and folders outside of `dir` that its scripts name, and so may read or write.
    pub beside: Vec<RelPath>,
}

impl Frontend {
    /// The names of all stages that a plan may make for it.
    pub(crate) fn stages(&self) -> Vec<String> {
        let before = ["base", "manifests", "deps", "prod-deps"].map(|name| format!("{}-{name}", self.stage));
        before.into_iter().chain([self.stage.clone()]).collect()
    }

    /// The absolute path of the build's output in the stage [`Frontend::stage`].
    ///
    /// A plan copies from there: into the build stage, before the compiler runs, if it is embedded; else into the final
    /// stage alone, so that an edit to the front end recompiles nothing.
    pub(crate) fn built(&self) -> String {
        format!("/app/{}", self.output)
    }
}

/// Looks for front ends that build what the server reads (`notes.assets`).
///
/// # Errors
/// As [`crate::generate`].
pub(crate) fn detect(tree: &dyn Tree, config: &Config, notes: &mut Notes) -> Result<Vec<Frontend>> {
    let wanted = config.frontend.as_deref();
    if wanted == Some("none") {
        return Ok(Vec::new());
    }
    let mut candidates = candidates(tree)?;
    if let Some(wanted) = wanted {
        let wanted = wanted.trim_start_matches("./").trim_matches('/');
        candidates.retain(|candidate| candidate.manifest.dir == wanted.trim_matches('.'));
        if candidates.is_empty() {
            return Err(Error::Config {
                path: "configuration".into(),
                line: None,
                reason: format!("`frontend` names `{wanted}`, where no package.json has a build that is known here"),
                hint: "name a folder whose package.json has a `build` script, or say `none`".into(),
            });
        }
    }
    let mut chosen: Vec<(Candidate, bool)> = Vec::new();
    for candidate in candidates {
        let assets = notes.assets.iter().filter(|asset| meets(asset, &candidate.output));
        // Of two readers one that embeds it counts: it must be there for the compiler.
        let embedded = assets.map(|asset| asset.embedded).max();
        match (embedded, wanted) {
            (Some(embedded), _) => chosen.push((candidate, embedded)),
            (None, Some(_)) => chosen.push((candidate, false)),
            (None, None) if is_conventional(&candidate.manifest.dir) => notes.warn(format!(
                "{} looks like a front end ({}), but nothing was found that reads what it builds; \
                 `frontend = \"{}\"` builds it into the image",
                candidate.manifest.dir, candidate.by, candidate.manifest.dir
            )),
            (None, None) => {}
        }
    }
    let single = chosen.len() == 1;
    let mut frontends: Vec<Frontend> = Vec::new();
    for (candidate, embedded) in chosen {
        let mut frontend = read(tree, candidate, embedded, single, notes)?;
        let taken: Vec<String> = frontends.iter().flat_map(Frontend::stages).collect();
        while frontend.stages().iter().any(|name| taken.contains(name)) {
            frontend.stage.push_str("-site");
        }
        frontends.push(frontend);
    }
    Ok(frontends)
}

fn read(tree: &dyn Tree, candidate: Candidate, embedded: bool, single: bool, notes: &mut Notes) -> Result<Frontend> {
    let Candidate { manifest, output, dir: built, by } = candidate;
    let verb = if embedded { "embeds" } else { "serves" };
    notes.found(&manifest.path, manifest.line("build"), format!("{by} builds {output}, which the server {verb}"));
    let stage = if single { "frontend".to_owned() } else { format!("frontend-{}", slug(&manifest.dir)) };
    let framework = Framework::Static { dir: built, fallback: true, by };
    let node = node::detect_files(tree, &manifest.dir, framework, notes)?;
    let dir = RelPath::new(&manifest.dir).unwrap_or_default();
    let beside = beside(tree, &manifest, &dir);
    Ok(Frontend { node, stage, dir, output, embedded, beside })
}

/// Scripts that run when a front end is installed and built.
const BUILD_SCRIPTS: [&str; 7] = ["preinstall", "install", "postinstall", "prepare", "prebuild", "build", "postbuild"];

/// What scripts name outside of the front end's folder, such as `../static/js`: the innermost folder that is there.
fn beside(tree: &dyn Tree, manifest: &Manifest, dir: &RelPath) -> Vec<RelPath> {
    let mut found = Vec::new();
    for script in BUILD_SCRIPTS.iter().filter_map(|name| manifest.script(name)) {
        let words = script.split([' ', '=', '"', '\'', ';', '&', '|']).filter(|word| word.starts_with("../"));
        for path in words.filter_map(|word| dir.join(word)) {
            let mut path = path;
            while !path.as_str().is_empty() && !tree.has(path.as_str()) && !tree.has_dir(path.as_str()) {
                path = RelPath::new(path.parent()).unwrap_or_default();
            }
            let holds_front_end = dir.as_str() == path.as_str() || dir.as_str().starts_with(&format!("{path}/"));
            if !path.as_str().is_empty() && !holds_front_end && !found.contains(&path) {
                found.push(path);
            }
        }
    }
    found
}

/// Whether what the server reads and what is built is the same folder, or one lies in the other.
fn meets(asset: &Asset, output: &RelPath) -> bool {
    let (read, built) = (asset.path.as_str(), output.as_str());
    let inside = |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'));
    read == built || inside(read, built) || !read.is_empty() && inside(built, read)
}

fn is_conventional(dir: &str) -> bool {
    let name = dir.rsplit('/').next().unwrap_or_default();
    matches!(name, "frontend" | "front" | "web" | "client" | "ui" | "webapp" | "web-ui" | "dashboard" | "admin")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::MemTree;

    fn found(files: &[(&str, &str)], assets: &[(&str, bool)]) -> (Vec<Frontend>, Notes) {
        let mut tree = MemTree::default();
        for (path, text) in files {
            tree.insert(path, *text);
        }
        let mut notes = Notes::default();
        for (path, embedded) in assets {
            notes.assets.push(Asset { path: RelPath::new(path).unwrap(), embedded: *embedded });
        }
        let found = detect(&tree, &Config::default(), &mut notes).unwrap();
        (found, notes)
    }

    const VITE: &str = r#"{"scripts": {"build": "vite build"}, "devDependencies": {"vite": "^7.0.0"}}"#;

    #[test]
    fn what_the_server_embeds_is_built() {
        let files = [("web/package.json", VITE), ("web/package-lock.json", "{}"), ("main.go", "")];
        let (frontends, _) = found(&files, &[("web/dist", true)]);
        assert_eq!(frontends.len(), 1);
        assert_eq!(frontends[0].built(), "/app/web/dist");
        assert_eq!(frontends[0].stage, "frontend");
        assert!(frontends[0].embedded);
    }

    #[test]
    fn output_may_lie_in_the_folder_of_the_server() {
        let config = "export default { build: { outDir: '../internal/ui/dist' } }";
        let files = [("web/package.json", VITE), ("web/vite.config.ts", config)];
        let (frontends, _) = found(&files, &[("internal/ui", true)]);
        assert_eq!(frontends[0].output.as_str(), "internal/ui/dist");
    }

    #[test]
    fn a_stylesheet_is_a_front_end_too() {
        let package = r#"{"scripts": {"build": "tailwindcss -i src/app.css -o ./static/css/app.css --minify"}}"#;
        let (frontends, _) = found(&[("package.json", package)], &[("static", false)]);
        assert_eq!(frontends[0].output.as_str(), "static/css");
        assert!(!frontends[0].embedded);
    }

    #[test]
    fn what_nothing_reads_is_only_mentioned() {
        let (frontends, notes) = found(&[("frontend/package.json", VITE)], &[]);
        assert!(frontends.is_empty());
        assert!(notes.warnings[0].contains("frontend = \"frontend\""));
    }
}
