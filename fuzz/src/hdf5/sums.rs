//! Checksums of metadata, which would stop every mutant of a newer file.

use std::sync::{Arc, Mutex};

use liaf_hdf5::{File, Source};

use super::walk;

/// Most blocks of one input whose checksums are put right.
const MOST: usize = 64;

/// Puts the checksums of all metadata that the reader meets right. The length of a block is what the
/// reader asked for last at the byte that its error names.
pub fn mend(bytes: &mut [u8]) {
    for _ in 0..MOST {
        let Some((from, length)) = wrong(bytes) else { return };
        let Some(block) = bytes.get_mut(from..).and_then(|rest| rest.get_mut(..length)) else {
            return;
        };
        let Some((content, sum)) = block.split_last_chunk_mut::<4>() else { return };
        *sum = lookup3(content).to_le_bytes();
    }
}

/// Where the first block with a wrong checksum begins, and how long it is.
fn wrong(bytes: &[u8]) -> Option<(usize, usize)> {
    let reads = Arc::new(Mutex::new(Vec::new()));
    let source = Recorder { bytes: bytes.to_vec(), reads: Arc::clone(&reads) };
    let mut found = None;
    let mut look = |error: &liaf_hdf5::Error| {
        let is_it = error.what().contains("the checksum of ");
        let at = error.offset().and_then(|at| usize::try_from(at).ok());
        if let (true, Some(at), None) = (is_it, at, found) {
            let reads = reads.lock().expect("no panic while it is held");
            let length = reads.iter().rev().find(|(from, _)| *from == at).map(|(_, n)| *n);
            // What the reader reads in one piece before it knows how long the block is.
            let length = match bytes.get(at..at + 4) {
                Some(b"\x89HDF") => Some(12 + 4 * usize::from(*bytes.get(at + 9)?) + 4),
                Some(b"FRHP") => heap(bytes, at),
                _ => length,
            };
            found = length.map(|length| (at, length));
        }
        Some(())
    };
    match File::from_source(Box::new(source), walk::limits()) {
        Ok(file) => walk::errors(&file, &mut |error| {
            look(error);
        }),
        Err(error) => {
            look(&error);
        }
    }
    found
}

/// How long the head of a fractal heap is.
fn heap(bytes: &[u8], at: usize) -> Option<usize> {
    // The sizes of addresses and of lengths are in the superblock.
    let base = [0usize, 512, 1024, 2048, 4096, 8192];
    let base = base.into_iter().find(|&at| {
        bytes.get(at..).is_some_and(|rest| rest.starts_with(b"\x89HDF\r\n\x1a\n"))
    })?;
    let sizes = if *bytes.get(base + 8)? < 2 { base + 13 } else { base + 9 };
    let (offset, length) = (usize::from(*bytes.get(sizes)?), usize::from(*bytes.get(sizes + 1)?));
    (at < bytes.len()).then_some(26 + 12 * length + 3 * offset)
}

/// A file in memory that keeps what was read of it.
struct Recorder {
    bytes: Vec<u8>,
    reads: Arc<Mutex<Vec<(usize, usize)>>>,
}

impl Source for Recorder {
    fn size(&self) -> u64 {
        self.bytes.size()
    }

    fn read_at(&self, at: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut reads = self.reads.lock().expect("no panic while it is held");
        reads.push((at as usize, buffer.len()));
        self.bytes.read_at(at, buffer)
    }
}

/// Bob Jenkins' `lookup3`, written once more so that the reader is not its own judge.
pub(super) fn lookup3(bytes: &[u8]) -> u32 {
    let mut state = [0xdead_beef_u32.wrapping_add(bytes.len() as u32); 3];
    let blocks = bytes.len().saturating_sub(1) / 12;
    let add = |state: &mut [u32; 3], block: &[u8]| {
        for (i, &byte) in block.iter().enumerate() {
            state[i / 4] = state[i / 4].wrapping_add(u32::from(byte) << (8 * (i % 4)));
        }
    };
    for block in bytes.chunks(12).take(blocks) {
        add(&mut state, block);
        for (i, turn) in [4, 6, 8, 16, 19, 4].into_iter().enumerate() {
            // Of the three words each takes the place of the next from step to step.
            let (a, c, b) = (i % 3, (i + 2) % 3, (i + 1) % 3);
            state[a] = state[a].wrapping_sub(state[c]) ^ state[c].rotate_left(turn);
            state[c] = state[c].wrapping_add(state[b]);
        }
    }
    let rest = &bytes[12 * blocks..];
    if rest.is_empty() {
        return state[2];
    }
    add(&mut state, rest);
    let steps = [(2, 1, 14), (0, 2, 11), (1, 0, 25), (2, 1, 16), (0, 2, 4), (1, 0, 14), (2, 1, 24)];
    for (to, from, turn) in steps {
        state[to] = (state[to] ^ state[from]).wrapping_sub(state[from].rotate_left(turn));
    }
    state[2]
}
