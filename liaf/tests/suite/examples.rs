//! The examples run, and do what they say.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../examples/classify_recording.rs"]
mod classify_recording;
#[path = "../../examples/recording_to_class.rs"]
mod recording_to_class;
#[path = "../../examples/tensor_file.rs"]
mod tensor_file;

#[test]
fn a_recording_is_classified() {
    classify_recording::main().unwrap();
    let all = classify_recording::run().unwrap();
    for ((class, _), seen) in classify_recording::CLASSES.iter().zip(&all) {
        let right = seen.iter().filter(|name| name == class).count();
        assert!(seen.len() > 5 && 10 * right >= 9 * seen.len(), "{class}: {seen:?}");
    }
    assert_eq!(all.len(), 2);
}

/// The example names a bundled recording by its path in the workspace.
#[test]
fn a_recording_becomes_classes() {
    std::env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).unwrap();
    recording_to_class::main().unwrap();
}

#[test]
fn a_tensor_file_goes_through_a_network() {
    tensor_file::main().unwrap();
    let (batch, outputs) = tensor_file::run().unwrap();
    assert!(batch.len() > 1);
    assert_eq!(batch.view().shape()[1..], [8, 2, 32, 32]);
    assert_eq!(outputs.shape(), [batch.len(), 4]);
    assert!(outputs.iter().all(|output| output.is_finite()));
    // The second sample begins with the second half of the first one.
    let (first, second) = (batch.view(), batch.view());
    let half = |of: usize, range: std::ops::Range<usize>| {
        first.index_axis(ndarray::Axis(0), of).slice_axis(ndarray::Axis(0), range.into()).to_owned()
    };
    assert_eq!(half(0, 4..8), half(1, 0..4));
    assert!(second.sum() > 0.0);
}
