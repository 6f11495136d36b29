//! Aggregation over time: one item for all steps.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::layer::contract::{Description, Layer, Spikes, only};
use crate::layer::work::Work;
use crate::memory::Saved;
use crate::op::{Back, Context, Flow, SampleOp};
use crate::real::Real;
use crate::shape::Shape;

/// How [`Aggregate`] combines the items of all steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AggregateKind {
    /// `sum_t X_t / T`, where T is the number of steps of the sample without padding.
    #[default]
    Mean,
    /// `sum_t X_t`.
    Sum,
    /// The last step that is not padding.
    Last,
    /// `Last`, followed by `Mean`, along the first axis: vectors `[L]` to `[2 L]`, images `[C, H, W]` to
    /// `[2 C, H, W]`. The last step knows the end of a sequence, the mean all of it.
    LastAndMean,
    /// Step number `step`, from 0.
    Pick {
        /// Index of the step.
        step: usize,
    },
}

/// Combines all steps into one item: `[N, T, item…]` to `[N, item…]` (twice as long along the first axis
/// for [`LastAndMean`](AggregateKind::LastAndMean)).
///
/// Frame by frame (on a live camera) it gives the value over the steps so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aggregate {
    /// How the steps are combined.
    #[serde(default)]
    pub kind: AggregateKind,
}

impl Aggregate {
    /// Aggregates with `kind` over time.
    pub fn new(kind: AggregateKind) -> Self {
        Self { kind }
    }
}

impl Layer for Aggregate {
    fn describe<R: Real>(&self, inputs: &[Shape]) -> Result<Description<R>> {
        let input = only(inputs)?;
        if !input.timed {
            return Err(Error::shape("an aggregation needs a signal with time steps")
                .expected("[N, T, ..]")
                .found(input));
        }
        let op = AggregateOp { kind: self.kind, len: input.len() };
        // One addition per step, if there is a sum.
        let (work, spikes) = match self.kind {
            AggregateKind::Mean | AggregateKind::Sum | AggregateKind::LastAndMean => {
                (Work::each(input.len(), 0, 1), Spikes::None)
            }
            AggregateKind::Last | AggregateKind::Pick { .. } => (Work::default(), Spikes::SAME),
        };
        let mut item = input.item.clone();
        if self.kind == AggregateKind::LastAndMean {
            let Some(first) = item.first_mut() else {
                return Err(Error::shape(
                    "the last step and the mean are joined as vectors or images",
                )
                .expected("[N, T, L] or [N, T, C, H, W]")
                .found(input));
            };
            *first = first.saturating_mul(2);
        }
        Ok(Description::sample(Shape::once(item), op).work(work).spikes(spikes))
    }
}

#[derive(Debug)]
struct AggregateOp {
    kind: AggregateKind,
    len: usize,
}

/// A part of the output of an aggregation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The sum of all steps, or their mean.
    Sum { mean: bool },
    /// The last step, or the one with this index.
    Step(Option<usize>),
}

impl AggregateOp {
    /// The parts of the output, each of which has `len` numbers.
    fn parts(&self) -> impl Iterator<Item = Part> + use<> {
        let (first, second) = match self.kind {
            AggregateKind::Mean => (Part::Sum { mean: true }, None),
            AggregateKind::Sum => (Part::Sum { mean: false }, None),
            AggregateKind::Last => (Part::Step(None), None),
            AggregateKind::Pick { step } => (Part::Step(Some(step)), None),
            AggregateKind::LastAndMean => (Part::Step(None), Some(Part::Sum { mean: true })),
        };
        std::iter::once(first).chain(second)
    }

    /// The numbers of one step in a signal of `steps` steps.
    fn step_of(&self, step: Option<usize>, steps: usize) -> Range<usize> {
        let step = step.unwrap_or(steps - 1);
        step * self.len..(step + 1) * self.len
    }
}

impl<R: Real> SampleOp<R> for AggregateOp {
    fn check(&self, steps: usize, _: &[&[R]]) -> Result<()> {
        match self.kind {
            AggregateKind::Pick { step } if step >= steps => {
                Err(Error::data("the sample does not have the step to pick")
                    .expected(format!("at least {} steps", step + 1))
                    .found(format!("{steps} steps")))
            }
            _ => Ok(()),
        }
    }

    fn output_steps(&self, _: &[usize]) -> usize {
        1
    }

    fn forward(&self, flow: Flow<'_, R>, _: &mut Saved<R>, _: &mut Context<'_, R>) {
        let x = flow.inputs[0];
        for (part, y) in self.parts().zip(flow.output.chunks_exact_mut(self.len)) {
            match part {
                Part::Step(step) => y.copy_from_slice(&x[self.step_of(step, flow.steps)]),
                Part::Sum { mean } => {
                    y.fill(R::ZERO);
                    for item in x.chunks_exact(self.len) {
                        y.iter_mut().zip(item).for_each(|(sum, &x)| *sum += x);
                    }
                    let steps = if mean { R::of(flow.steps as f64) } else { R::ONE };
                    y.iter_mut().for_each(|sum| *sum = *sum / steps);
                }
            }
        }
    }

    fn backward(&self, back: Back<'_, '_, R>, _: &mut Saved<R>, _: &mut Context<'_, R>) {
        let Some(dx) = &mut back.d_inputs[0] else { return };
        for (part, g) in self.parts().zip(back.d_output.chunks_exact(self.len)) {
            let add = |item: &mut [R], factor: R| {
                item.iter_mut().zip(g).for_each(|(dx, &g)| *dx += g * factor);
            };
            match part {
                Part::Step(step) => add(&mut dx[self.step_of(step, back.steps)], R::ONE),
                Part::Sum { mean } => {
                    let factor = if mean { R::ONE / R::of(back.steps as f64) } else { R::ONE };
                    dx.chunks_exact_mut(self.len).for_each(|item| add(item, factor));
                }
            }
        }
    }

    /// The sum or the picked item so far, followed by the number of steps so far.
    fn state_len(&self) -> usize {
        self.len + 1
    }

    /// Each stretch has a separate result.
    fn carries(&self) -> bool {
        true
    }

    fn step(
        &self,
        flow: Flow<'_, R>,
        state: &mut [R],
        _: &mut Saved<R>,
        _: &mut Context<'_, R>,
    ) -> Result<()> {
        let (held, count) = state.split_at_mut(self.len);
        let (x, step) = (flow.inputs[0], count[0].f64() as usize);
        count[0] += R::ONE;
        for (part, y) in self.parts().zip(flow.output.chunks_exact_mut(self.len)) {
            match part {
                Part::Step(None) => y.copy_from_slice(x),
                Part::Step(Some(wanted)) => {
                    if wanted == step {
                        held.copy_from_slice(x);
                    }
                    y.copy_from_slice(held);
                }
                Part::Sum { mean } => {
                    held.iter_mut().zip(x).for_each(|(sum, &x)| *sum += x);
                    let steps = if mean { count[0] } else { R::ONE };
                    y.iter_mut().zip(held.iter()).for_each(|(y, &sum)| *y = sum / steps);
                }
            }
        }
        Ok(())
    }
}
