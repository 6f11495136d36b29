//! An activation function as a separate layer: `Y_t = f(X_t)`.

use serde::{Deserialize, Serialize};

use crate::activation::Activation;
use crate::error::Result;
use crate::kernels::{Activated, ActivatedBack};
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
    fn runs_in_stretches(&self, _steps: usize) -> bool {
        true
    }

    fn forward(&self, flow: Flow<'_, R>, _: &mut Saved<R>, cx: &mut Context<'_, R>) {
        let (x, y) = (flow.input(), flow.output);
        (cx.kernels.activate)(Activated { activation: self.0, x, y });
    }

    fn backward(&self, back: Back<'_, '_, R>, _: &mut Saved<R>, cx: &mut Context<'_, R>) {
        let Some(dx) = &mut back.d_inputs[0] else { return };
        let (x, y, g, write) = (back.inputs[0], back.output, back.d_output, back.write);
        (cx.kernels.activate_back)(ActivatedBack { activation: self.0, x, y, g, dx, write });
    }

    fn writes(&self) -> bool {
        true
    }
}
