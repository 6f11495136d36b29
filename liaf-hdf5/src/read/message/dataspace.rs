//! Dataspaces: how many values there are, and in which dimensions.

use crate::error::{Error, Result};
use crate::read::bytes::Cursor;

/// Most dimensions that HDF5 has.
pub(crate) const MOST_RANK: usize = 32;

/// How many values an object has.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Extent {
    /// No value at all, not even an empty array.
    Null,
    /// One value.
    Scalar,
    /// An array.
    Array {
        /// Number of values along each dimension.
        shape: Vec<u64>,
        /// How far each dimension can grow; `None` if without end.
        largest: Vec<Option<u64>>,
    },
}

impl Extent {
    /// Number of values along each dimension; empty for a scalar, and for no value at all.
    pub fn shape(&self) -> &[u64] {
        match self {
            Self::Array { shape, .. } => shape,
            Self::Null | Self::Scalar => &[],
        }
    }

    /// Number of values; the largest number where they do not fit into it.
    pub fn values(&self) -> u64 {
        match self {
            Self::Null => 0,
            Self::Scalar => 1,
            Self::Array { shape, .. } => shape.iter().fold(1, |n, &side| n.saturating_mul(side)),
        }
    }

    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Self> {
        let version = cursor.version(&[1, 2], "a dataspace")?;
        let at = cursor.offset();
        let (rank, flags, kind) = (usize::from(cursor.u8()?), cursor.u8()?, cursor.u8()?);
        if version == 1 {
            cursor.skip(4)?;
        }
        if rank > MOST_RANK {
            let what = format!("{rank} dimensions, and HDF5 has {MOST_RANK} at most");
            return Err(Error::malformed(what).at(at));
        }
        match (version, kind) {
            (2, 2) => return Ok(Self::Null),
            _ if rank == 0 => return Ok(Self::Scalar),
            _ => {}
        }
        let mut shape = Vec::with_capacity(rank);
        for _ in 0..rank {
            shape.push(cursor.length()?);
        }
        let endless = u64::MAX >> (64 - 8 * cursor.sizes.length);
        let mut largest = Vec::with_capacity(rank);
        for &side in &shape {
            let most = if flags & 1 == 0 { side } else { cursor.length()? };
            largest.push((most != endless).then_some(most));
        }
        Ok(Self::Array { shape, largest })
    }
}
