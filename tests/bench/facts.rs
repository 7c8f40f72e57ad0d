//! What the bench reads of the facts, which are JSON.

use std::collections::BTreeSet;

use dockerfile_gen::{Project, RelPath};
use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
#[serde(tag = "stack", rename_all = "kebab-case")]
pub(crate) enum Component {
    Rust(RustProject),
    Node {},
    Python(PythonProject),
    Go(GoProject),
}

impl Component {
    pub(crate) fn of(project: &Project) -> Self {
        serde_json::from_value(project.component.clone()).unwrap()
    }
}

#[derive(Deserialize)]
pub(crate) struct RustProject {
    pub(crate) binary: Binary,
    pub(crate) toolchain: Toolchain,
    pub(crate) build_packages: BTreeSet<String>,
    pub(crate) build_env: Vec<(String, String)>,
}

#[derive(Deserialize)]
pub(crate) struct Binary {
    pub(crate) name: String,
    pub(crate) package: String,
    #[serde(deserialize_with = "path")]
    pub(crate) dir: RelPath,
    pub(crate) features: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct Toolchain {
    pub(crate) version: String,
}

#[derive(Deserialize)]
pub(crate) struct GoProject {
    pub(crate) dir: String,
    pub(crate) version: String,
    pub(crate) cgo: bool,
    pub(crate) mains: Vec<GoMain>,
}

#[derive(Deserialize)]
pub(crate) struct GoMain {
    pub(crate) dir: String,
}

#[derive(Deserialize)]
pub(crate) struct PythonProject {
    pub(crate) name: String,
    #[serde(deserialize_with = "path")]
    pub(crate) dir: RelPath,
    pub(crate) version: Version,
    pub(crate) install: Install,
}

#[derive(Deserialize)]
pub(crate) struct Version {
    minor: u32,
    patch: Option<u32>,
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let patch = self.patch.map(|patch| format!(".{patch}")).unwrap_or_default();
        write!(f, "3.{}{patch}", self.minor)
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Manager {
    Pip,
    Pipenv,
    Poetry,
    Pdm,
    Uv,
}

#[derive(Deserialize)]
pub(crate) struct Install {
    pub(crate) manager: Option<Manager>,
    pub(crate) manifests: BTreeSet<String>,
    pub(crate) requirements: Vec<String>,
    pub(crate) package: Option<String>,
    #[serde(deserialize_with = "path")]
    pub(crate) member: RelPath,
}

fn path<'de, D: Deserializer<'de>>(source: D) -> Result<RelPath, D::Error> {
    let text = String::deserialize(source)?;
    Ok(RelPath::new(&text).unwrap_or_default())
}
