//! No stranger's program runs.

use std::path::Path;
use std::process::Command;

use crate::world::{World, path_with, printed, said};

/// A folder that rustup would take for a toolchain.
fn toolchain(world: &World, dir: &str) {
    world.trap(&format!("{dir}/bin/cargo"));
    world.trap(&format!("{dir}/bin/rustc"));
    world.write(&format!("{dir}/lib/x"), "");
}

fn toolchain_file(world: &World, path: &str, dir: &str) {
    world.write(path, &format!("[toolchain]\npath = \"{}\"\n", world.path(dir).display()));
}

#[test]
fn a_toolchain_file_beside_the_temporary_folder_or_above_the_project_chooses_nothing() {
    let world = World::new("temporary");
    toolchain(&world, "tc");
    toolchain_file(&world, "tmp/rust-toolchain.toml", "tc");
    toolchain_file(&world, "rust-toolchain.toml", "tc");
    world.rust("p");
    let out = world.tool(&["--print", "p"]).env("TMPDIR", world.path("tmp")).output().unwrap();
    assert!(out.status.success() && printed(&out).contains("cargo build"), "{}", said(&out));
    world.nothing_ran();
}

#[test]
fn a_manifest_that_cargo_refuses_is_an_error_and_not_tried_again_inside() {
    let world = World::new("refused");
    toolchain(&world, "p/tc");
    toolchain_file(&world, "p/rust-toolchain.toml", "p/tc");
    world.rust("p");
    for text in ["cargo-features = [\"no-such-feature\"]\n", "[package\n", "x = \"\\u001b[2J\"\n[package]\nname = 1\n"]
    {
        world.write("p/Cargo.toml", &format!("{text}{}", "[package]\nname = \"a\"\nversion = \"0.1.0\"\n"));
        for dir in [".", "p"] {
            let path = if dir == "." { "p" } else { "." };
            let out = world.tool(&["--print", path]).current_dir(world.path(dir)).output().unwrap();
            assert_eq!(out.status.code(), Some(2), "{}", said(&out));
            assert!(said(&out).starts_with("error: "), "{}", said(&out));
            assert!(!said(&out).contains('\u{1b}'), "{}", said(&out));
        }
    }
    world.nothing_ran();
}

#[test]
fn what_needs_another_toolchain_says_how_to_name_it() {
    let world = World::new("nightly");
    world.rust("p");
    let text = format!("cargo-features = [\"no-such-feature\"]\n{}", world.read("p/Cargo.toml"));
    world.write("p/Cargo.toml", &text);
    let out = world.tool(&["p"]).output().unwrap();
    assert!(
        said(&out).contains("no-such-feature") && said(&out).contains("cargo +nightly dockerfile"),
        "{}",
        said(&out)
    );
}

#[test]
fn settings_and_variables_that_name_programs_are_not_followed() {
    let world = World::new("variables");
    world.rust("p");
    world.trap("p/evil");
    let evil = world.path("p/evil");
    let quoted = format!("{evil:?}");
    let config = format!(
        "[build]\nrustc = {quoted}\nrustc-wrapper = {quoted}\n[alias]\nmetadata = \"run\"\n\
         [registry]\nglobal-credential-providers = [{quoted}]\n[target.'cfg(all())']\nrunner = {quoted}\nlinker = {quoted}\n"
    );
    world.write("p/.cargo/config.toml", &config);
    world.write(".cargo/config.toml", &config);
    let mut tool = world.tool(&["--print", "."]);
    for name in ["RUSTC", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "CARGO_BUILD_RUSTC", "CARGO_BUILD_RUSTC_WRAPPER"]
    {
        tool.env(name, &evil);
    }
    let out = tool.current_dir(world.path("p")).output().unwrap();
    assert!(out.status.success(), "{}", said(&out));
    world.nothing_ran();
}

#[test]
fn the_registries_of_the_project_are_known_and_nothing_else_of_its_settings() {
    let world = World::new("registry");
    world.rust("p");
    world.trap("p/evil");
    let evil = format!("{:?}", world.path("p/evil"));
    world.write(
        "p/.cargo/config.toml",
        &format!(
            "[build]\nrustc = {evil}\n[registries.my-own]\nindex = \"sparse+https://registry.example/index/\"\n\
             credential-provider = [{evil}]\ntoken = \"x\"\n"
        ),
    );
    let manifest = world.read("p/Cargo.toml") + "[dependencies]\nx = { version = \"1\", registry = \"my-own\" }\n";
    world.write("p/Cargo.toml", &manifest);
    let out = world.tool(&["--print", "p"]).output().unwrap();
    assert!(out.status.success(), "{}", said(&out));
    world.nothing_ran();
}

#[test]
fn no_program_is_found_inside_of_the_project() {
    let world = World::new("path");
    world.rust("p");
    world.history_of_rust("p");
    for name in ["cargo", "git", "rustc", "bin/cargo", "bin/git", "node_modules/.bin/cargo", "sub/cargo"] {
        world.trap(&format!("p/{name}"));
    }
    std::os::unix::fs::symlink(world.path("p/bin"), world.path("linked")).unwrap();
    let (project, linked) = (world.path("p"), world.path("linked"));
    let front: [&Path; 6] =
        [Path::new(""), Path::new("."), Path::new("bin"), &project, &linked, Path::new("node_modules/.bin")];
    for args in [&["--print", "."][..], &["learn", "--print", "."], &["simulate", "--commits", "3", "."]] {
        for cargo in ["cargo", "./cargo", "bin/cargo"] {
            let mut tool = world.tool(args);
            tool.env("PATH", path_with(&front)).env("CARGO", cargo).current_dir(&project);
            let out = tool.output().unwrap();
            assert!(out.status.success(), "{args:?} {}", said(&out));
        }
    }
    for variable in ["CARGO", "RUSTUP_TOOLCHAIN"] {
        let value = if variable == "CARGO" { project.join("cargo") } else { project.clone() };
        let out = world.tool(&["--print", "p"]).env(variable, value).output().unwrap();
        assert!(out.status.success(), "{variable} {}", said(&out));
    }
    world.nothing_ran();
}

/// Puts something in the place of each manifest that cargo would open; it is refused at once, and no line of it is shown.
#[test]
fn cargo_is_not_led_to_a_manifest_that_is_a_pipe_or_outside() {
    let package = "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    for (manifest, place) in [
        ("[workspace]\nmembers = [\"m\"]\n".to_owned(), "m"),
        ("[workspace]\nmembers = [\"*/x\"]\n".into(), "m/x"),
        ("[workspace]\nmembers = [\"**\"]\n".into(), "a/b/c"),
        ("[workspace]\nmembers = [\"node_modules/*\"]\n".into(), "node_modules/x"),
        ("[workspace]\nmembers = []\ndefault-members = [\"target/x\"]\n".into(), "target/x"),
        ("[workspace]\nmembers = [\"a/b/c\"]\n".into(), "a"),
        (format!("{package}[dependencies]\nx = {{ path = \"m\" }}\n"), "m"),
        (format!("{package}[workspace]\n[target.'cfg(unix)'.build-dependencies]\nx = {{ path = \"m\" }}\n"), "m"),
        (format!("{package}[patch.crates-io]\nx = {{ path = \"./m/../m\" }}\n"), "m"),
        (format!("{package}workspace = \"w\"\n"), "w"),
    ] {
        for what in ["pipe", "link", "folder", "zero"] {
            let world = World::new("opened");
            world.write("outside/Cargo.toml", "TOP SECRET\n");
            world.write("p/src/main.rs", "fn main() {}\n");
            world.write("p/a/b/c/Cargo.toml", package);
            world.write("p/Cargo.toml", &manifest);
            world.write(&format!("p/{place}/src/main.rs"), "fn main() {}\n");
            let path = world.path(&format!("p/{place}/Cargo.toml"));
            let _ = std::fs::remove_file(&path);
            match what {
                "pipe" => assert!(Command::new("mkfifo").arg(&path).status().unwrap().success()),
                "link" => std::os::unix::fs::symlink(world.path("outside/Cargo.toml"), &path).unwrap(),
                "zero" => std::os::unix::fs::symlink("/dev/zero", &path).unwrap(),
                _ => {
                    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
                    std::os::unix::fs::symlink(world.path("outside"), path.parent().unwrap()).unwrap();
                }
            }
            let start = std::time::Instant::now();
            let out = world.tool(&["--print", "p"]).output().unwrap();
            let says = format!("{manifest} {place} {what}: {}", said(&out));
            assert_eq!(out.status.code(), Some(2), "{says}");
            assert!(!says.contains("SECRET") && start.elapsed().as_secs() < 10, "{says}");
            assert!(said(&out).contains("Cargo.toml` is"), "{says}");
        }
    }
}

#[test]
fn cargo_reads_no_member_outside_and_quotes_no_manifest_above() {
    let world = World::new("outside");
    world.write("outside/Cargo.toml", "TOP SECRET\n");
    world.rust("p");
    let package = world.read("p/Cargo.toml");
    let absolute = world.path("outside").display().to_string();
    for member in ["../outside", "../*", "../out[s]ide", "./x/../../outside", &absolute] {
        world.write("p/Cargo.toml", &format!("{package}[workspace]\nmembers = [\"{member}\"]\n"));
        let out = world.tool(&["--print", "p"]).output().unwrap();
        assert_eq!(out.status.code(), Some(2), "{member} {}", said(&out));
        assert!(said(&out).contains("outside of the project") && !said(&out).contains("SECRET"), "{}", said(&out));
    }
    world.write("p/Cargo.toml", &package.replace("edition", "workspace = \"../outside\"\nedition"));
    assert!(!said(&world.tool(&["--print", "p"]).output().unwrap()).contains("SECRET"));
    // The folder above belongs to the same stranger.
    world.write("p/Cargo.toml", &package);
    std::os::unix::fs::symlink(world.path("outside/Cargo.toml"), world.path("Cargo.toml")).unwrap();
    let out = world.tool(&["--print", "p"]).output().unwrap();
    assert!(out.status.code() == Some(2) && !said(&out).contains("SECRET"), "{}", said(&out));
    std::fs::remove_file(world.path("Cargo.toml")).unwrap();
    assert!(Command::new("mkfifo").arg(world.path("Cargo.toml")).status().unwrap().success());
    let start = std::time::Instant::now();
    assert_eq!(world.tool(&["--print", "p"]).output().unwrap().status.code(), Some(2));
    assert!(start.elapsed().as_secs() < 10);
}

#[test]
fn what_members_may_name_is_still_found() {
    let world = World::new("members");
    world.write(
        "p/Cargo.toml",
        "[workspace]\nmembers = [\"crates/*\", \"one\", \"deep/*\"]\nexclude = [\"crates/bad\"]\nresolver = \"2\"\n",
    );
    for dir in ["crates/a", "one", "deep/er"] {
        let name = dir.replace('/', "-");
        world.write(&format!("p/{dir}/Cargo.toml"), &format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\n"));
        world.write(&format!("p/{dir}/src/lib.rs"), "");
    }
    world.write("p/one/src/main.rs", "fn main() {}\n");
    // Nobody asks for these.
    world.write("p/crates/README.md", "");
    std::fs::create_dir_all(world.path("p/crates/bad")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", world.path("p/crates/bad/Cargo.toml")).unwrap();
    std::os::unix::fs::symlink("/usr", world.path("p/crates/usr")).unwrap();
    let out = world.tool(&["--print", "p"]).output().unwrap();
    assert!(out.status.success() || said(&out).contains("`cargo metadata` failed"), "{}", said(&out));
    std::fs::remove_file(world.path("p/crates/usr")).unwrap();
    std::fs::remove_file(world.path("p/crates/README.md")).unwrap();
    let out = world.tool(&["--print", "p"]).output().unwrap();
    assert!(out.status.success(), "{}", said(&out));
}

/// Every key of git's configuration that names a program, and attributes that ask for one.
#[test]
fn a_repositorys_configuration_runs_nothing() {
    let world = World::new("git");
    world.node("p");
    world.write("p/Dockerfile", "FROM scratch\nCOPY . .\n");
    world.history("p");
    world.trap("evil");
    let evil = world.path("evil");
    let evil = evil.to_str().unwrap();
    for key in [
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "core.gitProxy",
        "core.askPass",
        "core.editor",
        "core.alternateRefsCommand",
        "diff.external",
        "diff.x.command",
        "diff.x.textconv",
        "filter.x.process",
        "filter.x.clean",
        "filter.x.smudge",
        "gpg.program",
        "gpg.ssh.program",
        "credential.helper",
        "pager.rev-list",
        "pager.diff-tree",
        "pager.cat-file",
        "uploadpack.packObjectsHook",
        "merge.x.driver",
        "interactive.diffFilter",
    ] {
        world.git("p", &["config", key, evil]);
    }
    for command in ["rev-parse", "rev-list", "ls-tree", "diff-tree", "cat-file"] {
        world.git("p", &["config", &format!("alias.{command}"), &format!("!{evil}")]);
    }
    world.git("p", &["config", "log.showSignature", "true"]);
    world.write("p/.git/info/attributes", "* diff=x filter=x merge=x\n");
    for hook in ["post-index-change", "reference-transaction", "post-checkout", "pre-auto-gc"] {
        world.trap(&format!("p/.git/hooks/{hook}"));
    }
    for args in
        [&["learn", "p"][..], &["simulate", "--commits", "5", "p"], &["simulate", "--commits", "5", "--then", "p"]]
    {
        let out = world.tool(args).output().unwrap();
        assert!(out.status.success(), "{}", said(&out));
    }
    // Objects that are missing would be fetched from wherever the configuration says.
    world.git("p", &["config", "extensions.partialClone", "origin"]);
    world.git("p", &["config", "remote.origin.promisor", "true"]);
    world.git("p", &["config", "protocol.ext.allow", "always"]);
    for url in [format!("ext::{evil}"), "ssh://host.example/a".to_owned()] {
        world.git("p", &["config", "remote.origin.url", &url]);
        world.git("p", &["config", "remote.origin.uploadpack", evil]);
        for pack in std::fs::read_dir(world.path("p/.git/objects")).unwrap().flatten().take(40) {
            let _ = std::fs::remove_dir_all(pack.path());
        }
        let out = world.tool(&["simulate", "--commits", "5", "p"]).output().unwrap();
        assert_eq!(out.status.code(), Some(2), "{}", said(&out));
    }
    world.nothing_ran();
}

#[test]
fn files_that_look_like_a_repository_are_none() {
    let world = World::new("bare");
    world.node("p");
    world.history("p");
    world.git(".", &["clone", "-q", "--bare", "p", "q"]);
    world.node("q");
    let out = world.tool(&["learn", "--print", "q"]).output().unwrap();
    assert_eq!(out.status.code(), Some(2), "{}", said(&out));
}

/// Needs strace. Each line of its output that starts a program has to be `cargo metadata`, which rustup starts once more.
#[test]
fn generate_starts_cargo_metadata_at_most() {
    if Command::new("strace").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "strace is missing");
        eprintln!("strace is missing, so nothing is tested");
        return;
    }
    let world = World::new("strace");
    world.rust("rust");
    world.node("node");
    world.write("python/requirements.txt", "flask\ngunicorn\n");
    world.write("python/app.py", "from flask import Flask\napp = Flask(__name__)\n");
    world.write("go/go.mod", "module example.com/a\n\ngo 1.24\n");
    world.write("go/main.go", "package main\n\nfunc main() {}\n");
    for (stack, args) in [
        ("rust", &["--print", "rust"][..]),
        ("rust", &["rust"]),
        ("rust", &["--check", "rust"]),
        ("rust", &["plan", "rust"]),
        ("node", &["node"]),
        ("python", &["python"]),
        ("go", &["go"]),
        ("node", &["context", "node"]),
        ("node", &["simulate", "--edit", "index.js", "node"]),
    ] {
        world.git(stack, &["init", "-q"]);
        let log = world.path("log");
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-e", "trace=execve,execveat", "-s", "4096", "-o"]).arg(&log);
        strace.arg(env!("CARGO_BIN_EXE_cargo-dockerfile")).args(args).current_dir(&world.root).env_remove("CARGO");
        let out = strace.output().unwrap();
        assert!(out.status.success(), "{args:?} {}", said(&out));
        let log = world.read("log");
        let started: Vec<&str> = log.lines().filter(|line| line.contains("execve")).skip(1).collect();
        assert_eq!(started.is_empty(), stack != "rust", "{args:?} {log}");
        for line in started {
            let is_metadata = line.contains("/cargo\", [") && line.contains("\"metadata\", ");
            assert!(is_metadata || line.contains("resumed"), "{args:?} {line}");
        }
    }
}

impl World {
    fn history_of_rust(&self, dir: &str) {
        self.write(&format!("{dir}/Dockerfile"), "FROM scratch\nCOPY src src\n");
        self.git(dir, &["init", "-q"]);
        for number in 0..25 {
            self.write(&format!("{dir}/src/main.rs"), &format!("fn main() {{}} // {number}\n"));
            self.git(dir, &["add", "-A"]);
            self.git(dir, &["commit", "-qm", "more"]);
        }
    }
}
