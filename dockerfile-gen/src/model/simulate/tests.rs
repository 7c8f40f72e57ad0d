use super::*;
use crate::MemTree;
use crate::model::context::Dockerignore;
use crate::model::dockerfile::Dockerfile;
use crate::tree::Tree;

fn input<'a>(file: &'a Dockerfile, tree: &'a dyn Tree) -> Input<'a> {
    Input::new(file, Context { tree, ignore: Dockerignore::default() })
}

fn steps(before: (&str, &MemTree), after: (&str, &MemTree)) -> Vec<Step> {
    let (one, two): (Dockerfile, Dockerfile) = (before.0.parse().unwrap(), after.0.parse().unwrap());
    simulate(&input(&one, before.1), &input(&two, after.1)).unwrap()
}

fn answers(steps: &[Step]) -> Vec<Option<bool>> {
    steps.iter().map(|step| step.cached).collect()
}

fn fault(text: &str) -> (Option<usize>, String) {
    let file: Dockerfile = text.parse().unwrap();
    let fault = Builder::new().build(&input(&file, &MemTree::default())).unwrap_err();
    (fault.line, fault.to_string())
}

#[test]
fn what_no_engine_would_build_is_said_with_its_line() {
    let needs_above = "stage `b` must stand above stage `a`, which copies or mounts from it";
    for (text, line, said) in [
        (
            "FROM x AS a\nCOPY --from=b / /\nFROM x AS b\nCOPY --from=a / /\n",
            4,
            "stage `a` needs itself, by way of the stages it copies or mounts from",
        ),
        (
            "FROM x AS a\nCOPY --from=0 / /\n",
            2,
            "stage `a` needs itself, by way of the stages it copies or mounts from",
        ),
        ("FROM x AS a\nCOPY --from=b / /\nFROM x AS b\nFROM a\n", 2, needs_above),
        ("FROM x AS a\nRUN --mount=from=b,target=/b x\nFROM x AS b\nFROM a\n", 2, needs_above),
        ("FROM x\nCOPY nothing /\n", 2, "`nothing` is not in the build context"),
        ("FROM scratch AS a\nCOPY <<F /f\nF\nFROM x\nCOPY --from=a /g /\n", 5, "`/g` is not in stage `a`"),
        ("FROM x\nRUN --mount=type=cache,target=/ x\n", 2, "a mount cannot have the target `/`"),
        ("FROM x\nWORKDIR ${A:?needed}\n", 2, "A: needed"),
        ("FROM $A\n", 1, "`FROM $A` names no image"),
    ] {
        assert_eq!(fault(text), (Some(line), said.to_owned()), "{text}");
    }
}

#[test]
fn what_lies_in_a_stage_by_copy_alone_is_known() {
    let text = "FROM x AS a\nCOPY one two /d/\nFROM x\nCOPY --from=a /d/one /one\nCOPY --from=a /d /d\n";
    let (before, after) = (MemTree::from([("one", "1"), ("two", "1")]), MemTree::from([("one", "1"), ("two", "2")]));
    let steps = steps((text, &before), (text, &after));
    assert_eq!(answers(&steps), [Some(false), Some(true), Some(false)]);
    assert_eq!(steps[0].why.to_string(), "`two` changed");
    assert_eq!(steps[2].why.to_string(), "`/d` of `a` changed");
}

#[test]
fn a_run_hides_what_it_leaves_but_not_what_is_copied_upon_it() {
    let text = "FROM x AS a\nCOPY src /src\nRUN make\nCOPY conf /etc/conf\nFROM x\nCOPY --from=a /etc/conf /\nCOPY --from=a /out /\n";
    let (before, after) =
        (MemTree::from([("src/m", "1"), ("conf", "1")]), MemTree::from([("src/m", "2"), ("conf", "1")]));
    let steps = steps((text, &before), (text, &after));
    assert_eq!(answers(&steps), [Some(false), Some(false), Some(false), Some(true), None]);
    assert_eq!(steps[4].why.to_string(), "reused if what `a` runs leaves `/out` as it was");
}

#[test]
fn the_cause_is_named() {
    let tree = MemTree::from([("f", "1")]);
    let why = |before: &str, after: &str| {
        let steps = steps((&format!("FROM x\n{before}\n"), &tree), (&format!("FROM x\n{after}\n"), &tree));
        steps.into_iter().find(|step| step.cached == Some(false)).map(|step| step.why.to_string()).unwrap_or_default()
    };
    assert_eq!(why("ENV A=1 B=1\nRUN x", "ENV A=2 B=1\nRUN x"), "variable `A` changed");
    assert_eq!(why("ENV A=1 B=1\nRUN x", "ENV B=1 A=1\nRUN x"), "the variables are in another order");
    assert_eq!(why("RUN x", "RUN y"), "the instruction was edited");
    assert_eq!(why("RUN x", "USER 1\nRUN x"), "the user is `1`, not the default");
    assert_eq!(why("COPY f /a", "COPY f /b"), "it goes to `/b`, not `/a`");
    assert_eq!(why("RUN x", "RUN x\nCOPY f /"), "there was no such step before");
}

#[test]
fn what_somebody_knows_of_an_output_decides() {
    let text =
        "FROM x AS manifests\nCOPY . /src\nRUN reduce\nFROM x\nCOPY --from=manifests /manifests /m\nRUN install\n";
    let file: Dockerfile = text.parse().unwrap();
    let reduce = |ran: &Ran<'_>| {
        let manifest = ran.tree.text("manifest").ok()??;
        let kept: String = manifest.lines().filter(|line| !line.starts_with("version")).collect();
        Some(Output { same: kept.clone(), other: Some(("/manifests".to_owned(), kept)) })
    };
    let reduce: &Outputs<'_> = &reduce;
    let answer = |manifest: &str| {
        let (before, after) =
            (MemTree::from([("manifest", "version 1\ndep 1\n")]), MemTree::from([("manifest", manifest)]));
        let (mut one, mut two) = (input(&file, &before), input(&file, &after));
        (one.outputs, two.outputs) = (Some(reduce), Some(reduce));
        answers(&simulate(&one, &two).unwrap())
    };
    assert_eq!(answer("version 2\ndep 1\n"), [Some(false), Some(false), Some(true), Some(true)]);
    assert_eq!(answer("version 2\ndep 2\n"), [Some(false), Some(false), Some(false), Some(false)]);
}

#[test]
fn an_older_build_is_still_in_the_cache() {
    let file: Dockerfile = "FROM x\nCOPY f /\nRUN x\n".parse().unwrap();
    let (one, two) = (MemTree::from([("f", "1")]), MemTree::from([("f", "2")]));
    let mut builder = Builder::new();
    for (tree, expected) in [(&one, false), (&two, false), (&one, true), (&two, true)] {
        let steps = builder.build(&input(&file, tree)).unwrap().steps;
        assert_eq!(answers(&steps), [Some(expected); 2]);
    }
}
