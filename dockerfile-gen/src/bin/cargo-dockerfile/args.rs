//! The arguments, and how they become a configuration layer.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand};
use dockerfile_gen::config::{Manifests, Scalar};
use dockerfile_gen::{ConfigLayer, Error, meanings, names, titles};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXAMPLES: &str = "\
Examples:
  cargo dockerfile                         write Dockerfile and .dockerignore for this folder
  cargo dockerfile --check                 fail with a diff if they are stale (for CI)
  cargo dockerfile --print services/api    show what would be written for another folder
  cargo dockerfile plan                    explain every stage and step, with the evidence
  cargo dockerfile --bin worker --port 9000
  cargo dockerfile simulate --edit src     say which steps an edit reruns, and why
  cargo dockerfile simulate --commits 100  say what the last 100 commits would have rerun
  cargo dockerfile context --why .env      say whether a file is sent to the builder
  cargo dockerfile init                    write a commented dockerfile.toml

Exit codes: 0 fresh or written, 1 stale, 2 could not run.";

#[derive(Parser, Debug)]
#[command(name = "cargo dockerfile", bin_name = "cargo dockerfile", version, about = about(), styles = STYLES, after_help = EXAMPLES)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) generate: GenerateArgs,
}

fn about() -> String {
    format!("Writes a cache-optimal Dockerfile and .dockerignore for a {} project", titles())
}

fn stack_help() -> String {
    "The stack, where more than one is possible".to_owned()
}

/// The help of an option that means something else in each stack.
fn help(what: &str, option: &str) -> String {
    format!("{what}: {}", meanings(option))
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Write Dockerfile and .dockerignore (what happens without a subcommand)
    Generate(GenerateArgs),
    /// Explain the stages and steps: what each reads, what it costs, why it stands there
    Plan(PlanArgs),
    /// Say which steps of a build rerun after an edit, or would have after each of the last commits
    Simulate(crate::simulate::SimulateArgs),
    /// Show which files a build sends, what is left out by which line, and why
    Context(crate::context::ContextArgs),
    /// Measure from the history how often inputs change, and put that into dockerfile.toml
    Learn(crate::learn::LearnArgs),
    /// Write a commented configuration file, or copies of the built-in templates
    Init(InitArgs),
    /// Print a completion script for `cargo-dockerfile`
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Which project, and what to decide for it.
#[derive(clap::Args, Debug)]
pub(crate) struct ProjectArgs {
    /// The project's folder
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    #[arg(long, value_name = "STACK", help_heading = "Decisions", help = stack_help(), value_parser = names())]
    stack: Option<String>,
    #[arg(long, value_name = "NAME", help_heading = "Decisions", help = help("What the image runs", "bin"))]
    bin: Option<String>,
    /// The package of a workspace
    #[arg(long, value_name = "NAME", help_heading = "Decisions")]
    package: Option<String>,
    /// The port that the service listens on
    #[arg(long, help_heading = "Decisions")]
    port: Option<u16>,
    /// The image of the build stages
    #[arg(long, value_name = "IMAGE", help_heading = "Decisions")]
    base: Option<String>,
    /// The image of the final stages
    #[arg(long, value_name = "IMAGE", help_heading = "Decisions")]
    runtime: Option<String>,
    /// The user of the final image: UID, UID:GID or a name
    #[arg(long, help_heading = "Decisions")]
    user: Option<String>,
    #[arg(long, value_name = "NAME", value_delimiter = ',', help_heading = "Decisions", help = help("What to build with", "features"))]
    features: Option<Vec<String>>,
    /// Leave out Cargo's default features
    #[arg(long, help_heading = "Decisions")]
    no_default_features: bool,
    /// The Cargo profile [default: release]
    #[arg(long, value_name = "NAME", help_heading = "Decisions")]
    profile: Option<String>,
    /// Compile own crates incrementally: edits build faster, and the binary may be slower
    #[arg(long, help_heading = "Decisions")]
    incremental: bool,
    /// A variable of the final image's environment
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Decisions")]
    env: Vec<String>,
    /// The path of the health endpoint
    #[arg(long, value_name = "PATH", help_heading = "Decisions")]
    health: Option<String>,
    /// The folder of the front end to build in, or `none`
    #[arg(long, value_name = "FOLDER", help_heading = "Decisions")]
    frontend: Option<String>,
    /// How manifests reach the dependency layer: filter or copy
    #[arg(long, value_name = "HOW", help_heading = "Decisions")]
    manifests: Option<Manifests>,
    /// A folder with templates that replace built-in ones
    #[arg(long, value_name = "FOLDER", help_heading = "Decisions")]
    templates: Option<String>,
    /// Write nothing newer than Dockerfile 1.4, for Podman, Buildah and closed networks
    #[arg(long, help_heading = "Decisions")]
    compat: bool,
}

impl ProjectArgs {
    /// The configuration layer of the command line.
    pub(crate) fn layer(&self) -> Result<ConfigLayer, Error> {
        let mut env = BTreeMap::new();
        for pair in &self.env {
            let (key, value) = pair.split_once('=').ok_or_else(|| Error::Config {
                path: "command line".into(),
                line: None,
                reason: format!("`--env {pair}` has no value"),
                hint: "write it as `--env KEY=VALUE`".into(),
            })?;
            env.insert(key.to_owned(), Scalar(value.to_owned()));
        }
        let mut layer = ConfigLayer::default();
        layer.stack = self.stack.clone();
        layer.bin = self.bin.clone();
        layer.package = self.package.clone();
        layer.port = self.port;
        layer.base = self.base.clone();
        layer.runtime = self.runtime.clone();
        layer.user = self.user.clone();
        layer.features = self.features.clone();
        layer.no_default_features = self.no_default_features.then_some(true);
        layer.profile = self.profile.clone();
        layer.incremental = self.incremental.then_some(true);
        layer.env = (!env.is_empty()).then_some(env);
        layer.health = self.health.clone();
        layer.frontend = self.frontend.clone();
        layer.manifests = self.manifests;
        layer.templates = self.templates.clone();
        layer.compat = self.compat.then_some(true);
        Ok(layer)
    }
}

#[derive(clap::Args, Debug)]
pub(crate) struct GenerateArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// Print the files to stdout and write nothing
    #[arg(long, conflicts_with_all = ["check", "diff", "force", "json", "message_format"])]
    pub(crate) print: bool,
    /// Write nothing; exit 1 with a diff if a file is stale or missing
    #[arg(long)]
    pub(crate) check: bool,
    /// Write nothing; show what would change
    #[arg(long)]
    pub(crate) diff: bool,
    /// Replace files that this tool did not write, and keep a backup
    #[arg(long, conflicts_with_all = ["check", "diff"])]
    pub(crate) force: bool,
    /// Write nothing; print what was found and planned, and how the files differ, as JSON
    #[arg(long, conflicts_with_all = ["force", "message_format"])]
    pub(crate) json: bool,
    /// How to report what was done: human, or json for programs
    #[arg(
        long,
        value_name = "FORMAT",
        value_enum,
        default_value_t,
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub(crate) message_format: MessageFormat,
}

/// How a run reports what it did.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum MessageFormat {
    /// Messages on stderr.
    #[default]
    Human,
    /// The same as `--json` on stdout, with what was written.
    Json,
}

#[derive(clap::Args, Debug)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// Print facts, plan and evidence as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(clap::Args, Debug)]
pub(crate) struct InitArgs {
    /// The project's folder
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Copy the built-in templates into this folder of the project instead
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, default_missing_value = "dockerfile-templates")]
    pub(crate) templates: Option<String>,
    /// Print the configuration file and write nothing
    #[arg(long)]
    pub(crate) print: bool,
    /// Replace files that are there, and keep a backup
    #[arg(long)]
    pub(crate) force: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Args::command().debug_assert();
    }
}
