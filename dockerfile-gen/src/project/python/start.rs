//! What the container runs.
//!
//! Input: a [`Scene`], all that is known of the project. Output: [`Start`]. The one idea: the first of configuration,
//! Procfile, framework, console script and script that leads to a program which will be in the image; if none does, the
//! image is not written.

use std::collections::BTreeMap;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::project::Notes;
use crate::tree::{RelPath, Tree};

use super::deps::Deps;
use super::django::Django;
use super::procfile;
use super::pyproject::Pyproject;
use super::servers::Serve;
use super::sources::{App, Maker, Source, Sources, is_identifier, line_with};
use super::target::target;

/// What the container runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Start {
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
        let reads_port =
            web.command.contains("PORT") || !bound && matches!(program, "gunicorn" | "uwsgi" | "python" | "python3");
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
        start.command = web.words.unwrap_or_else(|| {
            let simple = !web.command.contains(['&', ';', '|']) && !web.command.starts_with("exec ");
            let exec = if simple { "exec " } else { "" };
            vec!["sh".into(), "-c".into(), format!("{exec}{}", web.command)]
        });
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

    fn module_of(&self, app: &App) -> Option<String> {
        let source = self.sources.get(app.path.as_str())?;
        Some(target(self.tree, self.dir, source)?.module)
    }

    /// The server for an application object.
    fn app(&self, app: &App, notes: &mut Notes) -> Result<Option<Start>> {
        let Some(source) = self.sources.get(app.path.as_str()) else { return Ok(None) };
        let Some(framework) = self.framework(app) else { return Ok(None) };
        let Some(module) = target(self.tree, self.dir, source) else { return Ok(None) };
        let target = format!("{}:{}", module.module, app.object);
        let default = match framework {
            "Flask" | "Dash" if self.deps.first(&["gunicorn", "waitress", "uwsgi", "granian"]).is_none() => 5000,
            _ => 8000,
        };
        let conf = self.bound();
        let port = self.port(conf.or_else(|| port_of(&source.text)), default);
        let serve = Serve { target: &target, factory: app.factory, port, bound: conf.is_some() };
        let command = match framework {
            "Flask" | "Bottle" | "falcon" => serve.wsgi(self.deps),
            "Dash" => match line_with(&source.text, &["server = app.server", "server=app.server"]) {
                Some(_) => Serve { target: &format!("{}:server", module.module), ..serve }.wsgi(self.deps),
                None => None,
            },
            "Sanic" => Some(words(&["sanic", &target, "--host=0.0.0.0", &format!("--port={port}")])),
            "aiohttp" | "Robyn" | "FastMCP" => None,
            _ => serve.asgi(self.deps),
        };
        let mut start = Start {
            framework: Some(framework.to_owned()),
            port: Some(port),
            health: health(source, &app.object),
            python_path: Some(module.root.clone()).filter(|root| !root.as_str().is_empty()),
            ..Start::default()
        };
        if conf.is_some() {
            start.env.insert("PORT".into(), port.to_string());
        }
        self.run_beside_data(&mut start, source, &module.root);
        start.command = match command {
            Some(command) => command,
            None => match self.without_server(framework, app, source, &target, &mut start, notes)? {
                Some(command) => command,
                None => return Ok(None),
            },
        };
        let what = if app.factory { "is made by" } else { "is" };
        notes.found(
            self.at(app.path.as_str()),
            Some(app.line),
            format!("the {framework} application {what} `{target}`"),
        );
        Ok(Some(start))
    }

    /// Folders that are named relative to where the program runs decide where that is.
    fn run_beside_data(&self, start: &mut Start, source: &Source, root: &RelPath) {
        let named = source
            .text
            .match_indices("directory=")
            .filter_map(|(at, _)| source.text.get(at + 10..)?.strip_prefix(['"', '\''])?.split(['"', '\'']).next());
        let here =
            |base: &RelPath, name: &str| base.join(name).is_some_and(|path| self.tree.has_dir(&self.at(path.as_str())));
        for name in named {
            if !here(&RelPath::default(), name) && here(root, name) {
                start.dir = root.clone();
                start.python_path = None;
                return;
            }
        }
    }

    /// The framework of an application, if the project depends on it.
    fn framework(&self, app: &App) -> Option<&'static str> {
        let by_name = |name: &'static str| match name {
            "APIFlask" => "Flask",
            name => name,
        };
        match app.maker {
            Maker::Class(class) => {
                let distribution = class.to_ascii_lowercase();
                let there = self.deps.has(&distribution) || self.deps.partly_unknown;
                there.then(|| by_name(class))
            }
            Maker::Function => {
                let known = ["fastapi", "litestar", "quart", "starlette", "flask", "dash", "bottle", "aiohttp"];
                Some(match self.deps.first(&known)? {
                    "fastapi" => "FastAPI",
                    "litestar" => "Litestar",
                    "quart" => "Quart",
                    "starlette" => "Starlette",
                    "flask" => "Flask",
                    "dash" => "Dash",
                    "bottle" => "Bottle",
                    _ => "aiohttp",
                })
            }
        }
    }

    /// What there is when no server is among the dependencies.
    fn without_server(
        &self,
        framework: &str,
        app: &App,
        source: &Source,
        target: &str,
        start: &mut Start,
        notes: &mut Notes,
    ) -> Result<Option<Vec<String>>> {
        let file = app.path.as_str();
        let runs_itself =
            source.text.contains("__main__") || framework == "aiohttp" && source.text.contains("run_app(");
        match framework {
            "Flask" => {
                notes.warn(format!(
                    "no server is among the dependencies, so the image runs {framework}'s development server, which is not \
                     for production: add `gunicorn`"
                ));
                if runs_itself && source.text.contains("socketio.run(")
                    || source.text.contains("host=\"0.0.0.0\"") && runs_itself
                {
                    return Ok(Some(words(&["python", file])));
                }
                let port = start.port.unwrap_or(5000);
                let argument = format!("--app={target}");
                Ok(Some(words(&["flask", &argument, "run", "--host=0.0.0.0", &format!("--port={port}")])))
            }
            "Dash" if runs_itself => {
                notes.warn(
                    "no server is among the dependencies, so the image runs Dash's development server: add `gunicorn`",
                );
                start.env.insert("HOST".into(), "0.0.0.0".into());
                start.port = Some(self.port(port_of(&source.text), 8050));
                Ok(Some(words(&["python", file])))
            }
            "aiohttp" | "Robyn" | "FastMCP" | "Bottle" if runs_itself => {
                start.port = Some(self.port(port_of(&source.text), 8080));
                self.say_local(source, notes);
                Ok(Some(words(&["python", file])))
            }
            "aiohttp" | "Robyn" | "FastMCP" | "Dash" => Ok(None),
            _ if self.deps.partly_unknown => Ok(None),
            _ if self.config.command.is_some() => Ok(Some(Vec::new())),
            "FastAPI" => Err(no_server("a FastAPI application", "uvicorn` or `fastapi[standard]")),
            "Bottle" | "falcon" => Err(no_server(&format!("a {framework} application"), "gunicorn")),
            _ => Err(no_server(&format!("a {framework} application"), "uvicorn")),
        }
    }

    fn say_others(&self, chosen: &App, notes: &mut Notes) {
        let apps = self.sources.apps();
        let others: Vec<String> = apps
            .iter()
            .filter(|app| {
                let same_depth =
                    app.path.as_str().matches('/').count() <= chosen.path.as_str().matches('/').count() + 1;
                app.path != chosen.path && !app.factory && matches!(app.maker, Maker::Class(_)) && same_depth
            })
            .map(|app| format!("{}:{}", self.at(app.path.as_str()), app.line))
            .take(4)
            .collect();
        if !others.is_empty() && !chosen.factory && matches!(chosen.maker, Maker::Class(_)) {
            notes.warn(format!("there are other applications ({}); `bin` chooses another", others.join(", ")));
        }
    }

    fn streamlit(&self, notes: &mut Notes) -> Result<Option<Start>> {
        if !self.deps.has("streamlit") {
            return Ok(None);
        }
        let imports = |source: &&Source| {
            let text = &source.text;
            line_with(text, &["import streamlit", "from streamlit"]).is_some()
                && !source.path.as_str().contains("pages/")
        };
        let usual = ["streamlit_app.py", "app.py", "main.py", "Home.py", "home.py", "Hello.py"];
        let rank = |source: &&Source| {
            let name = source.path.file_name();
            let depth = source.path.as_str().matches('/').count();
            (depth, usual.iter().position(|usual| *usual == name).unwrap_or(usual.len()))
        };
        let Some(source) = self.sources.files.iter().filter(imports).min_by_key(rank) else { return Ok(None) };
        let config = self.tree.scan(&self.at(".streamlit/config.toml"));
        let found = config.lines().find_map(|line| line.trim().strip_prefix("port")?.trim_start().strip_prefix('='));
        let port = self.port(found.and_then(last_number), 8501);
        let file = source.path.as_str();
        notes.found(
            self.at(file),
            line_with(&source.text, &["import streamlit", "from streamlit"]),
            "a Streamlit script",
        );
        Ok(Some(Start {
            framework: Some("Streamlit".into()),
            command: words(&[
                "streamlit",
                "run",
                file,
                "--server.address=0.0.0.0",
                &format!("--server.port={port}"),
                "--server.headless=true",
                "--browser.gatherUsageStats=false",
            ]),
            port: Some(port),
            health: Some("/_stcore/health".into()),
            ..Start::default()
        }))
    }

    /// The console script that is the only one, is called as the project, or like a server.
    fn script_of_project(&self, notes: &mut Notes) -> Option<Start> {
        let like_server =
            |name: &str| ["serve", "server", "start", "web", "api"].iter().any(|word| name.ends_with(word));
        let own = self.scripts.iter().find(|(name, _)| crate::project::slug(name) == crate::project::slug(self.name));
        let serving = self.scripts.iter().find(|(name, _)| like_server(name));
        let only = self.scripts.first().filter(|_| self.scripts.len() == 1);
        let (name, target) = serving.or(own).or(only)?;
        let pyproject = self.pyproject?;
        notes.found(&pyproject.path, pyproject.line(name), format!("the console script `{name}` is `{target}`"));
        let others: Vec<&str> =
            self.scripts.iter().map(|(name, _)| name.as_str()).filter(|other| other != name).collect();
        if !others.is_empty() {
            notes.warn(format!("the image runs `{name}`; `bin` chooses another script: {}", others.join(", ")));
        }
        let module = target.split(':').next().unwrap_or_default().replace('.', "/");
        let files = [
            format!("{module}.py"),
            format!("src/{module}.py"),
            format!("{module}/__init__.py"),
            format!("src/{module}/__init__.py"),
        ];
        let source = files.iter().find_map(|file| self.sources.get(file));
        let port = source.and_then(|source| port_of(&source.text));
        Some(Start { command: words(&[name]), port: self.config.port.or(port), own_script: true, ..Start::default() })
    }

    /// A package with `__main__`, or a script.
    fn plain_script(&self, notes: &mut Notes) -> Option<Start> {
        let usual =
            ["main.py", "app.py", "server.py", "run.py", "bot.py", "start.py", "index.py", "__main__.py", "cli.py"];
        let same = |source: &Source| source.path.file_name() == format!("{}.py", self.name.replace('-', "_"));
        let is_script = |source: &&Source| {
            let name = source.path.file_name();
            let runs = source.text.contains("__main__") || source.path.parent().is_empty() || name == "__main__.py";
            runs && (usual.contains(&name) || same(source)) && source.path.as_str().matches('/').count() <= 3
        };
        let rank = |source: &&Source| {
            let name = source.path.file_name();
            (source.path.as_str().matches('/').count(), usual.iter().position(|usual| *usual == name).unwrap_or(0))
        };
        let mut at_top = self
            .sources
            .files
            .iter()
            .filter(|source| source.path.parent().is_empty() && source.path.file_name() != "setup.py");
        let only = at_top.next().filter(|_| at_top.next().is_none());
        let source = self.sources.files.iter().filter(is_script).min_by_key(rank).or(only)?;
        let mut start = self.file(source.path.as_str());
        if self.deps.has("gradio") && self.sources.find(&["import gradio"]).is_some() {
            start.framework = Some("Gradio".into());
            start.port = Some(self.port(port_of(&source.text), 7860));
            start.env.insert("GRADIO_SERVER_NAME".into(), "0.0.0.0".into());
        }
        self.say_local(source, notes);
        notes.found(self.at(source.path.as_str()), None, "the script that the image runs");
        Some(start)
    }

    /// Runs a file, as a module where it is a package's `__main__`.
    fn file(&self, path: &str) -> Start {
        let source = self.sources.get(path);
        let port = self.config.port.or_else(|| port_of(&source?.text));
        if let (Some(source), true) = (source, path.ends_with("/__main__.py"))
            && let Some(module) = target(self.tree, self.dir, source)
        {
            let package = module.module.trim_end_matches(".__main__").to_owned();
            let python_path = Some(module.root).filter(|root| !root.as_str().is_empty());
            return Start { command: words(&["python", "-m", &package]), port, python_path, ..Start::default() };
        }
        // A script's own folder is on its path; what it imports from the top is not.
        let from_top = source.is_some_and(|source| {
            target(self.tree, self.dir, source).is_some_and(|found| found.root.as_str() != source.path.parent())
        });
        let python_path = (from_top && path.contains('/')).then(RelPath::default);
        Start { command: words(&["python", path]), port, python_path, ..Start::default() }
    }

    fn say_local(&self, source: &Source, notes: &mut Notes) {
        let local = ["host=\"127.0.0.1\"", "host='127.0.0.1'", "host=\"localhost\"", "host='localhost'"];
        if let Some(line) = line_with(&source.text, &local) {
            let path = self.at(source.path.as_str());
            notes.warn(format!(
                "{path}:{line} listens on the container's own address only, so no port can be published: use 0.0.0.0"
            ));
        }
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

/// The last number of two to five digits in a text, as a port.
fn last_number(text: &str) -> Option<u16> {
    let numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|digits| (2..=5).contains(&digits.len()));
    numbers.filter_map(|digits| digits.parse().ok()).next_back()
}

/// The port that a source passes when it runs a server.
fn port_of(text: &str) -> Option<u16> {
    let calls = [".run(", "run_app(", "launch(", "serve(", "listen("];
    let starts = calls.iter().flat_map(|call| text.match_indices(call).map(move |(at, _)| (at, *call)));
    let mut found = starts.filter_map(|(at, call)| {
        let rest = text.get(at + call.len()..)?;
        let inside: String = rest.chars().take(300).collect();
        let value = match inside.split_once("port=").or_else(|| inside.split_once("server_port=")) {
            Some((_, value)) => value,
            None if call == "listen(" => inside.as_str(),
            None => return None,
        };
        let value = value.split([',', '\n']).take(2).collect::<Vec<_>>().join(",");
        let literal = value.split([',', ')']).next().and_then(|first| first.trim().parse().ok());
        literal.or_else(|| value.contains("PORT").then(|| last_number(&value)).flatten())
    });
    found.next().or_else(|| {
        // `port = int(os.environ.get("PORT", 8000))`
        let line = text.lines().find(|line| {
            let name = line.trim_start().split(['=', ':']).next().unwrap_or_default().trim();
            name.eq_ignore_ascii_case("port") && line.contains("PORT\"") | line.contains("PORT'")
        })?;
        last_number(line)
    })
}

fn is_health(path: &str) -> bool {
    let path = path.trim_matches('/');
    let known =
        ["health", "healthz", "healthcheck", "health-check", "health_check", "livez", "api/health", "ping", "_health"];
    known.contains(&path)
}

/// The health endpoint that a source defines on the application object itself.
fn health(source: &Source, object: &str) -> Option<String> {
    source.text.lines().find_map(|line| {
        let call = line.strip_prefix('@')?.strip_prefix(object)?;
        let rest = call.strip_prefix(".get(").or_else(|| call.strip_prefix(".route("))?;
        let path = rest.strip_prefix(['"', '\''])?.split(['"', '\'']).next()?;
        let plain = path.starts_with('/') && path.chars().all(|c| c.is_ascii_alphanumeric() || "/_-".contains(c));
        (plain && is_health(path) && !line.contains("POST")).then(|| path.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_where_a_server_is_run() {
        assert_eq!(port_of("uvicorn.run(app, host='0.0.0.0', port=8080)"), Some(8080));
        assert_eq!(port_of("app.run(\n  port=int(os.environ.get('PORT', 5001)),\n)"), Some(5001));
        assert_eq!(port_of("application.listen(8888)"), Some(8888));
        assert_eq!(port_of("subprocess.run(['x'])\nport = 1\n"), None);
        assert_eq!(port_of("PORT = int(os.getenv(\"PORT\", \"9000\"))\n"), Some(9000));
    }

    #[test]
    fn health_endpoints_are_those_of_the_application_itself() {
        let source = |text: &str| Source { path: RelPath::new("a.py").unwrap(), text: text.to_owned() };
        assert_eq!(health(&source("@app.get(\"/healthz\", x)\n"), "app").unwrap(), "/healthz");
        assert_eq!(health(&source("@router.get(\"/healthz\")\n"), "app"), None);
        assert_eq!(health(&source("@app.get(\"/health\\\" evil\")\n"), "app"), None);
    }
}
