//! The pixels of a simulated sensor, from one picture to the next.

use rayon::prelude::*;

use super::model::PixelModel;
use crate::error::{Error, Result};
use crate::filter::random::Random;
use crate::limits::Limits;
use crate::model::{Event, EventBatch, SensorSize};

/// Makes events of pictures of what the sensor sees.
///
/// Between two pictures the logarithm of the light of each pixel is taken to change linearly in time, as in ESIM
/// ([Rebecq et al., 2018], section 3.2). With `L` the logarithm, `R` its value at the last event, and `C+` and
/// `C-` the thresholds of the pixel, there is an ON event, and `R` is raised by `C+`, at every time at which
///
/// ```text
/// L(t) + leak C+ t = R + C+        (OFF: R - C-, and R is lowered by C-)
/// ```
///
/// where `leak` is the rate of leak events. The times of these crossings are computed, not stepped through, so
/// that events do not depend on how far apart the pictures are as long as the light changes in this way, and
/// are rounded to µs. A crossing within the refractory time of the pixel makes no event.
///
/// Noise is a Poisson process in continuous time, whose candidates are thinned by light. As in v2e, a noise event
/// sets `R` to the present value of `L`.
///
/// [Rebecq et al., 2018]: https://rpg.ifi.uzh.ch/docs/CORL18_Rebecq.pdf
///
/// ```
/// use liaf_data::simulate::{PixelModel, Response, Simulator};
/// use liaf_data::{EventBatch, SensorSize};
///
/// let model = PixelModel { response: Response::Log { eps: 1e-9 }, ..PixelModel::ideal(0.25) };
/// let mut simulator = Simulator::new(SensorSize::new(2, 1), &model)?;
/// let mut events = EventBatch::new();
/// simulator.advance(0, &[0.5, 0.5], &mut events)?;
/// // The logarithm of the first pixel rises by ln 2 = 0.69, that of the second does not change.
/// simulator.advance(1000, &[1.0, 0.5], &mut events)?;
/// assert_eq!((events.t(), events.x(), events.p()), (&[361, 721][..], &[0, 0][..], &[1, 1][..]));
/// # Ok::<(), liaf_data::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Simulator {
    sensor: SensorSize,
    model: PixelModel,
    pixels: Vec<Pixel>,
    /// Time of the last picture; `None` before the first.
    time: Option<i64>,
    levels: Vec<f64>,
    chunks: Vec<Vec<Event>>,
}

#[derive(Debug, Clone, Copy)]
struct Pixel {
    light: f32,
    /// Number of random numbers that noise has used.
    drawn: u32,
    /// Logarithm of the light.
    level: f64,
    /// How far the logarithm is above its value at the last event.
    above: f64,
    on: f64,
    off: f64,
    /// Time of the next candidate of noise.
    noise: f64,
    last_event: Option<i64>,
}

/// How much less than a threshold is enough. Light that returns to where it was undoes the crossings on the way
/// there, of which the last one would otherwise depend on how sums are rounded.
const TOLERANCE: f64 = 1e-9;
/// Memory of a pixel, in bytes: its state, its level, and the light of the picture.
const PIXEL_BYTES: u64 = (size_of::<Pixel>() + size_of::<f64>() + size_of::<f32>()) as u64;
/// Number of pixels that one thread works on at a time.
const CHUNK: usize = 8192;
/// Number of events above which a stretch of time is divided, to bound memory.
const EVENTS_AT_ONCE: f64 = (1_u32 << 20) as f64;

impl Simulator {
    /// A sensor of this size and model.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the model has numbers that are out of range, or the
    /// sensor has no pixels; [`ErrorKind::Limit`](crate::ErrorKind::Limit) if it needs more memory than
    /// [`Limits::held_bytes`] is by default, which is enough for 3,700 by 3,700 pixels.
    pub fn new(sensor: SensorSize, model: &PixelModel) -> Result<Self> {
        model.check()?;
        if sensor.pixels() == 0 {
            return Err(Error::caller("the sensor has no pixels").found(sensor));
        }
        let bytes = sensor.pixels() as u64 * PIXEL_BYTES;
        Limits::check("the simulated sensor", bytes, Limits::DEFAULT.held_bytes)?;
        let chunks = sensor.pixels().div_ceil(CHUNK);
        Ok(Self {
            sensor,
            model: *model,
            pixels: Vec::new(),
            time: None,
            levels: vec![0.0; sensor.pixels()],
            chunks: vec![Vec::new(); chunks],
        })
    }

    /// The size of the sensor.
    pub fn sensor(&self) -> SensorSize {
        self.sensor
    }

    /// The model of the pixels.
    pub fn model(&self) -> &PixelModel {
        &self.model
    }

    /// Time of the last picture in µs; `None` before the first.
    pub fn time(&self) -> Option<i64> {
        self.time
    }

    /// Goes on to the time `us`, at which the sensor sees `light`: one number from 0 to 1 for each pixel, row by
    /// row. The events since the last picture are appended to `events`, sorted by time, those of one time row by
    /// row. The first picture makes no events: the pixels are taken to have settled on it.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the time is not later than that of the last picture, or
    /// the light has a wrong length or a number that is out of range.
    pub fn advance(&mut self, us: i64, light: &[f32], events: &mut EventBatch) -> Result<()> {
        self.advance_with(us, light, |some| {
            events.append(some);
            Ok(())
        })
    }

    /// As [`advance`](Self::advance), but passes the events to `sink` in batches of bounded size, which may be
    /// taken or left. The batches of one call are in order of time.
    ///
    /// # Errors
    /// As [`advance`](Self::advance), and those of `sink`.
    pub fn advance_with(
        &mut self,
        us: i64,
        light: &[f32],
        mut sink: impl FnMut(&mut EventBatch) -> Result<()>,
    ) -> Result<()> {
        self.check(us, light)?;
        let Some(from) = self.time.replace(us) else {
            self.begin(us, light);
            return Ok(());
        };
        let bound = self.set_levels(light) + self.spontaneous((us - from) as f64 * 1e-6);
        // A straight line that is divided is the same straight line.
        let parts = (bound / EVENTS_AT_ONCE).ceil().max(1.0) as u32;
        let span = (us - from) as f64 / f64::from(parts);
        let mut batch = EventBatch::new();
        for part in 0..parts {
            let start = from as f64 + span * f64::from(part);
            let stretch = Stretch { start, span, left: parts - part };
            self.cross(&stretch, light);
            self.collect(&mut batch);
            sink(&mut batch)?;
            batch.clear();
        }
        Ok(())
    }

    fn check(&self, us: i64, light: &[f32]) -> Result<()> {
        if light.len() != self.sensor.pixels() {
            return Err(Error::caller("the picture does not have the size of the sensor")
                .expected(format!("{} pixels", self.sensor.pixels()))
                .found(light.len()));
        }
        if let Some(found) = light.iter().find(|light| !(0.0..=1.0).contains(*light)) {
            return Err(Error::caller("the light of a pixel is out of range")
                .expected("0 (black) to 1 (white)")
                .found(found));
        }
        // Times have a fraction of a µs in between, which larger numbers leave no bits for.
        if !(-MOST_TIME..=MOST_TIME).contains(&us) {
            return Err(Error::caller("the time of a picture is out of range")
                .expected(format!("{} to {MOST_TIME} µs", -MOST_TIME))
                .found(us));
        }
        match self.time {
            Some(last) if us <= last => {
                Err(Error::caller("the times of the pictures do not increase")
                    .expected(format!("more than {last} µs"))
                    .found(us))
            }
            _ => Ok(()),
        }
    }

    /// The pixels have settled on the first picture.
    fn begin(&mut self, us: i64, light: &[f32]) {
        let model = &self.model;
        let pixel = |(n, &light): (usize, &f32)| {
            let (on, off) = model.thresholds(n as u64);
            let random = model.random(n as u64);
            // Otherwise all pixels would leak at the same time.
            let above = if model.leak_hz > 0.0 { on * random.unit(0, 3) } else { 0.0 };
            let level = model.response.log(light);
            let noise = us as f64 + wait(model, random, 0);
            Pixel { light, drawn: 0, level, above, on, off, noise, last_event: None }
        };
        self.pixels = light.par_iter().enumerate().map(pixel).collect();
    }

    /// Computes the logarithms of the light, and how many events the change makes at most.
    fn set_levels(&mut self, light: &[f32]) -> f64 {
        let response = self.model.response;
        let chunk = |((levels, light), pixels): ((&mut [f64], &[f32]), &[Pixel])| {
            let mut crossings = 0.0;
            for ((level, &light), pixel) in levels.iter_mut().zip(light).zip(pixels) {
                // The logarithm is the slowest part, and most pixels of most pictures stay as they are.
                *level = match light == pixel.light {
                    true => pixel.level,
                    false => response.log(light),
                };
                crossings += (*level - pixel.level).abs() / pixel.on.min(pixel.off);
            }
            crossings
        };
        let chunks = self.levels.par_chunks_mut(CHUNK).zip(light.par_chunks(CHUNK));
        let chunks = chunks.zip(self.pixels.par_chunks(CHUNK)).map(chunk);
        // In order, so that the sum does not depend on threads.
        chunks.collect::<Vec<f64>>().iter().sum()
    }

    /// How many leak and noise events this many seconds make, on average and at most.
    fn spontaneous(&self, seconds: f64) -> f64 {
        (self.model.leak_hz + self.model.noise_hz) * seconds * self.sensor.pixels() as f64
    }

    /// Makes the events of a stretch of time in every chunk.
    fn cross(&mut self, stretch: &Stretch, light: &[f32]) {
        let (model, width) = (&self.model, usize::from(self.sensor.width));
        let chunk = |(n, (pixels, events)): (usize, (&mut [Pixel], &mut Vec<Event>))| {
            let first = n * CHUNK;
            for (i, pixel) in pixels.iter_mut().enumerate() {
                let n = first + i;
                let before = events.len();
                pixel.cross(model, stretch, n as u64, self.levels[n], light[n], events);
                for event in &mut events[before..] {
                    (event.x, event.y) = ((n % width) as u16, (n / width) as u16);
                }
            }
        };
        let chunks = self.pixels.par_chunks_mut(CHUNK).zip(self.chunks.par_iter_mut());
        chunks.enumerate().for_each(chunk);
    }

    /// Moves the events of all chunks to the batch, in order of time.
    fn collect(&mut self, batch: &mut EventBatch) {
        let mut events = Vec::with_capacity(self.chunks.iter().map(Vec::len).sum());
        self.chunks.iter_mut().for_each(|chunk| events.append(chunk));
        // Stable, so that events of one time stay in the order of the pixels.
        events.par_sort_by_key(|event| event.t);
        batch.extend(events);
    }
}

/// The latest time of a picture, in µs: 285 years.
const MOST_TIME: i64 = 1 << 53;

/// A stretch of time during which the logarithm of the light changes linearly.
struct Stretch {
    /// In µs.
    start: f64,
    /// In µs.
    span: f64,
    /// How many stretches of this length are left until the next picture, with this one.
    left: u32,
}

impl Pixel {
    /// Appends the events of a stretch at whose end the picture would be nearer to `level` and `light`. Their x
    /// and y are left open.
    fn cross(
        &mut self,
        model: &PixelModel,
        stretch: &Stretch,
        n: u64,
        level: f64,
        light: f32,
        events: &mut Vec<Event>,
    ) {
        let left = f64::from(stretch.left);
        let change =
            if stretch.left == 1 { level - self.level } else { (level - self.level) / left };
        let slope = change + model.leak_hz * self.on * stretch.span * 1e-6;
        // The noise depends on the light, whose logarithm is linear in time; a straight line between the light
        // of both ends is near enough.
        let brighter = (light - self.light) / stretch.left as f32;
        let end = stretch.start + stretch.span;
        // What was left of an earlier rise or fall, as a line through 0 at `from`.
        let mut above = self.above;
        if slope != 0.0 || self.noise < end {
            loop {
                // The part of the stretch at which the next threshold is reached.
                let threshold = if slope > 0.0 { self.on } else { -self.off };
                let reached = if slope > 0.0 {
                    above + slope >= threshold - TOLERANCE
                } else {
                    slope < 0.0 && above + slope <= threshold + TOLERANCE
                };
                let part = ((threshold - above) / slope).clamp(0.0, 1.0);
                let time = stretch.start + stretch.span * part;
                if self.noise < end && (!reached || self.noise < time) {
                    let part = ((self.noise - stretch.start) / stretch.span).clamp(0.0, 1.0);
                    let light = self.light + brighter * part as f32;
                    if self.fire_noise(model, n, light, events) {
                        above = -slope * part;
                    }
                } else if reached {
                    above -= threshold;
                    self.fire(model, time, slope > 0.0, events);
                } else {
                    break;
                }
            }
        }
        self.above = above + slope;
        (self.level, self.light) = match stretch.left {
            1 => (level, light),
            _ => (self.level + change, self.light + brighter),
        };
    }

    /// Makes an event unless the pixel is refractory.
    fn fire(&mut self, model: &PixelModel, time: f64, on: bool, events: &mut Vec<Event>) -> bool {
        let t = time.round() as i64;
        if self.last_event.is_some_and(|last| t - last < model.refractory_us) {
            return false;
        }
        self.last_event = Some(t);
        events.push(Event { t, x: 0, y: 0, p: u8::from(on) });
        true
    }

    /// Takes the next candidate of noise, and returns whether it made an event.
    fn fire_noise(
        &mut self,
        model: &PixelModel,
        n: u64,
        light: f32,
        events: &mut Vec<Event>,
    ) -> bool {
        let random = model.random(n);
        let drawn = u64::from(self.drawn);
        let is_kept = random.unit(drawn, 1) < 1.0 - PixelModel::LESS_NOISE * f64::from(light);
        let on = random.bits(drawn, 2) >> 63 == 1;
        let made = is_kept && self.fire(model, self.noise, on, events);
        self.drawn = self.drawn.wrapping_add(1);
        self.noise += wait(model, random, u64::from(self.drawn));
        made
    }
}

/// The time between candidates of noise, in µs: exponentially distributed.
fn wait(model: &PixelModel, random: Random, drawn: u64) -> f64 {
    if model.noise_hz == 0.0 {
        return f64::INFINITY;
    }
    -(1.0 - random.unit(drawn, 0)).ln() * 1e6 / model.noise_hz
}

#[cfg(test)]
mod tests;
