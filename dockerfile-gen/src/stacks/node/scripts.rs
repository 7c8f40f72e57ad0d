//! What runs after the sources are there.
//!
//! Input: the scripts of package.json files. Output: [`Scripts`]. The one idea: an install in a layer of its own sees no
//! sources, so the project's own install hooks run later, and those that only serve a developer's checkout not at all.

use std::collections::{BTreeMap, BTreeSet};

use super::framework::Framework;
use super::manager::{Manager, ManagerKind};
use super::manifest::Manifest;
use super::native::Prisma;
use super::needs::Program;
use super::source;
use crate::facts::Notes;
use crate::secrets::tokens::is_suspicious_name;
use crate::tree::Tree;
use crate::tree::within;

/// What runs after the sources are there.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub(crate) struct Scripts {
    /// The project's own install hooks that do something for the image.
    pub hooks: Vec<Vec<String>>,
    /// The build, command by command.
    pub build: Vec<Vec<String>>,
    /// Whether a hook or the build generates Prisma's client.
    pub generates_prisma: bool,
    /// Whether `patch-package` changes dependencies after an install.
    pub patches: bool,
    /// Whether `patch-package` is there in production.
    pub patches_in_production: bool,
    /// Environment of the build that only a build needs.
    pub env: BTreeMap<String, String>,
    /// Variables that are built into what a browser gets.
    pub public: BTreeSet<String>,
    /// Whether the build runs tests or linters, which then read their files.
    pub checks: bool,
    /// Folders, relative to the project, that make the next build quicker.
    pub caches: Vec<String>,
}

/// Commands of install hooks that serve a developer's checkout.
const IDLE: [&str; 16] = [
    "husky",
    "is-ci",
    "lefthook",
    "simple-git-hooks",
    "only-allow",
    "ngcc",
    "opencollective",
    "opencollective-postinstall",
    "patch-package",
    "echo",
    "exit",
    "true",
    "git",
    "playwright",
    "pinst",
    "lint-staged",
];

/// Scripts that build, the one that is made for images first.
const BUILDS: [&str; 8] = [
    "build-docker",
    "build:docker",
    "build",
    "build:prod",
    "build:production",
    "build-prod",
    "compile",
    "heroku-postbuild",
];

/// Reads the scripts.
pub(crate) fn detect(
    tree: &dyn Tree,
    root: &Manifest,
    packages: &[&Manifest],
    package: &Manifest,
    manager: &Manager,
    program: &Program,
    notes: &mut Notes,
) -> Scripts {
    let mut scripts = Scripts::default();
    let own_root = (root.dir != package.dir).then_some(root);
    for owner in own_root.into_iter().chain(packages.iter().copied()) {
        hooks(&mut scripts, owner, root, manager, notes);
    }
    let inside = |dir: &str| dir.strip_prefix(root.dir.as_str()).unwrap_or(dir).trim_start_matches('/').to_owned();
    if let Some(project) = &program.nx {
        let mut command = manager.program("nx", "");
        command.extend(["build".to_owned(), project.name.clone()]);
        scripts.build.push(command);
    } else if tree.has(&within(&root.dir, "turbo.json")) && own_root.is_some() && root.any_dependency("turbo").is_some()
    {
        let mut command = manager.program("turbo", "");
        command.extend(["run".to_owned(), "build".to_owned(), format!("--filter={}", package.name())]);
        notes.found(within(&root.dir, "turbo.json"), None, "Turborepo builds the package and what it needs");
        scripts.build.push(command);
    } else {
        for owner in packages {
            if let Some(name) = build_script(owner) {
                notes.found(&owner.path, owner.line_at("scripts", name), format!("`{name}` builds it"));
                scripts.generates_prisma |= reaches(owner, name, "prisma generate", 0);
                scripts.checks |= ["lint", "prettier", "biome", "jest", "vitest", "mocha", " test"]
                    .iter()
                    .any(|tool| reaches(owner, name, tool, 0));
                scripts.build.push(manager.script(name, &inside(&owner.dir), owner.name()));
            } else if owner.dir == package.dir {
                scripts.build.extend(fallback(tree, package, manager, program, &inside(&owner.dir)));
            }
        }
    }
    scripts.env = build_environment(package, notes);
    scripts.caches = caches(package, root, program, &scripts);
    scripts
}

fn hooks(scripts: &mut Scripts, owner: &Manifest, root: &Manifest, manager: &Manager, notes: &mut Notes) {
    let inside = owner.dir.strip_prefix(root.dir.as_str()).unwrap_or(&owner.dir).trim_start_matches('/');
    for name in ["preinstall", "install", "postinstall", "prepare"] {
        let Some(script) = owner.script(name) else { continue };
        if script.contains("patch-package") {
            scripts.patches = true;
            scripts.patches_in_production |= owner.dependency("patch-package").is_some();
        }
        // Yarn 2 and later never run `prepare` on an install.
        let skipped = name == "prepare" && manager.kind == ManagerKind::YarnBerry;
        if skipped || is_idle(owner, script, 0) {
            continue;
        }
        let line = owner.line_at("scripts", name);
        notes.found(&owner.path, line, format!("`{name}` runs after the sources are there"));
        scripts.generates_prisma |= reaches(owner, name, "prisma generate", 0);
        scripts.hooks.push(manager.script(name, inside, owner.name()));
    }
}

/// Whether a hook does nothing for the image.
fn is_idle(owner: &Manifest, script: &str, depth: usize) -> bool {
    let builds = |name: &str| BUILDS.contains(&name);
    script.split(['&', '|', ';']).map(str::trim).filter(|command| !command.is_empty()).all(|command| {
        let mut words = command.split_whitespace().filter(|word| {
            !matches!(
                *word,
                "npx" | "pnpm" | "yarn" | "npm" | "bun" | "bunx" | "exec" | "dlx" | "run" | "-y" | "--yes" | "-s"
            )
        });
        let first = words.next().unwrap_or_default();
        let named = first.rsplit('/').next().unwrap_or_default().split('@').next().unwrap_or_default();
        let by_script = depth < 4 && owner.script(first).is_some_and(|inner| is_idle(owner, inner, depth + 1));
        IDLE.contains(&named)
            || builds(first)
            || by_script
            || first == "node" && ["husky", ".husky"].iter().any(|word| command.contains(word))
            || command.contains("husky")
            || command.contains("install-app-deps")
    })
}

/// The script that builds a package.
fn build_script(package: &Manifest) -> Option<&'static str> {
    BUILDS.into_iter().find(|name| package.script(name).is_some_and(|script| !is_no_build(script)))
}

/// A script called `build` that builds no program.
fn is_no_build(script: &str) -> bool {
    let other =
        ["docker ", "docker-compose ", "podman ", "electron-builder", "electron-forge", "pkg ", "expo ", "eas "];
    let first = script.split_whitespace().next().unwrap_or_default();
    matches!(first, "echo" | "exit" | "true") || other.iter().any(|word| script.contains(word))
}

/// Whether a script, or one that it runs, says `needle`.
fn reaches(package: &Manifest, name: &str, needle: &str, depth: usize) -> bool {
    let hooks = [format!("pre{name}"), name.to_owned(), format!("post{name}")];
    depth < 6
        && hooks.iter().filter_map(|name| package.script(name)).any(|script| {
            script.contains(needle)
                || script.split(|c: char| c.is_whitespace() || "&;|".contains(c)).any(|word| {
                    word != name && package.script(word).is_some() && reaches(package, word, needle, depth + 1)
                })
        })
}

/// The build of a package that has no script for it but plainly needs one.
fn fallback(
    tree: &dyn Tree,
    package: &Manifest,
    manager: &Manager,
    program: &Program,
    dir: &str,
) -> Option<Vec<String>> {
    let words: &[&str] = match &program.framework {
        Framework::Next { .. } => &["next", "build"],
        Framework::Nuxt => &["nuxt", "build"],
        Framework::ReactRouter => &["react-router", "build"],
        Framework::Remix => &["remix", "vite:build"],
        Framework::SvelteKit { .. } => &["vite", "build"],
        Framework::Astro => &["astro", "build"],
        Framework::Nest if package.any_dependency("@nestjs/cli").is_some() => &["nest", "build"],
        Framework::Nest => &["tsc"],
        Framework::Server => {
            let compiled =
                program.entry.as_deref().is_some_and(|entry| !super::needs::entry_exists(tree, package, entry));
            let typescript = tree.has(&within(&package.dir, "tsconfig.json"));
            if !(compiled && typescript && package.any_dependency("typescript").is_some()) {
                return None;
            }
            &["tsc"]
        }
        Framework::Static { by, .. } => static_build(package, by)?,
        Framework::Nitro => {
            let has = |name: &str| package.any_dependency(name).is_some();
            let tools: [(&str, &[&str]); 4] = [
                ("vinxi", &["vinxi", "build"]),
                ("vite", &["vite", "build"]),
                ("nitropack", &["nitropack", "build"]),
                ("nitro", &["nitro", "build"]),
            ];
            tools.into_iter().find(|(name, _)| has(name))?.1
        }
    };
    let mut command = manager.program(words[0], dir);
    command.extend(words[1..].iter().map(|word| (*word).to_owned()));
    Some(command)
}

/// The command that makes static files, by what [`Framework::Static`] says makes them.
fn static_build(package: &Manifest, by: &str) -> Option<&'static [&'static str]> {
    let has = |name: &str| package.any_dependency(name).is_some();
    Some(match by {
        "Next.js" => &["next", "build"],
        "Nuxt" => &["nuxt", "generate"],
        "React Router" if has("@remix-run/dev") => &["remix", "vite:build"],
        "React Router" => &["react-router", "build"],
        "Astro" => &["astro", "build"],
        "Create React App" if has("@craco/craco") => &["craco", "build"],
        "Create React App" => &["react-scripts", "build"],
        "Angular" => &["ng", "build"],
        "VitePress" => &["vitepress", "build"],
        "Docusaurus" => &["docusaurus", "build"],
        "Gatsby" => &["gatsby", "build"],
        "Eleventy" => &["eleventy"],
        "Vue CLI" => &["vue-cli-service", "build"],
        "Vite" | "SvelteKit" => &["vite", "build"],
        "Rsbuild" => &["rsbuild", "build"],
        "Parcel" => &["parcel", "build"],
        "webpack" => &["webpack", "--mode=production"],
        _ => return None,
    })
}

/// Environment that old builders need.
fn build_environment(package: &Manifest, notes: &mut Notes) -> BTreeMap<String, String> {
    let old = [("webpack", 4), ("react-scripts", 4), ("@vue/cli-service", 4), ("nuxt", 2), ("next", 10), ("gatsby", 2)];
    let mut env = BTreeMap::new();
    for (name, last) in old {
        if package.major(name).is_some_and(|major| major <= last) {
            let reason = format!("{name} {last} and older hash with an algorithm that OpenSSL 3 has only as legacy");
            notes.found(&package.path, package.line(name), reason);
            env.insert("NODE_OPTIONS".into(), "--openssl-legacy-provider".into());
        }
    }
    env
}

fn caches(package: &Manifest, root: &Manifest, program: &Program, scripts: &Scripts) -> Vec<String> {
    let mut folders = Vec::new();
    let mut add = |on: bool, dir: &str, folder: &str| {
        if on {
            folders.push(within(dir, folder));
        }
    };
    let has = |name: &str| package.any_dependency(name).is_some();
    add(has("next"), &package.dir, ".next/cache");
    add(has("react-scripts") || has("@vue/cli-service"), &package.dir, "node_modules/.cache");
    add(has("@angular/cli"), &package.dir, ".angular/cache");
    add(has("astro"), &package.dir, "node_modules/.astro");
    add(has("parcel"), &package.dir, ".parcel-cache");
    add(program.nx.is_some(), &root.dir, ".nx/cache");
    let turbo = scripts.build.iter().flatten().any(|word| word.ends_with("turbo"));
    add(turbo, &root.dir, ".turbo/cache");
    folders
}

impl Scripts {
    /// Adds the variables that the build reads.
    pub(crate) fn variables(
        &mut self,
        tree: &dyn Tree,
        package: &Manifest,
        prisma: Option<&Prisma>,
        framework: &Framework,
        notes: &mut Notes,
    ) {
        for name in prisma.map(|prisma| &prisma.variables).into_iter().flatten() {
            // Generating and building need the variable, not the database behind it.
            let value = if name.contains("URL") { "postgresql://build@localhost/build" } else { "build" };
            self.env.insert(name.clone(), value.into());
        }
        if self.build.is_empty() || matches!(framework, Framework::Server | Framework::Nest) {
            return;
        }
        let bare = package.any_dependency("astro").or(package.any_dependency("@sveltejs/kit")).is_some();
        const PUBLIC: [&str; 7] =
            ["VITE_", "NEXT_PUBLIC_", "REACT_APP_", "VUE_APP_", "GATSBY_", "NUXT_PUBLIC_", "PUBLIC_"];
        let prefixes = if bare { &PUBLIC[..] } else { &PUBLIC[..6] };
        let endings = [".js", ".ts", ".jsx", ".tsx", ".vue", ".svelte", ".astro", ".mjs", ".html"];
        let files = tree.under(&package.dir).filter(|(path, _)| endings.iter().any(|end| path.as_str().ends_with(end)));
        let mut skips_checks = None;
        for (path, _) in files.take(3000) {
            let text = tree.scan(path.as_str());
            if !text.contains("env") {
                continue;
            }
            for (at, _) in text.match_indices("env.") {
                let name: String = text[at + 4..]
                    .chars()
                    .take_while(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || *c == '_')
                    .collect();
                if prefixes.iter().any(|prefix| name.starts_with(prefix) && name.len() > prefix.len()) {
                    self.public.insert(name);
                } else if name == "SKIP_ENV_VALIDATION" {
                    skips_checks = Some((path.clone(), source::line_of(&text, at)));
                }
            }
        }
        // BuildKit takes such a name for a secret, although what a browser gets is none.
        let (named, public): (BTreeSet<String>, BTreeSet<String>) =
            std::mem::take(&mut self.public).into_iter().partition(|name| is_suspicious_name(name));
        self.public = public;
        if !named.is_empty() {
            let names = named.into_iter().collect::<Vec<_>>().join(", ");
            notes.warn(format!(
                "the build puts {names} into what the browser gets; the names look like secrets, so they are not \
                 arguments of the build: set them with `build-env`"
            ));
        }
        if let Some((path, line)) = skips_checks {
            notes.found(path.as_str(), Some(line), "checks the environment of the running program, not of the build");
            self.env.insert("SKIP_ENV_VALIDATION".into(), "1".into());
        }
        for name in [".env.production", ".env"] {
            let path = within(&package.dir, name);
            if tree.has(&path) {
                notes.warn(format!(
                    "{path} may hold secrets and stays out of the build context; if the build must read it, \
                     say `keep = [\"{path}\"]`"
                ));
            }
        }
    }
}
