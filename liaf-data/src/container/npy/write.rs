//! The header of a `.npy` array, version 1.0.

const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";

/// The header of an array of `shape`, in row-major order. `descr` is the type of its elements as
/// Python writes it: `'<u2'` with its quotes, or a list of fields.
///
/// The length of the header is a multiple of 64. It does not depend on the first dimension, so that
/// the header can be patched when that is known.
pub(crate) fn header(descr: &str, shape: &[u64]) -> Vec<u8> {
    let mut longest = shape.to_vec();
    if let Some(first) = longest.first_mut() {
        *first = u64::MAX;
    }
    let prefix = MAGIC.len() + 2;
    let total = (prefix + text(descr, &longest).len() + 1).next_multiple_of(64);
    let mut header = Vec::with_capacity(total);
    header.extend_from_slice(MAGIC);
    // A short type and at most 21 bytes per dimension are far below the limit of 65,535 bytes of
    // version 1.0.
    header.extend_from_slice(&((total - prefix) as u16).to_le_bytes());
    header.extend_from_slice(text(descr, shape).as_bytes());
    header.resize(total - 1, b' ');
    header.push(b'\n');
    header
}

fn text(descr: &str, shape: &[u64]) -> String {
    let dims = match shape {
        [n] => format!("{n},"),
        _ => shape.iter().map(u64::to_string).collect::<Vec<_>>().join(", "),
    };
    format!("{{'descr': {descr}, 'fortran_order': False, 'shape': ({dims}), }}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_is_aligned_and_of_one_length() {
        let a = header("'<u2'", &[0, 2, 260, 346]);
        let b = header("'<u2'", &[u64::MAX, 2, 260, 346]);
        assert_eq!(a.len(), 128);
        assert_eq!(a.len(), b.len());
        assert_eq!(a.last(), Some(&b'\n'));
        assert_eq!(&a[8..10], &118u16.to_le_bytes());
        assert!(a[10..].starts_with(
            b"{'descr': '<u2', 'fortran_order': False, 'shape': (0, 2, 260, 346), }  "
        ));
        let text = |shape: &[u64]| String::from_utf8(header("'|u1'", shape)[10..].to_vec());
        assert!(text(&[7]).unwrap().contains("'shape': (7,), }"));
        assert!(text(&[]).unwrap().contains("'shape': (), }"));
    }
}
