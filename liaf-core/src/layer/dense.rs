//! Fully connected layer: `Y_t = W X_t + b`.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::init::{Fan, WeightInit};
use crate::kernels::{Matrix, Product};
use crate::layer::contract::{Description, Layer, TensorSpec, only};
use crate::layer::work::{Synapses, Work};
use crate::memory::Saved;
use crate::op::{Back, Context, Flow, SampleOp};
use crate::real::Real;
use crate::shape::Shape;

/// Fully connected layer, at every time step: `[.., L]` to `[.., units]`.
///
/// The parameters are those of `torch.nn.Linear`: `weight` `[units, L]`, `bias` `[units]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dense {
    /// Number of outputs.
    pub units: usize,
    /// Whether a bias is added.
    #[serde(default = "crate::layer::contract::yes")]
    pub bias: bool,
    /// How the first values of weight and bias are chosen.
    #[serde(default)]
    pub init: WeightInit,
}

impl Dense {
    /// A layer with `units` outputs and a bias.
    pub fn new(units: usize) -> Self {
        Self { units, bias: true, init: WeightInit::default() }
    }
}

impl Layer for Dense {
    fn describe<R: Real>(&self, inputs: &[Shape]) -> Result<Description<R>> {
        let input = only(inputs)?;
        if self.units == 0 {
            return Err(Error::config("a dense layer needs at least one unit")
                .expected("units of 1 or more"));
        }
        if input.item.len() != 1 || input.is_empty() {
            return Err(Error::shape("a dense layer needs vectors")
                .expected("[.., L]")
                .found(input)
                .advice("add a flatten layer before it"));
        }
        let (length, units) = (input.len(), self.units);
        let fan = Fan { inputs: length, outputs: units };
        let weight = TensorSpec::new("weight", [units, length], self.init.weight(fan)).decaying();
        let bias = self.bias.then(|| TensorSpec::new("bias", [units], self.init.bias(fan)));
        let op = DenseOp { length, units, bias: self.bias };
        Ok(Description::sample(input.with_item([units]), op)
            .params([weight].into_iter().chain(bias))
            .work(Work::synapses(Synapses::dense(length, units))))
    }
}

/// The number of steps that are multiplied together. It depends on the shapes alone, so that results do
/// not depend on the number of threads.
fn block(steps: usize, macs: usize) -> usize {
    if steps >= 32 && macs >= 1 << 16 {
        steps.div_ceil(4).next_multiple_of(8)
    } else {
        steps.max(1)
    }
}

#[derive(Debug)]
struct DenseOp {
    length: usize,
    units: usize,
    bias: bool,
}

impl<R: Real> SampleOp<R> for DenseOp {
    fn forward(&self, flow: Flow<'_, R>, _: &mut Saved<R>, cx: &mut Context<'_, R>) {
        let (length, units) = (self.length, self.units);
        let x = flow.input();
        if self.bias {
            flow.output.chunks_exact_mut(units).for_each(|row| row.copy_from_slice(cx.params[1]));
        }
        let (kernel, add) = (cx.kernels.product, self.bias);
        let b = Matrix::transposed(cx.params[0], length);
        let rows = block(x.len() / length, units * length);
        let parts = x.chunks(rows * length).zip(flow.output.chunks_mut(rows * units));
        cx.scratch.each(parts, |_, (x, c), _| {
            let (m, a) = (x.len() / length, Matrix::rows(x, length));
            kernel(Product { m, n: units, k: length, a, b, c, c_width: units, add });
        });
    }

    fn backward(&self, back: Back<'_, '_, R>, _: &mut Saved<R>, cx: &mut Context<'_, R>) {
        let (length, units) = (self.length, self.units);
        let (x, g) = (back.inputs[0], back.d_output);
        let steps = x.len() / length;
        (cx.kernels.product)(Product {
            m: units,
            n: length,
            k: steps,
            a: Matrix::transposed(g, units),
            b: Matrix::rows(x, length),
            c: &mut back.d_params[0],
            c_width: length,
            add: true,
        });
        if self.bias {
            for row in g.chunks_exact(units) {
                back.d_params[1].iter_mut().zip(row).for_each(|(sum, &g)| *sum += g);
            }
        }
        if let Some(dx) = &mut back.d_inputs[0] {
            (cx.kernels.product)(Product {
                m: steps,
                n: length,
                k: units,
                a: Matrix::rows(g, units),
                b: Matrix::rows(cx.params[0], length),
                c: dx,
                c_width: length,
                add: !back.write,
            });
        }
    }

    fn writes(&self) -> bool {
        true
    }
}
