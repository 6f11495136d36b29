//! The neurons: LIF and LIAF, elementwise over time.
//!
//! | | |
//! |---|---|
//! | integrate | `U_t = I_t + V_{t-1}`, `V_0 = 0` |
//! | fire | `F_t = [U_t >= V_th]` |
//! | reset | `R_t = F_t V_reset + (1 - F_t) U_t` |
//! | leak | `V_t = alpha R_t + beta` |
//! | LIF | `Y_t = F_t` |
//! | LIAF | `Y_t = act(U_t - V_th)` (threshold-related) or `act(U_t)` |
//!
//! Source: Wu et al., LIAF-Net, arXiv 2011.06176. The analog output is a function of `U_t` before reset
//! and leak; in a LIAF neuron the only effect of a spike is to reset the membrane.
//!
//! In the backward pass, with the surrogate `s` for `dF/dU`:
//! `dV_t/dU_t = alpha [s(U_t - V_th) (V_reset - U_t) + 1 - F_t]`; `detach_reset` drops the term of s.
//!
//! Variants, all in [`Neuron`]: soft reset ([`Reset`]), constants per channel or neuron, fixed or
//! learned ([`Constant`]), also with time constants spread over the neurons
//! ([`First::Tau`]), other surrogates ([`Surrogate`]), coupled membranes (`recurrent`), a synapse
//! with a separate state (`synapse`), a leaky integrator that never fires ([`Output::Membrane`]), batch
//! norm inside the recurrence (`norm`). With `alpha = 1` it is the integrate-and-fire neuron. [`Plif`]
//! is the neuron of SpikingJelly, whose input decays with the membrane.

mod cell;
mod constant;
mod first;
mod named;
mod normed;
mod op;
mod output;
mod plif;
mod recurrent;
mod surrogate;
mod synaptic;

pub use constant::{Constant, Sharing};
pub use first::First;
pub use output::{Output, Reset};
pub use plif::Plif;
pub use surrogate::{Surrogate, SurrogateKind};

use serde::{Deserialize, Serialize};

use self::cell::{ResetRule, Rules};
use self::named::Named;
use self::normed::NormedOp;
use self::op::NeuronOp;
use crate::activation::Activation;
use crate::error::{Error, Result};
use crate::init::WeightInit;
use crate::layer::contract::{Description, Layer, Spikes, only};
use crate::layer::norm::BatchNorm;
use crate::layer::norm::moments::Channels;
use crate::layer::work::{Synapses, Work};
use crate::real::Real;
use crate::shape::Shape;

/// A layer of neurons, one for each number of its input: `[N, T, item…]` to the same shape.
///
/// ```
/// use liaf_core::NetworkConfig;
/// let config = NetworkConfig::from_toml(r#"
///     [inputs.frames]
///     shape = [2, 8, 8]
///
///     [[layers]]
///     type = "neuron"
///     output = "selu"
///     threshold_related = false
///     alpha = { init = 0.6225, learn = true, per = "channel" }
///     reset = "soft"
///     surrogate = { kind = "rectangle", a = 0.25 }
/// "#)?;
/// assert_eq!(config.build::<f32>(0)?.parameter_count(), 2);
/// # Ok::<(), liaf_core::Error>(())
/// ```
///
/// If constants are learned or differ between neurons, they are stored in tensors: `alpha_logit`
/// (`alpha = σ(w)`) or, if fixed, `alpha`; `beta`; `threshold`; `reset`; `gain`; `synapse_logit` or
/// `synapse`. A recurrent layer has `weight` `[L, L]` and `bias` `[L]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Neuron {
    /// The output. Default: ReLU.
    pub output: Output,
    /// Whether an analog output is a function of `U - V_th` instead of `U`. Default true.
    pub threshold_related: bool,
    /// Firing threshold V_th. Default 0.5.
    pub threshold: Constant,
    /// Leak alpha: the share of the membrane that is left one step later; learned as `σ(w)`. Default
    /// 0.3.
    pub alpha: Constant,
    /// Additive leak. Default 0.
    pub beta: Constant,
    /// The effect of a spike on the membrane. Default: it is set to 0.
    pub reset: Reset,
    /// Whether no gradient flows through the spike of the reset. Default false, as in the paper.
    pub detach_reset: bool,
    /// Derivative of a spike. Default: rectangle of half-width 0.5 and height 1.
    pub surrogate: Surrogate,
    /// The factor by which the input is multiplied. Default 1.
    pub gain: Constant,
    /// The decay rho of a synapse with a separate current, `S_t = rho S_{t-1} + gain I_t`, which the
    /// membrane integrates instead of the input; learned as `σ(w)`. Default: no synapse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synapse: Option<Constant>,
    /// Whether a matrix is applied to the membranes of the previous step, `U_t = I_t + W V_{t-1} + b`.
    /// This needs vectors. Default false.
    pub recurrent: bool,
    /// How the first values of that matrix and bias are chosen.
    pub init: WeightInit,
    /// Batch norm inside the recurrence: it normalises `U = I + V`, separately at every step over the
    /// batch, before firing, as in the LIAF layers of BIDL; `{}` for its defaults. It cannot be
    /// combined with a gain, a synapse or recurrence. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub norm: Option<BatchNorm>,
}

impl Default for Neuron {
    fn default() -> Self {
        Self {
            output: Output::Analog(Activation::Relu),
            threshold_related: true,
            threshold: 0.5.into(),
            alpha: 0.3.into(),
            beta: 0.0.into(),
            reset: Reset::default(),
            detach_reset: false,
            surrogate: Surrogate::default(),
            gain: 1.0.into(),
            synapse: None,
            recurrent: false,
            init: WeightInit::default(),
            norm: None,
        }
    }
}

impl Neuron {
    /// A spiking neuron with the default constants.
    pub fn lif() -> Self {
        Self { output: Output::Spike, ..Self::default() }
    }

    /// An analog, threshold-related neuron with the default constants.
    pub fn liaf(activation: Activation) -> Self {
        Self { output: activation.into(), ..Self::default() }
    }

    /// A leaky integrator with the default constants.
    pub fn integrator() -> Self {
        Self { output: Output::Membrane, ..Self::default() }
    }
}

impl Neuron {
    /// Returns an error if a value is invalid, or if options cannot be combined, for inputs of this
    /// shape.
    fn check(&self, input: &Shape) -> Result<()> {
        for Named { name, constant, form, .. } in self.listed() {
            constant.check(name, form)?;
        }
        check_rules(self.output, self.surrogate)?;
        if self.recurrent && input.item.len() != 1 {
            return Err(Error::shape("a recurrent neuron needs vectors")
                .expected("[N, T, L]")
                .found(input)
                .advice("add a flatten layer before it"));
        }
        let Some(norm) = &self.norm else { return Ok(()) };
        norm.check()?;
        if self.recurrent || self.synapse.is_some() || self.gain != Constant::from(1.0) {
            return Err(Error::config(
                "a neuron with a norm inside cannot have a gain, a synapse or recurrence",
            )
            .expected("none of these options, or no norm"));
        }
        Ok(())
    }

    /// Per neuron, two additions (integration, threshold) and two multiplications (leak, reset); one
    /// more of each for a synapse or a norm, one multiplication for a gain, and the matrix of a
    /// recurrent layer.
    fn work(&self, len: usize) -> Work {
        let synapse = usize::from(self.synapse.is_some() || self.norm.is_some());
        let gain = usize::from(self.gain != Constant::from(1.0));
        let work = Work::each(len, 2 + synapse + gain, 2 + synapse);
        if self.recurrent { work.and_recurrent(Synapses::dense(len, len).macs()) } else { work }
    }
}

impl Layer for Neuron {
    fn describe<R: Real>(&self, inputs: &[Shape]) -> Result<Description<R>> {
        let input = timed(inputs)?;
        self.check(input)?;
        let (len, channels) = (input.len(), Channels::of(input));
        let (values, params, buffers) = self.values(input);
        let rules = Rules {
            output: self.output,
            threshold_related: self.threshold_related,
            reset: match self.reset {
                Reset::To(_) => ResetRule::Hard,
                Reset::Soft => ResetRule::Soft,
                Reset::SoftAfterLeak => ResetRule::SoftAfterLeak,
            },
            detach_reset: self.detach_reset,
            surrogate: self.surrogate,
        };
        let (learned, kept) = (self.tensors(input, true), self.tensors(input, false));
        let described = match self.norm {
            Some(norm) => {
                let first = (params, buffers);
                let op = NormedOp { rules, values, norm, channels, first };
                let running = ["norm.running_mean", "norm.running_var"];
                Description::batch(input.clone(), op)
                    .params(learned.chain(norm.params(channels, ["norm.weight", "norm.bias"])))
                    .buffers(kept.chain(BatchNorm::buffers(channels, running)))
            }
            None => {
                let (synapse, recurrent) = (self.synapse.is_some(), self.recurrent);
                let matrix = recurrent.then(|| recurrent::params(len, &self.init));
                let recurrent = recurrent.then_some(params);
                let op = NeuronOp { rules, values, synapse, recurrent, start: 0.0, len };
                Description::sample(input.clone(), op)
                    .params(learned.chain(matrix.into_iter().flatten()))
                    .buffers(kept)
            }
        };
        Ok(described.work(self.work(len)).spikes(spikes(self.output)))
    }
}

/// The relation of an output to spikes.
fn spikes(output: Output) -> Spikes {
    if output == Output::Spike { Spikes::Fires } else { Spikes::None }
}

/// The only input of a layer of neurons.
fn timed(inputs: &[Shape]) -> Result<&Shape> {
    let input = only(inputs)?;
    if !input.timed {
        return Err(Error::shape("a neuron needs a signal with time steps")
            .expected("[N, T, ..]")
            .found(input));
    }
    Ok(input)
}

fn check_rules(output: Output, surrogate: Surrogate) -> Result<()> {
    if let Output::Analog(activation) = output {
        activation.check()?;
    }
    surrogate.check()
}
