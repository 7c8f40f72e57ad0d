//! The door for build.rs: the project's Dockerfile and .dockerignore follow its manifests.
//!
//! Input: the environment that cargo gives a build script. Output: an [`Outcome`], and lines for cargo on stdout. The
//! one idea: only a developer's checkout is ever written to; everywhere else that cargo may run a build script, it is
//! as if the call were not there.
//!
//! ```no_run
//! // build.rs
//! fn main() -> dockerfile_gen::Result<()> {
//!     dockerfile_gen::build_script::regenerate()
//! }
//! ```
//!
//! With other settings:
//!
//! ```no_run
//! use dockerfile_gen::ConfigLayer;
//! use dockerfile_gen::build_script::{BuildScript, Mode};
//!
//! let mut config = ConfigLayer::default();
//! config.port = Some(8080);
//! BuildScript::new().mode(Mode::Warn).config(config).run()?;
//! # Ok::<(), dockerfile_gen::Error>(())
//! ```
//!
//! The variable `DOCKERFILE_GEN` decides over the mode: `off`, `write`, `check` or `warn`.
//!
//! cargo runs the script again when a manifest, lockfile, toolchain file, configuration or template changes that was
//! read. It cannot wait for a file that does not exist, because a missing file makes it run the script every time: a
//! first `dockerfile.toml` is noticed with the next change of a file that is there. What sources say (such as a port)
//! is noticed then, too; [`Mode::Check`] in CI catches what is left.

mod lines;
mod mode;
mod place;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use mode::Mode;
pub use place::{Elsewhere, Place};

use crate::config::ConfigLayer;
use crate::error::{Error, Result};
use crate::output::{Files, Overwrite, Status};
use crate::stacks::configure;
use crate::tree::{DiskTree, Recorder, RelPath};
use lines::{Line, is_watched};
use place::Surroundings;

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// `DOCKERFILE_GEN=off`.
    Off,
    /// This is no developer's checkout, so nothing was looked at.
    Elsewhere(Elsewhere),
    /// The files are what they should be.
    Fresh,
    /// These files were written.
    Written(Vec<RelPath>),
    /// These files are not what they should be and were left as they are.
    Stale(Vec<RelPath>),
    /// There is no telling, or writing failed; cargo was told why.
    Failed,
}

/// A build script's settings.
#[derive(Clone, Debug, Default)]
pub struct BuildScript {
    mode: Mode,
    folder: Option<PathBuf>,
    config: ConfigLayer,
}

/// Regenerates Dockerfile and .dockerignore of the workspace that the build script's package belongs to, if the
/// workspace names it under `members`. In a workspace that has it as a dependency only, nothing is written.
///
/// # Errors
/// [`Error::Unsupported`] if cargo did not start the process. All else is reported to cargo, as a warning.
pub fn regenerate() -> Result<()> {
    BuildScript::new().run().map(drop)
}

impl BuildScript {
    /// The settings that [`regenerate`] has: [`Mode::Write`], the folder of the workspace, no further configuration.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets what happens to a stale file.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Names the project's folder, seen from the package's own, where it is not the workspace's.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Lays `config` over what the project's own files say, as flags do on the command line. What only a build script
    /// says is unknown to `cargo dockerfile --check`.
    #[must_use]
    pub fn config(mut self, config: ConfigLayer) -> Self {
        self.config = config;
        self
    }

    /// Does it, and tells cargo what to watch and what went wrong.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if cargo did not start the process. All else is reported to cargo: as errors, which let
    /// the build fail, in [`Mode::Check`], and as warnings otherwise.
    pub fn run(&self) -> Result<Outcome> {
        let surroundings = Surroundings::of_process()?;
        let (outcome, lines) = self.examine(&surroundings);
        lines::print(&lines);
        Ok(outcome)
    }

    fn examine(&self, surroundings: &Surroundings) -> (Outcome, Vec<Line>) {
        let mut lines = vec![Line::WatchVariable(place::SWITCH), Line::WatchVariable(place::DOCS_RS)];
        let mode = match surroundings.switch(self.mode) {
            Ok(Some(mode)) => mode,
            Ok(None) => return (Outcome::Off, lines),
            Err(warning) => {
                lines.push(Line::Warning(warning));
                self.mode
            }
        };
        // Without a file to watch cargo would run the script again for every file of the package.
        lines.push(Line::Watch(surroundings.manifest_dir.join("Cargo.toml")));
        let root = match surroundings.place(self.folder.as_deref()) {
            Place::Checkout(root) => root,
            Place::Elsewhere(why) => {
                match why {
                    Elsewhere::Unkept => lines.push(Line::Warning(UNKEPT.into())),
                    Elsewhere::Foreign => lines.push(Line::Warning(FOREIGN.into())),
                    _ => {}
                }
                return (Outcome::Elsewhere(why), lines);
            }
        };
        let found = self.compare(&root, mode, surroundings, &mut lines);
        let outcome = found.unwrap_or_else(|error| {
            report(&error, mode, surroundings.is_editor, &mut lines);
            Outcome::Failed
        });
        (outcome, lines)
    }

    fn compare(&self, root: &Path, mode: Mode, surroundings: &Surroundings, lines: &mut Vec<Line>) -> Result<Outcome> {
        let disk = DiskTree::open(root)?;
        let tree = Recorder::new(&disk);
        let generated = crate::generate::generate_from(&tree, self.config.clone());
        let templates = configure(&tree, self.config.clone()).ok().and_then(|config| config.templates);
        let watched = tree.reads().into_iter().filter(is_watched).map(|path| root.join(path.as_str()));
        let templates = templates.map(|folder| root.join(folder)).filter(|folder| folder.is_dir());
        lines.extend(watched.chain(templates).map(Line::Watch));
        let files = generated?.files;
        let stale = stale(&files, root)?;
        let written = || files.0.keys().map(|path| Line::Watch(root.join(path.as_str())));
        if mode != Mode::Write {
            lines.extend(written());
        }
        if stale.is_empty() {
            return Ok(Outcome::Fresh);
        }
        let names = stale.keys().cloned().collect();
        if surroundings.is_editor {
            // An editor runs build scripts in the background, on half-typed manifests: it only looks. A file that is
            // never there makes the next cargo run the script again.
            lines.push(Line::Watch(surroundings.out_dir.join("dockerfile-gen-was-only-looking")));
            return Ok(Outcome::Stale(names));
        }
        if mode == Mode::Write {
            if let Err(error) = files.write(root, Overwrite::Refuse) {
                // Somebody may move a file of their own out of the way.
                lines.extend(written());
                return Err(error);
            }
            return Ok(Outcome::Written(names));
        }
        for (path, diff) in &stale {
            lines::stale(path, diff, mode == Mode::Check, lines);
        }
        Ok(Outcome::Stale(names))
    }
}

const UNKEPT: &str = "no Dockerfile is generated in a folder without version control, because a build context looks \
                      the same; run `cargo dockerfile` once, and it is kept fresh from then on";

const FOREIGN: &str = "no Dockerfile is generated outside of this package, because the folder there does not name it \
                       as its own; list it under `members` of the workspace, or set `DOCKERFILE_GEN=off`";

/// The files that are not fresh, with their differences.
fn stale(files: &Files, root: &Path) -> Result<BTreeMap<RelPath, String>> {
    let statuses = files.check(root)?.into_iter();
    let diffs = statuses.filter_map(|(path, status)| match status {
        Status::Stale { diff, .. } => Some((path, diff)),
        Status::Fresh | Status::Written { .. } => None,
    });
    Ok(diffs.collect())
}

/// Tells cargo of an error: one that ends the build in [`Mode::Check`], unless an editor asks.
fn report(error: &Error, mode: Mode, is_editor: bool, lines: &mut Vec<Line>) {
    let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
    let text = format!("{error}{hint}");
    lines.push(if mode == Mode::Check && !is_editor { Line::Error(text) } else { Line::Warning(text) });
}
