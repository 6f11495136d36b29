//! The set bits of a byte, from tables. The masks in words of EVT 2.1 and 3.0 are decoded byte by byte.

/// The largest number of events in one byte of a mask.
pub(crate) const LANES: usize = 8;

/// For each byte, the positions of its set bits, the lowest first; 0 in the lanes after them.
pub(crate) static POSITIONS: [[u16; LANES]; 256] = {
    let mut positions = [[0; LANES]; 256];
    let mut mask = 0;
    while mask < 256 {
        let (mut bit, mut n) = (0, 0);
        while bit < LANES {
            if mask >> bit & 1 == 1 {
                positions[mask][n] = bit as u16;
                n += 1;
            }
            bit += 1;
        }
        mask += 1;
    }
    positions
};

/// The number of set bits of each byte.
pub(crate) static ONES: [u8; 256] = {
    let mut ones = [0; 256];
    let mut mask = 0;
    while mask < 256 {
        ones[mask] = (mask as u8).count_ones() as u8;
        mask += 1;
    }
    ones
};
