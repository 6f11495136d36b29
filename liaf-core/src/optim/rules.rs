//! One step of the optimisers for one tensor, elementwise, so that results do not depend on threads.

use rayon::prelude::*;

use super::Sgd;
use crate::real::Real;

/// Number of values that a thread processes at a time.
const PIECE: usize = 1 << 15;

pub(super) fn sgd<R: Real>(
    p: &mut [R],
    gradient: &[R],
    momentum: Option<&mut [R]>,
    config: &Sgd,
    decay: f64,
    rate: f64,
    first: bool,
) {
    let (decay, rate) = (R::of(decay), R::of(rate));
    let Some(momentum) = momentum else {
        let pieces = p.par_chunks_mut(PIECE).zip(gradient.par_chunks(PIECE));
        return pieces.for_each(|(p, g)| {
            p.iter_mut().zip(g).for_each(|(p, &g)| *p -= rate * (g + decay * *p));
        });
    };
    let (kept, new) = (R::of(config.momentum), R::of(1.0 - config.dampening));
    let pieces = p.par_chunks_mut(PIECE).zip(gradient.par_chunks(PIECE));
    pieces.zip(momentum.par_chunks_mut(PIECE)).for_each(|((p, g), momentum)| {
        for ((p, &g), b) in p.iter_mut().zip(g).zip(momentum) {
            let g = g + decay * *p;
            *b = if first { g } else { kept * *b + new * g };
            *p -= rate * if config.nesterov { g + kept * *b } else { *b };
        }
    });
}

/// The values of one step of Adam that are the same for all weights.
#[derive(Debug, Clone, Copy)]
pub(super) struct AdamStep<R> {
    new_first: R,
    kept_second: R,
    new_second: R,
    /// The learning rate, corrected for the start of the first moment at 0.
    rate: R,
    /// Square root of the corresponding correction of the second moment.
    root: R,
    epsilon: R,
}

impl<R: Real> AdamStep<R> {
    pub fn new(betas: [f64; 2], epsilon: f64, step: u64, rate: f64) -> Self {
        let correction = |beta: f64| 1.0 - beta.powf(step as f64);
        Self {
            new_first: R::of(1.0 - betas[0]),
            kept_second: R::of(betas[1]),
            new_second: R::of(1.0 - betas[1]),
            rate: R::of(rate / correction(betas[0])),
            root: R::of(correction(betas[1]).sqrt()),
            epsilon: R::of(epsilon),
        }
    }

    /// `decay` times the weights is added to the gradient; `shrink` times the weights is subtracted
    /// from them.
    pub fn apply(
        self,
        p: &mut [R],
        gradient: &[R],
        first: &mut [R],
        second: &mut [R],
        decay: f64,
        shrink: f64,
    ) {
        let (decay, kept) = (R::of(decay), R::of(1.0 - shrink));
        let pieces = p.par_chunks_mut(PIECE).zip(gradient.par_chunks(PIECE));
        let moments = first.par_chunks_mut(PIECE).zip(second.par_chunks_mut(PIECE));
        pieces.zip(moments).for_each(|((p, g), (first, second))| {
            for (((p, &g), m), v) in p.iter_mut().zip(g).zip(first).zip(second) {
                let old = *p * kept;
                let g = g + decay * old;
                *m += self.new_first * (g - *m);
                *v = self.kept_second * *v + self.new_second * g * g;
                *p = old - self.rate * *m / (v.sqrt() / self.root + self.epsilon);
            }
        });
    }
}
