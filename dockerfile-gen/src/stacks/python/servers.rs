//! Servers and how each of them is started.
//!
//! Input: `module:object` and the dependencies. Output: an argument list. The one idea: only a server that the project
//! depends on is started; none is added in silence.

use super::deps::Deps;

/// What to serve, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Serve<'a> {
    /// `module:object`.
    pub(crate) target: &'a str,
    /// Whether the object is a function that makes the application.
    pub(crate) factory: bool,
    /// The port to listen on.
    pub(crate) port: u16,
    /// Whether a gunicorn.conf.py says where to listen.
    pub(crate) bound: bool,
}

fn argv(words: &[&str]) -> Vec<String> {
    words.iter().filter(|word| !word.is_empty()).map(|word| (*word).to_owned()).collect()
}

impl Serve<'_> {
    fn called(&self) -> String {
        if self.factory { format!("{}()", self.target) } else { self.target.to_owned() }
    }

    fn bind(&self) -> String {
        if self.bound { String::new() } else { format!("--bind=0.0.0.0:{}", self.port) }
    }

    /// A server for an ASGI application.
    pub(crate) fn asgi(&self, deps: &Deps) -> Option<Vec<String>> {
        let Self { target, port, .. } = *self;
        let number = port.to_string();
        let port = format!("--port={port}");
        let factory = if self.factory { "--factory" } else { "" };
        // Worker processes are the orchestrator's business, so plain uvicorn goes before gunicorn, unless the project
        // has set gunicorn up for it.
        if self.bound && deps.has("gunicorn") && deps.has("uvicorn-worker") {
            return Some(argv(&["gunicorn", &self.called(), "--worker-class=uvicorn_worker.UvicornWorker"]));
        }
        Some(match deps.first(&["uvicorn", "hypercorn", "granian", "daphne"])? {
            "uvicorn" => argv(&["uvicorn", target, factory, "--host=0.0.0.0", &port]),
            "hypercorn" => argv(&["hypercorn", &self.called(), &format!("--bind=0.0.0.0:{number}")]),
            "granian" => argv(&["granian", "--interface=asgi", "--host=0.0.0.0", &port, factory, target]),
            _ if self.factory => return None,
            _ => argv(&["daphne", "--bind=0.0.0.0", &port, target]),
        })
    }

    /// A server for a WSGI application.
    pub(crate) fn wsgi(&self, deps: &Deps) -> Option<Vec<String>> {
        let Self { target, port, .. } = *self;
        let number = port.to_string();
        let port = format!("--port={port}");
        let names = ["gunicorn", "waitress", "granian", "uwsgi", "hypercorn"];
        Some(match deps.first(&names)? {
            "gunicorn" => {
                let async_worker =
                    deps.first(&["eventlet", "gevent-websocket", "gevent"]).filter(|_| deps.has("flask-socketio"));
                let (class, one) = match async_worker {
                    Some("eventlet") => ("--worker-class=eventlet", "--workers=1"),
                    Some("gevent-websocket") => {
                        ("--worker-class=geventwebsocket.gunicorn.workers.GeventWebSocketWorker", "--workers=1")
                    }
                    Some(_) => ("--worker-class=gevent", "--workers=1"),
                    None => ("", ""),
                };
                argv(&["gunicorn", &self.called(), &self.bind(), class, one])
            }
            "waitress" => {
                let call = if self.factory { "--call" } else { "" };
                argv(&["waitress-serve", "--host=0.0.0.0", &port, call, target])
            }
            "granian" => {
                let factory = if self.factory { "--factory" } else { "" };
                argv(&["granian", "--interface=wsgi", "--host=0.0.0.0", &port, factory, target])
            }
            "uwsgi" => argv(&[
                "uwsgi",
                &format!("--http-socket=:{number}"),
                "--master",
                "--die-on-term",
                "--need-app",
                &format!("--module={}", self.called()),
            ]),
            _ => argv(&["hypercorn", &format!("wsgi:{}", self.called()), &format!("--bind=0.0.0.0:{number}")]),
        })
    }
}
