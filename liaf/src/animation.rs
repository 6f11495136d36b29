//! Small animations of frames, as animated PNG: browsers play them, and they need no other file.

use std::time::Duration;

use liaf_data::Error;
use ndarray::{ArrayView3, ArrayView4};
use png::{BitDepth, ColorType, Encoder, EncodingError};

use crate::error::Result;

/// Frames of events in colours: ON is blue, OFF is orange, darker where there are more events, on white.
///
/// ```
/// use liaf::animation::Animation;
///
/// // A pixel that moves to the right: [T, C, H, W], of which channel 0 is OFF and channel 1 is ON.
/// let frames = ndarray::Array4::from_shape_fn((4, 2, 4, 4), |(t, c, y, x)| {
///     if c == 1 && y == 2 && x == t { 1.0 } else { 0.0 }
/// });
/// let png = Animation::new(frames.view()).to_png()?;
/// assert!(png.starts_with(b"\x89PNG"));
/// # Ok::<(), liaf::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Animation {
    width: usize,
    height: usize,
    /// The colour of each pixel of each frame, an index of the palette.
    frames: Vec<Vec<u8>>,
    pause: Duration,
}

/// Number of shades of a polarity, from none on.
const SHADES: u8 = 8;
const ON: [f32; 3] = [0.0, 114.0, 178.0];
const OFF: [f32; 3] = [213.0, 94.0, 0.0];

/// Most pixels of a row or column. Larger frames are made smaller.
const MOST: usize = 128;

impl Animation {
    /// An animation of frames `[T, C, H, W]`. With two channels, the first one is OFF and the second one is
    /// ON; otherwise the sum of the channels is shown, as OFF if it is negative. The largest number of all
    /// frames has the darkest shade. Frames of more than 128 pixels in a row or column are made smaller by a
    /// whole factor; a pixel then shows the largest number of its square.
    pub fn new(frames: ArrayView4<'_, f32>) -> Self {
        let (_, _, rows, columns) = frames.dim();
        let factor = rows.max(columns).div_ceil(MOST).max(1);
        let (height, width) = (rows.div_ceil(factor), columns.div_ceil(factor));
        let seen: Vec<Vec<[f32; 2]>> =
            frames.outer_iter().map(|frame| polarities(frame, factor, [height, width])).collect();
        let most = seen.iter().flatten().flatten().copied().fold(0.0, f32::max);
        let shade = |[off, on]: [f32; 2]| SHADES * level(off, most) + level(on, most);
        let frames = seen.iter().map(|frame| frame.iter().map(|&pixel| shade(pixel)).collect());
        Self { width, height, frames: frames.collect(), pause: Duration::from_millis(100) }
    }

    /// How long each frame is shown. Default 100 ms.
    #[must_use]
    pub fn pause(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// Width and height in pixels.
    pub fn size(&self) -> [usize; 2] {
        [self.width, self.height]
    }

    /// The animation as PNG with a palette, which is repeated without end. A program that knows no
    /// animations shows its first frame.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if it has no frames or no pixels.
    pub fn to_png(&self) -> Result<Vec<u8>> {
        if self.frames.is_empty() || self.width * self.height == 0 {
            let error = Error::caller("an animation without frames").expected("1 or more pixels");
            return Err(error.into());
        }
        let mut bytes = Vec::new();
        let encoded = self.encode(&mut bytes);
        encoded.map_err(|error| {
            Error::system("cannot encode the animation", std::io::Error::other(error))
        })?;
        Ok(bytes)
    }

    fn encode(&self, bytes: &mut Vec<u8>) -> std::result::Result<(), EncodingError> {
        let mut encoder = Encoder::new(bytes, self.width as u32, self.height as u32);
        encoder.set_color(ColorType::Indexed);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_palette(palette());
        encoder.set_animated(self.frames.len() as u32, 0)?;
        let pause = u16::try_from(self.pause.as_millis()).unwrap_or(u16::MAX);
        encoder.set_frame_delay(pause, 1000)?;
        let mut writer = encoder.write_header()?;
        for frame in &self.frames {
            writer.write_image_data(frame)?;
        }
        writer.finish()
    }
}

/// OFF and ON of each pixel of a frame `[C, H, W]` that is made smaller by a factor.
fn polarities(
    frame: ArrayView3<'_, f32>,
    factor: usize,
    [height, width]: [usize; 2],
) -> Vec<[f32; 2]> {
    let (channels, rows, columns) = frame.dim();
    let mut seen = vec![[0.0_f32; 2]; height * width];
    for y in 0..rows {
        for x in 0..columns {
            let cell = |channel: usize| frame[[channel, y, x]];
            let [off, on] = match channels {
                2 => [cell(0).abs(), cell(1).abs()],
                _ => {
                    let sum: f32 = (0..channels).map(cell).sum();
                    [(-sum).max(0.0), sum.max(0.0)]
                }
            };
            let pixel = &mut seen[y / factor * width + x / factor];
            *pixel = [pixel[0].max(off), pixel[1].max(on)];
        }
    }
    seen
}

/// The shade of a number. Every number above 0 can be seen.
fn level(value: f32, most: f32) -> u8 {
    let share = if most > 0.0 { (value / most).clamp(0.0, 1.0) } else { 0.0 };
    (share.sqrt() * f32::from(SHADES - 1)).ceil() as u8
}

/// Red, green and blue of every pair of shades of OFF and ON.
fn palette() -> Vec<u8> {
    let mut palette = Vec::with_capacity(3 * usize::from(SHADES).pow(2));
    for off in 0..SHADES {
        for on in 0..SHADES {
            for (off_ink, on_ink) in OFF.into_iter().zip(ON) {
                let left = |shade: u8, ink: f32| {
                    1.0 - f32::from(shade) / f32::from(SHADES - 1) * (1.0 - ink / 255.0)
                };
                palette.push((255.0 * left(off, off_ink) * left(on, on_ink)).round() as u8);
            }
        }
    }
    palette
}

#[cfg(test)]
mod tests {
    use ndarray::Array4;

    use super::*;

    /// The colours of each frame, by the decoder of the crate.
    fn decoded(bytes: &[u8]) -> Vec<Vec<[u8; 3]>> {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let control = *reader.info().animation_control().unwrap();
        assert_eq!(control.num_plays, 0);
        let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
        let mut frame = || {
            reader.next_frame(&mut buffer).unwrap();
            buffer.as_chunks::<3>().0.to_vec()
        };
        (0..control.num_frames).map(|_| frame()).collect()
    }

    #[test]
    fn events_have_the_colour_of_their_polarity() {
        let mut frames = Array4::zeros((3, 2, 2, 3));
        frames[[0, 1, 0, 1]] = 4.0;
        frames[[1, 0, 1, 2]] = 4.0;
        frames[[1, 1, 0, 0]] = 0.01;
        let animation = Animation::new(frames.view());
        assert_eq!(animation.size(), [3, 2]);
        let colours = decoded(&animation.to_png().unwrap());
        assert_eq!((colours.len(), colours[0].len()), (3, 6));
        let white = [255; 3];
        assert_eq!(colours[0], [white, [0, 114, 178], white, white, white, white]);
        assert_eq!(colours[1][5], [213, 94, 0]);
        assert_ne!(colours[1][0], white, "a single event can be seen");
        assert!(colours[2].iter().all(|&colour| colour == white));
    }

    #[test]
    fn large_frames_are_made_smaller_and_other_channels_are_summed() {
        let mut frames = Array4::zeros((1, 3, 200, 300));
        frames[[0, 0, 199, 299]] = 2.0;
        frames[[0, 2, 0, 0]] = -2.0;
        let animation = Animation::new(frames.view());
        assert_eq!(animation.size(), [100, 67]);
        let colours = decoded(&animation.to_png().unwrap());
        assert_eq!((colours[0][0], colours[0][6699]), ([213, 94, 0], [0, 114, 178]));
        for shape in [(0, 2, 4, 4), (2, 2, 0, 4), (2, 0, 0, 0)] {
            assert!(Animation::new(Array4::zeros(shape).view()).to_png().is_err(), "{shape:?}");
        }
    }

    #[test]
    fn the_same_frames_are_the_same_bytes() {
        let frames =
            Array4::from_shape_fn((5, 2, 8, 8), |(t, c, y, x)| ((t + c + y * x) % 3) as f32);
        let animation = || Animation::new(frames.view()).pause(Duration::from_millis(20));
        assert_eq!(animation().to_png().unwrap(), animation().to_png().unwrap());
    }
}
