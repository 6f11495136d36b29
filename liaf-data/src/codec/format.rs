//! A format: how its files are told, and how one is opened.

use super::seek::SeekScan;
use super::{BlockReader, BoundsFinder, Checkpoint, Decoder, ReadOptions, StreamChoice, Target};
use crate::error::{Error, Result};
use crate::io::ByteSource;
use crate::model::{RecordingInfo, Report, SensorSize, StreamInfo, StreamKind};

/// A format: how to know it and how to open it.
#[derive(Debug)]
pub struct Format {
    /// Its name, as in `AEDAT 4.0`.
    pub name: &'static str,
    /// File name extensions in use, without the dot.
    pub extensions: &'static [&'static str],
    /// How certainly the first bytes of a file are of this format.
    pub(crate) detect: fn(&FileHead) -> Detection,
    /// Reads the header.
    pub(crate) open: fn(&mut ByteSource, &ReadOptions) -> Result<Opened>,
    /// The kinds of it that are written; none for a format that is only read.
    pub write: &'static [Target],
}

/// Two formats are the same if they have the same name.
impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Format {}

/// How certainly a file is of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detection {
    /// It is not.
    No,
    /// It can be: nothing in it contradicts the format, but its first bytes are data, or text of any
    /// kind. A format whose magic is found is preferred.
    Maybe,
    /// It begins with bytes that only this format has.
    Magic,
}

impl Detection {
    /// `Magic` if `found`, else `No`.
    pub fn magic(found: bool) -> Self {
        if found { Self::Magic } else { Self::No }
    }

    /// `Maybe` if `possible`, else `No`.
    pub fn maybe(possible: bool) -> Self {
        if possible { Self::Maybe } else { Self::No }
    }
}

/// The first bytes of a file and what else is known of it, for [`Format::detect`].
#[derive(Debug)]
pub(crate) struct FileHead {
    /// At most [`FileHead::BYTES`].
    pub bytes: Vec<u8>,
    /// Bytes of the file; `None` for a pipe.
    pub len: Option<u64>,
    /// The extension of its name, in lower case and without the dot; empty if it has none.
    pub extension: String,
    /// The caller says that it is of the format that is asked.
    pub stated: bool,
    /// It begins like no kind of file that is recognised by its beginning and not read.
    pub is_unknown: bool,
}

impl FileHead {
    /// How far detection looks.
    pub const BYTES: usize = 4096;

    pub fn starts_with(&self, magic: &[u8]) -> bool {
        self.bytes.starts_with(magic)
    }

    /// Whether a file of a format without a header can be of records of `record` bytes: only if it
    /// is named so, begins like nothing else that is known, and is of whole records or has the times
    /// that `time` finds in them in order.
    pub fn headerless(
        &self,
        extensions: &[&str],
        record: usize,
        time: impl Fn(&[u8]) -> u32,
    ) -> Detection {
        Detection::maybe(self.stated || self.is_plausible(extensions, record, time))
    }

    fn is_plausible(
        &self,
        extensions: &[&str],
        record: usize,
        time: impl Fn(&[u8]) -> u32,
    ) -> bool {
        let Some(len) = self.len.filter(|_| extensions.contains(&&*self.extension)) else {
            return false;
        };
        if self.bytes.len() < record || !self.is_unknown {
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

/// What makes events of a file's bytes.
pub(crate) enum Body {
    /// A decoder that takes the bytes one after the other, and what finds places in them quickly.
    Stream(Box<dyn Decoder>, Option<Box<dyn SeekScan>>),
    /// A reader that takes them where they lie.
    Blocks(Box<dyn BlockReader>),
}

impl Body {
    /// For formats that are a stream of records.
    pub fn stream(decoder: impl Decoder + 'static) -> Self {
        Self::Stream(Box::new(decoder), None)
    }

    /// The same with what finds places in the stream.
    pub fn with_seek_scan(self, seek_scan: impl SeekScan + 'static) -> Self {
        match self {
            Self::Stream(decoder, _) => Self::Stream(decoder, Some(Box::new(seek_scan))),
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

    /// As [`Decoder::stream_report`].
    pub fn stream_report(&self, stream: i32) -> Option<Report> {
        match self {
            Self::Stream(decoder, _) => decoder.stream_report(stream),
            Self::Blocks(_) => None,
        }
    }

    /// As [`Decoder::checkpoint`].
    pub fn checkpoint(&self) -> Option<Checkpoint> {
        match self {
            Self::Stream(decoder, _) => decoder.checkpoint(),
            Self::Blocks(reader) => reader.checkpoint(),
        }
    }

    /// As [`Decoder::resume`]; the source goes on there as well.
    pub fn resume(&mut self, source: &mut ByteSource, checkpoint: &Checkpoint) -> Result<()> {
        match self {
            Self::Stream(decoder, _) => {
                decoder.resume(checkpoint)?;
                source.seek(checkpoint.offset)
            }
            Self::Blocks(reader) => reader.resume(source, checkpoint),
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

/// Bytes that a decoder gets at once: on one thread as many as stay in cache, and for several threads
/// enough for each.
const STEP: usize = 256 << 10;
const PARALLEL_STEP: usize = 8 << 20;

impl Opened {
    /// A recording whose coordinates are canonical as they are stored, of 8 bytes an event.
    pub fn new(info: RecordingInfo, body: Body, data_offset: u64, options: &ReadOptions) -> Self {
        Self {
            info,
            body,
            data_offset,
            step: if options.parallel { PARALLEL_STEP } else { STEP },
            bytes_per_event: 8.0,
            needs_sensor: false,
            fit_sensor: |bounds| bounds,
            bounds: None,
        }
    }
}

/// The stream to read: the chosen one, or the only one of events. A name that no stream has may be
/// that of a kind, of which there is one.
pub(crate) fn choose<'a>(
    streams: impl Iterator<Item = &'a StreamInfo>,
    choice: Option<&StreamChoice>,
) -> Result<Option<i32>> {
    let streams: Vec<_> = streams.filter(|stream| stream.kind != StreamKind::Other).collect();
    let only = |is_wanted: &dyn Fn(&StreamInfo) -> bool| {
        let mut wanted = streams.iter().filter(|stream| is_wanted(stream));
        wanted.next().filter(|_| wanted.next().is_none()).map(|stream| stream.id)
    };
    let Some(choice) = choice.filter(|choice| **choice != StreamChoice::AllEvents) else {
        return Ok(only(&|stream| stream.kind == StreamKind::Events));
    };
    let named = match choice {
        StreamChoice::Id(id) => streams.iter().find(|s| s.id == *id).map(|s| s.id),
        StreamChoice::Name(name) if streams.iter().any(|stream| stream.name == *name) => {
            only(&|stream| stream.name == *name)
        }
        StreamChoice::Name(name) => only(&|stream| stream.kind.name() == name),
        StreamChoice::AllEvents => None,
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
