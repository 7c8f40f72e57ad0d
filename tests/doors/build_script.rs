//! Runs real cargo on small crates whose build.rs regenerates their Dockerfile, everywhere that cargo runs build scripts.
//!
//! All crates share one target folder, so that the library is compiled for them once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::need::skipped;
use crate::project::{Project, run};

const REGENERATE: &str = "fn main() -> dockerfile_gen::Result<()> { dockerfile_gen::build_script::regenerate() }\n";

/// Beside the crate lies a Go module: the quickest project that there is a Dockerfile for.
const STACK: &str = "[package.metadata.dockerfile]\nstack = \"go\"\n";

fn manifest(name: &str) -> String {
    let library = env!("CARGO_MANIFEST_DIR");
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\ndescription = \"a service\"\n\
         license = \"MIT\"\nrepository = \"https://registry.example/{name}\"\n\
         [build-dependencies]\n\
         dockerfile-gen = {{ version = \"0.1\", path = {library:?}, default-features = false }}\n"
    )
}

/// A crate that somebody keeps in git.
fn kept(name: &str) -> Project {
    let project = unkept(name);
    project.git_init();
    project
}

fn unkept(name: &str) -> Project {
    let project = Project::new(name);
    project.write("Cargo.toml", &(manifest(name) + STACK));
    project.write("build.rs", REGENERATE);
    project.write("src/main.rs", "fn main() {}\n");
    project.write("go.mod", "module m\n\ngo 1.24\n");
    project.write("main.go", "package main\n\nfunc main() {}\n");
    project
}

#[test]
fn the_files_follow_the_manifests_and_nothing_else() {
    let project = kept("follow");
    project.build();
    assert!(project.read("Dockerfile").contains("golang:1.24-"));
    assert!(project.has(".dockerignore"));

    let before = project.snapshot();
    project.build();
    let ran = project.cargo(&["check", "-v"], &[]);
    assert!(ran.said.contains("Fresh follow"), "the build script does not run again: {}", ran.said);
    assert_eq!(project.snapshot(), before);

    project.write("src/main.rs", "fn main() { println!(); }\n");
    let ran = project.cargo(&["check", "-v"], &[]);
    assert!(!ran.said.contains("build-script-build"), "a source is none of its business: {}", ran.said);

    project.write("go.mod", "module m\n\ngo 1.25\n");
    project.build();
    assert!(project.read("Dockerfile").contains("golang:1.25-"));

    project.write("Cargo.toml", &(manifest("follow") + STACK + "port = 9000\n"));
    project.build();
    assert!(project.read("Dockerfile").contains("EXPOSE 9000"));
    assert!(fs::read_dir(&project.root).unwrap().flatten().all(|entry| !entry.path().ends_with(".tmp")));
}

#[test]
fn a_workspace_has_one_dockerfile_however_many_members_write_it_at_once() {
    let project = kept("members");
    fs::remove_dir_all(project.root.join("src")).unwrap();
    let metadata = STACK.replace("package", "workspace");
    project.write("Cargo.toml", &format!("[workspace]\nmembers = [\"crates/*\"]\nresolver = \"3\"\n{metadata}"));
    for number in 0..6 {
        let name = format!("member{number}");
        project.write(&format!("crates/{name}/Cargo.toml"), &manifest(&name));
        project.write(&format!("crates/{name}/build.rs"), REGENERATE);
        project.write(&format!("crates/{name}/src/lib.rs"), "");
    }
    project.build();
    assert!(project.read("Dockerfile").contains("golang:1.24-"));
    let found = project.snapshot().into_keys().filter(|path| path.to_string_lossy().contains("ocker")).count();
    assert_eq!(found, 2, "one Dockerfile, one .dockerignore, no drafts");
}

#[test]
fn a_file_by_hand_stays_and_cargo_says_so() {
    let project = kept("by-hand");
    project.write("Dockerfile", "FROM scratch\n");
    let ran = project.cargo(&["check"], &[]);
    assert!(ran.ok, "{}", ran.said);
    assert!(ran.said.contains("warning: by-hand@0.1.0: `") && ran.said.contains("is left as it is"), "{}", ran.said);
    assert_eq!(project.read("Dockerfile"), "FROM scratch\n");
    assert!(!project.has(".dockerignore") && !project.has("Dockerfile.bak"));

    fs::remove_file(project.root.join("Dockerfile")).unwrap();
    project.build();
    assert!(project.read("Dockerfile").contains("golang:"), "moved out of the way, it is replaced");

    let edited = project.read("Dockerfile") + "RUN my own line\n";
    project.write("Dockerfile", &edited);
    project.write("go.mod", "module m\n\ngo 1.25\n");
    let ran = project.cargo(&["check"], &[]);
    assert!(ran.ok && ran.said.contains("is left as it is"), "{}", ran.said);
    assert_eq!(project.read("Dockerfile"), edited);
}

#[test]
fn an_image_build_sees_no_docker_files_and_gets_none() {
    let project = unkept("image");
    assert!(project.cargo(&["generate-lockfile"], &[]).ok);
    project.touches_nothing(&["check", "--quiet"], &[]);
    project.touches_nothing(&["check", "--quiet"], &[("DOCKERFILE_GEN", "check")]);
}

#[test]
fn without_version_control_the_first_file_comes_from_the_command_line() {
    let project = unkept("plain");
    project.cargo(&["check", "--quiet"], &[]);
    assert!(!project.has("Dockerfile"));
    let generated = dockerfile_gen::generate(&project.root, Default::default()).unwrap();
    generated.files.write(&project.root, dockerfile_gen::Overwrite::Refuse).unwrap();
    project.write("go.mod", "module m\n\ngo 1.25\n");
    // Until it ran once in a kept folder, the script waits for its own manifest only.
    project.write("Cargo.toml", &project.read("Cargo.toml"));
    project.build();
    assert!(project.read("Dockerfile").contains("golang:1.25-"));
}

#[test]
fn packages_are_left_as_they_are() {
    let project = kept("packaged");
    let library = format!("patch.crates-io.dockerfile-gen.path={:?}", env!("CARGO_MANIFEST_DIR"));
    let package = ["package", "--allow-dirty", "--config", &library];
    // `cargo publish` verifies in the same way, but asks the registry first.
    // Before a Dockerfile is there at all, and the package is unpacked in a folder below the git repository.
    let ran = project.cargo(&package, &[]);
    assert!(ran.ok, "{}", ran.said);
    assert!(!ran.said.contains("modified by build.rs"), "{}", ran.said);
    assert!(!project.has("Dockerfile"));
    let unpacked = Path::new(env!("CARGO_TARGET_TMPDIR")).join("doors/package/packaged-0.1.0");
    assert!(!unpacked.join("Dockerfile").exists());

    project.build();
    project.write("go.mod", "module m\n\ngo 1.25\n");
    project.touches_nothing(&package, &[]);

    // The same package, as a registry hands it out to somebody else's checkout.
    let user = kept("user");
    user.write("Cargo.toml", &manifest("user").replace("build-dep", "dep").replace("dockerfile-gen =", "# "));
    user.write(
        "Cargo.toml",
        &(user.read("Cargo.toml") + "packaged = { path = \"vendor/packaged\" }\n[workspace]\nexclude = [\"vendor\"]\n"),
    );
    fs::remove_file(user.root.join("build.rs")).unwrap();
    fs::create_dir_all(user.root.join("vendor")).unwrap();
    let copied = Command::new("cp").arg("-R").arg(&unpacked).arg(user.root.join("vendor/packaged")).status().unwrap();
    assert!(copied.success());
    user.write("vendor/packaged/src/lib.rs", "");
    let ran = user.cargo(&["check", "--quiet", "--config", &library], &[]);
    assert!(ran.ok && ran.said.is_empty(), "{}", ran.said);
    user.touches_nothing(&["check", "--config", &library], &[]);
    assert!(!user.has("Dockerfile"));
}

#[test]
fn a_dependency_by_path_leaves_the_workspace_that_it_lies_in_alone() {
    let project = kept("host");
    project.write("third_party/app-host/Cargo.toml", &(manifest("app-host") + STACK));
    project.write("third_party/app-host/build.rs", REGENERATE);
    project.write("third_party/app-host/src/lib.rs", "");
    fs::remove_file(project.root.join("build.rs")).unwrap();
    let package = manifest("host").split("[build-").next().unwrap().to_owned() + STACK;
    let host = |members: &str| {
        format!("{package}[dependencies]\napp-host = {{ path = \"third_party/app-host\" }}\n[workspace]\n{members}")
    };
    project.write("Cargo.toml", &host(""));
    let ran = project.cargo(&["check"], &[]);
    assert!(ran.ok && ran.said.contains("list it under `members`"), "{}", ran.said);
    assert!(
        !project.has("Dockerfile") && !project.has(".dockerignore") && !project.has("third_party/app-host/Dockerfile")
    );
    project.touches_nothing(&["check", "--quiet"], &[("DOCKERFILE_GEN", "off")]);

    project.write("Cargo.toml", &host("members = [\"third_party/*\"]\n"));
    // Until it may write, the script waits for its own manifest only.
    project.write("third_party/app-host/Cargo.toml", &project.read("third_party/app-host/Cargo.toml"));
    project.build();
    assert!(project.read("Dockerfile").contains("golang:1.24-"), "whom the owner names is the owner's");
}

#[test]
fn a_git_dependency_is_left_as_it_is() {
    let project = kept("upstream");
    project.write("src/lib.rs", "");
    for args in [&["add", "."][..], &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "all"]] {
        assert!(Command::new("git").args(args).current_dir(&project.root).status().unwrap().success());
    }
    let user = kept("git-user");
    // A cargo home of its own, which has everything of the real one but its checkouts.
    let home = user.root.join("target/home");
    fs::create_dir_all(&home).unwrap();
    let real = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let real = real.unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cargo"));
    for entry in fs::read_dir(real).unwrap().flatten().filter(|entry| entry.file_name() != "git") {
        #[cfg(unix)]
        std::os::unix::fs::symlink(entry.path(), home.join(entry.file_name())).unwrap();
    }
    let dependency = format!("[dependencies]\nupstream = {{ git = \"file://{}\" }}\n", project.root.display());
    user.write("Cargo.toml", &(manifest("git-user").split("[build-").next().unwrap().to_owned() + &dependency));
    fs::remove_file(user.root.join("build.rs")).unwrap();
    let env = [("CARGO_HOME", home.to_str().unwrap()), ("CARGO_NET_OFFLINE", "false")];
    let ran = user.cargo(&["check", "--quiet"], &env);
    assert!(ran.ok && ran.said.is_empty(), "{}", ran.said);
    let mut open = vec![home.join("git/checkouts")];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap().flatten() {
            assert_ne!(entry.file_name(), "Dockerfile");
            open.extend(entry.file_type().unwrap().is_dir().then(|| entry.path()));
        }
    }
}

#[test]
fn docs_rs_and_the_switch_turn_it_off() {
    let project = kept("off");
    for env in [("DOCS_RS", "1"), ("DOCKERFILE_GEN", "off")] {
        let ran = project.cargo(&["check", "--quiet"], &[env]);
        assert!(ran.ok && ran.said.is_empty(), "{}", ran.said);
        assert!(!project.has("Dockerfile") && !project.has(".dockerignore"));
    }
    project.build();
    assert!(project.has("Dockerfile"), "and without them it is on again");
}

#[test]
fn an_editor_looks_and_the_next_cargo_writes() {
    let project = kept("editor");
    let editor = [("RA_RUSTC_WRAPPER", "1")];
    project.cargo(&["generate-lockfile"], &[]);
    project.touches_nothing(&["check", "--quiet"], &editor);
    project.touches_nothing(&["check", "--quiet"], &[("RA_RUSTC_WRAPPER", "1"), ("DOCKERFILE_GEN", "check")]);
    project.build();
    assert!(project.has("Dockerfile"));
    project.touches_nothing(&["check", "--quiet"], &editor);
    project.touches_nothing(&["check", "--quiet"], &[]);
}

#[test]
fn a_stale_file_fails_warns_or_is_written() {
    let project = kept("modes");
    project.build();
    project.write("go.mod", "module m\n\ngo 1.25\n");
    let before = project.snapshot();

    let ran = project.cargo(&["check"], &[("DOCKERFILE_GEN", "check")]);
    assert!(!ran.ok);
    assert!(ran.said.contains("error: modes@0.1.0: `Dockerfile` is stale: run `cargo dockerfile`"), "{}", ran.said);
    assert!(ran.said.contains("golang:1.24-") && ran.said.contains("golang:1.25-"), "{}", ran.said);

    let warn = [("DOCKERFILE_GEN", "warn")];
    for _ in 0..2 {
        let ran = project.cargo(&["check"], &warn);
        assert!(ran.ok && ran.said.contains("warning: modes@0.1.0: `Dockerfile` is stale"), "{}", ran.said);
    }
    assert_eq!(project.snapshot(), before, "neither writes");

    project.build();
    assert!(project.read("Dockerfile").contains("golang:1.25-"));
    for mode in ["check", "warn"] {
        project.touches_nothing(&["check", "--quiet"], &[("DOCKERFILE_GEN", mode)]);
    }
    // In these modes the files themselves are watched, too.
    fs::remove_file(project.root.join("Dockerfile")).unwrap();
    let ran = project.cargo(&["check"], &warn);
    assert!(ran.said.contains("`Dockerfile` is stale"), "{}", ran.said);
}

#[test]
fn the_configurable_form_says_the_same_in_rust() {
    let project = kept("configured");
    project.write("service/go.mod", "module m\n\ngo 1.25\n");
    project.write("service/main.go", "package main\n\nfunc main() {}\n");
    project.write(
        "build.rs",
        "use dockerfile_gen::{ConfigLayer, build_script::{BuildScript, Mode}};\n\
         fn main() -> dockerfile_gen::Result<()> {\n\
             let mut config = ConfigLayer::default();\n\
             config.port = Some(7000);\n\
             BuildScript::new().mode(Mode::Write).folder(\"service\").config(config).run().map(drop)\n\
         }\n",
    );
    project.build();
    assert!(!project.has("Dockerfile"));
    let text = project.read("service/Dockerfile");
    assert!(text.contains("golang:1.25-") && text.contains("EXPOSE 7000"), "{text}");
}

#[test]
fn what_stands_in_the_way_is_a_warning_and_only_a_check_fails() {
    let project = kept("wrong");
    project.write("dockerfile.toml", "prt = 8080\n");
    let ran = project.cargo(&["check"], &[]);
    assert!(ran.ok, "{}", ran.said);
    assert!(ran.said.contains("warning: wrong@0.1.0: dockerfile.toml:1: unknown field `prt`"), "{}", ran.said);
    assert!(ran.said.contains("did you mean `port`?"), "{}", ran.said);
    let ran = project.cargo(&["check"], &[("DOCKERFILE_GEN", "check")]);
    assert!(!ran.ok && ran.said.contains("error: wrong@0.1.0: dockerfile.toml:1: unknown field"), "{}", ran.said);
    project.write("dockerfile.toml", "port = 8080\n");
    project.build();
    assert!(project.read("Dockerfile").contains("EXPOSE 8080"), "what was read in vain is watched");
}

#[test]
#[cfg(unix)]
fn a_read_only_tree_builds() {
    use std::os::unix::fs::PermissionsExt;
    let project = kept("read-only");
    project.build();
    let lock = |mode| fs::set_permissions(&project.root, fs::Permissions::from_mode(mode)).unwrap();
    lock(0o555);
    let powers = fs::write(project.root.join("probe"), "").is_ok();
    // Root may write anywhere; without its capabilities it may not.
    let cargo = || match powers {
        true => {
            let mut command = Command::new("setpriv");
            command.args(["--bounding-set=-all", "--inh-caps=-all", env!("CARGO")]);
            command
        }
        false => Command::new(env!("CARGO")),
    };
    let _ = fs::remove_file(project.root.join("probe"));
    let fresh = run(cargo(), &project.root, &["check", "--quiet"], &[]);
    project.write("go.mod", "module m\n\ngo 1.25\n");
    let stale = run(cargo(), &project.root, &["check"], &[]);
    lock(0o755);
    if powers && stale.said.contains("setpriv") {
        skipped("`setpriv` cannot take root's powers away");
        return;
    }
    assert!(fresh.ok && fresh.said.is_empty(), "{}", fresh.said);
    assert!(stale.ok && stale.said.contains("warning: read-only@0.1.0: could not write"), "{}", stale.said);
    assert!(project.read("Dockerfile").contains("golang:1.24-"));
    project.write("go.mod", "module m\n\ngo 1.26\n");
    project.build();
    assert!(project.read("Dockerfile").contains("golang:1.26-"));
}
