//! Finds the index of each event in the frame.

use multiversion::multiversion;

use super::{Canvas, Layout, Placed, PolarityIndex};
use crate::error::Result;
use crate::model::{EventBatch, SensorSize};

/// Number of events that are processed at a time, so that intermediate results stay in the cache.
const CHUNK: usize = 2048;

/// Marks a column or row that is in no frame. The value is above any cell index, and doubling it
/// cannot overflow `u32`.
const OUTSIDE: u32 = 1 << 30;

/// Number of cells of the largest possible frame.
pub(super) const MAX_CELLS: usize = OUTSIDE as usize;

/// Finds the indices of events in frames, by pixel and polarity.
#[derive(Debug)]
pub(super) struct PlaceFinder {
    /// For each column of the sensor, its column in the frame.
    columns: Vec<u32>,
    /// For each row of the sensor, the index of the first cell of its row in a channel.
    rows: Vec<u32>,
    /// Whether there are as many pixels as the sensor has, so that the tables are not needed.
    identity: bool,
    sensor: SensorSize,
    /// The factor by which the index of a pixel is multiplied before polarity is added.
    scale: u32,
    /// What is added to the index of a cell for ON.
    on: u32,
    t: Vec<i64>,
    index: Vec<u32>,
}

impl PlaceFinder {
    /// A finder for events of a sensor of this size (after any crop) among the pixels of `canvas`.
    pub fn new(sensor: SensorSize, canvas: Canvas, layout: Layout) -> Self {
        let (scale, on) = match layout.polarity {
            PolarityIndex::Plane => (1, canvas.pixels() as u32),
            PolarityIndex::None => (1, 0),
            PolarityIndex::LowestBit => (2, 1),
        };
        Self {
            columns: table(sensor.width, canvas.width, 1),
            rows: table(sensor.height, canvas.height, canvas.width),
            identity: (canvas.width, canvas.height) == (sensor.width.into(), sensor.height.into()),
            sensor,
            scale,
            on,
            t: Vec::with_capacity(CHUNK),
            index: Vec::with_capacity(CHUNK),
        }
    }

    /// Passes the events of `batch` to `placed`, in order and in pieces, without those that are not
    /// on the sensor. Returns the number of the latter.
    pub fn each(
        &mut self,
        batch: &EventBatch,
        mut placed: impl FnMut(Placed<'_>) -> Result<()>,
    ) -> Result<u64> {
        let mut outside = 0;
        let columns = batch.x.chunks(CHUNK).zip(batch.y.chunks(CHUNK)).zip(batch.p.chunks(CHUNK));
        for (t, ((x, y), p)) in batch.t.chunks(CHUNK).zip(columns) {
            if !fits(x, self.sensor.width) || !fits(y, self.sensor.height) {
                let n = self.find_some(t, x, y, p);
                outside += (t.len() - n) as u64;
                placed(Placed { t: &self.t[..n], index: &self.index[..n] })?;
                continue;
            }
            if self.identity {
                self.find_all(x, y, p);
            } else {
                self.find_scaled(x, y, p);
            }
            placed(Placed { t, index: &self.index })?;
        }
        Ok(outside)
    }

    fn find_all(&mut self, x: &[u16], y: &[u16], p: &[u8]) {
        let factors = [self.sensor.width.into(), self.scale, self.on];
        self.index.clear();
        extend_by_pixel(&mut self.index, x, y, p, factors);
    }

    fn find_scaled(&mut self, x: &[u16], y: &[u16], p: &[u8]) {
        let Self { columns, rows, index, .. } = self;
        let (scale, on) = (self.scale, self.on);
        index.clear();
        index.extend(x.iter().zip(y).zip(p).map(|((&x, &y), &p)| {
            let pixel = rows[usize::from(y)] + columns[usize::from(x)];
            pixel * scale + u32::from(p.min(1)) * on
        }));
    }

    /// Moves the events that are on the sensor to the front of `self.t` and `self.index`, and
    /// returns their number.
    fn find_some(&mut self, t: &[i64], x: &[u16], y: &[u16], p: &[u8]) -> usize {
        self.t.resize(CHUNK, 0);
        self.index.resize(CHUNK, 0);
        let mut n = 0;
        for (((&t, &x), &y), &p) in t.iter().zip(x).zip(y).zip(p) {
            let column = self.columns.get(usize::from(x)).copied().unwrap_or(OUTSIDE);
            let row = self.rows.get(usize::from(y)).copied().unwrap_or(OUTSIDE);
            let pixel = row + column;
            // Every event is written to slot `n`, but `n` only advances past events that are kept:
            // this avoids a branch that would often be mispredicted.
            self.t[n] = t;
            self.index[n] = pixel.wrapping_mul(self.scale) + u32::from(p.min(1)) * self.on;
            n += usize::from(pixel < OUTSIDE);
        }
        n
    }
}

/// For each of `of` columns or rows of the sensor: `⌊i * to / of⌋ * step`.
fn table(of: u16, to: usize, step: usize) -> Vec<u32> {
    (0..usize::from(of)).map(|i| (i * to / usize::from(of) * step) as u32).collect()
}

/// Appends `(y * width + x) * scale + p * on` of each event.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn extend_by_pixel(
    index: &mut Vec<u32>,
    x: &[u16],
    y: &[u16],
    p: &[u8],
    [width, scale, on]: [u32; 3],
) {
    index.extend(x.iter().zip(y).zip(p).map(|((&x, &y), &p)| {
        (u32::from(y) * width + u32::from(x)) * scale + u32::from(p.min(1)) * on
    }));
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn fits(values: &[u16], below: u16) -> bool {
    values.iter().fold(0, |max, &value| max.max(value)) < below
}
