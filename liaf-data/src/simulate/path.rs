//! Motions one after another.

use super::motion::{Motion, Pose, RANGES};
use crate::error::{Error, Result};

/// A path: motions one after another, each of which begins where the one before it ended.
///
/// ```
/// use liaf_data::simulate::{Path, Rotation, Translation};
/// let path = Path::new(Translation { x: 40.0, y: 0.0 }, 250_000)
///     .then(Rotation { degrees: 90.0 }, 250_000);
/// assert_eq!(path.duration_us(), 500_000);
/// let pose = path.pose(500_000);
/// assert_eq!((pose.x, pose.degrees), (10.0, 22.5));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    start: Pose,
    legs: Vec<Leg>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Leg {
    from: Pose,
    start: i64,
    end: i64,
    motion: Motion,
}

impl Path {
    /// A path of one motion, for `us` µs.
    pub fn new(motion: impl Into<Motion>, us: i64) -> Self {
        Self::from_pose(Pose::CENTRED, motion, us)
    }

    /// A path of one motion, for `us` µs, of a picture that is elsewhere than in the centre at the start.
    pub fn from_pose(start: Pose, motion: impl Into<Motion>, us: i64) -> Self {
        Self { start, legs: Vec::new() }.then(motion, us)
    }

    /// The path with another motion after it, for `us` µs.
    #[must_use]
    pub fn then(mut self, motion: impl Into<Motion>, us: i64) -> Self {
        let start = self.duration_us();
        let from = self.pose(start);
        let end = start.saturating_add(us);
        self.legs.push(Leg { from, start, end, motion: motion.into() });
        self
    }

    /// The path again and again: `times` in all.
    #[must_use]
    pub fn repeat(self, times: usize) -> Self {
        let legs = self.legs.clone();
        (1..times).fold(self, |path, _| {
            legs.iter().fold(path, |path, leg| path.then(leg.motion, leg.end - leg.start))
        })
    }

    /// Duration in µs.
    pub fn duration_us(&self) -> i64 {
        self.legs.last().map_or(0, |leg| leg.end)
    }

    /// The pose after `us` µs: before the start that of the start, after the end that of the end.
    pub fn pose(&self, us: i64) -> Pose {
        let us = us.clamp(0, self.duration_us());
        self.leg(us).map_or(self.start, |leg| leg.motion.pose(us - leg.start).after(leg.from))
    }

    /// The leg that is under way at this time; at a border, the one that ends.
    fn leg(&self, us: i64) -> Option<&Leg> {
        let index = self.legs.partition_point(|leg| leg.end < us);
        self.legs.get(index).or(self.legs.last())
    }

    /// The time until which the picture moves by at most `pixels` from where it is at `us`, seen within
    /// `radius` pixels of the centre. It is not after the next corner of the path, and after `us`.
    pub(super) fn step(&self, us: i64, pixels: f64, radius: f64) -> i64 {
        let index = self.legs.partition_point(|leg| leg.end <= us);
        let Some(leg) = self.legs.get(index) else { return i64::MAX };
        let inside = us - leg.start;
        let corner = leg.motion.next_corner(inside).saturating_add(leg.start).min(leg.end);
        let here = leg.motion.pose(inside).after(leg.from);
        let far = |step: i64| {
            let moved =
                |us: i64| here.distance(leg.motion.pose(inside + us).after(leg.from), radius);
            moved(step).max(moved(step / 2)) > pixels
        };
        let mut step = (corner - us).min(leg.motion.longest_step());
        while step > 1 && far(step) {
            step /= 2;
        }
        us + step
    }

    /// # Errors
    /// If a motion has numbers or a duration that are out of range.
    pub(super) fn check(&self) -> Result<()> {
        if !self.start.is_in_range() {
            return Err(Error::caller("the pose at the start is out of range")
                .expected(RANGES)
                .found(format!("{:?}", self.start)));
        }
        for leg in &self.legs {
            if !leg.motion.is_in_range() {
                return Err(Error::caller("the numbers of a motion are out of range")
                    .expected(RANGES)
                    .found(format!("{:?}", leg.motion)));
            }
            if leg.end <= leg.start {
                return Err(Error::caller("a motion has no duration")
                    .expected("more than 0 µs, and less than 2⁶³ in all"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::motion::{Oscillation, Saccades, Translation};
    use super::*;

    #[test]
    fn steps_move_by_no_more_than_asked_for_and_stop_at_corners() {
        let to = Pose { x: 10.0, y: 0.0, degrees: 45.0, zoom: 2.0 };
        let path = Path::new(Saccades::N_MNIST, 300_000)
            .then(Oscillation { to, hz: 5.0 }, 200_000)
            .then(Motion::Still, 50_000);
        let (mut us, mut corners) = (0, Vec::new());
        let mut steps = 0;
        while us < path.duration_us() {
            let next = path.step(us, 0.5, 20.0);
            assert!(next > us);
            assert!(path.pose(us).distance(path.pose(next), 20.0) <= 0.5, "{us} to {next}");
            if next % 50_000 == 0 {
                corners.push(next);
            }
            (us, steps) = (next, steps + 1);
        }
        for corner in [100_000, 200_000, 300_000, 500_000, 550_000] {
            assert!(corners.contains(&corner), "{corner}");
        }
        assert!((100..1000).contains(&steps), "{steps}");
        assert_eq!(path.step(us, 0.5, 20.0), i64::MAX);
    }

    #[test]
    fn repeated_paths_continue() {
        let path = Path::new(Translation { x: 10.0, y: 0.0 }, 250_000).repeat(3);
        assert_eq!((path.duration_us(), path.pose(750_000).x), (750_000, 7.5));
        assert_eq!(path.pose(-5), Pose::CENTRED);
        assert_eq!(path.pose(i64::MAX).x, 7.5);
        assert!(Path::new(Motion::Still, 0).check().is_err());
        assert!(Path::new(Motion::Still, i64::MAX).then(Motion::Still, 5).check().is_err());
    }
}
