//! Reads what a project says about itself and writes a cache-optimal Dockerfile and .dockerignore.
//!
//! ```no_run
//! use dockerfile_gen::{ConfigLayer, Overwrite, generate};
//!
//! let generated = generate(".", ConfigLayer::default())?;
//! for warning in &generated.project.notes.warnings {
//!     eprintln!("{warning}");
//! }
//! generated.files.write(".", Overwrite::Refuse)?;
//! # Ok::<(), dockerfile_gen::Error>(())
//! ```
//!
//! The pipeline is a chain of pure passes: [`DiskTree`] and [`Config`] → [`Project`] → [`Plan`] → order → text.
//! Nothing here prints, exits, or looks at the clock, the network or the environment; only [`build_script`], which
//! speaks to cargo and to nobody else, does what build scripts do.
//!
//! | to | use |
//! |---|---|
//! | generate for a folder | [`generate`], then [`Files::check`], [`Files::diff`] or [`Files::write`] |
//! | decide in Rust what is detected otherwise | [`ConfigLayer`] |
//! | read the facts | [`Project::detect`] |
//! | look at stages and steps, or build them in Rust | [`Plan`], [`spell`] |
//! | keep the files fresh from build.rs | [`build_script::regenerate`] |
//! | read a Dockerfile without losing a byte | [`dockerfile::Dockerfile`] |
//! | ask which files a `COPY` takes | [`context`] |

pub mod build_script;
pub mod config;
pub mod error;
pub mod facts;
pub mod learn;
pub mod model;
pub mod output;
mod patterns;
pub mod plan;
mod process;
pub mod secrets;
mod sense;
pub mod stacks;
pub mod tree;
pub mod visible;

/// The facts and the stacks in one module.
pub mod project {
    pub use crate::facts::{Asset, Claim, Credential, Evidence, Notes, Served, Strength};
    pub use crate::stacks::rust as cargo;
    pub use crate::stacks::{Component, Project, frontend, go, node, python, slug};
}

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;

pub use config::{Config, ConfigLayer, Stack};
pub use error::{Error, Result};
pub use model::{context, dockerfile, history, simulate};
pub use output::{Files, Overwrite, Status};
pub use plan::{Plan, check, layers, order, quote, render};
pub use stacks::Project;
pub use tree::{DiskTree, MemTree, Recorder, RelPath, Tree};

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
    withheld: secrets::Withheld,
}

impl Generated {
    /// `text` without the secrets that were left out of the files: the facts still have them, as the project has.
    pub fn conceal(&self, text: &str) -> String {
        let mut text = secrets::tokens::conceal(text).into_owned();
        self.withheld.redact(&mut text);
        text
    }
}

/// Values can be handed to other threads and shared between them.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<Generated>();
    is_shared::<Error>();
    is_shared::<ConfigLayer>();
    is_shared::<Config>();
    is_shared::<DiskTree>();
    is_shared::<MemTree>();
    is_shared::<Recorder<'_>>();
    is_shared::<check::Fault>();
    is_shared::<build_script::BuildScript>();
    is_shared::<dockerfile::Dockerfile>();
    is_shared::<dockerfile::ParseError>();
    is_shared::<context::BuildContext<'_>>();
};

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
        Error::NoProject { seen, .. } => Error::NoProject { root: root.display().to_string(), seen },
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
fn generate_from(tree: &Recorder<'_>, layer: ConfigLayer) -> Result<Generated> {
    let config = config::load(tree, layer)?;
    let mut project = Project::detect(tree, &config)?;
    let mut plan = Plan::new(&project, &config)?;
    let sources = secrets::Files { tree, read: tree.reads().into_iter().collect() };
    let mut withheld = secrets::withhold(&mut plan, &sources, &config)?;
    secrets::addresses(&sources, &mut withheld)?;
    let dockerfile = spell(&mut plan, &config, tree)?;
    secrets::check(&dockerfile, &sources)?;
    project.notes.conceal(&mut withheld);
    let ignore = plan::dockerignore::dockerignore(tree, &project, &plan, &config)?;
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
/// As [`render::dockerfile`].
pub fn spell(plan: &mut Plan, config: &Config, tree: &dyn Tree) -> Result<String> {
    plan.reorder(config);
    Ok(output::stamped(&render::dockerfile(plan, config, tree)?))
}
