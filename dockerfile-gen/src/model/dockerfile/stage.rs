//! The stages of a Dockerfile, and what they are built on.
//!
//! Input: [`Dockerfile`]. Output: [`Stage`]s. The one idea: whether `FROM x` names a stage or an image is
//! known only when the variables are in, and only stages above count.

use std::collections::BTreeMap;
use std::ops::Range;

use super::expand::{Env, expand_word};
use super::file::Dockerfile;
use super::keyword::Keyword;
use super::tree::{Arguments, Declaration, Instruction};

/// One stage: a `FROM` and what follows up to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Its number, from 0.
    pub index: usize,
    /// Its name in small letters.
    pub name: Option<String>,
    /// What it is built on.
    pub base: Base,
    /// The value of `--platform`, variables put in.
    pub platform: Option<String>,
    /// Its instructions in [`Dockerfile::instructions`]; the first is the `FROM`.
    pub instructions: Range<usize>,
}

/// What a stage is built on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// Nothing: `FROM scratch`.
    Scratch,
    /// The stage with this number.
    Stage(usize),
    /// An image.
    Image(String),
    /// Nobody can tell: no image is given, or variables make it empty or cannot be expanded. As written.
    Unresolved(String),
}

/// The variables that BuildKit knows in every `FROM` of a build for and on `linux/amd64`.
pub fn default_platform(name: &str) -> Option<String> {
    let value = match name {
        "TARGETPLATFORM" | "BUILDPLATFORM" => "linux/amd64",
        "TARGETOS" | "BUILDOS" => "linux",
        "TARGETARCH" | "BUILDARCH" => "amd64",
        "TARGETVARIANT" | "BUILDVARIANT" | "TARGETOSVERSION" | "BUILDOSVERSION" => "",
        _ => return None,
    };
    Some(value.to_owned())
}

impl Dockerfile {
    /// The stages as they are without build arguments, on and for `linux/amd64`.
    ///
    /// ```
    /// use dockerfile_gen::dockerfile::{Base, Dockerfile};
    /// let file: Dockerfile = "ARG V=22\nFROM node:$V AS Build\nFROM build\n".parse().unwrap();
    /// let bases: Vec<Base> = file.stages().into_iter().map(|stage| stage.base).collect();
    /// assert_eq!(bases, [Base::Image("node:22".into()), Base::Stage(0)]);
    /// ```
    pub fn stages(&self) -> Vec<Stage> {
        self.stages_with(&|_| None, &default_platform)
    }

    /// The stages as they are with `build_args`, which count only if declared by a global `ARG`, and with
    /// `predefined` variables, which always count.
    pub fn stages_with(&self, build_args: &Env<'_>, predefined: &Env<'_>) -> Vec<Stage> {
        let globals = self.global_values(build_args, predefined);
        let env = |name: &str| globals.get(name).cloned().or_else(|| predefined(name));
        let mut stages: Vec<Stage> = Vec::new();
        let starts = self.starts();
        for (index, &start) in starts.iter().enumerate() {
            let end = starts.get(index + 1).copied().unwrap_or(self.instructions.len());
            let Some(from) = self.instructions.get(start) else { continue };
            let (base, name) = self.base(from, &stages, &env);
            let platform = from.flag("platform").and_then(|value| expand_word(value, self.escape, &env).ok());
            stages.push(Stage { index, name, base, platform, instructions: start..end });
        }
        stages
    }

    /// The `ARG`s above the first `FROM`.
    pub fn global_args(&self) -> Vec<&Declaration> {
        let above = self.instructions.iter().take_while(|instruction| instruction.keyword != Keyword::From);
        let declarations = above.filter_map(|instruction| match &instruction.args {
            Arguments::Arg(declarations) => Some(declarations),
            _ => None,
        });
        declarations.flatten().collect()
    }

    /// The values of the global `ARG`s that have one. A default may use those above it.
    pub fn global_values(&self, build_args: &Env<'_>, predefined: &Env<'_>) -> BTreeMap<String, String> {
        let mut values: BTreeMap<String, String> = BTreeMap::new();
        for declaration in self.global_args() {
            let name = &declaration.name.text;
            let value = build_args(name).or_else(|| {
                let env = |name: &str| values.get(name).cloned().or_else(|| predefined(name));
                expand_word(&declaration.default.as_ref()?.text, self.escape, &env).ok()
            });
            values.extend(value.map(|value| (name.clone(), value)));
        }
        values
    }

    /// Where the stages begin.
    fn starts(&self) -> Vec<usize> {
        let numbered = self.instructions.iter().enumerate();
        numbered.filter(|(_, instruction)| instruction.keyword == Keyword::From).map(|(index, _)| index).collect()
    }

    fn base(&self, from: &Instruction, above: &[Stage], env: &Env<'_>) -> (Base, Option<String>) {
        let Arguments::From { image, as_name } = &from.args else {
            return (Base::Unresolved(from.rest.text.clone()), None);
        };
        let name = as_name.as_ref().map(|name| name.text.to_lowercase());
        let base = match expand_word(&image.text, self.escape, env) {
            Ok(image) if !image.is_empty() => {
                // Here, unlike in `COPY --from`, only small letters find a stage.
                let stage = above.iter().rposition(|stage| stage.name.as_deref() == Some(image.as_str()));
                match stage {
                    Some(stage) => Base::Stage(stage),
                    None if image == "scratch" => Base::Scratch,
                    None => Base::Image(image),
                }
            }
            _ => Base::Unresolved(image.text.clone()),
        };
        (base, name)
    }
}

/// The stage that `COPY --from=from` means, by name or number; `None` if it is an image.
pub fn copy_source(stages: &[Stage], from: &str) -> Option<usize> {
    match from.parse::<i64>() {
        Ok(number) => usize::try_from(number).ok().filter(|&number| number < stages.len()),
        Err(_) => mount_source(stages, from),
    }
}

/// The stage that `RUN --mount=from=from` means, by name only; `None` if it is an image.
pub fn mount_source(stages: &[Stage], from: &str) -> Option<usize> {
    let from = from.to_lowercase();
    stages.iter().rposition(|stage| stage.name.as_deref() == Some(from.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stages(text: &str) -> Vec<Stage> {
        text.parse::<Dockerfile>().unwrap().stages()
    }

    fn bases(text: &str) -> Vec<Base> {
        stages(text).into_iter().map(|stage| stage.base).collect()
    }

    #[test]
    fn a_base_is_a_stage_only_if_one_above_has_its_name() {
        let text = "FROM b AS a\nFROM scratch AS B\nFROM a\nFROM b\nFROM A\n";
        let expected =
            [Base::Image("b".into()), Base::Scratch, Base::Stage(0), Base::Stage(1), Base::Image("A".into())];
        assert_eq!(bases(text), expected);
    }

    #[test]
    fn of_two_stages_with_one_name_the_later_counts() {
        assert_eq!(bases("FROM x AS a\nFROM y AS a\nFROM a\n")[2], Base::Stage(1));
    }

    #[test]
    fn global_arguments_build_on_each_other() {
        let text = "ARG V=1\nARG I=\"img:${V}\"\nARG N\nFROM $I AS a\nARG V=2\nFROM x$N-$TARGETARCH-$V\nFROM $N\n";
        let expected = [Base::Image("img:1".into()), Base::Image("x-amd64-1".into()), Base::Unresolved("$N".into())];
        assert_eq!(bases(text), expected);
        let file: Dockerfile = text.parse().unwrap();
        let given = |name: &str| Some(format!("{name}!"));
        assert_eq!(file.stages_with(&given, &|_| None)[0].base, Base::Image("I!".into()));
    }

    #[test]
    fn a_stage_has_its_instructions() {
        let stages = stages("ARG A\nFROM --platform=$BUILDPLATFORM a AS B-1\nRUN x\nFROM b\n");
        assert_eq!((stages[0].instructions.clone(), stages[1].instructions.clone()), (1..3, 3..4));
        assert_eq!(stages[0].platform.as_deref(), Some("linux/amd64"));
        assert_eq!(stages[0].name.as_deref(), Some("b-1"));
    }

    #[test]
    fn a_copy_finds_stages_by_number_too_and_a_mount_does_not() {
        let stages = stages("FROM x AS a\nFROM y\n");
        assert_eq!(
            (copy_source(&stages, "A"), copy_source(&stages, "1"), copy_source(&stages, "2")),
            (Some(0), Some(1), None)
        );
        assert_eq!((mount_source(&stages, "A"), mount_source(&stages, "1")), (Some(0), None));
    }
}
