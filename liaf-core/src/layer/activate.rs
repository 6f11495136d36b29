//! An activation function as a layer of its own: `Y_t = f(X_t)`.

use serde::{Deserialize, Serialize};

use super::{Layer, only};
use crate::op::{Back, Context, Flow, SampleOp, Saved};
use crate::{Activation, Op, Real, Result, Shape};

/// An activation function of every number, `[.., item…]` to the same shape.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activate {
    /// Which. Default ReLU.
    #[serde(default)]
    pub kind: Activation,
}

impl Activate {
    /// This function.
    pub fn new(kind: Activation) -> Self {
        Self { kind }
    }
}

impl Layer for Activate {
    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        self.kind.check()?;
        Ok(only(inputs)?.clone())
    }

    fn op<R: Real>(&self, _: &[Shape]) -> Op<R> {
        Op::sample(ActivateOp(self.kind))
    }
}

#[derive(Debug)]
struct ActivateOp(Activation);

impl<R: Real> SampleOp<R> for ActivateOp {
    fn forward(&self, flow: Flow<'_, R>, _: &mut Saved<R>, _: &mut Context<'_, R>) {
        flow.output.iter_mut().zip(flow.inputs[0]).for_each(|(y, &x)| *y = self.0.value(x));
    }

    fn backward(&self, back: Back<'_, '_, R>, _: &mut Saved<R>, _: &mut Context<'_, R>) {
        let Some(dx) = &mut back.d_inputs[0] else { return };
        for ((dx, &x), &g) in dx.iter_mut().zip(back.inputs[0]).zip(back.d_output) {
            *dx += g * self.0.derivative(x);
        }
    }
}
