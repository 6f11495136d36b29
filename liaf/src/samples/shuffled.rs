//! Samples whose steps are in another order.

use std::sync::Arc;

use liaf_core::rng::Key;
use ndarray::{ArrayViewMutD, Axis};

use super::examples::{Collated, Examples, Input};
use crate::error::Result;

/// The samples of a set, with the steps of each sample in an order of its own, the same in every epoch.
///
/// This is a control: a network that learns as much from shuffled samples as from those in order does not use
/// the order in time. The order of a sample depends on the seed and its number alone. Padding stays at the end, and
/// all inputs that have the same number of steps are put into the same order.
///
/// ```
/// use std::sync::Arc;
/// use liaf::samples::{Examples, FrameArray, Shuffled};
/// use ndarray::Array5;
///
/// let frames = Array5::from_shape_fn((1, 8, 1, 1, 1), |at| at.1 as f32);
/// let set = Arc::new(FrameArray::new(frames, vec![0], vec!["a".into(), "b".into()])?);
/// let shuffled = Shuffled::new(set, 3).collate(&[0])?;
/// let mut steps: Vec<f32> = shuffled.array("frames").into_iter().flatten().copied().collect();
/// assert_ne!(steps, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
/// steps.sort_by(f32::total_cmp);
/// assert_eq!(steps, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
/// # Ok::<(), liaf::Error>(())
/// ```
#[derive(Clone)]
pub struct Shuffled {
    of: Arc<dyn Examples>,
    key: Key,
}

/// The purpose of the random numbers.
const STEPS: u64 = 0x7374_6570;

impl Shuffled {
    /// The samples of this set, in orders that depend on the seed.
    pub fn new(of: Arc<dyn Examples>, seed: u64) -> Self {
        Self { of, key: Key::new(seed).child(STEPS) }
    }
}

impl std::fmt::Debug for Shuffled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shuffled").field("key", &self.key).finish_non_exhaustive()
    }
}

impl Examples for Shuffled {
    fn labels(&self) -> &[usize] {
        self.of.labels()
    }

    fn classes(&self) -> &[String] {
        self.of.classes()
    }

    fn inputs(&self) -> Vec<Input> {
        self.of.inputs()
    }

    fn steps(&self, number: usize) -> usize {
        self.of.steps(number)
    }

    fn collate(&self, numbers: &[usize]) -> Result<Collated> {
        let mut batch = self.of.collate(numbers)?;
        for (array, lengths) in batch.sequences_mut() {
            for (at, (sample, &number)) in array.outer_iter_mut().zip(numbers).enumerate() {
                let steps = lengths.map_or(sample.len_of(Axis(0)), |lengths| lengths[at]);
                reorder(sample, &self.key.child(number as u64).permutation(steps));
            }
        }
        Ok(batch)
    }

    fn classes_are_words(&self) -> bool {
        self.of.classes_are_words()
    }

    // There is no `recipe`: a recording has its frames in order.

    fn bytes(&self) -> u64 {
        self.of.bytes()
    }
}

/// Puts the first steps of a sample `[T, item…]` into this order.
fn reorder(mut sample: ArrayViewMutD<'_, f32>, order: &[usize]) {
    let before = sample.to_owned();
    for (to, &from) in order.iter().enumerate() {
        sample.index_axis_mut(Axis(0), to).assign(&before.index_axis(Axis(0), from));
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array5, ArrayD};

    use super::super::{FrameArray, Subset};
    use super::*;

    /// Samples of frames with one cell, which says sample and step.
    fn set() -> Arc<dyn Examples> {
        let frames = Array5::from_shape_fn((4, 6, 1, 1, 1), |at| (10 * at.0 + at.1) as f32);
        let classes = vec!["a".into(), "b".into()];
        Arc::new(FrameArray::new(frames, vec![0, 1, 0, 1], classes).unwrap())
    }

    fn steps(set: &dyn Examples, number: usize) -> Vec<usize> {
        let batch = set.collate(&[number]).unwrap();
        batch.array("frames").unwrap().iter().map(|&cell| cell as usize).collect()
    }

    #[test]
    fn every_sample_has_an_order_of_its_own_that_stays() {
        let shuffled = Shuffled::new(set(), 1);
        let orders: Vec<Vec<usize>> = (0..4).map(|number| steps(&shuffled, number)).collect();
        for (number, order) in orders.iter().enumerate() {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..6).map(|step| 10 * number + step).collect::<Vec<_>>());
            assert_eq!(steps(&shuffled, number), *order, "the same in every epoch");
        }
        let relative = |number: usize| orders[number].iter().map(|step| step % 10).collect();
        let different: std::collections::BTreeSet<Vec<usize>> = (0..4).map(relative).collect();
        assert!(different.len() > 2, "{different:?}");
        assert_ne!(steps(&Shuffled::new(set(), 2), 0), orders[0], "another seed");
        // The order does not depend on the batch in which a sample is.
        let batch = shuffled.collate(&[3, 1]).unwrap();
        let cells: Vec<usize> =
            batch.array("frames").unwrap().iter().map(|&cell| cell as usize).collect();
        assert_eq!(cells, [&orders[3][..], &orders[1][..]].concat());
        assert_eq!((shuffled.len(), shuffled.labels()), (4, &[0, 1, 0, 1][..]));
    }

    #[test]
    fn padding_stays_at_the_end() {
        struct Padded(Arc<dyn Examples>);
        impl Examples for Padded {
            fn labels(&self) -> &[usize] {
                self.0.labels()
            }
            fn classes(&self) -> &[String] {
                self.0.classes()
            }
            fn inputs(&self) -> Vec<Input> {
                self.0.inputs()
            }
            fn steps(&self, _number: usize) -> usize {
                4
            }
            fn collate(&self, numbers: &[usize]) -> Result<Collated> {
                let labels = numbers.iter().map(|&number| self.labels()[number]).collect();
                let steps = [1.0, 2.0, 3.0, 4.0, 0.0, 0.0].repeat(numbers.len());
                let frames = ArrayD::from_shape_vec(vec![numbers.len(), 6, 1, 1, 1], steps);
                let lengths = vec![4; numbers.len()];
                Ok(Collated::new(labels).with("frames", frames.unwrap(), Some(lengths)))
            }
        }
        let shuffled: Arc<dyn Examples> = Arc::new(Shuffled::new(Arc::new(Padded(set())), 5));
        let some = Subset::new(shuffled, vec![2, 3]).unwrap();
        for number in 0..2 {
            let mut order = steps(&some, number);
            assert_eq!(order[4..], [0, 0]);
            order[..4].sort_unstable();
            assert_eq!(order[..4], [1, 2, 3, 4]);
        }
    }
}
