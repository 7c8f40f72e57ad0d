//! The stacks: what each brings, in one row.
//!
//! Input: a [`Tree`] and a [`Config`]. Output: [`Project`], the facts, and the [`Plan`] of its image. The one idea: all
//! that the rest of the program has to know of a stack stands in its row of [`STACKS`], so a new stack is a folder and
//! a row. Detection returns what it read and why, never a bare yes or no, so that nothing is guessed in silence.

pub(crate) mod frontend;
pub(crate) mod go;
pub(crate) mod node;
mod options;
mod project;
pub(crate) mod python;
pub(crate) mod rust;

pub use project::Project;

use std::path::Path;

use crate::config::{self, Config, ConfigLayer};
use crate::error::{Error, Result};
use crate::facts::{Claim, Evidence, Notes, slug};
use crate::model::context::Dockerignore;
use crate::plan::check::{self, Fault};
use crate::plan::render::{COMMON, Templates, templates};
use crate::plan::{Plan, extra_steps};
use crate::tree::{Bulk, DiskTree, RelPath, Tree};

/// What the rest of the program knows of a stack.
struct Row {
    /// The name that options, templates and messages use.
    name: &'static str,
    /// The name in a sentence.
    title: &'static str,
    /// Whether the image may be for it, and how sure that is.
    claim: fn(&dyn Tree) -> Result<Option<Claim>>,
    /// Reads the facts and plans the image.
    image: fn(Given<'_>) -> Result<(Project, Plan)>,
    /// Whether its projects are front ends, so that one beside another stack's server is usually a part of that.
    is_frontend: bool,
    /// Files of which one is there in the folder of a project.
    marks: &'static [&'static str],
    /// Further files in which people write what a project depends on.
    manifests: &'static [&'static str],
    /// Files that decide which versions are installed.
    lockfiles: &'static [&'static str],
    /// Endings of its sources.
    sources: &'static [&'static str],
    /// Folders that no project keeps in its repository.
    folders: &'static [Bulk],
    /// Its templates.
    templates: Templates,
    /// Options of [`options::CHOICES`] that it has, and what each means to it.
    options: &'static [(&'static str, &'static str)],
}

/// The stacks, in the order in which equal claims are weighed.
const STACKS: [Row; 4] = [
    Row {
        name: "rust",
        title: "Rust",
        claim: rust::claim,
        image: |given| given.image(rust::detect, |rust| &rust.name, rust::image::plan),
        is_frontend: false,
        marks: &["Cargo.toml"],
        manifests: &[],
        lockfiles: &["Cargo.lock"],
        sources: &["rs"],
        folders: &[Bulk::beside("target", "Cargo.toml"), Bulk::holding("target", "CACHEDIR.TAG")],
        templates: templates!["rust": "build", "build-plain", "dependencies", "deps", "in-app", "lock", "toolchain"],
        options: &[
            ("package", "a package of the workspace"),
            ("bin", "a binary"),
            ("features", "Cargo features"),
            ("no-default-features", "Cargo's default features"),
            ("profile", "a Cargo profile"),
            ("incremental", "incremental compilation of own crates"),
            ("manifests", "Cargo.toml and Cargo.lock"),
        ],
    },
    Row {
        name: "go",
        title: "Go",
        claim: go::claim,
        image: |given| given.image(go::detect, |go| &go.name, go::image::plan),
        is_frontend: false,
        marks: &["go.mod"],
        manifests: &["go.work"],
        lockfiles: &["go.sum", "go.work.sum", "go.mod", "go.work"],
        sources: &["go"],
        folders: &[],
        templates: templates!["go": "build", "declare", "deps"],
        options: &[
            ("package", "a module of the workspace"),
            ("bin", "a main package"),
            ("features", "build tags"),
            ("manifests", "go.mod and go.sum"),
        ],
    },
    Row {
        name: "python",
        title: "Python",
        claim: python::claim,
        image: |given| given.image(python::detect, |python| &python.name, python::image::plan),
        is_frontend: false,
        marks: &["pyproject.toml", "requirements.txt", "Pipfile"],
        manifests: &["setup.cfg", "setup.py"],
        lockfiles: &["Pipfile.lock", "poetry.lock", "uv.lock", "pdm.lock", "requirements.txt"],
        sources: &["py"],
        folders: &[
            Bulk::holding("venv", "pyvenv.cfg"),
            Bulk::holding("env", "pyvenv.cfg"),
            Bulk::named("__pycache__"),
            Bulk::named(".venv"),
            Bulk::named(".tox"),
            Bulk::named(".nox"),
            Bulk::named(".mypy_cache"),
            Bulk::named(".pytest_cache"),
            Bulk::named(".ruff_cache"),
        ],
        templates: templates!["python": "collectstatic", "install-wheel", "own", "own-files", "pdm", "pdm-export", "pip", "pip-project", "pipenv-requirements", "poetry", "poetry-export", "prune", "tool", "uv", "uv-export", "uv-install", "wheel", "without-local"],
        options: &[
            ("package", "a member of the workspace"),
            ("bin", "a script or module"),
            ("features", "extras"),
            ("manifests", "pyproject.toml and requirements files"),
            ("health", "an endpoint that the image asks whether it is well"),
        ],
    },
    Row {
        name: "node",
        title: "Node",
        claim: node::claim,
        image: |given| {
            given.image(
                |tree, config, notes| node::detect(tree, "", config, notes),
                |node| &node.name,
                node::image::plan,
            )
        },
        is_frontend: true,
        marks: &["package.json"],
        manifests: &["pnpm-workspace.yaml"],
        lockfiles: &[
            "package-lock.json",
            "npm-shrinkwrap.json",
            "yarn.lock",
            "pnpm-lock.yaml",
            "bun.lock",
            "bun.lockb",
        ],
        sources: &["js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts", "vue", "svelte"],
        folders: &[
            Bulk::named("node_modules"),
            Bulk::named(".next"),
            Bulk::named(".nuxt"),
            Bulk::named(".turbo"),
            Bulk::named(".svelte-kit"),
            Bulk::named(".pnpm-store"),
        ],
        templates: templates!["node": "build", "bun-install", "manager", "manifest", "manifests", "nginx", "npm-install", "npm-prune", "patch", "pnpm-install", "pnpm-prune", "run", "writable", "yarn-classic-install", "yarn-focus", "yarn-install"],
        options: &[
            ("package", "a package of the workspace"),
            ("bin", "a script"),
            ("manifests", "package.json files"),
            ("health", "an endpoint that the image asks whether it is well"),
        ],
    },
];

/// What a stack reads its facts from.
struct Given<'a> {
    row: &'static Row,
    tree: &'a dyn Tree,
    config: &'a Config,
    notes: Notes,
}

impl Given<'_> {
    /// Reads the facts with `detect` and plans the image with `plan`.
    fn image<Facts: serde::Serialize>(
        mut self,
        detect: fn(&dyn Tree, &Config, &mut Notes) -> Result<Facts>,
        name: fn(&Facts) -> &str,
        plan: fn(&Project, &Facts, &Config) -> Result<Plan>,
    ) -> Result<(Project, Plan)> {
        let facts = detect(self.tree, self.config, &mut self.notes)?;
        let frontends = if self.row.is_frontend && self.notes.assets.is_empty() && self.config.frontend.is_none() {
            // It is its own front end; of others only what it serves from a folder is built.
            Vec::new()
        } else {
            frontend::detect(self.tree, self.config, &mut self.notes)?
        };
        for path in &self.config.keep {
            self.notes.need(path);
        }
        let mut component = serde_json::to_value(&facts).unwrap_or_default();
        component["stack"] = self.row.name.into();
        let (stack, notes) = (self.row.name, self.notes);
        let project = Project { name: slug(name(&facts)), stack, component, frontends, notes };
        let mut plan = plan(&project, &facts, self.config)?;
        extra_steps(&mut plan, self.config)?;
        plan.templates = self::templates();
        Ok((project, plan))
    }
}

/// Reads the facts of the project in `tree` and plans its image.
///
/// # Errors
/// [`Error::NoProject`] if no stack is found, [`Error::Manifest`] for a file that cannot be read as what it is,
/// [`Error::Ambiguous`] and [`Error::CannotStart`] where the user has to decide, [`Error::Config`] for an option that
/// the stack does not have, and what else the stack refuses.
pub(crate) fn read(tree: &dyn Tree, config: &Config) -> Result<(Project, Plan)> {
    let mut notes = Notes::default();
    let row = weigh(tree, config, &mut notes)?;
    options::check(row.name, &with_options(), config)?;
    (row.image)(Given { row, tree, config, notes })
}

/// Decides which stack the image is for: the strongest claim, and among equals the first of [`STACKS`].
fn weigh(tree: &dyn Tree, config: &Config, notes: &mut Notes) -> Result<&'static Row> {
    if let Some(row) = config.stack.as_deref().and_then(|name| rows().find(|row| row.name == name)) {
        return Ok(row);
    }
    let mut claims = Vec::new();
    for row in rows() {
        claims.extend((row.claim)(tree)?.map(|claim| (row, claim)));
    }
    let strongest = claims.iter().map(|(_, claim)| claim.strength).max();
    let mut best = claims.iter().filter(|(_, claim)| Some(claim.strength) == strongest);
    let Some((row, claim)) = best.next() else {
        let seen: Vec<&str> = tree.files_in("").map(RelPath::as_str).take(8).collect();
        let seen = if seen.is_empty() { "it holds no files".into() } else { format!("it holds {}", seen.join(", ")) };
        let marks: Vec<&str> = rows().flat_map(|row| row.marks).copied().collect();
        let hint = format!("run in the folder that holds {}, or name it: `cargo dockerfile PATH`", either(&marks));
        return Err(Error::NoProject { root: ".".into(), seen, hint });
    };
    let Evidence { path, line, reason } = claim.evidence.clone();
    notes.found(path, line, format!("{}: {reason}", row.name));
    let rivals: Vec<String> = best
        .filter(|(rival, _)| !rival.is_frontend)
        .map(|(rival, claim)| format!("{} ({}: {})", rival.name, claim.evidence.path, claim.evidence.reason))
        .collect();
    if !rivals.is_empty() {
        let rivals = rivals.join(" and ");
        notes.warn(format!("the image is for {}, but there is {rivals} as well; `--stack` decides", row.name));
    }
    Ok(row)
}

fn rows() -> impl Iterator<Item = &'static Row> {
    // A constant with functions in it is copied to wherever it is named.
    static ROWS: &[Row] = &STACKS;
    ROWS.iter()
}

/// `a, b or c`.
fn either(words: &[&str]) -> String {
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// The names of the stacks, as the option `stack` takes them.
pub fn names() -> Vec<&'static str> {
    rows().map(|row| row.name).collect()
}

/// The stacks in a sentence: `Rust, Go, Python or Node`.
pub fn titles() -> String {
    either(&rows().map(|row| row.title).collect::<Vec<_>>())
}

/// What an option that not every stack has means to those that have it: `Cargo features (rust) or extras (python)`.
pub fn meanings(option: &str) -> String {
    options::meanings(option, &with_options())
}

fn with_options() -> Vec<options::OfStack> {
    rows().map(|row| (row.name, row.options)).collect()
}

/// The built-in templates of all stacks.
fn templates() -> Vec<Templates> {
    rows().map(|row| row.templates).collect()
}

/// Every built-in template: name and text.
pub fn builtin() -> impl Iterator<Item = (&'static str, &'static str)> {
    std::iter::once(COMMON).chain(templates()).flatten().copied()
}

/// Whether a file of this name decides which versions are installed.
pub(crate) fn is_lockfile(name: &str) -> bool {
    rows().any(|row| row.lockfiles.contains(&name))
}

/// Whether a file with this ending is a source.
pub(crate) fn is_source(extension: &str) -> bool {
    rows().any(|row| row.sources.contains(&extension))
}

/// Reads the configuration that the project carries and lays `door` over it.
///
/// # Errors
/// [`Error::Config`] with file, line and the nearest right key for a key or value that is wrong.
pub fn configure(tree: &dyn Tree, door: ConfigLayer) -> Result<Config> {
    config::load(tree, door, &names())
}

impl ConfigLayer {
    /// Checks every value that lands in a Dockerfile outside quotes; `door` is what an error calls the place that the
    /// layer came from.
    ///
    /// # Errors
    /// [`Error::Config`] for the first value that is wrong.
    pub fn check(self, door: &str) -> Result<Self> {
        config::checked(door, self, None, &names())
    }
}

impl DiskTree {
    /// Lists the files below `root` that a fresh clone would have: without what a .gitignore ignores (also one above
    /// `root` in the same repository) and git does not track, and without bulk folders. Neither is entered, so they
    /// cost nothing.
    ///
    /// # Errors
    /// [`Error::Read`] if the folder or one below it cannot be listed.
    pub fn open(root: impl AsRef<Path>) -> Result<Self> {
        let bulk: Vec<Bulk> = rows().flat_map(|row| row.folders).copied().collect();
        Self::open_without(root.as_ref(), &bulk)
    }
}

impl Plan {
    /// Holds the plan against the files of the build context: `tree`, without what `ignore` leaves out.
    ///
    /// ```
    /// use dockerfile_gen::context::Dockerignore;
    /// use dockerfile_gen::plan::{Plan, Stage, Step};
    /// use dockerfile_gen::MemTree;
    ///
    /// let mut build = Stage::from_image("build", "rust:1.95-slim-trixie");
    /// build.push(Step::copy("sources", ["scr"], "./"));
    /// let plan = Plan::declared("build.rs", [build]);
    ///
    /// let tree = MemTree::from([("Cargo.toml", ""), ("src/main.rs", "")]);
    /// let faults = plan.check(&tree, &Dockerignore::default());
    /// assert_eq!(faults[0].reason, "`scr` is not in the build context");
    /// assert_eq!(faults[0].hint.as_deref(), Some("did you mean `src`?"));
    /// ```
    pub fn check(&self, tree: &dyn Tree, ignore: &Dockerignore) -> Vec<Fault> {
        let manifests = rows().flat_map(|row| [row.marks, row.manifests, row.lockfiles]).flatten().copied().collect();
        let sources = rows().flat_map(|row| row.sources).copied().collect();
        check::faults(self, tree, ignore, &check::Names { manifests, sources })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_rows_hold_exactly_the_templates_of_the_folders() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        for row in rows() {
            let files = std::fs::read_dir(root.join(row.name)).unwrap().flatten();
            let found = files.map(|file| file.path().file_stem().unwrap().to_str().unwrap().to_owned());
            let found: BTreeSet<String> = found.map(|stem| format!("{}/{stem}", row.name)).collect();
            assert_eq!(row.templates.iter().map(|(name, _)| (*name).to_owned()).collect::<BTreeSet<_>>(), found);
        }
    }

    #[test]
    fn an_option_of_a_row_is_one_that_is_checked() {
        for (option, _) in rows().flat_map(|row| row.options) {
            assert!(options::CHOICES.iter().any(|(name, _)| name == option), "{option}");
        }
    }
}
