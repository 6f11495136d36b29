//! Iterators over the events of a recording.

use crate::convert::Part;
use crate::error::Result;
use crate::filter::{Chain, Removed, Selection};
use crate::model::{Event, EventBatch, IntoEvents, Report, SensorSize};
use crate::read::{EventReader, Recording};

/// Largest number of events in a batch of [`Batches`].
const BATCH: usize = 1 << 16;

/// Iterates over the chosen events of a recording in batches; made by
/// [`Recording::batches`](crate::Recording::batches) and [`Selected::batches`](super::Selected::batches).
///
/// If the recording cannot be read further, the events before that point are returned first, then the
/// error, then `None`. Every batch is newly allocated; to reuse the memory of one batch, use
/// [`EventReader::read_into`].
#[derive(Debug)]
pub struct Batches {
    reader: EventReader,
    chain: Chain,
    is_finished: bool,
}

impl Batches {
    pub(super) fn new(recording: &mut Recording, selection: &Selection) -> Result<Self> {
        if *selection == Selection::default() {
            let reader = recording.reader()?;
            // Without stages, the size of the sensor does not matter.
            let any = SensorSize::new(u16::MAX, u16::MAX);
            let chain = Chain::new(selection, any)?;
            return Ok(Self { reader, chain, is_finished: false });
        }
        let sensor = recording.find_sensor()?;
        let part = Part::find(recording, selection)?;
        let chain = Chain::new(&part.selection, sensor)?;
        Ok(Self { reader: part.reader(recording)?, chain, is_finished: false })
    }

    /// The report of everything that was met so far.
    pub fn report(&self) -> Report {
        self.reader.report()
    }

    /// The events that the selection has removed so far.
    pub fn removed(&self) -> &Removed {
        self.chain.removed()
    }
}

impl Iterator for Batches {
    type Item = Result<EventBatch>;

    fn next(&mut self) -> Option<Result<EventBatch>> {
        let mut batch = EventBatch::new();
        loop {
            match self.reader.read_into(&mut batch, BATCH) {
                Ok(0) if self.is_finished => return None,
                Ok(0) => {
                    self.is_finished = true;
                    if let Err(error) = self.chain.finish(&mut batch) {
                        return Some(Err(error));
                    }
                }
                Ok(_) => self.chain.apply(&mut batch),
                Err(error) => return Some(Err(error)),
            }
            if !batch.is_empty() {
                return Some(Ok(batch));
            }
        }
    }
}

/// Iterates over the chosen events of a recording one by one; made by
/// [`Recording::events`](crate::Recording::events) and [`Selected::events`](super::Selected::events).
///
/// The order of events and errors is that of [`Batches`].
#[derive(Debug)]
pub struct Events {
    batches: Batches,
    batch: IntoEvents,
}

impl Events {
    pub(super) fn new(batches: Batches) -> Self {
        Self { batches, batch: EventBatch::new().into_iter() }
    }

    /// The report of everything that was met so far. It may already include some events after the one
    /// that was returned last.
    pub fn report(&self) -> Report {
        self.batches.report()
    }

    /// The events that the selection has removed so far.
    pub fn removed(&self) -> &Removed {
        self.batches.removed()
    }
}

impl Iterator for Events {
    type Item = Result<Event>;

    #[inline]
    fn next(&mut self) -> Option<Result<Event>> {
        loop {
            if let Some(event) = self.batch.next() {
                return Some(Ok(event));
            }
            match self.batches.next()? {
                Ok(batch) => self.batch = batch.into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::ReadOptions;
    use crate::error::ErrorKind;

    /// A recording of three events and a half, in strict mode.
    fn cut() -> Recording {
        let mut bytes = b"#!AER-DAT2.0\r\n# AEChip: DVS128\r\n".to_vec();
        for t in 0..3u32 {
            bytes.extend_from_slice(&[0, 0, 1, 2]);
            bytes.extend_from_slice(&t.to_be_bytes());
        }
        bytes.extend_from_slice(&[0; 4]);
        let options = ReadOptions { strict: true, ..ReadOptions::default() };
        Recording::from_bytes(bytes, options).unwrap()
    }

    #[test]
    fn events_come_first_then_the_error_then_the_end() {
        let mut events = cut().events().unwrap();
        for t in 0..3 {
            assert_eq!(events.next().unwrap().unwrap().t, t);
        }
        assert_eq!(events.next().unwrap().unwrap_err().kind(), ErrorKind::Truncated);
        assert!(events.next().is_none() && events.next().is_none());
        assert_eq!(events.report().events, 3);
    }

    #[test]
    fn batches_hold_what_a_reader_gives() {
        let mut batches = cut().batches().unwrap();
        assert_eq!(batches.next().unwrap().unwrap().t, [0, 1, 2]);
        assert!(batches.next().unwrap().is_err());
        assert!(batches.next().is_none());
    }
}
