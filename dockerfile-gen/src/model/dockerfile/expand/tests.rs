use super::*;

/// `text` expanded with `NAME=web`, `EMPTY=`, `WIDE=  a b ` and `PATHS=/usr/bin/x`, or why not.
fn expanded(text: &str) -> Result<Expansion, ExpandError> {
    expand(text, Mode::word('\\'), &|name| {
        let value = match name {
            "NAME" => "web",
            "EMPTY" => "",
            "WIDE" => "  a b ",
            "PATHS" => "/usr/bin/x",
            _ => return None,
        };
        Some(value.to_owned())
    })
}

fn text(word: &str) -> String {
    match expanded(word) {
        Ok(expansion) => expansion.text,
        Err(error) => format!("error: {error}"),
    }
}

fn words(text: &str) -> Vec<String> {
    expanded(text).unwrap().words
}

#[test]
fn quotes_and_escapes_go() {
    assert_eq!(text("a'b c'd"), "ab cd");
    assert_eq!(text(r#"a"b'c"d"#), "ab'cd");
    assert_eq!(text(r"a\ b\c"), "a bc");
    assert_eq!(text(r#""a\b\"\\""#), r#"a\b"\"#);
    assert_eq!(text(r"'a\b'"), r"a\b");
    assert_eq!(text(r"end\"), "end");
}

#[test]
fn variables_are_put_in_but_not_between_single_quotes() {
    assert_eq!(text("$NAME-${NAME}"), "web-web");
    assert_eq!(text("\"$NAME\"'$NAME'\\$NAME"), "web$NAME$NAME");
    assert_eq!(text("$UNSET.$.x$1y$@z"), ".$.xyz");
    assert_eq!(text("${NAME}S"), "webS");
}

#[test]
fn a_default_stands_in_for_what_is_unset_or_empty() {
    assert_eq!(text("${UNSET-a}${EMPTY-b}${NAME-c}"), "aweb");
    assert_eq!(text("${UNSET:-a}${EMPTY:-b}${NAME:-c}"), "abweb");
    assert_eq!(text("${UNSET+a}${EMPTY+b}${NAME+c}"), "bc");
    assert_eq!(text("${UNSET:+a}${EMPTY:+b}${NAME:+c}"), "c");
    assert_eq!(text("${UNSET:-${EMPTY:-\"${NAME} x\"}}"), "web x");
}

#[test]
fn a_required_variable_says_why_it_is_required() {
    assert_eq!(text("${NAME?no}${EMPTY?no}"), "web");
    assert_eq!(text("${UNSET?give $NAME}"), "error: UNSET: give web");
    assert_eq!(text("${EMPTY:?}"), "error: EMPTY: is not allowed to be empty");
    assert_eq!(text("${UNSET:?}"), "error: UNSET: is not allowed to be unset");
}

#[test]
fn patterns_cut_and_replace() {
    assert_eq!(text("${PATHS#*/}|${PATHS##*/}"), "usr/bin/x|x");
    assert_eq!(text("${PATHS%/*}|${PATHS%%/*}|"), "/usr/bin||");
    assert_eq!(text(r"${PATHS/\//.}|${PATHS//\//.}"), ".usr/bin/x|.usr.bin.x");
    assert_eq!(text("${PATHS//b?n/$NAME}"), "/usr/web/x");
    assert_eq!(
        text(r"${NAME%\x}"),
        r"error: `\x` is no pattern: a backslash may stand before `*`, `?`, `/`, `}` and a backslash only"
    );
}

#[test]
fn what_makes_no_sense_is_an_error() {
    for (word, error) in [
        ("'a", "no closing `'`"),
        ("\"a", "no closing `\"`"),
        ("${NAME", "no closing `}`"),
        ("${NAME:-a", "no closing `}`"),
        ("${NAME/a}", "no closing `/`"),
        ("${NAME//a/b", "no closing `}`"),
        ("${}", "no name of a variable after `${`"),
        ("${:-a}", "no name of a variable after `${`"),
        ("${NAME=a}", "`=` is no modifier of a variable"),
        ("${NAME:#a}", "`:#` is no modifier of a variable"),
        ("${NAME:a}", "`:a` is no modifier of a variable"),
    ] {
        assert_eq!(text(word), format!("error: {error}"), "{word}");
    }
}

#[test]
fn words_are_split_after_the_variables_are_in() {
    assert_eq!(words("a  b\\ c"), ["a", "b c"]);
    assert_eq!(words("x${WIDE}y"), ["x", "a", "b", "y"]);
    assert_eq!(words("x\"${WIDE}\"y"), ["x  a b y"]);
    assert_eq!(words("'' $EMPTY"), Vec::<String>::new());
}

#[test]
fn words_before_a_default_get_lost_as_in_buildkit() {
    assert_eq!(words("80${UNSET:-81}"), ["81"]);
    assert_eq!(text("80${UNSET:-81}"), "8081");
}

#[test]
fn variables_that_were_looked_up_are_told() {
    let expansion = expanded("$NAME ${UNSET:-$EMPTY} '$PATHS'").unwrap();
    assert_eq!(expansion.used, ["EMPTY", "NAME"].map(String::from).into());
    assert_eq!(expansion.missing, ["UNSET"].map(String::from).into());
}

#[test]
fn another_escape_character_escapes() {
    let env = |_: &str| Some("v".to_owned());
    assert_eq!(expand_word(r"c:\$X`$X", '`', &env).unwrap(), r"c:\v$X");
    assert_eq!(expand_words("8`0 $X", '`', &env).unwrap(), ["80", "v"]);
}

#[test]
fn bodies_keep_their_quotes() {
    let env = |_: &str| Some("v".to_owned());
    assert_eq!(expand_body("it's \"$X\" \\$X", &env).unwrap(), "it's \"v\" $X");
}

#[test]
fn unquoting_leaves_variables_alone() {
    assert_eq!(unquote(r#""a b"$X'c'${Y:-d}"#, '\\'), "a b$Xc${Y:-d}");
    assert_eq!(unquote("\"broken", '\\'), "\"broken");
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    assert_eq!(expanded(&"${a:-".repeat(20_000)), Err(ExpandError::TooLarge));
}
