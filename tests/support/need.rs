//! What a test needs of the machine.
#![allow(dead_code)]

use std::io::Write as _;
use std::process::Command;

/// Whether the machine has this program; see [`need_that`].
pub(crate) fn need(program: &str) -> bool {
    need_that(program, &["--version"])
}

/// Whether the machine has the program, in a version with which this command succeeds.
///
/// # Panics
/// In CI, where a test that checks nothing must not pass: [`skipped`].
pub(crate) fn need_that(program: &str, args: &[&str]) -> bool {
    let found = Command::new(program).args(args).output().is_ok_and(|out| out.status.success());
    if !found {
        skipped(&format!("needs `{program} {}`", args.join(" ")));
    }
    found
}

/// Says that the running test checks nothing here.
///
/// # Panics
/// Where `CI=true` is set.
pub(crate) fn skipped(reason: &str) {
    let thread = std::thread::current();
    let text = format!("SKIPPED {}: {reason}\n", thread.name().unwrap_or("a test"));
    assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true" || ci == "1"), "with CI=true nothing is skipped: {text}");
    // Not `eprintln!`: the harness shows its output only when a test fails.
    let _ = std::io::stderr().write_all(text.as_bytes());
}
