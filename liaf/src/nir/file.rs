//! NIR graphs in HDF5: `/version`, and `/node` with `type`, `nodes/<name>/<field>` and `edges`.

use std::path::{Path, PathBuf};

use hdf5::types::{VarLenAscii, VarLenUnicode};
use hdf5::{Dataset, File, Group};
use liaf_core::{Error, Result};
use liaf_data::io::AtomicFile;

use super::graph::{Array, Graph, Node};

/// The version of the Python package `nir` whose layout this is.
const VERSION: &str = "1.0.8";

/// Most numbers and names that are read from one file.
const MOST_NUMBERS: usize = 1 << 27;

fn failed(error: &hdf5::Error) -> Error {
    Error::checkpoint(format!("HDF5: {error}"))
}

pub(super) fn write(graph: &Graph, path: &Path) -> crate::error::Result<()> {
    let mut target = AtomicFile::create(path, true, true)?;
    // The library locks the file it writes, and a process started meanwhile would inherit the lock
    // and keep others from opening it. What is written anew from its bytes bears none.
    let mut part = target.target().as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let bytes = write_all(graph, &part).map_err(|error| failed(&error)).and_then(|()| {
        std::fs::read(&part).map_err(|error| Error::system("cannot read the file back", error))
    });
    let _ = std::fs::remove_file(&part);
    target.append(&bytes.map_err(|error| error.in_file(path))?)?;
    target.finish()?;
    Ok(())
}

fn write_all(graph: &Graph, path: &Path) -> hdf5::Result<()> {
    // One that is left of a writer that was stopped may still be locked.
    let _ = std::fs::remove_file(path);
    let file = File::create(path)?;
    text(&file, "version", VERSION)?;
    let root = file.create_group("node")?;
    text(&root, "type", "NIRGraph")?;
    let nodes = root.create_group("nodes")?;
    for (name, node) in &graph.nodes {
        write_node(&nodes.create_group(name)?, node)?;
    }
    let edges: Vec<VarLenUnicode> =
        graph.edges.iter().flat_map(|(from, to)| [from, to]).map(|name| unicode(name)).collect();
    let dataset =
        root.new_dataset::<VarLenUnicode>().shape((graph.edges.len(), 2)).create("edges")?;
    dataset.write_raw(&edges)?;
    file.close()
}

/// Text in HDF5 ends at its first NUL.
fn unicode(text: &str) -> VarLenUnicode {
    text.replace('\0', "_").parse().unwrap_or_default()
}

fn text(group: &Group, name: &str, value: &str) -> hdf5::Result<()> {
    group.new_dataset::<VarLenUnicode>().shape(()).create(name)?.write_scalar(&unicode(value))
}

fn whole(group: &Group, name: &str, value: &[usize]) -> hdf5::Result<()> {
    let value: Vec<i64> = value.iter().map(|&n| n as i64).collect();
    group.new_dataset::<i64>().shape(value.len()).create(name)?.write_raw(&value)
}

fn one(group: &Group, name: &str, value: i64) -> hdf5::Result<()> {
    group.new_dataset::<i64>().shape(()).create(name)?.write_scalar(&value)
}

/// Numbers as f32, like those of the Python packages.
fn array(group: &Group, name: &str, value: &Array) -> hdf5::Result<()> {
    let data: Vec<f32> = value.data.iter().map(|&x| x as f32).collect();
    group.new_dataset::<f32>().shape(value.shape.clone()).create(name)?.write_raw(&data)
}

fn write_node(group: &Group, node: &Node) -> hdf5::Result<()> {
    let (kind, arrays): (&str, Vec<(&str, &Array)>) = match node {
        Node::Input { shape } => {
            whole(group, "shape", shape)?;
            ("Input", vec![])
        }
        Node::Output { shape } => {
            whole(group, "shape", shape)?;
            ("Output", vec![])
        }
        Node::Affine { weight, bias: Some(bias) } => {
            ("Affine", vec![("weight", weight), ("bias", bias)])
        }
        Node::Affine { weight, bias: None } => ("Linear", vec![("weight", weight)]),
        Node::Conv2d { input_shape, weight, bias, stride, padding, dilation, groups } => {
            whole(group, "input_shape", input_shape)?;
            whole(group, "stride", stride)?;
            whole(group, "padding", padding)?;
            whole(group, "dilation", dilation)?;
            one(group, "groups", *groups as i64)?;
            ("Conv2d", vec![("weight", weight), ("bias", bias)])
        }
        Node::AvgPool2d { kernel_size, stride, padding } => {
            whole(group, "kernel_size", kernel_size)?;
            whole(group, "stride", stride)?;
            whole(group, "padding", padding)?;
            ("AvgPool2d", vec![])
        }
        Node::Flatten { input_type, start_dim, end_dim } => {
            whole(group, "input_type", input_type)?;
            one(group, "start_dim", *start_dim)?;
            one(group, "end_dim", *end_dim)?;
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
    text(group, "type", kind)?;
    arrays.into_iter().try_for_each(|(name, value)| array(group, name, value))
}

pub(super) fn read(path: &Path) -> Result<Graph> {
    let file = File::open(path).map_err(|error| failed(&error))?;
    let root = file
        .group("node")
        .map_err(|_| Error::checkpoint("no NIR file").expected("a group `node`").found("none"))?;
    let mut reader = Reader { room: MOST_NUMBERS };
    let kind = reader.text(&root, "type")?;
    if kind != "NIRGraph" {
        return Err(Error::checkpoint("no NIR graph").expected("NIRGraph").found(kind));
    }
    let mut graph = Graph::default();
    let nodes = root.group("nodes").map_err(|error| failed(&error))?;
    for name in nodes.member_names().map_err(|error| failed(&error))? {
        let group = nodes.group(&name).map_err(|error| failed(&error))?;
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
    room: usize,
}

impl Reader {
    fn dataset(&mut self, group: &Group, name: &str) -> Result<Dataset> {
        let found = group.dataset(name).map_err(|_| {
            Error::checkpoint("a field is missing").expected(name).found(group.name())
        })?;
        let size = found.size();
        self.room = self.room.checked_sub(size).ok_or_else(|| {
            Error::checkpoint("more numbers than a network is read with")
                .expected(format!("at most {MOST_NUMBERS}"))
                .found(format!("{size} in {name}"))
        })?;
        Ok(found)
    }

    fn texts(&mut self, group: &Group, name: &str) -> Result<Vec<String>> {
        let found = self.dataset(group, name)?;
        if let Ok(all) = found.read_raw::<VarLenUnicode>() {
            return Ok(all.iter().map(|text| text.as_str().to_owned()).collect());
        }
        let all = found.read_raw::<VarLenAscii>().map_err(|error| failed(&error))?;
        Ok(all.iter().map(|text| text.as_str().to_owned()).collect())
    }

    fn text(&mut self, group: &Group, name: &str) -> Result<String> {
        let texts = self.texts(group, name)?;
        texts.into_iter().next().ok_or_else(|| Error::checkpoint("an empty text").found(name))
    }

    fn array(&mut self, group: &Group, name: &str) -> Result<Array> {
        let found = self.dataset(group, name)?;
        let data = found.read_raw::<f64>().map_err(|error| failed(&error))?;
        Ok(Array { shape: found.shape(), data })
    }

    fn whole(&mut self, group: &Group, name: &str) -> Result<Vec<i64>> {
        self.dataset(group, name)?.read_raw::<i64>().map_err(|error| failed(&error))
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
        if group.link_exists("v_reset") {
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
                let input_shape = if group.link_exists("input_shape") {
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
                input_type: if group.link_exists("input_type") {
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
