//! Evaluation of the first layers some steps at a time, so that what a layer gives is still in the cache when the
//! next one takes it.

use std::ops::Range;

use smallvec::SmallVec;

use crate::graph::inputs::Inputs;
use crate::graph::mode::Settings;
use crate::graph::network::Network;
use crate::graph::workspace::SampleSpace;
use crate::memory::Scratch;
use crate::op::{Flow, Op};
use crate::real::Real;

/// The bytes of the largest output of a layer in a stretch.
const BYTES: usize = 2 << 20;

/// The first nodes of a network, and the number of steps that they run at a time: a function of the shapes alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretches {
    /// Number of these nodes.
    pub nodes: usize,
    /// Number of steps of the sample.
    steps: usize,
    /// Number of steps of a stretch.
    len: usize,
}

impl Stretches {
    /// How a sample with these numbers of steps, by node, is divided; `None` if all of it is not much larger than
    /// a stretch.
    pub fn of<R: Real>(network: &Network<R>, steps: &[usize]) -> Option<Self> {
        let nodes = &network.nodes;
        let all = steps.iter().copied().max()?;
        let timed = |i: usize| nodes[i].shape.timed && steps[i] == all;
        let largest = nodes.iter().map(|node| node.shape.len()).max()?;
        let len = (BYTES / size_of::<R>() / largest.max(1)).max(1);
        let fits = |i: usize| {
            timed(i)
                && match &nodes[i].op {
                    None => true,
                    Some(Op::Sample(op)) => op.runs_in_stretches(len),
                    Some(Op::Batch(op)) => op.runs_in_stretches(len),
                }
        };
        let first = (0..nodes.len()).take_while(|&i| fits(i)).count();
        let layers = nodes[..first].iter().filter(|node| node.op.is_some()).count();
        (layers > 1 && all >= 2 * len).then_some(Self { nodes: first, steps: all, len })
    }

    /// Whether the outputs of all steps of a node are needed, and not only those of a stretch.
    fn whole<R: Real>(&self, network: &Network<R>, node: usize) -> bool {
        let later = network.last_use[node].is_none_or(|last| last >= self.nodes);
        later || network.nodes[node].op.is_none()
    }

    /// Runs the nodes for sample number `n` of the batch. Signals that later nodes need stay in the sample.
    pub fn run<R: Real>(
        &self,
        (network, inputs, n): (&Network<R>, &Inputs<'_, R>, usize),
        settings: Settings,
        sample: &mut SampleSpace<R>,
        scratch: &mut Scratch<R>,
    ) {
        for (index, node) in network.nodes[..self.nodes].iter().enumerate() {
            if self.whole(network, index) {
                sample.values[index] = sample.free.take(self.steps * node.shape.len());
            }
            match &node.op {
                None => {
                    if let Some(input) = inputs.input(&node.name) {
                        input.copy(n, &node.shape, &mut sample.values[index]);
                    }
                }
                Some(Op::Sample(op)) => {
                    sample.states[index].set_len(op.state_len());
                    op.init_state(&mut sample.states[index]);
                }
                Some(Op::Batch(op)) => {
                    sample.states[index].set_len(op.state_len());
                    sample.states[index].fill(R::ZERO);
                }
            }
        }
        for start in (0..self.steps).step_by(self.len) {
            let steps = start..(start + self.len).min(self.steps);
            for (index, node) in network.nodes[..self.nodes].iter().enumerate() {
                if node.op.is_some() {
                    self.forward((network, index), steps.clone(), settings, sample, scratch);
                }
                for from in node.from.iter().copied().chain([index]) {
                    if network.last_use[from] == Some(index) && !self.whole(network, from) {
                        sample.free.recycle(&mut sample.values[from]);
                    }
                }
            }
        }
        for index in 0..self.nodes {
            if network.last_use[index].is_some_and(|last| last < self.nodes) {
                sample.free.recycle(&mut sample.values[index]);
            }
        }
    }

    /// Runs some steps of a node.
    fn forward<R: Real>(
        &self,
        (network, index): (&Network<R>, usize),
        steps: Range<usize>,
        settings: Settings,
        sample: &mut SampleSpace<R>,
        scratch: &mut Scratch<R>,
    ) {
        let node = &network.nodes[index];
        let range = |node: usize| {
            let len = network.nodes[node].shape.len();
            match self.whole(network, node) {
                true => steps.start * len..steps.end * len,
                false => 0..steps.len() * len,
            }
        };
        if !self.whole(network, index) {
            sample.values[index] = sample.free.take(range(index).end);
        }
        let (params, buffers) = network.tensors(node);
        let (above, rest) = sample.values.split_at_mut(index);
        let inputs: SmallVec<[&[R]; 4]> =
            node.from.iter().map(|&from| &above[from][range(from)]).collect();
        let output = &mut rest[0][range(index)];
        let mut cx = network.context(&params, &buffers, settings, (index, sample.number), scratch);
        let carry = match sample.carry.get_mut(index) {
            Some(carry) => &mut carry[..],
            None => &mut sample.states[index],
        };
        let carry = Some(carry).filter(|carry| !carry.is_empty());
        let flow = Flow { steps: steps.len(), inputs: &inputs, output, carry };
        let saved = &mut sample.saved[index];
        match &node.op {
            None => {}
            Some(Op::Sample(op)) => op.forward(flow, saved, &mut cx),
            Some(Op::Batch(op)) => op.forward(&mut [flow], saved, &mut [], &mut cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, Axis, IxDyn, Slice};

    use super::*;
    use crate::activation::Activation;
    use crate::graph::{Mode, NetworkConfig, Workspace};
    use crate::layer::{Aggregate, AvgPool, Conv2d, Dense, Flatten};
    use crate::neuron::Neuron;
    use crate::rng::Key;

    fn network() -> Network<f32> {
        NetworkConfig::sequential([2, 32, 32])
            .then(Conv2d::new(64, 3).padding(1))
            .then(Neuron::liaf(Activation::Relu))
            .then(AvgPool::new(2))
            .then(Conv2d::new(16, 3).padding(1))
            .then(Neuron::liaf(Activation::Relu))
            .then(AvgPool::new(4))
            .then(Conv2d::new(16, 3).padding(1))
            .then(Flatten {})
            .then(Dense::new(5))
            .then(Aggregate::default())
            .build(3)
            .unwrap()
    }

    /// The result of a pass in which the outputs of all layers are kept, so that it runs layer by layer.
    fn whole(network: &Network<f32>, frames: &ArrayD<f32>) -> ArrayD<f32> {
        let (inputs, mut space) = (Inputs::of("input", frames.view()), Workspace::new());
        let mode = Mode::eval().activations();
        network.forward(&inputs, mode, &mut space).unwrap().output().to_owned()
    }

    #[test]
    fn the_first_layers_run_in_stretches_with_the_same_result() {
        let network = network();
        let mut numbers = vec![0.0; 2 * 20 * 2 * 32 * 32];
        Key::new(5).fill_normal(&mut numbers, 0.0, 1.0);
        let frames = ArrayD::from_shape_vec(IxDyn(&[2, 20, 2, 32, 32]), numbers).unwrap();
        let steps = vec![20; network.nodes.len()];
        // 2 MiB are 8 steps of 64x32x32; the last convolution has 16 positions.
        let stretches = Stretches { nodes: 7, steps: 20, len: 8 };
        assert_eq!(Stretches::of(&network, &steps), Some(stretches));
        assert_eq!(Stretches::of(&network, &[15; 11]), None);
        let (inputs, mut space) = (Inputs::of("input", frames.view()), Workspace::new());
        let near = |a: &ArrayD<f32>, b: &ArrayD<f32>| {
            a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-6 * (1.0 + b.abs()))
        };
        for _ in 0..2 {
            let pass = network.forward(&inputs, Mode::eval(), &mut space).unwrap();
            assert!(near(&pass.output().to_owned(), &whole(&network, &frames)));
        }
        // The states go on to the next stretch of a longer sequence.
        let mut carry = network.carry(2).unwrap();
        let doubled = ndarray::concatenate(Axis(1), &[frames.view(), frames.view()]).unwrap();
        let mut sum = ArrayD::<f32>::zeros(IxDyn(&[2, 5]));
        for start in [0, 20] {
            let part = doubled.slice_axis(Axis(1), Slice::from(start..start + 20));
            let inputs = Inputs::of("input", part);
            let pass = network.forward_on(&inputs, Mode::eval(), &mut carry, &mut space).unwrap();
            sum += pass.output();
        }
        assert!(near(&(sum / 2.0), &whole(&network, &doubled)));
    }
}
