//! Damaged chunks: whatever their bytes are, each filter returns, and keeps to its bounds.

use super::decoders::Decoders;
use super::pipeline::undo_with;
use super::testing::{Random, filter, noise};
use super::{Filter, bitshuffle, blosc, fletcher32, lz4};

/// A filter, a chunk that went through it, and the size of that chunk.
struct Chunk {
    filter: Filter,
    packed: Vec<u8>,
    size: usize,
}

/// Numbers that compress a little, with a last part that does not.
fn content(length: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..length).map(|i| (i / 9 * (i % 4)) as u8).collect();
    let end = length / 4 * 3;
    bytes[end..].copy_from_slice(&noise(1, length - end));
    bytes
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut deflate = zlib_rs::Deflate::new(6, true, 15);
    let mut out = vec![0; bytes.len() + 100];
    deflate.compress(bytes, &mut out, zlib_rs::DeflateFlush::Finish).expect("compressed");
    out.truncate(deflate.total_out() as usize);
    out
}

/// LZF and BloscLZ without search: everything as it is, and then as many repetitions.
fn lempel_ziv(bytes: &[u8], far: bool) -> Vec<u8> {
    let mut packed = Vec::new();
    for run in bytes.chunks(29) {
        packed.push(run.len() as u8 - 1);
        packed.extend(run);
    }
    packed.extend([0x41, 20, 0x20, 0, 0xe0, 40, 3, 0x80, 2]);
    if far {
        packed.extend([0xe0, 255, 7, 1, 0x3f, 255, 0, 9]);
    }
    packed.extend([1, 8, 9]);
    packed
}

fn chunks() -> Vec<Chunk> {
    let bytes = content(1100);
    let mut chunks = Vec::new();
    let mut add = |id: u16, values: &[u32], packed: Vec<u8>, size: usize| {
        let chunk = Chunk { filter: filter(id, values), packed, size };
        let mut out = Vec::new();
        let (packed, decoders) = (&chunk.packed, &mut Decoders::default());
        undo_with(&chunk.filter, packed, size, decoders, &mut out).expect("a good chunk");
        assert_eq!(out.len(), size);
        chunks.push(chunk);
    };
    add(1, &[6], zlib(&bytes), 1100);
    add(2, &[4], bytes.clone(), 1100);
    let checksum = fletcher32::checksum(&bytes).to_le_bytes();
    add(3, &[], [&bytes[..], &checksum].concat(), 1100);
    add(5, &[8, 0, 200, 1, 4, 0, 21, 3], bytes[..525].to_vec(), 800);
    for (kind, class) in [(2, 0), (0, 1)] {
        let packed = [&[13, 0, 0, 0, 8, 7][..], &[0; 15], &bytes[..325]].concat();
        let mut values = [0; 20];
        values[..9].copy_from_slice(&[kind, 2, 200, class, 4, 1, 0, 1, 5]);
        add(6, &values, packed, 800);
    }
    add(32_000, &[], lempel_ziv(&bytes, false), 1100 + 4 + 3 + 49 + 6 + 2);
    add(32_004, &[], lz4::tests::packed(&bytes, 300), 1100);
    for codec in [0, 2] {
        let values = [0, 4, 4, 64, codec];
        add(32_008, &values, bitshuffle::tests::packed(&values, 64, &bytes), 1100);
    }
    for flags in [0, 1, 4, 16, 17, 20] {
        for element in [1, 4, 24] {
            let block = if element == 24 { 240 } else { 512 };
            let chunk = |flags, pack: &dyn Fn(&[u8]) -> Vec<u8>| {
                blosc::tests::chunk(flags, element, block, &bytes, pack)
            };
            add(32_001, &[], chunk(flags, &|part| part.to_vec()), 1100);
            add(32_001, &[], chunk(flags | 1 << 5, &lz4_flex::block::compress), 1100);
            add(32_001, &[], chunk(flags | 3 << 5, &zlib), 1100);
        }
    }
    // One block of BloscLZ.
    let bytes = content(9000);
    let block = lempel_ziv(&bytes, true);
    let size = 9000 + 4 + 3 + 49 + 6 + 271 + 3 + 2;
    let mut packed = vec![2, 1, 16, 1];
    for number in [size, size, 24 + block.len(), 20, block.len()] {
        packed.extend((number as u32).to_le_bytes());
    }
    add(32_001, &[], [packed, block].concat(), size);
    #[cfg(feature = "zstd")]
    {
        let bytes = content(1100);
        let pack = |part: &[u8]| ::zstd::bulk::compress(part, 3).expect("compressed");
        add(32_015, &[3], [pack(&bytes[..700]), pack(&bytes[700..])].concat(), 1100);
        let values = [0, 4, 4, 64, 3];
        add(32_008, &values, bitshuffle::tests::packed(&values, 64, &bytes), 1100);
        add(32_001, &[], blosc::tests::chunk(1 | 4 << 5, 4, 512, &bytes, pack), 1100);
    }
    chunks
}

/// Changes one byte or a few of them: a bit, a value, or a run of bytes from elsewhere.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..[1, 1, 1, 2, 4, 16][random.below(6)] {
        // Headers are short and decide most, so they are hit as often as all the rest.
        let end = if random.below(2) == 0 { bytes.len().min(24) } else { bytes.len() };
        if end == 0 {
            return;
        }
        let at = random.below(end);
        match random.below(6) {
            0 | 1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes[at] = [0, 1, 0x1f, 0x20, 0x7f, 0x80, 0xe0, 0xff][random.below(8)],
            3 => bytes[at] = random.below(256) as u8,
            4 => {
                let from = random.below(bytes.len());
                let n = random.below(9).min(bytes.len() - at.max(from));
                bytes.copy_within(from..from + n, at);
            }
            _ => {
                let n = random.below(9).min(bytes.len() - at);
                bytes.drain(at..at + n);
            }
        }
    }
}

/// Unpacks `packed` with a bound of `most` and new buffers, and verifies that they keep to it.
fn check(filter: &Filter, packed: &[u8], most: usize) -> bool {
    let (mut out, mut decoders) = (Vec::new(), Decoders::default());
    let undone = undo_with(filter, packed, most, &mut decoders, &mut out);
    let buffers = [&out, &decoders.block, &decoders.planes].map(Vec::capacity);
    assert!(buffers.iter().all(|&capacity| capacity <= most), "{filter:?} {buffers:?}");
    assert!(undone.is_err() || out.len() <= most);
    undone.is_ok()
}

#[test]
fn every_cut_of_a_chunk_returns() {
    for Chunk { filter, packed, size } in chunks() {
        let step = 1 + packed.len() / 2000;
        for length in (0..packed.len()).step_by(step) {
            for most in [size, size + 100] {
                check(&filter, &packed[..length], most);
            }
        }
    }
}

#[test]
fn mutations_of_a_chunk_return() {
    let mut counts = [0; 2];
    for (seed, Chunk { filter, packed, size }) in chunks().into_iter().enumerate() {
        let mut random = Random::new(seed as u64 + 1);
        for _ in 0..3000 {
            let mut bytes = packed.clone();
            mutate(&mut bytes, &mut random);
            let most = [size, size + 100, 2 * size, size / 2][random.below(4)];
            counts[usize::from(check(&filter, &bytes, most))] += 1;
        }
        // The values of the filter come from the same file.
        for _ in 0..300 {
            let mut filter = filter.clone();
            if !filter.values.is_empty() {
                let at = random.below(filter.values.len());
                let value = [0, 1, 2, 3, 7, 8, 16, 255, u32::MAX - 7, u32::MAX][random.below(10)];
                filter.values[at] = value;
            }
            filter.values.truncate(random.below(filter.values.len() + 1) + random.below(9));
            check(&filter, &packed, size);
        }
    }
    assert!(counts[0] > 1000 && counts[1] > 1000, "{counts:?}");
}
