//! The output of a neuron, and its reset.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Constant;
use super::constant::visit_numbers;
use crate::activation::Activation;

/// The output of a neuron: in a configuration `"spike"`, `"membrane"`, or an activation function,
/// `"relu"`, `{ leaky_relu = { slope = 0.2 } }`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(
    rename_all = "snake_case",
    expecting = "the output of a neuron: spike, membrane or an activation (identity, relu, leaky_relu, \
                 selu, elu, sigmoid, tanh)"
)]
pub enum Output {
    /// Spikes: a LIF neuron.
    Spike,
    /// The membrane potential of a neuron that never fires: a leaky integrator, for readouts.
    Membrane,
    /// An activation function of the membrane potential: a LIAF neuron.
    #[serde(untagged)]
    Analog(Activation),
}

impl From<Activation> for Output {
    fn from(activation: Activation) -> Self {
        Self::Analog(activation)
    }
}

/// The effect of a spike on the membrane: in a configuration a number or table (the value of a hard
/// reset), `"soft"`, or `"soft_after_leak"`.
#[derive(Debug, Clone, PartialEq)]
pub enum Reset {
    /// Sets the membrane to a value: `R = F V_reset + (1 - F) U`.
    To(Constant),
    /// Subtracts the threshold: `R = U - F V_th`. As SpikingJelly with `v_reset=None`.
    Soft,
    /// Subtracts the threshold after the leak: `V = alpha U + beta - F V_th`. As snnTorch's
    /// `"subtract"`.
    SoftAfterLeak,
}

impl Default for Reset {
    fn default() -> Self {
        Self::from(0.0)
    }
}

impl From<f64> for Reset {
    fn from(value: f64) -> Self {
        Self::To(value.into())
    }
}

impl Serialize for Reset {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::To(constant) => constant.serialize(serializer),
            Self::Soft => serializer.serialize_str("soft"),
            Self::SoftAfterLeak => serializer.serialize_str("soft_after_leak"),
        }
    }
}

impl<'de> Deserialize<'de> for Reset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrConstant)
    }
}

struct NameOrConstant;

impl<'de> Visitor<'de> for NameOrConstant {
    type Value = Reset;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reset: a number, { init = .., .. }, \"soft\" or \"soft_after_leak\"")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Reset, E> {
        match name {
            "soft" => Ok(Reset::Soft),
            "soft_after_leak" => Ok(Reset::SoftAfterLeak),
            _ => Err(E::invalid_value(serde::de::Unexpected::Str(name), &self)),
        }
    }

    visit_numbers!(Reset);

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Reset, A::Error> {
        Constant::deserialize(MapAccessDeserializer::new(map)).map(Reset::To)
    }
}
