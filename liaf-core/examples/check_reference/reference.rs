//! Runs the network of a file of reference tensors and compares it with the tensors in the file.
//!
//! The metadata of the file describe the network: `spec` (JSON: `C`, `H`, `W` and `layers`), `kind`
//! (`liaf_tr`, `liaf_ntr` or `lif`), `detach_reset`, `alpha`, `beta`, `vth`, `a`, `v_reset`. Its
//! tensors are `x` `[T, B, C, H, W]`, `labels` `[B]`, `l{i}.weight` and `l{i}.bias` of the i-th layer
//! with weights; and, for comparison, `act.l{i}` (output of the layer's neurons, before pooling, mean
//! over steps and samples), `logits`, `loss`, `grad.x`, `grad.l{i}.weight`, `grad.l{i}.bias`.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Instant;

use liaf_core::graph::Inputs;
use liaf_core::loss::cross_entropy;
use liaf_core::{Error, GradientSum, Mode, Network, Real, Result, Workspace};
use ndarray::{Array1, ArrayD, Axis, Ix2, IxDyn};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

#[path = "spec.rs"]
mod spec;

use spec::Spec;

/// The errors of a network against its reference file.
pub struct Report {
    /// Network, kind and precision.
    pub title: String,
    /// Relative error of each tensor, under the file's keys.
    pub errors: Vec<(String, f64)>,
    /// The largest error that is allowed in this precision.
    pub tolerance: f64,
    /// Time of the forward and backward pass.
    pub seconds: f64,
}

impl Report {
    /// Whether every error is allowed.
    pub fn passed(&self) -> bool {
        self.errors.iter().all(|(_, error)| *error <= self.tolerance)
    }

    /// The largest error.
    pub fn largest(&self) -> f64 {
        self.errors.iter().fold(0.0, |max, (_, e)| if *e <= max { max } else { *e })
    }
}

/// Runs the network of a file, and writes what it computes to `dump` under the file's name.
///
/// # Errors
/// If the file is damaged or of another kind, or has tensors that the network does not compute.
pub fn check(path: &Path, dump: Option<&Path>) -> Result<Report> {
    let run = || {
        let bytes = std::fs::read(path).map_err(|e| Error::system("cannot read the file", e))?;
        let foreign = |e| Error::checkpoint(format!("not a valid safetensors file: {e}"));
        let file = SafeTensors::deserialize(&bytes).map_err(foreign)?;
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(foreign)?;
        let spec = Spec::read(header.metadata().as_ref())?;
        match tensor(&file, "x")?.dtype() {
            Dtype::F64 => run::<f64>(&file, &spec, path, dump),
            Dtype::F32 => run::<f32>(&file, &spec, path, dump),
            other => {
                Err(Error::unsupported("the type of the input must be f64 or f32").found(other))
            }
        }
    };
    run().map_err(|error| error.in_file(path))
}

type Tensors<R> = BTreeMap<String, ArrayD<R>>;

fn run<R: Real>(
    file: &SafeTensors<'_>,
    spec: &Spec,
    path: &Path,
    dump: Option<&Path>,
) -> Result<Report> {
    let (computed, seconds) = compute::<R>(file, spec)?;
    let mut errors = Vec::new();
    for (key, _) in file.iter().filter(|(key, _)| !is_given(key)) {
        let ours = computed.get(key).ok_or_else(|| {
            Error::checkpoint("the file has a tensor that its network does not compute").found(key)
        })?;
        let theirs = array::<R>(file, key, ours.shape())?;
        errors.push((key.to_owned(), relative_error(ours, &theirs)));
    }
    if errors.is_empty() {
        return Err(Error::checkpoint("the file has no tensor to compare with")
            .expected("act.l1, logits, loss, grad.x, .."));
    }
    errors.sort_by(|(a, _), (b, _)| a.cmp(b));
    if let Some(folder) = dump {
        write(&computed, folder, path)?;
    }
    let tolerance = if R::NAME == "F64" { 1e-10 } else { 1e-4 };
    let title = format!("{}, {}", spec.title(), R::NAME);
    Ok(Report { title, errors, tolerance, seconds })
}

/// Whether a tensor is an input or a weight of the network, and not a result.
fn is_given(key: &str) -> bool {
    let weight = key.starts_with('l') && (key.ends_with(".weight") || key.ends_with(".bias"));
    weight || key == "x" || key == "labels"
}

/// Everything the network computes, under the file's keys, and the seconds of both passes.
fn compute<R: Real>(file: &SafeTensors<'_>, spec: &Spec) -> Result<(Tensors<R>, f64)> {
    let x = tensor(file, "x")?;
    let [steps, samples, ref item @ ..] = *x.shape() else {
        return Err(shape_error("x", "[T, B, C, H, W]", x.shape()));
    };
    if item != spec.item {
        return Err(shape_error("x", &format!("[T, B] and {:?}", spec.item), x.shape()));
    }
    let mut axes = vec![steps, samples];
    axes.extend(item);
    let mut x = array::<R>(file, "x", &axes)?;
    x.swap_axes(0, 1);
    let x = x.as_standard_layout().into_owned();
    let labels = labels(file, samples)?;
    // The sizes of the weights are checked before the network allocates memory for them.
    let mut weights = Tensors::new();
    for (key, shape) in spec.weights() {
        weights.insert(key.clone(), array::<R>(file, &key, &shape)?);
    }
    let mut network: Network<R> = spec.network()?.build(0)?;
    for param in network.params_mut() {
        let given = weights.get(&param.name).and_then(|weight| weight.as_slice());
        let given =
            given.ok_or_else(|| Error::checkpoint("a tensor is missing").found(&param.name))?;
        param.data.copy_from_slice(given);
    }

    let (mut space, mut sum) = (Workspace::new(), GradientSum::new(&network));
    let mode = Mode::train(0).input_gradients();
    let start = Instant::now();
    let mut pass = network.forward(&Inputs::of("x", x.view()), mode, &mut space)?;
    let flat = pass.output().view().into_dimensionality::<Ix2>();
    let flat =
        flat.map_err(|_| Error::unsupported("the output of the last layer must be vectors"))?;
    let (loss, d_logits) = cross_entropy(flat, &labels)?;
    let back = pass.backward(d_logits.view().into_dyn(), &mut sum)?;
    let mut by_x = back.get("x").unwrap_or_default();
    let gradients = sum.reduce();
    let seconds = start.elapsed().as_secs_f64();

    let mut computed = Tensors::new();
    for (key, layer) in spec.activations() {
        let all = pass.activation(&layer)?;
        computed.insert(key, mean(&all));
    }
    for (param, gradient) in network.params().iter().zip(gradients.all()) {
        let gradient = ArrayD::from_shape_vec(IxDyn(&param.shape), gradient.clone());
        computed.insert(format!("grad.{}", param.name), gradient.unwrap_or_default());
    }
    by_x.swap_axes(0, 1);
    computed.insert("grad.x".into(), by_x.as_standard_layout().into_owned());
    computed.insert("logits".into(), pass.into_output());
    computed.insert("loss".into(), Array1::from_elem(1, loss).into_dyn());
    Ok((computed, seconds))
}

/// Mean over samples and steps, the first two axes.
fn mean<R: Real>(all: &ArrayD<R>) -> ArrayD<R> {
    let count = R::of((all.shape()[0] * all.shape()[1]) as f64);
    let add = |a: &ArrayD<R>| a.fold_axis(Axis(0), R::ZERO, |&sum, &x| sum + x);
    add(&add(all)).mapv(|sum| sum / count)
}

/// `||ours - theirs|| / ||theirs||`; 0 for two tensors of zeros.
pub fn relative_error<R: Real>(ours: &ArrayD<R>, theirs: &ArrayD<R>) -> f64 {
    let squares = |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|x| x * x).sum::<f64>();
    let off = squares(&mut ours.iter().zip(theirs).map(|(a, b)| a.f64() - b.f64()));
    if off == 0.0 { 0.0 } else { (off / squares(&mut theirs.iter().map(|b| b.f64()))).sqrt() }
}

fn tensor<'a>(file: &SafeTensors<'a>, key: &str) -> Result<TensorView<'a>> {
    file.tensor(key).map_err(|_| {
        Error::checkpoint("a tensor is missing: the file is not a file of reference tensors")
            .expected(format!("the tensor {key}"))
            .found(format!("{:?}", file.names()))
    })
}

fn shape_error(key: &str, expected: &str, found: &[usize]) -> Error {
    let what = format!("the shape of tensor {key} does not agree with the metadata");
    Error::shape(what).expected(expected).found(format!("{found:?}"))
}

/// A tensor in the precision of the file.
fn array<R: Real>(file: &SafeTensors<'_>, key: &str, shape: &[usize]) -> Result<ArrayD<R>> {
    let view = tensor(file, key)?;
    if view.shape() != shape {
        return Err(shape_error(key, &format!("{shape:?}"), view.shape()));
    }
    let numbers: Vec<R> = match (view.dtype(), R::NAME) {
        (Dtype::F64, "F64") => {
            let (numbers, _) = view.data().as_chunks();
            numbers.iter().map(|&bytes| R::of(f64::from_le_bytes(bytes))).collect()
        }
        (Dtype::F32, "F32") => {
            let (numbers, _) = view.data().as_chunks();
            numbers.iter().map(|&bytes| R::of(f32::from_le_bytes(bytes).into())).collect()
        }
        (other, name) => {
            return Err(Error::checkpoint(format!(
                "the tensor {key} has another precision than the input"
            ))
            .expected(name)
            .found(other));
        }
    };
    ArrayD::from_shape_vec(IxDyn(shape), numbers)
        .map_err(|e| Error::checkpoint(format!("the tensor {key} is damaged: {e}")))
}

fn labels(file: &SafeTensors<'_>, samples: usize) -> Result<Vec<usize>> {
    let view = tensor(file, "labels")?;
    if view.dtype() != Dtype::I64 || view.shape() != [samples] {
        return Err(shape_error("labels", &format!("[{samples}] of I64"), view.shape()));
    }
    let (numbers, _) = view.data().as_chunks();
    numbers
        .iter()
        .map(|&bytes| {
            let label = i64::from_le_bytes(bytes);
            usize::try_from(label)
                .map_err(|_| Error::data("a label is not the index of a class").found(label))
        })
        .collect()
}

/// Writes tensors to `folder`, under the name of `path`.
fn write<R: Real>(tensors: &Tensors<R>, folder: &Path, path: &Path) -> Result<()> {
    let single = R::NAME == "F32";
    let bytes = |tensor: &ArrayD<R>| -> Vec<u8> {
        let numbers = tensor.iter();
        if single {
            numbers.flat_map(|x| (x.f64() as f32).to_le_bytes()).collect()
        } else {
            numbers.flat_map(|x| x.f64().to_le_bytes()).collect()
        }
    };
    let data: Vec<_> = tensors.iter().map(|(key, tensor)| (key, tensor, bytes(tensor))).collect();
    let dtype = if single { Dtype::F32 } else { Dtype::F64 };
    let failed = |e| Error::checkpoint(format!("the results cannot be written: {e}"));
    let mut views = Vec::new();
    for (key, tensor, bytes) in &data {
        let view = TensorView::new(dtype, tensor.shape().to_vec(), bytes).map_err(failed)?;
        views.push((key.as_str(), view));
    }
    std::fs::create_dir_all(folder).map_err(|e| Error::system("cannot create the folder", e))?;
    let target = folder.join(path.file_name().unwrap_or_default());
    let same = |a: &Path, b: &Path| {
        a.canonicalize().ok().is_some_and(|a| b.canonicalize().ok() == Some(a))
    };
    if same(&target, path) {
        return Err(Error::config("the results would overwrite the reference itself")
            .advice("give --dump another folder"));
    }
    let none: Option<HashMap<String, String>> = None;
    safetensors::serialize_to_file(views, none, &target).map_err(failed)
}
