//! Application objects and what serves them.
//!
//! Input: an [`App`]. Output: [`Start`]. The one idea: without a server among the dependencies there is only what the
//! framework brings for development, and that is said.

use crate::error::Result;
use crate::facts::Notes;
use crate::tree::RelPath;

use super::super::servers::Serve;
use super::super::sources::{App, Maker, Source, line_with};
use super::super::target::target;
use super::ports::{health, port_of};
use super::{Scene, Start, no_server, words};

impl Scene<'_> {
    pub(super) fn module_of(&self, app: &App) -> Option<String> {
        let source = self.sources.get(app.path.as_str())?;
        Some(target(self.tree, self.dir, source)?.module)
    }

    /// The server for an application object.
    pub(super) fn app(&self, app: &App, notes: &mut Notes) -> Result<Option<Start>> {
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
                // A script at the top that is not the application itself brings a server of its own along.
                let mut scripts = self.sources.files.iter().filter(|source| {
                    let top = source.path.parent().is_empty() && source.path.as_str() != "setup.py";
                    top && source.path.as_str() != file && source.text.contains("__main__")
                });
                if let (Some(script), None) = (scripts.next(), scripts.next()) {
                    let path = script.path.as_str();
                    notes.found(self.at(path), None, "the script that the image runs");
                    let run = self.file(path);
                    start.port = self.config.port.or(run.port);
                    start.python_path = run.python_path;
                    return Ok(Some(run.command));
                }
                notes.warn(format!(
                    "no server is among the dependencies, so the image runs {framework}'s development server, which is not \
                     for production: add `gunicorn`"
                ));
                let itself = ["socketio.run(", "host=\"0.0.0.0\"", "host='0.0.0.0'"];
                if runs_itself && itself.iter().any(|mark| source.text.contains(mark)) {
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

    pub(super) fn say_others(&self, chosen: &App, notes: &mut Notes) {
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
}
