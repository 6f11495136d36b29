//! What is written is read back.

use std::collections::BTreeMap;
use std::io::Cursor;

use liaf_hdf5::{ChunkedDataset, DatasetId, ElementType, File, FileWriter, Filter, Limits};

/// Types of which bytes are elements.
const TYPES: [ElementType; 12] = [
    ElementType::U8,
    ElementType::U16,
    ElementType::U32,
    ElementType::U64,
    ElementType::I8,
    ElementType::I16,
    ElementType::I32,
    ElementType::I64,
    ElementType::F32,
    ElementType::F64,
    ElementType::Bool,
    ElementType::FixedText(5),
];

/// Takes numbers and bytes from the input; 0 where it ends.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    fn take(&mut self, n: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(n.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A few bytes, filled up with zeros.
    fn bytes(&mut self, n: usize) -> Vec<u8> {
        let mut bytes = self.take(n).to_vec();
        bytes.resize(n, 0);
        bytes
    }

    /// Any text, slashes and NUL included.
    fn text(&mut self) -> String {
        let n = usize::from(self.byte() % 12);
        String::from_utf8_lossy(self.take(n)).into_owned()
    }

    /// A path of one to three short names, so that many are the same.
    fn path(&mut self) -> String {
        let head = self.byte();
        let steps = (0..head % 3 + 1).map(|_| match self.byte() {
            n @ 0..240 => format!("{}", n % 20),
            _ => self.text(),
        });
        let steps: Vec<_> = steps.collect();
        format!("{}{}", if head & 128 == 0 { "" } else { "/" }, steps.join("/"))
    }

    fn shape(&mut self) -> Vec<u64> {
        (0..self.byte() % 4).map(|_| u64::from(self.byte() % 7)).collect()
    }
}

/// What the file has to hold.
#[derive(Default)]
struct Expected {
    groups: Vec<String>,
    /// Shape, and bytes, of each dataset.
    datasets: BTreeMap<String, (Vec<u64>, Vec<u8>)>,
    texts: BTreeMap<String, (Vec<u64>, Vec<String>)>,
    /// Path and name, and the bytes or the text.
    attributes: BTreeMap<(String, String), Vec<u8>>,
    notes: BTreeMap<(String, String), String>,
    growing: Vec<Growing>,
}

/// A dataset in chunks: its rows so far.
struct Growing {
    id: DatasetId,
    path: String,
    element: ElementType,
    chunk: u64,
    width: u64,
    bytes: Vec<u8>,
    rows: u64,
}

fn normal(path: &str) -> String {
    format!("/{}", path.trim_start_matches('/'))
}

/// Writes what the bytes say, and reads it.
///
/// # Panics
/// If something that was written is not read back.
pub fn round_trip(data: &[u8]) {
    let mut input = Input(data);
    let mut file = FileWriter::new(Cursor::new(Vec::new())).expect("memory takes all");
    let mut expected = Expected::default();
    for _ in 0..64 {
        if input.0.is_empty() {
            break;
        }
        step(&mut input, &mut file, &mut expected);
    }
    let (cursor, bytes) = match file.finish() {
        Ok(done) => done,
        // More attributes than fit a header.
        Err(error) => {
            assert_eq!(error.kind(), liaf_hdf5::ErrorKind::Caller, "{error}");
            return;
        }
    };
    assert_eq!(cursor.get_ref().len() as u64, bytes);
    let file = File::from_source(Box::new(cursor.into_inner()), Limits::default());
    check(&file.expect("an HDF5 file"), expected);
}

fn step(input: &mut Input<'_>, file: &mut FileWriter<Cursor<Vec<u8>>>, expected: &mut Expected) {
    let (what, path) = (input.byte(), input.path());
    let at = normal(&path);
    match what % 7 {
        0 => {
            if file.group(&path).is_ok() {
                expected.groups.push(at);
            }
        }
        1 => {
            let element = TYPES[usize::from(input.byte()) % TYPES.len()];
            let shape = input.shape();
            let size = shape.iter().product::<u64>() * u64::from(element.size());
            let bytes = input.bytes(size as usize);
            if file.raw_dataset(&path, element, &bytes, &shape).is_ok() {
                expected.datasets.insert(at, (shape, bytes));
            }
        }
        2 => {
            let shape = input.shape();
            let count = shape.iter().product::<u64>();
            let texts: Vec<_> = (0..count).map(|_| input.text()).collect();
            if file.strings(&path, &texts, &shape).is_ok() {
                expected.texts.insert(at, (shape, texts));
            }
        }
        3 => {
            let (name, bytes) = (input.text(), input.byte() % 9);
            let bytes = input.bytes(bytes.into());
            let shape = [bytes.len() as u64];
            let owner = if what & 128 == 0 { "/".to_owned() } else { path };
            if file.array_attribute(&owner, &name, &bytes, &shape).is_ok() {
                expected.attributes.insert((normal(&owner), name), bytes);
            }
        }
        4 => {
            let (name, text) = (input.text(), input.text());
            let owner = if what & 128 == 0 { "/".to_owned() } else { path };
            if file.text_attribute(&owner, &name, &text).is_ok() {
                expected.notes.insert((normal(&owner), name), text);
            }
        }
        5 => {
            let element = TYPES[usize::from(input.byte()) % TYPES.len()];
            let (chunk, width) = (u64::from(input.byte() % 9), u64::from(input.byte() % 4));
            let set = ChunkedDataset::new(element, &[0, width], &[chunk as u32, width as u32]);
            let filters = [Filter::shuffle(element.size())];
            let set = set.growing().filters(if what & 128 == 0 { &[] } else { &filters });
            if let Ok(id) = file.create_dataset(&path, set) {
                let (bytes, rows) = (Vec::new(), 0);
                let growing = Growing { id, path: at, element, chunk, width, bytes, rows };
                expected.growing.push(growing);
            }
        }
        _ => grow(input, file, &mut expected.growing),
    }
}

/// Lets one of the datasets grow, and writes the chunk of its last row.
fn grow(
    input: &mut Input<'_>,
    file: &mut FileWriter<Cursor<Vec<u8>>>,
    growing: &mut [Growing],
) {
    let which = usize::from(input.byte());
    let Some(set) = which.checked_rem(growing.len()).map(|i| &mut growing[i]) else { return };
    let rows = set.rows + u64::from(input.byte() % 40);
    let row_bytes = set.width * u64::from(set.element.size());
    if file.resize(set.id, rows).is_err() {
        return;
    }
    set.rows = rows;
    // What a chunk has after the last row comes to light when the dataset grows further.
    let whole = rows.next_multiple_of(set.chunk) * row_bytes;
    set.bytes.resize((whole as usize).max(set.bytes.len()), 0);
    let Some(last) = rows.checked_sub(1) else { return };
    let first = last / set.chunk * set.chunk;
    let chunk = input.bytes((set.chunk * row_bytes) as usize);
    // Filters that change nothing if they are left out.
    let skipped = 1;
    let wrote = file.write_chunk(set.id, &[first, 0], &chunk, skipped);
    let wrote = wrote.or_else(|_| file.write_chunk(set.id, &[first, 0], &chunk, 0));
    if wrote.is_ok() {
        let from = (first * row_bytes) as usize;
        set.bytes[from..from + chunk.len()].copy_from_slice(&chunk);
    }
}

fn check(file: &File, expected: Expected) {
    for path in &expected.groups {
        file.group(path).expect("a group that was written");
    }
    for (path, (shape, bytes)) in &expected.datasets {
        let dataset = file.dataset(path).expect("a dataset that was written");
        assert_eq!(dataset.shape(), shape);
        assert_eq!(dataset.read().expect("its bytes"), *bytes);
    }
    for (path, (shape, texts)) in &expected.texts {
        let dataset = file.dataset(path).expect("texts that were written");
        assert_eq!(dataset.shape(), shape);
        assert_eq!(dataset.texts().expect("texts"), *texts);
    }
    for set in &expected.growing {
        let dataset = file.dataset(&set.path).expect("a dataset that was written");
        assert_eq!(dataset.shape(), [set.rows, set.width]);
        let size = set.rows * set.width * u64::from(set.element.size());
        let rows = dataset.read().expect("its rows");
        assert!(rows == set.bytes[..size as usize], "{}", set.path);
    }
    let attribute = |path: &str, name: &str| {
        use liaf_hdf5::Object;
        match file.object(path).expect("an object that was written") {
            Object::Group(group) => group.attribute(name),
            Object::Dataset(dataset) => dataset.attribute(name),
            _ => unreachable!("only groups and datasets are written"),
        }
        .expect("attributes")
        .expect("an attribute that was written")
    };
    for ((path, name), bytes) in &expected.attributes {
        assert_eq!(attribute(path, name).bytes(), bytes);
    }
    for ((path, name), text) in &expected.notes {
        assert_eq!(attribute(path, name).texts().expect("a text"), [text.as_str()]);
    }
}
