//! Extensible arrays of chunks that hold more than they say.

use super::*;

/// Values of a chunk, and chunks.
const SIDE: u64 = 4;
const CHUNKS: u64 = 4;

/// A dataset of which chunk `i` has the value `i + 1`, all of them in the index block of an extensible array
/// that says that the entries before `set` were set.
fn dataset(set: u64) -> Dataset {
    let mut file = Builder::new();
    let chunks: Vec<u64> =
        (1..=CHUNKS).map(|value| file.put(&[value as u8; SIDE as usize])).collect();
    // The index block comes first, and names the head that comes after it.
    let pointers = [NOWHERE; 6 + 25];
    let index_bytes = 14 + 8 * (chunks.len() + pointers.len()) as u64 + 4;
    let head = file.0.len() as u64 + index_bytes;
    let index = [&b"EAIB\0\0"[..], &bytes(&[head]), &bytes(&chunks), &bytes(&pointers)].concat();
    let index = file.checked(&index);
    let mut block = b"EAHD\0\0".to_vec();
    block.extend([8, 32, CHUNKS as u8, 16, 4, 10]);
    block.extend(bytes(&[0, 0, 0, 0, set, CHUNKS, index]));
    assert_eq!(file.checked(&block), head);
    let mut layout = vec![4, 2, 0, 2, 1, SIDE as u8, 1, 4, 32, CHUNKS as u8, 4, 16, 10];
    layout.extend(head.to_le_bytes());
    let mut space = vec![2, 1, 1, 1];
    space.extend(bytes(&[CHUNKS * SIDE, u64::MAX]));
    file.dataset(&[(1, 0, space), (3, 0, U8.to_vec()), (8, 0, layout)]).0
}

#[test]
fn entries_after_the_last_one_that_was_set() {
    let values = |set: u64| {
        let dataset = dataset(set);
        let stored = dataset.stored_bytes().unwrap();
        (dataset.read().unwrap(), stored)
    };
    let chunks = |firsts: [u8; 4]| firsts.map(|first| [first; SIDE as usize]).concat();
    assert_eq!(values(CHUNKS), (chunks([1, 2, 3, 4]), CHUNKS * SIDE));
    // As libhdf5 does: what else the block holds is no chunk.
    assert_eq!(values(2), (chunks([1, 2, 0, 0]), 2 * SIDE));
    assert_eq!(values(0), (chunks([0; 4]), 0));
}
