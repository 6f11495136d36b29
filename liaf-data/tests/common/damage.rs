//! Damage that depends on a seed alone.

/// A small generator whose numbers depend on the seed alone (xorshift64*).
pub struct Random(pub u64);

impl Random {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// The next number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

/// One structural change: bytes set, deleted, inserted, doubled, exchanged, or spliced in.
pub fn mutate(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    if bytes.is_empty() {
        return;
    }
    let at = random.below(bytes.len());
    let end = bytes.len().min(at + 1 + random.below(64));
    match random.below(9) {
        0 => bytes[at..end].fill(0),
        1 => bytes[at..end].fill(0xff),
        2 => bytes[at..end].iter_mut().for_each(|byte| *byte = random.next() as u8),
        3 => drop(bytes.drain(at..end)),
        4 => {
            let copy = bytes[at..end].to_vec();
            bytes.splice(at..at, copy);
        }
        5 => {
            let to = random.below(bytes.len() - (end - at) + 1);
            let copy = bytes[at..end].to_vec();
            bytes[to..to + copy.len()].copy_from_slice(&copy);
        }
        6 => {
            let from = random.below(other.len());
            let piece = &other[from..other.len().min(from + 512)];
            bytes.splice(at..end, piece.iter().copied());
        }
        7 => bytes.truncate(at),
        _ => {
            // A length, count or offset that lies.
            let lies = [0, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX, bytes.len() as u32];
            let lie = lies[random.below(lies.len())].to_le_bytes();
            let end = bytes.len().min(at + 4);
            bytes[at..end].copy_from_slice(&lie[..end - at]);
        }
    }
}
