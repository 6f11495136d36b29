//! An activation function as a separate layer: `Y_t = f(X_t)`.

use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::error::Result;
use crate::layer::contract::{Description, Layer, only};
use crate::memory::Saved;
use crate::op::{Back, Context, Flow, SampleOp};
use crate::real::Real;
use crate::shape::Shape;

/// Applies an activation function to every number of `[.., item…]`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activate {
    /// The function. Default ReLU.
    #[serde(default)]
    pub kind: Activation,
}

impl Activate {
    /// A layer of this function.
    pub fn new(kind: Activation) -> Self {
        Self { kind }
    }
}

impl Layer for Activate {
    fn describe<R: Real>(&self, inputs: &[Shape]) -> Result<Description<R>> {
        self.kind.check()?;
        Ok(Description::sample(only(inputs)?.clone(), ActivateOp(self.kind)))
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
