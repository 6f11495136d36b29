//! Networks for frames, whose layers follow one another.

use super::build::{Build, Order, Pool, c, norm};
use super::{Entry, Kind, Options};
use crate::activation::Activation;
use crate::error::Result;
use crate::graph::NetworkConfig;
use crate::layer::Dropout;

use Activation::{Relu, Selu};
use Order::{NormNeuronPool, NormPoolNeuron, Plain};
use Pool::{Avg, Max, None as Unpooled, Skip};

type Made = Result<NetworkConfig>;

fn gesture(entry: &Entry, kind: Kind, options: &Options, order: Order) -> Made {
    let build = Build::new(entry.item(options), kind, order, Selu, options)
        .conv(c(64, 3), Unpooled)
        .conv(c(128, 3), Avg(2))
        .conv(c(128, 3), Avg(2))
        .flatten()
        .fc(256)
        .classes(entry.classes(options))
        .mean();
    Ok(build.config)
}

pub(super) fn gesture_a(entry: &Entry, kind: Kind, options: &Options) -> Made {
    gesture(entry, kind, options, Plain)
}

pub(super) fn gesture_a_bn(entry: &Entry, kind: Kind, options: &Options) -> Made {
    gesture(entry, kind, options, NormPoolNeuron)
}

pub(super) fn gesture_a2(entry: &Entry, kind: Kind, options: &Options) -> Made {
    let build = Build::new(entry.item(options), kind, NormPoolNeuron, Selu, options)
        .conv(c(64, 3), Unpooled)
        .conv(c(128, 3), Avg(2))
        .flatten()
        .fc(256)
        .classes(entry.classes(options))
        .mean();
    Ok(build.config)
}

pub(super) fn gesture_b(entry: &Entry, kind: Kind, options: &Options) -> Made {
    let build = Build::new(entry.item(options), kind, NormPoolNeuron, Relu, options)
        .push("norm0", norm())
        .conv(c(64, 3).stride(2), Unpooled)
        .conv(c(128, 3).stride(2), Unpooled)
        .conv(c(256, 3).stride(2), Unpooled)
        .flatten()
        .fc(256)
        .fc_classes(entry.classes(options))
        .mean();
    Ok(build.config)
}

pub(super) fn gesture_c(entry: &Entry, kind: Kind, options: &Options) -> Made {
    let mut build = Build::new(entry.item(options), kind, NormNeuronPool, Relu, options);
    for channels in [64, 64, 128, 128, 256, 256, 512] {
        build = build.conv(c(channels, 3), Max(2));
    }
    Ok(build.flatten().mean().classes(entry.classes(options)).config)
}

pub(super) fn mnist_dvs_b(entry: &Entry, kind: Kind, options: &Options) -> Made {
    let build = Build::new(entry.item(options), kind, NormNeuronPool, Relu, options)
        .conv(c(32, 3), Max(2))
        .conv(c(64, 3), Max(2))
        .conv(c(128, 3), Max(2))
        .mean_then(&[512, 128], entry.classes(options));
    Ok(build.config)
}

/// 32C5s2-MP2-64C3-MP2-128C3-MP2-256C3-MP2-512C3-MP2-mean-512FC.
fn five(entry: &Entry, kind: Kind, options: &Options) -> Made {
    let mut build = Build::new(entry.item(options), kind, NormNeuronPool, Relu, options)
        .conv(c(32, 5).stride(2), Max(2));
    for channels in [64, 128, 256, 512] {
        build = build.conv(c(channels, 3), Max(2));
    }
    Ok(build.mean_then(&[512], entry.classes(options)).config)
}

pub(super) fn mnist_dvs_b5(entry: &Entry, kind: Kind, options: &Options) -> Made {
    five(entry, kind, options)
}

pub(super) fn cifar10_dvs_b(entry: &Entry, kind: Kind, options: &Options) -> Made {
    five(entry, kind, options)
}

pub(super) fn mnist_dvs_g(entry: &Entry, kind: Kind, options: &Options) -> Made {
    let build = Build::new(entry.item(options), kind, NormPoolNeuron, Selu, options)
        .conv(c(64, 5).unpadded(), Unpooled)
        .conv(c(64, 5).unpadded(), Avg(2))
        .conv(c(128, 5).unpadded(), Avg(2))
        .flatten()
        .fc_classes(entry.classes(options))
        .mean();
    Ok(build.config)
}

pub(super) fn cifar10_dvs_t(entry: &Entry, kind: Kind, options: &Options) -> Made {
    let mut build = Build::new(entry.item(options), kind, NormPoolNeuron, Relu, options);
    for (channels, pool) in [(32, 2), (64, 2), (128, 2), (256, 2), (512, 4)] {
        build = build.conv(c(channels, 3), Avg(pool));
    }
    Ok(build.flatten().fc(256).classes(entry.classes(options)).mean().config)
}

pub(super) fn cifar10_dvs_g(entry: &Entry, kind: Kind, options: &Options) -> Made {
    let mut build = Build::new(entry.item(options), kind, NormPoolNeuron, Selu, options);
    for channels in [32, 64, 128, 256] {
        build = build.conv(c(channels, 3).unpadded(), Skip);
    }
    let build = build.flatten().fc(512).push("dropout", Dropout::new(0.1));
    Ok(build.fc_classes(entry.classes(options)).mean().config)
}
