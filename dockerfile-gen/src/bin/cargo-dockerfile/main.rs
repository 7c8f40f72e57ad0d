//! `cargo dockerfile`: the command line over the library.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod args;
mod context;
mod init;
mod learn;
mod report;
mod simulate;

use std::process::ExitCode;

use args::{Args, Command, GenerateArgs, InitArgs, PlanArgs};
use clap::{CommandFactory, Parser};
use dockerfile_gen::{Error, Overwrite, Status, generate};

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
    let args = Args::parse_from(words);
    let done = match args.command {
        None => run_generate(&args.generate),
        Some(Command::Generate(generate)) => run_generate(&generate),
        Some(Command::Plan(plan)) => run_plan(&plan),
        Some(Command::Init(init)) => run_init(&init),
        Some(Command::Simulate(args)) => simulate::run(&args).map(|()| FRESH),
        Some(Command::Context(args)) => context::run(&args).map(|()| FRESH),
        Some(Command::Learn(args)) => learn::run(&args).map(|()| FRESH),
        Some(Command::Completions { shell }) => {
            clap_complete::generate(shell, &mut Args::command(), "cargo-dockerfile", &mut std::io::stdout());
            Ok(FRESH)
        }
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            report::error(&error);
            ExitCode::from(FAILED)
        }
    }
}

fn run_generate(args: &GenerateArgs) -> Result<u8, Error> {
    let root = &args.project.path;
    let generated = generate(root, args.project.layer()?)?;
    if args.print {
        report::files(&generated);
        report::warnings(&generated);
        return Ok(FRESH);
    }
    let statuses = if args.check || args.diff {
        generated.files.check(root)?
    } else {
        let overwrite = if args.force { Overwrite::Backup } else { Overwrite::Refuse };
        generated.files.write(root, overwrite)?
    };
    let stale = statuses.values().any(|status| matches!(status, Status::Stale { .. }));
    if args.json {
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
        print!("{}", init::CONFIG);
        return Ok(FRESH);
    }
    let written = init::write(&args.path, args.templates.as_deref(), args.force)?;
    report::written(&written);
    Ok(FRESH)
}
