//! Quoting for each place of a Dockerfile where text from a project can land.
//!
//! Input: untrusted text. Output: text that means exactly that text there. The one idea: one function a place, and
//! what cannot be written there at all is an error, never an approximation.
//!
//! Sources: <https://docs.docker.com/reference/dockerfile/#environment-replacement>,
//! <https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02>.

use crate::error::{Error, Result};

/// Refuses text with control characters: a line break would end the instruction.
pub fn printable(text: &str) -> Result<&str> {
    if text.chars().any(char::is_control) {
        return Err(Error::Unsupported {
            reason: format!("{text:?} holds a control character, which a Dockerfile cannot"),
            hint: "rename it, or leave it out of the manifest".into(),
        });
    }
    Ok(text)
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_./:@=+,%^-".contains(&byte)
}

/// One word of a POSIX shell command. Line breaks are turned into spaces; [`printable`] refuses them before.
pub fn shell(text: &str) -> String {
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("'{}'", clean.replace('\'', r"'\''"))
}

/// A JSON array, for the exec form of `CMD`, `ENTRYPOINT` and `HEALTHCHECK CMD`.
pub fn exec(argv: &[String]) -> String {
    let words: Vec<String> = argv.iter().map(|word| json_string(word)).collect();
    format!("[{}]", words.join(", "))
}

fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A value of `ENV`, `ARG` or `LABEL`, in double quotes unless it is plain.
///
/// # Errors
/// [`Error::Unsupported`] for control characters.
pub fn env_value(text: &str) -> Result<String> {
    printable(text)?;
    if !text.is_empty() && text.bytes().all(is_plain) {
        return Ok(text.to_owned());
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '$') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    Ok(out)
}

/// `KEY=value` pairs, one a line.
///
/// # Errors
/// [`Error::Unsupported`] for control characters, or a key that is not a plain word.
pub fn pairs(pairs: &[(String, String)]) -> Result<String> {
    let mut lines = Vec::new();
    for (key, value) in pairs {
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-/".contains(&byte)) {
            return Err(Error::Unsupported {
                reason: format!("{key:?} is not a name that `ENV` or `LABEL` can take"),
                hint: "use letters, digits, `_`, `.`, `-` and `/`".into(),
            });
        }
        lines.push(format!("{key}={}", env_value(value)?));
    }
    Ok(lines.join(" \\\n    "))
}

/// A single argument of `WORKDIR` and its like.
///
/// # Errors
/// [`Error::Unsupported`] for control characters.
pub fn word(text: &str) -> Result<String> {
    if text.bytes().all(is_plain) && !text.is_empty() { Ok(text.to_owned()) } else { env_value(text) }
}

/// A path in which every character means itself although `COPY` takes patterns.
///
/// A backslash alone does not do it: BuildKit takes a source without a wildcard as it is, the backslash with it. In a
/// class it escapes for both that read a pattern: the copy itself and the list of what is asked of the client.
/// <https://pkg.go.dev/github.com/tonistiigi/fsutil>
///
/// # Errors
/// [`Error::Unsupported`] for control characters.
pub fn glob_literal(path: &str) -> Result<String> {
    printable(path)?;
    let needs_class = path.contains(['*', '?', '[', '\\'])
        || path.starts_with('!')
        || path.starts_with(char::is_whitespace)
        || path.ends_with(char::is_whitespace);
    Ok(if needs_class { in_classes(path) } else { path.to_owned() })
}

/// `pattern` in the folder `dir`, whose characters mean themselves.
///
/// # Errors
/// [`Error::Unsupported`] for control characters.
pub fn glob_in(dir: &str, pattern: &str) -> Result<String> {
    printable(dir)?;
    Ok(if dir.is_empty() { pattern.to_owned() } else { format!("{}/{pattern}", in_classes(dir)) })
}

/// Every character that means something in a pattern, as a class. Braces and bars are part of the regular expression that
/// moby makes of a pattern; `!` in front turns it around, and blanks around it are cut off.
fn in_classes(path: &str) -> String {
    let last = path.chars().count().saturating_sub(1);
    let mut out = String::new();
    for (index, c) in path.chars().enumerate() {
        match c {
            '*' | '?' | '[' | '\\' | '{' | '}' | '|' | '^' => out.extend(['[', '\\', c, ']']),
            '!' if index == 0 => out.push_str("[!]"),
            c if c.is_whitespace() && (index == 0 || index == last) => out.extend(['[', c, ']']),
            c => out.push(c),
        }
    }
    out
}

/// The paths of a `COPY`: sources, which may be patterns, and a destination.
///
/// The JSON form is used where a path is not plain. Variables are replaced in both forms, so `$` is escaped; a first
/// word such as `--from=x` or `<<EOF` would be a flag or a here-document, so it gets `./` in front.
///
/// # Errors
/// [`Error::Unsupported`] for control characters.
pub fn copy(sources: &[String], dest: &str) -> Result<String> {
    let mut words = Vec::new();
    for path in sources.iter().map(String::as_str).chain([dest]) {
        printable(path)?;
        let first = path.trim_start_matches('\\').chars().next();
        let safe = first.is_some_and(|c| c.is_alphanumeric() && !c.is_ascii_digit() || "./*?[_@".contains(c));
        words.push(if safe { path.to_owned() } else { format!("./{path}") });
    }
    let plain = |word: &String| word.bytes().all(|byte| is_plain(byte) || b"*?[]".contains(&byte));
    // BuildKit reads lines of at most 64 KiB.
    let is_long = words.iter().map(|word| word.len() + 1).sum::<usize>() > LONG_LINE;
    let (space, comma) = if is_long { (" \\\n    ", ", \\\n    ") } else { (" ", ", ") };
    if words.iter().all(plain) {
        return Ok(words.join(space));
    }
    // Within the JSON string `\` and `$` go through the word expansion once more.
    let escaped: Vec<String> = words.iter().map(|word| json_string(&expansion_literal(word))).collect();
    Ok(format!("[{}]", escaped.join(comma)))
}

/// From this length on, the paths of a `COPY` stand in lines of their own.
const LONG_LINE: usize = 16 * 1024;

/// Text that the expansion of variables gives back unchanged.
fn expansion_literal(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if matches!(c, '\\' | '$' | '"' | '\'') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A value in `--mount=…`.
///
/// # Errors
/// [`Error::Unsupported`] for what would need quoting there.
pub fn mount_value(text: &str) -> Result<&str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./:@+-".contains(&byte);
    if text.bytes().all(plain) && !text.is_empty() {
        return Ok(text);
    }
    Err(Error::Unsupported {
        reason: format!("{text:?} cannot be written into a `--mount`"),
        hint: "rename it to letters, digits, `.`, `_` and `-`".into(),
    })
}

/// A shell command of the user's: one line stays one line, several become a here-document.
pub fn user_command(command: &str) -> String {
    let command = command.trim_end().replace("\r\n", "\n");
    if !command.contains('\n') {
        return command;
    }
    let mut end = String::from("EOF");
    // BuildKit ends the document at the word with any number of carriage returns behind it.
    while command.lines().any(|line| line.trim_end_matches('\r') == end) {
        end.push('F');
    }
    format!("<<'{end}'\nset -e\n{command}\n{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stays_one_word() {
        assert_eq!(shell("src/main.rs"), "src/main.rs");
        assert_eq!(shell("a b"), "'a b'");
        assert_eq!(shell("it's; rm -rf /"), r"'it'\''s; rm -rf /'");
        assert_eq!(shell(""), "''");
        assert!(!shell("a\nRUN evil").contains('\n'));
    }

    #[test]
    fn env_values_expand_nothing() {
        assert_eq!(env_value("$HOME \"x\" \\").unwrap(), r#""\$HOME \"x\" \\""#);
        assert!(env_value("a\nb").is_err());
    }

    #[test]
    fn copy_words_are_no_flags_and_no_here_documents() {
        assert_eq!(copy(&["a".into(), "b*".into()], "./").unwrap(), "a b* ./");
        assert_eq!(copy(&["--from=x".into()], "./").unwrap(), "./--from=x ./");
        assert_eq!(copy(&["<<EOF".into()], "./").unwrap(), r#"["./<<EOF", "./"]"#);
        assert_eq!(copy(&["a b".into()], "./").unwrap(), r#"["a b", "./"]"#);
        assert_eq!(copy(&["$x".into()], "./").unwrap(), r#"["./\\$x", "./"]"#);
    }
}
