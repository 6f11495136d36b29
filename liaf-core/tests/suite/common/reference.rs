//! Tensors that others computed: `fixtures/reference/*.safetensors`, made by the scripts beside them.

use std::collections::BTreeMap;

use liaf_core::graph::{Inputs, Train};
use liaf_core::{GradientSum, Mode, Network, Workspace};
use ndarray::{ArrayD, IxDyn};
use safetensors::{Dtype, SafeTensors};

use super::{reference_file, relative_error};

/// The tensors of one file, in double precision.
pub struct Reference {
    tensors: BTreeMap<String, ArrayD<f64>>,
    /// The texts beside the tensors.
    pub metadata: BTreeMap<String, String>,
}

impl Reference {
    /// `fixtures/reference/{name}.safetensors`.
    pub fn load(name: &str) -> Self {
        let path = reference_file(&format!("{name}.safetensors"));
        let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let numbers = |tensor: &safetensors::tensor::TensorView<'_>| match tensor.dtype() {
            Dtype::F64 => Vec::from_iter(
                tensor.data().chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())),
            ),
            Dtype::F32 => Vec::from_iter(
                tensor
                    .data()
                    .chunks_exact(4)
                    .map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap()))),
            ),
            Dtype::I64 => Vec::from_iter(
                tensor
                    .data()
                    .chunks_exact(8)
                    .map(|b| i64::from_le_bytes(b.try_into().unwrap()) as f64),
            ),
            other => panic!("{other:?}"),
        };
        let tensors = file.iter().map(|(name, tensor)| {
            let array = ArrayD::from_shape_vec(IxDyn(tensor.shape()), numbers(&tensor)).unwrap();
            (name.to_owned(), array)
        });
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let metadata = header.metadata().iter().flatten();
        let metadata = metadata.map(|(key, text)| (key.clone(), text.clone())).collect();
        Self { tensors: tensors.collect(), metadata }
    }

    /// The tensors whose names begin with `{case}/`, without that.
    pub fn case(&self, case: &str) -> Self {
        let of = |(name, tensor): (&String, &ArrayD<f64>)| {
            let rest = name.strip_prefix(case)?.strip_prefix('/')?;
            Some((rest.to_owned(), tensor.clone()))
        };
        Self { tensors: self.tensors.iter().filter_map(of).collect(), metadata: BTreeMap::new() }
    }

    /// The tensor of this name.
    pub fn get(&self, name: &str) -> &ArrayD<f64> {
        self.tensors.get(name).unwrap_or_else(|| panic!("the reference has no {name}"))
    }

    /// Whether there is a tensor of this name.
    pub fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Sets every parameter of a network to the tensor of its name.
    pub fn set_params(&self, network: &mut Network<f64>) {
        for param in network.params_mut() {
            let given = self.get(&param.name);
            assert_eq!(given.shape(), param.shape, "{}", param.name);
            param.data.copy_from_slice(given.as_slice().unwrap());
        }
    }

    /// Sets every buffer of a network to the tensor of its name.
    pub fn set_buffers(&self, network: &mut Network<f64>) {
        for buffer in network.buffers_mut() {
            let given = self.get(&buffer.name);
            assert_eq!(given.shape(), buffer.shape, "{}", buffer.name);
            buffer.data.copy_from_slice(given.as_slice().unwrap());
        }
    }

    /// Runs a network of one input named `x` on `x` with the parameters of the file, forward and
    /// back from the loss `sum weight * y + y² / 2`, and compares `y`, `grad.x` and `grad.*` of
    /// every parameter.
    pub fn compare(&self, network: &mut Network<f64>, mode: Mode<Train>, tolerance: f64) {
        self.set_params(network);
        let (mut space, mut sum) = (Workspace::new(), GradientSum::new(network));
        let inputs = Inputs::of("x", self.get("x").view());
        let mut pass = network.forward(&inputs, mode.input_gradients(), &mut space).unwrap();
        self.close("y", pass.output(), tolerance);
        let d_output = self.get("weight") + pass.output();
        let back = pass.backward(d_output.view(), &mut sum).unwrap();
        self.close("grad.x", &back.get("x").unwrap(), tolerance);
        let gradients = sum.reduce();
        for (index, param) in network.params().iter().enumerate() {
            let ours = ArrayD::from_shape_vec(IxDyn(&param.shape), gradients.get(index).to_vec());
            self.close(&format!("grad.{}", param.name), &ours.unwrap(), tolerance);
        }
    }

    /// Fails if a tensor is not the reference's.
    pub fn close(&self, name: &str, ours: &ArrayD<f64>, tolerance: f64) {
        let theirs = self.get(name);
        assert_eq!(ours.shape(), theirs.shape(), "{name}");
        let flat = |a: &ArrayD<f64>| a.iter().copied().collect::<Vec<_>>();
        let error = relative_error(&flat(ours), &flat(theirs));
        assert!(error <= tolerance, "{name}: error {error:e}");
    }
}
