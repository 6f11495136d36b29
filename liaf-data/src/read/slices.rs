//! Parts of a recording by time, without decoding what comes before them.

use std::num::NonZeroUsize;
use std::ops::Range;

use super::index::Index;
use super::recording::Recording;
use super::sparse_index::SparseIndex;
use super::stream::EventReader;
use crate::codec::{Body, Checkpoint, EventSink, ReadOptions};
use crate::error::{Error, Result};
use crate::model::EventBatch;

/// Of smaller files every event is looked at: that is quick, and right whatever their order.
const SMALL: u64 = 4 << 20;

/// What is known of where in the file which time is.
#[derive(Debug, Default)]
pub(super) struct SeekState {
    /// Of every event.
    pub index: Option<Index>,
    /// By a look at a few points.
    pub sparse_index: Known<SparseIndex>,
}

/// What may not be there, once it was looked for.
#[derive(Debug, Default)]
pub(super) enum Known<T> {
    #[default]
    Unknown,
    Nothing,
    Found(T),
}

/// How a part of a recording is found.
enum Way {
    /// At these points, which an index or a sparse_index tells.
    Cut { start: Option<Checkpoint>, end: Option<Checkpoint>, is_indexed: bool },
    /// The reader finds it itself.
    Narrowed(Box<EventReader>),
    /// Not without a pass over all of it.
    None,
}

impl Recording {
    /// The index of the recording, made by one pass over it the first time it is asked for. With it
    /// [`slice`](Self::slice) is right for recordings whose times step back as well.
    ///
    /// # Errors
    /// If there is no event stream, or several and none was chosen; if the recording is a pipe or
    /// cannot be read.
    pub fn index(&mut self) -> Result<&Index> {
        self.make_ready()?;
        let index = match self.points.index.take() {
            Some(index) => index,
            None => {
                let step = Some(NonZeroUsize::new(Index::STRETCH).unwrap_or(NonZeroUsize::MIN));
                let options = ReadOptions { step, strict: false, ..self.options().clone() };
                Index::build(self.open_reader(&options)?)?
            }
        };
        Ok(self.points.index.insert(index))
    }

    /// Takes an index that was made before, of this recording and read in the same way.
    pub(super) fn set_index(&mut self, index: Index) {
        self.points.index = Some(index);
    }

    /// A reader of the events with `from <= t < to`, in file order, which begins to decode close
    /// before the first of them: what lies further in front is not read, nor what lies behind.
    ///
    /// Where the format lets it, the point is found by a look at a few others: by arithmetic, in the
    /// file's own table, at the headers of packets, or by halving. That takes the recording to be in
    /// order of time, but for steps back of up to 100 ms; where it is seen not to be, and in formats
    /// without such means, the first call makes the [`index`](Self::index), by one pass over the file.
    /// Ask for the index first to have slices of files that may be damaged or out of order.
    ///
    /// ```
    /// # fn main() -> liaf_data::Result<()> {
    /// # let file = b"#!AER-DAT2.0\r\n# AEChip: DVS128\r\n\0\0\x01\x02\0\0\0\x0a\0\0\x01\x02\0\0\0\x0b";
    /// use liaf_data::{EventBatch, ReadOptions, Recording};
    ///
    /// let mut recording = Recording::from_bytes(&file[..], ReadOptions::default())?;
    /// let mut events = EventBatch::new();
    /// recording.slice(11..20)?.read_to_end(&mut events)?;
    /// assert_eq!(events.t, [11]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`index`](Self::index).
    pub fn slice(&mut self, time: Range<i64>) -> Result<EventReader> {
        let mut reader = match self.find(&time)? {
            Some(reader) => reader,
            None => {
                self.index()?;
                self.find(&time)?.ok_or_else(|| Error::caller("the recording has no index"))?
            }
        };
        reader.check.slice = Some(time);
        Ok(reader)
    }

    /// A reader of all events of `time`, and of some around them. `None` if they are not to be found
    /// without a pass over the whole recording.
    ///
    /// # Errors
    /// As [`index`](Self::index).
    pub(crate) fn part(&mut self, time: &Range<i64>) -> Result<Option<EventReader>> {
        self.find(time)
    }

    fn find(&mut self, time: &Range<i64>) -> Result<Option<EventReader>> {
        self.make_ready()?;
        let (start, end, is_indexed) = match self.way(time)? {
            Way::None => return Ok(None),
            Way::Narrowed(reader) => return Ok(Some(*reader)),
            Way::Cut { start, end, is_indexed } => (start, end, is_indexed),
        };
        let mut reader = self.open_reader(self.options())?;
        reader.cut(start.as_ref(), end)?;
        reader.is_indexed = is_indexed;
        reader.check.trusts_order = !is_indexed;
        Ok(Some(reader))
    }

    fn way(&mut self, time: &Range<i64>) -> Result<Way> {
        if let Some(index) = &self.points.index {
            let (start, end) = index.locate(time);
            return Ok(Way::Cut { start, end, is_indexed: true });
        }
        if matches!(self.points.sparse_index, Known::Unknown) {
            let mut reader = Box::new(self.open_reader(self.options())?);
            let EventReader { source, body, .. } = &mut *reader;
            if source.len().is_none_or(|len| len < SMALL) {
                self.points.sparse_index = Known::Nothing;
                return Ok(Way::None);
            }
            self.points.sparse_index = match body {
                Body::Blocks(blocks) => {
                    if !blocks.narrow(source, time)? {
                        return Ok(Way::None);
                    }
                    reader.is_cut = true;
                    reader.check.trusts_order = true;
                    return Ok(Way::Narrowed(reader));
                }
                Body::Stream(_, Some(seek_scan)) => {
                    let points = seek_scan.look(source)?;
                    points.and_then(SparseIndex::new).map_or(Known::Nothing, Known::Found)
                }
                Body::Stream(_, None) => Known::Nothing,
            };
        }
        Ok(match &self.points.sparse_index {
            Known::Found(sparse_index) => {
                let (start, end) = sparse_index.locate(time);
                Way::Cut { start, end, is_indexed: !sparse_index.trusts_order }
            }
            Known::Unknown | Known::Nothing => Way::None,
        })
    }

    /// The time of the first event in µs, whatever comes behind it; `None` without events.
    ///
    /// # Errors
    /// As [`index`](Self::index).
    pub fn first_time(&mut self) -> Result<Option<i64>> {
        self.make_ready()?;
        let options = ReadOptions {
            step: NonZeroUsize::new(64 << 10),
            parallel: false,
            ..self.options().clone()
        };
        let mut reader = self.open_reader(&options)?;
        let mut first = First(None);
        while first.0.is_none() && reader.pump(&mut first)? {}
        Ok(first.0)
    }

    /// The events of windows of `width` µs one after another from `time.start` on, up to
    /// `time.end`, each read by itself as a [`slice`](Self::slice): begin at any moment and stop
    /// when you have seen enough.
    ///
    /// # Errors
    /// If `width` is not more than 0; the items, as [`slice`](Self::slice).
    pub fn windows(
        &mut self,
        time: Range<i64>,
        width: i64,
    ) -> Result<impl Iterator<Item = Result<(Range<i64>, EventBatch)>> + '_> {
        if width <= 0 {
            return Err(Error::caller("windows need a width")
                .expected("more than 0 µs")
                .found(format!("{width} µs")));
        }
        let mut at = time.start;
        Ok(std::iter::from_fn(move || {
            (at < time.end).then(|| {
                let window = at..at.saturating_add(width).min(time.end);
                at = window.end;
                let mut events = EventBatch::new();
                self.slice(window.clone())?.read_to_end(&mut events)?;
                Ok((window, events))
            })
        }))
    }

    /// There is one event stream to read, and its sensor is known if it must be.
    fn make_ready(&mut self) -> Result<()> {
        self.check_choice(self.info().reads_events())?;
        if self.needs_sensor {
            self.find_sensor()?;
        }
        Ok(())
    }
}

/// Takes the time of the first event.
struct First(Option<i64>);

impl EventSink for First {
    fn events(&mut self, events: &mut EventBatch, _offset: u64) -> Result<()> {
        self.0 = self.0.or(events.t.first().copied());
        Ok(())
    }
}
