//! `learn` and `--json` leave what is the user's.

use crate::world::{World, printed, said};

#[test]
fn settings_survive_learning_in_every_spelling() {
    let world = World::new("settings");
    world.node("p");
    world.history("p");
    for (text, kept) in [
        ("[rates] # learned in May\nsource = 0.5\n", &["[rates] # learned in May\n"][..]),
        ("[ rates ]\nsource = 0.5 # often\n", &["[ rates ]\n", " # often\n"]),
        ("# mine\nrates.source = 0.5\n", &["# mine\n"]),
        ("rates = {\n  source = 0.5,\n}\nport = 3000\n", &["port = 3000\n"]),
        ("\"rates\" = { source = 0.5 }\n", &["\"rates\" = {"]),
        ("'rates' = {}\nport = 3000 # mine\n", &["port = 3000 # mine\n"]),
        (
            "[rates]\nsource = 0.5\n\n# the environment\n[env]\nA = \"[rates]\"\n",
            &["# the environment\n[env]\nA = \"[rates]\"\n"],
        ),
        ("port = 3000\r\n# mine\r\n[rates]\r\nsource = 0.5\r\n", &["port = 3000\r\n# mine\r\n[rates]\r\n"]),
        ("port = 3000", &["port = 3000\n"]),
        ("", &[]),
    ] {
        world.write("p/dockerfile.toml", text);
        let out = world.tool(&["learn", "p"]).output().unwrap();
        assert!(out.status.success(), "{text:?} {}", said(&out));
        let new = world.read("p/dockerfile.toml");
        kept.iter().for_each(|kept| assert!(new.contains(kept), "{text:?} became {new:?}"));
        let values: toml::Table = toml::from_str(&new).unwrap();
        assert_eq!(values["rates"]["source"].as_float(), Some(1.0), "{new}");
        let out = world.tool(&["--print", "p"]).output().unwrap();
        assert!(out.status.success(), "{new:?} {}", said(&out));
        assert_eq!(world.read("p/dockerfile.toml.bak"), text);
        // Learning the same again changes nothing, so there is nothing to keep either.
        assert!(world.tool(&["learn", "p"]).output().unwrap().status.success());
        assert_eq!(world.names("p").iter().filter(|name| name.starts_with("dockerfile.toml")).count(), 2, "{text:?}");
        std::fs::remove_file(world.path("p/dockerfile.toml.bak")).unwrap();
    }
}

#[test]
fn settings_that_cannot_be_read_stay_as_they_are() {
    let world = World::new("unreadable");
    world.node("p");
    world.history("p");
    for text in ["rates = [\n", "rates = 3\n", "port = \n"] {
        world.write("p/dockerfile.toml", text);
        let out = world.tool(&["learn", "p"]).output().unwrap();
        assert_eq!(out.status.code(), Some(2), "{}", said(&out));
        assert_eq!(world.read("p/dockerfile.toml"), text);
    }
}

/// Needs strace, which makes every write of that file fail.
#[test]
fn a_full_disk_loses_no_settings() {
    if std::process::Command::new("strace").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "strace is missing");
        eprintln!("strace is missing, so nothing is tested");
        return;
    }
    let world = World::new("full");
    world.node("p");
    world.history("p");
    let text = "# my settings\nport = 3000\n";
    // The drafts' names are not known, so the n-th write of the process fails, to whatever file it goes.
    for failing in 1..30 {
        world.write("p/dockerfile.toml", text);
        let inject = format!("inject=write,pwrite64,writev:error=ENOSPC:when={failing}");
        let mut strace = std::process::Command::new("strace");
        strace.args(["-o", "/dev/null", "-e", "trace=write", "-e", &inject]);
        strace.arg(env!("CARGO_BIN_EXE_cargo-dockerfile")).args(["learn", "p"]).current_dir(&world.root);
        strace.output().unwrap();
        let new = world.read("p/dockerfile.toml");
        assert!(new.starts_with(text) && toml::from_str::<toml::Table>(&new).is_ok(), "write {failing}: {new:?}");
        for name in world.names("p").iter().filter(|name| name.ends_with(".bak") || name.contains(".bak.")) {
            std::fs::remove_file(world.path("p").join(name)).unwrap();
        }
    }
}

#[test]
fn json_shows_and_writes_nothing() {
    let world = World::new("json");
    world.node("p");
    let before = world.names("p");
    let out = world.tool(&["--json", "p"]).output().unwrap();
    assert!(out.status.success(), "{}", said(&out));
    let value: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(value["files"]["Dockerfile"]["status"], "stale");
    for args in [&["generate", "--json", "p"][..], &["plan", "--json", "p"], &["--check", "--json", "p"]] {
        world.tool(args).output().unwrap();
    }
    assert_eq!(world.names("p"), before);
    for args in [["--json", "--force", "p"], ["--json", "--message-format=json", "p"], ["--print", "--json", "p"]] {
        assert_eq!(world.tool(&args).output().unwrap().status.code(), Some(2), "{args:?}");
    }
    assert_eq!(world.names("p"), before);
}

#[test]
fn a_run_that_writes_reports_as_json_when_told_to() {
    let world = World::new("format");
    world.node("p");
    let status = |args: &[&str], code: i32| {
        let out = world.tool(args).output().unwrap();
        assert_eq!(out.status.code(), Some(code), "{args:?} {}", said(&out));
        let value: serde_json::Value = serde_json::from_str(&printed(&out)).unwrap();
        value["files"]["Dockerfile"]["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status(&["--check", "--message-format", "json", "p"], 1), "stale");
    assert_eq!(status(&["--message-format", "json", "p"], 0), "written");
    assert!(world.names("p").contains(&"Dockerfile".to_owned()));
    assert_eq!(status(&["--json", "p"], 0), "fresh");
}
