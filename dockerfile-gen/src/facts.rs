//! The types that every stack and every witness use to say what was read, and where.
//!
//! Plain data. The one idea: a fact comes with the place that says it, so nothing is guessed in silence.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::RelPath;

/// Where a fact was read.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Evidence {
    /// The file, relative to the project.
    pub path: String,
    /// The line, from 1, where one line says it.
    pub line: Option<u32>,
    /// What follows from it.
    pub reason: String,
}

/// What detection collects beside the facts.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Notes {
    /// Why each fact is believed.
    pub evidence: Vec<Evidence>,
    /// What the user should know or decide.
    pub warnings: Vec<String>,
    /// Files and folders that the build reads and that must stay in the build context.
    pub needed: BTreeSet<RelPath>,
    /// Files that look like secrets and stay in the build context, and why.
    pub kept: BTreeMap<RelPath, String>,
    /// Folders that the server embeds or serves and that a front end may have to build first.
    pub assets: Vec<Asset>,
    /// What the manifest says of the project, as OCI labels.
    pub labels: BTreeMap<String, String>,
}

/// A folder that a server embeds at compile time or serves at run time.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Asset {
    /// The folder, relative to the project.
    pub path: RelPath,
    /// Whether it is part of the binary; otherwise it is read from disk when the server runs.
    pub embedded: bool,
}

/// A file or folder that the program reads from its working folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[non_exhaustive]
pub struct Served {
    /// The path, relative to the project.
    pub path: RelPath,
    /// Whether it is a folder.
    pub folder: bool,
}

/// How sure a stack is that the image is for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Strength {
    /// Its manifest is there for development tools only.
    Tools,
    /// There is something to build, but nothing that clearly runs.
    Possible,
    /// There is something that runs.
    Service,
}

/// A stack's claim that the image is for it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Claim {
    /// How sure it is.
    pub strength: Strength,
    /// Where that was read, and why.
    pub evidence: Evidence,
}

impl Claim {
    /// A claim with its evidence.
    pub fn new(strength: Strength, path: impl Into<String>, line: Option<u32>, reason: impl Into<String>) -> Self {
        Self { strength, evidence: Evidence { path: path.into(), line, reason: visible(reason) } }
    }
}

/// A message to people, of which a manifest or a file name may be a part.
fn visible(text: impl Into<String>) -> String {
    crate::visible::line(&text.into()).into_owned()
}

impl Notes {
    /// Records why a fact is believed.
    pub fn found(&mut self, path: impl Into<String>, line: Option<u32>, reason: impl Into<String>) {
        self.evidence.push(Evidence { path: path.into(), line, reason: visible(reason) });
    }

    /// Records what the user should know or decide.
    pub fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(visible(text));
    }

    /// Records what a manifest says of the project, as the OCI label `key`.
    ///
    /// A label is read by people in lists of images: a long description is cut to its first sentence, and any other value
    /// that is too long for a label is left out.
    pub fn label(&mut self, key: &str, value: &str) {
        let value: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        let value = match value.chars().count() {
            0 => return,
            1..=LONGEST_LABEL => value,
            _ if key == "description" => first_sentence(&value),
            length => {
                self.warn(format!("the label `{key}` is left out: its value has {length} characters"));
                return;
            }
        };
        self.labels.insert(format!("org.opencontainers.image.{key}"), value);
    }

    /// Records a file or folder that must stay in the build context; what leaves the project is left out.
    pub fn need(&mut self, path: &str) {
        self.needed.extend(RelPath::new(path));
    }
}

/// A credential that the build needs, mounted and never copied.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[non_exhaustive]
pub enum Credential {
    /// A file that the package manager reads, mounted at an absolute path.
    File {
        /// The id for `docker build --secret id=…`.
        id: String,
        /// Where it is mounted.
        target: String,
    },
    /// An environment variable.
    Env {
        /// The id for `docker build --secret id=…`.
        id: String,
        /// The variable.
        variable: String,
    },
    /// The user's ssh agent.
    Ssh,
}

/// Characters that a label of ours has at most.
const LONGEST_LABEL: usize = 300;

/// The first sentence of a text, or as many of its words as a label takes.
fn first_sentence(text: &str) -> String {
    let start: String = text.chars().take(LONGEST_LABEL - 1).collect();
    if let Some((sentence, _)) = start.split_once(". ") {
        return format!("{sentence}.");
    }
    let words = start.rsplit_once(' ').map_or(start.as_str(), |(words, _)| words);
    format!("{words}…")
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
