//! The macros as their users meet them: `tests/ui` holds a file for each kind of mistake and what rustc says to it, and
//! real crates show that the text is the command line's and follows the files that were read.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/project.rs"]
mod project;

use std::fs;
use std::path::Path;

use dockerfile_gen::ConfigLayer;
use project::Project;

/// A folder that the files in `tests/ui` reach as `../../../tmp/<name>`, from where trybuild compiles them.
fn folder(name: &str, files: &[(&str, &str)]) {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(&root).unwrap();
    for (path, text) in files {
        fs::write(root.join(path), text).unwrap();
    }
}

#[test]
fn mistakes_are_said_at_their_token() {
    folder("ui-nothing", &[]);
    folder(
        "ui-service",
        &[
            ("go.mod", "module service\n\ngo 1.25\n"),
            ("main.go", "package main\n\nfunc main() {}\n"),
            ("README.md", "# Service\n"),
            (".dockerignore", "*.md\n"),
            ("Dockerfile", &format!("# {}\nFROM old\n", dockerfile_gen::render::MARK)),
        ],
    );
    let tests = trybuild::TestCases::new();
    tests.compile_fail("../tests/ui/*.rs");
}

/// A crate beside a Go module, whose `main` prints what `code` calls `TEXT`.
fn service(name: &str, code: &str) -> Project {
    let project = Project::new(name);
    let macros = env!("CARGO_MANIFEST_DIR");
    let dependency = format!("[dependencies]\ndockerfile-macros = {{ path = {macros:?} }}\n");
    let package = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    project.write("Cargo.toml", &format!("{package}{dependency}[package.metadata.dockerfile]\nstack = \"go\"\n"));
    project.write("go.mod", "module m\n\ngo 1.24\n");
    project.write("main.go", "package main\n\nfunc main() {}\n");
    project.write("src/main.rs", &format!("{code}\nfn main() {{ print!(\"{{TEXT}}\") }}\n"));
    project
}

fn printed(project: &Project) -> String {
    let ran = project.cargo(&["run", "--quiet"], &[]);
    assert!(ran.ok, "{}", ran.said);
    ran.out
}

fn generated(project: &Project, file: &str, set: impl FnOnce(&mut ConfigLayer)) -> String {
    let mut layer = ConfigLayer::default();
    set(&mut layer);
    let files = dockerfile_gen::generate(&project.root, layer).unwrap().files;
    files.0.get(file).unwrap().clone()
}

#[test]
fn the_text_is_the_command_lines_and_follows_every_file_that_was_read() {
    let options = "port: 8080, base: \"golang:1-trixie\", features: [], env: { LEVEL: \"info\", N: 5, ON: true }, \
                   compat: true, manifests: copy, rates: { source: 0.5 }, labels: { \"a.b/c\": \"d e\" }, \
                   steps: [{ name: \"codegen\", run: \"go generate\", seconds: 3 }]";
    let project = service("text", &format!("const TEXT: &str = dockerfile_macros::dockerfile! {{ {options} }};"));
    let set = |layer: &mut ConfigLayer| {
        *layer = toml(
            "port = 8080\nbase = \"golang:1-trixie\"\nfeatures = []\ncompat = true\nmanifests = \"copy\"\n\
             env = { LEVEL = \"info\", N = 5, ON = true }\nrates = { source = 0.5 }\nlabels = { \"a.b/c\" = \"d e\" }\n\
             [[steps]]\nname = \"codegen\"\nrun = \"go generate\"\nseconds = 3\n",
        );
    };
    let text = printed(&project);
    assert_eq!(text, generated(&project, "Dockerfile", set));
    assert!(text.contains("EXPOSE 8080") && text.contains("go generate") && text.contains("a.b/c=\"d e\""), "{text}");

    project.write(
        "src/main.rs",
        "const TEXT: &str = dockerfile_macros::dockerfile! {};\nfn main() { print!(\"{TEXT}\") }\n",
    );
    assert!(printed(&project).contains("golang:1.24-"));
    project.write("go.mod", "module m\n\ngo 1.25\n");
    assert!(printed(&project).contains("golang:1.25-"));
    let manifest = project.read("Cargo.toml");
    project.write("Cargo.toml", &format!("{manifest}port = 9000\n"));
    let text = printed(&project);
    assert!(text.contains("EXPOSE 9000"));
    assert_eq!(text, generated(&project, "Dockerfile", |_| {}));

    project.write("src/main.rs", "const TEXT: &str = dockerfile_macros::dockerignore! { ignore: [\"data\"] };\nfn main() { print!(\"{TEXT}\") }\n");
    let text = printed(&project);
    assert_eq!(text, generated(&project, ".dockerignore", |layer| layer.ignore = Some(vec!["data".into()])));
    assert!(!project.has("Dockerfile") && !project.has(".dockerignore"), "macros write nothing");
}

/// What `dockerfile.toml` with this text says.
fn toml(text: &str) -> ConfigLayer {
    toml::from_str(text).unwrap()
}

#[test]
fn a_stale_file_does_not_compile_where_somebody_can_mend_it() {
    let project = service(
        "checked",
        "dockerfile_macros::check_dockerfile!(port: 8080, env: { LEVEL: \"a b\" });\nconst TEXT: &str = \"\";",
    );
    assert!(project.cargo(&["generate-lockfile"], &[]).ok);
    // A build context: no version control, no Dockerfile.
    project.touches_nothing(&["check", "--quiet"], &[]);

    project.git_init();
    project.write("src/main.rs", &(project.read("src/main.rs") + "// again\n"));
    let ran = project.cargo(&["check"], &[]);
    let command = "run `cargo dockerfile --port 8080 --env LEVEL='a b'` to refresh it";
    assert!(!ran.ok && ran.said.contains(command), "{}", ran.said);
    assert!(ran.said.contains("golang:1.24-") && ran.said.contains("src/main.rs:1:1"), "{}", ran.said);
    project.touches_nothing(&["check", "--quiet"], &[("DOCKERFILE_GEN", "off")]);
    assert!(!project.cargo(&["check"], &[]).ok, "and without the variable it is checked again");

    let layer = toml("port = 8080\nenv = { LEVEL = \"a b\" }\n");
    let files = dockerfile_gen::generate(&project.root, layer).unwrap().files;
    files.write(&project.root, dockerfile_gen::Overwrite::Refuse).unwrap();
    project.build();
    let edited = project.read("Dockerfile").replace("EXPOSE 8080", "EXPOSE 8081");
    project.write("Dockerfile", &edited);
    let ran = project.cargo(&["check"], &[]);
    assert!(!ran.ok && ran.said.contains("-EXPOSE 8081"), "an edit is noticed: {}", ran.said);
}

#[test]
fn an_error_of_detection_is_said_at_the_value_that_caused_it() {
    let steps = "steps: [{ name: \"codegen\", stage: \"biuld\", run: \"make\" }]";
    let project = service("blame", &format!("const TEXT: &str = dockerfile_macros::dockerfile! {{\n{steps}\n}};"));
    let ran = project.cargo(&["check"], &[]);
    assert!(!ran.ok && ran.said.contains("names the stage `biuld`"), "{}", ran.said);
    assert!(ran.said.contains("src/main.rs:2:35"), "{}", ran.said);
    project.write("dockerfile.toml", "prt = 1\n");
    let ran = project.cargo(&["check"], &[]);
    assert!(ran.said.contains("dockerfile.toml:1: unknown field `prt`"), "{}", ran.said);
    assert!(ran.said.contains("did you mean `port`?"), "{}", ran.said);
}

#[test]
fn independent_steps_find_their_order_and_others_keep_it() {
    let code = r#"
const TEXT: &str = dockerfile_macros::dockerfile! {
    /// Where it is built.
    stage build from "golang:1.25-trixie" {
        workdir "/src";
        arg VERSION = "1 2";
        env { CGO_ENABLED: 0 }
        independent {
            { copy "." => "./all/"; run "ls all" { seconds: 1 }; }
            run "apt-get install -y git" { cache: ["/var/cache/apt"], locked: true, seconds: 30 };
            { copy ["go.mod"] => "./"; run "go mod download" { seconds: 20, secret: { netrc: "/root/.netrc" } } }
        }
        /// Links it.
        run "go build -o /app" { bind: { "main.go": "/src/main.go" } };
    }
    stage "last-one" from build {
        copy "/app" from build => "/bin/" { link: true, owner: "1:1" };
        copy "/etc/ssl" from "alpine:3" => "/etc/ssl";
        user nobody;
        label { "a": "b" }
        healthcheck ["/bin/app", "--health"];
        stopsignal "SIGQUIT";
        expose 8080;
        cmd ["/bin/app"]
    }
};"#;
    let project = service("order", &code.replace("user nobody", "user \"nobody\""));
    let text = printed(&project);
    assert!(text.starts_with("# Generated by cargo dockerfile from what src/main.rs declares."), "{text}");
    let place = |line: &str| text.find(line).unwrap_or_else(|| panic!("{line} is not in\n{text}"));
    let order = [
        "# Where it is built.\nFROM golang:1.25-trixie AS build\nWORKDIR /src\nARG VERSION=\"1 2\"\nENV CGO_ENABLED=0\n",
        "RUN --mount=type=cache,id=var-cache-apt,target=/var/cache/apt,sharing=locked \\\n    apt-get install -y git\n",
        "COPY go.mod ./\nRUN --mount=type=secret,id=netrc,target=/root/.netrc \\\n    go mod download\n",
        "COPY . ./all/\nRUN ls all\n",
        "# Links it.\nRUN --mount=type=bind,source=main.go,target=/src/main.go \\\n    go build -o /app\n",
        "FROM build AS last-one\nCOPY --link --chown=1:1 --from=build /app /bin/\nCOPY --from=alpine:3 /etc/ssl /etc/ssl\nUSER nobody\n",
        "LABEL a=b\nHEALTHCHECK --start-period=10s CMD [\"/bin/app\", \"--health\"]\nSTOPSIGNAL SIGQUIT\nEXPOSE 8080\nCMD [\"/bin/app\"]\n",
    ];
    let places: Vec<usize> = order.into_iter().map(place).collect();
    assert!(places.is_sorted(), "{text}");
    assert!(text.parse::<dockerfile_gen::dockerfile::Dockerfile>().is_ok());
}
