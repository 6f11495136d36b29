//! Counting of operations over the graph.

use super::{Cost, CountRule, EventCost, LayerCost, Rates, Synapses, Work};
use crate::error::{Error, Result};
use crate::graph::{Network, NetworkConfig, Resolved};
use crate::layer::LayerConfig;
use crate::layer::contract::Spikes;
use crate::op::Op;
use crate::real::Real;

impl NetworkConfig {
    /// The cost of the network for a sample of `steps` time steps.
    ///
    /// # Errors
    /// As [`build`](Self::build), and if `steps` is 0.
    pub fn cost(&self, steps: usize, rule: CountRule) -> Result<Cost> {
        count(self, steps, rule, None)
    }

    /// The cost of the network, and in addition the cost if layers after spiking neurons compute only
    /// where there is a spike.
    ///
    /// # Errors
    /// As [`cost`](Self::cost).
    pub fn cost_at(&self, steps: usize, rates: &Rates) -> Result<Cost> {
        count(self, steps, CountRule::Textbook, Some(rates))
    }
}

impl<R: Real> Network<R> {
    /// The cost of the network for a sample of `steps` time steps, by the textbook; see
    /// [`NetworkConfig::cost`].
    ///
    /// # Errors
    /// If `steps` is 0.
    pub fn cost(&self, steps: usize) -> Result<Cost> {
        self.config().cost(steps, CountRule::Textbook)
    }
}

fn count(
    config: &NetworkConfig,
    steps: usize,
    rule: CountRule,
    rates: Option<&Rates>,
) -> Result<Cost> {
    if steps == 0 {
        return Err(
            Error::config("a sample must have at least one time step").expected("1 or more")
        );
    }
    let nodes = config.plan::<f32>()?;
    let notebook = Notebook::of(nodes.iter().map(|(node, _)| node));
    // By node: number of steps, and spikes per number of the output if the output consists of spikes
    // only.
    let mut lengths = Vec::with_capacity(nodes.len());
    let mut spikes: Vec<Option<f64>> = Vec::with_capacity(nodes.len());
    let mut layers = Vec::new();
    for (node, op) in &nodes {
        let from: Vec<usize> = node.from.iter().map(|&i| lengths[i]).collect();
        let (given, state) = match op {
            Some(Op::Sample(op)) => (op.output_steps(&from), op.state_len()),
            Some(Op::Batch(op)) => (from.first().copied().unwrap_or(1), op.state_len()),
            None => (if node.shape.timed { steps } else { 1 }, 0),
        };
        lengths.push(given);
        let inputs: Vec<_> = node.from.iter().map(|&i| spikes[i]).collect();
        spikes.push(rates.and_then(|rates| spikes_of(node, &inputs, rates)));
        let Some(layer) = &node.layer else { continue };
        let works = if node.shape.timed { given } else { from.iter().copied().max().unwrap_or(1) };
        let mut cost = base(node, layer, works, state);
        match rule {
            CountRule::Textbook => {
                textbook(&mut cost, inputs.first().copied().flatten(), works);
            }
            CountRule::EsNotebook => {
                (cost.multiplications, cost.additions) = notebook.count(&cost);
            }
        }
        layers.push(cost);
    }
    Ok(Cost { steps, rule, layers })
}

fn base(node: &Resolved, layer: &LayerConfig, steps: usize, state: usize) -> LayerCost {
    let own = node.params.iter().filter(|spec| spec.shared_with.is_none());
    let parameters: u64 = own.clone().map(|spec| spec.len() as u64).sum();
    let buffers: u64 = node.buffers.iter().map(|spec| spec.len() as u64).sum();
    let held = [parameters, buffers, state as u64, node.shape.len() as u64];
    let numbers = held.into_iter().fold(0, u64::saturating_add);
    LayerCost {
        name: node.name.clone(),
        kind: layer.kind().to_owned(),
        shape: node.shape.clone(),
        steps,
        weights: own.filter(|spec| spec.decay).map(|spec| spec.len() as u64).sum(),
        parameters,
        state: state as u64,
        memory: numbers.saturating_mul(size_of::<f32>() as u64),
        work: node.work,
        macs: 0,
        multiplications: 0,
        additions: 0,
        event: None,
    }
}

/// Fills in the operations by the textbook. `rate` is the number of spikes per number of the input.
fn textbook(cost: &mut LayerCost, rate: Option<f64>, steps: usize) {
    let times = |count: u64| count.saturating_mul(steps as u64);
    let work = cost.work;
    cost.macs = times(work.macs());
    cost.multiplications = cost.macs.saturating_add(times(work.multiplications));
    cost.additions = cost.macs.saturating_add(times(work.additions));
    if let (Some(rate), Some(synapses)) = (rate, work.synapses) {
        // A share of a number that could not be counted is not known either.
        let at_spikes = match times(synapses.macs()) {
            u64::MAX => u64::MAX,
            macs => (macs as f64 * rate).round() as u64,
        };
        let rest = times(work.recurrent_macs);
        cost.event = Some(EventCost {
            rate,
            multiplications: rest.saturating_add(times(work.multiplications)),
            additions: at_spikes.saturating_add(rest).saturating_add(times(work.additions)),
        });
    }
}

/// What [`CountRule::EsNotebook`] needs to know about the whole network.
struct Notebook {
    spiking: bool,
    first: Option<String>,
}

impl Notebook {
    fn of<'a>(mut nodes: impl Iterator<Item = &'a Resolved> + Clone) -> Self {
        let conv = |node: &&Resolved| node.layer.as_ref().is_some_and(|l| l.kind() == "conv2d");
        Self {
            first: nodes.clone().find(conv).map(|node| node.name.clone()),
            spiking: nodes.any(|node| node.spikes == Spikes::Fires),
        }
    }

    /// Number of multiplications and additions per sample.
    fn count(&self, cost: &LayerCost) -> (u64, u64) {
        let Work { synapses: Some(s), .. } = cost.work else { return (0, 0) };
        let Synapses { inputs, outputs, taps, places } = s;
        let product = |parts: &[u64]| parts.iter().fold(1u64, |a, &b| a.saturating_mul(b));
        match cost.kind.as_str() {
            "dense" => (product(&[inputs; 3]), product(&[inputs; 3])),
            "conv2d" => {
                let plain = (s.macs(), product(&[inputs, outputs, places, taps - 1]));
                if taps == 1 {
                    return plain;
                }
                let neurons = product(&[outputs, places]);
                let twice = neurons.saturating_mul(2);
                let each = if self.spiking { twice } else { plain.0.saturating_add(neurons) };
                let steps = cost.steps as u64;
                let once = if self.first.as_ref() == Some(&cost.name) { plain } else { (0, 0) };
                (
                    product(&[steps, each]).saturating_add(once.0),
                    product(&[steps, plain.1.saturating_add(twice)]).saturating_add(once.1),
                )
            }
            _ => (0, 0),
        }
    }
}

/// Spikes per number of a node's output, given those per number of its inputs (`None` for an input that
/// does not consist of spikes only).
fn spikes_of(node: &Resolved, inputs: &[Option<f64>], rates: &Rates) -> Option<f64> {
    match node.spikes {
        Spikes::None => None,
        Spikes::Fires => Some(rates.of(&node.name)),
        Spikes::Scaled { factor, most } => Some(((*inputs.first()?)? * factor).min(most)),
        Spikes::Sum => inputs.iter().copied().sum(),
        Spikes::Mean => {
            let lens = node.inputs.iter().map(|shape| shape.len() as f64);
            let all: Option<f64> = lens.clone().zip(inputs).map(|(len, r)| Some((*r)? * len)).sum();
            Some(all? / lens.sum::<f64>().max(1.0))
        }
    }
}
