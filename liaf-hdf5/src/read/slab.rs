//! Parts of arrays: a range along each dimension, and how it lies in the bytes.

use std::ops::Range;

use crate::error::{Error, Result};

/// A range along each dimension of an array.
#[derive(Debug)]
pub(crate) struct Slab<'a> {
    shape: &'a [u64],
    ranges: &'a [Range<u64>],
    value_bytes: usize,
    values: u64,
}

impl<'a> Slab<'a> {
    /// Checks that the ranges are within the shape.
    pub fn new(shape: &'a [u64], ranges: &'a [Range<u64>], value_bytes: usize) -> Result<Self> {
        let is_inside =
            |(range, &length): (&Range<u64>, &u64)| range.start <= range.end && range.end <= length;
        if shape.len() != ranges.len() || !ranges.iter().zip(shape).all(is_inside) {
            let what = format!("{ranges:?} is not within an array of the shape {shape:?}");
            return Err(Error::caller(what));
        }
        let length = |range: &Range<u64>| range.end - range.start;
        let values = ranges.iter().fold(1u64, |n, range| n.saturating_mul(length(range)));
        Ok(Self { shape, ranges, value_bytes, values })
    }

    /// Number of bytes of all values.
    pub fn bytes(&self) -> u64 {
        self.values.saturating_mul(self.value_bytes as u64)
    }

    /// The first byte in the array, if the values lie in one run of bytes.
    pub fn one_run(&self) -> Option<u64> {
        let mut dimensions = self.ranges.iter().zip(self.shape);
        // All dimensions after the first one that has more than one value are taken whole.
        dimensions.by_ref().find(|(range, _)| range.end - range.start != 1);
        let is_whole = |(range, &length): (&Range<u64>, &u64)| *range == (0..length);
        dimensions.all(is_whole).then(|| self.offset(&self.starts()))
    }

    fn starts(&self) -> Vec<u64> {
        self.ranges.iter().map(|range| range.start).collect()
    }

    /// The byte in the array at which a value begins.
    fn offset(&self, index: &[u64]) -> u64 {
        let add =
            |at: u64, (&i, &length): (&u64, &u64)| at.saturating_mul(length).saturating_add(i);
        let values = index.iter().zip(self.shape).fold(0, add);
        values.saturating_mul(self.value_bytes as u64)
    }

    /// Calls `take` with the first byte in the array, and the number of bytes, of each run.
    pub fn runs(&self, take: &mut dyn FnMut(u64, usize) -> Result<()>) -> Result<()> {
        let Some(last) = self.ranges.last().filter(|_| self.values > 0) else { return Ok(()) };
        let length = (last.end - last.start) as usize * self.value_bytes;
        let first = self.starts();
        let mut end: Vec<u64> = self.ranges.iter().map(|range| range.end).collect();
        // A run has all values of the last dimension.
        if let Some(end) = end.last_mut() {
            *end = last.start + 1;
        }
        let mut index = first.clone();
        loop {
            take(self.offset(&index), length)?;
            if !advance(&mut index, &first, &end) {
                return Ok(());
            }
        }
    }

    /// Copies what is wanted of the chunk at a place in the grid, whose values are `raw`, to where it
    /// belongs in `bytes`, which have the values of this slab.
    pub fn put(&self, place: &[u64], sides: &[u64], raw: &[u8], bytes: &mut [u8]) {
        let rank = self.ranges.len();
        // What the chunk and the slab share along each dimension.
        let (mut first, mut end) = (Vec::with_capacity(rank), Vec::with_capacity(rank));
        for (range, (&at, &side)) in self.ranges.iter().zip(place.iter().zip(sides)) {
            let from = at.saturating_mul(side);
            first.push(from.max(range.start));
            end.push(from.saturating_add(side).min(range.end));
            if first.last() >= end.last() {
                return;
            }
        }
        let (Some(&from), Some(last)) = (first.last(), end.last_mut()) else { return };
        let length = (*last - from) as usize * self.value_bytes;
        *last = from + 1;
        let mut index = first.clone();
        loop {
            let (mut source, mut target) = (0u64, 0u64);
            for (i, (range, &side)) in self.ranges.iter().zip(sides).enumerate() {
                source = source * side + (index[i] - place[i] * side);
                target = target * (range.end - range.start) + (index[i] - range.start);
            }
            let at = |value: u64| value as usize * self.value_bytes;
            if let Some(source) = raw.get(at(source)..at(source) + length)
                && let Some(target) = bytes.get_mut(at(target)..at(target) + length)
            {
                target.copy_from_slice(source);
            }
            if !advance(&mut index, &first, &end) {
                return;
            }
        }
    }
}

/// The next index between `first` and `end`, the last dimension first. Returns `false` after the
/// last one.
pub(crate) fn advance(index: &mut [u64], first: &[u64], end: &[u64]) -> bool {
    for ((at, &first), &end) in index.iter_mut().zip(first).zip(end).rev() {
        *at += 1;
        if *at < end {
            return true;
        }
        *at = first;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_chunks_give_the_same_values() {
        let shape = [4, 5, 3];
        let all: Vec<u8> = (0..60).collect();
        let ranges = [1..4, 2..5, 0..2];
        let slab = Slab::new(&shape, &ranges, 1).unwrap();
        assert_eq!((slab.bytes(), slab.one_run()), (18, None));
        let mut by_runs = Vec::new();
        slab.runs(&mut |from, length| {
            by_runs.extend_from_slice(&all[from as usize..from as usize + length]);
            Ok(())
        })
        .unwrap();
        let expected: Vec<u8> = (1..4)
            .flat_map(|a| (2..5).flat_map(move |b| (0..2).map(move |c| a * 15 + b * 3 + c)))
            .collect();
        assert_eq!(by_runs, expected);
        // Chunks of 2x2x2, made by hand.
        let mut by_chunks = vec![0; 18];
        let (sides, first, end) = ([2, 2, 2], [0, 0, 0], [2, 3, 2]);
        let mut place = first.to_vec();
        loop {
            let value = |i: u64| {
                let [a, b, c] = [i / 4, i / 2 % 2, i % 2];
                let [a, b, c] = [place[0] * 2 + a, place[1] * 2 + b, place[2] * 2 + c];
                if a < 4 && b < 5 && c < 3 { (a * 15 + b * 3 + c) as u8 } else { 99 }
            };
            let raw: Vec<u8> = (0..8).map(value).collect();
            slab.put(&place, &sides, &raw, &mut by_chunks);
            if !advance(&mut place, &first, &end) {
                break;
            }
        }
        assert_eq!(by_chunks, expected);
    }

    #[test]
    fn one_run_is_known() {
        let run = |ranges: [Range<u64>; 2]| Slab::new(&[4, 5], &ranges, 2).unwrap().one_run();
        assert_eq!(run([1..3, 0..5]), Some(10));
        assert_eq!(run([1..2, 2..4]), Some(14));
        assert_eq!(run([1..3, 2..4]), None);
        assert!(Slab::new(&[4, 5], &[0..5, 0..5], 2).is_err());
    }
}
