//! Text with an event a line, in columns: CSV and its kin.
//!
//! - Columns are separated by `,`, `;`, spaces or tabs, mixed as they come. Lines end in LF or CR LF.
//! - A line that begins with `#`, `%` or `//` is a comment; one of them may name the columns, or the
//!   sensor's size as `%geometry:1280,720` (Metavision). So may a first line of two numbers (RPG).
//! - A first line of words names the columns: `x`, `y`, `t` (`ts`, `time`, `timestamp`) and `p` (`on`,
//!   `pol`, `polarity`), in any order, others between them. A number behind an `@` is the sensor's
//!   width or height (faery: `t,x@640,y@480,on`); a unit may follow the name of t (`t[ns]`).
//! - Without names there are four columns: t, x, y, p, unless p can only be the third and the last
//!   one counts up (Metavision: x, y, p, t), or the third does (x, y, t, p).
//! - Times with fractions are seconds; whole ones are µs, or ns if the first is above 10¹⁷. They are
//!   never taken as ms. They are rounded to the nearest µs.
//! - p is 0 or 1, -1 or 1, True or False.
//!
//! What was inferred stands in [`RecordingInfo::details`]; `--columns`, `--keys` and `--time-unit`
//! overrule it. A last line without a line end is whole only if the polarity is its last column.

mod decode;
mod digits;
mod encode;
mod fast;
mod layout;
mod line;
mod seek_scan;

pub(crate) use decode::CsvDecoder;

use crate::codec::{Body, Detection, FileHead, Format, Opened, ReadOptions};
use crate::error::Result;
use crate::io::ByteSource;
use crate::model::{RecordingInfo, Report, SensorSource, StreamInfo, StreamKind};
use layout::Layout;
use seek_scan::LineScan;

pub(crate) static FORMAT: Format =
    Format { name: "CSV", extensions: &["csv", "txt"], detect, open, write: &[encode::TARGET] };

fn detect(head: &FileHead) -> Detection {
    Detection::maybe(!head.starts_with(b"#!") && layout::is_table(&head.bytes))
}

fn open(source: &mut ByteSource, options: &ReadOptions) -> Result<Opened> {
    let layout = Layout::read(source, options)?;
    let (sensor, sensor_source) = SensorSource::Header.unless_stated(options.sensor, layout.sensor);
    let mut report = Report::default();
    report.bytes.header = layout.start;
    let info = RecordingInfo {
        format: FORMAT.name,
        bytes: source.len(),
        sensor,
        sensor_source,
        streams: vec![StreamInfo::new(0, StreamKind::Events, "events", sensor)],
        stream: Some(0),
        details: layout.details.into_iter().collect(),
        notes: Vec::new(),
    };
    let body =
        Body::stream(CsvDecoder::new(layout.columns, layout.start, layout.line, report, options))
            .with_seek_scan(LineScan { start: layout.start, columns: layout.columns });
    Ok(Opened { bytes_per_event: 12.0, ..Opened::new(info, body, layout.start, options) })
}
