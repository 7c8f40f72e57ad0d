//! A workspace of several packages: what the shipped one depends on is in the image, and new members need no new file.

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
    project.edit("packages/lib/index.js", "open for", "closed for");
    dependencies_cached(&project.build(&[]), "a version and a source");
    assert_eq!(run("docker", &["run", "--rm", &project.image]).trim(), "closed for 2h");

    // A member comes by the globs of the workspace: the Dockerfile is what it was.
    project.write("packages/extra/package.json", "{ \"name\": \"extra\", \"version\": \"1.0.0\" }\n");
    project.edit("pnpm-lock.yaml", "  packages/lib:", "  packages/extra: {}\n\n  packages/lib:");
    project.build(&[]);
    assert_eq!(run("docker", &["run", "--rm", &project.image]).trim(), "closed for 2h");
}

const NPM_FILES: [(&str, &str); 7] = [
    ("package.json", "{ \"name\": \"root\", \"private\": true, \"workspaces\": [\"packages/*\"] }\n"),
    ("dockerfile.toml", "package = \"packages/server\"\n"),
    (
        "packages/server/package.json",
        r#"{
  "name": "server",
  "version": "1.0.0",
  "scripts": { "build": "node make.js", "start": "node dist/main.js" },
  "dependencies": { "ms": "2.1.3" }
}
"#,
    ),
    (
        "packages/server/make.js",
        "const text = `console.log('${require('words')}', require('ms')(7200000))`;
require('fs').mkdirSync('dist', { recursive: true });
require('fs').writeFileSync('dist/main.js', text);
",
    ),
    ("packages/words/package.json", "{ \"name\": \"words\", \"version\": \"1.0.0\", \"main\": \"words.js\" }\n"),
    ("packages/words/words.js", "module.exports = 'open for';\n"),
    (
        "package-lock.json",
        r#"{
  "name": "root",
  "lockfileVersion": 3,
  "requires": true,
  "packages": {
    "": {
      "name": "root",
      "workspaces": [
        "packages/*"
      ]
    },
    "node_modules/ms": {
      "version": "2.1.3",
      "integrity": "sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA=="
    },
    "node_modules/server": {
      "resolved": "packages/server",
      "link": true
    },
    "node_modules/words": {
      "resolved": "packages/words",
      "link": true
    },
    "packages/server": {
      "version": "1.0.0",
      "dependencies": {
        "ms": "2.1.3"
      }
    },
    "packages/words": {
      "version": "1.0.0"
    }
  }
}
"#,
    ),
];

/// npm links every member, so a build may read one that it does not name as a dependency.
#[test]
#[ignore = "needs a docker engine"]
fn npm() {
    let project = Project::empty("npm-workspace");
    for (path, text) in NPM_FILES {
        project.write(path, text);
    }
    project.generate();
    project.build(&[]);
    assert_eq!(project.say("node dist/main.js").trim(), "open for 2h");

    project.edit("packages/words/words.js", "open for", "more");
    project.write("packages/more/package.json", "{ \"name\": \"more\", \"version\": \"1.0.0\" }\n");
    project.write("packages/more/index.js", "module.exports = 'closed for';\n");
    project.edit("packages/server/make.js", "require('words')", "require('more')");
    project.edit(
        "package-lock.json",
        "    \"node_modules/ms\"",
        "    \"node_modules/more\": {\n      \"resolved\": \"packages/more\",\n      \"link\": true\n    },\n    \"node_modules/ms\"",
    );
    project.edit(
        "package-lock.json",
        "    \"packages/server\"",
        "    \"packages/more\": {\n      \"version\": \"1.0.0\"\n    },\n    \"packages/server\"",
    );
    project.build(&[]);
    assert_eq!(project.say("node dist/main.js").trim(), "closed for 2h");
}
