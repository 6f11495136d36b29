//! Flattening of items to vectors.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::layer::contract::{Description, Layer, Spikes, only};
use crate::memory::Saved;
use crate::op::{Back, Context, Flow, SampleOp};
use crate::real::Real;
use crate::shape::Shape;

/// Flattens items to vectors, `[.., C, H, W]` to `[.., C·H·W]`, in the order C, H, W, as PyTorch does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flatten {}

impl Layer for Flatten {
    fn describe<R: Real>(&self, inputs: &[Shape]) -> Result<Description<R>> {
        let input = only(inputs)?;
        Ok(Description::sample(input.with_item([input.len()]), Copy).spikes(Spikes::SAME))
    }
}

#[derive(Debug)]
struct Copy;

impl<R: Real> SampleOp<R> for Copy {
    fn runs_in_stretches(&self, _steps: usize) -> bool {
        true
    }

    fn forward(&self, flow: Flow<'_, R>, _: &mut Saved<R>, _: &mut Context<'_, R>) {
        flow.output.copy_from_slice(flow.inputs[0]);
    }

    fn backward(&self, back: Back<'_, '_, R>, _: &mut Saved<R>, _: &mut Context<'_, R>) {
        if let Some(dx) = &mut back.d_inputs[0] {
            dx.iter_mut().zip(back.d_output).for_each(|(dx, &g)| *dx += g);
        }
    }
}
