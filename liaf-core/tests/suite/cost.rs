//! Weights and operations against numbers worked out by others or by hand.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use liaf_core::cost::{Comparison, CountRule, Rates};
use liaf_core::graph::Inputs;
use liaf_core::layer::{Aggregate, AggregateKind, Dense, Gru, LayerConfig, Lstm, Rnn};
use liaf_core::neuron::{Neuron, Output};
use liaf_core::{Mode, NetworkConfig, Shape, Workspace};
use ndarray::Array3;

fn one(layer: impl Into<LayerConfig>) -> NetworkConfig {
    NetworkConfig::default().input("x", Shape::timed([50])).node("layer", &["x"], layer)
}

#[test]
fn recurrent_rivals_cost_three_nine_and_twelve_times_as_much() {
    let cost = |layer: LayerConfig| one(layer).cost(7, CountRule::Textbook).unwrap();
    let rivals = [
        ("liaf", cost(Dense::new(100).into())),
        ("rnn", cost(Rnn::new(100).into())),
        ("gru", cost(Gru::new(100).into())),
        ("lstm", cost(Lstm::new(100).into())),
    ];
    for ((name, cost), times) in rivals.iter().zip([1, 3, 9, 12]) {
        assert_eq!(cost.total().weights, 5_000 * times, "{name}");
        assert_eq!(cost.total().macs, 7 * 5_000 * times, "{name}");
        assert_eq!(cost.total().macs_per_step, 5_000 * times, "{name}");
    }
    let lstm = &rivals[3].1;
    assert_eq!(lstm.total().parameters, 60_000 + 800);
    assert_eq!(lstm.total().state, 200);
    assert_eq!(lstm.total().multiplications, 7 * (60_000 + 300));
    assert_eq!(lstm.total().additions, 7 * (60_000 + 100));
    let table = Comparison::new(rivals.iter().map(|(name, cost)| (*name, cost))).to_string();
    let line = table.lines().find(|line| line.starts_with("lstm")).unwrap();
    let cells: Vec<_> = line.split_whitespace().collect();
    assert_eq!(cells[..7], ["lstm", "60,000", "12.00", "60,800", "244,400", "420,000", "12.00"]);
    // Parameters, the state of cell and output, and the output of a step, in 4 bytes each.
    assert_eq!(lstm.total().memory, 4 * (60_800 + 200 + 100));
}

fn spiking() -> NetworkConfig {
    NetworkConfig::default()
        .input("x", Shape::timed([8]))
        .node("fc1", &["x"], Dense::new(16))
        .node("lif", &["fc1"], Neuron { output: Output::Spike, ..Neuron::default() })
        .node("fc2", &["lif"], Dense::new(4))
        .node("mean", &["fc2"], Aggregate::new(AggregateKind::Mean))
        .node("head", &["mean"], Dense::new(2))
}

#[test]
fn behind_spikes_products_become_additions() {
    let cost = spiking().cost_at(10, &Rates::given(0.25)).unwrap();
    let layer = |name: &str| cost.layers.iter().find(|layer| layer.name == name).unwrap();
    let event = layer("fc2").event.unwrap();
    assert_eq!((event.multiplications, event.additions), (0, 10 * 64 / 4));
    assert_eq!((layer("fc2").multiplications, layer("fc2").additions), (640, 640));
    // Frames are no spikes, and a mean of products is none either.
    assert!(layer("fc1").event.is_none() && layer("head").event.is_none());
    assert_eq!((layer("lif").multiplications, layer("lif").additions), (320, 320));
    assert_eq!(layer("head").steps, 1);
    let total = cost.total();
    assert_eq!(total.macs, 10 * (128 + 64) + 8);
    assert_eq!(total.multiplications, total.macs + 320);
    assert_eq!(total.event_multiplications, total.multiplications - 640);
    assert_eq!(total.event_additions, total.additions - 640 + 160);
    assert!(cost.to_string().contains("0.2500"), "{cost}");
}

#[test]
fn rates_are_those_of_the_spikes() {
    let network = spiking().build::<f32>(1).unwrap();
    let mut space = Workspace::new();
    let x = Array3::from_shape_fn((3, 5, 8), |(n, t, i)| (n + 2 * t + i) as f32 / 8.0);
    let inputs = Inputs::of("x", x.view().into_dyn());
    let pass = network.forward(&inputs, Mode::train(0), &mut space).unwrap();
    let rates = Rates::measured(&pass).unwrap();
    let spikes = pass.trace("lif", liaf_core::graph::Trace::Spikes).unwrap();
    let rate = f64::from(spikes.sum()) / spikes.len() as f64;
    assert!(rate > 0.0 && rate < 1.0);
    assert!((rates.layers["lif"] - rate).abs() < 1e-9);
    assert_eq!(rates.layers.len(), 1);
    let cost = network.config().cost_at(5, &rates).unwrap();
    let event = cost.layers.iter().find_map(|layer| layer.event).unwrap();
    assert_eq!(event.additions, (320.0 * rate).round() as u64);
}

#[test]
fn no_steps_and_no_network_are_refused() {
    assert!(spiking().cost(0, CountRule::Textbook).is_err());
    assert!(NetworkConfig::sequential([4]).cost(1, CountRule::Textbook).is_err());
}

#[test]
fn numbers_that_are_too_large_to_count_are_said() {
    let config = spiking();
    for (steps, saturated) in [(10, false), (1 << 40, false), (1 << 57, true), (usize::MAX, true)] {
        let cost = config.cost_at(steps, &Rates::given(0.1)).unwrap();
        assert_eq!(cost.is_saturated(), saturated, "{steps}");
        let table = cost.to_string();
        assert_eq!(table.contains("> 1.8e19"), saturated, "{table}");
        assert!(!table.contains("18,446,744,073,709,551,615"), "{table}");
        // A share of a number that is not known is not known.
        if steps == usize::MAX {
            assert_eq!(cost.total().event_additions, u64::MAX);
        }
        let small = config.cost(1, CountRule::Textbook).unwrap();
        let compared = Comparison::new([("small", &small), ("large", &cost)]).to_string();
        assert_eq!(
            compared.contains('?') && compared.contains("> 1.8e19"),
            saturated,
            "{compared}"
        );
    }
}

#[test]
fn names_of_layers_do_not_control_the_terminal() {
    let mut config = spiking();
    config.layers[0].name = Some("\x1b[2J\nfc1".into());
    config.layers[1].from = vec!["\x1b[2J\nfc1".into()];
    let table = config.cost(1, CountRule::Textbook).unwrap().to_string();
    assert!(table.contains(r"\u{1b}[2J\nfc1") && !table.contains('\x1b'), "{table}");
    assert_eq!(
        table.lines().count(),
        spiking().cost(1, CountRule::Textbook).unwrap().to_string().lines().count()
    );
}
