//! Where in the code a literal stands.
//!
//! Input: the tokens of a file and a position. Output: [`Place`]: the name that the literal is given to and the calls
//! that it is an argument of. The one idea: `":8080"` means something only as what `ListenAndServe` is called with.

use super::source::{Kind, Source, Token};

/// A call around a literal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Call<'a> {
    /// What stands before the dot, such as `http`.
    pub receiver: &'a str,
    pub name: &'a str,
    /// Position of the argument that holds the literal.
    pub index: usize,
    /// The first argument that is a string literal and where it stands among the arguments.
    pub first: Option<(usize, &'a str)>,
}

/// Where a literal stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place<'a> {
    /// The variable, constant, field or map key that gets it.
    pub key: Option<&'a str>,
    /// The calls around it, innermost first, at most two.
    pub calls: Vec<Call<'a>>,
}

/// How far back a call is looked for.
const REACH: usize = 400;

/// The place of the token at `at`.
pub(super) fn place(source: &Source, at: usize) -> Place<'_> {
    let tokens = source.tokens.as_slice();
    let mut calls = Vec::new();
    let mut from = at;
    while calls.len() < 2
        && let Some((open, index)) = opener(tokens, from)
    {
        if tokens[open].is('(')
            && let Some(name) = open.checked_sub(1).and_then(|before| tokens[before].word())
        {
            let receiver = match open.checked_sub(3).map(|first| &tokens[first..open]) {
                Some([receiver, dot, _]) if dot.is('.') => receiver.word().unwrap_or_default(),
                _ => "",
            };
            calls.push(Call { receiver, name, index, first: first_text(&tokens[open + 1..]) });
        } else if !tokens[open].is('(') && !tokens[open].is('[') && calls.is_empty() && !is_list(tokens, open) {
            break;
        }
        from = open;
    }
    Place { key: key(tokens, at), calls }
}

/// The bracket that is open at `at`, and how many commas stand between.
fn opener(tokens: &[Token], at: usize) -> Option<(usize, usize)> {
    let mut depth = 0;
    let mut commas = 0;
    for index in (at.saturating_sub(REACH)..at).rev() {
        match tokens[index].kind {
            Kind::Mark(')' | ']' | '}') => depth += 1,
            Kind::Mark('(' | '[' | '{') if depth > 0 => depth -= 1,
            Kind::Mark('(' | '[' | '{') => return Some((index, commas)),
            Kind::Mark(',') if depth == 0 => commas += 1,
            // A statement ends at most a few tokens before: `;` is hardly ever written.
            _ => {}
        }
    }
    None
}

/// Whether a brace opens a literal such as `[]string{`, which is a value and not a block.
fn is_list(tokens: &[Token], open: usize) -> bool {
    open >= 2 && tokens[open - 1].word().is_some() && (tokens[open - 2].is(']') || tokens[open - 2].is('.'))
}

fn first_text(tokens: &[Token]) -> Option<(usize, &str)> {
    let mut depth = 0;
    let mut index = 0;
    for token in tokens.iter().take(REACH) {
        match &token.kind {
            Kind::Mark('(' | '[' | '{') => depth += 1,
            Kind::Mark(')' | ']' | '}') if depth == 0 => return None,
            Kind::Mark(')' | ']' | '}') => depth -= 1,
            Kind::Mark(',') if depth == 0 => index += 1,
            Kind::Text(text) | Kind::Raw(text) if depth == 0 => return Some((index, text)),
            _ => {}
        }
    }
    None
}

/// The name before `=`, `:=` or `:`.
fn key(tokens: &[Token], at: usize) -> Option<&str> {
    let mark = at.checked_sub(1)?;
    let mut before = mark.checked_sub(1)?;
    if tokens[mark].is('=') {
        if tokens[before].is('=') || tokens[before].is('!') || tokens[before].is('<') || tokens[before].is('>') {
            return None;
        }
        if tokens[before].is(':') {
            before = before.checked_sub(1)?;
        }
        // `name string = "x"`
        let typed = before.checked_sub(1).filter(|&first| {
            tokens[first].word().is_some_and(|word| !matches!(word, "var" | "const"))
                && tokens[before].word().is_some()
                && tokens[first].line == tokens[before].line
        });
        return tokens[typed.unwrap_or(before)].word();
    }
    if tokens[mark].is(':') {
        return tokens[before].word().or_else(|| tokens[before].text());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<'a>(source: &'a Source, text: &str) -> Place<'a> {
        let at = source.tokens.iter().position(|token| token.text() == Some(text)).unwrap();
        place(source, at)
    }

    #[test]
    fn a_literal_knows_who_gets_it() {
        let text = "package main\nfunc main() {\n\tflag.StringVar(&port, \"port\", getEnv(\"PORT\", \"80\"), \"use\")\n\
                    \taddr := \":1\"\n\tif addr == \":2\" {}\n\tx := http.Server{Addr: \":3\", Handler: mux(\"/h\")}\n}\n\
                    var dir string = \"static\"\nvar list = run([]string{\"a\", \"b\"})\n";
        let source = Source::parse("main.go", text);
        let fallback = of(&source, "80");
        assert_eq!((fallback.calls[0].name, fallback.calls[0].index), ("getEnv", 1));
        assert_eq!(fallback.calls[0].first, Some((0, "PORT")));
        assert_eq!((fallback.calls[1].receiver, fallback.calls[1].name), ("flag", "StringVar"));
        assert_eq!(fallback.calls[1].first, Some((1, "port")));
        assert_eq!(of(&source, ":1").key, Some("addr"));
        assert_eq!(of(&source, ":2").key, None);
        assert_eq!(of(&source, ":3").key, Some("Addr"));
        assert_eq!(of(&source, "static").key, Some("dir"));
        assert_eq!(of(&source, "b").calls[0].name, "run");
    }
}
