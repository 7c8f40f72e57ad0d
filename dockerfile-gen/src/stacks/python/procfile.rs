//! Procfile.
//!
//! Input: its text. Output: the `web` command. The one idea: it is taken at its word only if the program that it names
//! will be in the image.

/// A process of a Procfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    /// The line, from 1.
    pub(crate) line: u32,
    /// The command as it stands there.
    pub(crate) command: String,
    /// Its words, if it needs no shell.
    pub(crate) words: Option<Vec<String>>,
}

/// The process of a type, such as `web`.
pub(crate) fn process(text: &str, kind: &str) -> Option<Process> {
    text.lines().enumerate().find_map(|(index, line)| {
        let (name, command) = line.split_once(':')?;
        let command = command.trim();
        (name.trim() == kind && !command.is_empty()).then(|| Process {
            line: index as u32 + 1,
            command: command.to_owned(),
            words: words(command),
        })
    })
}

/// The words of a command; `None` if only a shell can run it.
pub(crate) fn words(command: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in command.chars() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (Some('\''), c) => word.get_or_insert_default().push(c),
            (_, '$' | '`' | '\\') => return None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '&' | '|' | ';' | '<' | '>' | '(' | ')' | '*' | '?' | '~' | '#' | '{') => return None,
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    // `NAME=value program` is the shell's, too.
    let assigns = words.first().is_none_or(|first| first.contains('='));
    (quote.is_none() && !assigns).then_some(words)
}

/// The program that a command runs, after assignments and `exec`.
pub(crate) fn program(command: &str) -> &str {
    let is_prefix = |word: &&str| *word == "exec" || *word == "env" || word.contains('=') && !word.starts_with('-');
    command.split_whitespace().find(|word| !is_prefix(word)).unwrap_or_default()
}

/// The command with `exec` before its last program, which then gets the signals of the container.
pub(crate) fn with_exec(command: &str) -> String {
    if command.contains('|') || command.ends_with('&') || command.contains("exec ") {
        return command.to_owned();
    }
    let after = command.rfind(';').map(|at| at + 1).max(command.rfind("&&").map(|at| at + 2)).unwrap_or(0);
    let (before, last) = command.split_at(after);
    let space = if before.is_empty() { "" } else { " " };
    // `NAME=value exec program` is no command, `env NAME=value program` is one.
    let env = if last.split_whitespace().next().is_some_and(|word| word.contains('=')) { "env " } else { "" };
    format!("{before}{space}exec {env}{}", last.trim_start())
}

/// The distribution that installs a program.
pub(crate) fn distribution(program: &str) -> Option<&'static str> {
    Some(match program {
        "gunicorn" => "gunicorn",
        "uvicorn" => "uvicorn",
        "hypercorn" => "hypercorn",
        "daphne" => "daphne",
        "uwsgi" => "uwsgi",
        "waitress-serve" => "waitress",
        "granian" => "granian",
        "streamlit" => "streamlit",
        "flask" => "flask",
        "fastapi" => "fastapi-cli",
        "chainlit" => "chainlit",
        "celery" => "celery",
        "sanic" => "sanic",
        "litestar" => "litestar",
        "panel" => "panel",
        "voila" => "voila",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_no_shell_becomes_words() {
        let web = process("release: x\nweb: gunicorn 'a b' --log-file -\n", "web").unwrap();
        assert_eq!(web.line, 2);
        assert_eq!(web.words.unwrap(), ["gunicorn", "a b", "--log-file", "-"]);
        for command in ["gunicorn -b :$PORT", "a && b", "X=1 python a.py", "echo 'x", "a > b"] {
            assert_eq!(words(command), None, "{command}");
        }
        assert_eq!(with_exec("flask db upgrade; gunicorn a:b"), "flask db upgrade; exec gunicorn a:b");
        assert_eq!(with_exec("X=1 gunicorn a:b"), "exec env X=1 gunicorn a:b");
        assert_eq!(with_exec("a && b | c"), "a && b | c");
        assert_eq!(program("PORT=1 exec gunicorn x"), "gunicorn");
    }
}
