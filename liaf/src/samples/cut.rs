//! Division of a sequence of frames into samples.

use liaf_core::Real;
use liaf_data::frames::FrameShape;
use ndarray::Array4;

use super::{Sample, SampleOptions};

/// Collects frames until they make up a sample.
#[derive(Debug)]
pub(super) struct Cutter<R> {
    shape: FrameShape,
    options: SampleOptions,
    /// The frames of the next sample, one after another, and their times.
    numbers: Vec<R>,
    timestamps: Vec<[i64; 2]>,
    /// Number of these frames, and number of those among them that are not in any sample yet.
    frames: usize,
    fresh: usize,
    /// Whether the windows of all frames so far are complete.
    full: bool,
    /// Number of frames to skip before the next sample.
    gap: usize,
}

impl<R: Real> Cutter<R> {
    pub fn new(shape: FrameShape, options: SampleOptions) -> Self {
        let (numbers, timestamps) = (Vec::new(), Vec::new());
        Self { shape, options, numbers, timestamps, frames: 0, fresh: 0, full: true, gap: 0 }
    }

    /// Takes the cells of the next frame, its start and end, and whether its window is complete. Returns
    /// the sample that it completes.
    pub fn push(
        &mut self,
        cells: &[f32],
        window: Option<[i64; 2]>,
        full: bool,
    ) -> Option<Sample<R>> {
        if self.gap > 0 {
            self.gap -= 1;
            return None;
        }
        let scale = self.options.scale;
        self.numbers.extend(cells.iter().map(|cell| R::of(f64::from(cell * scale))));
        self.timestamps.extend(window);
        self.frames += 1;
        self.fresh += 1;
        self.full &= full;
        let steps = self.options.steps.filter(|&steps| steps == self.frames)?;
        let stride = self.options.stride.unwrap_or(steps);
        let kept = steps.saturating_sub(stride);
        let sample = self.take(kept);
        self.gap = stride.saturating_sub(steps);
        sample
    }

    /// Ends the sequence. Returns the last sample, if the remaining frames make up one.
    pub fn end(&mut self) -> Option<Sample<R>> {
        let is_sample = self.options.steps.is_none() || self.options.partial;
        if is_sample && self.fresh > 0 { self.take(0) } else { None }
    }

    /// Makes a sample of all frames. The last `kept` of them also start the next sample.
    fn take(&mut self, kept: usize) -> Option<Sample<R>> {
        let FrameShape { channels, height, width, .. } = self.shape;
        let shape = (self.frames, channels, height, width);
        let left = self.numbers.split_off(self.numbers.len() - kept * self.shape.cells());
        let times = self.timestamps.len().saturating_sub(kept);
        let times = self.timestamps.split_off(times);
        let mut numbers = std::mem::replace(&mut self.numbers, left);
        let mut timestamps = std::mem::replace(&mut self.timestamps, times);
        numbers.extend_from_slice(&self.numbers);
        timestamps.extend_from_slice(&self.timestamps);
        (self.frames, self.fresh) = (kept, 0);
        // The cutter takes whole frames only, so the numbers have this shape.
        let complete = self.full && self.options.steps.is_none_or(|steps| steps == shape.0);
        let frames = Array4::from_shape_vec(shape, numbers).ok()?;
        Some(Sample { frames, timestamps, complete })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of the frames of each sample.
    fn cut(frames: usize, options: SampleOptions) -> Vec<Vec<i64>> {
        let shape = FrameShape { channels: 1, height: 1, width: 2 };
        let mut cutter = Cutter::<f64>::new(shape, options);
        let mut samples: Vec<Sample<f64>> = (0..frames)
            .filter_map(|i| {
                let window = [i as i64, i as i64 + 1];
                cutter.push(&[i as f32, 7.0], Some(window), true)
            })
            .collect();
        samples.extend(cutter.end());
        let numbers = |sample: Sample<f64>| {
            let first = sample.frames.column(0).to_vec();
            assert!(sample.frames.iter().skip(1).step_by(2).all(|&cell| cell == 7.0));
            let steps = options.steps.unwrap_or(frames);
            assert_eq!(sample.complete, sample.frames.dim().0 == steps);
            assert_eq!(sample.start(), Some(sample.timestamps[0][0]));
            let times: Vec<i64> = sample.timestamps.iter().map(|window| window[0]).collect();
            assert_eq!(first.iter().map(|&i| i as i64).collect::<Vec<_>>(), times);
            times
        };
        samples.into_iter().map(numbers).collect()
    }

    trait Column {
        fn column(&self, x: usize) -> ndarray::ArrayView1<'_, f64>;
    }

    impl Column for Array4<f64> {
        fn column(&self, x: usize) -> ndarray::ArrayView1<'_, f64> {
            self.slice(ndarray::s![.., 0, 0, x])
        }
    }

    #[test]
    fn samples_follow_each_other_overlap_or_leave_gaps() {
        let options = SampleOptions::new();
        assert_eq!(cut(3, options), [[0, 1, 2]]);
        assert!(cut(0, options).is_empty());
        assert_eq!(cut(5, options.steps(2)), [[0, 1], [2, 3]]);
        assert_eq!(cut(5, options.steps(2).partial(true)), [vec![0, 1], vec![2, 3], vec![4]]);
        let overlapping = options.steps(3).stride(1);
        assert_eq!(cut(5, overlapping), [[0, 1, 2], [1, 2, 3], [2, 3, 4]]);
        // Frames that are in a sample already are no sample of their own.
        assert_eq!(cut(4, overlapping.partial(true)), [[0, 1, 2], [1, 2, 3]]);
        let apart = options.steps(2).stride(3).partial(true);
        assert_eq!(cut(7, apart), [vec![0, 1], vec![3, 4], vec![6]]);
        assert_eq!(cut(6, apart), [[0, 1], [3, 4]]);
    }

    #[test]
    fn a_sample_whose_last_window_is_not_full_is_not_complete() {
        let shape = FrameShape { channels: 1, height: 1, width: 1 };
        for (steps, full, expected) in [(0, true, true), (0, false, false), (2, false, false)] {
            let mut cutter = Cutter::<f32>::new(shape, SampleOptions::new().steps(steps));
            assert!(cutter.push(&[1.0], None, true).is_none());
            let sample = cutter.push(&[1.0], None, full).or_else(|| cutter.end());
            let sample = sample.unwrap();
            assert_eq!((sample.complete, sample.start(), sample.end()), (expected, None, None));
        }
    }
}
