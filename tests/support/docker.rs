//! Building an image under a name that another image has already.

use std::process::{Command, Output};

/// Keeps the image that has the name until its successor is there.
///
/// Engines with containerd's image store may otherwise collect its layers while the successor, which shares them, is
/// being unpacked (moby/buildkit#6521).
pub(crate) fn keep(image: &str) {
    // There is none before the first build.
    let _ = Command::new("docker").args(["tag", image, &format!("{image}:before")]).output();
}

/// `docker build` with the given arguments, and what it said.
///
/// # Panics
/// If there is no docker command.
pub(crate) fn docker_build(arguments: &[&str]) -> Output {
    let build = || Command::new("docker").arg("build").args(arguments).output().unwrap();
    let first = build();
    let text = String::from_utf8_lossy(&first.stderr);
    if !(text.contains("failed to prepare extraction snapshot") && text.contains("does not exist: not found")) {
        return first;
    }
    // Every step was done and the image alone is missing: the steps are those of the first build.
    let again = build();
    Output { status: again.status, stderr: if again.status.success() { first.stderr } else { again.stderr }, ..first }
}
