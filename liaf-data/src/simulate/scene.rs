//! What the simulated camera sees: pictures that move along a path.

use rayon::prelude::*;

use super::model::PixelModel;
use super::motion::{Motion, Pose};
use super::path::Path;
use super::picture::{Picture, Surround};
use super::simulator::Simulator;
use crate::error::{Error, Result};
use crate::model::{EventBatch, SensorSize};

/// A picture, or a sequence of pictures, that moves along a path in front of the camera.
///
/// What a pixel sees is the picture at its centre, by bilinear interpolation. The picture is rendered anew
/// whenever a point of it on the sensor may have moved by [`shift`](Self::shift) pixels, at each corner of the
/// path and at each picture of the sequence; ESIM renders as often by optic flow ([Rebecq et al., 2018], equation
/// 4). In between, the logarithm of the light changes linearly. This is exact for pictures that do not move, and
/// for edges of a picture an approximation that is finer the smaller `shift` is.
///
/// [Rebecq et al., 2018]: https://rpg.ifi.uzh.ch/docs/CORL18_Rebecq.pdf
///
/// ```
/// use liaf_data::simulate::{Path, Picture, PixelModel, Scene, Translation};
/// use liaf_data::SensorSize;
///
/// // A white bar on black, which crosses the sensor.
/// let picture = Picture::new(3, 1, vec![0.0, 1.0, 0.0])?;
/// let scene = Scene::new(picture, Path::new(Translation { x: 20.0, y: 0.0 }, 100_000));
/// let events = scene.events(SensorSize::new(8, 4), &PixelModel::default())?;
/// assert!(events.p().contains(&1) && events.p().contains(&0));
/// assert!(events.t().is_sorted());
/// # Ok::<(), liaf_data::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    pictures: Vec<Picture>,
    /// Time from a picture to the next, in µs.
    interval: i64,
    path: Path,
    /// Pixels of the sensor for a pixel of the picture.
    scale: f64,
    surround: Surround,
    shift: f64,
}

impl Scene {
    /// A picture that moves along a path, one pixel of it for each pixel of the sensor.
    pub fn new(picture: Picture, path: Path) -> Self {
        Self {
            pictures: vec![picture],
            interval: i64::MAX,
            path,
            scale: 1.0,
            surround: Surround::Border,
            shift: 0.5,
        }
    }

    /// A sequence of pictures, one every `interval` µs, that does not move. Give it another path by
    /// [`path`](Self::path).
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if there are less than two, they differ in size, or the
    /// interval is not positive.
    pub fn sequence(pictures: Vec<Picture>, interval: i64) -> Result<Self> {
        let [first, .., _] = pictures.as_slice() else {
            return Err(Error::caller("a sequence needs pictures")
                .expected("2 or more")
                .found(pictures.len()));
        };
        let size = (first.width(), first.height());
        let other = |picture: &&Picture| (picture.width(), picture.height()) != size;
        if let Some(other) = pictures.iter().find(other) {
            return Err(Error::caller("the pictures of a sequence differ in size")
                .expected(format!("{}x{}", size.0, size.1))
                .found(format!("{}x{}", other.width(), other.height())));
        }
        let last = i64::try_from(pictures.len() - 1).unwrap_or(i64::MAX);
        let duration = interval.checked_mul(last).filter(|&us| us > 0).ok_or_else(|| {
            Error::caller("the time between pictures is out of range").found(interval)
        })?;
        let surround = Surround::Border;
        let path = Path::new(Motion::Still, duration);
        Ok(Self { pictures, interval, path, scale: 1.0, surround, shift: 0.5 })
    }

    /// Another path. After its end there is nothing more, even if the sequence has more pictures.
    #[must_use]
    pub fn path(self, path: Path) -> Self {
        Self { path, ..self }
    }

    /// Enlarges the pictures: `scale` pixels of the sensor for one of the picture. Pictures that are made less
    /// than half as large are averaged first, so that nothing in them is passed over.
    #[must_use]
    pub fn scale(mut self, scale: f64) -> Self {
        let by = (1.0 / scale).floor();
        if (2.0..1e6).contains(&by) {
            self.pictures =
                self.pictures.iter().map(|picture| picture.shrunk(by as usize)).collect();
            return Self { scale: scale * by, ..self };
        }
        Self { scale, ..self }
    }

    /// What is around the pictures. The default is their border.
    #[must_use]
    pub fn surround(self, surround: Surround) -> Self {
        Self { surround, ..self }
    }

    /// How far a picture may move until it is rendered again, in pixels of the sensor. Default 0.5, which is
    /// that of ESIM.
    #[must_use]
    pub fn shift(self, shift: f64) -> Self {
        Self { shift, ..self }
    }

    /// Duration in µs.
    pub fn duration_us(&self) -> i64 {
        self.path.duration_us()
    }

    /// Simulates a camera that looks at the scene, from time 0. The events come in batches, in order of time.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if a number of the scene or of the model is out of range.
    pub fn simulate(&self, sensor: SensorSize, model: &PixelModel) -> Result<Simulation<'_>> {
        self.path.check()?;
        let positive = |what: &str, value: f64, to: f64| match value > 0.0 && value <= to {
            true => Ok(()),
            false => Err(Error::caller(format!("{what} is out of range"))
                .expected(format!("more than 0, at most {to}"))
                .found(value)),
        };
        positive("the scale of the pictures", self.scale, 1e6)?;
        positive("the shift between renderings", self.shift, 1e3)?;
        if let Surround::Light(light) = self.surround
            && !(0.0..=1.0).contains(&light)
        {
            return Err(Error::caller("the light around the picture is out of range")
                .expected("0 to 1")
                .found(light));
        }
        let simulator = Simulator::new(sensor, model)?;
        let light = vec![0.0; sensor.pixels()];
        Ok(Simulation { scene: self, simulator, light, time: 0 })
    }

    /// All events of a camera that looks at the scene.
    ///
    /// # Errors
    /// As [`simulate`](Self::simulate).
    pub fn events(&self, sensor: SensorSize, model: &PixelModel) -> Result<EventBatch> {
        let mut events = EventBatch::new();
        let mut simulation = self.simulate(sensor, model)?;
        while simulation.advance(|some| {
            events.append(some);
            Ok(())
        })? {}
        Ok(events)
    }

    /// What the sensor sees at time `us`: `sensor.pixels()` numbers, row by row.
    pub fn render(&self, us: i64, sensor: SensorSize, light: &mut [f32]) {
        let (first, next, part) = self.shown(us);
        let view = View::new(self.path.pose(us), self.scale, first, sensor);
        let width = usize::from(sensor.width).max(1);
        let row = |(y, row): (usize, &mut [f32])| {
            for (x, light) in row.iter_mut().enumerate() {
                let (px, py) = view.at(x as f64, y as f64);
                *light = first.at(px, py, self.surround);
                if part > 0.0 {
                    *light += (next.at(px, py, self.surround) - *light) * part;
                }
                // Rounding may leave the interval.
                *light = light.clamp(0.0, 1.0);
            }
        };
        light.par_chunks_mut(width).with_min_len(16).enumerate().for_each(row);
    }

    /// The pictures before and after a time, and the part of the way from one to the other.
    fn shown(&self, us: i64) -> (&Picture, &Picture, f32) {
        let last = self.pictures.len() - 1;
        let index = usize::try_from(us / self.interval).unwrap_or(last);
        let part = (us % self.interval) as f64 / self.interval as f64;
        match index < last {
            true => (&self.pictures[index], &self.pictures[index + 1], part as f32),
            false => (&self.pictures[last], &self.pictures[last], 0.0),
        }
    }
}

/// From pixels of the sensor to those of the picture.
struct View {
    sensor: (f64, f64),
    picture: (f64, f64),
    sin: f64,
    cos: f64,
}

impl View {
    fn new(pose: Pose, scale: f64, picture: &Picture, sensor: SensorSize) -> Self {
        let centre = |n: usize| (n as f64 - 1.0) / 2.0;
        let (sin, cos) = pose.degrees.to_radians().sin_cos();
        let by = 1.0 / (scale * pose.zoom);
        Self {
            sensor: (centre(sensor.width.into()) + pose.x, centre(sensor.height.into()) + pose.y),
            picture: (centre(picture.width()), centre(picture.height())),
            sin: sin * by,
            cos: cos * by,
        }
    }

    #[inline]
    fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let (x, y) = (x - self.sensor.0, y - self.sensor.1);
        (self.picture.0 + x * self.cos + y * self.sin, self.picture.1 - x * self.sin + y * self.cos)
    }
}

/// A camera that looks at a [`Scene`].
#[derive(Debug)]
pub struct Simulation<'a> {
    scene: &'a Scene,
    simulator: Simulator,
    light: Vec<f32>,
    time: i64,
}

impl Simulation<'_> {
    /// The time until which there are events, in µs.
    pub fn time(&self) -> i64 {
        self.time
    }

    /// Goes on to the next rendering, and passes the events until then to `sink` in batches of bounded size.
    /// Returns false at the end of the scene.
    ///
    /// # Errors
    /// Those of `sink`.
    pub fn advance(&mut self, sink: impl FnMut(&mut EventBatch) -> Result<()>) -> Result<bool> {
        let scene = self.scene;
        let sensor = self.simulator.sensor();
        if self.simulator.time().is_some() {
            if self.time >= scene.duration_us() {
                return Ok(false);
            }
            let radius = f64::from(sensor.width).hypot(sensor.height.into()) / 2.0;
            let moved = scene.path.step(self.time, scene.shift, radius);
            let pictures = (self.time / scene.interval).saturating_add(1);
            let next = pictures.saturating_mul(scene.interval);
            self.time = moved.min(next).min(scene.duration_us());
        }
        scene.render(self.time, sensor, &mut self.light);
        self.simulator.advance_with(self.time, &self.light, sink)?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
