//! A NIR graph in memory.

use std::collections::BTreeMap;

/// An array of numbers with its shape.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Array {
    pub shape: Vec<usize>,
    pub data: Vec<f64>,
}

impl Array {
    pub fn new(shape: &[usize], data: Vec<f64>) -> Self {
        Self { shape: shape.to_vec(), data }
    }

    /// An array with the same number everywhere.
    pub fn full(shape: &[usize], value: f64) -> Self {
        Self::new(shape, vec![value; shape.iter().product()])
    }
}

/// A node. The fields and their names are those of NIR.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Input {
        shape: Vec<usize>,
    },
    Output {
        shape: Vec<usize>,
    },
    /// Affine, or Linear without a bias.
    Affine {
        weight: Array,
        bias: Option<Array>,
    },
    Conv2d {
        input_shape: [usize; 2],
        weight: Array,
        bias: Array,
        stride: [usize; 2],
        padding: [usize; 2],
        dilation: [usize; 2],
        groups: usize,
    },
    AvgPool2d {
        kernel_size: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    },
    Flatten {
        input_type: Vec<usize>,
        start_dim: i64,
        end_dim: i64,
    },
    Lif {
        tau: Array,
        r: Array,
        v_leak: Array,
        v_threshold: Array,
        v_reset: Array,
    },
    If {
        r: Array,
        v_threshold: Array,
        v_reset: Array,
    },
    Li {
        tau: Array,
        r: Array,
        v_leak: Array,
    },
}

/// Nodes by name, and edges from name to name.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Graph {
    pub nodes: BTreeMap<String, Node>,
    pub edges: Vec<(String, String)>,
}
