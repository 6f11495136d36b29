//! The samples of a data set's tensor file that stores cells that are not zero, or events.

use std::ops::Range;

use liaf_core::Real;
use liaf_data::dataset::Contents;
use liaf_data::filter::Selection;
use liaf_data::frames::{
    Binner, Frame, FrameOptions, FrameSink, Provenance, SpanFinder, TimePoint,
};
use liaf_data::tensor::{Element, TensorFile};
use liaf_data::{Error, Event, EventBatch, Limits, SensorSize};
use ndarray::Array4;
use serde_json::Value;

use super::Sample;
use super::set::numbers;
use crate::error::Result;

/// The samples of a file that `liaf dataset --sparse` or `--repr events` made, or
/// [`Build`](crate::data::dataset::Build) with these [contents](crate::data::dataset::Contents). Each is read
/// when it is asked for.
///
/// ```
/// # fn main() -> liaf::Result<()> {
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let recordings = folder.path().join("set");
/// # for class in ["box", "mug"] {
/// #     std::fs::create_dir_all(recordings.join(class)).expect("a folder");
/// #     std::fs::write(recordings.join(class).join("1.csv"), "t,x,y,p\n0,1,1,1\n9000,2,2,0\n").expect("a file");
/// # }
/// # let path = folder.path().join("set.npz");
/// use liaf::data::Limits;
/// use liaf::data::dataset::{Build, Contents, DataSet, ListOptions};
/// use liaf::data::frames::FrameOptions;
/// use liaf::data::tensor::TensorFile;
/// use liaf::samples::{Batch, RaggedSet};
///
/// let listing = DataSet::named("folder")?.list(recordings, &ListOptions::default())?;
/// let build = Build { contents: Contents::Events, ..Build::new("folder", &path)? };
/// build.run(&listing, &|_| {}, &|| true)?;
///
/// let file = TensorFile::open(&path, &Limits::default())?;
/// let set = RaggedSet::of(&file)?;
/// assert_eq!((set.len(), set.events(0)?.len()), (2, 2));
/// // The windows are chosen now, and may be others in the next epoch.
/// let options = FrameOptions::window_ms(3);
/// let batch = Batch::<f32>::collect((0..set.len()).map(|n| set.binned(n, &options)))?;
/// assert_eq!(batch.view().dim(), (2, 4, 2, 3, 3));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct RaggedSet<'a> {
    file: &'a TensorFile,
    contents: Contents,
    /// `[T, C, H, W]`.
    shape: [usize; 4],
    /// The rows of each sample.
    rows: Vec<Range<usize>>,
    labels: Vec<i64>,
    /// Numbers of frames, of sparse samples.
    lengths: Vec<usize>,
    /// Start and length in µs, of events.
    times: Vec<(i64, i64)>,
    classes: Vec<String>,
    /// How the frames of events were to be made.
    frames: FrameOptions,
}

impl<'a> RaggedSet<'a> {
    /// The samples of a file.
    ///
    /// # Errors
    /// [`ErrorKind::File`](crate::ErrorKind::File) if the file has neither of these contents, or if its
    /// offsets and labels do not agree with each other; errors of reading.
    pub fn of(file: &'a TensorFile) -> Result<Self> {
        let bad = |what: &str| Error::malformed(what.to_owned());
        let text = file.provenance().unwrap_or_default();
        let about: Value = serde_json::from_str(text).unwrap_or_default();
        let dataset = &about["dataset"];
        let contents = match dataset["contents"].as_str() {
            Some("sparse") => Contents::Sparse,
            Some("events") => Contents::Events,
            _ => return Err(bad("the file has no ragged samples of a data set").into()),
        };
        let shape: [usize; 4] = serde_json::from_value(dataset["shape"].clone())
            .map_err(|_| bad("the shape of the samples is not stated"))?;
        let numbers = |name: &str| file.get(name)?.to_vec::<i64>();
        let offsets = numbers("offsets")?;
        let bound = |at: i64| usize::try_from(at).map_err(|_| bad("an offset is negative"));
        let mut rows = Vec::new();
        for pair in offsets.windows(2) {
            rows.push(bound(pair[0])?..bound(pair[1])?);
        }
        let n = rows.len();
        let labels = if file.contains("labels") { numbers("labels")? } else { Vec::new() };
        let (mut lengths, mut times) = (Vec::new(), Vec::new());
        if contents == Contents::Sparse {
            for length in numbers("lengths")? {
                let length = usize::try_from(length).ok().filter(|length| *length <= shape[0]);
                lengths.push(length.ok_or_else(|| bad("a sample has more frames than T"))?);
            }
        } else {
            times.extend(numbers("t_start")?.into_iter().zip(numbers("duration")?));
        }
        let counts = [labels.len(), lengths.len(), times.len()];
        if counts.iter().any(|&count| count != 0 && count != n) {
            return Err(bad("the labels do not agree with the offsets").into());
        }
        let names = dataset["class_names"].as_array().cloned().unwrap_or_default();
        let classes = names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
        let made = Provenance::parse(text);
        let made = made.map_err(|_| bad("how frames are made is not stated"))?;
        // The selection has been applied.
        let selection = Selection::default();
        let frames = FrameOptions { selection, ..made.frames.options(Limits::default()) };
        Ok(Self { file, contents, shape, rows, labels, lengths, times, classes, frames })
    }

    /// Number of samples N.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// What is stored of each sample.
    pub fn contents(&self) -> Contents {
        self.contents
    }

    /// The shape of the longest sample as frames, `[T, C, H, W]`.
    pub fn shape(&self) -> [usize; 4] {
        self.shape
    }

    /// The class of each sample, an index of [`classes`](Self::classes); empty if the set has none.
    pub fn labels(&self) -> &[i64] {
        &self.labels
    }

    /// Names of the classes.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// A sample as frames, made as the command that wrote the file said.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if there is no such sample;
    /// [`ErrorKind::File`](crate::ErrorKind::File) if its rows are damaged; errors of reading.
    pub fn sample<R: Real>(&self, number: usize) -> Result<Sample<R>> {
        match self.contents {
            Contents::Sparse => self.dense(number),
            _ => self.binned(number, &self.frames),
        }
    }

    /// The events of a sample, in file order, with times on the recording's clock.
    ///
    /// # Errors
    /// As [`sample`](Self::sample), and [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the file has cells.
    pub fn events(&self, number: usize) -> Result<EventBatch> {
        if self.contents != Contents::Events {
            return Err(Error::caller("the samples of this file are cells, not events").into());
        }
        let rows = self.rows(number)?;
        let (t, p) = (self.column::<i64>("t", &rows)?, self.column::<u8>("p", &rows)?);
        let (x, y) = (self.column::<u16>("x", &rows)?, self.column::<u16>("y", &rows)?);
        let mut events = EventBatch::with_capacity(t.len());
        for (((t, x), y), p) in t.into_iter().zip(x).zip(y).zip(p) {
            events.push(Event { t, x, y, p });
        }
        Ok(events)
    }

    /// The frames of a sample of events, made in any way: other windows, filters that drop events at random,
    /// another representation. The interval of time is that of the sample.
    ///
    /// # Errors
    /// As [`events`](Self::events), and if the options are not valid.
    pub fn binned<R: Real>(&self, number: usize, options: &FrameOptions) -> Result<Sample<R>> {
        let events = self.events(number)?;
        let (start, duration) = self.times[number];
        let [_, _, height, width] = self.shape;
        let side = |side: usize| u16::try_from(side).unwrap_or(u16::MAX);
        let sensor = SensorSize::new(side(width), side(height));
        let selection = Selection {
            from: Some(TimePoint::Absolute(start)),
            to: Some(TimePoint::Absolute(start.saturating_add(duration))),
            ..options.selection.clone()
        };
        let options = FrameOptions { selection, ..options.clone() };
        let span = match options.needs_span() {
            true => {
                let mut finder = SpanFinder::new(&options, sensor)?;
                finder.push(&events)?;
                Some(finder.finish()?)
            }
            false => None,
        };
        let mut binner = Binner::new(&options, sensor, span)?;
        let shape = binner.shape();
        let mut collect =
            Collect { cells: Vec::new(), dense: vec![0.0; shape.cells()], times: Vec::new() };
        binner.push(&events, &mut collect)?;
        binner.finish(&mut collect)?;
        let Collect { cells, times, .. } = collect;
        let sides = (times.len(), shape.channels, shape.height, shape.width);
        let frames = Array4::from_shape_vec(sides, cells).map_err(Error::other)?;
        Ok(Sample { timestamps: times, ..Sample::new(frames) })
    }

    fn dense<R: Real>(&self, number: usize) -> Result<Sample<R>> {
        let rows = self.rows(number)?;
        let [t, c, h, w] = self.shape;
        let length = self.lengths[number];
        let frame = self.column::<u32>("frame", &rows)?;
        let [c_of, y_of, x_of] = ["c", "y", "x"].map(|name| self.column::<u16>(name, &rows));
        let (c_of, y_of, x_of) = (c_of?, y_of?, x_of?);
        let count = self.file.rows("count", rows)?;
        let values: Vec<R> = numbers(count.dtype(), count.bytes())?;
        let mut frames = Array4::from_elem((length, c, h, w), R::ZERO);
        let places = frame.into_iter().zip(c_of).zip(y_of).zip(x_of);
        for ((((frame, c), y), x), value) in places.zip(values) {
            let place = (frame as usize, usize::from(c), usize::from(y), usize::from(x));
            *frames.get_mut(place).ok_or_else(|| {
                Error::malformed("a cell is outside the frames of its sample")
                    .found(format!("{place:?}"))
            })? = value;
        }
        Ok(Sample { complete: length == t, ..Sample::new(frames) })
    }

    fn rows(&self, number: usize) -> Result<Range<usize>> {
        self.rows.get(number).cloned().ok_or_else(|| {
            let most = self.len().saturating_sub(1);
            let error = Error::caller("there is no such sample").expected(format!("0 to {most}"));
            error.found(number).into()
        })
    }

    fn column<T: Element>(&self, name: &str, rows: &Range<usize>) -> Result<Vec<T>> {
        Ok(self.file.rows(name, rows.clone())?.to_vec()?)
    }
}

/// Keeps frames as dense cells.
struct Collect<R> {
    cells: Vec<R>,
    dense: Vec<f32>,
    times: Vec<[i64; 2]>,
}

impl<R: Real> FrameSink for Collect<R> {
    fn frame(&mut self, frame: &Frame) -> liaf_data::Result<()> {
        frame.cells.fill(&mut self.dense);
        self.cells.extend(self.dense.iter().map(|&cell| R::of(f64::from(cell))));
        self.times.push([frame.window.start, frame.window.end]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::path::Path;

    use liaf_data::dataset::{Build, DataSet, ListOptions, SampleRule};
    use liaf_data::frames::Dtype;
    use liaf_data::tensor::TensorOptions;

    use super::super::SampleSet;
    use super::*;

    fn recordings(folder: &Path) {
        for (number, class) in ["a", "b", "a"].iter().enumerate() {
            std::fs::create_dir_all(folder.join(class)).unwrap();
            let mut text = "t,x,y,p\n".to_owned();
            for i in 0..400_u64 {
                let t = 500 + i * 173 + (i / 90) * 9_000;
                let [x, y, p] = [i * 7 % 6, i * i % 4, i / 3 % 2];
                writeln!(text, "{t},{x},{y},{p}").unwrap();
            }
            std::fs::write(folder.join(class).join(format!("{number}.csv")), text).unwrap();
        }
    }

    #[cfg_attr(not(feature = "zip"), ignore = "writes .npz")]
    #[test]
    fn sparse_samples_and_events_are_the_same_frames() {
        let folder = tempfile::tempdir().unwrap();
        let set = folder.path().join("set");
        recordings(&set);
        let listing =
            DataSet::named("folder").unwrap().list(&set, &ListOptions::default()).unwrap();
        let open = |samples, contents: Contents, extension: &str| {
            let path = folder.path().join(format!("{}.{extension}", contents.name()));
            let build = Build {
                frames: FrameOptions::window_ms(10).dtype(Dtype::U16),
                samples,
                contents,
                tensor: TensorOptions { overwrite: true, ..TensorOptions::default() },
                ..Build::new("folder", &path).unwrap()
            };
            build.run(&listing, &|_| {}, &|| true).unwrap();
            TensorFile::open(&path, &Limits::default()).unwrap()
        };
        for rule in [
            SampleRule::Whole { steps: None },
            SampleRule::Whole { steps: Some(4) },
            SampleRule::Cut { steps: 3, keep_partial: true },
        ] {
            for extension in ["npz", "safetensors"] {
                let frames = open(rule, Contents::Frames, extension);
                let frames = SampleSet::of(&frames).unwrap();
                assert!(RaggedSet::of(&open(rule, Contents::Frames, extension)).is_err());
                for contents in [Contents::Sparse, Contents::Events] {
                    let file = open(rule, contents, extension);
                    let set = RaggedSet::of(&file).unwrap();
                    assert_eq!((set.contents(), set.len()), (contents, frames.len()));
                    assert_eq!((set.labels(), set.classes()), (frames.labels(), frames.classes()));
                    assert_eq!(set.shape(), frames.shape());
                    for number in 0..set.len() {
                        let (a, b) = (set.sample::<f32>(number), frames.sample::<f32>(number));
                        assert_eq!(a.unwrap().frames, b.unwrap().frames, "{contents:?} {number}");
                    }
                    assert!(set.sample::<f64>(set.len()).is_err());
                    let bins = set.binned::<f64>(0, &FrameOptions::bins(5));
                    assert_eq!(bins.is_ok(), contents == Contents::Events);
                    if let Ok(bins) = bins {
                        let events = set.events(0).unwrap().len();
                        assert_eq!((bins.frames.dim().0, bins.frames.sum()), (5, events as f64));
                    }
                }
            }
        }
    }
}
