//! Textured shapes that are computed, so that no image is needed.

use super::super::picture::Picture;
use crate::error::Result;
use crate::filter::random::Random;
use crate::names::names;

/// The outline of a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outline {
    Disc,
    Square,
    Triangle,
    Ring,
    Cross,
}

names!(
    Outline,
    Disc = "disc",
    Square = "square",
    Triangle = "triangle",
    Ring = "ring",
    Cross = "cross",
);

impl Outline {
    /// How far a point is inside, negative outside, where the shape is 1 large from its centre.
    fn inside(self, x: f64, y: f64) -> f64 {
        let square = |x: f64, y: f64, w: f64, h: f64| (w - x.abs()).min(h - y.abs());
        match self {
            Self::Disc => 1.0 - x.hypot(y),
            Self::Square => square(x, y, 0.8, 0.8),
            // Sides at 0.5 from the centre, with a corner at the top.
            Self::Triangle => (0.5 - y).min(0.5 + y / 2.0 - x.abs() * 0.75_f64.sqrt()),
            Self::Ring => 0.25 - (x.hypot(y) - 0.75).abs(),
            Self::Cross => square(x, y, 1.0, 0.3).max(square(x, y, 0.3, 1.0)),
        }
    }
}

/// A shape on a plain background.
pub(super) struct Shape {
    pub picture: Picture,
    /// Light of the background.
    pub background: f32,
}

/// Light of what is dark and what is bright: about seven events of threshold 0.2 at an edge.
const DARK: f64 = 0.16;
const BRIGHT: f64 = 0.64;
/// The texture varies the light by factors between 1 / (1 + this) and 1 + this.
const TEXTURE: f64 = 0.5;

impl Shape {
    /// A shape of this radius in pixels. `random` decides which of shape and background is bright, and about
    /// the texture.
    pub fn new(outline: Outline, radius: f64, random: Random) -> Result<Self> {
        let is_bright = random.bits(0, 0) >> 63 == 1;
        let (shape, background) = if is_bright { (BRIGHT, DARK) } else { (DARK, BRIGHT) };
        let size = 2 * radius.ceil() as usize + 5;
        let centre = (size as f64 - 1.0) / 2.0;
        let texture = random.child(1);
        let light = (0..size * size).map(|i| {
            let (x, y) = ((i % size) as f64 - centre, (i / size) as f64 - centre);
            // An edge is one pixel wide.
            let inside = (outline.inside(x / radius, y / radius) * radius + 0.5).clamp(0.0, 1.0);
            let factor = (1.0 + TEXTURE).powf(noise(texture, x / 3.0, y / 3.0));
            (background + (shape * factor - background) * inside) as f32
        });
        let picture = Picture::new(size, size, light.collect())?;
        Ok(Self { picture, background: background as f32 })
    }

    /// A shape without the symmetry of a circle, whose turn could only be seen by its texture.
    pub fn cornered(radius: f64, random: Random) -> Result<Self> {
        let outlines = [Outline::Square, Outline::Triangle, Outline::Cross];
        let index = random.bits(0, 1) % outlines.len() as u64;
        Self::new(outlines[index as usize], radius, random)
    }
}

/// Smooth noise from -1 to 1, which varies over distances of about 1: random values on a grid, interpolated.
fn noise(random: Random, x: f64, y: f64) -> f64 {
    let (left, top) = (x.floor(), y.floor());
    let smooth = |t: f64| t * t * (3.0 - 2.0 * t);
    let (fx, fy) = (smooth(x - left), smooth(y - top));
    // Grid points have coordinates from -2¹⁵ to below 2¹⁵.
    let index = |at: f64| (at as i64 + (1 << 15)) as u64;
    let value = |x: f64, y: f64| 2.0 * random.unit(index(x) << 16 | index(y), 0) - 1.0;
    let mix = |a: f64, b: f64, part: f64| a + (b - a) * part;
    let upper = mix(value(left, top), value(left + 1.0, top), fx);
    let lower = mix(value(left, top + 1.0), value(left + 1.0, top + 1.0), fx);
    mix(upper, lower, fy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Named;

    #[test]
    fn shapes_fill_their_part_of_the_picture_and_touch_no_border() {
        for &outline in Outline::ALL {
            let shape = Shape::new(outline, 8.0, Random::new(3, 4)).unwrap();
            let (picture, size) = (&shape.picture, shape.picture.width());
            let differs = |light: &&f32| (**light - shape.background).abs() > 1e-6;
            let part = picture.light().iter().filter(differs).count() as f64 / (8.0 * 8.0);
            assert!((1.2..3.6).contains(&part), "{outline}: {part}");
            for i in 0..size {
                for at in [i, i * size, i * size + size - 1, size * size - 1 - i] {
                    assert_eq!(picture.light()[at], shape.background, "{outline}");
                }
            }
        }
    }

    #[test]
    fn contrast_has_both_signs() {
        let bright = (0..100).filter(|&n| {
            let shape = Shape::new(Outline::Disc, 4.0, Random::new(n, 0)).unwrap();
            shape.background < 0.5
        });
        assert!((30..70).contains(&bright.count()));
    }
}
