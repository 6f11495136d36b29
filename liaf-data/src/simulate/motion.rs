//! How a picture moves: each motion is a small value that says where the picture is at a time.

use std::f64::consts::TAU;

/// Where a picture is: its centre, from the centre of the sensor, and how it is turned and enlarged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pose {
    /// To the right, in pixels of the sensor.
    pub x: f64,
    /// Down, in pixels of the sensor.
    pub y: f64,
    /// Clockwise as the camera shows it, in degrees.
    pub degrees: f64,
    /// Enlargement: 2 is twice the size.
    pub zoom: f64,
}

impl Default for Pose {
    fn default() -> Self {
        Self::CENTRED
    }
}

impl Pose {
    /// In the centre, upright, as large as it is.
    pub const CENTRED: Self = Self { x: 0.0, y: 0.0, degrees: 0.0, zoom: 1.0 };

    /// This pose after another one: offsets and angles are added, enlargements are multiplied.
    #[must_use]
    pub fn after(self, other: Self) -> Self {
        Self {
            x: self.x + other.x,
            y: self.y + other.y,
            degrees: self.degrees + other.degrees,
            zoom: self.zoom * other.zoom,
        }
    }

    /// Whether its numbers are in the [`RANGES`].
    pub(super) fn is_in_range(self) -> bool {
        are_small(&[self.x, self.y, self.degrees]) && is_zoom(self.zoom)
    }

    /// A bound on how far a point within `radius` pixels from the centre of the sensor moves from this pose to
    /// `other`, in pixels.
    pub(super) fn distance(self, other: Self, radius: f64) -> f64 {
        let offset = |pose: Self| pose.x.hypot(pose.y);
        let radius = radius + offset(self).max(offset(other));
        let turned = (self.degrees - other.degrees).to_radians().abs();
        let grown = (self.zoom / other.zoom).ln().abs();
        (self.x - other.x).hypot(self.y - other.y) + radius * (turned + grown)
    }
}

/// At a constant velocity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Translation {
    /// To the right, in pixels of the sensor per second.
    pub x: f64,
    /// Down, in pixels of the sensor per second.
    pub y: f64,
}

/// Around its own centre, clockwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rotation {
    /// Degrees per second.
    pub degrees: f64,
}

/// Grows or shrinks at a constant rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Zoom {
    /// Factor per second: 2 doubles the size each second, 0.5 halves it.
    pub factor: f64,
}

/// To another pose and back, smoothly: the part of the way is `(1 - cos(2 pi f t)) / 2`, so that it starts and
/// ends at rest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Oscillation {
    /// The pose at the far end.
    pub to: Pose,
    /// Frequency `f` in Hz.
    pub hz: f64,
}

/// On a closed curve around its place: `x = a sin(2 pi f t)`, `y = a sin(4 pi f t) / 2`, a figure of eight, on
/// which edges of all directions move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FigureEight {
    /// The largest offset `a` in x, in pixels of the sensor; in y it is half of that.
    pub pixels: f64,
    /// Frequency `f` in Hz.
    pub hz: f64,
}

/// Three saccades along the sides of a triangle, and again from the start, as the camera of N-MNIST did in
/// front of a screen ([Orchard et al., 2015]). The picture moves by `(pixels / 2, pixels)`,
/// `(pixels / 2, -pixels)` and `(-pixels, 0)`, each at a constant velocity.
///
/// 7 pixels are what the stabilisation that is published with N-MNIST takes back.
///
/// [Orchard et al., 2015]: https://doi.org/10.3389/fnins.2015.00437
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Saccades {
    /// Height and width of the triangle, in pixels of the sensor.
    pub pixels: f64,
    /// Duration of each saccade in µs.
    pub each_us: i64,
}

impl Saccades {
    /// Those of N-MNIST: 7 pixels in 100 ms each.
    pub const N_MNIST: Self = Self { pixels: 7.0, each_us: 100_000 };
}

/// A motion of a picture.
///
/// ```
/// use liaf_data::simulate::{Motion, Saccades, Translation};
/// let right = Motion::from(Translation { x: 40.0, y: 0.0 });
/// assert_eq!(right.pose(250_000).x, 10.0);
/// let saccades = Motion::from(Saccades::N_MNIST);
/// assert_eq!((saccades.pose(100_000).x, saccades.pose(100_000).y), (3.5, 7.0));
/// assert_eq!((saccades.pose(300_000).x, saccades.pose(300_000).y), (0.0, 0.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Motion {
    /// None.
    Still,
    /// At a constant velocity.
    Translation(Translation),
    /// Around its own centre.
    Rotation(Rotation),
    /// Growing or shrinking.
    Zoom(Zoom),
    /// To another pose and back.
    Oscillation(Oscillation),
    /// On a closed curve.
    FigureEight(FigureEight),
    /// Along the sides of a triangle.
    Saccades(Saccades),
}

macro_rules! motions {
    ($($motion:ident),+) => {
        $(impl From<$motion> for Motion {
            fn from(motion: $motion) -> Self {
                Self::$motion(motion)
            }
        })+
    };
}
motions!(Translation, Rotation, Zoom, Oscillation, FigureEight, Saccades);

impl Motion {
    /// The pose after `us` µs.
    pub fn pose(self, us: i64) -> Pose {
        let seconds = us as f64 * 1e-6;
        let at = |x: f64, y: f64| Pose { x, y, ..Pose::CENTRED };
        match self {
            Self::Still => Pose::CENTRED,
            Self::Translation(Translation { x, y }) => at(x * seconds, y * seconds),
            Self::Rotation(Rotation { degrees }) => {
                Pose { degrees: degrees * seconds, ..Pose::CENTRED }
            }
            Self::Zoom(Zoom { factor }) => Pose { zoom: factor.powf(seconds), ..Pose::CENTRED },
            Self::Oscillation(Oscillation { to, hz }) => {
                let part = (1.0 - (TAU * hz * seconds).cos()) / 2.0;
                Pose {
                    x: to.x * part,
                    y: to.y * part,
                    degrees: to.degrees * part,
                    zoom: to.zoom.powf(part),
                }
            }
            Self::FigureEight(FigureEight { pixels, hz }) => {
                let angle = TAU * hz * seconds;
                at(pixels * angle.sin(), pixels / 2.0 * (2.0 * angle).sin())
            }
            Self::Saccades(Saccades { pixels, each_us }) => {
                let part = us.rem_euclid(each_us) as f64 / each_us as f64;
                let (half, part) = (pixels / 2.0, part * pixels);
                match us.div_euclid(each_us).rem_euclid(3) {
                    0 => at(part / 2.0, part),
                    1 => at(half + part / 2.0, pixels - part),
                    _ => at(pixels - part, 0.0),
                }
            }
        }
    }

    /// The longest time in which the motion may be looked at only at its ends, in µs.
    pub(super) fn longest_step(self) -> i64 {
        match self {
            Self::Oscillation(Oscillation { hz, .. })
            | Self::FigureEight(FigureEight { hz, .. }) => (1e6 / 32.0 / hz).max(1.0) as i64,
            _ => i64::MAX,
        }
    }

    /// The next time after `us` at which the velocity jumps, in µs.
    pub(super) fn next_corner(self, us: i64) -> i64 {
        match self {
            Self::Saccades(Saccades { each_us, .. }) => {
                us.div_euclid(each_us).saturating_add(1).saturating_mul(each_us)
            }
            _ => i64::MAX,
        }
    }

    /// Whether its numbers are in the [`RANGES`].
    pub(super) fn is_in_range(self) -> bool {
        let rate = |hz: f64| (1e-6..=1e4).contains(&hz);
        match self {
            Self::Still => true,
            Self::Translation(Translation { x, y }) => are_small(&[x, y]),
            Self::Rotation(Rotation { degrees }) => are_small(&[degrees]),
            Self::Zoom(Zoom { factor }) => is_zoom(factor),
            Self::Oscillation(Oscillation { to, hz }) => to.is_in_range() && rate(hz),
            Self::FigureEight(FigureEight { pixels, hz }) => are_small(&[pixels]) && rate(hz),
            Self::Saccades(Saccades { pixels, each_us }) => are_small(&[pixels]) && each_us > 0,
        }
    }
}

/// Which numbers poses and motions may have.
pub(super) const RANGES: &str = "offsets, angles and velocities of up to 10⁶, factors of 0.001 to 1000, \
                                 frequencies of 10⁻⁶ to 10⁴ Hz, durations above 0";

fn are_small(numbers: &[f64]) -> bool {
    numbers.iter().all(|number| number.abs() <= 1e6)
}

fn is_zoom(factor: f64) -> bool {
    (1e-3..=1e3).contains(&factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saccades_go_along_a_closed_triangle_without_a_jump() {
        let motion = Motion::from(Saccades::N_MNIST);
        for us in (0..700_000).step_by(100) {
            assert!(motion.pose(us).distance(motion.pose(us + 100), 10.0) < 0.01, "{us}");
        }
        assert_eq!(motion.pose(200_000), Pose { x: 7.0, ..Pose::CENTRED });
        assert_eq!(motion.next_corner(99_999), 100_000);
        assert_eq!(motion.next_corner(100_000), 200_000);
    }

    #[test]
    fn closed_motions_return() {
        let to = Pose { x: 5.0, y: -3.0, degrees: 20.0, zoom: 1.5 };
        let there = Motion::from(Oscillation { to, hz: 5.0 });
        assert_eq!(there.pose(0), Pose::CENTRED);
        assert!(there.pose(100_000).distance(to, 10.0) < 1e-9);
        assert!(there.pose(200_000).distance(Pose::CENTRED, 10.0) < 1e-9);
        let eight = Motion::from(FigureEight { pixels: 4.0, hz: 1.0 });
        assert!(eight.pose(1_000_000).distance(Pose::CENTRED, 10.0) < 1e-9);
        assert!((eight.pose(250_000).x - 4.0).abs() < 1e-9);
    }

    #[test]
    fn the_distance_bounds_the_way_of_every_point() {
        let (a, b) = (Pose::CENTRED, Pose { x: 1.0, y: 2.0, degrees: 3.0, zoom: 1.1 });
        let point = |pose: Pose, x: f64, y: f64| {
            let (sin, cos) = pose.degrees.to_radians().sin_cos();
            let (x, y) = (pose.zoom * x, pose.zoom * y);
            (pose.x + x * cos - y * sin, pose.y + x * sin + y * cos)
        };
        for (x, y) in [(10.0, 0.0), (0.0, 10.0), (-6.0, 8.0), (0.0, 0.0)] {
            let ((ax, ay), (bx, by)) = (point(a, x, y), point(b, x, y));
            assert!((ax - bx).hypot(ay - by) <= a.distance(b, 10.0));
        }
    }

    #[test]
    fn numbers_out_of_range_are_found() {
        assert!(Motion::from(Saccades::N_MNIST).is_in_range());
        for motion in [
            Motion::from(Saccades { pixels: 7.0, each_us: 0 }),
            Translation { x: f64::NAN, y: 0.0 }.into(),
            Zoom { factor: 0.0 }.into(),
            FigureEight { pixels: 1.0, hz: 0.0 }.into(),
            Oscillation { to: Pose { zoom: -1.0, ..Pose::CENTRED }, hz: 1.0 }.into(),
        ] {
            assert!(!motion.is_in_range(), "{motion:?}");
        }
    }
}
