//! What the container runs.
//!
//! Input: scripts, `main`, a Procfile, pm2's file. Output: [`Start`]. The one idea: a start script is followed through
//! package managers, wrappers and other scripts until a program is left that can be process 1 itself, because
//! `npm start` swallows the signal that stops a container.

use std::collections::BTreeMap;

use super::manifest::Manifest;
use super::shell::{self, Simple};
use crate::tree::Tree;
use crate::tree::within;

/// What a container runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub(crate) struct Start {
    /// Environment that the script sets.
    pub env: BTreeMap<String, String>,
    /// Commands that must succeed first, such as migrations.
    pub before: Vec<Vec<String>>,
    /// The program and its arguments; empty where `shell` says it.
    pub argv: Vec<String>,
    /// A script that only a shell can run.
    pub shell: Option<String>,
}

/// What following a script found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Something to run.
    Start(Start),
    /// A development server, with the command that says so.
    Development(String),
    /// Nothing that stays up: a build, a static file server, nothing.
    Nothing,
}

/// Scripts that start the program, the most production-like first.
const SCRIPTS: [&str; 6] = ["start:prod", "start:production", "start-prod", "prod", "start", "serve"];

/// Programs that only prepare what is prepared when the image is built.
const BUILDERS: [&str; 30] = [
    "tsc",
    "tsup",
    "rimraf",
    "del-cli",
    "shx",
    "rm",
    "cp",
    "mkdir",
    "cpx",
    "copyfiles",
    "webpack",
    "rollup",
    "esbuild",
    "babel",
    "swc",
    "gulp",
    "eslint",
    "prettier",
    "husky",
    "is-ci",
    "tailwindcss",
    "postcss",
    "sass",
    "echo",
    "jest",
    "vitest",
    "ncp",
    "mkdirp",
    "tsc-alias",
    "check-node-version",
];

/// Follows the script that starts the package; the script's name comes with what was found.
pub(crate) fn find(tree: &dyn Tree, package: &Manifest, wanted: Option<&str>) -> (Option<String>, Found) {
    let follow = Follow { tree, package };
    if let Some(name) = wanted {
        let found = match package.script(name) {
            Some(script) => follow.script(script, 0),
            None => Found::Start(Start { argv: vec!["node".into(), name.to_owned()], ..Start::default() }),
        };
        return (Some(name.to_owned()), found);
    }
    if let Some(line) = procfile(tree, package)
        && let found @ Found::Start(_) = follow.script(&line, 0)
    {
        return (Some("Procfile".into()), found);
    }
    let mut development = None;
    for name in SCRIPTS {
        let Some(script) = package.script(name) else { continue };
        match follow.script(script, 0) {
            found @ Found::Start(_) => return (Some(name.to_owned()), found),
            Found::Development(said) => {
                development.get_or_insert((Some(name.to_owned()), Found::Development(said)));
            }
            Found::Nothing => {}
        }
    }
    development.unwrap_or((None, Found::Nothing))
}

fn procfile(tree: &dyn Tree, package: &Manifest) -> Option<String> {
    let text = tree.scan(&within(&package.dir, "Procfile"));
    let line = text.lines().find_map(|line| line.strip_prefix("web:"))?.trim().to_owned();
    (!line.is_empty()).then_some(line)
}

struct Follow<'a> {
    tree: &'a dyn Tree,
    package: &'a Manifest,
}

impl Follow<'_> {
    fn script(&self, script: &str, depth: usize) -> Found {
        if depth > 8 {
            return Found::Nothing;
        }
        let Some(commands) = shell::parse(script) else { return self.opaque(script) };
        let mut result = Start::default();
        let mut stays = None;
        for command in commands {
            if let Some(last) = stays.take() {
                // What is not last either ends or never lets the next begin.
                self.earlier(&mut result, last);
            }
            stays = Some(self.command(command, depth));
        }
        match stays {
            Some(Found::Start(mut last)) => {
                result.env.append(&mut last.env);
                result.before.append(&mut last.before);
                result.argv = last.argv;
                result.shell = last.shell;
                Found::Start(result)
            }
            Some(found) => found,
            None => Found::Nothing,
        }
    }

    fn earlier(&self, result: &mut Start, command: Found) {
        if let Found::Start(mut start) = command {
            result.env.append(&mut start.env);
            result.before.append(&mut start.before);
            result.before.extend(Some(start.argv).filter(|argv| !argv.is_empty()));
            result.before.extend(start.shell.map(|shell| vec!["sh".into(), "-c".into(), shell]));
        }
    }

    /// A script in the shell's full language: started by a shell unless it is plainly a development server.
    fn opaque(&self, script: &str) -> Found {
        let words: Vec<String> =
            script.split(|c: char| c.is_whitespace() || "|&;()".contains(c)).map(str::to_owned).collect();
        if let Some(last) = words.iter().rposition(|word| !word.is_empty() && !word.starts_with('-')) {
            for at in 0..=last {
                if let Some(said) = development(&words[at..]) {
                    return Found::Development(said);
                }
            }
        }
        if script.chars().any(|c| c.is_control()) {
            return Found::Nothing;
        }
        Found::Start(Start { shell: Some(script.to_owned()), ..Start::default() })
    }

    fn command(&self, mut command: Simple, depth: usize) -> Found {
        unwrap(&mut command);
        let Some(program) = command.words.first().cloned() else { return Found::Nothing };
        let mut found = match program.as_str() {
            "npm" | "pnpm" | "yarn" | "bun" | "npx" | "pnpx" | "bunx" => self.manager(&command.words, depth),
            "run-s" | "npm-run-all" | "npm-run-all2" => self.in_a_row(&command.words, depth),
            "pm2" | "pm2-runtime" => self.pm2(&command.words, depth),
            "node" if command.words.get(1).is_some_and(|word| word == "--run") => match command.words.get(2) {
                Some(name) => self.named(name, depth),
                None => Found::Nothing,
            },
            _ => self.program(command.words),
        };
        if let Found::Start(start) = &mut found {
            for (name, value) in command.env {
                start.env.entry(name).or_insert(value);
            }
        }
        found
    }

    fn named(&self, name: &str, depth: usize) -> Found {
        match self.package.script(name) {
            Some(script) => self.script(script, depth + 1),
            None => Found::Nothing,
        }
    }

    /// `npm run x`, `yarn x`, `npx x`.
    fn manager(&self, words: &[String], depth: usize) -> Found {
        let rest: Vec<&String> = words.iter().skip(1).filter(|word| !is_quiet(word)).collect();
        let Some(first) = rest.first().map(|word| word.as_str()) else { return Found::Nothing };
        let runs = matches!(first, "run" | "run-script");
        let name = if runs { rest.get(1).map_or("", |name| name.as_str()) } else { first };
        let by_exec = matches!(words[0].as_str(), "npx" | "pnpx" | "bunx") || matches!(first, "exec" | "dlx" | "x");
        if !by_exec && self.package.script(name).is_some() && (runs || words[0] != "bun" || name != "build") {
            return self.with_arguments(self.named(name, depth), words, name);
        }
        if words[0] == "bun" && (name.contains('.') || name.contains('/')) {
            let rest = words.iter().filter(|word| *word != "run");
            return self.program(rest.cloned().collect());
        }
        if runs || matches!(first, "install" | "ci" | "i" | "build" | "prune" | "rebuild") {
            return Found::Nothing;
        }
        let skip = usize::from(matches!(first, "exec" | "dlx" | "x"));
        let inner: Vec<String> = rest.into_iter().skip(skip).cloned().collect();
        self.command(Simple { env: Vec::new(), words: inner }, depth + 1)
    }

    /// `npm start -- --port 80` hands what follows `--` on.
    fn with_arguments(&self, found: Found, words: &[String], name: &str) -> Found {
        let Found::Start(mut start) = found else { return found };
        let after = words.iter().skip_while(|word| *word != name).skip(1);
        let after: Vec<String> = after.filter(|word| *word != "--").cloned().collect();
        if start.shell.is_none() && !after.iter().any(|word| is_quiet(word)) {
            start.argv.extend(after);
        }
        Found::Start(start)
    }

    fn in_a_row(&self, words: &[String], depth: usize) -> Found {
        let parallel = words.iter().any(|word| matches!(word.as_str(), "--parallel" | "-p"));
        let names: Vec<&str> = words.iter().skip(1).map(String::as_str).filter(|word| !word.starts_with('-')).collect();
        if parallel {
            return Found::Start(Start { shell: Some(words.join(" ")), ..Start::default() });
        }
        let mut result = Start::default();
        let mut last = Found::Nothing;
        for name in names {
            let previous = std::mem::replace(&mut last, self.named(name, depth));
            self.earlier(&mut result, previous);
        }
        if let Found::Start(start) = &mut last {
            let mut before = result.before;
            before.append(&mut start.before);
            start.before = before;
        }
        last
    }

    /// pm2 restarts what ends; in a container the engine does, so its program is started itself.
    fn pm2(&self, words: &[String], depth: usize) -> Found {
        let file = words.iter().skip(1).find(|word| !word.starts_with('-') && *word != "start");
        let Some(file) = file else { return Found::Nothing };
        let text = self.tree.scan(&within(&self.package.dir, file));
        let is_config = file.ends_with(".json") || file.contains(".config.");
        if !is_config {
            return self.program(vec!["node".into(), file.clone()]);
        }
        let mut start = Start::default();
        let mut script = None;
        if let Ok(json) = serde_json::from_str::<serde_json::Value>(&text) {
            let app = json.get("apps").and_then(|apps| apps.get(0)).unwrap_or(&json);
            script = app.get("script").and_then(|script| script.as_str()).map(str::to_owned);
            let env = app.get("env_production").or_else(|| app.get("env")).and_then(|env| env.as_object());
            for (name, value) in env.into_iter().flatten() {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                start.env.insert(name.clone(), value);
            }
        } else if let Some(value) = super::source::setting(&text, "script") {
            script = Some(value);
        }
        match script {
            Some(script) if script == "npm" || script == "yarn" => self.named("start", depth),
            Some(script) => {
                start.argv = vec!["node".into(), script.trim_start_matches("./").to_owned()];
                Found::Start(start)
            }
            None => Found::Nothing,
        }
    }

    fn program(&self, mut words: Vec<String>) -> Found {
        if let Some(said) = development(&words) {
            return match said.as_str() {
                "nodemon" => self.nodemon(&words),
                _ => Found::Development(words.join(" ")),
            };
        }
        let program = words[0].as_str();
        if BUILDERS.contains(&program) || builds(&words) {
            return Found::Nothing;
        }
        if program == "nest" {
            words = vec!["node".into(), "dist/main".into()];
        }
        Found::Start(Start { argv: words, ..Start::default() })
    }

    fn nodemon(&self, words: &[String]) -> Found {
        let entry = words
            .iter()
            .skip(1)
            .find(|word| [".js", ".mjs", ".cjs"].iter().any(|ending| word.ends_with(ending)) && !word.contains(' '));
        match entry {
            Some(entry) if !words.iter().any(|word| word == "--exec" || word == "-x") => {
                Found::Start(Start { argv: vec!["node".into(), entry.clone()], ..Start::default() })
            }
            _ => Found::Development(words.join(" ")),
        }
    }
}

fn is_quiet(word: &str) -> bool {
    matches!(
        word,
        "--silent" | "-s" | "--" | "-y" | "--yes" | "--no-install" | "--no" | "--bun" | "-q" | "--if-present"
    )
}

/// Takes wrappers away that only set the environment.
fn unwrap(command: &mut Simple) {
    for _ in 0..6 {
        let Some(program) = command.words.first().map(String::as_str) else { return };
        let skip = match program {
            "exec" | "cross-env" | "cross-env-shell" | "env" | "dotenvx" | "doppler" | "infisical" => 1,
            "dotenv" | "env-cmd" => 1,
            _ => return,
        };
        let files = matches!(program, "dotenv" | "env-cmd" | "dotenvx" | "doppler" | "infisical");
        let mut rest = command.words.split_off(skip);
        if let Some(end) = rest.iter().position(|word| word == "--") {
            rest.drain(..=end);
        } else if files {
            while rest.first().is_some_and(|word| word.starts_with('-') || word == "run") {
                let takes_value = rest.first().is_some_and(|word| matches!(word.as_str(), "-e" | "-f" | "-v" | "-p"));
                rest.drain(..if takes_value && rest.len() > 1 { 2 } else { 1 });
            }
        }
        while let Some((name, value)) = rest.first().and_then(|word| shell::assignment(word)) {
            command.env.push((name, value));
            rest.remove(0);
        }
        command.words = rest;
    }
}

/// The program that makes a command a development server.
fn development(words: &[String]) -> Option<String> {
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let name = word(0).rsplit('/').next().unwrap_or_default();
    let any = |wanted: &[&str]| words.iter().skip(1).any(|word| wanted.contains(&word.as_str()));
    let yes = match name {
        "nodemon" | "ts-node-dev" | "tsnd" | "webpack-dev-server" | "vite-node" | "node-dev" | "live-server"
        | "browser-sync" | "supervisor" | "parcel" => !any(&["build"]),
        "next" | "nuxt" | "nuxi" | "astro" | "remix" | "gatsby" | "vinxi" | "react-router" => {
            any(&["dev", "develop"]) || name == "gatsby" && any(&["serve"])
        }
        "vite" => !any(&["build"]),
        "webpack" => any(&["serve", "--watch", "-w"]),
        "ng" | "vue-cli-service" | "nx" | "umi" | "max" => any(&["serve", "s", "dev", "start"]),
        "react-scripts" | "craco" | "react-app-rewired" => any(&["start"]),
        "tsx" | "bun" | "swc-node" => any(&["watch", "--watch", "--hot"]),
        "node" => any(&["--watch", "--inspect", "--inspect-brk"]),
        "nest" => any(&["--watch", "-w", "--debug"]),
        "wrangler" | "sst" | "netlify" | "vercel" | "firebase" | "expo" | "storybook" | "start-storybook" => true,
        "turbo" | "lerna" => any(&["dev", "start", "run"]),
        "strapi" | "medusa" => any(&["develop", "dev"]),
        _ => false,
    };
    yes.then(|| name.to_owned())
}

/// Whether a command builds or checks and then ends.
fn builds(words: &[String]) -> bool {
    let second = words.get(1).map_or("", String::as_str);
    match words[0].as_str() {
        "next" | "nuxt" | "nuxi" | "vite" | "astro" | "nest" | "ng" | "remix" | "react-router" | "react-scripts"
        | "vue-cli-service" | "gatsby" | "strapi" | "nx" | "turbo" | "parcel" | "medusa" => {
            matches!(second, "build" | "export" | "generate" | "lint" | "test" | "prepare" | "telemetry")
        }
        "prisma" => matches!(second, "generate" | "format" | "validate"),
        "serve" | "http-server" => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::MemTree;

    fn found(scripts: &str, files: &[(&str, &str)]) -> Found {
        let mut tree = MemTree::default();
        tree.insert("package.json", format!("{{\"scripts\": {scripts}}}"));
        for (path, text) in files {
            tree.insert(path, *text);
        }
        let package = Manifest::read(&tree, "").unwrap().unwrap();
        find(&tree, &package, None).1
    }

    fn argv(scripts: &str, files: &[(&str, &str)]) -> String {
        match found(scripts, files) {
            Found::Start(start) => match start.shell {
                Some(shell) => format!("sh: {shell}"),
                None => {
                    let before: Vec<String> = start.before.iter().map(|words| words.join(" ")).collect();
                    let all = before.into_iter().chain([start.argv.join(" ")]);
                    all.collect::<Vec<_>>().join(" && ")
                }
            },
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn wrappers_and_managers_are_looked_through() {
        assert_eq!(
            argv(r#"{"start": "cross-env NODE_ENV=production node ./dist/index.js"}"#, &[]),
            "node ./dist/index.js"
        );
        assert_eq!(
            argv(r#"{"start": "npm run build && npm run serve", "build": "tsc", "serve": "node a.js"}"#, &[]),
            "node a.js"
        );
        assert_eq!(argv(r#"{"start": "yarn prod", "prod": "dotenv -e .env -- node a.js"}"#, &[]), "node a.js");
        assert_eq!(argv(r#"{"start": "env-cmd -f .env node a.js"}"#, &[]), "node a.js");
        assert_eq!(argv(r#"{"start": "npx next start -p 4000"}"#, &[]), "next start -p 4000");
        assert_eq!(
            argv(r#"{"start": "npm start -- --port 80", "start:prod": "npm run x -- --a b", "x": "node x.js"}"#, &[]),
            "node x.js --a b"
        );
        assert_eq!(argv(r#"{"start": "bun run src/index.ts"}"#, &[]), "bun src/index.ts");
        assert_eq!(argv(r#"{"start": "node --run serve", "serve": "node a.js"}"#, &[]), "node a.js");
        assert_eq!(
            argv(r#"{"start": "run-s migrate serve", "migrate": "knex migrate:latest", "serve": "node a.js"}"#, &[]),
            "knex migrate:latest && node a.js"
        );
    }

    #[test]
    fn process_managers_give_way_to_their_program() {
        let json = ("ecosystem.config.json", r#"{"apps": [{"script": "./src/a.js", "env": {"PORT": 1234}}]}"#);
        assert_eq!(argv(r#"{"start": "pm2 start ecosystem.config.json --no-daemon"}"#, &[json]), "node src/a.js");
        let js = ("ecosystem.config.js", "module.exports = { apps: [{ name: 'x', script: 'dist/a.js' }] }");
        assert_eq!(argv(r#"{"start": "pm2-runtime ecosystem.config.js"}"#, &[js]), "node dist/a.js");
        assert_eq!(argv(r#"{"start": "nodemon server.js"}"#, &[]), "node server.js");
    }

    #[test]
    fn development_servers_are_told_apart() {
        for script in [
            "next dev",
            "vite",
            "react-scripts start",
            "nx serve",
            "tsx watch src/a.ts",
            "ts-node-dev a.ts",
            "node --watch a.js",
            "nodemon --exec ts-node a.ts",
            "ng serve",
        ] {
            let found = found(&format!("{{\"start\": \"{script}\"}}"), &[]);
            assert!(matches!(found, Found::Development(_)), "{script}: {found:?}");
        }
        assert_eq!(argv(r#"{"start": "nest start --watch", "start:prod": "node dist/main"}"#, &[]), "node dist/main");
    }

    #[test]
    fn a_procfile_comes_first_and_a_loop_ends() {
        assert_eq!(argv(r#"{"start": "nodemon"}"#, &[("Procfile", "web: node build/app.js\n")]), "node build/app.js");
        assert_eq!(found(r#"{"start": "npm run start"}"#, &[]), Found::Nothing);
        assert_eq!(argv(r#"{"start": "node a.js | pino"}"#, &[]), "sh: node a.js | pino");
    }
}
