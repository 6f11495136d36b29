//! Words become the same events no matter how they are cut.

use super::decode::{Evt21Registers, WORD};
use crate::codec::Evt21Order;
use crate::formats::prophesee::testing::{self, Numbers, assert_any_way, refusal};
use crate::model::{Event, Finding, FindingCount, Report};

/// Words by their upper and lower half.
fn bytes(legacy: bool, words: &[(u32, u32)]) -> Vec<u8> {
    let word = |&(head, mask): &(u32, u32)| {
        let (first, second) = if legacy { (head, mask) } else { (mask, head) };
        [first.to_le_bytes(), second.to_le_bytes()].concat()
    };
    words.iter().flat_map(word).collect()
}

fn registers(legacy: bool) -> Evt21Registers {
    Evt21Registers::new(if legacy { Evt21Order::Legacy } else { Evt21Order::Little })
}

fn read(words: &[(u32, u32)]) -> (Vec<Event>, Report) {
    let little = testing::read(registers(false), &bytes(false, words));
    let legacy = testing::read(registers(true), &bytes(true, words));
    assert_eq!(little, legacy);
    little
}

fn head(p: u32, low: u32, x: u32, y: u32) -> u32 {
    p << 28 | low << 22 | x << 11 | y
}

#[test]
fn a_trace_worked_by_hand() {
    let words = [
        (0x8000_0003, 0xdead_beef), // the contents of the mask do not matter
        (head(1, 1, 64, 700), 0x8000_0005),
        (head(0, 2, 0, 0), 0),
        (head(0, 63, 32, 1), 1),
    ];
    let (events, report) = read(&words);
    let expected = [(193, 64, 700, 1), (193, 66, 700, 1), (193, 95, 700, 1), (255, 32, 1, 0)];
    assert_eq!(events, expected.map(|(t, x, y, p)| Event { t, x, y, p }));
    assert_eq!(report.bytes.events, 32);
    assert!(report.is_sound() && report.findings.is_empty());
}

#[test]
fn columns_beyond_eleven_bits_do_not_touch_the_time() {
    let words = [(0x8000_0000, 0), (head(1, 7, 2047, 9), u32::MAX)];
    let (events, _) = read(&words);
    let expected: Vec<_> = (2047..2047 + 32).map(|x| Event { t: 7, x, y: 9, p: 1 }).collect();
    assert_eq!(events, expected);
}

#[test]
fn what_is_no_event_is_counted_by_kind() {
    let words = [
        (head(1, 0, 3, 3), 7), // no time yet
        (0x8000_0000, 0),
        (0xa000_0001, 1), // trigger
        (0xe000_0014, 3),
        (0xf000_0000, 0),
        (0x9999_9999, 0x9999_9999),
        (0x2000_0000, 1),
        (head(1, 0, 4, 4), 1),
    ];
    let (events, report) = read(&words);
    assert_eq!(events, [Event { t: 0, x: 4, y: 4, p: 1 }]);
    for (finding, count, first_offset) in [
        (Finding::EventsBeforeTime, 3, 100),
        (Finding::Triggers, 1, 116),
        (Finding::VendorWords, 2, 124),
        (Finding::PaddingWords, 1, 140),
        (Finding::ReservedWords, 1, 148),
    ] {
        assert_eq!(
            report.findings[&finding],
            FindingCount::at_byte(count, first_offset),
            "{finding:?}"
        );
    }
    let account = report.bytes;
    assert_eq!((account.events, account.other, account.skipped), (24, 24, 16));
}

#[test]
fn a_strict_reader_stops_at_the_first_violation() {
    let words = [(0x8000_0000, 0), (0, 1), (0x7000_0000, 0)];
    let error = refusal(registers(true), &bytes(true, &words));
    assert_eq!(error.offset(), Some(26), "{error}");
    let tail = [bytes(false, &words[..2]), vec![0; 5]].concat();
    assert_eq!(refusal(registers(false), &tail).offset(), Some(26));
    let untimed = bytes(false, &[(0xa000_0000, 0), (0, 0), (0, 2)]);
    assert_eq!(refusal(registers(false), &untimed).offset(), Some(26));
}

#[test]
fn any_cut_on_any_number_of_threads_gives_the_same() {
    for seed in 1..50u32 {
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15 ^ u64::from(seed) << 20);
        let pick = |of: &[u32]| of[seed as usize % of.len()];
        let (rare, sparse) = (pick(&[0, 2, 200, 1000]), pick(&[1, 2, 9, 200, 5000]));
        let (len, mut high) = (if seed % 3 == 0 { 40 } else { 3000 }, 0);
        let words: Vec<_> = (0..len)
            .map(|_| {
                let mut head = numbers.head(&mut high, rare, sparse);
                // In most blocks there is no column that needs the slow decoding.
                if head >> 29 == 0 && numbers.below(1000) > 0 {
                    head &= !(1 << 21);
                }
                let full = u64::from(pick(&[1, 3, 8, 31]));
                let bit = |_: u32| u32::from(u64::from(numbers.below(32)) < full);
                (head, (0..32).map(bit).fold(0, |mask, bit| mask << 1 | bit))
            })
            .collect();
        let tail = vec![7; seed as usize % 11 % WORD];
        assert_any_way(registers(false), &[bytes(false, &words), tail.clone()].concat());
        assert_any_way(registers(true), &[bytes(true, &words), tail].concat());
    }
}
