//! The largest x and y of a file whose header names no chip. This is faster than decoding the file.

use multiversion::multiversion;

use super::layout::{Reading, Word};
use crate::codec::BoundsFinder;
use crate::codec::record_buffer::RecordBuffer;
use crate::model::SensorSize;

/// Examines only the addresses of pixels.
#[derive(Debug)]
pub(crate) struct Bounds {
    reading: Reading,
    whole: RecordBuffer<8>,
    /// The largest row and column, as unshifted fields of an address; `None` before the first
    /// pixel.
    most: Option<(u32, u32)>,
}

impl Bounds {
    /// For coordinates as they are stored.
    pub(crate) fn new(reading: Reading) -> Self {
        Self { reading, whole: RecordBuffer::default(), most: None }
    }

    fn add(&mut self, records: &[[u8; 8]]) {
        let (x, y) = (self.reading.x, self.reading.y);
        let masks = (x.mask << x.shift, y.mask << y.shift);
        let Reading { special, camera, wanted, .. } = self.reading;
        let (any, x, y) = largest(records, special | camera, wanted, masks);
        if any {
            let most = self.most.unwrap_or((0, 0));
            self.most = Some((most.0.max(x), most.1.max(y)));
        }
    }
}

impl BoundsFinder for Bounds {
    fn push(&mut self, bytes: &[u8]) {
        let mut whole = std::mem::take(&mut self.whole);
        // Adding events to statistics never fails.
        let _ = whole.push(bytes, |records| {
            self.add(records);
            Ok(())
        });
        self.whole = whole;
    }

    fn bounds(&self) -> Option<SensorSize> {
        let (x, y) = self.most?;
        let size = |field: u32, shift: u32| (field >> shift) as u16 + 1;
        Some(SensorSize::new(size(x, self.reading.x.shift), size(y, self.reading.y.shift)))
    }
}

/// Whether any record is an event of the wanted camera, and the largest x and y fields of these. Of
/// the bits in `not_event`, the address of such a record has only those of `wanted`.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn largest(
    records: &[[u8; 8]],
    not_event: u32,
    wanted: u32,
    (x, y): (u32, u32),
) -> (bool, u32, u32) {
    records.iter().map(Word::address).fold((false, 0, 0), |(any, x_most, y_most), address| {
        let pixel = address & not_event == wanted;
        let kept = if pixel { address } else { 0 };
        (any | pixel, x_most.max(kept & x), y_most.max(kept & y))
    })
}

#[cfg(test)]
mod tests {
    use super::super::chips::cameras_of;
    use super::super::layout::Layout;
    use super::*;
    use crate::codec::{Coords, ReadOptions};

    #[test]
    fn special_words_and_cuts_do_not_matter() {
        let word = |x: u32, y: u32, bits: u32| (y << 22 | x << 12 | bits).to_be_bytes();
        let time = [0; 4];
        let words = [
            word(3, 9, 0),
            word(7, 2, 1 << 11),
            word(100, 100, 1 << 10),
            word(9, 9, 1 << 31),
            word(50, 50, 2),
        ];
        let options = ReadOptions { coords: Coords::Raw, ..ReadOptions::default() };
        let camera = cameras_of(Layout::Davis).map(|field| (field, 0));
        let reading = Reading::new(Layout::Davis, camera, &options).unwrap();
        let bytes: Vec<u8> = words.iter().flat_map(|word| [*word, time].concat()).collect();
        for step in [1, 7, 8, 100] {
            let mut bounds = Bounds::new(reading);
            assert_eq!(bounds.bounds(), None);
            bytes.chunks(step).for_each(|bytes| bounds.push(bytes));
            assert_eq!(bounds.bounds(), Some(SensorSize::new(8, 10)));
        }
    }
}
