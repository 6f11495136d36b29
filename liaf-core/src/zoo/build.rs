//! Construction of networks block by block, in every form.

use super::{Kind, Options};
use crate::activation::Activation;
use crate::graph::NetworkConfig;
use crate::layer::{
    Activate, Aggregate, AggregateKind, AvgPool, BatchNorm, Conv2d, Conv3d, ConvLstm, Dense,
    Flatten, Gru, LayerConfig, Lstm, MaxPool, Rnn,
};
use crate::neuron::{Neuron, Output};
use crate::shape::Shape;

/// The order of norm, pooling and neurons after a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Neurons, then pooling; no norm.
    Plain,
    /// Norm, pooling, then neurons.
    NormPoolNeuron,
    /// Norm, neurons, then pooling.
    NormNeuronPool,
}

/// A pooling of windows that do not overlap.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pool {
    None,
    Max(usize),
    Avg(usize),
    /// Keeps every second row and column.
    Skip,
}

/// A convolution as written in `64C3s2`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Conv {
    channels: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
}

/// A convolution with `channels` and `kernel`, padded so that the size of the image stays the same.
pub(super) fn c(channels: usize, kernel: usize) -> Conv {
    Conv { channels, kernel, stride: 1, padding: kernel / 2 }
}

impl Conv {
    pub fn stride(self, stride: usize) -> Self {
        Self { stride, ..self }
    }

    pub fn unpadded(self) -> Self {
        Self { padding: 0, ..self }
    }
}

/// A network that is being built.
#[derive(Debug)]
pub(super) struct Build {
    pub config: NetworkConfig,
    pub kind: Kind,
    order: Order,
    activation: Activation,
    width: f64,
    convs: usize,
    dense: usize,
}

impl Build {
    pub fn new(
        item: [usize; 3],
        kind: Kind,
        order: Order,
        activation: Activation,
        options: &Options,
    ) -> Self {
        let config = NetworkConfig::default().input("frames", Shape::timed(item));
        Self { config, kind, order, activation, width: options.width, convs: 0, dense: 0 }
    }

    /// `count` times the width.
    pub fn wide(&self, count: usize) -> usize {
        ((count as f64 * self.width).round() as usize).max(1)
    }

    /// Adds a layer after the last one.
    pub fn push(mut self, name: &str, layer: impl Into<LayerConfig>) -> Self {
        self.config = self.config.node(name, &[], layer);
        self
    }

    /// The neurons of this form.
    pub fn neuron(&self) -> Neuron {
        neuron(self.kind, self.activation)
    }

    /// A convolution with its norm, neurons and pooling.
    pub fn conv(mut self, conv: Conv, pool: Pool) -> Self {
        self.convs += 1;
        let n = self.convs;
        let channels = self.wide(conv.channels);
        let (conv_name, norm_name, act) =
            (format!("conv{n}"), format!("norm{n}"), format!("relu{n}"));
        let flat = Conv2d::new(channels, conv.kernel).stride(conv.stride).padding(conv.padding);
        match self.kind {
            Kind::Liaf | Kind::Lif => {
                let (neuron, name) = (self.neuron(), format!("neuron{n}"));
                let this = self.push(&conv_name, flat);
                match this.order {
                    Order::Plain => this.push(&name, neuron).pool(n, pool),
                    Order::NormPoolNeuron => {
                        this.push(&norm_name, norm()).pool(n, pool).push(&name, neuron)
                    }
                    Order::NormNeuronPool => {
                        this.push(&norm_name, norm()).push(&name, neuron).pool(n, pool)
                    }
                }
            }
            Kind::ConvLstm => {
                let this = self.push(&format!("convlstm{n}"), ConvLstm::new(channels, conv.kernel));
                this.every(conv.stride, n).pool(n, pool)
            }
            Kind::Conv3d => self
                .push(&conv_name, conv_3d(channels, conv.kernel, conv.stride, conv.padding))
                .push(&norm_name, norm())
                .push(&act, relu())
                .pool(n, pool),
            Kind::Lstm | Kind::Gru | Kind::Rnn => {
                let this = self.push(&conv_name, flat);
                let this = match this.order {
                    Order::Plain => this,
                    _ => this.push(&norm_name, norm()),
                };
                this.push(&act, relu()).pool(n, pool)
            }
        }
    }

    fn pool(self, n: usize, pool: Pool) -> Self {
        let name = format!("pool{n}");
        match pool {
            Pool::None => self,
            Pool::Max(kernel) => self.push(&name, MaxPool::new(kernel)),
            Pool::Avg(kernel) => self.push(&name, AvgPool::new(kernel)),
            Pool::Skip => self.push(&name, AvgPool { stride: Some(2.into()), ..AvgPool::new(1) }),
        }
    }

    /// Keeps every `stride`th row and column. A ConvLSTM has no stride, so that this layer follows it.
    fn every(self, stride: usize, n: usize) -> Self {
        if stride == 1 {
            return self;
        }
        let layer = AvgPool { stride: Some(stride.into()), ..AvgPool::new(1) };
        self.push(&format!("every{n}"), layer)
    }

    pub fn flatten(self) -> Self {
        self.push("flatten", Flatten {})
    }

    pub fn mean(self) -> Self {
        self.push("mean", Aggregate::new(AggregateKind::Mean))
    }

    /// A fully connected layer of neurons; in recurrent forms the first one is recurrent.
    pub fn fc(mut self, units: usize) -> Self {
        self.dense += 1;
        let (n, units) = (self.dense, self.wide(units));
        if n == 1
            && let Some(layer) = recurrent(self.kind, units)
        {
            return self.push("recurrent", layer);
        }
        let this_kind = self.kind;
        let (fc, neuron) = (format!("fc{n}"), self.neuron());
        let this = self.push(&fc, Dense::new(units));
        match this_kind {
            Kind::Liaf | Kind::Lif => this.push(&format!("fc_neuron{n}"), neuron),
            _ => this.push(&format!("fc_relu{n}"), relu()),
        }
    }

    /// The last layer, without neurons. The width does not apply to it.
    pub fn classes(self, classes: usize) -> Self {
        self.push("head", Dense::new(classes))
    }

    /// The last layer with neurons, whose outputs are the scores.
    pub fn fc_classes(self, classes: usize) -> Self {
        let neuron = self.neuron();
        let has = matches!(self.kind, Kind::Liaf | Kind::Lif);
        let this = self.classes(classes);
        if has { this.push("head_neuron", neuron) } else { this }
    }

    /// The mean over time, hidden fully connected layers with ReLU, and the classes. In recurrent forms
    /// the first hidden layer is recurrent and precedes the mean.
    pub fn mean_then(mut self, hidden: &[usize], classes: usize) -> Self {
        self = self.flatten();
        let mut hidden =
            hidden.iter().map(|&units| self.wide(units)).collect::<Vec<_>>().into_iter();
        if recurrent(self.kind, 1).is_some()
            && let Some(units) = hidden.next()
            && let Some(layer) = recurrent(self.kind, units)
        {
            self = self.push("recurrent", layer);
        }
        self = self.mean();
        for (n, units) in hidden.enumerate() {
            let (fc, act) = (format!("fc{}", n + 1), format!("fc_relu{}", n + 1));
            self = self.push(&fc, Dense::new(units)).push(&act, relu());
        }
        self.classes(classes)
    }
}

/// Neurons as the authors use them: the analog output is a function of U, not of U - V_th.
pub(super) fn neuron(kind: Kind, activation: Activation) -> Neuron {
    match kind {
        Kind::Lif => Neuron { output: Output::Spike, ..Neuron::default() },
        _ => Neuron { output: activation.into(), threshold_related: false, ..Neuron::default() },
    }
}

pub(super) fn relu() -> Activate {
    Activate::new(Activation::Relu)
}

/// The recurrent layer of a recurrent form.
pub(super) fn recurrent(kind: Kind, units: usize) -> Option<LayerConfig> {
    match kind {
        Kind::Lstm => Some(Lstm::new(units).into()),
        Kind::Gru => Some(Gru::new(units).into()),
        Kind::Rnn => Some(Rnn::new(units).into()),
        _ => None,
    }
}

/// A convolution over three steps.
pub(super) fn conv_3d(
    channels: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
) -> LayerConfig {
    let (stride, padding) = (stride.into(), padding.into());
    Conv3d { stride, padding, ..Conv3d::new(channels, 3, kernel) }.into()
}

/// The norm after a convolution.
pub(super) fn norm() -> LayerConfig {
    BatchNorm::default().into()
}
