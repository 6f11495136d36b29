//! Errors name a byte of the file, also where what is damaged is an address far beyond its end.

use super::*;

#[test]
fn a_heap_of_names_beyond_the_end() {
    let mut file = Builder::new();
    let tree = file.put(&node(0, 0, 0, 8, 0));
    // The data of the heap are as far beyond all limits as they are large.
    let heap = file.put(&[&b"HEAP\0\0\0\0"[..], &bytes(&[1 << 60, NOWHERE, 1 << 61])].concat());
    let root = file.header(&[(0x11, 0, bytes(&[tree, heap]))]);
    let size = file.0.len() as u64;
    let error = file.open(root).0.unwrap().root().unwrap().names().unwrap_err();
    assert_eq!((error.kind(), error.offset()), (ErrorKind::Truncated, Some(size)), "{error}");
}

#[test]
fn links_that_are_not_followed() {
    let outside = b"\0other.h5\0/x\0";
    // A link to another file, and one of a kind of its own.
    for (kind, words) in [(64, "is not opened"), (200, "of type 200")] {
        let mut link = vec![1, 8, kind, 1, b'd'];
        link.extend((outside.len() as u16).to_le_bytes());
        link.extend(outside);
        let mut file = Builder::new();
        let root = file.header(&[(6, 0, link)]);
        let error = file.open(root).0.unwrap().dataset("d").unwrap_err();
        assert_eq!((error.kind(), error.offset()), (ErrorKind::Unsupported, Some(root)));
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn an_identifier_of_no_known_kind() {
    let mut file = Builder::new();
    let heap = heap(&mut file);
    let mut record = vec![0x30];
    record.resize(17 + 9, 0);
    let names = tree(&mut file, 8, &record);
    let info = [&[0, 0][..], &bytes(&[heap, names])].concat();
    let root =
        file.header(&[(2, 0, [&[0, 0][..], &bytes(&[NOWHERE; 2])].concat()), (0x15, 0, info)]);
    let root = file.open(root).0.unwrap().root().unwrap();
    let error = is_refused(root.attributes(), "of no known kind");
    // The first identifier of the leaf, which comes after the head of the heap.
    assert_eq!(error.offset(), Some(heap + 144 + 2 + 6), "{error}");
}
