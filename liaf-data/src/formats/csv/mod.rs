//! CSV and similar text: one event per line, in columns.
//!
//! - Columns are separated by `,`, `;`, spaces or tabs, in any mixture. Lines end in LF or CR LF.
//! - A line that starts with `#`, `%` or `//` is a comment. A comment may name the columns, or state
//!   the size of the sensor as `%geometry:1280,720` (Metavision). A first line of two numbers may state
//!   it as well (RPG).
//! - A first line of words names the columns: `x`, `y`, `t` (`ts`, `time`, `timestamp`) and `p` (`on`,
//!   `pol`, `polarity`), in any order, possibly with other columns between them. A number after an `@`
//!   is the width or height of the sensor (faery: `t,x@640,y@480,on`); a unit may follow the name of t
//!   (`t[ns]`).
//! - Without names there must be four columns: t, x, y, p, unless only the third one can be p and the
//!   last one increases (Metavision: x, y, p, t), or the third one increases (x, y, t, p).
//! - Times with fractions are seconds; whole numbers are µs, or ns if the first is above 10¹⁷. They are
//!   never taken for ms. They are rounded to the nearest µs.
//! - p is 0 or 1, -1 or 1, True or False.
//!
//! What was inferred is listed in [`RecordingInfo::details`]. The options
//! [`ColumnMap`](crate::options::ColumnMap) and [`TimeUnit`](crate::options::TimeUnit) take precedence.
//! A last line without a line end counts as complete only if the polarity is its last column.

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
