//! Pictures of digits with their labels.

use std::path::{Path, PathBuf};

use super::super::picture::Picture;
use super::{check_held, idx, read};
use crate::dataset::folder::files;
use crate::error::{Error, Result};
use crate::limits::Limits;

/// Pictures of digits, by class: those of digit 3 are `by_class[3]`, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Digits {
    /// The pictures of each digit.
    pub by_class: [Vec<Picture>; 10],
}

impl Digits {
    /// Reads digits:
    ///
    /// - a folder with MNIST as published: all files of images with `images-idx3` in their names, each with a file
    ///   of labels of the same name with `labels-idx1`, packed or not;
    /// - such a file of images, beside its labels;
    /// - a table of text: a row for each picture, with the grey values of a square picture and then the
    ///   label, separated by commas, packed or not. Grey values are divided by the largest in the file.
    ///
    /// # Errors
    /// As [`pictures`](super::pictures); [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) also if there are
    /// not as many labels as pictures, or a label is no digit.
    pub fn read(path: impl AsRef<Path>, limits: &Limits) -> Result<Self> {
        let path = path.as_ref();
        let mut digits = Self::default();
        if path.is_dir() {
            let files = image_files(path)?;
            if files.is_empty() {
                return Err(Error::caller("the folder has no images of MNIST")
                    .expected("files such as train-images-idx3-ubyte")
                    .in_file(path));
            }
            for file in files {
                digits.add_idx(&file, &read(&file, limits)?, limits)?;
            }
            return Ok(digits);
        }
        let bytes = read(path, limits)?;
        match idx::is_images(&bytes) {
            true => digits.add_idx(path, &bytes, limits)?,
            false => digits.add_table(&bytes, limits).map_err(|error| error.in_file(path))?,
        }
        Ok(digits)
    }

    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.by_class.iter().map(Vec::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of pictures of the digit that has the fewest.
    pub fn least(&self) -> usize {
        self.by_class.iter().map(Vec::len).min().unwrap_or(0)
    }

    /// Checks that there are as many pictures of each digit as are wanted.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if there are not.
    pub fn check_each(&self, wanted: usize) -> Result<()> {
        if wanted <= self.least() {
            return Ok(());
        }
        Err(Error::caller("a class has fewer pictures than samples")
            .expected(format!("at most {} of each class", self.least()))
            .found(wanted))
    }

    fn add_idx(&mut self, path: &Path, images: &[u8], limits: &Limits) -> Result<()> {
        let in_images = |error: Error| error.in_file(path);
        let (width, height, grey) = idx::images(images).map_err(in_images)?;
        check_held(grey.len(), limits).map_err(in_images)?;
        let labels_at = labels_of(path).filter(|file| file.is_file()).ok_or_else(|| {
            in_images(Error::caller("there is no file of labels beside the images"))
        })?;
        let bytes = read(&labels_at, limits)?;
        let in_labels = |error: Error| error.in_file(&labels_at);
        if !idx::is_labels(&bytes) {
            return Err(in_labels(Error::malformed("the file has no labels of MNIST").at(0)));
        }
        let labels = idx::labels(&bytes).map_err(in_labels)?;
        let n = grey.len() / (width * height);
        if labels.len() != n {
            let error = Error::malformed("there are not as many labels as images");
            return Err(in_labels(error.expected(n).found(labels.len())));
        }
        for (i, (grey, &label)) in grey.chunks_exact(width * height).zip(labels).enumerate() {
            let class = self.by_class.get_mut(usize::from(label));
            let class = class.ok_or_else(|| in_labels(no_digit(label).at(8 + i as u64)))?;
            class.push(Picture::from_bytes(width, height, grey)?);
        }
        Ok(())
    }

    fn add_table(&mut self, bytes: &[u8], limits: &Limits) -> Result<()> {
        let mut rows: Vec<(u8, Vec<f32>)> = Vec::new();
        let (mut end, mut largest, mut pixels) = (0, 0.0_f32, 0);
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            let text = std::str::from_utf8(line).map(str::trim).unwrap_or("\0");
            let at = end;
            end += line.len() as u64;
            let error = |what: &str| Error::malformed(what.to_owned()).at(at);
            if text.is_empty() {
                continue;
            }
            let number = |text: &str| {
                text.trim().parse::<f32>().map_err(|_| {
                    error("the row is no row of numbers").expected("grey values and a label")
                })
            };
            let mut numbers = text.split(',').map(number).collect::<Result<Vec<_>>>()?;
            let label = numbers.pop().unwrap_or(-1.0);
            if !(0.0..=9.0).contains(&label) || label.fract() != 0.0 {
                return Err(no_digit(label).at(at));
            }
            if numbers.is_empty() || numbers.iter().any(|&grey| !(0.0..=65_535.0).contains(&grey)) {
                return Err(error("the row has other numbers than grey values"));
            }
            if rows.first().is_some_and(|(_, first)| first.len() != numbers.len()) {
                return Err(error("the row has another length than the first"));
            }
            pixels += numbers.len();
            check_held(pixels, limits)?;
            largest = numbers.iter().fold(largest, |most, &grey| most.max(grey));
            rows.push((label as u8, numbers));
        }
        let size = rows.first().map_or(0, |(_, row)| row.len());
        let side = size.isqrt();
        if size == 0 || side * side != size {
            return Err(Error::unsupported("the file has no digits")
                .expected("MNIST, or rows of a square picture and its label")
                .found(format!("rows of {size} pixels")));
        }
        for (label, mut light) in rows {
            light.iter_mut().for_each(|grey| *grey /= largest.max(1.0));
            self.by_class[usize::from(label)].push(Picture::new(side, side, light)?);
        }
        Ok(())
    }
}

fn no_digit(found: impl std::fmt::Display) -> Error {
    Error::malformed("the label is no digit").expected("0 to 9").found(found)
}

/// The files of images in a folder, in the order of their names; a packed one only if it is not there unpacked.
fn image_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let found = files(folder)?.into_iter().map(|file| file.path);
    let all: Vec<_> = found.filter(|path| labels_of(path).is_some()).collect();
    let is_double = |file: &Path| is_packed(file) && all.contains(&file.with_extension(""));
    Ok(all.iter().filter(|file| !is_double(file)).cloned().collect())
}

fn is_packed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "gz")
}

/// The file of labels for a file of images, as far as it is named like one: packed or not, whichever is there.
fn labels_of(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    // `train-images.idx3-ubyte` is in use as well.
    let [from, to] = [["images-idx3", "labels-idx1"], ["images.idx3", "labels.idx1"]]
        .into_iter()
        .find(|[from, _]| name.contains(from))?;
    let labels = path.with_file_name(name.replace(from, to));
    let other = match is_packed(&labels) {
        true => labels.with_extension(""),
        false => labels.with_file_name(format!("{}.gz", labels.file_name()?.to_str()?)),
    };
    Some(if !labels.is_file() && other.is_file() { other } else { labels })
}
