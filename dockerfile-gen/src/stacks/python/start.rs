//! What the container runs.
//!
//! Input: a [`Scene`], all that is known of the project. Output: [`Start`]. The one idea: the first of configuration,
//! Procfile, framework, console script and script that leads to a program which will be in the image; if none does, the
//! image is not written.

mod app;
mod ports;
mod script;

use std::collections::BTreeMap;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::facts::Notes;
use crate::tree::{RelPath, Tree};

use super::deps::Deps;
use super::django::Django;
use super::procfile;
use super::pyproject::Pyproject;
use super::servers::Serve;
use super::sources::{Sources, is_identifier};
use ports::{health, is_health, last_number};

/// What the container runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub(crate) struct Start {
    /// What it is made with, such as `FastAPI`.
    pub framework: Option<String>,
    /// The argument list.
    pub command: Vec<String>,
    /// The port that it listens on.
    pub port: Option<u16>,
    /// The path of its health endpoint.
    pub health: Option<String>,
    /// Variables that it needs.
    pub env: BTreeMap<String, String>,
    /// The folder that it runs in, relative to the folder of the Python project.
    pub dir: RelPath,
    /// The folder that its modules are imported from, where that is not the one that it runs in.
    pub python_path: Option<RelPath>,
    /// Whether it is a console script of the project, which must be installed then.
    pub own_script: bool,
}

/// All that is known of a project when its command is looked for.
pub(crate) struct Scene<'a> {
    /// The files.
    pub(crate) tree: &'a dyn Tree,
    /// The folder of the Python project.
    pub(crate) dir: &'a RelPath,
    /// Its dependencies.
    pub(crate) deps: &'a Deps,
    /// Its pyproject.toml.
    pub(crate) pyproject: Option<&'a Pyproject>,
    /// Its sources.
    pub(crate) sources: &'a Sources,
    /// Its Django project.
    pub(crate) django: Option<&'a Django>,
    /// Its console scripts.
    pub(crate) scripts: &'a [(String, String)],
    /// What the user decides.
    pub(crate) config: &'a Config,
    /// Its name.
    pub(crate) name: &'a str,
}

/// Chooses what the container runs.
///
/// # Errors
/// [`Error::CannotStart`] if nothing does.
pub(crate) fn choose(scene: &Scene<'_>, notes: &mut Notes) -> Result<Start> {
    if let Some(bin) = &scene.config.bin {
        return scene.named(bin, notes);
    }
    if let Some(start) = scene.procfile(notes)? {
        return Ok(start);
    }
    if let Some(django) = scene.django {
        return scene.django(django, notes);
    }
    if let Some(start) = scene.declared(notes) {
        return Ok(start);
    }
    for app in scene.sources.apps() {
        if let Some(start) = scene.app(&app, notes)? {
            scene.say_others(&app, notes);
            return Ok(start);
        }
    }
    if let Some(start) = scene.streamlit(notes)?.or_else(|| scene.script_of_project(notes)) {
        return Ok(start);
    }
    if let Some(start) = scene.plain_script(notes) {
        return Ok(start);
    }
    if scene.config.command.is_some() {
        return Ok(Start::default());
    }
    Err(Error::CannotStart {
        reason: format!("nothing in the Python project `{}` says what to run", scene.name),
        hint: "name a script, a module or `module:app` with `bin` (`--bin`), or the whole command with `command`"
            .into(),
    })
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

impl Scene<'_> {
    fn at(&self, path: &str) -> String {
        self.dir.join(path).map(|path| path.to_string()).unwrap_or_default()
    }

    fn has(&self, path: &str) -> bool {
        self.tree.has(&self.at(path))
    }

    fn port(&self, found: Option<u16>, default: u16) -> u16 {
        self.config.port.or(found).unwrap_or(default)
    }

    /// What `bin` names: a file, `module:object`, a console script or a module.
    fn named(&self, bin: &str, notes: &mut Notes) -> Result<Start> {
        if bin.ends_with(".py") && self.has(bin) {
            return Ok(self.file(bin));
        }
        if let Some((module, object)) = bin.split_once(':') {
            let apps = self.sources.apps();
            let known = apps.iter().find(|app| {
                app.object == object.trim_end_matches("()") && self.module_of(app).is_some_and(|found| found == module)
            });
            if let Some(start) = known.map(|app| self.app(app, notes)).transpose()?.flatten() {
                return Ok(start);
            }
            let serve =
                Serve { target: bin, factory: false, port: self.port(None, 8000), bound: self.bound().is_some() };
            let asgi = self.deps.first(&["fastapi", "starlette", "litestar", "quart"]).is_some();
            let command =
                if asgi { serve.asgi(self.deps) } else { serve.wsgi(self.deps).or_else(|| serve.asgi(self.deps)) };
            let command = command.ok_or_else(|| no_server("a WSGI or ASGI application", "gunicorn` or `uvicorn"))?;
            return Ok(Start { command, port: Some(serve.port), ..Start::default() });
        }
        if self.scripts.iter().any(|(name, _)| name == bin) {
            return Ok(Start { command: words(&[bin]), port: self.config.port, own_script: true, ..Start::default() });
        }
        let module = bin.split('.').all(is_identifier) && {
            let base = bin.replace('.', "/");
            ["", "src/"]
                .iter()
                .any(|root| self.has(&format!("{root}{base}.py")) || self.has(&format!("{root}{base}/__main__.py")))
        };
        if module {
            return Ok(Start { command: words(&["python", "-m", bin]), port: self.config.port, ..Start::default() });
        }
        let scripts: Vec<String> = self.scripts.iter().map(|(name, _)| format!(" or `{name}`")).collect();
        Err(Error::CannotStart {
            reason: format!("`{bin}` is no script, module or console script of the project"),
            hint: format!("name a .py file, `module:app`, a module with `__main__`{}", scripts.join("")),
        })
    }

    /// The `web` process of a Procfile, if its program will be there.
    fn procfile(&self, notes: &mut Notes) -> Result<Option<Start>> {
        let path = self.at("Procfile");
        let Some(text) = self.tree.text(&path)? else { return Ok(None) };
        if let Some(release) = procfile::process(&text, "release") {
            notes.warn(format!(
                "{path}:{} runs `{}` before a release; the image does not",
                release.line, release.command
            ));
        }
        let Some(web) = procfile::process(&text, "web") else { return Ok(None) };
        let program = procfile::program(&web.command);
        let script = web.command.split_whitespace().find(|word| word.ends_with(".py"));
        let there = match (procfile::distribution(program), program) {
            (Some(distribution), _) => self.deps.has(distribution) || self.deps.partly_unknown,
            (None, "python" | "python3") => script.is_none_or(|script| self.has(script)),
            (None, program) => {
                self.scripts.iter().any(|(name, _)| name == program) || program.contains('/') && self.has(program)
            }
        };
        if !there {
            notes.warn(format!("{path}:{} runs `{program}`, which the project does not depend on: not used", web.line));
            return Ok(None);
        }
        if web.command.contains("runserver") || web.command.contains("flask run") {
            notes.warn(format!("{path}:{} runs a development server: not used", web.line));
            return Ok(None);
        }
        notes.found(path, Some(web.line), format!("runs `{program}`"));
        let mut start = Start { port: Some(self.port(None, 8000)), ..Start::default() };
        // gunicorn listens on $PORT by itself, uvicorn on an address of its own; both mean all interfaces here.
        let port = start.port.map(|port| port.to_string()).unwrap_or_default();
        let bound = [" -b", "--bind", "--port", "--http"].iter().any(|option| web.command.contains(option));
        let runs = |names: &[&str]| web.command.split_whitespace().any(|word| names.contains(&word));
        let reads_port = web.command.contains("PORT") || !bound && runs(&["gunicorn", "uwsgi", "python", "python3"]);
        if reads_port {
            start.env.insert("PORT".into(), port.clone());
        }
        if program == "uvicorn" && !web.command.contains("--host") {
            start.env.insert("UVICORN_HOST".into(), "0.0.0.0".into());
        }
        if program == "uvicorn" && !web.command.contains("--port") {
            start.env.insert("UVICORN_PORT".into(), port);
        } else if let (false, Some(found)) = (reads_port, last_number(&web.command)) {
            start.port = Some(self.port(Some(found), found));
        }
        if self.scripts.iter().any(|(name, _)| name == program) {
            start.own_script = true;
        }
        self.django_environment(&mut start);
        start.command = web.words.unwrap_or_else(|| vec!["sh".into(), "-c".into(), procfile::with_exec(&web.command)]);
        Ok(Some(start))
    }

    fn django_environment(&self, start: &mut Start) {
        if let Some(django) = self.django.filter(|django| django.name_settings) {
            start.env.insert("DJANGO_SETTINGS_MODULE".into(), django.settings.clone());
        }
    }

    fn django(&self, django: &Django, notes: &mut Notes) -> Result<Start> {
        let conf = self.bound();
        let port = self.port(conf, 8000);
        let serve =
            |target: &str| Serve { target, factory: false, port, bound: conf.is_some() }.clone_command(self.deps);
        let asgi = django.asgi.as_deref().filter(|_| django.prefers_asgi).and_then(|target| serve(target).0);
        let wsgi = django.wsgi.as_deref().and_then(|target| serve(target).1);
        let late = django.asgi.as_deref().and_then(|target| serve(target).0);
        let mut start = Start {
            framework: Some("Django".into()),
            port: Some(port),
            dir: django.dir.clone(),
            health: self.django_health(django),
            ..Start::default()
        };
        self.django_environment(&mut start);
        if conf.is_some() {
            start.env.insert("PORT".into(), port.to_string());
        }
        start.command = match asgi.or(wsgi).or(late) {
            Some(command) => command,
            None => {
                notes.warn(
                    "no server is among the dependencies, so the image runs Django's development server, which is not for \
                     production: add `gunicorn` (or `uvicorn`)",
                );
                words(&["python", "manage.py", "runserver", "--noreload", &format!("0.0.0.0:{port}")])
            }
        };
        Ok(start)
    }

    fn django_health(&self, django: &Django) -> Option<String> {
        let package = django.wsgi.as_ref().or(django.asgi.as_ref())?.split('.').next()?.to_owned();
        let urls = self.sources.get(django.dir.join(&format!("{package}/urls.py"))?.as_str())?;
        let line = urls.text.lines().find(|line| {
            let path = line.split(['"', '\'']).nth(1).unwrap_or_default();
            line.trim_start().starts_with("path(") && is_health(path) && !line.contains("include(")
        })?;
        let path = line.split(['"', '\'']).nth(1)?;
        django.answers_localhost.then(|| format!("/{}", path.trim_start_matches('/')))
    }

    /// The port that a gunicorn.conf.py listens on, if it says so.
    fn bound(&self) -> Option<u16> {
        let text = self.tree.scan(&self.at("gunicorn.conf.py"));
        let line = text.lines().find(|line| line.split('=').next().is_some_and(|name| name.trim() == "bind"))?;
        last_number(line).or(Some(8000)).filter(|_| self.deps.has("gunicorn"))
    }

    /// `[tool.fastapi] entrypoint`, with the command line that reads it.
    fn declared(&self, notes: &mut Notes) -> Option<Start> {
        let pyproject = self.pyproject?;
        let entrypoint = pyproject.str("tool.fastapi.entrypoint")?;
        if !self.deps.has("fastapi-cli") {
            return None;
        }
        notes.found(&pyproject.path, pyproject.line("entrypoint"), format!("`fastapi run` serves `{entrypoint}`"));
        let port = self.port(None, 8000);
        let file = format!("{}.py", entrypoint.split(':').next().unwrap_or_default().replace('.', "/"));
        let health = self.sources.get(&file).and_then(|source| health(source, "app"));
        Some(Start {
            framework: Some("FastAPI".into()),
            command: words(&["fastapi", "run", &format!("--port={port}")]),
            port: Some(port),
            health,
            ..Start::default()
        })
    }
}

impl Serve<'_> {
    /// The commands for ASGI and for WSGI.
    fn clone_command(self, deps: &Deps) -> (Option<Vec<String>>, Option<Vec<String>>) {
        (self.asgi(deps), self.wsgi(deps))
    }
}

fn no_server(what: &str, add: &str) -> Error {
    Error::CannotStart {
        reason: format!("there is {what}, but no server among the dependencies"),
        hint: format!("add `{add}` to the dependencies, or say what to run with `command`"),
    }
}
