//! One joined line becomes an instruction.
//!
//! Input: a [`View`] of the line. Output: [`Instruction`], without its heredocs. The one idea: keyword, flags,
//! arguments, in this order, and `ONBUILD` once more from the beginning.

use super::arguments;
use super::error::{Errors, Reason};
use super::flags;
use super::json::{self, Form};
use super::keyword::{Keyword, nearest};
use super::lines::View;
use super::tree::{Arguments, Healthcheck, Instruction};

/// Reads an instruction. The lines that it takes are filled in by whoever joined them.
pub(super) fn read(line: View<'_>, escape: char, errors: &mut Errors) -> Instruction {
    let line = line.trim();
    let (name, behind) = line.split_once().unwrap_or((line, line.from(line.text().len())));
    let keyword = Keyword::parse(name.text());
    let (flags, rest) = flags::split(behind, escape);
    let rest = rest.trim();
    let mut instruction = Instruction {
        keyword,
        name: name.word(),
        span: line.span(),
        line: 0,
        end_line: 0,
        joined: line.text().to_owned(),
        flags,
        rest: rest.word(),
        args: Arguments::Unknown,
        heredocs: Vec::new(),
        onbuild: None,
        blank_lines: Vec::new(),
    };
    match keyword {
        Keyword::Unknown if name.is_empty() => errors.refuse(name.span(), Reason::NoInstruction),
        Keyword::Unknown => {
            let found = name.text().to_owned();
            let similar = nearest(&found, Keyword::ALL.map(Keyword::as_str)).map(Keyword::parse);
            errors.refuse(name.span(), Reason::UnknownInstruction { found, similar });
        }
        Keyword::Onbuild => onbuild(&mut instruction, rest, escape, errors),
        _ => instruction.args = arguments::read(keyword, rest, escape, errors),
    }
    // `HEALTHCHECK NONE` never comes to the point where flags are looked at.
    if instruction.args != Arguments::Healthcheck(Healthcheck::None) {
        flags::check(keyword, &instruction.flags, errors);
    }
    instruction
}

fn onbuild(instruction: &mut Instruction, rest: View<'_>, escape: char, errors: &mut Errors) {
    if rest.is_empty() {
        let reason = Reason::ArgumentCount { keyword: Keyword::Onbuild, wanted: "an instruction", found: 0 };
        return errors.refuse(rest.span(), reason);
    }
    if errors.in_trigger {
        // BuildKit goes on and on; the outer one is refused anyway.
        return;
    }
    errors.in_trigger = true;
    let trigger = read(rest, escape, errors);
    errors.in_trigger = false;
    if matches!(trigger.keyword, Keyword::Onbuild | Keyword::From | Keyword::Maintainer) {
        errors.refuse(trigger.name.span, Reason::OnbuildTrigger { found: trigger.keyword });
    } else {
        instruction.args = Arguments::Onbuild;
    }
    instruction.onbuild = Some(Box::new(trigger));
}

/// Whether words such as `<<EOF` begin heredocs in it: not in a JSON array.
pub(super) fn takes_heredocs(instruction: &Instruction) -> bool {
    instruction.keyword.takes_heredocs() && !matches!(json::form(&instruction.rest.text), Form::Strings(_))
}
