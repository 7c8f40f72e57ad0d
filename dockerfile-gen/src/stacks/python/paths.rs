//! Paths that Python sources compute.
//!
//! Input: assignments such as `STATIC_ROOT = BASE_DIR / "static"`. Output: the folder, relative to the project. The one
//! idea: settings spell folders in a handful of ways, and a spelling that is not one of them is simply not known.

use std::collections::BTreeMap;

use crate::tree::RelPath;

/// The names of a module that hold a path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names(BTreeMap<String, RelPath>);

impl Names {
    /// Adds what `text`, the module at `file`, assigns at its margin.
    pub(crate) fn read(&mut self, file: &RelPath, text: &str) {
        for line in text.lines() {
            let Some((name, value)) = line.split_once('=') else { continue };
            let name = name.split(':').next().unwrap_or_default().trim_end();
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') || value.starts_with('=')
            {
                continue;
            }
            if let Some(path) = self.eval(value, file) {
                self.0.insert(name.to_owned(), path);
            }
        }
    }

    /// The path that a name holds.
    pub(crate) fn get(&self, name: &str) -> Option<&RelPath> {
        self.0.get(name)
    }

    /// The path that an expression of the module at `file` means; a bare string is none, for it depends on where the
    /// program runs.
    pub(crate) fn eval(&self, expression: &str, file: &RelPath) -> Option<RelPath> {
        let text = expression.split(" #").next().unwrap_or_default().trim().trim_end_matches(',').trim();
        // What is longer is no spelling of a folder, and this function calls itself.
        if text.len() > 300 {
            return None;
        }
        let mut slashes = text.rmatch_indices('/').filter_map(|(at, _)| Some((text.get(..at)?, text.get(at + 1..)?)));
        if let Some((base, part)) = slashes.find(|(base, part)| balanced(base) && balanced(part)) {
            return self.eval(base, file)?.join(string(part)?);
        }
        for (open, join) in [("os.path.join(", true), ("path.join(", true), ("join(", true), ("str(", false)] {
            if let Some(inside) = call(text, open) {
                let mut parts = split_arguments(inside).into_iter();
                let base = self.eval(parts.next()?, file)?;
                return parts
                    .filter(|part| join && !part.trim().is_empty())
                    .try_fold(base, |base, part| base.join(string(part)?));
            }
        }
        for open in ["os.path.abspath(", "os.path.realpath(", "path.abspath(", "abspath(", "Path(", "pathlib.Path("] {
            if let Some(inside) = call(text, open) {
                return self.eval(inside, file);
            }
        }
        for open in ["os.path.dirname(", "path.dirname(", "dirname("] {
            if let Some(inside) = call(text, open) {
                return RelPath::new(self.eval(inside, file)?.parent());
            }
        }
        if let Some(base) = text.strip_suffix(".parent") {
            return RelPath::new(self.eval(base, file)?.parent());
        }
        for same in [".resolve()", ".resolve(strict=True)", ".absolute()", ".as_posix()"] {
            if let Some(base) = text.strip_suffix(same) {
                return self.eval(base, file);
            }
        }
        if let Some((base, index)) = text.strip_suffix(']').and_then(|text| text.rsplit_once(".parents[")) {
            let mut path = self.eval(base, file)?;
            for _ in 0..=index.parse::<u8>().ok()? {
                path = RelPath::new(path.parent())?;
            }
            return Some(path);
        }
        if let Some((base, parts)) = text.strip_suffix(')').and_then(|text| text.rsplit_once(".joinpath(")) {
            let base = self.eval(base, file)?;
            return split_arguments(parts).into_iter().try_fold(base, |base, part| base.join(string(part)?));
        }
        if text == "__file__" { Some(file.clone()) } else { self.get(text).cloned() }
    }
}

/// The text of a string literal.
pub(crate) fn string(text: &str) -> Option<&str> {
    let text = text.trim();
    let inside = ['"', '\''].into_iter().find_map(|q| text.strip_prefix(q)?.strip_suffix(q))?;
    (!inside.contains(['"', '\'', '\\'])).then_some(inside)
}

/// What stands between the parentheses of a call that is all of `text`.
fn call<'a>(text: &'a str, open: &str) -> Option<&'a str> {
    text.strip_prefix(open)?.strip_suffix(')').filter(|inside| balanced(inside))
}

/// Whether parentheses match, none is closed before it is opened, and no string is left open.
fn balanced(text: &str) -> bool {
    let mut depth = 0_i32;
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(q), c) if q == c => quote = None,
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0 && quote.is_none()
}

/// The arguments of a call.
fn split_arguments(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(',') {
        if text.get(start..at).is_some_and(balanced) {
            parts.extend(text.get(start..at));
            start = at + 1;
        }
    }
    parts.extend(text.get(start..));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, name: &str) -> Option<String> {
        let mut names = Names::default();
        names.read(&RelPath::new("shop/settings/base.py").unwrap(), text);
        names.get(name).map(RelPath::to_string)
    }

    #[test]
    fn the_usual_spellings() {
        let base = "BASE_DIR = Path(__file__).resolve().parent.parent.parent\n";
        assert_eq!(value(base, "BASE_DIR").unwrap(), "");
        assert_eq!(value(&format!("{base}S = BASE_DIR / 'web' / \"static\"\n"), "S").unwrap(), "web/static");
        let old =
            "P: str = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))\nS = os.path.join(P, 'a', 'b')\n";
        assert_eq!(value(old, "S").unwrap(), "shop/a/b");
        assert_eq!(value("S = Path(__file__).parents[1] / 'x'  # y\n", "S").unwrap(), "shop/x");
        assert_eq!(value("S = str(Path(__file__).parent.joinpath('x', 'y'))\n", "S").unwrap(), "shop/settings/x/y");
    }

    #[test]
    fn what_is_not_known_is_none() {
        assert_eq!(value("S = env('X') / 'y'\n", "S"), None);
        assert_eq!(value("S = Path(__file__).parent / '../../../../etc'\n", "S"), None);
        assert_eq!(value("S = 'static'\n", "S"), None);
    }
}
