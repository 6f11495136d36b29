//! LIF neurons whose input decays with the membrane, and whose time constant may be learned.

use serde::{Deserialize, Serialize};

use super::cell::{Constants, ResetRule, Rules};
use super::constant::{Form, Source, Value};
use super::op::NeuronOp;
use super::{Constant, Output, Reset, Surrogate, SurrogateKind, check_rules, spikes, timed};
use crate::error::{Error, Result};
use crate::init::Init;
use crate::layer::contract::{Description, Layer, TensorSpec};
use crate::layer::work::Work;
use crate::real::Real;
use crate::shape::Shape;

/// Parametric LIF (Fang et al. 2021, arXiv 2007.05785), as `ParametricLIFNode` of SpikingJelly, with
/// its defaults; with `learn = false` it is `LIFNode`. `[N, T, item…]` to the same shape.
///
/// With `k = 1 / tau`, learned as `k = σ(w)`, and V the membrane after reset:
/// `U_t = V_{t-1} + k (I_t - (V_{t-1} - V_reset))` or, if the input does not decay,
/// `U_t = V_{t-1} - k (V_{t-1} - V_reset) + I_t`. In the terms of [`Neuron`](super::Neuron):
/// `alpha = 1 - k`, gain k (or 1), `beta = k V_reset`, and the membrane starts at V_reset. With a soft
/// reset, V_reset is 0 in these formulas.
///
/// The parameter, as in SpikingJelly, is `w` `[]`, one for all neurons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Plif {
    /// Time constant in steps, above 1; if it is learned, its first value. Default 2.
    pub tau: f64,
    /// Whether the time constant is learned. Default true.
    pub learn: bool,
    /// Whether the input is multiplied by k. Default true.
    pub decay_input: bool,
    /// The output. Default: spikes.
    pub output: Output,
    /// Whether an analog output is a function of `U - V_th` instead of `U`. Default true.
    pub threshold_related: bool,
    /// Firing threshold V_th. Default 1.
    pub threshold: f64,
    /// The reset: a fixed number or a soft reset. Default 0.
    pub reset: Reset,
    /// Whether no gradient flows through the spike of the reset. Default false.
    pub detach_reset: bool,
    /// Derivative of a spike. Default: sigmoid, a = 4.
    pub surrogate: Surrogate,
    /// The layer whose `w` is used instead of a separate one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_with: Option<String>,
}

impl Default for Plif {
    fn default() -> Self {
        Self {
            tau: 2.0,
            learn: true,
            decay_input: true,
            output: Output::Spike,
            threshold_related: true,
            threshold: 1.0,
            reset: Reset::default(),
            detach_reset: false,
            surrogate: Surrogate::new(SurrogateKind::Sigmoid),
            shared_with: None,
        }
    }
}

impl Plif {
    /// V_reset, if it is a single number; 0 for a soft reset.
    fn rest(&self) -> Option<f64> {
        match &self.reset {
            Reset::To(constant) => {
                let number = constant.init.value();
                (*constant == Constant::from(number) && number.is_finite()).then_some(number)
            }
            Reset::Soft => Some(0.0),
            Reset::SoftAfterLeak => None,
        }
    }
}

impl Layer for Plif {
    fn describe<R: Real>(&self, inputs: &[Shape]) -> Result<Description<R>> {
        let input = timed(inputs)?;
        if !(self.tau.is_finite() && self.tau > 1.0) {
            return Err(Error::config("the time constant must be finite and above 1")
                .expected("tau above 1")
                .found(self.tau));
        }
        let Some(rest) = self.rest().filter(|_| self.threshold.is_finite()) else {
            return Err(Error::config(
                "the threshold and the reset of a PLIF neuron must be finite",
            )
            .expected("a finite number, or a soft reset"));
        };
        if self.shared_with.is_some() && !self.learn {
            return Err(Error::config("tau is fixed, and only a learned tau can be shared")
                .advice("write it in both layers, or set learn = true"));
        }
        check_rules(self.output, self.surrogate)?;
        let w = TensorSpec {
            shared_with: self.shared_with.clone(),
            ..TensorSpec::new("w", [], Init::Constant(-(self.tau - 1.0).ln()))
        };
        // As `Neuron`, with one more multiplication if the input decays.
        let work = Work::each(input.len(), 2 + usize::from(self.decay_input), 2);
        Ok(Description::sample(input.clone(), self.op(input.len(), rest))
            .params([w].into_iter().filter(|_| self.learn))
            .work(work)
            .spikes(spikes(self.output)))
    }
}

impl Plif {
    /// The operation for items of `len` numbers, where `rest` is V_reset.
    fn op(&self, len: usize, rest: f64) -> NeuronOp {
        // offset + scale k
        let of_k = |offset: f64, scale: f64| {
            if self.learn {
                Value { source: Source::Param(0), form: Form::Sigmoid { offset, scale }, run: len }
            } else {
                Value::fixed(offset + scale / self.tau)
            }
        };
        let hard = matches!(self.reset, Reset::To(_));
        NeuronOp {
            rules: Rules {
                output: self.output,
                threshold_related: self.threshold_related,
                reset: if hard { ResetRule::Hard } else { ResetRule::Soft },
                detach_reset: self.detach_reset,
                surrogate: self.surrogate,
            },
            values: Constants {
                alpha: of_k(1.0, -1.0),
                beta: if rest == 0.0 { Value::fixed(0.0) } else { of_k(0.0, rest) },
                threshold: Value::fixed(self.threshold),
                reset: Value::fixed(rest),
                gain: if self.decay_input { of_k(0.0, 1.0) } else { Value::fixed(1.0) },
                synapse: Value::fixed(0.0),
            },
            synapse: false,
            recurrent: None,
            start: rest,
            len,
        }
    }
}
