//! The real engine: builds, and what it says of each step.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use dockerfile_gen::simulate::ImageStore;
use serde_json::Value;

/// What came of a build.
pub(crate) enum Built {
    /// Each step, and whether it was reused.
    Steps(BTreeMap<String, bool>),
    /// What the engine said.
    Refused(String),
}

/// Where the engine keeps its images; `None` if none answers.
pub(crate) fn image_store() -> Option<ImageStore> {
    let output = Command::new("docker").args(["info", "--format", "{{json .DriverStatus}}"]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    match output.status.success() {
        false => None,
        true if text.contains("io.containerd.snapshotter") => Some(ImageStore::Containerd),
        true => Some(ImageStore::Classic),
    }
}

/// Builds what lies in `dir` and throws the image away.
pub(crate) fn build(dir: &Path, options: &[String]) -> Built {
    let output = Command::new("docker")
        .args(["buildx", "build", "--progress=rawjson", "--output=type=cacheonly", "--provenance=false"])
        .args(options)
        .arg(dir)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('{')).collect();
        return Built::Refused(lines.join("\n"));
    }
    let mut vertices: BTreeMap<String, Value> = BTreeMap::new();
    for line in text.lines() {
        let Ok(status) = serde_json::from_str::<Value>(line) else { continue };
        for vertex in status["vertexes"].as_array().into_iter().flatten() {
            vertices.insert(vertex["digest"].as_str().unwrap().to_owned(), vertex.clone());
        }
    }
    let step = |vertex: &Value| {
        let name = vertex["name"].as_str()?;
        is_step(name).then(|| (name.to_owned(), vertex["cached"].as_bool().unwrap_or_default()))
    };
    Built::Steps(vertices.values().filter_map(step).collect())
}

/// `[stage 2/3] RUN …`, but not `FROM` and `[internal] …`.
fn is_step(name: &str) -> bool {
    let Some((place, instruction)) = name.strip_prefix('[').and_then(|name| name.split_once("] ")) else {
        return false;
    };
    let number = place.rsplit(' ').next().unwrap_or_default();
    number.split_once('/').is_some_and(|(_, total)| total.parse::<u32>().is_ok()) && !instruction.starts_with("FROM ")
}
