//! Groups as the first version of HDF5 had them: a heap of names, nodes of members, and a B-tree
//! over the nodes.
//!
//! The local heap (specification III.D) holds the names:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `HEAP` |
//! | 1, 3 | the version, 0; 0 |
//! | 8 | number of bytes of the data |
//! | 8 | the first free piece of the data; 1 for none |
//! | 8 | address of the data |
//!
//! Its data is an empty name and then the names, each ended by NUL and filled up with 0 to a
//! multiple of 8. A symbol table node (III.B) holds up to [`NODE_MEMBERS`] members:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `SNOD` |
//! | 1, 1 | the version, 1; 0 |
//! | 2 | number of members |
//! | 40 each | the members, in order of their names' bytes |
//!
//! and a member, a symbol table entry (III.C), is
//!
//! | bytes | what |
//! |---|---|
//! | 8 | where its name begins in the data of the heap |
//! | 8 | address of its object header |
//! | 4, 4 | 1 if the next 16 bytes have a meaning; 0 |
//! | 8, 8 | of a group: addresses of its B-tree and of its heap |
//!
//! A key of the B-tree is the name of the last member before it: the empty name for the first.

use super::btree::{self, Entries};
use super::header::{ATTRIBUTE, Header, SYMBOL_TABLE};
use super::output::{Appender, Output};
use crate::error::Result;

/// Most members of a node: twice the "group leaf node K" of the superblock.
pub(super) const NODE_MEMBERS: usize = 8;
/// Most children of a node of the B-tree: twice the "group internal node K" of the superblock.
pub(super) const TREE_CHILDREN: usize = 32;

const ENTRY: usize = 40;
const NODE: usize = 8 + NODE_MEMBERS * ENTRY;

/// Where an object lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address {
    pub header: u64,
    /// Of a group: the addresses of its B-tree and of its heap.
    pub group: Option<(u64, u64)>,
}

/// Appends a symbol table entry. The name begins at byte `name` of the heap.
pub(super) fn encode_entry(name: u64, address: Address, out: &mut Vec<u8>) {
    out.extend_from_slice(&name.to_le_bytes());
    out.extend_from_slice(&address.header.to_le_bytes());
    out.extend_from_slice(&u64::from(address.group.is_some()).to_le_bytes());
    let (tree, heap) = address.group.unwrap_or_default();
    out.extend_from_slice(&tree.to_le_bytes());
    out.extend_from_slice(&heap.to_le_bytes());
}

/// Writes the members of a group, which are in order of their names, and its header, in which the
/// symbol table message is the first.
pub(super) fn write<'a, S: Output>(
    members: impl Iterator<Item = (&'a str, Address)>,
    attributes: impl Iterator<Item = &'a [u8]>,
    out: &mut Appender<S>,
) -> Result<Address> {
    let mut names = vec![0; 8];
    let mut nodes = Nodes { bytes: Vec::new(), ends: Vec::new(), start: 0 };
    for (member, (name, address)) in members.enumerate() {
        let at = names.len() as u64;
        names.extend_from_slice(name.as_bytes());
        names.resize((names.len() + 1).next_multiple_of(8), 0);
        if member % NODE_MEMBERS == 0 {
            nodes.begin();
        }
        encode_entry(at, address, &mut nodes.bytes);
        nodes.end(at);
    }
    nodes.bytes.resize(nodes.ends.len() * NODE, 0);

    let heap = out.align()?;
    let mut bytes = b"HEAP\0\0\0\0".to_vec();
    for number in [names.len() as u64, 1, heap + 32] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.extend_from_slice(&names);
    out.append(&bytes)?;
    nodes.start = out.append(&nodes.bytes)?;
    let tree = btree::write(&nodes, out)?;

    let mut header = Header::new();
    let message = [tree.to_le_bytes(), heap.to_le_bytes()].concat();
    header.add(SYMBOL_TABLE, 0, &message)?;
    for attribute in attributes {
        header.add(ATTRIBUTE, 0, attribute)?;
    }
    Ok(Address { header: header.write(out)?, group: Some((tree, heap)) })
}

/// The symbol table nodes of a group.
struct Nodes {
    bytes: Vec<u8>,
    /// Where the name of the last member of each node begins in the heap.
    ends: Vec<u64>,
    /// The address of the first node.
    start: u64,
}

impl Nodes {
    fn begin(&mut self) {
        self.bytes.resize(self.ends.len() * NODE, 0);
        self.bytes.extend_from_slice(b"SNOD\x01\0\0\0");
        self.ends.push(0);
    }

    /// Counts the member that was added last.
    fn end(&mut self, name: u64) {
        if let Some(end) = self.ends.last_mut() {
            *end = name;
            let node = (self.ends.len() - 1) * NODE;
            self.bytes[node + 6] += 1;
        }
    }
}

impl Entries for Nodes {
    const KIND: u8 = 0;
    const MOST_CHILDREN: usize = TREE_CHILDREN;

    fn count(&self) -> usize {
        self.ends.len()
    }

    fn key_bytes(&self) -> usize {
        8
    }

    fn key(&self, entry: usize, out: &mut Vec<u8>) {
        let name = if entry == 0 { 0 } else { self.ends[entry - 1] };
        out.extend_from_slice(&name.to_le_bytes());
    }

    fn address(&self, entry: usize) -> u64 {
        self.start + (entry * NODE) as u64
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn written(names: &[&str]) -> (Vec<u8>, Address) {
        let mut out = Appender::new(Cursor::new(Vec::new()));
        let members = names.iter().zip(0..).map(|(&name, header)| {
            let group = (name == "g").then_some((7, 9));
            (name, Address { header, group })
        });
        let address = write(members, std::iter::empty(), &mut out).unwrap();
        (out.finish().unwrap().into_inner(), address)
    }

    fn number(bytes: &[u8]) -> u64 {
        u64::from_le_bytes(bytes[..8].try_into().unwrap())
    }

    #[test]
    fn a_group_has_the_bytes_of_the_specification() {
        let (bytes, address) = written(&["g", "longer name"]);
        assert_eq!(&bytes[..8], b"HEAP\0\0\0\0");
        assert_eq!([8, 16, 24].map(|at| number(&bytes[at..])), [32, 1, 32]);
        assert_eq!(&bytes[32..64], b"\0\0\0\0\0\0\0\0g\0\0\0\0\0\0\0longer name\0\0\0\0\0");
        let node = &bytes[64..][..NODE];
        assert_eq!(node[..8], *b"SNOD\x01\0\x02\0");
        assert_eq!([8, 16, 24, 32, 40].map(|at| number(&node[at..])), [8, 0, 1, 7, 9]);
        assert_eq!([48, 56, 64, 72, 80].map(|at| number(&node[at..])), [16, 1, 0, 0, 0]);
        assert!(node[88..].iter().all(|&byte| byte == 0));
        let tree = 64 + NODE;
        assert_eq!(&bytes[tree..tree + 8], b"TREE\0\0\x01\0");
        assert_eq!([24, 32, 40].map(|at| number(&bytes[tree + at..])), [0, 64, 16]);
        assert_eq!(address.group, Some((tree as u64, 0)));
        let header = &bytes[address.header as usize..];
        assert_eq!(header[16..24], [0x11, 0, 16, 0, 0, 0, 0, 0]);
        assert_eq!([24, 32].map(|at| number(&header[at..])), [tree as u64, 0]);
    }

    #[test]
    fn nine_members_need_two_nodes() {
        let names = ["a", "b", "c", "d", "e", "f", "h", "i", "j"];
        let (bytes, address) = written(&names);
        let (tree, _) = address.group.unwrap();
        let tree = &bytes[tree as usize..];
        assert_eq!(tree[6], 2);
        // The keys are the empty name, `i` and `j`.
        assert_eq!([24, 40, 56].map(|at| number(&tree[at..])), [0, 64, 72]);
        let counts = [32, 48].map(|at| bytes[number(&tree[at..]) as usize + 6]);
        assert_eq!(counts, [8, 1]);
    }

    #[test]
    fn a_group_without_members_has_an_empty_tree() {
        let (bytes, address) = written(&[]);
        let (tree, heap) = address.group.unwrap();
        assert_eq!(bytes[tree as usize + 6], 0);
        assert_eq!((heap, number(&bytes[8..])), (0, 8));
    }
}
