//! LIAF-ResNet (Lin et al. 2021, ES-ImageNet).

use super::build::{conv_3d, neuron, norm, relu};
use super::{Entry, Kind, Options};
use crate::activation::Activation;
use crate::error::Result;
use crate::graph::NetworkConfig;
use crate::layer::{
    Activate, Add, Aggregate, AggregateKind, Conv2d, Dense, LayerConfig, MaxPool, SpatialMean,
};
use crate::neuron::{Constant, Neuron};
use crate::shape::Shape;

const ACT: Activation = Activation::LeakyRelu { slope: 0.2 };

/// σ(0.5), the first value that the authors use.
const ALPHA: f64 = 0.622_459_331_201_854_6;

pub(super) fn resnet18(entry: &Entry, kind: Kind, options: &Options) -> Result<NetworkConfig> {
    Ok(ResNet::new(entry, kind, options).make(&[2, 2, 2, 2], entry.classes(options)))
}

pub(super) fn resnet34(entry: &Entry, kind: Kind, options: &Options) -> Result<NetworkConfig> {
    Ok(ResNet::new(entry, kind, options).make(&[3, 4, 6, 3], entry.classes(options)))
}

struct ResNet {
    config: NetworkConfig,
    kind: Kind,
    width: f64,
}

impl ResNet {
    fn new(entry: &Entry, kind: Kind, options: &Options) -> Self {
        let config = NetworkConfig::default().input("frames", Shape::timed(entry.item(options)));
        Self { config, kind, width: options.width }
    }

    fn node(&mut self, name: &str, from: &[&str], layer: impl Into<LayerConfig>) {
        self.config = std::mem::take(&mut self.config).node(name, from, layer);
    }

    fn conv(&self, channels: usize, kernel: usize, stride: usize, padding: usize) -> LayerConfig {
        if self.kind != Kind::Conv3d || kernel == 1 {
            return Conv2d::new(channels, kernel).stride(stride).padding(padding).into();
        }
        conv_3d(channels, kernel, stride, padding)
    }

    /// Neurons with a separate decay, or with that of another layer.
    fn neuron(&self, shared_with: Option<&str>) -> LayerConfig {
        if self.kind == Kind::Conv3d {
            return relu().into();
        }
        let alpha = Constant::learned(ALPHA);
        let alpha = match shared_with {
            Some(layer) => alpha.shared_with(layer),
            None => alpha,
        };
        Neuron { alpha, ..neuron(self.kind, ACT) }.into()
    }

    /// 7×7 convolution, norm, neurons, pooling; blocks; means over the image and over time; classes.
    fn make(mut self, blocks: &[usize; 4], classes: usize) -> NetworkConfig {
        let wide = |count: usize, width: f64| ((count as f64 * width).round() as usize).max(1);
        let mut channels = wide(64, self.width);
        self.node("conv1", &[], self.conv(channels, 7, 2, 3));
        self.node("bn1", &[], norm());
        self.node("neuron1", &[], self.neuron(None));
        self.node("pool", &[], MaxPool { stride: Some(2.into()), ..MaxPool::new(3) });
        let mut from = "pool".to_owned();
        for (stage, &count) in blocks.iter().enumerate() {
            let outputs = wide(64 << stage, self.width);
            for block in 0..count {
                let stride = if block == 0 && stage > 0 { 2 } else { 1 };
                let name = format!("layer{}_{}", stage + 1, block + 1);
                from = self.block(&name, &from, outputs, stride, stride > 1 || outputs != channels);
                channels = outputs;
            }
        }
        self.node("spatial_mean", &[], SpatialMean {});
        self.node("mean", &[], Aggregate::new(AggregateKind::Mean));
        self.node("fc", &[], Dense::new(classes));
        self.config
    }

    /// Two convolutions with norms and neurons, a shortcut that always has a norm, and one learned
    /// decay for both layers of neurons. The sum passes through the activation function before the
    /// second layer of neurons, which applies it once more.
    fn block(
        &mut self,
        name: &str,
        from: &str,
        channels: usize,
        stride: usize,
        project: bool,
    ) -> String {
        let part = |part: &str| format!("{name}_{part}");
        self.node(&part("conv1"), &[from], self.conv(channels, 3, stride, 1));
        self.node(&part("bn1"), &[], norm());
        self.node(&part("neuron1"), &[], self.neuron(None));
        self.node(&part("conv2"), &[], self.conv(channels, 3, 1, 1));
        self.node(&part("bn2"), &[], norm());
        let shortcut = if project {
            self.node(&part("shortcut"), &[from], self.conv(channels, 1, stride, 0));
            part("shortcut")
        } else {
            from.to_owned()
        };
        self.node(&part("shortcut_bn"), &[&shortcut], norm());
        self.node(&part("sum"), &[&part("bn2"), &part("shortcut_bn")], Add {});
        if self.kind != Kind::Conv3d {
            self.node(&part("act"), &[], Activate::new(ACT));
        }
        let last = part("neuron2");
        self.node(&last, &[], self.neuron(Some(&part("neuron1"))));
        last
    }
}
