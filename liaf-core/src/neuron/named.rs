//! The constants of a neuron by name: their tensors, and where its operation finds them.

use super::cell::Constants;
use super::constant::{Constant, Form, Value};
use super::{Neuron, Reset};
use crate::layer::contract::TensorSpec;
use crate::shape::Shape;

/// A constant, with its name and the name of its tensor.
pub(super) struct Named<'a> {
    pub name: &'static str,
    tensor: &'static str,
    pub constant: &'a Constant,
    pub form: Form,
}

impl<'a> Named<'a> {
    fn plain(name: &'static str, constant: &'a Constant) -> Self {
        Self { name, tensor: name, constant, form: Form::Plain }
    }

    /// A constant that is learned as a sigmoid, in a tensor with this name.
    fn logit(name: &'static str, learned: &'static str, constant: &'a Constant) -> Self {
        let tensor = if constant.learn { learned } else { name };
        Self { name, tensor, constant, form: Form::SIGMOID }
    }
}

impl Neuron {
    /// The constants that this neuron has.
    fn constants(&self) -> Constants<Option<Named<'_>>> {
        let reset = match &self.reset {
            Reset::To(constant) => Some(Named::plain("reset", constant)),
            Reset::Soft | Reset::SoftAfterLeak => None,
        };
        let synapse = self.synapse.as_ref();
        Constants {
            alpha: Some(Named::logit("alpha", "alpha_logit", &self.alpha)),
            beta: Some(Named::plain("beta", &self.beta)),
            threshold: Some(Named::plain("threshold", &self.threshold)),
            reset,
            gain: Some(Named::plain("gain", &self.gain)),
            synapse: synapse.map(|rho| Named::logit("synapse", "synapse_logit", rho)),
        }
    }

    /// The constants in the order of their tensors.
    pub(super) fn listed(&self) -> impl Iterator<Item = Named<'_>> {
        self.constants().into_array().into_iter().flatten()
    }

    /// The tensors of the learned constants, or those of the fixed ones.
    pub(super) fn tensors(&self, item: &Shape, learned: bool) -> impl Iterator<Item = TensorSpec> {
        self.listed()
            .filter(move |named| named.constant.learn == learned)
            .filter_map(|named| named.constant.tensor(named.tensor, named.form, item))
    }

    /// Where the operation finds each constant, and the number of parameters and buffers that they
    /// take.
    pub(super) fn values(&self, item: &Shape) -> (Constants<Value>, usize, usize) {
        let (mut params, mut buffers) = (0, 0);
        let values = self.constants().map(|named| match named {
            Some(own) => own.constant.value(own.form, item, &mut params, &mut buffers),
            None => Value::fixed(0.0),
        });
        (values, params, buffers)
    }
}
