//! How frames are made, as data: what a tensor file says of its frames, and what a network was fed.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Crop, Dtype, Edge, FrameOptions, Polarity, Representation, TimePoint, WindowRule};
use crate::codec::Aedat2Reading;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::model::SensorSize;

/// How frames are made of events: [`FrameOptions`] as tensor files say them, in JSON.
///
/// ```
/// use liaf_data::Limits;
/// use liaf_data::frames::{FrameOptions, FrameRecipe};
/// let options = FrameOptions::default();
/// let recipe = FrameRecipe::from(&options);
/// assert_eq!(recipe.options(Limits::default()), options);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameRecipe {
    /// Window rule.
    pub windows: WindowRule,
    /// Edge rule.
    pub edge: Edge,
    /// Only the events at this time or later.
    pub from: Option<TimePoint>,
    /// Only the events before this time.
    pub to: Option<TimePoint>,
    /// µs that a window by time stays open for events out of order.
    pub slack_us: i64,
    /// Only the events in this rectangle.
    pub crop: Option<Crop>,
    /// Width and height of a frame, where pixels were summed down.
    pub size: Option<SensorSize>,
    /// What the cells are.
    pub representation: CellRecipe,
}

/// What the cells of frames are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellRecipe {
    /// What a cell holds.
    pub cells: Representation,
    /// What becomes of polarity.
    pub polarity: Polarity,
    /// Type of a cell.
    pub dtype: Dtype,
}

impl From<&FrameOptions> for FrameRecipe {
    fn from(options: &FrameOptions) -> Self {
        let FrameOptions { cells, polarity, dtype, .. } = *options;
        Self {
            windows: options.windows,
            edge: options.edge,
            from: options.from,
            to: options.to,
            slack_us: options.slack,
            crop: options.crop,
            size: options.size,
            representation: CellRecipe { cells, polarity, dtype },
        }
    }
}

impl FrameRecipe {
    /// The options that make such frames.
    pub fn options(&self, limits: Limits) -> FrameOptions {
        let CellRecipe { cells, polarity, dtype } = self.representation;
        FrameOptions {
            windows: self.windows,
            edge: self.edge,
            dtype,
            cells,
            polarity,
            crop: self.crop,
            size: self.size,
            from: self.from,
            to: self.to,
            slack: self.slack_us,
            limits,
        }
    }
}

/// What a tensor file says of how it was made, as far as frames of other recordings can be made
/// likewise.
#[derive(Debug, Clone, PartialEq)]
pub struct Provenance {
    /// Size of the recording's sensor.
    pub sensor: Option<SensorSize>,
    /// Whose reading of AEDAT 1.0 and 2.0 it followed.
    pub aedat2: Option<Aedat2Reading>,
    /// How its frames were made.
    pub frames: FrameRecipe,
}

impl Provenance {
    /// Reads the JSON text that [`convert`](crate::convert::convert) leaves in its files.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) if it is no such text, or one of a
    /// newer version with a key that is not known here.
    pub fn parse(text: &str) -> Result<Self> {
        let mut all: Map<String, Value> = json(text, "what the file says of its making")?;
        let source = all.remove("source").unwrap_or_default();
        all.remove("liaf");
        let of_source = |key| source.get(key).cloned().unwrap_or_default();
        let frames = serde_json::from_value(Value::Object(all)).map_err(|error| {
            Error::malformed("the file does not say how its frames were made").found(error)
        })?;
        Ok(Self {
            sensor: serde_json::from_value(of_source("sensor")).unwrap_or_default(),
            aedat2: serde_json::from_value(of_source("aedat2")).unwrap_or_default(),
            frames,
        })
    }
}

/// What a network was fed: which frames, what their cells were multiplied with, how many make a
/// sample, and what its classes are called. A checkpoint that carries it as the note
/// [`SampleRecipe::NOTE`] says enough for recordings to be classified with it.
///
/// ```
/// use liaf_data::frames::{FrameOptions, SampleRecipe};
/// let mut recipe = SampleRecipe::new((&FrameOptions::default()).into());
/// recipe.scale = 0.25;
/// recipe.classes = vec!["box".into(), "mug".into()];
/// assert_eq!(SampleRecipe::from_json(&recipe.to_json()?)?, recipe);
/// # Ok::<(), liaf_data::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleRecipe {
    /// How the frames are made. Its `from` and `to` say which part of a recording was taken, not
    /// how another is looked at.
    pub frames: FrameRecipe,
    /// What every cell is multiplied with.
    #[serde(default = "one")]
    pub scale: f32,
    /// Frames of a sample; none if it is as long as its recording.
    #[serde(default)]
    pub steps: Option<usize>,
    /// Names of the classes, in the order of the network's outputs; none if they have none.
    #[serde(default)]
    pub classes: Vec<String>,
    /// Size of the sensor of the recordings, if it was the same for all.
    #[serde(default)]
    pub sensor: Option<SensorSize>,
    /// Whose reading of AEDAT 1.0 and 2.0 was followed.
    #[serde(default)]
    pub aedat2: Option<Aedat2Reading>,
}

fn one() -> f32 {
    1.0
}

impl SampleRecipe {
    /// The name of the note in checkpoints.
    pub const NOTE: &str = "samples";

    /// These frames as they are, of any number and nameless classes.
    pub fn new(frames: FrameRecipe) -> Self {
        Self { frames, scale: 1.0, steps: None, classes: Vec::new(), sensor: None, aedat2: None }
    }

    /// As JSON.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the scale is not finite.
    pub fn to_json(&self) -> Result<String> {
        self.check().and_then(|()| {
            serde_json::to_string(self)
                .map_err(|error| Error::caller("what the samples are is no JSON").found(error))
        })
    }

    /// Reads what [`to_json`](Self::to_json) gives.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) if it is no such text.
    pub fn from_json(text: &str) -> Result<Self> {
        let recipe: Self = json(text, "what the samples are")?;
        recipe.check()?;
        Ok(recipe)
    }

    fn check(&self) -> Result<()> {
        let impossible = |what: &str| Err(Error::caller(what).expected("1 or more"));
        match self {
            Self { scale, .. } if !scale.is_finite() => {
                Err(Error::caller("the factor of the cells is not finite").found(scale))
            }
            Self { steps: Some(0), .. } => impossible("samples of no frames"),
            _ => Ok(()),
        }
    }
}

fn json<T: DeserializeOwned>(text: &str, what: &str) -> Result<T> {
    serde_json::from_str(text)
        .map_err(|error| Error::malformed(format!("{what} cannot be understood")).found(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn odd() -> FrameOptions {
        FrameOptions {
            windows: WindowRule::Count { events: 500, overlap: 100 },
            edge: Edge::Tonic,
            dtype: Dtype::F32,
            cells: Representation::Binary,
            polarity: Polarity::Merged,
            crop: Some(Crop { x: 1, y: 2, w: 30, h: 40 }),
            size: Some(SensorSize::new(16, 8)),
            from: Some(TimePoint::Relative(5)),
            to: Some(TimePoint::Absolute(1_600_000_000_000_000)),
            slack: 7,
            limits: Limits::default(),
        }
    }

    #[test]
    fn every_option_comes_back() {
        let mut recipe = SampleRecipe::new((&odd()).into());
        recipe.scale = 0.1;
        recipe.steps = Some(10);
        recipe.classes = vec!["a \"b\"".into(), "c,d".into()];
        recipe.sensor = Some(SensorSize::new(346, 260));
        recipe.aedat2 = Some(Aedat2Reading::SpikingJelly);
        let back = SampleRecipe::from_json(&recipe.to_json().unwrap()).unwrap();
        assert_eq!(back, recipe);
        assert_eq!(back.frames.options(Limits::default()), odd());
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let good = SampleRecipe::new((&odd()).into()).to_json().unwrap();
        for (from, to) in [
            ("\"scale\":1.0", "\"scale\":1.0,\"noise\":0.5"),
            ("\"scale\":1.0", "\"scale\":1e99"),
            ("\"steps\":null", "\"steps\":0"),
            ("\"edge\":\"tonic\"", "\"edge\":\"round\""),
            ("\"slack_us\":7", "\"slack_us\":7,\"filter\":\"noise\""),
            ("\"dtype\":\"f32\"", "\"dtype\":\"f16\""),
        ] {
            let bad = good.replace(from, to);
            assert_ne!(bad, good, "{from}");
            assert!(SampleRecipe::from_json(&bad).is_err(), "{to}");
        }
        assert!(SampleRecipe::from_json("").is_err());
        assert!(Provenance::parse("{}").is_err());
    }
}
