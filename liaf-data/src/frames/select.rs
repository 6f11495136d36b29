//! From events to places: which are kept, and which cell of the frame each one falls in.

use super::{FrameOptions, FrameShape, Polarity};
use crate::error::{Error, Result};
use crate::model::{Crop, EventBatch, SensorSize, TimePoint, Times};

/// Events that are taken at a time, so that what is worked out for them stays in cache.
const CHUNK: usize = 2048;

/// In a table: this column or row is in no frame. More than any place, and twice it is no overflow.
const OUTSIDE: u32 = 1 << 30;

/// CellValues of the largest frame.
pub(super) const MAX_CELLS: usize = OUTSIDE as usize;

/// Events that were not kept.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Left {
    pub out_of_window: u64,
    pub out_of_crop: u64,
}

/// Kept events: times, and places in a frame of shape `[C, H, W]`.
///
/// With signed polarity a place is doubled, and one more for ON.
#[derive(Debug)]
pub(super) struct Kept<'a> {
    pub t: &'a [i64],
    pub place: &'a [u32],
}

/// The stretch of time that the caller chose, in µs on the recording's clock: `from <= t < to`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    pub from: Option<i64>,
    pub to: Option<i64>,
}

/// Keeps the events inside the stretch of time and the crop, and finds their places.
#[derive(Debug)]
pub(super) struct Selector {
    from: Option<TimePoint>,
    to: Option<TimePoint>,
    times: Option<Times>,
    /// Place of a column in a row, or [`OUTSIDE`]; one a column of the sensor.
    columns: Vec<u32>,
    /// Place of a row in a channel, or [`OUTSIDE`]; one a row of the sensor.
    rows: Vec<u32>,
    /// Whether every pixel keeps its place, so that the tables are not needed.
    identity: bool,
    sensor: SensorSize,
    /// What a place is multiplied by before polarity is added.
    scale: u32,
    /// What ON adds to a place.
    on: u32,
    t: Vec<i64>,
    place: Vec<u32>,
}

impl Selector {
    /// For frames of `shape`, which is what `options.check(sensor)` gave.
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
            place: Vec::with_capacity(CHUNK),
        }
    }

    /// Goes through the events of `batch` and hands the kept ones on, in order and in pieces.
    pub fn each(
        &mut self,
        batch: &EventBatch,
        mut kept: impl FnMut(Stretch, Kept<'_>) -> Result<()>,
    ) -> Result<Left> {
        let n = batch.t.len();
        if batch.x.len() != n || batch.y.len() != n || batch.p.len() != n {
            return Err(Error::caller("the columns of a batch of events differ in length")
                .expected(format!("{n} of each"))
                .found(format!("{} x, {} y, {} p", batch.x.len(), batch.y.len(), batch.p.len())));
        }
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
                self.place_all(x, y, p);
                kept(self.stretch(times), Kept { t, place: &self.place })?;
            } else {
                let n = self.place_some(t, x, y, p, times, &mut left);
                kept(self.stretch(times), Kept { t: &self.t[..n], place: &self.place[..n] })?;
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

    fn place_all(&mut self, x: &[u16], y: &[u16], p: &[u8]) {
        let (width, scale, on) = (u32::from(self.sensor.width), self.scale, self.on);
        self.place.clear();
        self.place.extend(x.iter().zip(y).zip(p).map(|((&x, &y), &p)| {
            (u32::from(y) * width + u32::from(x)) * scale + u32::from(p.min(1)) * on
        }));
    }

    /// Puts the kept events in front of `self.t` and `self.place`, and says how many they are.
    fn place_some(
        &mut self,
        t: &[i64],
        x: &[u16],
        y: &[u16],
        p: &[u8],
        times: Times,
        left: &mut Left,
    ) -> usize {
        self.t.resize(CHUNK, 0);
        self.place.resize(CHUNK, 0);
        let mut n = 0;
        let mut out_of_window = 0;
        for (((&t, &x), &y), &p) in t.iter().zip(x).zip(y).zip(p) {
            let column = self.columns.get(usize::from(x)).copied().unwrap_or(OUTSIDE);
            let row = self.rows.get(usize::from(y)).copied().unwrap_or(OUTSIDE);
            let in_crop = row + column < OUTSIDE;
            let in_time = t >= times.first && t <= times.last;
            let place = (row + column).wrapping_mul(self.scale) + u32::from(p.min(1)) * self.on;
            self.t[n] = t;
            self.place[n] = place;
            n += usize::from(in_crop && in_time);
            out_of_window += u64::from(!in_time);
        }
        left.out_of_window += out_of_window;
        left.out_of_crop += t.len() as u64 - out_of_window - n as u64;
        n
    }
}

/// Where each of `of` columns goes: the `n` from `first` on to `⌊i * to / n⌋ * step`.
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
