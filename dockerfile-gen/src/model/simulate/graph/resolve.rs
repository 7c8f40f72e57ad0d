//! Which stages a build needs, and that none needs itself.
//!
//! Input: the stages. Output: for each instruction what it is taken from. The one idea: names are looked up among all
//! stages, also those further down, so that the error is about order and not about a missing image.

use std::collections::BTreeSet;

use super::super::fault::{Fault, FaultReason};
use super::super::options::Input;
use crate::model::dockerfile::{Base, Dockerfile, Instruction, Keyword, Stage, copy_source, mount_source};

/// A stage, or else the name of an image or context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum From {
    Stage(usize),
    Name(String),
}

/// The stages of one build.
pub(super) struct Stages {
    pub(super) all: Vec<Stage>,
    pub(super) target: usize,
    pub(super) needed: BTreeSet<usize>,
    /// The `ONBUILD` instructions that each needed stage begins with.
    pub(super) triggers: Vec<Vec<Instruction>>,
    /// How many things besides the stages BuildKit counts as such; with any, a single stage is named too.
    others: usize,
}

impl Stages {
    pub(super) fn new(input: &Input<'_>) -> Result<Self, Fault> {
        let options = &input.options;
        let build_args = |name: &str| options.build_args.get(name).cloned();
        let all = input.dockerfile.stages_with(&build_args, &|name| options.predefined(name));
        let target = match &options.target {
            None => all.len().checked_sub(1),
            Some(name) => all.iter().rposition(|stage| stage.name.as_deref() == Some(name.to_lowercase().as_str())),
        };
        let missing = || match &options.target {
            Some(name) => FaultReason::NoTarget(name.clone()),
            None => FaultReason::NoStage,
        };
        let target = target.ok_or_else(|| Fault { line: None, reason: missing() })?;
        let triggers = vec![Vec::new(); all.len()];
        let mut stages = Self { all, target, needed: BTreeSet::new(), triggers, others: 0 };
        for index in 0..stages.all.len() {
            for instruction in stages.instructions(input.dockerfile, index) {
                stages.others += stages.from(instruction)?.iter().filter(|from| matches!(from, From::Name(_))).count();
            }
        }
        stages.find_circles(input.dockerfile)?;
        stages.reach(input)?;
        Ok(stages)
    }

    /// The instructions of a stage behind its `FROM`.
    pub(super) fn instructions<'d>(&self, file: &'d Dockerfile, index: usize) -> &'d [Instruction] {
        let range = self.all.get(index).map_or(0..0, |stage| stage.instructions.clone());
        file.instructions.get(range).and_then(<[Instruction]>::split_first).map_or(&[], |(_, rest)| rest)
    }

    /// The name of a stage as BuildKit prints it; `""` if it is alone.
    pub(super) fn name(&self, index: usize) -> String {
        if self.all.len() == 1 && self.others == 0 { String::new() } else { self.called(index) }
    }

    /// The name of a stage, or one made of its number.
    pub(super) fn called(&self, index: usize) -> String {
        let name = self.all.get(index).and_then(|stage| stage.name.clone());
        name.unwrap_or_else(|| format!("stage-{index}"))
    }

    /// What an instruction copies or mounts from, one for its `--from`, or one for each mount.
    pub(super) fn from(&self, instruction: &Instruction) -> Result<Vec<From>, Fault> {
        match instruction.keyword {
            Keyword::Copy => {
                let Some(from) = instruction.flag("from").filter(|from| !from.is_empty()) else {
                    return Ok(Vec::new());
                };
                let stage = copy_source(&self.all, from);
                if stage.is_none() && from.parse::<i64>().is_ok() {
                    return Err(FaultReason::NoStageNumber(from.to_owned()).at(instruction.line));
                }
                Ok(vec![stage.map_or_else(|| From::Name(from.to_owned()), From::Stage)])
            }
            Keyword::Run => {
                let mounts = instruction.flags_named("mount").map(|mount| {
                    // A mount without `from` counts as one from `scratch`, which a stage may be named.
                    let from = mount_from(&mount.text);
                    let from = from.as_deref().unwrap_or("scratch");
                    mount_source(&self.all, from).map_or_else(|| From::Name(from.to_owned()), From::Stage)
                });
                Ok(mounts.collect())
            }
            _ => Ok(Vec::new()),
        }
    }

    fn needs(&self, instructions: &[Instruction]) -> Result<Vec<(usize, usize)>, Fault> {
        let mut needs = Vec::new();
        for instruction in instructions {
            for from in self.from(instruction)? {
                if let From::Stage(stage) = from {
                    needs.push((stage, instruction.line));
                }
            }
        }
        Ok(needs)
    }

    fn find_circles(&self, file: &Dockerfile) -> Result<(), Fault> {
        let needs: Vec<Vec<(usize, usize)>> =
            (0..self.all.len()).map(|index| self.needs(self.instructions(file, index))).collect::<Result<_, _>>()?;
        let mut done = vec![false; needs.len()];
        for start in 0..needs.len() {
            let mut path = vec![(start, 0)];
            while let Some((stage, next)) = path.pop() {
                let Some(&(need, line)) = needs.get(stage).and_then(|needs| needs.get(next)) else {
                    done[stage] = true;
                    continue;
                };
                path.push((stage, next + 1));
                if path.iter().any(|(on_path, _)| *on_path == need) {
                    return Err(FaultReason::Circular(self.called(need)).at(line));
                }
                if !done[need] {
                    path.push((need, 0));
                }
            }
        }
        Ok(())
    }

    /// Finds what the target needs; triggers of the bases may need more.
    fn reach(&mut self, input: &Input<'_>) -> Result<(), Fault> {
        let mut open = vec![self.target];
        while let Some(index) = open.pop() {
            if !self.needed.insert(index) {
                continue;
            }
            let mut needs = self.needs(self.instructions(input.dockerfile, index))?;
            let triggers = self.find_triggers(input, index)?;
            needs.extend(self.needs(&triggers)?);
            for trigger in &triggers {
                self.others += self.from(trigger)?.iter().filter(|from| matches!(from, From::Name(_))).count();
            }
            if let Some(Base::Stage(base)) = self.all.get(index).map(|stage| &stage.base) {
                needs.push((*base, 0));
            }
            self.triggers[index] = triggers;
            open.extend(needs.into_iter().map(|(stage, _)| stage));
        }
        Ok(())
    }

    fn find_triggers(&self, input: &Input<'_>, index: usize) -> Result<Vec<Instruction>, Fault> {
        let Some(stage) = self.all.get(index) else { return Ok(Vec::new()) };
        let line = input.dockerfile.instructions.get(stage.instructions.start).map_or(0, |from| from.line);
        let texts: Vec<String> = match &stage.base {
            Base::Stage(base) => triggers_of(self.instructions(input.dockerfile, *base)),
            Base::Image(image) => {
                input.options.images.get(image).map(|image| image.onbuild.clone()).unwrap_or_default()
            }
            Base::Scratch | Base::Unresolved(_) => Vec::new(),
        };
        let mut triggers = Vec::new();
        for text in texts {
            let unreadable = || FaultReason::Trigger(text.clone()).at(line);
            let (file, _) = Dockerfile::parse_lenient(&format!("FROM scratch\n{text}"));
            let mut instruction = file.instructions.into_iter().nth(1).ok_or_else(unreadable)?;
            instruction.line = line;
            triggers.push(instruction);
        }
        Ok(triggers)
    }
}

/// The texts of the `ONBUILD` instructions among `instructions`.
pub(super) fn triggers_of(instructions: &[Instruction]) -> Vec<String> {
    let triggers = instructions.iter().filter_map(|instruction| instruction.onbuild.as_ref());
    triggers.map(|trigger| with_heredocs(trigger)).collect()
}

fn with_heredocs(trigger: &Instruction) -> String {
    let mut text = trigger.joined.clone();
    for heredoc in &trigger.heredocs {
        text.push_str(&format!("\n{}{}", heredoc.body, heredoc.delimiter));
    }
    text
}

/// The `from` of a mount, before variables are known; it takes none.
fn mount_from(value: &str) -> Option<String> {
    let mut fields = value.split(',').filter_map(|field| field.trim_matches('"').split_once('='));
    let (_, from) = fields.find(|(key, _)| key.eq_ignore_ascii_case("from"))?;
    Some(from.to_owned()).filter(|from| !from.is_empty())
}
