//! Finds the configuration that a project carries and puts it in order.
//!
//! Input: a tree and the layer of the door. Output: a checked [`Config`]. The one idea: each file is
//! deserialised whole, so that an error knows its line.

use serde::Deserialize;

use super::options::{Config, ConfigLayer};
use crate::error::{Error, Result};
use crate::tree::Tree;

#[derive(Deserialize, Default)]
#[serde(default)]
struct CargoToml {
    workspace: Section,
    package: Section,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Section {
    metadata: Metadata,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Metadata {
    dockerfile: Option<ConfigLayer>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PyProject {
    tool: Metadata,
}

/// Reads `[workspace.metadata.dockerfile]`, `[package.metadata.dockerfile]`, `[tool.dockerfile]` and
/// `dockerfile.toml`, lays `door` over them and checks the values.
///
/// # Errors
/// [`Error::Config`] with file, line and the nearest right key for a key or value that is wrong.
pub(crate) fn load(tree: &dyn Tree, door: ConfigLayer, stacks: &[&str]) -> Result<Config> {
    let mut config = Config::default();
    if let Some(text) = tree.text("Cargo.toml")?
        && text.contains("metadata")
    {
        let manifest: CargoToml = parse("Cargo.toml", &text)?;
        for layer in [manifest.workspace.metadata.dockerfile, manifest.package.metadata.dockerfile] {
            config = config.with(checked("Cargo.toml", layer.unwrap_or_default(), Some(&text), stacks)?);
        }
    }
    if let Some(text) = tree.text("pyproject.toml")?
        && text.contains("dockerfile")
    {
        let manifest: PyProject = parse("pyproject.toml", &text)?;
        let layer = manifest.tool.dockerfile.unwrap_or_default();
        config = config.with(checked("pyproject.toml", layer, Some(&text), stacks)?);
    }
    if let Some(text) = tree.text("dockerfile.toml")? {
        config = config.with(checked("dockerfile.toml", parse("dockerfile.toml", &text)?, Some(&text), stacks)?);
    }
    config = config.with(checked("command line", door, None, stacks)?);
    for input in config.steps.iter_mut().flat_map(|step| &mut step.inputs) {
        // A folder is told from a file by its slash from here on.
        if !input.ends_with('/') && tree.has_dir(input.trim_start_matches("./")) && input != "." {
            input.push('/');
        }
    }
    Ok(config)
}

fn parse<T: for<'de> Deserialize<'de>>(path: &str, text: &str) -> Result<T> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| line_of(text, span.start));
        let reason = error.message().trim_end().replace('\n', ", ");
        let hint = nearest_key(&reason)
            .unwrap_or_else(|| "`cargo dockerfile init --print` shows every option with its type and default".into());
        Error::Config { path: path.to_owned(), line, reason, hint }
    })
}

pub(crate) fn line_of(text: &str, offset: usize) -> u32 {
    1 + text.as_bytes().iter().take(offset).filter(|&&byte| byte == b'\n').count() as u32
}

/// Takes serde's "unknown field `prt`, expected one of `port`, …" apart.
fn nearest_key(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("unknown field `").or_else(|| message.split_once("unknown variant `"))?;
    let (wrong, rest) = rest.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2);
    nearest(wrong, known).map(|right| format!("did you mean `{right}`?"))
}

/// The candidate that takes the fewest edits to reach from `word`, if it is near at all.
///
/// ```
/// use dockerfile_gen::config::nearest;
/// assert_eq!(nearest("prt", ["bin", "port"]), Some("port"));
/// assert_eq!(nearest("whatever", ["bin", "port"]), None);
/// ```
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(edits, candidate)| *edits <= 1 + candidate.len().max(word.len()) / 3)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replace = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

const RATE_CLASSES: [&str; 6] = ["base", "system", "tool", "lockfile", "manifest", "source"];

/// As [`ConfigLayer::check`], with the line in `text`; `stacks` are the names that the option `stack` takes.
pub(crate) fn checked(path: &str, layer: ConfigLayer, text: Option<&str>, stacks: &[&str]) -> Result<ConfigLayer> {
    let line = |needle: &str| {
        text.and_then(|text| text.lines().position(|line| line.contains(needle))).map(|index| index as u32 + 1)
    };
    let wrong = |key: &str, value: &str, reason: &str, hint: &str| Error::Config {
        path: path.to_owned(),
        line: line(value).or_else(|| line(key)),
        reason: format!("`{key} = {value:?}` {reason}"),
        hint: hint.to_owned(),
    };
    if let Some(stack) = &layer.stack
        && !stacks.contains(&stack.as_str())
    {
        let hint = match nearest(stack, stacks.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the stacks are {}", stacks.join(", ")),
        };
        return Err(wrong("stack", stack, "is not a stack", &hint));
    }
    for (key, image) in [("base", &layer.base), ("runtime", &layer.runtime)] {
        if let Some(image) = image
            && !is_image(image)
        {
            return Err(wrong(
                key,
                image,
                "is not an image reference",
                "write it as `name:tag` or `registry/name:tag`",
            ));
        }
    }
    if let Some(user) = &layer.user
        && !is_user(user)
    {
        return Err(wrong("user", user, "is not a user", "write `UID`, `UID:GID` or a name such as `nonroot`"));
    }
    if layer.port == Some(0) {
        return Err(wrong("port", "0", "is not a port", "write a number from 1 to 65535"));
    }
    for (key, packages) in [("packages", &layer.packages), ("build-packages", &layer.build_packages)] {
        if let Some(bad) = packages.iter().flatten().find(|name| !is_package(name)) {
            return Err(wrong(key, bad, "is not a package name", "write the names that `apt-get install` takes"));
        }
    }
    for (key, map) in [("env", &layer.env), ("build-env", &layer.build_env)] {
        if let Some(bad) = map.iter().flatten().map(|(name, _)| name).find(|name| !is_variable(name)) {
            return Err(wrong(key, bad, "is not the name of a variable", "use letters, digits and `_`"));
        }
    }
    if let Some(health) = &layer.health
        && !(health.starts_with('/') && health.bytes().all(|b| b.is_ascii_graphic() && !b"'\"\\`$".contains(&b)))
    {
        return Err(wrong("health", health, "is not the path of an endpoint", "write it as `/health`"));
    }
    if let Some(bad) = super::values::find_wrong(&layer) {
        let (key, value) = (bad.key.as_str(), bad.value.as_str());
        let leaf = key.split_once('.').map_or(key, |(_, leaf)| leaf);
        return Err(Error::Config {
            path: path.to_owned(),
            line: line(value).filter(|_| !value.is_empty()).or_else(|| line(leaf)),
            reason: format!("`{key} = {value:?}` {}", bad.reason),
            hint: bad.hint.to_owned(),
        });
    }
    for (name, rate) in layer.rates.iter().flatten() {
        if !(0.0..=1.0).contains(rate) {
            return Err(wrong(name, &rate.to_string(), "is not a probability", "write a number from 0 to 1"));
        }
        if !RATE_CLASSES.contains(&name.as_str()) && !name.contains(['/', '.', '*']) {
            let near = nearest(name, RATE_CLASSES).unwrap_or("source");
            let hint = format!("did you mean `{near}`?");
            return Err(wrong("rates", name, "is neither a class of inputs nor a path", &hint));
        }
    }
    Ok(layer)
}

fn is_image(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/:@".contains(&b))
}

pub(crate) fn is_user(text: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    match text.split_once(':') {
        Some((user, group)) => part(user) && part(group),
        None => part(text),
    }
}

fn is_package(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".+-:=~_".contains(&b))
}

fn is_variable(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::MemTree;

    fn error(path: &str, text: &str) -> Error {
        load(&MemTree::from([(path, text)]), ConfigLayer::default(), &["rust", "go"]).unwrap_err()
    }

    #[test]
    fn a_misspelt_key_names_file_line_and_the_right_key() {
        let error = error("Cargo.toml", "[package]\nname = \"a\"\n[package.metadata.dockerfile]\nprt = 80\n");
        assert!(error.to_string().starts_with("Cargo.toml:4: unknown field `prt`"), "{error}");
        assert_eq!(error.hint().unwrap(), "did you mean `port`?");
    }

    #[test]
    fn a_wrong_value_names_its_line() {
        let bad = error("dockerfile.toml", "port = 8080\nbase = \"debian; rm -rf /\"\n");
        assert!(bad.to_string().starts_with("dockerfile.toml:2: `base = "), "{bad}");
        let bad = error("dockerfile.toml", "port = 1\nstack = \"rsut\"\n");
        assert!(bad.to_string().starts_with("dockerfile.toml:2: `stack = "), "{bad}");
        assert_eq!(bad.hint().unwrap(), "did you mean `rust`?");
        let bad = error("dockerfile.toml", "port = 70000\n");
        assert!(bad.to_string().starts_with("dockerfile.toml:1: "), "{bad}");
    }

    #[test]
    fn later_layers_win_field_by_field() {
        let metadata =
            "[workspace.metadata.dockerfile]\nport = 1\nuser = \"5\"\n[package.metadata.dockerfile]\nport = 2\n";
        let tree = MemTree::from([("Cargo.toml", metadata), ("dockerfile.toml", "env = { A = 1, B = true }\n")]);
        let door = ConfigLayer { port: Some(3), ..ConfigLayer::default() };
        let config = load(&tree, door, &["rust"]).unwrap();
        assert_eq!((config.port, config.user.as_deref()), (Some(3), Some("5")));
        assert_eq!(config.env["B"], "true");
    }
}
