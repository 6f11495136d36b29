//! Configurations and checkpoints with custom layers.

use super::layers::{Note, Sine};
use super::{LogSum, net};
use crate::common::random;
use liaf_core::checkpoint::CheckpointInfo;
use liaf_core::graph::Inputs;
use liaf_core::layer::{
    CustomBackward, CustomForward, CustomLayer, CustomSpec, LayerConfig, register,
};
use liaf_core::train::{TrainConfig, Trainer};
use liaf_core::{ErrorKind, Mode, Network, NetworkConfig, Real, Result, Shape, Workspace};
use serde::{Deserialize, Serialize};

fn register_all() {
    register::<Sine>().unwrap();
    register::<super::Leak>().unwrap();
    register::<super::Linear>().unwrap();
}

/// A type for a name that another one has, or that nobody registers.
macro_rules! nothing {
    ($name:ident, $kind:literal) => {
        #[derive(Debug, Serialize, Deserialize)]
        struct $name {}

        impl CustomLayer for $name {
            const NAME: &'static str = $kind;

            fn describe(&self, inputs: &[Shape]) -> Result<CustomSpec> {
                Ok(CustomSpec::new(inputs[0].clone()))
            }

            fn forward<R: Real>(&self, pass: CustomForward<'_, R>) {
                pass.output.copy_from_slice(pass.inputs[0]);
            }

            fn backward<R: Real>(&self, _: CustomBackward<'_, '_, R>) {}
        }
    };
}

nothing!(Unheard, "unheard");
nothing!(OtherSine, "sine");

#[test]
fn a_network_is_the_same_after_toml_and_json() {
    register_all();
    let texts = vec!["a \"b\"".to_owned(), "c\n".to_owned()];
    let note = Some(Note { texts, single: 0.1, missing: None });
    let config = net().node("noted", &["dense9"], Sine { first: 1.0 / 3.0, note });
    assert_ne!(config, net());
    let texts = [config.to_toml().unwrap(), config.to_json().unwrap()];
    let read = [
        NetworkConfig::from_toml(&texts[0]).unwrap(),
        NetworkConfig::from_json(&texts[1]).unwrap(),
    ];
    for read in read {
        assert_eq!(read, config);
        assert_eq!([read.to_toml().unwrap(), read.to_json().unwrap()], texts);
        let params = |config: &NetworkConfig| config.build::<f32>(3).unwrap().params().to_vec();
        assert_eq!(params(&read), params(&config));
    }
    let whole = "inputs.x.shape = [2]\nlayers = [{ name = 'a', type = 'custom', kind = 'sine', \
                 options = { first = 2 } }]";
    let built = NetworkConfig::default().input("x", Shape::timed([2]));
    assert_eq!(NetworkConfig::from_toml(whole).unwrap(), built.node("a", &[], Sine::new(2.0)));
}

#[test]
fn layers_are_equal_by_name_and_options() {
    let sine = |first: f64| LayerConfig::from(Sine::new(first));
    assert_eq!(sine(1.0), sine(1.0));
    assert_ne!(sine(1.0), sine(1.5));
    assert_ne!(LayerConfig::from(Unheard {}), LayerConfig::from(LogSum {}));
    assert_eq!(sine(1.0).kind(), "custom");
    let LayerConfig::Custom(custom) = sine(1.0) else { panic!() };
    assert_eq!(custom.name(), "sine");
}

#[test]
fn training_is_resumed_from_a_checkpoint_bit_for_bit() {
    register_all();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    let training = "optimizer = { type = 'adam', learning_rate = 0.01 }\nema = 0.5";
    let training = TrainConfig::from_toml(training).unwrap();
    let mut trainer = Trainer::new(net().build::<f32>(5).unwrap(), training).unwrap();
    let frames = random::<f32>(&[6, 4, 2, 3, 3], 6);
    let inputs = Inputs::of("input", frames.view());
    let step = |trainer: &mut Trainer<f32>| trainer.step(&inputs, &[0, 1, 2, 2, 1, 0]).unwrap();
    step(&mut trainer);
    trainer.save(&path).unwrap();
    let mut resumed = Trainer::<f32>::resume(&path).unwrap();
    assert_eq!(CheckpointInfo::read(&path).unwrap().network, net());
    for _ in 0..3 {
        assert_eq!(step(&mut trainer), step(&mut resumed));
    }
    assert_eq!(trainer.network().params(), resumed.network().params());
    trainer.save(&path).unwrap();
    let (network, _) = Network::<f64>::from_checkpoint(&path).unwrap();
    let frames = random::<f64>(&[1, 4, 2, 3, 3], 6);
    let inputs = Inputs::of("input", frames.view());
    network.forward(&inputs, Mode::eval(), &mut Workspace::new()).unwrap();
}

#[test]
fn a_layer_that_the_program_does_not_have_is_named() {
    register_all();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    let config = NetworkConfig::sequential([2]).then(Unheard {});
    let training = "optimizer = { type = 'adam', learning_rate = 0.01 }";
    let training = TrainConfig::from_toml(training).unwrap();
    Trainer::new(config.build::<f32>(1).unwrap(), training).unwrap().save(&path).unwrap();
    let errors = [
        NetworkConfig::from_toml(&config.to_toml().unwrap()).unwrap_err(),
        NetworkConfig::from_json(&config.to_json().unwrap()).unwrap_err(),
        CheckpointInfo::read(&path).unwrap_err(),
        Trainer::<f32>::resume(&path).unwrap_err(),
    ];
    for error in errors {
        let text = error.to_string();
        assert!(text.contains("no custom layer \"unheard\""), "{text}");
        assert!(text.contains("leak, linear, sine") && text.contains("register"), "{text}");
    }

    register::<Sine>().unwrap();
    let taken = register::<OtherSine>().unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::Config);
    assert!(taken.to_string().contains("sine"), "{taken}");
}

#[test]
fn options_of_a_file_are_checked() {
    register_all();
    let read = |layer: &str| {
        let text = format!("inputs.x.shape = [2]\nlayers = [{{ type = 'custom', {layer} }}]");
        NetworkConfig::from_toml(&text).unwrap_err().to_string()
    };
    assert!(read("kind = 'sine'").contains("missing field `first`"));
    assert!(read("kind = 'sine', options = { first = 'x' }").contains("sine"));
    assert!(read("kind = 'sine', options = { first = 1.0, last = 2 }").contains("last"));
    assert!(read("kind = 'sine', first = 1.0").contains("first"));
    assert!(read("options = { first = 1.0 }").contains("missing field `kind`"));
}
