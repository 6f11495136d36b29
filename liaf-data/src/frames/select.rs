//! Selects the events that are kept, and finds the cell of the frame for each of them.

use super::{FrameOptions, FrameShape, Polarity};
use crate::error::Result;
use crate::model::{Crop, EventBatch, SensorSize, TimePoint, Times};

/// Number of events that are processed at a time, so that intermediate results stay in the cache.
const CHUNK: usize = 2048;

/// Marks a column or row that is in no frame. The value is above any cell index, and doubling it
/// cannot overflow `u32`.
const OUTSIDE: u32 = 1 << 30;

/// Number of cells of the largest possible frame.
pub(super) const MAX_CELLS: usize = OUTSIDE as usize;

/// The events that were not kept.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Left {
    pub out_of_window: u64,
    pub out_of_crop: u64,
}

/// Kept events: their times, and the indices of their cells in a frame of shape `[C, H, W]`.
///
/// With signed polarity, `place` is twice the index of the cell, plus 1 for ON.
#[derive(Debug)]
pub(super) struct Kept<'a> {
    pub t: &'a [i64],
    pub place: &'a [u32],
}

/// The interval of time that the caller chose, in µs on the recording's clock: `from <= t < to`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    pub from: Option<i64>,
    pub to: Option<i64>,
}

/// Keeps the events within the chosen interval of time and the crop, and finds their cells.
#[derive(Debug)]
pub(super) struct Selector {
    from: Option<TimePoint>,
    to: Option<TimePoint>,
    times: Option<Times>,
    /// For each column of the sensor, its column in the frame, or [`OUTSIDE`].
    columns: Vec<u32>,
    /// For each row of the sensor, the index of the first cell of its row in a channel, or
    /// [`OUTSIDE`].
    rows: Vec<u32>,
    /// Whether the frame has the size of the sensor, so that the tables are not needed.
    identity: bool,
    sensor: SensorSize,
    /// The factor by which the index of a cell is multiplied before polarity is added.
    scale: u32,
    /// What is added to the index of a cell for ON.
    on: u32,
    t: Vec<i64>,
    cells: Vec<u32>,
}

impl Selector {
    /// Makes a selector for frames of `shape`, which must be the result of `options.check(sensor)`.
    pub fn new(options: &FrameOptions, sensor: SensorSize, shape: FrameShape) -> Self {
        let source = options.source(sensor);
        let Crop { x, y, w, h } = source;
        let (scale, on) = match options.polarity {
            Polarity::Split => (1, (shape.width * shape.height) as u32),
            Polarity::Merged => (1, 0),
            Polarity::Signed => (2, 1),
        };
        Self {
            from: options.from,
            to: options.to,
            times: None,
            columns: table(sensor.width, x, w, shape.width, 1),
            rows: table(sensor.height, y, h, shape.height, shape.width),
            identity: SensorSize::new(w, h) == sensor
                && (shape.width, shape.height) == (w.into(), h.into()),
            sensor,
            scale,
            on,
            t: Vec::with_capacity(CHUNK),
            cells: Vec::with_capacity(CHUNK),
        }
    }

    /// Passes the kept events of `batch` to `kept`, in order and in pieces.
    pub fn each(
        &mut self,
        batch: &EventBatch,
        mut kept: impl FnMut(Stretch, Kept<'_>) -> Result<()>,
    ) -> Result<Left> {
        let mut left = Left::default();
        let columns = batch.x.chunks(CHUNK).zip(batch.y.chunks(CHUNK)).zip(batch.p.chunks(CHUNK));
        for (t, ((x, y), p)) in batch.t.chunks(CHUNK).zip(columns) {
            let times = self.times(t[0]);
            let unfiltered = self.from.is_none() && self.to.is_none();
            if unfiltered
                && self.identity
                && fits(x, self.sensor.width)
                && fits(y, self.sensor.height)
            {
                self.find_all(x, y, p);
                kept(self.stretch(times), Kept { t, place: &self.cells })?;
            } else {
                let n = self.find_some(t, x, y, p, times, &mut left);
                kept(self.stretch(times), Kept { t: &self.t[..n], place: &self.cells[..n] })?;
            }
        }
        Ok(left)
    }

    fn stretch(&self, times: Times) -> Stretch {
        Stretch {
            from: self.from.map(|_| times.first),
            to: self.to.map(|_| times.last.saturating_add(1)),
        }
    }

    fn times(&mut self, first: i64) -> Times {
        *self.times.get_or_insert_with(|| Times::new(self.from, self.to, first))
    }

    fn find_all(&mut self, x: &[u16], y: &[u16], p: &[u8]) {
        let (width, scale, on) = (u32::from(self.sensor.width), self.scale, self.on);
        self.cells.clear();
        self.cells.extend(x.iter().zip(y).zip(p).map(|((&x, &y), &p)| {
            (u32::from(y) * width + u32::from(x)) * scale + u32::from(p.min(1)) * on
        }));
    }

    /// Moves the kept events to the front of `self.t` and `self.cells`, and returns their number.
    fn find_some(
        &mut self,
        t: &[i64],
        x: &[u16],
        y: &[u16],
        p: &[u8],
        times: Times,
        left: &mut Left,
    ) -> usize {
        self.t.resize(CHUNK, 0);
        self.cells.resize(CHUNK, 0);
        let mut n = 0;
        let mut out_of_window = 0;
        for (((&t, &x), &y), &p) in t.iter().zip(x).zip(y).zip(p) {
            let column = self.columns.get(usize::from(x)).copied().unwrap_or(OUTSIDE);
            // Every event is written to slot `n`, but `n` only advances past events that are kept:
            // this avoids a branch that would often be mispredicted.
            let row = self.rows.get(usize::from(y)).copied().unwrap_or(OUTSIDE);
            let in_crop = row + column < OUTSIDE;
            let in_time = t >= times.first && t <= times.last;
            let cell = (row + column).wrapping_mul(self.scale) + u32::from(p.min(1)) * self.on;
            self.t[n] = t;
            self.cells[n] = cell;
            n += usize::from(in_crop && in_time);
            out_of_window += u64::from(!in_time);
        }
        left.out_of_window += out_of_window;
        left.out_of_crop += t.len() as u64 - out_of_window - n as u64;
        n
    }
}

/// For each of `of` columns or rows: the `n` from `first` on are mapped to `⌊i * to / n⌋ * step`,
/// all others to [`OUTSIDE`].
fn table(of: u16, first: u16, n: u16, to: usize, step: usize) -> Vec<u32> {
    (0..usize::from(of))
        .map(|i| match i.checked_sub(first.into()) {
            Some(i) if i < usize::from(n) => (i * to / usize::from(n) * step) as u32,
            _ => OUTSIDE,
        })
        .collect()
}

fn fits(values: &[u16], below: u16) -> bool {
    values.iter().fold(0, |max, &value| max.max(value)) < below
}
