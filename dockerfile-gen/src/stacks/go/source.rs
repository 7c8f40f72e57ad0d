//! Go source files, as far as an image cares.
//!
//! Input: the text of a file. Output: [`Source`]: its package, its build constraint, its imports and directives, and
//! its tokens. The one idea: comments, strings and code are told apart by a small lexer, so that what stands in a
//! comment or in a text never counts as code.
//!
//! Source: <https://go.dev/ref/spec#Lexical_elements>.

/// A token, with its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub kind: Kind,
    pub line: u32,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word(String),
    Text(String),
    /// A string in backquotes: struct tags are these.
    Raw(String),
    Number(String),
    Mark(char),
}

impl Token {
    pub(super) fn is(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }

    pub(super) fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(word) => Some(word),
            Kind::Text(_) | Kind::Raw(_) | Kind::Number(_) | Kind::Mark(_) => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) | Kind::Raw(text) => Some(text),
            Kind::Word(_) | Kind::Number(_) | Kind::Mark(_) => None,
        }
    }
}

/// A file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Source {
    /// Its path in the project.
    pub path: String,
    pub package: String,
    /// The expression of `//go:build`, or of `// +build` lines joined into one.
    pub constraint: Option<String>,
    /// Import paths, with lines.
    pub imports: Vec<(String, u32)>,
    /// Patterns of `//go:embed`, with lines.
    pub embeds: Vec<(String, u32)>,
    /// Commands of `//go:generate`, with lines.
    pub generates: Vec<(String, u32)>,
    /// Whether a program wrote it, <https://go.dev/s/generatedcode>.
    pub generated: bool,
    /// All tokens but comments.
    pub tokens: Vec<Token>,
}

impl Source {
    /// Reads all of a file.
    pub(super) fn parse(path: &str, text: &str) -> Self {
        Self::read(path, text, false)
    }

    /// Reads a file up to its package clause.
    pub(super) fn header(path: &str, text: &str) -> Self {
        Self::read(path, text, true)
    }

    fn read(path: &str, text: &str, header_only: bool) -> Self {
        let mut source = Self { path: path.to_owned(), ..Self::default() };
        let mut lexer = Lexer { text, at: 0, line: 1 };
        let mut old_style: Vec<String> = Vec::new();
        while let Some(item) = lexer.next() {
            match item {
                Item::Comment(comment, line) => source.directive(comment, line, &mut old_style),
                Item::Token(token) => {
                    let declares = matches!(token.word(), Some("func" | "var" | "const" | "type"));
                    source.tokens.push(token);
                    if declares && source.generated && !source.embeds_files() {
                        // Generated code is long, and nobody wrote an address or a path into it.
                        break;
                    }
                    if source.package.is_empty()
                        && let [.., first, second] = source.tokens.as_slice()
                        && first.word() == Some("package")
                    {
                        source.package = second.word().unwrap_or_default().to_owned();
                        if header_only {
                            break;
                        }
                    }
                }
            }
        }
        if source.constraint.is_none() && !old_style.is_empty() {
            source.constraint = Some(old_style.join(" && "));
        }
        source.find_imports();
        source
    }

    /// Whether a file may have `//go:embed`, by what was read of its imports.
    fn embeds_files(&self) -> bool {
        self.tokens.iter().any(|token| token.text() == Some("embed"))
    }

    fn directive(&mut self, comment: &str, line: u32, old_style: &mut Vec<String>) {
        if comment.starts_with("// Code generated ") && comment.trim_end().ends_with(" DO NOT EDIT.") {
            self.generated = true;
        } else if let Some(expression) = comment.strip_prefix("//go:build ") {
            if self.package.is_empty() {
                self.constraint = Some(expression.trim().to_owned());
            }
        } else if let Some(patterns) = comment.strip_prefix("//go:embed ") {
            self.embeds.extend(patterns_of(patterns).into_iter().map(|pattern| (pattern, line)));
        } else if let Some(command) = comment.strip_prefix("//go:generate ") {
            self.generates.push((command.trim().to_owned(), line));
        } else if let Some(rest) = comment.strip_prefix("//").map(str::trim_start)
            && let Some(options) = rest.strip_prefix("+build ")
            && self.package.is_empty()
        {
            // Options on a line are alternatives, and the terms of an option must all hold.
            let options: Vec<String> =
                options.split_whitespace().map(|option| format!("({})", option.replace(',', " && "))).collect();
            old_style.push(format!("({})", options.join(" || ")));
        }
    }

    fn find_imports(&mut self) {
        let tokens = &self.tokens;
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            if token.word() != Some("import") {
                // Imports come before all declarations.
                if matches!(token.word(), Some("func" | "var" | "const" | "type")) {
                    break;
                }
                continue;
            }
            let block = tokens.get(at).is_some_and(|token| token.is('('));
            while let Some(token) = tokens.get(at) {
                at += 1;
                if let Some(path) = token.text() {
                    self.imports.push((path.to_owned(), token.line));
                    if !block {
                        break;
                    }
                }
                if token.is(')') {
                    break;
                }
            }
        }
    }

    /// Whether the file declares `func main()`.
    pub(super) fn has_main(&self) -> bool {
        self.tokens
            .windows(3)
            .any(|window| window[0].word() == Some("func") && window[1].word() == Some("main") && window[2].is('('))
    }
}

/// Patterns of `//go:embed`: words, some of them in quotes.
fn patterns_of(text: &str) -> Vec<String> {
    let mut patterns = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (pattern, tail) = match rest.chars().next() {
            Some(quote @ ('"' | '`')) => rest[1..].split_once(quote).unwrap_or((&rest[1..], "")),
            _ => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        patterns.push(pattern.to_owned());
        rest = tail.trim_start();
    }
    patterns
}

enum Item<'a> {
    Comment(&'a str, u32),
    Token(Token),
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    line: u32,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let taken = self.rest().get(..bytes).unwrap_or_else(|| self.rest());
        self.at += taken.len();
        self.line += taken.bytes().filter(|&byte| byte == b'\n').count() as u32;
        taken
    }

    fn next(&mut self) -> Option<Item<'a>> {
        let blank = self.rest().len() - self.rest().trim_start().len();
        self.take(blank);
        let line = self.line;
        let rest = self.rest();
        let first = rest.chars().next()?;
        let kind = if rest.starts_with("//") {
            let comment = self.take(rest.find('\n').unwrap_or(rest.len()));
            return Some(Item::Comment(comment, line));
        } else if rest.starts_with("/*") {
            let end = rest.find("*/").map_or(rest.len(), |end| end + 2);
            return Some(Item::Comment(self.take(end), line));
        } else if first == '_' || first.is_alphabetic() {
            let end = rest.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(rest.len());
            Kind::Word(self.take(end).to_owned())
        } else if first.is_ascii_digit() {
            let end = rest.find(|c: char| c != '_' && c != '.' && !c.is_alphanumeric()).unwrap_or(rest.len());
            Kind::Number(self.take(end).replace('_', ""))
        } else if first == '`' {
            let end = rest[1..].find('`').map_or(rest.len(), |end| end + 2);
            Kind::Raw(self.take(end).trim_matches('`').to_owned())
        } else if first == '"' || first == '\'' {
            let quoted = self.take(quoted_length(rest, first));
            let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
            if first == '"' { Kind::Text(unescape(inner)) } else { Kind::Number("0".into()) }
        } else {
            self.take(first.len_utf8());
            Kind::Mark(first)
        };
        Some(Item::Token(Token { kind, line }))
    }
}

/// The bytes of a quoted literal at the start of `rest`, quotes included; it ends with its line at the latest.
fn quoted_length(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '\n' => return at,
            '\\' if !escaped => escaped = true,
            c if c == quote && !escaped => return at + 1,
            _ => escaped = false,
        }
    }
    rest.len()
}

/// The text of an interpreted string, for the escapes that occur in paths and addresses.
fn unescape(inner: &str) -> String {
    if !inner.contains('\\') {
        return inner.to_owned();
    }
    let mut out = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some(other) => out.push(other),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

/// Whether a file is compiled for Linux, by its name and its build constraint; `tags` are the user's.
pub(super) fn builds(source: &Source, tags: &[String]) -> bool {
    let stem = source.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".go");
    let parts: Vec<&str> = stem.split('_').skip(1).collect();
    let by_name = match parts.as_slice() {
        [.., system, machine] if is_system(system) && is_machine(machine) => *system == "linux" && ours(machine),
        [.., last] if is_system(last) => *last == "linux",
        [.., last] if is_machine(last) => ours(last),
        _ => true,
    };
    by_name && source.constraint.as_deref().is_none_or(|expression| holds(expression, tags))
}

fn ours(machine: &str) -> bool {
    matches!(machine, "amd64" | "arm64")
}

fn is_system(word: &str) -> bool {
    const SYSTEMS: &[&str] = &[
        "aix",
        "android",
        "darwin",
        "dragonfly",
        "freebsd",
        "illumos",
        "ios",
        "js",
        "linux",
        "netbsd",
        "openbsd",
        "plan9",
        "solaris",
        "wasip1",
        "windows",
        "zos",
    ];
    SYSTEMS.contains(&word)
}

fn is_machine(word: &str) -> bool {
    const MACHINES: &[&str] = &[
        "386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64", "ppc64le",
        "riscv64", "s390x", "wasm",
    ];
    MACHINES.contains(&word)
}

/// Evaluates a build constraint; what cannot be read holds, since leaving out a file would hide facts.
fn holds(expression: &str, tags: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('!', " ! ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    either(&words, &mut at, tags)
}

fn either(words: &[&str], at: &mut usize, tags: &[String]) -> bool {
    let mut value = both(words, at, tags);
    while words.get(*at) == Some(&"||") {
        *at += 1;
        value |= both(words, at, tags);
    }
    value
}

fn both(words: &[&str], at: &mut usize, tags: &[String]) -> bool {
    let mut value = term(words, at, tags);
    while words.get(*at) == Some(&"&&") {
        *at += 1;
        value &= term(words, at, tags);
    }
    value
}

fn term(words: &[&str], at: &mut usize, tags: &[String]) -> bool {
    // An even number of `!` says nothing; counting them keeps a hostile line from nesting calls.
    let mut negated = false;
    while words.get(*at) == Some(&"!") {
        negated = !negated;
        *at += 1;
    }
    let word = words.get(*at).copied().unwrap_or("true");
    *at += 1;
    let value = if word == "(" && *at < 200 {
        let value = either(words, at, tags);
        if words.get(*at) == Some(&")") {
            *at += 1;
        }
        value
    } else {
        tag_holds(word, tags)
    };
    value != negated
}

fn tag_holds(word: &str, tags: &[String]) -> bool {
    matches!(word, "linux" | "unix" | "amd64" | "arm64" | "gc" | "cgo" | "true")
        || word.strip_prefix("go1.").is_some_and(|minor| minor.parse::<u32>().is_ok())
        || tags.iter().any(|tag| tag == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_not_code() {
        let text = "/* package no */\n//go:build linux\npackage main // package x\n\nimport (\n\t\"fmt\"\n\te \"embed\"\n)\n\
                    import \"os\"\n\n//go:embed all:static \"my files/*\" `x`\nvar f e.FS\n\nvar s = `func main(`\n\
                    var c = '\"'\n//go:generate go run ./gen\nfunc notmain() { fmt.Println(\"//go:embed no\") }\n";
        let source = Source::parse("x.go", text);
        assert_eq!(source.package, "main");
        assert_eq!(source.constraint.as_deref(), Some("linux"));
        assert_eq!(source.imports.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), ["fmt", "embed", "os"]);
        let embeds: Vec<_> = source.embeds.iter().map(|(pattern, line)| (pattern.as_str(), *line)).collect();
        assert_eq!(embeds, [("all:static", 11), ("my files/*", 11), ("x", 11)]);
        assert_eq!(source.generates, [("go run ./gen".to_owned(), 16)]);
        assert!(!source.has_main());
    }

    #[test]
    fn a_file_is_compiled_for_linux_or_not() {
        let builds = |path: &str, head: &str| {
            builds(&Source::header(path, &format!("{head}\npackage x\n")), &["pro".to_owned()])
        };
        assert!(builds("a.go", ""));
        assert!(builds("a_linux.go", ""));
        assert!(builds("a_linux_arm64.go", ""));
        assert!(!builds("a_windows.go", ""));
        assert!(!builds("a_linux_386.go", ""));
        assert!(builds("linux.go", "//go:build !windows && (go1.20 || ignore)"));
        assert!(!builds("a.go", "//go:build ignore"));
        assert!(!builds("a.go", "//go:build tools"));
        assert!(builds("a.go", "//go:build pro"));
        assert!(!builds("a.go", "// +build ignore\n"));
        assert!(builds("a.go", "// +build linux,amd64 darwin\n// +build !cgo linux\n"));
        assert!(!builds("a.go", "// +build linux\n// +build ignore\n"));
    }

    #[test]
    fn broken_files_end_somewhere() {
        for text in
            ["package", "\"", "'", "`", "/*", "import (", "package main\nimport", "var x = \"\\", "é", "//go:embed \""]
        {
            let _ = Source::parse("x.go", text);
        }
        let deep = format!("//go:build {}linux\npackage x\n", "(".repeat(100_000));
        let _ = super::builds(&Source::header("x.go", &deep), &[]);
        let bangs = format!("//go:build {}linux\npackage x\n", "!".repeat(100_001));
        assert!(!super::builds(&Source::header("x.go", &bangs), &[]));
    }
}
