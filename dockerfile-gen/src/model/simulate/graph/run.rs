//! `RUN` becomes a node.
//!
//! Input: the instruction and the state in force. Output: a node. The one idea: mounts are sorted by target, two of
//! the same files are one input, and what a cache is called counts only as long as it is what Docker would call it.

use std::path::Path;

use super::dispatch::{Current, Dispatcher, everything, inside};
use super::resolve::From;
use super::{Draft, DraftInput, Facet, Op, Selector};
use crate::model::context::go_path::clean;
use crate::model::dockerfile::{Instruction, Mount, MountKind, Network, RunCommand, Sharing, expand_word};
use crate::model::simulate::fault::{Fault, FaultReason};

/// A mount as BuildKit is told of it.
struct Mounted {
    target: String,
    node: Option<usize>,
    /// The path in the input.
    selector: String,
    /// What of it is in the key.
    key: String,
    /// What tells vertices apart besides.
    definition: String,
}

impl Dispatcher<'_> {
    pub(super) fn run(&mut self, current: &mut Current, instruction: &Instruction) -> Result<(), Fault> {
        let Some(command) = instruction.run_command() else { return Ok(()) };
        let mut mounts = vec![Mounted {
            target: "/".to_owned(),
            node: current.tip,
            selector: "/".to_owned(),
            key: String::new(),
            definition: String::new(),
        }];
        let argv = self.argv(current, command, &mut mounts);
        let mut secrets = Vec::new();
        self.mounts(current, instruction, &mut mounts, &mut secrets)?;
        if let Some(size) = &self.input.options.shm_size {
            mounts.push(Mounted::of("/dev/shm".to_owned(), format!("tmpfs {size}")));
        }
        mounts.sort_by(|one, two| one.target.cmp(&two.target));

        let mut env = current.state.env.clone();
        if secrets.iter().any(|secret| secret.starts_with("Ssh")) && current.state.get("SSH_AUTH_SOCK").is_none() {
            env.push(("SSH_AUTH_SOCK".to_owned(), "/run/buildkit/ssh_agent.0".to_owned()));
        }
        let options = self.options_key(current, instruction);
        let (inputs, mounts_key, definition) = self.inputs(&mounts);
        let state = &current.state;
        let key = format!("run {argv:?} {env:?} {:?} {:?} {options} {mounts_key} {secrets:?}", state.dir(), state.user);
        let env_lines: Vec<String> = env.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let facets = vec![
            (Facet::Text, argv.join("\n")),
            (Facet::Env, env_lines.join("\n")),
            (Facet::Dir, state.dir().to_owned()),
            (Facet::User, state.user.clone()),
            (Facet::Mounts, format!("{mounts_key} {secrets:?}")),
            (Facet::Options, options),
        ];
        let label = self.label(current, instruction, "", suffix(instruction).as_deref());
        let walk = mounts.iter().filter_map(|mount| mount.node).collect();
        current.tip = Some(self.nodes.add(Draft {
            op: Op::Run,
            key,
            definition: format!("{definition} {:?}", self.proxies()),
            facets,
            inputs,
            walk: Some(walk),
            ignores_cache: current.ignores_cache,
            label: Some(label),
        }));
        Ok(())
    }

    fn argv(&mut self, current: &Current, command: RunCommand, mounts: &mut Vec<Mounted>) -> Vec<String> {
        let shell = || {
            let shell = current.state.shell.clone();
            shell.unwrap_or_else(|| vec!["/bin/sh".to_owned(), "-c".to_owned()])
        };
        match command {
            RunCommand::Exec(words) => words,
            RunCommand::Shell(text) => {
                let mut words = shell();
                words.push(text);
                words
            }
            RunCommand::Script { name, text } => {
                let mut words = shell();
                words.push(format!("/dev/pipes/{name}"));
                let node = self.document(&name, &text, 0o755);
                mounts.push(Mounted {
                    target: "/dev/pipes/".to_owned(),
                    node: Some(node),
                    selector: "/".to_owned(),
                    key: "bind ro".to_owned(),
                    definition: String::new(),
                });
                words
            }
        }
    }

    /// The node of a file with this text.
    pub(super) fn document(&mut self, name: &str, text: &str, mode: u32) -> usize {
        let op = Op::Document { name: name.to_owned(), text: text.to_owned() };
        self.nodes.add(Draft::hidden(op, format!("document {name:?} {text:?} {mode:o}")))
    }

    fn mounts(
        &mut self,
        current: &Current,
        instruction: &Instruction,
        mounts: &mut Vec<Mounted>,
        secrets: &mut Vec<String>,
    ) -> Result<(), Fault> {
        let line = instruction.line;
        let escape = self.input.dockerfile.escape;
        let parsed =
            instruction.mounts(escape, &current.escape_env()).map_err(|error| FaultReason::from(error).at(line))?;
        let sources = self.stages.from(instruction)?;
        for (mount, source) in parsed.into_iter().zip(sources) {
            match mount.kind {
                MountKind::Secret | MountKind::Ssh => secrets.push(secret_key(&mount, secrets.len())),
                MountKind::Tmpfs => {
                    let target = target(current, &mount).map_err(|reason| reason.at(line))?;
                    mounts.push(Mounted::of(target, format!("tmpfs {:?} {}", mount.size, mount.read_only)));
                }
                MountKind::Bind | MountKind::Cache => {
                    mounts.push(self.mount(current, &mount, &source, line)?);
                }
            }
        }
        secrets.sort();
        Ok(())
    }

    fn mount(&mut self, current: &Current, mount: &Mount, source: &From, line: usize) -> Result<Mounted, Fault> {
        let target = target(current, mount).map_err(|reason| reason.at(line))?;
        let is_cache = mount.kind == MountKind::Cache;
        let mut node = match (&mount.from, is_cache) {
            (None, true) => None,
            (None, false) => Some(self.context("")),
            (Some(_), _) => self.source(current, source, line)?,
        };
        let path = inside(mount.source.as_deref().unwrap_or_default());
        if let Some(context) = node.and_then(|node| self.context_of(node)) {
            self.want(&context, &path);
        }
        let mut selector = format!("/{path}");
        if is_cache && path.is_empty() && (mount.uid, mount.gid, mount.mode) != (None, None, None) {
            let owner =
                format!("{:?} {:?} {:?}", mount.uid.unwrap_or(0), mount.gid.unwrap_or(0), mount.mode.unwrap_or(0o755));
            let mut draft = Draft::hidden(Op::CacheFolder, format!("cache folder {owner}"));
            draft.inputs = node.map(|node| (node, None)).into_iter().collect();
            node = Some(self.nodes.add(draft));
            selector = "/cache".to_owned();
        }
        let (key, definition) = match is_cache {
            true => cache_key(mount, &target, self.input.options.build_args.get("BUILDKIT_CACHE_MOUNT_NS")),
            false => (format!("bind {}", if mount.read_only { "ro" } else { "rw" }), String::new()),
        };
        Ok(Mounted { target, node, selector, key, definition })
    }

    /// The inputs, each once, and the text of the mounts.
    fn inputs(&self, mounts: &[Mounted]) -> (Vec<DraftInput>, String, String) {
        let mut inputs: Vec<DraftInput> = Vec::new();
        let (mut key, mut definition) = (Vec::new(), Vec::new());
        for mount in mounts {
            let number = mount.node.map(|node| {
                let vertex = self.nodes.vertex(node);
                inputs.iter().position(|(other, _)| self.nodes.vertex(*other) == vertex).unwrap_or_else(|| {
                    inputs.push((node, None));
                    inputs.len() - 1
                })
            });
            // Only the root is an input by identity, and not even it if the same files are mounted once more.
            if let Some((_, selectors)) = number.and_then(|number| inputs.get_mut(number))
                && mount.target != "/"
            {
                let path = inside(&mount.selector);
                match selectors {
                    Some(selectors) => selectors.push(Selector::path(&path)),
                    None if mounts.iter().any(|root| root.target == "/" && root.node == mount.node) => {
                        *selectors = Some(vec![everything(), Selector::path(&path)]);
                    }
                    None => *selectors = Some(vec![Selector::path(&path)]),
                }
            }
            key.push(format!("{:?} {number:?} {}", mount.target, mount.key));
            definition.push(format!("{} {}", mount.selector, mount.definition));
        }
        (inputs, key.join(";"), definition.join(";"))
    }

    fn options_key(&self, current: &Current, instruction: &Instruction) -> String {
        let options = &self.input.options;
        let network = match instruction.network() {
            Network::None => "none",
            Network::Host => "host",
            Network::Default => match options.network.as_deref() {
                Some("none") => "none",
                Some("host") => "host",
                _ => "",
            },
        };
        let devices: Vec<&str> = instruction.flags_named("device").map(|device| device.text.as_str()).collect();
        let hostname = options.build_args.get("BUILDKIT_SANDBOX_HOSTNAME");
        format!(
            "network={network:?} security={:?} platform={} hosts={:?} ulimits={:?} cgroup={:?} hostname={hostname:?} devices={devices:?}",
            instruction.security(),
            current.platform,
            options.add_hosts,
            options.ulimits,
            options.cgroup_parent,
        )
    }

    fn proxies(&self) -> Vec<(&String, &String)> {
        let is_proxy = |name: &str| {
            ["http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"].contains(&name.to_lowercase().as_str())
        };
        self.input.options.build_args.iter().filter(|(name, _)| is_proxy(name)).collect()
    }
}

impl Mounted {
    /// A mount of nothing that is there before.
    fn of(target: String, key: String) -> Self {
        Self { target, node: None, selector: "/".to_owned(), key, definition: String::new() }
    }
}

/// Where a mount goes.
fn target(current: &Current, mount: &Mount) -> Result<String, FaultReason> {
    let target = mount.target.as_deref().unwrap_or_default();
    let whole = match Path::new(target).has_root() {
        true => target.to_owned(),
        false => clean(&format!("/{}/{target}", current.state.dir())),
    };
    if clean(&whole) == "/" && (whole == "/" || target.is_empty()) {
        return Err(FaultReason::MountTarget(target.to_owned()));
    }
    Ok(whole)
}

/// What of a cache is in the key, and what besides tells vertices apart.
fn cache_key(mount: &Mount, target: &str, namespace: Option<&String>) -> (String, String) {
    let namespace = namespace.map_or("", String::as_str);
    let id = format!("{namespace}/{}", mount.cache_id());
    let sharing = mount.sharing.unwrap_or(Sharing::Shared);
    // As long as it is what it would be called by itself, the name stays in the key.
    let is_plain = id == target || id.split_once('/').is_some_and(|(_, id)| id == target);
    let read_only = if mount.read_only { " ro" } else { "" };
    let key = match is_plain && sharing == Sharing::Shared {
        true => format!("cache {id:?}{read_only}"),
        false => format!("cache{read_only}"),
    };
    (key, format!("{id:?} {}", sharing.as_str()))
}

fn secret_key(mount: &Mount, number: usize) -> String {
    let owner = (mount.uid.is_some() || mount.gid.is_some() || mount.mode.is_some())
        .then(|| (mount.uid.unwrap_or(0), mount.gid.unwrap_or(0), mount.mode));
    if mount.kind == MountKind::Ssh {
        let target = mount.target.clone().unwrap_or_else(|| format!("/run/buildkit/ssh_agent.{number}"));
        return format!("Ssh {:?} {target:?} {owner:?} {}", mount.id, mount.required);
    }
    let last = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let named = mount.source.clone().or_else(|| mount.id.clone());
    let id = named.unwrap_or_else(|| last(mount.target.as_deref().unwrap_or_default()));
    let target = match (&mount.target, &mount.env) {
        (Some(target), _) => Some(target.clone()),
        (None, None) => Some(format!("/run/secrets/{}", last(&id))),
        (None, Some(_)) => None,
    };
    format!("Secret {id:?} {target:?} {:?} {owner:?} {}", mount.env, mount.required)
}

/// The first line of a heredoc that is the whole command.
fn suffix(instruction: &Instruction) -> Option<String> {
    let first = instruction.heredocs.first()?;
    if !matches!((instruction.run_command(), instruction.heredocs.len()), (Some(RunCommand::Script { .. }), _))
        && instruction.run_command() != Some(RunCommand::Shell(first.content()))
    {
        return None;
    }
    let body = first.body.trim().replace("\r\n", "\n");
    let (line, more) = body.split_once('\n').map_or((body.as_str(), ""), |(line, _)| (line, "..."));
    Some(format!(" ({line}{more})"))
}

/// Expands a flag that may be missing.
pub(super) fn flag(current: &Current, instruction: &Instruction, name: &str, escape: char) -> Result<String, Fault> {
    let value = instruction.flag(name).unwrap_or_default();
    expand_word(value, escape, &current.escape_env()).map_err(|error| FaultReason::from(error).at(instruction.line))
}
