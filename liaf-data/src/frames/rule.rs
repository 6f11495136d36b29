//! The rules for windows of time: which windows there are, and how many of them are written.

use super::grid::Grid;
use super::{Edge, FrameOptions, WindowRule};
use crate::model::TimeSpan;

/// How time is divided into windows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    /// Even windows. With `full`, only those that end at or before the last event are written.
    Even { width: u64, stride: u64, full: bool },
    /// Windows that fit the span of the recording.
    Fitted { windows: WindowRule, edge: Edge, t_max: i64 },
}

impl Rule {
    pub fn new(options: &FrameOptions, span: Option<TimeSpan>) -> Self {
        let t_max = span.map_or(i64::MAX, |span| span.t_max);
        match (options.windows, options.edge) {
            (WindowRule::Time { us, overlap }, Edge::All | Edge::Tonic | Edge::SpikingJelly) => {
                let (width, stride) = (us as u64, (us - overlap) as u64);
                Self::Even { width, stride, full: options.edge == Edge::Tonic }
            }
            (windows, edge) => Self::Fitted { windows, edge, t_max },
        }
    }

    /// The windows, over offsets in µs after `t0`.
    pub fn grid(&self, t0: i64) -> Grid {
        match *self {
            Self::Even { width, stride, .. } => Grid::even(width, stride),
            Self::Fitted { windows, edge, t_max } => {
                let length = t_max.max(t0).abs_diff(t0);
                match (windows, edge) {
                    (WindowRule::Time { us, .. }, _) => {
                        Grid::even_last(us as u64, length.div_ceil(us as u64).max(1))
                    }
                    (WindowRule::Bins { n }, Edge::Tonic) => Grid::even_drop(length / n, n),
                    (WindowRule::Bins { n }, Edge::SpikingJelly | Edge::SpikingJelly2) => {
                        Grid::even_last(length / n, n)
                    }
                    (WindowRule::Bins { n }, Edge::All) => Grid::split(u128::from(length) + 1, n),
                    (WindowRule::Count { .. } | WindowRule::EventBins { .. }, _) => {
                        Grid::even_last(u64::MAX, 1)
                    }
                }
            }
        }
    }

    /// Number of frames that are written if the last event is at `offset`.
    pub fn frames_until(&self, grid: &Grid, offset: u64) -> u64 {
        match (grid.count(), *self) {
            (Some(n), _) => n,
            (None, Self::Even { width, stride, full: true }) => {
                offset.checked_sub(width).map_or(1, |past| (past / stride).saturating_add(1))
            }
            (None, Self::Even { stride, .. }) => (offset / stride).saturating_add(1),
            (None, Self::Fitted { .. }) => 1,
        }
    }
}

/// The time `offset` µs after `t0`, limited to the largest time.
pub(super) fn after(t0: i64, offset: u128) -> i64 {
    i128::from(t0).checked_add_unsigned(offset).map_or(i64::MAX, |t| t.min(i64::MAX.into()) as i64)
}
