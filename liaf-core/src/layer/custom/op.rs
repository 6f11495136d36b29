//! The operation of a custom layer: gives both passes their slices.

use std::any::Any;
use std::sync::Arc;

use smallvec::SmallVec;

use super::{CustomBackward, CustomForward, CustomLayer, CustomSpec};
use crate::memory::{Room, Saved};
use crate::op::{Back, Context, Flow, SampleOp};
use crate::real::Real;
use crate::shape::Shape;

/// The buffers in [`Saved`]: the state before the first step, and what the layer saves.
const STATE: usize = 0;
const SAVED: usize = 1;

/// A custom layer with its shapes.
#[derive(Debug)]
struct CustomOp<L> {
    layer: Arc<L>,
    inputs: Vec<Shape>,
    spec: CustomSpec,
}

/// The operation of a layer for each number type. It is made for both, because a method of a trait
/// object cannot be generic.
pub(super) struct Ops {
    single: Box<dyn SampleOp<f32>>,
    double: Box<dyn SampleOp<f64>>,
}

impl Ops {
    pub fn new<L: CustomLayer>(layer: &Arc<L>, inputs: &[Shape], spec: &CustomSpec) -> Self {
        let op =
            || CustomOp { layer: Arc::clone(layer), inputs: inputs.to_vec(), spec: spec.clone() };
        Self { single: Box::new(op()), double: Box::new(op()) }
    }

    /// The operation for numbers of type `R`. There is one, because `R` is `f32` or `f64`.
    pub fn choose<R: Real>(self) -> Option<Box<dyn SampleOp<R>>> {
        let both: [Box<dyn Any>; 2] = [Box::new(self.single), Box::new(self.double)];
        both.into_iter().find_map(|op| op.downcast().ok()).map(|op| *op)
    }
}

impl<R: Real, L: CustomLayer> SampleOp<R> for CustomOp<L> {
    fn forward(&self, flow: Flow<'_, R>, saved: &mut Saved<R>, cx: &mut Context<'_, R>) {
        let Flow { steps, inputs, output, carry } = flow;
        let (spec, key) = (&self.spec, cx.step_key());
        let mut working = cx.scratch.take(spec.working * steps);
        let zeros = if carry.is_some() { 0 } else { SampleOp::<R>::state_len(self) };
        let mut initial = cx.scratch.zeros(zeros);
        let state = carry.unwrap_or(&mut initial);
        saved.buffer(STATE, state.len()).copy_from_slice(state);
        self.layer.forward(CustomForward {
            steps,
            shapes: &self.inputs,
            inputs,
            params: cx.params,
            output,
            saved: saved.buffer(SAVED, spec.saved * steps),
            working: &mut working,
            state,
            training: cx.training,
            key,
        });
        cx.scratch.put_all([working, initial]);
    }

    fn backward(&self, back: Back<'_, '_, R>, saved: &mut Saved<R>, cx: &mut Context<'_, R>) {
        let Back { steps, inputs, output, d_output, d_inputs, write: _, d_params } = back;
        let key = cx.step_key();
        let mut working = cx.scratch.take(self.spec.working * steps);
        let mut d_inputs: SmallVec<[Option<&mut [R]>; 4]> =
            d_inputs.iter_mut().map(Option::as_deref_mut).collect();
        let mut d_params: SmallVec<[&mut [R]; 8]> =
            d_params.iter_mut().map(Vec::as_mut_slice).collect();
        self.layer.backward(CustomBackward {
            steps,
            shapes: &self.inputs,
            inputs,
            params: cx.params,
            output,
            saved: saved.get(SAVED),
            working: &mut working,
            state: saved.get(STATE),
            d_output,
            d_inputs: &mut d_inputs,
            d_params: &mut d_params,
            training: cx.training,
            key,
        });
        cx.scratch.put(working);
    }

    fn state_len(&self) -> usize {
        self.spec.state.unwrap_or(0)
    }

    fn room(&self, steps: usize, _keep: bool) -> Room {
        let (spec, state) = (&self.spec, SampleOp::<R>::state_len(self));
        Room::new(&[&[spec.saved, steps], &[state]], &[&[spec.working, steps], &[state]])
    }

    fn carries(&self) -> bool {
        self.spec.state.is_some() || self.inputs.iter().all(|input| !input.timed)
    }

    fn output_steps(&self, steps: &[usize]) -> usize {
        if self.spec.output.timed { steps.first().copied().unwrap_or(1) } else { 1 }
    }
}
