//! Lines on standard error, text from files, and numbers as people read them.

use std::fmt::Display;
use std::io::Write;
use std::path::Path;

pub use liaf::core::cost::grouped as thousands;
use liaf::data::{Printable, printable};

/// Writes a line on standard error. If that fails, as when standard error is closed, the line is lost:
/// there is nowhere else to report it. This is the only way in which the program writes there, because
/// the macros of the standard library panic in this case. Control characters are escaped.
pub fn say(line: impl Display) {
    let _ = writeln!(std::io::stderr(), "{}", lines(&line.to_string()));
}

/// A text of several lines that may contain text from files: everything but line ends and tabs is
/// escaped.
pub fn lines(text: &str) -> Printable<'_> {
    printable(text).keep_lines()
}

/// A path in a message or on a terminal.
pub fn path(path: &Path) -> String {
    printable(&path.to_string_lossy()).to_string()
}

/// A line of JSON. Control characters are escaped in it as JSON does, so that every text in it stays
/// exact; the rest of them can only be in strings.
pub fn json(value: &serde_json::Value) -> String {
    let mut line = String::new();
    for c in value.to_string().chars() {
        let shown = printable(c.encode_utf8(&mut [0; 4])).to_string();
        if shown.starts_with('\\') && c != '\\' {
            line += &format!("\\u{:04x}", u32::from(c));
        } else {
            line.push(c);
        }
    }
    line
}

/// A field of CSV (RFC 4180).
pub fn csv_field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// A number of bytes in the largest unit that leaves at least one digit before the point.
pub fn bytes(n: u64) -> String {
    scaled(n as f64, 1000.0, &["B", "kB", "MB", "GB", "TB"])
}

/// A rate of events.
pub fn rate(events_per_second: f64) -> String {
    scaled(events_per_second, 1000.0, &["events/s", "kev/s", "Mev/s", "Gev/s"])
}

/// A length of time in µs.
pub fn duration(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{:.3} ms", us as f64 / 1e3),
        _ => format!("{:.3} s", us as f64 / 1e6),
    }
}

fn scaled(mut value: f64, step: f64, units: &[&str]) -> String {
    let mut unit = 0;
    while value >= step && unit + 1 < units.len() {
        value /= step;
        unit += 1;
    }
    if unit == 0 {
        format!("{value:.0} {}", units[0])
    } else {
        format!("{value:.1} {}", units[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_shows_no_control_characters_and_stays_exact() {
        let value = serde_json::json!({ "a\u{9b}": ["\u{7f}\x1b\n", "\\ \u{202e}é\u{1f600}"] });
        let line = json(&value);
        assert!(line.contains("\\u009b") && line.contains("\\u202e") && line.contains("\\u007f"));
        assert_eq!(printable(&line).to_string(), line);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), value);
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(bytes(6_144_209), "6.1 MB");
        assert_eq!(bytes(14), "14 B");
        assert_eq!(duration(2_359_945), "2.360 s");
        assert_eq!(rate(33_400.0), "33.4 kev/s");
    }
}
