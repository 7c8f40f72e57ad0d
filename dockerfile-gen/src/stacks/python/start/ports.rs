//! Ports and health endpoints.
//!
//! Input: the text of a source. Output: what it listens on and where it says that it is well. The one idea: only what
//! stands in a call that runs a server counts.

use super::super::sources::Source;

/// The last number of two to five digits in a text, as a port.
pub(super) fn last_number(text: &str) -> Option<u16> {
    let numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|digits| (2..=5).contains(&digits.len()));
    numbers.filter_map(|digits| digits.parse().ok()).next_back()
}

/// The port that a source passes when it runs a server.
pub(super) fn port_of(text: &str) -> Option<u16> {
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

pub(super) fn is_health(path: &str) -> bool {
    let path = path.trim_matches('/');
    let known =
        ["health", "healthz", "healthcheck", "health-check", "health_check", "livez", "api/health", "ping", "_health"];
    known.contains(&path)
}

/// The health endpoint that a source defines on the application object itself.
pub(super) fn health(source: &Source, object: &str) -> Option<String> {
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
    use crate::tree::RelPath;

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
