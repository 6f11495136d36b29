//! Maximum pooling.

use serde::{Deserialize, Serialize};

use super::{halves, positions, window};
use crate::error::{Error, Result};
use crate::kernels::{Largest, Window};
use crate::layer::contract::{Description, Layer, Spikes};
use crate::layer::window::Pair;
use crate::layer::work::Work;
use crate::memory::{Room, Saved};
use crate::op::{Back, Context, Flow, SampleOp};
use crate::real::Real;
use crate::shape::Shape;

/// Maximum of each window, `[.., C, H, W]` to `[.., C, H', W']`, with the sizes of
/// [`Conv2d`](crate::layer::Conv2d). Padding is never the maximum. The gradient goes to the first of
/// equal maxima, row by row, as in `torch.nn.MaxPool2d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxPool {
    /// Height and width of the window.
    pub kernel: Pair,
    /// Number of rows and columns from one position of the window to the next. Default: the size of the
    /// window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<Pair>,
    /// Number of rows and columns around the input, at most half the window. Default 0.
    #[serde(default = "Pair::zero")]
    pub padding: Pair,
}

impl MaxPool {
    /// Adjacent windows that do not overlap, without padding.
    pub fn new(kernel: impl Into<Pair>) -> Self {
        Self { kernel: kernel.into(), stride: None, padding: Pair::zero() }
    }
}

impl Layer for MaxPool {
    fn describe<R: Real>(&self, inputs: &[Shape]) -> Result<Description<R>> {
        let (output, window) = window(inputs, self.kernel, self.stride, self.padding)?;
        if u32::try_from(window.plane()).is_err() {
            return Err(Error::shape("the image is too large for maximum pooling")
                .expected(format!("at most {} numbers per channel", u32::MAX))
                .found(&inputs[0]));
        }
        let taps = window.len();
        let work = Work::each(output.len(), 0, taps - 1);
        // At most all spikes of a window, and at most one.
        let spikes = Spikes::Scaled { factor: taps as f64, most: 1.0 };
        let op = MaxPoolOp { window, len: output.len() };
        Ok(Description::sample(output, op).work(work).spikes(spikes))
    }
}

#[derive(Debug)]
struct MaxPoolOp {
    window: Window,
    /// Number of values in a step of the output.
    len: usize,
}

impl<R: Real> SampleOp<R> for MaxPoolOp {
    fn runs_in_stretches(&self, _steps: usize) -> bool {
        true
    }

    fn room(&self, steps: usize, keep: bool) -> Room {
        // An index takes no more bytes than a number.
        Room::new(&[&[if keep { steps } else { 0 }, self.len]], &[])
    }

    fn forward(&self, flow: Flow<'_, R>, saved: &mut Saved<R>, cx: &mut Context<'_, R>) {
        let (plane, out) = (self.window.plane(), self.window.positions());
        saved.index.resize(if cx.keep { flow.output.len() } else { 0 }, 0);
        if halves(&self.window) {
            let (size, x, y) = (self.window.input, flow.input(), flow.output);
            return (cx.kernels.largest)(Largest { size, x, y, index: &mut saved.index });
        }
        let planes = flow.inputs[0].chunks_exact(plane);
        let mut indices = saved.index.chunks_exact_mut(out);
        for (x, y) in planes.zip(flow.output.chunks_exact_mut(out)) {
            let mut index = indices.next();
            positions(&self.window, |position, numbers| {
                let first = numbers.next().unwrap_or_default();
                let best = numbers.fold(first, |best, at| {
                    // NaN counts as the maximum, as in PyTorch.
                    if x[at] > x[best] || x[at].partial_cmp(&x[at]).is_none() { at } else { best }
                });
                y[position] = x[best];
                if let Some(index) = &mut index {
                    index[position] = best as u32;
                }
            });
        }
    }

    fn backward(&self, back: Back<'_, '_, R>, saved: &mut Saved<R>, _: &mut Context<'_, R>) {
        let Some(dx) = &mut back.d_inputs[0] else { return };
        if back.write {
            dx.fill(R::ZERO);
        }
        let (plane, out) = (self.window.plane(), self.window.positions());
        let outs = back.d_output.chunks_exact(out).zip(saved.index.chunks_exact(out));
        for (dx, (g, index)) in dx.chunks_exact_mut(plane).zip(outs) {
            g.iter().zip(index).for_each(|(&g, &at)| dx[at as usize] += g);
        }
    }

    fn writes(&self) -> bool {
        true
    }
}
