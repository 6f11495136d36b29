//! What every layer says of itself: one [`Description`], derived once from the shapes of its inputs.

use crate::error::{Error, Result};
use crate::init::Init;
use crate::layer::work::Work;
use crate::op::{BatchOp, Op, SampleOp};
use crate::real::Real;
use crate::shape::Shape;

/// A tensor that a layer asks for: a parameter that is learned, or a buffer that is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorSpec {
    /// Its name inside the layer, as in PyTorch: `weight`, `bias`, `running_mean`, …
    pub name: &'static str,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its first values.
    pub init: Init,
    /// Whether weight decay applies: weights, not biases, norms or constants of neurons.
    pub decay: bool,
    /// Take the parameter of the same name of this layer instead of one of its own.
    pub shared_with: Option<String>,
}

impl TensorSpec {
    /// A tensor of its own to which weight decay does not apply.
    pub fn new(name: &'static str, shape: impl Into<Vec<usize>>, init: Init) -> Self {
        Self { name, shape: shape.into(), init, decay: false, shared_with: None }
    }

    /// The same with weight decay.
    #[must_use]
    pub fn decaying(self) -> Self {
        Self { decay: true, ..self }
    }

    /// Numbers in it.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How many spikes a number of the output stands for, given those of a number of each input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Spikes {
    /// The output is not made of spikes alone.
    None,
    /// The layer is neurons that send spikes onward: their rate is measured or assumed.
    Fires,
    /// Those of the first input times `factor`, at most `most`. A layer whose output is sums of
    /// spikes (a pooling) counts each spike.
    Scaled { factor: f64, most: f64 },
    /// Those of all inputs together.
    Sum,
    /// The mean over all inputs, weighed by their numbers.
    Mean,
}

impl Spikes {
    /// Those of the first input.
    pub const SAME: Self = Self::Scaled { factor: 1.0, most: f64::INFINITY };
}

/// Everything that follows from a layer's configuration and the shapes of its inputs.
#[derive(Debug)]
pub(crate) struct Description<R: Real> {
    /// Shape of the output.
    pub output: Shape,
    /// Parameters, in a fixed order, which is that of [`Context::params`](crate::op::Context).
    pub params: Vec<TensorSpec>,
    /// Buffers, in a fixed order.
    pub buffers: Vec<TensorSpec>,
    /// What it does at one step, or once for inputs without time.
    pub work: Work,
    /// What its output is of spikes.
    pub spikes: Spikes,
    /// The operation.
    pub op: Op<R>,
}

impl<R: Real> Description<R> {
    fn new(output: Shape, op: Op<R>) -> Self {
        let (params, buffers) = (Vec::new(), Vec::new());
        Self { output, params, buffers, work: Work::default(), spikes: Spikes::None, op }
    }

    /// A layer that works on each sample by itself; without tensors, and without work that counts.
    pub fn sample(output: Shape, op: impl SampleOp<R> + 'static) -> Self {
        Self::new(output, Op::Sample(Box::new(op)))
    }

    /// A layer that works on all samples together.
    pub fn batch(output: Shape, op: impl BatchOp<R> + 'static) -> Self {
        Self::new(output, Op::Batch(Box::new(op)))
    }

    /// The same with these parameters.
    pub fn params(self, params: impl IntoIterator<Item = TensorSpec>) -> Self {
        Self { params: params.into_iter().collect(), ..self }
    }

    /// The same with these buffers.
    pub fn buffers(self, buffers: impl IntoIterator<Item = TensorSpec>) -> Self {
        Self { buffers: buffers.into_iter().collect(), ..self }
    }

    /// The same with this work.
    pub fn work(self, work: Work) -> Self {
        Self { work, ..self }
    }

    /// The same with these spikes.
    pub fn spikes(self, spikes: Spikes) -> Self {
        Self { spikes, ..self }
    }
}

/// A kind of layer: its configuration.
pub(crate) trait Layer {
    /// What it makes of inputs of these shapes, if it can make something of them.
    ///
    /// # Errors
    /// [`ErrorKind::Shape`](crate::ErrorKind::Shape) with both shapes, or
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for numbers that cannot be.
    fn describe<R: Real>(&self, inputs: &[Shape]) -> Result<Description<R>>;
}

/// The default of keys that are on unless said otherwise.
pub(crate) fn yes() -> bool {
    true
}

/// The one input of a layer that takes one.
///
/// # Errors
/// [`ErrorKind::Config`](crate::ErrorKind::Config) for none or several.
pub(crate) fn only(inputs: &[Shape]) -> Result<&Shape> {
    match inputs {
        [input] => Ok(input),
        _ => Err(Error::config("this layer takes one input")
            .expected("1 input")
            .found(format!("{} inputs", inputs.len()))),
    }
}
