//! Layers without weights, judged by finite differences, and what they refuse.

mod common;

use common::{SAMPLES, check_gradients, random};
use liaf_core::layer::Activate;
use liaf_core::{Activation, NetworkConfig};

#[test]
fn activations_agree_with_finite_differences() {
    for kind in [
        Activation::Identity,
        Activation::Relu,
        Activation::LeakyRelu { slope: 0.2 },
        Activation::Selu,
        Activation::Elu { alpha: 0.5 },
        Activation::Sigmoid,
        Activation::Tanh,
    ] {
        let config = NetworkConfig::sequential([7]).then(Activate::new(kind));
        let mut network = config.build::<f64>(1).unwrap();
        let batch = [("input", random(&[SAMPLES, 3, 7], 2))];
        check_gradients(&mut network, &batch, None, 1e-7);
    }
}

#[test]
fn an_activation_is_read_from_a_configuration() {
    let text = "[inputs.x]\nshape = [4]\n[[layers]]\ntype = 'activation'\n\
                kind = { leaky_relu = { slope = 0.2 } }\n[[layers]]\ntype = 'activation'\n";
    let config = NetworkConfig::from_toml(text).unwrap();
    assert_eq!(config.layers[0].layer, Activate::new(Activation::LeakyRelu { slope: 0.2 }).into());
    assert_eq!(config.layers[1].layer, Activate::new(Activation::Relu).into());
    let nan = Activate::new(Activation::Elu { alpha: f64::INFINITY });
    let error = NetworkConfig::sequential([4]).node("act", &[], nan).build::<f32>(0).unwrap_err();
    assert!(error.to_string().contains("layer act"), "{error}");
}
