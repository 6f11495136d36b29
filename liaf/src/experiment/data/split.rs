//! Division of samples by class.

use std::sync::Arc;

use liaf_core::rng::Key;

use crate::error::Result;
use crate::samples::{Examples, Subset};

/// Which samples of a class are the first part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Rule {
    /// This share of them, rounded to the nearest number and at least one on either side, chosen by a seed.
    Random { seed: u64, share: f64 },
    /// The first ones.
    First { share: f64 },
}

/// Divides the samples of each class.
pub(super) fn split(
    set: &Arc<dyn Examples>,
    rule: Rule,
) -> Result<(Arc<dyn Examples>, Arc<dyn Examples>)> {
    let mut by_class: Vec<Vec<usize>> = vec![Vec::new(); set.classes().len()];
    for (number, &label) in set.labels().iter().enumerate() {
        by_class[label].push(number);
    }
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for (class, numbers) in by_class.into_iter().enumerate() {
        let count = numbers.len();
        let (share, order) = match rule {
            Rule::Random { seed, share } => {
                (share, Key::new(seed).child(class as u64).permutation(count))
            }
            Rule::First { share } => (share, (0..count).collect()),
        };
        // A class of one sample goes to the first part.
        let most = count.saturating_sub(1).max(1).min(count);
        let taken = ((share * count as f64).round() as usize).clamp(count.min(1), most);
        for (place, at) in order.into_iter().enumerate() {
            if place < taken { &mut first } else { &mut second }.push(numbers[at]);
        }
    }
    first.sort_unstable();
    second.sort_unstable();
    let part = |numbers| -> Result<Arc<dyn Examples>> {
        Ok(Arc::new(Subset::new(Arc::clone(set), numbers)?))
    };
    Ok((part(first)?, part(second)?))
}

#[cfg(test)]
mod tests {
    use ndarray::Array5;

    use super::*;
    use crate::samples::FrameArray;

    fn set(labels: &[usize]) -> Arc<dyn Examples> {
        let frames = Array5::zeros((labels.len(), 1, 1, 1, 1));
        let classes = ["a", "b", "c"].map(str::to_owned).to_vec();
        Arc::new(FrameArray::new(frames, labels.to_vec(), classes).unwrap())
    }

    #[test]
    fn every_class_is_divided_and_every_sample_is_in_one_part() {
        let labels = [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2];
        let set = set(&labels);
        for rule in [Rule::Random { seed: 3, share: 0.5 }, Rule::First { share: 0.5 }] {
            let (first, second) = split(&set, rule).unwrap();
            assert_eq!(first.labels(), [0, 0, 1, 1, 1, 2], "{rule:?}");
            assert_eq!(second.labels(), [0, 0, 1, 1, 1, 2], "{rule:?}");
        }
        let (first, second) = split(&set, Rule::First { share: 0.99 }).unwrap();
        assert_eq!((first.len(), second.labels()), (9, &[0, 1, 2][..]));
    }

    #[test]
    fn a_single_sample_is_in_the_first_part() {
        let set = set(&[0, 0, 1]);
        let (first, second) = split(&set, Rule::First { share: 0.5 }).unwrap();
        assert_eq!((first.labels(), second.labels()), (&[0, 1][..], &[0][..]));
    }
}
