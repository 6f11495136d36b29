//! Samples of recordings and of tensor files, and batches of them as inputs of networks.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::ops::ControlFlow;
use std::path::Path;

use liaf::core::{Mode, Workspace};
use liaf::data::Limits;
use liaf::data::convert::{ConvertOptions, convert};
use liaf::data::tensor::{Container, TensorOptions};
use liaf::samples::{Batch, Sample, SampleOptions, Samples};
use liaf::{ErrorKind, LoadedFrames, ReadOptions, Recording};
use ndarray::{Array4, Array5, Axis, s};

use crate::common::{MEAN, RECORDINGS, TIMED, fixture, network, open, recipe};

fn tensor(path: &Path, name: &str) -> LoadedFrames {
    let options = ConvertOptions {
        frames: recipe().frames.options(Limits::default()),
        container: Container::Safetensors,
        tensor: TensorOptions::default(),
    };
    let mut on = |_: &_| ControlFlow::Continue(());
    convert(&mut open(name), Some(path), &options, &mut on).unwrap();
    LoadedFrames::read(path, &Limits::default()).unwrap()
}

#[test]
fn a_recording_and_its_tensor_file_have_the_same_samples() {
    let folder = tempfile::tempdir().unwrap();
    let all = SampleOptions::new();
    for (number, name) in RECORDINGS.into_iter().enumerate() {
        let path = folder.path().join(format!("{number}.safetensors"));
        let loaded = tensor(&path, name);
        let frames = recipe().frames.options(Limits::default());
        for options in [all, all.steps(4).scale(0.3), all.steps(6).stride(2).partial(true)] {
            let streamed = Samples::<f64>::of_recording(&mut open(name), &frames, options).unwrap();
            assert_eq!(streamed.shape(), loaded.shape());
            let mut streamed: Vec<_> = streamed.map(Result::unwrap).collect();
            let of_file: Vec<_> =
                Samples::<f64>::of_tensor(&loaded, options).map(Result::unwrap).collect();
            // A tensor file does not say whether the recording ended within its last window.
            let (mut ends, last) = (streamed.iter_mut().zip(&of_file).rev(), of_file.len());
            let (of_recording, of_tensor) = ends.next().unwrap();
            of_recording.complete = of_tensor.complete;
            assert!(streamed == of_file, "{name}: {} and {last} samples", streamed.len());
        }
        let by_recipe: Vec<_> =
            Samples::<f32>::by_recipe(&mut open(name), &recipe()).unwrap().collect();
        assert_eq!(by_recipe.len(), loaded.len() / 4);
        let first = by_recipe[0].as_ref().unwrap();
        let cells: Vec<f32> = loaded.cells(0..4).iter().map(|cell| cell * 0.3).collect();
        assert_eq!(first.view().iter().copied().collect::<Vec<_>>(), cells);
        assert_eq!(first.timestamps, loaded.timestamps()[..4]);
    }
}

#[test]
fn samples_of_different_lengths_are_one_batch() {
    let network = network::<f32>(&format!("{TIMED}{MEAN}"));
    let options = SampleOptions::from(&recipe()).steps(7).partial(true);
    let frames = recipe().frames.options(Limits::default());
    let samples = Samples::of_recording(&mut open(RECORDINGS[0]), &frames, options).unwrap();
    let samples: Vec<Sample> = samples.map(Result::unwrap).collect();
    let batch = Batch::of(&samples).unwrap();
    let last = *batch.lengths().last().unwrap();
    assert!(last < 7 && batch.lengths()[..batch.len() - 1].iter().all(|&steps| steps == 7));
    assert!(batch.view().slice(s![-1, last.., .., .., ..]).iter().all(|&cell| cell == 0.0));
    let mut space = Workspace::new();
    let mode = Mode::eval().plain();
    let all = network.forward(&batch.inputs("frames"), mode, &mut space).unwrap().into_output();
    for (n, sample) in samples.iter().enumerate() {
        let one = Batch::of(std::slice::from_ref(sample)).unwrap();
        let one = network.forward(&one.inputs("frames"), mode, &mut space).unwrap().into_output();
        assert_eq!(all.index_axis(Axis(0), n), one.index_axis(Axis(0), 0));
    }
    let array = batch.clone().into_array();
    assert_eq!(Batch::from(array.clone()).view(), array);
    assert_eq!(Batch::from(Array5::<f64>::zeros((2, 3, 1, 1, 1))).lengths(), [3, 3]);
}

#[test]
fn what_is_no_batch_is_refused() {
    let error = Batch::<f32>::of(&[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Caller);
    let samples = [2, 3].map(|width| Sample::new(Array4::<f32>::zeros((1, 2, 4, width))));
    let error = Batch::of(&samples).unwrap_err().to_string();
    assert!(error.contains("[2, 4, 2]") && error.contains("[2, 4, 3]"), "{error}");
}

#[test]
fn an_error_of_the_recording_ends_the_samples() {
    let bytes = std::fs::read(fixture(RECORDINGS[1])).unwrap();
    let strict = ReadOptions { strict: true, ..ReadOptions::default() };
    let mut cut = Recording::from_bytes(&bytes[..bytes.len() - 3], strict).unwrap();
    let samples = Samples::<f32>::by_recipe(&mut cut, &recipe()).unwrap();
    let mut samples: Vec<_> = samples.collect();
    assert_eq!(samples.pop().unwrap().unwrap_err().kind(), ErrorKind::File);
    assert!(!samples.is_empty() && samples.iter().all(Result::is_ok));
    let error = Batch::collect(samples.into_iter().take(0)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Caller);

    let mut wide = recipe();
    wide.frames.size = Some(liaf::data::SensorSize::new(999, 999));
    let error = Samples::<f32>::by_recipe(&mut open(RECORDINGS[0]), &wide).unwrap_err();
    assert!(error.to_string().contains("dv_lz4.aedat4"), "{error}");
}
