//! Directions in which a shape moves.

use super::super::motion::{Motion, Pose, Rotation, Translation};
use super::super::path::Path;
use super::super::picture::Surround;
use super::super::scene::Scene;
use super::texture::Shape;
use super::{Draw, Recipe};
use crate::error::Result;
use crate::model::EventBatch;

pub(super) static DIRECTIONS: Recipe = Recipe {
    name: "directions",
    classes: &["right", "left", "up", "down", "turn"],
    duration_us: DURATION,
    make,
};

const DURATION: i64 = 100_000;

fn make(draw: &Draw<'_>) -> Result<EventBatch> {
    let side = draw.side();
    let radius = draw.between(0, 0.25, 0.32) * side;
    let shape = Shape::cornered(radius, draw.random.child(0))?;
    let way = draw.between(2, 0.25, 0.4) * side;
    let (dx, dy) = [(way, 0.0), (-way, 0.0), (0.0, -way), (0.0, way), (0.0, 0.0)][draw.label];
    let off = |k: u64| draw.between(k, -0.08, 0.08) * side;
    let start = Pose {
        x: off(3) - dx / 2.0,
        y: off(4) - dy / 2.0,
        degrees: draw.between(6, 0.0, 360.0),
        ..Pose::CENTRED
    };
    let per_second = 1e6 / DURATION as f64;
    let motion = match draw.label {
        4 => Motion::from(Rotation { degrees: draw.between(7, 80.0, 120.0) * per_second }),
        _ => Translation { x: dx * per_second, y: dy * per_second }.into(),
    };
    let scene = Scene::new(shape.picture, Path::from_pose(start, motion, DURATION))
        .surround(Surround::Light(shape.background));
    scene.events(draw.sensor, &draw.model(5))
}
