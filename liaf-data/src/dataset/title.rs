//! What a file of samples says about itself.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::contents::{Columns, Contents};
use super::hashes;
use super::shards::Shard;
use super::{Listing, Split};
use crate::error::{Error, Result};
use crate::frames::{Dtype, FrameOptions, FrameRecipe, FrameShape};
use crate::model::SensorSize;
use crate::tensor::{Container, TensorOptions};

/// The names of all recordings, which every file of a set has, whatever samples it has.
pub(super) fn names(listing: &Listing) -> Vec<String> {
    listing.recordings.iter().map(|entry| entry.name.clone()).collect()
}

/// What is the same for all files of a set.
#[derive(Debug, Clone)]
pub(super) struct Title {
    /// The JSON text that files store, without what distinguishes them from each other.
    pub about: Map<String, Value>,
    pub contents: Contents,
    pub dtype: Dtype,
    /// C, H and W.
    pub shape: FrameShape,
    /// T.
    pub steps: u64,
    pub has_labels: bool,
    /// Whether there are boxes beside the frames.
    pub has_boxes: bool,
    /// Names of all recordings.
    pub names: Vec<String>,
    pub container: Container,
    pub tensor: TensorOptions,
}

/// What distinguishes the files of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Which {
    pub split: Option<Split>,
    pub shard: Option<Shard>,
    /// Number of recordings that could not be used.
    pub failed: u64,
}

/// What is known about the whole set before it is made.
pub(super) struct About<'a> {
    pub set: &'a str,
    pub listing: &'a Listing,
    pub frames: &'a FrameOptions,
    pub sensor: SensorSize,
    pub split_rule: String,
    pub contents: Contents,
    pub plan: u64,
}

impl About<'_> {
    /// The JSON text.
    pub fn text(&self) -> Map<String, Value> {
        let mut all = match json!(FrameRecipe::from(self.frames)) {
            Value::Object(all) => all,
            _ => Map::new(),
        };
        all.insert("liaf".into(), env!("CARGO_PKG_VERSION").into());
        all.insert("source".into(), json!({ "sensor": self.sensor }));
        let dataset = json!({
            "name": self.set,
            "class_names": self.listing.classes,
            "split_rule": self.split_rule,
            "recordings": self.listing.recordings.len(),
            "contents": self.contents.name(),
            "boxes": self.listing.has_boxes(),
            "hashes": hashes::VERSION,
            "plan": plan_text(self.plan),
        });
        all.insert("dataset".into(), dataset);
        all
    }
}

/// A plan as files store it.
pub(super) fn plan_text(plan: u64) -> String {
    format!("{plan:016x}")
}

impl Title {
    /// The JSON text of a file.
    pub fn text(&self, which: Which) -> String {
        let mut all = self.about.clone();
        if let Some(Value::Object(dataset)) = all.get_mut("dataset") {
            dataset.insert("split".into(), json!(which.split));
            dataset.insert("failed".into(), which.failed.into());
            dataset.insert("shape".into(), json!(self.sample_shape()));
            if let Some(shard) = which.shard {
                dataset.insert("shard".into(), json!(shard));
            }
        }
        Value::Object(all).to_string()
    }

    /// The shape of the frames of a sample, `[T, C, H, W]`.
    pub fn sample_shape(&self) -> [usize; 4] {
        let FrameShape { channels, height, width } = self.shape;
        [self.steps as usize, channels, height, width]
    }

    /// Size of a frame in bytes.
    pub fn frame_bytes(&self) -> u64 {
        (self.shape.cells() * self.dtype.bytes()) as u64
    }

    /// The tensors of ragged contents.
    pub fn columns(&self) -> Columns {
        Columns::of(self.contents, self.dtype)
    }

    /// Size in bytes of an item of a sample: a frame, a cell or an event.
    pub fn item_bytes(&self) -> u64 {
        match self.contents {
            Contents::Frames => self.frame_bytes(),
            _ => self.columns().record() as u64,
        }
    }
}

/// What a file says about itself, taken apart.
#[derive(Debug, Clone)]
pub(super) struct Stated {
    /// Without what distinguishes it from the other files of the set.
    pub about: Map<String, Value>,
    pub which: Which,
    pub plan: String,
    pub contents: Contents,
    /// `[T, C, H, W]`.
    pub shape: [usize; 4],
    pub dtype: Dtype,
    /// Number of the names of classes, and whether samples have labels.
    pub classes: usize,
    pub has_classes: bool,
    /// Whether boxes stand beside the samples.
    pub has_boxes: bool,
}

impl Stated {
    /// Parses the JSON text of a file; `None` if it is none of a data set.
    pub fn parse(text: &str) -> Option<Self> {
        let Value::Object(mut about) = serde_json::from_str(text).ok()? else { return None };
        let dtype = serde_json::from_value(about.get("representation")?.get("dtype")?.clone());
        let dataset = about.get_mut("dataset")?.as_object_mut()?;
        let split = match dataset.remove("split")?.as_str() {
            None => None,
            Some(name) => Some(Split::named(name)?),
        };
        let shard = match dataset.remove("shard") {
            None => None,
            Some(shard) => Some(serde_json::from_value(shard).ok()?),
        };
        let failed = dataset.remove("failed")?.as_u64()?;
        let shape = serde_json::from_value(dataset.remove("shape")?).ok()?;
        let plan = dataset.get("plan")?.as_str()?.to_owned();
        let contents = Contents::named(dataset.get("contents")?.as_str()?)?;
        let has_boxes = dataset.get("boxes").is_some_and(|boxes| boxes == &Value::Bool(true));
        let classes = dataset.get("class_names")?.as_array().map_or(0, Vec::len);
        let has_classes = !has_boxes && classes > 0;
        let which = Which { split, shard, failed };
        Some(Self {
            which,
            plan,
            contents,
            shape,
            dtype: dtype.ok()?,
            classes,
            has_classes,
            has_boxes,
            about,
        })
    }

    /// The columns of ragged contents.
    pub fn columns(&self) -> Columns {
        Columns::of(self.contents, self.dtype)
    }
}

/// The error for a file that is none of a data set.
pub(super) fn not_ours(path: &Path) -> Error {
    Error::malformed("this is no file of a data set").in_file(path)
}

/// The shape as a [`FrameShape`].
pub(super) fn frame_shape([_, channels, height, width]: [usize; 4]) -> FrameShape {
    FrameShape { channels, height, width }
}

/// Refuses titles of different sets.
pub(super) fn check_same(a: &Stated, b: &Stated, path: &Path) -> Result<()> {
    let same = a.about == b.about && a.which.split == b.which.split && a.shape[1..] == b.shape[1..];
    if same {
        return Ok(());
    }
    if a.plan == b.plan {
        let what = "this file says something else about the set than the first";
        let error = Error::caller(what).in_file(path);
        return Err(error.advice("make all of them with the same version"));
    }
    Err(Error::caller("this is a file of another data set, or was made in another way")
        .expected(&a.plan)
        .found(&b.plan)
        .in_file(path))
}
