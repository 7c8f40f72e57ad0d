//! What is printed: a closed or full stream, and text that a terminal would obey.

use std::fs::OpenOptions;
use std::process::{Command, Stdio};

use crate::world::{World, said};

fn full() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").unwrap().into()
}

/// A pipe whose reader is gone.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

const PRINTING: &[&[&str]] = &[
    &["--print", "p"],
    &["--diff", "p"],
    &["--json", "p"],
    &["plan", "p"],
    &["plan", "--json", "p"],
    &["init", "--print"],
    &["completions", "bash"],
    &["completions", "zsh"],
    &["context", "p"],
    &["context", "--json", "p"],
    &["context", "--why", "index.js", "p"],
    &["context", "--json", "--why", "index.js", "p"],
    &["simulate", "--edit", "index.js", "-f", "q/Dockerfile", "p"],
    &["simulate", "--edit", "index.js", "--json", "-f", "q/Dockerfile", "p"],
    &["simulate", "--commits", "2", "-f", "q/Dockerfile", "p"],
    &["learn", "--print", "p"],
    &["learn", "--json", "p"],
    &["--help"],
    &["--version"],
    &["simulate", "--help"],
];

#[test]
fn a_closed_or_full_stdout_is_no_panic() {
    let world = World::new("stdout");
    world.node("p");
    world.history("p");
    world.write("q/Dockerfile", "FROM scratch\nCOPY . .\n");
    for args in PRINTING {
        let out = world.tool(args).stdout(closed()).output().unwrap();
        assert_eq!(out.status.code(), Some(0), "closed {args:?} {}", said(&out));
        assert!(!said(&out).contains("panic") && !said(&out).contains("error"), "closed {args:?} {}", said(&out));
        let out = world.tool(args).stdout(full()).output().unwrap();
        assert_eq!(out.status.code(), Some(2), "full {args:?} {}", said(&out));
        assert!(said(&out).contains("error: could not write to stdout: No space left"), "full {args:?} {}", said(&out));
        let out = world.tool(args).stdout(full()).stderr(full()).output().unwrap();
        assert_eq!(out.status.code(), Some(2), "both full {args:?}");
    }
    let out = world.tool(&["--check", "p"]).stdout(closed()).stderr(closed()).output().unwrap();
    assert_eq!(out.status.code(), Some(1), "stale stays stale");
    let out = world.tool(&["--nonsense"]).stdout(closed()).stderr(closed()).output().unwrap();
    assert_eq!(out.status.code(), Some(2));
}

#[test]
fn with_a_closed_or_full_stderr_all_is_written_and_the_exit_code_is_right() {
    for (name, stream) in [("full", full as fn() -> Stdio), ("closed", closed)] {
        let world = World::new(&format!("stderr-{name}"));
        world.node("p");
        let out = world.tool(&["--check", "p"]).stderr(stream()).output().unwrap();
        assert_eq!(out.status.code(), Some(1));
        let out = world.tool(&["p"]).stderr(stream()).output().unwrap();
        assert_eq!(out.status.code(), Some(0));
        assert_eq!(world.names("p"), [".dockerignore", "Dockerfile", "index.js", "package.json"]);
        let out = world.tool(&["init", "p"]).stdout(stream()).stderr(stream()).output().unwrap();
        assert_eq!(out.status.code(), Some(0));
        assert!(world.names("p").contains(&"dockerfile.toml".to_owned()));
        let out = world.tool(&["nowhere"]).stderr(stream()).output().unwrap();
        assert_eq!(out.status.code(), Some(2));
    }
}

#[test]
fn streams_that_are_not_there_at_all_are_no_panic() {
    let world = World::new("none");
    world.node("p");
    let tool = env!("CARGO_BIN_EXE_cargo-dockerfile");
    let status = Command::new("sh").args(["-c", &format!("'{tool}' p >&- 2>&- <&-")]).current_dir(&world.root).status();
    assert_eq!(status.unwrap().code(), Some(0));
    let out = world.tool(&["--check", "p"]).output().unwrap();
    assert_eq!(out.status.code(), Some(0), "no message went into a file");
}

/// What must not reach a terminal, in a form that every way in can carry.
const NASTY: [(&str, &str); 6] = [
    ("\u{1b}]0;TITLE\u{7}\u{1b}[2J", "\\u001b]0;TITLE\\u0007\\u001b[2J"),
    ("\u{9b}2J", "\\u009b2J"),
    ("\u{7f}\u{8}\u{8}", "\\u007f\\b\\b"),
    ("\u{202e}gnp\u{2066}", "\\u202egnp\\u2066"),
    ("a\r\nerror: forged", "a\\r\\nerror: forged"),
    ("\n::stop-commands::x", "\\n::stop-commands::x"),
];

fn is_harmless(text: &str, context: &str) {
    let bad = text.chars().find(|c| dockerfile_gen::visible::is_invisible(*c) && !matches!(c, '\n' | '\t'));
    assert_eq!(bad, None, "{context}: {text:?}");
    for line in text.lines() {
        assert!(!line.starts_with("error: forged") && !line.trim_start().starts_with("::"), "{context}: {text:?}");
    }
}

#[test]
fn nothing_of_a_project_is_obeyed_by_a_terminal() {
    let world = World::new("obeyed");
    for (index, (raw, escaped)) in NASTY.iter().enumerate() {
        let dir = format!("p{index}");
        let file = raw.replace('/', "_");
        for manifest in [
            format!(
                r#"{{"name":"a{escaped}","dependencies":{{"express":"4"}},"scripts":{{"start":"node index.js"}},"engines":{{"node":"20{escaped}"}}}}"#
            ),
            format!(
                r#"{{"name":"a","dependencies":{{"express":"4"}},"scripts":{{"start":"node {escaped}.js"}},"packageManager":"npm@{escaped}"}}"#
            ),
            format!("{{\"name\": {raw}"),
        ] {
            world.node(&dir);
            world.write(&format!("{dir}/package.json"), &manifest);
            world.write(&format!("{dir}/{file}.js"), "app.listen(3000)");
            world.write(&format!("{dir}/{file}.pem"), "x");
            world.write(
                &format!("{dir}/Dockerfile"),
                &format!(
                    "FROM scratch\nCOPY [\"{escaped}.js\", \"/\"]\nCOPY . .\nRUN echo {}\n",
                    raw.replace('\n', " ")
                ),
            );
            for args in [
                &["--force"][..],
                &["plan"],
                &["--check"],
                &["--diff"],
                &["--json"],
                &["context"],
                &["context", "--why", &file],
                &["simulate", "--edit", "index.js"],
                &["simulate", "--edit", &format!("{file}.js")],
                &["--bin", raw],
                &["--templates", raw],
            ] {
                let out = world.tool(args).arg(&dir).output().unwrap();
                is_harmless(&said(&out), &format!("{args:?} {manifest:?}"));
                // On a terminal the files are shown, too; elsewhere they are data.
                is_harmless(&String::from_utf8_lossy(&out.stdout), &format!("{args:?} {manifest:?}"));
            }
        }
    }
}

#[test]
fn what_cargo_says_of_a_manifest_is_spelled_too() {
    let world = World::new("cargo-says");
    world.rust("p");
    for (raw, escaped) in NASTY {
        for text in [format!("[package]\nname = \"{escaped}\"\n"), format!("x = {raw}\n[package]\n")] {
            world.write("p/Cargo.toml", &text);
            let out = world.tool(&["p"]).output().unwrap();
            assert_eq!(out.status.code(), Some(2), "{text:?}");
            is_harmless(&said(&out), &text);
        }
    }
}

/// `script` runs a command on a terminal of its own.
fn on_terminal(world: &World, args: &str) -> Option<String> {
    let command = format!("'{}' {args}", env!("CARGO_BIN_EXE_cargo-dockerfile"));
    let mut script = Command::new("script");
    let out =
        script.args(["-qec", &command, "/dev/null"]).current_dir(&world.root).stdin(Stdio::null()).output().ok()?;
    Some(String::from_utf8_lossy(&out.stdout).into_owned())
}

#[test]
fn data_is_spelled_on_a_terminal_and_byte_for_byte_elsewhere() {
    let world = World::new("data");
    world.write("p/requirements.txt", "streamlit\n");
    world.write("p/ho\u{7f}m\u{202e}e.py", "import streamlit as st\nst.title(\"x\")\n");
    assert!(world.tool(&["p"]).output().unwrap().status.success());
    let out = world.tool(&["--print", "p"]).output().unwrap();
    let separator = b"\n# ---- .dockerignore ----\n";
    let expected =
        [world.read("p/Dockerfile").as_bytes(), separator, world.read("p/.dockerignore").as_bytes()].concat();
    assert!(out.stdout == expected, "{}", String::from_utf8_lossy(&out.stdout));
    assert!(world.read("p/Dockerfile").contains("ho\u{7f}m\u{202e}e.py"));

    let out = world.tool(&["--json", "p"]).output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    is_harmless(&text, "json");
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(value["reads"].as_array().unwrap().iter().any(|path| path == "ho\u{7f}m\u{202e}e.py"), "{text}");

    let Some(shown) = on_terminal(&world, "--print p") else {
        assert!(std::env::var_os("CI").is_none(), "script is missing");
        return;
    };
    assert!(shown.contains("CMD [") && !shown.contains('\u{7f}') && !shown.contains('\u{202e}'), "{shown:?}");
    let shown = on_terminal(&world, "plan p").unwrap();
    assert!(shown.contains("\u{1b}[1m") && shown.contains("\\u{7f}"), "colours stay: {shown:?}");
}
