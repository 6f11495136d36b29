//! The text header of Prophesee's files, which consists of `% key value` lines, and the search for
//! its end.
//!
//! If there is a line `% end`, it ends the header. Older files have none, and a first word of data
//! whose bytes are `% ` looks like another line there. A line therefore counts as header only if it
//! is text with a key.

use super::device::{by_generation, by_name, by_system_id, is_before_genx320};
use crate::codec::Evt21Order;
use crate::codec::ReadOptions;
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::io::ByteSource;
use crate::limits::Limits;
use crate::model::SensorSize;

/// The keys that are used. Those of DAT files start with a capital letter.
pub(crate) const KEYS: &[&str] = &[
    "camera_integrator_name",
    "Data",
    "date",
    "Date",
    "endianness",
    "evt",
    "firmware_version",
    "format",
    "generation",
    "geometry",
    "Height",
    "integrator_name",
    "plugin_integrator_name",
    "plugin_name",
    "sensor_generation",
    "sensor_name",
    "serial_number",
    "system_ID",
    "T0",
    "Version",
    "Width",
];

const LINE_BYTES: usize = 64 << 10;
/// How far an end marker is searched after lines that do not have the usual form.
const MARKER_BYTES: usize = 64 << 10;

/// The contents of the header.
#[derive(Debug, Default)]
pub(crate) struct Header {
    /// Offset at which the data starts.
    pub end: u64,
    /// If the file ends inside a header line: the length of that line so far.
    pub cut: u64,
    /// The first line of each of [`KEYS`].
    fields: Vec<Field>,
    pub notes: Vec<String>,
}

/// A line of the header.
#[derive(Debug)]
struct Field {
    /// Offset of the line.
    offset: u64,
    key: &'static str,
    value: String,
}

impl Header {
    /// Reads the header; the position of the source stays at the beginning.
    pub(crate) fn read(source: &mut ByteSource, options: &ReadOptions) -> Result<Self> {
        let limit = options.limits.header_bytes;
        if let Some(end) = options.data_offset {
            let end = Limits::check("data offset", end, limit)?;
            let mut header = Self { end: end as u64, ..Self::default() };
            let head = source.head(end)?;
            if head.len() < end {
                return Err(Error::caller("the data offset is after the end of the file")
                    .at(head.len() as u64)
                    .found(end));
            }
            header.take_lines(&head);
            return Ok(header);
        }
        let mut look = MARKER_BYTES + LINE_BYTES;
        loop {
            let head = source.head(look)?;
            let whole = head.len() < look;
            if let Some(header) = Self::parse(&head, whole)? {
                Limits::check("the header", header.end, limit)
                    .map_err(|error| error.at(limit as u64))?;
                return Ok(header);
            }
            if look > limit {
                return Err(Error::limit("the text header is too long")
                    .at(limit as u64)
                    .expected(format!("at most {limit} bytes")));
            }
            look = look.saturating_mul(4);
        }
    }

    /// Parses the header at the beginning of `head`. `whole` says whether `head` is the whole file.
    /// Returns `None` if more of the file is needed to find the end of the header.
    pub(crate) fn parse(head: &[u8], whole: bool) -> Result<Option<Self>> {
        let mut header = Self::default();
        let mut at = 0;
        while let Some(rest) = head.get(at..).filter(|rest| starts_a_line(rest)) {
            let end = rest.iter().take(LINE_BYTES).position(|&byte| byte == b'\n');
            let line = &rest[..end.map_or(rest.len().min(LINE_BYTES), |end| end + 1)];
            if !is_text(line) {
                break;
            }
            if end.is_none() && line.len() == LINE_BYTES {
                return Err(Error::limit("a line of the text header is too long")
                    .at(at as u64)
                    .expected(format!("at most {LINE_BYTES} bytes")));
            }
            if end.is_none() && !whole {
                return Ok(None);
            }
            if end.is_none() {
                header.cut = line.len() as u64;
                header.take_lines(head);
                return Ok(Some(header));
            }
            at += line.len();
            header.end = at as u64;
            if is_end_marker(line) {
                header.take_lines(&head[..at]);
                return Ok(Some(header));
            }
        }
        if !whole && head.get(at..).is_none_or(|rest| b"% ".starts_with(rest)) {
            return Ok(None);
        }
        if let Some(end) = marker_after(head, at) {
            header.notes.push(format!("the header continues up to its end marker at byte {end}"));
            header.end = end as u64;
        }
        let end = header.end as usize;
        header.take_lines(&head[..end.min(head.len())]);
        Ok(Some(header))
    }

    fn take_lines(&mut self, text: &[u8]) {
        let mut offset = 0;
        for line in text.split_inclusive(|&byte| byte == b'\n') {
            let at = offset;
            offset += line.len() as u64;
            let Some(line) = line.strip_prefix(b"% ") else { continue };
            let line = String::from_utf8_lossy(line);
            let (key, value) = line.trim().split_once([' ', '\t']).unwrap_or((line.trim(), ""));
            let Some(key) = KEYS.iter().find(|&&known| known == key) else { continue };
            if self.field(key).is_none() {
                self.fields.push(Field { offset: at, key, value: value.trim().to_owned() });
            }
        }
    }

    fn field(&self, key: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.key == key)
    }

    /// The value of the first line with this key, one of [`KEYS`].
    pub(crate) fn value(&self, key: &str) -> Option<&str> {
        self.field(key).map(|field| field.value.as_str()).filter(|value| !value.is_empty())
    }

    /// The encoding of the data, as in `EVT3`. `format` takes precedence over `evt`.
    pub(crate) fn encoding(&self) -> Option<String> {
        if let Some(format) = self.value("format") {
            let name = format.split(';').next().unwrap_or(format).trim();
            return Some(name.to_uppercase());
        }
        match self.value("evt")? {
            "2.0" => Some("EVT2".to_owned()),
            "2.1" => Some("EVT21".to_owned()),
            "3.0" => Some("EVT3".to_owned()),
            other => Some(other.to_owned()),
        }
    }

    /// The size of the sensor according to `format` or `geometry`.
    ///
    /// # Errors
    /// If the two differ.
    pub(crate) fn geometry(&mut self) -> Result<Option<SensorSize>> {
        let in_format = self.value("format").and_then(size_in_format);
        let geometry = self.field("geometry");
        let stated = geometry.and_then(|field| field.value.parse::<SensorSize>().ok());
        if let (Some(field), Some(stated), Some(in_format)) = (geometry, stated, in_format)
            && stated != in_format
        {
            return Err(Error::malformed("the header states two different sizes of the sensor")
                .at(field.offset)
                .expected(format!("{in_format} as in the format line"))
                .found(stated)
                .hint(Hint::StateSensor));
        }
        if let (Some(field), None) = (geometry, stated) {
            let note = format!(
                "the header's geometry is not a valid size of the sensor: {:?}",
                field.value
            );
            self.notes.push(note);
        }
        Ok(in_format.or(stated))
    }

    /// The order of the halves of an EVT 2.1 word: that of `endianness`, or else that of the
    /// camera.
    ///
    /// # Errors
    /// If the header names an order that is not known.
    pub(crate) fn evt21_order(&self) -> Result<Evt21Order> {
        let in_format = self.value("format").and_then(|format| part_of(format, "endianness"));
        let field = if in_format.is_some() { "format" } else { "endianness" };
        match in_format.or(self.value("endianness")).map(str::trim) {
            Some("legacy") => Ok(Evt21Order::Legacy),
            Some("little") => Ok(Evt21Order::Little),
            Some(other) => {
                Err(Error::unsupported("the order of the bytes in a word is not supported")
                    .at(self.field(field).map_or(0, |field| field.offset))
                    .expected("endianness little or legacy")
                    .found(other)
                    .hint(Hint::StateWordOrder))
            }
            None if self.number("system_ID").is_some_and(is_before_genx320) => {
                Ok(Evt21Order::Legacy)
            }
            None => Ok(Evt21Order::Little),
        }
    }

    /// The value of a key as a number.
    pub(crate) fn number(&self, key: &str) -> Option<u32> {
        self.value(key)?.parse().ok()
    }

    /// The size of the sensor of the device that the header names.
    pub(crate) fn device(&self) -> Option<SensorSize> {
        ["sensor_name", "plugin_name"]
            .into_iter()
            .find_map(|key| by_name(self.value(key)?))
            .or_else(|| {
                let keys = ["sensor_generation", "generation"];
                keys.into_iter().find_map(|key| by_generation(self.value(key)?))
            })
            .or_else(|| by_system_id(self.number("system_ID")?))
    }
}

/// `width` and `height` of a format line, as in `EVT3;height=720;width=1280`.
fn size_in_format(format: &str) -> Option<SensorSize> {
    let number = |key| part_of(format, key)?.trim().parse::<u16>().ok().filter(|&n| n > 0);
    Some(SensorSize::new(number("width")?, number("height")?))
}

/// The value of `key` in a format line.
fn part_of<'a>(format: &'a str, key: &str) -> Option<&'a str> {
    let mut pairs = format.split(';').filter_map(|part| part.split_once('='));
    pairs.find_map(|(name, value)| (name.trim() == key).then_some(value))
}

/// Whether a line of the usual form starts here; a key starts with a letter.
fn starts_a_line(rest: &[u8]) -> bool {
    matches!(rest, [b'%', b' ', key, ..] if key.is_ascii_alphabetic())
}

/// Whether a line has no control characters. Values may contain bytes above ASCII.
fn is_text(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.iter().all(|&byte| matches!(byte, b'\t' | 0x20..=0x7e | 0x80..))
}

fn is_end_marker(line: &[u8]) -> bool {
    line.trim_ascii_end() == b"% end"
}

/// The end of the line of an end marker that is at `at` or after it, within the first
/// [`MARKER_BYTES`].
fn marker_after(head: &[u8], at: usize) -> Option<usize> {
    let head = &head[..head.len().min(MARKER_BYTES)];
    let mut end = at;
    for line in head.get(at..)?.split_inclusive(|&byte| byte == b'\n') {
        end += line.len();
        if is_end_marker(line) && line.ends_with(b"\n") {
            return Some(end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn parse(file: &[u8]) -> Header {
        Header::parse(file, true).unwrap().unwrap()
    }

    #[test]
    fn the_header_ends_at_its_mark_or_at_the_first_other_line() {
        let marked = b"% evt 3.0\r\n% end\n% looks like a line\n";
        assert_eq!(parse(marked).end, 17);
        assert_eq!(parse(b"% evt 3.0\n\x01\x80\x02\x60").end, 10);
        assert_eq!(parse(b"% evt 3.0\n").end, 10);
        let cut = parse(b"% evt 3.0\n% ge");
        assert_eq!((cut.end, cut.cut), (10, 4));
        // A line without `% ` does not hide the mark.
        let odd = parse(b"% evt 3.0\nowner: me\n% geometry 64x32\n% end\n\x01\x80");
        assert_eq!((odd.end, odd.value("geometry")), (43, Some("64x32")));
    }

    #[test]
    fn a_first_word_that_looks_like_a_line_is_data() {
        for data in [&b"% \x01\x00\x07\x20\n"[..], b"% \n", b"% 123\n", b"% a\x00\n"] {
            let file = [b"% evt 3.0\n", data].concat();
            assert_eq!(parse(&file).end, 10, "{data:?}");
        }
    }

    #[test]
    fn a_header_that_is_cut_off_wants_more_bytes() {
        let file = b"% evt 3.0\n% geometry 1280x720\n\x01\x80";
        for cut in [8, 10, 20, 30] {
            assert!(Header::parse(&file[..cut], false).unwrap().is_none(), "{cut}");
        }
        assert_eq!(Header::parse(file, false).unwrap().unwrap().end, 30);
        let endless = [&b"% a"[..], &[b'x'; 2 * LINE_BYTES]].concat();
        assert!(Header::parse(&endless, true).is_err());
    }

    #[test]
    fn format_wins_over_evt() {
        let encoding = |text: &str| parse(text.as_bytes()).encoding();
        assert_eq!(encoding("% evt 2.0\n% format EVT3;width=1\n").as_deref(), Some("EVT3"));
        assert_eq!(encoding("% evt 3.0\n% format HISTO3D\n").as_deref(), Some("HISTO3D"));
        assert_eq!(encoding("% evt 3.0\n").as_deref(), Some("EVT3"));
        assert_eq!(encoding("% date today\n"), None);
    }

    #[test]
    fn sizes_come_from_the_lines_and_must_agree() {
        let size = |text: &str| parse(text.as_bytes()).geometry();
        let both = "% format EVT3;height=720;width=1280\n% geometry 1280x720\n";
        assert_eq!(size(both).unwrap(), Some(SensorSize::new(1280, 720)));
        assert_eq!(size("% geometry 64x32\n").unwrap(), Some(SensorSize::new(64, 32)));
        assert_eq!(size("% format EVT3;height=0;width=3\n% geometry 0x0\n").unwrap(), None);
        let error = size("% format EVT3;height=720;width=1280\n% geometry 640x480\n").unwrap_err();
        assert_eq!(error.offset(), Some(36));
    }

    #[test]
    fn a_line_at_the_very_end_of_the_window_is_seen() {
        let window = MARKER_BYTES + LINE_BYTES;
        for left in 0..5 {
            let mut file = b"% evt 3.0\n".to_vec();
            while file.len() + 1100 < window {
                file.extend(format!("% key {:990}\n", "").bytes());
            }
            let room = window - left - file.len();
            file.extend(format!("% key {:1$}\n", "", room - 7).bytes());
            assert_eq!(file.len(), window - left);
            file.extend(b"% geometry 64x32\n");
            let end = file.len() as u64;
            file.extend([1, 0x80].repeat(4));
            let mut source = ByteSource::from_bytes(file);
            let mut header = Header::read(&mut source, &ReadOptions::default()).unwrap();
            assert_eq!(header.end, end, "{left} bytes in front of the window's end");
            assert_eq!(header.geometry().unwrap(), Some(SensorSize::new(64, 32)));
        }
    }

    #[test]
    fn what_is_too_far_has_an_offset() {
        let file = || ByteSource::from_bytes(b"% evt 3.0\n% geometry 64x32\n\x01\x80".repeat(2));
        let limits = Limits { header_bytes: 20, ..Limits::default() };
        let options = ReadOptions { limits, ..ReadOptions::default() };
        let error = Header::read(&mut file(), &options).unwrap_err();
        assert_eq!((error.kind(), error.offset()), (ErrorKind::Limit, Some(20)));
        let options = ReadOptions { data_offset: Some(59), ..ReadOptions::default() };
        let error = Header::read(&mut file(), &options).unwrap_err();
        assert_eq!((error.kind(), error.offset()), (ErrorKind::Caller, Some(58)));
        let options = ReadOptions { data_offset: Some(58), ..ReadOptions::default() };
        assert_eq!(Header::read(&mut file(), &options).unwrap().end, 58);
    }

    #[test]
    fn the_order_of_halves_is_stated_or_the_cameras() {
        let order = |text: &str| parse(text.as_bytes()).evt21_order();
        for (is_legacy, text) in [
            (true, "% format EVT21;height=720;width=1280;endianness=legacy\n"),
            (true, "% evt 2.1\n% endianness legacy\n"),
            (true, "% evt 2.1\n% system_ID 49\n"),
            (false, "% evt 2.1\n% system_ID 49\n% endianness little\n"),
            (false, "% evt 2.1\n% system_ID 64\n"),
            (false, "% format EVT21;endianness=little\n% system_ID 49\n"),
            (false, "% evt 2.1\n"),
        ] {
            assert_eq!(order(text).unwrap() == Evt21Order::Legacy, is_legacy, "{text}");
        }
        let error = order("% evt 2.1\n% endianness middle\n").unwrap_err();
        assert_eq!((error.kind(), error.offset()), (ErrorKind::Unsupported, Some(10)));
    }
}
