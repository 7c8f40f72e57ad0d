//! From a folder to the text of its files.
//!
//! Input: a tree and a layer of configuration. Output: [`Generated`]. The one idea: a chain of passes, each from one
//! type to the next, of which only the last writes words.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::config::{Config, ConfigLayer};
use crate::error::{Error, Result};
use crate::output::{self, Files};
use crate::plan::{self, Plan, render, withhold};
use crate::secrets::tokens;
use crate::stacks::{self, Project};
use crate::tree::{DiskTree, Recorder, RelPath, Tree};

/// Everything that was found, planned and spelled for one project.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Generated {
    /// The facts.
    pub project: Project,
    /// The plan, in its final order.
    pub plan: Plan,
    /// The Dockerfile and the .dockerignore.
    pub files: Files,
    /// Every file that the answer depends on.
    pub reads: BTreeSet<RelPath>,
    withheld: withhold::Withheld,
}

impl Generated {
    /// `text` without the secrets that were left out of the files: the facts still have them, as the project has.
    pub fn conceal(&self, text: &str) -> String {
        let mut text = tokens::conceal(text).into_owned();
        self.withheld.redact(&mut text);
        text
    }
}

/// Generates the files for the project in the folder `root`, and writes nothing.
///
/// ```
/// use dockerfile_gen::{ConfigLayer, generate};
/// # let root = std::env::temp_dir().join(format!("doctest-generate-{}", std::process::id()));
/// # std::fs::create_dir_all(&root)?;
/// # std::fs::write(root.join("go.mod"), "module example/hello\n\ngo 1.25\n")?;
/// # std::fs::write(root.join("main.go"), "package main\n\nfunc main() {}\n")?;
/// let mut layer = ConfigLayer::default();
/// layer.port = Some(8080);
/// let generated = generate(&root, layer)?;
///
/// assert_eq!(generated.project.name, "hello");
/// let (path, text) = generated.files.0.last_key_value().expect("there are two files");
/// assert_eq!(path.as_str(), "Dockerfile");
/// assert!(text.contains("EXPOSE 8080\n"));
/// assert!(generated.reads.contains("go.mod"));
/// # std::fs::remove_dir_all(root)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Whatever stands in the way of a Dockerfile that builds and starts; see [`Error`].
pub fn generate(root: impl AsRef<Path>, layer: ConfigLayer) -> Result<Generated> {
    let root = root.as_ref();
    generate_tree(&DiskTree::open(root)?, layer).map_err(|error| match error {
        Error::NoProject { seen, hint, .. } => Error::NoProject { root: root.display().to_string(), seen, hint },
        other => other,
    })
}

/// Generates the files for a project that is given as a tree. Rust projects have to be on disk, because cargo reads
/// them itself.
///
/// ```
/// use dockerfile_gen::{ConfigLayer, MemTree, generate_tree};
///
/// let tree = MemTree::from([("go.mod", "module hello\n\ngo 1.25\n"), ("main.go", "package main\n\nfunc main() {}\n")]);
/// let generated = generate_tree(&tree, ConfigLayer::default())?;
/// assert!(generated.plan.stages.iter().any(|stage| stage.name == "build"));
/// # Ok::<(), dockerfile_gen::Error>(())
/// ```
///
/// # Errors
/// As [`generate`].
pub fn generate_tree(tree: &dyn Tree, layer: ConfigLayer) -> Result<Generated> {
    generate_from(&Recorder::new(tree), layer)
}

/// Generates from a tree whose reads the caller wants to know of even if it fails.
pub(crate) fn generate_from(tree: &Recorder<'_>, layer: ConfigLayer) -> Result<Generated> {
    let config = stacks::configure(tree, layer)?;
    let (mut project, mut plan) = stacks::read(tree, &config)?;
    let sources = withhold::Files { tree, read: tree.reads().into_iter().collect() };
    let mut withheld = withhold::withhold(&mut plan, &sources, &config)?;
    withhold::addresses(&sources, &mut withheld)?;
    let dockerfile = spell(&mut plan, &config, tree)?;
    withhold::check(&dockerfile, &sources)?;
    withheld.conceal(&mut project.notes);
    let ignore = plan::dockerignore::dockerignore(tree, &project.notes, &plan, &config)?;
    ignore.warnings.into_iter().for_each(|warning| project.notes.warn(warning));
    project.notes.kept = ignore.kept;
    let dockerignore = output::stamped(&ignore.text);
    plan::readback::read_back(&plan::readback::Written {
        plan: &plan,
        config: &config,
        tree,
        dockerfile: &dockerfile,
        dockerignore: &dockerignore,
        secrets: &ignore.secrets,
    })?;
    plan::dockerignore::check_rival(tree, &dockerignore)?;
    let name = |path: &str| RelPath::new(path).unwrap_or_default();
    let files = Files(BTreeMap::from([(name("Dockerfile"), dockerfile), (name(".dockerignore"), dockerignore)]));
    tree.all_was_read()?;
    Ok(Generated { project, plan, files, reads: tree.reads(), withheld })
}

/// Puts the steps of a plan into their cheapest order and writes the Dockerfile ([`Plan::declared`] has an example); `tree` has the templates that replace
/// built-in ones, where `config` names a folder of them.
///
/// # Errors
/// As [`crate::render::dockerfile`].
pub fn spell(plan: &mut Plan, config: &Config, tree: &dyn Tree) -> Result<String> {
    plan.reorder(config);
    Ok(output::stamped(&render::dockerfile(plan, config, tree)?))
}
