//! Which cameras have events in a file, and the decoder of all of them in one pass.

use std::collections::BTreeMap;

use super::chips::CameraField;
use super::decode::Aedat2Decoder;
use super::layout::{Reading, Word};
use crate::codec::{Decoder, EventSink};
use crate::error::Result;
use crate::io::ByteSource;
use crate::model::{Finding, FindingCount, Report};

/// Number of places of the file that are looked at, and of bytes at each of them.
const PLACES: u64 = 16;
const LOOK: usize = 8 << 10;
/// A camera is one if at least one event of so many is of it. Fewer are more likely damage.
const RARE: u64 = 256;

/// The numbers of the cameras whose events were found, in `first` and in samples of the rest of a
/// file that can be read again; camera 0 if there were no events.
pub(crate) fn found(
    source: &ByteSource,
    start: u64,
    first: &[[u8; 8]],
    field: CameraField,
    reading: Reading,
) -> Result<Vec<u32>> {
    let mut counts = vec![0u64; field.count()];
    let mut count = |records: &[[u8; 8]]| {
        for address in records.iter().map(Word::address) {
            if address & reading.special == 0 {
                counts[field.number(address) as usize] += 1;
            }
        }
    };
    count(first);
    let looked = start + size_of_val(first) as u64;
    let rest = source.len().unwrap_or(0).saturating_sub(looked);
    if source.is_seekable() && rest > 0 {
        let mut source = source.again()?;
        let step = (rest / PLACES).max(LOOK as u64) / 8 * 8;
        for at in (0..rest).step_by(usize::try_from(step).unwrap_or(usize::MAX)) {
            count(source.read_at(looked + at, LOOK)?.as_chunks().0);
        }
    }
    let all: u64 = counts.iter().sum();
    let most = counts.iter().copied().max().unwrap_or(0);
    let is_there = |count: u64| count > 0 && (count == most || count * RARE >= all);
    let cameras: Vec<_> =
        (0..).zip(counts).filter(|&(_, count)| is_there(count)).map(|(camera, _)| camera).collect();
    Ok(if cameras.is_empty() { vec![0] } else { cameras })
}

/// Number of bytes of a block of records.
const BLOCK: usize = 64 << 10;

/// Decodes the events of all cameras in one pass. Each block of records is given to the decoder of
/// each camera in turn, so that the result does not depend on how the bytes are cut.
pub(crate) struct AllCameras {
    decoders: BTreeMap<i32, Aedat2Decoder>,
    /// The bytes of the block that is not complete yet.
    block: Vec<u8>,
    /// The report of what belongs to none of the cameras.
    common: Report,
}

impl AllCameras {
    /// A decoder for these streams.
    pub fn new(decoders: BTreeMap<i32, Aedat2Decoder>) -> Self {
        let mut all = Self { decoders, block: Vec::new(), common: Report::default() };
        all.update_common();
        all
    }

    /// Decodes the bytes of the block.
    fn flush(&mut self, sink: &mut dyn EventSink) -> Result<()> {
        let block = std::mem::take(&mut self.block);
        let result = self.each(sink, |decoder, sink| decoder.push(&block, sink));
        self.block = block;
        self.block.clear();
        result
    }

    fn each(
        &mut self,
        sink: &mut dyn EventSink,
        mut run: impl FnMut(&mut Aedat2Decoder, &mut dyn EventSink) -> Result<()>,
    ) -> Result<()> {
        let result = self.decoders.iter_mut().try_for_each(|(&stream, decoder)| {
            sink.stream(stream);
            run(decoder, sink)
        });
        self.update_common();
        result
    }

    /// Takes the events of the cameras out of the report of one of them.
    fn update_common(&mut self) {
        let mut decoders = self.decoders.values();
        let Some(first) = decoders.next() else { return };
        let mut common = first.report().clone();
        common.bytes.events = 0;
        let others: u64 = decoders.map(|decoder| decoder.report().bytes.events).sum();
        common.bytes.other = common.bytes.other.saturating_sub(others);
        if let Some(FindingCount { count, .. }) =
            common.findings.get_mut(&Finding::OtherStreamEvents)
        {
            *count = count.saturating_sub(others / 8);
            if *count == 0 {
                common.findings.remove(&Finding::OtherStreamEvents);
            }
        }
        self.common = common;
    }
}

impl Decoder for AllCameras {
    fn push(&mut self, mut bytes: &[u8], sink: &mut dyn EventSink) -> Result<()> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK - self.block.len()));
            self.block.extend_from_slice(now);
            bytes = later;
            if self.block.len() == BLOCK {
                self.flush(sink)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, sink: &mut dyn EventSink) -> Result<()> {
        self.flush(sink)?;
        self.each(sink, |decoder, sink| decoder.finish(sink))
    }

    fn report(&self) -> &Report {
        &self.common
    }

    fn stream_report(&self, stream: i32) -> Option<Report> {
        self.decoders.get(&stream).map(|decoder| decoder.report().clone())
    }

    fn reset(&mut self) {
        self.decoders.values_mut().for_each(Aedat2Decoder::reset);
        self.block.clear();
        self.update_common();
    }
}
