//! The interface of every layer: one [`Description`], derived once from the shapes of its inputs.

use crate::error::{Error, Result};
use crate::init::Init;
use crate::layer::work::Work;
use crate::op::{BatchOp, Op, SampleOp};
use crate::real::Real;
use crate::shape::Shape;

/// A tensor that a layer needs: a parameter, which is learned, or a buffer, which is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorSpec {
    /// Name inside the layer, as in PyTorch: `weight`, `bias`, `running_mean`, …
    pub name: &'static str,
    /// Shape of the tensor.
    pub shape: Vec<usize>,
    /// How its first values are chosen.
    pub init: Init,
    /// Whether weight decay applies: to weights, but not to biases, norms or constants of neurons.
    pub decay: bool,
    /// The layer whose parameter of the same name is used instead of a separate one.
    pub shared_with: Option<String>,
}

impl TensorSpec {
    /// A separate tensor to which weight decay does not apply.
    pub fn new(name: &'static str, shape: impl Into<Vec<usize>>, init: Init) -> Self {
        Self { name, shape: shape.into(), init, decay: false, shared_with: None }
    }

    /// Makes weight decay apply.
    #[must_use]
    pub fn decaying(self) -> Self {
        Self { decay: true, ..self }
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether the tensor has no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How many spikes a number of the output represents, given those of a number of each input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Spikes {
    /// The output does not consist of spikes only.
    None,
    /// The layer consists of neurons that send spikes: their rate is measured or assumed.
    Fires,
    /// The spikes of the first input times `factor`, at most `most`. A layer whose output is sums of
    /// spikes, such as a pooling, counts each spike.
    Scaled { factor: f64, most: f64 },
    /// The sum of the spikes of all inputs.
    Sum,
    /// The mean over all inputs, weighted by their sizes.
    Mean,
}

impl Spikes {
    /// The same spikes as those of the first input.
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
    /// Operations of one step, or in total if the inputs have no time.
    pub work: Work,
    /// The relation of the output to spikes.
    pub spikes: Spikes,
    /// The operation.
    pub op: Op<R>,
}

impl<R: Real> Description<R> {
    /// A layer with this operation; without tensors and without counted operations.
    pub fn new(output: Shape, op: Op<R>) -> Self {
        let (params, buffers) = (Vec::new(), Vec::new());
        Self { output, params, buffers, work: Work::default(), spikes: Spikes::None, op }
    }

    /// A layer that processes each sample on its own; without tensors and without counted operations.
    pub fn sample(output: Shape, op: impl SampleOp<R> + 'static) -> Self {
        Self::new(output, Op::Sample(Box::new(op)))
    }

    /// A layer that processes all samples together.
    pub fn batch(output: Shape, op: impl BatchOp<R> + 'static) -> Self {
        Self::new(output, Op::Batch(Box::new(op)))
    }

    /// Sets the parameters.
    pub fn params(self, params: impl IntoIterator<Item = TensorSpec>) -> Self {
        Self { params: params.into_iter().collect(), ..self }
    }

    /// Sets the buffers.
    pub fn buffers(self, buffers: impl IntoIterator<Item = TensorSpec>) -> Self {
        Self { buffers: buffers.into_iter().collect(), ..self }
    }

    /// Sets the operations of one step.
    pub fn work(self, work: Work) -> Self {
        Self { work, ..self }
    }

    /// Sets the relation of the output to spikes.
    pub fn spikes(self, spikes: Spikes) -> Self {
        Self { spikes, ..self }
    }
}

/// A kind of layer: its configuration.
pub(crate) trait Layer {
    /// Describes the layer for inputs of these shapes.
    ///
    /// # Errors
    /// [`ErrorKind::Shape`](crate::ErrorKind::Shape) with both shapes, or
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for invalid values.
    fn describe<R: Real>(&self, inputs: &[Shape]) -> Result<Description<R>>;
}

/// The default of options that are on unless the configuration says otherwise.
pub(crate) fn yes() -> bool {
    true
}

/// The input of a layer that takes exactly one.
///
/// # Errors
/// [`ErrorKind::Config`](crate::ErrorKind::Config) if there is none, or several.
pub(crate) fn only(inputs: &[Shape]) -> Result<&Shape> {
    match inputs {
        [input] => Ok(input),
        _ => Err(Error::config("this layer takes exactly one input")
            .expected("1 input")
            .found(format!("{} inputs", inputs.len()))),
    }
}
