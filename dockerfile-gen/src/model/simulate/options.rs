//! What a build is given besides the files.
//!
//! Input: none, these are plain types. Output: none. The one idea: only what reaches a cache key is here; tags,
//! labels, outputs, secrets and the addresses of added hosts reach none.

use std::collections::BTreeMap;

use crate::model::context::Dockerignore;
use crate::model::dockerfile::Dockerfile;
use crate::tree::Tree;

/// One build: a Dockerfile, the files it may ask for, and the options.
#[derive(Clone)]
#[non_exhaustive]
pub struct Input<'a> {
    /// The Dockerfile.
    pub dockerfile: &'a Dockerfile,
    /// The build context.
    pub context: Context<'a>,
    /// What `--build-context NAME=…` adds, by name.
    pub contexts: BTreeMap<String, Context<'a>>,
    /// The options.
    pub options: Options,
    /// What is known of what a `RUN` leaves, by whoever wrote it. Of others nothing is.
    pub outputs: Option<&'a Outputs<'a>>,
}

/// Says what is known of what a `RUN` leaves; `None` for nothing.
pub type Outputs<'a> = dyn Fn(&Ran<'_>) -> Option<Output> + 'a;

/// A `RUN` that is run.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Ran<'r> {
    /// The stage, as BuildKit prints it.
    pub stage: &'r str,
    /// The step, as BuildKit prints it.
    pub name: &'r str,
    /// The build context, with what is left out of it.
    pub tree: &'r dyn Tree,
}

/// What is known of what a `RUN` leaves.
///
/// A step that reduces manifests to what decides the dependencies gives that as both texts. One whose output is
/// reproducible, but cannot be told from another by a text, leaves [`Output::other`] out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Two runs with the same text leave the same files.
    pub same: String,
    /// An absolute path, and a text: two runs with different texts leave something different there.
    pub other: Option<(String, String)>,
}

impl<'a> Input<'a> {
    /// A build of `dockerfile` with the files of `context` and nothing else.
    pub fn new(dockerfile: &'a Dockerfile, context: Context<'a>) -> Self {
        Self { dockerfile, context, contexts: BTreeMap::new(), options: Options::default(), outputs: None }
    }
}

/// Files, and what is left out of them.
#[derive(Clone)]
pub struct Context<'a> {
    /// The files.
    pub tree: &'a dyn Tree,
    /// What is left out.
    pub ignore: Dockerignore,
}

/// The options that reach a cache key.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// `--target`
    pub target: Option<String>,
    /// `--build-arg`
    pub build_args: BTreeMap<String, String>,
    /// `--platform`, one of them; `linux/amd64` without.
    pub platform: Option<String>,
    /// `--network`
    pub network: Option<String>,
    /// `--no-cache`
    pub no_cache: bool,
    /// `--no-cache-filter`
    pub no_cache_filter: Vec<String>,
    /// The names of `--add-host`, in order.
    pub add_hosts: Vec<String>,
    /// `--shm-size`
    pub shm_size: Option<String>,
    /// `--ulimit`
    pub ulimits: Vec<String>,
    /// `--cgroup-parent`
    pub cgroup_parent: Option<String>,
    /// What is known of images, by the name that the Dockerfile uses. Of others nothing is known but the name: no
    /// variables, no working directory, and that two names are two images.
    pub images: BTreeMap<String, Image>,
    /// Where the engine keeps its images.
    pub store: ImageStore,
    /// Whether the engine has BuildKit 0.26 (Docker 29.1) or newer, which sees when a file is moved below a folder that
    /// `COPY` takes by a wildcard or with `--exclude`.
    pub hashes_whole_paths: bool,
}

/// Where an engine keeps its images, which decides what `COPY --link` is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImageStore {
    /// The classic store of the Docker engine, where `--link` is silently ignored.
    #[default]
    Classic,
    /// The containerd image store, or a builder in a container.
    Containerd,
}

/// What is known of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Image {
    /// Stands for its layers: equal if they are equal. Labels and the like are not in it.
    pub layers: String,
    /// The variables that it sets, in order.
    pub env: Vec<(String, String)>,
    /// The working directory; `""` for none.
    pub workdir: String,
    /// The user; `""` for none.
    pub user: String,
    /// The shell; empty for the default.
    pub shell: Vec<String>,
    /// The instructions that it runs in the stages built on it.
    pub onbuild: Vec<String>,
}

impl Options {
    /// The platform that is built for.
    pub(super) fn platform(&self) -> &str {
        self.platform.as_deref().unwrap_or("linux/amd64")
    }

    /// Whether the cache is not to be used for the stage named `stage`.
    pub(super) fn ignores_cache(&self, stage: Option<&str>) -> bool {
        self.no_cache
            || stage.is_some_and(|stage| self.no_cache_filter.iter().any(|name| name.eq_ignore_ascii_case(stage)))
    }

    /// A variable that every build has, before any `ARG`.
    pub(super) fn predefined(&self, name: &str) -> Option<String> {
        let known = self.platform_variable(name)?;
        Some(self.build_args.get(name).cloned().unwrap_or(known))
    }

    fn platform_variable(&self, name: &str) -> Option<String> {
        let platform = if name.starts_with("TARGET") { self.platform() } else { "linux/amd64" };
        let mut parts = platform.splitn(3, '/');
        let (os, arch, variant) = (parts.next(), parts.next(), parts.next());
        let value = match name {
            "TARGETPLATFORM" | "BUILDPLATFORM" => platform,
            "TARGETOS" | "BUILDOS" => os.unwrap_or_default(),
            "TARGETARCH" | "BUILDARCH" => arch.unwrap_or_default(),
            "TARGETVARIANT" | "BUILDVARIANT" => variant.unwrap_or_default(),
            "TARGETOSVERSION" | "BUILDOSVERSION" => "",
            "TARGETSTAGE" => self.target.as_deref().unwrap_or("default"),
            _ => return None,
        };
        Some(value.to_owned())
    }
}
