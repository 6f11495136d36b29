//! Random changes of frames, for training.

use liaf_core::rng::Key;
use ndarray::{ArrayViewMutD, Axis, Slice};
use serde::{Deserialize, Serialize};

use super::examples::Collated;

/// How frames of training samples are changed at random. Every sample is changed in one way at all its
/// steps. The change depends on seed, epoch and sample alone.
///
/// Only inputs `[N, T, C, H, W]` are changed.
///
/// ```
/// use liaf::core::rng::Key;
/// use liaf::samples::{Augment, Collated};
/// let frames = ndarray::Array5::from_shape_fn((1, 1, 1, 1, 4), |at| at.4 as f32).into_dyn();
/// let mut batch = Collated::new(vec![0]).with("frames", frames, None);
/// let augment = Augment { flip: 1.0, ..Augment::default() };
/// augment.apply(&mut batch, &[7], Key::new(3));
/// let flipped = batch.array("frames").map(|frames| frames.iter().copied().collect::<Vec<_>>());
/// assert_eq!(flipped, Some(vec![3.0, 2.0, 1.0, 0.0]));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Augment {
    /// Largest number of pixels by which frames are moved up or down, and left or right. What moves in
    /// is 0. Default 0.
    pub shift: usize,
    /// Probability that left and right are exchanged. Default 0.
    pub flip: f64,
    /// Probability that top and bottom are exchanged. Default 0.
    pub flip_vertical: f64,
    /// Probability that the two halves of the channels, OFF and ON, are exchanged. Default 0.
    pub swap_polarity: f64,
    /// Largest share of the steps of a sample that is blanked, in one stretch. Default 0.
    pub drop_time: f64,
    /// Largest factor by which cells are multiplied or divided, at least 1. Default 1, which 0 stands for
    /// as well.
    pub gain: f64,
}

impl Augment {
    /// What is invalid, if anything: the name of the field, and what it should be.
    pub fn problem(&self) -> Option<(&'static str, &'static str)> {
        let shares = [
            ("flip", self.flip),
            ("flip_vertical", self.flip_vertical),
            ("swap_polarity", self.swap_polarity),
            ("drop_time", self.drop_time),
        ];
        match shares.into_iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
            Some((name, _)) => Some((name, "from 0 to 1")),
            None if self.gain == 0.0 || (1.0..=1e3).contains(&self.gain) => None,
            None => Some(("gain", "from 1 to 1000")),
        }
    }

    /// Whether nothing is changed.
    pub fn is_none(&self) -> bool {
        let shares = [self.flip, self.flip_vertical, self.swap_polarity, self.drop_time];
        self.shift == 0 && self.gain <= 1.0 && shares.iter().all(|&share| share == 0.0)
    }

    /// Changes the samples of a batch, which have these numbers in their set. `key` is that of the epoch.
    pub fn apply(&self, batch: &mut Collated, numbers: &[usize], key: Key) {
        if self.is_none() {
            return;
        }
        for array in batch.arrays_mut().filter(|array| array.ndim() == 5) {
            for (sample, &number) in array.outer_iter_mut().zip(numbers) {
                self.sample(sample, key.child(number as u64));
            }
        }
    }

    /// Changes a sample `[T, C, H, W]`.
    fn sample(&self, mut sample: ArrayViewMutD<'_, f32>, key: Key) {
        let whether = |index: u64, share: f64| share > 0.0 && key.uniform(index) < share;
        let below = |index: u64, n: usize| (key.uniform(index) * n as f64) as usize;
        if whether(0, self.flip) {
            reverse(&mut sample, 3);
        }
        if whether(1, self.flip_vertical) {
            reverse(&mut sample, 2);
        }
        let channels = sample.len_of(Axis(1));
        if whether(2, self.swap_polarity) && channels.is_multiple_of(2) {
            let (low, high) = sample.view_mut().split_at(Axis(1), channels / 2);
            ndarray::Zip::from(low).and(high).for_each(std::mem::swap);
        }
        if self.shift > 0 {
            let by = |index| below(index, 2 * self.shift + 1) as isize - self.shift as isize;
            let source = sample.to_owned();
            let (down, right) = (by(3), by(4));
            let (height, width) = (sample.len_of(Axis(2)), sample.len_of(Axis(3)));
            sample.fill(0.0);
            if let (Some((into_y, from_y)), Some((into_x, from_x))) =
                (overlap(height, down), overlap(width, right))
            {
                let mut into = sample.slice_axis_mut(Axis(2), into_y);
                let from = source.slice_axis(Axis(2), from_y);
                into.slice_axis_mut(Axis(3), into_x).assign(&from.slice_axis(Axis(3), from_x));
            }
        }
        if self.drop_time > 0.0 {
            let steps = sample.len_of(Axis(0));
            let dropped = (key.uniform(5) * self.drop_time * steps as f64) as usize;
            let start = below(6, steps - dropped.min(steps) + 1);
            let end = (start + dropped).min(steps);
            sample.slice_axis_mut(Axis(0), Slice::from(start..end)).fill(0.0);
        }
        if self.gain > 1.0 {
            let factor = self.gain.powf(2.0 * key.uniform(7) - 1.0) as f32;
            sample.mapv_inplace(|cell| cell * factor);
        }
    }
}

/// The cells that are written and those that are read if an axis is moved by so many cells; `None` if
/// nothing of it is left.
fn overlap(length: usize, by: isize) -> Option<(Slice, Slice)> {
    let left = length.checked_sub(by.unsigned_abs()).filter(|&left| left > 0)?;
    let (into, from) = if by >= 0 { (by.unsigned_abs(), 0) } else { (0, by.unsigned_abs()) };
    Some((Slice::from(into..into + left), Slice::from(from..from + left)))
}

fn reverse(sample: &mut ArrayViewMutD<'_, f32>, axis: usize) {
    let mut source = sample.to_owned();
    source.invert_axis(Axis(axis));
    sample.assign(&source);
}

#[cfg(test)]
mod tests {
    use ndarray::Array5;

    use super::*;

    fn batch() -> Collated {
        let frames = Array5::from_shape_fn((3, 4, 2, 3, 5), |(n, t, c, y, x)| {
            1.0 + (n * 10_000 + t * 1_000 + c * 100 + y * 10 + x) as f32
        });
        Collated::new(vec![0; 3]).with("frames", frames.into_dyn(), None)
    }

    fn cells(batch: &Collated) -> Vec<f32> {
        batch.array("frames").unwrap().iter().copied().collect()
    }

    fn at(batch: &Collated, index: [usize; 5]) -> f32 {
        batch.array("frames").unwrap()[&index[..]]
    }

    #[test]
    fn a_change_depends_on_key_and_number_and_not_on_the_batch() {
        let augment = Augment {
            shift: 2,
            flip: 0.5,
            flip_vertical: 0.5,
            swap_polarity: 0.5,
            drop_time: 0.5,
            gain: 2.0,
        };
        let (mut a, mut b) = (batch(), batch());
        augment.apply(&mut a, &[4, 5, 6], Key::new(1));
        augment.apply(&mut b, &[4, 5, 6], Key::new(1));
        assert_eq!(a, b);
        assert_ne!(a, batch());
        let mut other = batch();
        augment.apply(&mut other, &[4, 5, 6], Key::new(2));
        assert_ne!(a, other);
        // The third sample alone, as in the batch.
        let frames =
            batch().array("frames").unwrap().slice_axis(Axis(0), Slice::from(2..)).to_owned();
        let mut alone = Collated::new(vec![0]).with("frames", frames, None);
        augment.apply(&mut alone, &[6], Key::new(1));
        assert_eq!(cells(&alone), cells(&a)[2 * 120..]);
    }

    #[test]
    fn each_change_does_what_it_says() {
        let plain = batch();
        let mut flipped = batch();
        Augment { flip: 1.0, ..Augment::default() }.apply(&mut flipped, &[0, 1, 2], Key::new(1));
        assert_eq!(at(&flipped, [1, 2, 1, 0, 4]), at(&plain, [1, 2, 1, 0, 0]));
        let mut flipped = batch();
        let augment = Augment { flip_vertical: 1.0, ..Augment::default() };
        augment.apply(&mut flipped, &[0, 1, 2], Key::new(1));
        assert_eq!(at(&flipped, [1, 2, 1, 0, 4]), at(&plain, [1, 2, 1, 2, 4]));
        let mut swapped = batch();
        let augment = Augment { swap_polarity: 1.0, ..Augment::default() };
        augment.apply(&mut swapped, &[0, 1, 2], Key::new(1));
        assert_eq!(at(&swapped, [1, 2, 1, 0, 4]), at(&plain, [1, 2, 0, 0, 4]));
        let mut moved = batch();
        Augment { shift: 9, ..Augment::default() }.apply(&mut moved, &[0, 1, 2], Key::new(4));
        // What is left of a sample is a part of it, and what moved in is 0.
        let known = cells(&plain);
        assert!(cells(&moved).iter().all(|cell| *cell == 0.0 || known.contains(cell)));
        let mut dropped = batch();
        let augment = Augment { drop_time: 1.0, ..Augment::default() };
        augment.apply(&mut dropped, &[0, 1, 2], Key::new(1));
        let zeros = cells(&dropped).iter().filter(|&&cell| cell == 0.0).count();
        assert!(zeros.is_multiple_of(30), "whole frames: {zeros}");
    }

    #[test]
    fn moves_are_fair() {
        let mut counts = [0_u32; 5];
        for number in 0..2_000 {
            let frames =
                Array5::from_shape_fn((1, 1, 1, 1, 5), |at| if at.4 == 2 { 1.0 } else { 0.0 });
            let mut batch = Collated::new(vec![0]).with("frames", frames.into_dyn(), None);
            Augment { shift: 2, ..Augment::default() }.apply(&mut batch, &[number], Key::new(9));
            let at = cells(&batch).iter().position(|&cell| cell == 1.0);
            // Moved up or down by anything but 0, the row is gone.
            if let Some(at) = at {
                counts[at] += 1;
            }
        }
        // 80 expected of each, with a standard deviation of 9.
        assert!(counts.iter().all(|count| (45..115).contains(count)), "{counts:?}");
    }
}
