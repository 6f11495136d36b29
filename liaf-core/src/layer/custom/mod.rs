//! Layers of the caller's own.

mod config;
mod op;
mod pass;
mod spec;

pub use config::{Custom, register};
pub use pass::{CustomBackward, CustomForward};
pub use spec::CustomSpec;

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Result;
use crate::real::Real;
use crate::shape::Shape;

/// A layer of the caller's own: its options, its shapes and parameters, and both passes of one sample.
///
/// The type that implements this trait has the options of the layer. It is a struct with named fields,
/// `struct Square {}` if there are none, because files have the options as a table. Networks in Rust
/// take it like any other layer. Files name it as `type = "custom"` with its [`NAME`](Self::NAME) as
/// `kind`, which can be read after the program has called [`register`]. The same applies to checkpoints,
/// which contain the configuration of their network.
///
/// ```
/// use liaf_core::graph::{Inputs, NetworkConfig};
/// use liaf_core::init::Init;
/// use liaf_core::layer::{
///     Aggregate, CustomBackward, CustomForward, CustomLayer, CustomSpec, Dense, TensorSpec,
/// };
/// use liaf_core::train::{TrainConfig, Trainer};
/// use liaf_core::{Error, Real, Result, Shape};
/// use serde::{Deserialize, Serialize};
///
/// /// `Y_t = X_t · sin(w X_t)`, with a frequency `w` for each number of a vector.
/// #[derive(Debug, Serialize, Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Sine {
///     /// The first value of all frequencies.
///     frequency: f64,
/// }
///
/// impl CustomLayer for Sine {
///     const NAME: &'static str = "sine";
///
///     fn describe(&self, inputs: &[Shape]) -> Result<CustomSpec> {
///         let [input] = inputs else {
///             return Err(Error::config("a sine layer takes one input"));
///         };
///         let w = TensorSpec::new("frequency", [input.len()], Init::Constant(self.frequency));
///         Ok(CustomSpec::new(input.clone()).params([w]).each_step())
///     }
///
///     fn forward<R: Real>(&self, pass: CustomForward<'_, R>) {
///         let (x, w) = (pass.inputs[0], pass.params[0].iter().cycle());
///         for ((y, &x), &w) in pass.output.iter_mut().zip(x).zip(w) {
///             *y = x * R::of((w * x).f64().sin());
///         }
///     }
///
///     fn backward<R: Real>(&self, pass: CustomBackward<'_, '_, R>) {
///         let (x, w) = (pass.inputs[0], pass.params[0]);
///         for (i, (&x, &g)) in x.iter().zip(pass.d_output).enumerate() {
///             let number = i % w.len();
///             let (sin, cos) = (w[number] * x).f64().sin_cos();
///             pass.d_params[0][number] += g * x * x * R::of(cos);
///             if let Some(dx) = &mut pass.d_inputs[0] {
///                 dx[i] += g * (R::of(sin) + w[number] * x * R::of(cos));
///             }
///         }
///     }
/// }
///
/// let network = NetworkConfig::sequential([2])
///     .then(Sine { frequency: 1.0 })
///     .then(Dense::new(2))
///     .then(Aggregate::default());
///
/// // The same network in TOML.
/// liaf_core::layer::register::<Sine>()?;
/// let read = NetworkConfig::from_toml(r#"
///     [inputs.input]
///     shape = [2]
///     [[layers]]
///     type = "custom"
///     kind = "sine"
///     options = { frequency = 1.0 }
///     [[layers]]
///     type = "dense"
///     units = 2
///     [[layers]]
///     type = "aggregate"
/// "#)?;
/// assert_eq!(read, network);
///
/// let config = TrainConfig::from_toml("optimizer = { type = 'adam', learning_rate = 0.1 }")?;
/// let mut trainer = Trainer::new(network.build::<f32>(1)?, config)?;
/// let vectors = ndarray::arr3(&[[[1.0, 0.5]], [[2.0, 0.5]]]).into_dyn();
/// for _ in 0..20 {
///     trainer.step(&Inputs::of("input", vectors.view()), &[0, 1])?;
/// }
/// assert_eq!(trainer.evaluate(&Inputs::of("input", vectors.view()), &[0, 1])?.accuracy(), 1.0);
/// # Ok::<(), Error>(())
/// ```
///
/// Samples run on several threads at the same time. Results are the same on any number of threads if
/// both passes depend on nothing but the layer and what they are given. The length of every slice follows
/// from [`CustomSpec`], so that a layer cannot give an output of another length. A panic in a layer
/// reaches the caller of the network.
pub trait CustomLayer: Debug + Send + Sync + Serialize + DeserializeOwned + 'static {
    /// The name in files, after `kind =`. No other layer that is registered has it.
    const NAME: &'static str;

    /// Shape of the output, parameters and memory for inputs of these shapes. It is called whenever a
    /// network is built, and before that to estimate its memory.
    ///
    /// # Errors
    /// The layer's own, if it cannot take these inputs or if its options have invalid values. The
    /// network adds the name of the layer.
    fn describe(&self, inputs: &[Shape]) -> Result<CustomSpec>;

    /// Runs all steps of one sample: writes every number of the output.
    fn forward<R: Real>(&self, pass: CustomForward<'_, R>);

    /// Adds the gradients of one sample to those of its inputs and to those of the parameters. It follows
    /// a forward pass of the same sample.
    fn backward<R: Real>(&self, pass: CustomBackward<'_, '_, R>);
}
