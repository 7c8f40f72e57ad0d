//! `cargo dockerfile`: the command line over the library.

mod args;
mod context;
mod init;
mod learn;
mod report;
mod settings;
mod simulate;
mod terminal;

use std::process::ExitCode;

use args::{Args, Command, GenerateArgs, InitArgs, MessageFormat, PlanArgs};
use clap::{CommandFactory, Parser};
use dockerfile_gen::{Error, Overwrite, Status, generate};
use terminal::BAD;

/// Exit codes, as `diff` and `grep` have them.
const FRESH: u8 = 0;
const STALE: u8 = 1;
const FAILED: u8 = 2;

fn main() -> ExitCode {
    let mut words: Vec<std::ffi::OsString> = std::env::args_os().collect();
    // cargo runs `cargo-dockerfile dockerfile …`; called directly there is no such word.
    if words.get(1).is_some_and(|word| word == "dockerfile") {
        words.remove(1);
    }
    let code = match Args::try_parse_from(words) {
        Ok(args) => run(args),
        Err(usage) => explain(&usage),
    };
    match terminal::finish() {
        Ok(()) => ExitCode::from(code),
        Err(error) => {
            terminal::message(&BAD, "error", &format!("could not write to stdout: {error}"));
            ExitCode::from(FAILED)
        }
    }
}

/// Prints the help that was asked for, or what is wrong with the arguments.
fn explain(usage: &clap::Error) -> u8 {
    let code = u8::try_from(usage.exit_code()).unwrap_or(FAILED);
    match usage.print() {
        Err(error) if !usage.use_stderr() && error.kind() != std::io::ErrorKind::BrokenPipe => {
            terminal::message(&BAD, "error", &format!("could not write to stdout: {error}"));
            FAILED
        }
        _ => code,
    }
}

fn run(args: Args) -> u8 {
    let done = match args.command {
        None => run_generate(&args.generate),
        Some(Command::Generate(generate)) => run_generate(&generate),
        Some(Command::Plan(plan)) => run_plan(&plan),
        Some(Command::Init(init)) => run_init(&init),
        Some(Command::Simulate(args)) => simulate::run(&args).map(|()| FRESH),
        Some(Command::Context(args)) => context::run(&args).map(|()| FRESH),
        Some(Command::Learn(args)) => learn::run(&args).map(|()| FRESH),
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "cargo-dockerfile", &mut script);
            terminal::data(&String::from_utf8_lossy(&script));
            Ok(FRESH)
        }
    };
    done.unwrap_or_else(|error| {
        report::error(&error);
        FAILED
    })
}

fn run_generate(args: &GenerateArgs) -> Result<u8, Error> {
    let root = &args.project.path;
    let generated = generate(root, args.project.layer()?)?;
    if args.print {
        report::files(&generated);
        report::warnings(&generated);
        return Ok(FRESH);
    }
    let statuses = if args.check || args.diff || args.json {
        generated.files.check(root)?
    } else {
        let overwrite = if args.force { Overwrite::Backup } else { Overwrite::Refuse };
        generated.files.write(root, overwrite)?
    };
    let stale = statuses.values().any(|status| matches!(status, Status::Stale { .. }));
    if args.json || args.message_format == MessageFormat::Json {
        report::json(&generated, Some(&statuses));
    } else {
        report::summary(root, &generated, &statuses);
    }
    Ok(if stale && args.check { STALE } else { FRESH })
}

fn run_plan(args: &PlanArgs) -> Result<u8, Error> {
    let generated = generate(&args.project.path, args.project.layer()?)?;
    if args.json {
        report::json(&generated, None);
    } else {
        report::plan(&generated);
    }
    Ok(FRESH)
}

fn run_init(args: &InitArgs) -> Result<u8, Error> {
    if args.print {
        terminal::data(&init::config());
        return Ok(FRESH);
    }
    let written = init::write(&args.path, args.templates.as_deref(), args.force)?;
    report::written(&written);
    Ok(FRESH)
}
