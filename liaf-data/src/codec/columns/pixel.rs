//! The pixel that a number stands for.

use crate::codec::ColumnOptions;
use crate::model::SensorSize;

/// How the numbers of x and y become pixels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Pixels {
    /// Numbers are multiplied by this and rounded to the nearest pixel; `None` if they must be whole.
    factor: Option<f64>,
}

/// What a number of x or y stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pixel {
    At(u16),
    /// A rounded number that is on no sensor.
    Outside,
    /// Not a pixel: not a number, or not a whole one.
    Invalid,
}

impl Pixels {
    /// What the options ask for. Scaled numbers are rounded as well.
    pub fn of(options: &ColumnOptions) -> Self {
        Self { factor: options.scale.or(options.round.then_some(1.0)) }
    }

    /// Whether numbers are rounded, so that a fraction is not an error.
    pub fn rounds(self) -> bool {
        self.factor.is_some()
    }

    /// The pixel of a number. Halves are rounded up.
    #[inline(always)]
    pub fn pixel(self, value: f64) -> Pixel {
        let on_grid = |value: f64| (0.0..=65535.0).contains(&value);
        match self.factor {
            None if value.fract() == 0.0 && on_grid(value) => Pixel::At(value as u16),
            None => Pixel::Invalid,
            Some(factor) => {
                let nearest = (value * factor + 0.5).floor();
                match nearest {
                    _ if on_grid(nearest) => Pixel::At(nearest as u16),
                    _ if nearest.is_finite() => Pixel::Outside,
                    _ => Pixel::Invalid,
                }
            }
        }
    }

    /// The size of the sensor in pixels, if it is `stated` on the scale of the file.
    pub fn sensor(self, stated: SensorSize) -> SensorSize {
        let Some(factor) = self.factor else { return stated };
        let side = |side: u16| (f64::from(side) * factor).ceil().clamp(1.0, 65535.0) as u16;
        SensorSize::new(side(stated.width), side(stated.height))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(round: bool, scale: Option<f64>) -> Pixels {
        Pixels::of(&ColumnOptions { round, scale, ..ColumnOptions::default() })
    }

    #[test]
    fn numbers_are_whole_unless_they_are_rounded() {
        let whole = options(false, None);
        assert_eq!(whole.pixel(7.0), Pixel::At(7));
        for value in [7.5, -1.0, 65536.0, f64::NAN, f64::INFINITY] {
            assert_eq!(whole.pixel(value), Pixel::Invalid, "{value}");
        }
        let round = options(true, None);
        for (value, pixel) in [
            (7.5, Pixel::At(8)),
            (7.49, Pixel::At(7)),
            (-0.5, Pixel::At(0)),
            (-0.51, Pixel::Outside),
            (65535.4, Pixel::At(65535)),
            (65535.5, Pixel::Outside),
            (f64::NAN, Pixel::Invalid),
            (f64::INFINITY, Pixel::Invalid),
        ] {
            assert_eq!(round.pixel(value), pixel, "{value}");
        }
    }

    #[test]
    fn a_scale_applies_before_rounding_and_to_the_sensor() {
        let half = options(false, Some(0.5));
        assert_eq!(half.pixel(7.0), Pixel::At(4));
        assert_eq!(half.pixel(6.9), Pixel::At(3));
        assert_eq!(half.sensor(SensorSize::new(346, 261)), SensorSize::new(173, 131));
        assert_eq!(options(true, None).sensor(SensorSize::new(3, 4)), SensorSize::new(3, 4));
    }
}
