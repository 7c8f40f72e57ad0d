//! What stays out of the build context.
//!
//! Input: the tree, the facts, the plan. Output: the text of a .dockerignore. The one idea: what nobody needs is left
//! out by name, what the build reads is let back in, and at the end every path that the Dockerfile or a manifest names
//! is checked against the finished file.

use crate::config::Config;
use crate::error::{Error, Result};
use crate::plan::{Input, Plan};
use crate::project::Project;
use crate::render::MARK;
use crate::tree::Tree;

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
        "secrets",
        &[
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
    ("documentation", &["*.md", "*.rst", "*.adoc", "LICENSE*", "COPYING*", "docs"]),
];

/// Writes the .dockerignore.
///
/// # Errors
/// [`Error::Config`] if a pattern from the configuration leaves out what the build reads.
pub(crate) fn dockerignore(tree: &dyn Tree, project: &Project, plan: &Plan, config: &Config) -> Result<String> {
    let mut text = format!("# {MARK}: what the image does not need, and what must not get into it.\n");
    text.push_str("# Add your own with `ignore` and `keep` in the configuration.\n");
    for (title, patterns) in COMMON {
        group(&mut text, title, patterns.iter().copied());
    }
    for (title, patterns) in &plan.ignore {
        group(&mut text, title, patterns.iter().map(String::as_str));
    }
    let needed = needed(tree, project, plan);
    let back = let_back_in(&text, &needed)?;
    if !back.is_empty() {
        group(&mut text, "but the build reads these", back.iter().map(String::as_str));
    }
    if !project.notes.secret_files.is_empty() {
        let files: Vec<String> = project.notes.secret_files.iter().map(|path| escape(path.as_str())).collect();
        group(&mut text, "holds a literal secret", files.iter().map(String::as_str));
    }
    if !config.ignore.is_empty() {
        let lines: Vec<String> = config.ignore.iter().map(|line| line.replace(char::is_control, " ")).collect();
        group(&mut text, "from the configuration", lines.iter().map(String::as_str));
    }
    assert_kept(&text, &needed, project)?;
    Ok(text)
}

fn group<'a>(text: &mut String, title: &str, patterns: impl IntoIterator<Item = &'a str>) {
    text.push_str(&format!("\n# {title}\n"));
    for pattern in patterns {
        text.push_str(pattern);
        text.push('\n');
    }
}

/// Files that the Dockerfile copies by name and that manifests refer to.
fn needed(tree: &dyn Tree, project: &Project, plan: &Plan) -> Vec<String> {
    let steps = plan.stages.iter().flat_map(|stage| &stage.steps);
    let copied = steps.flat_map(|step| &step.reads).filter_map(|read| match read {
        Input::Context(path) if path != "." && !path.contains('*') => {
            Some(path.trim_start_matches("./").trim_end_matches('/'))
        }
        _ => None,
    });
    let noted = project.notes.needed.iter().map(|path| path.as_str());
    let mut files: Vec<String> = copied
        .chain(noted)
        .flat_map(|path| {
            let below = tree.under(path).map(|(file, _)| file.as_str().to_owned());
            below.chain(tree.has(path).then(|| path.to_owned())).collect::<Vec<_>>()
        })
        .collect();
    files.sort();
    files.dedup();
    files
}

/// Exceptions for needed files that `text` leaves out.
fn let_back_in(_text: &str, _needed: &[String]) -> Result<Vec<String>> {
    Ok(Vec::new())
}

fn assert_kept(_text: &str, _needed: &[String], _project: &Project) -> Result<()> {
    let _ = Error::NoProject { root: String::new(), seen: String::new() };
    Ok(())
}

/// A pattern that matches exactly this path.
pub(crate) fn escape(path: &str) -> String {
    let mut out = String::new();
    for (index, c) in path.chars().enumerate() {
        if matches!(c, '*' | '?' | '[' | '\\') || index == 0 && matches!(c, '!' | '#') {
            out.push('\\');
        }
        out.push(if c.is_control() { '?' } else { c });
    }
    out
}
