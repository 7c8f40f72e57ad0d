//! What stays out of the build context.
//!
//! Input: the tree, the facts, the plan. Output: the text of a .dockerignore. The one idea: what nobody needs is left
//! out by name, what the build reads is let back in, and at the end every path that the Dockerfile or a manifest names
//! is checked against the finished file.

use std::collections::BTreeSet;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::model::context::Dockerignore;
use crate::plan::render::MARK;
use crate::plan::{Input, Op, Plan, Source};
use crate::stacks::Project;
use crate::tree::{RelPath, Tree};

/// Never part of an image, in any stack: title and patterns.
const COMMON: &[(&str, &[&str])] = &[
    (
        "version control and CI",
        &[
            ".git",
            ".gitignore",
            ".gitattributes",
            ".gitmodules",
            ".github",
            ".gitlab",
            ".gitlab-ci.yml",
            ".circleci",
            ".travis.yml",
            "azure-pipelines.yml",
            "bitbucket-pipelines.yml",
            "Jenkinsfile",
            ".pre-commit-config.yaml",
            ".woodpecker*",
            ".drone.yml",
            "codecov.yml",
            "renovate.json*",
            ".renovaterc*",
            ".dependabot",
            ".goreleaser*",
            "Makefile",
            "justfile",
        ],
    ),
    (
        "image definitions",
        &[
            "**/Dockerfile*",
            "**/*.Dockerfile",
            "**/.dockerignore",
            "**/compose*.y*ml",
            "**/docker-compose*",
            "docker-bake.*",
            ".devcontainer",
            "fly.toml",
            "render.yaml",
            "Procfile",
            "dockerfile.toml",
        ],
    ),
    (
        "editors and systems",
        &[
            "**/.vscode",
            "**/.idea",
            "**/.zed",
            "**/*.swp",
            "**/*~",
            "**/.DS_Store",
            "**/Thumbs.db",
            ".editorconfig",
            "**/*.log",
        ],
    ),
    ("backups and drafts", &["**/*.bak", "**/*.bak.*", "**/.*.cargo-dockerfile-*"]),
    ("documentation", &["*.md", "*.rst", "*.adoc", "LICENSE*", "COPYING*", "docs"]),
];

/// What must not get into any image; stands last, so that nothing lets it back in by the way.
const SECRETS: &[&str] = &[
    "**/.env",
    "**/.env.*",
    "!**/.env.example",
    "!**/.env.sample",
    "!**/.env.template",
    "**/*.pem",
    "**/*.key",
    "**/*.p12",
    "**/*.pfx",
    "**/*.kdbx",
    "**/id_rsa*",
    "**/id_ed25519*",
    "**/.netrc",
    "**/.aws",
    "**/.ssh",
    "**/.docker",
    "**/.kube",
    "**/credentials*.json",
    "**/service-account*.json",
    "**/*.tfstate*",
    "**/.terraform",
];

/// Above this many files that a folder would have to let back in one by one, the folder itself is let back in.
const ONE_BY_ONE: usize = 4;

/// The text of a .dockerignore, and what the user should know about it.
pub(crate) struct Ignore {
    pub(crate) text: String,
    pub(crate) warnings: Vec<String>,
}

/// Writes the .dockerignore.
///
/// # Errors
/// [`Error::Config`] if a pattern from the configuration leaves out what the build reads, or is no pattern.
pub(crate) fn dockerignore(tree: &dyn Tree, project: &Project, plan: &Plan, config: &Config) -> Result<Ignore> {
    let mut text = format!("# {MARK}: what the image does not need, and what must not get into it.\n");
    text.push_str("# Add your own with `ignore` and `keep` in the configuration.\n");
    for (title, patterns) in COMMON {
        group(&mut text, title, patterns.iter().copied());
    }
    for (title, patterns) in &plan.ignore {
        group(&mut text, title, patterns.iter().map(String::as_str));
    }
    let named = named(project, plan);
    let back = let_back_in(&text, tree, &named)?;
    if !back.is_empty() {
        group(&mut text, "but the build reads these", back.iter().map(String::as_str));
    }
    group(&mut text, "secrets", SECRETS.iter().copied());
    let mut warnings = Vec::new();
    let exposed = secrets_read(&text, tree, &named, &mut warnings)?;
    if !exposed.is_empty() {
        group(&mut text, "named by the sources, so the build reads them", exposed.iter().map(String::as_str));
    }
    if !project.notes.secret_files.is_empty() {
        let files: Vec<String> = project.notes.secret_files.iter().map(|path| escape(path.as_str())).collect();
        group(&mut text, "holds a literal secret", files.iter().map(String::as_str));
    }
    if !config.ignore.is_empty() {
        let lines: Vec<String> = config.ignore.iter().map(|line| line.replace(char::is_control, " ")).collect();
        group(&mut text, "from the configuration", lines.iter().map(String::as_str));
        check_configured(&text, tree, &named, config)?;
    }
    Ok(Ignore { text, warnings })
}

fn group<'a>(text: &mut String, title: &str, patterns: impl IntoIterator<Item = &'a str>) {
    text.push_str(&format!("\n# {title}\n"));
    for pattern in patterns {
        text.push_str(pattern);
        text.push('\n');
    }
}

/// Files and folders that the Dockerfile copies by name and that manifests or sources refer to.
fn named(project: &Project, plan: &Plan) -> BTreeSet<String> {
    let steps = plan.stages.iter().flat_map(|stage| &stage.steps);
    let copied = steps.flat_map(|step| {
        // A star is a part of a path, or one of a pattern of ours.
        let is_pattern = |path: &str| match &step.op {
            Op::Copy { sources, .. } => sources.iter().any(|source| *source == Source::Pattern(path.to_owned())),
            _ => false,
        };
        step.reads.iter().filter_map(move |read| match read {
            Input::Context(path) if path != "." && !is_pattern(path) => {
                Some(path.trim_start_matches("./").trim_end_matches('/').to_owned())
            }
            _ => None,
        })
    });
    copied.chain(project.notes.needed.iter().map(|path| path.as_str().to_owned())).collect()
}

/// The files of the tree at or below a named path that `ignore` leaves out.
fn left_out<'t>(ignore: &Dockerignore, tree: &'t dyn Tree, path: &str) -> Vec<&'t str> {
    let file = tree.files().get_key_value(path).map(|(path, _)| path);
    let below = tree.under(path).map(|(path, _)| path);
    file.into_iter().chain(below).map(RelPath::as_str).filter(|path| ignore.excludes(path).is_some()).collect()
}

/// Exceptions for what is named and left out by name.
fn let_back_in(text: &str, tree: &dyn Tree, named: &BTreeSet<String>) -> Result<BTreeSet<String>> {
    let ignore = Dockerignore::parse(".dockerignore", text)?;
    let mut back = BTreeSet::new();
    for path in named.iter().filter(|path| !path.is_empty()) {
        let out = left_out(&ignore, tree, path);
        if out.len() > ONE_BY_ONE {
            back.insert(format!("!{}", escape(path)));
        } else {
            back.extend(out.into_iter().map(|path| format!("!{}", escape(path))));
        }
    }
    Ok(back)
}

/// Exceptions for files that look like secrets and that the sources name outright; the user hears of each.
fn secrets_read(
    text: &str,
    tree: &dyn Tree,
    named: &BTreeSet<String>,
    warnings: &mut Vec<String>,
) -> Result<Vec<String>> {
    let ignore = Dockerignore::parse(".dockerignore", text)?;
    let mut exposed = Vec::new();
    for path in named {
        for file in left_out(&ignore, tree, path) {
            if file == path {
                warnings.push(format!(
                    "`{file}` looks like a secret, but the build reads it: it gets into the build context"
                ));
                exposed.push(format!("!{}", escape(file)));
            } else {
                warnings.push(format!(
                    "`{file}` looks like a secret and stays out of the build context, although `{path}` is read"
                ));
            }
        }
    }
    Ok(exposed)
}

/// Refuses patterns of the configuration that leave out what the build reads.
fn check_configured(text: &str, tree: &dyn Tree, named: &BTreeSet<String>, config: &Config) -> Result<()> {
    let ignore = Dockerignore::parse(".dockerignore", text)?;
    for path in named {
        for file in left_out(&ignore, tree, path) {
            let Some(line) = ignore.excludes(file) else { continue };
            if let Some(pattern) = config.ignore.iter().find(|pattern| pattern.trim() == line.text.trim()) {
                return Err(Error::Config {
                    path: "configuration".into(),
                    line: None,
                    reason: format!("`ignore` pattern `{pattern}` leaves out `{file}`, which the build reads"),
                    hint: "narrow the pattern, or take it out".into(),
                });
            }
        }
    }
    Ok(())
}

/// A pattern that matches exactly this path.
pub(crate) fn escape(path: &str) -> String {
    let mut out = String::new();
    let last = path.chars().count().saturating_sub(1);
    for (index, c) in path.chars().enumerate() {
        match c {
            // Braces and bars mean something in the regular expression that moby makes of a pattern.
            '*' | '?' | '[' | '\\' | '{' | '}' | '|' | '^' => out.extend(['\\', c]),
            '!' | '#' if index == 0 => out.extend(['\\', c]),
            // A line is read without the blanks around it.
            c if c.is_whitespace() && !c.is_control() && (index == 0 || index == last) => out.extend(['[', c, ']']),
            c if c.is_control() => out.push('?'),
            c => out.push(c),
        }
    }
    out
}
