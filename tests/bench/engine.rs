//! One build on the engine: what ran, and how long it took.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::docker::{docker_build, keep};
use super::steps::steps;

/// A build that came to its end.
#[derive(Clone)]
pub(crate) struct Built {
    pub(crate) seconds: f64,
    /// A step as the engine names it, and whether it ran.
    steps: BTreeMap<String, bool>,
}

impl Built {
    /// A build outside of any image.
    pub(crate) fn bare(seconds: f64) -> Self {
        Self { seconds, steps: BTreeMap::new() }
    }

    pub(crate) fn ran(&self) -> usize {
        self.steps.values().filter(|ran| **ran).count()
    }

    /// The steps that ran, shortened.
    pub(crate) fn names(&self) -> Vec<String> {
        let ran = self.steps.iter().filter(|(_, ran)| **ran);
        ran.map(|(name, _)| name.split_whitespace().take(6).collect::<Vec<_>>().join(" ")).collect()
    }
}

/// Builds the context with the given Dockerfile.
///
/// # Errors
/// The end of what the engine said.
pub(crate) fn build(context: &Path, file: &Path, tag: &str, arguments: &[&str]) -> Result<Built, String> {
    let (file, context) = (file.to_string_lossy(), context.to_string_lossy());
    let mut words = vec!["--progress=plain", "-t", tag, "-f", &file];
    for argument in arguments {
        words.extend(["--build-arg", argument]);
    }
    words.push(&context);
    keep(tag);
    let begin = Instant::now();
    let out = docker_build(&words);
    let seconds = begin.elapsed().as_secs_f64();
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    if !out.status.success() {
        let lines: Vec<&str> = text.lines().collect();
        return Err(lines[lines.len().saturating_sub(25)..].join("\n"));
    }
    let steps = steps(&text).into_iter().map(|(name, cached)| (name, !cached)).collect();
    Ok(Built { seconds, steps })
}

/// Makes an image that a variant takes for granted.
pub(crate) fn image(tag: &str, dockerfile: &str) {
    let mut docker = Command::new("docker");
    let mut docker = docker.args(["build", "-q", "-t", tag, "-"]).stdin(Stdio::piped()).spawn().unwrap();
    docker.stdin.take().unwrap().write_all(dockerfile.as_bytes()).unwrap();
    assert!(docker.wait().unwrap().success(), "{tag} cannot be built");
}

/// Empties the engine's build cache, cache mounts and all.
pub(crate) fn prune() {
    let done = Command::new("docker").args(["builder", "prune", "-af"]).output();
    assert!(done.is_ok_and(|out| out.status.success()), "the engine's cache cannot be emptied");
}
