//! Boxes around objects, beside the frames of a set for detection.

mod read;
mod tensors;

use super::build::Build;
pub(super) use read::{BoxFaults, LabelledBox, hash, read};
pub(super) use tensors::{BoxReader, BoxTensors, SampleBox, of_sample};

use crate::error::{Error, Result};

/// Refuses what would move events away from their boxes.
pub(super) fn check(build: &Build) -> Result<()> {
    let selection = &build.frames.selection;
    let moving = selection.filters.iter().find(|filter| filter.moves());
    let found = match (moving, selection.crop) {
        (Some(filter), _) => format!("the filter {filter}"),
        (None, Some(_)) => "a rectangle of the sensor".into(),
        (None, None) => return Ok(()),
    };
    Err(Error::caller("events would no longer be where the boxes of the set are").found(found))
}
