//! The formats: one folder each, and the one table that lists them.
//!
//! To add a format, make a folder with a `Format` in it and add a line to [`FORMATS`].

mod aedat;
mod aedat1;
mod aedat2;
mod aedat3;
mod aedat4;
mod atis_bin;
mod carry;
mod columns;
mod csv;
mod dat;
mod ecf;
mod event_stream;
mod evt2;
mod evt21;
mod evt3;
#[cfg(feature = "hdf5")]
pub(crate) mod hdf5;
mod mat;
mod numpy;
#[cfg(feature = "parquet")]
mod parquet;
mod prophesee;
mod records;
pub(crate) mod seek;
mod side;
mod stride;
mod unread;
mod whole;

pub use aedat2::{Aedat1Decoder, Aedat2Decoder};
pub use aedat3::Aedat3Decoder;
pub use aedat4::Aedat4Decoder;
pub use atis_bin::AtisBinDecoder;
pub use csv::CsvDecoder;
pub use dat::{DatDecoder, DatVersion};
pub use ecf::decode_ecf_chunk;
pub use event_stream::EventStreamDecoder;
pub use evt2::Evt2Decoder;
pub use evt3::Evt3Decoder;
pub use evt21::{Evt21Decoder, Evt21Order};
pub(crate) use unread::{best_guess, known_but_unread};

use std::ops::Range;

use crate::reader::{ReadOptions, RecordingInfo, StreamChoice, StreamInfo, StreamKind};
use crate::source::ByteSource;
use crate::write::Target;
use crate::{Decoder, Error, Mark, Report, Result, SensorSize, Sink};
use seek::Scout;

/// Every format that is read, in the order in which they are asked: those whose files may begin with
/// data at once come last, text before them.
pub static FORMATS: &[&Format] = &[
    &aedat4::FORMAT,
    &aedat2::FORMAT,
    &aedat3::FORMAT,
    &evt2::FORMAT,
    &evt21::FORMAT,
    &evt3::FORMAT,
    &dat::FORMAT,
    &event_stream::FORMAT,
    #[cfg(feature = "hdf5")]
    &hdf5::FORMAT,
    &numpy::NPY,
    &numpy::NPZ,
    &mat::FORMAT,
    &csv::FORMAT,
    &aedat1::FORMAT,
    &atis_bin::FORMAT,
];

/// Kinds of files that are written and not read.
pub(crate) static WRITTEN_ONLY: &[&Target] = &[
    #[cfg(feature = "parquet")]
    &parquet::TARGET,
];

/// A format: how to know it and how to open it.
#[derive(Debug)]
pub struct Format {
    /// Its name, as in `AEDAT 4.0`.
    pub name: &'static str,
    /// File name extensions in use, without the dot.
    pub extensions: &'static [&'static str],
    /// Whether the first bytes of a file are of this format. One whose files may begin with data at
    /// once must look at [`Head::may_be`] then.
    pub(crate) detect: fn(&Head) -> bool,
    /// Reads the header.
    pub(crate) open: fn(&mut ByteSource, &ReadOptions) -> Result<Opened>,
    /// The kinds of it that are written; none for a format that is only read.
    pub write: &'static [Target],
}

impl Format {
    /// The format of this name; case, spaces and marks do not count: `aedat1.0` is `AEDAT 1.0`.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if there is none.
    pub fn named(name: &str) -> Result<&'static Self> {
        let plain = |name: &str| {
            let letters = name.chars().filter(char::is_ascii_alphanumeric);
            letters.map(|letter| letter.to_ascii_lowercase()).collect::<String>()
        };
        let found = FORMATS.iter().find(|format| plain(format.name) == plain(name));
        found.copied().ok_or_else(|| {
            let names: Vec<_> = FORMATS.iter().map(|format| format.name).collect();
            Error::caller("no format of this name").expected(names.join(", ")).found(name)
        })
    }
}

/// The first bytes of a file and what else is known of it, for [`Format::detect`].
#[derive(Debug)]
pub(crate) struct Head {
    /// At most [`Head::BYTES`].
    pub bytes: Vec<u8>,
    /// Bytes of the file; `None` for a pipe.
    pub len: Option<u64>,
    /// The extension of its name, in lower case and without the dot; empty if it has none.
    pub extension: String,
    /// The caller says that it is of the format that is asked.
    pub stated: bool,
}

impl Head {
    /// How far detection looks.
    pub const BYTES: usize = 4096;

    pub fn starts_with(&self, magic: &[u8]) -> bool {
        self.bytes.starts_with(magic)
    }

    /// Whether a file that may begin with records of `record` bytes at once can be taken for that:
    /// only if it is named so, begins like nothing else that is known, and is of whole records or
    /// has the times that `time` finds in them in order.
    pub fn may_be(&self, extensions: &[&str], record: usize, time: impl Fn(&[u8]) -> u32) -> bool {
        if self.stated {
            return true;
        }
        let Some(len) = self.len.filter(|_| extensions.contains(&&*self.extension)) else {
            return false;
        };
        if self.bytes.len() < record || !unread::is_unknown(self) {
            return false;
        }
        let times: Vec<_> = self.bytes.chunks_exact(record).map(time).collect();
        let steps = times.len() - 1;
        let forward = times.windows(2).filter(|pair| pair[0] <= pair[1]).count();
        let whole = len.is_multiple_of(record as u64);
        let ordered = |percent| 100 * forward >= percent * steps;
        if whole { ordered(70) } else { steps >= 8 && ordered(90) }
    }
}

/// Finds the largest stored x and y in the data of a recording.
pub(crate) trait BoundsFinder: Send {
    /// Looks at the next bytes.
    fn push(&mut self, bytes: &[u8]);

    /// The box from pixel (0, 0) around all events so far; `None` without events.
    fn bounds(&self) -> Option<SensorSize>;
}

/// Gives the events of a container whose parts lie anywhere in the file, stretch by stretch.
///
/// What [`Decoder`] promises holds here as well: the same events, [`Report`] and errors on any
/// number of threads, and no allocation that a number in the file sizes.
pub(crate) trait BlockReader: Send {
    /// Reads the next stretch of `source` into `sink`. Returns whether there may be more; once
    /// there is not, the byte account adds up to the file.
    ///
    /// # Errors
    /// As [`Decoder::push`] and [`Decoder::finish`].
    fn pump(&mut self, source: &mut ByteSource, sink: &mut dyn Sink) -> Result<bool>;

    /// What was met so far.
    fn report(&self) -> &Report;

    /// About how many bytes of the file are behind the reader.
    fn position(&self) -> u64;

    /// About how many events are to come.
    fn expected_events(&self) -> usize;

    /// As [`Decoder::mark`].
    fn mark(&self) -> Option<Mark> {
        None
    }

    /// As [`Decoder::resume`].
    fn resume(&mut self, _source: &mut ByteSource, _mark: &Mark) -> Result<()> {
        Err(Error::unsupported("this format can only be read from its beginning"))
    }

    /// Ends in front of `mark`, which is not behind the reader.
    ///
    /// # Errors
    /// As [`resume`](Self::resume).
    fn stop(&mut self, _source: &mut ByteSource, _mark: &Mark) -> Result<()> {
        Err(Error::unsupported("this format can only be read to its end"))
    }

    /// Of a fresh reader: passes over what is certainly not of `time`, by a look at little of the file.
    /// `false` if that cannot be told: then nothing is passed over.
    ///
    /// # Errors
    /// If the file cannot be read.
    fn narrow(&mut self, _source: &mut ByteSource, _time: &Range<i64>) -> Result<bool> {
        Ok(false)
    }
}

/// What makes events of a file's bytes.
pub(crate) enum Body {
    /// A decoder that takes the bytes one after the other, and what finds places in them quickly.
    Stream(Box<dyn Decoder>, Option<Box<dyn Scout>>),
    /// A reader that takes them where they lie.
    Blocks(Box<dyn BlockReader>),
}

impl Body {
    /// For formats that are a stream of records.
    pub fn stream(decoder: impl Decoder + 'static) -> Self {
        Self::Stream(Box::new(decoder), None)
    }

    /// The same with what finds places in the stream.
    pub fn with_scout(self, scout: impl Scout + 'static) -> Self {
        match self {
            Self::Stream(decoder, _) => Self::Stream(decoder, Some(Box::new(scout))),
            Self::Blocks(_) => self,
        }
    }

    /// For containers.
    pub fn blocks(reader: impl BlockReader + 'static) -> Self {
        Self::Blocks(Box::new(reader))
    }

    /// What was met so far.
    pub fn report(&self) -> &Report {
        match self {
            Self::Stream(decoder, _) => decoder.report(),
            Self::Blocks(reader) => reader.report(),
        }
    }

    /// As [`Decoder::mark`].
    pub fn mark(&self) -> Option<Mark> {
        match self {
            Self::Stream(decoder, _) => decoder.mark(),
            Self::Blocks(reader) => reader.mark(),
        }
    }

    /// As [`Decoder::resume`]; the source goes on there as well.
    pub fn resume(&mut self, source: &mut ByteSource, mark: &Mark) -> Result<()> {
        match self {
            Self::Stream(decoder, _) => {
                decoder.resume(mark)?;
                source.seek(mark.offset)
            }
            Self::Blocks(reader) => reader.resume(source, mark),
        }
    }
}

/// A recording whose header was read.
pub(crate) struct Opened {
    pub info: RecordingInfo,
    /// What reads the events; [`Body::stream`] for most formats.
    pub body: Body,
    /// Where the data begins; the header in front of it is in the decoder's report already.
    pub data_offset: u64,
    /// How many bytes a decoder likes to get at once.
    pub step: usize,
    /// About how many bytes an event takes, rather too few: columns are reserved by it. A stream's.
    pub bytes_per_event: f64,
    /// The stored coordinates cannot be made canonical before the sensor's size is known.
    pub needs_sensor: bool,
    /// The sensor that fits a bounding box: the box itself, or the smallest known chip around it.
    pub fit_sensor: fn(SensorSize) -> SensorSize,
    /// A decoder that finds the largest stored x and y and nothing else, where that is faster.
    pub bounds: Option<Box<dyn BoundsFinder>>,
}

/// The stream to read: the chosen one, or the only one of events. A name that no stream has may be
/// that of a kind, of which there is one.
fn choose<'a>(
    streams: impl Iterator<Item = &'a StreamInfo>,
    choice: Option<&StreamChoice>,
) -> Result<Option<i32>> {
    let streams: Vec<_> = streams.filter(|stream| stream.kind != StreamKind::Other).collect();
    let only = |is_wanted: &dyn Fn(&StreamInfo) -> bool| {
        let mut wanted = streams.iter().filter(|stream| is_wanted(stream));
        wanted.next().filter(|_| wanted.next().is_none()).map(|stream| stream.id)
    };
    let Some(choice) = choice else {
        return Ok(only(&|stream| stream.kind == StreamKind::Events));
    };
    let named = match choice {
        StreamChoice::Id(id) => streams.iter().find(|s| s.id == *id).map(|s| s.id),
        StreamChoice::Name(name) if streams.iter().any(|stream| stream.name == *name) => {
            only(&|stream| stream.name == *name)
        }
        StreamChoice::Name(name) => only(&|stream| stream.kind.name() == name),
    };
    named.map(Some).ok_or_else(|| {
        let names: Vec<_> =
            streams.iter().map(|stream| format!("{} ({})", stream.id, stream.name)).collect();
        let is_like = |s: &&&StreamInfo| {
            format!("{choice}") == s.name || format!("{choice}") == s.kind.name()
        };
        let several = streams.iter().filter(is_like).count() > 1;
        let what = if several { "there are several streams" } else { "there is no stream" };
        Error::caller(format!("{what} {choice}")).expected(if names.is_empty() {
            "no stream at all".into()
        } else {
            names.join(", ")
        })
    })
}
