//! Every folder in `corpus` is a Dockerfile that BuildKit accepts, every folder in `corpus-negative` one that
//! it refuses. `result` beside it says what is read; `UPDATE_EXPECT=1 cargo test --test model corpus::` writes it anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use dockerfile_gen::dockerfile::{
    Arguments, Command, Dockerfile, Healthcheck, Instruction, Pair, ParseError, Phase, RunCommand, Source, Transfer,
    Word, default_platform,
};
use similar::TextDiff;

#[test]
fn what_buildkit_accepts_is_read() {
    run("corpus", 35, |text| {
        let (file, errors) = Dockerfile::parse_lenient(text);
        if let Some(error) = errors.iter().find(|error| error.phase == Phase::Parse) {
            return Err(format!("refused: {error}"));
        }
        Ok(dump(&file) + &list(&errors))
    });
}

#[test]
fn what_buildkit_refuses_is_refused_with_place_and_remedy() {
    run("corpus-negative", 20, |text| {
        let Err(error) = text.parse::<Dockerfile>() else { return Err("accepted".into()) };
        let (file, errors) = Dockerfile::parse_lenient(text);
        if !errors.contains(&error) {
            return Err(format!("reading on loses the error {error}"));
        }
        let mut out = format!("error: {error}\nhelp: {}\n\nread on:\n", error.remedy());
        out += &dump(&file);
        out += &list(&errors);
        Ok(out)
    });
}

#[test]
fn the_same_bytes_come_back() {
    for (name, text) in cases("corpus").into_iter().chain(cases("corpus-negative")) {
        let (file, _) = Dockerfile::parse_lenient(&text);
        assert_eq!(file.to_string(), text, "{name}");
        for instruction in &file.instructions {
            let written = file.text(instruction.name.span).replace("\\\n", "");
            assert_eq!(written, instruction.name.text, "{name}");
            assert_eq!(file.position(instruction.span.start).line, instruction.line, "{name}");
            for heredoc in &instruction.heredocs {
                assert_eq!(file.text(heredoc.body_span), heredoc.body, "{name}");
            }
        }
    }
}

/// Where another parser is known to read something else than BuildKit does.
const PARSE_DOCKERFILE_DIFFERS: &[(&str, &str)] = &[
    ("byte-order-mark", "does not count the mark in its places"),
    ("cmd-and-entrypoint", "refuses `ENTRYPOINT []`"),
    ("directive-without-value", "takes it for a directive"),
    ("directives-indented", "takes an indented directive for a comment"),
    ("flags-end", "does not know `--`"),
    ("heredoc-after-continuation", "knows heredocs as first words only"),
    ("heredoc-file-descriptor", "knows no file descriptors"),
    ("heredoc-later-word", "knows heredocs as first words only"),
    ("heredoc-name-runs-on", "knows heredocs as first words only"),
    ("heredoc-several", "reads one heredoc of several"),
    ("heredoc-space-before-name", "knows no space before the delimiter"),
    ("no-break-space", "does not strip white space outside ASCII"),
    ("onbuild-unchecked", "checks what `ONBUILD` would trigger"),
    ("run", "refuses `RUN []`"),
    ("two-backslashes-end-the-line", "takes an escaped backslash for a continuation"),
];

#[test]
fn another_parser_agrees_on_where_instructions_begin() {
    let mut differs = BTreeSet::new();
    for (name, text) in cases("corpus") {
        let (file, _) = Dockerfile::parse_lenient(&text);
        let ours: Vec<usize> = file.instructions.iter().map(|instruction| instruction.name.span.start).collect();
        let theirs = parse_dockerfile::parse(&text).map(|file| file.instructions.iter().map(begin).collect::<Vec<_>>());
        if theirs.ok().as_ref() != Some(&ours) {
            differs.insert(name);
        }
    }
    let known: BTreeSet<String> = PARSE_DOCKERFILE_DIFFERS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(differs, known);
}

fn begin(instruction: &parse_dockerfile::Instruction<'_>) -> usize {
    use parse_dockerfile::Instruction as I;
    let keyword = match instruction {
        I::Add(it) => &it.add,
        I::Arg(it) => &it.arg,
        I::Cmd(it) => &it.cmd,
        I::Copy(it) => &it.copy,
        I::Entrypoint(it) => &it.entrypoint,
        I::Env(it) => &it.env,
        I::Expose(it) => &it.expose,
        I::From(it) => &it.from,
        I::Healthcheck(it) => &it.healthcheck,
        I::Label(it) => &it.label,
        I::Maintainer(it) => &it.maintainer,
        I::Onbuild(it) => &it.onbuild,
        I::Run(it) => &it.run,
        I::Shell(it) => &it.shell,
        I::Stopsignal(it) => &it.stopsignal,
        I::User(it) => &it.user,
        I::Volume(it) => &it.volume,
        I::Workdir(it) => &it.workdir,
        other => panic!("{other:?}"),
    };
    keyword.span.start
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(name)
}

/// The Dockerfiles of a corpus with their names, sorted.
fn cases(corpus: &str) -> Vec<(String, String)> {
    let mut cases = Vec::new();
    for entry in fs::read_dir(folder(corpus)).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        cases.push((name, fs::read_to_string(path.join("Dockerfile")).unwrap()));
    }
    cases.sort();
    cases
}

/// Compares, or writes, the `result` of each case.
fn run(corpus: &str, at_least: usize, result: impl Fn(&str) -> Result<String, String>) {
    let cases = cases(corpus);
    assert!(cases.len() >= at_least, "{} cases in {corpus}", cases.len());
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut failures = String::new();
    for (name, text) in cases {
        let path = folder(corpus).join(&name).join("result");
        match result(&text) {
            Err(failure) => writeln!(failures, "{name}: {failure}").unwrap(),
            Ok(found) if update => fs::write(path, found).unwrap(),
            Ok(found) => {
                let expected = fs::read_to_string(path).unwrap_or_default();
                if found != expected {
                    let diff = TextDiff::from_lines(&expected, &found);
                    writeln!(failures, "{name}:\n{}", diff.unified_diff().header("expected", "found")).unwrap();
                }
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

fn list(errors: &[ParseError]) -> String {
    errors.iter().map(|error| format!("{:?} error {error}\n  help: {}\n", error.phase, error.remedy())).collect()
}

/// The tree as text. Words are shown as BuildKit reads them, with their bytes.
fn dump(file: &Dockerfile) -> String {
    let mut out = String::new();
    for directive in &file.directives {
        let note = if directive.heeded { "" } else { " (not heeded)" };
        let (kind, value) = (directive.kind.as_str(), word(&directive.value));
        writeln!(out, "{}: # {kind}={value}{note}", directive.line).unwrap();
    }
    for comment in &file.comments {
        let note = if comment.inside { " (inside)" } else { "" };
        writeln!(out, "{}: {:?}{note}", comment.line, file.text(comment.span)).unwrap();
    }
    for instruction in &file.instructions {
        writeln!(out, "{}-{}: {:?}", instruction.line, instruction.end_line, instruction.joined).unwrap();
        dump_instruction(&mut out, instruction, "  ");
    }
    for stage in file.stages_with(&|_| None, &default_platform) {
        let (name, platform) = (stage.name.unwrap_or_default(), stage.platform.unwrap_or_default());
        writeln!(out, "stage {} {name:?} {platform:?}: {:?} {:?}", stage.index, stage.base, stage.instructions)
            .unwrap();
    }
    out
}

fn dump_instruction(out: &mut String, instruction: &Instruction, indent: &str) {
    let span = instruction.span;
    writeln!(out, "{indent}{} at {}..{}", instruction.keyword, span.start, span.end).unwrap();
    for flag in &instruction.flags {
        let value = flag.value.as_ref().map_or_else(|| "none".into(), word);
        writeln!(out, "{indent}flag {} {value}", flag.name).unwrap();
    }
    for line in arguments(&instruction.args) {
        writeln!(out, "{indent}{line}").unwrap();
    }
    if !instruction.blank_lines.is_empty() {
        writeln!(out, "{indent}blank lines {:?}", instruction.blank_lines).unwrap();
    }
    for heredoc in &instruction.heredocs {
        let mut notes = String::new();
        for (note, set) in [("expand", heredoc.expand), ("tabs", heredoc.strip_tabs)] {
            if set {
                write!(notes, " {note}").unwrap();
            }
        }
        if let Some(fd) = heredoc.fd {
            write!(notes, " fd {fd}").unwrap();
        }
        let (body, word) = (&heredoc.body, heredoc.word);
        writeln!(out, "{indent}heredoc {:?}@{}..{}{notes}: {body:?}", heredoc.delimiter, word.start, word.end).unwrap();
    }
    match instruction.run_command() {
        Some(RunCommand::Shell(text)) if !instruction.heredocs.is_empty() => {
            writeln!(out, "{indent}runs {text:?}").unwrap();
        }
        Some(RunCommand::Script { name, text }) => writeln!(out, "{indent}runs the file {name:?}: {text:?}").unwrap(),
        _ => {}
    }
    if let Ok(mounts) = instruction.mounts('\\', &|name| Some(format!("<{name}>"))) {
        for mount in mounts {
            writeln!(out, "{indent}{mount:?}").unwrap();
        }
    }
    if let Some(trigger) = &instruction.onbuild {
        dump_instruction(out, trigger, "    ");
    }
}

fn arguments(arguments: &Arguments) -> Vec<String> {
    let list = |name: &str, words: &[Word]| words.iter().map(|it| format!("{name} {}", word(it))).collect::<Vec<_>>();
    match arguments {
        Arguments::From { image, as_name: None } => vec![format!("image {}", word(image))],
        Arguments::From { image, as_name: Some(name) } => vec![format!("image {} as {}", word(image), word(name))],
        Arguments::Run(it) | Arguments::Cmd(it) | Arguments::Entrypoint(it) => vec![command(it)],
        Arguments::Shell(words) => list("word", words),
        Arguments::Copy(it) | Arguments::Add(it) => transfer(it),
        Arguments::Env(pairs) | Arguments::Label(pairs) => pairs.iter().map(pair).collect(),
        Arguments::Arg(declarations) => declarations
            .iter()
            .map(|it| match (&it.default, &it.unquoted) {
                (Some(default), Some(plain)) => format!("{} = {} {plain:?}", word(&it.name), word(default)),
                _ => word(&it.name),
            })
            .collect(),
        Arguments::Workdir(it) | Arguments::User(it) | Arguments::StopSignal(it) | Arguments::Maintainer(it) => {
            vec![word(it)]
        }
        Arguments::Expose(words) => list("port", words),
        Arguments::Volume { paths, json_form } => list(if *json_form { "json path" } else { "path" }, paths),
        Arguments::Healthcheck(Healthcheck::None) => vec!["none".into()],
        Arguments::Healthcheck(Healthcheck::Cmd(it)) => vec![command(it)],
        Arguments::Onbuild => Vec::new(),
        Arguments::Unknown => vec!["unknown".into()],
    }
}

fn command(command: &Command) -> String {
    match command {
        Command::Shell(line) => format!("shell {}", word(line)),
        Command::Exec(words) => format!("exec [{}]", words.iter().map(word).collect::<Vec<_>>().join(", ")),
    }
}

fn transfer(transfer: &Transfer) -> Vec<String> {
    let source = |source: &Source| match source {
        Source::Path(path) => format!("from {}", word(path)),
        Source::Heredoc { name, index, .. } => format!("from heredoc {index:?} named {name:?}"),
    };
    let mut lines: Vec<String> = transfer.sources.iter().map(source).collect();
    lines.push(format!("to {}{}", word(&transfer.dest), if transfer.json_form { " (json)" } else { "" }));
    lines
}

fn pair(pair: &Pair) -> String {
    let sign = if pair.legacy { "(legacy)" } else { "=" };
    format!("{} {sign} {} {:?}", word(&pair.key), word(&pair.value), pair.unquoted)
}

fn word(word: &Word) -> String {
    format!("{:?}@{}..{}", word.text, word.span.start, word.span.end)
}
