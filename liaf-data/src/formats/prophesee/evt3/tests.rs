//! Words become the same events no matter how they are cut.

use super::Evt3Decoder;
use super::registers::{Evt3Registers, WORD};
use crate::codec::{Decoder, EventSink, ReadOptions};
use crate::error::Result;
use crate::formats::prophesee::Met;
use crate::model::{Event, EventBatch, Finding, FindingCount, Report};

/// The events and batches that a sink received, in order.
#[derive(Debug, Default, PartialEq)]
struct Taken {
    events: Vec<Event>,
    /// Length and offset.
    batches: Vec<(usize, u64)>,
}

impl EventSink for Taken {
    fn events(&mut self, events: &mut EventBatch, offset: u64) -> Result<()> {
        self.batches.push((events.len(), offset));
        self.events.extend(events.iter());
        Ok(())
    }
}

fn bytes(words: &[u16]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn options(parallel: bool) -> ReadOptions {
    ReadOptions { parallel, ..ReadOptions::default() }
}

fn run(bytes: &[u8], chunk: usize, mut decoder: Evt3Decoder) -> (Taken, Report) {
    let mut taken = Taken::default();
    bytes.chunks(chunk).try_for_each(|part| decoder.push(part, &mut taken)).unwrap();
    decoder.finish(&mut taken).unwrap();
    (taken, decoder.report().clone())
}

fn decode_words(words: &[u16]) -> (Vec<Event>, Report) {
    let (taken, report) = run(&bytes(words), 1 << 20, Evt3Decoder::new(0, &options(false)));
    (taken.events, report)
}

fn event(t: i64, x: u16, y: u16, p: u8) -> Event {
    Event { t, x, y, p }
}

#[test]
fn a_trace_worked_by_hand() {
    let words = [
        0x8002, 0x6003, // t = 2 * 4096 + 3
        0x0807, // y = 7, from the slave
        0x2805, // x = 5, ON
        0x3010, 0x4805, 0x4000, 0x5f81, // base 16 OFF: bits 0, 2, 11; none; bits 0, 7 from 40
        0x30ff, // a base without vectors
        0x6004, 0x2005, // x = 5, OFF
    ];
    let (events, report) = decode_words(&words);
    let t = 8195;
    let expected = [(5, 1), (16, 0), (18, 0), (27, 0), (40, 0), (47, 0)];
    let mut expected: Vec<_> = expected.into_iter().map(|(x, p)| event(t, x, 7, p)).collect();
    expected.push(event(t + 1, 5, 7, 0));
    assert_eq!(events, expected);
    assert_eq!(report.bytes.events, 22);
    assert!(report.is_sound() && report.findings.is_empty());
}

#[test]
fn time_high_clears_the_low_bits_and_wraps() {
    let words = [
        0x0000, 0x6fff, 0x8fff, 0x2000, // no low bits yet
        0x6001, 0x8fff, 0x2000, // unchanged: they stay
        0x8800, 0x2000, // a step back by 2047 is one
        0x8fff, 0x87ff, 0x2000, // by 2048 it is a wrap
    ];
    let (events, report) = decode_words(&words);
    let times: Vec<_> = events.iter().map(|event| event.t).collect();
    assert_eq!(times, [0xfff << 12, (0xfff << 12) + 1, 0x800 << 12, (1 << 24) + (0x7ff << 12)]);
    assert_eq!(report.findings[&Finding::TimeWraps], FindingCount::at_byte(1, 20));
}

#[test]
fn what_has_no_time_or_no_base_is_dropped_and_counted() {
    let words = [0x2001, 0x4007, 0x8000, 0x2001, 0x0000, 0x4007, 0x5000, 0x3001, 0x4001];
    let (events, report) = decode_words(&words);
    assert_eq!(events, [event(0, 1, 0, 0)]);
    assert_eq!(report.findings[&Finding::EventsWithoutRow], FindingCount::at_byte(1, 6));
    assert_eq!(report.findings[&Finding::EventsBeforeTime], FindingCount::at_byte(4, 0));
    let baseless = report.findings[&Finding::VectorsWithoutBase];
    assert_eq!(baseless, FindingCount::at_byte(2, 10));
    assert_eq!((report.bytes.events, report.bytes.skipped), (12, 6));
}

#[test]
fn words_that_are_no_events_are_counted_by_kind() {
    let words = [0xa101, 0xe014, 0x7001, 0xf001, 0xd000, 0x9999, 0x9998, 0x1000, 0xb000, 0xc000];
    let (taken, report) = run(&bytes(&words), 3, Evt3Decoder::new(100, &options(false)));
    assert_eq!(taken.events, []);
    for (finding, count, first_offset) in [
        (Finding::Triggers, 1, 100),
        (Finding::VendorWords, 4, 102),
        (Finding::PaddingWords, 1, 110),
        (Finding::ReservedWords, 4, 112),
    ] {
        assert_eq!(report.findings[&finding], FindingCount::at_byte(count, first_offset));
    }
    assert_eq!((report.bytes.other, report.bytes.skipped, report.bytes.total()), (10, 10, 120));
}

#[test]
fn a_strict_reader_stops_at_the_first_violation() {
    let strict = ReadOptions { strict: true, ..ReadOptions::default() };
    for (words, offset) in [
        (&[0x0000, 0x8000, 0x2000, 0x9999][..], 16),
        (&[0x8000, 0xb000], 12),
        (&[0x8000, 0x2000], 12),
        (&[0x0000, 0x8000, 0x3000, 0x4001, 0x1000], 18),
        (&[0x4001, 0x8000, 0x4001], 14),
    ] {
        let mut decoder = Evt3Decoder::new(10, &strict);
        let error = decoder.push(&bytes(words), &mut EventBatch::new()).unwrap_err();
        assert_eq!(error.offset(), Some(offset), "{error}");
    }
    let mut decoder = Evt3Decoder::new(0, &strict);
    decoder.push(&[0, 0x80, 1], &mut EventBatch::new()).unwrap();
    assert_eq!(decoder.finish(&mut EventBatch::new()).unwrap_err().offset(), Some(2));
}

/// A small random number generator, so that every run tests the same words.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: u16) -> u16 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 32) % u64::from(n)) as u16
    }

    /// A word. `rare` of 1000 are of types that make no events, and `vectors` of 1000 are vectors.
    fn word(&mut self, high: &mut u16, rare: u16, vectors: u16) -> u16 {
        if self.below(1000) < rare {
            return if self.below(4) == 0 { 0x9999 } else { self.below(u16::MAX) };
        }
        if self.below(100) < vectors {
            return (3 + self.below(3)) << 12 | self.below(1 << 12);
        }
        match self.below(16) {
            0..4 => self.below(0x800),
            4..9 => 0x2000 | self.below(1 << 12),
            9..14 => 0x6000 | self.below(1 << 12),
            14 => 0x8000 | *high,
            _ => {
                // Steps on, steps back, wraps.
                let step = [0, 1, 1, 100, 0xfff, 0xf00, 2047, 2048, 2049];
                *high = high.wrapping_add(step[usize::from(self.below(9))]) & 0xfff;
                0x8000 | *high
            }
        }
    }
}

/// Streams of words in several mixtures, long and short.
fn streams() -> impl Iterator<Item = Vec<u8>> {
    let all_wraps = [0x0007, 0x8fff, 0x6123, 0x2001, 0x8000, 0x2002].repeat(300);
    let runaway = [&[0x0007, 0x8000, 0x3800][..], &[0x4801, 0x5080, 0x4000].repeat(2500)].concat();
    let random = (1..60u16).map(|seed| {
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15 ^ u64::from(seed) << 20);
        let (rare, vectors) = ([0, 2, 200, 1000][usize::from(seed % 4)], seed * 7 % 100);
        let len = if seed % 3 == 0 { 40 } else { 3000 };
        let mut high = 0;
        let words: Vec<_> = (0..len).map(|_| numbers.word(&mut high, rare, vectors)).collect();
        let mut bytes = bytes(&words);
        bytes.extend((seed % 5 == 0).then_some(7));
        bytes
    });
    [bytes(&all_wraps), bytes(&runaway)].into_iter().chain(random)
}

/// Decodes word by word, as the strict reader does.
fn plain(bytes: &[u8], header: u64) -> (Vec<Event>, Report) {
    let (mut registers, mut met) = (Evt3Registers::default(), Met::default());
    let (mut events, mut report) = (EventBatch::new(), Report::default());
    let (words, tail) = bytes.as_chunks::<WORD>();
    for (word, at) in words.iter().zip((header..).step_by(WORD)) {
        registers.take(u16::from_le_bytes(*word), at, &mut events, &mut met);
    }
    met.enter(words.len(), WORD, &mut report);
    if let (None, Some(early)) = (registers.high, report.findings.get(&Finding::EventsBeforeTime)) {
        let at = early.first_offset.unwrap();
        report.note(format!("no event has a time at byte {at}: expected a TIME_HIGH word"));
    }
    report.bytes.header = header;
    report.bytes.skipped += tail.len() as u64;
    let end = header + (bytes.len() - tail.len()) as u64;
    report.add(Finding::TruncatedTails, tail.len() as u64, end);
    (events.iter().collect(), report)
}

#[test]
fn any_cut_of_the_bytes_gives_the_same() {
    for bytes in streams() {
        let (events, report) = plain(&bytes, 33);
        assert_eq!(report.bytes.total(), 33 + bytes.len() as u64);
        for chunk in [1, 7, 4096, usize::MAX] {
            let (taken, found) = run(&bytes, chunk, Evt3Decoder::new(33, &options(false)));
            assert_eq!(taken.events, events, "in chunks of {chunk}");
            assert_eq!(found, report, "in chunks of {chunk}");
        }
    }
}

#[test]
fn threads_give_the_same_events_report_and_batches() {
    for threads in [2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        for bytes in streams() {
            let (events, report) = plain(&bytes, 33);
            for (batch, chunk) in [(1, usize::MAX), (3, 1000), (64, 4097), (500, usize::MAX)] {
                let decoder =
                    |parallel| Evt3Decoder::new(33, &options(parallel)).with_batches(batch);
                let one = run(&bytes, chunk, decoder(false));
                let many = pool.install(|| run(&bytes, chunk, decoder(true)));
                assert_eq!(one.0.events, events, "in batches of {batch}");
                assert_eq!(one.1, report, "in batches of {batch}");
                assert_eq!(many, one, "in batches of {batch} on {threads} threads");
            }
        }
    }
}
