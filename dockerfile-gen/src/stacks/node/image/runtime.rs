//! The final stage.
//!
//! Input: the layout. Output: one stage. The one idea: modules first, what was built after them, each in a layer of its
//! own, and the command is a program that the container's signals reach.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Error, Result};
use crate::plan::service::{Service, finish};
use crate::plan::system::{self, Family};
use crate::plan::{Source, Stage, Step};
use crate::stacks::node::{Framework, Keep, ManagerKind, NodeProject, Start, suite};
use crate::stacks::project::Project;
use crate::tree::within;

use super::install::{lacks_node, modules_stage};
use super::layout::{Layout, has_modules, inside, runs_on_bun};

/// Serves static files, as another user than root, on a port above 1024.
const WEB_SERVER: &str = "nginxinc/nginx-unprivileged:stable";

/// Plans the stage.
pub(super) fn stage(layout: &Layout<'_>, project: &Project) -> Result<Stage> {
    let mut service =
        Service { labels: project.notes.labels.clone(), port: layout.node.listen.port, ..Service::default() };
    if let Framework::Static { dir, .. } = &layout.node.framework {
        return Ok(files(layout, dir, service));
    }
    let image = image(layout)?;
    let mut stage = Stage::from_image("runtime", image.clone());
    let package = layout.package_dir();
    stage.push(Step::workdir(&layout.workdir));
    let packages: BTreeSet<String> = layout.node.system.run.iter().chain(&layout.config.packages).cloned().collect();
    stage.maybe(system::install("packages", &packages, &image)?.map(|step| step.after([] as [&str; 0])));
    stage.push(Step::env("environment", environment(layout)).after([] as [&str; 0]));
    let owner = config_user(layout).unwrap_or_else(|| user(&image, layout).to_owned());
    if layout.node.writes && system::family(&image) != Family::Distroless {
        let step = Step::run("writable", "node/writable").word("owner", &owner).seconds(0.2);
        stage.push(step.after(["workdir"]).why("the program makes files beside itself"));
    }
    modules(&mut stage, layout);
    application(&mut stage, layout, layout.node.writes.then_some(owner.as_str()));
    for frontend in &project.frontends {
        let to = format!("./{}/", frontend.output);
        let step = Step::copy_from(&frontend.stage, &frontend.stage, [frontend.built()], &to).linked();
        stage.push(step.why("the program serves it"));
    }
    if !package.is_empty() && !is_standalone(layout.node) {
        let mut step = Step::workdir(&format!("{}/{package}", layout.workdir));
        step.id = "workdir-package".into();
        // The copies before it go to paths relative to the root.
        let earlier: Vec<String> = stage.steps.iter().map(|step| step.id.clone()).collect();
        stage.push(step.after(earlier));
    }
    service.user = user(&image, layout).into();
    service.health = layout.node.listen.health.clone();
    if system::family(&image) != Family::Distroless {
        let program = if runs_on_bun(layout.node) { "bun" } else { "node" };
        let script = "fetch(process.argv[1]).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))";
        service.probe = [program, "-e", script, "{url}"].map(str::to_owned).to_vec();
    }
    command(&mut service, layout, &image)?;
    finish(&mut stage, &service, layout.config);
    Ok(stage)
}

fn image(layout: &Layout<'_>) -> Result<String> {
    let node = layout.node;
    let image = match (&layout.config.runtime, runs_on_bun(node)) {
        (Some(image), _) => image.clone(),
        (None, true) => "oven/bun:1-slim".into(),
        (None, false) if layout.config.base.is_some() => layout.image.clone(),
        (None, false) => format!("node:{}-{}-slim", node.version, suite(node.version, system::SUITE)),
    };
    if lacks_node(&image) {
        return Err(Error::Unsupported {
            reason: format!("`{image}` has no Node to run the program"),
            hint: format!("choose an image that has it with `runtime`, such as `node:{}-trixie-slim`", node.version),
        });
    }
    let family = system::family(&image);
    let libc = |family: Family| family == Family::Alpine;
    if has_modules(node) && libc(family) != libc(system::family(&layout.image)) {
        return Err(Error::Unsupported {
            reason: format!("modules that are installed in `{}` may not load in `{image}`", layout.image),
            hint: "choose `base` and `runtime` with the same C library: both Alpine, or neither".into(),
        });
    }
    Ok(image)
}

/// Static files behind nginx.
fn files(layout: &Layout<'_>, dir: &str, mut service: Service) -> Stage {
    let image = layout.config.runtime.clone().unwrap_or_else(|| WEB_SERVER.to_owned());
    let mut stage = Stage::from_image("runtime", image);
    let conf = Step::copy_from("server", "build", ["/tmp/nginx.conf"], "/etc/nginx/conf.d/default.conf");
    stage.push(conf.linked().change(crate::plan::Change::Never).why("text of the Dockerfile alone"));
    let built = format!("{}/{}", layout.workdir, within(layout.package_dir(), dir));
    let step = Step::copy_from("files", "build", [built], "/usr/share/nginx/html/");
    stage.push(step.linked().after([] as [&str; 0]).why("what the build made"));
    if !layout.config.env.is_empty() {
        stage.push(Step::env("environment", layout.config.env.clone()));
    }
    service.user = "101:101".into();
    finish(&mut stage, &service, layout.config);
    stage
}

fn is_standalone(node: &NodeProject) -> bool {
    matches!(node.framework, Framework::Nuxt | Framework::Nitro)
}

fn environment(layout: &Layout<'_>) -> BTreeMap<String, String> {
    let node = layout.node;
    let mut env = BTreeMap::from([("NODE_ENV".to_owned(), "production".to_owned())]);
    env.extend(node.system.env.iter().filter(|(name, _)| name == "PUPPETEER_EXECUTABLE_PATH").cloned());
    env.extend(node.start.iter().flat_map(|start| start.env.clone()));
    env.extend(node.listen.env.clone());
    env.extend(layout.config.env.clone());
    env
}

/// Copies the modules of the running program.
fn modules(stage: &mut Stage, layout: &Layout<'_>) {
    let node = layout.node;
    if !has_modules(node) {
        return;
    }
    let from = modules_stage(layout);
    let why = "changes only with the dependencies: a layer of its own";
    let app = &layout.workdir;
    if node.workspace || node.manager.pnp {
        // Members have module folders of their own, and links between them must stay true.
        let step = Step::copy_from("modules", &from, [format!("{app}/")], "./");
        stage.push(step.linked().after(["workdir"]).change(crate::plan::Change::Lockfile).why(why));
    } else {
        let step = Step::copy_from("modules", &from, [format!("{app}/node_modules")], "./node_modules/");
        stage.push(step.linked().after(["workdir"]).change(crate::plan::Change::Lockfile).why(why));
    }
    let hoisted = node.manager.kind != ManagerKind::Pnpm && !node.manager.pnp;
    if let Some(prisma) = node.prisma.as_ref().filter(|prisma| prisma.in_modules && hoisted)
        && from != layout.name("deps")
    {
        let client = format!("{app}/node_modules/.prisma");
        let step = Step::copy_from("client", &layout.name("deps"), [client], "./node_modules/.prisma/");
        stage.push(step.linked().why(format!("Prisma's client, generated from {}", prisma.schema)));
    }
}

/// Copies the program.
fn application(stage: &mut Stage, layout: &Layout<'_>, owner: Option<&str>) {
    let node = layout.node;
    let package = layout.package_dir();
    let last = stage.steps.last().map(|step| step.id.clone()).unwrap_or_default();
    let mut push = |mut step: Step| {
        if let Some(owner) = owner {
            step = step.owned_by(owner);
        }
        stage.push(step.after(["workdir".to_owned(), last.clone()]));
    };
    let folders = || {
        let members = node.members.iter().map(|dir| inside(node, dir.as_str())).filter(|dir| !dir.is_empty());
        members.map(str::to_owned).collect::<Vec<_>>()
    };
    let whole = package.is_empty();
    match &node.keep {
        Keep::Sources if whole => push(Step::copy("application", [Source::from(".")], "./")),
        Keep::Sources => {
            push(Step::copy("application", ["package.json"], "./"));
            for folder in folders() {
                push(Step::copy(&format!("application-{folder}"), [folder.clone()], &format!("./{folder}/")));
            }
        }
        Keep::All if whole => {
            push(Step::copy_from("application", "build", [format!("{}/", layout.workdir)], "./").linked())
        }
        Keep::All => {
            push(Step::copy_from("application", "build", [format!("{}/package.json", layout.workdir)], "./").linked());
            for folder in folders() {
                let from = format!("{}/{folder}", layout.workdir);
                push(
                    Step::copy_from(&format!("application-{folder}"), "build", [from], &format!("./{folder}/"))
                        .linked(),
                );
            }
        }
        Keep::Paths(paths) => built(layout, paths, &mut push),
    }
}

/// Copies what the build made, and of the rest what the program reads.
fn built(layout: &Layout<'_>, paths: &[String], push: &mut dyn FnMut(Step)) {
    let node = layout.node;
    let package = layout.package_dir();
    let app = within(&layout.workdir, package);
    let app = app.trim_end_matches('/');
    let flat = is_standalone(node);
    let dest = |path: &str| if flat { path.to_owned() } else { within(package, path) };
    if let Framework::Next { standalone: true } = node.framework {
        push(Step::copy_from("standalone", "build", [format!("{app}/.next/standalone/")], "./").linked());
        let to = format!("./{}/", dest(".next/static"));
        push(Step::copy_from("static", "build", [format!("{app}/.next/static")], &to).linked());
    }
    let is_file = |path: &str| path.trim_start_matches('.').contains('.') && !path.starts_with(".next");
    let files: Vec<String> = paths.iter().filter(|path| is_file(path)).map(|path| format!("{app}/{path}")).collect();
    for path in paths.iter().filter(|path| !is_file(path)) {
        let id = format!("built-{path}");
        push(Step::copy_from(&id, "build", [format!("{app}/{path}")], &format!("./{}/", dest(path))).linked());
    }
    if !files.is_empty() {
        let to = if package.is_empty() || flat { "./".to_owned() } else { format!("./{package}/") };
        push(Step::copy_from("files", "build", files, &to).linked());
    }
    // Packages of the workspace that the program imports.
    if has_modules(node) {
        for member in node.members.iter().map(|dir| inside(node, dir.as_str())).filter(|dir| *dir != package) {
            let from = format!("{}/{member}", layout.workdir);
            push(Step::copy_from(&format!("member-{member}"), "build", [from], &format!("./{member}/")).linked());
        }
    }
}

/// The user from the configuration, where it is a number.
fn config_user(layout: &Layout<'_>) -> Option<String> {
    layout.config.user.clone().filter(|user| user.bytes().all(|byte| byte.is_ascii_digit() || byte == b':'))
}

fn user(image: &str, layout: &Layout<'_>) -> &'static str {
    match system::family(image) {
        Family::Distroless => "65532:65532",
        _ if layout.config.runtime.is_none() || image.contains("node") || image.contains("bun") => "1000:1000",
        _ => system::USER,
    }
}

/// Fills in what the container runs.
fn command(service: &mut Service, layout: &Layout<'_>, image: &str) -> Result<()> {
    let node = layout.node;
    let Some(start) = node.start.as_ref().filter(|_| layout.config.command.is_none()) else { return Ok(()) };
    let argv = program(layout, &start.argv);
    let shell = shell(layout, start, &argv);
    if system::family(image) == Family::Distroless {
        if shell.is_some() {
            return Err(Error::Unsupported {
                reason: format!("the start script needs a shell, which `{image}` has not"),
                hint: "choose another image with `runtime`, or say the whole command with `command`".into(),
            });
        }
        service.entrypoint = vec!["/nodejs/bin/node".into()];
        service.command = if argv.first().is_some_and(|word| word == "node") { argv[1..].to_vec() } else { argv };
        return Ok(());
    }
    service.command = match shell {
        Some(text) => vec!["sh".into(), "-c".into(), text],
        None => argv,
    };
    Ok(())
}

/// A program with its arguments as the final image has it.
fn program(layout: &Layout<'_>, argv: &[String]) -> Vec<String> {
    let node = layout.node;
    let Some((first, rest)) = argv.split_first() else { return Vec::new() };
    let known = matches!(first.as_str(), "node" | "bun" | "sh" | "bash" | "npm" | "npx") || first.contains('/');
    if first == "node" && node.manager.pnp {
        let hook = format!("{}/.pnp.cjs", layout.workdir);
        return ["node".to_owned(), "-r".to_owned(), hook].into_iter().chain(rest.iter().cloned()).collect();
    }
    let standalone = matches!(node.framework, Framework::Next { standalone: true });
    if known && !(standalone && rest.is_empty()) {
        return argv.to_vec();
    }
    let own = layout.package_dir().is_empty() || node.manager.kind == ManagerKind::Pnpm;
    let bin = format!("node_modules/.bin/{first}");
    let path = if own { bin } else { format!("{}/{bin}", layout.workdir) };
    std::iter::once(path).chain(rest.iter().cloned()).collect()
}

/// The text for a shell, where one is needed.
fn shell(layout: &Layout<'_>, start: &Start, argv: &[String]) -> Option<String> {
    if let Some(script) = &start.shell {
        return Some(format!(
            "export PATH=\"$PWD/node_modules/.bin:{}/node_modules/.bin:$PATH\"; {script}",
            layout.workdir
        ));
    }
    if start.before.is_empty() {
        return None;
    }
    let quoted = |words: &[String]| {
        let words: Vec<String> = words.iter().map(|word| crate::plan::quote::shell(word)).collect();
        words.join(" ")
    };
    let mut parts: Vec<String> = start.before.iter().map(|command| quoted(&program(layout, command))).collect();
    parts.push(format!("exec {}", quoted(argv)));
    Some(parts.join(" && "))
}
