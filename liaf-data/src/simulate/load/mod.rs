//! Reading pictures from files.

mod idx;
mod labelled;
#[cfg(feature = "png")]
mod png;
#[cfg(not(feature = "png"))]
#[path = "png_absent.rs"]
mod png;

use std::path::Path;
use std::sync::Arc;

pub use labelled::Digits;

use super::picture::Picture;
use crate::container::npy::MAGIC;
use crate::container::unpack::{Packer, Packing};
use crate::dataset::folder::files;
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::io::{ByteSource, MapChoice};
use crate::limits::Limits;
use crate::tensor::{ElementType, TensorFile};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Reads the pictures of a file or folder, in order, all of one size:
///
/// | file | pictures |
/// |---|---|
/// | `.png` | one; colours become luma by the weights of BT.601 |
/// | a folder | its `.png` files, in the order of the numbers in their names |
/// | `.npy` | an array `[H, W]` or `[N, H, W]`: u8 from 0 to 255, u16 from 0 to 65535, or f32 or f64 from 0 to 1 |
/// | IDX | images of MNIST, `train-images-idx3-ubyte` |
///
/// An IDX file may be inside a gzip, xz, bzip2 or ZSTD file.
///
/// # Errors
/// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the folder has no pictures;
/// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) or
/// [`ErrorKind::Truncated`](crate::ErrorKind::Truncated) if the file is damaged,
/// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) if it is of another kind,
/// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if the pictures need more than `limits.held_bytes`,
/// [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be read.
pub fn pictures(path: impl AsRef<Path>, limits: &Limits) -> Result<Vec<Picture>> {
    let path = path.as_ref();
    if path.is_dir() {
        return folder(path, limits);
    }
    let in_file = |error: Error| error.in_file(path);
    let head = ByteSource::open(path, MapChoice::LEASED)?.head(MAGIC.len())?;
    if head.starts_with(MAGIC) {
        return array(path, limits).map_err(in_file);
    }
    let bytes = read(path, limits)?;
    if bytes.starts_with(PNG) {
        return Ok(vec![png::picture(&bytes, limits).map_err(in_file)?]);
    }
    if idx::is_images(&bytes) {
        let (width, height, grey) = idx::images(&bytes).map_err(in_file)?;
        check_held(grey.len(), limits).map_err(in_file)?;
        let pictures = grey.chunks_exact(width * height);
        return pictures.map(|grey| Picture::from_bytes(width, height, grey)).collect();
    }
    Err(Error::unsupported("the file is no picture that can be read")
        .expected("PNG, an array of NumPy (.npy), or images of MNIST (IDX)")
        .in_file(path))
}

/// Refuses pictures whose light does not fit in memory, at 4 bytes for each pixel.
fn check_held(pixels: usize, limits: &Limits) -> Result<()> {
    let bytes = 4 * pixels as u64;
    let check = Limits::check("the light of the pictures", bytes, limits.held_bytes);
    check.map(drop).map_err(|error| error.hint(Hint::raise("held_bytes", bytes)))
}

/// All bytes of a file, or of what is packed in it.
fn read(path: &Path, limits: &Limits) -> Result<Vec<u8>> {
    const PIECE: usize = 1 << 20;
    let mut source = ByteSource::open(path, MapChoice::LEASED)?;
    if let Some(packing) = Packing::of(&source.head(16)?) {
        source = ByteSource::packed(source, Arc::new(Packer { packing, limits: *limits }), None)?;
    }
    let mut bytes = Vec::new();
    let mut take = |piece: &[u8], _| {
        Limits::check("the file", (bytes.len() + piece.len()) as u64, limits.held_bytes)?;
        bytes.extend_from_slice(piece);
        Ok(())
    };
    while source.visit(PIECE, &mut take)?.is_some() {}
    match source.damage() {
        Some(damage) => Err(damage.error().in_file(path)),
        None => Ok(bytes),
    }
}

/// The pictures of an array.
fn array(path: &Path, limits: &Limits) -> Result<Vec<Picture>> {
    let file = TensorFile::open(path, limits)?;
    let name = file.names().next().unwrap_or_default();
    let tensor = file.get(name)?;
    let (height, width) = match *tensor.shape() {
        [height, width] | [_, height, width] if height * width > 0 && !tensor.is_empty() => {
            (height, width)
        }
        _ => {
            return Err(Error::unsupported("the array has another shape than pictures")
                .expected("[H, W] or [N, H, W], grey")
                .found(format!("{:?}", tensor.shape())));
        }
    };
    check_held(tensor.len(), limits)?;
    let light: Vec<f32> = match tensor.dtype() {
        ElementType::U8 => tensor.to_vec::<u8>()?.iter().map(|&v| f32::from(v) / 255.0).collect(),
        ElementType::U16 => {
            tensor.to_vec::<u16>()?.iter().map(|&v| f32::from(v) / 65_535.0).collect()
        }
        ElementType::F32 => tensor.to_vec()?,
        ElementType::F64 => tensor.to_vec::<f64>()?.iter().map(|&v| v as f32).collect(),
        other => {
            return Err(Error::unsupported("the array has elements of another type than pictures")
                .expected("u8, u16, f32 or f64")
                .found(other));
        }
    };
    let pictures = light.chunks_exact(height * width);
    let picture = |light: &[f32]| Picture::new(width, height, light.to_vec());
    // Light out of range is a fault of the file here.
    pictures.map(picture).collect::<Result<_>>().map_err(|_| {
        Error::malformed("the light of a pixel is out of range").expected("0 (black) to 1 (white)")
    })
}

/// The PNG files of a folder and of those within it, by the numbers in their names.
fn folder(folder: &Path, limits: &Limits) -> Result<Vec<Picture>> {
    let (mut pictures, mut pixels) = (Vec::new(), 0);
    for file in files(folder)?.into_iter().filter(|file| file.extension() == "png") {
        let picture = read(&file.path, limits).and_then(|bytes| png::picture(&bytes, limits));
        let picture = picture.map_err(|error| error.in_file(&file.path))?;
        pixels += picture.light().len();
        check_held(pixels, limits).map_err(|error| error.in_file(folder))?;
        pictures.push(picture);
    }
    match pictures.is_empty() {
        true => Err(Error::caller("the folder has no pictures").expected(".png").in_file(folder)),
        false => Ok(pictures),
    }
}

#[cfg(test)]
mod tests;
