//! Aggregation over time: one item for all steps.

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
    /// Step number `step`, from 0.
    Pick {
        /// Index of the step.
        step: usize,
    },
}

/// Combines all steps into one item: `[N, T, item…]` to `[N, item…]`.
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
            AggregateKind::Mean | AggregateKind::Sum => {
                (Work::each(input.len(), 0, 1), Spikes::None)
            }
            AggregateKind::Last | AggregateKind::Pick { .. } => (Work::default(), Spikes::SAME),
        };
        Ok(Description::sample(Shape::once(input.item.clone()), op).work(work).spikes(spikes))
    }
}

#[derive(Debug)]
struct AggregateOp {
    kind: AggregateKind,
    len: usize,
}

impl AggregateOp {
    fn picked(&self, steps: usize) -> Option<usize> {
        match self.kind {
            AggregateKind::Mean | AggregateKind::Sum => None,
            AggregateKind::Last => Some(steps - 1),
            AggregateKind::Pick { step } => Some(step),
        }
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
        if let Some(step) = self.picked(flow.steps) {
            flow.output.copy_from_slice(&x[step * self.len..(step + 1) * self.len]);
            return;
        }
        flow.output.fill(R::ZERO);
        for item in x.chunks_exact(self.len) {
            flow.output.iter_mut().zip(item).for_each(|(sum, &x)| *sum += x);
        }
        if self.kind == AggregateKind::Mean {
            let steps = R::of(flow.steps as f64);
            flow.output.iter_mut().for_each(|sum| *sum = *sum / steps);
        }
    }

    fn backward(&self, back: Back<'_, '_, R>, _: &mut Saved<R>, _: &mut Context<'_, R>) {
        let Some(dx) = &mut back.d_inputs[0] else { return };
        let add = |item: &mut [R], factor: R| {
            item.iter_mut().zip(back.d_output).for_each(|(dx, &g)| *dx += g * factor);
        };
        match self.picked(back.steps) {
            Some(step) => add(&mut dx[step * self.len..(step + 1) * self.len], R::ONE),
            None => {
                let mean = self.kind == AggregateKind::Mean;
                let factor = if mean { R::ONE / R::of(back.steps as f64) } else { R::ONE };
                dx.chunks_exact_mut(self.len).for_each(|item| add(item, factor));
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
        match self.kind {
            AggregateKind::Mean | AggregateKind::Sum => {
                held.iter_mut().zip(x).for_each(|(sum, &x)| *sum += x);
            }
            AggregateKind::Last => held.copy_from_slice(x),
            AggregateKind::Pick { step: wanted } if wanted == step => held.copy_from_slice(x),
            AggregateKind::Pick { .. } => {}
        }
        let steps = if self.kind == AggregateKind::Mean { count[0] } else { R::ONE };
        flow.output.iter_mut().zip(held.iter()).for_each(|(y, &sum)| *y = sum / steps);
        Ok(())
    }
}
