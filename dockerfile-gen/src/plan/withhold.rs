//! Keeps what a project writes out in its manifests and scripts out of the Dockerfile.
//!
//! Input: a [`Plan`] and the files that it was made from. Output: the plan without secrets, and what the user should know.
//! The one idea: what can be left out is left out and said, with the file and line that it came from; a command that
//! means nothing without its secret is refused.

use super::operation::Op;
use super::stage::Plan;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::facts::Notes;
use crate::secrets::tokens::{self, Token};
use crate::tree::{RelPath, Tree};

/// Leaves the secrets out of `plan`; says for each where it stands and how to hand it over.
///
/// # Errors
/// [`Error::Unsupported`] for a command that cannot do without.
pub(crate) fn withhold(plan: &mut Plan, files: &Files<'_>, config: &Config) -> Result<Withheld> {
    let mut withheld = Withheld::default();
    for step in plan.stages.iter_mut().flat_map(|stage| &mut stage.steps) {
        match &mut step.op {
            Op::Label { pairs } => labels(pairs, files, &mut withheld),
            Op::Env { pairs } => environment(pairs, files, config, &mut withheld)?,
            Op::Cmd { argv } | Op::Entrypoint { argv } | Op::Healthcheck { argv } => {
                command(argv, files, &mut withheld)?;
            }
            _ => {}
        }
    }
    let mut empty = Vec::new();
    for stage in &mut plan.stages {
        let is_empty = |op: &Op| matches!(op, Op::Env { pairs } | Op::Label { pairs } if pairs.is_empty());
        empty.extend(
            stage.steps.iter().filter(|step| is_empty(&step.op)).map(|step| (step.id.clone(), step.needs.clone())),
        );
        stage.steps.retain(|step| !is_empty(&step.op));
        for (gone, before) in &empty {
            for needs in stage.steps.iter_mut().filter_map(|step| step.needs.as_mut()) {
                if needs.contains(gone) {
                    needs.retain(|need| need != gone);
                    needs.extend(before.iter().flatten().filter(|need| *need != gone).cloned());
                }
            }
        }
        empty.clear();
    }
    withheld.warnings.dedup();
    Ok(withheld)
}

/// What was left out.
#[derive(Clone, Default)]
pub(crate) struct Withheld {
    /// For the user.
    pub(crate) warnings: Vec<String>,
    /// The secrets themselves, which no message may show.
    values: Vec<String>,
}

impl std::fmt::Debug for Withheld {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Withheld").finish_non_exhaustive()
    }
}

impl Withheld {
    /// Adds to `notes` what is said of secrets that were left out, and takes the secrets out of what they say already.
    pub(crate) fn conceal(&mut self, notes: &mut Notes) {
        notes.evidence.iter_mut().for_each(|evidence| self.redact(&mut evidence.reason));
        notes.labels.values_mut().for_each(|label| self.redact(label));
        notes.warnings.append(&mut self.warnings);
        notes.warnings.iter_mut().for_each(|warning| self.redact(warning));
    }

    /// `text` without the secrets.
    pub(crate) fn redact(&self, text: &mut String) {
        for value in self.values.iter().filter(|value| value.len() > 3) {
            if text.contains(value.as_str()) {
                *text = text.replace(value.as_str(), "…");
            }
        }
    }

    fn keep_quiet(&mut self, value: &str) {
        self.values.push(value.trim_matches(['"', '\'']).to_owned());
    }
}

/// The files that a plan was made from.
pub(crate) struct Files<'a> {
    pub(crate) tree: &'a dyn Tree,
    pub(crate) read: Vec<RelPath>,
}

impl Files<'_> {
    /// The first file and line that has `secret`, on a line with `name` if there is one.
    fn place(&self, name: &str, secret: &str) -> String {
        let mut found = None;
        for path in &self.read {
            let text = self.tree.scan(path.as_str());
            for (line, number) in text.lines().zip(1..).filter(|(line, _)| line.contains(secret)) {
                if line.contains(name) {
                    return format!("{path}:{number}");
                }
                found.get_or_insert_with(|| format!("{path}:{number}"));
            }
        }
        found.unwrap_or_else(|| "the configuration".to_owned())
    }
}

fn labels(pairs: &mut Vec<(String, String)>, files: &Files<'_>, withheld: &mut Withheld) {
    for (name, value) in pairs.iter_mut() {
        let named = || tokens::is_secret(name, value).then_some(Token { at: 0..value.len(), what: "a secret" });
        let Some(token) = tokens::find(value).or_else(named) else { continue };
        let secret = value[token.at.clone()].to_owned();
        let place = files.place("", &secret);
        withheld.warnings.push(format!(
            "{place} holds {}: it is left out of the label `{name}`; take it out of the file and change it, as it is in the \
             history too",
            token.what
        ));
        withheld.keep_quiet(&secret);
        *value = tokens::without_user(value);
    }
    pairs.retain(|(name, value)| tokens::find(value).is_none() && !tokens::is_secret(name, value));
}

fn environment(
    pairs: &mut Vec<(String, String)>,
    files: &Files<'_>,
    config: &Config,
    withheld: &mut Withheld,
) -> Result<()> {
    // The build asked for the variable, so it cannot just be left out.
    let asked = |(name, value): &&(String, String)| {
        config.build_env.get(name) == Some(value) && (tokens::find(value).is_some() || tokens::is_secret(name, value))
    };
    if let Some((name, value)) = pairs.iter().find(asked) {
        return Err(Error::Unsupported {
            reason: format!(
                "{} gives the build `{name}`, whose name says secret: it would be in the history of the image",
                files.place(name, value)
            ),
            hint: format!(
                "if the build needs any value, write `placeholder`; if it needs this one, mount it with \
                 `RUN --mount=type=secret,id={name}` in a step of the settings"
            ),
        });
    }
    pairs.retain(|(name, value)| {
        let token = tokens::find(value);
        let is_named = tokens::is_secret(name, value);
        if token.is_none() && !is_named {
            return true;
        }
        let secret = token.as_ref().map_or(value.as_str(), |token| &value[token.at.clone()]);
        let place = files.place(name, secret);
        let what = token.as_ref().map_or("a secret", |token| token.what);
        withheld.warnings.push(format!(
            "{place} holds {what}: `{name}` is left out of the image; hand it over with `docker run -e {name}`"
        ));
        withheld.keep_quiet(secret);
        false
    });
    Ok(())
}

/// Takes `NAME=secret` out of a command.
fn command(argv: &mut Vec<String>, files: &Files<'_>, withheld: &mut Withheld) -> Result<()> {
    for word in argv.iter_mut() {
        while let Some((at, name, value)) = assignment(word) {
            let place = files.place(&name, &value);
            withheld.warnings.push(format!(
                "{place} holds a secret: `{name}` is left out of the command; hand it over with `docker run -e {name}`"
            ));
            withheld.keep_quiet(&value);
            word.replace_range(at, "");
        }
    }
    argv.retain(|word| !word.is_empty());
    let argument = |index: usize| -> Option<(String, &'static str)> {
        let word = &argv[index];
        if let Some(token) = tokens::find(word) {
            return Some((word[token.at].to_owned(), token.what));
        }
        let words: Vec<&str> = word.split_whitespace().collect();
        let next = argv.get(index + 1).map(String::as_str);
        words
            .iter()
            .enumerate()
            .find_map(|(at, flag)| {
                let (flag, value) = match flag.split_once('=') {
                    Some((flag, value)) => (flag, Some(value)),
                    None => (*flag, words.get(at + 1).copied().or(next)),
                };
                let value = value.filter(|value| !value.starts_with('-'))?;
                let is_secret = flag.starts_with("--") && tokens::is_secret(flag.trim_start_matches('-'), value);
                is_secret.then(|| (value.to_owned(), "a secret"))
            })
            .or_else(|| in_query(word).or_else(|| in_program(word)).map(|value| (value.to_owned(), "a secret")))
    };
    if let Some((secret, what)) = (0..argv.len()).find_map(argument) {
        return Err(refused(&files.place("", &secret), what, "the command of the image"));
    }
    Ok(())
}

/// The first secret that the query of an address gives: `?token=…`.
fn in_query(word: &str) -> Option<&str> {
    let query = word.split_once('?')?.1;
    let pairs = query.split(['&', '"', '\'', ' ', ')', '#']).filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(name, value)| tokens::is_secret(name, value)).map(|(_, value)| value)
}

/// The first secret that a program in the command sets: `process.env.API_KEY = '…'`.
fn in_program(word: &str) -> Option<&str> {
    word.match_indices('=').find_map(|(at, _)| {
        let name = word[..at].trim_end().rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()?;
        let rest = word[at + 1..].trim_start();
        let quoted = rest.trim_start_matches(['\'', '"', '\\']);
        let value = quoted.split(['\'', '"', '\\']).next()?;
        (quoted.len() < rest.len() && tokens::is_secret(name, value)).then_some(value)
    })
}

fn refused(place: &str, what: &str, whereto: &str) -> Error {
    Error::Unsupported {
        reason: format!("{place} holds {what}, which would get into {whereto}"),
        hint: "write `$NAME` in its place, hand it over with `docker run -e NAME`, and change it, as it is in the history too".into(),
    }
}

/// The first `NAME=secret ` of a shell command: its range with the blank after it, its name and the value.
fn assignment(text: &str) -> Option<(std::ops::Range<usize>, String, String)> {
    for (equals, _) in text.match_indices('=') {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let start = text[..equals].rfind(|c| !is_name(c)).map_or(0, |at| at + 1);
        let name = &text[start..equals];
        let begins = start == 0 || text[..start].ends_with([' ', '\t', ';', '(', '&', '|', '\'', '"']);
        if !begins || name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        let rest = &text[equals + 1..];
        let length = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => rest[1..].find(quote).map_or(rest.len(), |end| end + 2),
            _ => rest.find([' ', '\t', ';', '&', '|', ')', '\'', '"']).unwrap_or(rest.len()),
        };
        let value = &rest[..length];
        if tokens::find(value).is_some() || tokens::is_secret(name, value) {
            let end = equals + 1 + length;
            let blanks = text[end..].len() - text[end..].trim_start_matches([' ', '\t']).len();
            return Some((start..end + blanks, name.to_owned(), value.to_owned()));
        }
    }
    None
}

/// Refuses a Dockerfile in which a secret is left: one that came through a template or a step of the settings.
///
/// # Errors
/// [`Error::Unsupported`] with the place that the secret comes from.
pub(crate) fn check(dockerfile: &str, files: &Files<'_>) -> Result<()> {
    let Some(token) = tokens::find(dockerfile) else { return Ok(()) };
    let line = dockerfile[..token.at.start].matches('\n').count() + 1;
    let place = files.place("", &dockerfile[token.at]);
    Err(refused(&place, token.what, &format!("line {line} of the Dockerfile")))
}

/// Looks for passwords in the addresses of manifests and lockfiles, which a build copies.
///
/// # Errors
/// [`Error::Unsupported`] for one that a requirement or a lockfile has: the install reads it from a layer.
pub(crate) fn addresses(files: &Files<'_>, withheld: &mut Withheld) -> Result<()> {
    for path in files.read.iter().filter(|path| is_manifest(path.file_name())) {
        let text = files.tree.scan(path.as_str());
        for (line, number) in text.lines().zip(1..).filter(|(line, _)| line.contains("://") && line.contains('@')) {
            let Some(token) = tokens::in_address(line) else { continue };
            let place = format!("{path}:{number}");
            let is_said = withheld.warnings.iter().any(|warning| warning.starts_with(&format!("{place} ")));
            withheld.keep_quiet(&line[token.at.clone()]);
            if is_requirement(path.file_name()) || line.contains("git+http") {
                return Err(Error::Unsupported {
                    reason: format!("{place} holds {}, and the build would copy it: the token would be in a layer", token.what),
                    hint: "take it out of the address, hand it over with `docker build --secret id=netrc,src=$HOME/.netrc .`, \
                           and change it, as it is in the history too"
                        .into(),
                });
            }
            if !is_said {
                withheld.warnings.push(format!(
                    "{place} holds {}, and the build copies the file: take it out and change it, as it is in the history too",
                    token.what
                ));
            }
        }
    }
    Ok(())
}

/// Files that say what is installed, and nothing else.
fn is_requirement(name: &str) -> bool {
    let listed = matches!(
        name,
        "Pipfile.lock"
            | "poetry.lock"
            | "uv.lock"
            | "pdm.lock"
            | "pylock.toml"
            | "package-lock.json"
            | "npm-shrinkwrap.json"
            | "yarn.lock"
            | "pnpm-lock.yaml"
            | "bun.lock"
            | "Cargo.lock"
            | "go.sum"
            | "go.mod"
    );
    listed || name.ends_with(".txt") || name.ends_with(".in")
}

fn is_manifest(name: &str) -> bool {
    let listed = matches!(
        name,
        "Cargo.toml"
            | "package.json"
            | "pyproject.toml"
            | "Pipfile"
            | "setup.py"
            | "setup.cfg"
            | "pnpm-workspace.yaml"
            | ".gitmodules"
    );
    listed || is_requirement(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_goes_with_its_blank() {
        let without = |text: &str| {
            let mut text = text.to_owned();
            while let Some((at, _, _)) = assignment(&text) {
                text.replace_range(at, "");
            }
            text
        };
        assert_eq!(without("exec env SECRET_KEY=ghp_TOKEN gunicorn app:app"), "exec env gunicorn app:app");
        assert_eq!(without("A=1 API_KEY='two words' DB_PASSWORD=\"x9 y\" run --port=80"), "A=1 run --port=80");
        assert_eq!(without("SECRET_KEY=$KEY TOKEN=changeme run"), "SECRET_KEY=$KEY TOKEN=changeme run");
        assert_eq!(without("URL=postgres://u:hunter22@db/x run"), "run");
    }
}
