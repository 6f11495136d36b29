//! NIR graphs in HDF5: `/version`, and `/node` with `type`, `nodes/<name>/<field>` and `edges`.

use std::io::Cursor;
use std::path::Path;

use liaf_core::{Error, Result};
use liaf_data::io::AtomicFile;
use liaf_hdf5::{Dataset, Element, File, FileWriter, Group};

use super::graph::{Array, Graph, Node};

/// The version of the Python package `nir` whose layout this is.
const VERSION: &str = "1.0.8";

/// Most numbers and names that are read from one file.
const MOST_NUMBERS: u64 = 1 << 27;

fn failed(error: liaf_hdf5::Error) -> Error {
    let text = format!("HDF5: {error}");
    match (error.kind(), error.into_io()) {
        (liaf_hdf5::ErrorKind::System, Some(cause)) => Error::system("cannot read the file", cause),
        _ => Error::checkpoint(text),
    }
}

pub(super) fn write(graph: &Graph, path: &Path) -> crate::error::Result<()> {
    let mut target = AtomicFile::create(path, true, true)?;
    let bytes = write_all(graph).map_err(|error| failed(error).in_file(path))?;
    target.append(&bytes)?;
    target.finish()?;
    Ok(())
}

/// The bytes of the file.
fn write_all(graph: &Graph) -> liaf_hdf5::Result<Vec<u8>> {
    let mut file = Writer { file: FileWriter::new(Cursor::new(Vec::new()))? };
    file.text("version", VERSION)?;
    file.text("node/type", "NIRGraph")?;
    file.file.group("node/nodes")?;
    for (name, node) in &graph.nodes {
        file.node(&format!("node/nodes/{name}"), node)?;
    }
    let edges: Vec<&str> =
        graph.edges.iter().flat_map(|(from, to)| [from.as_str(), to.as_str()]).collect();
    file.file.strings("node/edges", &edges, &[graph.edges.len() as u64, 2])?;
    Ok(file.file.finish()?.0.into_inner())
}

struct Writer {
    file: FileWriter<Cursor<Vec<u8>>>,
}

impl Writer {
    fn text(&mut self, path: &str, value: &str) -> liaf_hdf5::Result<()> {
        self.file.strings(path, &[value], &[])
    }

    fn whole(&mut self, path: &str, value: &[usize]) -> liaf_hdf5::Result<()> {
        let value: Vec<i64> = value.iter().map(|&n| n as i64).collect();
        self.file.dataset(path, &value, &[value.len() as u64])
    }

    fn one<T: Element>(&mut self, path: &str, value: T) -> liaf_hdf5::Result<()> {
        self.file.dataset(path, &[value], &[])
    }

    /// Numbers as f32, like those of the Python packages.
    fn array(&mut self, path: &str, value: &Array) -> liaf_hdf5::Result<()> {
        let data: Vec<f32> = value.data.iter().map(|&x| x as f32).collect();
        let shape: Vec<u64> = value.shape.iter().map(|&side| side as u64).collect();
        self.file.dataset(path, &data, &shape)
    }

    /// Writes a node as the group at `path`.
    fn node(&mut self, path: &str, node: &Node) -> liaf_hdf5::Result<()> {
        self.file.group(path)?;
        let at = |name: &str| format!("{path}/{name}");
        let (kind, arrays): (&str, Vec<(&str, &Array)>) = match node {
            Node::Input { shape } => {
                self.whole(&at("shape"), shape)?;
                ("Input", vec![])
            }
            Node::Output { shape } => {
                self.whole(&at("shape"), shape)?;
                ("Output", vec![])
            }
            Node::Affine { weight, bias: Some(bias) } => {
                ("Affine", vec![("weight", weight), ("bias", bias)])
            }
            Node::Affine { weight, bias: None } => ("Linear", vec![("weight", weight)]),
            Node::Conv2d { input_shape, weight, bias, stride, padding, dilation, groups } => {
                self.whole(&at("input_shape"), input_shape)?;
                self.whole(&at("stride"), stride)?;
                self.whole(&at("padding"), padding)?;
                self.whole(&at("dilation"), dilation)?;
                self.one(&at("groups"), *groups as i64)?;
                ("Conv2d", vec![("weight", weight), ("bias", bias)])
            }
            Node::AvgPool2d { kernel_size, stride, padding } => {
                self.whole(&at("kernel_size"), kernel_size)?;
                self.whole(&at("stride"), stride)?;
                self.whole(&at("padding"), padding)?;
                ("AvgPool2d", vec![])
            }
            Node::Flatten { input_type, start_dim, end_dim } => {
                self.whole(&at("input_type"), input_type)?;
                self.one(&at("start_dim"), *start_dim)?;
                self.one(&at("end_dim"), *end_dim)?;
                ("Flatten", vec![])
            }
            Node::Lif { tau, r, v_leak, v_threshold, v_reset } => {
                let names = ["tau", "r", "v_leak", "v_threshold", "v_reset"];
                ("LIF", names.into_iter().zip([tau, r, v_leak, v_threshold, v_reset]).collect())
            }
            Node::If { r, v_threshold, v_reset } => {
                let names = ["r", "v_threshold", "v_reset"];
                ("IF", names.into_iter().zip([r, v_threshold, v_reset]).collect())
            }
            Node::Li { tau, r, v_leak } => ("LI", vec![("tau", tau), ("r", r), ("v_leak", v_leak)]),
        };
        self.text(&at("type"), kind)?;
        arrays.into_iter().try_for_each(|(name, value)| self.array(&at(name), value))
    }
}

pub(super) fn read(path: &Path) -> Result<Graph> {
    let file = File::open(path).map_err(failed)?;
    let root = file
        .group("node")
        .map_err(|_| Error::checkpoint("no NIR file").expected("a group `node`").found("none"))?;
    let mut reader = Reader { room: MOST_NUMBERS };
    let kind = reader.text(&root, "type")?;
    if kind != "NIRGraph" {
        return Err(Error::checkpoint("no NIR graph").expected("NIRGraph").found(kind));
    }
    let mut graph = Graph::default();
    let nodes = root.group("nodes").map_err(failed)?;
    for name in nodes.names().map_err(failed)? {
        let group = nodes.group(&name).map_err(failed)?;
        let node = reader.node(&group).map_err(|error| error.in_layer(&name))?;
        graph.nodes.insert(name, node);
    }
    let edges = reader.texts(&root, "edges")?;
    let (pairs, rest) = edges.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(Error::checkpoint("the edges are not pairs").found(edges.len()));
    }
    graph.edges = pairs.iter().map(|[from, to]| (from.clone(), to.clone())).collect();
    graph.edges.sort();
    graph.edges.dedup();
    Ok(graph)
}

struct Reader {
    /// Numbers and names that may still be read.
    room: u64,
}

impl Reader {
    fn dataset(&mut self, group: &Group, name: &str) -> Result<Dataset> {
        let found = group.dataset(name).map_err(|error| match error.kind() {
            liaf_hdf5::ErrorKind::NotFound => {
                Error::checkpoint("a field is missing").expected(name).found(group.name())
            }
            _ => failed(error),
        })?;
        let size = found.extent().values();
        self.room = self.room.checked_sub(size).ok_or_else(|| {
            Error::checkpoint("more numbers than a network is read with")
                .expected(format!("at most {MOST_NUMBERS}"))
                .found(format!("{size} in {name}"))
        })?;
        Ok(found)
    }

    fn texts(&mut self, group: &Group, name: &str) -> Result<Vec<String>> {
        self.dataset(group, name)?.texts().map_err(failed)
    }

    fn text(&mut self, group: &Group, name: &str) -> Result<String> {
        let texts = self.texts(group, name)?;
        texts.into_iter().next().ok_or_else(|| Error::checkpoint("an empty text").found(name))
    }

    fn array(&mut self, group: &Group, name: &str) -> Result<Array> {
        let found = self.dataset(group, name)?;
        let shape = found.shape().iter().map(|&side| usize::try_from(side));
        let shape = shape.collect::<std::result::Result<_, _>>();
        let shape = shape.map_err(|_| Error::checkpoint("an array is too large").found(name))?;
        Ok(Array { shape, data: found.floats().map_err(failed)? })
    }

    fn whole(&mut self, group: &Group, name: &str) -> Result<Vec<i64>> {
        self.dataset(group, name)?.integers().map_err(failed)
    }

    fn shape(&mut self, group: &Group, name: &str) -> Result<Vec<usize>> {
        let numbers = self.whole(group, name)?;
        let each = |&n: &i64| {
            usize::try_from(n).map_err(|_| Error::checkpoint(format!("{name} below 0")).found(n))
        };
        numbers.iter().map(each).collect()
    }

    /// Two numbers, or one for both.
    fn pair(&mut self, group: &Group, name: &str) -> Result<[usize; 2]> {
        match self.shape(group, name)?[..] {
            [both] => Ok([both; 2]),
            [height, width] => Ok([height, width]),
            ref other => Err(Error::checkpoint(format!("{name} is not a pair of numbers"))
                .found(format!("{other:?}"))),
        }
    }

    fn first(&mut self, group: &Group, name: &str) -> Result<i64> {
        let numbers = self.whole(group, name)?;
        numbers.first().copied().ok_or_else(|| Error::checkpoint("an empty field").found(name))
    }

    /// The reset potential, which older files leave out: 0.
    fn reset(&mut self, group: &Group, threshold: &Array) -> Result<Array> {
        if group.contains("v_reset").map_err(failed)? {
            self.array(group, "v_reset")
        } else {
            Ok(Array::full(&threshold.shape, 0.0))
        }
    }

    fn node(&mut self, group: &Group) -> Result<Node> {
        let kind = self.text(group, "type")?;
        Ok(match kind.as_str() {
            "Input" => Node::Input { shape: self.shape(group, "shape")? },
            "Output" => Node::Output { shape: self.shape(group, "shape")? },
            "Affine" => Node::Affine {
                weight: self.array(group, "weight")?,
                bias: Some(self.array(group, "bias")?),
            },
            "Linear" => Node::Affine { weight: self.array(group, "weight")?, bias: None },
            "Conv2d" => {
                let weight = self.array(group, "weight")?;
                let input_shape = if group.contains("input_shape").map_err(failed)? {
                    self.pair(group, "input_shape")?
                } else {
                    [0; 2]
                };
                Node::Conv2d {
                    input_shape,
                    bias: self.array(group, "bias")?,
                    stride: self.pair(group, "stride")?,
                    padding: self.pair(group, "padding")?,
                    dilation: self.pair(group, "dilation")?,
                    groups: usize::try_from(self.first(group, "groups")?).unwrap_or(0),
                    weight,
                }
            }
            "AvgPool2d" => Node::AvgPool2d {
                kernel_size: self.pair(group, "kernel_size")?,
                stride: self.pair(group, "stride")?,
                padding: self.pair(group, "padding")?,
            },
            "Flatten" => Node::Flatten {
                input_type: if group.contains("input_type").map_err(failed)? {
                    self.shape(group, "input_type")?
                } else {
                    Vec::new()
                },
                start_dim: self.first(group, "start_dim")?,
                end_dim: self.first(group, "end_dim")?,
            },
            "LIF" => {
                let v_threshold = self.array(group, "v_threshold")?;
                Node::Lif {
                    tau: self.array(group, "tau")?,
                    r: self.array(group, "r")?,
                    v_leak: self.array(group, "v_leak")?,
                    v_reset: self.reset(group, &v_threshold)?,
                    v_threshold,
                }
            }
            "IF" => {
                let v_threshold = self.array(group, "v_threshold")?;
                Node::If {
                    r: self.array(group, "r")?,
                    v_reset: self.reset(group, &v_threshold)?,
                    v_threshold,
                }
            }
            "LI" => Node::Li {
                tau: self.array(group, "tau")?,
                r: self.array(group, "r")?,
                v_leak: self.array(group, "v_leak")?,
            },
            other => {
                return Err(Error::unsupported("a NIR node that there is nothing for")
                    .expected(
                        "Input, Output, Affine, Linear, Conv2d, AvgPool2d, Flatten, LIF, IF or LI",
                    )
                    .found(other));
            }
        })
    }
}
