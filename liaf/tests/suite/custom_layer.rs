//! Experiments with a layer that only the program has.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::ops::ControlFlow;
use std::sync::Arc;

use liaf::Experiment;
use liaf::core::checkpoint::CheckpointInfo;
use liaf::core::init::Init;
use liaf::core::layer::{
    CustomBackward, CustomForward, CustomLayer, CustomSpec, TensorSpec, register,
};
use liaf::core::{Error, Real, Result, Shape};
use liaf::experiment::Event;
use serde::{Deserialize, Serialize};

use crate::experiment::{bits, moving};

/// `Y_t = w X_t`, with a weight for each channel.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Gain {
    first: f64,
}

impl CustomLayer for Gain {
    const NAME: &'static str = "gain";

    fn describe(&self, inputs: &[Shape]) -> Result<CustomSpec> {
        let [input] = inputs else { return Err(Error::config("a gain takes one input")) };
        let gain = TensorSpec::new("gain", [input.channels().0], Init::Constant(self.first));
        Ok(CustomSpec::new(input.clone()).params([gain]).each_step())
    }

    fn forward<R: Real>(&self, pass: CustomForward<'_, R>) {
        let (channels, each) = pass.shapes[0].channels();
        for (i, (y, &x)) in pass.output.iter_mut().zip(pass.inputs[0]).enumerate() {
            *y = pass.params[0][i / each % channels] * x;
        }
    }

    fn backward<R: Real>(&self, pass: CustomBackward<'_, '_, R>) {
        let (channels, each) = pass.shapes[0].channels();
        for (i, (&x, &g)) in pass.inputs[0].iter().zip(pass.d_output).enumerate() {
            let channel = i / each % channels;
            pass.d_params[0][channel] += g * x;
            if let Some(dx) = &mut pass.d_inputs[0] {
                dx[i] += g * pass.params[0][channel];
            }
        }
    }
}

const TEXT: &str = r#"
[network]
inputs.frames.shape = [2, 6, 6]
layers = [
    { type = "custom", kind = "gain", options = { first = 0.5 } },
    { type = "flatten" },
    { type = "rnn", units = 8 },
    { type = "dense", units = 2 },
    { type = "aggregate" },
]

[recipe]
epochs = 3
batch = 5
optimizer = { type = "adamw", learning_rate = 0.02 }
"#;

#[test]
fn a_run_with_a_custom_layer_learns_and_is_resumed() {
    let error = Experiment::from_toml(&TEXT.replace("gain", "unheard")).unwrap_err().to_string();
    assert!(error.contains("no custom layer \"unheard\""), "{error}");
    register::<Gain>().unwrap();
    let data =
        |experiment: Experiment| experiment.data(Arc::new(moving(23, 1)), Arc::new(moving(10, 2)));
    let experiment = || data(Experiment::from_toml(TEXT).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    let on = |_: Event<'_>| ControlFlow::Continue(());
    let reference = experiment().out(&whole).run(&mut { on }).unwrap();
    let losses: Vec<_> = reference.epochs.iter().map(|epoch| epoch.train.loss).collect();
    assert!(losses[2] < losses[0], "{losses:?}");

    let mut stop = |event: Event<'_>| match event {
        Event::Step { record, .. } if record.step == 7 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    assert!(experiment().out(&parts).run(&mut stop).unwrap().stopped);
    let resumed = experiment().out(&parts).resume(true).run(&mut { on }).unwrap();
    assert_eq!(bits(&resumed.network), bits(&reference.network));

    // The record of the run names the layer, and so does its checkpoint.
    let again = data(Experiment::read(whole.join("experiment.toml")).unwrap());
    assert_eq!(bits(&again.run(&mut { on }).unwrap().network), bits(&reference.network));
    let checkpoints = std::fs::read_dir(whole.join("checkpoints")).unwrap();
    for checkpoint in checkpoints.map(|entry| entry.unwrap().path()) {
        let info = CheckpointInfo::read(&checkpoint).unwrap();
        assert_eq!(&info.network, reference.network.config());
    }
}
