//! Nothing that a project says adds an instruction to what is emitted.

use dockerfile_gen::dockerfile::{Dockerfile, Keyword};
use dockerfile_gen::{ConfigLayer, Error, Generated, MemTree, generate_tree};
use proptest::prelude::*;

pub(crate) const NASTY: &[&str] = &[
    "\nRUN touch /evil\n",
    "\r\nUSER root\r\n",
    "$(touch /evil)",
    "`touch /evil`",
    "'; touch /evil; '",
    "\" && touch /evil && \"",
    "\\",
    "\\\n",
    "<<EOF",
    "\nEOF\nRUN touch /evil",
    "--from=evil",
    "#",
    " ",
    "$HOME",
    "${HOME:-x}",
    "{{x}}",
    "{{{x}}}",
    "*",
    "../../etc",
    "\u{202e}",
    "\u{0}",
    "a b",
    "|| touch /evil",
    "> /evil",
    "\t",
    "[\"a\"]",
    "!",
    "%s",
    "-rf",
    "ü",
    "name@1.0;x",
];

pub(crate) fn nasty() -> impl Strategy<Value = String> {
    prop::collection::vec(prop_oneof![prop::sample::select(NASTY).prop_map(str::to_owned), "[a-z]{1,6}"], 1..4)
        .prop_map(|parts| parts.concat())
}

/// The parsed text has exactly the planned instructions, in the planned order.
pub(crate) fn as_planned(generated: &Generated) {
    let text = generated.files.0.iter().find(|(path, _)| path.as_str() == "Dockerfile").unwrap().1;
    let parsed: Dockerfile = text.parse().unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    let mut planned: Vec<Keyword> = Vec::new();
    for stage in &generated.plan.stages {
        planned.push(Keyword::From);
        for step in &stage.steps {
            // `SHELL` and `ENV PATH` are spelled by templates too.
            planned.push(Keyword::ALL.into_iter().find(|keyword| keyword.as_str() == step.op.instruction()).unwrap());
        }
    }
    let found: Vec<Keyword> = parsed.instructions.iter().map(|instruction| instruction.keyword).collect();
    let same = found.len() == planned.len()
        && found.iter().zip(&planned).all(|(found, planned)| {
            found == planned
                || matches!((planned, found), (Keyword::Copy | Keyword::Run, Keyword::Shell | Keyword::Env))
        });
    assert!(same, "planned {planned:?}\nfound   {found:?}\n{text}");
    for line in text.lines() {
        assert!(!line.trim_start().starts_with("RUN touch /evil"), "{text}");
    }
}

fn check(files: Vec<(String, String)>) {
    let mut tree = MemTree::default();
    for (path, text) in files {
        tree.insert(&path, text);
    }
    // A refusal is an answer, but for one that admits a bug of ours; what is emitted must be as planned.
    match generate_tree(&tree, ConfigLayer::default()) {
        Ok(generated) => as_planned(&generated),
        Err(error @ Error::Readback { .. }) => panic!("{error}"),
        Err(_) => {}
    }
}

pub(crate) fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn node(name in nasty(), script in nasty(), main in nasty(), version in nasty(), dependency in nasty(), file in nasty()) {
        let manifest = format!(
            r#"{{"name": {}, "main": {}, "description": {}, "engines": {{"node": {}}}, "packageManager": {},
               "scripts": {{"start": {}, "build": {}, "postinstall": {}}}, "dependencies": {{"express": {}, {}: "1"}}}}"#,
            json(&name), json(&main), json(&name), json(&version), json(&format!("npm@{version}")), json(&script), json(&script),
            json(&script), json(&version), json(&dependency),
        );
        check(vec![
            ("package.json".into(), manifest),
            ("package-lock.json".into(), r#"{"lockfileVersion": 3, "packages": {}}"#.into()),
            (format!("src/{file}.js"), "require('express')().listen(3000)".into()),
            ("index.js".into(), "require('express')().listen(3000)".into()),
            (".nvmrc".into(), version),
        ]);
    }

    #[test]
    fn python(name in nasty(), version in nasty(), requirement in nasty(), script in nasty(), dir in nasty()) {
        let project = format!(
            "[project]\nname = {}\nversion = {}\ndescription = {}\nreadme = {}\nrequires-python = {}\ndependencies = [\"fastapi\", \"uvicorn\", {}]\n[project.scripts]\n{} = {}\n",
            json(&name), json(&version), json(&name), json(&script), json(&version), json(&requirement), json(&name), json(&script),
        );
        check(vec![
            ("pyproject.toml".into(), project),
            (format!("{dir}/main.py"), "from fastapi import FastAPI\napp = FastAPI()\n".into()),
            ("main.py".into(), "from fastapi import FastAPI\napp = FastAPI()\n".into()),
        ]);
        check(vec![
            ("requirements.txt".into(), format!("flask\ngunicorn\n{requirement}\n-r {name}.txt\n")),
            (format!("{name}.txt"), "x\n".into()),
            ("Procfile".into(), format!("web: gunicorn app:app {script}\n")),
            ("app.py".into(), "from flask import Flask\napp = Flask(__name__)\n".into()),
        ]);
    }

    #[test]
    fn go(module in nasty(), dir in nasty(), version in nasty(), embed in nasty()) {
        check(vec![
            ("go.mod".into(), format!("module example.com/{module}\n\ngo {version}\n")),
            (format!("cmd/{dir}/main.go"), format!("package main\n\n//go:embed {embed}\nvar files embed.FS\n\nfunc main() {{ http.ListenAndServe(\":8080\", nil) }}\n")),
            (format!("{embed}/index.html"), String::new()),
        ]);
    }
}

#[test]
fn settings_that_could_add_an_instruction_are_refused_or_quoted() {
    for value in NASTY {
        let quoted = serde_json::Value::from(*value).to_string();
        for line in [
            format!("base = {quoted}"),
            format!("user = {quoted}"),
            format!("packages = [{quoted}]"),
            format!("bin = {quoted}"),
            format!("health = {quoted}"),
            format!("command = [{quoted}]"),
            format!("env = {{ A = {quoted} }}"),
            format!("labels = {{ a = {quoted} }}"),
            format!("ignore = [{quoted}]"),
        ] {
            // Not every text is a TOML string; those that are not are refused by the parser.
            let line = line.replace("\\u0000", "\\u0001");
            let tree = MemTree::from([
                ("go.mod", "module example.com/a\n\ngo 1.24\n"),
                ("main.go", "package main\n\nfunc main() {}\n"),
                ("dockerfile.toml", line.as_str()),
            ]);
            if let Ok(generated) = generate_tree(&tree, ConfigLayer::default()) {
                as_planned(&generated);
            }
        }
    }
}
