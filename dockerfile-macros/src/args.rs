//! Options written as Rust tokens.
//!
//! Input: `key: value, …`. Output: [`Options`]. The one idea: tokens are read into a small tree of [`Node`]s that know
//! their spans, and serde makes the library's own `ConfigLayer` of it; so every option there is one here, under the
//! same name (`no_default_features` for `no-default-features`), and an error points at the token that caused it.

use std::path::PathBuf;

use dockerfile_gen::ConfigLayer;
use proc_macro2::Span;
use serde::Deserialize;
use syn::parse::{Parse, ParseStream};

use crate::tokens::{Kind, Map, Node};
use crate::value::Wrong;

/// The options of a macro.
pub(crate) struct Options {
    /// The project's folder, seen from the package's own, where it is not the workspace's.
    pub(crate) folder: Option<Folder>,
    /// What the tokens decide.
    pub(crate) layer: ConfigLayer,
    map: Map,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut map: Map = input.parse()?;
        let folder = match map.0.iter().position(|(key, _)| key.name == "folder") {
            Some(at) => Some(Folder::read(map.0.remove(at).1)?),
            None => None,
        };
        for (key, node) in &map.0 {
            // One by one, so that what is wrong with a value is said at the value.
            let span = node.span;
            let layer: ConfigLayer =
                read(Node { span: key.span, kind: Kind::Map(Map(vec![(key.clone(), node.clone())])) })?;
            layer.check("macro").map_err(|error| {
                let text = match error {
                    dockerfile_gen::Error::Config { reason, hint, .. } => format!("{reason}: {hint}"),
                    other => other.to_string(),
                };
                syn::Error::new(quoted_in(&text, &node.texts()).unwrap_or(span), text)
            })?;
        }
        let layer = read(Node { span: Span::call_site(), kind: Kind::Map(map.clone()) })?;
        Ok(Self { folder, layer, map })
    }
}

/// A folder that somebody named, seen from the package's own.
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    pub(crate) span: Span,
}

impl Folder {
    /// A string.
    pub(crate) fn read(node: Node) -> syn::Result<Self> {
        let span = node.span;
        Ok(Self { path: read::<String>(node)?.into(), span })
    }
}

/// The span of the text that `message` quotes; of several, the one that it quotes last.
pub(crate) fn quoted_in(message: &str, texts: &[(String, Span)]) -> Option<Span> {
    let place = |text: &str| message.rfind(&format!("`{text}`")).max(message.rfind(&format!("{text:?}")));
    let found = texts.iter().filter_map(|(text, span)| place(text).map(|place| (place, *span)));
    found.max_by_key(|(place, _)| *place).map(|(_, span)| span)
}

/// Makes any type of a value.
pub(crate) fn read<T: for<'de> Deserialize<'de>>(node: Node) -> syn::Result<T> {
    let span = node.span;
    T::deserialize(node).map_err(|wrong: Wrong| wrong.at(span))
}

/// Options that the command line has as flags.
const FLAGS: [&str; 16] = [
    "stack",
    "bin",
    "package",
    "port",
    "base",
    "runtime",
    "user",
    "features",
    "no-default-features",
    "profile",
    "incremental",
    "env",
    "health",
    "frontend",
    "manifests",
    "templates",
];

impl Options {
    /// The token that `message` is about: a value that it quotes, or else the option that `key` names.
    pub(crate) fn blame(&self, message: &str, key: &str) -> Option<Span> {
        let all = Node { span: Span::call_site(), kind: Kind::Map(self.map.clone()) };
        let named = || self.map.0.iter().find(|(known, _)| known.name == key).map(|(_, node)| node.span);
        quoted_in(message, &all.texts()).or_else(named)
    }

    /// The command that writes what these options describe.
    pub(crate) fn command(&self) -> String {
        let mut command = String::from("cargo dockerfile");
        let mut rest = Vec::new();
        for (key, node) in &self.map.0 {
            let flag = key.name.replace('_', "-");
            match &node.kind {
                _ if !FLAGS.contains(&flag.as_str()) && flag != "compat" => rest.push(format!("`{flag}`")),
                Kind::Truth(true) => command.push_str(&format!(" --{flag}")),
                Kind::Map(map) => {
                    for (name, value) in &map.0 {
                        command.push_str(&format!(" --{flag} {}={}", name.name, value.plain()));
                    }
                }
                Kind::List(list) => {
                    let words: Vec<String> = list.iter().map(Node::plain).collect();
                    command.push_str(&format!(" --{flag} {}", words.join(",")));
                }
                _ => command.push_str(&format!(" --{flag} {}", node.plain())),
            }
        }
        match rest.is_empty() {
            true => format!("`{command}`"),
            false => format!("`{command}` with {} in dockerfile.toml", rest.join(" and ")),
        }
    }
}
