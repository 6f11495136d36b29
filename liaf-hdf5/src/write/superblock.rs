//! The first 96 bytes of a file, the superblock of version 0 (specification II.A).
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `\x89HDF\r\n\x1a\n` |
//! | 1, 1, 1, 1, 1 | versions of the superblock, the free space, the root's entry, nothing, shared messages: all 0 |
//! | 1, 1, 1 | number of bytes of an address, 8; of a length, 8; 0 |
//! | 2, 2 | half the members of a symbol table node, 4; half the children of a node of the B-tree of a group, 16 |
//! | 4 | flags: 0, the file is not open |
//! | 8 | the address that all others begin at, 0 |
//! | 8 | address of the free space: none |
//! | 8 | number of bytes of the file |
//! | 8 | address of what a driver notes: nothing |
//! | 40 | the symbol table entry of the root |
//!
//! It is written last: without it, a file that was not finished is no HDF5 file.

use super::btree::UNDEFINED;
use super::group::{self, Address, NODE_MEMBERS, TREE_CHILDREN};

/// Number of bytes of the superblock.
pub(super) const BYTES: usize = 96;

pub(super) fn encode(root: Address, file_bytes: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(BYTES);
    out.extend_from_slice(b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0");
    out.extend_from_slice(&(NODE_MEMBERS as u16 / 2).to_le_bytes());
    out.extend_from_slice(&(TREE_CHILDREN as u16 / 2).to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    for number in [0, UNDEFINED, file_bytes, UNDEFINED] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    group::encode_entry(0, root, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes that libhdf5 wrote for an empty file with these addresses.
    #[test]
    fn the_superblock_has_the_bytes_of_the_specification() {
        let root = Address { header: 0x60, group: Some((0x88, 0x2a8)) };
        let hex: String = encode(root, 0x34c8).iter().map(|byte| format!("{byte:02x}")).collect();
        let expected = "894844460d0a1a0a0000000000080800040010000000000000000000000000\
            00ffffffffffffffffc834000000000000ffffffffffffffff00000000000000006000000000000000010000000\
            00000008800000000000000a802000000000000";
        assert_eq!(hex, expected);
    }
}
