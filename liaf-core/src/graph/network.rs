//! A network: the operations of its layers, with their parameters.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::graph::config::{NetworkConfig, Resolved};
use crate::layer::contract::TensorSpec;
use crate::op::Op;
use crate::real::Real;
use crate::rng::Key;
use crate::shape::Shape;

/// A named tensor of a network: a parameter or a buffer.
#[derive(Debug, Clone, PartialEq)]
pub struct Param<R> {
    /// Full name `layer.tensor`, as in `conv1.weight`.
    pub name: String,
    /// Shape of the tensor.
    pub shape: Vec<usize>,
    /// The numbers in row-major order: the last axis varies fastest.
    pub data: Vec<R>,
    /// Whether weight decay applies.
    pub decay: bool,
}

/// A layer in a network.
#[derive(Debug)]
pub(super) struct Node<R: Real> {
    pub name: String,
    pub from: Vec<usize>,
    pub shape: Shape,
    /// `None` for an input.
    pub op: Option<Op<R>>,
    /// Indices into the network's parameters and buffers.
    pub params: Vec<usize>,
    pub buffers: Vec<usize>,
}

/// A network of number type `R`, ready for training and inference.
#[derive(Debug)]
pub struct Network<R: Real> {
    config: NetworkConfig,
    pub(super) nodes: Vec<Node<R>>,
    pub(super) inputs: BTreeMap<String, usize>,
    pub(super) output: usize,
    pub(super) params: Vec<Param<R>>,
    pub(super) buffers: Vec<Param<R>>,
    /// The nodes in segments: each is a range of nodes in which samples are independent, or one batch
    /// layer.
    pub(super) segments: Vec<std::ops::Range<usize>>,
    /// For each node the last one that takes its output, or itself; none for the output of the network.
    pub(super) last_use: Vec<Option<usize>>,
    pub(super) seed: u64,
}

impl NetworkConfig {
    /// Builds the network and draws the first values of its weights from `seed`.
    ///
    /// # Errors
    /// If the configuration is invalid; the error names the layer and both shapes.
    pub fn build<R: Real>(&self, seed: u64) -> Result<Network<R>> {
        Network::new(self.clone(), seed)
    }
}

impl<R: Real> Network<R> {
    /// Builds the network of `config` and draws the first values of its weights from `seed`.
    ///
    /// # Errors
    /// If the configuration is invalid; the error names the layer and both shapes.
    pub fn new(config: NetworkConfig, seed: u64) -> Result<Self> {
        let mut network = Self {
            nodes: Vec::new(),
            inputs: BTreeMap::new(),
            output: 0,
            params: Vec::new(),
            buffers: Vec::new(),
            segments: Vec::new(),
            last_use: Vec::new(),
            seed,
            config: NetworkConfig::default(),
        };
        for (index, (resolved, op)) in config.plan::<R>()?.into_iter().enumerate() {
            let Resolved { name, from, shape, params, buffers, .. } = resolved;
            if op.is_none() {
                network.inputs.insert(name.clone(), index);
            }
            let mut node = Node { name, from, shape, op, params: Vec::new(), buffers: Vec::new() };
            for spec in &params {
                node.params.push(network.param(&node.name, spec)?);
            }
            for spec in &buffers {
                node.buffers.push(network.buffers.len());
                network.buffers.push(first(&node.name, spec, seed)?);
            }
            network.nodes.push(node);
        }
        network.output = match &config.output {
            Some(name) => network.find(name)?,
            None => network.nodes.len() - 1,
        };
        network.segments = segments(&network.nodes);
        let from: Vec<_> = network.nodes.iter().map(|node| node.from.as_slice()).collect();
        network.last_use = last_use(&from, network.output);
        network.config = config;
        Ok(network)
    }

    /// A parameter of a layer: its own one, or that of another layer which it shares.
    fn param(&mut self, layer: &str, spec: &TensorSpec) -> Result<usize> {
        let Some(other) = &spec.shared_with else {
            self.params.push(first(layer, spec, self.seed)?);
            return Ok(self.params.len() - 1);
        };
        let name = format!("{other}.{}", spec.name);
        let found = self.params.iter().position(|param| param.name == name);
        let index = found.ok_or_else(|| {
            Error::config("the layer shares a parameter that no earlier layer has")
                .in_layer(layer)
                .found(&name)
        })?;
        if self.params[index].shape != spec.shape {
            return Err(Error::shape("the layer shares a parameter of another shape")
                .in_layer(layer)
                .expected(format!("{:?}", spec.shape))
                .found(format!("{name} {:?}", self.params[index].shape)));
        }
        Ok(index)
    }

    /// The configuration from which the network was built.
    pub fn config(&self) -> &NetworkConfig {
        &self.config
    }

    /// The seed of its first weights and of all its random numbers.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The parameters, in the order of the layers. A shared parameter is listed once.
    pub fn params(&self) -> &[Param<R>] {
        &self.params
    }

    /// The parameters, for an optimiser or for weights from a file to change.
    pub fn params_mut(&mut self) -> &mut [Param<R>] {
        &mut self.params
    }

    /// The buffers (running statistics), in the order of the layers.
    pub fn buffers(&self) -> &[Param<R>] {
        &self.buffers
    }

    /// The buffers (running statistics), to be changed in place.
    pub fn buffers_mut(&mut self) -> &mut [Param<R>] {
        &mut self.buffers
    }

    /// Whether samples are independent of each other in training: no layer needs the whole batch.
    pub(crate) fn has_independent_samples(&self) -> bool {
        !self.nodes.iter().any(|node| matches!(node.op, Some(Op::Batch(_))))
    }

    /// Number of learned values.
    pub fn parameter_count(&self) -> usize {
        self.params.iter().map(|param| param.data.len()).sum()
    }

    /// Name of the layer that gives the output of the network.
    pub fn output_name(&self) -> &str {
        &self.nodes[self.output].name
    }

    /// Shape of the output.
    pub fn output_shape(&self) -> &Shape {
        &self.nodes[self.output].shape
    }

    /// Names and shapes of the inputs.
    pub fn input_shapes(&self) -> impl Iterator<Item = (&str, &Shape)> {
        self.inputs.iter().map(|(name, &node)| (name.as_str(), &self.nodes[node].shape))
    }

    /// Names and output shapes of the layers.
    pub fn layers(&self) -> impl Iterator<Item = (&str, &Shape)> {
        self.nodes
            .iter()
            .filter(|node| node.op.is_some())
            .map(|node| (node.name.as_str(), &node.shape))
    }

    /// Index of a node by its name.
    pub(super) fn find(&self, name: &str) -> Result<usize> {
        let found = self.nodes.iter().position(|node| node.name == name);
        found.ok_or_else(|| Error::config("the network has no layer with this name").found(name))
    }
}

/// A tensor with its first values, which are a function of seed and name.
fn first<R: Real>(layer: &str, spec: &TensorSpec, seed: u64) -> Result<Param<R>> {
    let name = format!("{layer}.{}", spec.name);
    let key = name.bytes().fold(Key::new(seed), |key, byte| key.child(u64::from(byte)));
    let mut data = Vec::new();
    data.try_reserve_exact(spec.len()).map_err(|_| {
        Error::config(format!("cannot allocate memory for the tensor {}", spec.name))
            .in_layer(layer)
            .found(format!("{} numbers", spec.len()))
    })?;
    data.resize(spec.len(), R::ZERO);
    spec.init.fill(&mut data, key);
    Ok(Param { name, shape: spec.shape.clone(), data, decay: spec.decay })
}

/// For each node the last one that takes its output, or itself; none for the output of the network.
pub(super) fn last_use(from: &[&[usize]], output: usize) -> Vec<Option<usize>> {
    let mut last: Vec<_> = (0..from.len()).map(Some).collect();
    for (index, from) in from.iter().enumerate() {
        from.iter().for_each(|&from| last[from] = Some(index));
    }
    if let Some(last) = last.get_mut(output) {
        *last = None;
    }
    last
}

/// Splits the nodes at the layers that need the whole batch.
fn segments<R: Real>(nodes: &[Node<R>]) -> Vec<std::ops::Range<usize>> {
    let mut segments = Vec::new();
    let mut start = 0;
    for (i, node) in nodes.iter().enumerate() {
        if matches!(node.op, Some(Op::Batch(_))) {
            segments.extend([start..i, i..i + 1].into_iter().filter(|range| !range.is_empty()));
            start = i + 1;
        }
    }
    segments.extend(Some(start..nodes.len()).filter(|range| !range.is_empty()));
    segments
}
