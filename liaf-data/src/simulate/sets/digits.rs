//! Digits that move on a screen.

use super::super::motion::{FigureEight, Pose};
use super::super::path::Path;
use super::super::picture::{Picture, Surround};
use super::super::scene::Scene;
use super::{Draw, Recipe};
use crate::error::Result;
use crate::model::EventBatch;

pub(super) static MNIST_DVS: Recipe = Recipe {
    name: "mnist-dvs",
    classes: &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    duration_us: DURATION,
    make,
};

const DURATION: i64 = 2_000_000;
/// Light of the dark and of the bright parts of the screen.
const SCREEN: (f32, f32) = (0.25, 0.75);
/// The largest offset, in pixels of a sensor of 128x128.
const WAY: f64 = 8.0;

fn make(draw: &Draw<'_>) -> Result<EventBatch> {
    let Some((digit, scale)) = draw.picture else { return Ok(EventBatch::new()) };
    let (dark, bright) = SCREEN;
    let light = digit.light().iter().map(|light| dark + (bright - dark) * light).collect();
    let picture = Picture::new(digit.width(), digit.height(), light)?;
    // On a smaller sensor everything is smaller.
    let part = draw.side() / 128.0;
    let start = Pose {
        x: draw.between(0, -2.0, 2.0) * part,
        y: draw.between(1, -2.0, 2.0) * part,
        ..Pose::CENTRED
    };
    let motion = FigureEight { pixels: WAY * part, hz: 1.0 };
    // Pictures of other sizes than those of MNIST become as large.
    let fit = 28.0 / digit.width().max(digit.height()) as f64;
    let scene = Scene::new(picture, Path::from_pose(start, motion, DURATION))
        .scale(scale * fit * part)
        .surround(Surround::Light(dark));
    scene.events(draw.sensor, &draw.model(2))
}
