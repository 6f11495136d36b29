//! Conversion of a network to a NIR graph.

use liaf_core::graph::{Network, Resolved};
use liaf_core::layer::{AvgPool, Conv2d, Dense, LayerConfig};
use liaf_core::neuron::{Constant, Neuron, Output, Reset};
use liaf_core::{Error, Real, Result};

use super::graph::{Array, Graph, Node};

pub(super) fn export<R: Real>(network: &Network<R>, dt: f64) -> Result<Graph> {
    let nodes = network.config().resolve()?;
    let output = match &network.config().output {
        Some(name) => nodes.iter().position(|node| node.name == *name).unwrap_or(nodes.len() - 1),
        None => nodes.len() - 1,
    };
    let mut needed = vec![false; nodes.len()];
    needed[output] = true;
    for i in (0..nodes.len()).rev().filter(|&i| i <= output) {
        if needed[i] {
            nodes[i].from.iter().for_each(|&from| needed[from] = true);
        }
    }
    let mut export = Export { network, nodes: &nodes, needed, graph: Graph::default() };
    // By node: the names of the NIR nodes whose sum is its output.
    let mut names: Vec<Vec<String>> = Vec::with_capacity(nodes.len());
    for (i, node) in nodes.iter().enumerate() {
        if !export.needed[i] {
            names.push(Vec::new());
            continue;
        }
        let sources: Vec<String> = node.from.iter().flat_map(|&i| names[i].clone()).collect();
        let made = export.node(i, dt).map_err(|error| error.in_layer(&node.name))?;
        names.push(match made {
            None => sources,
            Some(made) => {
                let name = node.name.replace('/', "_");
                if export.graph.nodes.insert(name.clone(), made).is_some() {
                    return Err(
                        Error::unsupported("two layers have the same name in NIR").found(name)
                    );
                }
                export.graph.edges.extend(sources.into_iter().map(|from| (from, name.clone())));
                vec![name]
            }
        });
    }
    let mut name = "output".to_owned();
    while export.graph.nodes.contains_key(&name) {
        name.push('_');
    }
    let shape = nodes[output].shape.item.clone();
    export.graph.nodes.insert(name.clone(), Node::Output { shape });
    export.graph.edges.extend(names[output].iter().map(|from| (from.clone(), name.clone())));
    let mut edges = export.graph.edges.clone();
    edges.sort();
    if edges.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Error::unsupported(
            "NIR cannot represent a sum that takes the same signal twice",
        ));
    }
    Ok(export.graph)
}

/// A network that is being converted to NIR.
pub(super) struct Export<'a, R: Real> {
    network: &'a Network<R>,
    pub nodes: &'a [Resolved],
    /// By node: whether the output of the network depends on it.
    pub needed: Vec<bool>,
    graph: Graph,
}

impl<R: Real> Export<'_, R> {
    /// The NIR node of a layer; `None` for a layer that only passes on its inputs or their sum.
    fn node(&self, index: usize, dt: f64) -> Result<Option<Node>> {
        let node = &self.nodes[index];
        let Some(layer) = &node.layer else {
            if !node.shape.timed {
                return Err(Error::unsupported("NIR has no inputs without time"));
            }
            return Ok(Some(Node::Input { shape: node.shape.item.clone() }));
        };
        Ok(Some(match layer {
            // Configurations are destructured field by field, so that a field that is added later must
            // be handled here, and nothing is silently left out of a file.
            LayerConfig::Dense(Dense { units: _, bias: _, init: _ }) => {
                let (weight, bias) = self.weights(index)?;
                Node::Affine { weight, bias }
            }
            LayerConfig::Conv2d(conv) => {
                let Conv2d {
                    channels,
                    kernel: _,
                    stride,
                    padding,
                    dilation,
                    groups,
                    bias: _,
                    init: _,
                } = conv;
                let Some((_, height, width)) = node.inputs[0].image() else {
                    return Err(Error::unsupported("the input of a convolution is not an image"));
                };
                let (weight, bias) = self.weights(index)?;
                Node::Conv2d {
                    input_shape: [height, width],
                    bias: bias.unwrap_or_else(|| Array::full(&[*channels], 0.0)),
                    weight,
                    stride: stride.0,
                    padding: padding.0,
                    dilation: dilation.0,
                    groups: *groups,
                }
            }
            LayerConfig::AvgPool(AvgPool { kernel, stride, padding }) => Node::AvgPool2d {
                kernel_size: kernel.0,
                stride: stride.unwrap_or(*kernel).0,
                padding: padding.0,
            },
            LayerConfig::Flatten(_) => {
                Node::Flatten { input_type: node.inputs[0].item.clone(), start_dim: 0, end_dim: -1 }
            }
            LayerConfig::Neuron(neuron) => self.neuron(index, neuron, dt)?,
            LayerConfig::Dropout(_) | LayerConfig::Add(_) => return Ok(None),
            LayerConfig::Aggregate(_) => {
                return Err(Error::unsupported("NIR has no node for an aggregation over time")
                    .advice("make the layer before it the output"));
            }
            other => {
                return Err(Error::unsupported(format!("NIR has no node for {}", other.kind())));
            }
        }))
    }

    /// A tensor of a layer: its own one, or the one that it shares.
    fn tensor(&self, index: usize, name: &str) -> Option<Array> {
        let node = &self.nodes[index];
        let spec = node.params.iter().chain(&node.buffers).find(|spec| spec.name == name)?;
        let full = format!("{}.{name}", spec.shared_with.as_ref().unwrap_or(&node.name));
        let all = self.network.params().iter().chain(self.network.buffers());
        let found = all.into_iter().find(|param| param.name == full)?;
        Some(Array::new(&found.shape, found.data.iter().map(|x| x.f64()).collect()))
    }

    /// Weight and bias of a layer, multiplied by the factor that the neurons after it need.
    fn weights(&self, index: usize) -> Result<(Array, Option<Array>)> {
        let missing = || Error::unsupported("a layer has no weights");
        let mut weight = self.tensor(index, "weight").ok_or_else(missing)?;
        let mut bias = self.tensor(index, "bias");
        let rows = weight.shape.first().copied().unwrap_or(1).max(1);
        let width = weight.data.len() / rows;
        if let Some(scale) = self.scale_after(index)? {
            for (row, factor) in weight.data.chunks_exact_mut(width.max(1)).zip(&scale) {
                row.iter_mut().for_each(|w| *w *= factor);
            }
            if let Some(bias) = &mut bias {
                bias.data.iter_mut().zip(&scale).for_each(|(b, factor)| *b *= factor);
            }
        }
        Ok((weight, bias))
    }

    /// A constant, as one number per neuron.
    pub(super) fn constant(
        &self,
        index: usize,
        name: &str,
        constant: &Constant,
    ) -> Result<Vec<f64>> {
        let item = &self.nodes[index].shape;
        let logit = constant.learn && name == "alpha";
        let tensor = if logit { "alpha_logit" } else { name };
        let Some(values) = self.tensor(index, tensor) else {
            return Ok(vec![constant.init.value(); item.len()]);
        };
        let run = constant.per.run(item);
        let value = |w: f64| if logit { 1.0 / (1.0 + (-w).exp()) } else { w };
        Ok(values.data.iter().flat_map(|&w| std::iter::repeat_n(value(w), run)).collect())
    }

    fn neuron(&self, index: usize, neuron: &Neuron, dt: f64) -> Result<Node> {
        let shape = &self.nodes[index].shape.item;
        // Field by field, as above. NIR does not store gradients and first values.
        let Neuron {
            output,
            threshold,
            alpha,
            beta,
            reset,
            synapse,
            recurrent,
            norm,
            // These are part of `scale`, or concern analog neurons only.
            gain: _,
            threshold_related: _,
            detach_reset: _,
            surrogate: _,
            init: _,
        } = neuron;
        if let Output::Analog(_) = output {
            return Err(Error::unsupported("NIR has no node for an analog neuron (LIAF)")
                .advice("use spikes, or see docs/nir.md for a proposal of such a node"));
        }
        if *recurrent || synapse.is_some() {
            return Err(Error::unsupported(
                "writing neurons with a synapse or recurrence to NIR is not supported",
            ));
        }
        if norm.is_some() {
            return Err(Error::unsupported("NIR has no node for neurons with a norm inside"));
        }
        let Reset::To(reset) = reset else {
            return Err(Error::unsupported("NIR supports only neurons that are reset to a value")
                .expected("a hard reset")
                .found("a soft reset"));
        };
        let array = |values: Vec<f64>| Array::new(shape, values);
        let first = alpha.init.value();
        let alpha = self.constant(index, "alpha", alpha)?;
        let beta = self.constant(index, "beta", beta)?;
        let r = if self.taken_up(index)? {
            Array::full(shape, 1.0)
        } else {
            array(self.scale(index, neuron)?)
        };
        let v_threshold = array(self.constant(index, "threshold", threshold)?);
        let v_reset = array(self.constant(index, "reset", reset)?);
        let spikes = *output == Output::Spike;
        if alpha.iter().chain(&beta).all(|x| x.is_finite()) {
            if spikes && alpha.iter().all(|&a| a == 1.0) && beta.iter().all(|&b| b == 0.0) {
                return Ok(Node::If { r, v_threshold, v_reset });
            }
            if alpha.iter().all(|&alpha| (0.0..1.0).contains(&alpha)) {
                let tau = array(alpha.iter().map(|alpha| dt / (1.0 - alpha)).collect());
                let leak = beta.iter().zip(&alpha).map(|(beta, alpha)| beta / (1.0 - alpha));
                let v_leak = array(leak.collect());
                return Ok(if spikes {
                    Node::Lif { tau, r, v_leak, v_threshold, v_reset }
                } else {
                    Node::Li { tau, r, v_leak }
                });
            }
        }
        Err(Error::unsupported("the leak of the neurons has no time constant")
            .expected("alpha of 0 or more and less than 1, or alpha 1 and beta 0 for all")
            .found(format!("alpha {first:?}")))
    }
}
