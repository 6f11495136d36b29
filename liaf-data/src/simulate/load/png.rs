//! PNG.

use std::io::Cursor;

use png::{ColorType, Decoder, Transformations};

use super::super::picture::Picture;
use super::check_held;
use crate::error::{Error, Result};
use crate::limits::Limits;

/// Decodes a picture. Its colours become luma; transparency is ignored.
pub(super) fn picture(bytes: &[u8], limits: &Limits) -> Result<Picture> {
    let most = png::Limits { bytes: limits.held_bytes };
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), most);
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    check_held(width.saturating_mul(height), limits)?;
    let size =
        reader.output_buffer_size().ok_or_else(|| Error::limit("the picture is too large"))?;
    let mut samples = vec![0; Limits::check("the picture", size as u64, limits.held_bytes)?];
    let frame = reader.next_frame(&mut samples).map_err(damaged)?;
    let (channels, is_grey) = match frame.color_type {
        ColorType::Grayscale => (1, true),
        ColorType::GrayscaleAlpha => (2, true),
        ColorType::Rgb | ColorType::Indexed => (3, false),
        ColorType::Rgba => (4, false),
    };
    let luma = |pixel: &[u8]| match *pixel {
        [red, green, blue, ..] if !is_grey => {
            let [red, green, blue] = [red, green, blue].map(f32::from);
            ((0.299 * red + 0.587 * green + 0.114 * blue) / 255.0).min(1.0)
        }
        _ => f32::from(pixel[0]) / 255.0,
    };
    samples.truncate(frame.buffer_size());
    Picture::new(width, height, samples.chunks_exact(channels).map(luma).collect())
}

fn damaged(error: png::DecodingError) -> Error {
    match error {
        png::DecodingError::LimitsExceeded => Error::limit("the picture is too large"),
        error => Error::malformed("the picture cannot be decoded").found(error),
    }
}
