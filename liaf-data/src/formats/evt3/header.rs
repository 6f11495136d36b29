//! The text header of a Prophesee RAW file: `% key value` lines, and where they end.
//!
//! `% end` is the end where there is one. Older files have none, and then a first word whose bytes
//! are `% ` looks like one more line: so a line counts as header only if it is text with a key.

use crate::reader::ReadOptions;
use crate::source::ByteSource;
use crate::{Error, Limits, Result, SensorSize};

/// The keys that say something of use.
pub(super) const KEYS: &[&str] = &[
    "camera_integrator_name",
    "date",
    "Date",
    "evt",
    "firmware_version",
    "format",
    "generation",
    "geometry",
    "integrator_name",
    "plugin_integrator_name",
    "plugin_name",
    "sensor_generation",
    "sensor_name",
    "serial_number",
    "system_ID",
];

const LINE_BYTES: usize = 64 << 10;
/// How far an end marker is looked for behind lines that are not of the usual form.
const MARKER_BYTES: usize = 64 << 10;

/// What the header says.
#[derive(Debug, Default)]
pub(super) struct Header {
    /// Where the data begins.
    pub end: u64,
    /// The file ends inside a header line of this many bytes.
    pub cut: u64,
    /// The first line of each of [`KEYS`].
    fields: Vec<Field>,
    pub notes: Vec<String>,
}

/// One line of the header.
#[derive(Debug)]
struct Field {
    /// Where the line begins.
    offset: u64,
    key: &'static str,
    value: String,
}

impl Header {
    /// Reads the header; the source's position stays at its beginning.
    pub(super) fn read(source: &mut ByteSource, options: &ReadOptions) -> Result<Self> {
        let limit = options.limits.header_bytes;
        if let Some(end) = options.data_offset {
            let end = Limits::check("data offset", end, limit)?;
            let mut header = Self { end: end as u64, ..Self::default() };
            header.take_lines(&source.head(end)?);
            return Ok(header);
        }
        let mut look = MARKER_BYTES + LINE_BYTES;
        loop {
            let head = source.head(look)?;
            let whole = head.len() < look;
            if let Some(header) = Self::parse(&head, whole)? {
                Limits::check("header", header.end, limit)?;
                return Ok(header);
            }
            if look > limit {
                return Err(Error::limit("the text header does not end")
                    .at(limit as u64)
                    .expected(format!("at most {limit} bytes")));
            }
            look = look.saturating_mul(4);
        }
    }

    /// The header at the beginning of `head`, which is the `whole` file or not; `None` if more of
    /// the file is needed to see its end.
    pub(super) fn parse(head: &[u8], whole: bool) -> Result<Option<Self>> {
        let mut header = Self::default();
        let mut at = 0;
        while let Some(rest) = head.get(at..).filter(|rest| starts_a_line(rest)) {
            let end = rest.iter().take(LINE_BYTES).position(|&byte| byte == b'\n');
            let line = &rest[..end.map_or(rest.len().min(LINE_BYTES), |end| end + 1)];
            if !is_text(line) {
                break;
            }
            if end.is_none() && line.len() == LINE_BYTES {
                return Err(Error::limit("a line of the text header does not end")
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
        if at == head.len() && !whole {
            return Ok(None);
        }
        if let Some(end) = marker_behind(head, at) {
            header.notes.push(format!("the header goes on to its end mark at byte {end}"));
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
    pub(super) fn value(&self, key: &str) -> Option<&str> {
        self.field(key).map(|field| field.value.as_str()).filter(|value| !value.is_empty())
    }

    /// The encoding of the data, as in `EVT3`: `format` wins over `evt`.
    pub(super) fn encoding(&self) -> Option<String> {
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

    /// The sensor's size as the header states it, in `format` or in `geometry`.
    ///
    /// # Errors
    /// If the two differ.
    pub(super) fn geometry(&mut self) -> Result<Option<SensorSize>> {
        let in_format = self.value("format").and_then(size_in_format);
        let geometry = self.field("geometry");
        let stated = geometry.and_then(|field| field.value.parse::<SensorSize>().ok());
        if let (Some(field), Some(stated), Some(in_format)) = (geometry, stated, in_format)
            && stated != in_format
        {
            return Err(Error::malformed("the header gives two sizes of the sensor")
                .at(field.offset)
                .expected(format!("{in_format} as in the format line"))
                .found(stated)
                .advice("state the right one with --sensor WxH"));
        }
        if let (Some(field), None) = (geometry, stated) {
            let note = format!("the header's geometry is no size: {:?}", field.value);
            self.notes.push(note);
        }
        Ok(in_format.or(stated))
    }

    /// The size of the device that the header names.
    pub(super) fn device(&self) -> Option<SensorSize> {
        ["sensor_name", "plugin_name"]
            .into_iter()
            .find_map(|key| by_name(self.value(key)?))
            .or_else(|| {
                let keys = ["sensor_generation", "generation"];
                keys.into_iter().find_map(|key| by_generation(self.value(key)?))
            })
            .or_else(|| by_system_id(self.value("system_ID")?.parse().ok()?))
    }
}

const VGA: SensorSize = SensorSize::new(640, 480);
const HD: SensorSize = SensorSize::new(1280, 720);
const WIDE_VGA: SensorSize = SensorSize::new(640, 512);
const GENX320: SensorSize = SensorSize::new(320, 320);

/// By the name of a sensor or of the plugin that recorded it, as in `hal_plugin_gen41_evk3`.
fn by_name(name: &str) -> Option<SensorSize> {
    let name = name.to_lowercase();
    [
        ("genx320", GENX320),
        ("imx637", WIDE_VGA),
        ("imx647", WIDE_VGA),
        ("imx636", HD),
        ("imx646", HD),
        ("gen4", HD),
        ("gen3", VGA),
    ]
    .into_iter()
    .find_map(|(part, size)| name.contains(part).then_some(size))
}

fn by_generation(generation: &str) -> Option<SensorSize> {
    match generation.split('.').next()? {
        "3" => Some(VGA),
        "4" => Some(HD),
        "320" => Some(GENX320),
        _ => None,
    }
}

/// The numbers of Prophesee's own cameras.
fn by_system_id(id: u32) -> Option<SensorSize> {
    match id {
        0x15 | 0x17 | 0x19 | 0x1c | 0x1d | 0x21..=0x23 | 0x28 | 0x29 => Some(VGA),
        0x1a | 0x1e..=0x20 | 0x27 | 0x2e | 0x30..=0x32 | 0x35 | 0x3a | 0x42 => Some(HD),
        0x34 | 0x36 => Some(WIDE_VGA),
        0x3b | 0x40 => Some(GENX320),
        _ => None,
    }
}

/// `width` and `height` of a format line, as in `EVT3;height=720;width=1280`.
fn size_in_format(format: &str) -> Option<SensorSize> {
    let number = |key| {
        let pairs = format.split(';').filter_map(|part| part.split_once('='));
        let value =
            pairs.into_iter().find_map(|(name, value)| (name.trim() == key).then_some(value));
        value?.trim().parse::<u16>().ok().filter(|&number| number > 0)
    };
    Some(SensorSize::new(number("width")?, number("height")?))
}

/// Whether a line of the usual form begins here; a key begins with a letter.
fn starts_a_line(rest: &[u8]) -> bool {
    matches!(rest, [b'%', b' ', key, ..] if key.is_ascii_alphabetic())
}

/// Whether a line has no control characters; values may hold bytes above ASCII.
fn is_text(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.iter().all(|&byte| matches!(byte, b'\t' | 0x20..=0x7e | 0x80..))
}

fn is_end_marker(line: &[u8]) -> bool {
    line.trim_ascii_end() == b"% end"
}

/// The end of an end marker's line at or behind `at`, within the first [`MARKER_BYTES`].
fn marker_behind(head: &[u8], at: usize) -> Option<usize> {
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
        assert_eq!(size(both).unwrap(), Some(HD));
        assert_eq!(size("% geometry 64x32\n").unwrap(), Some(SensorSize::new(64, 32)));
        assert_eq!(size("% format EVT3;height=0;width=3\n% geometry 0x0\n").unwrap(), None);
        let error = size("% format EVT3;height=720;width=1280\n% geometry 640x480\n").unwrap_err();
        assert_eq!(error.offset(), Some(36));
    }

    #[test]
    fn devices_have_known_sizes() {
        let device = |text: &str| parse(text.as_bytes()).device();
        assert_eq!(device("% plugin_name hal_plugin_gen41_evk3\n% system_ID 28\n"), Some(HD));
        assert_eq!(device("% plugin_name evc3a_plugin_gen31\n"), Some(VGA));
        assert_eq!(device("% sensor_name IMX637\n% generation 4.2\n"), Some(WIDE_VGA));
        assert_eq!(device("% generation 320.0\n"), Some(GENX320));
        assert_eq!(device("% system_ID 49 \r\n"), Some(HD));
        assert_eq!(device("% system_ID Prophesee EVK4\n"), None);
    }
}
