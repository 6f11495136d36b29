//! Which frames are said to be full, for every rule of windows.

use liaf_data::{ReadOptions, Recording};

use super::*;

/// Whether each of the frames of events at these times is full.
fn full(times: &[i64], options: FrameOptions) -> Vec<bool> {
    let lines: String = times.iter().map(|t| format!("{t},1,1,1\n")).collect();
    let read = ReadOptions { sensor: Some(SENSOR), ..ReadOptions::default() };
    let text = format!("t,x,y,p\n{lines}");
    let mut recording = Recording::from_bytes(text.into_bytes(), read).unwrap();
    let mut frames = recording.frames(options).unwrap();
    let mut all = Vec::new();
    while frames.next().transpose().unwrap().is_some() {
        all.push(frames.last_is_full());
    }
    all
}

#[test]
fn only_the_last_windows_may_not_be_full() {
    let times = [100, 110, 120, 130, 135];
    let time = |us, overlap| WindowRule::Time { us, overlap };
    let count = |events, overlap| WindowRule::Count { events, overlap };
    let jelly = Edge::SpikingJelly;
    let (yes, no) = (true, false);
    for (windows, edge, expected) in [
        (time(10, 0), Edge::All, vec![yes, yes, yes, no]),
        (time(12, 0), Edge::All, vec![yes, yes, yes]),
        (time(10, 5), Edge::All, vec![yes, yes, yes, yes, yes, yes, no, no]),
        (time(10, 0), Edge::Tonic, vec![yes, yes, yes]),
        (time(36, 0), Edge::All, vec![yes]),
        (time(37, 0), Edge::All, vec![no]),
        (time(99, 0), Edge::Tonic, vec![no]),
        (time(10, 0), jelly, vec![yes, yes, no]),
        (time(15, 0), jelly, vec![yes, yes]),
        (time(10, 0), Edge::SpikingJelly2, vec![yes, yes, yes, no]),
        (count(2, 0), Edge::All, vec![yes, yes, no]),
        (count(5, 0), Edge::All, vec![yes]),
        (count(3, 1), Edge::All, vec![yes, yes, no]),
        (count(2, 0), Edge::Tonic, vec![yes, yes]),
        (count(9, 0), Edge::Tonic, vec![no]),
        (WindowRule::Bins { n: 3 }, Edge::All, vec![yes; 3]),
        (WindowRule::Bins { n: 3 }, Edge::Tonic, vec![yes; 3]),
        (WindowRule::Bins { n: 3 }, jelly, vec![yes; 3]),
        (WindowRule::EventBins { n: 2 }, Edge::All, vec![yes; 2]),
        (WindowRule::EventBins { n: 7 }, Edge::All, vec![yes; 7]),
    ] {
        assert_eq!(full(&times, by_rule(windows, edge)), expected, "{windows:?} {edge:?}");
    }
    assert_eq!(full(&[], by_time(10, 0)), [no; 0]);
}

#[test]
fn up_to_a_chosen_end_windows_are_full() {
    let to = |us| {
        let selection = Selection { to: Some(TimePoint::Absolute(us)), ..Selection::default() };
        full(&[100, 110, 120, 130, 135], by_time(10, 0).selection(selection))
    };
    assert_eq!(to(140), [true; 4]);
    assert_eq!(to(138), [true, true, true, false]);
    assert_eq!(to(160), [true; 6]);
    assert_eq!(to(120), [true; 2]);
}
