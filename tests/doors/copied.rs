//! The examples of the build script and the macros, used as their readers would: copied, changed and built.

use std::fs;
use std::path::Path;

use crate::project::Project;
use dockerfile_gen::{ConfigLayer, Overwrite, generate};

/// A copy of an example, with the library where it is, and with the lockfile whose packages were downloaded to build
/// this test: its own may name others.
fn copy(name: &str) -> Project {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let project = Project::new(&format!("copy-of-{name}"));
    let example = repository.join("examples").join(name);
    let left_out = |entry: &fs::DirEntry| ["target", "Cargo.lock"].iter().any(|name| entry.file_name() == *name);
    let mut open = vec![example.clone()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap().flatten().filter(|entry| !left_out(entry)) {
            let path = entry.path();
            match entry.file_type().unwrap().is_dir() {
                true => open.push(path),
                false => project
                    .write(path.strip_prefix(&example).unwrap().to_str().unwrap(), &fs::read_to_string(&path).unwrap()),
            }
        }
    }
    let manifest = project.read("Cargo.toml").replace("../..", repository.to_str().unwrap());
    project.write("Cargo.toml", &manifest);
    project
}

/// Adds a dependency that needs a library of the system. The projects share a target folder, so the version is to be
/// each one's own.
fn add_dependency(project: &Project, version: &str) {
    let manifest = format!("[package]\nname = \"pq-sys\"\nversion = \"{version}\"\nedition = \"2024\"\n");
    project.write("pq-sys/Cargo.toml", &manifest);
    project.write("pq-sys/src/lib.rs", "");
    let manifest = project
        .read("Cargo.toml")
        .replace("[package.metadata", "[dependencies.pq-sys]\npath = \"pq-sys\"\n\n[package.metadata");
    project.write("Cargo.toml", &manifest);
}

#[test]
fn the_committed_files_are_fresh() {
    for name in ["build-script", "macro"] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name);
        let files = generate(&root, ConfigLayer::default()).unwrap().files;
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            files.write(&root, Overwrite::Refuse).unwrap();
        }
        assert_eq!(files.diff(&root).unwrap(), "", "{name}; UPDATE_EXPECT=1 writes them");
    }
}

#[test]
fn a_new_dependency_reaches_the_dockerfile_with_the_next_build() {
    let project = copy("build-script");
    let before = project.read("Dockerfile");
    project.build();
    assert_eq!(project.read("Dockerfile"), before);
    assert!(!before.contains("libpq"));

    add_dependency(&project, "0.7.1");
    project.build();
    let after = project.read("Dockerfile");
    assert!(after.contains("libpq-dev") && after.contains("libpq5"), "{after}");

    project.touches_nothing(&["check", "--quiet"], &[]);
    let ran = project.cargo(&["check", "-v"], &[]);
    assert!(ran.said.contains("Fresh greeter"), "and the build script does not even run: {}", ran.said);
}

#[test]
fn a_new_dependency_does_not_compile_until_the_files_follow() {
    let project = copy("macro");
    project.build();
    let ran = project.cargo(&["run", "--quiet", "--", "dockerfile"], &[]);
    let text = |set: fn(&mut ConfigLayer)| {
        let mut layer = ConfigLayer::default();
        set(&mut layer);
        generate(&project.root, layer).unwrap().files
    };
    let with_greeting = text(|layer| layer.env = Some([("GREETING".into(), "hello".into())].into()));
    assert_eq!(Some(&ran.out), with_greeting.0.get("Dockerfile"), "{}", ran.said);
    let declared = project.cargo(&["run", "--quiet", "--", "declared"], &[]);
    assert!(declared.out.contains("COPY Cargo.toml Cargo.lock ./\n"), "{}{}", declared.out, declared.said);

    add_dependency(&project, "0.7.2");
    let ran = project.cargo(&["check"], &[]);
    assert!(!ran.ok && ran.said.contains("run `cargo dockerfile` to refresh it"), "{}", ran.said);
    assert!(ran.said.contains("libpq5"), "{}", ran.said);
    text(|_| {}).write(&project.root, Overwrite::Refuse).unwrap();
    project.touches_nothing(&["check", "--quiet"], &[]);
    let ran = project.cargo(&["run", "--quiet", "--", "dockerfile"], &[]);
    assert!(ran.out.contains("libpq5"), "the text follows, too: {}{}", ran.out, ran.said);
}
