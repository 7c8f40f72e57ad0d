//! The fields of a `--mount` or `--device`, and the values in them.
//!
//! Input: texts. Output: numbers, switches, fields. The one idea: each takes what Go's own parsers take.

use super::error::MountError;

/// The fields of one line of CSV.
pub(super) fn fields(line: &str) -> Result<Vec<String>, MountError> {
    if line.is_empty() {
        return Err(MountError::Empty);
    }
    let stray = || MountError::Quote(line.to_owned());
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let mut field = String::new();
        if let Some(inside) = rest.strip_prefix('"') {
            rest = inside;
            loop {
                let (part, behind) = rest.split_once('"').ok_or_else(stray)?;
                field.push_str(part);
                match behind.strip_prefix('"') {
                    Some(behind) => {
                        field.push('"');
                        rest = behind;
                    }
                    None => {
                        rest = behind;
                        break;
                    }
                }
            }
        } else {
            let length = rest.find(',').unwrap_or(rest.len());
            let (part, behind) = rest.split_at(length);
            if part.contains('"') {
                return Err(stray());
            }
            field.push_str(part);
            rest = behind;
        }
        fields.push(field);
        match rest.strip_prefix(',') {
            Some(behind) => rest = behind,
            None if rest.is_empty() => return Ok(fields),
            None => return Err(stray()),
        }
    }
}

pub(super) fn switch(field: &str, value: Option<String>) -> Result<bool, MountError> {
    match value.as_deref() {
        None | Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(true),
        Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(false),
        Some(other) => Err(wrong(field, "`true` or `false`", other)),
    }
}

pub(super) fn number(field: &str, value: &str, base: u32, wanted: &'static str) -> Result<u32, MountError> {
    let digits = value.chars().all(|c| c.is_digit(base));
    u32::from_str_radix(value, base).ok().filter(|_| digits).ok_or_else(|| wrong(field, wanted, value))
}

/// A number of bytes such as `64m`, `1.5 GiB` or `512`.
pub(super) fn size(value: &str) -> Result<u64, MountError> {
    let error = || wrong("size", "a number of bytes such as `64m`", value);
    let at = value.rfind(|c: char| c.is_ascii_digit() || c == '.' || c == ' ').ok_or_else(error)?;
    let (number, unit) = value.split_at(at + 1);
    let number = number.strip_suffix(' ').unwrap_or(number);
    let number: f64 = number.parse().map_err(|_| error())?;
    let power = match unit.to_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 1,
        "m" | "mb" | "mib" => 2,
        "g" | "gb" | "gib" => 3,
        "t" | "tb" | "tib" => 4,
        "p" | "pb" | "pib" => 5,
        _ => return Err(error()),
    };
    if number < 0.0 {
        return Err(error());
    }
    Ok((number * 1024_f64.powi(power)) as u64)
}

pub(super) fn wrong(field: &str, wanted: &'static str, found: &str) -> MountError {
    MountError::Value { field: field.into(), wanted, found: found.into() }
}
