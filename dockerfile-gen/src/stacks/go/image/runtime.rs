//! The final stages of a Go service.
//!
//! Input: the programs and the image that they run on. Output: one stage a program. The one idea: a program without C
//! needs nothing but itself, certificates and time zones; everything else in the image has a reason.

use std::collections::{BTreeMap, BTreeSet};

use super::context::Context;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::plan::service::{Service, finish};
use crate::plan::system::{self, DISTROLESS_SUITE, Family, SUITE, default_user};
use crate::plan::{Change, Stage, Step};
use crate::stacks::frontend::Frontend;
use crate::stacks::go::{GoMain, GoProject};
use crate::tree::RelPath;

/// Libraries that one of the distroless images has.
const IN_DISTROLESS_CC: &[&str] = &["libgcc-s1", "libgomp1", "libstdc++6"];

/// The image that the programs run on: the smallest that has what they need.
pub(super) fn runtime(go: &GoProject, config: &Config, base: &str) -> Result<String> {
    let debian = if base.contains("bookworm") { ("bookworm", "debian12") } else { (SUITE, DISTROLESS_SUITE) };
    let needs_apt =
        !config.packages.is_empty() || go.packages.iter().any(|name| !IN_DISTROLESS_CC.contains(&name.as_str()));
    let image = config.runtime.clone().unwrap_or_else(|| match (system::family(base), go.cgo) {
        (Family::Alpine, true) => "alpine:3.24".into(),
        _ if needs_apt => format!("debian:{}-slim", debian.0),
        (_, false) => format!("gcr.io/distroless/static-{}:nonroot", debian.1),
        (_, true) if go.packages.is_empty() => format!("gcr.io/distroless/base-{}:nonroot", debian.1),
        (_, true) => format!("gcr.io/distroless/cc-{}:nonroot", debian.1),
    });
    let musl = |image: &str| system::family(image) == Family::Alpine;
    if go.cgo && musl(base) != musl(&image) {
        return Err(Error::Unsupported {
            reason: format!(
                "a program with cgo that is compiled on `{base}` does not start on `{image}`: their C libraries differ"
            ),
            hint: "choose `base` and `runtime` of the same family".into(),
        });
    }
    let without_libc = image == "scratch" || image.contains("distroless/static");
    if go.cgo && without_libc {
        return Err(Error::Unsupported {
            reason: format!("`{image}` has no C library, which a program with cgo needs"),
            hint: format!("choose `gcr.io/distroless/base-{DISTROLESS_SUITE}:nonroot` or leave `runtime` out"),
        });
    }
    Ok(image)
}

/// The final stages; the one that `docker build` makes comes last.
pub(super) fn stages(context: &Context<'_>, main: &GoMain, others: &[GoMain], image: &str) -> Result<Vec<Stage>> {
    let mut stages = Vec::new();
    let mut packages: BTreeSet<String> = context.config.packages.iter().cloned().collect();
    if system::family(image) != Family::Distroless {
        packages.extend(context.go.packages.iter().cloned());
        packages.extend(["ca-certificates".to_owned(), "tzdata".to_owned()]);
    }
    let shared = system::install("packages", &packages, image)?;
    let from_system = shared.is_some() && !others.is_empty();
    if from_system {
        let mut stage = Stage::from_image("system", image).comment("What all programs run on.");
        stage.maybe(shared.clone());
        stages.push(stage);
    }
    let start = |name: &str| {
        if from_system {
            return Stage::from_stage(name, "system");
        }
        let mut stage = Stage::from_image(name, image);
        stage.maybe(shared.clone());
        stage
    };
    for other in others {
        let name = context.stage_name(other).to_owned();
        let mut stage = start(&name).comment(format!("docker build --target {name} ."));
        let service = Service { labels: context.project.notes.labels.clone(), ..Service::default() };
        fill(&mut stage, context, other, &context.build_stage(other), image);
        let title = [("org.opencontainers.image.title".to_owned(), other.name.clone())];
        end(
            &mut stage,
            context,
            other,
            image,
            Service { labels: service.labels.into_iter().chain(title).collect(), ..service },
            false,
        );
        stages.push(stage);
    }
    let mut last = start("runtime");
    fill(&mut last, context, main, "build", image);
    let go = context.go;
    let service = Service {
        command: go.args.clone(),
        port: go.port,
        labels: context.project.notes.labels.clone(),
        ..Service::default()
    };
    end(&mut last, context, main, image, service, true);
    stages.push(last);
    if !others.is_empty() {
        // So that every program, the default one included, can be asked for by its name.
        let name = context.stage_name(main);
        stages.push(Stage::from_stage(name, "runtime").comment(format!("docker build --target {name} ., the default")));
    }
    Ok(stages)
}

/// The folder that the program runs in, and whether it belongs to the user that runs it.
fn home(image: &str) -> (&'static str, bool) {
    // The home folder of these images is their user's to write.
    if image.contains("distroless") && image.ends_with("nonroot") { ("/home/nonroot", true) } else { ("/app", false) }
}

/// Where the binary lies.
fn binary_folder(context: &Context<'_>, image: &str) -> String {
    match home(image) {
        (home, true) if context.go.beside_binary => format!("{home}/"),
        _ => "/usr/local/bin/".into(),
    }
}

/// What the image holds: what the program reads, and the program.
fn fill(stage: &mut Stage, context: &Context<'_>, main: &GoMain, from: &str, image: &str) {
    let go = context.go;
    let (home, is_users) = home(image);
    // A linked COPY brings its folders along, and they would belong to root.
    let place = |step: Step| if is_users { step } else { step.linked() };
    let served: Vec<&Frontend> =
        context.project.frontends.iter().filter(|frontend| !context.embedded.contains(&frontend.stage)).collect();
    // Laid out as in the project, so that paths such as `../web/dist` lead there, too.
    let root = if go.dir.is_empty() { "." } else { home };
    if !go.served.is_empty() || !served.is_empty() {
        stage.push(Step::workdir(format!("{home}/{}", go.dir).trim_end_matches('/')));
    }
    let built = |path: &RelPath| served.iter().any(|frontend| frontend.output == *path);
    // A COPY puts the content of folders together, but files of one folder can go in one.
    let mut copies: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for served in go.served.iter().filter(|served| !built(&served.path)) {
        let into = if served.folder { served.path.as_str() } else { served.path.parent() };
        let into = if into.is_empty() { format!("{root}/") } else { format!("{root}/{into}/") };
        copies.entry(into).or_default().push(served.path.as_str());
    }
    for (index, (into, paths)) in copies.into_iter().enumerate() {
        let copy = place(Step::copy(&format!("read-{index}"), paths, &into));
        stage.push(copy.why("the program reads it from its working folder"));
    }
    for frontend in served {
        let id = format!("{}-output", frontend.stage);
        let into = format!("{root}/{}", frontend.output);
        let copy = place(Step::copy_from(&id, &frontend.stage, [frontend.built()], &into));
        stage.push(copy.why("only the final stage: an edit of the front end compiles no Go"));
    }
    // What front ends write elsewhere comes over what the project has there.
    let read = |path: &&RelPath| go.served.iter().any(|served| served.folder && is_inside(path, &served.path));
    for frontend in &context.project.frontends {
        for (index, path) in frontend.beside.iter().filter(read).enumerate() {
            let id = format!("{}-beside-{index}", frontend.stage);
            let into = format!("{root}/{path}");
            let copy = place(Step::copy_from(&id, &frontend.stage, [format!("/app/{path}")], &into));
            stage.push(copy.why("the front end's scripts write there"));
        }
    }
    let folder = binary_folder(context, image);
    let mut binary = Step::copy_from("binary", from, [format!("/out/{}", main.name)], &folder);
    if !folder.starts_with(home) {
        binary = binary.linked();
    }
    stage.push(binary.change(Change::Source).why("changes most often, so it comes last"));
}

fn is_inside(path: &RelPath, root: &RelPath) -> bool {
    path == root || path.as_str().strip_prefix(root.as_str()).is_some_and(|rest| rest.starts_with('/'))
}

fn end(stage: &mut Stage, context: &Context<'_>, main: &GoMain, image: &str, mut service: Service, is_default: bool) {
    let config = context.config;
    let mut environment = if is_default { context.go.env.clone() } else { Default::default() };
    environment.extend(config.env.clone());
    if !environment.is_empty() {
        stage.push(Step::env("environment", environment).why("after everything that it does not change"));
    }
    service.entrypoint = vec![format!("{}{}", binary_folder(context, image), main.name)];
    service.user = default_user(image).into();
    if is_default {
        finish(stage, &service, config);
    } else {
        // Port, command and health of the configuration are those of the default program.
        let config = Config { user: config.user.clone(), labels: config.labels.clone(), ..Config::default() };
        finish(stage, &service, &config);
    }
}
