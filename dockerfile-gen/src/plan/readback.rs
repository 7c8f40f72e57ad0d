//! Reads back what is about to be written.
//!
//! Input: the text of both files, and the plan that they were made from. Output: nothing, or an [`Error`] that names the
//! instruction. The one idea: the files are read by the parser that reads everybody's Dockerfiles, so what a quoting rule
//! or a template got wrong is seen before a byte is on disk, and not by whoever builds the image.

mod compare;
mod read;
mod sources;

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::model::context::Dockerignore;
use crate::model::dockerfile::{Dockerfile, ParseError, Reason};

pub(crate) use read::Written;
use read::{Difference, Users};

/// Holds both files against the plan.
///
/// # Errors
/// [`Error::Readback`] for a difference, which is a bug of this crate; [`Error::Template`] where a template of the user's
/// is the cause, [`Error::Config`] where a setting is, and [`Error::Unsupported`] for a line that is too long.
pub(crate) fn read_back(written: &Written<'_>) -> Result<()> {
    let ignore = dockerignore(written)?;
    let (file, errors) = Dockerfile::parse_lenient(written.dockerfile);
    let users = users_templates(written)?;
    if let Some(error) = errors.into_iter().next() {
        return Err(parse_error(written, &error));
    }
    let reads = compare::compare(written.plan, &file, &users).map_err(|difference| difference.bug("Dockerfile"))?;
    sources::resolve(written, &file, &reads, &ignore)
}

/// Reads the .dockerignore: what the plan and the configuration leave out is there, as a pattern that leaves out.
fn dockerignore(written: &Written<'_>) -> Result<Dockerignore> {
    let bug = |line: Option<u32>, reason: String| Error::Readback { path: ".dockerignore".into(), line, reason };
    let ignore = Dockerignore::parse(".dockerignore", written.dockerignore).map_err(|error| match error {
        Error::Manifest { line, reason, .. } => bug(line, reason),
        other => other,
    })?;
    let lines: BTreeSet<&str> = ignore.lines().iter().map(|line| line.text.as_str()).collect();
    for pattern in written.plan.ignore.iter().flat_map(|(_, patterns)| patterns) {
        if !lines.contains(pattern.as_str()) || pattern.starts_with('!') {
            return Err(bug(None, format!("`{pattern}` was to leave something out and does not")));
        }
    }
    let own = &written.config.ignore;
    if let Some(pattern) = own.iter().find(|pattern| !lines.contains(pattern.trim())) {
        return Err(bug(None, format!("the pattern `{pattern}` of the configuration is not there")));
    }
    let lets_in = own.iter().any(|pattern| pattern.trim_start().starts_with('!'));
    let sent = written.secrets.iter().find(|path| ignore.excludes(path.as_str()).is_none());
    match sent.filter(|_| !lets_in) {
        Some(path) => Err(bug(None, format!("`{path}` holds a secret and would be sent to the builder"))),
        None => Ok(ignore),
    }
}

/// Reads what the user's own templates spell, each by itself, so that an error names the template.
fn users_templates(written: &Written<'_>) -> Result<Users> {
    let mut users = Users::new();
    if written.config.templates.is_none() {
        return Ok(users);
    }
    for (at, stage) in written.plan.stages.iter().enumerate() {
        for (number, step) in stage.steps.iter().enumerate() {
            let spelled = super::render::spelled_by_user(step, written.config, written.tree)?;
            let Some((template, text)) = spelled else { continue };
            let failed = |reason: String| Error::Template { template: template.clone(), reason };
            let (file, errors) = Dockerfile::parse_lenient(&format!("FROM scratch\n{text}\n"));
            if let Some(error) = errors.first() {
                return Err(failed(error.reason.to_string()));
            }
            if file.stages().len() > 1 {
                return Err(failed("`FROM` begins a stage: a template spells one step".into()));
            }
            if text.trim_end().ends_with(file.escape) {
                return Err(failed(format!("`{}` at the end takes in the next instruction", file.escape)));
            }
            users.insert((at, number), file.instructions.len() - 1);
        }
    }
    Ok(users)
}

/// What the parser refuses. A line that is too long is made of what the project says; all else is ours.
fn parse_error(written: &Written<'_>, error: &ParseError) -> Error {
    if let Reason::LineTooLong { length } = error.reason {
        let line = written.dockerfile.lines().nth(error.line - 1).unwrap_or_default();
        let start: String = line.trim_start().chars().take(60).collect();
        return Error::Unsupported {
            reason: format!("`{start}…` would be a line of {length} bytes, and BuildKit reads at most 65535"),
            hint: "shorten the value in the manifest or in the configuration".into(),
        };
    }
    Difference { line: Some(error.line), reason: error.reason.to_string() }.bug("Dockerfile")
}
