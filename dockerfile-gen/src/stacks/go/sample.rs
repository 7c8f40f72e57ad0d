//! Addresses in configuration files that are there to be copied.
//!
//! Input: the tree. Output: an address, or the value of a variable. The one idea: where the code takes the port from its
//! configuration, the sample says which port people use.

use super::address::{Listen, Origin, split};
use super::words::{is_others, is_others_port, is_port_name, is_secondary};
use crate::tree::Tree;

/// Folders and names of configuration files that are there to be copied.
pub(super) fn from_samples(tree: &dyn Tree) -> Option<Listen> {
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
            && !is_others_port(port)
        {
            let (bare, host) = (host.is_none(), host.unwrap_or_default());
            return Some(Listen {
                port,
                host,
                bare,
                origin: Origin::File,
                weight: 50,
                path: path.into(),
                line: index as u32 + 1,
            });
        }
    }
    None
}

/// The value that a sample of an `.env` file gives a variable, with the place.
pub(super) fn variable(tree: &dyn Tree, name: &str) -> Option<(String, String, u32)> {
    for path in
        [".env.example", ".env.sample", ".env.template", ".env.dist", "example.env", "sample.env", "env.example"]
    {
        for (index, line) in tree.scan(path).lines().enumerate() {
            let line = line.trim().trim_start_matches("export ");
            let Some((key, value)) = line.split_once('=') else { continue };
            if key.trim() == name {
                let value = value.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']);
                return Some((value.to_owned(), path.to_owned(), index as u32 + 1));
            }
        }
    }
    None
}
