//! Frames of a recording, one after another.

use std::collections::VecDeque;

use liaf_data::frames::{
    Binner, CellValues, Cells, Frame, FrameOptions, FrameReport, FrameShape, SpanFinder,
};
use liaf_data::{Error, EventReader, Recording, Report, Result};

/// Iterates over the frames of a recording, which is read on when the next one is asked for. There is
/// nothing after an error.
#[derive(Debug)]
pub(crate) struct FrameStream {
    reader: EventReader,
    /// `None` after the last frame, and after an error.
    binner: Option<Binner>,
    shape: FrameShape,
    /// Where the events went, after the last frame.
    report: FrameReport,
    /// The frames that the block that was read last has completed, stored sparsely where that takes
    /// less memory: a block with a long gap in time completes hundreds of thousands of empty frames.
    queue: VecDeque<Frame>,
    failed: Option<Error>,
}

impl FrameStream {
    /// Checks the options and, if the windows depend on all of the recording, reads it once.
    pub fn new(recording: &mut Recording, options: &FrameOptions) -> Result<Self> {
        let opened = Self::open(recording, options);
        opened.map_err(|error| in_recording(error, recording))
    }

    fn open(recording: &mut Recording, options: &FrameOptions) -> Result<Self> {
        if options.needs_span() && !recording.is_seekable() {
            return Err(Error::caller("this needs a first pass over the recording")
                .found("a pipe, which can be read only once")
                .advice("name a file, or choose windows by time or count"));
        }
        let sensor = recording.find_sensor()?;
        let mut span = None;
        if options.needs_span() {
            let mut finder = SpanFinder::new(options, sensor)?;
            let mut reader = recording.reader()?;
            while reader.pump(&mut finder)? {}
            span = Some(finder.span());
        }
        let binner = Binner::new(options, sensor, span)?;
        let (shape, reader) = (binner.shape(), recording.reader()?);
        let (report, queue) = (FrameReport::default(), VecDeque::new());
        Ok(Self { reader, binner: Some(binner), shape, report, queue, failed: None })
    }

    /// The shape of every frame.
    pub fn shape(&self) -> FrameShape {
        self.shape
    }

    /// What was met in the recording so far.
    pub fn report(&self) -> Report {
        self.reader.report()
    }

    /// Where its events went so far.
    pub fn frame_report(&self) -> &FrameReport {
        self.binner.as_ref().map_or(&self.report, Binner::report)
    }

    /// Reads the next block of the file. Returns whether there may be more.
    fn read(&mut self) -> Result<bool> {
        let Self { reader, binner, queue, .. } = self;
        let mut sink = |frame: &Frame| {
            queue.push_back(compact(frame));
            Ok(())
        };
        if let Some(binner) = binner
            && reader.pump(&mut binner.to(&mut sink))?
        {
            return Ok(true);
        }
        let read = reader.report();
        if read.events == 0 && read.bytes.skipped > 0 {
            return Err(Error::malformed("not one event could be read"));
        }
        if let Some(binner) = binner.take() {
            self.report = binner.finish(&mut sink)?;
        }
        Ok(false)
    }
}

impl Iterator for FrameStream {
    type Item = Result<Frame>;

    fn next(&mut self) -> Option<Result<Frame>> {
        while self.queue.is_empty() && self.binner.is_some() {
            if let Err(error) = self.read() {
                self.failed = Some(error);
                self.report = self.frame_report().clone();
                self.binner = None;
            }
        }
        match self.queue.pop_front() {
            Some(frame) => Some(Ok(frame)),
            None => self.failed.take().map(Err),
        }
    }
}

/// An error with the path of the recording, if that has one.
pub(crate) fn in_recording(error: Error, recording: &Recording) -> Error {
    match recording.path() {
        Some(path) => error.in_file(path),
        None => error,
    }
}

/// A copy of a frame that takes little memory if most of its cells are 0.
fn compact(frame: &Frame) -> Frame {
    let sparse = match &frame.cells {
        Cells::Dense(CellValues::U8(cells)) => sparse(cells, CellValues::U8),
        Cells::Dense(CellValues::U16(cells)) => sparse(cells, CellValues::U16),
        Cells::Dense(CellValues::I16(cells)) => sparse(cells, CellValues::I16),
        Cells::Dense(CellValues::F32(cells)) => sparse(cells, CellValues::F32),
        Cells::Sparse { .. } => None,
    };
    match sparse {
        Some(cells) => Frame { window: frame.window, cells },
        None => frame.clone(),
    }
}

/// The cells that are not 0, if they are so few that their indices take less memory than the others.
fn sparse<T: Copy + Default + PartialEq>(
    dense: &[T],
    values: impl Fn(Vec<T>) -> CellValues,
) -> Option<Cells> {
    let is_set = |cell: &T| *cell != T::default();
    let count = dense.iter().filter(|cell| is_set(cell)).count();
    if count * (size_of::<u32>() + size_of::<T>()) >= size_of_val(dense) {
        return None;
    }
    let (mut index, mut cells) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for (at, cell) in (0..).zip(dense).filter(|(_, cell)| is_set(cell)) {
        index.push(at);
        cells.push(*cell);
    }
    Some(Cells::Sparse { index, cells: values(cells) })
}

#[cfg(test)]
mod tests {
    use liaf_data::frames::Window;

    use super::*;

    #[test]
    fn frames_of_few_events_are_kept_sparsely() {
        let window = Window { start: 3, end: 7 };
        let dense = |cells| Frame { window, cells: Cells::Dense(cells) };
        let full = dense(CellValues::U8(vec![1, 0, 2]));
        assert_eq!(compact(&full), full);
        for cells in [
            CellValues::U8(vec![0, 0, 0, 0, 0, 0, 9]),
            CellValues::U16(vec![0, 0, 0, 0, 0, 0, 9]),
            CellValues::I16(vec![0, 0, 0, 0, 0, 0, -9]),
            CellValues::F32(vec![0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5]),
        ] {
            let frame = dense(cells.clone());
            let compact = compact(&frame);
            assert!(matches!(&compact.cells, Cells::Sparse { index, .. } if *index == [6]));
            assert_eq!(compact.window, window);
            let (mut a, mut b) = ([1.0; 7], [2.0; 7]);
            frame.cells.fill(&mut a);
            compact.cells.fill(&mut b);
            assert_eq!(a, b);
            assert_eq!(compact.cells, super::compact(&compact).cells);
        }
    }
}
