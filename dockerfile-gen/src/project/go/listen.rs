//! The port and address that a program listens on.
//!
//! Input: its sources, and sample configuration files. Output: [`Listen`]. The one idea: every literal that could be an
//! address is weighed by where it stands, and the heaviest is taken.

use super::place::{Place, place};
use super::source::{Kind, Source};
use crate::tree::Tree;

/// Where a program gets its address from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The code alone.
    Code,
    /// An environment variable.
    Env(String),
    /// A command-line flag of the standard `flag` package.
    Flag(String),
    /// A configuration file.
    File,
}

/// An address that a program listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listen {
    pub port: u16,
    /// The host before the port; empty for all.
    pub host: String,
    pub origin: Origin,
    pub weight: i32,
    pub path: String,
    pub line: u32,
}

impl Listen {
    /// Whether nothing outside the container can reach it.
    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }
}

pub(super) fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]" | "::1")
}

/// The likeliest address.
pub(super) fn address(tree: &dyn Tree, sources: &[Source]) -> Option<Listen> {
    let mut best: Option<Listen> = None;
    let mut offer = |candidate: Listen| {
        if best.as_ref().is_none_or(|best| candidate.weight > best.weight) {
            best = Some(candidate);
        }
    };
    for source in sources {
        for (index, token) in source.tokens.iter().enumerate() {
            let found = match &token.kind {
                Kind::Text(text) => split(text),
                Kind::Number(digits) => port(digits).map(|port| (None, port)),
                Kind::Raw(tags) => {
                    if let Some(listen) = tagged(source, index, tags) {
                        offer(listen);
                    }
                    None
                }
                Kind::Word(_) | Kind::Mark(_) => None,
            };
            let Some((host, port)) = found else { continue };
            let (weight, origin) = weigh(&place(source, index), host.is_some(), source);
            let host = host.unwrap_or_default();
            if weight > 0 && !others_port(port) {
                offer(Listen { port, host, origin, weight, path: source.path.clone(), line: token.line });
            }
        }
        if let Some(line) = gin_default(source) {
            let origin = Origin::Env("PORT".into());
            offer(Listen { port: 8080, host: String::new(), origin, weight: 60, path: source.path.clone(), line });
        }
    }
    if best.as_ref().is_none_or(|best| best.weight < 60)
        && let Some(listen) = from_samples(tree)
    {
        return Some(listen);
    }
    best
}

/// Where `os.Getenv("PORT")` is read.
pub(super) fn reads_port(sources: &[Source]) -> Option<(String, u32)> {
    sources.iter().find_map(|source| {
        let windows = source.tokens.windows(3);
        let read = windows.into_iter().find(|window| {
            matches!(window[0].word(), Some("Getenv" | "LookupEnv"))
                && window[1].is('(')
                && window[2].text() == Some("PORT")
        })?;
        Some((source.path.clone(), read[0].line))
    })
}

/// `host:port`, `:port` or a bare port.
fn split(text: &str) -> Option<(Option<String>, u16)> {
    match text.rsplit_once(':') {
        None => port(text).map(|port| (None, port)),
        Some((host, digits)) => {
            let plain = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
            let bare = host.trim_start_matches('[').trim_end_matches(']');
            let ok = bare.chars().all(plain) || bare.chars().all(|c| c.is_ascii_hexdigit() || c == ':');
            // A name that is no address of this machine is somewhere else.
            let here = host.is_empty() || is_loopback(host) || bare.parse::<std::net::IpAddr>().is_ok();
            port(digits).filter(|_| ok && here).map(|port| (Some(host.to_owned()), port))
        }
    }
}

fn port(digits: &str) -> Option<u16> {
    let ok = (2..=5).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|&port: &u16| ok && port >= 80)
}

/// Ports of databases and brokers, which a program connects to.
fn others_port(port: u16) -> bool {
    matches!(
        port,
        587 | 1433 | 2181 | 3306 | 4222 | 4317 | 4318 | 5432 | 5672 | 6379 | 9092 | 9200 | 11211 | 14268 | 27017
    )
}

fn weigh(place: &Place<'_>, is_address: bool, source: &Source) -> (i32, Origin) {
    let mut names: Vec<&str> = place.key.into_iter().collect();
    let mut weight = 0;
    let mut origin = Origin::Code;
    if let Some(key) = place.key {
        if is_port_name(key) {
            weight = if is_address { 80 } else { 70 };
        } else if is_address && place.calls.is_empty() {
            weight = 30;
        }
    }
    for call in &place.calls {
        names.push(call.name);
        if is_address && is_serving_call(call.name) {
            weight = weight.max(100);
        }
        let Some((_, first)) = call.first else { continue };
        let is_name = !first.contains([':', ' ', '/']) && !first.bytes().all(|byte| byte.is_ascii_digit());
        if !is_name || !is_port_name(first) {
            continue;
        }
        names.push(first);
        if is_variable(first) {
            // A fallback of an environment variable; a flag around it may set the same.
            weight = weight.max(90);
            origin = Origin::Env(first.to_owned());
        } else if is_flag_call(call.name) {
            weight = weight.max(88);
            let standard = call.receiver == "flag" && imports(source, "flag");
            if standard && origin == Origin::Code {
                origin = Origin::Flag(first.to_owned());
            }
        } else if call.name == "SetDefault" {
            weight = weight.max(85);
        }
    }
    if names.iter().any(|name| is_others(name)) {
        return (0, origin);
    }
    if names.iter().any(|name| is_secondary(name)) {
        weight -= 45;
    }
    (weight, origin)
}

fn imports(source: &Source, path: &str) -> bool {
    source.imports.iter().any(|(import, _)| import == path)
}

fn is_serving_call(name: &str) -> bool {
    matches!(
        name,
        "ListenAndServe"
            | "ListenAndServeTLS"
            | "Listen"
            | "ListenTLS"
            | "Run"
            | "RunTLS"
            | "Start"
            | "StartTLS"
            | "Serve"
    )
}

fn is_flag_call(name: &str) -> bool {
    ["String", "Int", "Uint"].iter().any(|kind| {
        name.strip_prefix(kind)
            .is_some_and(|rest| matches!(rest, "" | "Var" | "P" | "VarP" | "16" | "16Var" | "16P" | "16VarP"))
    })
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// Words of a name: `httpPort`, `HTTP_PORT` and `http-port` are the same two.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut lower = false;
    for c in name.chars() {
        let starts = !c.is_ascii_alphanumeric() || c.is_ascii_uppercase() && lower;
        if starts {
            words.push(String::new());
        }
        if c.is_ascii_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(c.to_ascii_lowercase());
        }
        lower = c.is_ascii_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

fn is_port_name(name: &str) -> bool {
    words_of(name).iter().any(|word| {
        matches!(
            word.as_str(),
            "port"
                | "addr"
                | "address"
                | "listen"
                | "listener"
                | "bind"
                | "listenaddr"
                | "httpaddr"
                | "bindaddr"
                | "laddr"
                | "hostport"
                | "httpport"
                | "serverport"
                | "addrs"
        )
    })
}

/// Names of what a program connects to.
fn is_others(name: &str) -> bool {
    const OTHERS: &[&str] = &[
        "redis",
        "db",
        "database",
        "mysql",
        "postgres",
        "postgresql",
        "pg",
        "mongo",
        "mongodb",
        "kafka",
        "nats",
        "smtp",
        "mail",
        "mailer",
        "email",
        "proxy",
        "remote",
        "upstream",
        "target",
        "otel",
        "otlp",
        "jaeger",
        "zipkin",
        "consul",
        "etcd",
        "elastic",
        "elasticsearch",
        "amqp",
        "rabbitmq",
        "memcached",
        "ldap",
        "sentry",
        "statsd",
        "influx",
        "vault",
        "dns",
        "syslog",
        "peer",
        "dest",
        "destination",
        "cluster",
        "dial",
        "dialcontext",
        "imap",
        "pop3",
        "clickhouse",
        "minio",
        "s3",
    ];
    words_of(name).iter().any(|word| OTHERS.contains(&word.as_str()))
}

/// Names of what a program listens on beside its service.
fn is_secondary(name: &str) -> bool {
    const SECONDARY: &[&str] = &[
        "metric",
        "metrics",
        "prometheus",
        "pprof",
        "profiling",
        "profile",
        "debug",
        "grpc",
        "admin",
        "https",
        "tls",
        "ssl",
        "internal",
        "management",
        "test",
        "health",
        "healthz",
        "probe",
        "gossip",
        "raft",
        "ftp",
        "ssh",
        "socks",
        "udp",
    ];
    words_of(name).iter().any(|word| SECONDARY.contains(&word.as_str()))
}

/// A struct tag such as `env:"PORT" envDefault:"8080"`, on the field before it.
fn tagged(source: &Source, index: usize, tags: &str) -> Option<Listen> {
    let value = ["envDefault", "env-default", "default"].iter().find_map(|name| tag(tags, name))?;
    let (host, port) = split(value)?;
    let field = source.tokens[index.saturating_sub(3)..index].iter().find_map(|token| token.word()).unwrap_or_default();
    let line = source.tokens[index].line;
    let variable =
        tag(tags, "env").or_else(|| tag(tags, "envconfig")).map(|name| name.split(',').next().unwrap_or_default());
    let named = [Some(field), variable].into_iter().flatten();
    if !named.clone().any(is_port_name) || named.clone().any(is_others) || others_port(port) {
        return None;
    }
    let weight = if named.clone().any(is_secondary) { 45 } else { 90 };
    let origin = variable.filter(|name| is_variable(name)).map_or(Origin::Code, |name| Origin::Env(name.to_owned()));
    Some(Listen { port, host: host.unwrap_or_default(), origin, weight, path: source.path.clone(), line })
}

fn tag<'a>(tags: &'a str, name: &str) -> Option<&'a str> {
    tags.split_whitespace().find_map(|part| {
        part.strip_prefix(name)?.strip_prefix(":\"")?.strip_suffix('"').filter(|value| !value.is_empty())
    })
}

/// `router.Run()` without an address: gin takes `PORT`, else 8080.
fn gin_default(source: &Source) -> Option<u32> {
    if !imports(source, "github.com/gin-gonic/gin") {
        return None;
    }
    let mut windows = source.tokens.windows(4);
    let run = windows.find(|w| w[0].is('.') && w[1].word() == Some("Run") && w[2].is('(') && w[3].is(')'))?;
    Some(run[0].line)
}

/// Folders and names of configuration files that are there to be copied.
fn from_samples(tree: &dyn Tree) -> Option<Listen> {
    for dir in ["", "config", "configs", "conf", "etc", "cmd"] {
        for path in tree.files_in(dir) {
            let mut name = path.file_name().to_ascii_lowercase();
            for ending in [".sample", ".example", ".dist", ".template"] {
                name = name.replace(ending, "");
            }
            let Some((stem, kind)) = name.rsplit_once('.') else { continue };
            let known =
                matches!(stem, "config" | "app" | "application" | "settings" | "conf" | "server" | "default" | "local");
            if known
                && matches!(kind, "toml" | "yaml" | "yml" | "json" | "ini")
                && let Some(listen) = from_sample(path.as_str(), &tree.scan(path.as_str()))
            {
                return Some(listen);
            }
        }
    }
    None
}

/// A line such as `port: 8080` or `address = "localhost:9000"`, outside sections of what the program connects to.
fn from_sample(path: &str, text: &str) -> Option<Listen> {
    let mut section = String::new();
    for (index, raw) in text.lines().enumerate() {
        let line = raw.trim().trim_end_matches(',');
        if line.starts_with(['#', ';', '/']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
            continue;
        }
        let Some((name, value)) = line.split_once(['=', ':']) else { continue };
        let name = name.trim().trim_matches('"');
        let value = value.split('#').next().unwrap_or_default().trim();
        if matches!(value, "" | "{") {
            section = name.to_owned();
            continue;
        }
        let value = value.trim_matches(['"', '\'']);
        let Some((host, port)) = split(value) else { continue };
        if is_port_name(name)
            && !is_others(name)
            && !is_others(&section)
            && !is_secondary(&section)
            && !others_port(port)
        {
            let host = host.unwrap_or_default();
            return Some(Listen {
                port,
                host,
                origin: Origin::File,
                weight: 50,
                path: path.into(),
                line: index as u32 + 1,
            });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::MemTree;

    fn listens(code: &str) -> Option<(u16, String, Origin)> {
        let source = Source::parse("main.go", &format!("package main\nimport \"flag\"\n{code}\n"));
        address(&MemTree::default(), &[source]).map(|listen| (listen.port, listen.host, listen.origin))
    }

    #[test]
    fn an_address_counts_where_it_is_listened_on() {
        let code = |code| listens(code).map(|(port, ..)| port);
        assert_eq!(code("func main() { http.ListenAndServe(\":8080\", nil) }"), Some(8080));
        assert_eq!(code("var s = http.Server{Addr: \"0.0.0.0:3000\"}"), Some(3000));
        assert_eq!(code("const redisAddr = \"localhost:7777\""), None);
        assert_eq!(code("var dsn = \"postgres://u@db:5432/x\""), None);
        assert_eq!(code("const metricsAddr = \":9091\"\nconst addr = \":8000\""), Some(8000));
        assert_eq!(code("var x = 8080"), None);
        assert_eq!(code("func main() { viper.SetDefault(\"server.port\", 8081) }"), Some(8081));
        assert_eq!(code("type c struct { Port int `env:\"APP_PORT\" envDefault:\"8123\"` }"), Some(8123));
        assert_eq!(code("func f() { net.Dial(\"tcp\", \"127.0.0.1:4000\") }"), None);
    }

    #[test]
    fn what_sets_the_address_is_known() {
        assert_eq!(
            listens("var a = flag.String(\"addr\", \"127.0.0.1:8080\", \"where\")"),
            Some((8080, "127.0.0.1".into(), Origin::Flag("addr".into())))
        );
        assert_eq!(
            listens("func main() { flag.StringVar(&p, \"port\", env(\"WHO_PORT\", \"80\"), \"\") }"),
            Some((80, String::new(), Origin::Env("WHO_PORT".into())))
        );
    }

    #[test]
    fn a_sample_says_what_the_code_does_not() {
        let tree = MemTree::from([(
            "config.toml.sample",
            "[app]\n# address = \"x:1\"\naddress = \"localhost:9000\"\n[db]\nport = 5433\n",
        )]);
        let listen = address(&tree, &[]).unwrap();
        assert_eq!((listen.port, listen.line, listen.is_loopback()), (9000, 3, true));
    }
}
