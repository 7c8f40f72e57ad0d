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
//! Nothing here prints, exits, or looks at the clock, the network or the environment.

pub mod config;
pub mod context;
pub mod dockerfile;
mod dockerignore;
pub mod error;
pub mod glob;
pub mod history;
pub mod layers;
pub mod learn;
pub mod order;
pub mod output;
pub mod plan;
pub mod project;
pub mod render;
pub mod simulate;
pub mod tree;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;

pub use config::{Config, ConfigLayer, Stack};
pub use error::{Error, Result};
pub use output::{Files, Overwrite, Status};
pub use plan::Plan;
pub use project::Project;
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
}

/// Generates the files for the project in the folder `root`, and writes nothing.
///
/// # Errors
/// Whatever stands in the way of a Dockerfile that builds and starts; see [`Error`].
pub fn generate(root: impl AsRef<Path>, layer: ConfigLayer) -> Result<Generated> {
    generate_tree(&DiskTree::open(root)?, layer)
}

/// Generates the files for a project that is given as a tree.
///
/// # Errors
/// As [`generate`].
pub fn generate_tree(tree: &dyn Tree, layer: ConfigLayer) -> Result<Generated> {
    let tree = Recorder::new(tree);
    let config = config::load(&tree, layer)?;
    let project = Project::detect(&tree, &config)?;
    let mut plan = Plan::new(&project, &config)?;
    reorder(&mut plan, &config);
    let dockerfile = output::stamped(&render::dockerfile(&plan, &config, &tree)?);
    let dockerignore = output::stamped(&dockerignore::dockerignore(&tree, &project, &plan, &config)?);
    let name = |path: &str| RelPath::new(path).unwrap_or_default();
    let files = Files(BTreeMap::from([(name("Dockerfile"), dockerfile), (name(".dockerignore"), dockerignore)]));
    Ok(Generated { project, plan, files, reads: tree.into_reads() })
}

/// Puts the steps of every stage into their cheapest order.
fn reorder(plan: &mut Plan, config: &Config) {
    let layers = plan.layers(config);
    for (stage, layers) in plan.stages.iter_mut().zip(layers) {
        let order = order::order(&layers.layers);
        let mut steps: Vec<Option<plan::Step>> = stage.steps.drain(..).map(Some).collect();
        stage.steps.extend(order.into_iter().filter_map(|index| steps.get_mut(index).and_then(Option::take)));
    }
}
