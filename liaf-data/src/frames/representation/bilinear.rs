//! Grids of bins in time, between which each event is divided by its distance to both.
//!
//! The weights of an event are fractions with one denominator for the whole window, so that their sums
//! are exact integers, which are divided once at the end. The order of the events does not matter.

use std::ops::AddAssign;

use multiversion::multiversion;

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

impl Axis {
    /// Number of channels of each bin.
    fn planes(&self) -> usize {
        if self.signed { 1 } else { 2 }
    }
}

/// Denominators are below this, so that sums of weights cannot overflow.
const MOST: u64 = 1 << 38;

/// Number of events whose places are found together.
const BLOCK: usize = 256;

/// Memory of a [`Volume`] besides its frame, in bytes a cell: both sums.
pub(super) const STATE_BYTES: usize = size_of::<i32>() + size_of::<i64>();

#[derive(Debug)]
pub(super) struct Volume {
    axis: Axis,
    frame: Frame,
    /// Sums of the numerators, all of them zero between windows: those of windows whose sums fit 32 bits, which is
    /// nearly always, and of others, for which there is only room from the first such window on.
    small: Vec<i32>,
    large: Vec<i64>,
    /// The cells that are not zero, each at least once.
    touched: Vec<u32>,
    pixels: usize,
    window: Window,
}

/// The places of the events of a window, as fractions.
#[derive(Debug, Clone, Copy)]
struct Places {
    first: i64,
    length: u64,
    /// Times are measured in units of 2 to the power of this many µs.
    shift: u32,
    /// The place of an event is `offset · factor − half` over `denominator`.
    factor: i64,
    half: i64,
    denominator: i64,
}

impl Places {
    fn new(axis: Axis, window: Window, events: Placed<'_>) -> Self {
        let (first, length) = axis.span.measure(window, events);
        // Longer windows are measured in coarser units, whose rounding is far below that of f32.
        let shift = (u64::BITS - length.leading_zeros()).saturating_sub(MOST.trailing_zeros() - 1);
        let unit = (length >> shift).max(1) as i64;
        let (denominator, half) = if axis.centred { (2 * unit, unit) } else { (unit, 0) };
        let factor = axis.steps as i64 * if axis.centred { 2 } else { 1 };
        Self { first, length, shift, factor, half, denominator }
    }

    /// Whether the sums of this many events, and all places, fit 32 bits.
    fn are_small(&self, events: usize) -> bool {
        let most = i64::try_from(events).unwrap_or(i64::MAX).max(self.factor);
        most.checked_mul(self.denominator).is_some_and(|most| most <= i32::MAX.into())
    }

    /// The bin before the place of an event at `t`, and how far after it the place is, times the denominator.
    fn find(&self, t: i64) -> (i64, i64) {
        let Self { first, length, shift, factor, half, denominator } = *self;
        let offset = if t > first { (t.abs_diff(first).min(length) >> shift) as i64 } else { 0 };
        let place = if length == 0 { 0 } else { offset * factor - half };
        (place.div_euclid(denominator), place.rem_euclid(denominator))
    }
}

/// As [`Places::find`], for up to `BLOCK` events of a window whose [places are small](Places::are_small).
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn find_small(places: &Places, t: &[i64], bins: &mut [i32; BLOCK], rests: &mut [i32; BLOCK]) {
    let Places { first, length, factor, half, denominator, .. } = *places;
    if length == 0 {
        (*bins, *rests) = ([0; BLOCK], [0; BLOCK]);
        return;
    }
    let (factor, half, denominator) = (factor as i32, half as i32, denominator as i32);
    let inverse = 1.0 / f64::from(denominator);
    for ((&t, bin), rest) in t.iter().zip(bins).zip(rests) {
        let offset = t.saturating_sub(first).clamp(0, length as i64) as i32;
        let place = offset * factor - half;
        // The quotient in f64 is wrong by 1 at most.
        let found = (f64::from(place) * inverse).floor() as i32;
        let left = place - found * denominator;
        let step = i32::from(left >= denominator) - i32::from(left < 0);
        (*bin, *rest) = (found + step, left - step * denominator);
    }
}

/// A sum of numerators, or a part of one.
trait Sum: Copy + Default + PartialEq + AddAssign + Into<i64> {
    fn of(weight: i64) -> Self;

    fn to_f64(self) -> f64;

    /// Finds the bins of up to `BLOCK` events, and how far after them their places are, as [`Places::find`].
    fn find(places: &Places, t: &[i64], bins: &mut [Self; BLOCK], rests: &mut [Self; BLOCK]);
}

impl Sum for i32 {
    fn of(weight: i64) -> Self {
        weight as Self
    }

    fn to_f64(self) -> f64 {
        self.into()
    }

    fn find(places: &Places, t: &[i64], bins: &mut [Self; BLOCK], rests: &mut [Self; BLOCK]) {
        find_small(places, t, bins, rests);
    }
}

impl Sum for i64 {
    fn of(weight: i64) -> Self {
        weight
    }

    fn to_f64(self) -> f64 {
        self as f64
    }

    fn find(places: &Places, t: &[i64], bins: &mut [Self; BLOCK], rests: &mut [Self; BLOCK]) {
        for ((&t, bin), rest) in t.iter().zip(bins).zip(rests) {
            (*bin, *rest) = places.find(t);
        }
    }
}

impl Volume {
    pub fn new(axis: Axis, canvas: Canvas) -> Self {
        Self {
            axis,
            frame: Frame::zeros(canvas.shape, Dtype::F32),
            small: vec![0; canvas.shape.cells()],
            large: Vec::new(),
            touched: Vec::new(),
            pixels: canvas.pixels(),
            window: Window { start: 0, end: 0 },
        }
    }

    /// Writes the frame of these events. The sums are zero before and after.
    fn add_to<S: Sum>(&mut self, sums: &mut [S], places: &Places, events: Placed<'_>) {
        self.sum(sums, places, events);
        self.write(sums, places.denominator as f64);
    }

    /// Adds the numerators of all events to the sums.
    fn sum<S: Sum>(&mut self, sums: &mut [S], places: &Places, events: Placed<'_>) {
        let Axis { bins, keeps_borders, signed, .. } = self.axis;
        let (last, planes) = (bins as i64 - 1, self.axis.planes());
        let (mut found, mut rests) = ([S::default(); BLOCK], [S::default(); BLOCK]);
        let mut touched = 0;
        for (t, index) in events.t.chunks(BLOCK).zip(events.index.chunks(BLOCK)) {
            S::find(places, t, &mut found, &mut rests);
            self.touched.resize(touched + 2 * BLOCK, 0);
            for ((&index, &bin), &rest) in index.iter().zip(&found).zip(&rests) {
                let (bin, rest): (i64, i64) = (bin.into(), rest.into());
                let (pixel, p) = ((index >> 1) as usize, i64::from(index & 1));
                let (plane, sign) = if signed { (0, 2 * p - 1) } else { (p as usize, 1) };
                for (bin, weight) in [(bin, places.denominator - rest), (bin + 1, rest)] {
                    let bin = if keeps_borders { bin.clamp(0, last) } else { bin };
                    if !(0..=last).contains(&bin) {
                        continue;
                    }
                    let at = (bin as usize * planes + plane) * self.pixels + pixel;
                    if let Some(sum) = sums.get_mut(at) {
                        // Every cell is written, but only the first time is kept: this avoids a branch that would
                        // often be mispredicted.
                        self.touched[touched] = at as u32;
                        touched += usize::from(*sum == S::default());
                        *sum += S::of(sign * weight);
                    }
                }
            }
        }
        self.touched.truncate(touched);
    }

    /// Writes the sums into the frame, and makes them zero again.
    fn write<S: Sum>(&mut self, sums: &mut [S], denominator: f64) {
        let are_many = self.are_many();
        let Cells::Dense(CellValues::F32(cells)) = &mut self.frame.cells else { return };
        let divide = |sum: &mut S| (std::mem::take(sum).to_f64() / denominator) as f32;
        if are_many {
            cells.iter_mut().zip(sums).for_each(|(cell, sum)| *cell = divide(sum));
            return;
        }
        for &at in &self.touched {
            if let (Some(cell), Some(sum)) = (cells.get_mut(at as usize), sums.get_mut(at as usize))
            {
                // A sum that was zero in between is here twice, and is zero the second time.
                *cell += divide(sum);
            }
        }
    }

    /// Whether it is better to pass through all cells than through those that were touched.
    fn are_many(&self) -> bool {
        self.touched.len() > self.frame.shape.cells() / 8
    }
}

impl Accumulator for Volume {
    fn begin(&mut self, window: Window) {
        self.window = window;
    }

    fn add(&mut self, events: Placed<'_>) {
        let places = Places::new(self.axis, self.window, events);
        if places.are_small(events.index.len()) {
            let mut sums = std::mem::take(&mut self.small);
            self.add_to(&mut sums, &places, events);
            self.small = sums;
        } else {
            let mut sums = std::mem::take(&mut self.large);
            sums.resize(self.frame.shape.cells(), 0);
            self.add_to(&mut sums, &places, events);
            self.large = sums;
        }
    }

    fn close(&mut self, window: Window) -> Closed<'_> {
        self.frame.window = window;
        Closed::new(&self.frame)
    }

    fn clear(&mut self, _touched: Option<&[u32]>) {
        let are_many = self.are_many();
        let Cells::Dense(CellValues::F32(cells)) = &mut self.frame.cells else { return };
        match are_many {
            true => cells.fill(0.0),
            false => self.touched.iter().for_each(|&at| cells[at as usize] = 0.0),
        }
        self.touched.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_found_together_are_those_found_one_by_one() {
        let window = Window { start: -7, end: 9_993 };
        for (steps, centred) in [(1, false), (4, false), (5, false), (5, true), (1_023, false)] {
            let keeps_borders = false;
            let axis =
                Axis { span: Span::Window, bins: 5, steps, centred, keeps_borders, signed: true };
            for length in [0, 1, 2, 3, 7, 97, 4_096, 9_999, 10_000, 1 << 20] {
                let window = Window { end: window.start + length, ..window };
                let places = Places::new(axis, window, Placed { t: &[], index: &[] });
                if !places.are_small(3) {
                    assert!(length >= 1 << 20);
                    continue;
                }
                let step = (length / 5_000).max(1);
                let t: Vec<i64> = (-10..length + 3).step_by(step as usize).collect();
                for t in t.chunks(BLOCK) {
                    let (mut bins, mut rests) = ([-9; BLOCK], [-9; BLOCK]);
                    find_small(&places, t, &mut bins, &mut rests);
                    for ((&t, &bin), &rest) in t.iter().zip(&bins).zip(&rests) {
                        let one = (i64::from(bin), i64::from(rest));
                        assert_eq!(one, places.find(t), "{t} of {places:?}");
                    }
                }
            }
        }
    }
}
