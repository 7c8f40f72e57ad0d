//! pyproject.toml.
//!
//! Input: its text. Output: [`Pyproject`], with the few questions that detection asks of it.

use toml::{Table, Value};

use crate::error::{Error, Result};
use crate::tree::Tree;

use super::requirement::normalize;

/// A parsed pyproject.toml.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pyproject {
    /// The path, relative to the project.
    pub(crate) path: String,
    /// The text, for line numbers.
    pub(crate) text: String,
    table: Table,
}

/// Parses a TOML file of the project.
///
/// # Errors
/// [`Error::Manifest`] with the line.
pub(crate) fn parse_toml(path: &str, text: &str) -> Result<Table> {
    crate::tree::read::few_enough(path, text)?;
    text.parse::<Table>().map_err(|error| {
        let line =
            error.span().map(|span| 1 + text.as_bytes().iter().take(span.start).filter(|b| **b == b'\n').count());
        Error::manifest(path, line.map(|line| line as u32), error.message().trim_end().replace('\n', ", "))
    })
}

/// The line, from 1, of the first line that starts with `key` after white space.
pub(crate) fn line_of(text: &str, key: &str) -> Option<u32> {
    let found = text.lines().position(|line| line.trim_start().trim_start_matches(['"', '\'']).starts_with(key))?;
    Some(found as u32 + 1)
}

/// [`line_of`] for many keys of one text.
pub(crate) struct Lines<'a>(Vec<(&'a str, u32)>);

impl<'a> Lines<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let lines = text.lines().map(|line| line.trim_start().trim_start_matches(['"', '\'']));
        let mut lines: Vec<_> = lines.zip(1..).collect();
        lines.sort_unstable();
        Self(lines)
    }

    pub(crate) fn of(&self, key: &str) -> Option<u32> {
        let first = self.0.partition_point(|(line, _)| *line < key);
        self.0[first..].iter().take_while(|(line, _)| line.starts_with(key)).map(|(_, number)| *number).min()
    }
}

/// The value at a dotted path.
pub(crate) fn get<'a>(table: &'a Table, path: &str) -> Option<&'a Value> {
    let (parents, last) = path.rsplit_once('.').map_or(("", path), |(parents, last)| (parents, last));
    let mut table = table;
    for parent in parents.split('.').filter(|parent| !parent.is_empty()) {
        table = table.get(parent)?.as_table()?;
    }
    table.get(last)
}

/// The strings of an array.
pub(crate) fn strings(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

impl Pyproject {
    /// Reads the file at `path`, if there is one.
    ///
    /// # Errors
    /// [`Error::Manifest`] if it is not TOML.
    pub(crate) fn read(tree: &dyn Tree, path: &str) -> Result<Option<Self>> {
        let Some(text) = tree.text(path)? else { return Ok(None) };
        let table = parse_toml(path, &text)?;
        Ok(Some(Self { path: path.to_owned(), text, table }))
    }

    /// The value at a dotted path.
    pub(crate) fn get(&self, path: &str) -> Option<&Value> {
        get(&self.table, path)
    }

    /// Whether there is a table or value at a dotted path.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.get(path).is_some()
    }

    /// The string at a dotted path.
    pub(crate) fn str(&self, path: &str) -> Option<&str> {
        self.get(path)?.as_str()
    }

    /// The strings of the array at a dotted path.
    pub(crate) fn strings(&self, path: &str) -> Vec<String> {
        strings(self.get(path))
    }

    /// The keys and values of the table at a dotted path, sorted.
    pub(crate) fn entries(&self, path: &str) -> Vec<(&str, &Value)> {
        let table = self.get(path).and_then(Value::as_table);
        let mut entries: Vec<(&str, &Value)> =
            table.into_iter().flatten().map(|(key, value)| (key.as_str(), value)).collect();
        entries.sort_by_key(|(key, _)| *key);
        entries
    }

    /// Whether it describes something to install, and not only the settings of tools.
    pub(crate) fn is_project(&self) -> bool {
        self.has("project") || self.has("tool.poetry") || self.has("tool.uv.workspace") || self.has("tool.pdm")
    }

    /// The name of the project.
    pub(crate) fn name(&self) -> Option<&str> {
        self.str("project.name").or_else(|| self.str("tool.poetry.name"))
    }

    /// The line of a key.
    pub(crate) fn line(&self, key: &str) -> Option<u32> {
        line_of(&self.text, key)
    }

    /// Whether a value is filled in by the build backend.
    pub(crate) fn is_dynamic(&self, field: &str) -> bool {
        self.strings("project.dynamic").iter().any(|name| name == field)
    }

    /// The console scripts: name and `module:function`, sorted.
    pub(crate) fn scripts(&self) -> Vec<(String, String)> {
        let mut scripts = Vec::new();
        for table in ["project.scripts", "tool.poetry.scripts"] {
            for (name, target) in self.entries(table) {
                let target = target.as_str().or_else(|| target.get("reference").and_then(Value::as_str));
                scripts.extend(target.map(|target| (name.to_owned(), target.to_owned())));
            }
        }
        scripts
    }

    /// An optional dependency or group by one of the names that mean production.
    pub(crate) fn production(&self, table: &str) -> Option<String> {
        let wanted = ["prod", "production", "deploy", "deployment"];
        let found = self.entries(table).into_iter().find(|(name, _)| wanted.contains(&normalize(name).as_str()));
        found.map(|(name, _)| name.to_owned())
    }

    /// The README that the metadata of the project quotes.
    pub(crate) fn readme(&self) -> Option<&str> {
        let of_table = || self.str("project.readme.file").or_else(|| self.str("tool.poetry.readme"));
        self.str("project.readme").or_else(of_table)
    }

    /// Files that a build of the project reads: README, licences and files of dynamic values.
    pub(crate) fn build_files(&self) -> Vec<String> {
        let mut files = Vec::new();
        let file = |value: Option<&Value>| -> Vec<String> {
            match value {
                Some(Value::String(file)) => vec![file.clone()],
                Some(Value::Array(_)) => strings(value),
                Some(Value::Table(table)) => {
                    let mut files = strings(table.get("file"));
                    files.extend(table.get("file").and_then(Value::as_str).map(str::to_owned));
                    files
                }
                _ => Vec::new(),
            }
        };
        for key in ["project.readme", "project.license-files", "tool.poetry.readme"] {
            files.extend(file(self.get(key)));
        }
        if let Some(license @ Value::Table(_)) = self.get("project.license") {
            files.extend(file(Some(license)));
        }
        for (_, value) in self.entries("tool.setuptools.dynamic") {
            files.extend(file(Some(value)));
        }
        if let Some(path) = self.str("tool.hatch.version.path") {
            files.push(path.to_owned());
        }
        files
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_lines_are_found_as_one_is() {
        let text = "[a]\n  \"flask-cors\" = 1\nflask = 2\n'django' = 3\nflask = 4\n";
        let lines = Lines::new(text);
        for key in ["flask", "flask-cors", "django", "[a]", "", "none"] {
            assert_eq!(lines.of(key), line_of(text, key), "{key}");
        }
    }
}
