//! Iterators over the events of a recording.

use super::recording::Recording;
use super::stream::EventReader;
use crate::error::Result;
use crate::model::{Event, EventBatch, IntoEvents, Report};

/// Number of events in a batch of [`Batches`], at most.
const BATCH: usize = 1 << 16;

/// Iterates over the events of a recording in batches; made by [`Recording::batches`].
///
/// Events before what is wrong with the file are given first, then the error, then the end. Every
/// batch is newly allocated: [`EventReader::read_into`] reuses one.
#[derive(Debug)]
pub struct Batches(EventReader);

impl Batches {
    /// The report of everything that was met so far.
    pub fn report(&self) -> Report {
        self.0.report()
    }
}

impl Iterator for Batches {
    type Item = Result<EventBatch>;

    fn next(&mut self) -> Option<Result<EventBatch>> {
        let mut batch = EventBatch::new();
        match self.0.read_into(&mut batch, BATCH) {
            Ok(0) => None,
            Ok(_) => Some(Ok(batch)),
            Err(error) => Some(Err(error)),
        }
    }
}

/// Iterates over the events of a recording one by one; made by [`Recording::events`].
///
/// The order of events and errors is that of [`Batches`].
#[derive(Debug)]
pub struct Events {
    batches: Batches,
    batch: IntoEvents,
}

impl Events {
    /// The report of everything that was met so far: some events after the one that was given last
    /// are counted already.
    pub fn report(&self) -> Report {
        self.batches.report()
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

impl Recording {
    /// The events in batches, from the first one on.
    ///
    /// ```
    /// # fn main() -> liaf_data::Result<()> {
    /// # let two = b"#!AER-DAT2.0\r\n# AEChip: DVS128\r\n\0\0\x01\x02\0\0\0\x0a\0\0\x01\x02\0\0\0\x0b";
    /// use liaf_data::{ReadOptions, Recording};
    ///
    /// let mut recording = Recording::from_bytes(&two[..], ReadOptions::default())?;
    /// let mut latest = 0;
    /// for batch in recording.batches()? {
    ///     for event in &batch? {
    ///         latest = latest.max(event.t);
    ///     }
    /// }
    /// assert_eq!(latest, 11);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`reader`](Self::reader).
    pub fn batches(&mut self) -> Result<Batches> {
        self.reader().map(Batches)
    }

    /// The events one by one, from the first one on.
    ///
    /// ```
    /// # fn main() -> liaf_data::Result<()> {
    /// # let two = b"#!AER-DAT2.0\r\n# AEChip: DVS128\r\n\0\0\x01\x02\0\0\0\x0a\0\0\x01\x02\0\0\0\x0b";
    /// use liaf_data::{ReadOptions, Recording};
    ///
    /// let mut recording = Recording::from_bytes(&two[..], ReadOptions::default())?;
    /// let times: Vec<i64> =
    ///     recording.events()?.map(|event| Ok(event?.t)).collect::<liaf_data::Result<_>>()?;
    /// assert_eq!(times, [10, 11]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`reader`](Self::reader).
    pub fn events(&mut self) -> Result<Events> {
        Ok(Events { batches: self.batches()?, batch: EventBatch::new().into_iter() })
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
