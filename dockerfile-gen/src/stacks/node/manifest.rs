//! One package.json.
//!
//! Input: its text. Output: [`Manifest`]. The one idea: fields are looked up when they are needed and a field of an
//! unexpected type counts as missing, because package.json files hold whatever their tools put there.

use serde_json::{Map, Value as Json};

use crate::error::{Error, Result};
use crate::tree::Tree;

/// A package.json.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Manifest {
    /// Its path, relative to the project.
    pub(crate) path: String,
    /// The folder that it lies in, relative to the project.
    pub(crate) dir: String,
    text: String,
    json: Map<String, Json>,
}

impl Manifest {
    /// Reads the package.json of the folder `dir`; `None` if there is none.
    pub(crate) fn read(tree: &dyn Tree, dir: &str) -> Result<Option<Self>> {
        let path = crate::tree::within(dir, "package.json");
        let Some(text) = tree.text(&path)? else { return Ok(None) };
        let json = serde_json::from_str(&text).map_err(|error| {
            let reason = format!("is not the JSON object that a package.json is: {error}");
            Error::manifest(&path, u32::try_from(error.line()).ok(), reason)
        })?;
        Ok(Some(Self { path, dir: dir.to_owned(), text, json }))
    }

    /// A field.
    pub(crate) fn get(&self, key: &str) -> Option<&Json> {
        self.json.get(key)
    }

    /// A field of a field.
    pub(crate) fn at(&self, key: &str, inner: &str) -> Option<&Json> {
        self.get(key)?.get(inner)
    }

    /// A field that holds text.
    pub(crate) fn str(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// Text in a field of a field.
    pub(crate) fn str_at(&self, key: &str, inner: &str) -> Option<&str> {
        self.at(key, inner)?.as_str()
    }

    /// The package's name, or its folder's.
    pub(crate) fn name(&self) -> &str {
        self.str("name").filter(|name| !name.is_empty()).unwrap_or_else(|| match self.dir.rsplit('/').next() {
            Some(dir) if !dir.is_empty() => dir,
            _ => "app",
        })
    }

    /// A script.
    pub(crate) fn script(&self, name: &str) -> Option<&str> {
        self.str_at("scripts", name).filter(|script| !script.trim().is_empty())
    }

    /// The names of all scripts, sorted.
    pub(crate) fn scripts(&self) -> impl Iterator<Item = &str> {
        self.get("scripts").and_then(Json::as_object).into_iter().flatten().map(|(name, _)| name.as_str())
    }

    /// What is asked for of a package that the program needs when it runs.
    pub(crate) fn dependency(&self, name: &str) -> Option<&str> {
        self.str_at("dependencies", name).or_else(|| self.str_at("optionalDependencies", name))
    }

    /// What is asked for of a package that is needed at all.
    pub(crate) fn any_dependency(&self, name: &str) -> Option<&str> {
        self.dependency(name).or_else(|| self.str_at("devDependencies", name))
    }

    /// Every dependency of the given kinds: name and what is asked for.
    pub(crate) fn dependencies<'a>(&'a self, kinds: &'a [&str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        kinds
            .iter()
            .filter_map(|kind| self.get(kind)?.as_object())
            .flatten()
            .filter_map(|(name, range)| Some((name.as_str(), range.as_str()?)))
    }

    /// The major version in what is asked for of a dependency, such as 4 for `^4.1.2`.
    pub(crate) fn major(&self, name: &str) -> Option<u32> {
        major(self.any_dependency(name)?)
    }

    /// The line of the first `"key"` of the text, for evidence.
    pub(crate) fn line(&self, key: &str) -> Option<u32> {
        let quoted = format!("\"{key}\"");
        self.text.lines().position(|line| line.contains(&quoted)).map(|index| index as u32 + 1)
    }

    /// The line of a field of a field.
    pub(crate) fn line_at(&self, key: &str, inner: &str) -> Option<u32> {
        let first = self.line(key)?;
        let quoted = format!("\"{inner}\"");
        let rest = self.text.lines().skip(first as usize - 1);
        rest.zip(first..).find(|(line, _)| line.contains(&quoted)).map(|(_, number)| number).or(Some(first))
    }
}

/// The first number of a version or range.
pub(crate) fn major(range: &str) -> Option<u32> {
    let digits: String =
        range.trim_start_matches(|c: char| !c.is_ascii_digit()).chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}
