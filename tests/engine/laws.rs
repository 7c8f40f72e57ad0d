//! The laws that hold for every project, tried on the examples.

use std::fs;

use crate::harness::{Project, in_stages, run};

/// An example, and a source file of it with a comment to add.
pub(crate) const SOURCES: [(&str, &str, &str); 5] = [
    ("axum-workspace", "crates/catalog/src/lib.rs", "// an edit\n"),
    ("express-npm", "src/server.js", "// an edit\n"),
    ("vite-pnpm", "src/main.tsx", "console.log('an edit');\n"),
    ("django-pipfile", "manage.py", "# an edit\n"),
    ("go-modules", "cmd/server/main.go", "var _ = 1\n"),
];

/// Law 1 for cargo: what does not decide the dependency set leaves its layer alone, and what does, does not.
#[test]
#[ignore = "needs a docker engine"]
fn cargo_manifest_edits() {
    let project = Project::example("axum-workspace");
    project.generate();
    let deps = |what: &str| {
        let steps = project.build(&["--target", "deps"]);
        let found = in_stages(&steps, &["deps "]);
        assert!(!found.is_empty(), "{what}: {steps:#?}");
        found.iter().all(|(_, cached)| *cached)
    };
    deps("at first");
    let server = "crates/server/Cargo.toml";
    let new = |path: &str, text: &str| {
        let path = project.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let free: [(&str, &dyn Fn()); 12] = [
        ("a comment", &|| project.append(server, "# a comment\n")),
        ("keywords and a description", &|| {
            project.edit(server, "[package]", "[package]\nkeywords = [\n  \"shop\",\n]")
        }),
        ("metadata", &|| project.append(server, "\n[package.metadata.docs.rs]\nall-features = true\n")),
        ("lints", &|| project.append("Cargo.toml", "\n[workspace.lints.clippy]\npedantic = \"warn\"\n")),
        ("a development profile", &|| project.append("Cargo.toml", "\n[profile.dev]\nopt-level = 1\n")),
        ("rust-version", &|| project.edit("Cargo.toml", "rust-version = \"1.85\"", "rust-version = \"1.86\"")),
        ("an alias", &|| new(".cargo/config.toml", "[alias]\nxtask = \"run\"\n")),
        ("a test", &|| new("crates/server/tests/api.rs", "#[test]\nfn works() {}\n")),
        ("a module", &|| new("crates/catalog/src/more.rs", "")),
        ("a binary", &|| new("crates/server/src/bin/extra.rs", "fn main() {}\n")),
        ("formatting", &|| project.edit("Cargo.toml", "members = [\"crates/*\"]", "members = [\n    \"crates/*\",\n]")),
        ("a member of the workspace", &|| {
            new("crates/extra/Cargo.toml", "[package]\nname = \"extra\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
            new("crates/extra/src/lib.rs", "");
            project.append("Cargo.lock", "\n[[package]]\nname = \"extra\"\nversion = \"0.1.0\"\n");
        }),
    ];
    for (what, edit) in free {
        edit();
        assert!(deps(what), "{what} compiled the dependencies again");
    }
    let decisive: [(&str, &dyn Fn()); 3] = [
        ("a feature", &|| project.edit("Cargo.toml", "\"http1\", ", "\"http1\", \"query\", ")),
        ("a profile", &|| project.edit("Cargo.toml", "strip = true", "strip = true\npanic = \"abort\"")),
        ("compiler flags", &|| new(".cargo/config.toml", "[build]\nrustflags = [\"-Cdebuginfo=0\"]\n")),
    ];
    for (what, edit) in decisive {
        let before = project.layers();
        edit();
        project.generate();
        deps(what);
        // A builder that ran this test before may have the step in its cache: then other layers come from there.
        assert_ne!(project.layers(), before, "{what} did not reach the dependencies");
    }
}

/// Law 5: what the running program needs of the system has nothing to do with how it is built.
#[test]
#[ignore = "needs a docker engine"]
fn a_runtime_package_builds_nothing_again() {
    for (example, ..) in SOURCES.into_iter().filter(|(example, ..)| *example != "vite-pnpm") {
        let project = Project::example(example);
        project.generate();
        project.build(&[]);
        fs::write(project.root.join("dockerfile.toml"), "packages = [\"tini\"]\n").unwrap();
        project.generate();
        let steps = project.build(&[]);
        let found = in_stages(&steps, &["deps ", "prod-deps ", "compiled ", "build "]);
        assert!(!found.is_empty(), "{example}: {steps:#?}");
        assert!(found.iter().all(|(_, cached)| *cached), "{example}: {found:#?}");
    }
}

/// Law 2: a crate that is added compiles alone, and the layer never holds what no dependency set needs any more.
#[test]
#[ignore = "needs a docker engine"]
fn twenty_changes_of_the_set_leave_nothing_behind() {
    let project = Project::example("axum-workspace");
    project.generate();
    let manifest = project.root.join("Cargo.toml");
    let manifest = manifest.to_str().unwrap();
    let size = || {
        let (_, log) = project.build_log(&["--target", "deps"]);
        let text = run("docker", &["run", "--rm", &project.image, "du", "-sk", "/deps"]);
        (text.split_whitespace().next().unwrap().parse::<f64>().unwrap(), log)
    };
    size();
    let crates = ["hex@0.4.3", "fnv@1.0.7", "base64@0.22.1", "humantime@2.2.0", "unicode-width@0.2.0"];
    for round in 0..20 {
        let (name, version) = crates[round % crates.len()].split_once('@').unwrap();
        let added = (round / crates.len()).is_multiple_of(2);
        let change = if added { format!("{name}@{version}") } else { name.to_owned() };
        let verb = if added { "add" } else { "remove" };
        run("cargo", &[verb, "--manifest-path", manifest, "--package", "shop-server", &change]);
        run("cargo", &["update", "--workspace", "--manifest-path", manifest]);
        let (_, log) = size();
        let compiled: Vec<&str> = log.lines().filter_map(|line| Some(line.split_once(" Compiling ")?.1)).collect();
        let foreign = compiled.iter().filter(|compiled| !compiled.starts_with("shop-")).count();
        assert!(foreign <= 1, "{verb} {name} compiled {compiled:#?}");
    }
    let (grown, _) = size();
    // The same set in a cache that nobody has used.
    let dockerfile = project.root.join("Dockerfile");
    let text = fs::read_to_string(&dockerfile).unwrap();
    let clean = format!("clean-{}-target", std::process::id());
    fs::write(&dockerfile, text.replace("shop-server-target", &clean)).unwrap();
    let (clean, _) = size();
    assert!(grown <= 1.1 * clean, "{grown} KiB after twenty changes, {clean} KiB when built at once");
}
