//! Times as Go writes them, such as `1m30s` or `1.5h`.
//!
//! Input: a text. Output: [`nanoseconds`]. The one idea: `HEALTHCHECK` takes what Go's `time.ParseDuration`
//! takes, and nothing shorter than a millisecond but zero.

/// Whether `HEALTHCHECK` takes it.
pub(super) fn is_interval(text: &str) -> bool {
    nanoseconds(text).is_some_and(|time| time == 0 || time >= 1_000_000)
}

/// The time in nanoseconds, if it is one that fits Go's 63 bits.
pub(super) fn nanoseconds(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut total: u128 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (whole, behind) = digits(rest);
        let (fraction, behind) = match behind.strip_prefix('.') {
            Some(behind) => digits(behind),
            None => ("", behind),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let length = behind.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(length);
        let unit: u128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        // More digits than these are below a nanosecond of an hour.
        let fraction = fraction.get(..fraction.len().min(18)).unwrap_or_default();
        let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        let part: u128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
        total = total.checked_add(whole.checked_mul(unit)?)?.checked_add(part * unit / scale)?;
        rest = behind;
    }
    let total = i64::try_from(total).ok()?;
    Some(if negative { -total } else { total })
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_sums_of_numbers_with_units() {
        assert_eq!(nanoseconds("1m30s"), Some(90_000_000_000));
        assert_eq!(nanoseconds("1.5h"), Some(5_400_000_000_000));
        assert_eq!(nanoseconds(".5s"), Some(500_000_000));
        assert_eq!(nanoseconds("-2us"), Some(-2_000));
        assert_eq!(nanoseconds("0"), Some(0));
        for wrong in ["", "30", "1 m", "m", "1.s.", "s1", "1d", "9999999h", "-", "1m30"] {
            assert_eq!(nanoseconds(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_interval_is_a_millisecond_or_more() {
        assert!(is_interval("1ms") && is_interval("0s"));
        assert!(!is_interval("999us") && !is_interval("-1s"));
    }
}
