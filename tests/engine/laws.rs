//! The laws that hold for every project, tried on the examples.

use std::fs;

use crate::harness::{Project, in_stages};

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
        edit();
        assert!(!deps(what), "{what} did not reach the dependencies");
    }
}
