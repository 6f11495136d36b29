//! Parsing of durations.

use crate::error::{Error, Result};

/// Parses a duration in µs: a number and one of the units `us`, `µs`, `ms`, `s` or `min`.
///
/// ```
/// use liaf_data::frames::parse_duration;
/// assert_eq!(parse_duration("10ms")?, 10_000);
/// assert_eq!(parse_duration("1.5s")?, 1_500_000);
/// assert!(parse_duration("0.5us").is_err());
/// # Ok::<(), liaf_data::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if it is not a whole number of µs below 2⁶³.
pub fn parse_duration(text: &str) -> Result<i64> {
    duration(text.trim()).ok_or_else(|| {
        Error::caller("invalid duration")
            .expected("a whole number of µs, as in 500us, 10ms, 1.5s or 2min")
            .found(format!("{text:?}"))
    })
}

fn duration(text: &str) -> Option<i64> {
    let unit_at = text.find(|c: char| c != '.' && !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit_at);
    let factor: i64 = match unit.trim_start() {
        "us" | "µs" | "μs" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        "min" => 60_000_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.contains('.') {
        return None;
    }
    let us = whole.parse::<i64>().ok()?.checked_mul(factor)?;
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() {
        return Some(us);
    }
    let parts = fraction.parse::<i64>().ok()?.checked_mul(factor)?;
    let whole_is = 10_i64.checked_pow(fraction.len().try_into().ok()?)?;
    if parts % whole_is == 0 { us.checked_add(parts / whole_is) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_whole_microseconds() {
        for (text, us) in [
            ("500us", 500),
            ("500µs", 500),
            ("500μs", 500),
            ("10ms", 10_000),
            ("10 ms", 10_000),
            ("0.25ms", 250),
            ("1.500000s", 1_500_000),
            ("1.0000000s", 1_000_000),
            ("2min", 120_000_000),
            ("0.0000001min", 6),
            ("0.00000005min", 3),
            ("9223372036854775807us", i64::MAX),
        ] {
            assert_eq!(parse_duration(text).unwrap(), us, "{text}");
        }
        for bad in [
            "",
            "10",
            "ms",
            ".5s",
            "1..5s",
            "1.5.s",
            "-1s",
            "1e3us",
            "1.5us",
            "0.00000001min",
            "1.00000005s",
            "1.0.0s",
            "9223372036854775808us",
            "99999999999999999999s",
            "9223372036855s",
            "1h",
            "10ms ms",
        ] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
