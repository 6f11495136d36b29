//! Networks that process frames one by one, with numbers of either type.

use liaf_core::graph::{MemoryEstimate, State};
use liaf_core::{Error, Limits, Network, Real, Result};
use liaf_data::frames::{Frame, FrameShape};

/// A network with its state, whatever the type of its numbers is.
pub(super) trait Step: Send {
    /// Number of classes.
    fn classes(&self) -> usize;

    /// Shape of an item of the input.
    fn item(&self) -> &[usize];

    /// The memory that the network needs, and its multiply-accumulates for each frame.
    fn needs(&self) -> (MemoryEstimate, u64);

    /// Starts a new sample; with `plain`, the plain kernels are used.
    fn begin(&mut self, plain: bool);

    /// Processes the next frame, whose cells are multiplied by `scale`. Returns the outputs, or, if the
    /// network has outputs at every step, their mean over the frames since [`begin`](Self::begin).
    fn step(&mut self, frame: &Frame, scale: f32) -> Result<Vec<f64>>;
}

/// A network with numbers of type `R`.
pub(super) struct Stepper<R: Real> {
    network: Network<R>,
    input: String,
    item: Vec<usize>,
    state: State<R>,
    /// Sums of the outputs of this sample, if there are outputs at every step.
    sums: Option<Vec<f64>>,
    frames: usize,
    dense: Vec<f32>,
    numbers: Vec<R>,
    limits: Limits,
    needs: (MemoryEstimate, u64),
}

impl<R: Real> Stepper<R> {
    /// Checks that the network has one input of frames and one output for each class, and that it does
    /// not need more memory than `limits` allow.
    pub fn new(network: Network<R>, limits: Limits) -> Result<Self> {
        let mut inputs = network.input_shapes();
        let (input, item) = match (inputs.next(), inputs.next()) {
            (Some((name, shape)), None) if shape.timed => (name.to_owned(), shape.item.clone()),
            _ => {
                return Err(Error::unsupported(
                    "the network must have exactly one input of frames with time steps",
                ));
            }
        };
        drop(inputs);
        let output = network.output_shape();
        if output.item.len() != 1 {
            return Err(Error::unsupported(format!(
                "the output of the network is not one number per class: {output}"
            )));
        }
        let mut estimate = network.step_estimate();
        // The cells of a frame as the binner makes them, those as one array, and as numbers.
        let frame: usize = item.iter().product();
        let cells = (frame as u64).saturating_mul((2 * size_of::<f32>() + size_of::<R>()) as u64);
        estimate.signals = estimate.signals.saturating_add(cells);
        estimate.check(limits.memory)?;
        let needs = (estimate, network.cost(1)?.total().macs);
        let sums = output.timed.then(|| vec![0.0; output.len()]);
        let dense = vec![0.0; item.iter().product()];
        let (state, numbers) = (network.state().limits(limits), Vec::with_capacity(dense.len()));
        Ok(Self { network, input, item, state, sums, frames: 0, dense, numbers, limits, needs })
    }
}

impl<R: Real> Step for Stepper<R> {
    fn classes(&self) -> usize {
        self.network.output_shape().len()
    }

    fn item(&self) -> &[usize] {
        &self.item
    }

    fn needs(&self) -> (MemoryEstimate, u64) {
        self.needs
    }

    fn begin(&mut self, plain: bool) {
        let state = self.network.state().limits(self.limits);
        self.state = if plain { state.plain() } else { state };
        self.frames = 0;
        self.sums.iter_mut().for_each(|sums| sums.fill(0.0));
    }

    fn step(&mut self, frame: &Frame, scale: f32) -> Result<Vec<f64>> {
        frame.cells.fill(&mut self.dense);
        self.numbers.clear();
        self.numbers.extend(self.dense.iter().map(|cell| R::of(f64::from(cell * scale))));
        let output = self.network.step(&[(self.input.as_str(), &self.numbers)], &mut self.state)?;
        let output = output.iter().map(|score| score.f64());
        self.frames += 1;
        Ok(match &mut self.sums {
            Some(sums) => {
                sums.iter_mut().zip(output).for_each(|(sum, score)| *sum += score);
                sums.iter().map(|sum| sum / self.frames as f64).collect()
            }
            None => output.collect(),
        })
    }
}

/// Returns an error if the frames do not have the shape that the network takes.
pub(super) fn check_shape(item: &[usize], frames: FrameShape) -> Result<()> {
    let FrameShape { channels, height, width, .. } = frames;
    let made = [channels, height, width];
    if *item == made {
        return Ok(());
    }
    Err(Error::shape(format!(
        "the network takes frames of shape {item:?}, and its recipe makes frames of \
         shape {made:?} from this recording"
    )))
}
