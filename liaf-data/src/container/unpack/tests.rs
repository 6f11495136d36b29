//! Unpacking within the limits.

use std::io::{self, Read};

use super::{Packer, Packing};
use crate::error::{Error, ErrorKind};
use crate::io::{ByteSource, Wrapper};
use crate::limits::Limits;

/// The number of bytes that are unpacked, and the error after them.
fn unpacked(packing: Packing, packed: Vec<u8>, limits: Limits) -> (u64, Option<Error>) {
    let source = ByteSource::from_bytes(packed);
    let mut unpack = Packer { packing, limits }.unpack(source).expect("a decompressor");
    let (mut buffer, mut sum) = (vec![0; 1 << 16], 0);
    loop {
        match unpack.read(&mut buffer) {
            Ok(0) => return (sum, None),
            Ok(n) => sum += n as u64,
            Err(error) => return (sum, Some(error)),
        }
    }
}

#[test]
fn what_is_packed_better_than_any_recording_is_refused() {
    let size = 96 << 20;
    let packed = zstd::stream::encode_all(io::repeat(0).take(size), 1).unwrap();
    assert!(packed.len() < 20_000);
    let (sum, error) = unpacked(Packing::Zstd, packed.clone(), Limits::DEFAULT);
    let error = error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    assert!(error.to_string().contains("the ZSTD file contains too much"), "{error}");
    assert!((64 << 20..size).contains(&sum), "{sum}");
    let any = Limits { unpacked_ratio: u64::MAX, ..Limits::DEFAULT };
    let (sum, error) = unpacked(Packing::Zstd, packed, any);
    assert!(sum == size && error.is_none(), "{sum}");
}

#[test]
fn a_window_above_the_limit_is_refused() {
    use zstd::stream::raw::CParameter;
    let mut packer = zstd::Encoder::new(Vec::new(), 1).unwrap();
    packer.set_parameter(CParameter::WindowLog(24)).unwrap();
    io::copy(&mut io::repeat(7).take(20 << 20), &mut packer).unwrap();
    let packed = packer.finish().unwrap();
    let narrow = Limits { window_bytes: 1 << 20, ..Limits::DEFAULT };
    let (sum, error) = unpacked(Packing::Zstd, packed.clone(), narrow);
    let error = error.unwrap();
    assert!(sum == 0 && error.kind() == ErrorKind::Limit, "{error}");
    assert!(error.to_string().contains("a window of at most 1048576 bytes"), "{error}");
    assert!(unpacked(Packing::Zstd, packed, Limits::DEFAULT).1.is_none());
}

#[test]
fn what_begins_like_a_packed_file_is_told_from_others() {
    for (head, packing) in [
        (&b"\x1f\x8b\x08\0\0\0"[..], Some(Packing::Gzip)),
        (b"\x1f\x8b\x08\xe0\0\0", None),
        (b"\x1f\x8b\x07\0\0\0", None),
        (b"\x28\xb5\x2f\xfd\0", Some(Packing::Zstd)),
        (b"\x5f\x2a\x4d\x18", Some(Packing::Zstd)),
        (b"\x60\x2a\x4d\x18", None),
        (b"\xfd7zXZ\0\0", Some(Packing::Xz)),
        (b"BZh91AY&SY", Some(Packing::Bzip2)),
        (b"BZh0", None),
        (b"", None),
    ] {
        assert_eq!(Packing::of(head), packing, "{head:?}");
    }
}
