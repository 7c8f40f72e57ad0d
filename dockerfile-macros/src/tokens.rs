//! Tokens as a small tree of values that know their places.
//!
//! Input: `key: value, …`. Output: [`Map`] of [`Node`]s.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Ident, LitBool, LitFloat, LitInt, LitStr, Token, braced, bracketed, token};

/// A value and where it stands.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) kind: Kind,
}

/// What a value can be.
#[derive(Clone)]
pub(crate) enum Kind {
    Text(String),
    Whole(u64),
    Negative(i64),
    Broken(f64),
    Truth(bool),
    /// An identifier, for closed sets such as `rust`.
    Word(String),
    List(Vec<Node>),
    Map(Map),
}

/// Keys and values, in the order in which they were written.
#[derive(Clone, Default)]
pub(crate) struct Map(pub(crate) Vec<(Key, Node)>);

/// A key and where it stands.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) span: Span,
}

impl Parse for Node {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let span = input.span();
        let kind = if input.peek(LitStr) {
            Kind::Text(input.parse::<LitStr>()?.value())
        } else if input.peek(LitInt) {
            Kind::Whole(input.parse::<LitInt>()?.base10_parse()?)
        } else if input.peek(LitFloat) {
            Kind::Broken(input.parse::<LitFloat>()?.base10_parse()?)
        } else if input.peek(LitBool) {
            Kind::Truth(input.parse::<LitBool>()?.value)
        } else if input.peek(Token![-]) {
            input.parse::<Token![-]>()?;
            Kind::Negative(-input.parse::<LitInt>()?.base10_parse::<i64>()?)
        } else if input.peek(Ident::peek_any) {
            Kind::Word(input.call(Ident::parse_any)?.unraw().to_string())
        } else if input.peek(token::Bracket) {
            let inside;
            bracketed!(inside in input);
            Kind::List(inside.parse_terminated(Node::parse, Token![,])?.into_iter().collect())
        } else if input.peek(token::Brace) {
            let inside;
            braced!(inside in input);
            Kind::Map(inside.parse()?)
        } else {
            return Err(input.error("expected a string, a number, `true`, `false`, a name, `[…]` or `{…}`"));
        };
        Ok(Self { span, kind })
    }
}

impl Parse for Map {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut map = Self::default();
        while !input.is_empty() {
            let span = input.span();
            let name = if input.peek(LitStr) {
                input.parse::<LitStr>()?.value()
            } else if input.peek(Ident::peek_any) {
                input.call(Ident::parse_any)?.unraw().to_string()
            } else {
                return Err(input.error("expected `option: value`"));
            };
            if map.0.iter().any(|(key, _)| key.name == name) {
                return Err(syn::Error::new(span, format!("`{name}` is there twice")));
            }
            if !input.peek(Token![:]) {
                return Err(syn::Error::new(span, format!("expected a value: `{name}: …`")));
            }
            input.parse::<Token![:]>()?;
            map.0.push((Key { name, span }, input.parse()?));
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(map)
    }
}

impl Node {
    /// The texts, names and keys in the value, and where each stands.
    pub(crate) fn texts(&self) -> Vec<(String, Span)> {
        match &self.kind {
            Kind::Text(text) | Kind::Word(text) => vec![(text.clone(), self.span)],
            Kind::List(nodes) => nodes.iter().flat_map(Node::texts).collect(),
            Kind::Map(map) => {
                let entries = map.0.iter().map(|(key, node)| [vec![(key.name.clone(), key.span)], node.texts()]);
                entries.flatten().flatten().collect()
            }
            Kind::Whole(_) | Kind::Negative(_) | Kind::Broken(_) | Kind::Truth(_) => Vec::new(),
        }
    }

    /// The value as a shell word.
    pub(crate) fn plain(&self) -> String {
        match &self.kind {
            Kind::Text(text) | Kind::Word(text) => dockerfile_gen::quote::shell(text),
            Kind::Whole(number) => number.to_string(),
            Kind::Negative(number) => number.to_string(),
            Kind::Broken(number) => number.to_string(),
            Kind::Truth(truth) => truth.to_string(),
            Kind::List(_) | Kind::Map(_) => String::new(),
        }
    }
}
