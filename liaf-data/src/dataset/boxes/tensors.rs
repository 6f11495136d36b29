//! The tensors of boxes: `boxes` and what is known about each, ragged by `box_offsets`.

use super::LabelledBox;
use crate::dataset::output::Sample;
use crate::dataset::title::Title;
use crate::error::Result;
use crate::model::SensorSize;
use crate::tensor::{ElementType, Rows, TensorFileWriter, TensorId};

/// Writes the boxes of one sample after another.
pub(in crate::dataset) struct BoxTensors {
    /// The boxes of the recording whose samples are written, in the order of their times.
    pub all: Vec<LabelledBox>,
    /// `[M, 4]`: x, y, w and h in pixels of the frames.
    boxes: TensorId,
    confidences: TensorId,
    /// `box_labels`, `box_frames`, `box_t` and `box_tracks`.
    numbers: [TensorId; 4],
    offsets: TensorId,
    /// From pixels of the sensor to those of the frames.
    scale: [f32; 2],
    /// Number of boxes and of samples so far.
    written: i64,
    samples: u64,
}

impl BoxTensors {
    /// Adds the tensors to a file.
    pub fn add(file: &mut TensorFileWriter, sensor: SensorSize, title: &Title) -> Result<Self> {
        let boxes = file.add("boxes", ElementType::F32, Rows::Growing, &[4])?;
        let confidences = file.add("box_confidences", ElementType::F32, Rows::Growing, &[])?;
        let mut number = |name: &str| file.add(name, ElementType::I64, Rows::Growing, &[]);
        let numbers =
            [number("box_labels")?, number("box_frames")?, number("box_t")?, number("box_tracks")?];
        let offsets = number("box_offsets")?;
        let scale = [
            title.shape.width as f32 / f32::from(sensor.width.max(1)),
            title.shape.height as f32 / f32::from(sensor.height.max(1)),
        ];
        let (all, written, samples) = (Vec::new(), 0, 0);
        Ok(Self { all, boxes, confidences, numbers, offsets, scale, written, samples })
    }

    /// Writes the boxes that belong to a sample: `start < t <= start + duration`. A box belongs to the frame at
    /// whose end, or before whose end, it is.
    pub fn sample(&mut self, file: &mut TensorFileWriter, sample: &Sample) -> Result<()> {
        if self.samples == 0 {
            file.append(self.offsets, &[0_i64])?;
        }
        let Sample { start, duration, length, .. } = *sample;
        let end = start.saturating_add(duration);
        let first = self.all.partition_point(|one| one.t <= start);
        let after = self.all.partition_point(|one| one.t <= end);
        let [sx, sy] = self.scale;
        for one in self.all.get(first..after).unwrap_or_default() {
            let [x, y, w, h] = one.place;
            file.append(self.boxes, &[x * sx, y * sy, w * sx, h * sy])?;
            file.append(self.confidences, &[one.confidence])?;
            let ahead = i128::from(one.t) - i128::from(start) - 1;
            let frame = ahead * i128::from(length) / i128::from(duration.max(1));
            let numbers = [one.class, frame as i64, one.t, one.track];
            for (tensor, value) in self.numbers.iter().zip(numbers) {
                file.append(*tensor, &[value])?;
            }
            self.written += 1;
        }
        self.samples += 1;
        file.append(self.offsets, &[self.written])
    }
}
