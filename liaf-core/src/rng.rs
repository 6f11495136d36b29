//! Counter-based random numbers: each number is a function of its key and its index only.
//!
//! A [`Key`] is derived from the purpose of the numbers (seed, step, layer, sample), so that results do
//! not depend on the order in which threads draw numbers. The mixing function is SplitMix64's finaliser
//! (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014).

use crate::real::Real;

/// The key of a stream of random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(u64);

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Key {
    /// The root of all keys of a run.
    pub fn new(seed: u64) -> Self {
        Self(mix(seed.wrapping_add(GOLDEN)))
    }

    /// The key of part `index` of what this key stands for.
    #[must_use]
    pub fn child(self, index: u64) -> Self {
        Self(mix(self.0 ^ mix(index.wrapping_add(GOLDEN))))
    }

    /// Random number `index` of the stream: 64 bits.
    pub fn bits(self, index: u64) -> u64 {
        mix(self.0.wrapping_add(index.wrapping_add(1).wrapping_mul(GOLDEN)))
    }

    /// Number `index` of the stream, uniform in [0, 1).
    pub fn uniform(self, index: u64) -> f64 {
        (self.bits(index) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Number `index` of a stream of standard normal numbers (Box and Muller).
    pub fn normal(self, index: u64) -> f64 {
        let pair = index / 2;
        let (u, v) = (1.0 - self.uniform(2 * pair), self.uniform(2 * pair + 1));
        let (radius, angle) = ((-2.0 * u.ln()).sqrt(), std::f64::consts::TAU * v);
        if index.is_multiple_of(2) { radius * angle.cos() } else { radius * angle.sin() }
    }

    /// Fills `numbers` with normal numbers of this mean and standard deviation.
    pub fn fill_normal<R: Real>(self, numbers: &mut [R], mean: f64, deviation: f64) {
        for (i, number) in numbers.iter_mut().enumerate() {
            *number = R::of(mean + deviation * self.normal(i as u64));
        }
    }

    /// Fills `numbers` with numbers uniform in `low..high`.
    pub fn fill_uniform<R: Real>(self, numbers: &mut [R], low: f64, high: f64) {
        for (i, number) in numbers.iter_mut().enumerate() {
            *number = R::of(low + (high - low) * self.uniform(i as u64));
        }
    }

    /// A permutation of `0..n` (Fisher and Yates).
    pub fn permutation(self, n: usize) -> Vec<usize> {
        let mut order: Vec<_> = (0..n).collect();
        for i in (1..n).rev() {
            let j = (self.uniform(i as u64) * (i + 1) as f64) as usize;
            order.swap(i, j.min(i));
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_numbers_have_their_moments() {
        let mut numbers = vec![0f64; 100_000];
        Key::new(7).child(3).fill_normal(&mut numbers, 2.0, 3.0);
        let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
        let var = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / numbers.len() as f64;
        assert!((mean - 2.0).abs() < 0.03, "{mean}");
        assert!((var - 9.0).abs() < 0.15, "{var}");
    }

    #[test]
    fn keys_differ_by_every_part() {
        let root = Key::new(1);
        let keys = [root, Key::new(2), root.child(0), root.child(1), root.child(0).child(0)];
        for (i, a) in keys.iter().enumerate() {
            for b in &keys[i + 1..] {
                assert_ne!(a.bits(0), b.bits(0));
            }
        }
    }

    #[test]
    fn a_permutation_holds_every_index_once() {
        let mut order = Key::new(5).permutation(101);
        assert_ne!(order, (0..101).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..101).collect::<Vec<_>>());
    }
}
