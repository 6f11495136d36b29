//! What is said if a conversion kept no event: why, instead of a file that is empty without a word.

use super::pass::Part;
use crate::error::{Error, Result};
use crate::filter::Selection;
use crate::hint::Hint;
use crate::model::{Note, Report, TimePoint, Times};
use crate::read::Recording;

/// Explains why no event was `kept`, if that is so: in a note of the report, or in an error if the choice
/// cannot have been meant.
///
/// # Errors
/// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the interval of time is before or after the whole
/// recording.
pub(super) fn check_something_kept(
    recording: &Recording,
    part: &Part,
    report: &mut Report,
    kept: u64,
) -> Result<()> {
    if kept > 0 {
        return Ok(());
    }
    let selection = &part.selection;
    let has_interval = selection.from.is_some() || selection.to.is_some();
    if has_interval && recording.is_seekable() {
        let stats = recording.survey()?;
        if stats.events > 0 {
            let error = check_interval(part, (stats.t_min, stats.t_max), stats.events, report);
            return error.map_err(|error| error.in_file_if_any(recording.path()));
        }
    }
    // What a pipe had outside the interval is counted there.
    if report.events == 0 {
        let lost = report.findings.iter().filter(|(finding, _)| finding.is_violation());
        let first = lost.min_by_key(|(_, found)| found.first_offset);
        report.note(match first {
            None => "the recording holds no events".to_owned(),
            Some((finding, found)) => format!(
                "no event could be read: {} {}",
                found.count,
                finding.name().replace('_', " ")
            ),
        });
    }
    Ok(())
}

/// An error if the interval of a selection is before or after the whole recording.
///
/// # Errors
/// As [`check_something_kept`]; if the recording cannot be read.
pub(crate) fn check_meets(recording: &mut Recording, selection: &Selection) -> Result<()> {
    let part = Part::find(recording, selection)?;
    check_something_kept(recording, &part, &mut Report::default(), 0)
}

/// An error if the interval does not meet the times of the recording, and a note otherwise.
fn check_interval(
    part: &Part,
    (first, last): (i64, i64),
    events: u64,
    report: &mut Report,
) -> Result<()> {
    let times = Times::new(part.selection.from, part.selection.to, first);
    let found = format!("{events} events from {first} to {last} µs");
    let interval = |end: i64, open: i64| if end == open { "…".into() } else { end.to_string() };
    let wanted =
        format!("{} to {}", interval(times.first, i64::MIN), interval(times.last, i64::MAX));
    if times.first <= last && times.last >= first {
        // The part may lack events for other reasons, which are counted.
        if report.events == 0 {
            report.note(Note::new(format!(
                "no event is in the chosen interval of {wanted} µs: the recording has {found}"
            )));
        }
        return Ok(());
    }
    let error = Error::caller("no event is in the chosen interval of time")
        .expected(format!("events in {wanted} µs"))
        .found(found);
    let asked = [part.asked.from, part.asked.to];
    // What was given as a time after the first event would be right on the clock, or the other way.
    let is_other_kind = asked.into_iter().flatten().any(|point| match point {
        TimePoint::Relative(us) => (first..=last).contains(&us),
        TimePoint::Absolute(us) => (0..=last.saturating_sub(first)).contains(&us),
    });
    let is_relative = asked.iter().any(|point| matches!(point, Some(TimePoint::Relative(_))));
    Err(match (is_other_kind, is_relative) {
        (true, true) => error.hint(Hint::ClockTimes),
        (true, false) => error.advice("times on the recording's clock were given: times after the first event have a unit, as in 1.5s"),
        _ => error,
    })
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;
    use crate::codec::ReadOptions;
    use crate::convert::{EventConvertOptions, convert_events, make_frames};
    use crate::error::ErrorKind;
    use crate::frames::{Frame, FrameOptions};
    use crate::write;

    const TEXT: &[u8] = b"1000 1 1 1\n1010 2 2 1\n9000 6 5 1\n";

    /// The report of frames and of an event file, or the error, of this choice of the events.
    fn both(text: &'static [u8], sensor: u16, selection: &Selection) -> [Result<Report>; 2] {
        let open = || {
            let options = ReadOptions::new().sensor(sensor, sensor);
            Recording::from_bytes(text, options).unwrap()
        };
        let frames = FrameOptions { selection: selection.clone(), ..FrameOptions::default() };
        let mut sink = |_: &Frame| Ok(());
        let framed =
            make_frames(&mut open(), &frames, &mut sink, &mut |_| ControlFlow::Continue(()));
        let target = write::target("csv").unwrap();
        let events = EventConvertOptions {
            selection: selection.clone(),
            ..EventConvertOptions::from(target)
        };
        let converted =
            convert_events(&mut open(), None, &events, &mut |_| ControlFlow::Continue(()));
        [framed.map(|framed| framed.report), converted.map(|converted| converted.report)]
    }

    fn interval(from: Option<TimePoint>, to: Option<TimePoint>) -> Selection {
        Selection { from, to, ..Selection::default() }
    }

    #[test]
    fn what_cannot_have_been_meant_is_an_error() {
        use TimePoint::{Absolute, Relative};
        for (selection, hint) in [
            (interval(Some(Relative(100_000)), None), None),
            (interval(None, Some(Absolute(1000))), None),
            // A time of the clock, taken for one after the first event, and the other way.
            (interval(Some(Relative(8500)), None), Some(Hint::ClockTimes)),
            (interval(Some(Absolute(0)), Some(Absolute(900))), None),
        ] {
            for done in both(TEXT, 8, &selection) {
                let error = done.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Caller, "{error}");
                assert!(error.to_string().contains("3 events from 1000 to 9000 µs"), "{error}");
                assert!(
                    hint.as_ref().is_none_or(|hint| error.hints() == [hint.clone()]),
                    "{error}"
                );
            }
        }
        for done in both(TEXT, 1, &Selection::default()) {
            let error = done.unwrap_err();
            let said = "found 3 that are lost, of which the first: event 0 lies outside the sensor";
            assert!(error.to_string().contains(said), "{error}");
        }
    }

    #[test]
    fn what_may_be_right_is_no_error() {
        use TimePoint::Absolute;
        let stretch = interval(Some(Absolute(2000)), Some(Absolute(3000)));
        for selection in [stretch, Selection::default().crop(3, 3, 2, 2)] {
            for done in both(TEXT, 8, &selection) {
                let report = done.unwrap();
                let says_none = |note: &Note| note.text.contains("holds no events");
                assert!(!report.notes.iter().any(says_none), "{:?}", report.notes);
            }
        }
        for done in both(b"t,x,y,p\n", 8, &interval(Some(Absolute(0)), None)) {
            let notes = done.unwrap().notes;
            assert!(notes.iter().any(|note| note.text == "the recording holds no events"));
        }
    }
}
