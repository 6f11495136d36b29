use super::*;
use crate::experiment::evaluate::Score;
use crate::experiment::record::{EpochRecord, Summary};

fn run(name: &str, seed: u64, correct: usize, test_data: &str) -> RunRecord {
    let score = Score { loss: 0.5, correct, samples: 10 };
    let epoch = EpochRecord {
        epoch: 1,
        steps: 3,
        train: score,
        validation: None,
        test: score,
        seconds: 1.0,
    };
    let summary = Summary {
        name: name.into(),
        test_accuracy_last: Some(score.accuracy()),
        test_accuracy_best: Some(score.accuracy()),
        best_epoch: Some(1),
        best_by: "test".into(),
        epochs: 1,
        steps: 3,
        train_samples: 20,
        test_samples: 10,
        test_data: test_data.into(),
        parameters: 110,
        weights: 100,
        macs: 1_000,
        seconds: 2.0,
        seed,
        version: "0".into(),
        finished: true,
    };
    let experiment = toml::Table::from_iter([("name".to_owned(), name.into())]);
    let folder = format!("runs/{name}-{seed}").into();
    RunRecord { folder, summary, epochs: vec![epoch], net: "LIAF 7FC".into(), experiment }
}

#[test]
fn seeds_are_grouped_and_spread() {
    let all = Comparison::of([run("a", 1, 8, "x"), run("b", 1, 5, "x"), run("a", 2, 10, "x")]);
    assert_eq!(all.groups.len(), 2);
    assert!(all.remarks.is_empty(), "{:?}", all.remarks);
    let group = &all.groups[0];
    assert_eq!((group.name.as_str(), group.seeds()), ("a", vec![1, 2]));
    let accuracy = group.accuracy_last();
    assert!((accuracy.mean - 0.9).abs() < 1e-12);
    assert!((accuracy.deviation.unwrap() - 0.02_f64.sqrt()).abs() < 1e-12);
    assert_eq!(accuracy.percent(), "90.00 ± 14.14 %");
    assert_eq!(all.groups[1].accuracy_last().percent(), "50.00 %");
}

#[test]
fn what_is_unfair_is_said() {
    let all = Comparison::of([run("a", 1, 8, "x"), run("a", 1, 8, "x"), run("b", 1, 5, "y")]);
    assert_eq!(all.groups[0].runs.len(), 1);
    assert!(all.remarks[0].contains("runs/a-1"), "{:?}", all.remarks);
    assert!(all.remarks[1].contains("not all runs were tested on the same samples: a (10"));
    assert!(all.html().contains("not all runs"));
    let unknown = Comparison::of([run("a", 1, 8, ""), run("b", 1, 5, "y")]);
    assert!(unknown.remarks.is_empty(), "{:?}", unknown.remarks);
}

#[test]
fn names_are_told_apart_and_escaped() {
    let mut other = run("<a>", 2, 5, "x");
    other.experiment.insert("version".into(), 1.into());
    let all = Comparison::of([run("<a>", 1, 8, "x"), other]);
    let names: Vec<_> = all.groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(names, ["<a> (<a>-1)", "<a> (<a>-2)"]);
    let html = all.html();
    assert!(html.contains("&lt;a&gt; (&lt;a&gt;-1)") && !html.contains("<a>"));
    assert!(!html.contains("NaN"));
}
