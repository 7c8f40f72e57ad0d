//! Scripts of package.json, read as far as they are simple.
//!
//! Input: the text of a script. Output: [`Simple`] commands in a row, or nothing. The one idea: a list of plain commands
//! can be taken apart and run without a shell; whatever uses more of the shell's language is left to a shell.

/// One command: assignments and words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Simple {
    /// Variables that are set for it.
    pub(crate) env: Vec<(String, String)>,
    /// The program and its arguments.
    pub(crate) words: Vec<String>,
}

/// Takes a script apart at `&&` and `;`. `None` if it needs a shell: pipes, redirections, substitutions, globs.
pub(crate) fn parse(script: &str) -> Option<Vec<Simple>> {
    let mut commands = Vec::new();
    let mut current = Simple::default();
    for token in tokens(script)? {
        match token {
            Token::Then => {
                if !current.words.is_empty() {
                    commands.push(std::mem::take(&mut current));
                }
            }
            Token::Word(word) => match assignment(&word) {
                Some((name, value)) if current.words.is_empty() => current.env.push((name, value)),
                _ => current.words.push(word),
            },
        }
    }
    if !current.words.is_empty() {
        commands.push(current);
    }
    Some(commands)
}

/// `NAME=value`.
pub(crate) fn assignment(word: &str) -> Option<(String, String)> {
    let (name, value) = word.split_once('=')?;
    let named = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let first = name.bytes().next()?;
    (named && !first.is_ascii_digit()).then(|| (name.to_owned(), value.to_owned()))
}

enum Token {
    Word(String),
    Then,
}

fn tokens(script: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = script.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' => tokens.extend(word.take().map(Token::Word)),
            '&' if chars.peek() == Some(&'&') => {
                chars.next();
                tokens.extend(word.take().map(Token::Word));
                tokens.push(Token::Then);
            }
            ';' => {
                tokens.extend(word.take().map(Token::Word));
                tokens.push(Token::Then);
            }
            '\'' | '"' => quoted(&mut chars, c, word.get_or_insert_default())?,
            '\\' => word.get_or_insert_default().push(chars.next().filter(|c| !c.is_control())?),
            '#' if word.is_none() => return None,
            '|' | '&' | '<' | '>' | '$' | '`' | '(' | ')' | '{' | '}' | '*' | '?' | '[' | '~' | '!' => return None,
            c if c.is_control() => return None,
            c => word.get_or_insert_default().push(c),
        }
    }
    tokens.extend(word.map(Token::Word));
    Some(tokens)
}

fn quoted(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, quote: char, word: &mut String) -> Option<()> {
    loop {
        match chars.next()? {
            c if c == quote => return Some(()),
            '\\' if quote == '"' => match chars.next()? {
                c @ ('"' | '\\' | '$' | '`') => word.push(c),
                c => word.extend(['\\', c]),
            },
            '$' | '`' if quote == '"' => return None,
            c if c.is_control() => return None,
            c => word.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(script: &str) -> Option<Vec<String>> {
        Some(parse(script)?.into_iter().map(|command| command.words.join("|")).collect())
    }

    #[test]
    fn plain_commands_are_taken_apart() {
        assert_eq!(
            words("npm run build && node dist/main.js --name 'a b'").unwrap(),
            ["npm|run|build", "node|dist/main.js|--name|a b"]
        );
        let parsed = parse("NODE_ENV=production A=\"x y\" node .").unwrap();
        assert_eq!(parsed[0].env, [("NODE_ENV".into(), "production".into()), ("A".into(), "x y".into())]);
        assert_eq!(parsed[0].words, ["node", "."]);
    }

    #[test]
    fn what_needs_a_shell_is_left_alone() {
        for script in ["a | b", "a > b", "a $(b)", "echo `id`", "a & b", "ls *", "a ${PORT:-1}", "\"$x\"", "a 'b"] {
            assert_eq!(parse(script), None, "{script}");
        }
    }
}
