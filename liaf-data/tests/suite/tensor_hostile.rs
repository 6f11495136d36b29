//! Tensor files that are damaged or lie are refused, without a panic and without much memory.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use crate::common::damage::{Random, mutate};
use liaf_data::io::{ByteSource, MapChoice};
use liaf_data::tensor::{
    Container, ElementType, LoadedFrames, Rows, TensorFile, TensorFileWriter, TensorOptions,
};
use liaf_data::{Error, ErrorKind, Limits, Result};

fn open(bytes: &[u8]) -> Result<TensorFile> {
    TensorFile::from_source(ByteSource::from_bytes(bytes), &Limits::default())
}

thread_local! {
    static FOLDER: tempfile::TempDir = tempfile::tempdir().unwrap();
}

/// Reads all that can be read: lent by memory, and copied from a file.
fn read_all(bytes: &[u8]) -> Result<usize> {
    let file = open(bytes)?;
    let path = FOLDER.with(|folder| folder.path().join("a"));
    std::fs::write(&path, bytes).unwrap();
    let source = ByteSource::open(&path, MapChoice::NEVER)?;
    let copied = TensorFile::from_source(source, &Limits::default())?;
    compare(&file, &copied)
}

/// Reads all that can be read, of one file that was opened in two ways.
fn compare(file: &TensorFile, copied: &TensorFile) -> Result<usize> {
    let mut total = 0;
    let mut outcome = Ok(());
    for name in file.names() {
        match (file.get(name), copied.get(name)) {
            (Ok(tensor), Ok(copy)) => {
                assert_eq!((tensor.shape(), tensor.bytes()), (copy.shape(), copy.bytes()));
                assert_eq!(file.info(name)?.shape, tensor.shape());
                let elements: usize = tensor.shape().iter().product();
                assert_eq!(tensor.len(), elements);
                total += tensor.bytes().len();
            }
            (Err(error), Err(other)) => {
                assert_eq!(error.kind(), other.kind());
                outcome = Err(error);
            }
            (one, other) => panic!("{name}: {one:?}, {other:?}"),
        }
    }
    let _ = file.frames();
    outcome.map(|()| total)
}

/// As [`read_all`], which takes long, for one of 13 rounds; from memory alone in the others.
fn read(bytes: &[u8], round: usize) -> Result<usize> {
    if round.is_multiple_of(13) {
        return read_all(bytes);
    }
    let file = open(bytes)?;
    compare(&file, &file)
}

/// A small file of each kind.
fn small() -> Vec<(String, Vec<u8>)> {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for (name, container, npz_deflate) in [
        ("a.npz", Container::Npz, false),
        ("deflated.npz", Container::Npz, true),
        ("a.safetensors", Container::Safetensors, false),
        ("a.npy", Container::Npy, false),
    ] {
        let path = folder.path().join(name);
        let options = TensorOptions { npz_deflate, sync: false, ..TensorOptions::default() };
        let mut file = TensorFileWriter::create(&path, container, &options).unwrap();
        file.set_provenance("made").unwrap();
        let frames = file.add("frames", ElementType::U8, Rows::Growing, &[1, 2, 3]).unwrap();
        if container != Container::Npy {
            file.write("timestamps", &[2, 2], &[0i64, 1, 2, 3]).unwrap();
            file.write("on", &[3], &[true, false, true]).unwrap();
        }
        file.append(frames, &[1u8, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]).unwrap();
        file.finish().unwrap();
        files.push((name.to_owned(), std::fs::read(path).unwrap()));
    }
    files
}

#[test]
fn every_prefix_is_refused() {
    for (name, bytes) in small() {
        read_all(&bytes).unwrap();
        for length in 0..bytes.len() {
            let error = read_all(&bytes[..length]).expect_err(&name);
            let damaged = matches!(
                error.kind(),
                ErrorKind::Truncated | ErrorKind::Malformed | ErrorKind::Empty
            );
            assert!(damaged, "{name} to {length}: {error}");
        }
        let longer = [&bytes[..], b"\0"].concat();
        assert!(read_all(&longer).is_err(), "{name} and one byte");
    }
}

#[test]
fn every_flipped_bit_gives_an_error_or_a_sound_file() {
    for (name, bytes) in small() {
        let mut refused = 0;
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            refused += usize::from(read(&bytes, bit).is_err());
        }
        assert!(refused > 100, "{name}: {refused}");
    }
}

#[test]
fn structural_damage_never_panics() {
    let files = small();
    let mut random = Random(41);
    for round in 0..4000 {
        let (_, bytes) = &files[round % files.len()];
        let (_, other) = &files[random.below(files.len())];
        let mut bytes = bytes.clone();
        for _ in 0..1 + random.below(3) {
            mutate(&mut bytes, other, &mut random);
        }
        let _ = read(&bytes, round);
    }
}

fn safetensors(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.resize(bytes.len() + data, 1);
    bytes
}

#[track_caller]
fn refused(bytes: &[u8], kind: ErrorKind, says: &str) -> Error {
    let error = read_all(bytes).expect_err("refused");
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(says), "{error}");
    error
}

#[test]
fn safetensors_headers_that_lie_are_refused() {
    use ErrorKind::{Limit, Malformed, Truncated, Unsupported};
    let one = |shape: &str, offsets: &str| {
        format!(r#""a":{{"dtype":"U16","shape":{shape},"data_offsets":{offsets}}}"#)
    };
    let two = |first: &str, second: &str| {
        let second = one("[1]", second).replace("\"a\"", "\"b\"");
        safetensors(&format!("{{{},{second}}}", one("[2]", first)), 6)
    };
    assert_eq!(read_all(&two("[0,4]", "[4,6]")).unwrap(), 6);
    assert_eq!(read_all(&two("[2,6]", "[0,2]")).unwrap(), 6);
    refused(&two("[0,4]", "[2,4]"), Malformed, "does not start where");
    refused(&two("[0,4]", "[5,7]"), Truncated, "ends inside tensor b");
    refused(
        &safetensors(&format!("{{{}}}", one("[1]", "[1,3]")), 3),
        Malformed,
        "does not start where",
    );
    refused(&safetensors(&format!("{{{}}}", one("[1]", "[0,2]")), 3), Malformed, "after the last");
    refused(&safetensors(&format!("{{{}}}", one("[1]", "[2,0]")), 2), Malformed, "not agree");
    let twice = format!("{{{},{}}}", one("[1]", "[0,2]"), one("[1]", "[2,4]"));
    refused(&safetensors(&twice, 4), Malformed, "two tensors have the name");
    for shape in ["[NaN]", "[1.0]", "[-1]", "[\"1\"]", "null", "[1e0]", "1", "[[1]]"] {
        refused(&safetensors(&format!("{{{}}}", one(shape, "[0,2]")), 2), Malformed, "header");
    }
    let huge = format!("[{0},{0}]", u64::MAX);
    refused(&safetensors(&format!("{{{}}}", one(&huge, "[0,2]")), 2), Limit, "too large");
    let none = format!("[0,{}]", u64::MAX);
    let file = safetensors(&format!("{{{}}}", one(&none, "[0,0]")), 0);
    assert_eq!(open(&file).unwrap().get("a").unwrap().len(), 0);
    let unknown = r#"{"a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}"#;
    assert_eq!(open(&safetensors(unknown, 2)).unwrap().names().count(), 1);
    refused(&safetensors(unknown, 2), Unsupported, "found BF16");
    refused(&safetensors(&unknown.replace("BF16", "u16"), 2), Unsupported, "found u16");
    let metadata = r#"{"__metadata__":{"liaf":7}}"#;
    refused(&safetensors(metadata, 0), Malformed, "header");
    refused(&safetensors("[]", 0), Malformed, "header");
    refused(&safetensors(&"[".repeat(100_000), 0), Malformed, "header");
    refused(&[0xff; 100], Limit, "header is too large");
    let bool = r#"{"a":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}}"#;
    let mut file = safetensors(bool, 2);
    assert!(open(&file).unwrap().get("a").unwrap().as_slice::<bool>().unwrap()[1]);
    file.pop();
    file.push(2);
    let file = open(&file).unwrap();
    let tensor = file.get("a").unwrap();
    assert_eq!(tensor.as_slice::<bool>().expect_err("2").kind(), Malformed);
    assert_eq!(tensor.to_vec::<bool>().expect_err("2").kind(), Malformed);
    let hdf5 =
        if cfg!(feature = "hdf5") { (Malformed, "superblock") } else { (Unsupported, "HDF5") };
    refused(b"\x89HDF\r\n\x1a\n........", hdf5.0, hdf5.1);
}

fn npy(descr: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend_from_slice(&(text.len() as u16).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    bytes.extend_from_slice(data);
    bytes
}

#[test]
fn numpy_headers_are_taken_at_their_word_or_refused() {
    use ErrorKind::{Limit, Malformed, Truncated, Unsupported};
    let data = [1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0];
    let u16s = |bytes: &[u8]| open(bytes).unwrap().get("arr_0").unwrap().to_vec::<u16>().unwrap();
    assert_eq!(u16s(&npy("'<u2'", "False", "(2, 3)", &data)), [1, 2, 3, 4, 5, 6]);
    assert_eq!(u16s(&npy("'<u2'", "True", "(2, 3)", &data)), [1, 3, 5, 2, 4, 6]);
    assert_eq!(u16s(&npy("'>u2'", "False", "(6,)", &data)), [256, 512, 768, 1024, 1280, 1536]);
    assert_eq!(u16s(&npy("'>u2'", "True", "(3, 2)", &data)), [256, 1024, 512, 1280, 768, 1536]);
    let objects = npy("'|O'", "False", "(1,)", &data);
    refused(&objects, Unsupported, "pickled Python objects");
    refused(&npy("[('x', '<u2')]", "False", "(6,)", &data), Unsupported, "records");
    refused(&npy("'<c8'", "False", "(1,)", &data[..8]), Unsupported, "<c8");
    refused(&npy("'<u2'", "False", "(7,)", &data), Truncated, "does not agree with its shape");
    refused(&npy("'<u2'", "False", "(5,)", &data), Malformed, "does not agree with its shape");
    refused(&npy("'<u2'", "False", "(-1,)", &data), Malformed, "header of the array");
    refused(&npy("'<u2'", "False", "(nan,)", &data), Malformed, "header of the array");
    let huge = format!("({0}, {0})", u64::MAX);
    refused(&npy("'<u2'", "False", &huge, &data), Limit, "too large");
    let mut long = b"\x93NUMPY\x02\x00".to_vec();
    long.extend_from_slice(&u32::MAX.to_le_bytes());
    refused(&long, Limit, "the header of the array is too large");
}

/// A member of an archive that is made by hand.
struct Member<'a> {
    name: &'a str,
    method: u16,
    data: &'a [u8],
    size: u32,
    /// Offset that the directory says, if it lies.
    offset: Option<u32>,
}

fn stored<'a>(name: &'a str, data: &'a [u8]) -> Member<'a> {
    Member { name, method: 0, data, size: data.len() as u32, offset: None }
}

fn zip(members: &[Member<'_>]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for member in members {
        let offset = bytes.len() as u32;
        let crc = crc32fast::hash(member.data);
        let mut common = Vec::new();
        for field in [20u16, 0, member.method, 0, 0x21] {
            common.extend_from_slice(&field.to_le_bytes());
        }
        for field in [crc, member.data.len() as u32, member.size] {
            common.extend_from_slice(&field.to_le_bytes());
        }
        common.extend_from_slice(&(member.name.len() as u16).to_le_bytes());
        bytes.extend_from_slice(b"PK\x03\x04");
        bytes.extend_from_slice(&common);
        bytes.extend_from_slice(&[0; 2]);
        bytes.extend_from_slice(member.name.as_bytes());
        bytes.extend_from_slice(member.data);
        directory.extend_from_slice(b"PK\x01\x02\x14\0");
        directory.extend_from_slice(&common);
        directory.extend_from_slice(&[0; 12]);
        directory.extend_from_slice(&member.offset.unwrap_or(offset).to_le_bytes());
        directory.extend_from_slice(member.name.as_bytes());
    }
    let start = bytes.len() as u32;
    bytes.extend_from_slice(&directory);
    bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    bytes.extend_from_slice(&[(members.len() as u16).to_le_bytes(); 2].concat());
    bytes.extend_from_slice(&(directory.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&start.to_le_bytes());
    bytes.extend_from_slice(&[0; 2]);
    bytes
}

#[test]
fn archives_that_lie_are_refused() {
    use ErrorKind::{Malformed, Unsupported};
    let array = npy("'|u1'", "False", "(3,)", &[1, 2, 3]);
    let objects = npy("'|O'", "False", "(1,)", b"cos\nsystem\n");
    assert_eq!(read_all(&zip(&[stored("a.npy", &array), stored("readme", b"x")])).unwrap(), 3);
    refused(&zip(&[stored("a.npy", &array), stored("a.npy", &array)]), Malformed, "the same name");
    refused(&zip(&[stored("readme", b"x")]), Unsupported, "no NumPy arrays");
    let same = Member { offset: Some(0), ..stored("b.npy", &array) };
    refused(&zip(&[stored("a.npy", &array), same]), Malformed, "overlap");
    let far = Member { offset: Some(1 << 30), ..stored("b.npy", &array) };
    refused(&zip(&[stored("a.npy", &array), far]), Malformed, "directory");
    // One array that is not read keeps nobody from the others.
    let file = zip(&[stored("a.npy", &array), stored("o.npy", &objects)]);
    refused(&file, Unsupported, "pickled Python objects");
    assert_eq!(open(&file).unwrap().get("a").unwrap().bytes(), [1, 2, 3]);
    // A text of another type is an array like any other.
    let file = open(&zip(&[stored("liaf.npy", &npy("'<i2'", "False", "(0,)", &[]))])).unwrap();
    assert_eq!((file.names().count(), file.provenance()), (1, None));
    // Stored members have one size, and deflated ones cannot have any size.
    let lie = Member { size: 1 << 30, ..stored("a.npy", &array) };
    refused(&zip(&[lie]), Malformed, "two different sizes");
    let bomb = Member { size: u32::MAX - 1, method: 8, ..stored("a.npy", &array) };
    refused(&zip(&[bomb]), Malformed, "is impossible");
    let mut damaged = zip(&[stored("a.npy", &array)]);
    let at = damaged.windows(3).position(|bytes| bytes == [1, 2, 3]).unwrap();
    damaged[at] = 9;
    refused(&damaged, Malformed, "checksum");
}

#[test]
fn a_member_inflates_within_the_limits_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zeros.npz");
    let options = TensorOptions { npz_deflate: true, sync: false, ..TensorOptions::default() };
    let mut file = TensorFileWriter::create(&path, Container::Npz, &options).unwrap();
    file.write("zeros", &[5 << 20], &vec![0u8; 5 << 20]).unwrap();
    assert!(file.finish().unwrap() < 64 << 10);
    let limits = Limits { held_bytes: 4 << 20, ..Limits::default() };
    let file = TensorFile::open(&path, &limits).unwrap();
    assert_eq!(file.info("zeros").unwrap().shape, [5 << 20]);
    let error = file.get("zeros").expect_err("refused");
    assert_eq!((error.kind(), error.path()), (ErrorKind::Limit, Some(&*path)), "{error}");
    let file = TensorFile::open(&path, &Limits::default()).unwrap();
    assert_eq!(file.get("zeros").unwrap().len(), 5 << 20);
}

#[test]
fn a_file_that_shrinks_is_an_error_and_keeps_nobody_waiting() {
    for container in [Container::Npz, Container::Safetensors, Container::Npy] {
        for map in [MapChoice::LEASED, MapChoice::NEVER] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a");
            let options = TensorOptions { sync: false, ..TensorOptions::default() };
            let mut file = TensorFileWriter::create(&path, container, &options).unwrap();
            let id = file.add("a", ElementType::U8, Rows::Growing, &[]).unwrap();
            file.append(id, &vec![7u8; 3 << 20]).unwrap();
            file.finish().unwrap();
            let source = ByteSource::open(&path, map).unwrap();
            let file = TensorFile::from_source(source, &Limits::default()).unwrap();
            let name = file.names().next().unwrap().to_owned();
            let tensor = file.get(&name).unwrap();
            let shorter = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
            shorter.set_len(1 << 20).unwrap();
            // What was read is a copy.
            assert!(tensor.bytes().iter().all(|&byte| byte == 7));
            let error = file.get(&name).expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::Truncated, "{container}: {error}");
            assert_eq!(error.path(), Some(&*path));
        }
    }
}

#[test]
#[expect(unsafe_code, reason = "nobody else writes the file")]
fn mapped_files_lend_what_is_stored_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in small() {
        let path = folder.path().join(&name);
        std::fs::write(&path, bytes).unwrap();
        // SAFETY: this test alone knows the file.
        let map = unsafe { MapChoice::always() };
        let source = ByteSource::open(&path, map).unwrap();
        let file = TensorFile::from_source(source, &Limits::default()).unwrap();
        let first = file.names().next().unwrap().to_owned();
        let twice = [(); 2].map(|()| file.get(&first).unwrap());
        assert_eq!(twice[0].as_slice::<u8>().unwrap(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        let is_lent = twice[0].bytes().as_ptr() == twice[1].bytes().as_ptr();
        assert_eq!(is_lent, name != "deflated.npz", "{name}");
    }
}

#[test]
fn frames_are_loaded_from_every_container() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in small() {
        let path = folder.path().join(&name);
        std::fs::write(&path, bytes).unwrap();
        let frames = LoadedFrames::read(&path, &Limits::default()).unwrap();
        assert_eq!((frames.len(), frames.shape().cells()), (2, 6), "{name}");
        assert_eq!(frames.cells(1..2), [7.0, 8.0, 9.0, 10.0, 11.0, 12.0]);
        let is_npy = name == "a.npy";
        assert_eq!(frames.timestamps(), if is_npy { &[][..] } else { &[[0, 1], [2, 3]] });
        assert_eq!(frames.provenance(), if is_npy { "" } else { "made" });
    }
    let path = folder.path().join("labels.npz");
    let mut file =
        TensorFileWriter::create(&path, Container::Npz, &TensorOptions::default()).unwrap();
    file.write("labels", &[1], &[1u8]).unwrap();
    file.finish().unwrap();
    let error = LoadedFrames::read(&path, &Limits::default()).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Malformed);
}
