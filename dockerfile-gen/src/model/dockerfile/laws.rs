//! What must hold for every text, Dockerfile or not.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// A Dockerfile of sorts: pieces that mean something to the parser, in any order.
fn text() -> impl Strategy<Value = String> {
    let top = select(vec![
        "",
        "",
        "",
        "\u{feff}",
        "# escape=`\n",
        "# syntax=a/b\n# escape=\\\r\n",
        "  # check=skip=all\n",
        "#!x\n",
        "# escape=x\n",
        "FROM scratch\n",
    ]);
    let piece = select(vec![
        "FROM ",
        "from a AS b\n",
        "RUN ",
        "RUN <<EOF\n",
        "RUN cat <<-'E F' 3<<EOF \\\n",
        "COPY ",
        "COPY <<EOF <<E /x\n",
        "ADD ",
        "ENV ",
        "LABEL ",
        "ARG ",
        "ONBUILD ",
        "ONBUILD RUN <<EOF\n",
        "HEALTHCHECK ",
        "CMD ",
        "SHELL ",
        "USER ",
        "VOLUME ",
        "EXPOSE ",
        "FOO ",
        "--from=a ",
        "--mount=type=cache,target=/x ",
        "--mount=\"a b\\\"c\" ",
        "-- ",
        "--link ",
        "a ",
        "b=c ",
        "d='e f' ",
        "g=\"h\\\" $i\" ",
        "${X:-${Y} ",
        "${X#*\\",
        "'",
        "\"",
        "\\",
        "`",
        "\\\n",
        "`\n",
        "\\ \t\n",
        "\\\\\n",
        "\\\r\n",
        "# c\n",
        "  # d \\\n",
        "\n",
        "\n",
        "\r\n",
        "\n\n",
        "\t",
        " ",
        "\u{a0}",
        "é",
        "EOF\n",
        "\tEOF\r\n",
        "E F\n",
        "E",
        "<<",
        "<",
        "[\"a\", \"b\"]\n",
        "[\"a\", 1]\n",
        "[",
        "]",
        "\"\\ud800\"",
        "\0",
        "CMD",
        "NONE",
        "80/tcp ",
        "\u{2028}",
        "\r",
    ]);
    (top, prop::collection::vec(piece, 0..24)).prop_map(|(top, pieces)| format!("{top}{}", pieces.concat()))
}

/// A text of lines that nothing can make a heredoc or an odd white space of.
fn plain_text() -> impl Strategy<Value = String> {
    let escape = select(vec!["", "# escape=`\n"]);
    let piece = select(vec![
        "RUN ",
        "ENV ",
        "COPY ",
        "CMD ",
        "LABEL ",
        "ONBUILD ",
        "--a=b ",
        "a ",
        "b=c ",
        "\"d e\" ",
        "'f ",
        "[\"a\",\"b\"] ",
        "[\"a\" ",
        "\\\n",
        "`\n",
        "\\ \n  ",
        "# c\n",
        "\n",
        "\r\n",
        "$X ",
        "\\",
        "`",
        "HEALTHCHECK CMD ",
        "VOLUME ",
    ]);
    let text = |(escape, pieces): (&str, Vec<&str>)| format!("{escape}FROM scratch\n{}", pieces.concat());
    (escape, prop::collection::vec(piece, 0..16)).prop_map(text)
}

fn words(instruction: &Instruction) -> Vec<&Word> {
    let mut words = vec![&instruction.name, &instruction.rest];
    words.extend(instruction.flags.iter().filter_map(|flag| flag.value.as_ref()));
    match &instruction.args {
        Arguments::From { image, as_name } => words.extend([Some(image), as_name.as_ref()].into_iter().flatten()),
        Arguments::Copy(transfer) | Arguments::Add(transfer) => {
            words.push(&transfer.dest);
            words.extend(transfer.sources.iter().map(|source| match source {
                Source::Path(word) | Source::Heredoc { word, .. } => word,
            }));
        }
        Arguments::Env(pairs) | Arguments::Label(pairs) => {
            words.extend(pairs.iter().flat_map(|pair| [&pair.key, &pair.value]));
        }
        Arguments::Run(Command::Exec(list)) | Arguments::Cmd(Command::Exec(list)) | Arguments::Shell(list) => {
            words.extend(list);
        }
        _ => {}
    }
    if let Some(trigger) = &instruction.onbuild {
        words.push(&trigger.name);
        words.push(&trigger.rest);
    }
    words
}

/// Checks that the tree lies on the text as it should.
fn check(text: &str) {
    let (file, errors) = Dockerfile::parse_lenient(text);
    assert_eq!(file.to_string(), text);
    assert_eq!(text.parse::<Dockerfile>().is_ok(), errors.iter().all(|error| error.phase != Phase::Parse));
    for error in &errors {
        assert!(text.get(error.span.start..error.span.end).is_some(), "{error:?}");
        assert!(!error.to_string().is_empty() && !error.remedy().is_empty());
    }
    assert!(errors.is_sorted_by_key(|error| error.span.start));
    let mut lines = vec![0; text.split_inclusive('\n').count() + 1];
    for instruction in &file.instructions {
        for word in words(instruction) {
            assert!(text.get(word.span.start..word.span.end).is_some(), "{word:?}");
            assert!(instruction.span.contains(word.span), "{word:?} in {:?}", instruction.span);
        }
        lines[instruction.line..=instruction.end_line].iter_mut().for_each(|taken| *taken += 1);
    }
    file.comments.iter().filter(|comment| !comment.inside).for_each(|comment| lines[comment.line] += 1);
    file.directives.iter().for_each(|directive| lines[directive.line] += 1);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let line = if number == 0 { line.trim_start_matches('\u{feff}') } else { line };
        let taken = lines[number + 1];
        assert!(taken <= 1 && (taken == 1 || line.trim().is_empty()), "line {} taken {taken} times", number + 1);
    }
    file.stages();
    file.instructions.iter().for_each(|instruction| {
        instruction.run_command();
        let _ = instruction.mounts(file.escape, &|name| Some(name.to_owned()));
    });
}

/// The instructions without their places.
fn meaning(file: &Dockerfile) -> Vec<String> {
    let texts = |instruction: &Instruction| -> Vec<String> {
        words(instruction).into_iter().map(|word| word.text.clone()).collect()
    };
    file.instructions.iter().map(|instruction| format!("{} {:?}", instruction.keyword, texts(instruction))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_byte_comes_back_and_has_one_place(text in text()) {
        check(&text);
    }

    #[test]
    fn no_text_is_too_strange(text in any::<String>()) {
        check(&text);
        check(&format!("FROM scratch\nRUN {text}\nCOPY {text} <<{text}\n{text}\nENV {text}"));
    }

    #[test]
    fn joining_the_lines_of_an_instruction_changes_nothing(text in plain_text()) {
        let (file, _) = Dockerfile::parse_lenient(&text);
        let joined: Vec<&str> = file.instructions.iter().map(|instruction| instruction.joined.as_str()).collect();
        let head = if file.escape == '`' { "# escape=`\n" } else { "" };
        let (again, _) = Dockerfile::parse_lenient(&format!("{head}{}", joined.join("\n")));
        prop_assume!(joined.iter().all(|line| !line.is_empty() && !line.starts_with('#')));
        prop_assert_eq!(meaning(&file), meaning(&again));
    }

    #[test]
    fn expanding_never_fails_in_another_way_than_with_an_error(word in any::<String>(), pattern in "[$*?/\\\\#%{}a-c]{0,12}") {
        let env = |name: &str| (name != "u").then(|| format!("a/{name}*b"));
        for mode in [Mode::word('\\'), Mode::word('`'), Mode::body(), Mode::unquote('\\')] {
            let _ = expand(&word, mode, &env);
            for operator in ["#", "##", "%", "%%", "/", "//", ":-"] {
                let _ = expand(&format!("${{x{operator}{pattern}}}{word}"), mode, &env);
            }
        }
    }

    #[test]
    fn edits_change_their_spans_only(text in text(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8), with in "[a-z\n\\\\]{0,5}") {
        let bounds: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let mut at: Vec<usize> = cuts.iter().map(|cut| *cut.get(&bounds)).collect();
        at.sort_unstable();
        at.dedup();
        let spans: Vec<Span> = at.chunks_exact(2).map(|pair| Span::new(pair[0], pair[1])).collect();
        let edits: Vec<Edit> = spans.iter().rev().map(|&span| Edit { span, text: with.clone() }).collect();
        let edited = apply_edits(&text, &edits).unwrap();
        // The way back: the same places, moved by what came before them.
        let mut moved = 0_isize;
        let back: Vec<Edit> = spans.iter().map(|&span| {
            let start = span.start.checked_add_signed(moved).unwrap();
            moved += with.len() as isize - span.len() as isize;
            Edit { span: Span::new(start, start + with.len()), text: span.text(&text).to_owned() }
        }).collect();
        prop_assert_eq!(apply_edits(&edited, &back).unwrap(), text);
    }

    #[test]
    fn editing_an_image_changes_that_image_only(text in plain_text()) {
        let (file, _) = Dockerfile::parse_lenient(&text);
        let Arguments::From { image, .. } = &file.instructions[0].args else { return Ok(()) };
        let edited = apply_edits(&text, &[Edit { span: image.span, text: "alpine:3".into() }]).unwrap();
        let (after, _) = Dockerfile::parse_lenient(&edited);
        prop_assert_eq!(&meaning(&after)[1..], &meaning(&file)[1..]);
        prop_assert_eq!(&after.stages()[0].base, &Base::Image("alpine:3".into()));
    }
}

#[test]
fn long_lines_are_refused_where_buildkit_refuses_them() {
    let run = |length: usize, end: &str| format!("FROM scratch\nRUN {}{end}", "a".repeat(length - 4));
    assert!(run(65_535, "\n").parse::<Dockerfile>().is_ok());
    assert!(run(65_535, "").parse::<Dockerfile>().is_ok());
    for (length, end) in [(65_536, "\n"), (65_536, ""), (65_535, "\r\n")] {
        let error = run(length, end).parse::<Dockerfile>().unwrap_err();
        assert_eq!((error.line, matches!(error.reason, Reason::LineTooLong { .. })), (2, true));
    }
}

#[test]
fn size_and_depth_cost_time_and_no_stack() {
    check(&format!("FROM scratch\n{}", "ONBUILD ".repeat(8_000)));
    check(&format!("FROM scratch\nRUN {}", "\\\n${a:-".repeat(20_000)));
    check(&format!("FROM scratch\nCMD {}", "[\\\n".repeat(50_000)));
    check(&"FOO\n".repeat(20_000));
}
