//! What a project says about itself.
//!
//! Input: a [`Tree`] and a [`Config`]. Output: [`Project`], facts only, each with its [`Evidence`]. The one idea:
//! detection returns what it read and why, never a bare yes or no, so that nothing is guessed in silence.

pub mod frontend;
pub mod go;
pub mod node;
pub mod python;
pub mod rust;

use crate::config::{Config, Stack};
use crate::error::{Error, Result};
use crate::facts::{Evidence, Notes};
use crate::tree::{RelPath, Tree};

/// One thing to build.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(tag = "stack", rename_all = "kebab-case")]
#[non_exhaustive]
#[allow(clippy::large_enum_variant, reason = "a run makes one of it")]
pub enum Component {
    /// A Cargo package or workspace.
    Rust(rust::RustProject),
    /// A Node project.
    Node(node::NodeProject),
    /// A Python project.
    Python(python::PythonProject),
    /// A Go module or workspace.
    Go(go::GoProject),
}

impl Component {
    /// The stack that it belongs to.
    pub fn stack(&self) -> Stack {
        match self {
            Self::Rust(_) => Stack::Rust,
            Self::Node(_) => Stack::Node,
            Self::Python(_) => Stack::Python,
            Self::Go(_) => Stack::Go,
        }
    }
}

/// The facts about a project.
///
/// ```
/// use dockerfile_gen::{Config, MemTree, Project, Stack};
///
/// let tree = MemTree::from([("go.mod", "module hello\n\ngo 1.25\n"), ("main.go", "package main\n\nfunc main() {}\n")]);
/// let project = Project::detect(&tree, &Config::default())?;
/// assert_eq!(project.component.stack(), Stack::Go);
/// let evidence = project.notes.evidence.iter().find(|fact| fact.line == Some(3)).expect("line 3 says the version");
/// assert_eq!(evidence.path, "go.mod");
/// # Ok::<(), dockerfile_gen::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Project {
    /// A short name, safe in an image reference and a cache id.
    pub name: String,
    /// What the image is for.
    pub component: Component,
    /// The front ends that are built for it.
    pub frontends: Vec<frontend::Frontend>,
    /// Evidence, warnings, and what must stay in the context.
    #[serde(flatten)]
    pub notes: Notes,
}

impl Project {
    /// Reads the facts out of `tree`.
    ///
    /// # Errors
    /// [`Error::NoProject`] if no stack is found, [`Error::Manifest`] for a file that cannot be read as what it is,
    /// [`Error::Ambiguous`] and [`Error::CannotStart`] where the user has to decide.
    pub fn detect(tree: &dyn Tree, config: &Config) -> Result<Self> {
        let mut notes = Notes::default();
        let component = match weigh(tree, config, &mut notes)? {
            Stack::Rust => Component::Rust(rust::detect(tree, config, &mut notes)?),
            Stack::Node => Component::Node(node::detect(tree, "", config, &mut notes)?),
            Stack::Python => Component::Python(python::detect(tree, config, &mut notes)?),
            Stack::Go => Component::Go(go::detect(tree, config, &mut notes)?),
        };
        let frontends = match &component {
            // Most Node projects are their own front end; of others only what they serve from a folder is built.
            Component::Node(_) if notes.assets.is_empty() && config.frontend.is_none() => Vec::new(),
            _ => frontend::detect(tree, config, &mut notes)?,
        };
        let name = slug(match &component {
            Component::Rust(rust) => &rust.name,
            Component::Node(node) => &node.name,
            Component::Python(python) => &python.name,
            Component::Go(go) => &go.name,
        });
        for path in &config.keep {
            notes.need(path);
        }
        Ok(Self { name, component, frontends, notes })
    }
}

/// Decides which stack the image is for: the strongest claim, and among equals the first of [`Stack::ALL`].
fn weigh(tree: &dyn Tree, config: &Config, notes: &mut Notes) -> Result<Stack> {
    if let Some(stack) = config.stack {
        return Ok(stack);
    }
    let mut claims = Vec::new();
    for stack in Stack::ALL {
        let claim = match stack {
            Stack::Rust => rust::claim(tree)?,
            Stack::Node => node::claim(tree)?,
            Stack::Python => python::claim(tree)?,
            Stack::Go => go::claim(tree)?,
        };
        claims.extend(claim.map(|claim| (stack, claim)));
    }
    let strongest = claims.iter().map(|(_, claim)| claim.strength).max();
    let mut best = claims.iter().filter(|(_, claim)| Some(claim.strength) == strongest);
    let Some((stack, claim)) = best.next() else {
        let seen: Vec<&str> = tree.files_in("").map(RelPath::as_str).take(8).collect();
        let seen = if seen.is_empty() { "it holds no files".into() } else { format!("it holds {}", seen.join(", ")) };
        return Err(Error::NoProject { root: ".".into(), seen });
    };
    let Evidence { path, line, reason } = claim.evidence.clone();
    notes.found(path, line, format!("{stack}: {reason}"));
    // A Node project beside a server is usually its front end, which is looked for separately.
    let rivals: Vec<String> = best
        .filter(|(rival, _)| *rival != Stack::Node)
        .map(|(rival, claim)| format!("{rival} ({}: {})", claim.evidence.path, claim.evidence.reason))
        .collect();
    if !rivals.is_empty() {
        let rivals = rivals.join(" and ");
        notes.warn(format!("the image is for {stack}, but there is {rivals} as well; `--stack` decides"));
    }
    Ok(*stack)
}

/// As long as a tag of an image may be.
const LONGEST_NAME: usize = 128;

/// Makes a name that is safe in a cache id, a stage name and an image reference: lower-case letters, digits, `-`.
pub fn slug(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    out.truncate(LONGEST_NAME);
    let out = out.trim_end_matches('-');
    if out.is_empty() { "app".into() } else { out.into() }
}
