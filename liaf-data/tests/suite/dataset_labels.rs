//! Where the classes of plain folders come from, and what divides sets that have no split.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::fs;

use liaf_data::ErrorKind;
use liaf_data::dataset::{
    Build, ClassFrom, DataSet, Labels, ListOptions, SampleRule, Split, SplitRule, Stretch,
};
use liaf_data::frames::TimePoint;

use crate::dataset::{DVS128, Read, folder, list, read, run, small};

#[test]
fn plain_folders_take_classes_from_folders_or_names() {
    let flat = folder(&[
        ("mug_1.aedat", DVS128),
        ("mug_10.aedat", DVS128),
        ("mug_2.aedat", DVS128),
        ("box-3.aedat", DVS128),
        ("notes.md", "text:x"),
    ]);
    let listing = list("folder", &flat).unwrap();
    assert_eq!(listing.classes, ["box-3", "mug"]);
    let names: Vec<_> = listing.recordings.iter().map(|entry| &*entry.name).collect();
    assert_eq!(names, ["box-3.aedat", "mug_1.aedat", "mug_2.aedat", "mug_10.aedat"]);
    assert!(listing.remarks.iter().any(|r| r.contains("the class box-3 has a single recording")));
    assert!(listing.remarks.iter().any(|r| r.contains("1 files do not have the extension")));
    let of = |class_from| {
        let options = ListOptions { class_from, ..ListOptions::default() };
        DataSet::named("folder").unwrap().list(flat.path(), &options).map(|listing| listing.classes)
    };
    assert_eq!(of(ClassFrom::Prefix).unwrap(), ["box", "mug"]);
    assert_eq!(of(ClassFrom::Stem).unwrap(), ["box-3", "mug_1", "mug_2", "mug_10"]);
    assert!(of(ClassFrom::Dir).is_err());
    let nested = folder(&[
        ("train/a/1.aedat", DVS128),
        ("train/B/2.aedat", DVS128),
        ("test/a/3.aedat", DVS128),
        ("test/b/4.aedat", DVS128),
        ("stray.aedat", DVS128),
    ]);
    let listing = list("folder", &nested).unwrap();
    assert_eq!(listing.classes, ["B", "a", "b"]);
    let splits: Vec<_> = listing.recordings.iter().map(|entry| entry.split.unwrap()).collect();
    assert_eq!(splits, [Split::Test, Split::Test, Split::Train, Split::Train]);
    for said in ["classes B and b differ in case alone", "1 files have no class"] {
        assert!(listing.remarks.iter().any(|r| r.contains(said)), "{said}: {:?}", listing.remarks);
    }
    let empty = tempfile::tempdir().unwrap();
    let error = list("folder", &empty).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Caller);
    assert!(error.to_string().contains("no recording"), "{error}");
    let options = ListOptions { labels: Some("x.csv".into()), ..ListOptions::default() };
    let error = DataSet::named("n-mnist").unwrap().list(empty.path(), &options).unwrap_err();
    assert!(error.to_string().contains("does not apply to the data set n-mnist"), "{error}");
}

#[test]
fn a_table_of_labels_is_checked_line_by_line() {
    let folder = folder(&[("a.aedat", DVS128), ("sub/b.aedat", DVS128), ("sub/c.aedat", DVS128)]);
    let table = folder.path().join("labels.csv");
    let options = ListOptions { labels: Some(table.clone()), ..ListOptions::default() };
    let list = |text: &str| {
        fs::write(&table, text).unwrap();
        DataSet::named("folder").unwrap().list(folder.path(), &options)
    };
    let good = "file,class,start,end,split\n# what, where\na.aedat,run,0s,100ms,train\n\
                a.aedat,rest,100ms,0.2s,train\nb.aedat,run,5000,90000,test\n";
    let listing = list(good).unwrap();
    assert_eq!(listing.classes, ["rest", "run"]);
    assert_eq!(listing.counts(), [1, 2]);
    let remark = "1 recordings are not in the table of labels";
    assert!(listing.remarks.iter().any(|r| r.contains(remark)), "{:?}", listing.remarks);
    for (text, said) in [
        ("file,class\nd.aedat,x\n", "line 2: there is no such recording: found \"d.aedat\""),
        ("file,label\na.aedat,x\n", "the table has no column class"),
        ("file,class\na.aedat\n", "line 2 has another number of values"),
        ("file,class\na.aedat,\n", "line 2: the class is empty"),
        ("file,class\na.aedat,x\na.aedat,y\n", "lines 2, 3: one recording has several classes"),
        ("file,class,start\na.aedat,x,1\n", "only one of the columns start and end"),
        ("file,class,start,end\na.aedat,x,5,soon\n", "line 2: this is no time"),
        ("file,class,start,end\na.aedat,x,5,5\n", "line 2: the stretch ends before it begins"),
        ("file,class,split\na.aedat,x,dev\n", "line 2: this is no split"),
        ("file,class,start_s,end_s\na.aedat,x,1s,2s\n", "expected seconds, such as 1.5"),
        ("file,class,start_us,end_us\na.aedat,x,1.5,2\n", "expected a whole number of µs"),
        ("file,class,start,end_s\na.aedat,x,1,2\n", "only one of the columns start and end"),
        ("file,class,start,end,start_s,end_s\na.aedat,x,1,2,1,2\n", "in several units"),
        ("file,class,start_frame,end_frame\na.aedat,x,1,2\n", "whose length is not stated"),
        ("", "the table is empty"),
        ("file,class,Class\na.aedat,x,y\n", "line 1: two columns have the same name"),
        ("file,class\na.aedat,\"x\n", "line 2: the quotation marks do not enclose a value"),
        ("file,class\na.aedat,\"x\"y\n", "line 2: the quotation marks do not enclose a value"),
    ] {
        let error = list(text).unwrap_err().to_string();
        assert!(error.contains(said) && error.contains("labels.csv"), "{text}: {error}");
    }
}

#[test]
fn values_of_a_table_may_be_in_quotation_marks() {
    let folder = folder(&[("a.aedat", DVS128), ("b, c.aedat", DVS128)]);
    let table = folder.path().join("labels.csv");
    let options = ListOptions { labels: Some(table.clone()), ..ListOptions::default() };
    for (text, classes) in [
        ("\u{feff}\"file\",\"class\"\r\n\"a.aedat\",\"x\"\r\n\"b, c.aedat\",x\r\n", vec!["x"]),
        ("file,class\na.aedat,\"a, \"\"b\"\"\"\n\"b, c.aedat\", x \n", vec!["a, \"b\"", "x"]),
    ] {
        fs::write(&table, text).unwrap();
        let listing = DataSet::named("folder").unwrap().list(folder.path(), &options).unwrap();
        assert_eq!(
            (&listing.classes, listing.recordings.len()),
            (&classes.iter().map(|&name| name.to_owned()).collect(), 2)
        );
    }
}

#[test]
fn long_tables_have_short_messages() {
    let folder = folder(&[("a.aedat", DVS128)]);
    let table = folder.path().join("labels.csv");
    let options = ListOptions { labels: Some(table.clone()), ..ListOptions::default() };
    let list = |text: &str| {
        fs::write(&table, text).unwrap();
        DataSet::named("folder").unwrap().list(folder.path(), &options)
    };
    let rows = |row: &dyn Fn(i64) -> String| (0..20_000).map(row).collect::<String>();
    let error = list(&format!("file,class\n{}", rows(&|i| format!("a.aedat,{i}\n")))).unwrap_err();
    let error = error.to_string();
    let said =
        "lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 19990 more: one recording has several classes";
    assert!(error.contains(said), "{error}");
    let overlapping = rows(&|i| format!("a.aedat,{i},{i},{}\n", i + 5_000));
    let listing = list(&format!("file,class,start,end\n{overlapping}")).unwrap();
    assert!(listing.remarks.len() < 20, "{} remarks", listing.remarks.len());
    for said in
        ["19989 more stretches overlap", "20000 classes have a single recording: 0, 1, 2 and"]
    {
        assert!(listing.remarks.iter().any(|r| r.contains(said)), "{said}: {:?}", listing.remarks);
    }
}

#[test]
fn a_table_of_labels_counts_us_seconds_or_frames() {
    let folder = folder(&[("a.aedat", DVS128)]);
    let table = folder.path().join("labels.csv");
    let options =
        ListOptions { labels: Some(table.clone()), window: Some(20_000), ..ListOptions::default() };
    let (absolute, relative) = (TimePoint::Absolute, TimePoint::Relative);
    for (names, values, expected) in [
        ("start,end", "5000,90000", [absolute(5_000), absolute(90_000)]),
        ("start,end", "10ms,0.05s", [relative(10_000), relative(50_000)]),
        ("start_us,end_us", "5000,90000", [absolute(5_000), absolute(90_000)]),
        ("startTime_usec,endTime_usec", "5000,90000", [absolute(5_000), absolute(90_000)]),
        ("start_s,end_s", "0.01,1", [relative(10_000), relative(1_000_000)]),
        ("start_frame,end_frame", "2,5", [relative(40_000), relative(100_000)]),
    ] {
        fs::write(&table, format!("file,class,{names}\na.aedat,x,{values}\n")).unwrap();
        let listing = DataSet::named("folder").unwrap().list(folder.path(), &options).unwrap();
        let [from, to] = expected;
        let stretch = Stretch { class: 0, from, to };
        assert_eq!(listing.recordings[0].labels, Labels::Stretches(vec![stretch]), "{names}");
    }
}

#[test]
fn tebn_tests_with_the_first_hundred_of_each_class() {
    let name = |number: usize| format!("frog/cifar10_frog_{number}.aedat");
    let names: Vec<String> = (0..103).map(name).collect();
    let files: Vec<_> = names.iter().map(|name| (&**name, DVS128)).collect();
    let folder = folder(&files);
    let listing = list("cifar10-dvs", &folder).unwrap();
    let build = Build {
        frames: small(),
        samples: SampleRule::Whole { steps: Some(1) },
        split: SplitRule::Tebn,
        ..Build::new("cifar10-dvs", folder.path().join("out.npz")).unwrap()
    };
    let built = run(&build, &listing).unwrap();
    let [train, test] = [0, 1].map(|file| read(&built.files[file].0));
    let recordings = |file: &Read| -> Vec<String> {
        file.source.iter().map(|&i| listing.recordings[i as usize].name.clone()).collect()
    };
    assert_eq!(recordings(&train), [100, 101, 102].map(name));
    assert_eq!(recordings(&test), (0..100).map(name).collect::<Vec<_>>());
    assert_eq!(
        (&train.about["dataset"]["split_rule"], test.labels),
        (&"tebn".into(), vec![6; 100])
    );
}
