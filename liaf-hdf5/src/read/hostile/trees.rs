//! Datasets whose trees of chunks, or layouts, are damaged: no chunk of them may be taken for one that was
//! never written.

use super::*;

/// Values of a chunk, and chunks.
const SIDE: u64 = 4;
const CHUNKS: u64 = 10;

/// A dataset of which chunk `i` has the value `i + 1`, all in one leaf of a B-tree of version 1 whose keys
/// `damage` may change. Each key is the index of a value, and 0, or 1 in the last key, for its bytes.
fn dataset(damage: impl FnOnce(&mut [[u64; 2]])) -> Dataset {
    let mut keys: Vec<[u64; 2]> = (0..CHUNKS).map(|i| [i * SIDE, 0]).collect();
    keys.push([(CHUNKS - 1) * SIDE, 1]);
    damage(&mut keys);
    let mut file = Builder::new();
    let mut leaf = b"TREE\x01\0".to_vec();
    leaf.extend((CHUNKS as u16).to_le_bytes());
    leaf.extend(bytes(&[NOWHERE, NOWHERE]));
    for (i, key) in keys.iter().enumerate() {
        leaf.extend(bytes(&[SIDE, key[0], key[1]]));
        if i < CHUNKS as usize {
            leaf.extend(file.put(&[i as u8 + 1; SIDE as usize]).to_le_bytes());
        }
    }
    let leaf = file.put(&leaf);
    let layout = chunked(leaf, &[SIDE as u32]);
    file.dataset(&[(1, 0, space(&[CHUNKS * SIDE])), (3, 0, U8.to_vec()), (8, 0, layout)]).0
}

/// The first value of each chunk; `None` where it cannot be read.
fn chunks(dataset: &Dataset) -> Vec<Option<u8>> {
    let mut bytes = Vec::new();
    let mut first = |i| {
        dataset.read_rows(i * SIDE..(i + 1) * SIDE, &mut bytes).ok()?;
        bytes.first().copied()
    };
    (0..CHUNKS).map(&mut first).collect()
}

#[test]
fn the_last_key_is_before_the_last_chunk() {
    let all: Vec<Option<u8>> = (1..=10).map(Some).collect();
    assert_eq!(chunks(&dataset(|_| {})), all);
    // libhdf5 does not find the last chunk either, and gives fill values.
    let damaged = dataset(|keys| keys[10] = [0, 1]);
    assert_eq!(chunks(&damaged)[..9], all[..9]);
    is_refused(damaged.read(), "not in order");
}

#[test]
fn a_key_is_within_a_value() {
    // libhdf5 does not look at the bytes of a value where there is one dimension, and finds the chunk.
    let damaged = dataset(|keys| keys[4][1] = 1 << 24);
    let mut expected: Vec<Option<u8>> = (1..=10).map(Some).collect();
    expected[4] = None;
    assert_eq!(chunks(&damaged), expected);
    is_refused(damaged.read(), "not in order");
}

#[test]
fn two_keys_have_changed_places() {
    let damaged = dataset(|keys| keys.swap(2, 7));
    let read = chunks(&damaged);
    assert!(
        read.iter().zip(1..).all(|(&value, i)| value.is_none() || value == Some(i)),
        "{read:?}"
    );
    assert!(read.iter().filter(|value| value.is_none()).count() >= 2);
    is_refused(damaged.read(), "not in order");
}

#[test]
fn a_key_is_within_a_chunk() {
    let damaged = dataset(|keys| keys[5][0] += 1);
    let read = chunks(&damaged);
    assert_eq!((read[4], read[5], read[6]), (Some(5), None, Some(7)));
    is_refused(damaged.read(), "not in order");
}

#[test]
fn a_chunk_that_was_never_written_has_fill_values() {
    // The keys from the fourth on are of chunks that are further on in the dataset, or after its end.
    let sparse = dataset(|keys| keys[3..].iter_mut().for_each(|key| key[0] += 2 * SIDE));
    let read = chunks(&sparse);
    assert_eq!(read[..6], [Some(1), Some(2), Some(3), Some(0), Some(0), Some(4)]);
}

#[test]
fn values_of_another_size_than_the_datatype_has() {
    let mut layout = chunked(NOWHERE, &[4]);
    let at = layout.len() - 4;
    layout[at..].copy_from_slice(&2u32.to_le_bytes());
    let messages = [(1, 0, space(&[40])), (3, 0, U8.to_vec()), (8, 0, layout)];
    let (dataset, _) = Builder::new().dataset(&messages);
    is_refused(dataset.read(), "values of 2 bytes in a dataset of values of 1");
}

#[test]
fn a_fill_value_of_another_size_than_the_datatype_has() {
    // Version 3 of the message, with a value of its own.
    let fill = [&[3, 0x29][..], &3u32.to_le_bytes(), &[1, 2, 3]].concat();
    let mut file = Builder::new();
    let written = file.put(&[9; 40]);
    let contiguous = |address: u64| [&[3, 1][..], &bytes(&[address, 40])].concat();
    let layouts = [chunked(NOWHERE, &[4]), contiguous(NOWHERE), contiguous(written)];
    for (i, layout) in layouts.into_iter().enumerate() {
        let mut file = Builder(file.0.clone());
        let messages =
            [(1, 0, space(&[40])), (3, 0, U8.to_vec()), (5, 0, fill.clone()), (8, 0, layout)];
        let dataset = file.header(&messages);
        let root = file.header(&[(6, 0, link("d", dataset))]);
        let dataset = file.open(root).0.unwrap().dataset("d").unwrap();
        assert_eq!(dataset.fill(), None);
        match i {
            2 => assert_eq!(dataset.read().unwrap(), [9; 40]),
            _ => drop(is_refused(dataset.read(), "a fill value of 3 bytes")),
        }
    }
}

/// A dataset of which chunk `i` has the value `i + 1`, with these places in a leaf of a B-tree of version 2.
fn in_tree2(places: [u64; 5]) -> Dataset {
    let mut file = Builder::new();
    let mut leaf = b"BTLF\0\x0a".to_vec();
    for place in places {
        leaf.extend(bytes(&[file.put(&[place as u8 + 1; 4]), place, 0]));
    }
    let leaf = file.checked(&leaf);
    let mut head = b"BTHD\0\x0a".to_vec();
    head.extend(2048u32.to_le_bytes());
    head.extend([24, 0, 0, 0, 100, 40]);
    head.extend(leaf.to_le_bytes());
    head.extend([5, 0]);
    head.extend(5u64.to_le_bytes());
    let head = file.checked(&head);
    // Two dimensions and the size of a value, in a byte each; the index, and three of its parameters.
    let mut layout = vec![4, 2, 0, 3, 1, 2, 2, 1, 5, 0, 8, 0, 0, 100, 40];
    layout.extend(head.to_le_bytes());
    file.dataset(&[(1, 0, space(&[12, 2])), (3, 0, U8.to_vec()), (8, 0, layout)]).0
}

#[test]
fn two_records_have_changed_places() {
    let mut rows = Vec::new();
    let mut first = |dataset: &Dataset, i: u64| {
        dataset.read_rows(2 * i..2 * i + 2, &mut rows).ok().and_then(|()| rows.first().copied())
    };
    let good = in_tree2([0, 1, 2, 3, 4]);
    assert_eq!([0, 1, 2, 3, 4, 5].map(|i| first(&good, i)), [1, 2, 3, 4, 5, 0].map(Some));
    let damaged = in_tree2([0, 2, 1, 3, 4]);
    let found = [0, 1, 2, 3, 4, 5].map(|i| first(&damaged, i));
    assert_eq!(found, [Some(1), Some(2), None, Some(4), Some(5), None]);
    is_refused(damaged.read(), "not in order");
}
