//! What would only go wrong while the image is built, found before.
//!
//! Input: a [`Plan`] that somebody declared, and the build context. Output: [`Fault`]s, each at its step. The one idea:
//! a plan that was detected is right by construction; one that a person wrote is held against the files it names.

use std::collections::BTreeSet;

use crate::config::{is_user, nearest};
use crate::model::context::{BuildContext, CopyFault, CopySpec, Dockerignore, match_sources};
use crate::plan::render;
use crate::plan::{Base, Change, Input, Mount, Op, Plan, Stage, Step, Value};
use crate::tree::Tree;

/// How bad a [`Fault`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// The image builds, but it costs more than it has to.
    Warning,
    /// The image does not build, or does not start.
    Error,
}

/// Something that is wrong with a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// How bad it is.
    pub severity: Severity,
    /// The position of the stage, from 0.
    pub stage: usize,
    /// The position of the step in the stage, from 0; `None` for the stage itself.
    pub step: Option<usize>,
    /// What is wrong.
    pub reason: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Names that the stacks bring.
pub(crate) struct Names {
    /// Files that decide which dependencies are installed.
    pub(crate) manifests: Vec<&'static str>,
    /// Endings of sources.
    pub(crate) sources: Vec<&'static str>,
}

impl Names {
    fn is_manifest(&self, name: &str) -> bool {
        self.manifests.contains(&name) || name.starts_with("requirements") && name.ends_with(".txt")
    }

    fn is_source(&self, name: &str) -> bool {
        let ending = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map(|(_, ending)| ending);
        ending.is_some_and(|ending| ending == "c" || self.sources.contains(&ending)) && !self.manifests.contains(&name)
    }
}

/// Holds a plan against the files of the build context: `tree`, without what `ignore` leaves out.
pub(crate) fn faults(plan: &Plan, tree: &dyn Tree, ignore: &Dockerignore, names: &Names) -> Vec<Fault> {
    let check = Check { plan, names, tree, ignore, context: BuildContext::new(tree, ignore) };
    let mut faults = Vec::new();
    for (at, stage) in plan.stages.iter().enumerate() {
        check.stage(at, stage, &mut faults);
        for (position, step) in stage.steps.iter().enumerate() {
            let mut say = |severity, reason, hint| {
                faults.push(Fault { severity, stage: at, step: Some(position), reason, hint });
            };
            check.step(at, step, &mut say);
        }
        if !faults.iter().any(|fault| fault.stage == at && fault.severity == Severity::Error) {
            faults.extend(check.late_manifests(at, stage));
        }
    }
    faults
}

struct Check<'a> {
    plan: &'a Plan,
    names: &'a Names,
    tree: &'a dyn Tree,
    ignore: &'a Dockerignore,
    context: BuildContext<'a>,
}

type Say<'a> = dyn FnMut(Severity, String, Option<String>) + 'a;

impl<'a> Check<'a> {
    /// Stages above `at`: only they can be copied from.
    fn above(&self, at: usize) -> impl Iterator<Item = &'a Stage> + use<'a> {
        self.plan.stages.iter().take(at)
    }

    fn stage(&self, at: usize, stage: &Stage, faults: &mut Vec<Fault>) {
        let mut say = |reason: String, hint: Option<String>| {
            faults.push(Fault { severity: Severity::Error, stage: at, step: None, reason, hint });
        };
        let mut letters = stage.name.bytes();
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
        if !letters.next().is_some_and(|byte| byte.is_ascii_lowercase()) || !letters.all(plain) {
            let hint = "start with a lower-case letter; digits, `-`, `_` and `.` may follow".into();
            say(format!("`{}` is no name for a stage", stage.name), Some(hint));
        }
        if self.above(at).any(|other| other.name == stage.name) {
            say(format!("there are two stages `{}`", stage.name), None);
        }
        match &stage.base {
            Base::Stage(name) => {
                if let Err((reason, hint)) = self.known(at, name) {
                    say(reason, hint);
                }
            }
            Base::Image(image) if !is_image(image) => {
                say(format!("`{image}` is not an image reference"), Some("write it as `name:tag`".into()));
            }
            Base::Image(_) => {}
        }
    }

    /// Whether there is a stage `name` above.
    fn known(&self, at: usize, name: &str) -> Result<(), (String, Option<String>)> {
        if self.above(at).any(|stage| stage.name == name) {
            return Ok(());
        }
        if self.plan.stages.iter().skip(at).any(|stage| stage.name == name) {
            let hint = format!("move `{name}` up: a stage can only use those above it");
            return Err((format!("the stage `{name}` comes later"), Some(hint)));
        }
        let near = nearest(name, self.above(at).map(|stage| stage.name.as_str()));
        Err((format!("there is no stage `{name}`"), near.map(|near| format!("did you mean `{near}`?"))))
    }

    fn step(&self, at: usize, step: &Step, say: &mut Say<'_>) {
        let stages = step.reads.iter().filter_map(|read| match read {
            Input::Stage { stage, .. } => Some(stage),
            Input::Context(_) | Input::Image { .. } => None,
        });
        for name in stages.collect::<BTreeSet<_>>() {
            if let Err((reason, hint)) = self.known(at, name) {
                say(Severity::Error, reason, hint);
            }
        }
        match &step.op {
            Op::Copy { from, sources, dest, .. } => {
                if sources.len() > 1 && !dest.ends_with('/') {
                    let hint = format!("write `{dest}/`: several sources need a folder");
                    say(Severity::Error, format!("`{dest}` is not a folder"), Some(hint));
                }
                if from.is_none() {
                    for source in sources {
                        self.source(source.as_str(), say);
                    }
                }
            }
            Op::Run { mounts, .. } => {
                for mount in mounts {
                    if let Mount::Bind { from: None, source, .. } = mount {
                        self.source(source, say);
                    }
                }
            }
            Op::User { user } if !is_user(user) => {
                let hint = "write `UID`, `UID:GID` or a name such as `nonroot`".into();
                say(Severity::Error, format!("`{user}` is not a user"), Some(hint));
            }
            Op::Expose { port: 0 } => {
                say(Severity::Error, "0 is not a port".into(), Some("write a number from 1 to 65535".into()));
            }
            _ => {}
        }
        if let Err(error) = render::step(step, &self.plan.templates) {
            say(Severity::Error, error.to_string(), error.hint());
        }
    }

    /// Whether the context has what a `COPY` or a bind mount names.
    fn source(&self, source: &str, say: &mut Say<'_>) {
        if let Some(fault) = find_source(&self.context, self.tree, self.ignore, source) {
            say(fault.severity, fault.reason, fault.hint);
        }
    }

    /// The file names that a step copies from the context.
    fn brings(&self, step: &Step) -> BTreeSet<String> {
        let Op::Copy { from: None, sources, exclude, .. } = &step.op else { return BTreeSet::new() };
        let sources = sources.iter().map(|source| source.as_str().to_owned()).collect();
        let copy = CopySpec { sources, dest: "/x/".into(), exclude: exclude.clone(), ..CopySpec::default() };
        let found = match_sources(&self.context, &copy).unwrap_or_default();
        let files = found.iter().flat_map(|found| &found.entries).filter(|entry| !entry.is_dir);
        files.map(|entry| entry.path.rsplit('/').next().unwrap_or_default().to_owned()).collect()
    }

    /// The first step that copies sources although no manifest is there yet, and one comes with it or after it, before
    /// a command that then runs again for every edit.
    fn late_manifests(&self, at: usize, stage: &Stage) -> Option<Fault> {
        let mut base = &stage.base;
        while let Base::Stage(name) = base {
            let below = self.above(at).find(|stage| stage.name == *name)?;
            if below.steps.iter().any(|step| self.brings(step).iter().any(|name| self.names.is_manifest(name))) {
                return None;
            }
            base = &below.base;
        }
        let brought: Vec<BTreeSet<String>> = stage.steps.iter().map(|step| self.brings(step)).collect();
        let sources = brought.iter().position(|names| names.iter().any(|name| self.names.is_source(name)))?;
        if brought.iter().take(sources).flatten().any(|name| self.names.is_manifest(name)) {
            return None;
        }
        let manifests: BTreeSet<&String> =
            brought.iter().skip(sources).flatten().filter(|name| self.names.is_manifest(name)).collect();
        let run = stage.steps.iter().skip(sources).find(|step| matches!(step.op, Op::Run { .. }))?;
        let list = manifests.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let percent = |change: Change| change.prior().0 * 100.0;
        (!manifests.is_empty()).then(|| Fault {
            severity: Severity::Warning,
            stage: at,
            step: Some(sources),
            reason: format!(
                "the sources are copied before the dependencies are installed: {} runs again, from nothing, with about \
                 {:.0} % of all commits, where {list} alone change with about {:.0} %",
                named(run),
                percent(Change::Source),
                percent(Change::Manifest),
            ),
            hint: Some(format!("copy {list} and install what they name in steps before this one")),
        })
    }
}

/// What is wrong with a source of a `COPY` or a bind mount.
pub(crate) struct SourceFault {
    pub(crate) severity: Severity,
    pub(crate) reason: String,
    pub(crate) hint: Option<String>,
}

/// Looks for what a `COPY` or a bind mount names; a pattern that matches nothing is a warning.
pub(crate) fn find_source(
    context: &BuildContext<'_>,
    tree: &dyn Tree,
    ignore: &Dockerignore,
    source: &str,
) -> Option<SourceFault> {
    let error = |reason: String, hint| Some(SourceFault { severity: Severity::Error, reason, hint });
    let copy = CopySpec { sources: vec![source.to_owned()], dest: "/x/".into(), ..CopySpec::default() };
    let path = match match_sources(context, &copy) {
        Ok(found) if !found.is_empty() => return None,
        Ok(_) => {
            let reason = format!("nothing in the build context matches `{source}`");
            return Some(SourceFault { severity: Severity::Warning, reason, hint: None });
        }
        Err(CopyFault::Missing { path, .. }) => path,
        Err(fault) => return error(fault.to_string(), None),
    };
    if let Some(line) = ignore.excludes(&path) {
        let file = ignore.path().unwrap_or(".dockerignore");
        let why = format!("`{}` in {file}:{} leaves `{path}` out of the build context", line.text, line.number);
        return error(why, Some(format!("add `!{path}` below that line")));
    }
    if tree.disk_root().is_some_and(|root| root.join(&path).exists()) {
        return None; // Not in a clone, but there: built before the image is.
    }
    let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
    let beside = context.entries().keys().filter(|known| known.rsplit_once('/').map_or("", |(dir, _)| dir) == dir);
    let near = nearest(&path, beside.copied()).map(|near| format!("did you mean `{near}`?"));
    error(format!("`{path}` is not in the build context"), near)
}

/// What a reader would call a step.
fn named(step: &Step) -> String {
    let command = match &step.op {
        Op::Run { values, .. } => values.values().find_map(|value| match value {
            Value::UserCommand(command) => command.0.lines().next().map(str::trim),
            _ => None,
        }),
        _ => None,
    };
    format!("`{}`", command.unwrap_or(&step.id))
}

/// As the configuration has it, and with the variables of global arguments.
fn is_image(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '$')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/:@${}".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::UserCommand;
    use crate::tree::MemTree;

    fn faults(stages: impl IntoIterator<Item = Stage>, ignore: &str) -> Vec<String> {
        let tree = MemTree::from([("Cargo.toml", ""), ("Cargo.lock", ""), ("src/main.rs", ""), ("README.md", "")]);
        let ignore = Dockerignore::parse(".dockerignore", ignore).unwrap();
        let faults = Plan::declared("x.rs", stages).check(&tree, &ignore);
        faults.into_iter().map(|fault| format!("{} ({})", fault.reason, fault.hint.unwrap_or_default())).collect()
    }

    fn stage(steps: impl IntoIterator<Item = Step>) -> Stage {
        let mut stage = Stage::from_image("build", "rust:1.95-slim-trixie");
        for step in steps {
            stage.push(step);
        }
        stage
    }

    #[test]
    fn what_is_not_there_is_named_with_what_is_near() {
        assert_eq!(
            faults([stage([Step::copy("a", ["Cargo.tml"], "./")])], ""),
            ["`Cargo.tml` is not in the build context (did you mean `Cargo.toml`?)"]
        );
        assert_eq!(
            faults([stage([Step::copy("a", ["README.md"], "./")])], "*.md\n"),
            [
                "`*.md` in .dockerignore:1 leaves `README.md` out of the build context (add `!README.md` below that line)"
            ]
        );
        assert_eq!(faults([stage([Step::copy("a", ["src/*.rs"], "./")])], ""), [""; 0]);
    }

    #[test]
    fn stages_are_above_and_known() {
        let copy = |from: &str| stage([Step::copy_from("a", from, ["/x"], "/y")]);
        assert_eq!(
            faults([copy("build")], ""),
            ["the stage `build` comes later (move `build` up: a stage can only use those above it)"]
        );
        let last = Stage::from_stage("last", "biuld");
        assert_eq!(faults([stage([]), last], ""), ["there is no stage `biuld` (did you mean `build`?)"]);
        assert_eq!(faults([stage([]), stage([])], ""), ["there are two stages `build` ()"]);
    }

    #[test]
    fn sources_before_manifests_cost_something() {
        let run = || {
            Step::run("install", "common/extra").value("command", Value::UserCommand(UserCommand("cargo build".into())))
        };
        let bad = faults([stage([Step::copy("all", ["."], "./"), run()])], "");
        assert!(bad[0].contains("`cargo build` runs again, from nothing, with about 90 % of all commits"), "{bad:?}");
        assert!(bad[0].contains("(copy `Cargo.lock`, `Cargo.toml` and install"), "{bad:?}");
        let manifests = || Step::copy("manifests", ["Cargo.toml", "Cargo.lock"], "./");
        assert_eq!(faults([stage([manifests(), run(), Step::copy("all", ["."], "./"), run()])], ""), [""; 0]);
        let mut upper = Stage::from_stage("upper", "build");
        upper.push(Step::copy("all", ["."], "./")).push(run());
        assert_eq!(faults([stage([manifests(), run()]), upper], ""), [""; 0], "the stage below has them");
    }

    #[test]
    fn values_are_checked_where_they_stand() {
        let wrong = |step: Step| faults([stage([step])], "").join("");
        assert!(wrong(Step::expose(0)).starts_with("0 is not a port"));
        assert!(wrong(Step::user("no body")).starts_with("`no body` is not a user"));
        assert!(wrong(Step::copy("a", ["src", "README.md"], "/x")).starts_with("`/x` is not a folder"));
        assert!(wrong(Step::env("e", [("A B", "c")])).contains("is not a name"));
    }
}
