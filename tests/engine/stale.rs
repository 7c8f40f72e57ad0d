//! Never stale: whatever happened to the files between two builds, the binary is the one that the sources say.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::harness::{Project, run};

/// A program that prints what its module, its build script's input and its features say.
const FILES: [(&str, &str); 5] = [
    (
        "Cargo.toml",
        "[package]\nname = \"stale\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[features]\ndefault = []\nloud = []\n",
    ),
    (
        "build.rs",
        "fn main() {\n    let text = std::fs::read_to_string(\"data.txt\").unwrap();\n    \
         println!(\"cargo::rerun-if-changed=data.txt\");\n    println!(\"cargo::rustc-env=DATA={}\", text.trim());\n}\n",
    ),
    ("data.txt", "data one\n"),
    ("src/part.rs", "pub const PART: &str = \"part one\";\n"),
    (
        "src/main.rs",
        "mod part;\n\nfn main() {\n    let loud = if cfg!(feature = \"loud\") { \"loud\" } else { \"quiet\" };\n    \
         println!(\"{}, {}, {loud}\", part::PART, env!(\"DATA\"));\n}\n",
    ),
];

fn put(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Sets the time of every file.
fn date(root: &Path, seconds: u64) {
    let mut open: Vec<PathBuf> = vec![root.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(path).unwrap().flatten().map(|entry| entry.path()));
        } else {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            fs::File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
        }
    }
}

fn program(name: &str) -> Project {
    let project = Project::empty(name);
    // A name of its own: other runs left their caches behind.
    let package = format!("stale-{name}-{}", std::process::id());
    for (path, text) in FILES {
        put(&project.root, path, &text.replace("name = \"stale\"", &format!("name = \"{package}\"")));
    }
    run("cargo", &["generate-lockfile", "--manifest-path", project.root.join("Cargo.toml").to_str().unwrap()]);
    project.generate();
    project
}

impl Project {
    /// Builds, runs, and compares what the program says.
    #[track_caller]
    fn says(&self, what: &str) {
        self.build(&[]);
        assert_eq!(run("docker", &["run", "--rm", &self.image]).trim(), what);
    }
}

#[test]
#[ignore = "needs a docker engine"]
fn another_branch_whose_files_are_older() {
    let project = program("branch");
    project.says("part one, data one, quiet");
    // As after `git switch` in a checkout that an archive or a cache restored: other content, and older.
    project.edit("src/part.rs", "part one", "part two");
    date(&project.root, 1_000_000_000);
    project.says("part two, data one, quiet");
    project.edit("src/part.rs", "part two", "part one");
    date(&project.root, 900_000_000);
    project.says("part one, data one, quiet");
}

#[test]
#[ignore = "needs a docker engine"]
fn an_older_time_with_other_content_of_one_length() {
    for options in ["", "incremental = true\n"] {
        let project = program(if options.is_empty() { "older" } else { "older-incremental" });
        put(&project.root, "dockerfile.toml", options);
        project.generate();
        date(&project.root, 1_700_000_000);
        project.says("part one, data one, quiet");
        project.edit("src/part.rs", "part one", "part 111");
        date(&project.root, 1_600_000_000);
        project.says("part 111, data one, quiet");
    }
}

#[test]
#[ignore = "needs a docker engine"]
fn two_checkouts_on_one_builder() {
    let one = program("checkouts");
    let mut two = Project::empty("checkouts-2");
    two.image = format!("{}-2", one.image);
    for entry in ["Cargo.toml", "Cargo.lock", "build.rs", "data.txt", "Dockerfile", ".dockerignore"] {
        fs::copy(one.root.join(entry), two.root.join(entry)).unwrap();
    }
    put(&two.root, "src/main.rs", FILES[4].1);
    put(&two.root, "src/part.rs", "pub const PART: &str = \"part two\";\n");
    date(&two.root, 1_000_000_000);
    for _ in 0..2 {
        one.says("part one, data one, quiet");
        two.says("part two, data one, quiet");
        // Otherwise the engine has the answer already.
        one.append("src/main.rs", "// more\n");
        two.append("src/main.rs", "// more\n");
    }
}

#[test]
#[ignore = "needs a docker engine"]
fn an_input_of_the_build_script_and_a_feature() {
    let project = program("inputs");
    project.says("part one, data one, quiet");
    project.edit("data.txt", "one", "two");
    date(&project.root, 1_000_000_000);
    project.says("part one, data two, quiet");
    project.edit("Cargo.toml", "default = []", "default = [\"loud\"]");
    project.says("part one, data two, loud");
    project.edit("Cargo.toml", "default = [\"loud\"]", "default = []");
    put(&project.root, "dockerfile.toml", "features = [\"loud\"]\n");
    project.generate();
    project.says("part one, data two, loud");
}

#[test]
#[ignore = "needs a docker engine"]
fn a_deleted_module_and_a_renamed_binary() {
    let project = program("deleted");
    project.says("part one, data one, quiet");
    fs::remove_file(project.root.join("src/part.rs")).unwrap();
    let failed = std::panic::catch_unwind(|| project.build(&[]));
    assert!(failed.is_err(), "a module that is gone was compiled");
    put(&project.root, "src/part/mod.rs", "pub const PART: &str = \"part folder\";\n");
    project.says("part folder, data one, quiet");
    // Both there is an error of rustc's; so the one that is gone has to be gone in the cache, too.
    fs::remove_dir_all(project.root.join("src/part")).unwrap();
    put(&project.root, "src/part.rs", "pub const PART: &str = \"part file\";\n");
    project.says("part file, data one, quiet");
    project.append("Cargo.toml", "\n[[bin]]\nname = \"renamed\"\npath = \"src/renamed.rs\"\n");
    fs::rename(project.root.join("src/main.rs"), project.root.join("src/renamed.rs")).unwrap();
    project.generate();
    project.says("part file, data one, quiet");
    let entry = run("docker", &["inspect", "-f", "{{json .Config.Entrypoint}}", &project.image]);
    assert!(entry.contains("/renamed"), "{entry}");
}

/// What a build script writes beside its sources is there for the next build, which does not run the script again; and
/// a source that replaces it counts.
#[test]
#[ignore = "needs a docker engine"]
fn what_the_build_script_writes_beside_the_sources() {
    let project = program("beside");
    let script = "fn main() {\n    println!(\"cargo::rerun-if-changed=data.txt\");\n    \
                  std::fs::copy(\"data.txt\", \"src/made.txt\").unwrap();\n}\n";
    put(&project.root, "build.rs", script);
    put(&project.root, "src/main.rs", "fn main() {\n    print!(\"{}\", include_str!(\"made.txt\"));\n}\n");
    project.says("data one");
    project.append("src/main.rs", "// an edit\n");
    project.says("data one");
    project.edit("data.txt", "one", "two");
    project.says("data two");
    put(&project.root, "src/made.txt", "made by hand");
    project.says("made by hand");
}

/// A step of the user's runs where the sources are, and what it writes is built.
#[test]
#[ignore = "needs a docker engine"]
fn what_a_step_writes() {
    let project = program("step");
    let step = "[[steps]]\nname = \"words\"\nrun = \"tr a-z A-Z < data.txt > src/words.txt\"\nneeds = [\"sources\"]\n";
    put(&project.root, "dockerfile.toml", step);
    put(&project.root, "src/main.rs", "fn main() {\n    print!(\"{}\", include_str!(\"words.txt\"));\n}\n");
    project.generate();
    project.says("DATA ONE");
    project.edit("data.txt", "one", "two");
    project.says("DATA TWO");
}

/// A dependency that the Dockerfile does not declare yet is compiled in `build`; one that it declares and that cannot
/// be resolved any more stops nothing.
#[test]
#[ignore = "needs a docker engine"]
fn a_declaration_that_is_behind() {
    let project = program("behind");
    let manifest = project.root.join("Cargo.toml");
    let manifest = manifest.to_str().unwrap();
    let lock = || run("cargo", &["update", "--workspace", "--manifest-path", manifest]);
    project.append("Cargo.toml", "\n[dependencies]\nfnv = { version = \"1\", features = [\"std\"] }\n");
    lock();
    put(&project.root, "src/main.rs", "fn main() {\n    let _ = fnv::FnvHasher::default();\n    print!(\"fnv\");\n}\n");
    project.says("fnv");
    project.generate();
    let dockerfile = project.root.join("Dockerfile");
    let text = fs::read_to_string(&dockerfile).unwrap();
    fs::write(dockerfile, text.replace("[\"std\"]", "[\"gone\"]")).unwrap();
    project.append("src/main.rs", "// an edit\n");
    project.says("fnv");
}
