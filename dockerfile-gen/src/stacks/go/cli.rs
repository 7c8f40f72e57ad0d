//! Programs that only serve when they are told to.
//!
//! Input: the sources of a program. Output: the sub-command that starts its server. The one idea: a root command that runs
//! nothing prints its help and ends, which would be a container that never stays up.

use super::source::{Source, Token};

/// A command of cobra or urfave/cli, as its literal declares it.
struct Declared {
    name: String,
    runs: bool,
    /// Whether the literal itself lists sub-commands: urfave's `Commands`.
    is_root: bool,
    path: String,
    line: u32,
}

/// Names of sub-commands that start a server, the likeliest first.
const SERVE: &[&str] = &["serve", "server", "start", "run", "web", "api", "http", "daemon", "up", "listen"];

/// How a program with commands is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// The sub-command; `None` where the root command runs.
    pub command: Option<String>,
    /// The file that declares the command that is run.
    pub path: String,
    pub line: u32,
}

/// How the server is started; `None` for a program without commands, or if nothing tells.
pub(super) fn start(sources: &[Source], binary: &str) -> Option<Start> {
    let declared: Vec<Declared> = sources.iter().flat_map(declared).collect();
    let is_root = |command: &&Declared| command.is_root || command.name == binary;
    let root =
        declared.iter().find(|command| command.runs && is_root(command) && !SERVE.contains(&command.name.as_str()));
    if let Some(root) = root {
        return Some(Start { command: None, path: root.path.clone(), line: root.line });
    }
    // A lone command that runs is the root, whatever it is called.
    if let [only] = declared.as_slice()
        && only.runs
    {
        return Some(Start { command: None, path: only.path.clone(), line: only.line });
    }
    SERVE.iter().find_map(|name| {
        let command = declared.iter().find(|command| command.name == *name && command.runs)?;
        Some(Start { command: Some(command.name.clone()), path: command.path.clone(), line: command.line })
    })
}

fn declared(source: &Source) -> Vec<Declared> {
    let cobra = source.imports.iter().any(|(path, _)| path == "github.com/spf13/cobra");
    let urfave = source.imports.iter().any(|(path, _)| path.starts_with("github.com/urfave/cli"));
    if !cobra && !urfave {
        return Vec::new();
    }
    let mut commands = Vec::new();
    for (index, window) in source.tokens.windows(4).enumerate() {
        let [package, dot, kind, open] = window else { continue };
        let is_literal = matches!(package.word(), Some("cobra" | "cli"))
            && dot.is('.')
            && matches!(kind.word(), Some("Command" | "App"))
            && open.is('{');
        if is_literal {
            commands.push(literal(source, &source.tokens[index + 4..], package.line));
        }
    }
    commands
}

/// The keys of a literal, up to the brace that ends it.
fn literal(source: &Source, tokens: &[Token], line: u32) -> Declared {
    let mut command = Declared { name: String::new(), runs: false, is_root: false, path: source.path.clone(), line };
    let mut depth = 0i32;
    for (index, token) in tokens.iter().enumerate() {
        if token.is('{') || token.is('(') || token.is('[') {
            depth += 1;
        } else if token.is('}') || token.is(')') || token.is(']') {
            depth -= 1;
            if depth < 0 {
                break;
            }
        }
        let is_key = depth == 0 && tokens.get(index + 1).is_some_and(|next| next.is(':'));
        match token.word().filter(|_| is_key) {
            Some("Use" | "Name") => {
                let text = tokens.get(index + 2).and_then(Token::text).unwrap_or_default();
                command.name = text.split_whitespace().next().unwrap_or_default().to_owned();
            }
            Some("Run" | "RunE" | "Action") => command.runs = true,
            Some("Commands") => command.is_root = true,
            _ => {}
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: &str) -> Option<String> {
        let text =
            format!("package main\nimport \"github.com/spf13/cobra\"\nimport \"github.com/urfave/cli/v2\"\n{code}\n");
        start(&[Source::parse("main.go", &text)], "app").and_then(|start| start.command)
    }

    #[test]
    fn a_root_that_runs_nothing_needs_a_sub_command() {
        let root = "var root = &cobra.Command{Use: \"app\", Short: \"x\"}\n";
        let serve = "var s = &cobra.Command{Use: \"serve [flags]\", RunE: func(c *cobra.Command, a []string) error { return nil }}\n";
        assert_eq!(of(&format!("{root}{serve}")).as_deref(), Some("serve"));
        assert_eq!(
            of("var s = &cobra.Command{Use: \"app\", Run: f}\nvar v = &cobra.Command{Use: \"version\", Run: f}"),
            None
        );
        assert_eq!(
            of("var a = &cli.App{Name: \"app\", Commands: all}\nvar s = &cli.Command{Name: \"serve\", Action: f}")
                .as_deref(),
            Some("serve")
        );
        assert_eq!(
            of(
                "var a = &cli.App{Name: \"x\", Commands: all, Action: f}\nvar s = &cli.Command{Name: \"serve\", Action: f}"
            ),
            None
        );
        assert_eq!(of(""), None);
    }
}
