//! Flatten: an item as one vector.

use serde::{Deserialize, Serialize};

use super::{Layer, only};
use crate::op::{Back, Context, Flow, SampleOp, Saved};
use crate::{Op, Real, Result, Shape};

/// An item as one vector, `[.., C, H, W]` to `[.., C·H·W]`, in the order C, H, W as PyTorch has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flatten {}

impl Layer for Flatten {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let input = only(inputs)?;
        Ok(input.with_item([input.len()]))
    }

    fn spikes(&self, _: &[Shape], rates: &[Option<f64>]) -> Option<f64> {
        rates[0]
    }

    fn op<R: Real>(&self, _: &[Shape]) -> Op<R> {
        Op::sample(Copy)
    }
}

#[derive(Debug)]
struct Copy;

impl<R: Real> SampleOp<R> for Copy {
    fn forward(&self, flow: Flow<'_, R>, _: &mut Saved<R>, _: &mut Context<'_, R>) {
        flow.output.copy_from_slice(flow.inputs[0]);
    }

    fn backward(&self, back: Back<'_, '_, R>, _: &mut Saved<R>, _: &mut Context<'_, R>) {
        if let Some(dx) = &mut back.d_inputs[0] {
            dx.iter_mut().zip(back.d_output).for_each(|(dx, &g)| *dx += g);
        }
    }
}
