//! Sums over the channels of a batch, in an order that does not depend on threads.

use rayon::prelude::*;
use smallvec::SmallVec;

use crate::memory::Buffer;
use crate::op::Context;
use crate::real::Real;
use crate::shape::Shape;

/// Two signals `[T, C, ..]` of one sample, over which sums are computed together.
pub(crate) type Pair<'a, R> = (&'a [R], &'a [R]);

/// The pairs of all samples.
pub(crate) type Pairs<'a, R> = SmallVec<[Pair<'a, R>; 32]>;

/// The normalisation to apply to every channel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Affine<'a, R> {
    pub mean: &'a [R],
    pub scale: &'a [R],
    /// Empty for 0.
    pub bias: &'a [R],
}

/// The channels of an item: their number, and the number of values in each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Channels {
    pub count: usize,
    pub run: usize,
}

impl Channels {
    pub fn of(item: &Shape) -> Self {
        let (count, run) = item.channels();
        Self { count, run }
    }

    /// Number of values in an item.
    pub fn len(self) -> usize {
        self.count * self.run
    }

    /// Sums `f(channel, a, b)` over the pairs into `sums`, one sum per channel. Each sample is summed
    /// by one thread in double precision, into `partial`, `[N, C]`; the samples are then added in
    /// order.
    pub fn sum<R: Real>(
        self,
        pairs: &[Pair<'_, R>],
        partial: &mut [R],
        sums: &mut [R],
        f: impl Fn(usize, R, R) -> f64 + Sync,
    ) {
        let own = partial.par_chunks_mut(self.count).zip(pairs);
        own.for_each(|(partial, (a, b))| {
            for (c, partial) in partial.iter_mut().enumerate() {
                let starts = (c * self.run..a.len()).step_by(self.len());
                let ranges = starts.map(|start| start..start + self.run);
                let f = |a, b| f(c, a, b);
                *partial = R::of(ranges.map(|r| lanes(&a[r.clone()], &b[r], f)).sum());
            }
        });
        for (c, sum) in sums.iter_mut().enumerate() {
            let parts = partial.chunks(self.count).take(pairs.len());
            *sum = R::of(parts.map(|partial| partial[c].f64()).sum());
        }
    }

    /// Mean and biased variance of every channel, and the number of values that they are computed from.
    /// In each pair, both signals must be the same.
    pub fn moments<R: Real>(
        self,
        pairs: &[Pair<'_, R>],
        partial: &mut [R],
        mean: &mut [R],
        variance: &mut [R],
    ) -> usize {
        let numbers = pairs.iter().map(|(a, _)| a.len()).sum::<usize>() / self.count;
        let share = R::of(1.0 / numbers.max(1) as f64);
        self.sum(pairs, partial, mean, |_, x, _| x.f64());
        mean.iter_mut().for_each(|mean| *mean *= share);
        let around = &*mean;
        self.sum(pairs, partial, variance, |c, x, _| (x - around[c]).f64().powi(2));
        variance.iter_mut().for_each(|variance| *variance *= share);
        numbers
    }

    /// `y = (x - mean) scale + bias`, for `[T, C, ..]`.
    pub fn apply<R: Real>(self, norm: Affine<'_, R>, x: &[R], y: &mut [R]) {
        let rows = x.chunks_exact(self.run).zip(y.chunks_exact_mut(self.run));
        for (i, (x, y)) in rows.enumerate() {
            let c = i % self.count;
            let (mean, scale) = (norm.mean[c], norm.scale[c]);
            let bias = norm.bias.get(c).copied().unwrap_or(R::ZERO);
            x.iter().zip(y).for_each(|(&x, y)| *y = (x - mean) * scale + bias);
        }
    }
}

/// Sum of `f(a, b)`, computed in eight lanes.
pub(crate) fn lanes<R: Real>(a: &[R], b: &[R], f: impl Fn(R, R) -> f64) -> f64 {
    let mut lanes = [0.0; 8];
    let (whole_a, whole_b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest = whole_a.remainder().iter().zip(whole_b.remainder());
    let rest: f64 = rest.map(|(&a, &b)| f(a, b)).sum();
    for (a, b) in whole_a.zip(whole_b) {
        lanes.iter_mut().zip(a.iter().zip(b)).for_each(|(lane, (&a, &b))| *lane += f(a, b));
    }
    lanes.iter().sum::<f64>() + rest
}

/// Updates running statistics with those of a batch, mean and unbiased variance of `numbers` values,
/// with weight `momentum`. A single value has no unbiased variance: the running variance is then
/// unchanged.
pub(crate) fn follow<R: Real>(
    (running_mean, running_variance): (&mut [R], &mut [R]),
    (mean, variance): (&[R], &[R]),
    numbers: usize,
    momentum: f64,
) {
    let (new, old) = (R::of(momentum), R::of(1.0 - momentum));
    running_mean.iter_mut().zip(mean).for_each(|(running, &m)| *running = old * *running + new * m);
    if numbers > 1 {
        let unbiased = R::of(numbers as f64 / (numbers - 1) as f64);
        let all = running_variance.iter_mut().zip(variance);
        all.for_each(|(running, &v)| *running = old * *running + new * (v * unbiased));
    }
}

/// What the backward pass over a normalised batch needs to know about the whole batch: `sum g` and `sum
/// g n`, where n is the normalised signal.
#[derive(Debug)]
pub(crate) struct BackSums<R> {
    gradient: Buffer<R>,
    normal: Buffer<R>,
    partial: Buffer<R>,
}

impl<R: Real> BackSums<R> {
    pub fn take(samples: usize, count: usize, cx: &mut Context<'_, R>) -> Self {
        Self {
            gradient: cx.scratch.take(count),
            normal: cx.scratch.take(count),
            partial: cx.scratch.take(samples * count),
        }
    }

    pub fn put(self, cx: &mut Context<'_, R>) {
        cx.scratch.put_all([self.gradient, self.normal, self.partial]);
    }

    /// The sums over pairs of signal and gradient.
    pub fn add_up(
        &mut self,
        channels: Channels,
        pairs: &[Pair<'_, R>],
        (mean, deviation): (&[R], &[R]),
    ) {
        channels.sum(pairs, &mut self.partial, &mut self.gradient, |_, _, g| g.f64());
        let normal = |c: usize, x: R, g: R| ((x - mean[c]) * deviation[c] * g).f64();
        channels.sum(pairs, &mut self.partial, &mut self.normal, normal);
    }

    /// Adds the gradients of weight and bias to parameter number `first` and the one after it.
    pub fn add_to(&self, d_params: &mut [Vec<R>], first: usize) {
        let sums = [&self.normal, &self.gradient];
        for (d, sums) in d_params.iter_mut().skip(first).zip(sums) {
            d.iter_mut().zip(sums).for_each(|(d, &sum)| *d += sum);
        }
    }

    /// Passes the gradient with respect to every number of a signal, `scale (g - share (sum g + n sum g
    /// n))`, to `to`. `share` is 1 / (number of values of a channel), or 0 if the running statistics
    /// were used.
    pub fn input(
        &self,
        channels: Channels,
        (mean, deviation, scale): (&[R], &[R], &[R]),
        share: R,
        (x, g): Pair<'_, R>,
        mut to: impl FnMut(usize, R),
    ) {
        let runs = x.chunks_exact(channels.run).zip(g.chunks_exact(channels.run));
        for (i, (x, g)) in runs.enumerate() {
            let c = i % channels.count;
            let (sum, sum_normal) = (share * self.gradient[c], share * self.normal[c]);
            for (j, (&x, &g)) in x.iter().zip(g).enumerate() {
                let normal = (x - mean[c]) * deviation[c];
                to(i * channels.run + j, scale[c] * (g - sum - normal * sum_normal));
            }
        }
    }
}

/// `1 / √(variance + eps)`, in place.
pub(crate) fn reciprocal<R: Real>(variance: &mut [R], eps: f64) {
    variance.iter_mut().for_each(|v| *v = R::ONE / (*v + R::of(eps)).sqrt());
}

/// Weight times reciprocal deviation. An empty weight counts as 1.
pub(crate) fn scale<R: Real>(weight: &[R], reciprocal: &[R], scale: &mut [R]) {
    for (c, (scale, &r)) in scale.iter_mut().zip(reciprocal).enumerate() {
        *scale = weight.get(c).map_or(r, |&w| w * r);
    }
}
