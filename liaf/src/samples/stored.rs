//! The samples of a tensor file as training examples.

use std::path::Path;

use liaf_core::Shape;
use liaf_data::dataset::tensor_files;
use liaf_data::frames::{Provenance, SampleRecipe};
use liaf_data::tensor::TensorFile;
use liaf_data::{Error, Limits};

use super::examples::{Collated, Examples, FRAMES, Input, check_numbers};
use super::{Batch, SampleSet};
use crate::error::Result;

/// The samples of a tensor file that [`Build`](crate::data::dataset::Build) or `liaf dataset` made, or of its
/// shards, in memory, in the type in which the files have them.
#[derive(Debug)]
pub struct StoredSamples {
    set: SampleSet<'static>,
    labels: Vec<usize>,
    classes: Vec<String>,
    recipe: Option<SampleRecipe>,
}

impl StoredSamples {
    /// Reads a file, or all shards of a list (`.json`), in its order.
    ///
    /// # Errors
    /// As [`read_all`](Self::read_all); if the list cannot be read.
    pub fn read(path: impl AsRef<Path>, limits: &Limits) -> Result<Self> {
        Self::read_all(&tensor_files(path)?, limits)
    }

    /// Reads several files, whose samples follow each other. They are those of a single file if the files are
    /// all of its shards in their order.
    ///
    /// # Errors
    /// As [`SampleSet::of`] and [`SampleSet::join`]; [`ErrorKind::File`](crate::ErrorKind::File) if the samples
    /// have no classes.
    pub fn read_all<P: AsRef<Path>>(paths: &[P], limits: &Limits) -> Result<Self> {
        let (mut sets, mut made) = (Vec::new(), None);
        for path in paths.iter().map(AsRef::as_ref) {
            let file = TensorFile::open(path, limits)?;
            let set = SampleSet::of(&file).map_err(|error| error.in_file(path))?;
            sets.push(set.into_owned());
            made = made.or_else(|| Provenance::parse(file.provenance()?).ok());
        }
        let path = paths.first().map(AsRef::as_ref).unwrap_or(Path::new(""));
        Self::of(SampleSet::join(sets)?, made).map_err(|error| error.in_file(path))
    }

    /// These samples, whose frames were made in this way.
    fn of(set: SampleSet<'static>, made: Option<Provenance>) -> Result<Self> {
        let labels: Vec<usize> =
            set.labels().iter().filter_map(|&label| usize::try_from(label).ok()).collect();
        if labels.is_empty() || labels.len() != set.len() {
            return Err(Error::malformed("the samples have no classes")
                .expected("a tensor `labels` with the class of each sample")
                .into());
        }
        let count = labels.iter().max().map_or(0, |last| last + 1);
        let classes = match set.classes() {
            [] => (0..count).map(|class| class.to_string()).collect(),
            names => names.to_vec(),
        };
        let steps = set.lengths().iter().all(|&length| length == set.shape()[0]);
        let recipe = made.map(|Provenance { sensor, aedat2, frames }| SampleRecipe {
            steps: steps.then_some(set.shape()[0]),
            classes: classes.clone(),
            sensor,
            aedat2,
            ..SampleRecipe::new(frames)
        });
        Ok(Self { set, labels, classes, recipe })
    }
}

impl Examples for StoredSamples {
    fn labels(&self) -> &[usize] {
        &self.labels
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn inputs(&self) -> Vec<Input> {
        let [steps, item @ ..] = self.set.shape();
        vec![Input { name: FRAMES.into(), shape: Shape::timed(item), steps }]
    }

    fn steps(&self, number: usize) -> usize {
        self.set.lengths().get(number).copied().unwrap_or(0)
    }

    fn collate(&self, numbers: &[usize]) -> Result<Collated> {
        check_numbers(numbers, self.labels.len())?;
        let batch = Batch::collect(numbers.iter().map(|&number| self.set.sample::<f32>(number)))?;
        let labels = numbers.iter().map(|&number| self.labels[number]).collect();
        let steps = batch.view().dim().1;
        let lengths = batch.lengths().iter().any(|&length| length != steps);
        let lengths = lengths.then(|| batch.lengths().to_vec());
        Ok(Collated::new(labels).with(FRAMES, batch.into_array().into_dyn(), lengths))
    }

    fn recipe(&self) -> Option<SampleRecipe> {
        self.recipe.clone()
    }

    fn bytes(&self) -> u64 {
        self.set.bytes()
    }
}

#[cfg(test)]
mod tests {
    use liaf_data::tensor::{Container, TensorFileWriter, TensorOptions};

    use super::*;

    fn write(path: &Path, labels: Option<&[i64]>) {
        let options = TensorOptions::default();
        let mut file = TensorFileWriter::create(path, Container::Safetensors, &options).unwrap();
        file.write("frames", &[2, 3, 1, 1, 2], &(0..12).collect::<Vec<u8>>()).unwrap();
        if let Some(labels) = labels {
            file.write("labels", &[2], labels).unwrap();
            file.write("lengths", &[2], &[3_i64, 2]).unwrap();
        }
        file.finish().unwrap();
    }

    #[test]
    fn samples_of_a_file_are_collated_with_their_lengths() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        write(&path, Some(&[1, 0]));
        let set = StoredSamples::read(&path, &Limits::default()).unwrap();
        assert_eq!((set.labels(), set.classes()), (&[1, 0][..], &["0".to_owned(), "1".into()][..]));
        assert_eq!(set.inputs()[0].shape, Shape::timed([1, 1, 2]));
        let batch = set.collate(&[1, 0]).unwrap();
        assert_eq!((batch.labels(), batch.lengths(FRAMES)), (&[0, 1][..], Some(&[2, 3][..])));
        let cells: Vec<f32> = batch.array(FRAMES).unwrap().iter().copied().collect();
        assert_eq!(cells, [6., 7., 8., 9., 0., 0., 0., 1., 2., 3., 4., 5.]);
        assert!(set.collate(&[2]).is_err());
        let path = folder.path().join("b.safetensors");
        write(&path, None);
        let error = StoredSamples::read(&path, &Limits::default()).unwrap_err();
        assert!(error.to_string().contains("have no classes"), "{error}");
    }
}
