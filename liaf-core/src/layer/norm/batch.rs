//! Batch normalisation.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::moments::{Affine, BackSums, Channels, Pairs, follow, reciprocal, scale};
use crate::error::Result;
use crate::init::Init;
use crate::layer::contract::{Description, Layer, TensorSpec, only};
use crate::layer::work::Work;
use crate::memory::{Buffer, Room, Saved};
use crate::op::{Back, BatchOp, Context, Flow};
use crate::real::Real;
use crate::shape::Shape;

/// Batch normalisation over samples, time and the numbers of a channel: `Y = (X - mean) / √(variance +
/// eps) weight + bias` (Ioffe and Szegedy 2015, arXiv 1502.03167). `[N, T, C, ..]` to the same shape;
/// in a vector every number is a channel.
///
/// As `torch.nn.BatchNorm2d` on `[N·T, C, H, W]`, without padding. In training it uses the mean and the
/// biased variance of the batch, and updates the running statistics with the unbiased variance; in
/// evaluation it uses the running statistics. A batch with one number per channel gives the bias, and
/// leaves the running variance unchanged.
///
/// Parameters `weight` `[C]`, `bias` `[C]`; buffers `running_mean` `[C]`, `running_var` `[C]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BatchNorm {
    /// Added to the variance. Default 1e-5.
    pub eps: f64,
    /// Weight of a batch in the running statistics. Default 0.1.
    pub momentum: f64,
    /// Whether there are a weight and a bias. Default true.
    pub affine: bool,
}

impl Default for BatchNorm {
    fn default() -> Self {
        Self { eps: 1e-5, momentum: 0.1, affine: true }
    }
}

impl BatchNorm {
    /// Returns an error if eps or momentum is invalid.
    pub(crate) fn check(&self) -> Result<()> {
        super::check(self.eps, self.momentum)
    }

    /// The weight and bias, if the layer has them, with these names.
    pub(crate) fn params(
        &self,
        channels: Channels,
        names: [&'static str; 2],
    ) -> impl Iterator<Item = TensorSpec> + use<> {
        let all = names.into_iter().zip([1.0, 0.0]).take(if self.affine { 2 } else { 0 });
        all.map(move |(name, first)| tensor(name, channels, first))
    }

    /// The running mean and variance, with these names.
    pub(crate) fn buffers(
        channels: Channels,
        names: [&'static str; 2],
    ) -> impl Iterator<Item = TensorSpec> {
        let all = names.into_iter().zip([0.0, 1.0]);
        all.map(move |(name, first)| tensor(name, channels, first))
    }
}

/// A tensor of one number per channel.
fn tensor(name: &'static str, channels: Channels, first: f64) -> TensorSpec {
    TensorSpec::new(name, [channels.count], Init::Constant(first))
}

impl Layer for BatchNorm {
    fn describe<R: Real>(&self, inputs: &[Shape]) -> Result<Description<R>> {
        self.check()?;
        let input = only(inputs)?;
        let channels = Channels::of(input);
        let op = BatchNormOp { config: *self, channels };
        // In evaluation: one multiplication and one addition per number.
        Ok(Description::batch(input.clone(), op)
            .params(self.params(channels, ["weight", "bias"]))
            .buffers(Self::buffers(channels, ["running_mean", "running_var"]))
            .work(Work::each(input.len(), 1, 1)))
    }
}

/// Saves the mean (buffer 0) and the reciprocal deviation (buffer 1) that were applied.
#[derive(Debug)]
struct BatchNormOp {
    config: BatchNorm,
    channels: Channels,
}

impl BatchNormOp {
    /// The weight and bias; empty if the layer has none.
    fn affine<'a, R: Real>(&self, cx: &Context<'a, R>) -> (&'a [R], &'a [R]) {
        if self.config.affine { (cx.params[0], cx.params[1]) } else { (&[], &[]) }
    }

    /// Saves the mean and reciprocal deviation of the running statistics.
    fn take_running<R: Real>(&self, saved: &mut Saved<R>, cx: &Context<'_, R>) {
        let count = self.channels.count;
        saved.buffer(0, count).copy_from_slice(cx.buffers[0]);
        let deviation = saved.buffer(1, count);
        deviation.copy_from_slice(cx.buffers[1]);
        reciprocal(deviation, self.config.eps);
    }

    /// Reciprocal deviation times weight.
    fn scale<R: Real>(&self, saved: &Saved<R>, cx: &mut Context<'_, R>) -> Buffer<R> {
        let mut scaled = cx.scratch.take(self.channels.count);
        scale(self.affine(cx).0, saved.get(1), &mut scaled);
        scaled
    }
}

impl<R: Real> BatchOp<R> for BatchNormOp {
    fn runs_in_stretches(&self, _steps: usize) -> bool {
        true
    }

    fn room(&self, _: usize, _: bool) -> Room {
        Room::new(&[&[2, self.channels.count]], &[&[6, self.channels.count]])
    }

    fn forward(
        &self,
        samples: &mut [Flow<'_, R>],
        saved: &mut Saved<R>,
        update: &mut [Vec<R>],
        cx: &mut Context<'_, R>,
    ) {
        let (channels, count) = (self.channels, self.channels.count);
        if cx.training {
            let pairs: Pairs<'_, R> = samples.iter().map(|s| (s.input(), s.input())).collect();
            let mut partial = cx.scratch.take(pairs.len() * count);
            let mut variance = cx.scratch.take(count);
            let mean = saved.buffer(0, count);
            let numbers = channels.moments(&pairs, &mut partial, mean, &mut variance);
            if let [running_mean, running_var] = update {
                let now = (saved.get(0), &variance[..]);
                follow((running_mean, running_var), now, numbers, self.config.momentum);
            }
            reciprocal(&mut variance, self.config.eps);
            saved.buffer(1, count).copy_from_slice(&variance);
            cx.scratch.put_all([partial, variance]);
        } else {
            self.take_running(saved, cx);
        }
        let scaled = self.scale(saved, cx);
        let norm = Affine { mean: saved.get(0), scale: &scaled, bias: self.affine(cx).1 };
        samples.par_iter_mut().for_each(|s| channels.apply(norm, s.input(), s.output));
        cx.scratch.put(scaled);
    }

    fn backward(
        &self,
        samples: &mut [Back<'_, '_, R>],
        saved: &mut Saved<R>,
        cx: &mut Context<'_, R>,
    ) {
        let (channels, count) = (self.channels, self.channels.count);
        let pairs: Pairs<'_, R> = samples.iter().map(|s| (s.inputs[0], s.d_output)).collect();
        let numbers = pairs.iter().map(|(x, _)| x.len()).sum::<usize>() / count;
        let mut sums = BackSums::take(pairs.len(), count, cx);
        let (mean, deviation) = (saved.get(0), saved.get(1));
        sums.add_up(channels, &pairs, (mean, deviation));
        if self.config.affine
            && let Some(Back { d_params, .. }) = samples.first_mut()
        {
            sums.add_to(d_params, 0);
        }
        let scaled = self.scale(saved, cx);
        let share = if cx.training { R::of(1.0 / numbers.max(1) as f64) } else { R::ZERO };
        samples.par_iter_mut().for_each(|s| {
            let (x, g) = (s.inputs[0], s.d_output);
            let Some(dx) = &mut s.d_inputs[0] else { return };
            sums.input(channels, (mean, deviation, &scaled), share, (x, g), |i, d| dx[i] += d);
        });
        sums.put(cx);
        cx.scratch.put(scaled);
    }

    fn step(
        &self,
        flow: Flow<'_, R>,
        _: &mut [R],
        saved: &mut Saved<R>,
        cx: &mut Context<'_, R>,
    ) -> Result<()> {
        self.take_running(saved, cx);
        let scaled = self.scale(saved, cx);
        let norm = Affine { mean: saved.get(0), scale: &scaled, bias: self.affine(cx).1 };
        self.channels.apply(norm, flow.input(), flow.output);
        cx.scratch.put(scaled);
        Ok(())
    }
}
