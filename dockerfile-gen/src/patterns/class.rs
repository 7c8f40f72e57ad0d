//! A set of characters, as `[a-z]` writes it, as an expression.

/// Characters (or bytes, for git, which counts bytes) given as ranges whose ends belong to them.
pub(crate) type Ranges = Vec<(u32, u32)>;

const SLASH: u32 = '/' as u32;

/// Writes a class of characters; with `slash` it may match a `/`. The globs of paths never do, Go's classes do.
pub(crate) fn of_chars(ranges: Ranges, negated: bool, slash: bool) -> String {
    format!("(?u:{})", write(ranges, negated, slash, u32::from(char::MAX)))
}

/// Writes a class of bytes, which never matches a `/`.
pub(crate) fn of_bytes(ranges: Ranges, negated: bool) -> String {
    write(ranges, negated, false, 255)
}

fn write(mut ranges: Ranges, negated: bool, slash: bool, max: u32) -> String {
    if negated {
        ranges = all_but(ranges, max);
    }
    let mut text = String::new();
    for (low, high) in ranges {
        if !slash && low <= SLASH && SLASH <= high {
            range(low, SLASH - 1, max, &mut text);
            range(SLASH + 1, high, max, &mut text);
        } else {
            range(low, high, max, &mut text);
        }
    }
    // The crate reads `[]` as an open class.
    if text.is_empty() { "[a&&b]".to_owned() } else { format!("[{text}]") }
}

/// Writes a range without the numbers that are no characters; nothing if it is empty.
fn range(low: u32, high: u32, max: u32, text: &mut String) {
    let (low, high) = (if (0xd800..0xe000).contains(&low) { 0xe000 } else { low }, high.min(max));
    let high = if (0xd800..0xe000).contains(&high) { 0xd7ff } else { high };
    if low > high {
        return;
    }
    for one in [low, high] {
        match char::from_u32(one) {
            Some(char) if one > 255 => text.push(char),
            _ => *text += &format!("\\x{one:02X}"),
        }
        text.push('-');
    }
    text.pop();
}

/// The numbers up to `max` that do not lie in `ranges`.
pub(crate) fn all_but(mut ranges: Ranges, max: u32) -> Ranges {
    ranges.retain(|(low, high)| low <= high);
    ranges.sort_unstable();
    let (mut others, mut from) = (Vec::new(), 0);
    for (low, high) in ranges {
        if from < low {
            others.push((from, low - 1));
        }
        from = from.max(high.saturating_add(1));
    }
    if from <= max {
        others.push((from, max));
    }
    others
}

/// The ASCII characters of a named class such as `[:alpha:]`; `None` for a name that POSIX does not have.
pub(crate) fn posix(name: &str) -> Option<&'static [(u32, u32)]> {
    Some(match name {
        "alnum" => &[(48, 57), (65, 90), (97, 122)],
        "alpha" => &[(65, 90), (97, 122)],
        "blank" => &[(9, 9), (32, 32)],
        "cntrl" => &[(0, 31), (127, 127)],
        "digit" => &[(48, 57)],
        "graph" => &[(33, 126)],
        "lower" => &[(97, 122)],
        "print" => &[(32, 126)],
        "punct" => &[(33, 47), (58, 64), (91, 96), (123, 126)],
        "space" => &[(9, 13), (32, 32)],
        "upper" => &[(65, 90)],
        "xdigit" => &[(48, 57), (65, 70), (97, 102)],
        _ => return None,
    })
}
