//! The network that the metadata of a reference file describe.

use std::collections::HashMap;

use liaf_core::layer::{Aggregate, AggregateKind, AvgPool, Conv2d, Dense, Flatten};
use liaf_core::neuron::{Neuron, Output, Surrogate, SurrogateKind};
use liaf_core::{Activation, Error, NetworkConfig, Result, Shape};
use serde_json::Value;

/// A layer of the specification.
#[derive(Debug, Clone, Copy)]
enum Part {
    /// 3x3 convolution, stride 1, padding 1, with neurons.
    Conv(usize, usize),
    /// 2x2 average pooling.
    Pool,
    /// Fully connected with neurons.
    Dense(usize, usize),
    /// Fully connected without neurons.
    Out(usize, usize),
}

/// A network as the metadata describe it.
#[derive(Debug)]
pub struct Spec {
    title: String,
    /// `[C, H, W]`.
    pub item: [usize; 3],
    layers: Vec<Part>,
    neuron: Neuron,
}

impl Spec {
    /// Reads the metadata of a file. There are no defaults for what they lack.
    ///
    /// # Errors
    /// If a key is missing or its value is not supported.
    pub fn read(metadata: Option<&HashMap<String, String>>) -> Result<Self> {
        let text = |key: &str| {
            metadata.and_then(|all| all.get(key)).map(String::as_str).ok_or_else(|| {
                Error::checkpoint(
                    "a key is missing in the metadata: the file is not a file of reference tensors",
                )
                .expected(key)
            })
        };
        let number = |key: &str| {
            let text = text(key)?;
            let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
            number.ok_or_else(|| not(key, "a number", text))
        };
        let (output, threshold_related) = match text("kind")? {
            "liaf_tr" => (Output::Analog(Activation::Relu), true),
            "liaf_ntr" => (Output::Analog(Activation::Relu), false),
            "lif" => (Output::Spike, true),
            other => return Err(not("kind", "liaf_tr, liaf_ntr or lif", other)),
        };
        let detach_reset = match text("detach_reset")? {
            "True" | "true" | "1" => true,
            "False" | "false" | "0" => false,
            other => return Err(not("detach_reset", "True or False", other)),
        };
        let neuron = Neuron {
            output,
            threshold_related,
            threshold: number("vth")?.into(),
            alpha: number("alpha")?.into(),
            beta: number("beta")?.into(),
            reset: number("v_reset")?.into(),
            detach_reset,
            surrogate: Surrogate { kind: SurrogateKind::Rectangle, a: number("a")? },
            ..Neuron::default()
        };
        let text_of_spec = text("spec")?;
        let spec: Value = serde_json::from_str(text_of_spec)
            .map_err(|error| not("spec", "JSON", &format!("{text_of_spec} ({error})")))?;
        let size = |key: &str| {
            let size = spec.get(key).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
            size.ok_or_else(|| not("spec", &format!("a whole number {key}"), text_of_spec))
        };
        let item = [size("C")?, size("H")?, size("W")?];
        let layers = spec.get("layers").and_then(Value::as_array);
        let layers = layers.ok_or_else(|| not("spec", "a list of layers", text_of_spec))?;
        let layers = layers.iter().map(part).collect::<Result<Vec<_>>>()?;
        let model = metadata.and_then(|all| all.get("model")).map_or("network", String::as_str);
        let detached = if detach_reset { ", detached reset" } else { "" };
        let title = format!("{model}, {}{detached}", text("kind")?);
        Ok(Self { title, item, layers, neuron })
    }

    /// Name of the network, and of its neurons.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Keys and shapes of the weights.
    pub fn weights(&self) -> Vec<(String, Vec<usize>)> {
        let mut all = Vec::new();
        for (i, part) in self.numbered() {
            let (outputs, shape) = match part {
                Part::Conv(inputs, outputs) => (outputs, vec![outputs, inputs, 3, 3]),
                Part::Dense(inputs, outputs) | Part::Out(inputs, outputs) => {
                    (outputs, vec![outputs, inputs])
                }
                Part::Pool => continue,
            };
            all.push((format!("l{i}.weight"), shape));
            all.push((format!("l{i}.bias"), vec![outputs]));
        }
        all
    }

    /// Keys of mean activations, and the names of their layers.
    pub fn activations(&self) -> Vec<(String, String)> {
        let layer = |(i, part): (usize, Part)| match part {
            Part::Out(..) => (format!("act.l{i}"), format!("l{i}")),
            _ => (format!("act.l{i}"), format!("neuron{i}")),
        };
        self.numbered().filter(|(_, part)| !matches!(part, Part::Pool)).map(layer).collect()
    }

    /// The layers, with the number of those with weights so far.
    fn numbered(&self) -> impl Iterator<Item = (usize, Part)> + '_ {
        self.layers.iter().scan(0, |number, &part| {
            *number += usize::from(!matches!(part, Part::Pool));
            Some((*number, part))
        })
    }

    /// The network, whose parameters are named like the file's: `l1.weight`.
    ///
    /// # Errors
    /// If the shapes of the layers do not agree.
    pub fn network(&self) -> Result<NetworkConfig> {
        let mut net = NetworkConfig::default().input("x", Shape::timed(self.item));
        let mut image = true;
        for (i, part) in self.numbered() {
            let name = format!("l{i}");
            if image && matches!(part, Part::Dense(..) | Part::Out(..)) {
                net = net.then(Flatten {});
                image = false;
            }
            net = match part {
                Part::Conv(_, outputs) => net.node(&name, &[], Conv2d::new(outputs, 3).padding(1)),
                Part::Pool => net.then(AvgPool::new(2)),
                Part::Dense(_, outputs) | Part::Out(_, outputs) => {
                    net.node(&name, &[], Dense::new(outputs))
                }
            };
            if matches!(part, Part::Conv(..) | Part::Dense(..)) {
                net = net.node(&format!("neuron{i}"), &[], self.neuron.clone());
            }
        }
        let net = net.then(Aggregate::new(AggregateKind::Mean));
        let expected: Vec<_> = self.weights();
        for node in net.resolve()? {
            for tensor in &node.params {
                let key = format!("{}.{}", node.name, tensor.name);
                if let Some((_, shape)) = expected.iter().find(|(name, _)| *name == key)
                    && *shape != tensor.shape
                {
                    return Err(Error::checkpoint(format!(
                        "the layers of the spec do not fit together: {key}"
                    ))
                    .expected(format!("{:?}", tensor.shape))
                    .found(format!("{shape:?}")));
                }
            }
        }
        Ok(net)
    }
}

fn not(key: &str, expected: &str, found: &str) -> Error {
    Error::checkpoint(format!("the value of {key} in the metadata is not supported"))
        .expected(expected)
        .found(found)
}

/// A layer: `["conv", 2, 64]`, `["pool"]`, `["dense", 2048, 256]` or `["out", 256, 11]`.
fn part(value: &Value) -> Result<Part> {
    let fields = value.as_array().map_or(&[][..], Vec::as_slice);
    let size = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok());
    let part = match fields {
        [Value::String(name)] if name == "pool" => Some(Part::Pool),
        [Value::String(name), a, b] => match (name.as_str(), size(a), size(b)) {
            ("conv", Some(a), Some(b)) => Some(Part::Conv(a, b)),
            ("dense", Some(a), Some(b)) => Some(Part::Dense(a, b)),
            ("out", Some(a), Some(b)) => Some(Part::Out(a, b)),
            _ => None,
        },
        _ => None,
    };
    part.ok_or_else(|| {
        let expected = r#"["conv", in, out], ["pool"], ["dense", in, out] or ["out", in, out]"#;
        not("spec", expected, &value.to_string())
    })
}
