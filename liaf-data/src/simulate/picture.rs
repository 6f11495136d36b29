//! Pictures that are moved in front of the simulated camera.

use crate::error::{Error, Result};

/// What is seen around a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Surround {
    /// The pixels of its border, repeated.
    Border,
    /// This light, from 0 to 1.
    Light(f32),
}

/// A grey picture: light from 0 (black) to 1 (white), row by row from the top.
///
/// Values of a screen or of an image file are taken as light as they are, without undoing their gamma, as ESIM
/// and v2e do.
///
/// ```
/// use liaf_data::simulate::{Picture, Surround};
/// let picture = Picture::new(2, 1, vec![0.0, 1.0])?;
/// assert_eq!(picture.at(0.5, 0.0, Surround::Border), 0.5);
/// assert_eq!(picture.at(-3.0, 0.0, Surround::Border), 0.0);
/// assert_eq!(picture.at(-3.0, 0.0, Surround::Light(0.25)), 0.25);
/// # Ok::<(), liaf_data::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    width: usize,
    height: usize,
    light: Vec<f32>,
}

impl Picture {
    /// A picture of `width * height` values of light.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if it has no pixels, their number is wrong, or one of
    /// them is not a number from 0 to 1.
    pub fn new(width: usize, height: usize, light: Vec<f32>) -> Result<Self> {
        if width.checked_mul(height) != Some(light.len()) || light.is_empty() {
            return Err(Error::caller("the picture has a wrong number of pixels")
                .expected(format!("{width} times {height}, at least 1"))
                .found(light.len()));
        }
        match light.iter().find(|light| !(0.0..=1.0).contains(*light)) {
            Some(found) => Err(Error::caller("the light of a pixel is out of range")
                .expected("0 (black) to 1 (white)")
                .found(found)),
            None => Ok(Self { width, height, light }),
        }
    }

    /// A picture of `width * height` grey values of 8 bits.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_bytes(width: usize, height: usize, grey: &[u8]) -> Result<Self> {
        Self::new(width, height, grey.iter().map(|&grey| f32::from(grey) / 255.0).collect())
    }

    /// A picture of an array `[H, W]` of light from 0 to 1.
    ///
    /// ```
    /// use liaf_data::simulate::Picture;
    /// let array = ndarray::array![[0.0, 0.5, 1.0]];
    /// assert_eq!(Picture::from_array(array.view())?.width(), 3);
    /// # Ok::<(), liaf_data::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`new`](Self::new).
    #[cfg(feature = "ndarray")]
    pub fn from_array(array: ndarray::ArrayView2<'_, f32>) -> Result<Self> {
        let (height, width) = array.dim();
        Self::new(width, height, array.iter().copied().collect())
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The light, row by row.
    pub fn light(&self) -> &[f32] {
        &self.light
    }

    /// The light between pixels, by bilinear interpolation: (0, 0) is the centre of the first pixel.
    #[inline]
    pub fn at(&self, x: f64, y: f64, surround: Surround) -> f32 {
        let (left, top) = (x.floor(), y.floor());
        let (fx, fy) = ((x - left) as f32, (y - top) as f32);
        // Conversions of floats saturate, so that pixels far away are just outside.
        let (left, top) = (left as i64, top as i64);
        let pixel = |x: i64, y: i64| self.pixel(x, y, surround);
        let (right, bottom) = (left.saturating_add(1), top.saturating_add(1));
        let upper = mix(pixel(left, top), pixel(right, top), fx);
        let lower = mix(pixel(left, bottom), pixel(right, bottom), fx);
        mix(upper, lower, fy)
    }

    #[inline]
    fn pixel(&self, x: i64, y: i64, surround: Surround) -> f32 {
        let (w, h) = (self.width as i64, self.height as i64);
        let (x, y) = match surround {
            Surround::Border => (x.clamp(0, w - 1), y.clamp(0, h - 1)),
            Surround::Light(light) if x < 0 || y < 0 || x >= w || y >= h => return light,
            Surround::Light(_) => (x, y),
        };
        self.light[y as usize * self.width + x as usize]
    }

    /// The picture with each square of `by * by` pixels averaged. What is left over at the right and at the
    /// bottom is averaged with fewer.
    #[must_use]
    pub fn shrunk(&self, by: usize) -> Self {
        let by = by.max(1);
        let (width, height) = (self.width.div_ceil(by), self.height.div_ceil(by));
        let mut light = Vec::with_capacity(width * height);
        for y in 0..height {
            let rows = y * by..((y + 1) * by).min(self.height);
            for x in 0..width {
                let columns = x * by..((x + 1) * by).min(self.width);
                let n = rows.len() * columns.len();
                let row = |y: usize| &self.light[y * self.width..][columns.clone()];
                let sum: f64 = rows.clone().flat_map(row).map(|&light| f64::from(light)).sum();
                light.push((sum / n as f64) as f32);
            }
        }
        Self { width, height, light }
    }
}

#[inline]
fn mix(a: f32, b: f32, part: f32) -> f32 {
    a + (b - a) * part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_checked() {
        assert!(Picture::new(0, 0, vec![]).is_err());
        assert!(Picture::new(2, 2, vec![0.0; 3]).is_err());
        assert!(Picture::new(usize::MAX, 2, vec![0.0; 2]).is_err());
        for light in [-0.1, 1.1, f32::NAN, f32::INFINITY] {
            assert!(Picture::new(1, 1, vec![light]).is_err(), "{light}");
        }
        assert_eq!(Picture::from_bytes(2, 1, &[0, 255]).unwrap().light(), [0.0, 1.0]);
    }

    #[test]
    fn pixels_far_away_are_those_of_the_surround() {
        let picture = Picture::new(2, 2, vec![0.1, 0.2, 0.3, 0.4]).unwrap();
        assert_eq!(picture.at(1e300, 1e300, Surround::Border), 0.4);
        assert_eq!(picture.at(-1e300, 1e300, Surround::Light(0.7)), 0.7);
        assert_eq!(picture.at(0.5, 0.5, Surround::Border), 0.25);
        // Half of the pixel beside the border is outside.
        assert_eq!(picture.at(-0.5, 0.0, Surround::Light(0.0)), 0.05);
    }

    #[test]
    fn squares_are_averaged_with_what_is_left_over() {
        let picture = Picture::new(3, 2, vec![0.0, 1.0, 0.5, 1.0, 0.0, 0.25]).unwrap();
        assert_eq!(picture.shrunk(2).light(), [0.5, 0.375]);
        assert_eq!(picture.shrunk(1), picture);
    }
}
