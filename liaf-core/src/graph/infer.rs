//! Inference frame by frame, for a network on a live camera.

use smallvec::SmallVec;

use crate::error::{Error, Result};
use crate::graph::mode::Settings;
use crate::graph::network::Network;
use crate::graph::workspace::SampleSpace;
use crate::limits::Limits;
use crate::memory::{Buffer, Saved, Scratch};
use crate::op::{Flow, Op};
use crate::real::Real;

/// The state that a network carries from frame to frame: membranes, gates, sums over the frames so far.
#[derive(Debug, Clone)]
pub struct State<R> {
    /// By node; empty before the first frame, because the memory is checked first.
    states: Vec<Vec<R>>,
    values: Vec<Buffer<R>>,
    saved: Vec<Saved<R>>,
    scratch: Scratch<R>,
    frames: u64,
    plain: bool,
    limits: Limits,
}

impl<R: Real> State<R> {
    /// Number of frames so far.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Uses the plain kernels, which give the same numbers as [`Network::forward`] with plain kernels,
    /// bit for bit.
    #[must_use]
    pub fn plain(self) -> Self {
        Self { plain: true, ..self }
    }

    /// Sets the memory that the network may need; the default is that of [`Limits`].
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }
}

impl<R: Real> Network<R> {
    /// The state before the first frame. The memory for it is allocated with the first frame.
    pub fn state(&self) -> State<R> {
        State {
            states: Vec::new(),
            values: vec![Buffer::default(); self.nodes.len()],
            saved: vec![Saved::default(); self.nodes.len()],
            scratch: Scratch::default(),
            frames: 0,
            plain: false,
            limits: Limits::default(),
        }
    }

    /// The states of all layers before the first frame.
    fn first_states(&self) -> Vec<Vec<R>> {
        let states = self.nodes.iter().map(|node| match &node.op {
            Some(Op::Sample(op)) => {
                let mut state = vec![R::ZERO; op.state_len()];
                op.init_state(&mut state);
                state
            }
            Some(Op::Batch(op)) => vec![R::ZERO; op.state_len()],
            None => Vec::new(),
        });
        states.collect()
    }

    /// Passes the next frame of one sample through the network, in evaluation mode, and returns the
    /// output over the frames so far. `inputs` are items by input name.
    ///
    /// # Errors
    /// If an input is missing or unknown, an item has the wrong size or is not finite, or a layer
    /// looks ahead (Conv3d); [`ErrorKind::Limit`](crate::ErrorKind::Limit), before the first frame, if
    /// the network needs more memory than the [limits](State::limits) of the state allow.
    pub fn step<'a>(&self, inputs: &[(&str, &[R])], state: &'a mut State<R>) -> Result<&'a [R]> {
        let settings = Settings { plain: state.plain, ..Settings::EVAL };
        if let Some((unknown, _)) = inputs.iter().find(|(name, _)| !self.inputs.contains_key(*name))
        {
            let names: Vec<_> = self.inputs.keys().cloned().collect();
            return Err(Error::config("the network has no input with this name")
                .expected(names.join(", "))
                .found(unknown));
        }
        if state.states.is_empty() {
            self.step_estimate().check(state.limits.memory)?;
            state.states = self.first_states();
        }
        for (name, &node) in &self.inputs {
            let item = inputs.iter().find(|(given, _)| given == name).map(|&(_, item)| item);
            let item = item.ok_or_else(|| Error::data("an input is missing").in_layer(name))?;
            let expected = self.nodes[node].shape.len();
            if item.len() != expected || item.iter().any(|value| !value.is_finite()) {
                return Err(Error::data("the frame does not fit the network's input")
                    .in_layer(name)
                    .expected(format!("{expected} finite numbers"))
                    .found(format!("{} numbers", item.len())));
            }
            state.values[node].set_len(item.len());
            state.values[node].copy_from_slice(item);
        }
        for (index, node) in self.nodes.iter().enumerate() {
            let Some(op) = &node.op else { continue };
            let (params, buffers) = self.tensors(node);
            let (inputs, output) = SampleSpace::around(&mut state.values, &node.from, index);
            let inputs: SmallVec<[&[R]; 4]> = inputs;
            SampleSpace::make_room(output, 1, &node.shape);
            let scratch = &mut state.scratch;
            let mut cx = self.context(&params, &buffers, settings, (index, 0), scratch);
            let flow = Flow { steps: 1, inputs: &inputs, output, carry: None };
            let (own, saved) = (&mut state.states[index], &mut state.saved[index]);
            match op {
                Op::Sample(op) => op.step(flow, own, saved, &mut cx),
                Op::Batch(op) => op.step(flow, own, saved, &mut cx),
            }
            .map_err(|error| error.in_layer(&node.name))?;
        }
        state.frames += 1;
        Ok(&state.values[self.output])
    }
}
