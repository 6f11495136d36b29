//! All filters of a chunk, undone from the last to the first.

use std::mem;

use super::Filter;
use super::bytes::copy;
use super::decoders::Decoders;
use super::names::{
    BITSHUFFLE, BLOSC, DEFLATE, FLETCHER32, LZ4, LZF, NBIT, SCALE_OFFSET, SHUFFLE, ZSTD,
};
use super::{bitshuffle, blosc, deflate, fletcher32, lz4, lzf, nbit, scale_offset, shuffle, zstd};
use crate::error::{Error, Result};

/// Buffers and decompressors that are kept between chunks. One thread uses one.
#[derive(Default)]
pub struct Scratch {
    decoders: Decoders,
    /// What the next filter writes into; afterwards it changes places with the output.
    spare: Vec<u8>,
}

/// Undoes `filters`, which were applied in their order, on the bytes of one chunk, except those
/// whose bit is set in `mask` (bit 0 for the first filter): they were not applied to this chunk.
///
/// The unpacked chunk, which must have exactly `size` bytes, replaces the content of `out`. Besides
/// `out` and `scratch`, whose buffers stay below `size` and a sixteenth, nothing is allocated in the
/// long run.
///
/// # Errors
///
/// `Malformed` or `Truncated` if the packed bytes do not unpack to `size` bytes, `Unsupported` if
/// a filter is not read, `Limit` if there is not enough memory.
pub(crate) fn undo_all(
    filters: &[Filter],
    mask: u32,
    packed: &[u8],
    size: usize,
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
) -> Result<()> {
    let is_applied = |i: usize| mask.checked_shr(i as u32).is_none_or(|bits| bits & 1 == 0);
    let first = (0..filters.len()).find(|&i| is_applied(i));
    // The chunk is the first `length` bytes of `packed`, or of `out` once a filter has written it.
    let (mut length, mut is_out) = (packed.len(), false);
    for (i, filter) in filters.iter().enumerate().rev().filter(|&(i, _)| is_applied(i)) {
        let bytes = if is_out { &out[..length] } else { &packed[..length] };
        if filter.id == FLETCHER32 {
            // Takes its bytes away from the end; nothing needs to be copied.
            length = fletcher32::verified(bytes)?.len();
            continue;
        }
        let most = if first == Some(i) { size } else { with_slack(size) };
        undo_with(filter, bytes, most, &mut scratch.decoders, &mut scratch.spare)
            .map_err(|error| error.within(filter.label()))?;
        mem::swap(&mut scratch.spare, out);
        (length, is_out) = (out.len(), true);
    }
    if length != size {
        return Err(Error::malformed(format!(
            "a chunk unpacks to {length} bytes, but should have {size}"
        )));
    }
    if is_out {
        out.truncate(length);
        return Ok(());
    }
    copy(&packed[..length], size, out)
}

/// How long a chunk of `size` bytes may be between two filters.
///
/// What a filter cannot make shorter, it makes a little longer: Fletcher-32 by 4 bytes, scale-offset
/// by 22, Blosc by 16, deflate and LZ4 and Zstandard by less than 0.5 % and 64 bytes, bitshuffle
/// with LZ4 by less than 1 % with its own block sizes. A sixteenth and 64 KiB leave room for many of
/// them one after the other.
fn with_slack(size: usize) -> usize {
    size.saturating_add(size / 16).saturating_add(64 << 10)
}

/// Undoes one filter; see [`undo`](super::undo).
pub(super) fn undo_with(
    filter: &Filter,
    packed: &[u8],
    most: usize,
    decoders: &mut Decoders,
    out: &mut Vec<u8>,
) -> Result<()> {
    filter.check_read()?;
    let values = &filter.values;
    match filter.id {
        DEFLATE => deflate::undo(packed, most, &mut decoders.inflater, out),
        SHUFFLE => shuffle::undo(values, packed, most, out),
        FLETCHER32 => copy(fletcher32::verified(packed)?, most, out),
        NBIT => nbit::undo(values, packed, most, out),
        SCALE_OFFSET => scale_offset::undo(values, packed, most, out),
        LZF => lzf::undo(packed, most, out),
        BLOSC => blosc::undo(packed, most, decoders, out),
        LZ4 => lz4::undo(packed, most, out),
        BITSHUFFLE => bitshuffle::undo(values, packed, most, decoders, out),
        ZSTD => zstd::undo(packed, most, &mut decoders.zstd, out),
        id => Err(Error::unsupported(format!("filter {id} is not read"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::filter::shuffle::tests::shuffled;
    use crate::filter::testing::{filter, noise};

    fn checked(bytes: &[u8]) -> Vec<u8> {
        [bytes, &fletcher32::checksum(bytes).to_le_bytes()].concat()
    }

    fn undone(filters: &[Filter], mask: u32, packed: &[u8], size: usize) -> Result<Vec<u8>> {
        let mut out = vec![9; 5];
        undo_all(filters, mask, packed, size, &mut Scratch::default(), &mut out)?;
        Ok(out)
    }

    #[test]
    fn filters_are_undone_from_the_last_to_the_first() {
        let bytes = noise(1, 60);
        let filters = [filter(3, &[]), filter(2, &[4]), filter(2, &[8]), filter(3, &[])];
        let packed = checked(&shuffled(8, &shuffled(4, &checked(&bytes))));
        assert_eq!(undone(&filters, 0, &packed, 60).unwrap(), bytes);
        let error = undone(&filters, 0, &packed, 61).unwrap_err();
        assert_eq!(error.to_string(), "a chunk unpacks to 60 bytes, but should have 61");
        assert_eq!(undone(&filters, 0, &packed, 59).unwrap_err().kind(), ErrorKind::Malformed);
        assert_eq!(undone(&filters[..0], 0, &bytes, 60).unwrap(), bytes);
        assert!(undone(&filters[..0], 0, &bytes, 61).is_err());
        assert_eq!(undone(&filters[3..], 0, &checked(&bytes), 60).unwrap(), bytes);
        assert!(undone(&filters[..0], 0, &[], 0).unwrap().is_empty());
    }

    #[test]
    fn the_mask_leaves_filters_out() {
        let bytes = noise(1, 60);
        let filters = [filter(40_000, &[]), filter(2, &[4]), filter(307, &[])];
        assert_eq!(undone(&filters, 0b101, &shuffled(4, &bytes), 60).unwrap(), bytes);
        assert_eq!(undone(&filters, 0b111, &bytes, 60).unwrap(), bytes);
        assert_eq!(undone(&filters, u32::MAX, &bytes, 60).unwrap(), bytes);
        let error = undone(&filters, 0b001, &bytes, 60).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("bzip2 (307) is not read"), "{error}");
        // A mask has 32 bits; filters after the 32nd are always applied.
        let many = vec![filter(2, &[4]); 33];
        assert_eq!(undone(&many, u32::MAX, &shuffled(4, &bytes), 60).unwrap(), bytes);
    }

    #[test]
    fn chunks_between_filters_may_be_a_little_longer() {
        let bytes = noise(1, 100);
        let filters = [filter(3, &[]), filter(2, &[1])];
        assert_eq!(undone(&filters, 0, &checked(&bytes), 100).unwrap(), bytes);
        let long = vec![0; with_slack(100) + 1];
        let error = undone(&filters, 0, &long, 100).unwrap_err();
        assert!(error.to_string().contains("unpacks to more than"), "{error}");
        assert_eq!(with_slack(usize::MAX), usize::MAX);
    }

    #[test]
    fn buffers_are_used_again() {
        let bytes = noise(1, 5000);
        let filters = [filter(2, &[4]), filter(2, &[8])];
        let packed = shuffled(8, &shuffled(4, &bytes));
        let (mut scratch, mut out) = (Scratch::default(), Vec::new());
        let mut buffers = Vec::new();
        for _ in 0..4 {
            undo_all(&filters, 0, &packed, 5000, &mut scratch, &mut out).unwrap();
            assert_eq!(out, bytes);
            let mut pair = [out.as_ptr(), scratch.spare.as_ptr()];
            pair.sort();
            buffers.push(pair);
        }
        assert!(buffers.iter().all(|pair| *pair == buffers[0]));
    }
}
