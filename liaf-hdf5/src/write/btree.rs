//! B-trees of version 1 (specification III.A.1), which find the members of a group and the chunks
//! of a dataset.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `TREE` |
//! | 1 | what it finds: 0, members of a group; 1, chunks |
//! | 1 | the level of the node: 0 if its children are not nodes |
//! | 2 | number of children |
//! | 8, 8 | addresses of the nodes before and after this one in its level; all bits set for none |
//! | … | key, address of a child, key, address of a child, …, key |
//!
//! Every node takes the room of a full one. The whole tree is written at once, from its entries in
//! order: first all nodes of level 0, one after the other, then those of level 1 over them, and so
//! on up to a level with one node, the root. Nothing has to be kept for this but what the entries
//! are made from, because the key of a node is that of the first entry below it.

use super::output::{Appender, Output};
use crate::error::Result;

/// No address.
pub(super) const UNDEFINED: u64 = u64::MAX;

/// Nodes are collected up to this many bytes, and then written together.
const BUFFER: usize = 256 << 10;

/// The entries of a tree, in order.
pub(super) trait Entries {
    /// What the tree finds, as the node states it.
    const KIND: u8;
    /// Most children of a node: twice the "K" of the specification.
    const MOST_CHILDREN: usize;

    /// Number of entries.
    fn count(&self) -> usize;
    /// Number of bytes of a key.
    fn key_bytes(&self) -> usize;
    /// Appends the key before this entry; there is one more key than there are entries.
    fn key(&self, entry: usize, out: &mut Vec<u8>);
    /// The address of the entry.
    fn address(&self, entry: usize) -> u64;
}

/// Writes a tree and returns the address of its root. A tree without entries is one empty node.
pub(super) fn write<S: Output, E: Entries>(entries: &E, out: &mut Appender<S>) -> Result<u64> {
    let (count, most) = (entries.count(), E::MOST_CHILDREN);
    let node_bytes = (24 + most * 8 + (most + 1) * entries.key_bytes()) as u64;
    // In each level a child is made of `stride` entries, and child `i` begins at entry `i * stride`.
    let (mut level, mut stride, mut children) = (0, 1, count);
    // Where the nodes of the level below begin.
    let mut below = 0;
    let mut bytes = Vec::new();
    loop {
        let nodes = children.div_ceil(most).max(1);
        let start = out.align()?;
        for node in 0..nodes {
            let used = most.min(children - node * most);
            let end = bytes.len() + node_bytes as usize;
            let sibling = |other: Option<usize>| match other {
                Some(other) if other < nodes => start + other as u64 * node_bytes,
                _ => UNDEFINED,
            };
            bytes.extend_from_slice(b"TREE");
            bytes.extend_from_slice(&[E::KIND, level]);
            bytes.extend_from_slice(&(used as u16).to_le_bytes());
            bytes.extend_from_slice(&sibling(node.checked_sub(1)).to_le_bytes());
            bytes.extend_from_slice(&sibling(Some(node + 1)).to_le_bytes());
            for child in node * most..node * most + used {
                entries.key(child * stride, &mut bytes);
                let address = match level {
                    0 => entries.address(child),
                    _ => below + child as u64 * node_bytes,
                };
                bytes.extend_from_slice(&address.to_le_bytes());
            }
            if used > 0 {
                entries.key(count.min((node * most + used) * stride), &mut bytes);
            }
            bytes.resize(end, 0);
            if bytes.len() >= BUFFER || node + 1 == nodes {
                out.append(&bytes)?;
                bytes.clear();
            }
        }
        if nodes == 1 {
            return Ok(start);
        }
        (below, children) = (start, nodes);
        level += 1;
        stride *= most;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// Entries whose key is their number, and whose address is 1,000 more.
    struct Numbers(usize);

    impl Entries for Numbers {
        const KIND: u8 = 1;
        const MOST_CHILDREN: usize = 3;

        fn count(&self) -> usize {
            self.0
        }

        fn key_bytes(&self) -> usize {
            8
        }

        fn key(&self, entry: usize, out: &mut Vec<u8>) {
            out.extend_from_slice(&(entry as u64).to_le_bytes());
        }

        fn address(&self, entry: usize) -> u64 {
            1000 + entry as u64
        }
    }

    const NODE: u64 = 24 + 3 * 8 + 4 * 8;

    fn number(bytes: &[u8], at: u64) -> u64 {
        u64::from_le_bytes(bytes[at as usize..][..8].try_into().unwrap())
    }

    /// Follows the tree from `node` on; returns the addresses of the entries below.
    fn walk(bytes: &[u8], node: u64, level: u8, first: u64, last: u64) -> Vec<u64> {
        let head = &bytes[node as usize..][..8];
        assert_eq!(head[..6], [b'T', b'R', b'E', b'E', 1, level]);
        let used = u64::from(head[6]);
        assert!((1..=3).contains(&used));
        let pair = |i: u64| number(bytes, node + 24 + 16 * i);
        assert_eq!((pair(0), pair(used)), (first, last), "keys of the node at {node}");
        let child = |i: u64| number(bytes, node + 32 + 16 * i);
        if level == 0 {
            return (0..used).map(child).collect();
        }
        (0..used).flat_map(|i| walk(bytes, child(i), level - 1, pair(i), pair(i + 1))).collect()
    }

    #[test]
    fn trees_of_one_two_and_three_levels_reach_every_entry() {
        for (count, level, nodes) in
            [(1, 0, 1), (3, 0, 1), (4, 1, 3), (9, 1, 4), (10, 2, 7), (27, 2, 13), (28, 3, 17)]
        {
            let mut out = Appender::new(Cursor::new(Vec::new()));
            out.append(b"some bytes before").unwrap();
            let root = write(&Numbers(count), &mut out).unwrap();
            let bytes = out.finish().unwrap().into_inner();
            assert_eq!(bytes.len() as u64, 24 + nodes * NODE, "{count} entries");
            assert_eq!(root, 24 + (nodes - 1) * NODE);
            let addresses = walk(&bytes, root, level, 0, count as u64);
            assert_eq!(addresses, Vec::from_iter(1000..1000 + count as u64));
        }
    }

    #[test]
    fn the_nodes_of_a_level_know_their_neighbours() {
        let mut out = Appender::new(Cursor::new(Vec::new()));
        write(&Numbers(8), &mut out).unwrap();
        let bytes = out.finish().unwrap().into_inner();
        let siblings = |node: u64| (number(&bytes, node + 8), number(&bytes, node + 16));
        assert_eq!(siblings(0), (UNDEFINED, NODE));
        assert_eq!(siblings(NODE), (0, 2 * NODE));
        assert_eq!(siblings(2 * NODE), (NODE, UNDEFINED));
        assert_eq!(siblings(3 * NODE), (UNDEFINED, UNDEFINED));
    }

    #[test]
    fn no_entries_are_one_empty_node() {
        let mut out = Appender::new(Cursor::new(Vec::new()));
        assert_eq!(write(&Numbers(0), &mut out).unwrap(), 0);
        let bytes = out.finish().unwrap().into_inner();
        assert_eq!(bytes.len() as u64, NODE);
        assert_eq!(bytes[..8], [b'T', b'R', b'E', b'E', 1, 0, 0, 0]);
        assert!(bytes[8..24].iter().all(|&byte| byte == 0xff));
        assert!(bytes[24..].iter().all(|&byte| byte == 0));
    }
}
