//! Recognition of columns and arrays by their names: one table for text, NumPy, MATLAB and HDF5.

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

/// The names of each field, in lower case, with `_` for a space, a hyphen or a slash.
const NAMES: [(Field, &[&str]); 4] = [
    (
        Field::T,
        &["t", "ts", "time", "times", "timestamp", "timestamps", "time_stamp", "time_stamps"],
    ),
    (
        Field::X,
        &[
            "x",
            "xs",
            "x_addr",
            "xaddr",
            "x_address",
            "x_coord",
            "x_coordinate",
            "x_pos",
            "x_position",
            "x_pixel",
            "pixel_x",
            "pos_x",
            "addr_x",
            "col",
            "column",
        ],
    ),
    (
        Field::Y,
        &[
            "y",
            "ys",
            "y_addr",
            "yaddr",
            "y_address",
            "y_coord",
            "y_coordinate",
            "y_pos",
            "y_position",
            "y_pixel",
            "pixel_y",
            "pos_y",
            "addr_y",
            "row",
        ],
    ),
    (
        Field::P,
        &[
            "p",
            "ps",
            "on",
            "pol",
            "pols",
            "polarity",
            "polarities",
            "on_off",
            "onoff",
            "is_on",
            "sign",
        ],
    ),
];

/// The names of an array that has x and y in two columns.
const PAIRS: &[&str] = &["xy", "xys", "x_y", "coords", "pixels"];

/// What some writers put before the names of the arrays of a recording.
const PREFIXES: &[&str] = &["dataset_events_", "events_", "event_"];

impl Name {
    /// Parses a name; `None` if it is not the name of a field of an event.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_matches(['"', '\'']).trim().to_lowercase();
        let (text, size) = match text.split_once('@') {
            Some((name, size)) => (name, size.trim().parse().ok().filter(|&size| size > 0)),
            None => (text.as_str(), None),
        };
        let text = text.trim();
        if let Some(field) = known(&plain(text)) {
            return Some(Self { field, unit: None, size });
        }
        if let Some((name, unit)) = bracketed(text) {
            let field = known(&plain(name))?;
            // A time in a unit that is not known must not be taken for one in another unit.
            let unit = match field {
                Field::T => Some(unit_of(unit)?),
                _ => None,
            };
            return Some(Self { field, unit, size });
        }
        let plain = plain(text);
        let (name, unit) = plain.rsplit_once('_')?;
        let unit = unit_of(unit)?;
        (known(name)? == Field::T).then_some(Self { field: Field::T, unit: Some(unit), size })
    }

    /// Whether this is the name of an array of pixels, with x and y in two columns.
    pub fn is_pair(text: &str) -> bool {
        PAIRS.contains(&proper(&plain(&text.trim().to_lowercase())))
    }

    /// The field that a name without a unit stands for.
    pub fn field(text: &str) -> Option<Field> {
        Self::parse(text).map(|name| name.field)
    }
}

fn known(plain: &str) -> Option<Field> {
    let name = proper(plain);
    let mut all = NAMES.iter();
    all.find_map(|(field, names)| names.contains(&name).then_some(*field))
}

/// A name without what some writers put before it.
fn proper(plain: &str) -> &str {
    PREFIXES.iter().find_map(|prefix| plain.strip_prefix(prefix)).unwrap_or(plain)
}

/// A name with `_` for everything that separates its words.
fn plain(text: &str) -> String {
    let is_gap = |c: char| c.is_whitespace() || "-_/.".contains(c);
    let words = text.split(is_gap).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_")
}

/// Splits a name into the name proper and what stands in brackets at its end.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    let split = |open, close| {
        let (name, unit) = text.strip_suffix(close)?.split_once(open)?;
        Some((name.trim_end(), unit.trim()))
    };
    split('[', ']').or_else(|| split('(', ')')).or_else(|| split('{', '}'))
}

/// The unit of time of this name, in lower case.
pub(crate) fn unit_of(text: &str) -> Option<TimeUnit> {
    Some(match text {
        "s" | "sec" | "secs" | "second" | "seconds" => TimeUnit::Seconds,
        "ms" | "msec" | "msecs" | "millisecond" | "milliseconds" | "millis" => {
            TimeUnit::Milliseconds
        }
        // The sign of micro, and the Greek letter.
        "us" | "\u{b5}s" | "\u{3bc}s" | "usec" | "usecs" | "microsecond" | "microseconds"
        | "micros" => TimeUnit::Microseconds,
        "ns" | "nsec" | "nsecs" | "nanosecond" | "nanoseconds" | "nanos" => TimeUnit::Nanoseconds,
        _ => return None,
    })
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
            ("On/Off", Field::P, None, None),
            ("Pol (0/1)", Field::P, None, None),
            ("x (px)", Field::X, None, None),
            ("X Addr", Field::X, None, None),
            ("y_addr", Field::Y, None, None),
            ("Time Stamp", Field::T, None, None),
            ("t[ns]", Field::T, Some(TimeUnit::Nanoseconds), None),
            ("timestamp_us", Field::T, Some(TimeUnit::Microseconds), None),
            ("timestamp us", Field::T, Some(TimeUnit::Microseconds), None),
            ("time (s)", Field::T, Some(TimeUnit::Seconds), None),
            ("Time (\u{b5}s)", Field::T, Some(TimeUnit::Microseconds), None),
            ("t {\u{3bc}s}", Field::T, Some(TimeUnit::Microseconds), None),
            ("dataset_events_t", Field::T, None, None),
            ("ts [seconds]", Field::T, Some(TimeUnit::Seconds), None),
        ];
        for (text, field, unit, size) in cases {
            assert_eq!(Name::parse(text), Some(Name { field, unit, size }), "{text}");
        }
        for text in ["", "class", "startTime_usec", "frame", "xy", "x_us", "t_start", "t (ticks)"] {
            assert_eq!(Name::parse(text), None, "{text}");
        }
    }

    #[test]
    fn no_name_stands_for_two_fields() {
        let mut all: Vec<_> =
            NAMES.iter().flat_map(|(_, names)| names.iter()).chain(PAIRS).collect();
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(Name::is_pair("XY") && Name::is_pair("events_xy") && !Name::is_pair("x"));
    }
}
