//! The division of a line of offsets into windows. An offset is a number of µs after the start of
//! the first window, or the number of a kept event.

use std::ops::Range;

/// The largest number of a window. It leaves room for the number after it, as the end of a range.
const MAX_WINDOW: u64 = u64::MAX - 1;

/// Windows over the offsets 0, 1, 2, …; a window contains `start <= offset < end`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    cuts: Cuts,
    tail: Tail,
}

#[derive(Debug, Clone, Copy)]
enum Cuts {
    /// Window k is `k * stride .. k * stride + width`, with `width >= stride`; both may be 0.
    Even { width: u64, stride: u64 },
    /// Window k of n is `ceil(k * span / n) .. ceil((k + 1) * span / n)`: offset d is in window
    /// `floor(d * n / span)`.
    Split { n: u64, span: u128 },
}

/// How many windows there are, and what happens to the offsets after the last window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    /// The number of windows is not limited.
    Open,
    /// There are n windows, and the last one also contains all offsets after it.
    Last(u64),
    /// There are n windows, and offsets after the last one are in no window.
    Drop(u64),
}

/// A range of offsets that are all in the same windows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cover {
    /// The windows; may be empty.
    pub windows: Range<u64>,
    /// First offset of the range.
    pub low: u64,
    /// Last offset of the range.
    pub high: u64,
}

impl Grid {
    /// Windows of `width`, one every `stride`, without a limit to their number.
    pub fn even(width: u64, stride: u64) -> Self {
        Self { cuts: Cuts::Even { width, stride }, tail: Tail::Open }
    }

    /// `n` windows of `width`; the last one also contains all later offsets.
    pub fn even_last(width: u64, n: u64) -> Self {
        Self { cuts: Cuts::Even { width, stride: width }, tail: Tail::Last(n) }
    }

    /// `n` windows of `width`; later offsets are in no window.
    pub fn even_drop(width: u64, n: u64) -> Self {
        Self { cuts: Cuts::Even { width, stride: width }, tail: Tail::Drop(n) }
    }

    /// `n` windows that divide `span > 0` offsets evenly; the last one also contains all later
    /// offsets.
    pub fn split(span: u128, n: u64) -> Self {
        Self { cuts: Cuts::Split { n, span: span.max(1) }, tail: Tail::Last(n) }
    }

    /// The number of windows, if it is limited.
    pub fn count(&self) -> Option<u64> {
        match self.tail {
            Tail::Open => None,
            Tail::Last(n) | Tail::Drop(n) => Some(n),
        }
    }

    /// Whether window `k` also contains all offsets after it.
    pub fn takes_rest(&self, k: u64) -> bool {
        matches!(self.tail, Tail::Last(n) if k + 1 >= n)
    }

    /// First offset of window `k`.
    pub fn start(&self, k: u64) -> u128 {
        match self.cuts {
            Cuts::Even { stride, .. } => u128::from(k) * u128::from(stride),
            Cuts::Split { n, span } => (u128::from(k) * span).div_ceil(u128::from(n)),
        }
    }

    /// First offset after window `k`, not counting any later offsets that it takes as the last
    /// window.
    pub fn end(&self, k: u64) -> u128 {
        match self.cuts {
            Cuts::Even { width, .. } => self.start(k) + u128::from(width),
            Cuts::Split { .. } => self.start(k.saturating_add(1)),
        }
    }

    /// The windows that contain `offset`, and the range of offsets around it that are in the same
    /// windows.
    pub fn cover(&self, offset: u64) -> Cover {
        let (first, mut last) = self.around(offset);
        let mut high = u64::MAX;
        match self.tail {
            Tail::Open if first >= MAX_WINDOW => {
                return Cover { windows: MAX_WINDOW..MAX_WINDOW + 1, low: offset, high };
            }
            Tail::Open if last >= MAX_WINDOW => {}
            Tail::Open => high = offset_before(self.start(last + 1)),
            Tail::Last(n) if last + 1 >= n => {
                let low = self.start(n - 1).min(offset.into()) as u64;
                return Cover { windows: n - 1..n, low, high };
            }
            Tail::Drop(n) if first >= n => {
                let low = self.end(n - 1).min(offset.into()) as u64;
                return Cover { windows: n..n, low, high };
            }
            Tail::Drop(n) if last + 1 >= n => last = n - 1,
            Tail::Last(_) | Tail::Drop(_) => high = offset_before(self.start(last + 1)),
        }
        let previous_end = if first > 0 { self.end(first - 1) } else { 0 };
        let low = self.start(last).max(previous_end).min(offset.into()) as u64;
        Cover { windows: first..last + 1, low, high: high.min(offset_before(self.end(first))) }
    }

    /// First and last window that contain `offset`, as if the number of windows were not limited.
    fn around(&self, offset: u64) -> (u64, u64) {
        match self.cuts {
            Cuts::Even { stride: 0, .. } => (MAX_WINDOW, MAX_WINDOW),
            Cuts::Even { width, stride } => {
                let first = offset.checked_sub(width).map_or(0, |past| past / stride + 1);
                (first, (offset / stride).min(MAX_WINDOW))
            }
            Cuts::Split { n, span } => {
                let k = (u128::from(offset) * u128::from(n) / span).min(u128::from(n) - 1) as u64;
                (k, k)
            }
        }
    }
}

fn offset_before(end: u128) -> u64 {
    u64::try_from(end.saturating_sub(1)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, evaluated for each offset.
    fn windows_of(grid: &Grid, offset: u64) -> Vec<u64> {
        let n = grid.count().unwrap_or(200);
        (0..n)
            .filter(|&k| {
                let inside = (grid.start(k)..grid.end(k)).contains(&offset.into());
                let rest = grid.takes_rest(k) && u128::from(offset) >= grid.start(k);
                inside || rest
            })
            .collect()
    }

    #[test]
    fn cover_is_the_definition_and_as_wide_as_it_can_be() {
        let grids = [
            Grid::even(1, 1),
            Grid::even(7, 7),
            Grid::even(7, 3),
            Grid::even(6, 3),
            Grid::even(9, 1),
            Grid::even_last(4, 5),
            Grid::even_last(0, 5),
            Grid::even_last(3, 1),
            Grid::even_drop(4, 5),
            Grid::even_drop(0, 5),
            Grid::even_drop(3, 1),
            Grid::split(100, 7),
            Grid::split(3, 5),
            Grid::split(1, 1),
            Grid::split(1, 4),
        ];
        for grid in grids {
            for offset in 0..120 {
                let cover = grid.cover(offset);
                assert_eq!(
                    cover.windows.clone().collect::<Vec<_>>(),
                    windows_of(&grid, offset),
                    "{grid:?} at {offset}"
                );
                assert!((cover.low..=cover.high).contains(&offset), "{grid:?} at {offset}");
                for other in 0..150 {
                    let same = windows_of(&grid, other) == windows_of(&grid, offset);
                    assert_eq!(
                        (cover.low..=cover.high).contains(&other),
                        same,
                        "{grid:?} at {offset}, {other}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_far_end_does_not_overflow() {
        for grid in [
            Grid::even(1, 1),
            Grid::even(u64::MAX, 1),
            Grid::even(u64::MAX, u64::MAX),
            Grid::even_last(1, u64::MAX),
            Grid::even_drop(1, u64::MAX),
            Grid::split(1 << 64, u64::MAX),
            Grid::split(1 << 64, 3),
        ] {
            for offset in [0, 1, u64::MAX / 2, u64::MAX - 1, u64::MAX] {
                let cover = grid.cover(offset);
                assert!((cover.low..=cover.high).contains(&offset), "{grid:?} at {offset}");
            }
        }
    }
}
