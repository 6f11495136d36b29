//! Parsing of names, durations, times and rectangles that users enter.

use std::fmt;
use std::str::FromStr;

use super::{Crop, Edge, Polarity, Representation, TimePoint, WindowRule};
use crate::error::{Error, Result};
use crate::names::names;

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
        Error::caller("not a duration")
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

impl FromStr for TimePoint {
    type Err = Error;

    /// Parses a duration after the first event (`1.5s`), or a time in µs after `@`.
    fn from_str(text: &str) -> Result<Self> {
        match text.trim().strip_prefix('@') {
            Some(us) => us.trim().parse().map(Self::Absolute).map_err(|_| {
                Error::caller("not a time")
                    .expected("µs after @, as in @1589163147368868")
                    .found(text)
            }),
            None => parse_duration(text).map(Self::Relative),
        }
    }
}

impl fmt::Display for TimePoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relative(us) => write!(f, "{us}us"),
            Self::Absolute(us) => write!(f, "@{us}"),
        }
    }
}

impl FromStr for Crop {
    type Err = Error;

    /// Parses `x,y,w,h`.
    fn from_str(text: &str) -> Result<Self> {
        let numbers: Option<Vec<u16>> = text.split(',').map(|n| n.trim().parse().ok()).collect();
        match numbers.as_deref() {
            Some(&[x, y, w, h]) if w > 0 && h > 0 => Ok(Self { x, y, w, h }),
            _ => Err(Error::caller("not a rectangle")
                .expected("x,y,w,h, as in 10,20,128,128")
                .found(format!("{text:?}"))),
        }
    }
}

impl fmt::Display for Crop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{},{}", self.x, self.y, self.w, self.h)
    }
}

impl fmt::Display for WindowRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time { us, overlap: 0 } => write!(f, "{us} µs"),
            Self::Time { us, overlap } => write!(f, "{us} µs with {overlap} µs overlap"),
            Self::Count { events, overlap: 0 } => write!(f, "{events} events"),
            Self::Count { events, overlap } => {
                write!(f, "{events} events with {overlap} events overlap")
            }
            Self::Bins { n } => write!(f, "{n} bins of equal time"),
            Self::EventBins { n } => write!(f, "{n} bins of equal event count"),
        }
    }
}

names!(
    Edge,
    "not an edge rule",
    All = "all",
    Tonic = "tonic",
    SpikingJelly = "spikingjelly",
    SpikingJelly2 = "spikingjelly2",
);
names!(
    Polarity,
    "not a way to treat polarity",
    Split = "split",
    Merged = "merged",
    Signed = "signed",
);
names!(Representation, "not a representation", Count = "count", Binary = "binary");

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

    #[test]
    fn times_and_crops_read_what_they_print() {
        for point in [TimePoint::Relative(1_500_000), TimePoint::Absolute(-7)] {
            assert_eq!(point.to_string().parse::<TimePoint>().unwrap(), point);
        }
        assert_eq!("1.5s".parse::<TimePoint>().unwrap(), TimePoint::Relative(1_500_000));
        for bad in ["@", "@1.5", "@1s", "5", "s"] {
            assert!(bad.parse::<TimePoint>().is_err(), "{bad}");
        }
        let crop = Crop { x: 1, y: 2, w: 3, h: 4 };
        assert_eq!(crop.to_string().parse::<Crop>().unwrap(), crop);
        for bad in ["", "1,2,3", "1,2,0,4", "1,2,3,4,5", "-1,2,3,4", "1,2,3,70000"] {
            assert!(bad.parse::<Crop>().is_err(), "{bad}");
        }
    }
}
