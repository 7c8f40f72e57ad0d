//! Where the program listens.
//!
//! Input: the start command, sources, .env examples. Output: [`Listen`]. The one idea: the number next to `PORT` or to
//! `listen(` is the port, and it is believed only where it stands plainly.

use std::collections::BTreeMap;

use super::manifest::Manifest;
use super::source::{Source, leading_port, line_of, occurrences, port_after};
use super::start::Start;
use crate::facts::Notes;
use crate::tree::within;
use crate::tree::{RelPath, Tree};

/// Where the program listens.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub(crate) struct Listen {
    /// The port, where it is known.
    pub port: Option<u16>,
    /// Environment that makes it listen there, on every address.
    pub env: BTreeMap<String, String>,
    /// The path of a health endpoint.
    pub health: Option<String>,
}

/// Finds the port and the address of a server that the project wrote itself.
pub(crate) fn detect(
    tree: &dyn Tree,
    package: &Manifest,
    start: &Start,
    sources: &[Source],
    notes: &mut Notes,
) -> Listen {
    let mut listen = Listen::default();
    if let Some(port) = asked(start) {
        notes.found(&package.path, package.line("scripts"), format!("port {port}, from the start command"));
        listen.port = Some(port);
    }
    let mut reads_port = None;
    for Source { path, text } in sources {
        if listen.port.is_none()
            && let Some((port, at)) = port_in(text)
        {
            notes.found(path.as_str(), Some(line_of(text, at)), format!("port {port}"));
            listen.port = Some(port);
        }
        if reads_port.is_none() && text.contains("env.PORT") {
            reads_port = text.find("env.PORT").map(|at| (path.clone(), line_of(text, at)));
        }
        address(text, path, package, &mut listen, notes);
        if listen.health.is_none()
            && let Some((route, at)) = health(text)
        {
            notes.found(path.as_str(), Some(line_of(text, at)), format!("health endpoint {route}"));
            listen.health = Some(route);
        }
    }
    if listen.port.is_none() {
        listen.port = from_example(tree, package, notes);
        if let Some((path, line)) = reads_port {
            let port = listen.port.unwrap_or(3000);
            notes.found(
                path.as_str(),
                Some(line),
                format!("reads PORT without a default; the image sets it to {port}"),
            );
            listen.port = Some(port);
            listen.env.insert("PORT".into(), port.to_string());
        }
    }
    listen
}

/// The port of a framework's own server, which only its command changes.
pub(crate) fn of_command(package: &Manifest, start: &Start, notes: &mut Notes) -> Listen {
    let port = asked(start);
    if let Some(port) = port {
        notes.found(&package.path, package.line("scripts"), format!("port {port}, from the start command"));
    }
    Listen { port, ..Listen::default() }
}

/// The port that the command itself names.
fn asked(start: &Start) -> Option<u16> {
    if let Some(port) = start.env.get("PORT").and_then(|port| port.parse().ok()) {
        return Some(port);
    }
    let words = start.argv.iter().zip(start.argv.iter().skip(1).map(Some).chain([None]));
    words
        .filter_map(|(word, next)| match word.split_once('=') {
            Some(("--port" | "-p" | "--listen" | "-l", value)) => value.parse().ok(),
            None if matches!(word.as_str(), "--port" | "-p" | "--listen" | "-l") => next?.parse().ok(),
            _ => None,
        })
        .next()
}

/// The port in a source file and where it stands.
fn port_in(text: &str) -> Option<(u16, usize)> {
    for word in ["PORT", "port", "APP_PORT", "SERVER_PORT"] {
        for at in occurrences(text, word) {
            let before = &text[..at];
            let after = &text[at + word.len()..];
            // Lower-case `port` is a variable or an option of `listen`; of a database or a proxy it may be as well.
            let near = &before[before.char_indices().rev().nth(60).map_or(0, |(at, _)| at)..];
            let variable = near.ends_with("const ") || near.ends_with("let ") || near.ends_with("var ");
            let option = near.contains("listen(") || near.contains("serve(");
            if word == "port" && !variable && !option {
                continue;
            }
            let rest = after.trim_start_matches(['\'', '"', ']', ')', ' ', ',']);
            // `get('PORT', 3000)` and `parseInt(PORT, 10) || 3000`.
            let argument = after[..after.len() - rest.len()].contains(',');
            let rest = rest.strip_prefix("10)").unwrap_or(rest);
            if let Some(port) = port_after(rest).or_else(|| leading_port(rest).filter(|_| argument)) {
                return Some((port, at));
            }
        }
    }
    occurrences(text, "listen").find_map(|at| {
        let inside = text[at + "listen".len()..].strip_prefix('(')?;
        leading_port(inside).map(|port| (port, at))
    })
}

/// Notices an address that nothing outside the container reaches.
fn address(text: &str, path: &RelPath, package: &Manifest, listen: &mut Listen, notes: &mut Notes) {
    for at in occurrences(text, "listen") {
        let Some(inside) = text[at + "listen".len()..].strip_prefix('(') else { continue };
        let end = inside.char_indices().nth(120).map_or(inside.len(), |(end, _)| end);
        let inside = inside[..end].split(['\n', ';']).next().unwrap_or_default();
        if ["'localhost'", "\"localhost\"", "'127.0.0.1'", "\"127.0.0.1\""].iter().any(|host| inside.contains(host)) {
            notes.warn(format!(
                "{path}:{}: the program listens on the loopback address, which nothing outside the container reaches; \
                 make it listen on 0.0.0.0",
                line_of(text, at)
            ));
        } else if package.dependency("fastify").is_some()
            && inside.trim_start().starts_with('{')
            && inside.contains("port")
            && !inside.contains("host")
            && inside.contains('}')
        {
            notes.warn(format!(
                "{path}:{}: Fastify listens on the loopback address unless `listen` is given `host: '0.0.0.0'`",
                line_of(text, at)
            ));
        }
    }
    for variable in ["HOST", "HOSTNAME", "BIND_HOST"] {
        for at in occurrences(text, variable) {
            let rest = &text[at + variable.len()..];
            let end = rest.char_indices().nth(40).map_or(rest.len(), |(end, _)| end);
            let near = rest[..end].split(['\n', ';', ',']).next().unwrap_or_default();
            let joined = near.contains("||") || near.contains("??") || near.contains("default(");
            if text[..at].ends_with("env.") && joined && (near.contains("localhost") || near.contains("127.0.0.1")) {
                notes.found(path.as_str(), Some(line_of(text, at)), format!("listens on {variable}, set to 0.0.0.0"));
                listen.env.insert(variable.into(), "0.0.0.0".into());
            }
        }
    }
}

/// A route that answers whether the program is well.
fn health(text: &str) -> Option<(String, usize)> {
    if !["/health", "/livez", "/ping"].iter().any(|route| text.contains(route)) {
        return None;
    }
    for route in ["/health", "/healthz", "/api/health", "/healthcheck", "/api/healthz", "/livez", "/ping"] {
        for quote in ['\'', '"', '`'] {
            // A router may be mounted below another path; the program itself is not.
            for owner in ["app", "server", "fastify"] {
                if let Some(at) = text.find(&format!("{owner}.get({quote}{route}{quote}")) {
                    return Some((route.to_owned(), at));
                }
            }
        }
    }
    None
}

fn from_example(tree: &dyn Tree, package: &Manifest, notes: &mut Notes) -> Option<u16> {
    for name in [".env.example", ".env.sample", ".env.template", ".env.production"] {
        let path = within(&package.dir, name);
        let text = tree.scan(&path);
        for (line, number) in text.lines().zip(1..) {
            let value = line.strip_prefix("PORT=").or_else(|| line.strip_prefix("APP_PORT="));
            if let Some(port) = value.and_then(leading_port) {
                notes.found(&path, Some(number), format!("port {port}"));
                return Some(port);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_stand_next_to_their_names() {
        let port = |text: &str| port_in(text).map(|(port, _)| port);
        assert_eq!(port("app.listen(process.env.PORT || 5000)"), Some(5000));
        assert_eq!(port("const port = normalizePort(process.env.PORT || '3000');"), Some(3000));
        assert_eq!(port("const port = Number(process.env.PORT ?? 8000);"), Some(8000));
        assert_eq!(port("const port = parseInt(process.env.PORT, 10) || 4000"), Some(4000));
        assert_eq!(port("await app.listen(config.get('PORT', 3333));"), Some(3333));
        assert_eq!(port("PORT: z.coerce.number().default(3001),"), Some(3001));
        assert_eq!(port("app.listen(4321, () => {})"), Some(4321));
        assert_eq!(port("await fastify.listen({ port: 3002, host: '0.0.0.0' })"), Some(3002));
        assert_eq!(port("const PORT = 8081;"), Some(8081));
        assert_eq!(port("const db = { host: 'x', port: 5432 }"), None);
        assert_eq!(port("app.listen(port)"), None);
    }
}
