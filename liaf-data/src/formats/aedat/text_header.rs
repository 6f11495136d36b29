//! The text header of AEDAT 1.0, 2.0 and 3.x, and the search for its end.
//!
//! The lines of the header start with `#`, and only an end marker, which many files lack, says
//! where they stop: a first event whose first byte is `#` looks like another line. A line therefore
//! counts as header only if it is text. In doubtful cases the size of the records and the order of
//! the first times decide.

use crate::codec::ReadOptions;
use crate::error::{Error, Result};
use crate::io::ByteSource;
use crate::limits::Limits;

const LINE_BYTES: usize = 64 << 10;
/// Number of bytes after the header that are examined to decide where the data starts and which
/// chip it comes from.
const LOOK_AHEAD: usize = 64 << 10;
/// Number of lines that are kept. A header of jAER may contain megabytes of preferences.
const LINES: usize = 64;

/// The contents of the header.
#[derive(Debug, Default)]
pub(crate) struct TextHeader {
    /// Offset at which the data starts.
    pub end: u64,
    /// If the file ends inside a header line: the length of that line so far.
    pub cut: u64,
    /// The version in the first line; empty if there is none.
    pub version: String,
    /// The first lines of the form `key: value`, without `#`.
    lines: Vec<(String, String)>,
    /// The first bytes of the data.
    pub data: Vec<u8>,
    pub notes: Vec<String>,
}

impl TextHeader {
    /// Reads the header; the position of the source stays at the beginning. If the data after the
    /// header consists of records, these have `record` bytes, of which the last four are a
    /// big-endian time.
    pub fn read(
        source: &mut ByteSource,
        options: &ReadOptions,
        record: Option<usize>,
    ) -> Result<Self> {
        let limit = options.limits.header_bytes;
        let mut look = LOOK_AHEAD;
        loop {
            let head = source.head(look.saturating_add(LOOK_AHEAD))?;
            let all = head.len() < look.saturating_add(LOOK_AHEAD);
            let mut header = match options.data_offset {
                Some(end) => Self::stated(&head, Limits::check("data offset", end, limit)?),
                None => Self::parse(&head, source.len(), record),
            };
            if header.end as usize <= look || all {
                Limits::check("the header", header.end, limit)
                    .map_err(|error| error.at(limit as u64))?;
                if header.end > head.len() as u64 {
                    return Err(Error::caller("the data offset is after the end of the file")
                        .at(head.len() as u64)
                        .found(header.end));
                }
                let data = head.get(header.end as usize..).unwrap_or_default();
                if all && data.starts_with(b"#") && is_text(data) && data.len() < LINE_BYTES {
                    header.cut = data.len() as u64;
                } else {
                    header.data = data.to_vec();
                }
                if options.strict && header.cut > 0 {
                    return Err(
                        Error::truncated("the file ends inside a header line").at(header.end)
                    );
                }
                return Ok(header);
            }
            if look > limit {
                return Err(Error::limit("the text header is too long")
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

    fn parse(head: &[u8], file_len: Option<u64>, record: Option<usize>) -> Self {
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
        let certain = record.zip(file_len);
        let earlier =
            certain.and_then(|(record, len)| earlier_start(head, &lines, at, len, record));
        if let Some(start) = earlier {
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
        // Preferences are XML.
        if self.lines.len() < LINES
            && !text.starts_with('<')
            && let Some((key, value)) = text.split_once(':')
        {
            self.lines.push((key.to_owned(), value.trim().to_owned()));
        }
    }

    /// The value of the first line with this key.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.lines().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    /// The lines that have a key, in order.
    pub fn lines(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines.iter().map(|(key, value)| (&**key, &**value))
    }
}

/// The line at `at` including its line feed, if there is one that starts with `#`.
fn next_line(head: &[u8], at: usize) -> Option<&[u8]> {
    let rest = head.get(at..)?;
    if rest.first() != Some(&b'#') {
        return None;
    }
    let end = rest.iter().take(LINE_BYTES).position(|&byte| byte == b'\n')?;
    Some(&rest[..=end])
}

/// Whether every byte is a printable character or a tab. Comments may contain bytes above ASCII.
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

/// An earlier start of the data than `end`, if the last lines are data: that is the case if without
/// them the number of records is whole and their times are in better order.
fn earlier_start(
    head: &[u8],
    lines: &[(usize, bool)],
    end: usize,
    file_len: u64,
    record: usize,
) -> Option<usize> {
    let whole = |start: usize| file_len.saturating_sub(start as u64).is_multiple_of(record as u64);
    if whole(end) {
        return None;
    }
    let order = times_in_order(head, end, record);
    let last_lines = lines.iter().rev().take(8).take_while(|(_, certain)| !certain);
    last_lines
        .map(|&(start, _)| start)
        .find(|&start| whole(start) && times_in_order(head, start, record) > order)
}

/// How many of the first 64 records from `start` on are not earlier than the record before them.
fn times_in_order(head: &[u8], start: usize, record: usize) -> usize {
    let records = head.get(start..).unwrap_or_default().chunks_exact(record);
    let times: Vec<_> = records.take(64).map(last_four).collect();
    times.windows(2).filter(|pair| pair[1].wrapping_sub(pair[0]) < 1 << 20).count()
}

fn last_four(record: &[u8]) -> u32 {
    record.last_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
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
        TextHeader::parse(&file, Some(file.len() as u64), Some(8)).end as usize
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
        let parsed = TextHeader::parse(&file, Some(file.len() as u64), Some(8));
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
        let header =
            b"#!AER-DAT2.1\r\n# HardwareInterface: DAVIS FX2\r\n# <a: b>\r\n# AEChip: x.DAVIS240C\r\n";
        let parsed = TextHeader::parse(header, Some(header.len() as u64), Some(8));
        assert_eq!(parsed.value("AEChip"), Some("x.DAVIS240C"));
        assert_eq!(parsed.version, "2.1");
    }
}
