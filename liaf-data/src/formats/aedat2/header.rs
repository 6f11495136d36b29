//! The text header of AEDAT 2.0, and where it ends.
//!
//! Lines begin with `#`, and nothing but a rare end marker says where they stop: a first event
//! whose first byte is `#` looks like one more line. So a line counts as header only if it is text,
//! and in doubt the record size and the order of the first times decide.

use crate::reader::ReadOptions;
use crate::source::ByteSource;
use crate::{Error, Limits, Result};

use super::layout::time;

const LINE_BYTES: usize = 64 << 10;
/// Bytes behind the header that are looked at to decide where data begins and which chip it is of.
const LOOK_AHEAD: usize = 64 << 10;
const RECORD: u64 = 8;

/// What the header says.
#[derive(Debug, Default)]
pub(super) struct Header {
    /// Where the data begins.
    pub end: u64,
    /// The file ends inside a header line of this many bytes.
    pub cut: u64,
    pub version: String,
    /// Text of the `AEChip` line.
    pub chip: Option<String>,
    /// Text of the `HardwareInterface` line.
    pub hardware: Option<String>,
    /// Text of the line that says when it was made.
    pub created: Option<String>,
    /// The first records of the data.
    pub first_records: Vec<[u8; 8]>,
    pub notes: Vec<String>,
}

impl Header {
    /// Reads the header; the source's position stays at its beginning.
    pub(super) fn read(source: &mut ByteSource, options: &ReadOptions) -> Result<Self> {
        let limit = options.limits.header_bytes;
        let mut look = LOOK_AHEAD;
        loop {
            let head = source.head(look.saturating_add(LOOK_AHEAD))?;
            let all = head.len() < look.saturating_add(LOOK_AHEAD);
            let mut header = match options.data_offset {
                Some(end) => Self::stated(&head, Limits::check("data offset", end, limit)?),
                None => Self::parse(&head, source.len()),
            };
            if header.end as usize <= look || all {
                Limits::check("the header", header.end, limit)
                    .map_err(|error| error.at(limit as u64))?;
                if header.end > head.len() as u64 {
                    return Err(Error::caller("the data offset lies behind the end of the file")
                        .at(head.len() as u64)
                        .found(header.end));
                }
                let data = head.get(header.end as usize..).unwrap_or_default();
                if all && data.starts_with(b"#") && is_text(data) && data.len() < LINE_BYTES {
                    header.cut = data.len() as u64;
                } else {
                    header.first_records = data.as_chunks::<8>().0.to_vec();
                }
                if options.strict && header.cut > 0 {
                    return Err(
                        Error::truncated("the file ends inside a header line").at(header.end)
                    );
                }
                return Ok(header);
            }
            if look > limit {
                return Err(Error::limit("the text header does not end")
                    .at(limit as u64)
                    .expected(format!("at most {limit} bytes")));
            }
            look *= 4;
        }
    }

    fn stated(head: &[u8], end: usize) -> Self {
        let mut header = Self { end: end as u64, ..Self::default() };
        for line in head[..end.min(head.len())].split(|&byte| byte == b'\n') {
            header.take_line(line);
        }
        header
    }

    fn parse(head: &[u8], file_len: Option<u64>) -> Self {
        let mut header = Self::default();
        let mut lines = Vec::new();
        let mut at = 0;
        while let Some(line) = next_line(head, at) {
            if !line.starts_with(b"#!") && !is_text(line) {
                break;
            }
            header.take_line(line);
            lines.push((at, line.starts_with(b"#!")));
            at += line.len();
            if is_end_marker(line) {
                header.end = at as u64;
                return header;
            }
        }
        header.end = at as u64;
        if let Some(start) = earlier_start(head, &lines, at, file_len) {
            header.notes.push(format!(
                "the line at byte {start} looks like text but is data: the header ends there"
            ));
            header.end = start as u64;
        }
        header
    }

    fn take_line(&mut self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end();
        if let Some(version) = text.strip_prefix("#!AER-DAT") {
            self.version = version.to_owned();
        }
        let Some(text) = text.strip_prefix('#').map(str::trim_start) else { return };
        for (key, field) in [
            ("AEChip:", &mut self.chip),
            ("HardwareInterface:", &mut self.hardware),
            ("Creation date:", &mut self.created),
        ] {
            if let Some(value) = text.strip_prefix(key) {
                field.get_or_insert_with(|| value.trim().to_owned());
            }
        }
    }
}

/// The line at `at` with its line feed, if there is one that begins with `#`.
fn next_line(head: &[u8], at: usize) -> Option<&[u8]> {
    let rest = head.get(at..)?;
    if rest.first() != Some(&b'#') {
        return None;
    }
    let end = rest.iter().take(LINE_BYTES).position(|&byte| byte == b'\n')?;
    Some(&rest[..=end])
}

/// Whether every byte is a printable character or a tab; comments may hold bytes above ASCII.
fn is_text(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let comment = line.starts_with(b"# ");
    line.iter().all(|&byte| matches!(byte, b'\t' | 0x20..=0x7e) || comment && byte >= 0x80)
}

fn is_end_marker(line: &[u8]) -> bool {
    let text = line.strip_prefix(b"#").unwrap_or(line).trim_ascii();
    text.eq_ignore_ascii_case(b"End of ASCII Header") || text == b"!END-HEADER"
}

/// A start of the data before `end`, if the last lines are data after all: they are if the records
/// come out whole without them and their times are in better order.
fn earlier_start(
    head: &[u8],
    lines: &[(usize, bool)],
    end: usize,
    file_len: Option<u64>,
) -> Option<usize> {
    let whole =
        |start: usize| file_len.is_some_and(|len| (len - start as u64).is_multiple_of(RECORD));
    if whole(end) || file_len.is_none() {
        return None;
    }
    let order = times_in_order(head, end);
    let last_lines = lines.iter().rev().take(8).take_while(|(_, certain)| !certain);
    last_lines
        .map(|&(start, _)| start)
        .find(|&start| whole(start) && times_in_order(head, start) > order)
}

/// How many of the first 64 records from `start` have a time at or after the one before them.
fn times_in_order(head: &[u8], start: usize) -> usize {
    let records = head.get(start..).unwrap_or_default().as_chunks::<8>().0;
    records
        .windows(2)
        .take(63)
        .filter(|pair| time(&pair[1]).wrapping_sub(time(&pair[0])) < 1 << 20)
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(first: u8, n: u32) -> Vec<u8> {
        let record = |i: u32| [&[first, 1, 2, 3], &(1000 + 10 * i).to_be_bytes()[..]].concat();
        (0..n).flat_map(record).collect()
    }

    fn end_of(header: &[u8], data: &[u8]) -> usize {
        let file = [header, data].concat();
        Header::parse(&file, Some(file.len() as u64)).end as usize
    }

    #[test]
    fn header_ends_at_the_first_line_without_hash() {
        let header = b"#!AER-DAT2.0\r\n# AEChip: a.b.DVS128\r\n";
        assert_eq!(end_of(header, &records(0, 100)), header.len());
        assert_eq!(end_of(b"#!AER-DAT2.0\n# bare\n", &records(0, 9)), 20);
    }

    #[test]
    fn a_first_record_that_begins_with_hash_is_data() {
        let header = b"#!AER-DAT2.0\r\n# note\r\n";
        assert_eq!(end_of(header, &records(b'#', 100)), header.len());
    }

    #[test]
    fn a_printable_record_is_data_when_only_that_makes_records_whole() {
        let header = b"#!AER-DAT2.0\r\n";
        // Two records; the bytes up to the line feed in the second are printable.
        let data = [&b"#abc!!!!#abc!!\n!"[..], &[0; 8][..], &records(0, 50)].concat();
        let file = [&header[..], &data].concat();
        let parsed = Header::parse(&file, Some(file.len() as u64));
        assert_eq!(parsed.end as usize, header.len());
        assert_eq!(parsed.notes.len(), 1);
    }

    #[test]
    fn the_end_marker_wins() {
        let header = b"#!AER-DAT2.0\r\n#End Of ASCII Header\r\n";
        assert_eq!(end_of(header, b"#text\r\nabcdefgh"), header.len());
    }

    #[test]
    fn lines_name_the_chip() {
        let header = b"#!AER-DAT2.1\r\n# HardwareInterface: DAVIS FX2\r\n# AEChip: x.DAVIS240C\r\n";
        let parsed = Header::parse(header, Some(header.len() as u64));
        assert_eq!(parsed.chip.as_deref(), Some("x.DAVIS240C"));
        assert_eq!(parsed.version, "2.1");
    }
}
