//! The tensors of boxes: `boxes` and what is known about each, ragged by `box_offsets`.

use std::hash::Hasher;
use std::ops::Range;

use super::LabelledBox;
use crate::dataset::output::Sample;
use crate::error::{Error, Result};
use crate::tensor::{ElementType, RowReader, Rows, TensorFile, TensorFileWriter, TensorId};

/// The tensors with a whole number for each box.
const NUMBERS: [&str; 4] = ["box_labels", "box_frames", "box_t", "box_tracks"];

/// Number of boxes that are read at a time.
const BLOCK: usize = 1 << 16;

/// A box of a sample, as files store it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::dataset) struct SampleBox {
    /// x, y, w and h in pixels of the frames.
    place: [f32; 4],
    confidence: f32,
    /// Class, frame, time and number of the object.
    numbers: [i64; 4],
}

impl SampleBox {
    /// Adds the box to the hash of its recording.
    pub fn hash(&self, hash: &mut impl Hasher) {
        let reals = self.place.iter().chain([&self.confidence]);
        reals.for_each(|real| hash.write(&real.to_le_bytes()));
        self.numbers.iter().for_each(|number| hash.write(&number.to_le_bytes()));
    }
}

/// The boxes that belong to a sample: `start < t <= start + duration`. A box belongs to the frame at whose end,
/// or before whose end, it is. `all` are those of the recording in the order of their times, and `scale` leads
/// from pixels of the sensor to those of the frames.
pub(in crate::dataset) fn of_sample(
    all: &[LabelledBox],
    sample: &Sample,
    [sx, sy]: [f32; 2],
) -> Vec<SampleBox> {
    let Sample { start, duration, length, .. } = *sample;
    let end = start.saturating_add(duration);
    let first = all.partition_point(|one| one.t <= start);
    let after = all.partition_point(|one| one.t <= end);
    let stored = |one: &LabelledBox| {
        let [x, y, w, h] = one.place;
        let ahead = i128::from(one.t) - i128::from(start) - 1;
        let frame = ahead * i128::from(length) / i128::from(duration.max(1));
        SampleBox {
            place: [x * sx, y * sy, w * sx, h * sy],
            confidence: one.confidence,
            numbers: [one.class, frame as i64, one.t, one.track],
        }
    };
    all.get(first..after).unwrap_or_default().iter().map(stored).collect()
}

/// Writes the boxes of one sample after another.
pub(in crate::dataset) struct BoxTensors {
    /// `[M, 4]`
    boxes: TensorId,
    confidences: TensorId,
    numbers: [TensorId; 4],
    offsets: TensorId,
    /// Number of boxes so far.
    written: i64,
}

impl BoxTensors {
    /// Adds the tensors to a file.
    pub fn add(file: &mut TensorFileWriter) -> Result<Self> {
        let boxes = file.add("boxes", ElementType::F32, Rows::Growing, &[4])?;
        let confidences = file.add("box_confidences", ElementType::F32, Rows::Growing, &[])?;
        let mut number = |name: &str| file.add(name, ElementType::I64, Rows::Growing, &[]);
        let [labels, frames, t, tracks] = NUMBERS.map(&mut number);
        let numbers = [labels?, frames?, t?, tracks?];
        let offsets = number("box_offsets")?;
        file.append(offsets, &[0_i64])?;
        Ok(Self { boxes, confidences, numbers, offsets, written: 0 })
    }

    /// Writes the boxes of the next sample.
    pub fn write(&mut self, file: &mut TensorFileWriter, boxes: &[SampleBox]) -> Result<()> {
        for SampleBox { place, confidence, numbers } in boxes {
            file.append(self.boxes, place)?;
            file.append(self.confidences, &[*confidence])?;
            for (tensor, number) in self.numbers.iter().zip(numbers) {
                file.append(*tensor, &[*number])?;
            }
        }
        self.written += boxes.len() as i64;
        file.append(self.offsets, &[self.written])
    }
}

/// Reads the boxes of one sample after another, in blocks.
#[derive(Debug)]
pub(in crate::dataset) struct BoxReader<'a> {
    places: RowReader<'a>,
    confidences: RowReader<'a>,
    numbers: [RowReader<'a>; 4],
    offsets: Vec<i64>,
    /// Which boxes are in memory.
    held: Range<usize>,
    boxes: Vec<SampleBox>,
}

impl<'a> BoxReader<'a> {
    /// Reads the offsets of the boxes of `samples` samples.
    ///
    /// # Errors
    /// If the tensors do not agree with each other.
    pub fn new(file: &'a TensorFile, samples: usize) -> Result<Self> {
        let offsets = file.get("box_offsets")?.to_vec::<i64>()?;
        let rises = offsets.first() == Some(&0) && offsets.is_sorted();
        let total = offsets.last().map_or(0, |&end| end as usize);
        let mut agree = rises && offsets.len() == samples + 1;
        for (name, row) in columns() {
            let shape = file.info(name)?.shape;
            agree &= shape.first() == Some(&total) && shape.get(1..) == Some(row);
        }
        if !agree {
            return Err(Error::malformed("the boxes do not agree with the samples"));
        }
        let rows = |name| file.rows_in_order(name);
        let [labels, frames, t, tracks] = NUMBERS.map(rows);
        Ok(Self {
            places: rows("boxes")?,
            confidences: rows("box_confidences")?,
            numbers: [labels?, frames?, t?, tracks?],
            offsets,
            held: 0..0,
            boxes: Vec::new(),
        })
    }

    /// The boxes of a sample, which comes after those before it.
    pub fn of(&mut self, sample: usize) -> Result<&[SampleBox]> {
        let of = self.offsets[sample] as usize..self.offsets[sample + 1] as usize;
        if of.end > self.held.end {
            let total = self.offsets.last().map_or(0, |&end| end as usize);
            self.boxes.drain(..(of.start - self.held.start).min(self.boxes.len()));
            self.read(self.held.end.max(of.start)..of.end.max(total.min(of.start + BLOCK)))?;
            self.held.start = of.start;
        }
        Ok(&self.boxes[of.start - self.held.start..of.end - self.held.start])
    }

    /// Reads the next boxes, after those in memory.
    fn read(&mut self, rows: Range<usize>) -> Result<()> {
        let places = self.places.rows(rows.clone())?.to_vec::<f32>()?;
        let confidences = self.confidences.rows(rows.clone())?.to_vec::<f32>()?;
        let whole = |tensor: &mut RowReader<'_>| tensor.rows(rows.clone())?.to_vec::<i64>();
        let [labels, frames, t, tracks] = self.numbers.each_mut().map(whole);
        let (labels, frames, t, tracks) = (labels?, frames?, t?, tracks?);
        let (places, _) = places.as_chunks::<4>();
        let one = |(i, (&place, &confidence)): (usize, (&[f32; 4], &f32))| SampleBox {
            place,
            confidence,
            numbers: [labels[i], frames[i], t[i], tracks[i]],
        };
        self.boxes.extend(places.iter().zip(&confidences).enumerate().map(one));
        self.held.end = rows.end;
        Ok(())
    }
}

/// The tensors with a row for each box, and the shape of a row.
fn columns() -> impl Iterator<Item = (&'static str, &'static [usize])> {
    let reals = [("boxes", &[4][..]), ("box_confidences", &[])];
    reals.into_iter().chain(NUMBERS.map(|name| (name, &[][..])))
}
