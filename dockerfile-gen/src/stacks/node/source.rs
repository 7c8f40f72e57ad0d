//! What source and configuration files say, read without a parser.
//!
//! Input: JavaScript or TypeScript. Output: single settings and numbers. The one idea: a few words with the punctuation
//! round them say what is needed, and what they do not say plainly is not believed.

use crate::tree::{RelPath, Tree};

/// At most so many source files are read.
const FILES: usize = 400;

/// A source file.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// Its path, relative to the project.
    pub(crate) path: RelPath,
    /// What it says.
    pub(crate) text: String,
}

/// Reads the source files of a package that are part of the program: the likeliest to open a socket first.
pub(crate) fn read(tree: &dyn Tree, dir: &str) -> Vec<Source> {
    let mut files: Vec<&RelPath> = tree.under(dir).map(|(path, _)| path).filter(|path| is_source(path, dir)).collect();
    let rank = |path: &RelPath| {
        let stem = path.file_name().split('.').next().unwrap_or_default().to_ascii_lowercase();
        let depth = path.as_str().matches('/').count();
        let known = ["server", "index", "main", "app", "www", "config", "env", "start", "bootstrap"];
        (known.iter().position(|name| *name == stem).unwrap_or(known.len()), depth)
    };
    files.sort_by_cached_key(|path| rank(path));
    files.into_iter().take(FILES).map(|path| Source { path: path.clone(), text: tree.scan(path.as_str()) }).collect()
}

fn is_source(path: &RelPath, dir: &str) -> bool {
    let inside = path.as_str()[dir.len()..].trim_start_matches('/');
    let name = path.file_name();
    let ending = [".js", ".ts", ".mjs", ".cjs", ".mts", ".cts"].iter().any(|ending| name.ends_with(ending));
    // `bin/www` is where the Express generator puts the server.
    let wanted = ending && !name.ends_with(".d.ts") && !name.ends_with(".min.js") || inside == "bin/www";
    let test = |part: &str| matches!(part, "test" | "tests" | "__tests__" | "e2e" | "cypress" | "docs" | "examples");
    let tool = name.contains(".test.") || name.contains(".spec.") || name.contains(".config.") || name.contains("rc.");
    wanted && !tool && !inside.split('/').any(test) && !inside.starts_with("public/") && !inside.contains("/public/")
}

/// The text of `key: 'value'`, `key = "value"` or `"key": "value"` outside line comments.
pub(crate) fn setting(text: &str, key: &str) -> Option<String> {
    occurrences(text, key).find_map(|at| {
        let rest = text[at + key.len()..].trim_start_matches(['"', '\'']).trim_start();
        let rest = rest.strip_prefix([':', '='])?.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"' | '`'))?;
        let (value, _) = rest[1..].split_once(quote)?;
        (value.len() < 200 && !value.contains('\n') && !value.contains("${")).then(|| value.to_owned())
    })
}

/// Where `word` stands as a word of its own, outside line comments.
pub(crate) fn occurrences<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + use<'a> {
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    text.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let before = text[..*at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part) && !commented(text, *at)
    })
}

fn commented(text: &str, at: usize) -> bool {
    let line = text[..at].rsplit('\n').next().unwrap_or_default();
    let start = line.trim_start();
    // `//` inside an address is not a comment.
    start.starts_with("//") || start.starts_with('*') || start.starts_with("/*") || line.contains(" //")
}

/// The line of a position, from 1.
pub(crate) fn line_of(text: &str, at: usize) -> u32 {
    1 + text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() as u32
}

/// A port number at the start of `text`, after quotes, brackets and words such as `||` or `default(`.
pub(crate) fn port_after(text: &str) -> Option<u16> {
    let mut window: &str = text.get(..text.char_indices().nth(60).map_or(text.len(), |(at, _)| at))?;
    window = window.split(['\n', ';', '{', '}']).next().unwrap_or_default();
    for joint in ["||", "??", "default(", "optional(", ",", ":-", "?", "=", ":"] {
        let Some((_, rest)) = window.split_once(joint) else { continue };
        if let Some(port) = leading_port(rest) {
            return Some(port);
        }
    }
    None
}

/// A port number that the text begins with.
pub(crate) fn leading_port(text: &str) -> Option<u16> {
    let mut text = text.trim_start_matches([' ', '\'', '"', '`', '(', '+']);
    for cast in ["Number(", "parseInt(", "+"] {
        text = text.strip_prefix(cast).unwrap_or(text).trim_start_matches(['\'', '"', ' ']);
    }
    let digits: String = text.chars().take_while(|c| c.is_ascii_digit() || *c == '_').filter(|c| *c != '_').collect();
    let next = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_').chars().next();
    if next.is_some_and(|c| c.is_alphanumeric() || c == '.') {
        return None;
    }
    digits.parse().ok().filter(|port| *port >= 80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings() {
        assert_eq!(setting("export default { output: 'standalone' }", "output").as_deref(), Some("standalone"));
        assert_eq!(setting("// output: 'export'\nconst x = { outputs: 'a' }", "output"), None);
        assert_eq!(setting("{ \"outDir\" : \"../x\" }", "outDir").as_deref(), Some("../x"));
    }

    #[test]
    fn ports() {
        assert_eq!(port_after(" || 3000;"), Some(3000));
        assert_eq!(port_after(" ?? '4_000', 10)"), Some(4000));
        assert_eq!(port_after(": Joi.number().default(3000),"), Some(3000));
        assert_eq!(port_after(") || 8080"), Some(8080));
        assert_eq!(port_after(" ? parseInt(process.env.PORT) : 5000"), Some(5000));
        assert_eq!(port_after("\n|| 3000"), None);
        assert_eq!(leading_port("3000ms"), None);
    }
}
