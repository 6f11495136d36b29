//! Networks as graphs: configuration, fan-out, lengths, threads, step by step.

use crate::common::{SAMPLES, check_gradients, random};
use liaf_core::cost::CountRule;
use liaf_core::graph::{Inputs, Trace};
use liaf_core::layer::{
    Aggregate, AggregateKind, AvgPool, Concat, Conv2d, Conv3d, ConvLstm, Dense, Dropout, Embedding,
    Flatten, Gru, LayerConfig, Lstm, MaxPool, Rnn,
};
use liaf_core::neuron::Neuron;
use liaf_core::{ErrorKind, GradientSum, Mode, Network, NetworkConfig, Workspace};
use ndarray::s;

fn small() -> NetworkConfig {
    NetworkConfig::sequential([2, 3])
        .then(Flatten {})
        .then(Dense::new(8))
        .then(Neuron::default())
        .then(Dense::new(4))
        .then(Aggregate::new(AggregateKind::Mean))
}

#[test]
fn a_network_without_kinks_agrees_with_finite_differences() {
    let config = NetworkConfig::sequential([6])
        .node("a", &["input"], Dense::new(5))
        .node("b", &["a"], Dense::new(4))
        .node("c", &["b"], Dense::new(3))
        .node("sum", &["c"], Aggregate::new(AggregateKind::Sum))
        .node("d", &["sum"], Dense::new(3));
    let mut network = config.build::<f64>(1).unwrap();
    let lengths = [5, 1, 3, 5, 2, 4];
    let batch = [("input", random(&[SAMPLES, 5, 6], 2))];
    check_gradients(&mut network, &batch, None, 1e-7);
    check_gradients(&mut network, &batch, Some(&lengths), 1e-7);
}

#[test]
fn padding_changes_nothing() {
    let network = small().build::<f64>(3).unwrap();
    let mut space = Workspace::new();
    let mut padded = random::<f64>(&[2, 7, 2, 3], 4);
    let short = padded.slice(s![.., ..4, .., ..]).to_owned().into_dyn();
    padded.slice_mut(s![.., 4.., .., ..]).fill(1e6);
    let run = |inputs: &Inputs<'_, f64>, space: &mut Workspace<f64>| {
        let mut sum = GradientSum::new(&network);
        let mut pass = network.forward(inputs, Mode::train(0), space).unwrap();
        let output = pass.output().clone();
        pass.backward(output.view(), &mut sum).unwrap();
        (output, sum.reduce().all().to_vec())
    };
    let a = run(&Inputs::of("input", short.view()), &mut space);
    let b = run(&Inputs::of("input", padded.view()).lengths("input", &[4, 4]), &mut space);
    assert_eq!(a, b);
}

#[test]
fn results_do_not_depend_on_threads() {
    let network = small().build::<f32>(5).unwrap();
    let frames = random::<f32>(&[11, 6, 2, 3], 6);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut space = Workspace::new();
            let inputs = Inputs::of("input", frames.view());
            let mut sum = GradientSum::new(&network);
            let mut pass = network.forward(&inputs, Mode::train(0), &mut space).unwrap();
            let output = pass.output().clone();
            pass.backward(output.view(), &mut sum).unwrap();
            (output, sum.reduce().all().to_vec())
        })
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(3));
}

#[test]
fn step_by_step_gives_the_numbers_of_the_sequence() {
    let network = small().build::<f32>(7).unwrap();
    let frames = random::<f32>(&[1, 9, 2, 3], 8);
    let mut space = Workspace::new();
    let mut state = network.state().plain();
    for t in 0..9 {
        let frame = frames.slice(s![0, t, .., ..]);
        let step = network.step(&[("input", frame.to_owned().as_slice().unwrap())], &mut state);
        let step = step.unwrap().to_vec();
        let so_far = frames.slice(s![.., ..=t, .., ..]).to_owned().into_dyn();
        let mode = Mode::eval().plain();
        let whole = network.forward(&Inputs::of("input", so_far.view()), mode, &mut space).unwrap();
        let whole = whole.into_output().into_raw_vec_and_offset().0;
        assert_eq!(step, whole, "after frame {t}");
    }
}

#[test]
fn traces_show_the_membranes() {
    let network = small().build::<f64>(9).unwrap();
    let frames = random::<f64>(&[2, 5, 2, 3], 10);
    let mut space = Workspace::new();
    let inputs = Inputs::of("input", frames.view());
    let pass = network.forward(&inputs, Mode::train(0), &mut space).unwrap();
    let u = pass.trace("neuron3", Trace::Potential).unwrap();
    let spikes = pass.trace("neuron3", Trace::Spikes).unwrap();
    assert_eq!(u.shape(), [2, 5, 8]);
    assert!(u.iter().zip(&spikes).all(|(&u, &f)| (u >= 0.5) == (f == 1.0)));
    assert!(spikes.sum() > 0.0);
    assert!(pass.trace("dense2", Trace::Spikes).is_err());
}

#[test]
fn what_cannot_be_a_network_is_refused_by_name() {
    let shape = NetworkConfig::sequential([2, 8, 8]).node("fc", &[], Dense::new(3));
    let error = shape.build::<f32>(0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Shape);
    let text = error.to_string();
    assert!(text.contains("layer fc") && text.contains("[N, T, 2, 8, 8]"), "{text}");

    let missing = NetworkConfig::sequential([4]).node("fc", &["nothing"], Dense::new(3));
    assert!(missing.build::<f32>(0).unwrap_err().to_string().contains("nothing"));

    let typo =
        NetworkConfig::from_toml("[inputs.x]\nshape=[4]\n[[layers]]\ntype='dense'\nunit=3\n");
    assert!(typo.unwrap_err().to_string().contains("unit"));
}

#[test]
fn what_cannot_be_worked_on_is_refused_before_work() {
    let network: Network<f32> = small().build(0).unwrap();
    let mut space = Workspace::new();
    let mut refuse = |shape: &[usize], poison: bool| {
        let mut frames = random::<f32>(shape, 1);
        if poison {
            frames[[1, 0, 1, 2]] = f32::NAN;
        }
        let inputs = Inputs::of("input", frames.view());
        network.forward(&inputs, Mode::eval(), &mut space).unwrap_err().to_string()
    };
    assert!(refuse(&[0, 5, 2, 3], false).contains("batch is empty"));
    assert!(refuse(&[2, 0, 2, 3], false).contains("no time steps"));
    assert!(refuse(&[2, 5, 3, 3], false).contains("[2, 5, 3, 3]"));
    assert!(refuse(&[2, 5, 2, 3], true).contains("[1, 0, 1, 2]"));
}

/// What is said of an input that is not there is a mistake in a name, not nothing.
#[test]
fn names_that_are_no_inputs_are_refused() {
    let network: Network<f32> = small().build(0).unwrap();
    let frames = random::<f32>(&[2, 5, 2, 3], 1);
    let mut space = Workspace::new();
    let mut run = |inputs: Inputs<'_, f32>| {
        let pass = network.forward(&inputs, Mode::eval(), &mut space);
        pass.map(|pass| pass.into_output()).map_err(|error| error.to_string())
    };
    let batch = || Inputs::of("input", frames.view());
    let error = run(batch().lengths("inputs", &[5, 1])).unwrap_err();
    assert!(error.contains("lengths") && error.contains("expected input, found inputs"), "{error}");
    let error = run(batch().with("frames", frames.view())).unwrap_err();
    assert!(error.contains("no input with this name") && error.contains("found frames"), "{error}");
    assert!(run(batch().with("input", frames.view())).unwrap_err().contains("given twice"));
    // Lengths may come before their input, and again.
    let early = Inputs::of("input", frames.view()).lengths("input", &[5, 1]);
    let late = Inputs::of("input", frames.view()).lengths("input", &[9, 9]);
    assert_eq!(run(early), run(late.lengths("input", &[5, 1])));
    let frame = [0.0; 6];
    let frames = [("input", &frame[..]), ("other", &frame[..])];
    let error = network.step(&frames, &mut network.state()).unwrap_err().to_string();
    assert!(error.contains("no input with this name") && error.contains("found other"), "{error}");
}

/// Random numbers and slots go by the number of a sample in its batch, so that parts that are numbered
/// give what the whole gives.
#[test]
fn numbered_parts_give_the_numbers_of_the_whole() {
    let config = small().then(Dropout::new(0.4)).then(Dense::new(3));
    let network = config.build::<f64>(5).unwrap();
    let frames = random::<f64>(&[7, 4, 2, 3], 6);
    let mut space = Workspace::new();
    let mut run = |ends: &[usize]| {
        let (mut sum, mut y, mut start) = (GradientSum::new(&network), Vec::new(), 0);
        for &end in ends {
            let inputs = Inputs::of("input", frames.view()).part(start..end);
            let inputs = inputs.numbered_from(start);
            start = end;
            let mut pass = network.forward(&inputs, Mode::train(2), &mut space).unwrap();
            let output = pass.output().clone();
            pass.backward(output.view(), &mut sum).unwrap();
            y.extend(output.iter().copied());
        }
        (y, sum.reduce().all().to_vec())
    };
    let whole = run(&[7]);
    assert_eq!(run(&[3, 7]), whole);
    assert_eq!(run(&[1, 2, 6, 7]), whole);
}

/// A sum of gradients belongs to its network.
#[test]
fn the_sum_of_another_network_is_refused() {
    let network = small().build::<f64>(5).unwrap();
    let frames = random::<f64>(&[2, 4, 2, 3], 6);
    let mut space = Workspace::new();
    let inputs = Inputs::of("input", frames.view());
    let mut pass = network.forward(&inputs, Mode::train(0), &mut space).unwrap();
    let output = pass.output().clone();
    let other = small().then(Dense::new(2)).build::<f64>(5).unwrap();
    for mut sum in [GradientSum::new(&other), GradientSum::default()] {
        let error = pass.backward(output.view(), &mut sum).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Shape);
    }
    let mut sum = GradientSum::new(&network);
    assert!(
        pass.backward(output.view(), &mut sum).unwrap().get("input").is_none(),
        "not asked for"
    );
}

#[test]
fn absurd_dimensions_are_refused_by_layer_and_shape() {
    const HUGE: [usize; 4] = [1 << 31, 1 << 32, usize::MAX / 3, usize::MAX];
    let net = |item: &[usize]| NetworkConfig::sequential(item.to_vec());
    let refused = |config: NetworkConfig, layer: &str| {
        for error in [config.resolve().unwrap_err(), config.build::<f32>(0).unwrap_err()] {
            let text = error.to_string();
            assert!(text.contains(layer), "{layer}: {text}");
        }
        assert!(config.cost(5, CountRule::Textbook).is_err());
    };
    for huge in HUGE {
        refused(net(&[huge, 2]), "layer input");
        refused(net(&[huge, huge, huge]), "layer input");
        let layers: [LayerConfig; 6] = [
            Dense::new(huge).into(),
            Lstm::new(huge).into(),
            Gru::new(huge).into(),
            Rnn::new(huge).into(),
            Embedding::new(huge, 3).into(),
            Embedding::new(3, huge).into(),
        ];
        for layer in layers {
            let item: &[usize] = if layer.kind() == "embedding" { &[] } else { &[3] };
            let name = format!("layer {}1", layer.kind());
            refused(net(item).then(layer), &name);
        }
        let images: [LayerConfig; 8] = [
            Conv2d::new(huge, 1).into(),
            Conv2d::new(1, 1).padding(huge).into(),
            Conv2d::new(1, huge).into(),
            Conv3d::new(huge, 3, 1).into(),
            Conv3d::new(1, huge, 1).into(),
            ConvLstm::new(huge, 1).into(),
            AvgPool::new(huge).into(),
            MaxPool::new(huge).into(),
        ];
        for layer in images {
            let name = format!("layer {}1", layer.kind());
            refused(net(&[2, 4, 4]).then(layer), &name);
        }
    }
    // Each within bounds, and too large together.
    refused(net(&[1 << 20]).then(Dense::new(1 << 20)), "weight");
    refused(net(&[1 << 20]).then(Neuron { recurrent: true, ..Neuron::lif() }), "weight");
    let wide = net(&[1 << 30]).node("a", &["input"], Neuron::lif());
    let wide = wide.node("b", &["input"], Neuron::lif()).node("c", &["input"], Neuron::lif());
    refused(wide.node("all", &["a", "b", "c"], Concat {}), "layer all");
    // Steps without end are counted, not run.
    let steps = net(&[2, 4, 4]).then(Conv3d::new(2, 3, 1)).then(Neuron::default());
    for rule in [CountRule::Textbook, CountRule::EsNotebook] {
        steps.cost(usize::MAX, rule).unwrap();
    }
}
