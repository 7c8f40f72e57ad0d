//! Parser directives: the `# name=value` lines at the top.
//!
//! Input: the lines. Output: [`Directive`]s and the escape character. The one idea: two readers look at the
//! same lines by different rules. The parser, which wants `escape`, ignores indentation; the search for
//! `syntax` and `check` does not, but steps over a `#!` line.

use super::error::{Errors, Reason};
use super::lines::Line;
use super::span::Span;
use super::tree::{Directive, DirectiveKind, Word};

/// What stands at the top of the file.
#[derive(Debug)]
pub(super) struct Top {
    pub(super) directives: Vec<Directive>,
    pub(super) escape: char,
}

/// Reads the directives. They end at the first line that is none.
pub(super) fn read(lines: &[Line<'_>], errors: &mut Errors) -> Top {
    let mut top = Top { directives: Vec::new(), escape: '\\' };
    let shebang = lines.first().is_some_and(|line| line.text.starts_with("#!"));
    let mut indented = false;
    for line in lines.iter().skip(usize::from(shebang)) {
        let Some(mut directive) = directive(line) else { break };
        indented |= directive.span.start != line.start;
        directive.heeded = match directive.kind {
            DirectiveKind::Escape => !shebang,
            DirectiveKind::Syntax | DirectiveKind::Check => !indented,
        };
        if top.directives.iter().any(|earlier| earlier.kind == directive.kind) {
            directive.heeded = false;
            if !shebang {
                let name = directive.kind.as_str();
                errors.unreadable(directive.span, Reason::DuplicateDirective { name });
            }
        } else if directive.kind == DirectiveKind::Escape && directive.heeded {
            match directive.value.text.as_str() {
                "\\" => {}
                "`" => top.escape = '`',
                found => {
                    errors.unreadable(directive.value.span, Reason::InvalidEscape { found: found.to_owned() });
                }
            }
        }
        top.directives.push(directive);
    }
    top
}

fn directive(line: &Line<'_>) -> Option<Directive> {
    let (text, start) = line.unindented();
    let body = text.strip_prefix('#')?.trim_start();
    let (name, value) = body.split_once('=')?;
    let name = name.trim_end_matches(is_space);
    let kind = [DirectiveKind::Syntax, DirectiveKind::Escape, DirectiveKind::Check]
        .into_iter()
        .find(|kind| kind.as_str().eq_ignore_ascii_case(name))?;
    let unindented = value.trim_start_matches(is_space);
    let value = if unindented.is_empty() { value } else { unindented };
    let value_start = start + text.len() - value.len();
    let value = match value.trim_end_matches(is_space) {
        // BuildKit asks for one character at least, and settles for white space.
        "" => value.get(value.char_indices().next_back()?.0..)?,
        value => value,
    };
    let value = Word { text: value.to_owned(), span: Span::new(value_start, value_start + value.len()) };
    Some(Directive { kind, value, span: Span::new(start, start + text.len()), line: line.number, heeded: true })
}

/// White space as in a regular expression.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '\u{c}')
}
