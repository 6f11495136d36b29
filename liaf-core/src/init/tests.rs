//! First values have the deviations and forms that their rules promise.

use super::*;

fn draw(weight: Scheme, fan: Fan) -> Vec<f64> {
    let mut numbers = vec![0.0; fan.inputs * fan.outputs];
    WeightInit { weight, bias: None }.weight(fan).fill(&mut numbers, Key::new(3));
    numbers
}

#[test]
fn deviations_are_those_of_the_rules() {
    let fan = Fan { inputs: 200, outputs: 300 };
    for (scheme, deviation, bound) in [
        (Scheme::KaimingNormal, 0.1, f64::INFINITY),
        (Scheme::KaimingUniform, 0.1, 0.03f64.sqrt()),
        (Scheme::Torch, (1.0 / 600.0f64).sqrt(), (1.0 / 200.0f64).sqrt()),
        (Scheme::XavierNormal, (2.0 / 500.0f64).sqrt(), f64::INFINITY),
        (Scheme::XavierUniform, (2.0 / 500.0f64).sqrt(), (6.0 / 500.0f64).sqrt()),
    ] {
        let numbers = draw(scheme, fan);
        let square = numbers.iter().map(|x| x * x).sum::<f64>() / numbers.len() as f64;
        assert!((square.sqrt() / deviation - 1.0).abs() < 0.01, "{scheme:?}");
        let largest = numbers.iter().fold(0.0, |max: f64, x| max.max(x.abs()));
        assert!(largest <= bound && (bound.is_infinite() || largest > 0.99 * bound));
    }
}

#[test]
fn orthogonal_weights_are() {
    for (outputs, inputs) in [(5, 9), (9, 5), (7, 7), (1, 4), (4, 1)] {
        let w = draw(Scheme::Orthogonal, Fan { inputs, outputs });
        let (count, len) = (outputs.min(inputs), outputs.max(inputs));
        let at = |vector: usize, position: usize| {
            if outputs <= inputs {
                w[vector * inputs + position]
            } else {
                w[position * inputs + vector]
            }
        };
        for a in 0..count {
            for b in 0..count {
                let dot: f64 = (0..len).map(|i| at(a, i) * at(b, i)).sum();
                let expected = if a == b { 1.0 } else { 0.0 };
                assert!((dot - expected).abs() < 1e-13, "{outputs}x{inputs}: {dot}");
            }
        }
    }
}

#[test]
fn gates_are_orthogonal_one_by_one() {
    let mut all = vec![0.0; 3 * 16];
    Init::OrthogonalGates(4).fill(&mut all, Key::new(5));
    let gates: Vec<&[f64]> = all.chunks(16).collect();
    for gate in &gates {
        for (a, b) in (0..4).flat_map(|a| (0..4).map(move |b| (a, b))) {
            let dot: f64 = (0..4).map(|i| gate[4 * a + i] * gate[4 * b + i]).sum();
            assert!((dot - f64::from(u8::from(a == b))).abs() < 1e-13, "{dot}");
        }
    }
    assert_ne!(gates[0], gates[1]);
}

#[test]
fn an_identity_has_ones_where_output_and_input_are_the_same() {
    let square = draw(Scheme::Identity, Fan { inputs: 2, outputs: 2 });
    assert_eq!(square, [1.0, 0.0, 0.0, 1.0]);
    assert_eq!(draw(Scheme::Identity, Fan { inputs: 3, outputs: 2 }), [1., 0., 0., 0., 1., 0.]);
    assert_eq!(draw(Scheme::Identity, Fan { inputs: 1, outputs: 3 }), [1.0, 0.0, 0.0]);
}

#[test]
fn a_constant_in_a_range_is_nowhere_else() {
    let mut numbers = [9.0; 5];
    Init::ConstantIn { value: 1.0, from: 1, len: 2 }.fill(&mut numbers, Key::new(0));
    assert_eq!(numbers, [0.0, 1.0, 1.0, 0.0, 0.0]);
}

#[test]
fn decays_are_those_of_time_constants_with_equal_ratios() {
    let (mut shares, mut logits) = ([0.0; 3], [0.0; 3]);
    Init::Decays { tau: [2.0, 32.0], logit: false }.fill(&mut shares, Key::new(0));
    Init::Decays { tau: [2.0, 32.0], logit: true }.fill(&mut logits, Key::new(0));
    for ((share, logit), tau) in shares.into_iter().zip(logits).zip([2.0_f64, 8.0, 32.0]) {
        assert!((share - (-1.0 / tau).exp()).abs() < 1e-15, "{share}");
        assert!((1.0 / (1.0 + f64::exp(-logit)) - share).abs() < 1e-15, "{logit}");
    }
    // A share that rounds to 1 still has a finite logit.
    Init::Decays { tau: [1e20, 1e20], logit: true }.fill(&mut logits[..1], Key::new(0));
    assert!((logits[0] - 1e20_f64.ln()).abs() < 1e-9, "{}", logits[0]);
}
