//! The edits: what somebody does to a project between two builds.

mod go;
mod python;

use std::fs;
use std::process::Command;

use dockerfile_gen::Project;

use crate::facts::Component;

use super::variants::Variant;

/// Does the edit; `None` if the project has nothing to do it to. The number differs from round to round.
type Apply = Box<dyn Fn(&Variant, usize) -> Option<()>>;

pub(crate) struct Edit {
    pub(crate) name: String,
    pub(crate) apply: Apply,
}

fn change(variant: &Variant, path: &str, how: impl Fn(&str) -> Option<String>) -> Option<()> {
    let path = variant.root.join(path);
    fs::write(&path, how(&fs::read_to_string(&path).ok()?)?).ok()
}

fn append(path: &str, text: impl Fn(usize) -> String + 'static) -> Apply {
    let path = path.to_owned();
    Box::new(move |variant, round| change(variant, &path, |old| Some(old.to_owned() + &text(round))))
}

/// A statement at the start of the first function of the file.
fn statement(path: &str) -> Apply {
    let path = path.to_owned();
    Box::new(move |variant, round| {
        change(variant, &path, |old| {
            let mut lines: Vec<String> = old.lines().map(str::to_owned).collect();
            let is_fn = |line: &String| {
                let line = line.trim_start();
                (line.starts_with("fn ") || line.starts_with("pub fn ") || line.starts_with("pub(crate) fn "))
                    && line.ends_with('{')
            };
            let at = lines.iter().position(is_fn)?;
            let statement = format!("let _ = std::hint::black_box({round});");
            if lines[at + 1].trim_start().starts_with("let _ = std::hint") {
                lines[at + 1] = statement;
            } else {
                lines.insert(at + 1, statement);
            }
            Some(lines.join("\n") + "\n")
        })
    })
}

/// Puts a line behind the first line that starts with `after`.
fn insert(path: &str, after: &str, text: impl Fn(usize) -> String + 'static) -> Apply {
    let (path, after) = (path.to_owned(), after.to_owned());
    Box::new(move |variant, round| {
        change(variant, &path, |old| {
            let at = old.lines().position(|line| line.trim_end() == after)?;
            let mut lines: Vec<String> = old.lines().map(str::to_owned).collect();
            lines.insert(at + 1, text(round));
            Some(lines.join("\n") + "\n")
        })
    })
}

fn run(program: &'static str, args: impl Fn(usize) -> Vec<String> + 'static) -> Apply {
    Box::new(move |variant, round| {
        let out = Command::new(program).args(args(round)).current_dir(&variant.root).output().ok()?;
        out.status.success().then_some(())
    })
}

fn words(text: String) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

/// Brings the lockfile in line with the manifests, and nothing else.
fn update_lock(variant: &Variant) -> Option<()> {
    let update = |more: &str| {
        run("cargo", {
            let text = format!("update --workspace{more}");
            move |_| words(text.clone())
        })(variant, 0)
    };
    update(" --offline").or_else(|| update(""))
}

/// A package in the final image: an option for us, a line for everybody else.
fn runtime_package() -> Apply {
    Box::new(|variant, round| {
        let package = ["tini", "tzdata", "curl", "less"][round % 4];
        match variant.name {
            "bare" => return None,
            "ours" => {
                fs::write(variant.root.join("dockerfile.toml"), format!("packages = [\"{package}\"]\n")).ok()?;
                variant.regenerate();
            }
            _ => {
                let text = fs::read_to_string(variant.dockerfile()).ok()?;
                let at = text.rfind("FROM ")?;
                let (head, tail) = text.split_at(at);
                let (from, rest) = tail.split_once('\n')?;
                let rest: String = rest
                    .lines()
                    .filter(|line| !line.contains("# added"))
                    .fold(String::new(), |text, line| text + line + "\n");
                let install = format!("RUN apt-get update && apt-get install -y {package} # added");
                fs::write(variant.dockerfile(), format!("{head}{from}\n{install}\n{rest}")).ok()?;
            }
        }
        Some(())
    })
}

fn edit(name: &str, apply: Apply) -> Edit {
    Edit { name: name.to_owned(), apply }
}

pub(crate) fn edits(project: &Project, sources: &[String]) -> Vec<Edit> {
    let mut edits = vec![
        edit("nothing changed", Box::new(|_, _| Some(()))),
        edit("README", Box::new(|variant, round| fs::write(variant.root.join("NOTES.md"), format!("{round}\n")).ok())),
    ];
    match &Component::of(project) {
        Component::Rust(rust) => {
            for source in sources {
                edits.push(edit(&format!("comment in {source}"), append(source, |round| format!("// edit {round}\n"))));
                edits.push(edit(&format!("statement in {source}"), statement(source)));
            }
            let manifest = rust.binary.dir.join("Cargo.toml").unwrap();
            let (package, at) = (rust.binary.package.clone(), manifest.to_string());
            edits.push(edit(
                "version bump",
                Box::new(move |variant, round| {
                    let lock = fs::read_to_string(variant.root.join("Cargo.lock")).ok()?;
                    let entry = format!("name = \"{package}\"\nversion = \"");
                    let start = lock.find(&entry)? + entry.len();
                    let old = lock[start..].split('"').next()?.to_owned();
                    let new = format!("77.0.{round}");
                    // In its own manifest, or in the workspace's.
                    let from = format!("version = \"{old}\"");
                    let path = [at.as_str(), "Cargo.toml"].into_iter().find(|path| {
                        fs::read_to_string(variant.root.join(path)).is_ok_and(|text| text.contains(&from))
                    })?;
                    change(variant, path, |text| Some(text.replacen(&from, &format!("version = \"{new}\""), 1)))?;
                    update_lock(variant)
                }),
            ));
            let manifest = manifest.to_string();
            edits.push(edit("description", insert(&manifest, "[package]", |round| format!("# a comment {round}"))));
            edits.push(edit("metadata", append(&manifest, |round| format!("\n[package.metadata.m{round}]\nx = 1\n"))));
            edits.push(edit(
                "dev profile",
                append("Cargo.toml", |round| {
                    if round % 100 == 0 {
                        "\n[profile.dev.build-override]\nopt-level = 1\n".into()
                    } else {
                        format!("# {round}\n")
                    }
                }),
            ));
            let dir = rust.binary.dir.clone();
            edits.push(edit(
                "new test",
                Box::new(move |variant, round| {
                    let tests = variant.root.join(dir.as_str()).join("tests");
                    fs::create_dir_all(&tests).ok()?;
                    fs::write(tests.join(format!("new{round}.rs")), "#[test]\nfn works() {}\n").ok()
                }),
            ));
            let package = rust.binary.package.clone();
            let crates = ["slug@0.1.5", "hex@0.4.3", "fnv@1.0.7", "base32@0.5.1"];
            edits.push(edit(
                "dependency added",
                run("cargo", move |round| words(format!("add --package {package} {}", crates[round % crates.len()]))),
            ));
            // cargo add leaves the lockfile to the next command.
            let add = edits.pop().unwrap().apply;
            edits.push(edit(
                "dependency added",
                Box::new(move |variant, round| {
                    add(variant, round)?;
                    update_lock(variant)
                }),
            ));
        }
        Component::Node {} => {
            for source in sources {
                edits.push(edit(&format!("comment in {source}"), append(source, |round| format!("// edit {round}\n"))));
            }
            edits.push(edit(
                "version bump",
                run("npm", |round| {
                    words(format!("version --no-git-tag-version --allow-same-version --ignore-scripts 77.0.{round}"))
                }),
            ));
            let set = |key: &'static str| run("npm", move |round| words(format!("pkg set {key}=v{round}")));
            edits.push(edit("description", set("description")));
            edits.push(edit("script", set("scripts.more")));
            edits.push(edit(
                "dependency added",
                Box::new(move |variant, round| {
                    let package = ["slugify@1.6.6", "ms@2.1.3", "kleur@4.1.5", "dlv@1.1.3"][round % 4];
                    let pnpm = variant.root.join("pnpm-lock.yaml").exists();
                    if pnpm {
                        run("npx", move |_| words(format!("--yes pnpm@10 add --lockfile-only {package}")))(
                            variant, round,
                        )
                    } else {
                        run("npm", move |_| {
                            words(format!(
                                "install --package-lock-only --omit-lockfile-registry-resolved=true {package}"
                            ))
                        })(variant, round)
                    }
                }),
            ));
        }
        Component::Python(python) => edits.extend(python::edits(python, sources)),
        Component::Go(go) => edits.extend(go::edits(go, sources)),
    }
    edits.push(edit("runtime system package", runtime_package()));
    edits
}
