//! A file of any bytes, read whole by all that the public interface gives.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use liaf_hdf5::{
    Attribute, Buffers, Dataset, Datatype, Error, File, Limits, Object, Result, Scratch, Source,
};

/// Most objects of a file that are looked at, and how deep groups are followed.
const OBJECTS: usize = 48;
const DEPTH: usize = 6;
/// Most chunks of a dataset that are looked at one by one.
const CHUNKS: u64 = 24;

/// Limits that a small input can reach.
pub(super) fn limits() -> Limits {
    let mut limits = Limits::default().with_chunk_bytes(1 << 16).with_value_bytes(1 << 18);
    limits.metadata_bytes = 1 << 16;
    limits.members = 1 << 10;
    limits
}

/// Reads everything in a file.
///
/// # Panics
/// If something does not hold.
pub fn read(bytes: &[u8]) {
    assert!(!File::is_hdf5(bytes) || bytes.len() >= 8);
    let work = Arc::new(AtomicU64::new(0));
    let source = Counter { bytes: bytes.to_vec(), work: Arc::clone(&work) };
    let Ok(file) = File::from_source(Box::new(source), limits()) else { return };
    let look = Look { work, size: bytes.len() as u64 };
    let _ = (file.user_block(), file.missing_bytes(), file.is_open_for_writing());
    walk(&file, &mut |object| match object {
        Ok(Object::Dataset(dataset)) => look.dataset(dataset),
        Ok(Object::Group(group)) => {
            if let Ok(attributes) = look.bounded("attributes", || group.attributes()) {
                look.attributes(&attributes, |name| group.attribute(name));
            }
        }
        _ => {}
    });
}

/// Calls `found` with every dataset that can be opened.
pub fn datasets(file: &File, found: &mut dyn FnMut(&Dataset)) {
    walk(file, &mut |object| {
        if let Ok(Object::Dataset(dataset)) = object {
            found(dataset);
        }
    });
}

/// Calls `found` with the errors of all that can be read, until there is one.
pub(super) fn errors(file: &File, found: &mut dyn FnMut(&Error)) {
    walk(file, &mut |object| {
        let mut flaw = |result: Result<()>| result.unwrap_or_else(|error| found(&error));
        match object {
            Err(error) => found(error),
            Ok(Object::Group(group)) => flaw(group.attributes().map(|_| ())),
            Ok(Object::Dataset(dataset)) => {
                flaw(dataset.attributes().map(|_| ()));
                flaw(dataset.stored_bytes().map(|_| ()));
                flaw(dataset.read().map(|_| ()));
            }
            Ok(_) => {}
        }
    });
}

/// Calls `take` with the objects of a file, or the errors in their places.
fn walk(file: &File, take: &mut dyn FnMut(&Result<Object>)) {
    let mut next = vec![(file.root().map(Object::Group), DEPTH)];
    let mut count = 0;
    while let Some((object, depth)) = next.pop() {
        count += 1;
        take(&object);
        let (Ok(Object::Group(group)), true) = (&object, depth > 0 && count < OBJECTS) else {
            continue;
        };
        match group.names() {
            Ok(names) => {
                assert!(names.is_sorted());
                for name in names.iter().take(OBJECTS) {
                    assert!(group.contains(name).is_ok_and(|is_there| is_there));
                    next.push((group.object(name), depth - 1));
                }
                next.truncate(OBJECTS);
            }
            Err(error) => take(&Err(error)),
        }
    }
}

/// What is asked of each object.
struct Look {
    /// Bytes that were read so far.
    work: Arc<AtomicU64>,
    size: u64,
}

impl Look {
    /// Calls what reads; it may not read without bounds.
    fn bounded<T>(&self, what: &str, call: impl FnOnce() -> T) -> T {
        let before = self.work.load(Ordering::Relaxed);
        let result = call();
        let read = self.work.load(Ordering::Relaxed) - before;
        let most = (1 << 22) + 256 * self.size;
        assert!(read <= most, "{what} read {read} bytes of a file of {}", self.size);
        result
    }

    fn attributes(
        &self,
        attributes: &[Attribute],
        named: impl Fn(&str) -> Result<Option<Attribute>>,
    ) {
        let all: usize = attributes.iter().map(|attribute| attribute.bytes().len()).sum();
        assert!(all <= limits().value_bytes, "{all} bytes of attributes");
        for attribute in attributes.iter().take(OBJECTS) {
            let size = attribute.extent().values() as usize * attribute.datatype().size();
            assert_eq!(attribute.bytes().len(), size);
            let count = attribute.extent().values() as usize;
            numbers(attribute.datatype(), count, attribute.integers(), attribute.floats());
            if let Ok(texts) = self.bounded("texts", || attribute.texts()) {
                assert!(texts.len() == count || attribute.datatype().size() == 0);
            }
            assert!(format!("{attribute:?}").len() < 1 << 20);
            let again = self.bounded("an attribute", || named(attribute.name()));
            let again = again.expect("what can be read is found").expect("it is there");
            assert_eq!(again.name(), attribute.name());
        }
    }

    fn dataset(&self, dataset: &Dataset) {
        if let Ok(attributes) = self.bounded("attributes", || dataset.attributes()) {
            self.attributes(&attributes, |name| dataset.attribute(name));
        }
        assert!(format!("{dataset:?}").len() < 1 << 22);
        let _ = (dataset.fill(), dataset.contiguous(), dataset.is_written(), dataset.name());
        dataset.filters().iter().for_each(|filter| assert!(filter.label().len() < 400));
        let _ = self.bounded("stored_bytes", || dataset.stored_bytes());
        let whole = self.bounded("read", || dataset.read());
        if let Ok(whole) = &whole {
            let size = dataset.extent().values().saturating_mul(dataset.datatype().size() as u64);
            assert_eq!(whole.len() as u64, size);
            let count = dataset.extent().values() as usize;
            let (integers, floats) = (dataset.integers(), dataset.floats());
            numbers(dataset.datatype(), count, integers, floats);
        }
        let _ = self.bounded("texts", || dataset.texts());
        self.parts(dataset, &whole);
        self.chunks(dataset, &whole);
    }

    /// Some rows at a time are the same as all.
    fn parts(&self, dataset: &Dataset, whole: &Result<Vec<u8>>) {
        let Some(&rows) = dataset.shape().first() else {
            assert!(dataset.read_rows(0..1, &mut Vec::new()).is_err());
            return;
        };
        assert!(dataset.read_rows(0..rows.saturating_add(1), &mut Vec::new()).is_err() || rows == u64::MAX);
        let step = rows.div_ceil(4).max(1);
        let (mut joined, mut part) = (Vec::new(), Vec::new());
        let mut row = 0;
        while row < rows {
            let end = row.saturating_add(step).min(rows);
            let result = self.bounded("read_rows", || dataset.read_rows(row..end, &mut part));
            match (result, whole) {
                (Ok(()), _) => joined.extend_from_slice(&part),
                (Err(error), Ok(_)) => panic!("rows {row}..{end} of what can be read: {error}"),
                (Err(_), Err(_)) => return,
            }
            assert!(joined.len() <= limits().value_bytes * 4);
            row = end;
        }
        if let Ok(whole) = whole {
            assert!(*whole == joined, "parts are not the whole");
        }
    }

    /// Chunks one by one are as large as they are stated, and hold the same as the whole.
    fn chunks(&self, dataset: &Dataset, whole: &Result<Vec<u8>>) {
        let Ok(Some(mut chunks)) = dataset.chunks() else { return };
        let (shape, sides) = (dataset.shape().to_vec(), chunks.sides().to_vec());
        let value = dataset.datatype().size();
        let (mut packed, mut scratch, mut raw) = (Vec::new(), Scratch::default(), Vec::new());
        let mut buffers = Buffers::default();
        for i in 0..CHUNKS {
            // Along the last dimension first, as values are.
            let mut rest = i;
            let mut place = vec![0; shape.len()];
            for axis in (0..shape.len()).rev() {
                let along = shape[axis].div_ceil(sides[axis]);
                if along == 0 {
                    return;
                }
                place[axis] = rest % along;
                rest /= along;
            }
            if rest > 0 {
                return;
            }
            let Ok(Some(chunk)) = self.bounded("find", || chunks.find(&place)) else { continue };
            if chunks.packed(&chunk, &mut packed).is_err() {
                continue;
            }
            assert_eq!(packed.len(), chunk.bytes);
            let unpacked = chunks.unpack(&chunk, &packed, &mut scratch, &mut raw);
            assert!(unpacked.is_err() || raw.len() == chunks.size());
            let ranges: Vec<_> = (place.iter().zip(&sides).zip(&shape))
                .map(|((&at, &side), &all)| at * side..(at * side).saturating_add(side).min(all))
                .collect();
            let mut slab = Vec::new();
            let read = self.bounded("read_slab", || dataset.read_slab(&ranges, &mut slab));
            let is_small = slab.len() <= limits().value_bytes;
            assert!(is_small, "{} bytes", slab.len());
            assert!(read.is_ok() == unpacked.is_ok() || chunks.size() == 0, "{read:?} {unpacked:?}");
            if read.is_err() || slab.is_empty() {
                continue;
            }
            let mut again = vec![0; slab.len()];
            assert!(chunks.read_slab(&ranges, &mut buffers, &mut again).is_ok_and(|n| n == 0));
            assert_eq!(again, slab);
            // In one dimension the place of the values is plain.
            if let ([range], Ok(whole)) = (&ranges[..], whole) {
                let (from, to) = (range.start as usize * value, range.end as usize * value);
                assert_eq!(slab, whole[from..to]);
                assert_eq!(slab, raw[..slab.len()]);
            }
        }
    }
}

fn numbers(
    datatype: &Datatype,
    count: usize,
    integers: Result<Vec<i64>>,
    floats: Result<Vec<f64>>,
) {
    assert_eq!(datatype.number().is_some(), floats.is_ok());
    if let Ok(floats) = floats {
        assert_eq!(floats.len(), count);
        if let Ok(integers) = integers {
            assert!(integers.iter().zip(&floats).all(|(&i, &f)| i as f64 == f));
        }
    } else {
        assert!(integers.is_err());
    }
}

/// A file in memory that counts what is read of it.
struct Counter {
    bytes: Vec<u8>,
    work: Arc<AtomicU64>,
}

impl Source for Counter {
    fn size(&self) -> u64 {
        self.bytes.size()
    }

    fn read_at(&self, at: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.work.fetch_add(buffer.len() as u64, Ordering::Relaxed);
        self.bytes.read_at(at, buffer)
    }
}
