//! Grids of bins in time, between which each event is divided by its distance to both.
//!
//! The weights of an event are fractions with one denominator for the whole window, so that their sums
//! are exact integers, which are divided once at the end. The order of the events does not matter.

use super::stretch::Span;
use super::{Accumulator, Canvas, Closed, Placed};
use crate::frames::{CellValues, Cells, Dtype, Frame, Window};

/// How a time becomes a place between bins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    pub span: Span,
    pub bins: usize,
    /// The place is `steps · (t − first) / length`, minus one half if `centred`.
    pub steps: usize,
    pub centred: bool,
    /// Whether the part of an event that is before the first bin or after the last is added to these.
    pub keeps_borders: bool,
    /// Whether OFF events are subtracted. Otherwise the channels are those of OFF and ON of each bin.
    pub signed: bool,
}

/// Denominators are below this, so that sums of weights cannot overflow.
const MOST: u64 = 1 << 38;

#[derive(Debug)]
pub(super) struct Volume {
    axis: Axis,
    frame: Frame,
    /// Sums of the numerators.
    sums: Vec<i64>,
    /// The cells of the events of this window, unless they are many.
    touched: Vec<u32>,
    are_few: bool,
    /// Number of pixels, and of channels of each bin.
    pixels: usize,
    channels: usize,
    window: Window,
}

impl Volume {
    pub fn new(axis: Axis, canvas: Canvas) -> Self {
        Self {
            axis,
            frame: Frame::zeros(canvas.shape, Dtype::F32),
            sums: vec![0; canvas.shape.cells()],
            touched: Vec::new(),
            are_few: true,
            pixels: canvas.pixels(),
            channels: if axis.signed { 1 } else { 2 },
            window: Window { start: 0, end: 0 },
        }
    }

    /// Writes all sums into the frame.
    fn write(&mut self, denominator: f64) {
        let Cells::Dense(CellValues::F32(cells)) = &mut self.frame.cells else { return };
        for (cell, &sum) in cells.iter_mut().zip(&self.sums) {
            *cell = (sum as f64 / denominator) as f32;
        }
    }
}

impl Accumulator for Volume {
    fn begin(&mut self, window: Window) {
        self.window = window;
    }

    fn add(&mut self, events: Placed<'_>) {
        let Axis { span, bins, steps, centred, keeps_borders, signed } = self.axis;
        let (first, length) = span.measure(self.window, events);
        // Longer windows are measured in coarser units, whose rounding is far below that of f32.
        let shift = (u64::BITS - length.leading_zeros()).saturating_sub(MOST.trailing_zeros() - 1);
        let unit = (length >> shift).max(1) as i64;
        let (denominator, half) = if centred { (2 * unit, unit) } else { (unit, 0) };
        let factor = steps as i64 * if centred { 2 } else { 1 };
        let inverse = 1.0 / denominator as f64;
        let last = bins as i64 - 1;
        let Cells::Dense(CellValues::F32(cells)) = &mut self.frame.cells else { return };
        // Each event touches two cells. If they are few, the others need not be looked at.
        self.are_few = events.index.len() < self.sums.len() / 16;
        for (&t, &index) in events.t.iter().zip(events.index) {
            let offset =
                if t > first { (t.abs_diff(first).min(length) >> shift) as i64 } else { 0 };
            let place = if length == 0 { 0 } else { offset * factor - half };
            // The quotient in f64 is wrong by 1 at most.
            let mut bin = (place as f64 * inverse) as i64;
            let mut rest = place - bin * denominator;
            if rest < 0 {
                (bin, rest) = (bin - 1, rest + denominator);
            } else if rest >= denominator {
                (bin, rest) = (bin + 1, rest - denominator);
            }
            let (pixel, p) = ((index >> 1) as usize, i64::from(index & 1));
            let (plane, sign) = if signed { (0, 2 * p - 1) } else { (p as usize, 1) };
            for (bin, weight) in [(bin, denominator - rest), (bin + 1, rest)] {
                let bin = if keeps_borders { bin.clamp(0, last) } else { bin };
                if (0..=last).contains(&bin) {
                    let channel = bin as usize * self.channels + plane;
                    let at = channel * self.pixels + pixel;
                    if let (Some(sum), Some(cell)) = (self.sums.get_mut(at), cells.get_mut(at)) {
                        *sum += sign * weight;
                        if self.are_few {
                            // The sum is in the cache now.
                            *cell = (*sum as f64 / denominator as f64) as f32;
                            self.touched.push(at as u32);
                        }
                    }
                }
            }
        }
        if !self.are_few {
            self.write(denominator as f64);
        }
    }

    fn close(&mut self, window: Window) -> Closed<'_> {
        self.frame.window = window;
        Closed::new(&self.frame)
    }

    fn clear(&mut self, _touched: Option<&[u32]>) {
        let Cells::Dense(CellValues::F32(cells)) = &mut self.frame.cells else { return };
        if self.are_few {
            for &at in &self.touched {
                (self.sums[at as usize], cells[at as usize]) = (0, 0.0);
            }
        } else {
            self.sums.fill(0);
            cells.fill(0.0);
        }
        self.touched.clear();
        self.are_few = true;
    }
}
