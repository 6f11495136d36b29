//! The networks that are timed, with inputs and weights like those of their peers in Python.

use anyhow::{Result, bail};
use liaf_core::cost::CountRule;
use liaf_core::layer::{Aggregate, AggregateKind, AvgPool, BatchNorm, Conv2d, Dense, Flatten};
use liaf_core::neuron::Neuron;
use liaf_core::rng::Key;
use liaf_core::{Activation, Network, NetworkConfig, zoo};
use ndarray::{ArrayD, IxDyn};

/// All networks, in the order in which they are timed.
pub const NAMES: [&str; 8] =
    ["M1", "M2", "M3", "M1-bn", "gesture-a", "gesture-a-relu", "mnist-dvs-b", "cifar10-dvs-b"];

/// A network and the size of its samples.
#[derive(Debug)]
pub struct Model {
    /// The network; it has one input with time.
    pub config: NetworkConfig,
    /// Time steps of a sample.
    pub steps: usize,
    /// Channels, height and width of a frame.
    pub item: [usize; 3],
    /// Whether the weights are those of the peers, or the first values of the network.
    peers: bool,
}

enum Part {
    Conv(usize),
    Pool,
    Dense(usize),
    Out(usize),
}

impl Model {
    /// The network with this name.
    pub fn named(name: &str) -> Result<Self> {
        use Part::{Conv, Dense as Fc, Out, Pool};
        let m1 = [Conv(64), Pool, Conv(128), Pool, Conv(128), Pool, Fc(256), Out(11)];
        let m2 = [Conv(16), Pool, Conv(32), Pool, Fc(128), Out(10)];
        let m3 = [Conv(64), Conv(128), Pool, Conv(256), Pool, Conv(512), Pool, Fc(512), Out(10)];
        Ok(match name {
            "M1" => Self::of_peers(60, [2, 32, 32], &m1, false),
            "M1-bn" => Self::of_peers(60, [2, 32, 32], &m1, true),
            "M2" => Self::of_peers(20, [2, 28, 28], &m2, false),
            "M3" => Self::of_peers(10, [2, 42, 42], &m3, false),
            "gesture-a-relu" => {
                let mut model = Self::of_zoo("gesture-a")?;
                let selu = r#""selu""#;
                let text = serde_json::to_string(&model.config)?;
                if !text.contains(selu) {
                    bail!("gesture-a has no SELU that could be replaced");
                }
                model.config = NetworkConfig::from_json(&text.replace(selu, r#""relu""#))?;
                model
            }
            name => Self::of_zoo(name)?,
        })
    }

    /// Convolutions of 3×3 with neurons, average pools of 2×2, fully connected layers, and the mean
    /// over time; with `norm`, a batch norm after each convolution.
    fn of_peers(steps: usize, item: [usize; 3], parts: &[Part], norm: bool) -> Self {
        let mut config = NetworkConfig::sequential(item);
        let mut image = true;
        let neuron = || Neuron::liaf(Activation::Relu);
        for part in parts {
            if image && matches!(part, Part::Dense(_) | Part::Out(_)) {
                (config, image) = (config.then(Flatten {}), false);
            }
            config = match *part {
                Part::Conv(channels) => {
                    let conv = config.then(Conv2d::new(channels, 3).padding(1));
                    let conv = if norm { conv.then(BatchNorm::default()) } else { conv };
                    conv.then(neuron())
                }
                Part::Pool => config.then(AvgPool::new(2)),
                Part::Dense(units) => config.then(Dense::new(units)).then(neuron()),
                Part::Out(units) => config.then(Dense::new(units)),
            };
        }
        config = config.then(Aggregate::new(AggregateKind::Mean));
        Self { config, steps, item, peers: true }
    }

    fn of_zoo(name: &str) -> Result<Self> {
        let Some((entry, _)) = zoo::find(name).filter(|(entry, _)| entry.size > 0) else {
            bail!(
                "there is no network {name}; there are {} and those of the zoo",
                NAMES.join(", ")
            );
        };
        let config = zoo::network(name, &zoo::Options::default())?;
        let item = [2, entry.size, entry.size];
        Ok(Self { config, steps: entry.steps, item, peers: false })
    }

    /// The network with its first weights. Those of the peers are normal with deviation gain/√inputs,
    /// where the gain is 4 in the first layer, 1 in the last and 2.5 between them, and biases within
    /// 0.1, so that some neurons fire in every layer.
    pub fn build(&self) -> Result<Network<f32>> {
        let mut network = self.config.build::<f32>(0)?;
        if !self.peers {
            return Ok(network);
        }
        let layers = network.params().iter().filter(|param| param.shape.len() > 1).count();
        let mut layer = 0;
        for (index, param) in network.params_mut().iter_mut().enumerate() {
            let key = Key::new(2).child(index as u64);
            if let [_, fan @ ..] = &param.shape[..]
                && !fan.is_empty()
            {
                layer += 1;
                let gain = match layer {
                    1 => 4.0,
                    last if last == layers => 1.0,
                    _ => 2.5,
                };
                let inputs = fan.iter().product::<usize>() as f64;
                key.fill_normal(&mut param.data, 0.0, gain / inputs.sqrt());
            } else if param.name.starts_with("conv") || param.name.starts_with("dense") {
                key.fill_uniform(&mut param.data, -0.1, 0.1);
            }
        }
        Ok(network)
    }

    /// Frames of event counts, Poisson distributed with a mean of 0.05: `[N, T, C, H, W]`.
    pub fn frames(&self, samples: usize) -> Result<ArrayD<f32>> {
        let [channels, height, width] = self.item;
        let shape = [samples, self.steps, channels, height, width];
        let numbers = (0..shape.iter().product::<usize>() as u64).map(|i| {
            let (mut rest, mut part, mut count) = (Key::new(1).uniform(i), (-0.05f64).exp(), 0.0);
            while rest > part && count < 9.0 {
                rest -= part;
                count += 1.0;
                part *= 0.05 / count;
            }
            count as f32
        });
        Ok(ArrayD::from_shape_vec(IxDyn(&shape), numbers.collect())?)
    }

    /// Floating-point operations of the products of one sample in a forward pass, in units of 10^9: two
    /// for each multiply-accumulate.
    pub fn gflop(&self) -> Result<f64> {
        Ok(self.config.cost(self.steps, CountRule::Textbook)?.total().macs as f64 * 2e-9)
    }
}
