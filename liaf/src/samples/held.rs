//! Samples and batches of frames that the caller holds already.

use liaf_core::Real;
use liaf_data::Error;
use liaf_data::frames::Frame;
use ndarray::{Array4, Array5, Axis};

use super::{Batch, Sample};
use crate::error::Result;

impl<R: Real> Sample<R> {
    /// Puts frames that one holds into one array `[T, C, H, W]`, with their times. Every cell is
    /// multiplied by `scale`.
    ///
    /// ```
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/good/aedat4/dv_lz4.aedat4");
    /// use liaf::samples::{Batch, Sample};
    /// use liaf::{FrameOptions, ReadOptions, Recording};
    ///
    /// let mut recording = Recording::open(path, ReadOptions::default())?;
    /// let frames = recording.frames(FrameOptions::window_ms(10).size(32, 32))?;
    /// let frames: Vec<_> = frames.take(6).collect::<Result<_, _>>()?;
    /// // Two samples of three frames, which overlap or not as one likes.
    /// let samples = [&frames[..3], &frames[3..]].map(|part| Sample::<f32>::of_frames(part, 0.25));
    /// let batch = Batch::collect(samples)?;
    /// assert_eq!(batch.view().dim(), (2, 3, 2, 32, 32));
    /// # Ok::<(), liaf::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if there are none, or if they are not all of one
    /// shape.
    pub fn of_frames(frames: &[Frame], scale: f32) -> Result<Self> {
        let Some(first) = frames.first() else {
            return Err(Error::caller("a sample of no frames").expected("1 or more").into());
        };
        let [channels, height, width] = first.shape();
        let mut array = Array4::from_elem((frames.len(), channels, height, width), R::ZERO);
        let mut dense = vec![0.0; first.shape.cells()];
        for (frame, mut room) in frames.iter().zip(array.outer_iter_mut()) {
            if frame.shape != first.shape {
                return Err(Error::caller("frames of different shapes")
                    .expected(format!("{:?}", first.shape()))
                    .found(format!("{:?}", frame.shape()))
                    .into());
            }
            frame.cells.fill(&mut dense);
            for (number, cell) in room.iter_mut().zip(&dense) {
                *number = R::of(f64::from(cell * scale));
            }
        }
        let timestamps = frames.iter().map(|frame| [frame.window.start, frame.window.end]);
        Ok(Self { timestamps: timestamps.collect(), ..Self::new(array) })
    }
}

impl<R: Real> Batch<R> {
    /// Copies numbers that one holds, row-major, as `[N, T, C, H, W]`: N samples, all of T frames.
    /// An array of [`ndarray`] becomes a batch by [`From`], without copying: an `Array5` of that shape, or
    /// an `Array4` of one sample.
    ///
    /// ```
    /// use liaf::core::layer::{Aggregate, Dense, Flatten};
    /// use liaf::samples::Batch;
    /// use liaf::{Mode, NetworkConfig, Workspace};
    ///
    /// let network = NetworkConfig::sequential([2, 4, 4]).then(Flatten {}).then(Dense::new(3));
    /// let network = network.then(Aggregate::default()).build::<f32>(1)?;
    /// // One sample of five frames, such as a camera or another program gave.
    /// let cells = vec![1.0; 5 * 2 * 4 * 4];
    /// let batch = Batch::of_numbers(&cells, [1, 5, 2, 4, 4])?;
    /// let mut space = Workspace::new();
    /// let pass = network.forward(&batch.inputs("input"), Mode::eval(), &mut space)?;
    /// assert_eq!(pass.output().shape(), [1, 3]);
    ///
    /// let array = ndarray::Array4::<f32>::ones((5, 2, 4, 4));
    /// assert_eq!(Batch::from(array), batch);
    /// # Ok::<(), liaf::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if their number is not that of the shape.
    pub fn of_numbers(numbers: &[R], shape: [usize; 5]) -> Result<Self> {
        match Array5::from_shape_vec(shape, numbers.to_vec()) {
            Ok(array) => Ok(array.into()),
            Err(_) => Err(Error::caller("the numbers do not fit the shape of the batch")
                .expected(format!("{shape:?}"))
                .found(format!("{} numbers", numbers.len()))
                .into()),
        }
    }
}

/// One sample, `[T, C, H, W]`, as a batch.
impl<R: Real> From<Array4<R>> for Batch<R> {
    fn from(sample: Array4<R>) -> Self {
        sample.insert_axis(Axis(0)).into()
    }
}

#[cfg(test)]
mod tests {
    use liaf_data::frames::{CellValues, Cells, Dtype, FrameShape, Window};

    use super::*;
    use crate::ErrorKind;

    #[test]
    fn frames_and_numbers_become_arrays_in_their_order() {
        let shape = FrameShape { channels: 1, height: 1, width: 3 };
        let frame = |k: i64, cells| Frame { window: Window { start: k, end: k + 1 }, shape, cells };
        let dense = frame(5, Cells::Dense(CellValues::U8(vec![1, 2, 3])));
        let sparse = Cells::Sparse { index: vec![2], cells: CellValues::I16(vec![-4]) };
        let frames = [dense, frame(6, sparse)];
        let sample = Sample::<f64>::of_frames(&frames, 0.5).unwrap();
        assert_eq!(sample.frames.as_slice(), Some(&[0.5, 1.0, 1.5, 0.0, 0.0, -2.0][..]));
        assert_eq!((sample.start(), sample.end(), sample.complete), (Some(5), Some(7), true));
        let numbers: Vec<f32> = (0..12_u8).map(f32::from).collect();
        let batch = Batch::of_numbers(&numbers, [2, 2, 1, 1, 3]).unwrap();
        assert_eq!(batch.view()[[1, 0, 0, 0, 2]], 8.0);
        assert_eq!(batch.lengths(), [2, 2]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let kind = |error: crate::Error| error.kind();
        assert_eq!(kind(Sample::<f32>::of_frames(&[], 1.0).unwrap_err()), ErrorKind::Caller);
        let frame = |width| Frame::zeros(FrameShape { channels: 2, height: 2, width }, Dtype::U8);
        let error = Sample::<f32>::of_frames(&[frame(2), frame(3)], 1.0).unwrap_err();
        assert!(error.to_string().contains("expected [2, 2, 2], found [2, 2, 3]"), "{error}");
        let error = Batch::of_numbers(&[0_f32; 7], [1, 2, 1, 1, 4]).unwrap_err();
        assert!(error.to_string().contains("[1, 2, 1, 1, 4], found 7 numbers"), "{error}");
        let huge = [usize::MAX, 2, 2, 2, 2];
        assert_eq!(kind(Batch::of_numbers(&[0_f32; 7], huge).unwrap_err()), ErrorKind::Caller);
    }
}
