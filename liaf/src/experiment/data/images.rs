//! Pictures of digits that stay: every step of a sample is the same picture.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use liaf_data::simulate::Picture;
use liaf_data::simulate::load::Digits;
use liaf_data::{Error, Limits};
use ndarray::Array5;
use serde::{Deserialize, Serialize};

use super::{Data, Kind, Known, Loading, Source, located};
use crate::error::Result;
use crate::experiment::document::Document;
use crate::samples::examples::FRAMES;
use crate::samples::{Collated, Examples, FrameArray, Input};

/// Digits, whose light from 0 to 1 is the input of every step.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Images {
    /// The folder of MNIST, or a file of digits.
    dir: PathBuf,
    /// Number of pictures of each digit for training: the first ones.
    train: usize,
    /// Number of pictures of each digit for test: those after them.
    test: usize,
    /// Number of steps of a sample.
    steps: usize,
}

impl Kind for Images {
    const NAME: &str = "images";

    fn locate(&mut self, document: &Document) {
        self.dir = located(document, &["data", "dir"], &self.dir);
    }
}

impl Source for Images {
    fn known(&self) -> Result<Known> {
        Ok(Known { steps: Some(self.steps), size: None })
    }

    fn load(&self, _loading: &Loading<'_>) -> Result<Data> {
        if self.steps == 0 {
            let error = Error::caller("a sample without steps has no input");
            return Err(error.expected("`steps` of 1 or more").found(0).into());
        }
        let digits = Digits::read(&self.dir, &Limits::default())?;
        let all = self.train.saturating_add(self.test);
        digits.check_each(all).map_err(|error| error.in_file(&self.dir))?;
        let part = |numbers| -> Result<Arc<dyn Examples>> {
            let pictures = pictures(&digits, numbers).map_err(|error| error.in_file(&self.dir))?;
            Ok(Arc::new(Still { pictures, steps: self.steps }))
        };
        let (train, test) = (part(0..self.train)?, part(self.train..all)?);
        Ok(Data { train, validation: None, test, remarks: Vec::new() })
    }
}

/// The pictures with these numbers of every digit, one of each digit in turn, as samples `[1, 1, H, W]`.
fn pictures(digits: &Digits, numbers: Range<usize>) -> Result<FrameArray> {
    let (mut light, mut labels, mut size) = (Vec::new(), Vec::new(), None);
    for number in numbers {
        for (label, own) in digits.by_class.iter().enumerate() {
            let Some(picture) = own.get(number) else { continue };
            let first = *size.get_or_insert(side(picture));
            if side(picture) != first {
                let error = Error::caller("the pictures have different sizes");
                let shown = |(height, width)| format!("{width}x{height}");
                return Err(error.expected(shown(first)).found(shown(side(picture))).into());
            }
            light.extend_from_slice(picture.light());
            labels.push(label);
        }
    }
    let (height, width) = size.unwrap_or_default();
    let frames = Array5::from_shape_vec((labels.len(), 1, 1, height, width), light)
        .map_err(|error| Error::caller("the pictures have no shape").found(error))?;
    let classes = (0..digits.by_class.len()).map(|digit| digit.to_string()).collect();
    FrameArray::new(frames, labels, classes)
}

/// Height and width.
fn side(picture: &Picture) -> (usize, usize) {
    (picture.height(), picture.width())
}

/// Pictures that are each shown for a number of steps. They are repeated only in batches.
#[derive(Debug)]
struct Still {
    pictures: FrameArray,
    steps: usize,
}

impl Examples for Still {
    fn labels(&self) -> &[usize] {
        self.pictures.labels()
    }

    fn classes(&self) -> &[String] {
        self.pictures.classes()
    }

    fn inputs(&self) -> Vec<Input> {
        let inputs = self.pictures.inputs().into_iter();
        inputs.map(|input| Input { steps: self.steps, ..input }).collect()
    }

    fn steps(&self, _number: usize) -> usize {
        self.steps
    }

    fn collate(&self, numbers: &[usize]) -> Result<Collated> {
        let once = self.pictures.collate(numbers)?;
        let mut all = Collated::new(once.labels().to_vec());
        if let Some(frames) = once.array(FRAMES) {
            let mut shape = frames.raw_dim();
            shape[1] = self.steps;
            let repeated = frames.broadcast(shape).map(|frames| frames.to_owned());
            all = all.with(FRAMES, repeated.unwrap_or_default(), None);
        }
        Ok(all)
    }

    fn bytes(&self) -> u64 {
        self.pictures.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(sizes: [(usize, usize); 2]) -> Digits {
        let mut digits = Digits::default();
        for (label, (width, height)) in sizes.into_iter().enumerate() {
            let light = (0..width * height).map(|at| (at + label) as f32 / 10.0).collect();
            digits.by_class[label].push(Picture::new(width, height, light).unwrap());
        }
        digits
    }

    #[test]
    fn every_step_of_a_batch_is_the_picture() {
        let pictures = pictures(&digits([(3, 2), (3, 2)]), 0..1).unwrap();
        let still = Still { pictures, steps: 4 };
        assert_eq!((still.labels(), still.inputs()[0].steps), (&[0, 1][..], 4));
        let batch = still.collate(&[1, 0]).unwrap();
        let frames = batch.array(FRAMES).unwrap();
        assert_eq!((frames.shape(), batch.labels()), (&[2, 4, 1, 2, 3][..], &[1, 0][..]));
        for step in 0..4 {
            assert_eq!(frames[[0, step, 0, 0, 0]], 0.1);
            assert_eq!(frames[[0, step, 0, 1, 2]], 0.6);
            assert_eq!(frames[[1, step, 0, 1, 0]], 0.3);
        }
        assert!(still.collate(&[2]).is_err());
    }

    #[test]
    fn pictures_of_different_sizes_are_refused() {
        let error = pictures(&digits([(3, 2), (2, 3)]), 0..1).unwrap_err().to_string();
        assert!(error.contains("expected 3x2, found 2x3"), "{error}");
    }
}
