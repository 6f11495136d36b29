//! Weights alone, read from and written to files that other programs can use.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::container::{self, File, Tensor};
use crate::error::{Error, Result};
use crate::graph::Network;
use crate::limits::Limits;
use crate::real::Real;

/// How the tensors in a file are matched with those of the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadOptions {
    /// Whether to refuse a file that lacks tensors of the network or has additional ones. Default true.
    pub strict: bool,
    /// Names in the file by names in the network, for tensors with different names: `conv1.weight` to
    /// `0.weight`. A name that ends in a dot, or is empty, is a prefix of all names that start with it:
    /// `conv1.` to `features.0.`. Default none.
    pub names: BTreeMap<String, String>,
    /// Whether to assign the tensors that are not matched by name in the order of their names (in which
    /// numbers are compared as numbers) to tensors of the same shape and kind (`weight`, `bias`).
    /// Default false.
    pub by_order: bool,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self { strict: true, names: BTreeMap::new(), by_order: false }
    }
}

/// How the tensors in a file were used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Names in the network, with the names in the file.
    pub loaded: Vec<(String, String)>,
    /// Tensors of the network that the file does not have. They are left unchanged.
    pub missing: Vec<String>,
    /// Tensors in the file that the network does not have.
    pub unused: Vec<String>,
}

impl<R: Real> Network<R> {
    /// Loads parameters and running statistics from a `.safetensors` file, which may come from PyTorch
    /// or another framework that uses its names and layouts, or be a checkpoint. Numbers may be F64,
    /// F32, F16 or BF16; tensors of integers (counters) are ignored.
    ///
    /// # Errors
    /// [`ErrorKind::Checkpoint`](crate::ErrorKind::Checkpoint) if the file is damaged, if a tensor has
    /// the wrong shape or a number that is not finite, or, with `strict`, if tensors are missing or
    /// unused. The network is then left unchanged.
    pub fn load_weights(
        &mut self,
        path: impl AsRef<Path>,
        options: &LoadOptions,
    ) -> Result<Loaded> {
        let path = path.as_ref();
        let file = File::open(path, &Limits { memory: u64::MAX, ..Limits::default() })?;
        file.verify()?;
        let offered: BTreeMap<_, _> = file
            .tensors()
            .into_iter()
            .filter(|(name, (_, real))| *real && !name.starts_with('@'))
            .map(|(name, (shape, _))| (name, shape))
            .collect();
        let wanted: Vec<_> = self
            .params()
            .iter()
            .chain(self.buffers())
            .map(|tensor| (tensor.name.clone(), tensor.shape.clone()))
            .collect();
        let sources = find_sources(&wanted, &offered, options);
        let used: BTreeSet<_> = sources.iter().flatten().collect();
        let mut report = Loaded {
            unused: offered.keys().filter(|name| !used.contains(name)).cloned().collect(),
            ..Loaded::default()
        };
        let mut tensors = Vec::new();
        for ((name, shape), source) in wanted.into_iter().zip(&sources) {
            let Some(source) = source else {
                report.missing.push(name);
                tensors.push(None);
                continue;
            };
            let numbers = file.numbers::<R>(source, &shape)?;
            if numbers.iter().any(|number| !number.is_finite()) {
                return Err(Error::checkpoint(format!(
                    "tensor {source} contains numbers that are not finite"
                ))
                .expected("finite numbers")
                .in_file(path));
            }
            tensors.push(Some(numbers));
            report.loaded.push((name, source.clone()));
        }
        if options.strict && !(report.missing.is_empty() && report.unused.is_empty()) {
            return Err(Error::checkpoint("the weights do not belong to this network")
                .expected(format!("tensors {}", list(&report.missing)))
                .found(format!("tensors {}", list(&report.unused)))
                .in_file(path)
                .advice("map their names, or load by order or without strictness"));
        }
        let params = self.params().len();
        let mut tensors = tensors.into_iter();
        for (param, numbers) in self.params_mut().iter_mut().zip(tensors.by_ref().take(params)) {
            param.data = numbers.unwrap_or_else(|| std::mem::take(&mut param.data));
        }
        for (buffer, numbers) in self.buffers_mut().iter_mut().zip(tensors) {
            buffer.data = numbers.unwrap_or_else(|| std::mem::take(&mut buffer.data));
        }
        Ok(report)
    }

    /// Writes parameters and running statistics, with their names, as a `.safetensors` file. The file
    /// appears when it is complete, or not at all.
    ///
    /// # Errors
    /// [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be written.
    pub fn save_weights(&self, path: impl AsRef<Path>) -> Result<()> {
        let all = self.params().iter().chain(self.buffers());
        let tensors: Vec<_> =
            all.map(|tensor| Tensor::new(&tensor.name, &tensor.shape, &tensor.data)).collect();
        container::write::<R>(path.as_ref(), None, &tensors)
    }
}

/// The first names of a list.
fn list(names: &[String]) -> String {
    match names {
        [] => "none".into(),
        [.., _] if names.len() > 6 => format!("{}, … ({})", names[..6].join(", "), names.len()),
        _ => names.join(", "),
    }
}

/// For each wanted tensor, the name of the tensor in the file from which it is loaded.
fn find_sources(
    wanted: &[(String, Vec<usize>)],
    offered: &BTreeMap<String, Vec<usize>>,
    options: &LoadOptions,
) -> Vec<Option<String>> {
    let mut sources: Vec<Option<String>> = wanted
        .iter()
        .map(|(name, _)| Some(mapped(name, &options.names)).filter(|at| offered.contains_key(at)))
        .collect();
    if !options.by_order {
        return sources;
    }
    let used: BTreeSet<String> = sources.iter().flatten().cloned().collect();
    let mut free: Vec<&String> = offered.keys().filter(|name| !used.contains(*name)).collect();
    free.sort_by(|a, b| natural(a, b));
    for ((name, shape), source) in wanted.iter().zip(&mut sources).filter(|(_, at)| at.is_none()) {
        let fits =
            |other: &&String| offered.get(*other) == Some(shape) && kind(other) == kind(name);
        if let Some(at) = free.iter().position(fits) {
            *source = Some(free.remove(at).clone());
        }
    }
    sources
}

/// The last part of a name: `weight` of `conv1.weight`.
fn kind(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn mapped(name: &str, names: &BTreeMap<String, String>) -> String {
    if let Some(other) = names.get(name) {
        return other.clone();
    }
    let prefix = |(from, _): &(&String, &String)| {
        (from.is_empty() || from.ends_with('.')) && name.starts_with(from.as_str())
    };
    match names.iter().filter(prefix).max_by_key(|(from, _)| from.len()) {
        Some((from, to)) => format!("{to}{}", &name[from.len()..]),
        None => name.to_owned(),
    }
}

/// An order of names that compares numbers by value, so that `conv2` precedes `conv10`.
fn natural(a: &str, b: &str) -> Ordering {
    let parts = |name: &str| -> Vec<(u64, String)> {
        let mut parts: Vec<(u64, String)> = Vec::new();
        let mut digits = true;
        for c in name.chars() {
            if parts.is_empty() || digits != c.is_ascii_digit() {
                parts.push((0, String::new()));
                digits = c.is_ascii_digit();
            }
            if let Some((number, text)) = parts.last_mut() {
                match c.to_digit(10) {
                    Some(digit) => *number = number.saturating_mul(10).saturating_add(digit.into()),
                    None => text.push(c),
                }
            }
        }
        parts
    };
    parts(a).cmp(&parts(b)).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let mut names = ["10.weight", "conv10.w", "2.weight", "conv2.w", "2.bias"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["conv2.w", "conv10.w", "2.bias", "2.weight", "10.weight"]);
    }

    #[test]
    fn names_are_mapped_whole_or_by_their_beginning() {
        let names = BTreeMap::from([
            ("fc.weight".to_owned(), "w".to_owned()),
            ("fc.".to_owned(), "head.".to_owned()),
        ]);
        assert_eq!(mapped("fc.weight", &names), "w");
        assert_eq!(mapped("fc.bias", &names), "head.bias");
        assert_eq!(mapped("fc2.bias", &names), "fc2.bias");
    }
}
