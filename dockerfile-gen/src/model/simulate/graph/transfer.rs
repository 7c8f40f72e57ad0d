//! `COPY` and `ADD` become nodes.
//!
//! Input: the instruction and the state in force. Output: one node, or with `--link` two. The one idea: of a source
//! only its last name is in the text of the key; what it holds comes in as content, unless it lies in what is copied
//! into.

use super::dispatch::{Current, Dispatcher, inside};
use super::resolve::From;
use super::run::flag;
use super::{CopyOp, Draft, DraftInput, Facet, Op, Selector};
use crate::model::context::CopySpec;
use crate::model::context::go_path::has_wildcard;
use crate::model::dockerfile::{Instruction, Keyword, Source, Transfer, expand_body, expand_word};
use crate::model::simulate::fault::{Fault, FaultReason};
use crate::model::simulate::options::ImageStore;

impl Dispatcher<'_> {
    pub(super) fn transfer(
        &mut self,
        current: &mut Current,
        instruction: &Instruction,
        transfer: &Transfer,
    ) -> Result<(), Fault> {
        let mut copy = Copy::new(self, current, instruction, transfer)?;
        let links = instruction.flag("link").is_some_and(|link| link != "false");
        let links = links && copy.chmod.is_empty() && self.input.options.store == ImageStore::Containerd;
        let label = self.label(current, instruction, "", None);
        let base = current.tip.filter(|_| !links);
        let mut draft = copy.draft(self, base);
        draft.ignores_cache = current.ignores_cache;
        draft.label = Some(label);
        let copied = self.nodes.add(draft);
        let Some(tip) = current.tip.filter(|_| links) else {
            current.tip = Some(copied);
            return Ok(());
        };
        let mut draft = Draft::hidden(Op::Link, "link".to_owned());
        draft.inputs = vec![(tip, None), (copied, None)];
        draft.ignores_cache = current.ignores_cache;
        draft.label = Some(self.label_again(current, instruction, "LINK ", None));
        current.tip = Some(self.nodes.add(draft));
        Ok(())
    }

    fn remote(&mut self, url: &str, checksum: &str, options: &str) -> usize {
        let key = match checksum {
            "" => format!("remote {url:?} {options}"),
            checksum => format!("remote {checksum:?} {:?} {options}", remote_name(url)),
        };
        let mut draft = Draft::hidden(Op::Remote, key);
        draft.definition = format!("{url:?} {checksum:?}");
        self.nodes.add(draft)
    }
}

/// A `COPY` or `ADD` with its words expanded.
struct Copy {
    /// Where the paths come from.
    from: Option<usize>,
    paths: Vec<String>,
    /// Documents and what was fetched, with the text of the action that copies each.
    extra: Vec<(usize, String, String)>,
    dest: String,
    chown: String,
    chmod: String,
    exclude: Vec<String>,
    parents: bool,
    unpack: bool,
}

impl Copy {
    fn new(
        dispatcher: &mut Dispatcher<'_>,
        current: &Current,
        instruction: &Instruction,
        transfer: &Transfer,
    ) -> Result<Self, Fault> {
        let escape = dispatcher.input.dockerfile.escape;
        let line = instruction.line;
        let env = current.escape_env();
        let word = |text: &str| expand_word(text, escape, &env).map_err(|error| FaultReason::from(error).at(line));
        let is_add = instruction.keyword == Keyword::Add;
        let unpack = match instruction.flag("unpack") {
            Some(unpack) => unpack != "false",
            None => is_add,
        };
        let mut copy = Self {
            from: None,
            paths: Vec::new(),
            extra: Vec::new(),
            dest: current.state.dest(&word(&transfer.dest.text)?),
            chown: flag(current, instruction, "chown", escape)?,
            chmod: flag(current, instruction, "chmod", escape)?,
            exclude: instruction.flags_named("exclude").map(|pattern| pattern.text.clone()).collect(),
            parents: instruction.flag("parents").is_some_and(|parents| parents != "false"),
            unpack,
        };
        let checksum = flag(current, instruction, "checksum", escape)?;
        for source in &transfer.sources {
            let Source::Path(path) = source else { continue };
            let path = word(&path.text)?;
            if is_add && is_remote(&path) {
                let options = format!("keep-git-dir={:?}", instruction.flag("keep-git-dir"));
                let node = dispatcher.remote(&path, &checksum, &options);
                copy.extra.push((node, remote_name(&path), "remote".to_owned()));
            } else {
                copy.paths.push(path);
            }
        }
        for source in &transfer.sources {
            let Source::Heredoc { name, index, .. } = source else { continue };
            let heredoc = index.and_then(|index| instruction.heredocs.get(index));
            let text = match heredoc {
                Some(heredoc) if heredoc.expand => {
                    expand_body(&heredoc.content(), &env).map_err(|error| FaultReason::from(error).at(line))?
                }
                Some(heredoc) => heredoc.content(),
                None => String::new(),
            };
            let node = dispatcher.document(name, &text, 0o644);
            copy.extra.push((node, name.clone(), "document".to_owned()));
        }
        copy.find_source(dispatcher, current, instruction)?;
        Ok(copy)
    }

    fn find_source(
        &mut self,
        dispatcher: &mut Dispatcher<'_>,
        current: &Current,
        instruction: &Instruction,
    ) -> Result<(), Fault> {
        let from = dispatcher.stages.from(instruction)?.into_iter().next();
        self.from = match &from {
            Some(from) => dispatcher.source(current, from, instruction.line)?,
            None => Some(dispatcher.context("")),
        };
        // On an empty image a pattern finds nothing, and that is no fault.
        let missing = self.paths.iter().find(|path| !has_wildcard(path) && !inside(path).is_empty());
        if let (None, Some(path)) = (self.from, missing) {
            let stage = match &from {
                Some(From::Stage(stage)) => dispatcher.stages.name(*stage),
                Some(From::Name(name)) => name.clone(),
                None => String::new(),
            };
            return Err(FaultReason::NotInStage { path: path.clone(), stage }.at(instruction.line));
        }
        if let Some(context) = self.from.and_then(|from| dispatcher.context_of(from)) {
            for path in &self.paths {
                dispatcher.want(&context, path);
            }
        }
        Ok(())
    }

    fn draft(&mut self, dispatcher: &Dispatcher<'_>, base: Option<usize>) -> Draft {
        let mut inputs: Vec<DraftInput> = base.map(|base| (base, None)).into_iter().collect();
        let mut number = |node: usize, selectors: Vec<Selector>| {
            let vertex = dispatcher.nodes.vertex(node);
            let known = inputs.iter().position(|(other, _)| dispatcher.nodes.vertex(*other) == vertex);
            let number = known.unwrap_or_else(|| {
                inputs.push((node, Some(Vec::new())));
                inputs.len() - 1
            });
            // What lies in what is copied into counts by identity, as all of it does.
            if let Some((_, Some(known))) = inputs.get_mut(number) {
                known.extend(selectors);
            }
            number
        };
        let spec = CopySpec {
            sources: self.paths.clone(),
            dest: self.dest.clone(),
            dest_is_dir: false,
            exclude: self.exclude.clone(),
            parents: self.parents,
        };
        let mut op = CopyOp {
            from: None,
            has_base: base.is_some(),
            spec,
            extra: Vec::new(),
            changes: String::new(),
            unpacks: self.unpack,
        };
        let selectors = op.selectors();
        let names: Vec<String> = selectors.iter().map(|selector| last_name(&selector.path)).collect();
        let from = self.from.filter(|_| !self.paths.is_empty()).map(|from| number(from, selectors.clone()));
        let mut extra = Vec::new();
        let mut actions: Vec<String> =
            names.iter().zip(&self.paths).map(|(name, path)| self.action(name, path, from)).collect();
        for (node, name, kind) in &self.extra {
            let input = number(*node, vec![Selector::path(&inside(name))]);
            actions.push(format!("{kind} {name:?} {input}"));
            extra.push((input, name.clone()));
        }
        let flags = format!("{} {}", self.chown, mode(&self.chmod));
        let key = format!("copy {:?} {flags:?} {:?} {} {actions:?}", self.dest, self.exclude, self.unpack);
        let paths: Vec<String> = selectors.iter().map(|selector| selector.path.clone()).collect();
        if !flags.trim().is_empty() {
            op.changes.clone_from(&flags);
        }
        let facets = vec![
            (Facet::Sources, format!("{actions:?}")),
            (Facet::Dest, self.dest.clone()),
            (Facet::Flags, format!("{flags} {:?} {}", self.exclude, self.unpack)),
        ];
        (op.from, op.extra) = (from, extra);
        Draft {
            op: Op::Copy(op),
            key,
            definition: format!("{paths:?}"),
            facets,
            inputs,
            walk: None,
            ignores_cache: false,
            label: None,
        }
    }

    fn action(&self, name: &str, path: &str, from: Option<usize>) -> String {
        let pattern = self.parents.then(|| path.split_once("/./").map_or(path, |(_, pattern)| pattern));
        format!("{name:?} {pattern:?} {from:?}")
    }
}

/// The last part of a path from the root, as Go's `path.Base`.
fn last_name(path: &str) -> String {
    match path.rsplit('/').next() {
        None | Some("") => "/".to_owned(),
        Some(name) => name.to_owned(),
    }
}

/// `755` and `0755` are the same mode.
fn mode(text: &str) -> String {
    u32::from_str_radix(text, 8).map_or_else(|_| text.to_owned(), |mode| format!("{mode:o}"))
}

/// Whether `ADD` fetches it.
fn is_remote(source: &str) -> bool {
    ["http://", "https://", "git://", "ssh://", "git@"].iter().any(|start| source.starts_with(start))
}

/// The name of the file that a fetched one becomes; `""` for a repository.
fn remote_name(url: &str) -> String {
    let (path, _) = url.split_once(['#', '?']).unwrap_or((url, ""));
    if !url.starts_with("http") || path.ends_with(".git") {
        return String::new();
    }
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    let (_, path) = path.split_once('/').unwrap_or((path, ""));
    match path.trim_end_matches('/').rsplit('/').next() {
        None | Some("") => "__unnamed__".to_owned(),
        Some(name) => name.to_owned(),
    }
}
