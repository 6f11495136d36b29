//! Reading and writing networks of spiking neurons as Neuromorphic Intermediate Representation (NIR),
//! the exchange format of snnTorch, Norse, Sinabs, Lava and others (Pedersen et al., Nature
//! Communications 15, 8122, 2024), in its HDF5 files.
//!
//! | NIR | LIAF |
//! |---|---|
//! | Input, Output | the network's input and output |
//! | Affine, Linear | [`Dense`](liaf_core::layer::Dense) |
//! | Conv2d, AvgPool2d, Flatten | [`Conv2d`](liaf_core::layer::Conv2d), [`AvgPool`](liaf_core::layer::AvgPool), [`Flatten`](liaf_core::layer::Flatten) |
//! | several edges to one node | [`Add`](liaf_core::layer::Add) |
//! | LIF, LI | [`Neuron`](liaf_core::neuron::Neuron) that sends spikes, or its membrane |
//! | IF | the same with `alpha = 1`, `beta = 0` |
//!
//! NIR describes neurons in continuous time, `tau dv/dt = v_leak - v + r I`. A step of Euler's method
//! with time step `dt` is LIAF's neuron with `alpha = 1 - dt / tau`. A network is therefore written
//! with `tau = dt / (1 - alpha)`, `r = 1`, `v_leak = beta / (1 - alpha)`, and with the weights and bias
//! before the neurons multiplied by `gain / (1 - alpha)`. If there are no weights before them, that
//! factor is r. The same `dt` must be used to simulate the network: snnTorch uses 1e-4 ([`DT`]), in
//! Norse it is an argument. An IF node is written and read as Norse runs it: r I is added at every
//! step.
//!
//! LIAF has `V_0 = 0` before the first step, whereas NIR's first step already leaks towards `v_leak`,
//! so that the first step differs if beta is not 0. There is no node for an analog neuron (LIAF), a
//! norm or an aggregation over time; the errors say so.

mod export;
mod factors;
mod file;
mod graph;
mod import;

use std::path::Path;

use liaf_core::{Network, Real};

use crate::error::Result;

/// The time step of snnTorch's NIR exchange, in seconds.
pub const DT: f64 = 1e-4;

/// Writes a network to a NIR file. The file appears when it is complete, or not at all; an existing
/// file of that name is replaced. Layers that do not affect the output are left out, and so is dropout.
/// `dt` is the time step in seconds.
///
/// ```
/// use liaf::core::layer::Dense;
/// use liaf::core::neuron::Neuron;
/// use liaf::{NetworkConfig, nir};
///
/// # fn main() -> liaf::Result<()> {
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let path = folder.path().join("network.nir");
/// let config = NetworkConfig::sequential([6]).then(Dense::new(4)).then(Neuron::lif());
/// let network = config.build::<f32>(1)?;
/// nir::write(&network, &path, nir::DT)?;
/// let back = nir::read::<f32>(&path, nir::DT)?;
/// assert_eq!(back.output_shape(), network.output_shape());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for a layer for which NIR has no node,
/// [`ErrorKind::Caller`](crate::ErrorKind::Caller) for a time step that is not above 0, or an error of
/// the system.
pub fn write<R: Real>(network: &Network<R>, path: impl AsRef<Path>, dt: f64) -> Result<()> {
    check(dt)?;
    let graph = export::export(network, dt)?;
    file::write(&graph, path.as_ref())
}

/// Reads a network from a NIR file, discretised with a time step of `dt` seconds.
///
/// # Errors
/// If the file is damaged or not a NIR file, or has cycles or nodes that are not supported.
pub fn read<R: Real>(path: impl AsRef<Path>, dt: f64) -> Result<Network<R>> {
    check(dt)?;
    let path = path.as_ref();
    let network = file::read(path).and_then(|graph| import::import(&graph, dt));
    Ok(network.map_err(|error| error.in_file(path))?)
}

fn check(dt: f64) -> liaf_core::Result<()> {
    if dt > 0.0 && dt.is_finite() {
        return Ok(());
    }
    let error = liaf_core::Error::config("the time step must be finite and above 0");
    Err(error.expected("more than 0 seconds").found(dt))
}
