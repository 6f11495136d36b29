//! Custom layers that cannot be part of a network.

use liaf_core::cost::{Synapses, Work};
use liaf_core::graph::Inputs;
use liaf_core::init::Init;
use liaf_core::layer::{CustomBackward, CustomForward, CustomLayer, CustomSpec, TensorSpec};
use liaf_core::{Error, ErrorKind, Mode, NetworkConfig, Real, Result, Shape, Workspace};
use serde::{Deserialize, Serialize};

/// A layer whose description is what a test says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Any {
    pub params: Vec<Vec<usize>>,
    pub names: [String; 2],
    pub output: Vec<usize>,
    pub once: bool,
    pub saved: usize,
    pub working: usize,
    pub state: usize,
    pub work: usize,
    pub number: f64,
    #[serde(skip)]
    pub forgotten: usize,
}

impl Default for Any {
    fn default() -> Self {
        Self {
            params: Vec::new(),
            names: ["a".into(), "b".into()],
            output: vec![2],
            once: false,
            saved: 0,
            working: 0,
            state: 0,
            work: 0,
            number: 1.0,
            forgotten: 0,
        }
    }
}

impl CustomLayer for Any {
    const NAME: &'static str = "any";

    fn describe(&self, _: &[Shape]) -> Result<CustomSpec> {
        if self.forgotten > 0 {
            return Err(Error::config("the layer's own error"));
        }
        let name = |name: &String| if name == "a" { "a" } else { "b" };
        let params = self.params.iter().zip(&self.names);
        let params = params
            .map(|(shape, own)| TensorSpec::new(name(own), shape.clone(), Init::Constant(0.0)));
        let output = Shape { timed: !self.once, item: self.output.clone() };
        let work = Work::synapses(Synapses::dense(self.work, self.work));
        let spec = CustomSpec::new(output).params(params).work(work);
        Ok(spec.saved(self.saved).working(self.working).state(self.state))
    }

    fn forward<R: Real>(&self, pass: CustomForward<'_, R>) {
        pass.output.fill(R::ONE);
    }

    fn backward<R: Real>(&self, _: CustomBackward<'_, '_, R>) {}
}

/// Its options are no table.
#[derive(Debug, Serialize, Deserialize)]
struct Unit;

impl CustomLayer for Unit {
    const NAME: &'static str = "unit";

    fn describe(&self, inputs: &[Shape]) -> Result<CustomSpec> {
        Ok(CustomSpec::new(inputs[0].clone()))
    }

    fn forward<R: Real>(&self, _: CustomForward<'_, R>) {}

    fn backward<R: Real>(&self, _: CustomBackward<'_, '_, R>) {}
}

fn refused(config: NetworkConfig) -> Error {
    config.build::<f32>(0).unwrap_err()
}

fn net(layer: Any) -> NetworkConfig {
    NetworkConfig::sequential([2]).node("bad", &["input"], layer)
}

#[test]
fn descriptions_that_cannot_be_are_refused_by_layer() {
    let any = Any::default;
    let huge = usize::MAX / 2;
    for (layer, said) in [
        (Any { params: vec![vec![huge, 3]], ..any() }, "tensor a is too large"),
        (Any { params: vec![vec![1 << 40]], ..any() }, "tensor a is too large"),
        (Any { output: vec![huge], ..any() }, "output is too large"),
        (Any { output: vec![3, 0], ..any() }, "output is empty"),
        (Any { params: vec![vec![1]; 2], names: ["a".into(), "a".into()], ..any() }, "same name"),
        (Any { number: f64::NAN, ..any() }, "change when they are read"),
    ] {
        let text = refused(net(layer)).to_string();
        assert!(text.contains("layer bad") && text.contains(said), "{text}");
    }
    let unit = NetworkConfig::sequential([2]).node("bad", &[], Unit);
    let errors = [refused(unit.clone()), unit.to_json().unwrap_err(), unit.to_toml().unwrap_err()];
    for error in errors {
        assert!(error.to_string().contains("named fields"), "{error}");
    }
    let own = refused(net(Any { forgotten: 1, ..any() })).to_string();
    assert_eq!(own, "layer bad: the layer's own error");
    net(any()).build::<f32>(0).unwrap();
}

#[test]
fn time_comes_from_the_first_input() {
    let both = NetworkConfig::default().input("x", Shape::timed([2])).input("g", Shape::once([2]));
    let made = |from: &[&str], once: bool| {
        both.clone().node("n", from, Any { once, ..Any::default() }).build::<f32>(0)
    };
    for (from, once) in [(["x", "g"], false), (["x", "g"], true)] {
        made(&from, once).unwrap();
    }
    made(&["g"], true).unwrap();
    for (from, once) in [(&["g"][..], false), (&["g", "x"], false), (&["g", "x"], true)] {
        assert_eq!(made(from, once).unwrap_err().kind(), ErrorKind::Shape, "{from:?} {once}");
    }
}

#[test]
fn memory_beyond_the_limits_is_refused_before_it_is_allocated() {
    let frames = ndarray::Array3::<f32>::ones((2, 3, 2)).into_dyn();
    for huge in [1 << 40, usize::MAX] {
        for layer in [
            Any { saved: huge, ..Any::default() },
            Any { working: huge, ..Any::default() },
            Any { state: huge, ..Any::default() },
        ] {
            let network = net(layer).build::<f32>(0).unwrap();
            let inputs = Inputs::of("input", frames.view());
            let mut space = Workspace::new();
            let errors = [
                network.forward(&inputs, Mode::train(0), &mut space).map(|_| ()).unwrap_err(),
                network.forward(&inputs, Mode::eval(), &mut space).map(|_| ()).unwrap_err(),
                network
                    .step(&[("input", &[0.0; 2])], &mut network.state())
                    .map(|_| ())
                    .unwrap_err(),
            ];
            errors.iter().for_each(|error| assert_eq!(error.kind(), ErrorKind::Limit, "{error}"));
        }
    }
}
