//! Quotes, escapes and variables, as BuildKit expands them.
//!
//! Input: a word and a way to look up variables. Output: [`Expansion`]. The one idea: it is the grammar of
//! BuildKit's own word processor, oddities included, and not that of any shell; what the shell of a `RUN`
//! does with its text is never looked at here.

mod lexer;
mod outcome;
mod pattern;

pub(super) use lexer::pieces;
pub use outcome::{Env, ExpandError, Expansion, Mode};

/// Expands `text`.
///
/// # Errors
/// [`ExpandError`] where BuildKit would stop. Besides, nesting deeper than any person writes is refused.
pub fn expand(text: &str, mode: Mode, env: &Env<'_>) -> Result<Expansion, ExpandError> {
    lexer::expand(text, mode, env)
}

/// Expands an argument that stays one word, such as a path.
///
/// ```
/// use dockerfile_gen::dockerfile::expand_word;
/// let env = |name: &str| (name == "VERSION").then(|| "22.1".to_owned());
/// assert_eq!(expand_word("node:\"${VERSION%.*}\"-${OS:-slim}", '\\', &env).unwrap(), "node:22-slim");
/// ```
///
/// # Errors
/// [`ExpandError`] where BuildKit would stop.
pub fn expand_word(word: &str, escape: char, env: &Env<'_>) -> Result<String, ExpandError> {
    expand(word, Mode::word(escape), env).map(|expansion| expansion.text)
}

/// Expands an argument that may become several words, such as a port of `EXPOSE`.
///
/// # Errors
/// [`ExpandError`] where BuildKit would stop.
pub fn expand_words(words: &str, escape: char, env: &Env<'_>) -> Result<Vec<String>, ExpandError> {
    expand(words, Mode::word(escape), env).map(|expansion| expansion.words)
}

/// Expands the body of a heredoc of `COPY` or `ADD`.
///
/// # Errors
/// [`ExpandError`] where BuildKit would stop.
pub fn expand_body(body: &str, env: &Env<'_>) -> Result<String, ExpandError> {
    expand(body, Mode::body(), env).map(|expansion| expansion.text)
}

/// Takes quotes and escapes away and leaves variables as they are; gives back `word` if its quotes are broken.
pub fn unquote(word: &str, escape: char) -> String {
    match expand(word, Mode::unquote(escape), &|_| None) {
        Ok(expansion) => expansion.text,
        Err(_) => word.to_owned(),
    }
}

#[cfg(test)]
mod tests;
