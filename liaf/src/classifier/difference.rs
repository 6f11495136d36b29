//! Differences between a recording and those that a network was trained on.

use std::fmt;

use liaf_data::frames::SampleRecipe;
use liaf_data::options::Aedat2Reading;
use liaf_data::{Recording, SensorSize};

/// How a recording differs from those that the network was trained on. The network can be used
/// nevertheless, but may be less accurate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// The sensor has another size.
    Sensor {
        /// Size of the sensor of the recording.
        recording: SensorSize,
        /// Size of the sensor of all recordings that the network was trained on.
        learned: SensorSize,
    },
    /// The addresses of AEDAT 1.0 and 2.0 are interpreted in another way
    /// ([`ReadOptions`](liaf_data::ReadOptions)).
    Aedat2Reading {
        /// Whose interpretation is used to read the recording.
        recording: Aedat2Reading,
        /// Whose interpretation was used to read the recordings that the network was trained on.
        learned: Aedat2Reading,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sensor { recording, learned } => write!(
                f,
                "the size of its sensor is {recording}, and the network was trained on sensors of {learned}"
            ),
            Self::Aedat2Reading { recording, learned } => write!(
                f,
                "it is read with the interpretation of {}, and the network was trained on \
                 recordings read with that of {}",
                recording.name(),
                learned.name()
            ),
        }
    }
}

/// The differences of a recording whose sensor is `sensor`.
pub(super) fn differences(
    recipe: &SampleRecipe,
    recording: &Recording,
    sensor: SensorSize,
) -> Vec<Difference> {
    let mut found = Vec::new();
    if let Some(learned) = recipe.sensor.filter(|&learned| learned != sensor) {
        found.push(Difference::Sensor { recording: sensor, learned });
    }
    let format = recording.info().format;
    let reading = recording.options().aedat.reading;
    if let Some(learned) = recipe.aedat2.filter(|&learned| learned != reading)
        && (format.starts_with("AEDAT 1") || format.starts_with("AEDAT 2"))
    {
        found.push(Difference::Aedat2Reading { recording: reading, learned });
    }
    found
}
