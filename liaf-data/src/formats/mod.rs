//! The formats: one folder each, and the one table that lists them.
//!
//! To add a format, make a folder with a `Format` in it and add a line to [`FORMATS`].

mod aedat2;
mod aedat4;
mod evt3;
mod unread;

pub use aedat2::Aedat2Decoder;
pub use aedat4::Aedat4Decoder;
pub use evt3::Evt3Decoder;
pub(crate) use unread::{best_guess, known_but_unread};

use crate::reader::{ReadOptions, RecordingInfo};
use crate::source::ByteSource;
use crate::{Decoder, Result, SensorSize};

/// Every format that is read, in the order in which they are asked.
pub static FORMATS: &[&Format] = &[&aedat4::FORMAT, &aedat2::FORMAT, &evt3::FORMAT];

/// A format: how to know it and how to open it.
#[derive(Debug)]
pub struct Format {
    /// Its name, as in `AEDAT 4.0`.
    pub name: &'static str,
    /// File name extensions in use, without the dot.
    pub extensions: &'static [&'static str],
    /// Whether the first bytes of a file are of this format.
    pub(crate) detect: fn(&Head) -> bool,
    /// Reads the header.
    pub(crate) open: fn(&mut ByteSource, &ReadOptions) -> Result<Opened>,
}

/// The first bytes of a file, for [`Format::detect`].
#[derive(Debug)]
pub(crate) struct Head {
    /// At most [`Head::BYTES`].
    pub bytes: Vec<u8>,
}

impl Head {
    /// How far detection looks.
    pub const BYTES: usize = 4096;

    pub fn starts_with(&self, magic: &[u8]) -> bool {
        self.bytes.starts_with(magic)
    }
}

/// Finds the largest stored x and y in the data of a recording.
pub(crate) trait BoundsFinder: Send {
    /// Looks at the next bytes.
    fn push(&mut self, bytes: &[u8]);

    /// The box from pixel (0, 0) around all events so far; `None` without events.
    fn bounds(&self) -> Option<SensorSize>;
}

/// A recording whose header was read.
pub(crate) struct Opened {
    pub info: RecordingInfo,
    pub decoder: Box<dyn Decoder>,
    /// Where the data begins; the header in front of it is in the decoder's report already.
    pub data_offset: u64,
    /// How many bytes a decoder likes to get at once.
    pub step: usize,
    /// About how many bytes an event takes, rather too few: columns are reserved by it.
    pub bytes_per_event: f64,
    /// The stored coordinates cannot be made canonical before the sensor's size is known.
    pub needs_sensor: bool,
    /// The sensor that fits a bounding box: the box itself, or the smallest known chip around it.
    pub fit_sensor: fn(SensorSize) -> SensorSize,
    /// A decoder that finds the largest stored x and y and nothing else, where that is faster.
    pub bounds: Option<Box<dyn BoundsFinder>>,
}
