//! Judgement of a last line that has no end: whether its last number may have been truncated.

use super::line::{self, Columns};
use super::number;

/// Number of values in the state of a checkpoint.
pub(crate) const STATE: usize = 2;

/// The time in the last complete line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LastTime {
    /// In µs.
    time: i64,
    /// Number of digits after the point.
    decimals: u32,
}

impl LastTime {
    /// The time in the last of these complete lines, if times are the last column, the time can be compared
    /// with another, and the line has at most `longest` bytes.
    pub fn of_last(lines: &[u8], columns: &Columns, longest: usize) -> Option<Self> {
        if !is_last(columns, 0) {
            return None;
        }
        let before = &lines[..lines.len().saturating_sub(1)];
        let start = before.iter().rposition(|&byte| byte == columns.line_end);
        let line = &before[start.map_or(0, |start| start + 1)..];
        Self::of(line, columns).filter(|_| line.len() <= longest)
    }

    fn of(line: &[u8], columns: &Columns) -> Option<Self> {
        let values = line::values(line.trim_ascii(), columns).ok()?;
        let text = columns.time(values.fields[0].text);
        let time = number::time(&text, columns.unit)?;
        let mut parts = text.splitn(2, |&byte| byte == b'.');
        let (whole, fraction) = (parts.next()?, parts.next().unwrap_or_default());
        let is_plain = whole.iter().chain(fraction).all(u8::is_ascii_digit);
        // The limit is that of numbers in the state of a checkpoint.
        let is_sane = time.unsigned_abs() < 1 << 62;
        (is_plain && is_sane).then_some(Self { time, decimals: fraction.len() as u32 })
    }

    /// Whether a time that follows this one is complete: it is not earlier and is written with as many
    /// digits after the point. A truncated time would be a tenth of what it should be, or less.
    fn is_before(self, next: Self) -> bool {
        next.time >= self.time && next.decimals == self.decimals
    }

    pub fn to_state(self) -> [i64; STATE] {
        [self.time, i64::from(self.decimals)]
    }

    pub fn from_state([time, decimals]: [i64; STATE]) -> Self {
        Self { time, decimals: u32::try_from(decimals).unwrap_or(0) }
    }
}

/// Whether a column with this field of an event is the last column.
fn is_last(columns: &Columns, field: usize) -> bool {
    columns.at.get(field).is_some_and(|at| at + 1 == columns.count)
}

/// Whether the last line, which is an event but has no end, is certain or almost certain to be complete,
/// so that its last number does not continue.
pub(crate) fn is_whole(tail: &[u8], columns: &Columns, last: Option<LastTime>) -> bool {
    // A polarity has one digit; and a carriage return or a separator follows a complete number.
    if is_last(columns, 3) || tail.ends_with(b"\r") {
        return true;
    }
    let line = tail.trim_ascii();
    let any = |field| is_last(columns, field);
    let ends_with_separator =
        || line::values(line, columns).is_ok_and(|values| values.count > columns.count);
    if !(any(0) || any(1) || any(2)) || ends_with_separator() {
        return true;
    }
    let next = LastTime::of(line, columns).filter(|_| any(0));
    last.zip(next).is_some_and(|(last, next)| last.is_before(next))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::TimeUnit;

    #[test]
    fn a_last_time_is_complete_where_it_fits_the_one_before() {
        let xypt = Columns::new(4, [3, 0, 1, 2], TimeUnit::Microseconds);
        let seconds = Columns { unit: TimeUnit::Seconds, ..xypt };
        let commas = Columns { separator: Some(b';'), has_decimal_commas: true, ..seconds };
        for (columns, before, tail, whole) in [
            (xypt, "2,3,1,1\n", "3,3,0,2", true),
            (xypt, "2,3,1,99\n", "3,3,0,100", true),
            (xypt, "9\n2,3,1,100\n", "3,3,0,100", true),
            (xypt, "2,3,1,100\n", "3,3,0,12", false),
            (xypt, "2,3,1,100\n", "3,3,0,12,", true),
            (xypt, "2,3,1,100\n", "3,3,0,12\r", true),
            (xypt, "", "3,3,0,12", false),
            (xypt, "# none\n", "3,3,0,12", false),
            (seconds, "2,3,1,0.10\n", "3,3,0,0.11", true),
            (seconds, "2,3,1,0.10\n", "3,3,0,0.1", false),
            (seconds, "2,3,1,0.100\n", "3,3,0,0.11", false),
            (seconds, "2,3,1,1e-1\n", "3,3,0,2e-1", false),
            (commas, "2;3;1;0,10\n", "3;3;0;0,11", true),
            (commas, "2;3;1;0,10\n", "3;3;0;0,1", false),
            (commas, "2;3;1;0,10\n", "3;3;0;0,1;", true),
        ] {
            let last = LastTime::of_last(before.as_bytes(), &columns, 99);
            assert_eq!(is_whole(tail.as_bytes(), &columns, last), whole, "{before:?} {tail:?}");
            let again = last.map(|last| LastTime::from_state(last.to_state()));
            assert_eq!(again, last);
        }
        let tpxy = Columns::new(4, [0, 2, 3, 1], TimeUnit::Microseconds);
        assert!(!is_whole(b"5,1,3,4", &tpxy, None));
        let with_label = Columns::new(5, [0, 2, 3, 1], TimeUnit::Microseconds);
        assert!(is_whole(b"5,1,3,4,0", &with_label, None));
    }
}
