//! The classifier against whole samples in one pass, its options, and what it refuses.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::ops::ControlFlow;

use liaf::classifier::{Classifier, Difference, Prediction};
use liaf::core::{Mode, Real, Workspace};
use liaf::data::frames::{TimePoint, WindowRule};
use liaf::data::{Limits, SensorSize};
use liaf::samples::{Batch, SampleOptions, Samples};
use liaf::{Error, ErrorKind, FrameOptions, ReadOptions, Recording, SampleRecipe};
use ndarray::Axis;

use crate::common::{MEAN, RECORDINGS, TIMED, fixture, network, open, recipe, save};

fn seen(classifier: &mut Classifier, recording: &mut Recording) -> Vec<Prediction> {
    classifier.run(recording).unwrap().map(Result::unwrap).collect()
}

/// What the callbacks get.
fn told(classifier: &mut Classifier, recording: &mut Recording) -> Vec<Prediction> {
    let mut all = Vec::new();
    let mut each = |prediction| {
        all.push(prediction);
        ControlFlow::Continue(())
    };
    let framed = classifier.run_with(recording, &mut each, &mut |_| ControlFlow::Continue(()));
    let predictions = classifier.run(recording).unwrap();
    let framed = framed.unwrap();
    let mut predictions = predictions;
    while predictions.next().transpose().unwrap().is_some() {}
    assert_eq!(predictions.frame_report(), &framed.frames);
    assert_eq!(predictions.report().events, framed.report.events);
    all
}

/// The scores after every sample are those of a pass over the whole sample, bit for bit, for networks
/// of either type of numbers; and both ways to run give the same.
fn equals_whole_samples<R: Real>(config: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    save(&path, network::<R>(config), Some(&recipe().to_json().unwrap()));
    let own = network::<R>(config);
    let mode = Mode::eval().plain();
    for name in RECORDINGS {
        for steps in [None, Some(4), Some(7)] {
            let mut classifier = Classifier::open(&path).unwrap().plain(true).steps(steps);
            let predictions = seen(&mut classifier, &mut open(name));
            let options = SampleOptions::from(&recipe()).steps(steps).partial(true);
            let frames = recipe().frames.options(Limits::default());
            let samples = Samples::<R>::of_recording(&mut open(name), &frames, options).unwrap();
            let samples: Vec<_> = samples.map(Result::unwrap).collect();
            assert_eq!(predictions.len(), samples.len());
            for (n, (prediction, sample)) in predictions.iter().zip(&samples).enumerate() {
                let batch = Batch::of(std::slice::from_ref(sample)).unwrap();
                let mut space = Workspace::new();
                let pass = own.forward(&batch.inputs("frames"), mode, &mut space).unwrap();
                let mut output = pass.into_output().index_axis_move(Axis(0), 0);
                if own.output_shape().timed {
                    // The mean in the order of the frames, as f64.
                    let sum = |class| {
                        let column = output.index_axis(Axis(1), class).to_owned();
                        column.iter().map(|x| x.f64()).sum::<f64>() / column.len() as f64
                    };
                    let expected: Vec<f64> = (0..3).map(sum).collect();
                    assert_eq!(prediction.scores, expected);
                } else {
                    let expected: Vec<f64> = output.iter_mut().map(|x| x.f64()).collect();
                    assert_eq!(prediction.scores, expected);
                }
                assert_eq!(prediction.sample, n as u64);
                assert_eq!(prediction.frames, sample.frames.len_of(Axis(0)));
                assert_eq!(prediction.start, sample.timestamps[0][0]);
                assert_eq!(prediction.end, sample.timestamps.last().unwrap()[1]);
                assert_eq!(prediction.complete, sample.complete);
                assert_eq!(prediction.name, prediction.class.to_string());
                let largest = prediction.scores.iter().copied().fold(f64::MIN, f64::max);
                assert_eq!(prediction.scores[prediction.class], largest);
            }
            assert_eq!(told(&mut classifier, &mut open(name)), predictions);
        }
    }
}

#[test]
fn predictions_equal_a_pass_over_whole_samples() {
    equals_whole_samples::<f32>(&format!("{TIMED}{MEAN}"));
    equals_whole_samples::<f64>(TIMED);
}

#[test]
fn a_prediction_after_each_frame_goes_on_in_its_sample() {
    let mut classifier = Classifier::new(network::<f32>(TIMED), recipe()).unwrap();
    let samples = seen(&mut classifier, &mut open(RECORDINGS[0]));
    let mut classifier = classifier.each_frame(true);
    let frames = seen(&mut classifier, &mut open(RECORDINGS[0]));
    assert_eq!(told(&mut classifier, &mut open(RECORDINGS[0])), frames);
    assert!(frames.len() > 3 * samples.len());
    let last_of_each: Vec<_> =
        frames.chunk_by(|a, b| a.sample == b.sample).map(|all| all.last().unwrap()).collect();
    assert_eq!(last_of_each, samples.iter().collect::<Vec<_>>());
    for (n, pair) in frames.windows(2).enumerate() {
        let goes_on = pair[0].sample == pair[1].sample;
        assert_eq!(goes_on, (n + 1) % 4 != 0);
        assert_eq!(pair[1].frames, if goes_on { pair[0].frames + 1 } else { 1 });
    }
}

#[test]
fn part_of_a_recording_and_windows_of_all_of_it() {
    let mut classifier =
        Classifier::new(network::<f32>(TIMED), recipe()).unwrap().each_frame(true).steps(0);
    let all = seen(&mut classifier, &mut open(RECORDINGS[0]));
    let part = classifier
        .from(TimePoint::Relative(50_000))
        .to(TimePoint::Absolute(all[0].start + 100_000));
    let mut classifier = part;
    let part = seen(&mut classifier, &mut open(RECORDINGS[0]));
    assert_eq!((part.len(), part[0].start - all[0].start), (10, 50_000));
    assert_eq!(told(&mut classifier, &mut open(RECORDINGS[0])), part);

    let options = recipe().frames.options(Limits::default());
    let bins = FrameOptions { windows: WindowRule::Bins { n: 6 }, ..options };
    let recipe = SampleRecipe { steps: Some(3), ..SampleRecipe::new((&bins).into()) };
    let mut classifier = Classifier::new(network::<f32>(TIMED), recipe).unwrap();
    let bins = seen(&mut classifier, &mut open(RECORDINGS[1]));
    assert_eq!(bins.iter().map(|p| p.frames).collect::<Vec<_>>(), [3, 3]);
    assert_eq!(told(&mut classifier, &mut open(RECORDINGS[1])), bins);
    let pipe = std::fs::File::open(fixture(RECORDINGS[1])).unwrap();
    let mut pipe = Recording::from_reader(pipe, ReadOptions::default()).unwrap();
    assert_eq!(classifier.run(&mut pipe).unwrap_err().kind(), ErrorKind::Caller);
}

#[test]
fn a_recording_of_another_sensor_is_named() {
    let learned = SensorSize::new(128, 128);
    let recipe = SampleRecipe { sensor: Some(learned), ..recipe() };
    let classifier = Classifier::new(network::<f32>(TIMED), recipe).unwrap();
    assert_eq!(classifier.check(&mut open(RECORDINGS[1])).unwrap(), []);
    let found = classifier.check(&mut open(RECORDINGS[0])).unwrap();
    assert_eq!(found, [Difference::Sensor { recording: SensorSize::new(346, 260), learned }]);
    let text = found[0].to_string();
    assert_eq!(
        text,
        "the size of its sensor is 346x260, and the network was trained on sensors of 128x128"
    );
}

#[test]
fn an_output_that_is_not_finite_ends_the_predictions() {
    let mut broken = network::<f32>(TIMED);
    broken.params_mut()[0].data.fill(f32::NAN);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nan.safetensors");
    let named = SampleRecipe { classes: ["a", "b", "c"].map(str::to_owned).into(), ..recipe() };
    save(&path, broken, Some(&named.to_json().unwrap()));
    let mut classifier = Classifier::open(&path).unwrap();
    let mut recording = open(RECORDINGS[0]);
    let mut predictions = classifier.run(&mut recording).unwrap();
    let error = predictions.next().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    let text = error.to_string();
    assert!(text.contains("nan.safetensors: the output") && text.contains("class a"), "{text}");
    assert!(predictions.next().is_none());
    let with = classifier.run_with(&mut recording, &mut |_| ControlFlow::Continue(()), &mut |_| {
        ControlFlow::Continue(())
    });
    assert_eq!(with.unwrap_err().to_string(), text);
}

#[test]
fn predictions_before_damage_are_given() {
    let bytes = std::fs::read(fixture(RECORDINGS[1])).unwrap();
    let strict = ReadOptions { strict: true, ..ReadOptions::default() };
    let cut = &bytes[..bytes.len() - 3];
    let mut recording = Recording::from_bytes(cut, strict).unwrap();
    let mut classifier = Classifier::new(network::<f32>(TIMED), recipe()).unwrap().steps(1);
    let mut predictions: Vec<_> = classifier.run(&mut recording).unwrap().collect();
    let error = predictions.pop().unwrap().unwrap_err();
    assert!(matches!(error, Error::Data(_)) && error.kind() == ErrorKind::File, "{error}");
    assert!(predictions.len() > 5 && predictions.iter().all(Result::is_ok));
}

#[test]
fn callbacks_may_end_it() {
    let mut classifier = Classifier::new(network::<f32>(TIMED), recipe()).unwrap();
    let mut count = 0;
    let mut each = |_| {
        count += 1;
        if count == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let mut on = |_: &_| ControlFlow::Continue(());
    let error = classifier.run_with(&mut open(RECORDINGS[0]), &mut each, &mut on).unwrap_err();
    assert_eq!((error.kind(), count), (ErrorKind::Cancelled, 2));
    // The classifier begins anew.
    assert_eq!(seen(&mut classifier, &mut open(RECORDINGS[0]))[0].sample, 0);
}

#[test]
fn what_cannot_classify_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    let open_with = |note: Option<&str>| {
        save(&path, network::<f32>(TIMED), note);
        let error = Classifier::open(&path).unwrap_err();
        assert!(error.to_string().contains("net.safetensors"), "{error}");
        error
    };
    let error = open_with(None);
    assert_eq!(error.kind(), ErrorKind::File);
    assert!(error.to_string().contains("`samples`"), "{error}");
    assert_eq!(open_with(Some("{}")).kind(), ErrorKind::File);
    let two = SampleRecipe { classes: vec!["a".into(), "b".into()], ..recipe() };
    let error = open_with(Some(&two.to_json().unwrap())).to_string();
    assert!(error.contains("names 2 classes") && error.contains("3 outputs"), "{error}");

    let once = TIMED.replace("shape = [2, 16, 16]", "shape = [2, 16, 16]\ntimed = false");
    let once = once.replace("[[layers]]\ntype = 'neuron'\n", "");
    let error = Classifier::new(network::<f32>(&once), recipe()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);

    let mut wide = recipe();
    wide.frames.size = Some(SensorSize::new(8, 4));
    let mut classifier = Classifier::new(network::<f32>(TIMED), wide).unwrap();
    let error = classifier.run(&mut open(RECORDINGS[0])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Shape);
    let text = error.to_string();
    assert!(text.contains("[2, 16, 16]") && text.contains("[2, 4, 8]"), "{text}");
}

/// A recording of 16x16 pixels with an event at each of these times.
fn at(times: &[i64]) -> Recording {
    let lines: String = times.iter().map(|t| format!("{t},3,4,1\n")).collect();
    let read = ReadOptions::new().sensor(16, 16);
    Recording::from_bytes(format!("t,x,y,p\n{lines}").into_bytes(), read).unwrap()
}

/// Start, end, number of frames and completeness of all samples, both ways to run.
fn times(classifier: &mut Classifier, recording: &mut Recording) -> Vec<(i64, i64, usize, bool)> {
    let all = seen(classifier, recording);
    assert_eq!(told(classifier, recording), all);
    all.iter().map(|p| (p.start, p.end, p.frames, p.complete)).collect()
}

#[test]
fn samples_that_are_cut_short_by_the_end_of_the_recording_are_not_complete() {
    let mut two = Classifier::new(network::<f32>(TIMED), recipe()).unwrap().steps(2);
    // Windows of 5 ms, of which the last one ends at 21,000 µs.
    let (first, second) = ((1_000, 11_000, 2, true), (11_000, 21_000, 2, true));
    let cut = (11_000, 21_000, 2, false);
    assert_eq!(times(&mut two, &mut at(&[1_000, 20_999])), [first, second]);
    assert_eq!(times(&mut two, &mut at(&[1_000, 20_998])), [first, cut]);
    assert_eq!(times(&mut two, &mut at(&[1_000, 16_000])), [first, cut]);
    let short = (11_000, 16_000, 1, false);
    assert_eq!(times(&mut two, &mut at(&[1_000, 15_999])), [first, short]);
    // What is chosen is all there.
    let mut part = two.to(TimePoint::Absolute(21_000));
    assert_eq!(times(&mut part, &mut at(&[1_000, 12_000])), [first, second]);
    let mut part = part.to(TimePoint::Absolute(19_000));
    assert_eq!(times(&mut part, &mut at(&[1_000, 40_000])), [first, (11_000, 19_000, 2, false)]);

    let mut whole = part.to(None::<TimePoint>).steps(0);
    assert_eq!(times(&mut whole, &mut at(&[1_000, 20_999])), [(1_000, 21_000, 4, true)]);
    assert_eq!(times(&mut whole, &mut at(&[1_000, 20_998])), [(1_000, 21_000, 4, false)]);
    // A sample so far is not complete, the last one is.
    let mut each = whole.steps(2).each_frame(true);
    let expected = [(1_000, 6_000, 1, false), first, (11_000, 16_000, 1, false), second];
    assert_eq!(times(&mut each, &mut at(&[1_000, 20_999])), expected);
}

#[test]
fn times_are_on_the_clock_of_the_recording() {
    for name in RECORDINGS {
        let events = open(name).read_all().unwrap();
        let (first, last) = (events.t()[0], *events.t().iter().max().unwrap());
        let frames = (last - first) / 5_000 + 1;
        let expected: Vec<_> = (0..(frames + 3) / 4)
            .map(|k| {
                let n = (frames - 4 * k).min(4);
                let (start, end) = (first + 20_000 * k, first + 20_000 * k + 5_000 * n);
                (start, end, n as usize, n == 4 && end <= last + 1)
            })
            .collect();
        assert!(expected.len() > 3 && !expected[expected.len() - 1].3);
        let mut classifier = Classifier::new(network::<f32>(TIMED), recipe()).unwrap();
        assert_eq!(times(&mut classifier, &mut open(name)), expected);
        let options = SampleOptions::from(&recipe()).partial(true);
        let frames = recipe().frames.options(Limits::default());
        let samples = Samples::<f32>::of_recording(&mut open(name), &frames, options).unwrap();
        let samples: Vec<_> = samples
            .map(Result::unwrap)
            .map(|s| (s.start().unwrap(), s.end().unwrap(), s.frames.dim().0, s.complete))
            .collect();
        assert_eq!(samples, expected);
    }
}
