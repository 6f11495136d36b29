//! The description of a format: how its files are recognised and opened.

use super::seek::SeekScan;
use super::{
    BlockReader, BoundsFinder, Checkpoint, Decoder, EventSink, ReadOptions, StreamChoice, Target,
};
use crate::error::{Error, Result};
use crate::io::ByteSource;
use crate::model::{RecordingInfo, Report, SensorSize, StreamInfo, StreamKind};

/// A format: how to recognise its files and how to open them.
#[derive(Debug)]
pub struct Format {
    /// Its name, as in `AEDAT 4.0`.
    pub name: &'static str,
    /// File name extensions in use, without the dot.
    pub extensions: &'static [&'static str],
    /// How certainly a file is of this format, by its first bytes.
    pub(crate) detect: fn(&FileHead) -> Detection,
    /// Reads the header.
    pub(crate) open: fn(&mut ByteSource, &ReadOptions) -> Result<Opened>,
    /// The kinds of event files that can be written in this format; empty if it is only read.
    pub write: &'static [Target],
}

/// Two formats are equal if they have the same name.
impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Format {}

/// How certainly a file is of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detection {
    /// It is not of the format.
    No,
    /// It may be of the format: nothing contradicts it, but its first bytes are data, or text as it
    /// occurs in any file. A format whose magic bytes are found takes precedence.
    Maybe,
    /// It begins with bytes that are unique to this format.
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

/// The first bytes of a file and what else is known about it, for [`Format::detect`].
#[derive(Debug)]
pub(crate) struct FileHead {
    /// The first bytes of the file, at most [`FileHead::BYTES`] of them.
    pub bytes: Vec<u8>,
    /// Size of the file in bytes; `None` for a pipe.
    pub len: Option<u64>,
    /// The extension of the file's name, in lower case and without the dot; empty if it has none.
    pub extension: String,
    /// The caller has stated the format that is being asked about.
    pub stated: bool,
    /// The file does not begin with the signature of a format that is recognised but not read.
    pub is_unknown: bool,
}

impl FileHead {
    /// The largest number of bytes that detection looks at.
    pub const BYTES: usize = 4096;

    pub fn starts_with(&self, magic: &[u8]) -> bool {
        self.bytes.starts_with(magic)
    }

    /// Whether a file may be of a format without a header, with records of `record` bytes. This needs a
    /// matching extension, no known signature at the beginning, and records whose times, which `time`
    /// reads, are those of a recording: see [`is_plausible`](Self::is_plausible).
    pub fn headerless(
        &self,
        extensions: &[&str],
        record: usize,
        time: impl Fn(&[u8]) -> u32,
    ) -> Detection {
        Detection::maybe(self.stated || self.is_plausible(extensions, record, time))
    }

    /// Whether the first times are those of a recording: they go forward, by little, and rarely back.
    /// Equal times prove nothing, because any bytes that are mostly 0 have them. If the size of the file
    /// is not that of whole records, or is not known, more is asked of the times.
    fn is_plausible(
        &self,
        extensions: &[&str],
        record: usize,
        time: impl Fn(&[u8]) -> u32,
    ) -> bool {
        /// The longest mean step in µs. The steps of numbers that are no times are longer, because
        /// their upper bytes change as often as the lower ones.
        const MEAN_STEP: u64 = 20_000;
        if !extensions.contains(&&*self.extension) || !self.is_unknown {
            return false;
        }
        let times: Vec<_> = self.bytes.chunks_exact(record).map(time).collect();
        let (mut forward, mut back, mut sum) = (0u64, 0u64, 0u64);
        for pair in times.windows(2) {
            let step = u64::from(pair[1].saturating_sub(pair[0]));
            sum += step;
            forward += u64::from(step > 0);
            back += u64::from(pair[1] < pair[0]);
        }
        let ordered = |percent| 100 * forward >= percent * (forward + back);
        let is_whole = self.len.is_some_and(|len| len.is_multiple_of(record as u64));
        let is_ordered = if is_whole { ordered(70) } else { forward >= 8 && ordered(90) };
        forward > 0 && sum <= MEAN_STEP * forward && is_ordered
    }
}

/// What turns the bytes of a file into events.
pub(crate) enum Body {
    /// A decoder that is given the bytes in file order, and a way to find seek points quickly, if there
    /// is one.
    Stream(Box<dyn Decoder>, Option<Box<dyn SeekScan>>),
    /// A reader that reads the parts of the file that it needs.
    Blocks(Box<dyn BlockReader>),
}

impl Body {
    /// For formats that are a stream of records or packets.
    pub fn stream(decoder: impl Decoder + 'static) -> Self {
        Self::Stream(Box::new(decoder), None)
    }

    /// Adds a way to find seek points in the stream.
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

    /// The report of everything that was met so far.
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

    /// Decodes the next block of `source`, of `step` bytes if it is a stream, and passes its contents to
    /// `sink`. Returns whether there may be more. With `strict`, damage of the packed file around the
    /// source is an error.
    pub fn pump(
        &mut self,
        source: &mut ByteSource,
        step: usize,
        strict: bool,
        sink: &mut dyn EventSink,
    ) -> Result<bool> {
        let damage = |source: &ByteSource| {
            let damage = source.damage().filter(|_| strict);
            damage.map_or(Ok(()), |damage| Err(damage.error()))
        };
        match self {
            Self::Stream(decoder, _) => {
                if source.visit(step, |bytes, _| decoder.push(bytes, sink))?.is_some() {
                    return Ok(true);
                }
                damage(source)?;
                decoder.finish(sink).map(|()| false)
            }
            Self::Blocks(reader) => {
                damage(source)?;
                reader.pump(source, sink)
            }
        }
    }

    /// As [`Decoder::checkpoint`].
    pub fn checkpoint(&self) -> Option<Checkpoint> {
        match self {
            Self::Stream(decoder, _) => decoder.checkpoint(),
            Self::Blocks(reader) => reader.checkpoint(),
        }
    }

    /// As [`Decoder::resume`]. The source continues at the checkpoint as well.
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

/// A recording whose header has been read.
pub(crate) struct Opened {
    pub info: RecordingInfo,
    /// What decodes the events: [`Body::stream`] for most formats.
    pub body: Body,
    /// Where the data begins; the header in front of it is in the decoder's report already.
    pub data_offset: u64,
    /// The number of bytes that suits the decoder best at a time.
    pub step: usize,
    /// An estimate of the bytes per event, rather too low than too high, by which memory is reserved.
    /// It concerns one stream.
    pub bytes_per_event: f64,
    /// Whether the size of the sensor must be known before the stored coordinates can be made
    /// canonical.
    pub needs_sensor: bool,
    /// The sensor for a bounding box: the box itself, or the smallest known chip that contains it.
    pub fit_sensor: fn(SensorSize) -> SensorSize,
    /// A decoder that only finds the largest stored x and y, if that is faster.
    pub bounds: Option<Box<dyn BoundsFinder>>,
}

/// Number of bytes that a decoder is given at a time. It fits in the cache, and is enough to keep
/// several threads busy.
const STEP: usize = 256 << 10;
const PARALLEL_STEP: usize = 8 << 20;

impl Opened {
    /// A recording whose stored coordinates are canonical, with 8 bytes per event.
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

/// The stream to read: the chosen one, or the only stream of events. A name that no stream has may be
/// that of a kind, if there is only one stream of it.
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
            "no choice, because the recording has no streams".into()
        } else {
            names.join(", ")
        })
    })
}
