//! Motions as users write them.

use std::str::FromStr;

use super::motion::{
    FigureEight, Motion, Oscillation, Pose, Rotation, Saccades, Translation, Zoom,
};
use crate::error::{Error, Result};
use crate::model::Parameters;
use crate::names::one_of;

/// A motion and its duration, as in `translation:x=40,y=0,for=300ms`.
///
/// The parameter `for` is the duration. Lengths are in pixels of the sensor, and what is left out has the default
/// that [`kinds`](Self::kinds) states.
///
/// ```
/// use liaf_data::simulate::{Motion, MotionSpec, Rotation};
/// let spec: MotionSpec = "rotation:degrees=90,for=1.5s".parse()?;
/// assert_eq!(spec.motion, Motion::from(Rotation { degrees: 90.0 }));
/// assert_eq!(spec.duration_us, Some(1_500_000));
/// assert!("rotation:hz=90".parse::<MotionSpec>().is_err());
/// # Ok::<(), liaf_data::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct MotionSpec {
    /// The motion.
    pub motion: Motion,
    /// Its duration in µs, if it is stated, or the motion has a natural one: three saccades.
    pub duration_us: Option<i64>,
}

impl MotionSpec {
    /// Every motion: its name, and what it does, with its parameters and their defaults in brackets.
    pub fn kinds() -> impl Iterator<Item = (&'static str, &'static str)> {
        KINDS.iter().map(|kind| (kind.name, kind.about))
    }
}

struct Kind {
    name: &'static str,
    about: &'static str,
    parameters: &'static [&'static str],
    make: fn(&Parameters) -> Result<Motion>,
}

#[rustfmt::skip]
static KINDS: &[Kind] = &[
    Kind {
        name: "still", about: "no motion", parameters: &["for"],
        make: |_| Ok(Motion::Still),
    },
    Kind {
        name: "translation", about: "at a velocity in pixels/s [x=50,y=0]", parameters: &["x", "y", "for"],
        make: |of| Ok(Translation { x: number(of, "x", 50.0)?, y: number(of, "y", 0.0)? }.into()),
    },
    Kind {
        name: "rotation", about: "clockwise, in degrees/s [degrees=90]", parameters: &["degrees", "for"],
        make: |of| Ok(Rotation { degrees: number(of, "degrees", 90.0)? }.into()),
    },
    Kind {
        name: "zoom", about: "grows by a factor each second [factor=2]", parameters: &["factor", "for"],
        make: |of| Ok(Zoom { factor: number(of, "factor", 2.0)? }.into()),
    },
    Kind {
        name: "oscillation", about: "to another pose and back [x=0,y=0,degrees=0,zoom=1,hz=1]",
        parameters: &["x", "y", "degrees", "zoom", "hz", "for"],
        make: |of| {
            let (x, y) = (number(of, "x", 0.0)?, number(of, "y", 0.0)?);
            let to = Pose { x, y, degrees: number(of, "degrees", 0.0)?, zoom: number(of, "zoom", 1.0)? };
            Ok(Oscillation { to, hz: number(of, "hz", 1.0)? }.into())
        },
    },
    Kind {
        name: "figure-eight", about: "on a closed curve, pixels to each side [pixels=8,hz=1]",
        parameters: &["pixels", "hz", "for"],
        make: |of| Ok(FigureEight { pixels: number(of, "pixels", 8.0)?, hz: number(of, "hz", 1.0)? }.into()),
    },
    Kind {
        name: "saccades", about: "three along a triangle, as in N-MNIST [pixels=7,each=100ms]",
        parameters: &["pixels", "each", "for"],
        make: |of| {
            let Saccades { pixels, each_us } = Saccades::N_MNIST;
            let each_us = of.duration("each")?.unwrap_or(each_us);
            Ok(Saccades { pixels: number(of, "pixels", pixels)?, each_us }.into())
        },
    },
];

fn number(parameters: &Parameters, name: &str, usual: f64) -> Result<f64> {
    Ok(parameters.number(name)?.unwrap_or(usual))
}

impl FromStr for MotionSpec {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, parameters) = Parameters::after_name(text)?;
        let kind = KINDS.iter().find(|kind| kind.name == name).ok_or_else(|| {
            let names: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
            Error::caller("unknown motion").expected(one_of(&names)).found(format!("{name:?}"))
        })?;
        parameters.check_names(&format!("the motion {name}"), kind.parameters)?;
        let motion = (kind.make)(&parameters)?;
        let natural = match motion {
            Motion::Saccades(Saccades { each_us, .. }) => each_us.checked_mul(3),
            _ => None,
        };
        Ok(Self { motion, duration_us: parameters.duration("for")?.or(natural) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_with_its_defaults_and_refuses_unknown_parameters() {
        for (name, _) in MotionSpec::kinds() {
            let spec: MotionSpec = name.parse().unwrap();
            assert!(spec.motion.is_in_range(), "{name}");
            let error = format!("{name}:n=1").parse::<MotionSpec>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("the motion {name} has no parameter")), "{error}");
        }
        let saccades: MotionSpec = "saccades:each=50ms".parse().unwrap();
        assert_eq!(saccades.duration_us, Some(150_000));
        assert_eq!("still".parse::<MotionSpec>().unwrap().duration_us, None);
        assert!("jump".parse::<MotionSpec>().unwrap_err().to_string().contains("expected still"));
        assert!("zoom:factor=x".parse::<MotionSpec>().is_err());
    }
}
