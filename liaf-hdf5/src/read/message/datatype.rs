//! The message that describes a datatype.

use crate::datatype::{Datatype, Member, Number, NumberKind, Padding};
use crate::error::{Error, Result};
use crate::read::bytes::Cursor;

/// How deep types may be nested.
const DEPTH: u32 = 16;
/// How many members the types of one message may have together.
const MEMBERS: usize = 1 << 16;

pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Datatype> {
    Parser { left: MEMBERS }.any(cursor, DEPTH)
}

struct Parser {
    /// Members that may still come.
    left: usize,
}

impl Parser {
    fn any(&mut self, cursor: &mut Cursor<'_>, depth: u32) -> Result<Datatype> {
        let at = cursor.offset();
        let wrong = |what: String| Error::malformed(what).at(at);
        if depth == 0 {
            return Err(wrong("datatypes are nested too deep".into()));
        }
        let head = cursor.u8()?;
        let (class, version) = (head & 15, head >> 4);
        if !(1..=5).contains(&version) {
            let what = format!("version {version} of a datatype is not known");
            return Err(Error::unsupported(what).at(at));
        }
        let bits = cursor.uint(3)? as u32;
        let size = cursor.u32()? as usize;
        if size == 0 && !matches!(class, 3 | 5 | 9) {
            return Err(wrong("a datatype of 0 bytes".into()));
        }
        let opaque = |class| Datatype::Opaque { size, class };
        Ok(match class {
            0 => integer(cursor, bits, size)?,
            1 => float(cursor, bits, size)?,
            2 => {
                cursor.skip(2)?;
                opaque("time")
            }
            3 => Datatype::Text { size, padding: padding(bits) },
            4 => match integer(cursor, bits & !8, size)? {
                Datatype::Number(number) => Datatype::Bits(number),
                other => other,
            },
            5 => {
                // A description, whose size is in the bits, padded with NULs.
                cursor.skip(((bits & 0xff) as usize).next_multiple_of(8).min(cursor.left()))?;
                opaque("opaque")
            }
            6 => self.compound(cursor, version, bits & 0xffff, size, depth)?,
            7 => opaque("reference"),
            8 => self.names(cursor, version, bits & 0xffff, depth)?,
            9 => {
                let reference = 8 + cursor.sizes.offset;
                if size != 16 || reference != 16 {
                    let what = format!("references to a heap of {size} bytes are not read");
                    return Err(Error::unsupported(what).at(at));
                }
                let base = self.any(cursor, depth - 1)?;
                if bits & 15 == 1 { Datatype::VarText } else { Datatype::VarArray(Box::new(base)) }
            }
            10 => self.array(cursor, version, depth)?,
            11 => {
                self.any(cursor, depth - 1)?;
                opaque("complex")
            }
            other => {
                let what = format!("a datatype of class {other} is not known");
                return Err(Error::unsupported(what).at(at));
            }
        })
    }

    fn members(&mut self, count: u32, cursor: &Cursor<'_>) -> Result<()> {
        let left = self.left.checked_sub(count as usize);
        self.left = left.ok_or_else(|| {
            Error::limit(format!("a datatype has more than {MEMBERS} members")).at(cursor.offset())
        })?;
        Ok(())
    }

    fn compound(
        &mut self,
        cursor: &mut Cursor<'_>,
        version: u8,
        count: u32,
        size: usize,
        depth: u32,
    ) -> Result<Datatype> {
        self.members(count, cursor)?;
        let mut members = Vec::new();
        for _ in 0..count {
            let at = cursor.offset();
            let name = name(cursor, version)?;
            let offset = if version >= 3 {
                // As many bytes as the size of the whole needs.
                let bytes = (usize::BITS - size.leading_zeros()).div_ceil(8).max(1);
                cursor.uint(bytes as usize)? as usize
            } else {
                cursor.u32()? as usize
            };
            let mut sides = Vec::new();
            if version == 1 {
                let rank = cursor.u8()?;
                cursor.skip(11)?;
                for i in 0..4 {
                    let side = cursor.u32()?;
                    if i < rank {
                        sides.push(side);
                    }
                }
            }
            let mut datatype = self.any(cursor, depth - 1)?;
            if !sides.is_empty() {
                datatype = Datatype::Array { shape: sides, base: Box::new(datatype) };
            }
            if offset.checked_add(datatype.size()).is_none_or(|end| end > size) {
                let what = format!("the member {name:?} of a compound lies outside of it");
                return Err(Error::malformed(what).at(at));
            }
            members.push(Member { name, offset, datatype });
        }
        Ok(Datatype::Compound { size, members })
    }

    fn names(
        &mut self,
        cursor: &mut Cursor<'_>,
        version: u8,
        count: u32,
        depth: u32,
    ) -> Result<Datatype> {
        self.members(count, cursor)?;
        let base = self.any(cursor, depth - 1)?;
        let names = (0..count).map(|_| name(cursor, version)).collect::<Result<Vec<_>>>()?;
        let mut members = Vec::new();
        for name in names {
            members.push((name, cursor.take(base.size())?.to_vec()));
        }
        Ok(Datatype::Enum { base: Box::new(base), members })
    }

    fn array(&mut self, cursor: &mut Cursor<'_>, version: u8, depth: u32) -> Result<Datatype> {
        let at = cursor.offset();
        let rank = cursor.u8()?;
        if version == 2 {
            cursor.skip(3)?;
        }
        let shape = (0..rank).map(|_| cursor.u32()).collect::<Result<Vec<_>>>()?;
        if version == 2 {
            // The order of dimensions, which is always the same.
            cursor.skip(4 * usize::from(rank))?;
        }
        let base = Box::new(self.any(cursor, depth - 1)?);
        let datatype = Datatype::Array { shape, base };
        if u32::try_from(datatype.size()).is_err() {
            return Err(Error::malformed("a datatype of more than 4 GiB").at(at));
        }
        Ok(datatype)
    }
}

/// A name, which versions 1 and 2 pad to a multiple of 8 bytes.
fn name(cursor: &mut Cursor<'_>, version: u8) -> Result<String> {
    let before = cursor.left();
    let name = cursor.text()?;
    if version < 3 {
        let used = before - cursor.left();
        cursor.skip(used.next_multiple_of(8) - used)?;
    }
    Ok(name)
}

fn padding(bits: u32) -> Padding {
    match bits & 15 {
        0 => Padding::NulTerminated,
        2 => Padding::Spaces,
        _ => Padding::Nuls,
    }
}

fn integer(cursor: &mut Cursor<'_>, bits: u32, size: usize) -> Result<Datatype> {
    let (first_bit, precision) = (cursor.u16()?, cursor.u16()?);
    let fills = first_bit == 0 && usize::from(precision) == size.saturating_mul(8);
    if !fills || ![1, 2, 4, 8].contains(&size) {
        return Ok(Datatype::UnusualNumber { size });
    }
    let kind = if bits & 8 == 0 { NumberKind::Unsigned } else { NumberKind::Signed };
    Ok(Datatype::Number(Number { kind, size, is_big_endian: bits & 1 == 1 }))
}

fn float(cursor: &mut Cursor<'_>, bits: u32, size: usize) -> Result<Datatype> {
    let (first_bit, precision) = (cursor.u16()?, cursor.u16()?);
    let exponent = (cursor.u8()?, cursor.u8()?);
    let mantissa = (cursor.u8()?, cursor.u8()?);
    let bias = cursor.u32()?;
    let sign = (bits >> 8) & 0xff;
    let ieee = match size {
        2 => ((10, 5), (0, 10), 15, 15),
        4 => ((23, 8), (0, 23), 127, 31),
        8 => ((52, 11), (0, 52), 1023, 63),
        _ => return Ok(Datatype::UnusualNumber { size }),
    };
    // Bits 4 and 5: that the first bit of the mantissa is not stored. Bit 6: the order of the VAX.
    let is_ieee = (exponent, mantissa, bias, sign) == ieee
        && first_bit == 0
        && usize::from(precision) == 8 * size
        && (bits >> 4) & 7 == 2;
    if !is_ieee {
        return Ok(Datatype::UnusualNumber { size });
    }
    let kind = NumberKind::Float;
    Ok(Datatype::Number(Number { kind, size, is_big_endian: bits & 1 == 1 }))
}
