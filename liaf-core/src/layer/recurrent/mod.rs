//! Recurrent layers, for comparison: simple RNN, LSTM and GRU, `[N, T, L]` to `[N, T, units]`.
//!
//! Equations, names and layouts of parameters, and the order of gates are those of `torch.nn.RNN`,
//! `LSTM` and `GRU` with one layer, so that weights can be loaded from there without conversion. With G
//! gates of h units (1, 4 or 3): `weight_ih_l0` `[G h, L]`, `weight_hh_l0` `[G h, h]`, `bias_ih_l0` and
//! `bias_hh_l0` `[G h]`, with first values by [`RecurrentInit`]. The state before the first step is 0.
//!
//! The inputs' part of the gates is computed for all steps in one product; the recurrent part needs one
//! product per step. [`ConvLstm`] does the same with images.

mod conv_lstm;
mod gru;
mod init;
mod lstm;
mod op;
mod rnn;

pub use conv_lstm::ConvLstm;
pub use gru::Gru;
pub use init::RecurrentInit;
pub use lstm::Lstm;
pub use rnn::{Rnn, RnnActivation};

use crate::error::{Error, Result};
use crate::layer::contract::{Description, only};
use crate::layer::work::{Synapses, Work};
use crate::real::Real;
use crate::shape::{Shape, size};
use init::Gates;
use op::{Cell, RecurrentOp};

/// A recurrent layer with this cell. `each` is the number of multiplications and additions per unit, in
/// addition to those of the products.
fn describe<R: Real, C: Cell>(
    cell: C,
    units: usize,
    (bias, init): (bool, RecurrentInit),
    inputs: &[Shape],
    each: (usize, usize),
) -> Result<Description<R>> {
    let input = only(inputs)?;
    if units == 0 {
        return Err(Error::config("a recurrent layer needs at least one unit")
            .expected("units of 1 or more"));
    }
    if !input.timed || input.item.len() != 1 || input.is_empty() {
        return Err(Error::shape("a recurrent layer needs vectors with time steps")
            .expected("[N, T, L]")
            .found(input)
            .advice("add a flatten layer before it"));
    }
    let (length, rows) = (input.len(), size("the gates", &[C::GATES, units])?);
    let params = init.params(Gates { count: C::GATES, units, length, forget: C::FORGET });
    let kept = if bias { params.len() } else { 2 };
    let products = Work::synapses(Synapses::dense(length, rows))
        .and_recurrent(Synapses::dense(units, rows).macs());
    let op = RecurrentOp { cell, length, units, bias };
    Ok(Description::sample(input.with_item([units]), op)
        .params(params.into_iter().take(kept))
        .work(products.and_each(units, each.0, each.1)))
}
