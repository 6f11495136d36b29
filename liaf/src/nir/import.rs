//! Conversion of a NIR graph to a network.

use std::collections::BTreeMap;

use liaf_core::graph::{Network, NetworkConfig};
use liaf_core::layer::{Add, AvgPool, Conv2d, Dense, Flatten, LayerConfig};
use liaf_core::neuron::{Constant, Neuron, Output, Reset, Sharing};
use liaf_core::{Error, Real, Result, Shape};

use super::graph::{Array, Graph, Node};

pub(super) fn import<R: Real>(graph: &Graph, dt: f64) -> Result<Network<R>> {
    let order = order(graph)?;
    let mut import = Import { config: NetworkConfig::default(), tensors: BTreeMap::new() };
    let mut output = None;
    for name in order {
        let from: Vec<&str> = graph
            .edges
            .iter()
            .filter(|(_, to)| to == name)
            .map(|(from, _)| from.as_str())
            .collect();
        match &graph.nodes[name] {
            Node::Input { shape } => {
                import.config =
                    std::mem::take(&mut import.config).input(name, Shape::timed(shape.clone()));
            }
            node => {
                let mut source = *from.first().ok_or_else(|| {
                    Error::checkpoint("a node has no incoming edge").in_layer(name)
                })?;
                let sum = format!("{name}_sum");
                if from.len() > 1 {
                    import.push(&sum, &from, Add {});
                    source = &sum;
                }
                if let Node::Output { .. } = node {
                    if output.replace(source.to_owned()).is_some() {
                        return Err(Error::unsupported(
                            "a NIR graph with several outputs is not supported",
                        ));
                    }
                    continue;
                }
                import.node(name, source, node, dt).map_err(|error| error.in_layer(name))?;
            }
        }
    }
    let output = output.ok_or_else(|| Error::checkpoint("the NIR graph has no output"))?;
    import.config.output = Some(output);
    let mut network = import.config.build::<R>(0)?;
    for (name, numbers) in &import.tensors {
        let found = network.params().iter().position(|param| param.name == *name);
        let tensor = match found {
            Some(i) => network.params_mut().get_mut(i),
            None => network.buffers_mut().iter_mut().find(|buffer| buffer.name == *name),
        };
        let fits = tensor.filter(|tensor| tensor.data.len() == numbers.len());
        let tensor = fits.ok_or_else(|| {
            Error::checkpoint("the size of a tensor does not agree with its node").found(name)
        })?;
        tensor.data.iter_mut().zip(numbers).for_each(|(to, &number)| *to = R::of(number));
    }
    Ok(network)
}

/// The names of the nodes, in an order in which each comes after the nodes with edges to it.
fn order(graph: &Graph) -> Result<Vec<&String>> {
    for (from, to) in &graph.edges {
        if let Some(missing) = [from, to].into_iter().find(|&n| !graph.nodes.contains_key(n)) {
            return Err(
                Error::checkpoint("an edge names a node that does not exist").found(missing)
            );
        }
    }
    let mut open: BTreeMap<&String, usize> = graph.nodes.keys().map(|name| (name, 0)).collect();
    for (_, to) in &graph.edges {
        *open.entry(to).or_default() += 1;
    }
    let mut order: Vec<&String> =
        open.iter().filter(|&(_, &count)| count == 0).map(|(&name, _)| name).collect();
    let mut next = 0;
    while let Some(&name) = order.get(next) {
        next += 1;
        for (_, to) in graph.edges.iter().filter(|(from, _)| from == name) {
            if let Some(count) = open.get_mut(to) {
                *count -= 1;
                if *count == 0 {
                    order.push(to);
                }
            }
        }
    }
    if order.len() < graph.nodes.len() {
        return Err(Error::unsupported(
            "a NIR graph with a cycle (recurrent connections) is not supported",
        ));
    }
    Ok(order)
}

struct Import {
    config: NetworkConfig,
    tensors: BTreeMap<String, Vec<f64>>,
}

impl Import {
    fn push(&mut self, name: &str, from: &[&str], layer: impl Into<LayerConfig>) {
        self.config = std::mem::take(&mut self.config).node(name, from, layer);
    }

    fn keep(&mut self, name: &str, tensor: &str, numbers: Vec<f64>) {
        self.tensors.insert(format!("{name}.{tensor}"), numbers);
    }

    /// A constant of neurons: one number, or a tensor of one number per neuron.
    fn constant(&mut self, name: &str, tensor: &str, values: Vec<f64>) -> Result<Constant> {
        let first = *values
            .first()
            .ok_or_else(|| Error::checkpoint("the parameters of the neurons are empty"))?;
        if let Some(bad) = values.iter().find(|value| !value.is_finite()) {
            return Err(Error::checkpoint(format!(
                "{tensor} contains a number that is not finite"
            ))
            .found(bad));
        }
        if values.iter().all(|&value| value == first) {
            return Ok(first.into());
        }
        self.keep(name, tensor, values);
        Ok(Constant::from(first).per(Sharing::Neuron))
    }

    fn node(&mut self, name: &str, from: &str, node: &Node, dt: f64) -> Result<()> {
        match node {
            Node::Affine { weight, bias } => {
                let [units, _] = weight.shape[..] else {
                    return Err(Error::checkpoint("the weights must be a matrix")
                        .found(format!("{:?}", weight.shape)));
                };
                self.push(name, &[from], Dense { bias: bias.is_some(), ..Dense::new(units) });
                self.keep(name, "weight", weight.data.clone());
                if let Some(bias) = bias {
                    self.keep(name, "bias", bias.data.clone());
                }
            }
            Node::Conv2d { weight, bias, stride, padding, dilation, groups, .. } => {
                let [channels, _, height, width] = weight.shape[..] else {
                    return Err(Error::checkpoint(
                        "the weights must be those of a 2-D convolution",
                    )
                    .found(format!("{:?}", weight.shape)));
                };
                let conv = Conv2d {
                    stride: (*stride).into(),
                    padding: (*padding).into(),
                    dilation: (*dilation).into(),
                    groups: *groups,
                    ..Conv2d::new(channels, [height, width])
                };
                self.push(name, &[from], conv);
                self.keep(name, "weight", weight.data.clone());
                self.keep(name, "bias", bias.data.clone());
            }
            Node::AvgPool2d { kernel_size, stride, padding } => {
                let pool = AvgPool {
                    stride: Some((*stride).into()),
                    padding: (*padding).into(),
                    ..AvgPool::new(*kernel_size)
                };
                self.push(name, &[from], pool);
            }
            Node::Flatten { input_type, start_dim, end_dim } => {
                let last = input_type.len() as i64 - 1;
                if *start_dim != 0 || (*end_dim != -1 && *end_dim != last) {
                    return Err(Error::unsupported(
                        "a Flatten that keeps some axes is not supported",
                    )
                    .expected("start_dim 0, end_dim -1")
                    .found(format!("start_dim {start_dim}, end_dim {end_dim}")));
                }
                self.push(name, &[from], Flatten {});
            }
            Node::Lif { tau, r, v_leak, v_threshold, v_reset } => {
                let mut neuron = self.leaky(name, (tau, r, v_leak), dt)?;
                neuron.output = Output::Spike;
                neuron.threshold = self.constant(name, "threshold", v_threshold.data.clone())?;
                neuron.reset = Reset::To(self.constant(name, "reset", v_reset.data.clone())?);
                self.push(name, &[from], neuron);
            }
            Node::Li { tau, r, v_leak } => {
                let neuron = self.leaky(name, (tau, r, v_leak), dt)?;
                self.push(name, &[from], Neuron { output: Output::Membrane, ..neuron });
            }
            Node::If { r, v_threshold, v_reset } => {
                let neuron = Neuron {
                    output: Output::Spike,
                    alpha: 1.0.into(),
                    gain: self.constant(name, "gain", r.data.clone())?,
                    threshold: self.constant(name, "threshold", v_threshold.data.clone())?,
                    reset: Reset::To(self.constant(name, "reset", v_reset.data.clone())?),
                    ..Neuron::default()
                };
                self.push(name, &[from], neuron);
            }
            // The caller has handled both.
            Node::Input { .. } | Node::Output { .. } => {}
        }
        Ok(())
    }

    /// Leak, additive leak and gain of one step of Euler's method.
    fn leaky(
        &mut self,
        name: &str,
        (tau, r, v_leak): (&Array, &Array, &Array),
        dt: f64,
    ) -> Result<Neuron> {
        if let Some(short) = tau.data.iter().find(|&&tau| !(tau.is_finite() && tau >= dt)) {
            return Err(Error::unsupported("the time constant is shorter than the time step")
                .expected(format!("tau of {dt} seconds or more"))
                .found(short));
        }
        let share: Vec<f64> = tau.data.iter().map(|tau| dt / tau).collect();
        let each = |other: &Array, f: &dyn Fn(f64, f64) -> f64| -> Result<Vec<f64>> {
            let long = share.len().max(other.data.len());
            let fits = |len: usize| len == long || len == 1;
            if !fits(share.len())
                || !fits(other.data.len())
                || share.is_empty()
                || other.data.is_empty()
            {
                return Err(Error::checkpoint("the parameters have different numbers of neurons"));
            }
            let pick = |all: &[f64], i: usize| if all.len() == 1 { all[0] } else { all[i] };
            Ok((0..long).map(|i| f(pick(&share, i), pick(&other.data, i))).collect())
        };
        let gain = each(r, &|share, r| share * r)?;
        let beta = each(v_leak, &|share, leak| share * leak)?;
        Ok(Neuron {
            alpha: self.constant(name, "alpha", share.iter().map(|share| 1.0 - share).collect())?,
            beta: self.constant(name, "beta", beta)?,
            gain: self.constant(name, "gain", gain)?,
            ..Neuron::default()
        })
    }
}
