//! Other programs that a program starts.
//!
//! Input: its sources. Output: their names. The one idea: the final image holds nothing but the program, so what it
//! starts has to be asked for, or at least be known to be missing.

use std::collections::BTreeMap;

use super::place::place;
use super::source::Source;

/// What other systems have, and what is there without a package.
const ELSEWHERE: &[&str] = &["cmd", "open", "osascript", "powershell", "rundll32", "start", "wmic", "xdg-open", "go"];

/// The programs that `exec.Command` is called with by name, with the first place.
pub(super) fn started(sources: &[Source]) -> BTreeMap<String, (String, u32)> {
    let mut found = BTreeMap::new();
    for source in sources.iter().filter(|source| source.imports.iter().any(|(path, _)| path == "os/exec")) {
        for (index, token) in source.tokens.iter().enumerate() {
            let Some(name) = token.text().filter(|name| super::hints::is_name(name)) else { continue };
            let place = place(source, index);
            let starts = place.calls.first().is_some_and(|call| {
                call.receiver == "exec"
                    && matches!((call.name, call.index), ("Command" | "LookPath", 0) | ("CommandContext", 1))
            });
            if starts && !ELSEWHERE.contains(&name) {
                found.entry(name.to_owned()).or_insert_with(|| (source.path.clone(), token.line));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_by_name_are_started() {
        let text = "package main\nimport \"os/exec\"\nfunc main() {\n\texec.Command(\"ffmpeg\", \"-i\")\n\
                    \texec.CommandContext(ctx, \"git\", \"log\")\n\texec.Command(\"open\")\n\texec.Command(\"/bin/x\")\n\
                    \tlog.Command(\"no\")\n}\n";
        let found = started(&[Source::parse("main.go", text)]);
        assert_eq!(found.keys().map(String::as_str).collect::<Vec<_>>(), ["ffmpeg", "git"]);
    }
}
