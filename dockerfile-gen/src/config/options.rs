//! Every option.
//!
//! Plain data. The one idea: an option stands once in [`ConfigLayer`], with what it means.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// Whether the dependency layer depends on the whole manifests, or only on what decides the dependencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Manifests {
    /// Only on what decides the dependencies, so that a version bump or a new script installs nothing.
    Filter,
    /// On the manifests as they are: a shorter file, and each edit of one of them installs again.
    Copy,
}

impl FromStr for Manifests {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "filter" => Ok(Self::Filter),
            "copy" => Ok(Self::Copy),
            _ => Err(format!("`{text}` is not a way to copy manifests; expected filter or copy")),
        }
    }
}

/// A step that the user adds; the ordering pass places it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct ExtraStep {
    /// Its name, for `needs` of other steps.
    pub name: String,
    /// The stage that it belongs to.
    #[serde(default = "build_stage")]
    pub stage: String,
    /// The shell command.
    pub run: String,
    /// Files of the project that it reads, copied before it runs.
    #[serde(default)]
    pub inputs: Vec<String>,
    /// Names of steps of the same stage that must come before it.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Seconds that it takes, as far as is known.
    #[serde(default = "ten_seconds")]
    pub seconds: u32,
}

impl ExtraStep {
    /// A step of the stage `build` that runs a shell command.
    pub fn new(name: impl Into<String>, run: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            stage: build_stage(),
            run: run.into(),
            inputs: Vec::new(),
            needs: Vec::new(),
            seconds: ten_seconds(),
        }
    }
}

fn build_stage() -> String {
    "build".into()
}

fn ten_seconds() -> u32 {
    10
}

/// One layer of configuration; a field that is `None` or empty leaves the layer below in force.
///
/// ```
/// use dockerfile_gen::config::ExtraStep;
/// use dockerfile_gen::{ConfigLayer, MemTree, generate_tree};
///
/// let mut layer = ConfigLayer::default();
/// layer.stack = Some("go".into());
/// layer.port = Some(8080);
/// layer.user = Some("1000:1000".into());
/// layer.steps = Some(vec![ExtraStep::new("codegen", "go generate ./...")]);
///
/// let tree = MemTree::from([("go.mod", "module hello\n\ngo 1.25\n"), ("main.go", "package main\n\nfunc main() {}\n")]);
/// let text = generate_tree(&tree, layer)?.files.0.remove("Dockerfile").unwrap_or_default();
/// assert!(text.contains("RUN go generate ./...\n") && text.contains("USER 1000:1000\nEXPOSE 8080\n"));
/// # Ok::<(), dockerfile_gen::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Deserialize, serde::Serialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct ConfigLayer {
    /// The stack, where more than one is possible.
    #[serde(deserialize_with = "word")]
    pub stack: Option<String>,
    /// The image that the build stages start from.
    pub base: Option<String>,
    /// The image that the final stages start from.
    pub runtime: Option<String>,
    /// The package of a workspace that the image is for.
    pub package: Option<String>,
    /// The binary, script, module or main package that the image runs.
    pub bin: Option<String>,
    /// Cargo features or Python extras to build with.
    pub features: Option<Vec<String>>,
    /// Whether Cargo's default features are left out.
    pub no_default_features: Option<bool>,
    /// The Cargo profile; `release` where nothing is said.
    pub profile: Option<String>,
    /// Whether own crates are compiled incrementally: edits build faster, and the binary may be slower.
    pub incremental: Option<bool>,
    /// The port that the service listens on.
    pub port: Option<u16>,
    /// The user of the final image, as `UID`, `UID:GID` or a name that the image has.
    pub user: Option<String>,
    /// Further Debian packages in the final image.
    pub packages: Option<Vec<String>>,
    /// Further Debian packages in the build stages.
    pub build_packages: Option<Vec<String>>,
    /// Environment of the final image.
    pub env: Option<BTreeMap<String, Scalar>>,
    /// Environment of the build step.
    pub build_env: Option<BTreeMap<String, Scalar>>,
    /// The command that the container runs, as an argument list; replaces the detected one.
    pub command: Option<Vec<String>>,
    /// The path of a health endpoint, such as `/health`.
    pub health: Option<String>,
    /// The folder of the front end to build in, or `none`.
    pub frontend: Option<String>,
    /// Further steps.
    pub steps: Option<Vec<ExtraStep>>,
    /// Further patterns for the .dockerignore.
    pub ignore: Option<Vec<String>>,
    /// Files that must stay in the build context.
    pub keep: Option<Vec<String>>,
    /// Further image labels.
    pub labels: Option<BTreeMap<String, Scalar>>,
    /// Change rates: the probability that a commit changes a class of inputs
    /// (`base`, `system`, `tool`, `lockfile`, `manifest`, `source`) or a path.
    pub rates: Option<BTreeMap<String, f64>>,
    /// Folder with templates that replace built-in ones of the same name.
    pub templates: Option<String>,
    /// How manifests reach the dependency layer.
    pub manifests: Option<Manifests>,
    /// Whether to write only what Podman, Buildah and builders without Docker Hub accept.
    pub compat: Option<bool>,
}

/// Reads a word, which tokens of a macro have without quotes.
fn word<'de, D: serde::Deserializer<'de>>(source: D) -> Result<Option<String>, D::Error> {
    struct Visit;
    impl serde::de::Visitor<'_> for Visit {
        type Value = String;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }
        fn visit_str<E>(self, value: &str) -> Result<String, E> {
            Ok(value.to_owned())
        }
    }
    source.deserialize_identifier(Visit).map(Some)
}

/// A value of an environment variable or a label: text, or a number or truth value that stands for its text.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Scalar(pub String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct Visit;
        impl serde::de::Visitor<'_> for Visit {
            type Value = Scalar;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, a number, true or false")
            }
            fn visit_str<E>(self, value: &str) -> Result<Scalar, E> {
                Ok(Scalar(value.to_owned()))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }
            fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }
        }
        source.deserialize_any(Visit)
    }
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Everything that the passes need to know from the user; what is `None` is left to detection.
///
/// ```
/// use dockerfile_gen::{Config, ConfigLayer};
///
/// let mut layer = ConfigLayer::default();
/// layer.env = Some([("LEVEL".to_owned(), "info".into())].into());
/// let config = Config::default().with(layer);
/// assert_eq!(config.env["LEVEL"], "info");
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// See [`ConfigLayer::stack`].
    pub stack: Option<String>,
    /// See [`ConfigLayer::base`].
    pub base: Option<String>,
    /// See [`ConfigLayer::runtime`].
    pub runtime: Option<String>,
    /// See [`ConfigLayer::package`].
    pub package: Option<String>,
    /// See [`ConfigLayer::bin`].
    pub bin: Option<String>,
    /// See [`ConfigLayer::features`].
    pub features: Vec<String>,
    /// See [`ConfigLayer::no_default_features`].
    pub no_default_features: bool,
    /// See [`ConfigLayer::profile`].
    pub profile: Option<String>,
    /// See [`ConfigLayer::incremental`].
    pub incremental: bool,
    /// See [`ConfigLayer::port`].
    pub port: Option<u16>,
    /// See [`ConfigLayer::user`].
    pub user: Option<String>,
    /// See [`ConfigLayer::packages`].
    pub packages: Vec<String>,
    /// See [`ConfigLayer::build_packages`].
    pub build_packages: Vec<String>,
    /// See [`ConfigLayer::env`].
    pub env: BTreeMap<String, String>,
    /// See [`ConfigLayer::build_env`].
    pub build_env: BTreeMap<String, String>,
    /// See [`ConfigLayer::command`].
    pub command: Option<Vec<String>>,
    /// See [`ConfigLayer::health`].
    pub health: Option<String>,
    /// See [`ConfigLayer::frontend`].
    pub frontend: Option<String>,
    /// See [`ConfigLayer::steps`].
    pub steps: Vec<ExtraStep>,
    /// See [`ConfigLayer::ignore`].
    pub ignore: Vec<String>,
    /// See [`ConfigLayer::keep`].
    pub keep: Vec<String>,
    /// See [`ConfigLayer::labels`].
    pub labels: BTreeMap<String, String>,
    /// See [`ConfigLayer::rates`].
    pub rates: BTreeMap<String, f64>,
    /// See [`ConfigLayer::templates`].
    pub templates: Option<String>,
    /// See [`ConfigLayer::manifests`].
    pub manifests: Option<Manifests>,
    /// See [`ConfigLayer::compat`].
    pub compat: bool,
}

impl Config {
    /// Puts `layer` over this configuration: scalars and lists are replaced, maps are merged key by key.
    #[must_use]
    pub fn with(mut self, layer: ConfigLayer) -> Self {
        fn over<T>(slot: &mut Option<T>, value: Option<T>) {
            if value.is_some() {
                *slot = value;
            }
        }
        fn set<T>(slot: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *slot = value;
            }
        }
        fn merge(slot: &mut BTreeMap<String, String>, value: Option<BTreeMap<String, Scalar>>) {
            slot.extend(value.into_iter().flatten().map(|(key, value)| (key, value.0)));
        }
        over(&mut self.stack, layer.stack);
        over(&mut self.base, layer.base);
        over(&mut self.runtime, layer.runtime);
        over(&mut self.package, layer.package);
        over(&mut self.bin, layer.bin);
        set(&mut self.features, layer.features);
        set(&mut self.no_default_features, layer.no_default_features);
        over(&mut self.profile, layer.profile);
        set(&mut self.incremental, layer.incremental);
        over(&mut self.port, layer.port);
        over(&mut self.user, layer.user);
        set(&mut self.packages, layer.packages);
        set(&mut self.build_packages, layer.build_packages);
        merge(&mut self.env, layer.env);
        merge(&mut self.build_env, layer.build_env);
        over(&mut self.command, layer.command);
        over(&mut self.health, layer.health);
        over(&mut self.frontend, layer.frontend);
        set(&mut self.steps, layer.steps);
        set(&mut self.ignore, layer.ignore);
        set(&mut self.keep, layer.keep);
        merge(&mut self.labels, layer.labels);
        self.rates.extend(layer.rates.into_iter().flatten());
        over(&mut self.templates, layer.templates);
        over(&mut self.manifests, layer.manifests);
        set(&mut self.compat, layer.compat);
        self
    }
}
