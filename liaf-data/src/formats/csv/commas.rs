//! Times with decimal commas, as spreadsheets of many languages write them: `0,0012;12;34;1`.

use std::borrow::Cow;

use super::split;
use crate::error::{Error, Result};

/// Digits in a group of thousands, as in `1,234`.
const GROUP: usize = 3;

/// The column of a table whose numbers have decimal commas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DecimalCommas {
    /// The separator of columns.
    pub separator: u8,
    /// The index of the column.
    pub column: usize,
}

impl DecimalCommas {
    /// The column with decimal commas, if columns are separated by `;` or tabs and there are commas in at
    /// least half of these trimmed rows, always within the numbers of that column.
    ///
    /// # Errors
    /// If every comma may as well be between thousands.
    pub fn find(rows: &[&[u8]]) -> Result<Option<Self>> {
        let separator = [b';', b'\t'].into_iter().find(|separator| {
            let has_it = |row: &&&[u8]| row.contains(separator);
            !rows.is_empty() && 2 * rows.iter().filter(has_it).count() >= rows.len()
        });
        let Some(separator) = separator else { return Ok(None) };
        let Some(column) = rows.iter().find_map(|row| column_with_comma(row, separator)) else {
            return Ok(None);
        };
        let commas = Self { separator, column };
        let numbers: Vec<_> = rows.iter().filter_map(|row| commas.number(row)).collect();
        let of_commas: Vec<_> = numbers.iter().filter(|number| number.contains(&b',')).collect();
        if 2 * numbers.len() < rows.len() || 2 * of_commas.len() < rows.len() {
            return Ok(None);
        }
        if of_commas.iter().all(|number| may_be_thousands(number)) {
            return Err(Error::malformed(
                "the commas in a column may be decimal or between thousands",
            )
            .found(String::from_utf8_lossy(of_commas[0]))
            .advice("write the numbers with decimal points, or without commas"));
        }
        Ok(Some(commas))
    }

    /// The number in the column of this row, if there are commas nowhere else.
    fn number(self, row: &[u8]) -> Option<&[u8]> {
        let columns: Vec<_> = split::columns(row, Some(self.separator)).collect();
        let number = *columns.get(self.column)?;
        let with_comma = columns.iter().filter(|column| column.contains(&b',')).count();
        let is_alone = with_comma == usize::from(number.contains(&b','));
        (is_alone && is_number(number)).then_some(number)
    }

    /// These rows with decimal points.
    pub fn with_points(self, rows: &[&[u8]]) -> Vec<Vec<u8>> {
        rows.iter().filter(|row| self.number(row).is_some()).map(|row| points(row)).collect()
    }
}

/// The index of the first column with a comma.
fn column_with_comma(row: &[u8], separator: u8) -> Option<usize> {
    split::columns(row, Some(separator)).position(|column| column.contains(&b','))
}

/// Whether a text is a number with a decimal comma or without any.
fn is_number(text: &[u8]) -> bool {
    !text.contains(&b'.') && super::number::float(&points(text)).is_some()
}

/// Whether a number with a comma may be one of thousands, such as `12,345`: one to three digits that do
/// not begin with 0, and three digits after the comma.
fn may_be_thousands(number: &[u8]) -> bool {
    let number = number.strip_prefix(b"-").unwrap_or(number);
    let Some(comma) = number.iter().position(|&byte| byte == b',') else { return false };
    let (whole, group) = (&number[..comma], &number[comma + 1..]);
    let is_first_group = (1..=GROUP).contains(&whole.len()) && whole[0] != b'0';
    is_first_group && group.len() == GROUP && group.iter().all(u8::is_ascii_digit)
}

fn points(text: &[u8]) -> Vec<u8> {
    text.iter().map(|&byte| if byte == b',' { b'.' } else { byte }).collect()
}

/// A number with a decimal comma as one with a decimal point.
pub(crate) fn with_point(number: &[u8]) -> Cow<'_, [u8]> {
    if number.contains(&b',') { Cow::Owned(points(number)) } else { Cow::Borrowed(number) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(rows: &[&str]) -> Result<Option<DecimalCommas>> {
        DecimalCommas::find(&rows.iter().map(|row| row.as_bytes()).collect::<Vec<_>>())
    }

    #[test]
    fn commas_in_the_numbers_of_one_column_are_decimal() {
        for (rows, separator, column) in [
            (&["0,0012;12;34;1", "0,0013;3;4;0"][..], b';', 0),
            (&["12\t34\t1\t0,5", "12\t34\t1\t1", "3\t4\t0\t1,5"], b'\t', 3),
            (&["1;2E-05;7;8", "1;1,2E-05;7;8"], b';', 1),
            // A damaged row, and a group of thousands that no other row leaves possible.
            (&["1,234;12;34;1", "1,2345;3;4;0", "1,5;3,0;4;0"], b';', 0),
            (&["-0,001;12;34;1"], b';', 0),
            (&["1234,567;12;34;1"], b';', 0),
        ] {
            assert_eq!(find(rows).unwrap(), Some(DecimalCommas { separator, column }), "{rows:?}");
        }
        for rows in [
            &["1,2,3,1", "2,3,4,0"][..],
            &["1;2;3;1"],
            &["1 2 3 1"],
            // Mixed separators, two columns with commas, two commas.
            &["1, 2; 3\t1", "2, 3; 4\t0"],
            &["0,5;1,5;3;1", "0,6;1,5;4;1"],
            &["1,234,567;2;3;1"],
            &["1.234,5;2;3;1"],
            &[],
        ] {
            assert_eq!(find(rows).unwrap(), None, "{rows:?}");
        }
    }

    #[test]
    fn what_may_be_thousands_is_refused() {
        for rows in [&["1,234;12;34;1"][..], &["12,345;2;3;1", "999;2;3;1", "-1,000;2;3;1"]] {
            let error = find(rows).unwrap_err().to_string();
            assert!(error.contains("between thousands"), "{error}");
        }
    }
}
