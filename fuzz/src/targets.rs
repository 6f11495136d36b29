//! The targets by name: what each is asked, and behind which header.

use super::{chunking, decode, ecf, packed, round_trip, tensors};
#[cfg(feature = "hdf5")]
use super::{decode_hdf5, hdf5};

/// Name, the format if nothing in the file tells it, and a sound header, of each format that is read.
static FORMATS: &[(&str, Option<&str>, &[u8])] = &[
    ("aedat1", Some("AEDAT 1.0"), include_bytes!("../../fixtures/good/aedat1/header_only.aedat")),
    ("aedat2", None, include_bytes!("../../fixtures/good/aedat2/header_only.aedat")),
    ("aedat3", None, include_bytes!("../../fixtures/good/aedat3/header_only.aedat")),
    ("aedat4", None, include_bytes!("../../fixtures/good/aedat4/header_only.aedat4")),
    ("atis_bin", Some("ATIS bin"), b""),
    ("csv", Some("CSV"), b""),
    ("dat", None, include_bytes!("../../fixtures/good/dat/header_only.dat")),
    ("es", None, include_bytes!("../../fixtures/good/event_stream/header_only.es")),
    ("evt2", None, include_bytes!("../../fixtures/good/evt2/header_only.raw")),
    ("evt21", None, b"% evt 2.1\n% end\n"),
    ("evt3", None, include_bytes!("../../fixtures/good/evt3/header_only.raw")),
    ("mat", None, MAT.first_chunk::<128>().unwrap()),
    ("mcap", None, b"\x89MCAP0\r\n"),
    ("npy", None, b"\x93NUMPY\x01\x00"),
    ("npz", None, b"PK\x03\x04"),
    ("rosbag", None, b"#ROSBAG V2.0\n"),
];
const MAT: &[u8] = include_bytes!("../../fixtures/good/mat/one_event.mat");

/// Asks what the target of this name asks.
///
/// # Panics
/// If something does not hold; if there is no such target.
pub fn run(target: &str, data: &[u8]) {
    let (question, name) = match target {
        "probe_any" => return decode(None, &[], data),
        "decode_ecf" => return ecf(data),
        "decode_packed" => return packed(data),
        "read_tensors" => return tensors(data),
        #[cfg(feature = "hdf5")]
        "decode_hdf5" => return decode_hdf5(data),
        #[cfg(feature = "hdf5")]
        "read_hdf5" => return hdf5::read(data),
        #[cfg(feature = "hdf5")]
        "round_trip_hdf5" => return hdf5::round_trip(data),
        #[cfg(feature = "hdf5")]
        "unpack_hdf5" => return hdf5::unpack(data),
        #[cfg(feature = "libhdf5")]
        "against_libhdf5" => return super::libhdf5::against_libhdf5(data),
        _ => target.split_once('_').expect("a question and a format"),
    };
    if let Some(kind) = target.strip_prefix("round_trip_") {
        return round_trip(&kind.replace('_', "-"), data);
    }
    let of = FORMATS.iter().find(|(known, ..)| *known == name);
    let (_, format, header) = of.unwrap_or_else(|| panic!("no target {target}"));
    match question {
        "decode" => decode(*format, header, data),
        "chunking" => chunking(*format, header, data),
        _ => panic!("no target {target}"),
    }
}
