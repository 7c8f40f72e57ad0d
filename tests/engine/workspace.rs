//! A workspace of several packages: what the shipped one depends on is in the image, and new members cost nothing.

use crate::harness::{Project, dependencies_cached, run};

const FILES: [(&str, &str); 8] = [
    ("package.json", "{ \"name\": \"root\", \"private\": true, \"packageManager\": \"pnpm@10.34.8\" }\n"),
    ("pnpm-workspace.yaml", "packages:\n  - packages/*\n"),
    ("dockerfile.toml", "package = \"packages/server\"\n"),
    (
        "packages/server/package.json",
        r#"{
  "name": "server",
  "version": "1.0.0",
  "scripts": { "start": "node main.js" },
  "dependencies": { "lib": "workspace:^1.0.0" }
}
"#,
    ),
    ("packages/server/main.js", "console.log(require('lib').open());\n"),
    (
        "packages/lib/package.json",
        r#"{
  "name": "lib",
  "version": "1.0.0",
  "main": "index.js",
  "dependencies": { "ms": "2.1.3" }
}
"#,
    ),
    ("packages/lib/index.js", "exports.open = () => `open for ${require('ms')(7200000)}`;\n"),
    (
        "pnpm-lock.yaml",
        "lockfileVersion: '9.0'

settings:
  autoInstallPeers: true
  excludeLinksFromLockfile: false

importers:

  .: {}

  packages/lib:
    dependencies:
      ms:
        specifier: 2.1.3
        version: 2.1.3

  packages/server:
    dependencies:
      lib:
        specifier: workspace:^1.0.0
        version: link:../lib

packages:

  ms@2.1.3:
    resolution: {integrity: sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==}

snapshots:

  ms@2.1.3: {}
",
    ),
];

#[test]
#[ignore = "needs a docker engine"]
fn pnpm() {
    let project = Project::empty("pnpm-workspace");
    for (path, text) in FILES {
        project.write(path, text);
    }
    project.generate();
    project.build(&[]);
    assert_eq!(run("docker", &["run", "--rm", &project.image]).trim(), "open for 2h");

    project.edit("packages/server/package.json", "\"version\": \"1.0.0\"", "\"version\": \"1.1.0\"");
    project.write("packages/extra/package.json", "{ \"name\": \"extra\", \"version\": \"1.0.0\" }\n");
    project.edit("pnpm-lock.yaml", "  packages/lib:", "  packages/extra: {}\n\n  packages/lib:");
    project.edit("packages/lib/index.js", "open for", "closed for");
    dependencies_cached(&project.build(&[]), "a version, a member and a source");
    assert_eq!(run("docker", &["run", "--rm", &project.image]).trim(), "closed for 2h");
}
