//! go.mod and go.work.
//!
//! Input: their text. Output: [`ModFile`], which serves both. The one idea: a directive is a word and its arguments, on
//! a line of its own or in a block of the same word, so one loop reads every directive there is and will be.
//!
//! Source: <https://go.dev/ref/mod#go-mod-file>, <https://go.dev/ref/mod#workspaces>.

use crate::error::{Error, Result};
use crate::tree::Tree;

/// A module that go.mod requires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Require {
    pub path: String,
    pub version: String,
    pub line: u32,
    pub indirect: bool,
}

/// A module that a folder stands in for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Replace {
    pub path: String,
    /// As it is written.
    pub folder: String,
    pub line: u32,
}

/// What go.mod or go.work says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ModFile {
    /// The module path; empty in go.work.
    pub module: String,
    /// The `go` line: version and line number.
    pub go: Option<(String, u32)>,
    /// The `toolchain` line, without `go` in front of the version.
    pub toolchain: Option<(String, u32)>,
    pub requires: Vec<Require>,
    /// Modules that folders stand in for.
    pub local_replaces: Vec<Replace>,
    /// Folders that `use` names, as they are written, with the line.
    pub uses: Vec<(String, u32)>,
    /// Whether there is a `tool` directive.
    pub has_tools: bool,
}

/// Reads `path` out of `tree`; `None` if there is no such file.
pub(super) fn read(tree: &dyn Tree, path: &str) -> Result<Option<ModFile>> {
    tree.text(path)?.map(|text| parse(path, &text)).transpose()
}

fn parse(path: &str, text: &str) -> Result<ModFile> {
    let mut file = ModFile::default();
    let mut block: Option<String> = None;
    for (index, raw) in text.lines().enumerate() {
        let line = index as u32 + 1;
        let (code, comment) = raw.split_once("//").unwrap_or((raw, ""));
        let mut words = words(code);
        if words.is_empty() {
            continue;
        }
        if words.len() == 1 && words[0] == ")" {
            block = None;
            continue;
        }
        let verb = match &block {
            Some(verb) => verb.clone(),
            None => {
                let verb = words.remove(0);
                if words.len() == 1 && words[0] == "(" {
                    block = Some(verb);
                    continue;
                }
                verb
            }
        };
        directive(&mut file, &verb, &words, comment, line)
            .map_err(|reason| Error::manifest(path, Some(line), reason))?;
    }
    Ok(file)
}

fn directive(file: &mut ModFile, verb: &str, words: &[String], comment: &str, line: u32) -> Result<(), String> {
    match (verb, words) {
        ("module", [path]) => file.module = path.clone(),
        ("go", [version]) => file.go = Some((release(version)?, line)),
        ("toolchain", [name]) if name == "default" => {}
        ("toolchain", [name]) => {
            // A custom toolchain is called such as `go1.24.1-custom`.
            let version = name.trim_start_matches("go").split('-').next().unwrap_or_default();
            file.toolchain = Some((release(version)?, line));
        }
        ("require", [path, version]) => file.requires.push(Require {
            path: path.clone(),
            version: version.clone(),
            line,
            indirect: comment.split(';').any(|part| part.trim() == "indirect"),
        }),
        ("replace", words) => {
            let target = words.iter().position(|word| word == "=>").and_then(|arrow| words.get(arrow + 1));
            let Some(target) = target else {
                return Err("`replace` needs `OLD => NEW`".into());
            };
            if target.starts_with("./") || target.starts_with("../") || target == "." || target.starts_with('/') {
                let path = words.first().cloned().unwrap_or_default();
                file.local_replaces.push(Replace { path, folder: target.clone(), line });
            }
        }
        ("use", [dir]) => file.uses.push((dir.clone(), line)),
        ("tool", _) => file.has_tools = true,
        ("module" | "go" | "toolchain" | "require" | "use", _) => {
            return Err(format!("`{verb}` does not have the arguments that it needs"));
        }
        _ => {}
    }
    Ok(())
}

/// Words of a line; a word may stand in quotes.
fn words(code: &str) -> Vec<String> {
    let code = code.replace('(', " ( ").replace(')', " ) ");
    code.split_whitespace().map(|word| word.trim_matches(['"', '`']).to_owned()).collect()
}

/// A version such as `1.24`, `1.24.1` or `1.24rc1`.
fn release(version: &str) -> Result<String, String> {
    match minor(version) {
        Some(_) => Ok(version.to_owned()),
        None => Err(format!("`{version}` is not a Go version such as `1.24` or `1.24.1`")),
    }
}

/// The minor version: 24 for `1.24`, `1.24.1` and `1.24rc1`.
pub(super) fn minor(version: &str) -> Option<u32> {
    let rest = version.strip_prefix("1.")?;
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, tail) = rest.split_at(digits);
    let tail_ok = tail.is_empty() || tail.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
    if tail_ok { number.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_blocks_say_the_same() {
        let text = "module \"example.com/x\" // why\n\ngo 1.24.1\n\ntoolchain go1.24.3\n\nrequire a.example/b v1.0.0\n\
                    require (\n\tc.example/d v2.0.0 // indirect\n)\nreplace c.example/d => ./d\n\
                    replace (\n\ta.example/b v1.0.0 => e.example/f v1.1.0\n)\ntool a.example/b/cmd/x\n";
        let file = parse("go.mod", text).unwrap();
        assert_eq!(file.module, "example.com/x");
        assert_eq!(file.go, Some(("1.24.1".into(), 3)));
        assert_eq!(file.toolchain, Some(("1.24.3".into(), 5)));
        assert_eq!(
            file.requires.iter().map(|r| (r.path.as_str(), r.indirect)).collect::<Vec<_>>(),
            [("a.example/b", false), ("c.example/d", true)]
        );
        let replace = Replace { path: "c.example/d".into(), folder: "./d".into(), line: 11 };
        assert_eq!(file.local_replaces, [replace]);
        assert!(file.has_tools);
    }

    #[test]
    fn a_workspace_lists_its_members() {
        let file = parse("go.work", "go 1.23\nuse (\n\t./api\n\t./lib // shared\n)\nuse ./web\n").unwrap();
        assert_eq!(file.uses.iter().map(|(dir, _)| dir.as_str()).collect::<Vec<_>>(), ["./api", "./lib", "./web"]);
    }

    #[test]
    fn what_is_no_version_names_the_line() {
        let error = parse("go.mod", "module m\n\ngo 1.24;rm\n").unwrap_err();
        assert_eq!(error.to_string(), "go.mod:3: `1.24;rm` is not a Go version such as `1.24` or `1.24.1`");
        assert_eq!(minor("1.24rc1"), Some(24));
        assert_eq!(minor("2.0"), None);
        assert_eq!(minor("1."), None);
    }
}
