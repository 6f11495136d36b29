//! Reading a file of samples, in bounded memory.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::boxes::{BoxReader, SampleBox};
use super::contents::Contents;
use super::hashes::Hashes;
use super::output::{PerSample, Sample};
use super::title::{Stated, not_ours};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::tensor::{RowReader, TensorFile};

/// Number of bytes of frames, and of records, that are read at a time.
const FRAMES: usize = 4 << 20;
const RECORDS: u64 = 1 << 20;

/// A file of samples.
pub(super) struct SampleFile {
    pub path: PathBuf,
    pub stated: Stated,
    pub names: Vec<String>,
    pub samples: Vec<Sample>,
    file: TensorFile,
    /// The records of each sample, if it has any.
    records: Vec<Range<u64>>,
    hashes: Vec<u64>,
}

/// A step of passing through a file.
pub(super) enum Step<'a> {
    /// A sample begins.
    Begin(Sample),
    /// Its next items: all of its frames, also those that fill it up, or records.
    Items(&'a [u8]),
    /// It is complete, and has these boxes.
    End(&'a [SampleBox]),
}

impl SampleFile {
    /// Opens a file and checks that its tensors agree with each other.
    ///
    /// # Errors
    /// If it is no file of a data set, or if it is damaged.
    pub fn open(path: &Path) -> Result<Self> {
        let file = TensorFile::open(path, &Limits::DEFAULT)?;
        let stated = file.provenance().and_then(Stated::parse).ok_or_else(|| not_ours(path))?;
        let numbers = |name: &str| file.get(name)?.to_vec::<i64>();
        let damaged = |what: &str| Error::malformed(what.to_owned()).in_file(path);
        let names = file.texts("names")?;
        let within = |pair: &[i64]| matches!(pair, [a, b] if a <= b);
        let is_whole = |offsets: &[i64], end: usize| {
            offsets.first() == Some(&0)
                && offsets.last() == Some(&(end as i64))
                && offsets.windows(2).all(within)
        };
        let hashes = file.get("hashes")?.to_vec::<u64>()?;
        if hashes.len() != names.len() {
            return Err(damaged("the hashes do not agree with the names of the recordings"));
        }
        let mut samples = Vec::new();
        for column in PerSample::of(stated.contents, stated.has_classes) {
            let values = numbers(column.name())?;
            if samples.is_empty() {
                samples = vec![Sample::UNKNOWN; values.len()];
            }
            if samples.len() != values.len() {
                return Err(damaged("the samples have different numbers of labels and starts"));
            }
            for (sample, value) in samples.iter_mut().zip(values) {
                column.set(sample, value);
            }
        }
        let sources = 0..names.len() as i64;
        if !samples.iter().all(|sample| sources.contains(&sample.source)) {
            return Err(damaged("a sample is of no recording"));
        }
        let classes = -1..stated.classes as i64;
        if !samples.iter().all(|sample| classes.contains(&sample.class)) {
            return Err(damaged("a label is no index of class_names"));
        }
        // Events have none, and those of samples that are not read are 0.
        let steps = 0..=stated.shape[0] as i64;
        if !samples.iter().all(|sample| steps.contains(&sample.length)) {
            return Err(damaged("a sample has another number of frames than the file"));
        }
        let mut records = Vec::new();
        match stated.contents {
            Contents::Frames => {
                let info = file.info("frames")?;
                let of_type = info.dtype == stated.dtype.into();
                let expected: Vec<_> = [samples.len()].into_iter().chain(stated.shape).collect();
                if !of_type || info.shape != expected {
                    return Err(damaged("the frames do not agree with the samples"));
                }
            }
            Contents::Sparse | Contents::Events => {
                let offsets = numbers("offsets")?;
                for (name, _) in stated.columns().iter() {
                    let rows = file.info(name)?.shape.first().copied().unwrap_or(0);
                    if offsets.len() != samples.len() + 1 || !is_whole(&offsets, rows) {
                        return Err(damaged("the offsets do not agree with the samples"));
                    }
                }
                records.extend(offsets.windows(2).map(|pair| pair[0] as u64..pair[1] as u64));
            }
        }
        Ok(Self { path: path.to_owned(), stated, names, samples, file, records, hashes })
    }

    /// Passes through all samples, and compares their items with the hashes at the end.
    ///
    /// # Errors
    /// Those of `visit`; if the file cannot be read or its items are not those that were written.
    pub fn each(&self, visit: &mut dyn FnMut(Step<'_>) -> Result<()>) -> Result<()> {
        let columns = PerSample::of(self.stated.contents, self.stated.has_classes);
        let text = self.file.provenance().unwrap_or_default();
        let mut hashes = Hashes::new(&self.stated.about, text, &self.names, columns);
        let mut boxes = match self.stated.has_boxes {
            true => Some(self.in_file(BoxReader::new(&self.file, self.samples.len()))?),
            false => None,
        };
        let (mut number, mut open) = (0, Sample::UNKNOWN);
        let visit = &mut |step: Step<'_>| {
            match step {
                Step::Begin(sample) => open = sample,
                Step::Items(items) => hashes.items(&open, items)?,
                Step::End(_) => {
                    let boxes = match &mut boxes {
                        Some(boxes) => self.in_file(boxes.of(number))?,
                        None => &[],
                    };
                    hashes.end(&open, boxes)?;
                    number += 1;
                    return visit(Step::End(boxes));
                }
            }
            visit(step)
        };
        match self.stated.contents {
            Contents::Frames => self.each_dense(visit)?,
            Contents::Sparse | Contents::Events => self.each_ragged(visit)?,
        }
        for (recording, (found, stored)) in hashes.finish().iter().zip(&self.hashes).enumerate() {
            if found != stored {
                let what = "the samples of a recording are not those that were written";
                let error = Error::malformed(what).found(self.name(recording));
                return Err(error.in_file(&self.path));
            }
        }
        Ok(())
    }

    /// The name of a recording.
    pub fn name(&self, recording: usize) -> &str {
        self.names.get(recording).map_or("", String::as_str)
    }

    fn in_file<T>(&self, outcome: Result<T>) -> Result<T> {
        outcome.map_err(|error| error.in_file(&self.path))
    }

    fn each_dense(&self, visit: &mut dyn FnMut(Step<'_>) -> Result<()>) -> Result<()> {
        let cells: usize = self.stated.shape.iter().product();
        let size = cells * self.stated.dtype.bytes();
        let at_a_time = (FRAMES / size.max(1)).max(1);
        let mut rows = self.file.rows_in_order("frames")?;
        for (block, samples) in self.samples.chunks(at_a_time).enumerate() {
            let first = block * at_a_time;
            let frames = rows.rows(first..first + samples.len())?;
            for (number, sample) in samples.iter().enumerate() {
                let items = &frames.bytes()[number * size..(number + 1) * size];
                visit(Step::Begin(*sample))?;
                visit(Step::Items(items))?;
                visit(Step::End(&[]))?;
            }
        }
        Ok(())
    }

    fn each_ragged(&self, visit: &mut dyn FnMut(Step<'_>) -> Result<()>) -> Result<()> {
        let columns = self.stated.columns();
        let size = columns.record() as u64;
        let total = self.records.last().map_or(0, |records| records.end);
        let names = columns.iter().map(|(name, _)| name);
        let mut tensors =
            names.map(|name| self.file.rows_in_order(name)).collect::<Result<Vec<_>>>()?;
        let (mut held, mut bytes) = (0..0, Vec::new());
        for (sample, records) in self.samples.iter().zip(&self.records) {
            visit(Step::Begin(*sample))?;
            let mut next = records.start;
            while next < records.end {
                if next >= held.end {
                    held = next..total.min(next + RECORDS);
                    self.read_records(&mut tensors, &held, &mut bytes)?;
                }
                let end = records.end.min(held.end);
                let place = |at: u64| ((at - held.start) * size) as usize;
                let items = &bytes[place(next)..place(end)];
                visit(Step::Items(items))?;
                next = end;
            }
            visit(Step::End(&[]))?;
        }
        Ok(())
    }

    fn read_records(
        &self,
        tensors: &mut [RowReader<'_>],
        records: &Range<u64>,
        bytes: &mut Vec<u8>,
    ) -> Result<()> {
        let rows = records.start as usize..records.end as usize;
        let columns = self.stated.columns();
        let tensors: Vec<_> =
            tensors.iter_mut().map(|tensor| tensor.rows(rows.clone())).collect::<Result<_>>()?;
        for (tensor, (name, element)) in tensors.iter().zip(columns.iter()) {
            if tensor.dtype() != element {
                let error = Error::malformed(format!("the type of {name} is another"));
                return Err(error.expected(element).found(tensor.dtype()).in_file(&self.path));
            }
        }
        let rows: Vec<&[u8]> = tensors.iter().map(|tensor| tensor.bytes()).collect();
        columns.join(&rows, bytes);
        Ok(())
    }
}

/// Opens a file and compares all of its samples with their hashes.
///
/// # Errors
/// If it is no file of a data set, or if it is damaged.
pub(super) fn verify(path: &Path) -> Result<SampleFile> {
    let file = SampleFile::open(path)?;
    file.each(&mut |_| Ok(()))?;
    Ok(file)
}
