//! The steps of a stage.
//!
//! Input: `copy "a" => "b";` and its like. Output: [`Steps`], the library's steps with their tokens. The one idea: a
//! step needs what was written before it, except inside `independent { … }`, and nothing else decides the order.

use std::collections::BTreeMap;

use dockerfile_gen::config::{Scalar, nearest};
use dockerfile_gen::facts::{Credential, slug};
use dockerfile_gen::plan::{Change, Mount, Op, Source, Step, UserCommand, Value};
use serde::Deserialize;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, LitInt, LitStr, Token, braced, token};

use super::words::{Written, comment, name, word};
use crate::args::read;
use crate::tokens::{Kind, Node};

/// Steps that were read so far.
#[derive(Default)]
pub(super) struct Steps {
    pub(super) found: Vec<(Step, Written)>,
    /// What the next step comes after.
    last: Vec<String>,
}

const KEYWORDS: [&str; 13] = [
    "arg",
    "cmd",
    "copy",
    "entrypoint",
    "env",
    "expose",
    "healthcheck",
    "independent",
    "label",
    "run",
    "stopsignal",
    "user",
    "workdir",
];

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
struct CopyOptions {
    link: bool,
    owner: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
struct RunOptions {
    cache: Vec<String>,
    locked: bool,
    secret: BTreeMap<String, String>,
    secret_env: BTreeMap<String, String>,
    ssh: bool,
    bind: BTreeMap<String, String>,
    seconds: Option<f64>,
}

impl Steps {
    /// Reads one step, or a block of independent ones.
    pub(super) fn parse(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let lines = comment(input)?;
        let span = input.span();
        let keyword = input.call(Ident::parse_any)?.unraw().to_string();
        if keyword == "independent" {
            return self.independent(input);
        }
        let mut written = Written::new(span);
        let mut step = match keyword.as_str() {
            "copy" => copy(input, &mut written)?,
            "run" => run(input, &mut written)?,
            "env" => Step::env("", pairs(input, &mut written)?),
            "label" => Step::label(pairs(input, &mut written)?),
            "arg" => arg(input)?,
            "workdir" => Step::workdir(&text(input, &mut written)?),
            "user" => Step::user(&text(input, &mut written)?),
            "stopsignal" => Step::stop_signal(&text(input, &mut written)?),
            "expose" => Step::expose(port(input)?),
            "entrypoint" => Step::entrypoint(list(input, &mut written)?),
            "cmd" => Step::cmd(list(input, &mut written)?),
            "healthcheck" => Step::healthcheck(list(input, &mut written)?),
            other => {
                let reason = match nearest(other, KEYWORDS) {
                    Some(near) => format!("unknown step `{other}`: did you mean `{near}`?"),
                    None => format!("unknown step `{other}`: there is {}", KEYWORDS.join(", ")),
                };
                return Err(syn::Error::new(span, reason));
            }
        };
        end(input, &written)?;
        step.id = format!("{keyword}-{}", self.found.len() + 1);
        step.comment = lines;
        let step = step.after(std::mem::take(&mut self.last));
        self.last = vec![step.id.clone()];
        self.found.push((step, written));
        Ok(())
    }

    /// Steps, or chains of steps in braces, that do not need each other.
    fn independent(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let inside;
        braced!(inside in input);
        let before = std::mem::take(&mut self.last);
        let mut after = Vec::new();
        while !inside.is_empty() {
            self.last.clone_from(&before);
            if inside.peek(token::Brace) {
                let chain;
                braced!(chain in inside);
                while !chain.is_empty() {
                    self.parse(&chain)?;
                }
            } else {
                self.parse(&inside)?;
            }
            after.append(&mut self.last);
        }
        self.last = if after.is_empty() { before } else { after };
        Ok(())
    }
}

/// `;`, which may be left out behind a brace and at the end.
fn end(input: ParseStream<'_>, written: &Written) -> syn::Result<()> {
    if input.peek(Token![;]) {
        input.parse::<Token![;]>()?;
    } else if !written.ends_in_brace && !input.is_empty() {
        return Err(input.error("expected `;`"));
    }
    Ok(())
}

fn text(input: ParseStream<'_>, written: &mut Written) -> syn::Result<String> {
    let literal: LitStr = input.parse()?;
    written.keep(literal.value(), literal.span());
    Ok(literal.value())
}

/// `"a"` or `["a", "b"]`.
fn list(input: ParseStream<'_>, written: &mut Written) -> syn::Result<Vec<String>> {
    let node: Node = input.parse()?;
    let nodes = match node.kind {
        Kind::List(nodes) => nodes,
        _ => vec![node],
    };
    let mut texts = Vec::new();
    for node in nodes {
        let span = node.span;
        let text: String = read(node)?;
        written.keep(text.clone(), span);
        texts.push(text);
    }
    Ok(texts)
}

fn pairs(input: ParseStream<'_>, written: &mut Written) -> syn::Result<BTreeMap<String, String>> {
    let pairs: BTreeMap<String, Scalar> = options(input, written)?;
    Ok(pairs.into_iter().map(|(key, value)| (key, value.0)).collect())
}

/// Options in braces, if there are any.
fn options<T: Default + for<'de> Deserialize<'de>>(input: ParseStream<'_>, written: &mut Written) -> syn::Result<T> {
    if !input.peek(token::Brace) {
        return Ok(T::default());
    }
    let node: Node = input.parse()?;
    written.ends_in_brace = true;
    written.texts.extend(node.texts());
    read(node)
}

/// `copy "a" => "b"`, `copy ["a", "b"] from build => "c/" { link: true }`.
fn copy(input: ParseStream<'_>, written: &mut Written) -> syn::Result<Step> {
    let pattern = |text: &String| text.contains(['*', '?', '[']);
    let sources = list(input, written)?.into_iter();
    let sources: Vec<Source> =
        sources.map(|text| if pattern(&text) { Source::Pattern(text) } else { Source::Path(text) }).collect();
    let from = match input.peek(Ident::peek_any) {
        true => {
            word(input, "from")?;
            let is_image = input.peek(LitStr);
            Some((name(input, written)?, is_image))
        }
        false => None,
    };
    input.parse::<Token![=>]>()?;
    let dest = text(input, written)?;
    let mut step = match from {
        None => Step::copy("", sources, &dest),
        Some((image, true)) => Step::copy_image("", &image, sources, &dest),
        Some((stage, false)) => Step::copy_from("", &stage, sources, &dest),
    };
    let options: CopyOptions = options(input, written)?;
    if options.link {
        step = step.linked();
    }
    if let Some(owner) = &options.owner {
        step = step.owned_by(owner);
    }
    let is_manifest = |source: &Source| {
        let name = source.as_str().rsplit('/').next().unwrap_or_default();
        ["toml", "lock", "json", "mod", "sum", "txt", "yaml"].iter().any(|end| name.ends_with(&format!(".{end}")))
    };
    if let Op::Copy { from: None, sources, .. } = &step.op
        && sources.iter().all(is_manifest)
    {
        step = step.change(Change::Manifest);
    }
    Ok(step)
}

/// `run "command" { cache: ["/root/.npm"] }`.
fn run(input: ParseStream<'_>, written: &mut Written) -> syn::Result<Step> {
    let command = Value::UserCommand(UserCommand(text(input, written)?));
    let mut step = Step::run("", "common/extra").value("command", command);
    let options: RunOptions = options(input, written)?;
    for target in &options.cache {
        let id = slug(target);
        step = if options.locked { step.locked_cache(id, target) } else { step.cache(id, target) };
    }
    for (source, target) in options.bind {
        step = step.mount(Mount::Bind { from: None, source, target, writable: false });
    }
    let mut credentials: Vec<Credential> = Vec::new();
    credentials.extend(options.secret.into_iter().map(|(id, target)| Credential::File { id, target }));
    credentials.extend(options.secret_env.into_iter().map(|(id, variable)| Credential::Env { id, variable }));
    credentials.extend(options.ssh.then_some(Credential::Ssh));
    step = step.credentials(&credentials);
    Ok(match options.seconds {
        Some(seconds) => step.seconds(seconds),
        None => step,
    })
}

/// `arg NAME` or `arg NAME = "default"`.
fn arg(input: ParseStream<'_>) -> syn::Result<Step> {
    let name: Ident = input.parse()?;
    let default = match input.peek(Token![=]) {
        true => {
            input.parse::<Token![=]>()?;
            Some(input.parse::<LitStr>()?.value())
        }
        false => None,
    };
    Ok(Step::arg(&name.to_string(), default.as_deref()))
}

fn port(input: ParseStream<'_>) -> syn::Result<u16> {
    let literal: LitInt = input.parse()?;
    match literal.base10_parse::<u16>() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(syn::Error::new(literal.span(), format!("`{literal}` is not a port: write a number from 1 to 65535"))),
    }
}
