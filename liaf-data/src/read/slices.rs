//! Reading parts of a recording by time, without decoding what comes before them.

use std::num::NonZeroUsize;
use std::ops::Range;

use super::index::Index;
use super::recording::Recording;
use super::sparse_index::SparseIndex;
use super::stream::EventReader;
use crate::codec::{Body, Checkpoint, EventSink, ReadOptions};
use crate::error::{Error, Result};
use crate::model::{EventBatch, Times};

/// In files below this size every event is decoded: that is fast, and correct whatever the order of
/// the events.
const SMALL: u64 = 4 << 20;

/// The seek points of a recording, as far as they are known.
#[derive(Debug, Default)]
pub(super) struct SeekState {
    /// The index, which was built from every event.
    pub index: Option<Index>,
    /// Seek points that were found by sampling.
    pub sparse_index: Known<SparseIndex>,
    /// The time of the first event in µs, from which many slices are counted.
    pub first_time: Known<i64>,
}

/// A value that may not exist, and whether it has been looked for.
#[derive(Debug, Default)]
pub(super) enum Known<T> {
    #[default]
    Unknown,
    Nothing,
    Found(T),
}

/// How a part of a recording is read.
enum Way {
    /// By seeking: between these checkpoints, which come from an index or a sparse index.
    Cut { start: Option<Checkpoint>, end: Option<Checkpoint>, is_indexed: bool },
    /// By the reader itself, which has narrowed itself to the time.
    Narrowed(Box<EventReader>),
    /// Only by a pass over the whole recording.
    None,
}

impl Recording {
    /// The index of the recording. It is built in one pass over the recording the first time it is
    /// requested. With the index, [`slice`](Self::slice) is also correct for recordings whose time
    /// steps back.
    ///
    /// # Errors
    /// If there is no stream of events, or several of which none was chosen; if the recording is a
    /// pipe or cannot be read.
    pub fn index(&mut self) -> Result<&Index> {
        self.unpack()?;
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

    /// Sets an index that was built earlier, from this recording and with the same options.
    pub(super) fn set_index(&mut self, index: Index) {
        self.points.index = Some(index);
    }

    /// A reader of the events with `from <= t < to`, in file order. Times are in µs on the recording's
    /// own clock, which may start anywhere ([`first_time`](Self::first_time));
    /// [`between`](Self::between) counts from the first event. The reader starts to decode shortly
    /// before the first of them, and does not read the parts of the file that are farther before or
    /// after them.
    ///
    /// If the format allows it, the starting point is found by sampling: by arithmetic, from an
    /// index table in the file, from the headers of packets, or by a binary search. This assumes
    /// that the recording is in order of time, except for steps back of up to 100 ms. If the
    /// samples contradict this, or if the format has no such means, the first call builds the
    /// [`index`](Self::index) in one pass over the file. For files that may be damaged or out of
    /// order, build the index first.
    ///
    /// ```
    /// # fn main() -> liaf_data::Result<()> {
    /// # let file = b"#!AER-DAT2.0\r\n# AEChip: DVS128\r\n\0\0\x01\x02\0\0\0\x0a\0\0\x01\x02\0\0\0\x0b";
    /// use liaf_data::{EventBatch, ReadOptions, Recording};
    ///
    /// let mut recording = Recording::from_bytes(&file[..], ReadOptions::default())?;
    /// let mut events = EventBatch::new();
    /// recording.slice(11..20)?.read_to_end(&mut events)?;
    /// assert_eq!(events.t(), [11]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`index`](Self::index).
    pub fn slice(&mut self, time: Range<i64>) -> Result<EventReader> {
        self.unpack()?;
        let mut reader = match self.find(&time)? {
            Some(reader) => reader,
            None => {
                self.index()?;
                self.find(&time)?.ok_or_else(|| Error::caller("the recording has no index"))?
            }
        };
        reader.check.slice = Some(Times::from(time));
        Ok(reader)
    }

    /// A reader of all events within `time` and of some events around them. `None` if they can only
    /// be found by a pass over the whole recording.
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
            if !self.is_joined() && source.len().is_none_or(|len| len < SMALL) {
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

    /// The time of the first event in µs, even if later events are earlier; `None` if there are no
    /// events.
    ///
    /// # Errors
    /// As [`index`](Self::index).
    pub fn first_time(&mut self) -> Result<Option<i64>> {
        self.make_ready()?;
        match self.points.first_time {
            Known::Found(first) => return Ok(Some(first)),
            Known::Nothing => return Ok(None),
            Known::Unknown => {}
        }
        let options = ReadOptions {
            step: NonZeroUsize::new(64 << 10),
            parallel: false,
            ..self.options().clone()
        };
        let mut reader = self.open_reader(&options)?;
        if let Body::Blocks(blocks) = &mut reader.body {
            blocks.take_small_steps();
        }
        let mut first = First(None);
        while first.0.is_none() && reader.pump(&mut first)? {}
        self.points.first_time = first.0.map_or(Known::Nothing, Known::Found);
        Ok(first.0)
    }

    /// Reads the events of consecutive windows of `width` µs, from `time.start` to `time.end`. Each
    /// window is read on its own as a [`slice`](Self::slice), so that it is cheap to start anywhere
    /// and to stop early.
    ///
    /// # Errors
    /// If `width` is not more than 0. Each item may be an error as those of [`slice`](Self::slice).
    pub fn windows(
        &mut self,
        time: Range<i64>,
        width: i64,
    ) -> Result<impl Iterator<Item = Result<(Range<i64>, EventBatch)>> + '_> {
        if width <= 0 {
            return Err(Error::caller("the width of windows must be above 0")
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

    /// Checks that there is one stream of events to read, and finds the size of its sensor if it is
    /// needed.
    fn make_ready(&mut self) -> Result<()> {
        self.check_choice(self.info().reads_events())?;
        if self.needs_sensor {
            self.find_sensor()?;
        }
        Ok(())
    }
}

/// A sink that stores the time of the first event.
struct First(Option<i64>);

impl EventSink for First {
    fn events(&mut self, events: &mut EventBatch, _offset: u64) -> Result<()> {
        self.0 = self.0.or(events.t.first().copied());
        Ok(())
    }
}
