//! Git, asked through its plumbing.
//!
//! Input: arguments. Output: what git prints, record by record. The one idea: a repository is not trusted, and neither
//! is the user's configuration: no hook, filter, pager or fetch is started, and names come with a NUL behind them.
//! Whose repositories git reads at all stays the decision of the user's `safe.directory`.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::error::{Error, Result};
use crate::process;

/// Git in one folder.
#[derive(Clone, Debug)]
pub(super) struct Git {
    folder: PathBuf,
}

/// Variables by which git would look at another repository than that of the folder.
const REPOSITORY: [&str; 11] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
];

impl Git {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let folder = std::path::absolute(&self.folder).unwrap_or_else(|_| self.folder.clone());
        // A git that is not there fails to start, which is the error that says so.
        let program = process::program("git", &folder).unwrap_or_else(|| "/nonexistent/git".into());
        let mut command = Command::new(program);
        command.env("PATH", process::search_path(&folder)).current_dir(process::neutral_folder());
        for variable in REPOSITORY {
            command.env_remove(variable);
        }
        command
            .args(["--no-replace-objects", "--no-optional-locks", "--literal-pathspecs", "--no-pager", "-C"])
            .arg(&folder)
            .args(["-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "-c", "diff.orderFile="])
            .args(["-c", "core.hooksPath=/dev/null", "-c", "core.alternateRefsCommand=true"])
            // Files that lie in a work tree like any other could be taken for a repository, with a configuration.
            .args(["-c", "safe.bareRepository=explicit"])
            .args(["-c", "diff.renames=false", "-c", "diff.relative=false", "-c", "diff.ignoreSubmodules=none"])
            .args(arguments)
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0")
            // A partial clone would fetch what is missing, with whatever program its configuration names.
            .env("GIT_NO_LAZY_FETCH", "1")
            // A git that does not know that variable yet (before 2.45) may start a fetch, which finds no way out.
            .env("GIT_ALLOW_PROTOCOL", "none")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn spawn(&self, command: &mut Command) -> Result<Child> {
        command.spawn().map_err(|source| self.unstarted(source))
    }

    fn run(&self, arguments: &[&str]) -> Result<process::Output> {
        process::run(&mut self.command(arguments)).map_err(|source| self.unstarted(source))
    }

    fn unstarted(&self, source: std::io::Error) -> Error {
        match source.kind() {
            std::io::ErrorKind::NotFound => Error::History {
                reason: "`git` is not installed".to_owned(),
                hint: "install git, or leave the history out".to_owned(),
            },
            _ => Error::Read { path: self.folder.clone(), source },
        }
    }

    /// What git prints, without the last line end.
    pub(super) fn line(&self, arguments: &[&str]) -> Result<String> {
        let output = self.run(arguments)?;
        if !output.status.success() {
            return Err(failure(&self.folder, &output.stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned())
    }

    /// Whether git ends well.
    pub(super) fn succeeds(&self, arguments: &[&str]) -> Result<bool> {
        let output = self.run(arguments)?;
        Ok(output.status.success())
    }

    /// What git prints, one record at a time.
    pub(super) fn records(&self, arguments: &[&str]) -> Result<Records> {
        self.records_of(arguments, None)
    }

    /// As [`Self::records`], with something to read.
    pub(super) fn records_from(&self, arguments: &[&str], input: String) -> Result<Records> {
        self.records_of(arguments, Some(input))
    }

    fn records_of(&self, arguments: &[&str], input: Option<String>) -> Result<Records> {
        let mut command = self.command(arguments);
        if input.is_some() {
            command.stdin(Stdio::piped());
        }
        let mut child = self.spawn(&mut command)?;
        // Git would wait for its output to be read while its input is still being written.
        let writer = child.stdin.take().zip(input).map(|(mut stdin, input)| {
            std::thread::spawn(move || {
                // What git does not read it will complain about itself.
                let _ = stdin.write_all(input.as_bytes());
            })
        });
        let stdout = child.stdout.take().map(BufReader::new);
        Ok(Records { folder: self.folder.clone(), child, stdout, writer })
    }

    /// Reads blobs by name. Git is started with the first.
    pub(super) fn blobs(&self) -> Arc<Blobs> {
        Arc::new(Blobs { git: self.clone(), process: Mutex::new(None) })
    }
}

/// What git said, as an error.
fn failure(folder: &Path, stderr: &[u8]) -> Error {
    let text = String::from_utf8_lossy(stderr);
    let said = text.lines().find(|line| !line.is_empty()).unwrap_or("git failed").trim_start_matches("fatal: ");
    let hint = if said.contains("not a git repository") {
        "run in a folder of a repository; a copy without `.git` has no history"
    } else if said.contains("dubious ownership") {
        "the repository belongs to somebody else; `git config --global --add safe.directory FOLDER` says that you trust it"
    } else if said.contains("unknown revision")
        || said.contains("Needed a single revision")
        || said.contains("bad revision")
    {
        "the repository has no such commit; in a shallow clone `git fetch --unshallow` brings the older ones"
    } else {
        "`git fsck` finds out what is wrong with the repository; in a partial or shallow clone fetch what is missing"
    };
    Error::History { reason: format!("`{}`: {said}", folder.display()), hint: hint.to_owned() }
}

/// What git prints, one record at a time.
pub(super) struct Records {
    folder: PathBuf,
    child: Child,
    stdout: Option<BufReader<ChildStdout>>,
    writer: Option<JoinHandle<()>>,
}

impl Records {
    /// The next record, without its NUL. Names that are not UTF-8 become names that no file has.
    pub(super) fn next(&mut self) -> Result<Option<String>> {
        let Some(stdout) = &mut self.stdout else { return Ok(None) };
        let mut bytes = Vec::new();
        stdout.read_until(0, &mut bytes).map_err(|source| Error::Read { path: self.folder.clone(), source })?;
        if bytes.is_empty() {
            return Ok(None);
        }
        if bytes.last() == Some(&0) {
            bytes.pop();
        }
        Ok(Some(String::from_utf8(bytes).unwrap_or_else(|bad| String::from_utf8_lossy(bad.as_bytes()).into_owned())))
    }

    /// Checks that git ended well.
    pub(super) fn finish(&mut self) -> Result<()> {
        drop(self.stdout.take());
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
        let mut said = Vec::new();
        if let Some(stderr) = &mut self.child.stderr {
            let _ = stderr.read_to_end(&mut said);
        }
        let status = self.child.wait().map_err(|source| Error::Read { path: self.folder.clone(), source })?;
        if status.success() { Ok(()) } else { Err(failure(&self.folder, &said)) }
    }
}

impl Drop for Records {
    fn drop(&mut self) {
        // After an error nobody reads on.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `git cat-file --batch`, asked for one blob at a time.
#[derive(Debug)]
pub(super) struct Blobs {
    git: Git,
    process: Mutex<Option<Process>>,
}

#[derive(Debug)]
struct Process {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Blobs {
    /// The bytes of a blob.
    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>> {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        if process.is_none() {
            *process = Some(self.start()?);
        }
        let read = process.as_mut().map(|process| process.read(name));
        match read {
            Some(Ok(Some(bytes))) => Ok(bytes),
            Some(Ok(None)) => Err(Error::History {
                reason: format!("blob {name} is missing"),
                hint: "the clone is partial; fetch what is missing, or clone without `--filter`".to_owned(),
            }),
            Some(Err(source)) => {
                *process = None;
                Err(Error::Read { path: self.git.folder.clone(), source })
            }
            None => Ok(Vec::new()),
        }
    }

    fn start(&self) -> Result<Process> {
        let mut command = self.git.command(&["cat-file", "--batch"]);
        command.stdin(Stdio::piped()).stderr(Stdio::null());
        let mut child = self.git.spawn(&mut command)?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(stdin), Some(stdout)) => Ok(Process { child, stdin, stdout: BufReader::new(stdout) }),
            _ => Err(Error::Read { path: self.git.folder.clone(), source: std::io::ErrorKind::BrokenPipe.into() }),
        }
    }
}

impl Process {
    fn read(&mut self, name: &str) -> std::io::Result<Option<Vec<u8>>> {
        writeln!(self.stdin, "{name}")?;
        self.stdin.flush()?;
        let mut head = String::new();
        self.stdout.read_line(&mut head)?;
        // `<name> blob <size>`, or `<name> missing`.
        let Some(size) = head.trim_end().rsplit(' ').next().and_then(|size| size.parse::<u64>().ok()) else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        (&mut self.stdout).take(size).read_to_end(&mut bytes)?;
        let mut end = [0];
        self.stdout.read_exact(&mut end)?;
        Ok(Some(bytes))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
