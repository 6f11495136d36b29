//! Outlines of shapes that cross the sensor.

use super::super::motion::{Pose, Translation};
use super::super::path::Path;
use super::super::picture::Surround;
use super::super::scene::Scene;
use super::texture::{Outline, Shape};
use super::{Draw, Recipe};
use crate::error::Result;
use crate::model::EventBatch;
use crate::names::Named;

pub(super) static SHAPES: Recipe =
    Recipe { name: "shapes", classes: Outline::NAMES, duration_us: DURATION, make };

const DURATION: i64 = 100_000;

fn make(draw: &Draw<'_>) -> Result<EventBatch> {
    let side = draw.side();
    let shape = Shape::new(
        Outline::ALL[draw.label],
        draw.between(0, 0.25, 0.32) * side,
        draw.random.child(draw.label as u64),
    )?;
    let angle = draw.between(1, 0.0, std::f64::consts::TAU);
    let way = draw.between(2, 0.25, 0.4) * side;
    let (dx, dy) = (way * angle.cos(), way * angle.sin());
    let off = |k: u64| draw.between(k, -0.08, 0.08) * side;
    // Half of the way is before the centre, half after it.
    let start = Pose { x: off(3) - dx / 2.0, y: off(4) - dy / 2.0, ..Pose::CENTRED };
    let per_second = 1e6 / DURATION as f64;
    let motion = Translation { x: dx * per_second, y: dy * per_second };
    let scene = Scene::new(shape.picture, Path::from_pose(start, motion, DURATION))
        .surround(Surround::Light(shape.background));
    scene.events(draw.sensor, &draw.model(5))
}
