//! Dropout.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::layer::contract::{Description, Layer, Spikes, only};
use crate::memory::Saved;
use crate::op::{Back, Context, Flow, SampleOp};
use crate::real::Real;
use crate::shape::Shape;

/// Sets numbers to 0 in training with probability `p` and divides the others by `1 - p`. Does nothing
/// in evaluation. As `torch.nn.Dropout` (Srivastava et al. 2014), except that the dropped numbers
/// depend only on seed, training step, layer and sample.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// Probability, at least 0 and below 1.
    pub p: f64,
    /// Whether the same numbers are dropped at all time steps of a sample. Default false.
    #[serde(default)]
    pub fixed: bool,
}

impl Dropout {
    /// Drops with probability `p`, independently at every time step.
    pub fn new(p: f64) -> Self {
        Self { p, fixed: false }
    }
}

impl Layer for Dropout {
    fn describe<R: Real>(&self, inputs: &[Shape]) -> Result<Description<R>> {
        if !(0.0..1.0).contains(&self.p) {
            return Err(Error::config("the probability of dropout must be at least 0 and below 1")
                .expected("p of 0 or more and less than 1")
                .found(self.p));
        }
        let input = only(inputs)?;
        let op = DropoutOp { p: self.p, period: self.fixed.then(|| input.len()) };
        Ok(Description::sample(input.clone(), op).spikes(Spikes::SAME))
    }
}

#[derive(Debug)]
struct DropoutOp {
    p: f64,
    /// Length after which the mask repeats.
    period: Option<usize>,
}

impl DropoutOp {
    /// The factor for each number, which is the same in the forward and the backward pass.
    fn factors<R: Real>(&self, cx: &Context<'_, R>) -> impl Iterator<Item = R> + use<R> {
        let key = if self.period.is_some() { cx.key } else { cx.step_key() };
        // Of 2^53 equally likely numbers, those below this limit are dropped.
        let bound = (self.p * (1u64 << 53) as f64) as u64;
        let (kept, period) = (R::of(1.0 / (1.0 - self.p)), self.period.unwrap_or(usize::MAX));
        let indices = std::iter::repeat_with(move || 0..period).flatten();
        indices.map(move |i| if key.bits(i as u64) >> 11 < bound { R::ZERO } else { kept })
    }
}

impl<R: Real> SampleOp<R> for DropoutOp {
    fn forward(&self, flow: Flow<'_, R>, _: &mut Saved<R>, cx: &mut Context<'_, R>) {
        if !cx.training {
            flow.output.copy_from_slice(flow.inputs[0]);
            return;
        }
        let numbers = flow.output.iter_mut().zip(flow.inputs[0]);
        numbers.zip(self.factors(cx)).for_each(|((y, &x), factor)| *y = x * factor);
    }

    fn backward(&self, back: Back<'_, '_, R>, _: &mut Saved<R>, cx: &mut Context<'_, R>) {
        let Some(dx) = &mut back.d_inputs[0] else { return };
        let numbers = dx.iter_mut().zip(back.d_output);
        if !cx.training {
            numbers.for_each(|(dx, &g)| *dx += g);
            return;
        }
        numbers.zip(self.factors(cx)).for_each(|((dx, &g), factor)| *dx += g * factor);
    }
}
