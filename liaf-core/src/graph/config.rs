//! The configuration of a network, from TOML or JSON or built in Rust.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::layer::LayerConfig;
use crate::layer::contract::{Description, Layer, Spikes, TensorSpec};
use crate::layer::work::Work;
use crate::limits::Limits;
use crate::op::Op;
use crate::real::Real;
use crate::shape::Shape;
use crate::shape::size;

/// An input of a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputConfig {
    /// Shape of an item: `[C, H, W]`, `[L]`, or `[]` for tokens.
    pub shape: Vec<usize>,
    /// Whether the input has an item for every time step. Default true.
    #[serde(default = "crate::layer::contract::yes")]
    pub timed: bool,
}

/// A layer with its name and inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeConfig {
    /// Name of the layer; by default its type and its number, counted from 1: `dense3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The inputs and layers whose outputs it takes; by default the layer before it, or the only input
    /// of the network.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// The configuration of the layer.
    #[serde(flatten)]
    pub layer: LayerConfig,
}

/// A whole network: named inputs, layers in topological order, and the layer that gives the output.
///
/// ```
/// use liaf_core::graph::NetworkConfig;
///
/// let config = NetworkConfig::from_toml(r#"
///     [inputs.frames]
///     shape = [2, 8, 8]
///
///     [[layers]]
///     type = "flatten"
///     [[layers]]
///     type = "dense"
///     units = 3
///     [[layers]]
///     type = "aggregate"
///     kind = "mean"
/// "#)?;
/// let network = config.build::<f32>(0)?;
/// assert_eq!(network.parameter_count(), 3 * 128 + 3);
/// # Ok::<(), liaf_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// The inputs by name.
    pub inputs: BTreeMap<String, InputConfig>,
    /// The layers. Each takes only inputs and earlier layers.
    pub layers: Vec<NodeConfig>,
    /// The layer whose output is that of the network; by default the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
}

/// A node of the graph with everything that follows from the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// Name of the input or layer.
    pub name: String,
    /// Indices of the nodes whose outputs it takes; empty for an input.
    pub from: Vec<usize>,
    /// The configuration of the layer; `None` for an input.
    pub layer: Option<LayerConfig>,
    /// Shapes of its inputs.
    pub inputs: Vec<Shape>,
    /// Shape of its output.
    pub shape: Shape,
    /// Its parameters, including those that it shares with other layers.
    pub params: Vec<TensorSpec>,
    /// Its buffers.
    pub buffers: Vec<TensorSpec>,
    /// Its operations at one step, or in total if it has no time.
    pub work: Work,
    /// The relation of its output to spikes.
    pub(crate) spikes: Spikes,
}

impl NetworkConfig {
    /// One input, `[N, T, item…]`. Inputs have names, by which they are fed; here this is `input`. In TOML
    /// the table says it, as in `[inputs.frames]`, and [`input`](Self::input) adds one of any name.
    ///
    /// ```
    /// use liaf_core::graph::{Inputs, Mode, NetworkConfig, Workspace};
    /// use liaf_core::layer::Dense;
    ///
    /// let network = NetworkConfig::sequential([4]).then(Dense::new(2)).build::<f32>(1)?;
    /// let numbers = ndarray::Array3::ones((1, 5, 4)).into_dyn();
    /// let mut space = Workspace::new();
    /// network.forward(&Inputs::of("input", numbers.view()), Mode::eval(), &mut space)?;
    /// # Ok::<(), liaf_core::Error>(())
    /// ```
    pub fn sequential(item: impl Into<Vec<usize>>) -> Self {
        let input = InputConfig { shape: item.into(), timed: true };
        Self { inputs: BTreeMap::from([("input".to_owned(), input)]), ..Self::default() }
    }

    /// Adds an input.
    #[must_use]
    pub fn input(mut self, name: &str, shape: Shape) -> Self {
        self.inputs.insert(name.into(), InputConfig { shape: shape.item, timed: shape.timed });
        self
    }

    /// Adds a layer after the last one, whose output it takes.
    #[must_use]
    pub fn then(mut self, layer: impl Into<LayerConfig>) -> Self {
        self.layers.push(NodeConfig { name: None, from: Vec::new(), layer: layer.into() });
        self
    }

    /// Adds a layer with a name, which takes the named inputs and layers; the last layer if there are
    /// none.
    #[must_use]
    pub fn node(mut self, name: &str, from: &[&str], layer: impl Into<LayerConfig>) -> Self {
        let from = from.iter().map(|&name| name.to_owned()).collect();
        self.layers.push(NodeConfig { name: Some(name.into()), from, layer: layer.into() });
        self
    }

    /// Reads a configuration in TOML.
    ///
    /// # Errors
    /// If the text is not valid TOML or not a valid configuration; the error names the line.
    pub fn from_toml(text: &str) -> Result<Self> {
        toml::from_str(text).map_err(|error| Error::config(error.to_string()))
    }

    /// Reads a configuration in JSON.
    ///
    /// # Errors
    /// If the text is not valid JSON or not a valid configuration; the error names the line.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|error| Error::config(error.to_string()))
    }

    /// Reads a configuration from a file: JSON if its name ends in `.json`, TOML otherwise. A file that
    /// is longer than [`Limits::config_bytes`] is not read.
    ///
    /// # Errors
    /// As [`from_toml`](Self::from_toml); [`ErrorKind::System`](crate::ErrorKind::System) if the file
    /// cannot be read, and [`ErrorKind::Limit`](crate::ErrorKind::Limit) if it is too long.
    pub fn read(path: impl AsRef<Path>, limits: &Limits) -> Result<Self> {
        let path = path.as_ref();
        let fail = |error| Error::system("cannot read", error).in_file(path);
        let mut text = String::new();
        // One byte more than allowed tells whether the file is too long, also one that grows or has no
        // size, such as a device.
        let file = File::open(path).map_err(fail)?;
        file.take(limits.config_bytes.saturating_add(1)).read_to_string(&mut text).map_err(fail)?;
        if text.len() as u64 > limits.config_bytes {
            return Err(Error::limit("the configuration is too long")
                .expected(format!("at most {} bytes", limits.config_bytes))
                .in_file(path));
        }
        let is_json = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("json"));
        let config = if is_json { Self::from_json(&text) } else { Self::from_toml(&text) };
        config.map_err(|error| error.in_file(path))
    }

    /// The configuration in TOML.
    ///
    /// # Errors
    /// If a number cannot be written in TOML.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|error| Error::config(error.to_string()))
    }

    /// The configuration in JSON.
    ///
    /// # Errors
    /// If a number is NaN or infinite.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| Error::config(error.to_string()))
    }

    /// Every node in order, inputs first, with its shapes and tensors.
    ///
    /// # Errors
    /// If the configuration is invalid; the error names the layer and both shapes.
    pub fn resolve(&self) -> Result<Vec<Resolved>> {
        Ok(self.plan::<f32>()?.into_iter().map(|(node, _)| node).collect())
    }

    /// As [`resolve`](Self::resolve), with the operation of every layer.
    pub(crate) fn plan<R: Real>(&self) -> Result<Vec<(Resolved, Option<Op<R>>)>> {
        let mut nodes: Vec<(Resolved, Option<Op<R>>)> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        for (name, input) in &self.inputs {
            known.insert(name.clone(), nodes.len());
            nodes.push((resolve_input(name, input)?, None));
        }
        if nodes.is_empty() {
            return Err(Error::config("the network has no input")
                .advice("add a table [inputs.NAME] with a shape"));
        }
        if self.layers.is_empty() {
            return Err(Error::config("the network has no layers"));
        }
        for (number, node) in self.layers.iter().enumerate() {
            let kind = || format!("{}{}", node.layer.kind(), number + 1);
            let name = node.name.clone().unwrap_or_else(kind);
            let from = self.sources(node, number, &known, nodes.len());
            let from = from.map_err(|error| error.in_layer(&name))?;
            let inputs: Vec<_> = from.iter().map(|&i| nodes[i].0.shape.clone()).collect();
            let made = described::<R>(&node.layer, &inputs).map_err(|e| e.in_layer(&name))?;
            if known.insert(name.clone(), nodes.len()).is_some() {
                return Err(Error::config("two layers have the same name").in_layer(&name));
            }
            let Description { output: shape, params, buffers, work, spikes, op } = made;
            let layer = Some(node.layer.clone());
            let resolved =
                Resolved { name, from, layer, inputs, shape, params, buffers, work, spikes };
            nodes.push((resolved, Some(op)));
        }
        if let Some(output) = &self.output
            && known.get(output).is_none_or(|&node| node < self.inputs.len())
        {
            return Err(Error::config("the output is not a layer of the network").found(output));
        }
        Ok(nodes)
    }

    fn sources(
        &self,
        node: &NodeConfig,
        number: usize,
        known: &HashMap<String, usize>,
        next: usize,
    ) -> Result<Vec<usize>> {
        if node.from.is_empty() {
            return match (number, self.inputs.len()) {
                (0, 1) => Ok(vec![0]),
                (0, several) => {
                    Err(Error::config("the first layer must name the inputs that it takes")
                        .expected("from = [..]")
                        .found(format!("{several} inputs")))
                }
                _ => Ok(vec![next - 1]),
            };
        }
        let find = |name: &String| {
            known.get(name).copied().ok_or_else(|| {
                Error::config("the layer takes a name that does not exist above it")
                    .expected("an input or an earlier layer")
                    .found(name)
            })
        };
        let from: Vec<usize> = node.from.iter().map(find).collect::<Result<_>>()?;
        if let Some(twice) = (1..from.len()).find(|&i| from[..i].contains(&from[i])) {
            return Err(
                Error::config("the layer takes the same layer twice").found(&node.from[twice])
            );
        }
        Ok(from)
    }
}

/// The node of an input.
fn resolve_input(name: &str, input: &InputConfig) -> Result<Resolved> {
    let shape = Shape { timed: input.timed, item: input.shape.clone() };
    size("an input", &shape.item).map_err(|error| error.in_layer(name))?;
    if shape.is_empty() {
        return Err(Error::config("the shape of an input must not be empty")
            .in_layer(name)
            .found(shape));
    }
    Ok(Resolved {
        name: name.into(),
        from: Vec::new(),
        layer: None,
        inputs: Vec::new(),
        shape,
        params: Vec::new(),
        buffers: Vec::new(),
        work: Work::default(),
        spikes: Spikes::None,
    })
}

/// The description of a layer, provided that its output is not empty and that neither the output nor a
/// tensor of the layer is too large.
fn described<R: Real>(layer: &LayerConfig, inputs: &[Shape]) -> Result<Description<R>> {
    let made = layer.describe(inputs)?;
    size("the output", &made.output.item)?;
    for spec in made.params.iter().chain(&made.buffers) {
        size(&format!("the tensor {}", spec.name), &spec.shape)?;
    }
    if made.output.is_empty() {
        return Err(
            Error::shape("the output is empty, because the input is too small").found(made.output)
        );
    }
    Ok(made)
}
