//! Layers with several inputs: sums, products and concatenations.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::error::{Error, Result};
use crate::layer::contract::{Description, Layer, Spikes};
use crate::layer::work::Work;
use crate::memory::Saved;
use crate::op::{Back, Context, Flow, SampleOp};
use crate::real::Real;
use crate::shape::Shape;

/// The sum of the inputs, which have the same shape: `Y_t = sum_i X_i,t`, as at the end of a residual
/// branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Add {}

/// The product of two inputs, number by number: `Y_t = factor · X_t · G_t`, `[.., item…]` and the same shape
/// to it. If only the first input has time, the second one counts at every step, so that it can be a gate
/// that something else sets: with `G = σ(..)` and a factor of 2, a gate in its middle changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Multiply {
    /// The factor of all products. Default 1.
    #[serde(default = "one")]
    pub factor: f64,
}

fn one() -> f64 {
    1.0
}

impl Default for Multiply {
    fn default() -> Self {
        Self { factor: one() }
    }
}

/// Concatenates the inputs along the first axis of their items: vectors `[.., L_i]` to `[.., sum L_i]`,
/// images `[.., C_i, H, W]` to `[.., sum C_i, H, W]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Concat {}

/// The first of several inputs. Returns an error if there is only one.
fn several<'a>(what: &str, inputs: &'a [Shape]) -> Result<&'a Shape> {
    match inputs {
        [first, _, ..] => Ok(first),
        _ => Err(Error::config(format!("{what} needs several inputs"))
            .expected("from = [a, b, ..]")
            .found(format!("{} inputs", inputs.len()))),
    }
}

impl Layer for Add {
    fn describe<R: Real>(&self, inputs: &[Shape]) -> Result<Description<R>> {
        let first = several("a sum", inputs)?;
        if let Some(other) = inputs.iter().find(|&input| input != first) {
            return Err(Error::shape("the inputs of a sum must have the same shape")
                .expected(first)
                .found(other));
        }
        Ok(Description::sample(first.clone(), AddOp)
            .work(Work::each(first.len(), 0, inputs.len() - 1))
            .spikes(Spikes::Sum))
    }
}

#[derive(Debug)]
struct AddOp;

impl<R: Real> SampleOp<R> for AddOp {
    fn runs_in_stretches(&self, _steps: usize) -> bool {
        true
    }

    fn forward(&self, flow: Flow<'_, R>, _: &mut Saved<R>, _: &mut Context<'_, R>) {
        flow.output.copy_from_slice(flow.inputs[0]);
        for input in &flow.inputs[1..] {
            flow.output.iter_mut().zip(*input).for_each(|(sum, &x)| *sum += x);
        }
    }

    fn backward(&self, back: Back<'_, '_, R>, _: &mut Saved<R>, _: &mut Context<'_, R>) {
        for dx in back.d_inputs.iter_mut().flatten() {
            dx.iter_mut().zip(back.d_output).for_each(|(dx, &g)| *dx += g);
        }
    }
}

impl Layer for Multiply {
    fn describe<R: Real>(&self, inputs: &[Shape]) -> Result<Description<R>> {
        let [first, second] = inputs else {
            return Err(Error::config("a product needs two inputs")
                .expected("from = [a, b]")
                .found(format!("{} inputs", inputs.len())));
        };
        if first.item != second.item || (second.timed && !first.timed) {
            return Err(Error::shape(
                "the inputs of a product must have the same shape; only the second one may lack time",
            )
            .expected(first)
            .found(second));
        }
        if !self.factor.is_finite() {
            return Err(Error::config("the factor of a product must be finite")
                .expected("a finite number")
                .found(self.factor));
        }
        let products = if self.factor == 1.0 { 1 } else { 2 };
        Ok(Description::sample(first.clone(), MultiplyOp { factor: self.factor }).work(Work::each(
            first.len(),
            products,
            0,
        )))
    }
}

#[derive(Debug)]
struct MultiplyOp {
    factor: f64,
}

impl<R: Real> SampleOp<R> for MultiplyOp {
    fn forward(&self, flow: Flow<'_, R>, _: &mut Saved<R>, _: &mut Context<'_, R>) {
        let (factor, gates) = (R::of(self.factor), flow.inputs[1].iter().cycle());
        let numbers = flow.output.iter_mut().zip(flow.inputs[0]).zip(gates);
        numbers.for_each(|((y, &x), &gate)| *y = factor * x * gate);
    }

    fn backward(&self, back: Back<'_, '_, R>, _: &mut Saved<R>, _: &mut Context<'_, R>) {
        let (factor, [x, gates]) = (R::of(self.factor), [back.inputs[0], back.inputs[1]]);
        let [dx, d_gates] = back.d_inputs else { return };
        if let Some(dx) = dx {
            let numbers = dx.iter_mut().zip(back.d_output).zip(gates.iter().cycle());
            numbers.for_each(|((dx, &g), &gate)| *dx += factor * g * gate);
        }
        if let Some(d_gates) = d_gates {
            let steps = back.d_output.chunks_exact(gates.len()).zip(x.chunks_exact(gates.len()));
            for (g, x) in steps {
                let numbers = d_gates.iter_mut().zip(g).zip(x);
                numbers.for_each(|((sum, &g), &x)| *sum += factor * g * x);
            }
        }
    }
}

impl Layer for Concat {
    fn describe<R: Real>(&self, inputs: &[Shape]) -> Result<Description<R>> {
        let first = several("a concatenation", inputs)?;
        if first.item.is_empty() {
            return Err(Error::shape("a concatenation needs vectors or images")
                .expected("[.., L] or [.., C, H, W]")
                .found(first));
        }
        let fits = |input: &Shape| {
            input.timed == first.timed
                && input.item.len() == first.item.len()
                && input.item[1..] == first.item[1..]
        };
        if let Some(other) = inputs.iter().find(|input| !fits(input)) {
            return Err(Error::shape(
                "the inputs of a concatenation must have equal shapes except for the first axis",
            )
            .expected(format!("like {first}"))
            .found(other));
        }
        let mut item = first.item.clone();
        item[0] = inputs.iter().fold(0, |sum, input| sum.saturating_add(input.item[0]));
        let op = ConcatOp { lens: inputs.iter().map(Shape::len).collect() };
        Ok(Description::sample(first.with_item(item), op).spikes(Spikes::Mean))
    }
}

#[derive(Debug)]
struct ConcatOp {
    /// Number of values in an item of each input.
    lens: SmallVec<[usize; 4]>,
}

impl ConcatOp {
    /// For every step and input: index of the input, its range of numbers, and the range in the output.
    fn pieces(
        &self,
        steps: usize,
    ) -> impl Iterator<Item = (usize, std::ops::Range<usize>, std::ops::Range<usize>)> {
        let mut at = 0;
        let inputs = (0..steps).flat_map(|t| self.lens.iter().enumerate().map(move |l| (t, l)));
        inputs.map(move |(t, (input, &len))| {
            at += len;
            (input, t * len..(t + 1) * len, at - len..at)
        })
    }
}

impl<R: Real> SampleOp<R> for ConcatOp {
    fn runs_in_stretches(&self, _steps: usize) -> bool {
        true
    }

    fn forward(&self, flow: Flow<'_, R>, _: &mut Saved<R>, _: &mut Context<'_, R>) {
        for (input, from, to) in self.pieces(flow.steps) {
            flow.output[to].copy_from_slice(&flow.inputs[input][from]);
        }
    }

    fn backward(&self, back: Back<'_, '_, R>, _: &mut Saved<R>, _: &mut Context<'_, R>) {
        for (input, to, from) in self.pieces(back.steps) {
            if let Some(dx) = &mut back.d_inputs[input] {
                dx[to].iter_mut().zip(&back.d_output[from]).for_each(|(dx, &g)| *dx += g);
            }
        }
    }
}
