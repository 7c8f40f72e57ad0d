//! Python projects.
//!
//! Input: manifests, locks and a light look into the sources. Output: [`PythonProject`]. The one idea: a lock beats a
//! manifest, a manifest beats a file name, and what none of them says is a warning or an error.

mod deps;
mod django;
mod files;
pub(crate) mod image;
mod locate;
mod lock;
mod manager;
mod packages;
mod paths;
mod procfile;
mod pyproject;
mod registry;
mod requirement;
mod requirements;
mod servers;
mod services;
mod sources;
mod start;
mod target;
mod version;

pub(crate) use django::Django;
pub(crate) use manager::{Install, Manager, Metadata};
pub(crate) use start::Start;
pub(crate) use version::Version;

use std::collections::BTreeSet;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::facts::{Claim, Credential, Notes};
use crate::tree::{RelPath, Tree};

use deps::Deps;
use manager::Found;
use pyproject::Pyproject;
use registry::Passing;
use start::Scene;

/// The facts about a Python project.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub(crate) struct PythonProject {
    /// The project's name.
    pub name: String,
    /// The folder of the manifests, relative to the project; it becomes the image's working directory.
    pub dir: RelPath,
    /// Which Python.
    pub version: Version,
    /// What is installed.
    pub install: Install,
    /// Whether the project itself is installed, beside its dependencies.
    pub installs_itself: bool,
    /// Whether it has parts that are compiled.
    pub native: bool,
    /// Variables that stand in for the version that is otherwise read from git.
    pub version_variables: Vec<String>,
    /// Whether a file names an exact release that the image may be ahead of.
    pub exact_pin: bool,
    /// What the container runs.
    pub start: Start,
    /// The Django project in it.
    pub django: Option<Django>,
    /// Debian packages that the dependencies are compiled with.
    pub build_packages: BTreeSet<String>,
    /// Debian packages that the dependencies run with.
    pub run_packages: BTreeSet<String>,
    /// Credentials of package indexes.
    pub credentials: Vec<Credential>,
    /// Whether the program writes into its own folder.
    pub writes: bool,
    /// The README of the project, relative to the folder of the manifests, where an empty one will do for the build.
    pub readme: Option<RelPath>,
    /// Whether no source imports a test, so that tests can stay out of the image.
    pub tests_apart: bool,
}

/// Whether the image may be for this stack.
///
/// # Errors
/// As [`crate::generate`].
pub(crate) fn claim(tree: &dyn Tree) -> Result<Option<Claim>> {
    let place =
        locate::places(tree).into_iter().max_by_key(|place| (place.strength, std::cmp::Reverse(place.dir.clone())));
    Ok(place.map(|place| Claim::new(place.strength, place.file, place.line, place.reason)))
}

/// Reads the facts.
///
/// # Errors
/// As [`crate::generate`].
pub(crate) fn detect(tree: &dyn Tree, config: &Config, notes: &mut Notes) -> Result<PythonProject> {
    let place = locate::choose(tree)?;
    let dir = place.dir;
    let Found { install, deps, indexes, pyproject, scripts } = manager::read(tree, &dir, config, notes)?;
    let app_dir = dir.join(install.member.as_str()).unwrap_or_default();
    let sources = sources::read(tree, &app_dir);
    let name = name(tree, &dir, pyproject.as_ref());
    let django = django_of(tree, &app_dir, &deps, notes);
    let scene = Scene {
        tree,
        dir: &app_dir,
        deps: &deps,
        pyproject: pyproject.as_ref(),
        sources: &sources,
        django: django.as_ref(),
        scripts: &scripts,
        config,
        name: &name,
    };
    let mut start = start::choose(&scene, notes)?;
    let asking = version::choose::Asking {
        tree,
        dir: &dir,
        app_dir: &app_dir,
        pyproject: pyproject.as_ref(),
        deps: &deps,
        manifest: &place.file,
    };
    let (version, exact_pin) = version::choose::choose(&asking, config, notes)?;
    let native = is_native(tree, &app_dir, pyproject.as_ref());
    let installs_itself = installs_itself(tree, &app_dir, &install, pyproject.as_ref(), &start);
    if start.own_script && !installs_itself {
        return Err(Error::CannotStart {
            reason: format!(
                "the console script `{}` needs the project to be installed, and it has no build system",
                start.command.join(" ")
            ),
            hint: "add `[build-system]` to pyproject.toml, or name a script or `module:app` with `bin`".into(),
        });
    }
    let in_place =
        installs_itself || install.local.iter().any(|(argument, _)| argument == "." || argument.starts_with(".["));
    if in_place && start.python_path.as_ref().is_some_and(|path| path.as_str() == "src") {
        start.python_path = None;
    }
    let (build_packages, run_packages) =
        system_packages(&deps, &install, django.as_ref(), native, version, config, notes);
    let passing = match install.manager {
        Some(Manager::Uv) => Passing::Variables("UV_INDEX"),
        Some(Manager::Poetry) => Passing::Variables("POETRY_HTTP_BASIC"),
        _ => Passing::Netrc,
    };
    let mut credentials = registry::credentials(&indexes, passing)?;
    if install.ssh {
        credentials.push(Credential::Ssh);
    }
    let writes = files::writes(&app_dir, &sources, django.as_ref(), notes);
    files::assets(tree, &app_dir, &sources, django.as_ref(), &start, notes);
    let readme = pyproject.as_ref().filter(|_| installs_itself).and_then(|pyproject| {
        files::quoted_only(tree, &app_dir, pyproject, &sources).and_then(|name| install.member.join(&name))
    });
    files::keep(tree, &dir, &app_dir, pyproject.as_ref(), installs_itself, readme.is_some(), notes);
    files::documents(tree, &app_dir, &sources, notes);
    labels(&name, pyproject.as_ref(), notes);
    Ok(PythonProject {
        name,
        version,
        installs_itself,
        native: native && installs_itself,
        version_variables: version_variables(tree, &app_dir, pyproject.as_ref()),
        exact_pin,
        start,
        django,
        build_packages,
        run_packages,
        credentials,
        writes,
        readme,
        tests_apart: files::tests_apart(&sources, pyproject.as_ref()),
        dir,
        install,
    })
}

fn name(tree: &dyn Tree, dir: &RelPath, pyproject: Option<&Pyproject>) -> String {
    let of_setup = || manager::setup_name(tree, dir);
    // Not the name of the folder, which differs from one checkout to the next.
    pyproject.and_then(Pyproject::name).map(str::to_owned).or_else(of_setup).unwrap_or_else(|| "app".into())
}

/// The Django project at the top, or in a folder or two further down.
fn django_of(tree: &dyn Tree, app_dir: &RelPath, deps: &Deps, notes: &mut Notes) -> Option<Django> {
    if !deps.has("django") && !deps.partly_unknown {
        return None;
    }
    let skip = if app_dir.as_str().is_empty() { 0 } else { app_dir.as_str().len() + 1 };
    let inside = tree.under(app_dir.as_str()).filter_map(|(path, _)| path.as_str().get(skip..));
    let mut places: Vec<&str> = inside
        .filter(|path| *path == "manage.py" || path.ends_with("/manage.py"))
        .filter(|path| path.matches('/').count() <= 2 && !path.split('/').any(sources::is_aside))
        .collect();
    places.sort_by_key(|path| (path.matches('/').count(), *path));
    let mut found = places.iter().filter_map(|path| {
        let dir = RelPath::new(path.rsplit_once('/').map_or("", |(dir, _)| dir))?;
        django::read(tree, app_dir, &dir)
    });
    let django = found.next()?;
    for (path, line, reason) in &django.evidence {
        notes.found(path.clone(), *line, reason.clone());
    }
    if let Some(other) = found.next() {
        notes.warn(format!("there is a second manage.py in `{}`; run there for its image", other.dir));
    }
    if !django.required.is_empty() {
        let names: Vec<&str> = django.required.keys().map(String::as_str).collect();
        notes.warn(format!("the settings need {} when the container runs", names.join(", ")));
    }
    Some(django)
}

fn is_native(tree: &dyn Tree, app_dir: &RelPath, pyproject: Option<&Pyproject>) -> bool {
    let backend = pyproject.and_then(|pyproject| pyproject.str("build-system.build-backend")).unwrap_or_default();
    let requires = pyproject.map(|pyproject| pyproject.strings("build-system.requires")).unwrap_or_default();
    let compiled = ["maturin", "mesonpy", "scikit_build_core.build", "setuptools_rust", "skbuild"];
    let setup = app_dir.join("setup.py").map(|path| tree.scan(path.as_str())).unwrap_or_default();
    compiled.contains(&backend)
        || requires.iter().any(|line| line.starts_with("setuptools-rust") || line.to_lowercase().starts_with("cython"))
        || ["ext_modules", "rust_extensions", "cythonize("].iter().any(|mark| setup.contains(mark))
}

/// Whether the project is installed beside its dependencies, as its manager does by default.
fn installs_itself(
    tree: &dyn Tree,
    app_dir: &RelPath,
    install: &Install,
    pyproject: Option<&Pyproject>,
    start: &Start,
) -> bool {
    let project = pyproject.filter(|pyproject| pyproject.has("project") || pyproject.has("tool.poetry"));
    let buildable = project.is_some_and(|project| project.has("build-system"));
    let has_setup = app_dir.join("setup.py").is_some_and(|path| tree.has(path.as_str()));
    match install.manager {
        Some(Manager::Uv) => {
            let says = pyproject.and_then(|project| project.get("tool.uv.package")).and_then(toml::Value::as_bool);
            says.unwrap_or(buildable)
        }
        Some(Manager::Poetry) => {
            let says = pyproject.and_then(|project| project.get("tool.poetry.package-mode"));
            says.and_then(toml::Value::as_bool).unwrap_or(true)
        }
        Some(Manager::Pdm) => {
            let says = pyproject.and_then(|project| project.get("tool.pdm.distribution"));
            says.and_then(toml::Value::as_bool).unwrap_or(buildable)
        }
        Some(Manager::Pipenv) | None => false,
        // A project with requirements files is run from its folder, unless one of them says otherwise.
        Some(Manager::Pip) if !install.requirements.is_empty() => {
            install.local.is_empty() && start.own_script && (buildable || has_setup)
        }
        Some(Manager::Pip) => buildable || has_setup && install.metadata == Some(Metadata::Setup),
    }
}

fn system_packages(
    deps: &Deps,
    install: &Install,
    django: Option<&Django>,
    native: bool,
    version: Version,
    config: &Config,
    notes: &mut Notes,
) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut build: BTreeSet<String> = config.build_packages.iter().cloned().collect();
    let mut run: BTreeSet<String> = BTreeSet::new();
    let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let all = deps.all();
    for (name, pinned) in &all {
        let files = deps.lock.as_ref().and_then(|lock| lock.get(name)).map(|locked| locked.files.as_slice());
        let too_old = pinned
            .as_ref()
            .and_then(|pinned| version::newest_for(name, pinned))
            .filter(|newest| *newest < version.minor);
        let wheel = files.and_then(|files| lock::has_wheel(files, version.minor, false)).or(too_old.map(|_| false));
        let Some(mut needs) = packages::needs(name, wheel) else { continue };
        if !needs.build.is_empty() || !needs.run.is_empty() {
            let (path, line) = deps.evidence(name).or_else(|| Some((install.lock.clone()?, None))).unwrap_or_default();
            let packages: Vec<&str> = needs.build.union(&needs.run).map(String::as_str).collect();
            notes.found(path, line, format!("{name} needs {}", packages.join(", ")));
        }
        build.append(&mut needs.build);
        run.append(&mut needs.run);
    }
    // Plain psycopg 3 loads the system's libpq.
    if all.contains_key("psycopg") {
        let extras = deps.direct.get("psycopg").map(|direct| direct.requirement.extras.clone()).unwrap_or_default();
        let brings_own = all.contains_key("psycopg-binary") || extras.contains("binary");
        if !brings_own {
            run.insert("libpq5".into());
        }
        if extras.contains("c") && !all.contains_key("psycopg-c") {
            build.extend(own(&["gcc", "libc6-dev", "libpq-dev"]));
        }
    }
    if django.is_some_and(|django| django.gis) {
        run.insert("gdal-bin".into());
    }
    if install.git {
        build.extend(own(&["ca-certificates", "git"]));
    }
    if install.ssh {
        build.insert("openssh-client".into());
    }
    if native {
        build.extend(own(&["cargo", "g++", "pkg-config"]));
    }
    (build, run)
}

/// Variables that stand in for the version that the build would read from git.
fn version_variables(tree: &dyn Tree, app_dir: &RelPath, pyproject: Option<&Pyproject>) -> Vec<String> {
    let requires = pyproject.map(|pyproject| pyproject.strings("build-system.requires")).unwrap_or_default().join(" ");
    let setup = ["setup.py", "setup.cfg"]
        .map(|file| app_dir.join(file).map(|path| tree.scan(path.as_str())).unwrap_or_default())
        .join(" ");
    let known = [
        (["setuptools-scm", "setuptools_scm", "hatch-vcs"], "SETUPTOOLS_SCM_PRETEND_VERSION"),
        (["pbr", "pbr>", "pbr="], "PBR_VERSION"),
        (["pdm-backend", "pdm.backend", "pdm-pep517"], "PDM_BUILD_SCM_VERSION"),
        (
            ["poetry-dynamic-versioning", "poetry_dynamic_versioning", "poetry-dynamic"],
            "POETRY_DYNAMIC_VERSIONING_BYPASS",
        ),
        (["uv-dynamic-versioning", "uv_dynamic_versioning", "uv-dynamic"], "UV_DYNAMIC_VERSIONING_BYPASS"),
    ];
    let from_git = |marks: &[&str; 3], variable: &str| {
        let named = marks.iter().any(|mark| requires.contains(mark) || setup.contains(mark) && *mark != "pbr");
        let dynamic = pyproject.is_none_or(|pyproject| pyproject.is_dynamic("version") || !pyproject.has("project"));
        named && (dynamic || variable.starts_with("POETRY"))
    };
    known
        .iter()
        .filter(|(marks, variable)| from_git(marks, variable))
        .map(|(_, variable)| (*variable).to_owned())
        .collect()
}

fn labels(name: &str, pyproject: Option<&Pyproject>, notes: &mut Notes) {
    let mut label = |key: &str, value: Option<&str>| {
        notes.label(key, value.unwrap_or_default());
    };
    let Some(pyproject) = pyproject.filter(|pyproject| pyproject.name().is_some()) else { return };
    label("title", Some(name));
    label("description", pyproject.str("project.description").or_else(|| pyproject.str("tool.poetry.description")));
    let licence = pyproject.str("project.license").or_else(|| pyproject.str("project.license.text"));
    label("licenses", licence.or_else(|| pyproject.str("tool.poetry.license")));
    let urls = ["repository", "Repository", "source", "Source", "Source Code", "GitHub"];
    let found = urls.iter().find_map(|key| pyproject.str(&format!("project.urls.{key}")));
    label("source", found.or_else(|| pyproject.str("tool.poetry.repository")));
}
