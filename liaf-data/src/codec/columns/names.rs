//! Recognition of columns and arrays by their names.

use crate::codec::{Field, TimeUnit};

/// What the name of a column tells about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name {
    pub field: Field,
    /// The unit in the name, as in `t[ns]`, `t (s)` or `timestamp_us`.
    pub unit: Option<TimeUnit>,
    /// The number after an `@`, as in `x@640`: the width or height of the sensor.
    pub size: Option<u16>,
}

impl Name {
    /// Parses a name; `None` if it is not the name of a field of an event.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
        let (text, size) = match text.split_once('@') {
            Some((name, size)) => (name, size.trim().parse().ok().filter(|&size| size > 0)),
            None => (text.as_str(), None),
        };
        let (text, unit) = split_unit(text.trim());
        let field = match text {
            "x" | "xs" => Field::X,
            "y" | "ys" => Field::Y,
            "t" | "ts" | "time" | "times" | "timestamp" | "timestamps" => Field::T,
            "p" | "ps" | "on" | "pol" | "polarity" | "polarities" => Field::P,
            _ => return None,
        };
        Some(Self { field, unit: unit.filter(|_| field == Field::T), size })
    }

    /// The field that a name without a unit stands for.
    pub fn field(text: &str) -> Option<Field> {
        Self::parse(text).map(|name| name.field)
    }
}

/// Splits a name into the name proper and the unit at its end.
fn split_unit(text: &str) -> (&str, Option<TimeUnit>) {
    let bracketed = |open, close| {
        let (name, unit) = text.strip_suffix(close)?.split_once(open)?;
        Some((name.trim_end(), unit.trim()))
    };
    let split =
        bracketed('[', ']').or_else(|| bracketed('(', ')')).or_else(|| text.rsplit_once('_'));
    match split.map(|(name, unit)| (name, unit.parse())) {
        Some((name, Ok(unit))) => (name, Some(unit)),
        _ => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_many_tools_are_known() {
        let cases = [
            ("x@640", Field::X, None, Some(640)),
            (" Y ", Field::Y, None, None),
            ("\"on\"", Field::P, None, None),
            ("polarity", Field::P, None, None),
            ("t[ns]", Field::T, Some(TimeUnit::Nanoseconds), None),
            ("timestamp_us", Field::T, Some(TimeUnit::Microseconds), None),
            ("time (s)", Field::T, Some(TimeUnit::Seconds), None),
        ];
        for (text, field, unit, size) in cases {
            assert_eq!(Name::parse(text), Some(Name { field, unit, size }), "{text}");
        }
        for text in ["", "class", "startTime_usec", "frame", "xy", "x_", "t_start"] {
            assert_eq!(Name::parse(text), None, "{text}");
        }
    }
}
