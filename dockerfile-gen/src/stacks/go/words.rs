//! What names say about addresses.
//!
//! Input: the name of a variable, a flag or a key. Output: whether it names a port, a host, or something else that has
//! an address. The one idea: a name is taken apart into words, however it is spelled.

/// Words of a name: `httpPort`, `HTTP_PORT` and `http-port` are the same two.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut lower = false;
    let all: Vec<char> = name.chars().collect();
    for (index, &c) in all.iter().enumerate() {
        // `HTTPListen` is `HTTP` and `Listen`.
        let ends_acronym = index > 0 && !lower && all.get(index + 1).is_some_and(char::is_ascii_lowercase);
        let starts = !c.is_ascii_alphanumeric() || c.is_ascii_uppercase() && (lower || ends_acronym);
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

pub(super) fn is_port_name(name: &str) -> bool {
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
pub(super) fn is_others(name: &str) -> bool {
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
pub(super) fn is_secondary(name: &str) -> bool {
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

pub(super) fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// Ports of databases and brokers, which a program connects to.
pub(super) fn is_others_port(port: u16) -> bool {
    matches!(
        port,
        587 | 1433 | 2181 | 3306 | 4222 | 4317 | 4318 | 5432 | 5672 | 6379 | 9092 | 9200 | 11211 | 14268 | 27017
    )
}

/// Whether all words of a name are about the host that a server listens on.
pub(super) fn is_host_name(name: &str) -> bool {
    const HOST: &[&str] = &["host", "hostname", "bind", "listen", "address", "addr", "ip", "interface"];
    const SERVER: &[&str] = &["server", "http", "app", "web", "api", "service", "default", "flag"];
    let words = words_of(name);
    words.iter().any(|word| HOST.contains(&word.as_str()))
        && words.iter().all(|word| HOST.contains(&word.as_str()) || SERVER.contains(&word.as_str()))
}

/// Ports that hardly anything but profiling and metrics uses.
pub(super) fn is_secondary_port(port: u16) -> bool {
    matches!(port, 6060 | 9091 | 50051)
}
