//! Small files that ask for endless work or memory: each has to be an error, after little was read.

mod arrays;
mod places;
mod trees;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::checksum::lookup3;
use super::{Dataset, File};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;
use crate::source::Source;

/// The undefined address.
const NOWHERE: u64 = u64::MAX;
/// The datatype of bytes without a sign.
const U8: [u8; 12] = [0x10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0];

/// A file under construction. It begins with a superblock of version 2.
struct Builder(Vec<u8>);

impl Builder {
    fn new() -> Self {
        Self(vec![0; 48])
    }

    /// Appends a block, and returns its address.
    fn put(&mut self, block: &[u8]) -> u64 {
        self.0.extend_from_slice(block);
        (self.0.len() - block.len()) as u64
    }

    /// The same with a checksum after it.
    fn checked(&mut self, block: &[u8]) -> u64 {
        let sum = lookup3(block).to_le_bytes();
        self.put(&[block, &sum].concat())
    }

    /// Appends an object header.
    fn header(&mut self, messages: &[(u8, u8, Vec<u8>)]) -> u64 {
        let mut block = b"OHDR\x02\x02\0\0\0\0".to_vec();
        for (kind, flags, content) in messages {
            block.push(*kind);
            block.extend((content.len() as u16).to_le_bytes());
            block.push(*flags);
            block.extend(content);
        }
        let size = (block.len() - 10) as u32;
        block[6..10].copy_from_slice(&size.to_le_bytes());
        self.checked(&block)
    }

    /// The file, whose root group has this address, and a count of the bytes that are read of it.
    fn open(mut self, root: u64) -> (Result<File>, Arc<AtomicU64>) {
        let mut superblock = b"\x89HDF\r\n\x1a\n\x02\x08\x08\0".to_vec();
        for address in [0, NOWHERE, self.0.len() as u64, root] {
            superblock.extend(address.to_le_bytes());
        }
        let sum = lookup3(&superblock).to_le_bytes();
        self.0[..44].copy_from_slice(&superblock);
        self.0[44..48].copy_from_slice(&sum);
        let read = Arc::new(AtomicU64::new(0));
        let source = Counter { bytes: self.0, read: Arc::clone(&read) };
        (File::from_source(Box::new(source), Limits::default()), read)
    }

    /// The dataset of a file that has one.
    fn dataset(mut self, messages: &[(u8, u8, Vec<u8>)]) -> (Dataset, Arc<AtomicU64>) {
        let dataset = self.header(messages);
        let root = self.header(&[(6, 0, link("d", dataset))]);
        let (file, read) = self.open(root);
        (file.unwrap().dataset("d").unwrap(), read)
    }
}

struct Counter {
    bytes: Vec<u8>,
    read: Arc<AtomicU64>,
}

impl Source for Counter {
    fn size(&self) -> u64 {
        self.bytes.size()
    }

    fn read_at(&self, at: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.read.fetch_add(buffer.len() as u64, Ordering::Relaxed);
        self.bytes.read_at(at, buffer)
    }
}

fn bytes(numbers: &[u64]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn link(name: &str, address: u64) -> Vec<u8> {
    let mut link = vec![1, 1];
    link.extend((name.len() as u16).to_le_bytes());
    link.extend(name.as_bytes());
    link.extend(address.to_le_bytes());
    link
}

/// A link to a path.
fn soft(name: &str, path: &str) -> Vec<u8> {
    let mut link = vec![1, 9, 1];
    link.extend((name.len() as u16).to_le_bytes());
    link.extend(name.as_bytes());
    link.extend((path.len() as u16).to_le_bytes());
    link.extend(path.as_bytes());
    link
}

fn space(shape: &[u64]) -> Vec<u8> {
    let mut space = vec![2, shape.len() as u8, 0, 1];
    space.extend(bytes(shape));
    space
}

/// A layout of chunks whose index is a B-tree of version 1.
fn chunked(tree: u64, sides: &[u32]) -> Vec<u8> {
    let mut layout = vec![3, 2, sides.len() as u8 + 1];
    layout.extend(tree.to_le_bytes());
    layout.extend(sides.iter().chain(&[1]).flat_map(|side| side.to_le_bytes()));
    layout
}

/// A node of a B-tree of version 1 with the same key, of a chunk of 8 bytes at the beginning, and the
/// same child again and again. The last key of a tree of chunks is a byte after that, as libhdf5 has it.
fn node(kind: u8, level: u8, count: u16, key_bytes: usize, child: u64) -> Vec<u8> {
    let mut node = b"TREE".to_vec();
    node.extend([kind, level]);
    node.extend(count.to_le_bytes());
    node.extend(bytes(&[NOWHERE, NOWHERE]));
    let mut key = vec![0; key_bytes];
    key[0] = if kind == 1 { 8 } else { 0 };
    for _ in 0..count {
        node.extend(&key);
        node.extend(child.to_le_bytes());
    }
    if kind == 1 {
        key[key_bytes - 8] = 1;
    }
    node.extend(&key);
    node
}

fn is_refused<T>(result: Result<T>, words: &str) -> Error {
    let error = result.err().expect("an error");
    assert!(matches!(error.kind(), ErrorKind::Malformed | ErrorKind::Limit), "{error}");
    assert!(error.to_string().contains(words), "{error}");
    assert!(error.offset().is_some(), "no place: {error}");
    error
}

fn few(read: &AtomicU64, most: u64) {
    let read = read.load(Ordering::Relaxed);
    assert!(read <= most, "{read} bytes were read");
}

#[test]
fn old_groups_whose_nodes_are_shared() {
    let mut file = Builder::new();
    let table = file.put(b"SNOD\x01\0\0\0");
    let mut tree = table;
    for level in 0..6 {
        tree = file.put(&node(0, level, 4000, 8, tree));
    }
    let names = file.put(&[0; 16]);
    let heap = file.put(&[&b"HEAP\0\0\0\0"[..], &bytes(&[16, NOWHERE, names])].concat());
    let size = file.0.len() as u64;
    let root = file.header(&[(0x11, 0, bytes(&[tree, heap]))]);
    let (file, read) = file.open(root);
    is_refused(file.unwrap().root().unwrap().names(), "in a circle");
    few(&read, 6 * size + (4 << 20));
}

#[test]
fn old_groups_with_one_long_name_for_all_members() {
    let mut file = Builder::new();
    let names = file.put(&[b'n'; 1 << 20]);
    let heap = file.put(&[&b"HEAP\0\0\0\0"[..], &bytes(&[1 << 20, NOWHERE, names])].concat());
    let mut table = b"SNOD\x01\0".to_vec();
    table.extend(60_000u16.to_le_bytes());
    (0..60_000).for_each(|_| table.extend(bytes(&[0, 48, 0, 0, 0])));
    let table = file.put(&table);
    let tree = file.put(&node(0, 0, 1, 8, table));
    let root = file.header(&[(0x11, 0, bytes(&[tree, heap]))]);
    let (file, _) = file.open(root);
    let error = is_refused(file.unwrap().root().unwrap().names(), "names");
    assert_eq!(error.kind(), ErrorKind::Limit);
}

/// The header of a fractal heap of huge objects, whose identifiers say where they are, and the
/// messages for attributes that a tree of such identifiers finds.
fn heap(file: &mut Builder) -> u64 {
    let mut heap = b"FRHP\0".to_vec();
    // Identifiers of 17 bytes, no filters, and objects of up to 4096 bytes in blocks.
    heap.extend([17, 0, 0, 0, 0]);
    heap.extend(4096u32.to_le_bytes());
    heap.extend(bytes(&[1, NOWHERE, 0, NOWHERE]));
    heap.extend(bytes(&[0; 8]));
    heap.extend([4, 0]);
    heap.extend(bytes(&[512, 65_536]));
    heap.extend([32, 0, 1, 0]);
    heap.extend(NOWHERE.to_le_bytes());
    heap.extend([0, 0]);
    file.checked(&heap)
}

/// A B-tree of version 2 with the same record again and again: a root, and the same leaf below it.
fn tree(file: &mut Builder, kind: u8, record: &[u8]) -> u64 {
    const LEAF: usize = 200;
    const ROOT: usize = 100;
    let mut leaf = b"BTLF\0".to_vec();
    leaf.push(kind);
    (0..LEAF).for_each(|_| leaf.extend(record));
    let leaf = file.checked(&leaf);
    let mut root = b"BTIN\0".to_vec();
    root.push(kind);
    (0..ROOT).for_each(|_| root.extend(record));
    // The number of records below has as many bytes as the largest one needs: 1 for nodes of 8 KiB
    // and records of 40 bytes, 2 where there are more.
    let width = if 8182 / record.len() > 255 { 2 } else { 1 };
    for _ in 0..=ROOT {
        root.extend(leaf.to_le_bytes());
        root.extend(&(LEAF as u16).to_le_bytes()[..width]);
    }
    let root = file.checked(&root);
    let mut head = b"BTHD\0".to_vec();
    head.push(kind);
    head.extend(8192u32.to_le_bytes());
    head.extend((record.len() as u16).to_le_bytes());
    head.extend([1, 0, 100, 40]);
    head.extend(root.to_le_bytes());
    head.extend((ROOT as u16).to_le_bytes());
    head.extend(20_300u64.to_le_bytes());
    file.checked(&head)
}

#[test]
fn attributes_that_are_all_one_large_object() {
    const VALUES: u64 = 1 << 20;
    let mut file = Builder::new();
    let mut attribute = vec![3, 0, 2, 0, 12, 0, 12, 0, 0, b'a', 0];
    attribute.extend(U8);
    attribute.extend(space(&[VALUES]));
    attribute.resize(attribute.len() + VALUES as usize, 7);
    let object = file.put(&attribute);
    let heap = heap(&mut file);
    // The identifier of a huge object, and flags, place and hash.
    let mut record = vec![0x10];
    record.extend(bytes(&[object, attribute.len() as u64]));
    record.resize(17 + 9, 0);
    let names = tree(&mut file, 8, &record);
    let info = [&[0, 0][..], &bytes(&[heap, names])].concat();
    let root =
        file.header(&[(2, 0, [&[0, 0][..], &bytes(&[NOWHERE; 2])].concat()), (0x15, 0, info)]);
    let (file, read) = file.open(root);
    let root = file.unwrap().root().unwrap();
    is_refused(root.attributes(), "");
    is_refused(root.attribute("b"), "");
    few(&read, 16 << 20);
}

#[test]
fn attributes_that_share_a_large_type() {
    let mut file = Builder::new();
    // Each part of a header is another message of free room.
    let filler: Vec<_> = (0..16).map(|_| (0, 0, vec![0; 65_000])).collect();
    let mut types = Vec::new();
    for _ in 0..4 {
        let messages = [&filler[..], &[(3, 0, U8.to_vec())]].concat();
        types.push(file.header(&messages));
    }
    let attribute = |i: usize| {
        let mut attribute = vec![3, 1, 2, 0, 10, 0, 4, 0, 0, b'a', 0, 3, 2];
        attribute.extend(types[i % types.len()].to_le_bytes());
        attribute.extend([2, 0, 0, 0, 9]);
        (0x0c, 0, attribute)
    };
    let mut messages: Vec<_> = (0..20_000).map(attribute).collect();
    messages.push((2, 0, [&[0, 0][..], &bytes(&[NOWHERE; 2])].concat()));
    let root = file.header(&messages);
    let size = file.0.len() as u64;
    let (file, read) = file.open(root);
    assert_eq!(file.unwrap().root().unwrap().attributes().unwrap().len(), 20_000);
    few(&read, 4 * size);
}

#[test]
fn paths_through_a_large_group_again_and_again() {
    let mut file = Builder::new();
    let filler: Vec<_> = (0..64).map(|_| (0, 0, vec![0; 65_000])).collect();
    let at = file.0.len() as u64;
    let path = vec!["g"; 1000].join("/");
    let links = [(6, 0, link("g", at)), (6, 0, soft("s", &format!("{path}/s")))];
    let group = file.header(&[&filler[..], &links].concat());
    assert_eq!(group, at);
    let size = file.0.len() as u64;
    let (file, read) = file.open(group);
    is_refused(file.unwrap().object("s"), "in a circle");
    few(&read, 30 * size);
}

#[test]
fn chunks_that_are_missing_in_a_large_index() {
    let mut file = Builder::new();
    let at = file.put(&[1; 8]);
    // All keys but the first are those of chunks far beyond the end of the dataset.
    let far = |mut node: Vec<u8>| {
        for i in 1..=4000 {
            node[24 + 32 * i + 8..][..8].copy_from_slice(&((i as u64) << 30).to_le_bytes());
        }
        node
    };
    let leaf = file.put(&far(node(1, 0, 4000, 24, at)));
    let inner = file.put(&far(node(1, 1, 4000, 24, leaf)));
    let size = file.0.len() as u64;
    let (dataset, read) = file.dataset(&[
        (1, 0, space(&[1 << 20])),
        (3, 0, U8.to_vec()),
        (8, 0, chunked(inner, &[8])),
    ]);
    // The first chunk is there; 131,071 are not.
    let values = dataset.read().unwrap();
    assert!(values[..8] == [1; 8] && values[8..].iter().all(|&value| value == 0));
    few(&read, 3 * size);
    is_refused(dataset.stored_bytes(), "in a circle");
}

#[test]
fn chunks_that_are_mostly_outside() {
    let mut file = Builder::new();
    let at = file.put(&[1; 8]);
    let leaf = file.put(&node(1, 0, 1, 32, at));
    let mut wide = space(&[1 << 20, 1]);
    // It may grow without end.
    wide[2] = 1;
    wide.extend(bytes(&[NOWHERE; 2]));
    let (dataset, _) =
        file.dataset(&[(1, 0, wide), (3, 0, U8.to_vec()), (8, 0, chunked(leaf, &[1, 1 << 20]))]);
    is_refused(dataset.read(), "times as large");
}

#[test]
fn texts_need_memory_even_if_they_are_short() {
    let text = vec![0x13, 0, 0, 0, 1, 0, 0, 0];
    let (dataset, _) = Builder::new().dataset(&[
        (1, 0, space(&[1 << 28])),
        (3, 0, text),
        (8, 0, [&[3, 1][..], &bytes(&[NOWHERE, 0])].concat()),
    ]);
    is_refused(dataset.texts(), "more memory than is allowed");
    let (dataset, _) = Builder::new().dataset(&[
        (1, 0, space(&[1 << 28])),
        (3, 0, U8.to_vec()),
        (8, 0, [&[3, 1][..], &bytes(&[NOWHERE, 0])].concat()),
    ]);
    is_refused(dataset.integers(), "too large");
    is_refused(dataset.floats(), "too large");
}

#[test]
fn texts_in_two_large_heaps_in_turn() {
    const HEAP: usize = 10 << 20;
    const TEXTS: usize = 20_000;
    let mut file = Builder::new();
    let mut heaps = Vec::new();
    for _ in 0..2 {
        let mut heap = b"GCOL\x01\0\0\0".to_vec();
        heap.extend((HEAP as u64).to_le_bytes());
        heap.extend([1, 0, 1, 0, 0, 0, 0, 0]);
        heap.extend(1u64.to_le_bytes());
        heap.extend(b"t\0\0\0\0\0\0\0");
        heap.resize(HEAP, 0);
        heaps.push(file.put(&heap));
    }
    let mut references = Vec::new();
    for i in 0..TEXTS {
        references.extend(1u32.to_le_bytes());
        references.extend(heaps[i % 2].to_le_bytes());
        references.extend(1u32.to_le_bytes());
    }
    let values = file.put(&references);
    let size = file.0.len() as u64;
    let text = [&[0x19, 1, 1, 0, 16, 0, 0, 0][..], &U8].concat();
    let (dataset, read) = file.dataset(&[
        (1, 0, space(&[TEXTS as u64])),
        (3, 0, text),
        (8, 0, [&[3, 1][..], &bytes(&[values, references.len() as u64])].concat()),
    ]);
    is_refused(dataset.texts(), "in a circle");
    few(&read, 70 * size);
}

#[test]
fn chunks_of_a_dataset_stay_unpacked() {
    use super::Buffers;
    let mut file = Builder::new();
    let chunk = file.put(&[3; 100_000]);
    let mut leaf = node(1, 0, 1, 24, chunk);
    leaf[24..28].copy_from_slice(&100_000u32.to_le_bytes());
    let leaf = file.put(&leaf);
    let (dataset, read) = file.dataset(&[
        (1, 0, space(&[100_000])),
        (3, 0, U8.to_vec()),
        (8, 0, chunked(leaf, &[100_000])),
    ]);
    let mut chunks = dataset.chunks().unwrap().unwrap();
    let (mut buffers, mut value) = (Buffers::default(), [0; 1]);
    for i in 0..1000 {
        value[0] = 0;
        let range = i..i + 1;
        chunks.read_slab(std::slice::from_ref(&range), &mut buffers, &mut value).unwrap();
        assert_eq!(value, [3]);
    }
    few(&read, 200_000);
}

#[test]
fn chunks_that_are_all_at_one_place() {
    let mut file = Builder::new();
    let chunk = file.put(&[3; 10_000]);
    let mut leaf = node(1, 0, 100, 24, chunk);
    leaf[32 + 32 * 100..][..8].copy_from_slice(&990_000u64.to_le_bytes());
    for i in 0..100 {
        leaf[24 + 32 * i..][..4].copy_from_slice(&10_000u32.to_le_bytes());
        leaf[32 + 32 * i..][..8].copy_from_slice(&(10_000 * i as u64).to_le_bytes());
    }
    let leaf = file.put(&leaf);
    let messages = |shape: u64| {
        let layout = chunked(leaf, &[10_000]);
        [(1, 0, space(&[shape])), (3, 0, U8.to_vec()), (8, 0, layout)]
    };
    let (dataset, _) = file.dataset(&messages(1_000_000));
    assert!(dataset.read().unwrap() == [3; 1_000_000]);
    let chunks = dataset.chunks().unwrap().unwrap();
    is_refused(chunks.check_overlap(), "lie over one another");
}
