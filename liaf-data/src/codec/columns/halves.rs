//! Recordings whose events are in two lists, one for each polarity.

use std::ops::Range;

use crate::codec::{BlockReader, EventSink};
use crate::error::{Error, Result};
use crate::io::ByteSource;
use crate::model::{EventBatch, Report};

/// The words that say which polarity an array or a group has.
const ON: &[&str] = &["on", "pos", "positive"];
const OFF: &[&str] = &["off", "neg", "negative"];

/// What the name of an array says about it: whether it is of the ON events, and the rest of the name,
/// which may be empty, as in `pos`, `t_pos`, `pos/t` or `events_neg`.
pub(crate) fn half_of(name: &str) -> Option<(bool, String)> {
    let is_gap = |c: char| c.is_whitespace() || "-_/.".contains(c);
    let name = name.to_lowercase();
    let mut words: Vec<_> = name.split(is_gap).filter(|word| !word.is_empty()).collect();
    let which = |word: &str| match () {
        () if ON.contains(&word) => Some(true),
        () if OFF.contains(&word) => Some(false),
        () => None,
    };
    let (i, is_on) = words.iter().enumerate().find_map(|(i, word)| Some((i, which(word)?)))?;
    words.remove(i);
    words.retain(|word| !matches!(*word, "events" | "event"));
    Some((is_on, words.join("_")))
}

/// One of the two lists, and its events that are not passed on yet.
struct Half {
    reader: Box<dyn BlockReader>,
    events: EventBatch,
    /// Number of the events at the beginning of `events` that were passed on.
    used: usize,
    ended: bool,
}

impl Half {
    /// The time of the next event.
    fn next(&self) -> Option<i64> {
        self.events.t.get(self.used).copied()
    }

    /// Reads until there is an event, or the list has ended.
    fn fill(&mut self, source: &mut ByteSource) -> Result<()> {
        while self.next().is_none() && !self.ended {
            self.events.clear();
            self.used = 0;
            match self.reader.pump(source, &mut self.events) {
                Ok(more) => self.ended = !more,
                Err(error) => {
                    self.ended = true;
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}

/// Reads two lists of events, of OFF and of ON, as one, in the order of time. Of events at the same time,
/// those of OFF come first.
///
/// As neither list alone says where reading can go on, a part of the recording is read from the beginning
/// of both, unless their times show which rows it needs.
pub(crate) struct Halves {
    halves: [Half; 2],
    file_bytes: u64,
    merged: EventBatch,
    /// An error that is returned when the events before it have been passed on.
    error: Option<Error>,
    report: Report,
    ended: bool,
}

impl Halves {
    /// A reader of the lists of OFF and ON, both of a file of this size.
    pub fn new(lists: [Box<dyn BlockReader>; 2], file_bytes: u64) -> Self {
        let halves = lists.map(|mut reader| {
            reader.take_small_steps();
            Half { reader, events: EventBatch::new(), used: 0, ended: false }
        });
        let mut all = Self {
            halves,
            file_bytes,
            merged: EventBatch::new(),
            error: None,
            report: Report::default(),
            ended: false,
        };
        all.sum_up();
        all
    }

    /// Passes the events on that are certainly the next ones.
    fn merge(&mut self) {
        let [off, on] = &mut self.halves;
        loop {
            let half = match (off.next(), on.next()) {
                (Some(before), Some(after)) if before <= after => &mut *off,
                (Some(_), Some(_)) => &mut *on,
                (Some(_), None) if on.ended => &mut *off,
                (None, Some(_)) if off.ended => &mut *on,
                // The next event of the other list may be earlier.
                _ => return,
            };
            let event = half.events.get(half.used);
            half.used += 1;
            self.merged.extend(event);
        }
    }

    /// Adds the reports of both. Each accounts for all bytes of the file, and takes those of the other for
    /// a part of the header.
    fn sum_up(&mut self) {
        let mut report = Report::default();
        for half in &self.halves {
            report.merge(half.reader.report());
        }
        if self.ended {
            let bytes = &mut report.bytes;
            bytes.skipped = bytes.skipped.min(self.file_bytes);
            let rest = self.file_bytes - bytes.skipped;
            bytes.passed_over = bytes.passed_over.min(rest);
            bytes.events = bytes.events.min(rest - bytes.passed_over);
            bytes.other = 0;
            bytes.header = rest - bytes.passed_over - bytes.events;
        }
        self.report = report;
    }
}

impl BlockReader for Halves {
    fn pump(&mut self, source: &mut ByteSource, sink: &mut dyn EventSink) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        for half in &mut self.halves {
            if let Err(error) = half.fill(source) {
                self.error.get_or_insert(error);
            }
        }
        self.merged.clear();
        self.merge();
        self.ended = self.halves.iter().all(|half| half.ended && half.next().is_none());
        self.sum_up();
        if !self.merged.is_empty() {
            sink.events(&mut self.merged, 0)?;
        }
        match self.error.take_if(|_| self.ended) {
            Some(error) => Err(error),
            None => Ok(!self.ended),
        }
    }

    fn report(&self) -> &Report {
        &self.report
    }

    fn position(&self) -> u64 {
        self.halves.iter().map(|half| half.reader.position()).sum::<u64>().min(self.file_bytes)
    }

    fn expected_events(&self) -> usize {
        self.halves.iter().map(|half| half.reader.expected_events()).sum()
    }

    fn narrow(&mut self, source: &mut ByteSource, time: &Range<i64>) -> Result<bool> {
        let mut is_narrow = false;
        for half in &mut self.halves {
            is_narrow |= half.reader.narrow(source, time)?;
        }
        Ok(is_narrow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_which_polarity_an_array_has() {
        for (name, found) in [
            ("pos", Some((true, ""))),
            ("t_pos", Some((true, "t"))),
            ("neg/x", Some((false, "x"))),
            ("events_on", Some((true, ""))),
            ("OFF_xy", Some((false, "xy"))),
            ("position", None),
            ("p", None),
        ] {
            let expected = found.map(|(is_on, rest)| (is_on, rest.to_owned()));
            assert_eq!(half_of(name), expected, "{name}");
        }
    }
}
