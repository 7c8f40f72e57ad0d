//! The facts about a project, in the shape that every image is planned from.

use super::frontend::Frontend;
use crate::facts::Notes;

/// The facts about a project.
///
/// ```
/// use dockerfile_gen::{ConfigLayer, MemTree, generate_tree};
///
/// let tree = MemTree::from([("go.mod", "module hello\n\ngo 1.25\n"), ("main.go", "package main\n\nfunc main() {}\n")]);
/// let project = generate_tree(&tree, ConfigLayer::default())?.project;
/// assert_eq!((project.stack, &project.component["version"]), ("go", &"1.25".into()));
/// let evidence = project.notes.evidence.iter().find(|fact| fact.line == Some(3)).expect("line 3 says the version");
/// assert_eq!(evidence.path, "go.mod");
/// # Ok::<(), dockerfile_gen::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Project {
    /// A short name, safe in an image reference and a cache id.
    pub name: String,
    /// The name of the stack that the image is for.
    #[serde(skip)]
    pub stack: &'static str,
    /// What the stack found, as JSON; its key `stack` holds the name of the stack.
    pub component: serde_json::Value,
    /// The front ends that are built for it.
    pub(crate) frontends: Vec<Frontend>,
    /// Evidence, warnings, and what must stay in the context.
    #[serde(flatten)]
    pub notes: Notes,
}
