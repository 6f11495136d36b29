//! Orders of four motions, which only the order in time tells apart.

use super::super::motion::{Motion, Oscillation, Pose};
use super::super::path::Path;
use super::super::picture::Surround;
use super::super::scene::Scene;
use super::texture::Shape;
use super::{Draw, Recipe};
use crate::error::Result;
use crate::model::EventBatch;

pub(super) static GESTURES: Recipe = Recipe {
    name: "gestures",
    classes: &[
        "aside-turn-grow-down",
        "aside-grow-down-turn",
        "down-aside-grow-turn",
        "down-turn-aside-grow",
        "down-grow-turn-aside",
        "turn-aside-down-grow",
        "turn-down-grow-aside",
        "turn-grow-down-aside",
        "grow-aside-turn-down",
        "grow-down-aside-turn",
        "grow-turn-aside-down",
    ],
    duration_us: 4 * MOTION,
    make,
};

/// Duration of a motion, in µs.
const MOTION: i64 = 200_000;
const MOTIONS: [&str; 4] = ["aside", "down", "turn", "grow"];

/// The motions of a class, as indices of `MOTIONS`.
pub(super) fn order(label: usize) -> impl Iterator<Item = usize> {
    let names = GESTURES.classes[label].split('-');
    names.map(|name| MOTIONS.iter().position(|motion| *motion == name).unwrap_or_default())
}

fn make(draw: &Draw<'_>) -> Result<EventBatch> {
    let side = draw.side();
    let shape = Shape::cornered(draw.between(0, 0.2, 0.26) * side, draw.random.child(0))?;
    let way = draw.between(1, 0.15, 0.25) * side;
    let start = Pose {
        x: draw.between(2, -0.12, 0.02) * side,
        y: draw.between(3, -0.12, 0.02) * side,
        degrees: draw.between(4, 0.0, 360.0),
        ..Pose::CENTRED
    };
    let far = [
        Pose { x: way, ..Pose::CENTRED },
        Pose { y: way, ..Pose::CENTRED },
        Pose { degrees: draw.between(5, 60.0, 90.0), ..Pose::CENTRED },
        Pose { zoom: draw.between(6, 1.4, 1.7), ..Pose::CENTRED },
    ];
    let mut scene = Scene::new(shape.picture, Path::from_pose(start, Motion::Still, 1))
        .surround(Surround::Light(shape.background));
    let mut events = EventBatch::new();
    for (place, motion) in order(draw.label).enumerate() {
        let there = Oscillation { to: far[motion], hz: 1e6 / MOTION as f64 };
        scene = scene.path(Path::from_pose(start, there, MOTION));
        // Each motion is a recording of its own, whose pixels have settled: otherwise their state would tell
        // which motion was before.
        let mut some = scene.events(draw.sensor, &draw.model(10 + motion as u64))?;
        // The event at the very end would be in the window after the motion.
        some.retain(|event| event.t < MOTION);
        let offset = MOTION * place as i64;
        some.t.iter_mut().for_each(|t| *t += offset);
        events.append(&mut some);
    }
    Ok(events)
}
