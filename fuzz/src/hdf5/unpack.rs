//! Packed bytes of a chunk, and the filters through which they are said to have gone.

use std::io::Cursor;

use liaf_hdf5::{ChunkedDataset, ElementType, File, FileWriter, Filter, Scratch};

use super::walk;

/// The numbers of filters that are read, of two that are not, and of ECF.
const IDS: [u16; 13] = [1, 2, 3, 5, 6, 32_000, 32_001, 32_004, 32_008, 32_015, 4, 40_000, 36_559];

/// Takes numbers from the input; 0 where it ends.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    fn value(&mut self) -> u32 {
        match self.byte() {
            255 => u32::from_le_bytes([self.byte(), self.byte(), self.byte(), self.byte()]),
            small => small.into(),
        }
    }
}

/// Makes a file of one chunk of the packed bytes, and unpacks it.
///
/// # Panics
/// If something does not hold.
pub fn unpack(data: &[u8]) {
    let mut numbers = Numbers(data);
    let count = match numbers.byte() {
        255 => 32,
        n => n % 4 + 1,
    };
    let filters: Vec<Filter> = (0..count)
        .map(|_| {
            let head = numbers.byte();
            let id = IDS[usize::from(head & 15) % IDS.len()];
            let values = (0..head >> 4).map(|_| numbers.value()).collect();
            Filter { id, name: None, is_optional: false, values }
        })
        .collect();
    let size = numbers.value() & 0xffff;
    let size = if size == 0 { 1 } else { size };
    let skipped = u32::from(numbers.byte()) & ((1 << count.min(31)) - 1);
    let packed = numbers.0;
    let write = || {
        let mut file = FileWriter::new(Cursor::new(Vec::new()))?;
        let set = ChunkedDataset::new(ElementType::U8, &[u64::from(size)], &[size]);
        let set = file.create_dataset("d", set.filters(&filters))?;
        file.write_chunk(set, &[0], packed, skipped)?;
        file.finish()
    };
    let Ok((cursor, _)) = write() else { return };
    let file = File::from_source(Box::new(cursor.into_inner()), walk::limits());
    let dataset = file.and_then(|file| file.dataset("d")).expect("what was written is found");
    assert_eq!(dataset.filters(), filters);
    let mut chunks = dataset.chunks().expect("a grid").expect("chunks");
    let chunk = chunks.find(&[0]).expect("an index").expect("the chunk that was written");
    assert_eq!((chunk.bytes, chunk.mask), (packed.len(), skipped));
    let mut stored = Vec::new();
    chunks.packed(&chunk, &mut stored).expect("the bytes that were written");
    assert_eq!(stored, packed);
    // The same with new buffers, and with those that have been used for something else.
    let (mut scratch, mut first, mut second) = (Scratch::default(), Vec::new(), vec![7; 300]);
    let fresh = chunks.unpack(&chunk, packed, &mut scratch, &mut first);
    let used = chunks.unpack(&chunk, packed, &mut scratch, &mut second);
    assert_eq!(fresh.is_ok(), used.is_ok());
    if fresh.is_ok() {
        assert_eq!(first.len(), size as usize);
        assert!(first == second, "buffers that were used before change what is read");
        assert_eq!(dataset.read().expect("the same chunk"), first);
    }
    let most = 4 * (size as usize + (64 << 10)) + packed.len();
    assert!(first.capacity() <= most && second.capacity() <= most);
}
