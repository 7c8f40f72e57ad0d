//! How other programs are started: `cargo`, and `git` for the history.
//!
//! Input: the name of a program and a folder that a stranger may have written. Output: a [`Command`] or what it printed.
//! The one idea: the folder never decides which program runs. A program is an absolute path outside of the folder, it
//! starts in a folder that only an administrator can write to, and it is given the variables that it is known to need.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// What `cargo` may see of the environment: where its own files lie, and how the system is told apart. A variable such
/// as `RUSTC_WRAPPER` or `CARGO_BUILD_RUSTC` names a program, and stays outside.
const CARGO_NEEDS: [&str; 17] = [
    "HOME",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "ProgramData",
    "SystemRoot",
    "SystemDrive",
    "TEMP",
    "TMP",
    "TMPDIR",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "DYLD_FALLBACK_LIBRARY_PATH",
    // Lets the stable cargo read a manifest with unstable features.
    "RUSTC_BOOTSTRAP",
    "__CARGO_TEST_CHANNEL_OVERRIDE_DO_NOT_USE_THIS",
];

/// Folders that cargo and rustup keep their files in. They would read a relative one from the folder they start in.
const CARGO_HOMES: [&str; 2] = ["CARGO_HOME", "RUSTUP_HOME"];

/// `cargo`, without a network, with a toolchain that neither `project` nor a folder above it chooses.
///
/// rustup looks for a toolchain file, and cargo for `.cargo/config.toml`, in the folder that they start in and in all
/// above it: a temporary folder would do for neither, because everybody can write to `/tmp`.
pub(crate) fn cargo(project: &Path) -> Option<Command> {
    let mut command = Command::new(cargo_program(project)?);
    command.env_clear().current_dir(neutral_folder()).stdin(Stdio::null());
    command.env("PATH", search_path(project));
    command.envs(CARGO_NEEDS.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    for name in CARGO_HOMES {
        if let Some(home) = std::env::var_os(name).filter(|home| !home.is_empty()) {
            command.env(name, std::path::absolute(&home).unwrap_or_else(|_| home.into()));
        }
    }
    if let Some(toolchain) = toolchain(project) {
        command.env("RUSTUP_TOOLCHAIN", toolchain);
    }
    command.env("RUSTUP_AUTO_INSTALL", "0").env("CARGO_NET_OFFLINE", "true").env("CARGO_TERM_COLOR", "never");
    Some(command)
}

/// The cargo that started this process, or else the first of `PATH`.
fn cargo_program(project: &Path) -> Option<PathBuf> {
    let caller = std::env::var_os("CARGO").map(PathBuf::from);
    caller.filter(|path| is_usable(path, project)).or_else(|| program("cargo", project))
}

/// The toolchain that the user named (`cargo +nightly`, or the variable), or else rustup's default. Without rustup it
/// means nothing.
fn toolchain(project: &Path) -> Option<OsString> {
    let named = std::env::var_os("RUSTUP_TOOLCHAIN").filter(|name| !name.is_empty());
    // A name is that of an installed toolchain; a path may lead anywhere.
    let is_path = |name: &OsStr| Path::new(name).components().count() > 1 || name == "." || name == "..";
    named
        .filter(|name| !is_path(name) || is_usable(Path::new(name), project))
        .or_else(|| rustup_default().map(Into::into))
}

fn rustup_default() -> Option<String> {
    let home = std::env::var_os("RUSTUP_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    let home = home.or_else(|| Some(home_folder()?.join(".rustup")))?;
    let settings: toml::Table = toml::from_str(&crate::tree::named(&home.join("settings.toml"), None).ok()?).ok()?;
    settings.get("default_toolchain")?.as_str().map(str::to_owned)
}

/// The first program of that name in `PATH` that does not lie in `project`.
pub(crate) fn program(name: &str, project: &Path) -> Option<PathBuf> {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    search_folders(project)
        .into_iter()
        .map(|dir| dir.join(&file))
        .find(|path| is_usable(path, project) && is_program(path))
}

/// `PATH` without the entries that a project could put a program into: relative ones, empty ones (which are the current
/// folder), and those inside of it.
pub(crate) fn search_path(project: &Path) -> OsString {
    std::env::join_paths(search_folders(project)).unwrap_or_default()
}

fn search_folders(project: &Path) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).filter(|dir| is_usable(dir, project)).collect()
}

/// Whether the place is the user's own: an absolute path that does not lead into `project`.
fn is_usable(path: &Path, project: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let project = real(project);
    let home = home_folder().map(|home| real(&home));
    // Who keeps the home folder itself, or `/`, as a project has all programs of their own in it.
    let is_strange = |root: &&Path| !home.as_ref().is_some_and(|home| home.starts_with(root));
    let repository = project.ancestors().find(|dir| dir.join(".git").exists());
    let place = real(path);
    let mut roots = [Some(project.as_path()), repository].into_iter().flatten().filter(is_strange);
    path.is_absolute() && !roots.any(|root| path.starts_with(root) || place.starts_with(root))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

fn home_folder() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| home.is_absolute())
}

/// A folder that no other user can write to, and none above it either.
pub(crate) fn neutral_folder() -> PathBuf {
    if cfg!(unix) {
        return "/".into();
    }
    std::env::var_os("SystemRoot").map(PathBuf::from).or_else(home_folder).unwrap_or_else(|| "/".into())
}

/// What a program printed, and how it ended.
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

/// A program reads what the project names; a named pipe among that would keep it forever.
const LONGEST: Duration = Duration::from_secs(30);

/// Runs to the end and collects what is printed.
///
/// # Errors
/// If the program cannot be started, or has not ended after half a minute: it is killed then.
pub(crate) fn run(command: &mut Command) -> io::Result<Output> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let end = Instant::now() + LONGEST;
    let text = |from: &mpsc::Receiver<Vec<u8>>| from.recv_timeout(end.saturating_duration_since(Instant::now()));
    let (Ok(stdout), Ok(stderr)) = (text(&stdout), text(&stderr)) else {
        // It may have ended meanwhile, which is as good.
        let _ = child.kill();
        let _ = child.wait();
        return Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer after {} s", LONGEST.as_secs())));
    };
    Ok(Output { status: child.wait()?, stdout, stderr })
}

fn collect(from: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut from) = from {
            // What was read before an error is what there is.
            let _ = from.read_to_end(&mut bytes);
        }
        // Nobody waits any more after the time limit.
        let _ = send.send(bytes);
    });
    receive
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_inside_of_the_project_or_without_a_root_is_not_used() {
        let project = Path::new("/nowhere/project");
        for path in ["cargo", "./cargo", "", "bin", "/nowhere/project/bin/cargo", "/nowhere/project"] {
            assert!(!is_usable(Path::new(path), project), "{path}");
        }
        assert!(is_usable(Path::new("/usr/bin/cargo"), project));
        assert!(is_usable(Path::new("/usr/bin/cargo"), Path::new("/")), "a container's root folder is a project too");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_printed_is_collected_from_both_streams() {
        let output = run(Command::new("/bin/sh").args(["-c", "echo a; echo b >&2; exit 3"])).unwrap();
        assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b"a\n"[..], &b"b\n"[..]));
        assert_eq!(output.status.code(), Some(3));
    }
}
