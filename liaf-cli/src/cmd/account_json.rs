//! The account of a conversion as JSON: the keys are documented in `docs/cli.md`.

use std::path::Path;

use liaf::data::model::Finding;
use liaf::data::{Error, ErrorKind};
use serde_json::{Map, Value, json};

use super::account::Done;
use crate::hints;
use crate::kind::Kind;
use crate::outputs::{Job, Usage};

/// The account of one converted file, with its warnings as notes.
pub fn of_done(job: &Job, done: &Done, notes: &[String]) -> Value {
    let report = done.report();
    let counts = done.counts();
    let outside = report.count(Finding::OutOfSensor);
    let mut object = of_job(job);
    object.insert("stream".into(), json!(done.stream()));
    let count = match done {
        Done::Tensor(done) => {
            let (frames, shape) = (done.frames.frames, done.shape);
            object.insert("frames".into(), json!(frames));
            let shape = json!([frames, shape.channels, shape.height, shape.width]);
            object.insert("shape".into(), shape);
            "events"
        }
        Done::Events(done) => {
            object.insert("sensor".into(), json!([done.sensor.width, done.sensor.height]));
            "events"
        }
        Done::Measurements(_) => "measurements",
    };
    object.insert("bytes".into(), json!(counts.bytes));
    object.insert("written".into(), json!(done.is_written()));
    let mut where_they_went = json!({
        "kept": counts.kept,
        "out_of_window": counts.out_of_window,
    });
    if count == "events" {
        where_they_went["read"] = json!(report.events + outside);
        where_they_went["out_of_crop"] = json!(counts.out_of_crop);
        where_they_went["out_of_sensor"] = json!(outside);
        where_they_went["filtered"] = json!(counts.filtered);
        where_they_went["moved"] = json!(counts.moved);
    }
    object.insert(count.into(), where_they_went);
    object.insert("input_bytes".into(), json!(report.bytes));
    let findings = report.findings.iter().map(|(finding, n)| (finding.name().into(), json!(n)));
    object.insert("findings".into(), Value::Object(findings.collect()));
    object.insert("notes".into(), json!(notes));
    Value::Object(object)
}

/// What is printed for an input that stands for no file.
pub fn of_failed(input: &Path, kind: Kind, error: &anyhow::Error) -> Value {
    let mut object = Map::new();
    object.insert("input".into(), json!(input.display().to_string()));
    object.insert("output".into(), Value::Null);
    object.insert("kind".into(), json!(kind.name()));
    with_error(object, error)
}

/// What is printed for a file of a folder that is surely no recording.
pub fn of_passed_over(path: &Path, why: &str) -> Value {
    json!({ "input": path.display().to_string(), "written": false, "passed_over": why })
}

/// The account of one file that could not be converted.
pub fn of_error(job: &Job, error: &anyhow::Error) -> Value {
    with_error(of_job(job), error)
}

fn with_error(mut object: Map<String, Value>, error: &anyhow::Error) -> Value {
    let cause = error.downcast_ref::<Error>();
    let kind = match cause {
        Some(error) => error.kind(),
        None if error.is::<Usage>() => ErrorKind::Caller,
        None if error.root_cause().is::<std::io::Error>() => ErrorKind::System,
        None => ErrorKind::Other,
    };
    object.insert("written".into(), json!(false));
    object.insert(
        "error".into(),
        json!({
            "kind": kind.name(),
            "offset": cause.and_then(Error::offset),
            "message": hints::message(error),
        }),
    );
    Value::Object(object)
}

fn of_job(job: &Job) -> Map<String, Value> {
    Map::from_iter([
        ("input".to_owned(), json!(job.input.display().to_string())),
        ("output".to_owned(), json!(job.output.display().to_string())),
        ("kind".to_owned(), json!(job.kind.name())),
    ])
}
