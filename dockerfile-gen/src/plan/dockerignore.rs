//! What stays out of the build context.
//!
//! Input: the tree, the facts, the plan. Output: the text of a .dockerignore. The one idea: what nobody needs is left
//! out by name, what the build reads is let back in, and at the end every path that the Dockerfile or a manifest names
//! is checked against the finished file.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Config;
use crate::error::{Error, Result};
use crate::facts::Notes;
use crate::model::context::Dockerignore;
use crate::plan::render::MARK;
use crate::plan::{Input, Op, Plan, Source};
use crate::secrets::{self, Verdict};
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
            "**/*.dockerignore*",
            "**/compose*.y*ml",
            "**/docker-compose*",
            "docker-bake.*",
            ".devcontainer",
            "fly.toml",
            "render.yaml",
            "Procfile",
            "dockerfile.toml*",
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

/// Above this many files that a folder would have to let back in one by one, the folder itself is let back in.
const ONE_BY_ONE: usize = 4;

/// As many files of a folder that only look like secrets are let back in.
const MOST_KEPT: usize = 8;

/// The text of a .dockerignore, and what the user should know about it.
pub(crate) struct Ignore {
    pub(crate) text: String,
    pub(crate) warnings: Vec<String>,
    /// Files that look like secrets and stay, and why.
    pub(crate) kept: BTreeMap<RelPath, String>,
    /// Secrets that must not be sent to the builder.
    pub(crate) secrets: BTreeSet<RelPath>,
}

/// Writes the .dockerignore.
///
/// # Errors
/// [`Error::Config`] if a pattern from the configuration leaves out what the build reads, or is no pattern.
pub(crate) fn dockerignore(tree: &dyn Tree, notes: &Notes, plan: &Plan, config: &Config) -> Result<Ignore> {
    let mut text = format!("# {MARK}: what the image does not need, and what must not get into it.\n");
    text.push_str("# Add your own with `ignore` and `keep` in the configuration.\n");
    for (title, patterns) in COMMON {
        group(&mut text, title, patterns.iter().copied());
    }
    for (title, patterns) in &plan.ignore {
        group(&mut text, title, patterns.iter().map(String::as_str));
    }
    let named = named(notes, plan);
    let mut read = Read::of(&text)?;
    let back = let_back_in(&read.ignore, tree, &named);
    if !back.is_empty() {
        group(&mut text, "but the build reads these", back.iter().map(String::as_str));
    }
    let mut ignore = Ignore { text, warnings: Vec::new(), kept: BTreeMap::new(), secrets: BTreeSet::new() };
    leave_out_secrets(&mut ignore, &mut read, tree, &named, config)?;
    let text = &mut ignore.text;
    if !config.ignore.is_empty() {
        let lines: Vec<String> = config.ignore.iter().map(|line| line.replace(char::is_control, " ")).collect();
        group(text, "from the configuration", lines.iter().map(String::as_str));
        check_configured(read.all(text)?, tree, &named, config)?;
    }
    Ok(ignore)
}

/// The text as far as it was read: it only grows, so each line is read once.
struct Read {
    ignore: Dockerignore,
    upto: usize,
}

impl Read {
    fn of(text: &str) -> Result<Self> {
        Ok(Self { ignore: Dockerignore::parse(".dockerignore", text)?, upto: text.len() })
    }

    /// All lines of `text`.
    fn all(&mut self, text: &str) -> Result<&Dockerignore> {
        self.ignore.read_on(&text[self.upto..])?;
        self.upto = text.len();
        Ok(&self.ignore)
    }
}

fn group<'a>(text: &mut String, title: &str, patterns: impl IntoIterator<Item = &'a str>) {
    text.push_str(&format!("\n# {title}\n"));
    for pattern in patterns {
        text.push_str(pattern);
        text.push('\n');
    }
}

/// Files and folders that the Dockerfile copies by name and that manifests or sources refer to.
fn named(notes: &Notes, plan: &Plan) -> BTreeSet<String> {
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
    copied.chain(notes.needed.iter().map(|path| path.as_str().to_owned())).collect()
}

/// The files of the tree at or below a named path that `ignore` leaves out.
fn left_out<'t>(ignore: &Dockerignore, tree: &'t dyn Tree, path: &str) -> Vec<&'t str> {
    let file = tree.files().get_key_value(path).map(|(path, _)| path);
    let below = tree.under(path).map(|(path, _)| path);
    file.into_iter().chain(below).map(RelPath::as_str).filter(|path| ignore.excludes(path).is_some()).collect()
}

/// Exceptions for what is named and left out by name.
fn let_back_in(ignore: &Dockerignore, tree: &dyn Tree, named: &BTreeSet<String>) -> BTreeSet<String> {
    let mut back = BTreeSet::new();
    for path in named.iter().filter(|path| !path.is_empty()) {
        let out = left_out(ignore, tree, path);
        if out.len() > ONE_BY_ONE {
            back.insert(format!("!{}", escape(path)));
        } else {
            back.extend(out.into_iter().map(|path| format!("!{}", escape(path))));
        }
    }
    back
}

/// Leaves out what the table of secrets knows, lets back in what only looks like a secret, and says what stays.
fn leave_out_secrets(
    ignore: &mut Ignore,
    read: &mut Read,
    tree: &dyn Tree,
    named: &BTreeSet<String>,
    config: &Config,
) -> Result<()> {
    let before = read.all(&ignore.text)?;
    let sent = secrets::candidates(tree).into_iter().filter(|path| before.excludes(path.as_str()).is_none());
    let verdicts: Vec<(&RelPath, Verdict)> =
        sent.filter_map(|path| Some((path, secrets::verdict(tree, path.as_str())?))).collect();
    let sources = verdicts.iter().filter_map(|(path, verdict)| match verdict {
        Verdict::Sources(end) => Some(path.as_str()[..*end].to_ascii_lowercase()),
        _ => None,
    });
    let sources: BTreeSet<String> = sources.collect();
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    for (title, lines) in secrets::lines(&sources) {
        group(&mut ignore.text, title, lines.iter().map(String::as_str));
    }
    let general = read.all(&ignore.text)?;
    let by_git = secrets::ignored_by_git(&tree.scan(".gitignore"));
    let is_new = |line: &&String| general.excludes(&line.trim_start_matches("**/").replace('*', "x")).is_none();
    let by_git: BTreeSet<&str> = by_git.iter().filter(is_new).map(String::as_str).collect();
    if !by_git.is_empty() {
        group(&mut ignore.text, "secrets: what git ignores", by_git);
    }
    let back = kept(ignore, read, &verdicts, named, config)?;
    if !back.is_empty() {
        group(&mut ignore.text, "but not these", back.iter().map(String::as_str));
    }
    let general = read.all(&ignore.text)?;
    let is_left = |path: &RelPath| general.excludes(path.as_str()).is_none() && !ignore.kept.contains_key(path);
    let secret = verdicts.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Secret(_))).map(|(path, _)| *path);
    let found: Vec<String> = secret.filter(|path| is_left(path)).map(|path| escape(path.as_str())).collect();
    if !found.is_empty() {
        group(&mut ignore.text, "secrets: found in this project", found.iter().map(String::as_str));
    }
    let secret = verdicts.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Secret(_))).map(|(path, _)| *path);
    ignore.secrets = secret.filter(|path| !ignore.kept.contains_key(*path)).cloned().collect();
    Ok(())
}

/// Exceptions for what only looks like a secret, what the sources name outright, and what the settings keep.
fn kept(
    ignore: &mut Ignore,
    read: &mut Read,
    verdicts: &[(&RelPath, Verdict)],
    named: &BTreeSet<String>,
    config: &Config,
) -> Result<BTreeSet<String>> {
    let general = read.all(&ignore.text)?;
    let mut back = BTreeSet::new();
    let mut a_folder: BTreeMap<&str, usize> = BTreeMap::new();
    for (path, verdict) in verdicts {
        let is_out = general.excludes(path.as_str()).is_some();
        let line = format!("!{}", escape(path.as_str()));
        match verdict {
            Verdict::Secret(kind) if secrets::is_kept(&config.keep, path) => {
                let why = format!("`keep` of the settings names it, although it looks like a secret ({})", kind.what);
                ignore.kept.insert((*path).clone(), why);
                back.insert(line);
            }
            Verdict::Secret(kind) if named.contains(path.as_str()) => {
                ignore.warnings.push(format!(
                    "`{path}` looks like a secret ({}), but the build reads it: it gets into the build context; if no build \
                     needs it, {}",
                    kind.what,
                    kind.instead.advice(path.as_str())
                ));
                ignore.kept.insert((*path).clone(), "the build reads it, although it looks like a secret".to_owned());
                back.insert(line);
            }
            Verdict::Secret(kind) => {
                let holds = |dir: &&String| !dir.is_empty() && path.as_str().starts_with(&format!("{dir}/"));
                if let Some(dir) = named.iter().find(holds) {
                    ignore.warnings.push(format!(
                        "`{path}` looks like a secret ({}) and stays out of the build context, although `{dir}` is read: \
                         {}; if it is none, say `keep = [\"{path}\"]`",
                        kind.what,
                        kind.instead.advice(path.as_str())
                    ));
                }
            }
            Verdict::Harmless(why) if is_out => {
                let count = a_folder.entry(path.parent()).or_default();
                *count += 1;
                // A folder full of them belongs to tests more often than to a program.
                if *count <= MOST_KEPT || named.contains(path.as_str()) {
                    ignore.kept.insert((*path).clone(), (*why).to_owned());
                    back.insert(line);
                } else if *count == MOST_KEPT + 1 {
                    let dir = path.parent();
                    ignore.warnings.push(format!(
                        "`{dir}` holds more than {MOST_KEPT} files that only look like secrets, and `{path}` and those after it \
                         stay out of the build context; if the build needs one, name it with `keep`"
                    ));
                }
            }
            _ => {}
        }
    }
    Ok(back)
}

/// Refuses a project whose own ignore file would take the place of the generated one.
///
/// # Errors
/// [`Error::Unsupported`] unless it says the same.
pub(crate) fn check_rival(tree: &dyn Tree, text: &str) -> Result<()> {
    const RIVAL: &str = "Dockerfile.dockerignore";
    let lines = |text: &str| -> Vec<String> {
        text.lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(str::to_owned)
            .collect()
    };
    let on_disk = || tree.disk_root().is_some_and(|root| root.join(RIVAL).symlink_metadata().is_ok());
    let is_same = match tree.text(RIVAL)? {
        Some(rival) => lines(&rival) == lines(text),
        // git ignores it, docker does not.
        None => !on_disk(),
    };
    if is_same {
        return Ok(());
    }
    Err(Error::Unsupported {
        reason: format!(
            "`{RIVAL}` takes the place of the generated .dockerignore, so that what it does not leave out, secrets too, gets \
             into the build"
        ),
        hint: format!("move its lines to `ignore` in dockerfile.toml and remove `{RIVAL}`"),
    })
}

/// Refuses patterns of the configuration that leave out what the build reads.
fn check_configured(ignore: &Dockerignore, tree: &dyn Tree, named: &BTreeSet<String>, config: &Config) -> Result<()> {
    for path in named {
        for file in left_out(ignore, tree, path) {
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
