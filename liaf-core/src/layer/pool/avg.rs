//! Average pooling.

use serde::{Deserialize, Serialize};

use super::{halves, planes_at_once, window};
use crate::error::Result;
use crate::kernels::{Halve, HalveBack, Window};
use crate::layer::contract::{Description, Layer, Spikes};
use crate::layer::window::Pair;
use crate::layer::work::Work;
use crate::memory::Saved;
use crate::op::{Back, Context, Flow, SampleOp};
use crate::real::Real;
use crate::shape::Shape;

/// Average of each window, `[.., C, H, W]` to `[.., C, H', W']`, with the sizes of
/// [`Conv2d`](crate::layer::Conv2d). Padding counts as zeros, as in `torch.nn.AvgPool2d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AvgPool {
    /// Height and width of the window.
    pub kernel: Pair,
    /// Number of rows and columns from one position of the window to the next. Default: the size of the
    /// window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<Pair>,
    /// Number of rows and columns of zeros around the input, at most half the window. Default 0.
    #[serde(default = "Pair::zero")]
    pub padding: Pair,
}

impl AvgPool {
    /// Adjacent windows that do not overlap, without padding.
    pub fn new(kernel: impl Into<Pair>) -> Self {
        Self { kernel: kernel.into(), stride: None, padding: Pair::zero() }
    }
}

impl Layer for AvgPool {
    fn describe<R: Real>(&self, inputs: &[Shape]) -> Result<Description<R>> {
        let (output, window) = window(inputs, self.kernel, self.stride, self.padding)?;
        let taps = window.len();
        let work = Work::each(output.len(), usize::from(taps > 1), taps - 1);
        // Every spike in a window counts, as the division can be postponed until they are added.
        let spikes = Spikes::Scaled { factor: taps as f64, most: f64::INFINITY };
        Ok(Description::sample(output, AvgPoolOp { window }).work(work).spikes(spikes))
    }
}

#[derive(Debug)]
struct AvgPoolOp {
    window: Window,
}

impl AvgPoolOp {
    /// Calls `each` for every row of the output and every element of the window: index of the first
    /// number in the output, index of the first number in the input, and number of columns.
    fn rows(&self, mut each: impl FnMut(usize, usize, usize)) {
        let window = &self.window;
        let [_, kh, kw] = window.kernel;
        for (j, k) in (0..kh).flat_map(|j| (0..kw).map(move |k| (j, k))) {
            let (down, right) = (window.offset(1, j), window.offset(2, k));
            let columns = window.reach(2, right);
            if columns.is_empty() {
                continue;
            }
            let first = window.under(2, columns.start, right);
            for row in window.reach(1, down) {
                let source = window.under(1, row, down) * window.input[1] + first;
                each(row * window.output[1] + columns.start, source, columns.len());
            }
        }
    }
}

impl<R: Real> SampleOp<R> for AvgPoolOp {
    fn runs_in_stretches(&self, _steps: usize) -> bool {
        true
    }

    fn forward(&self, flow: Flow<'_, R>, _: &mut Saved<R>, cx: &mut Context<'_, R>) {
        if halves(&self.window) {
            let (size, x, y, kernel) =
                (self.window.input, flow.input(), flow.output, cx.kernels.halve);
            let (plane, out) = (self.window.plane(), self.window.positions());
            let planes = planes_at_once(x.len() / plane, x.len());
            let parts = x.chunks(planes * plane).zip(y.chunks_mut(planes * out));
            return cx.scratch.each(parts, |_, (x, y), _| kernel(Halve { size, x, y }));
        }
        let (plane, out) = (self.window.plane(), self.window.positions());
        let factor = R::ONE / R::of(self.window.len() as f64);
        let planes = flow.inputs[0].chunks_exact(plane).zip(flow.output.chunks_exact_mut(out));
        for (x, y) in planes {
            y.fill(R::ZERO);
            self.rows(|to, from, len| {
                let from = x[from..].iter().step_by(self.window.stride[1]);
                y[to..to + len].iter_mut().zip(from).for_each(|(sum, &x)| *sum += x);
            });
            y.iter_mut().for_each(|sum| *sum *= factor);
        }
    }

    fn backward(&self, back: Back<'_, '_, R>, _: &mut Saved<R>, cx: &mut Context<'_, R>) {
        let Some(dx) = &mut back.d_inputs[0] else { return };
        let g = back.d_output;
        if halves(&self.window) {
            let (size, write, kernel) = (self.window.input, back.write, cx.kernels.halve_back);
            let (plane, out) = (self.window.plane(), self.window.positions());
            let planes = planes_at_once(dx.len() / plane, dx.len());
            let parts = g.chunks(planes * out).zip(dx.chunks_mut(planes * plane));
            return cx
                .scratch
                .each(parts, |_, (g, dx), _| kernel(HalveBack { size, g, dx, write }));
        }
        if back.write {
            dx.fill(R::ZERO);
        }
        let (plane, out) = (self.window.plane(), self.window.positions());
        let factor = R::ONE / R::of(self.window.len() as f64);
        for (dx, g) in dx.chunks_exact_mut(plane).zip(g.chunks_exact(out)) {
            self.rows(|from, to, len| {
                let to = dx[to..].iter_mut().step_by(self.window.stride[1]);
                to.zip(&g[from..from + len]).for_each(|(sum, &g)| *sum += g * factor);
            });
        }
    }

    fn writes(&self) -> bool {
        true
    }
}
