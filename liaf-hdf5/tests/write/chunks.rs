//! Datasets in chunks: trees of one to three levels, several that grow at the same time, filters.

use liaf_hdf5::{ChunkedDataset, DatasetId, ElementType, ErrorKind, FileWriter, Filter};
use zlib_rs::{DeflateConfig, compress_slice};

use super::judge::{Cases, Writer, checksum, shape};

/// Bytes that look like noise, and do not.
fn pattern(bytes: usize, seed: usize) -> Vec<u8> {
    (0..bytes).map(|i| ((i + seed) * 7919 / 13) as u8).collect()
}

fn deflate(raw: &[u8]) -> Vec<u8> {
    let mut out = vec![0; raw.len() + 1024];
    let level = DeflateConfig { level: 4, ..DeflateConfig::default() };
    compress_slice(&mut out, raw, level).0.to_vec()
}

fn shuffle(raw: &[u8], element: usize) -> Vec<u8> {
    let elements = raw.len() / element;
    (0..raw.len()).map(|i| raw[i % elements * element + i / elements]).collect()
}

/// Writes rows `[T, 4]` of `u16` in chunks of one row.
fn rows(file: &mut Writer, path: &str, t: u64) -> String {
    let spec = ChunkedDataset::new(ElementType::U16, &[0, 4], &[1, 4]).growing();
    let dataset = file.create_dataset(path, spec).unwrap();
    let mut all = Vec::new();
    for row in 0..t {
        let raw = pattern(8, row as usize);
        file.resize(dataset, row + 1).unwrap();
        file.write_chunk(dataset, &[row, 0], &raw, 0).unwrap();
        all.extend(raw);
    }
    format!("/{path} uint16 {t}x4 {} infx4 1x4 {t} none", checksum(&all))
}

#[test]
fn trees_of_one_to_three_levels() {
    let mut cases = Cases::new();
    for t in [0, 1, 13, 14, 64, 65, 900, 4096, 4097, 6_000] {
        cases.add(|file| vec!["/ group 1".into(), rows(file, "data", t)]);
    }
    cases.check();
}

#[test]
fn a_tree_of_200_000_chunks() {
    let mut cases = Cases::new();
    cases.add(|file| vec!["/ group 1".into(), rows(file, "data", 200_000)]);
    cases.check();
}

/// Writes one chunk of `[T, 2, 5, 6]` of `f32` through the filters; the last one may be partial.
fn put(file: &mut Writer, dataset: DatasetId, first: u64, all: &[u8]) {
    let chunk = 16 * 2 * 5 * 6 * 4;
    let start = first as usize / 16 * chunk;
    let mut raw = all[start..all.len().min(start + chunk)].to_vec();
    raw.resize(chunk, 0);
    let offset = [first, 0, 0, 0];
    match first / 16 % 3 {
        0 => file.write_chunk(dataset, &offset, &deflate(&shuffle(&raw, 4)), 0),
        1 => file.write_chunk(dataset, &offset, &deflate(&raw), 0b01),
        _ => file.write_chunk(dataset, &offset, &raw, 0b11),
    }
    .unwrap();
}

#[test]
fn several_grow_at_once_in_any_order_and_through_filters() {
    let mut cases = Cases::new();
    for t in [1u64, 15, 16, 17, 500] {
        cases.add(|file| {
            let filters = [Filter::shuffle(4), Filter::deflate(4)];
            let spec = ChunkedDataset::new(ElementType::F32, &[0, 2, 5, 6], &[16, 2, 5, 6])
                .growing()
                .filters(&filters);
            let forward = file.create_dataset("a/forward", spec.clone()).unwrap();
            let backward = file.create_dataset("a/backward", spec.clone()).unwrap();
            let mixed = file.create_dataset("b", spec).unwrap();
            // Small numbers, so that no bytes are NaN, and all are compared.
            let all: Vec<u8> =
                (0..t as usize * 2 * 5 * 6).flat_map(|i| (i as f32 * 0.37).to_le_bytes()).collect();
            let count = t.div_ceil(16);
            file.resize(backward, t).unwrap();
            file.resize(mixed, t).unwrap();
            for i in 0..count {
                file.resize(forward, t.min(16 * (i + 1))).unwrap();
                put(file, forward, 16 * i, &all);
                put(file, backward, 16 * (count - 1 - i), &all);
                // 7 and 11 have no factor in common with the numbers of chunks here.
                put(file, mixed, 16 * ((i * 7 + 3) % count), &all);
            }
            let line = |name| {
                let (sum, filters) = (checksum(&all), "shuffle:4+deflate:4");
                format!("{name} float32 {t}x2x5x6 {sum} infx2x5x6 16x2x5x6 {count} {filters}")
            };
            vec![
                "/ group 2".into(),
                "/a group 2".into(),
                line("/a/backward"),
                line("/a/forward"),
                line("/b"),
            ]
        });
    }
    cases.check();
}

/// Chunks that divide all axes, some of them never written, and a shape that does not grow.
#[test]
fn chunks_along_all_axes() {
    let mut cases = Cases::new();
    for is_growing in [true, false] {
        cases.add(|file| {
            let sides = [7u64, 10, 9];
            let mut spec = ChunkedDataset::new(ElementType::U8, &sides, &[3, 4, 2]);
            if is_growing {
                spec = spec.growing();
            }
            let dataset = file.create_dataset("data", spec).unwrap();
            let mut all = vec![0; 7 * 10 * 9];
            let mut count = 0;
            for number in (0..3 * 3 * 5).filter(|number| number % 4 != 2) {
                let first = [number / 15 * 3, number / 5 % 3 * 4, number % 5 * 2];
                let raw = pattern(24, number);
                for (i, &byte) in raw.iter().enumerate() {
                    let at = [first[0] + i / 8, first[1] + i / 2 % 4, first[2] + i % 2];
                    if at[0] < 7 && at[1] < 10 && at[2] < 9 {
                        all[(at[0] * 10 + at[1]) * 9 + at[2]] = byte;
                    }
                }
                file.write_chunk(dataset, &first.map(|n| n as u64), &raw, 0).unwrap();
                count += 1;
            }
            let largest = if is_growing { "infx10x9" } else { "7x10x9" };
            let line = format!("{} {largest} 3x4x2 {count} none", checksum(&all));
            vec!["/ group 1".into(), format!("/data uint8 {} {line}", shape(&sides))]
        });
    }
    cases.check();
}

/// Sides of chunks that do not fit 16 bits.
#[test]
fn chunks_with_long_sides() {
    let mut cases = Cases::new();
    for side in [65_535u32, 65_536, 70_000, 1 << 20] {
        cases.add(|file| {
            let spec = ChunkedDataset::new(ElementType::U16, &[0], &[side])
                .growing()
                .filters(&[Filter::shuffle(2), Filter::deflate(4)]);
            let dataset = file.create_dataset("x", spec).unwrap();
            let rows = 2 * u64::from(side) + 5;
            let mut all = pattern(2 * 3 * side as usize, 0);
            file.resize(dataset, rows).unwrap();
            for (i, raw) in all.chunks(2 * side as usize).enumerate() {
                let packed = deflate(&shuffle(raw, 2));
                file.write_chunk(dataset, &[i as u64 * u64::from(side)], &packed, 0).unwrap();
            }
            all.truncate(2 * rows as usize);
            let sum = checksum(&all);
            let line = format!("/x uint16 {rows} {sum} inf {side} 3 shuffle:2+deflate:4");
            vec!["/ group 1".into(), line]
        });
    }
    cases.check();
}

#[test]
fn wrong_chunks_are_refused() {
    let mut file = FileWriter::new(std::io::Cursor::new(Vec::new())).unwrap();
    let spec = ChunkedDataset::new(ElementType::U8, &[0, 4], &[2, 2]);
    let fixed = file.create_dataset("fixed", spec.clone()).unwrap();
    let growing = file.create_dataset("growing", spec.clone().growing()).unwrap();
    assert!(file.create_dataset("growing", spec).is_err());
    file.resize(growing, 3).unwrap();
    file.write_chunk(growing, &[2, 2], &[1; 4], 0).unwrap();
    let length = file.length();
    let outcomes = [
        file.resize(fixed, 2),
        file.resize(growing, 2),
        file.resize(growing, u64::MAX),
        file.write_chunk(fixed, &[0, 0], &[1; 4], 0),
        file.write_chunk(growing, &[2, 2], &[1; 4], 0),
        file.write_chunk(growing, &[0, 0], &[1; 3], 0),
        file.write_chunk(growing, &[0, 0], &[1; 4], 1),
        file.write_chunk(growing, &[0, 1], &[1; 4], 0),
        file.write_chunk(growing, &[4, 0], &[1; 4], 0),
        file.write_chunk(growing, &[0], &[1; 4], 0),
        file.write_chunk(growing, &[0, 0, 0], &[1; 4], 0),
    ];
    for (i, outcome) in outcomes.into_iter().enumerate() {
        assert_eq!(outcome.expect_err("refused").kind(), ErrorKind::Caller, "call {i}");
    }
    assert_eq!(file.length(), length);
    file.write_chunk(growing, &[0, 0], &[1; 4], 0).unwrap();
}
