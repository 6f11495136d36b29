//! The recurrent rivals: simple RNN, LSTM and GRU, `[N, T, L]` to `[N, T, units]`.
//!
//! Equations, names and layouts of parameters and order of gates are those of `torch.nn.RNN`,
//! `LSTM` and `GRU` of one layer, so weights may be taken from there as they are. With G gates of h
//! units (1, 4 or 3): `weight_ih_l0` `[G h, L]`, `weight_hh_l0` `[G h, h]`, `bias_ih_l0` and
//! `bias_hh_l0` `[G h]`, all uniform within 1/√h at first. The state before the first step is 0.
//!
//! The inputs' part of the gates of all steps is one product; the recurrent part is a product a
//! step. [`ConvLstm`] does the same to images.

mod conv_lstm;
mod gru;
mod lstm;
mod op;
mod rnn;

pub use conv_lstm::ConvLstm;
pub use gru::Gru;
pub use lstm::Lstm;
pub use rnn::{Rnn, RnnActivation};

use super::{TensorSpec, only};
use crate::cost::{Synapses, Work};
use crate::init::Init;
use crate::{Error, Result, Shape};

/// The output of a recurrent layer of `units`.
fn output(units: usize, inputs: &[Shape]) -> Result<Shape> {
    let input = only(inputs)?;
    if units == 0 {
        return Err(Error::config("a recurrent layer needs units").expected("units of 1 or more"));
    }
    if !input.timed || input.item.len() != 1 || input.is_empty() {
        return Err(Error::shape("a recurrent layer takes vectors in time")
            .expected("[N, T, L]")
            .found(input)
            .advice("put a flatten layer before it"));
    }
    Ok(input.with_item([units]))
}

/// The parameters of a recurrent layer of `gates` gates.
fn params(gates: usize, units: usize, bias: bool, inputs: &[Shape]) -> Vec<TensorSpec> {
    let init = Init::Uniform(1.0 / (units.max(1) as f64).sqrt());
    let rows = gates * units;
    let mut all = vec![
        TensorSpec::new("weight_ih_l0", [rows, inputs[0].len()], init).decaying(),
        TensorSpec::new("weight_hh_l0", [rows, units], init).decaying(),
    ];
    if bias {
        all.push(TensorSpec::new("bias_ih_l0", [rows], init));
        all.push(TensorSpec::new("bias_hh_l0", [rows], init));
    }
    all
}

/// The products of a recurrent layer of `gates` gates.
fn cost(gates: usize, units: usize, inputs: &[Shape]) -> Work {
    let own = Synapses::dense(units, gates * units).macs();
    Work::synapses(Synapses::dense(inputs[0].len(), gates * units)).and_recurrent(own)
}
