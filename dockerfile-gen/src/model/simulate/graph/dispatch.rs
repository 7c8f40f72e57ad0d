//! The stages of a build become nodes.
//!
//! Input: [`Input`]. Output: [`Graph`]. The one idea: only what runs or copies, `WORKDIR` and the base are nodes;
//! everything else changes the [`State`] that the nodes below read.

use std::collections::BTreeMap;

use super::resolve::{From, Stages, triggers_of};
use super::{Draft, Facet, Graph, Label, Nodes, Op, Selector, Target};
use crate::model::context::go_path::clean;
use crate::model::dockerfile::{
    Arguments, Base, Declaration, ExpandError, Instruction, Keyword, Mode, Pair, Word, expand, expand_word,
};
use crate::model::simulate::fault::{Fault, FaultReason};
use crate::model::simulate::options::Input;
use crate::model::simulate::state::State;

/// Follows `input` up to what BuildKit would be told to do.
pub(in crate::model::simulate) fn graph(input: &Input<'_>) -> Result<Graph, Fault> {
    let stages = Stages::new(input)?;
    let mut dispatcher = Dispatcher {
        input,
        globals: global_args(input),
        nodes: Nodes::default(),
        wanted: BTreeMap::new(),
        done: BTreeMap::new(),
        stages: &stages,
    };
    for &index in &stages.needed {
        let stage = dispatcher.stage(index)?;
        dispatcher.done.insert(index, stage);
    }
    let (tip, state) = match dispatcher.done.remove(&stages.target) {
        Some(stage) => (stage.tip, stage.state),
        None => (None, State::default()),
    };
    let needed = dispatcher.nodes.walk(tip);
    let vertex = tip.and_then(|tip| dispatcher.nodes.vertex(tip));
    let onbuild = triggers_of(stages.instructions(input.dockerfile, stages.target));
    let target = Target { vertex, state, onbuild };
    Ok(Graph { vertices: dispatcher.nodes.vertices, needed, wanted: dispatcher.wanted, target })
}

fn global_args(input: &Input<'_>) -> BTreeMap<String, String> {
    let build_args = |name: &str| input.options.build_args.get(name).cloned();
    input.dockerfile.global_values(&build_args, &|name| input.options.predefined(name))
}

/// What a stage leaves to others.
#[derive(Clone)]
pub(super) struct Done {
    pub(super) tip: Option<usize>,
    pub(super) state: State,
    pub(super) platform: String,
}

pub(super) struct Dispatcher<'a> {
    pub(super) input: &'a Input<'a>,
    globals: BTreeMap<String, String>,
    pub(super) nodes: Nodes,
    wanted: BTreeMap<String, std::collections::BTreeSet<String>>,
    done: BTreeMap<usize, Done>,
    pub(super) stages: &'a Stages,
}

/// A stage while its instructions are gone through.
pub(super) struct Current {
    pub(super) index: usize,
    pub(super) tip: Option<usize>,
    pub(super) state: State,
    pub(super) platform: String,
    pub(super) ignores_cache: bool,
    /// How many steps were numbered, and how many there are.
    number: usize,
    total: usize,
    is_trigger: bool,
}

impl Current {
    pub(super) fn escape_env(&self) -> impl Fn(&str) -> Option<String> + '_ {
        |name| self.state.get(name)
    }
}

impl Dispatcher<'_> {
    fn stage(&mut self, index: usize) -> Result<Done, Fault> {
        let input = self.input;
        let Some(stage) = self.stages.all.get(index) else {
            return Err(Fault { line: None, reason: FaultReason::NoStage });
        };
        let from = input.dockerfile.instructions.get(stage.instructions.start);
        let line = from.map_or(0, |from| from.line);
        let platform = stage.platform.clone().unwrap_or_else(|| input.options.platform().to_owned());
        if let Some(name) = stage.name.as_deref().and_then(|name| self.context_named(name)) {
            let tip = Some(self.context(&name));
            return Ok(Done { tip, state: State::default(), platform });
        }
        let triggers = self.stages.triggers.get(index).cloned().unwrap_or_default();
        let own = self.stages.instructions(input.dockerfile, index);
        let mut current = Current {
            index,
            tip: None,
            state: State::default(),
            platform,
            ignores_cache: input.options.ignores_cache(stage.name.as_deref()),
            number: 0,
            total: own.iter().filter(|instruction| is_step(instruction)).count() + triggers.len(),
            is_trigger: false,
        };
        self.enter_base(&mut current, &stage.base, line)?;
        current.state.enter();
        current.is_trigger = true;
        for instruction in &triggers {
            self.instruction(&mut current, instruction)?;
        }
        current.is_trigger = false;
        for instruction in own {
            self.instruction(&mut current, instruction)?;
        }
        Ok(Done { tip: current.tip, state: current.state, platform: current.platform })
    }

    fn enter_base(&mut self, current: &mut Current, base: &Base, line: usize) -> Result<(), Fault> {
        match base {
            Base::Scratch => {}
            Base::Stage(base) => {
                let Some(done) = self.done.get(base).cloned() else {
                    return Err(FaultReason::NoImage(self.stages.called(*base)).at(line));
                };
                (current.tip, current.state, current.platform) = (done.tip, done.state, done.platform);
            }
            Base::Image(image) => {
                current.total += 1;
                current.number += 1;
                if let Some(name) = self.context_named(image) {
                    current.tip = Some(self.context(&name));
                    return Ok(());
                }
                current.tip = Some(self.image(image, &current.platform));
                if let Some(image) = self.input.options.images.get(image) {
                    current.state.image_env.clone_from(&image.env);
                    current.state.cwd.clone_from(&image.workdir);
                    current.state.user.clone_from(&image.user);
                    current.state.shell = Some(image.shell.clone()).filter(|shell| !shell.is_empty());
                }
            }
            Base::Unresolved(text) => return Err(FaultReason::NoImage(text.clone()).at(line)),
        }
        Ok(())
    }

    /// The node of an image.
    pub(super) fn image(&mut self, name: &str, platform: &str) -> usize {
        let layers = match self.input.options.images.get(name) {
            Some(image) => image.layers.clone(),
            None => format!("{} {platform}", normalised(name)),
        };
        let key = format!("image {layers:?}");
        self.nodes.add(Draft::hidden(Op::Image(name.to_owned()), key).labelled_image(layers))
    }

    /// The node of the build context, `""`, or of another one.
    pub(super) fn context(&mut self, name: &str) -> usize {
        self.nodes.add(Draft::hidden(Op::Context(name.to_owned()), format!("context {name:?}")))
    }

    /// The name under which a context was given that stands for the image or stage `name`.
    pub(super) fn context_named(&self, name: &str) -> Option<String> {
        let wanted = normalised(name);
        self.input.contexts.keys().find(|key| normalised(key) == wanted).cloned()
    }

    /// Notes that a path of a context is asked for.
    pub(super) fn want(&mut self, context: &str, path: &str) {
        self.wanted.entry(context.to_owned()).or_default().insert(path.to_owned());
    }

    /// The node that `from` means, for an instruction of `current`. `None` is an empty image.
    pub(super) fn source(&mut self, current: &Current, from: &From, line: usize) -> Result<Option<usize>, Fault> {
        match from {
            From::Stage(stage) => match self.done.get(stage) {
                Some(done) => Ok(done.tip),
                None => {
                    let (from, stage) = (self.stages.called(*stage), self.stages.called(current.index));
                    Err(FaultReason::LaterStage { from, stage }.at(line))
                }
            },
            From::Name(name) if name == "scratch" => Ok(None),
            From::Name(name) => Ok(Some(match self.context_named(name) {
                Some(name) => self.context(&name),
                None => self.image(name, self.input.options.platform()),
            })),
        }
    }

    /// Whether `node` is a context, and which.
    pub(super) fn context_of(&self, node: usize) -> Option<String> {
        match &self.nodes.vertices.get(self.nodes.vertex(node)?)?.op {
            Op::Context(name) => Some(name.clone()),
            _ => None,
        }
    }

    fn instruction(&mut self, current: &mut Current, instruction: &Instruction) -> Result<(), Fault> {
        let escape = self.input.dockerfile.escape;
        let line = instruction.line;
        let failed = |error: ExpandError| FaultReason::from(error).at(line);
        match &instruction.args {
            Arguments::Env(pairs) => {
                let pairs = expand_pairs(pairs, escape, &current.state).map_err(failed)?;
                for (name, value) in pairs {
                    current.state.set_env(&name, &value);
                }
            }
            Arguments::Arg(declarations) => {
                for declaration in declarations {
                    self.declare(current, declaration).map_err(failed)?;
                }
            }
            Arguments::User(user) => {
                let user = expand_word(&user.text, escape, &current.escape_env()).map_err(failed)?;
                current.state.user = user;
            }
            Arguments::Shell(words) => {
                current.state.shell = Some(words.iter().map(|word| word.text.clone()).collect());
            }
            Arguments::Workdir(path) => self.workdir(current, instruction, path)?,
            Arguments::Run(_) => self.run(current, instruction)?,
            Arguments::Copy(transfer) | Arguments::Add(transfer) => self.transfer(current, instruction, transfer)?,
            Arguments::Unknown => return Err(FaultReason::Unreadable(instruction.joined.clone()).at(line)),
            Arguments::From { .. }
            | Arguments::Cmd(_)
            | Arguments::Entrypoint(_)
            | Arguments::Label(_)
            | Arguments::StopSignal(_)
            | Arguments::Maintainer(_)
            | Arguments::Expose(_)
            | Arguments::Volume { .. }
            | Arguments::Healthcheck(_)
            | Arguments::Onbuild => {}
        }
        Ok(())
    }

    fn declare(&self, current: &mut Current, declaration: &Declaration) -> Result<(), ExpandError> {
        let name = &declaration.name.text;
        let options = &self.input.options;
        let value = match (options.build_args.get(name), &declaration.default) {
            (Some(given), _) => Some(given.clone()),
            (None, Some(default)) => {
                Some(expand_word(&default.text, self.input.dockerfile.escape, &current.escape_env())?)
            }
            (None, None) => self.globals.get(name).cloned().or_else(|| options.predefined(name)),
        };
        if let Some(value) = value {
            current.state.assign(name, &value);
        }
        Ok(())
    }

    fn workdir(&mut self, current: &mut Current, instruction: &Instruction, path: &Word) -> Result<(), Fault> {
        let escape = self.input.dockerfile.escape;
        let path = expand_word(&path.text, escape, &current.escape_env())
            .map_err(|error| FaultReason::from(error).at(instruction.line))?;
        current.state.enter_dir(&path);
        if current.state.dir() == "/" {
            return Ok(());
        }
        let label = self.label(current, instruction, "", None);
        let path = clean(current.state.dir());
        let user = current.state.user.clone();
        let epoch = self.input.options.build_args.get("SOURCE_DATE_EPOCH").cloned().unwrap_or_default();
        let key = format!("folder {path:?} {user:?} {epoch:?}");
        let facets = vec![
            (Facet::Text, path.clone()),
            (Facet::User, user.clone()),
            (Facet::Options, format!("SOURCE_DATE_EPOCH={epoch}")),
        ];
        let mut draft = Draft::hidden(Op::Folder { path }, key);
        draft.facets = facets;
        draft.inputs = current.tip.map(|tip| (tip, None)).into_iter().collect();
        draft.label = Some(label);
        current.tip = Some(self.nodes.add(draft));
        Ok(())
    }

    /// How the next step is shown. `prefix` stands in front of the text, `suffix` behind it.
    pub(super) fn label(
        &self,
        current: &mut Current,
        instruction: &Instruction,
        prefix: &str,
        suffix: Option<&str>,
    ) -> Label {
        current.number += 1;
        self.label_again(current, instruction, prefix, suffix)
    }

    /// As [`Self::label`], with the number of the step before.
    pub(super) fn label_again(
        &self,
        current: &Current,
        instruction: &Instruction,
        prefix: &str,
        suffix: Option<&str>,
    ) -> Label {
        let stage = self.stages.name(current.index);
        let word = Mode::word(self.input.dockerfile.escape);
        let mode = match instruction.keyword {
            Keyword::Run => Mode { keep_quotes: true, keep_unset: true, ..word },
            _ => word,
        };
        let secrets = super::secret::secret_variables(instruction);
        let env = |name: &str| match secrets.iter().any(|secret| secret == name) {
            true => Some("****".to_owned()),
            false => current.state.get(name),
        };
        let text = format!("{}{}", instruction.joined, suffix.unwrap_or_default());
        let text = expand(&text, mode, &env).map_or(text, |expansion| expansion.text);
        let (keyword, rest) = text.split_once(' ').unwrap_or((&text, ""));
        let onbuild = if current.is_trigger { "ONBUILD " } else { "" };
        let space = if stage.is_empty() { "" } else { " " };
        let (total, width) = (current.total, current.total.to_string().len());
        let keyword = if rest.is_empty() { keyword.to_uppercase() } else { format!("{} ", keyword.to_uppercase()) };
        let name = format!("[{stage}{space}{:>width$}/{total}] {onbuild}{prefix}{keyword}{rest}", current.number);
        Label { name, line: instruction.line, stage, keyword: instruction.keyword }
    }
}

impl Draft {
    /// Two names of one image are one vertex to the cache, and so here.
    fn labelled_image(mut self, layers: String) -> Self {
        self.facets = vec![(Facet::Text, layers)];
        self
    }
}

/// Whether BuildKit numbers it.
fn is_step(instruction: &Instruction) -> bool {
    matches!(instruction.keyword, Keyword::Add | Keyword::Copy | Keyword::Run | Keyword::Workdir)
}

fn expand_pairs(pairs: &[Pair], escape: char, state: &State) -> Result<Vec<(String, String)>, ExpandError> {
    let env = |name: &str| state.get(name);
    let pair =
        |pair: &Pair| Ok((expand_word(&pair.key.text, escape, &env)?, expand_word(&pair.value.text, escape, &env)?));
    pairs.iter().map(pair).collect()
}

/// The whole name of an image: `node` is `docker.io/library/node:latest`.
pub(super) fn normalised(name: &str) -> String {
    let (path, digest) = name.split_once('@').map_or((name, None), |(path, digest)| (path, Some(digest)));
    let last = path.rsplit('/').next().unwrap_or(path);
    let tagged = if last.contains(':') || digest.is_some() { path.to_owned() } else { format!("{path}:latest") };
    let first = path.split('/').next().unwrap_or_default();
    let has_registry = path.contains('/') && (first.contains(['.', ':']) || first == "localhost");
    let full = match (has_registry, path.contains('/')) {
        (true, _) => tagged,
        (false, true) => format!("docker.io/{tagged}"),
        (false, false) => format!("docker.io/library/{tagged}"),
    };
    match digest {
        Some(digest) => format!("{full}@{digest}"),
        None => full,
    }
}

/// A path from the root of other files, without its leading slash.
pub(super) fn inside(path: &str) -> String {
    crate::model::context::go_path::rooted(path)
}

/// All of some other files.
pub(super) fn everything() -> Selector {
    Selector::path("")
}
