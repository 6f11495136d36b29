//! Writing the samples of one file.

use std::path::Path;

use super::boxes::{BoxTensors, SampleBox};
use super::contents::{Columns, Contents};
use super::hashes::Hashes;
use super::title::{Title, Which};
use crate::error::{Error, Result};
use crate::tensor::{ElementType, Rows, TensorFileWriter, TensorId, TensorOptions};

/// A sample, without its items.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    /// Its class, or −1.
    pub class: i64,
    /// Number of frames.
    pub length: i64,
    /// Index of the recording.
    pub source: i64,
    /// Start in µs.
    pub start: i64,
    /// Length in µs.
    pub duration: i64,
}

impl Sample {
    /// A sample of which nothing is known.
    pub const UNKNOWN: Self = Self { class: -1, length: 0, source: 0, start: 0, duration: 0 };
}

/// A column with one number for each sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PerSample {
    Labels,
    Lengths,
    Source,
    Start,
    Duration,
}

impl PerSample {
    /// The columns of a file, in their order.
    pub fn of(contents: Contents, has_labels: bool) -> Vec<Self> {
        let mut all = match contents {
            Contents::Frames | Contents::Sparse => vec![Self::Lengths, Self::Source, Self::Start],
            Contents::Events => vec![Self::Source, Self::Start, Self::Duration],
        };
        if has_labels {
            all.insert(0, Self::Labels);
        }
        all
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Labels => "labels",
            Self::Lengths => "lengths",
            Self::Source => "source",
            Self::Start => "t_start",
            Self::Duration => "duration",
        }
    }

    pub const fn set(self, sample: &mut Sample, value: i64) {
        match self {
            Self::Labels => sample.class = value,
            Self::Lengths => sample.length = value,
            Self::Source => sample.source = value,
            Self::Start => sample.start = value,
            Self::Duration => sample.duration = value,
        }
    }

    pub const fn get(self, sample: &Sample) -> i64 {
        match self {
            Self::Labels => sample.class,
            Self::Lengths => sample.length,
            Self::Source => sample.source,
            Self::Start => sample.start,
            Self::Duration => sample.duration,
        }
    }
}

/// Writes a file: sample after sample, each with its items.
pub(super) struct Writer {
    file: TensorFileWriter,
    contents: Contents,
    columns: Columns,
    /// `frames`, or each of the columns.
    items: Vec<TensorId>,
    offsets: Option<TensorId>,
    per_sample: Vec<(PerSample, TensorId)>,
    boxes: Option<BoxTensors>,
    hashes: TensorId,
    hash: Hashes,
    /// Size of a dense sample in bytes.
    sample_bytes: usize,
    /// The frames of the open sample, or the values of one column.
    buffer: Vec<u8>,
    /// Number of ragged items so far.
    written: u64,
    samples: u64,
    open: Option<Sample>,
}

impl Writer {
    pub fn create(path: &Path, title: &Title, which: Which, overwrite: bool) -> Result<Self> {
        let options = TensorOptions { overwrite, ..title.tensor };
        let mut file = TensorFileWriter::create(path, title.container, &options)?;
        let text = title.text(which);
        let numbers = PerSample::of(title.contents, title.has_labels);
        let hash = Hashes::new(&title.about, &text, &title.names, numbers.clone());
        file.set_provenance(text)?;
        let (columns, mut items) = (title.columns(), Vec::new());
        if title.contents == Contents::Frames {
            let shape = title.sample_shape();
            items.push(file.add("frames", title.dtype.into(), Rows::Growing, &shape)?);
        }
        for (name, element) in columns.iter() {
            items.push(file.add(name, element, Rows::Growing, &[])?);
        }
        let mut number = |name: &str| file.add(name, ElementType::I64, Rows::Growing, &[]);
        let offsets = match title.contents {
            Contents::Frames => None,
            _ => Some(number("offsets")?),
        };
        let mut per_sample = Vec::new();
        for column in numbers {
            per_sample.push((column, number(column.name())?));
        }
        let boxes = match title.has_boxes {
            true => Some(BoxTensors::add(&mut file)?),
            false => None,
        };
        file.write_texts("names", &title.names)?;
        let hashes = file.add("hashes", ElementType::U64, Rows::Growing, &[])?;
        if let Some(offsets) = offsets {
            file.append(offsets, &[0_i64])?;
        }
        let sample_bytes = match title.contents {
            Contents::Frames => title.steps.saturating_mul(title.frame_bytes()),
            _ => 0,
        };
        let sample_bytes = usize::try_from(sample_bytes)
            .map_err(|_| Error::limit("a sample is too large").found(sample_bytes))?;
        Ok(Self {
            file,
            contents: title.contents,
            columns,
            items,
            offsets,
            per_sample,
            boxes,
            hashes,
            hash,
            sample_bytes,
            buffer: Vec::new(),
            written: 0,
            samples: 0,
            open: None,
        })
    }

    /// Begins a sample.
    pub fn begin(&mut self, sample: Sample) {
        self.open = Some(sample);
        self.buffer.clear();
    }

    /// Adds items to the open sample: whole frames, or records.
    pub fn add(&mut self, bytes: &[u8]) -> Result<()> {
        if self.contents == Contents::Frames {
            if self.buffer.len() + bytes.len() > self.sample_bytes {
                return Err(Error::malformed("a sample has more frames than planned"));
            }
            self.buffer.extend_from_slice(bytes);
            return Ok(());
        }
        if let Some(sample) = &self.open {
            self.hash.items(sample, bytes)?;
        }
        for (number, &tensor) in self.items.iter().enumerate() {
            self.columns.take(number, bytes, &mut self.buffer);
            self.file.append_bytes(tensor, &self.buffer)?;
        }
        self.written += (bytes.len() / self.columns.record().max(1)) as u64;
        Ok(())
    }

    /// Completes the open sample, which has these boxes. Missing frames are zero.
    pub fn end(&mut self, boxes: &[SampleBox]) -> Result<()> {
        let Some(sample) = self.open.take() else { return Ok(()) };
        if self.contents == Contents::Frames {
            self.buffer.resize(self.sample_bytes, 0);
            self.hash.items(&sample, &self.buffer)?;
            self.file.append_bytes(self.items[0], &self.buffer)?;
        }
        self.hash.end(&sample, boxes)?;
        for (column, tensor) in &self.per_sample {
            self.file.append(*tensor, &[column.get(&sample)])?;
        }
        if let Some(offsets) = self.offsets {
            self.file.append(offsets, &[self.written as i64])?;
        }
        if let Some(tensors) = &mut self.boxes {
            tensors.write(&mut self.file, boxes)?;
        }
        self.samples += 1;
        Ok(())
    }

    /// Completes the file. Returns the number of samples and the size of the file.
    pub fn finish(mut self) -> Result<(u64, u64)> {
        self.file.append(self.hashes, &self.hash.finish())?;
        Ok((self.samples, self.file.finish()?))
    }
}
