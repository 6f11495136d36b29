//! What one types first compiles, and does what it says.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]
#![cfg(feature = "ndarray")]

use crate::common;

use std::path::PathBuf;
use std::time::Duration;

use liaf_data::frames::{Frame, FrameOptions};
use liaf_data::{Error, Event, EventBatch, EventSink, Polarity, ReadOptions, Recording, Result};
use ndarray::ArrayView3;

fn fixture(name: &str) -> PathBuf {
    common::fixtures().join("good").join(name)
}

fn recording() -> Recording {
    Recording::open(fixture("aedat4/dv_lz4.aedat4"), ReadOptions::default()).unwrap()
}

#[test]
fn events_are_iterated_over() -> Result<()> {
    let batch = recording().read_all()?;
    let mut events = Vec::new();
    for e in &batch {
        events.push(e);
    }
    let mut backward = Vec::new();
    for e in batch.iter().rev() {
        backward.push(e);
    }
    backward.reverse();
    assert_eq!(events, backward);
    assert_eq!(batch[0..3].iter().collect::<Vec<Event>>(), events[0..3]);
    let mut owned = Vec::new();
    for e in batch {
        owned.push(e);
    }
    assert_eq!(events, owned);
    let mut recording = recording();
    assert!(recording.events()?.map(Result::unwrap).eq(events.iter().copied()));
    let mut batches = EventBatch::new();
    for batch in recording.batches()? {
        batches.append(&mut batch?);
    }
    assert!(batches.into_iter().eq(events));
    Ok(())
}

#[test]
fn frames_have_a_shape_and_are_arrays() -> Result<()> {
    let mut recording = recording();
    let options = FrameOptions::every(Duration::from_millis(20)).size(32, 32);
    let mut events = 0;
    for frame in recording.frames(options)? {
        let frame: Frame = frame?;
        assert_eq!(frame.shape(), [2, 32, 32]);
        let view: ArrayView3<'_, u16> = frame.view()?;
        let sum = view.iter().map(|&n| u64::from(n)).sum::<u64>();
        assert_eq!(frame.to_f32().iter().sum::<f32>() as u64, sum);
        events += sum;
    }
    assert_eq!(events, recording.survey()?.events);
    Ok(())
}

#[test]
fn a_part_of_a_recording_is_chosen_and_written() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("x.aedat4");
    let mut recording = recording();
    let half = Duration::from_millis(30);
    let written = recording
        .between(Duration::ZERO, half)
        .crop(0, 0, 200, 200)
        .polarity(Polarity::On)
        .write(&path)?;
    let again = Recording::open(&path, ReadOptions::default())?.read_all()?;
    assert_eq!(again.len() as u64, written.events.kept);
    assert!(again.iter().all(|e| e.p == 1 && e.x < 200 && e.y < 200) && !again.is_empty());
    Ok(())
}

/// A sink whose work may fail with the error of another library.
struct Numbers(Vec<u8>);

impl EventSink for Numbers {
    fn events(&mut self, events: &mut EventBatch, _offset: u64) -> Result<()> {
        let text = std::str::from_utf8(&self.0).map_err(Error::other)?;
        assert!(events.len() > text.len());
        Ok(())
    }
}

#[test]
fn a_sink_returns_the_error_of_another_library() {
    let mut recording = recording();
    let error = recording.reader().unwrap().pump(&mut Numbers(vec![0xff])).unwrap_err();
    assert!(error.to_string().contains("utf-8"), "{error}");
    // An error reads the same in `unwrap` and in a message.
    assert_eq!(format!("{error:?}"), error.to_string());
}
#[test]
fn options_are_built() -> Result<()> {
    let options = ReadOptions::new().sensor(400, 300);
    let mut recording = Recording::open(fixture("aedat4/dv_lz4.aedat4"), options)?;
    assert_eq!(recording.find_sensor()?.to_string(), "400x300");
    assert_eq!(FrameOptions::window_ms(10), FrameOptions::every(Duration::from_millis(10)));
    Ok(())
}
