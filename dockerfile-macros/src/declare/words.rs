//! Words that stages and steps are written with.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, LitStr, Token, bracketed, token};

use crate::args::quoted_in;

/// A name as an identifier, or as a string where it is none (`"build-web"`).
pub(crate) fn name(input: ParseStream<'_>, written: &mut Written) -> syn::Result<String> {
    let (text, span) = if input.peek(LitStr) {
        let name: LitStr = input.parse()?;
        (name.value(), name.span())
    } else {
        let name: Ident = input.call(Ident::parse_any)?;
        (name.unraw().to_string(), name.span())
    };
    written.keep(text.clone(), span);
    Ok(text)
}

/// Takes the word `expected`.
pub(crate) fn word(input: ParseStream<'_>, expected: &str) -> syn::Result<()> {
    let span = input.span();
    match input.call(Ident::parse_any) {
        Ok(word) if word == expected => Ok(()),
        _ => Err(syn::Error::new(span, format!("expected `{expected}`"))),
    }
}

/// `///` lines.
pub(crate) fn comment(input: ParseStream<'_>) -> syn::Result<Vec<String>> {
    let mut lines = Vec::new();
    while input.peek(Token![#]) && input.peek2(token::Bracket) {
        input.parse::<Token![#]>()?;
        let inside;
        bracketed!(inside in input);
        let attribute: Ident = inside.parse()?;
        if attribute != "doc" {
            return Err(syn::Error::new(attribute.span(), "only `///` comments can stand here"));
        }
        inside.parse::<Token![=]>()?;
        lines.push(inside.parse::<LitStr>()?.value().trim().to_owned());
    }
    Ok(lines)
}

/// The texts of a step or stage and where each stands.
pub(super) struct Written {
    first: Span,
    pub(super) texts: Vec<(String, Span)>,
    pub(super) ends_in_brace: bool,
}

impl Written {
    pub(super) fn new(first: Span) -> Self {
        Self { first, texts: Vec::new(), ends_in_brace: false }
    }

    pub(super) fn keep(&mut self, text: String, span: Span) {
        self.texts.push((text, span));
    }

    /// The token that `message` quotes, or the first.
    pub(super) fn blame(&self, message: &str) -> Span {
        quoted_in(message, &self.texts).unwrap_or(self.first)
    }
}
