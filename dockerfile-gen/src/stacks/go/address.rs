//! An address that a program listens on, and what decides it.

/// What sets an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The code alone.
    Code,
    /// An environment variable.
    Env(String),
    /// A command-line flag.
    Flag {
        name: String,
        /// Whether it belongs to a command of cobra, and so perhaps not to the one that is run.
        cobra: bool,
    },
    /// A configuration file.
    File,
}

/// An address that a program listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listen {
    pub port: u16,
    /// The host before the port; empty for all.
    pub host: String,
    /// Whether the port stands alone, without a colon before it.
    pub bare: bool,
    pub origin: Origin,
    pub weight: i32,
    pub path: String,
    pub line: u32,
}

impl Listen {
    /// The same with another port, written as the program expects it.
    pub(crate) fn with_port(&self, port: u16) -> String {
        if self.bare {
            return port.to_string();
        }
        let host = if self.is_loopback() { "0.0.0.0" } else { &self.host };
        format!("{host}:{port}")
    }

    /// Whether nothing outside the container can reach it.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }
}

pub(crate) fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]" | "::1")
}

/// `host:port`, `:port` or a bare port.
pub(crate) fn split(text: &str) -> Option<(Option<String>, u16)> {
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

pub(crate) fn port(digits: &str) -> Option<u16> {
    let ok = (2..=5).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|&port: &u16| ok && port >= 80)
}
