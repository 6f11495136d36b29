//! The description of how frames were made, as it is stored in tensor files and with trained
//! networks.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    COUNT, Crop, Dtype, Edge, FrameOptions, PolarityChannels, Representation, SIGNED, TimePoint,
    WindowRule,
};
use crate::codec::Aedat2Reading;
use crate::error::{Error, Result};
use crate::filter::{FilterSpec, Selection};
use crate::limits::Limits;
use crate::model::{Parameters, Polarity, SensorSize};

/// How frames are made from events: [`FrameOptions`] in the form in which tensor files store them,
/// as JSON.
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
    /// The windows.
    pub windows: WindowRule,
    /// The rule for the edges.
    pub edge: Edge,
    /// Only the events at this time or later were kept.
    pub from: Option<TimePoint>,
    /// Only the events before this time were kept.
    pub to: Option<TimePoint>,
    /// How long a window of time stays open for events out of order, in µs.
    pub slack_us: i64,
    /// All kept events were sorted by time first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sort: bool,
    /// Only the events in this rectangle were kept.
    pub crop: Option<Crop>,
    /// Only the events of this polarity were kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Polarity>,
    /// The filters that were applied to the events, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<FilterSpec>,
    /// Width and height of a frame, if it was scaled down.
    pub size: Option<SensorSize>,
    /// The meaning of the cells.
    pub representation: CellRecipe,
}

/// The meaning of the cells of frames.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "StoredCells", try_from = "StoredCells")]
pub struct CellRecipe {
    /// What a cell holds.
    pub representation: &'static Representation,
    /// Whether OFF and ON have channels of their own.
    pub polarity: PolarityChannels,
    /// The type of a cell.
    pub dtype: Dtype,
    /// The parameters of the representation.
    pub parameters: Parameters,
}

/// The meaning of cells in the form in which files store it. Signed sums are stored as counts with
/// signed polarity, as they were called first.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredCells {
    cells: String,
    polarity: String,
    dtype: Dtype,
    #[serde(default, skip_serializing_if = "Parameters::is_empty")]
    parameters: Parameters,
}

impl From<CellRecipe> for StoredCells {
    fn from(recipe: CellRecipe) -> Self {
        let CellRecipe { representation, polarity, dtype, parameters } = recipe;
        let (cells, polarity) = match representation == &SIGNED {
            true => (COUNT.name, "signed"),
            false => (representation.name, polarity.name()),
        };
        Self { cells: cells.into(), polarity: polarity.into(), dtype, parameters }
    }
}

impl TryFrom<StoredCells> for CellRecipe {
    type Error = Error;

    fn try_from(stored: StoredCells) -> Result<Self> {
        let StoredCells { cells, polarity, dtype, parameters } = stored;
        let representation = Representation::named(&cells)?;
        if polarity == "signed" && representation == &COUNT {
            let polarity = PolarityChannels::default();
            return Ok(Self { representation: &SIGNED, polarity, dtype, parameters });
        }
        Ok(Self { representation, polarity: polarity.parse()?, dtype, parameters })
    }
}

impl From<&FrameOptions> for FrameRecipe {
    fn from(options: &FrameOptions) -> Self {
        let FrameOptions { representation, polarity, dtype, .. } = *options;
        let parameters = options.parameters.clone();
        let Selection { from, to, crop, polarity: only, filters } = options.selection.clone();
        Self {
            windows: options.windows,
            edge: options.edge,
            from,
            to,
            slack_us: options.slack,
            sort: options.sort,
            crop,
            only,
            filters,
            size: options.size,
            representation: CellRecipe { representation, polarity, dtype, parameters },
        }
    }
}

impl FrameRecipe {
    /// The options that make such frames.
    pub fn options(&self, limits: Limits) -> FrameOptions {
        let CellRecipe { representation, polarity, dtype, parameters } =
            self.representation.clone();
        FrameOptions {
            windows: self.windows,
            edge: self.edge,
            representation,
            polarity,
            dtype,
            parameters,
            selection: Selection {
                from: self.from,
                to: self.to,
                crop: self.crop,
                polarity: self.only,
                filters: self.filters.clone(),
            },
            size: self.size,
            slack: self.slack_us,
            sort: self.sort,
            limits,
        }
    }
}

/// What a tensor file says about how it was made, as far as that is needed to make frames of other
/// recordings in the same way.
#[derive(Debug, Clone, PartialEq)]
pub struct Provenance {
    /// Size of the sensor of the recording.
    pub sensor: Option<SensorSize>,
    /// Whose interpretation of AEDAT 1.0 and 2.0 addresses was followed.
    pub aedat2: Option<Aedat2Reading>,
    /// How the frames were made.
    pub frames: FrameRecipe,
}

impl Provenance {
    /// Parses the JSON text that [`convert`](crate::convert::convert) stores in its files.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) if the text is not of this form, or if it
    /// was written by a newer version and has a key that is not known here.
    pub fn parse(text: &str) -> Result<Self> {
        let mut all: Map<String, Value> =
            json(text, "the description of how the file was made", "a JSON object")?;
        let source = all.remove("source").unwrap_or_default();
        all.remove("liaf");
        all.remove("dataset");
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

/// The input of a network: how its frames are made, by what the cells are multiplied, how many
/// frames make a sample, and the names of the classes. A checkpoint of a network that contains this
/// as the note [`SampleRecipe::NOTE`] has all that is needed to classify recordings with it.
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
    /// How the frames are made. Its `from` and `to` say which part of the recording was used; they
    /// do not apply to other recordings.
    pub frames: FrameRecipe,
    /// The factor by which every cell is multiplied.
    #[serde(default = "one")]
    pub scale: f32,
    /// Number of frames of a sample; `None` if a sample is as long as its recording.
    #[serde(default)]
    pub steps: Option<usize>,
    /// Names of the classes, in the order of the network's outputs; empty if they have no names.
    #[serde(default)]
    pub classes: Vec<String>,
    /// Size of the sensor of the recordings, if it was the same for all.
    #[serde(default)]
    pub sensor: Option<SensorSize>,
    /// Whose interpretation of AEDAT 1.0 and 2.0 addresses was followed.
    #[serde(default)]
    pub aedat2: Option<Aedat2Reading>,
}

fn one() -> f32 {
    1.0
}

impl SampleRecipe {
    /// The name of the note in checkpoints of networks.
    pub const NOTE: &str = "samples";

    /// These frames without scaling, any number of them in a sample, and classes without names.
    pub fn new(frames: FrameRecipe) -> Self {
        Self { frames, scale: 1.0, steps: None, classes: Vec::new(), sensor: None, aedat2: None }
    }

    /// Serialises this as JSON.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the scale is not finite.
    pub fn to_json(&self) -> Result<String> {
        self.check().and_then(|()| {
            serde_json::to_string(self).map_err(|error| {
                Error::caller("the recipe of the samples cannot be written as JSON").found(error)
            })
        })
    }

    /// Parses the output of [`to_json`](Self::to_json).
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) if the text is not of this form.
    pub fn from_json(text: &str) -> Result<Self> {
        let recipe: Self = json(
            text,
            "the recipe of the samples",
            "a JSON object with `frames` and perhaps `scale`, `steps`, `classes`, `sensor`, `aedat2`",
        )?;
        recipe.check()?;
        Ok(recipe)
    }

    fn check(&self) -> Result<()> {
        let impossible = |what: &str| Err(Error::caller(what).expected("1 or more"));
        match self {
            Self { scale, .. } if !scale.is_finite() => {
                Err(Error::caller("the factor of the cells must be finite").found(scale))
            }
            Self { steps: Some(0), .. } => impossible("samples must have at least one frame"),
            _ => Ok(()),
        }
    }
}

/// Parses `what`, which should be `expected`.
fn json<T: DeserializeOwned>(text: &str, what: &str, expected: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| {
        Error::malformed(format!("{what} cannot be read")).expected(expected).found(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::BINARY;

    fn odd() -> FrameOptions {
        FrameOptions {
            windows: WindowRule::Count { events: 500, overlap: 100 },
            edge: Edge::Tonic,
            dtype: Dtype::F32,
            representation: &BINARY,
            polarity: PolarityChannels::Merged,
            parameters: Parameters::new().with("n", 3),
            selection: Selection::default()
                .between(TimePoint::Relative(5), TimePoint::Absolute(1_600_000_000_000_000))
                .crop(1, 2, 30, 40)
                .polarity(Polarity::On)
                .filter("refractory:period=2ms".parse().unwrap()),
            size: Some(SensorSize::new(16, 8)),
            slack: 7,
            sort: true,
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
    fn a_recipe_of_usual_frames_is_stored_as_before() {
        let options = FrameOptions::window_ms(10).representation(&SIGNED);
        let text = serde_json::to_string(&FrameRecipe::from(&options)).unwrap();
        assert_eq!(
            text,
            r#"{"windows":{"time":{"us":10000,"overlap":0}},"edge":"all","from":null,"to":null,"slack_us":100000,"crop":null,"size":null,"representation":{"cells":"count","polarity":"signed","dtype":"i16"}}"#
        );
        let back: FrameRecipe = serde_json::from_str(&text).unwrap();
        assert_eq!(back.options(Limits::default()), options);
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
