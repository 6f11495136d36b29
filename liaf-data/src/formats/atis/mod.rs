//! ATIS events of 5 bytes, the `.bin` files of N-MNIST and N-Caltech101.
//!
#![doc = include_str!("../../../docs/formats/atis_bin.md")]
//!
//! # In Rust
//!
//! What an overflow means is [`AtisOverflow`].

mod decode;
mod encode;
mod seek_scan;

pub use decode::AtisBinDecoder;

use std::collections::BTreeMap;
use std::path::Path;

use crate::codec::{AtisOverflow, Body, Detection, FileHead, Format, Opened, ReadOptions};
use crate::error::{Error, Result};
use crate::io::ByteSource;
use crate::limits::Limits;
use crate::model::{RecordingInfo, SensorSize, SensorSource, StreamInfo, StreamKind};
use decode::{OVERFLOW_Y, RECORD, time};
use seek_scan::MarkerScout;

pub(crate) static FORMAT: Format = Format {
    name: "ATIS bin",
    extensions: &["bin", SLAYER],
    detect,
    open,
    write: &[encode::TARGET],
};

/// The extension of the files of SLAYER, which are of this format and have no overflows.
const SLAYER: &str = "bs2";

/// Number of bytes that a decoder is given at a time: as many as fit in the cache of one core.
const STEP: usize = 160 << 10;
const PARALLEL_STEP: usize = 5 << 20;

fn detect(head: &FileHead) -> Detection {
    // No row is below that of the overflows.
    let mut records = head.bytes.chunks_exact(RECORD);
    if !head.stated && records.any(|record| record[1] > OVERFLOW_Y) {
        return Detection::No;
    }
    head.headerless(FORMAT.extensions, RECORD, |record| record.first_chunk().map_or(0, time))
}

fn open(source: &mut ByteSource, options: &ReadOptions) -> Result<Opened> {
    let stated = options.data_offset.unwrap_or(0);
    let start = Limits::check("data offset", stated, options.limits.header_bytes)?;
    if source.head(start)?.len() < start {
        return Err(Error::caller("the data offset is after the end of the file").found(start));
    }
    let start = stated;
    let sensor = options.sensor;
    let info = RecordingInfo {
        format: FORMAT.name,
        bytes: source.len(),
        sensor,
        sensor_source: sensor.map_or(SensorSource::Unknown, |_| SensorSource::Stated),
        streams: vec![StreamInfo::new(0, StreamKind::Events, "events", sensor)],
        stream: Some(0),
        details: BTreeMap::new(),
        notes: Vec::new(),
    };
    let extension = source.path().and_then(Path::extension);
    let is_slayer = extension.is_some_and(|extension| extension.eq_ignore_ascii_case(SLAYER));
    let mut options = options.clone();
    if options.atis.overflow == AtisOverflow::Auto && is_slayer {
        options.atis.overflow = AtisOverflow::Ignore;
    }
    let options = &options;
    let body = Body::stream(AtisBinDecoder::new(start, options))
        .with_seek_scan(MarkerScout { start, overflow: options.atis.overflow });
    Ok(Opened {
        step: if options.parallel { PARALLEL_STEP } else { STEP },
        bytes_per_event: RECORD as f64,
        fit_sensor,
        ..Opened::new(info, body, start, options)
    })
}

/// The part of the ATIS that the two data sets use if the events fit it, otherwise their bounding box.
fn fit_sensor(bounds: SensorSize) -> SensorSize {
    [SensorSize::new(34, 34), SensorSize::new(240, 180)]
        .into_iter()
        .find(|size| bounds.width <= size.width && bounds.height <= size.height)
        .unwrap_or(bounds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::Recording;

    #[test]
    fn only_files_of_slayer_have_pixels_in_row_240() {
        let folder = tempfile::tempdir().unwrap();
        let records = [[7, 240, 0x80, 0, 1], [8, 3, 0, 0, 2], [9, 240, 0, 0, 3]].concat();
        let count = |name: &str, overflow| {
            let path = folder.path().join(name);
            std::fs::write(&path, &records).unwrap();
            let options = ReadOptions::new().atis_overflow(overflow);
            Recording::open(&path, options).unwrap().read_all().unwrap().len()
        };
        assert_eq!(count("a.bin", AtisOverflow::Auto), 1);
        assert_eq!(count("a.bs2", AtisOverflow::Auto), 3);
        assert_eq!(count("a.bs2", AtisOverflow::Tonic), 1);
        assert_eq!(count("a.bin", AtisOverflow::Ignore), 3);
    }
}
