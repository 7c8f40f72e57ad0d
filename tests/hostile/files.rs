//! What is read, and what is written: nothing outside of the project, nothing that waits, nothing that grows without end,
//! and nothing of the user's lost.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A folder with the project `p` in it that is removed with the test.
struct Case(PathBuf);

impl Case {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("hostile-files-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let case = Self(std::env::temp_dir().join(name));
        let _ = fs::remove_dir_all(&case.0);
        fs::create_dir_all(case.0.join("p")).unwrap();
        case.says("a");
        case.put("p/index.js", "app.listen(3000)\n");
        case
    }

    /// Writes a manifest from which another Dockerfile follows.
    fn says(&self, name: &str) {
        let manifest = format!(
            "{{\"name\":\"{name}\",\"dependencies\":{{\"express\":\"4\"}},\"scripts\":{{\"start\":\"node index.js {name}\"}}}}"
        );
        self.put("p/package.json", &manifest);
    }

    fn put(&self, path: &str, text: &str) {
        fs::create_dir_all(self.0.join(path).parent().unwrap()).unwrap();
        fs::write(self.0.join(path), text).unwrap();
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.0.join(path)).unwrap()
    }

    fn link(&self, target: impl AsRef<Path>, path: &str) {
        symlink(target, self.0.join(path)).unwrap();
    }

    fn fifo(&self, path: &str) {
        let _ = fs::remove_file(self.0.join(path));
        assert!(Command::new("mkfifo").arg(self.0.join(path)).status().unwrap().success());
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-dockerfile"));
        command.args(args).current_dir(&self.0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program, which has to end.
    fn run(&self, args: &[&str]) -> Output {
        let mut child = self.command(args).spawn().unwrap();
        let start = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if start.elapsed() > Duration::from_secs(30) {
                child.kill().unwrap();
                panic!("{args:?} waits for ever");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        child.wait_with_output().unwrap()
    }

    /// Runs it, and returns its exit code with all that it said.
    fn said(&self, args: &[&str]) -> (i32, String) {
        let output = self.run(args);
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code().unwrap(), text)
    }

    fn names(&self) -> Vec<String> {
        fs::read_dir(self.0.join("p")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Drop for Case {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_linked_dockerfile_is_neither_printed_nor_copied_nor_written_through() {
    let case = Case::new();
    case.put("outside", "TOP SECRET\n");
    case.link("../outside", "p/Dockerfile");
    for args in [["--check", "p"], ["--diff", "p"], ["context", "p"]] {
        let (code, said) = case.said(&args);
        assert!(code == 2 && !said.contains("SECRET") && said.contains("leads out"), "{args:?} {code} {said}");
    }
    let (code, said) = case.said(&["p"]);
    assert!(code == 2 && said.contains("Dockerfile` is a link"), "{said}");
    assert!(!case.names().contains(&".dockerignore".to_owned()), "all or none");
    assert_eq!(case.said(&["--force", "p"]).0, 0);
    assert!(!fs::symlink_metadata(case.0.join("p/Dockerfile")).unwrap().is_symlink());
    assert_eq!(case.text("outside"), "TOP SECRET\n");
    for name in case.names() {
        assert!(!case.text(&format!("p/{name}")).contains("SECRET"), "{name}");
    }
}

#[test]
fn links_out_of_the_project_are_not_read() {
    for target in ["../outside", "/proc/self/environ", "/dev/zero", "/etc/passwd"] {
        for name in ["package.json", "package-lock.json", "dockerfile.toml", ".dockerignore", ".nvmrc"] {
            let case = Case::new();
            case.put("outside", "TOP SECRET\n");
            let _ = fs::remove_file(case.0.join("p").join(name));
            case.link(target, &format!("p/{name}"));
            let (code, said) = case.said(&["p"]);
            assert!(!said.contains("SECRET") && !said.contains("root:"), "{name} -> {target}: {said}");
            assert!(code == 2 || name.ends_with("lock.json"), "{name} -> {target}: {said}");
        }
    }
}

#[test]
fn links_inside_the_project_are_followed_and_loops_are_not() {
    let case = Case::new();
    case.put("p/real/package.json", &case.text("p/package.json"));
    fs::remove_file(case.0.join("p/package.json")).unwrap();
    case.link("real/package.json", "p/package.json");
    assert_eq!(case.said(&["p"]).0, 0);
    fs::remove_file(case.0.join("p/package.json")).unwrap();
    case.link(case.0.canonicalize().unwrap().join("p/real/package.json"), "p/package.json");
    assert_eq!(case.said(&["--check", "p"]).0, 0, "an absolute link that stays inside");
    case.link("p", "named");
    assert_eq!(case.said(&["--check", "named"]).0, 0, "the user names the project through a link");
    fs::remove_file(case.0.join("p/package.json")).unwrap();
    case.link("package.json", "p/package.json");
    assert_eq!(case.said(&["p"]).0, 2);
}

#[test]
fn a_link_that_leads_nowhere_is_the_projects_fault_and_no_bug() {
    let stacks: [&[(&str, &str)]; 3] = [
        &[("go.mod", "module example.com/a\n\ngo 1.24\n"), ("main.go", "package main\n\nfunc main() {}\n")],
        &[("requirements.txt", "flask\n"), ("app.py", "from flask import Flask\napp = Flask(__name__)\n")],
        &[
            ("package.json", "{\"name\":\"a\",\"scripts\":{\"start\":\"node index.js\"}}"),
            ("index.js", "app.listen(3000)\n"),
        ],
    ];
    let names = [
        "go.sum",
        "go.work.sum",
        "vendor",
        "package-lock.json",
        ".npmrc",
        "patches",
        "prisma",
        "uv.lock",
        "static",
        "web",
    ];
    for (files, name) in stacks.iter().flat_map(|files| names.map(|name| (files, name))) {
        for target in [name, "missing", "../missing", "/missing"] {
            let case = Case::new();
            for old in case.names() {
                fs::remove_file(case.0.join("p").join(old)).unwrap();
            }
            files.iter().for_each(|(path, text)| case.put(&format!("p/{path}"), text));
            case.link(target, &format!("p/{name}"));
            let (_, said) = case.said(&["--print", "p"]);
            assert!(!said.contains("this is a bug"), "{name} -> {target}: {said}");
        }
    }
}

#[test]
fn nothing_that_is_no_file_makes_it_wait() {
    let names =
        ["package.json", "package-lock.json", "x.js", "Dockerfile", ".dockerignore", ".gitignore", "dockerfile.toml"];
    for name in names.into_iter().chain([".git", ".git/index", ".git/HEAD"]) {
        let case = Case::new();
        if name.starts_with(".git/") {
            fs::create_dir(case.0.join("p/.git")).unwrap();
        }
        case.fifo(&format!("p/{name}"));
        let (code, said) = case.said(&["p"]);
        let is_needed = !name.starts_with(".git") && name != "x.js";
        assert_eq!(code, if is_needed { 2 } else { 0 }, "{name}: {said}");
        assert!(!is_needed || said.contains(name), "{said}");
        case.said(&["context", "p"]);
    }
    let case = Case::new();
    case.fifo("p/d");
    let (code, said) = case.said(&["simulate", "--edit", "x", "-f", "p/d", "p"]);
    assert!(code == 2 && said.contains("not a regular file"), "{said}");
    fs::create_dir(case.0.join("p/Dockerfile")).unwrap();
    for args in [["p", "--check"], ["p", "--force"]] {
        let (code, said) = case.said(&args);
        assert!(code == 2 && said.contains("is a folder"), "{said}");
    }
}

#[test]
fn large_files_are_an_error_that_names_file_and_limit() {
    let names = ["package.json", "Dockerfile", ".gitignore", ".dockerignore", "dockerfile.toml"];
    let locks = ["package-lock.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock"];
    for name in names.into_iter().chain(locks) {
        let case = Case::new();
        fs::File::create(case.0.join("p").join(name)).unwrap().set_len(3 << 30).unwrap();
        let (code, said) = case.said(&["--check", "p"]);
        // Of a lockfile that is only scanned no more is asked than whether it is there.
        assert!(code == 2 && said.contains(name) && said.contains("MiB") || locks.contains(&name), "{name}: {said}");
    }
}

/// `text`, with `line` of each number at its end, of `size` bytes.
#[cfg(target_os = "linux")]
fn grown(text: &str, size: usize, line: impl Fn(usize) -> String) -> String {
    let mut text = text.to_owned();
    let mut number = 0;
    while text.len() + 200 < size {
        text.push_str(&line(number));
        number += 1;
    }
    text
}

/// The largest files that are read, made of the shortest things that they can hold. The kernel counts the memory.
#[cfg(target_os = "linux")]
#[test]
fn what_is_large_takes_neither_memory_nor_time_without_end() {
    let peak = |case: &Case| {
        let mut child = case.command(&["--print", "p"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut peak = 0;
        let start = Instant::now();
        while child.try_wait().unwrap().is_none() {
            let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let size = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
            peak = peak.max(size.unwrap_or_default());
            if start.elapsed() > Duration::from_secs(60) {
                child.kill().unwrap();
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        assert!(matches!(child.wait().unwrap().code(), Some(0 | 2)));
        peak / 1024
    };
    let project = "[project]\nname = \"a\"\nversion = \"1\"\ndependencies = [\"flask\"]\n";
    let poetry = "[tool.poetry]\nname = \"a\"\nversion = \"1\"\n[tool.poetry.dependencies]\nflask = \"*\"\n";
    let package = |number| format!("[[package]]\nname = \"p{number}\"\nversion = \"1\"\n");
    let source = |number| package(number) + "source = { registry = \"https://pypi.registry.example/simple\" }\n";
    const MIB: usize = 1 << 20;
    for (manifest, text, name, large) in [
        ("pyproject.toml", project, "uv.lock", grown("version = 1\n", 7 * MIB, package)),
        ("pyproject.toml", project, "uv.lock", grown("version = 1\n", 7 * MIB, source)),
        ("pyproject.toml", poetry, "poetry.lock", grown("", 7 * MIB, package)),
        ("pyproject.toml", poetry, "poetry.lock", grown("", 5 * MIB, package)),
        ("pyproject.toml", "", "requirements.txt", grown("flask\n", 7 * MIB / 2, |number| format!("p{number}\n"))),
        ("x", "", "pyproject.toml", grown(poetry, MIB, |number| format!("p{number} = \"1\"\n"))),
        (
            "x",
            "",
            "pyproject.toml",
            grown("[project]\nname = \"a\"\nversion = \"1\"\ndependencies = [\n\"flask\",\n", MIB, |number| {
                format!("\"p{number}\",\n")
            }) + "]\n",
        ),
    ] {
        let case = Case::new();
        fs::remove_file(case.0.join("p/package.json")).unwrap();
        case.put("p/app.py", "from flask import Flask\napp = Flask(__name__)\n");
        case.put(&format!("p/{manifest}"), text);
        case.put(&format!("p/{name}"), &large);
        let peak = peak(&case);
        assert!((5..256).contains(&peak), "{name}: {peak} MiB");
    }
}

#[test]
fn a_tracked_file_behind_a_linked_folder_is_no_part_of_the_project() {
    let case = Case::new();
    case.put("p/web/package.json", "{\"name\":\"inside\"}");
    case.put("out/package.json", "{\"name\":\"OUTSIDE\"}");
    for args in [&["init", "-q"][..], &["add", "-A"]] {
        assert!(Command::new("git").args(args).current_dir(case.0.join("p")).status().unwrap().success());
    }
    fs::remove_dir_all(case.0.join("p/web")).unwrap();
    case.link("../out", "p/web");
    let (_, said) = case.said(&["plan", "--json", "p"]);
    assert!(!said.contains("web/package.json") && !said.contains("OUTSIDE"), "{said}");
}

#[test]
fn a_git_file_that_names_a_strangers_folder_is_not_believed() {
    let case = Case::new();
    case.put("q/package-lock.json", "{\"lockfileVersion\":3}");
    for args in [&["init", "-q"][..], &["add", "-A"]] {
        assert!(Command::new("git").args(args).current_dir(case.0.join("q")).status().unwrap().success());
    }
    case.put("p/package-lock.json", "{\"lockfileVersion\":3}");
    case.put("p/.gitignore", "package-lock.json\n");
    case.put("p/.git", "gitdir: ../q/.git\n");
    let (_, said) = case.said(&["plan", "--json", "p"]);
    assert!(!said.contains("\"package-lock.json\""), "{said}");
}

#[test]
fn templates_are_not_written_through_a_linked_folder() {
    let case = Case::new();
    fs::create_dir(case.0.join("elsewhere")).unwrap();
    case.link("../elsewhere", "p/dockerfile-templates");
    for force in [&[][..], &["--force"]] {
        let args = [&["init", "--templates", "dockerfile-templates", "p"], force].concat();
        let (code, said) = case.said(&args);
        assert!(code == 2 && said.contains("dockerfile-templates` is a link"), "{said}");
    }
    assert_eq!(fs::read_dir(case.0.join("elsewhere")).unwrap().count(), 0);
    for outside in ["/tmp/templates", "../templates"] {
        let (code, said) = case.said(&["init", "--templates", outside, "p"]);
        assert!(code == 2 && said.contains("is not a folder below"), "{said}");
    }
    assert_eq!(case.said(&["init", "--templates", "in/side", "p"]).0, 0);
    assert!(case.0.join("p/in/side/common/copy.hbs").is_file());
    case.put("toml", "port = 1\n");
    case.link("../toml", "p/dockerfile.toml");
    assert_eq!(case.said(&["init", "p"]).0, 2);
    assert_eq!(case.said(&["init", "--force", "p"]).0, 0);
    assert_eq!(case.text("toml"), "port = 1\n");
}

#[test]
fn what_killed_runs_left_is_removed_and_never_sent() {
    let case = Case::new();
    assert_eq!(case.said(&["p"]).0, 0);
    let draft = ".Dockerfile.cargo-dockerfile-0123456789abcdef";
    let old = format!("p/{draft}.old");
    for name in
        [format!("{draft}.tmp"), format!("{draft}.old"), ".dockerignore.bak".into(), "dockerfile.toml.bak.2".into()]
    {
        let (_, said) = case.said(&["context", "--why", &name, "p"]);
        assert!(said.contains("is left out"), "{said}");
    }
    case.put(&format!("p/{draft}.tmp"), "half of a Docker");
    // The run was killed right after it had replaced what somebody wrote meanwhile.
    case.put(&old, "FROM mine\n");
    case.put("outside", "keep me\n");
    case.link("../outside", "p/.Dockerfile.cargo-dockerfile-0123456789abcde0.tmp");
    assert_eq!(case.said(&["p"]).0, 0);
    assert!(!case.0.join(old).exists() && !case.0.join(format!("p/{draft}.tmp")).exists());
    assert_eq!(case.text("p/Dockerfile.bak"), "FROM mine\n");
    assert_eq!(case.text("outside"), "keep me\n");
}

#[test]
fn a_hard_link_is_parted_and_not_written_through() {
    let case = Case::new();
    case.put("outside", "keep me\n");
    fs::hard_link(case.0.join("outside"), case.0.join("p/Dockerfile")).unwrap();
    assert_eq!(case.said(&["p"]).0, 2);
    assert_eq!(case.said(&["--force", "p"]).0, 0);
    assert_eq!(case.text("outside"), "keep me\n");
}

fn hand_edits_survive(rounds: u64) {
    for round in 0..rounds {
        let case = Case::new();
        assert_eq!(case.said(&["p"]).0, 0);
        case.says("b");
        let mut child = case.command(&["p"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_micros(round * 7919 % 16_000));
        fs::write(case.0.join("p/Dockerfile"), "FROM mine\n").unwrap();
        child.wait().unwrap();
        assert_eq!(case.text("p/Dockerfile"), "FROM mine\n", "round {round}");
    }
}

#[test]
fn a_hand_edit_that_arrives_meanwhile_survives() {
    hand_edits_survive(40);
}

fn kills_lose_nothing(rounds: u64) {
    for round in 0..rounds {
        let case = Case::new();
        case.put("p/Dockerfile", "FROM mine\n");
        let mut child = case.command(&["--force", "p"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_micros(round * 7919 % 16_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let is_there = || case.names().iter().any(|name| case.text(&format!("p/{name}")) == "FROM mine\n");
        assert!(is_there(), "round {round}");
        let dockerfile = case.text("p/Dockerfile");
        assert!(dockerfile == "FROM mine\n" || dockerfile.contains("\nCMD "), "round {round}: {dockerfile}");
        assert_eq!(case.said(&["--force", "p"]).0, 0);
        assert!(is_there() && !case.names().iter().any(|name| name.contains("cargo-dockerfile-")), "round {round}");
    }
}

#[test]
fn a_killed_run_loses_nothing() {
    kills_lose_nothing(40);
}

#[test]
#[ignore = "1,000 runs take minutes"]
fn a_thousand_kills_and_edits_lose_nothing() {
    kills_lose_nothing(1000);
    hand_edits_survive(200);
}

fn parallel_runs(case: &Case, rounds: usize, start: &dyn Fn() -> Command) {
    for round in 0..rounds {
        case.says(&format!("n{round}"));
        let started: Vec<_> =
            (0..6).map(|_| start().stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()).collect();
        for child in started {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        assert_eq!(case.said(&["--check", "p"]).0, 0);
    }
}

#[test]
fn parallel_runs_wait_for_each_other() {
    let case = Case::new();
    parallel_runs(&case, 5, &|| case.command(&["p"]));
}

#[test]
#[ignore = "needs root, for unshare"]
fn parallel_runs_of_several_containers_wait_for_each_other() {
    let case = Case::new();
    parallel_runs(&case, 20, &|| {
        let mut command = Command::new("unshare");
        command.args(["-pf", "--kill-child", env!("CARGO_BIN_EXE_cargo-dockerfile"), "p"]).current_dir(&case.0);
        command
    });
}
