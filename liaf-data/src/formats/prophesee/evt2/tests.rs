//! Words become the same events no matter how they are cut.

use super::decode::{Evt2Registers, WORD};
use crate::formats::prophesee::testing::{self, Numbers, assert_any_way, refusal};
use crate::model::{Event, Finding, FindingCount, Report};

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn read(words: &[u32]) -> (Vec<Event>, Report) {
    testing::read(Evt2Registers::default(), &bytes(words))
}

fn cd(p: u32, low: u32, x: u32, y: u32) -> u32 {
    p << 28 | low << 22 | x << 11 | y
}

#[test]
fn a_trace_worked_by_hand() {
    let words = [
        0x8000_0003,
        cd(1, 0, 0, 0),
        cd(0, 63, 1279, 719),
        0x8000_0004,
        cd(1, 5, 2047, 2047),
        cd(0, 4, 1, 2), // a step back is one
    ];
    let (events, report) = read(&words);
    let expected = [(192, 0, 0, 1), (255, 1279, 719, 0), (261, 2047, 2047, 1), (260, 1, 2, 0)];
    let expected = expected.map(|(t, x, y, p)| Event { t, x, y, p });
    assert_eq!(events, expected);
    assert_eq!(report.bytes.events, 24);
    assert!(report.is_sound() && report.findings.is_empty());
}

#[test]
fn time_high_that_falls_by_more_than_half_its_range_is_a_wrap() {
    let most = 0x0fff_ffff;
    let words = [
        0x8000_0000 | most,
        cd(1, 63, 0, 0),
        0x8000_0000 | (most - (1 << 27)), // 2^33 µs: a step back
        cd(1, 0, 0, 0),
        0x8000_0000 | most,
        0x8000_0000 | (most - (1 << 27) - 1),
        cd(1, 0, 0, 0),
    ];
    let (events, report) = read(&words);
    let times: Vec<_> = events.iter().map(|event| event.t).collect();
    assert_eq!(times, [(1 << 34) - 1, (1 << 33) - 64, (1 << 34) + (1 << 33) - 128]);
    assert_eq!(report.findings[&Finding::TimeWraps], FindingCount::at_byte(1, 120));
}

#[test]
fn what_is_no_event_is_counted_by_kind() {
    let words = [
        cd(1, 0, 3, 3), // no time yet
        0x8000_0000,
        0xa000_0001, // trigger
        0xd000_0000, // IMU
        0xf000_0000,
        0xe000_0014,
        0x9999_9999,
        0x9999_9998,
        0x2000_0000,
        0xc000_0000,
        cd(1, 0, 4, 4),
    ];
    let (events, report) = read(&words);
    assert_eq!(events, [Event { t: 0, x: 4, y: 4, p: 1 }]);
    for (finding, count, first_offset) in [
        (Finding::EventsBeforeTime, 1, 100),
        (Finding::Triggers, 1, 108),
        (Finding::VendorWords, 3, 112),
        (Finding::PaddingWords, 1, 124),
        (Finding::ReservedWords, 3, 128),
    ] {
        assert_eq!(
            report.findings[&finding],
            FindingCount::at_byte(count, first_offset),
            "{finding:?}"
        );
    }
    let account = report.bytes;
    assert_eq!((account.events, account.other, account.skipped), (12, 16, 16));
}

#[test]
fn a_strict_reader_stops_at_the_first_violation() {
    for (words, tail, offset) in [
        (&[0x8000_0000, 0, 0xa000_0000, 0x9999_9999][..], 0, 22),
        (&[0x8000_0000, 0x7000_0000], 0, 14),
        (&[0x8000_0000, 0], 3, 18),
        (&[0, 0, 0x8000_0000], 1, 22),
        (&[0xa000_0000, 0, 0], 0, 14), // no time at all
    ] {
        let bytes = [bytes(words), vec![0; tail]].concat();
        let error = refusal(Evt2Registers::default(), &bytes);
        assert_eq!(error.offset(), Some(offset), "{error}");
    }
}

#[test]
fn any_cut_on_any_number_of_threads_gives_the_same() {
    let wraps = [0x8fff_ffff, 0x1000_0801, 0x8000_0000, 0x0000_0802].repeat(1500);
    assert_any_way(Evt2Registers::default(), &bytes(&wraps));
    for seed in 1..50u32 {
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15 ^ u64::from(seed) << 20);
        let (rare, sparse) =
            ([0, 2, 200, 1000][seed as usize % 4], [1, 2, 9, 200, 5000][seed as usize % 5]);
        let (len, mut high) = (if seed % 3 == 0 { 40 } else { 5000 }, 0);
        let words: Vec<_> = (0..len).map(|_| numbers.head(&mut high, rare, sparse)).collect();
        let tail = vec![7; seed as usize % 6 % WORD];
        assert_any_way(Evt2Registers::default(), &[bytes(&words), tail].concat());
    }
}
