//! What a `RUN` runs, and with what.
//!
//! Input: [`Instruction`]. Output: [`RunCommand`], [`Network`], [`Security`]. The one idea: the text that
//! BuildKit gives to the shell, and so puts into the cache key, is not the text in the file: continued lines
//! are joined, and heredocs take the place of the command or are put behind it.

use super::expand::{Env, expand_word};
use super::heredoc;
use super::keyword::Keyword;
use super::mount::{Mount, MountError};
use super::tree::{Arguments, Command, Instruction};

/// What is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunCommand {
    /// These words, without a shell.
    Exec(Vec<String>),
    /// This text, by the shell in force.
    Shell(String),
    /// A file with this text, as it begins with `#!`. Its path is `/dev/pipes/` and the name.
    Script {
        /// The delimiter of the heredoc.
        name: String,
        /// The text.
        text: String,
    },
}

/// The network that a `RUN` sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Network {
    /// What the builder offers.
    #[default]
    Default,
    /// None at all.
    None,
    /// That of the host.
    Host,
}

/// How much a `RUN` may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Security {
    /// What a container may do.
    #[default]
    Sandbox,
    /// Nearly everything.
    Insecure,
}

impl Instruction {
    /// What a `RUN` runs, on anything but Windows; `None` for other instructions.
    pub fn run_command(&self) -> Option<RunCommand> {
        let line = match &self.args {
            Arguments::Run(Command::Exec(words)) => {
                return Some(RunCommand::Exec(words.iter().map(|word| word.text.clone()).collect()));
            }
            Arguments::Run(Command::Shell(line)) => &line.text,
            _ => return None,
        };
        let Some(first) = self.heredocs.first() else { return Some(RunCommand::Shell(line.clone())) };
        if let Ok(Some(_)) = heredoc::announcement(line) {
            let text = first.content();
            return Some(match text.starts_with("#!") {
                true => RunCommand::Script { name: first.delimiter.clone(), text },
                false => RunCommand::Shell(text),
            });
        }
        // The shell reads the heredocs itself, tabs included.
        let mut text = line.clone();
        for heredoc in &self.heredocs {
            text.push('\n');
            text.push_str(&heredoc.body);
            text.push_str(&heredoc.delimiter);
        }
        Some(RunCommand::Shell(text))
    }

    /// The mounts of a `RUN`, with variables from `env`.
    ///
    /// # Errors
    /// The first [`MountError`].
    pub fn mounts(&self, escape: char, env: &Env<'_>) -> Result<Vec<Mount>, MountError> {
        if self.keyword != Keyword::Run {
            return Ok(Vec::new());
        }
        let mut expand = |value: &str| expand_word(value, escape, env);
        self.flags_named("mount").map(|value| Mount::parse(&value.text, &mut expand)).collect()
    }

    /// The network of a `RUN`.
    pub fn network(&self) -> Network {
        match self.flag("network") {
            Some("none") => Network::None,
            Some("host") => Network::Host,
            _ => Network::Default,
        }
    }

    /// The security mode of a `RUN`.
    pub fn security(&self) -> Security {
        match self.flag("security") {
            Some("insecure") => Security::Insecure,
            _ => Security::Sandbox,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Dockerfile;
    use super::*;

    fn run(text: &str) -> RunCommand {
        let file: Dockerfile = format!("FROM scratch\n{text}").parse().unwrap();
        file.instructions[1].run_command().unwrap()
    }

    fn shell(text: &str) -> String {
        match run(text) {
            RunCommand::Shell(line) => line,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn lines_are_joined_and_their_indentation_stays() {
        assert_eq!(shell("RUN a && \\\n    # why\n\n    b \\ \n\tc  \n"), "a &&     b \tc");
        assert_eq!(shell("RUN   a \\\r\n  b\r\n"), "a   b");
        assert_eq!(shell("RUN --network=none  a 'x  y' # z\n"), "a 'x  y' # z");
    }

    #[test]
    fn a_lone_heredoc_is_the_command() {
        assert_eq!(shell("RUN <<EOF\na\n\tb\nEOF\n"), "a\n\tb\n");
        assert_eq!(shell("RUN --network=none <<-'EOF'\n\ta\n\tEOF\n"), "a\n");
        assert_eq!(shell("RUN <<A <<B\na\nA\nb\nB\n"), "<<A <<B\na\nA\nb\nB");
    }

    #[test]
    fn a_heredoc_with_a_command_is_left_to_the_shell() {
        assert_eq!(shell("RUN cat <<EOF >/x\na\nEOF\n"), "cat <<EOF >/x\na\nEOF");
        assert_eq!(shell("RUN <<-EOF cat\n\ta\n\tEOF\n"), "<<-EOF cat\n\ta\nEOF");
        assert_eq!(shell("RUN cat <<A - 3<<B\na\nA\nb\nB\n"), "cat <<A - 3<<B\na\nA\nb\nB");
    }

    #[test]
    fn a_heredoc_with_an_interpreter_is_a_file() {
        let expected = RunCommand::Script { name: "EOF".into(), text: "#!/bin/awk -f\nx\n".into() };
        assert_eq!(run("RUN <<EOF\n#!/bin/awk -f\nx\nEOF\n"), expected);
    }

    #[test]
    fn an_array_is_run_without_a_shell() {
        assert_eq!(run("RUN [\"a\", \"b \\u00e9\"]"), RunCommand::Exec(vec!["a".into(), "b é".into()]));
        assert_eq!(shell("RUN ['a']"), "['a']");
    }

    #[test]
    fn options_are_read() {
        let text =
            "FROM scratch\nRUN --mount=target=/$X --mount=type=tmpfs,target=/t --network=host --security=insecure a\n";
        let file: Dockerfile = text.parse().unwrap();
        let run = &file.instructions[1];
        assert_eq!((run.network(), run.security()), (Network::Host, Security::Insecure));
        let mounts = run.mounts('\\', &|name| Some(name.to_lowercase())).unwrap();
        let targets: Vec<_> = mounts.iter().map(|mount| mount.target.as_deref().unwrap()).collect();
        assert_eq!(targets, ["/x", "/t"]);
    }
}
