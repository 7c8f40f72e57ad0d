//! The stages of a Go service.
//!
//! Input: [`GoProject`]. Output: [`Plan`]. The one idea: Go's build cache is keyed by content, so two cache mounts and
//! a module layer are all that a quick and right rebuild needs.

use crate::config::Config;
use crate::error::Result;
use crate::project::Project;
use crate::project::go::GoProject;

use super::service::{Service, finish};
use super::system::{DISTROLESS_SUITE, SUITE, default_user};
use super::{Change, Plan, Source, Stage, Step};

/// Plans the image.
///
/// # Errors
/// As [`Plan::new`].
pub fn plan(project: &Project, go: &GoProject, config: &Config) -> Result<Plan> {
    let base = config.base.clone().unwrap_or_else(|| format!("golang:{}-{SUITE}", go.version));
    let runtime =
        config.runtime.clone().unwrap_or_else(|| format!("gcr.io/distroless/static-{DISTROLESS_SUITE}:nonroot"));
    let mut first = Stage::from_image("base", base);
    first.push(Step::workdir("/src"));
    first.push(Step::env("environment", [("CGO_ENABLED", "0")]));

    let mut deps =
        Stage::from_stage("deps", "base").comment("Modules: fetched again only when go.mod or go.sum changes.");
    let manifests = [Source::from("go.mod"), Source::Pattern("go.sum*".into())];
    deps.push(Step::copy("manifests", manifests, "./").change(Change::Manifest));
    deps.push(Step::run("download", "go/download").cache("go-modules", "/go/pkg/mod").seconds(20.0));

    let mut build = Stage::from_stage("build", "deps");
    build.push(Step::copy("sources", ["."], "./"));
    let compile = Step::run("build", "go/build").word("package", format!("./{}", go.main.trim_start_matches("./")));
    build.push(compile.cache("go-modules", "/go/pkg/mod").cache("go-build", "/root/.cache/go-build"));

    let mut last = Stage::from_image("runtime", runtime.clone());
    let binary = format!("/usr/local/bin/{}", go.binary);
    last.push(Step::copy_from("binary", "build", [format!("/out/{}", go.binary)], "/usr/local/bin/").linked());
    let service = Service { entrypoint: vec![binary], user: default_user(&runtime).into(), ..Service::default() };
    finish(&mut last, &service, config);
    Ok(Plan {
        stages: vec![first, deps, build, last],
        made_from: vec!["go.mod".into()],
        ignore: vec![(project.name.clone(), vec!["*.test".into()])],
        ..Plan::default()
    })
}
