//! An image that is declared stage by stage.
//!
//! Input: `stage name from base { steps }`. Output: the text of its Dockerfile. The one idea: the tokens become the same
//! `Plan` that detection makes, so the library checks, orders and spells it, and every fault is said at its token.

mod step;
mod words;

use std::path::{Path, PathBuf};

use dockerfile_gen::check::{Fault, Severity};
use dockerfile_gen::context::Dockerignore;
use dockerfile_gen::plan::{Plan, Stage};
use dockerfile_gen::{Config, DiskTree, MemTree, Tree};
use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Ident, LitStr, Token, braced};

use crate::args::Folder;
use crate::expand::Beside;
use crate::project;
use step::Steps;
use words::{Written, comment, name, word};

/// Whether the tokens declare an image; otherwise they are options.
pub(crate) fn is_declaration(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    ahead.peek(Token![#])
        || ahead
            .call(Ident::parse_any)
            .is_ok_and(|word| ["stage", "folder"].iter().any(|known| word == known) && !ahead.peek(Token![:]))
}

/// A declaration, with the tokens of each stage and step.
struct Declaration {
    folder: Option<Folder>,
    stages: Vec<(Stage, Tokens)>,
}

/// Where a stage and its steps were written.
struct Tokens {
    stage: Written,
    steps: Vec<Written>,
}

/// Makes the text, or an error for each fault.
pub(crate) fn expand(input: ParseStream<'_>, place: &str) -> syn::Result<TokenStream> {
    let Declaration { folder, stages } = input.parse()?;
    let root = project::root(folder.as_ref())?;
    let (stages, tokens): (Vec<Stage>, Vec<Tokens>) = stages.into_iter().unzip();
    let mut plan = Plan::declared(&inside(place, &root), stages);
    let failed = |error: dockerfile_gen::Error| syn::Error::new(Span::call_site(), error.to_string());
    let tree = DiskTree::open(&root).map_err(failed)?;
    let ignore = Dockerignore::of(&tree, "Dockerfile").map_err(failed)?;
    let mut beside = Beside::default();
    beside.files.extend(ignore.path().map(|path| root.join(path)));
    let mut errors: Option<syn::Error> = None;
    for fault in plan.check(&tree, &ignore) {
        let (span, text) = (tokens_of(&tokens, &fault), message(&fault));
        match (fault.severity, &mut errors) {
            (Severity::Error, Some(errors)) => errors.combine(syn::Error::new(span, text)),
            (Severity::Error, None) => errors = Some(syn::Error::new(span, text)),
            _ => beside.warnings.push((span, text)),
        }
    }
    if let Some(errors) = errors {
        return Err(errors);
    }
    let templates = MemTree::default();
    let text = dockerfile_gen::spell(&mut plan, &Config::default(), &templates as &dyn Tree).map_err(failed)?;
    Ok(beside.text(&text))
}

/// The source file as the project names it; where rustc gives an absolute path, the text must not depend on it.
fn inside(place: &str, root: &Path) -> String {
    let path = Path::new(place);
    let short = path.strip_prefix(root).ok().or_else(|| path.is_relative().then_some(path));
    let name = short.map(Path::to_path_buf).or_else(|| path.file_name().map(PathBuf::from)).unwrap_or_default();
    match name.to_string_lossy().replace('\\', "/") {
        name if name.is_empty() => "a macro".into(),
        name => name,
    }
}

fn message(fault: &Fault) -> String {
    match &fault.hint {
        Some(hint) => format!("{}: {hint}", fault.reason),
        None => fault.reason.clone(),
    }
}

fn tokens_of(tokens: &[Tokens], fault: &Fault) -> Span {
    let Some(stage) = tokens.get(fault.stage) else { return Span::call_site() };
    let step = fault.step.and_then(|step| stage.steps.get(step));
    step.unwrap_or(&stage.stage).blame(&fault.reason)
}

impl Parse for Declaration {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut found = Self { folder: None, stages: Vec::new() };
        if input.peek(Ident::peek_any) && input.fork().call(Ident::parse_any)? == "folder" {
            input.call(Ident::parse_any)?;
            found.folder = Some(Folder::read(input.parse()?)?);
            input.parse::<Token![;]>()?;
        }
        while !input.is_empty() {
            found.stages.push(stage(input)?);
        }
        match found.stages.is_empty() {
            true => Err(input.error("expected a stage: `stage name from \"image\" { … }`")),
            false => Ok(found),
        }
    }
}

/// `stage build from "image" { … }`, `stage test from build { … }`.
fn stage(input: ParseStream<'_>) -> syn::Result<(Stage, Tokens)> {
    let comment = comment(input)?;
    word(input, "stage")?;
    let mut written = Written::new(input.span());
    let name = name(input, &mut written)?;
    word(input, "from")?;
    let mut stage = if input.peek(LitStr) {
        let image: LitStr = input.parse()?;
        written.keep(image.value(), image.span());
        Stage::from_image(&name, image.value())
    } else {
        let base: Ident = input.call(Ident::parse_any)?;
        written.keep(base.unraw().to_string(), base.span());
        Stage::from_stage(&name, &base.unraw().to_string())
    };
    stage.comment = comment;
    let inside;
    braced!(inside in input);
    let mut steps = Steps::default();
    while !inside.is_empty() {
        steps.parse(&inside)?;
    }
    let (made, tokens): (Vec<_>, Vec<_>) = steps.found.into_iter().unzip();
    for step in made {
        stage.push(step);
    }
    Ok((stage, Tokens { stage: written, steps: tokens }))
}
