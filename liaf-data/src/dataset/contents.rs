//! What is stored of samples: frames, the cells of frames that are not zero, or events.

use std::ops::Range;

use crate::frames::Dtype;
use crate::tensor::ElementType;

/// What is stored of each sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Contents {
    /// All cells of its frames: `frames` `[N, T, C, H, W]`.
    #[default]
    Frames,
    /// The cells of its frames that are not zero: `frame` (0 to T - 1), `c`, `y`, `x` and `count` `[M]`. Those
    /// of sample `n` are `offsets[n]..offsets[n + 1]`.
    Sparse,
    /// Its events, as they are after filters: `t` in µs, `x`, `y` and `p` `[M]`. Those of sample `n` are
    /// `offsets[n]..offsets[n + 1]`. Frames are made of them when they are used.
    Events,
}

impl Contents {
    /// The name that files store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Frames => "frames",
            Self::Sparse => "sparse",
            Self::Events => "events",
        }
    }

    /// The contents with this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Frames, Self::Sparse, Self::Events].into_iter().find(|known| known.name() == name)
    }
}

/// The tensors of which every sample has some rows. A row of all of them together is a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    columns: Vec<(&'static str, ElementType)>,
}

impl Columns {
    /// The tensors of ragged contents; none for [`Contents::Frames`].
    pub fn of(contents: Contents, dtype: Dtype) -> Self {
        let columns = match contents {
            Contents::Frames => Vec::new(),
            Contents::Sparse => vec![
                ("frame", ElementType::U32),
                ("c", ElementType::U16),
                ("y", ElementType::U16),
                ("x", ElementType::U16),
                ("count", dtype.into()),
            ],
            Contents::Events => vec![
                ("t", ElementType::I64),
                ("x", ElementType::U16),
                ("y", ElementType::U16),
                ("p", ElementType::U8),
            ],
        };
        Self { columns }
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'static str, ElementType)> {
        self.columns.iter().copied()
    }

    /// Size of a record in bytes.
    pub fn record(&self) -> usize {
        self.iter().map(|(_, element)| element.bytes()).sum()
    }

    /// The bytes within a record of each tensor.
    fn places(&self) -> impl Iterator<Item = Range<usize>> {
        self.columns.iter().scan(0, |start, (_, element)| {
            let place = *start..*start + element.bytes();
            *start = place.end;
            Some(place)
        })
    }

    /// The rows of tensor `number` from whole records.
    pub fn take(&self, number: usize, records: &[u8], rows: &mut Vec<u8>) {
        rows.clear();
        if let Some(place) = self.places().nth(number) {
            for record in records.chunks_exact(self.record()) {
                rows.extend_from_slice(&record[place.clone()]);
            }
        }
    }

    /// Records from the same rows of all tensors.
    pub fn join(&self, rows: &[&[u8]], records: &mut Vec<u8>) {
        let size = self.record();
        let sized = || rows.iter().zip(self.places());
        let n = sized().map(|(rows, place)| rows.len() / place.len()).min().unwrap_or(0);
        records.clear();
        records.resize(n * size, 0);
        for (rows, place) in sized() {
            let values = rows.chunks_exact(place.len());
            for (record, value) in records.chunks_exact_mut(size).zip(values) {
                record[place.clone()].copy_from_slice(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_taken_apart_and_joined() {
        let columns = Columns::of(Contents::Events, Dtype::U8);
        assert_eq!(columns.record(), 13);
        let records: Vec<u8> = (0..39).collect();
        let rows: Vec<Vec<u8>> = (0..4)
            .map(|number| {
                let mut rows = Vec::new();
                columns.take(number, &records, &mut rows);
                rows
            })
            .collect();
        assert_eq!(rows[1], [8, 9, 21, 22, 34, 35]);
        assert_eq!(rows[3], [12, 25, 38]);
        let rows: Vec<&[u8]> = rows.iter().map(|rows| &**rows).collect();
        let mut joined = Vec::new();
        columns.join(&rows, &mut joined);
        assert_eq!(joined, records);
        assert_eq!(Contents::named("sparse"), Some(Contents::Sparse));
        assert_eq!(Contents::named("x"), None);
    }
}
