//! How large an output will be, before it is made.

use rayon::prelude::*;

use super::contents::Contents;
use super::prepare::Prepared;
use super::source::Source;
use super::title::Title;
use super::{Entry, SampleRule, SplitRule};
use crate::codec::ReadOptions;
use crate::error::{Error, Result};
use crate::frames::WindowRule;
use crate::hint::Hint;
use crate::model::{EventStats, TimePoint};
use crate::read::Recording;

/// Number of recordings that are looked into, and the number of bytes that are read of each.
const LOOKED_INTO: usize = 8;
const READ: u64 = 2 << 20;

/// How large an output will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Estimate {
    /// Number of samples.
    pub samples: u64,
    /// Size of their frames, cells or events in bytes, before compression. As much is needed for what waits
    /// in `OUT.parts` meanwhile.
    pub bytes: u64,
    /// Whether this is known, if every recording can be used. Otherwise it follows from the beginnings of some
    /// recordings.
    pub is_exact: bool,
}

/// What a byte of a recording stands for.
#[derive(Debug, Clone, Copy, Default)]
struct Rates {
    us: f64,
    events: f64,
}

impl Prepared<'_> {
    /// How large the output will be.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if it would be larger than the limits of the build allow.
    pub(super) fn estimate_size(&self) -> Result<Estimate> {
        let estimate = self.estimated();
        let most = self.build.tensor.limits.output_bytes;
        if estimate.bytes <= most {
            return Ok(estimate);
        }
        let about = if estimate.is_exact { "" } else { "about " };
        Err(Error::limit("the output would be too large")
            .expected(format!("at most {most} bytes before compression"))
            .found(format!("{about}{} bytes", estimate.bytes))
            .hint(Hint::SmallerFrames)
            .hint(Hint::raise("output_bytes", Some(estimate.bytes))))
    }

    fn estimated(&self) -> Estimate {
        let rule = self.build.samples;
        let halves = if matches!(self.build.split, SplitRule::Time { .. }) { 2.0 } else { 1.0 };
        let sources: usize = self.sources[self.recordings.clone()].iter().map(Vec::len).sum();
        let title = self.title(rule.steps().map_or(1, |steps| steps as u64));
        let fixed = match rule {
            SampleRule::Whole { steps } => steps,
            SampleRule::Bins { steps } => Some(steps),
            SampleRule::Cut { .. } => None,
        };
        if let (Some(steps), Contents::Frames) = (fixed, self.build.contents) {
            let samples = halves as u64 * sources as u64;
            let bytes = samples.saturating_mul(steps as u64).saturating_mul(title.frame_bytes());
            return Estimate { samples, bytes, is_exact: true };
        }
        self.scaled_up(self.rates(), halves, &title)
    }

    fn scaled_up(&self, rates: Rates, halves: f64, title: &Title) -> Estimate {
        let rule = self.build.samples;
        let steps = rule.steps().unwrap_or(0) as f64;
        let (mut samples, mut events, mut longest) = (0.0, 0.0, 0.0_f64);
        for number in self.recordings.clone() {
            let bytes = self.listing.recordings[number].bytes as f64;
            let us = rates.us * bytes;
            for source in &self.sources[number] {
                let part = length(source).unwrap_or(us).min(us.max(1.0));
                let inside = rates.events * bytes * part / us.max(1.0);
                let frames = match self.build.frames.windows {
                    WindowRule::Time { us, overlap } => part / (us - overlap).max(1) as f64,
                    WindowRule::Count { events, overlap } => {
                        inside / events.saturating_sub(overlap).max(1) as f64
                    }
                    WindowRule::Bins { .. } | WindowRule::EventBins { .. } => steps,
                };
                longest = longest.max((frames / halves).ceil());
                let (n, share) = match rule {
                    SampleRule::Cut { .. } => (frames / steps, 1.0),
                    SampleRule::Whole { steps: Some(steps) } => {
                        (halves, (halves * steps as f64 / frames.max(1.0)).min(1.0))
                    }
                    _ => (halves, 1.0),
                };
                samples += n;
                events += inside * share;
            }
        }
        let steps = rule.steps().map_or(longest.max(1.0), |steps| steps as f64);
        let items = match self.build.contents {
            Contents::Frames => samples * steps,
            // A cell is of one event at least.
            Contents::Sparse | Contents::Events => events,
        };
        let bytes = (items * title.item_bytes() as f64) as u64;
        Estimate { samples: samples.ceil() as u64, bytes, is_exact: false }
    }

    /// What a byte stands for in some recordings of the set.
    fn rates(&self) -> Rates {
        let entries = &self.listing.recordings[self.recordings.clone()];
        let step = entries.len().div_ceil(LOOKED_INTO).max(1);
        let look = |entry: &&Entry| self.look_into(entry).ok();
        let some: Vec<_> = entries.iter().step_by(step).collect();
        let found: Vec<Rates> = some.par_iter().filter_map(look).collect();
        let mean = |rate: fn(&Rates) -> f64| {
            found.iter().map(rate).sum::<f64>() / found.len().max(1) as f64
        };
        Rates { us: mean(|rates| rates.us), events: mean(|rates| rates.events) }
    }

    fn look_into(&self, entry: &Entry) -> Result<Rates> {
        let options = ReadOptions { parallel: false, ..self.build.read.clone() };
        let mut recording = Recording::open(&entry.path, options)?;
        let mut reader = recording.reader()?;
        let mut stats = EventStats::default();
        let mut is_whole = false;
        while !is_whole && reader.position() < READ {
            is_whole = !reader.pump(&mut stats)?;
        }
        let total = reader.info().bytes.unwrap_or(entry.bytes).max(1) as f64;
        let part = if is_whole { 1.0 } else { (reader.position() as f64 / total).clamp(1e-9, 1.0) };
        let span =
            if stats.events > 0 { stats.t_max.abs_diff(stats.t_min) as f64 + 1.0 } else { 0.0 };
        let bytes = part * entry.bytes.max(1) as f64;
        Ok(Rates { us: span / bytes, events: stats.events as f64 / bytes })
    }
}

/// The length of a stretch in µs, if both ends are stated in the same way.
fn length(source: &Source) -> Option<f64> {
    match (source.from?, source.to?) {
        (TimePoint::Absolute(from), TimePoint::Absolute(to))
        | (TimePoint::Relative(from), TimePoint::Relative(to)) => {
            Some(to.saturating_sub(from).max(0) as f64)
        }
        _ => None,
    }
}
