//! What must be true before the first step.

use std::sync::Arc;

use liaf_core::{Error, Mode, Network, Workspace};
use liaf_data::frames::SampleRecipe;
use serde_json::Value;

use super::data::Data;
use super::document::Document;
use super::network::only_input;
use crate::error::Result;
use crate::samples::{Examples, Input};

const DATA: [&str; 1] = ["data"];

/// Returns an error if the samples cannot teach anything: one class, a class with a single sample or
/// none to learn from, inputs of different shapes.
pub(super) fn samples(document: &Document, data: &Data) -> Result<()> {
    let fail = |what: String, expected: &str| {
        Err(document.at(&DATA, Error::data(what).expected(expected)))
    };
    let (train, test) = (&data.train, &data.test);
    let sets = [("train", train), ("test", test)];
    let sets = sets.into_iter().chain(data.validation.iter().map(|set| ("validation", set)));
    for (name, set) in sets.clone() {
        if set.is_empty() {
            return fail(format!("there are no samples for {name}"), "1 or more");
        }
        if let Some(found) = other_class(set.classes(), train.classes()) {
            let error = Error::data(format!("the classes for {name} are not those for train"));
            let error = error.expected("the same names in the same order").found(found);
            return Err(document.at(&DATA, error));
        }
        let same = |a: &Input, b: &Input| a.name == b.name && a.shape == b.shape;
        let (own, other) = (set.inputs(), train.inputs());
        if own.len() != other.len() || !own.iter().zip(&other).all(|(a, b)| same(a, b)) {
            return fail(
                format!("the samples for {name} have another shape than those for train"),
                "the same shape",
            );
        }
        let steps = own.iter().map(|input| input.steps).min();
        if steps.is_none_or(|steps| steps == 0) {
            return fail(format!("the samples for {name} have no frames"), "1 or more steps");
        }
    }
    let mut counts = vec![[0_usize; 3]; train.classes().len()];
    for (column, (_, set)) in sets.enumerate() {
        for &label in set.labels() {
            match counts.get_mut(label) {
                Some(count) => count[column] += 1,
                None => return fail(format!("the label {label} is not a class"), "a class"),
            }
        }
    }
    let present: Vec<usize> = (0..counts.len()).filter(|&c| counts[c] != [0; 3]).collect();
    if present.len() < 2 {
        let what = "all samples have the same class, so that there is nothing to learn";
        return fail(what.into(), "2 or more classes");
    }
    if train.classes_are_words() {
        return Ok(());
    }
    for class in present {
        let name = &train.classes()[class];
        let [own, test, chosen] = counts[class];
        if own + test + chosen < 2 {
            return fail(format!("the class {name} has a single sample"), "2 or more samples");
        }
        if own == 0 || test == 0 {
            let part = if own == 0 { "train" } else { "test" };
            let what = format!("the class {name} has no samples for {part}");
            return fail(what, "samples of every class on both sides");
        }
    }
    Ok(())
}

/// The first class that is not the expected one. Labels are numbers, which mean something else then.
pub(super) fn other_class(own: &[String], expected: &[String]) -> Option<String> {
    let count = own.len().max(expected.len());
    let number = (0..count).find(|&class| own.get(class) != expected.get(class))?;
    Some(match (own.get(number), expected.get(number)) {
        (Some(own), Some(expected)) => format!("class {number} is {own:?}, and not {expected:?}"),
        (Some(own), None) => format!("class {number}, {own:?}, which is one more"),
        (None, expected) => format!("no class {number}, {:?}", expected.map_or("", String::as_str)),
    })
}

/// What is said of samples whose frames were made in another way than those from which a network learned. It may
/// be meant, as when the same network is tested with other windows.
pub(super) fn other_frames(own: &SampleRecipe, learned: &SampleRecipe) -> Option<String> {
    let fields = |recipe: &SampleRecipe| match serde_json::to_value(&recipe.frames) {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let (own, learned) = (fields(own), fields(learned));
    let of = |fields: &serde_json::Map<String, Value>, key: &str| {
        fields.get(key).filter(|value| !value.is_null()).map_or("none".into(), Value::to_string)
    };
    // `from` and `to` belong to the recordings.
    let keys = ["windows", "size", "crop", "only", "filters", "representation"];
    let other = keys.into_iter().filter(|key| of(&own, key) != of(&learned, key));
    let other: Vec<String> = other
        .map(|key| format!("{key} {} instead of {}", of(&own, key), of(&learned, key)))
        .collect();
    (!other.is_empty()).then(|| other.join(", "))
}

/// Returns an error if the network cannot take the samples, or does not give one score for each class. A
/// sample is passed through it.
pub(super) fn network(
    document: &Document,
    network: &Network<f32>,
    set: &Arc<dyn Examples>,
) -> Result<()> {
    let layers = network.config().layers.len();
    let last = layers.saturating_sub(1).to_string();
    let classes = set.classes().len();
    let output = network.output_shape();
    if output.item != [classes] {
        let error = Error::shape("the network does not give one score for each class of the data");
        let error = error
            .in_layer(network.output_name())
            .expected(format!("{classes} outputs"))
            .found(output)
            .advice("the number of units of the last layer must be the number of classes");
        return Err(document.at(&["network", "layers", &last], error));
    }
    let (given, taken) = (set.inputs(), network.input_shapes().collect::<Vec<_>>());
    let fits = match (&given[..], &taken[..]) {
        ([input], [(_, shape)]) => input.shape == **shape,
        _ => {
            given.len() == taken.len()
                && given.iter().all(|input| taken.contains(&(input.name.as_str(), &input.shape)))
        }
    };
    if !fits {
        let list = |all: Vec<(String, String)>| {
            let all = all.into_iter().map(|(name, shape)| format!("{name} {shape}"));
            all.collect::<Vec<_>>().join(", ")
        };
        let taken = taken.iter().map(|(name, shape)| ((*name).to_owned(), shape.to_string()));
        let given = given.iter().map(|input| (input.name.clone(), input.shape.to_string()));
        let error = Error::shape("the samples do not fit the inputs of the network")
            .expected(list(taken.collect()))
            .found(list(given.collect()));
        return Err(document.at(&["network", "inputs"], error));
    }
    let sample = set.collate(&[0])?;
    if let Some(inputs) = sample.inputs(only_input(network).as_deref()) {
        network
            .forward(&inputs, Mode::eval(), &mut Workspace::new())
            .map_err(|error| document.at(&["network"], error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use liaf_data::SensorSize;
    use liaf_data::frames::{FrameOptions, WindowRule};

    use super::*;

    #[test]
    fn the_first_class_that_differs_is_named() {
        let names = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for (own, found) in [
            ("a b", None),
            ("b a", Some("class 0 is \"b\", and not \"a\"")),
            ("a c", Some("class 1 is \"c\", and not \"b\"")),
            ("a b c", Some("class 2, \"c\", which is one more")),
            ("a", Some("no class 1, \"b\"")),
        ] {
            assert_eq!(other_class(&names(own), &names("a b")).as_deref(), found);
        }
    }

    #[test]
    fn frames_of_other_windows_or_another_size_are_told() {
        let options = FrameOptions::default();
        let learned = SampleRecipe::new((&options).into());
        assert_eq!(other_frames(&learned, &learned), None);
        let mut other = options.clone();
        other.size = Some(SensorSize::new(8, 9));
        other.windows = WindowRule::Time { us: 7, overlap: 0 };
        let said = other_frames(&SampleRecipe::new((&other).into()), &learned).unwrap();
        assert!(said.starts_with("windows {") && said.contains(", size "), "{said}");
        assert!(said.contains(" instead of none") && !said.contains("representation"), "{said}");
        // Another part of the recordings is no other way.
        let mut other = options;
        other.selection.to = Some("5ms".parse().unwrap());
        assert_eq!(other_frames(&SampleRecipe::new((&other).into()), &learned), None);
    }
}
