//! The samples of a data set's tensor file, in batches, in any order.

use std::ops::Range;

use liaf_core::Real;
use liaf_data::tensor::{ElementType, Tensor, TensorFile};
use liaf_data::{Error, ErrorKind};
use ndarray::Array4;
use serde_json::Value;

use super::{Batch, Sample};
use crate::error::Result;

/// The samples of a file that [`Build`](crate::data::dataset::Build) or `liaf dataset` made. Where the file
/// allows it (`.safetensors`, and `.npz` without compression), its frames are not copied before they
/// become a batch.
///
/// ```
/// # fn main() -> liaf::Result<()> {
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let recordings = folder.path().join("set");
/// # for class in ["box", "mug"] {
/// #     std::fs::create_dir_all(recordings.join(class)).expect("a folder");
/// #     std::fs::write(recordings.join(class).join("1.csv"), "t,x,y,p\n0,1,1,1\n900,2,2,0\n").expect("a file");
/// # }
/// # let path = folder.path().join("set.safetensors");
/// use liaf::data::Limits;
/// use liaf::data::dataset::{Build, DataSet, ListOptions, SampleRule};
/// use liaf::data::tensor::TensorFile;
/// use liaf::samples::{Order, SampleSet};
///
/// let listing = DataSet::named("folder")?.list(recordings, &ListOptions::default())?;
/// let build = Build { samples: SampleRule::Bins { steps: 3 }, ..Build::new("folder", &path)? };
/// build.run(&listing, &|_| {}, &|| true)?;
///
/// let file = TensorFile::open(&path, &Limits::default())?;
/// let set = SampleSet::of(&file)?;
/// assert_eq!((set.len(), set.classes()), (2, &["box".to_owned(), "mug".to_owned()][..]));
/// for epoch in 0..2 {
///     for batch in set.batches::<f32>(2, Order::Shuffled { seed: 7, epoch }) {
///         let (batch, labels) = batch?;
///         assert_eq!(batch.view().dim().1, 3);
///         assert_eq!(labels.len(), 2);
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SampleSet<'a> {
    files: Vec<Stored<'a>>,
    /// The lengths of the axes, `[N, T, C, H, W]`; T is that of the longest samples.
    shape: [usize; 5],
    labels: Vec<i64>,
    lengths: Vec<usize>,
    classes: Vec<String>,
}

/// The frames of a file.
#[derive(Debug)]
struct Stored<'a> {
    /// `[n, t, C, H, W]`
    frames: Tensor<'a>,
    /// The number of its first sample.
    first: usize,
    /// t: number of frames of each sample, with those that fill it up.
    steps: usize,
}

/// The order in which samples are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// As they are in the file.
    #[default]
    Stored,
    /// Another order for each epoch, which depends on the seed and the epoch alone.
    Shuffled {
        /// The seed.
        seed: u64,
        /// The epoch.
        epoch: u64,
    },
}

impl<'a> SampleSet<'a> {
    /// The samples of a file.
    ///
    /// # Errors
    /// [`ErrorKind::File`](crate::ErrorKind::File) if the file has no `frames` `[N, T, C, H, W]`, or if its labels and lengths
    /// do not agree with them; errors of reading.
    pub fn of(file: &'a TensorFile) -> Result<Self> {
        let frames = file.get("frames")?;
        let bad = |what: &str, found: String| {
            let error = Error::malformed(what).found(found);
            Err(error.into())
        };
        let &[n, t, c, h, w] = frames.shape() else {
            return bad(
                "frames of a data set are [N, T, C, H, W]",
                format!("{} axes", frames.shape().len()),
            );
        };
        let column = |name: &str| -> Result<Option<Vec<i64>>> {
            Ok(match file.contains(name) {
                true => Some(file.get(name)?.to_vec::<i64>()?),
                false => None,
            })
        };
        let labels = column("labels")?.unwrap_or_default();
        let lengths = column("lengths")?.unwrap_or_else(|| vec![t as i64; n]);
        let lengths: Vec<usize> =
            lengths.iter().map(|&length| usize::try_from(length).unwrap_or(usize::MAX)).collect();
        if lengths.len() != n || lengths.iter().any(|&length| length == 0 || length > t) {
            return bad(
                "the lengths do not agree with the frames",
                format!("{} of them", lengths.len()),
            );
        }
        let about: Value =
            file.provenance().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let names = about["dataset"]["class_names"].as_array();
        let classes: Vec<String> = names
            .map(|names| names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
            .unwrap_or_default();
        let is_class = |label: &i64| {
            usize::try_from(*label).is_ok_and(|label| classes.is_empty() || label < classes.len())
        };
        if !labels.is_empty() && (labels.len() != n || !labels.iter().all(is_class)) {
            return bad(
                "the labels do not agree with the frames",
                format!("{} of them", labels.len()),
            );
        }
        let files = vec![Stored { frames, first: 0, steps: t }];
        Ok(Self { files, shape: [n, t, c, h, w], labels, lengths, classes })
    }

    /// The samples of several sets, one set after another, such as those of the shards of a data set. Shorter
    /// samples are not filled up: [`Batch::collect`] does it where they meet longer ones.
    ///
    /// ```
    /// # fn main() -> liaf::Result<()> {
    /// # let folder = tempfile::tempdir().expect("a folder");
    /// # use liaf::data::tensor::{Container, TensorFileWriter, TensorOptions};
    /// # let path = |shard: usize| folder.path().join(format!("set-{shard}.safetensors"));
    /// # for shard in 0..3 {
    /// #     let options = TensorOptions::default();
    /// #     let mut file = TensorFileWriter::create(path(shard), Container::Safetensors, &options)?;
    /// #     file.write("frames", &[1, 2, 1, 1, 1], &[shard as u8, 7])?;
    /// #     file.finish()?;
    /// # }
    /// use liaf::data::Limits;
    /// use liaf::data::tensor::TensorFile;
    /// use liaf::samples::SampleSet;
    ///
    /// let mut files = Vec::new();
    /// for shard in 0..3 {
    ///     files.push(TensorFile::open(path(shard), &Limits::default())?);
    /// }
    /// let sets = files.iter().map(SampleSet::of).collect::<liaf::Result<Vec<_>>>()?;
    /// let set = SampleSet::join(sets)?;
    /// assert_eq!(set.len(), 3);
    /// assert_eq!(set.sample::<f32>(2)?.frames[[0, 0, 0, 0]], 2.0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if there is no set, or if they do not have the same
    /// classes and shape of frames, or not all have labels.
    pub fn join(sets: Vec<Self>) -> Result<Self> {
        let mut sets = sets.into_iter();
        let mut all = sets.next().ok_or_else(|| Error::caller("there are no sets to join"))?;
        for mut set in sets {
            all.check_like(&set)?;
            let first = all.len();
            set.files.iter_mut().for_each(|file| file.first += first);
            all.shape[0] += set.len();
            all.shape[1] = all.shape[1].max(set.shape[1]);
            all.files.append(&mut set.files);
            all.labels.append(&mut set.labels);
            all.lengths.append(&mut set.lengths);
        }
        Ok(all)
    }

    /// Returns an error unless the samples of `other` can follow these.
    fn check_like(&self, other: &Self) -> Result<()> {
        let about = |set: &Self| {
            let [_, c, h, w] = set.shape();
            format!("frames of {c}x{h}x{w}, classes {:?}", set.classes)
        };
        let has_labels = |set: &Self| !set.labels.is_empty() || set.is_empty();
        if about(self) != about(other) {
            let error = Error::caller("these are samples of different sets");
            return Err(error.expected(about(self)).found(about(other)).into());
        }
        if has_labels(self) && has_labels(other)
            || self.labels.is_empty() && other.labels.is_empty()
        {
            return Ok(());
        }
        Err(Error::caller("some of these sets have labels, and others do not").into())
    }

    /// Number of samples N.
    pub fn len(&self) -> usize {
        self.shape[0]
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The shape of a sample, `[T, C, H, W]`.
    pub fn shape(&self) -> [usize; 4] {
        let [_, t, c, h, w] = self.shape;
        [t, c, h, w]
    }

    /// The class of each sample, an index of [`classes`](Self::classes); empty if the set has none.
    pub fn labels(&self) -> &[i64] {
        &self.labels
    }

    /// Names of the classes.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Number of frames of each sample without the empty ones that fill it up.
    pub fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// Size of the frames in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.frames.bytes().len() as u64).sum()
    }

    /// The same samples, independent of the file, in memory.
    pub fn into_owned(self) -> SampleSet<'static> {
        let Self { files, shape, labels, lengths, classes } = self;
        let files = files
            .into_iter()
            .map(|Stored { frames, first, steps }| Stored {
                frames: frames.into_owned(),
                first,
                steps,
            })
            .collect();
        SampleSet { files, shape, labels, lengths, classes }
    }

    /// A sample, without the empty frames that fill it up.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if there is no such sample;
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) if the cells have a type
    /// that frames do not have.
    pub fn sample<R: Real>(&self, number: usize) -> Result<Sample<R>> {
        let [n, t, c, h, w] = self.shape;
        let Some(&length) = self.lengths.get(number) else {
            let error = Error::caller("there is no such sample");
            return Err(error
                .expected(format!("0 to {}", n.saturating_sub(1)))
                .found(number)
                .into());
        };
        let after = self.files.partition_point(|file| file.first <= number);
        let file = &self.files[after - 1];
        let (first, frame) = ((number - file.first) * file.steps, c * h * w);
        let values = file.values(first * frame..(first + length) * frame)?;
        let frames = Array4::from_shape_vec((length, c, h, w), values).map_err(|error| {
            Error::new(ErrorKind::Malformed, "the frames do not have the shape they say")
                .found(error)
        })?;
        Ok(Sample { complete: length == t, ..Sample::new(frames) })
    }

    /// All samples in batches of this size, each with its labels (none if the set has no classes). The last
    /// batch may be smaller.
    pub fn batches<R: Real>(&self, size: usize, order: Order) -> Batches<'_, 'a, R> {
        let numbers = match order {
            Order::Stored => (0..self.len()).collect(),
            Order::Shuffled { seed, epoch } => shuffled(self.len(), seed, epoch),
        };
        Batches { set: self, numbers, size: size.max(1), next: 0, cells: std::marker::PhantomData }
    }
}

impl Stored<'_> {
    fn values<R: Real>(&self, cells: Range<usize>) -> Result<Vec<R>> {
        let dtype = self.frames.dtype();
        let size = dtype.bytes();
        let bytes = self.frames.bytes().get(cells.start * size..cells.end * size);
        numbers(dtype, bytes.unwrap_or_default())
    }
}

/// The cells of a frame that have these bytes.
pub(super) fn numbers<R: Real>(dtype: ElementType, bytes: &[u8]) -> Result<Vec<R>> {
    let number = |value: f32| R::of(f64::from(value));
    let (twos, _) = bytes.as_chunks::<2>();
    let (fours, _) = bytes.as_chunks::<4>();
    Ok(match dtype {
        ElementType::U8 => bytes.iter().map(|&cell| number(cell.into())).collect(),
        ElementType::U16 => {
            twos.iter().map(|cell| number(u16::from_le_bytes(*cell).into())).collect()
        }
        ElementType::I16 => {
            twos.iter().map(|cell| number(i16::from_le_bytes(*cell).into())).collect()
        }
        ElementType::F32 => fours.iter().map(|cell| number(f32::from_le_bytes(*cell))).collect(),
        other => {
            let error = Error::unsupported("cells of this type are not those of frames");
            return Err(error.expected("u8, u16, i16 or f32").found(other).into());
        }
    })
}

/// Iterates over the batches of a [`SampleSet`]; made by [`SampleSet::batches`].
#[derive(Debug)]
pub struct Batches<'s, 'a, R> {
    set: &'s SampleSet<'a>,
    numbers: Vec<usize>,
    size: usize,
    next: usize,
    cells: std::marker::PhantomData<R>,
}

impl<R: Real> Iterator for Batches<'_, '_, R> {
    type Item = Result<(Batch<R>, Vec<i64>)>;

    fn next(&mut self) -> Option<Self::Item> {
        let end = (self.next + self.size).min(self.numbers.len());
        let numbers = self.numbers.get(self.next..end).filter(|numbers| !numbers.is_empty())?;
        self.next = end;
        let labels = numbers.iter().filter_map(|&n| self.set.labels.get(n).copied()).collect();
        let batch = Batch::collect(numbers.iter().map(|&number| self.set.sample(number)));
        Some(batch.map(|batch| (batch, labels)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = (self.numbers.len() - self.next).div_ceil(self.size);
        (left, Some(left))
    }
}

/// The numbers below `n` in an order that depends on the seed and the epoch alone (Fisher and Yates, with
/// the random numbers of SplitMix64).
fn shuffled(n: usize, seed: u64, epoch: u64) -> Vec<usize> {
    let mut state = seed ^ epoch.wrapping_mul(0xd134_2543_de82_ef95);
    let mut below = |n: usize| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(z ^ (z >> 31)) * n as u128) >> 64) as usize
    };
    let mut numbers: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        numbers.swap(i, below(i + 1));
    }
    numbers
}

#[cfg(test)]
mod tests {
    use liaf_data::Limits;
    use liaf_data::tensor::{Container, TensorFileWriter, TensorOptions};

    use super::*;

    /// A file of 5 samples of 3 frames of one cell, each with its number, of these lengths and labels.
    fn file(lengths: &[i64], labels: &[i64]) -> (tempfile::TempDir, TensorFile) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npz");
        let mut file =
            TensorFileWriter::create(&path, Container::Npz, &TensorOptions::default()).unwrap();
        let text = r#"{"dataset": {"class_names": ["a", "b"]}}"#;
        file.set_provenance(text).unwrap();
        let cells: Vec<u16> = (0..15).map(|i| 100 * (i / 3) + i % 3).collect();
        file.write("frames", &[5, 3, 1, 1, 1], &cells).unwrap();
        file.write("lengths", &[lengths.len()], lengths).unwrap();
        file.write("labels", &[labels.len()], labels).unwrap();
        file.finish().unwrap();
        let file = TensorFile::open(path, &Limits::default()).unwrap();
        (folder, file)
    }

    #[cfg_attr(not(feature = "zip"), ignore = "writes .npz")]
    #[test]
    fn batches_have_every_sample_once_in_an_order_of_the_seed() {
        let (_folder, file) = file(&[3, 1, 2, 3, 3], &[0, 1, 1, 0, 1]);
        let set = SampleSet::of(&file).unwrap();
        assert_eq!((set.len(), set.shape()), (5, [3, 1, 1, 1]));
        let epoch = |order| {
            let batches = set.batches::<f64>(2, order);
            assert_eq!(batches.size_hint(), (3, Some(3)));
            let mut seen = Vec::new();
            for batch in batches {
                let (batch, labels) = batch.unwrap();
                for ((sample, &length), label) in
                    batch.view().outer_iter().zip(batch.lengths()).zip(labels)
                {
                    let first = sample[[0, 0, 0, 0]];
                    let number = (first / 100.0) as usize;
                    assert_eq!((first, length), (100.0 * number as f64, set.lengths[number]));
                    assert_eq!(sample.sum(), (0..length).map(|k| first + k as f64).sum::<f64>());
                    assert_eq!(label, set.labels()[number]);
                    seen.push(number);
                }
            }
            seen
        };
        assert_eq!(epoch(Order::Stored), [0, 1, 2, 3, 4]);
        let orders: Vec<_> = (0..8).map(|e| epoch(Order::Shuffled { seed: 1, epoch: e })).collect();
        for order in &orders {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4]);
        }
        assert_eq!(orders[3], epoch(Order::Shuffled { seed: 1, epoch: 3 }));
        assert!(orders.iter().any(|order| *order != orders[0]));
        assert_ne!(
            orders,
            (0..8).map(|e| epoch(Order::Shuffled { seed: 2, epoch: e })).collect::<Vec<_>>()
        );
        assert_eq!(set.sample::<f32>(5).unwrap_err().kind(), crate::ErrorKind::Caller);
    }

    #[test]
    fn a_shuffle_is_fair() {
        let mut counts = [[0_u32; 4]; 4];
        for epoch in 0..4_000 {
            for (place, number) in shuffled(4, 5, epoch).into_iter().enumerate() {
                counts[place][number] += 1;
            }
        }
        // 1,000 expected, with a standard deviation of 27.
        assert!(counts.iter().flatten().all(|&count| (870..1_130).contains(&count)), "{counts:?}");
    }

    #[cfg_attr(not(feature = "zip"), ignore = "writes .npz")]
    #[test]
    fn labels_and_lengths_must_agree_with_the_frames() {
        for (lengths, labels) in [
            (&[3, 1, 2, 3][..], &[0, 1, 1, 0, 1][..]),
            (&[3, 1, 2, 3, 4], &[0, 1, 1, 0, 1]),
            (&[3, 1, 2, 3, 0], &[0, 1, 1, 0, 1]),
            (&[3, 1, 2, 3, -1], &[0, 1, 1, 0, 1]),
            (&[3; 5], &[0, 1, 1, 0]),
            (&[3; 5], &[0, 1, 1, 0, 2]),
            (&[3; 5], &[0, 1, 1, 0, -1]),
        ] {
            let (_folder, file) = file(lengths, labels);
            assert!(SampleSet::of(&file).is_err(), "{lengths:?} {labels:?}");
        }
    }
}
