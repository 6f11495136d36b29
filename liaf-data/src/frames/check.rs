//! Validation of the options before any work: they must fit each other, the sensor and the limits.

use super::most::MostFrames;
use super::{Canvas, Edge, FrameOptions, FrameShape, Layout, WindowRule};
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::model::SensorSize;

impl FrameOptions {
    /// Checks everything that can be checked in advance, and returns the shape of the frames.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the options do not fit each other or the
    /// sensor, [`ErrorKind::Limit`](crate::ErrorKind::Limit) if they ask for more than `limits`.
    pub fn check(&self, sensor: SensorSize) -> Result<FrameShape> {
        Ok(self.plan(sensor)?.0.shape)
    }

    /// As [`check`](Self::check), with the pixels and the layout of the frames.
    pub(super) fn plan(&self, sensor: SensorSize) -> Result<(Canvas, Layout)> {
        self.check_windows()?;
        let layout = self.representation.check(&self.cell_options())?;
        if self.slack < 0 {
            return Err(Error::caller("the slack must not be negative")
                .expected("0 µs or more")
                .found(format!("{} µs", self.slack)));
        }
        let canvas = self.canvas(sensor, layout)?;
        self.check_limits(canvas, layout)?;
        Ok((canvas, layout))
    }

    fn check_windows(&self) -> Result<()> {
        let foreign = matches!(self.edge, Edge::SpikingJelly | Edge::SpikingJelly2);
        let overlaps = match self.windows {
            WindowRule::Time { us, overlap } => {
                positive("length of a window in µs", us)?;
                if overlap < 0 || overlap >= us {
                    return Err(Error::caller("the overlap must be shorter than the window")
                        .expected(format!("0 to {} µs", us - 1))
                        .found(format!("{overlap} µs")));
                }
                overlap > 0
            }
            WindowRule::Count { events, overlap } => {
                positive("number of events of a window", events)?;
                if overlap >= events {
                    return Err(Error::caller("the overlap must be shorter than the window")
                        .expected(format!("0 to {} events", events - 1))
                        .found(format!("{overlap} events")));
                }
                if foreign {
                    return Err(Error::caller(
                        "the edge rules of SpikingJelly have no windows of a fixed count",
                    )
                    .expected("windows by time, bins or event bins")
                    .found(format!("windows of {events} events")));
                }
                overlap > 0
            }
            WindowRule::Bins { n } | WindowRule::EventBins { n } => {
                positive("number of bins", n)?;
                false
            }
        };
        if foreign && overlaps {
            return Err(Error::caller(
                "the edge rules of SpikingJelly have no overlapping windows",
            )
            .expected("an overlap of 0")
            .found("an overlap above 0"));
        }
        Ok(())
    }

    fn canvas(&self, sensor: SensorSize, layout: Layout) -> Result<Canvas> {
        if sensor.pixels() == 0 {
            return Err(Error::caller("the sensor has no pixels")
                .expected("a width and height above 0")
                .found(sensor));
        }
        let source = self.selection.check(sensor)?;
        let size = self.size.unwrap_or(source);
        if size.pixels() == 0 || size.width > source.width || size.height > source.height {
            return Err(Error::caller("the size of the frames is invalid")
                .expected(format!("1x1 to {source}"))
                .found(size));
        }
        let (height, width) = (size.height.into(), size.width.into());
        let shape = FrameShape {
            channels: layout.channels,
            height: layout.length(height),
            width: layout.length(width),
        };
        Ok(Canvas { shape, width, height })
    }

    fn check_limits(&self, canvas: Canvas, layout: Layout) -> Result<()> {
        let shape = canvas.shape;
        let bytes = self.frame_bytes(shape);
        let state = if layout.needs_window { state_bytes(canvas, layout) } else { 0 };
        let most = self.most_frames(shape);
        let is_large = shape.cells().max(canvas.pixels()) > super::place::MAX_CELLS;
        if is_large || bytes + state > self.limits.open_frames_bytes as u64 {
            return Err(Error::limit("one frame is too large")
                .expected(format!("at most {} bytes", self.limits.open_frames_bytes))
                .found(format!("{bytes} bytes"))
                .hint(Hint::SmallerFrames));
        }
        if let WindowRule::Bins { n } | WindowRule::EventBins { n } = self.windows
            && n > most.get()
        {
            return Err(most.error("too many bins", n, &[]).found(format!("{n} bins")));
        }
        if most.get() == 0 {
            return Err(Error::limit("a single frame exceeds the limit of the output")
                .expected(format!("at most {} bytes in all", self.limits.output_bytes))
                .found(format!("frames of {bytes} bytes"))
                .hint(Hint::SmallerFrames));
        }
        let (length, stride) = match self.windows {
            WindowRule::Time { us, overlap } => (us as u64, (us - overlap) as u64),
            WindowRule::Count { events, overlap } => (events, events - overlap),
            WindowRule::Bins { .. } | WindowRule::EventBins { .. } => (1, 1),
        };
        if length.div_ceil(stride) > self.max_open(canvas, layout) {
            return Err(Error::limit("the overlap keeps too many frames open at one time")
                .expected(format!(
                    "at most {} frames of {bytes} bytes",
                    self.max_open(canvas, layout)
                ))
                .found(format!("{} frames", length.div_ceil(stride)))
                .hint(Hint::SmallerOverlap));
        }
        Ok(())
    }

    pub(super) fn frame_bytes(&self, shape: FrameShape) -> u64 {
        shape.cells() as u64 * self.dtype.bytes() as u64
    }

    /// How many frames `limits` allow in total.
    pub(super) fn most_frames(&self, shape: FrameShape) -> MostFrames {
        MostFrames::new(self.limits, self.frame_bytes(shape))
    }

    /// How many frames `limits` allow to be open at the same time.
    pub(super) fn max_open(&self, canvas: Canvas, layout: Layout) -> u64 {
        if layout.needs_window {
            // Only the events of these are kept.
            return self.limits.frames.max(1);
        }
        let bytes = self.frame_bytes(canvas.shape).saturating_add(state_bytes(canvas, layout));
        (self.limits.open_frames_bytes as u64 / bytes.max(1)).max(1)
    }
}

/// Memory of an accumulator besides its cells.
fn state_bytes(canvas: Canvas, layout: Layout) -> u64 {
    (canvas.pixels() as u64).saturating_mul(layout.state_bytes as u64)
}

fn positive<N: Default + PartialOrd + std::fmt::Display>(what: &str, n: N) -> Result<()> {
    if n > N::default() {
        return Ok(());
    }
    Err(Error::caller(format!("the {what} must be above 0")).expected("more than 0").found(n))
}
