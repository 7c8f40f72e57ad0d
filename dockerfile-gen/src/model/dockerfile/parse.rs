//! A text becomes a tree, whatever it says.
//!
//! Input: the text. Output: [`Parsed`]. The one idea: BuildKit's loop over lines, which never goes back, but
//! with errors noted and stepped over where BuildKit gives up.

use super::check;
use super::directive;
use super::error::{Errors, Reason};
use super::heredoc;
use super::instruction;
use super::keyword::Keyword;
use super::lines::{self, Joined, LONGEST_LINE, Line};
use super::span::Span;
use super::tree::{Arguments, Comment, Directive, Instruction, Source};

/// All that a text holds.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) directives: Vec<Directive>,
    pub(super) escape: char,
    pub(super) comments: Vec<Comment>,
    pub(super) instructions: Vec<Instruction>,
    pub(super) errors: Errors,
}

pub(super) fn parse(source: &str) -> Parsed {
    let lines = lines::lines(source);
    let mut errors = Errors::default();
    long_lines(&lines, &mut errors);
    let top = directive::read(&lines, &mut errors);
    let mut reader =
        Reader { source, lines: &lines, escape: top.escape, next: 0, comments: Vec::new(), errors: &mut errors };
    let mut instructions = Vec::new();
    while let Some(line) = lines.get(reader.next) {
        let directive = top.directives.iter().any(|directive| directive.line == line.number);
        if directive || line.is_blank() {
            reader.next += 1;
        } else if line.is_comment() {
            reader.comment(false);
        } else {
            instructions.push(reader.instruction());
        }
    }
    let comments = reader.comments;
    stages(&instructions, source, &mut errors);
    check::check(&instructions, top.escape, &mut errors);
    errors.found.sort_by_key(|(span, phase, _)| (span.start, *phase));
    Parsed { directives: top.directives, escape: top.escape, comments, instructions, errors }
}

/// The place in the lines.
struct Reader<'a> {
    source: &'a str,
    lines: &'a [Line<'a>],
    escape: char,
    next: usize,
    comments: Vec<Comment>,
    errors: &'a mut Errors,
}

impl Reader<'_> {
    /// Takes a line that is a comment.
    fn comment(&mut self, inside: bool) {
        if let Some(line) = self.lines.get(self.next) {
            let (text, start) = line.unindented();
            let span = Span::new(start, start + text.len());
            self.comments.push(Comment { span, line: line.number, inside });
        }
        self.next += 1;
    }

    /// Takes an instruction: its lines, and those of its heredocs.
    fn instruction(&mut self) -> Instruction {
        let first = self.next;
        let mut joined = Joined::default();
        let blank_lines = self.join(&mut joined);
        let mut instruction = instruction::read(joined.view(), self.escape, self.errors);
        instruction.blank_lines = blank_lines;
        let reader = match &mut instruction.onbuild {
            Some(trigger) => trigger.as_mut(),
            None => &mut instruction,
        };
        if instruction::takes_heredocs(reader) {
            let announced = heredoc::announced(joined.view(), self.errors);
            reader.heredocs = heredoc::bodies(announced, self.source, self.lines, &mut self.next, self.errors);
            match_sources(reader);
        }
        self.place(&mut instruction, first);
        instruction
    }

    /// Joins the lines of an instruction, and says which of them are blank.
    fn join(&mut self, joined: &mut Joined) -> Vec<usize> {
        let mut blank_lines = Vec::new();
        let mut continued = true;
        let first = self.next;
        while continued && let Some(line) = self.lines.get(self.next) {
            if self.next > first && line.is_comment() {
                self.comment(true);
                continue;
            }
            self.next += 1;
            if self.next > first + 1 && line.is_blank() {
                blank_lines.push(line.number);
                continue;
            }
            // Only the first line loses its indentation.
            let (text, start) = if self.next == first + 1 { line.unindented() } else { (line.text, line.start) };
            let (text, more) = lines::strip_continuation(text, self.escape);
            joined.push(text, start);
            continued = more;
        }
        blank_lines
    }

    /// Fills in where an instruction stands that took the lines since `first`.
    fn place(&self, instruction: &mut Instruction, first: usize) {
        let Some(first) = self.lines.get(first) else { return };
        let last = self.next.checked_sub(1).and_then(|last| self.lines.get(last)).unwrap_or(first);
        let (line, end_line, end) = (first.number, last.number, last.span().end);
        if let Some(trigger) = instruction.onbuild.as_deref_mut() {
            trigger.span = Span::new(trigger.name.span.start, end);
            (trigger.line, trigger.end_line) = (line, end_line);
        }
        instruction.span = Span::new(first.unindented().1, end);
        (instruction.line, instruction.end_line) = (line, end_line);
    }
}

/// Finds the body of each source that is a heredoc. Of two with one name, both get the later body.
fn match_sources(instruction: &mut Instruction) {
    let heredocs = &instruction.heredocs;
    let (Arguments::Copy(transfer) | Arguments::Add(transfer)) = &mut instruction.args else { return };
    for source in &mut transfer.sources {
        if let Source::Heredoc { name, index, .. } = source {
            *index = heredocs.iter().rposition(|heredoc| heredoc.delimiter == *name);
        }
    }
}

fn long_lines(lines: &[Line<'_>], errors: &mut Errors) {
    let mut start = 0;
    for line in lines {
        let length = line.next - start;
        // The last byte of the buffer is for the newline, even if none comes.
        let is_last = line.span().end == line.next;
        if length + usize::from(is_last) > LONGEST_LINE {
            errors.unreadable(line.span(), Reason::LineTooLong { length });
        }
        start = line.next;
    }
}

/// Reports what makes a file no Dockerfile although each instruction is fine.
fn stages(instructions: &[Instruction], source: &str, errors: &mut Errors) {
    let end = Span::at(source.len());
    if instructions.is_empty() {
        return errors.unreadable(end, Reason::NoInstructions);
    }
    let above = instructions.iter().take_while(|instruction| instruction.keyword != Keyword::From);
    match above.clone().find(|instruction| instruction.keyword != Keyword::Arg) {
        // It may well be a misspelt `FROM`, and is reported anyway.
        Some(first) if first.keyword == Keyword::Unknown => {}
        Some(first) => errors.refuse(first.name.span, Reason::OutsideStage { keyword: first.keyword }),
        None if above.count() == instructions.len() => errors.refuse(end, Reason::NoStage),
        None => {}
    }
}
