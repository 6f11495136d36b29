//! An opened recording.

use std::io::Read;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::check::Check;
use super::join::Pieces;
use super::probe::probe;
use super::slices::SeekState;
use super::stream::EventReader;
use super::unwrap::{describe, unwrap, with_damage};
use crate::codec::{
    BlockReader, Body, Coords, Detection, Format, Opened, ReadOptions, StreamChoice, choose,
};
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::io::ByteSource;
use crate::model::{
    EventBatch, EventStats, Note, RecordingInfo, Report, SensorSize, SensorSource, StreamInfo,
};
use crate::registry::{self, recording_in};
use crate::unsupported::is_named_as_recording;

/// The file of the times, if a folder is one recording of which each column is a NumPy file, as in EVIMO2
/// (`events_t.npy`, `events_xy.npy`, `events_p.npy`). [`Recording::open`] takes either of them.
pub fn columns_in(folder: impl AsRef<Path>) -> Option<PathBuf> {
    recording_in(folder.as_ref())
}

/// The files that are read if the recording at `path` is opened: itself, or the files of all columns where
/// each of them is a NumPy file.
pub fn files_of(path: impl AsRef<Path>) -> Vec<PathBuf> {
    registry::files_of(path.as_ref())
}

/// A recording of any supported format. The format is recognised by the contents.
///
/// ```
/// # fn main() -> liaf_data::Result<()> {
/// # let two_events = b"#!AER-DAT2.0\r\n# AEChip: DVS128\r\n\0\0\x01\x02\0\0\0\x0a\0\0\x01\x02\0\0\0\x0b";
/// use liaf_data::{EventBatch, ReadOptions, Recording};
///
/// let mut recording = Recording::from_bytes(&two_events[..], ReadOptions::default())?;
/// let mut reader = recording.reader()?;
/// let mut batch = EventBatch::new();
/// while reader.read_into(&mut batch, 65_536)? > 0 {
///     println!("{} events from {} µs on", batch.len(), batch.t()[0]);
/// }
/// assert_eq!(reader.report().events, 2);
/// # Ok(())
/// # }
/// ```
pub struct Recording {
    /// The open bytes, for all readers; `None` if they can be read only once.
    source: Option<ByteSource>,
    path: Option<PathBuf>,
    options: ReadOptions,
    format: &'static Format,
    info: RecordingInfo,
    fit_sensor: fn(SensorSize) -> SensorSize,
    pub(super) needs_sensor: bool,
    /// The opened source for the first reader, which has not been read yet.
    fresh: Option<(ByteSource, Opened)>,
    /// A reader that reads nothing itself, of which others are made.
    unread: Option<Unread>,
    /// The seek points that are known so far.
    pub(super) points: SeekState,
    /// The pieces, if there are several files.
    pieces: Option<Arc<Pieces>>,
}

/// A reader that has read nothing, and what else opening the recording gave.
struct Unread {
    reader: Box<dyn BlockReader>,
    step: usize,
    bytes_per_event: f64,
    data_offset: u64,
}

impl Unread {
    fn of(opened: &Opened) -> Option<Self> {
        let Body::Blocks(reader) = &opened.body else { return None };
        let (step, bytes_per_event) = (opened.step, opened.bytes_per_event);
        let reader = reader.again()?;
        Some(Self { reader, step, bytes_per_event, data_offset: opened.data_offset })
    }

    fn open(&self, info: &RecordingInfo, options: &ReadOptions) -> Option<Opened> {
        let Self { step, bytes_per_event, data_offset, .. } = *self;
        let body = Body::Blocks(self.reader.again()?);
        Some(Opened {
            step,
            bytes_per_event,
            ..Opened::new(info.clone(), body, data_offset, options)
        })
    }
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording").field("info", &self.info).finish_non_exhaustive()
    }
}

impl Recording {
    /// Opens a file, or standard input if `path` is `-`, and reads its header. A folder is opened if it
    /// is one recording, each column of which is a NumPy file, as in EVIMO2 (`events_t.npy`,
    /// `events_xy.npy`, `events_p.npy`).
    ///
    /// # Errors
    /// If it cannot be opened, its format is not supported, or its header is damaged.
    pub fn open(path: impl AsRef<Path>, options: ReadOptions) -> Result<Self> {
        let path = path.as_ref();
        let in_folder = if path.is_dir() { recording_in(path) } else { None };
        let path = in_folder.as_deref().unwrap_or(path);
        let source = ByteSource::open(path, options.map)?;
        Self::new(source, options).map_err(|error| error.in_file(path))
    }

    /// Opens a recording that is in memory.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>, options: ReadOptions) -> Result<Self> {
        Self::new(ByteSource::from_bytes(bytes), options)
    }

    /// Opens a recording that comes from a pipe or a socket. It can be read only once.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_reader(reader: impl Read + Send + 'static, options: ReadOptions) -> Result<Self> {
        Self::new(ByteSource::from_reader(reader), options)
    }

    fn new(source: ByteSource, options: ReadOptions) -> Result<Self> {
        let mut source = unwrap(source, &options)?;
        let (format, detection) = probe(&mut source, &options)?;
        let opened = (format.open)(&mut source, &options).map_err(|error| {
            // Nothing but its contents, which fit many files, made it a file of this format.
            let is_guess = detection == Detection::Maybe
                && source.path().is_some_and(|path| !is_named_as_recording(path));
            with_damage(error.not_a_recording(is_guess), &source)
        });
        let mut opened = opened?;
        // Formats with a single stream leave the choice to this check.
        let by_path =
            |name: &StreamChoice| matches!(name, StreamChoice::Name(name) if name.contains('/'));
        if let ([_], Some(choice)) = (&opened.info.streams[..], &options.stream)
            && !by_path(choice)
        {
            choose(opened.info.streams.iter(), Some(choice))?;
        }
        describe(&mut opened.info, &source);
        Ok(Self::of(format, source, opened, options))
    }

    fn of(
        format: &'static Format,
        source: ByteSource,
        opened: Opened,
        options: ReadOptions,
    ) -> Self {
        Self {
            unread: Unread::of(&opened),
            source: source.again().ok(),
            path: source.path().map(PathBuf::from),
            format,
            info: opened.info.clone(),
            fit_sensor: opened.fit_sensor,
            needs_sensor: opened.needs_sensor,
            options,
            fresh: Some((source, opened)),
            points: SeekState::default(),
            pieces: None,
        }
    }

    /// A recording of several files; see [`join`](Self::join).
    pub(super) fn of_pieces(
        pieces: Arc<Pieces>,
        source: ByteSource,
        opened: Opened,
        options: ReadOptions,
    ) -> Result<Self> {
        let format = Format::named(opened.info.format)?;
        let path = pieces.list.first().map(|piece| piece.path.clone());
        let pieces = Some(pieces);
        Ok(Self { path, pieces, ..Self::of(format, source, opened, options) })
    }

    /// Whether the recording consists of several files.
    pub(super) fn is_joined(&self) -> bool {
        self.pieces.is_some()
    }

    /// The opened source for a first reader, if the recording can be read again.
    pub(super) fn into_fresh(self) -> Option<(ByteSource, Opened)> {
        self.source.and(self.fresh)
    }

    /// Another recording over the same open bytes, read with other options. Nothing is opened
    /// again.
    ///
    /// # Errors
    /// As [`open`](Self::open), and if the recording is a pipe.
    pub fn with_options(&self, options: ReadOptions) -> Result<Self> {
        let (source, mut opened) = self.open_again(&options)?;
        if let Some(pieces) = &self.pieces {
            return Self::of_pieces(pieces.clone(), source, opened, options);
        }
        describe(&mut opened.info, &source);
        Ok(Self::of(self.format, source, opened, options))
    }

    /// What the recording says about itself.
    pub fn info(&self) -> &RecordingInfo {
        &self.info
    }

    /// The options with which the recording is read.
    pub fn options(&self) -> &ReadOptions {
        &self.options
    }

    /// The path of the file, or `-` for standard input; `None` for memory and other streams.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Whether the recording can be read more than once.
    pub fn is_seekable(&self) -> bool {
        self.source.is_some()
    }

    /// Counts and extents of all events as they are stored, found in one pass over the file.
    ///
    /// # Errors
    /// If there are several streams of events and none was chosen, if the recording is a pipe, or
    /// if it cannot be read.
    pub fn survey(&self) -> Result<EventStats> {
        self.check_choice(self.info.stream.is_some())?;
        let mut reader = self.open_reader(&self.as_stored())?;
        let mut summary = EventStats::default();
        while reader.pump(&mut summary)? {}
        Ok(summary)
    }

    /// The size of the sensor: the size that the options or the header give, otherwise the smallest
    /// sensor that contains all events. That is found in one pass over the file, and stored in
    /// [`info`](Self::info).
    ///
    /// # Errors
    /// If the size is not known and there are several streams of events of which none was chosen,
    /// or if the recording is a pipe or cannot be read.
    pub fn find_sensor(&mut self) -> Result<SensorSize> {
        if let Some(sensor) = self.info.sensor {
            return Ok(sensor);
        }
        self.check_choice(self.info.stream.is_some())?;
        if !self.is_seekable() {
            return Err(Error::caller("the recording does not state the size of its sensor")
                .found("a pipe, which cannot be read twice to find out")
                .hint(Hint::StateSensor));
        }
        let bounds = self.find_bounds()?.unwrap_or(SensorSize::new(1, 1));
        let sensor = (self.fit_sensor)(bounds);
        self.info.sensor = Some(sensor);
        self.info.sensor_source = SensorSource::BoundingBox;
        let note = Note::new(format!(
            "the file does not state the size of its sensor: assumed {sensor}, as the events need {bounds}"
        ));
        self.info.notes.push(note.hint(Hint::StateSensor));
        self.options.sensor = Some(sensor);
        self.fresh = None;
        Ok(sensor)
    }

    /// The same options with coordinates as they are stored.
    fn as_stored(&self) -> ReadOptions {
        let stream = self.options.stream.clone().filter(|_| self.info.reads_events());
        ReadOptions { coords: Coords::Raw, strict: false, stream, ..self.options.clone() }
    }

    /// The smallest sensor that contains all events as they are stored, found in the fastest way
    /// that the format has.
    fn find_bounds(&self) -> Result<Option<SensorSize>> {
        let (mut source, opened) = self.open_again(&self.as_stored())?;
        let Some(mut finder) = opened.bounds else { return Ok(self.survey()?.bounds()) };
        source.seek(opened.data_offset)?;
        let step = opened.step;
        let mut look = |bytes: &[u8], _| {
            finder.push(bytes);
            Ok(())
        };
        while source.visit(step, &mut look)?.is_some() {}
        Ok(finder.bounds())
    }

    /// A reader that starts at the first event.
    ///
    /// # Errors
    /// If there are several streams of events and none was chosen, or no such stream at all; if the
    /// chosen stream has no events; if the recording is a pipe that was read already.
    pub fn reader(&mut self) -> Result<EventReader> {
        self.check_choice(self.info.reads_events())?;
        if self.needs_sensor {
            self.find_sensor()?;
        }
        self.begin()
    }

    /// A reader of the events of all streams of events in one pass, whichever stream is chosen. The
    /// sink is told to which stream the following events belong
    /// ([`EventSink::stream`](crate::EventSink::stream)), and [`EventReader::stream_report`] has
    /// the report that a pass over one stream alone would have.
    ///
    /// `None` if this recording can be read only one stream at a time: if it has no stream of
    /// events, if the format stores each stream separately, or if the size of a sensor must be
    /// found first.
    ///
    /// # Errors
    /// If the recording is a pipe that was read already, or cannot be read.
    pub fn all_events(&mut self) -> Result<Option<EventReader>> {
        // For a single stream the header need not be read once more.
        if !self.is_seekable() || self.info.event_streams().nth(1).is_none() {
            return Ok(None);
        }
        let options = ReadOptions { stream: Some(StreamChoice::AllEvents), ..self.options.clone() };
        let (source, opened) = self.open_again(&options)?;
        let is_read = |stream: &StreamInfo| opened.body.stream_report(stream.id).is_some();
        if !opened.info.event_streams().any(is_read) {
            return Ok(None);
        }
        let canonical = options.coords == Coords::Canonical;
        let sensor = |stream: &StreamInfo| options.sensor.or(stream.sensor).filter(|_| canonical);
        let sensors: Vec<_> =
            opened.info.event_streams().map(|stream| (stream.id, sensor(stream))).collect();
        Ok(Some(self.reader_of(source, opened, &options)?.with_streams(sensors)))
    }

    /// A reader that starts at the beginning of the recording, whatever the chosen stream contains.
    pub(super) fn begin(&mut self) -> Result<EventReader> {
        let (source, opened) = match self.fresh.take() {
            Some(fresh) => fresh,
            None => self.open_again(&self.options)?,
        };
        self.reader_of(source, opened, &self.options)
    }

    /// Reads all events into a new batch.
    ///
    /// # Errors
    /// As [`reader`](Self::reader), and if the recording cannot be read.
    pub fn read_all(&mut self) -> Result<EventBatch> {
        let mut batch = EventBatch::new();
        self.reader()?.read_to_end(&mut batch)?;
        Ok(batch)
    }

    /// The report of one pass over the recording, for recordings without a stream of events: it
    /// counts what else they contain.
    ///
    /// # Errors
    /// If it is a pipe that was read already, or cannot be read.
    pub fn account(&mut self) -> Result<Report> {
        let mut reader = self.begin()?;
        while reader.pump(&mut EventStats::default())? {}
        Ok(reader.report())
    }

    /// Opens the format again over the open bytes, with these options.
    ///
    /// # Errors
    /// If the bytes can be read only once, or the header is damaged.
    pub(super) fn open_again(&self, options: &ReadOptions) -> Result<(ByteSource, Opened)> {
        if let Some(pieces) = &self.pieces {
            return pieces.open(options);
        }
        let mut source = self.open_bytes()?;
        // Readers of blocks do not take coordinates and steps into account.
        let same =
            ReadOptions { coords: self.options.coords, step: self.options.step, ..options.clone() };
        if let Some(unread) = self.unread.as_ref().filter(|_| same == self.options)
            && let Some(opened) = unread.open(&self.info, options)
        {
            return Ok((source, opened));
        }
        let opened = (self.format.open)(&mut source, options)?;
        Ok((source, opened))
    }

    /// Unpacks a packed recording to a temporary file, so that it can be read in any order.
    ///
    /// # Errors
    /// If it cannot be unpacked, or has more bytes than the limits allow.
    pub(super) fn unpack(&mut self) -> Result<()> {
        let Some(source) = self.source.as_mut().filter(|source| source.wrapped().is_some()) else {
            return Ok(());
        };
        if !source.is_seekable() {
            source.hold(self.options.limits.held_bytes)?;
            self.info.bytes = source.len();
            self.fresh = None;
        }
        Ok(())
    }

    /// A new cursor over the open bytes.
    ///
    /// # Errors
    /// If they can be read only once.
    pub(super) fn open_bytes(&self) -> Result<ByteSource> {
        match &self.source {
            Some(source) => source.again(),
            None => Err(Error::caller("a pipe cannot be read twice").advice("name a file")),
        }
    }

    /// A reader with these options that starts at the first event.
    ///
    /// # Errors
    /// As [`open_again`](Self::open_again).
    pub(super) fn open_reader(&self, options: &ReadOptions) -> Result<EventReader> {
        let (source, opened) = self.open_again(options)?;
        self.reader_of(source, opened, options)
    }

    fn reader_of(
        &self,
        mut source: ByteSource,
        opened: Opened,
        options: &ReadOptions,
    ) -> Result<EventReader> {
        source.seek(opened.data_offset)?;
        let canonical = options.coords == Coords::Canonical;
        let sensor = self.info.sensor.filter(|_| canonical);
        let check = Check::new(sensor, options.strict);
        let mut reader = EventReader::new(source, opened, self.info.clone(), check);
        reader.step = options.step.map_or(reader.step, NonZeroUsize::get);
        Ok(reader)
    }

    /// Returns an error that lists the streams that can be chosen, unless `will_do`.
    pub(super) fn check_choice(&self, will_do: bool) -> Result<()> {
        if will_do {
            return Ok(());
        }
        Err(self.no_stream().in_file_if_any(self.path.as_ref()))
    }

    fn no_stream(&self) -> Error {
        let ids = self.info.event_streams().map(|stream| stream.id.to_string());
        let choose = Hint::ChooseStream { names: ids.collect() };
        if let Some(chosen) = self.info.chosen() {
            return Error::caller(format!("the stream {} is not a stream of events", chosen.name))
                .hint(Hint::WriteMeasurements)
                .hint(choose);
        }
        let streams: Vec<_> = self
            .info
            .event_streams()
            .map(|stream| format!("{} ({})", stream.id, stream.name))
            .collect();
        if streams.is_empty() {
            let others = self.info.streams.iter().map(|stream| stream.name.clone());
            let others: Vec<_> = others.collect();
            let error = Error::unsupported("the recording has no event stream");
            return match (others.is_empty(), self.info.notes.first()) {
                (true, None) => error,
                (true, Some(why)) => error.advice(&why.text),
                (false, _) => {
                    error.found(others.join(", ")).hint(Hint::ChooseStream { names: others })
                }
            };
        }
        Error::caller("the recording has several event streams")
            .found(streams.join(", "))
            .hint(choose)
    }
}
