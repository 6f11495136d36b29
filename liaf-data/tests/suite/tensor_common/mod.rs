//! Frames whose cells are known, for the tests of tensor files.
#![allow(dead_code, reason = "each test takes a part")]

use std::path::Path;

use liaf_data::frames::{CellValues, Cells, Dtype, Frame, FrameShape, Window};
use liaf_data::tensor::{self, Container, TensorOptions, TensorSpec, Written};

/// The containers that this build can write.
pub const CONTAINERS: &[Container] = &[
    Container::Npz,
    Container::Npy,
    Container::Safetensors,
    #[cfg(feature = "hdf5")]
    Container::H5,
];

/// With everything that must be escaped somewhere.
pub const PROVENANCE: &str = r#"{"liaf":"0.1.0","source":"a \"b\" \\ é 猫.aedat4"}"#;

/// Frames of 15 cells, so that u8 frames end at odd places.
pub fn spec(dtype: Dtype) -> TensorSpec {
    TensorSpec {
        shape: FrameShape { channels: 1, height: 3, width: 5 },
        dtype,
        frames: None,
        provenance: PROVENANCE.into(),
    }
}

/// The window of frame `k`.
pub fn window(k: u64) -> Window {
    let start = -5_000_000_000 + k as i64 * 10_000;
    Window { start, end: start + 10_000 }
}

/// Frame `k`: about a tenth of its cells are not zero.
pub fn frame(spec: &TensorSpec, k: u64, sparse: bool) -> Frame {
    let mut index = Vec::new();
    let mut values = Vec::new();
    let mut state = k.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1;
    for place in 0..spec.shape.cells() as u32 {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        if (state >> 40).is_multiple_of(10) || place == k as u32 {
            index.push(place);
            values.push((state >> 50) as i32 - 8000);
        }
    }
    let cells = match spec.dtype {
        Dtype::U8 => CellValues::U8(values.iter().map(|&v| v as u8).collect()),
        Dtype::U16 => CellValues::U16(values.iter().map(|&v| v as u16).collect()),
        Dtype::I16 => CellValues::I16(values.iter().map(|&v| v as i16).collect()),
        Dtype::F32 => CellValues::F32(values.iter().map(|&v| v as f32 / 4.0).collect()),
    };
    let cells = if sparse {
        Cells::Sparse { index, cells }
    } else {
        Cells::Dense(dense(spec.shape.cells(), &index, &cells))
    };
    Frame { window: window(k), shape: spec.shape, cells }
}

fn dense(n: usize, index: &[u32], cells: &CellValues) -> CellValues {
    fn spread<T: Copy + Default>(n: usize, index: &[u32], cells: &[T]) -> Vec<T> {
        let mut dense = vec![T::default(); n];
        for (&place, &cell) in index.iter().zip(cells) {
            dense[place as usize] = cell;
        }
        dense
    }
    match cells {
        CellValues::U8(cells) => CellValues::U8(spread(n, index, cells)),
        CellValues::U16(cells) => CellValues::U16(spread(n, index, cells)),
        CellValues::I16(cells) => CellValues::I16(spread(n, index, cells)),
        CellValues::F32(cells) => CellValues::F32(spread(n, index, cells)),
    }
}

/// The bytes of a dense frame, little-endian.
pub fn bytes(frame: &Frame) -> Vec<u8> {
    match &frame.cells {
        Cells::Dense(CellValues::U8(cells)) => cells.clone(),
        Cells::Dense(CellValues::U16(cells)) => {
            cells.iter().flat_map(|c| c.to_le_bytes()).collect()
        }
        Cells::Dense(CellValues::I16(cells)) => {
            cells.iter().flat_map(|c| c.to_le_bytes()).collect()
        }
        Cells::Dense(CellValues::F32(cells)) => {
            cells.iter().flat_map(|c| c.to_le_bytes()).collect()
        }
        Cells::Sparse { .. } => panic!("a dense frame is wanted"),
    }
}

/// The sum of the cells of `frame`.
pub fn sum(frame: &Frame) -> f64 {
    match &frame.cells {
        Cells::Dense(cells) | Cells::Sparse { cells, .. } => cells.sum(),
    }
}

/// Writes `frames` frames to `path`.
pub fn write(
    path: &Path,
    container: Container,
    spec: &TensorSpec,
    frames: u64,
    sparse: bool,
    options: &TensorOptions,
) -> Written {
    let mut writer = tensor::create(path, container, spec, options).expect("created");
    for k in 0..frames {
        writer.write(&frame(spec, k, sparse)).expect("written");
    }
    let written = writer.finish().expect("finished");
    assert_eq!(written.frames, frames);
    assert_eq!(written.bytes, path.metadata().expect("file").len());
    written
}
