//! Attributes: small values with a name that belong to an object.

use std::collections::HashMap;
use std::sync::Arc;

use super::budget::Budget;
use super::bytes::{Cursor, text_of};
use super::header::{self, Header};
use super::heap::fractal::FractalHeap;
use super::message::dataspace::Extent;
use super::message::datatype;
use super::storage::Storage;
use super::tree::v2;
use super::values::{self, Values};
use crate::datatype::Datatype;
use crate::error::{Error, Result};

/// A small value with a name that belongs to a group or a dataset.
pub struct Attribute {
    storage: Arc<Storage>,
    name: String,
    extent: Extent,
    datatype: Arc<Datatype>,
    bytes: Vec<u8>,
}

impl Attribute {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many values it has.
    pub fn extent(&self) -> &Extent {
        &self.extent
    }

    /// What its values are.
    pub fn datatype(&self) -> &Datatype {
        &self.datatype
    }

    /// The values as they are in the file, one after another.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn values(&self) -> Values<'_> {
        Values { storage: &self.storage, datatype: &self.datatype, bytes: &self.bytes }
    }

    /// The values as integers; floats only where they are whole.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if they are no numbers, or do not fit.
    pub fn integers(&self) -> Result<Vec<i64>> {
        self.values().integers()
    }

    /// The values as floats.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if they are no numbers.
    pub fn floats(&self) -> Result<Vec<f64>> {
        self.values().floats()
    }

    /// The values as texts, of fixed or variable length; Latin-1 where they are not UTF-8.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if they are no texts.
    pub fn texts(&self) -> Result<Vec<String>> {
        self.values().texts()
    }
}

impl std::fmt::Debug for Attribute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut f = f.debug_struct("Attribute");
        f.field("name", &self.name).field("extent", &self.extent).finish_non_exhaustive()
    }
}

/// All attributes of an object.
pub(crate) fn all(storage: &Arc<Storage>, header: &Header) -> Result<Vec<Attribute>> {
    let mut found = Vec::new();
    each(storage, header, &mut |attribute| {
        found.push(attribute?);
        Ok(true)
    })
    .map_err(|error| error.fault_at(header.at))?;
    Ok(found)
}

/// The attribute of this name. One that cannot be read does not hide others.
pub(crate) fn named(
    storage: &Arc<Storage>,
    header: &Header,
    name: &str,
) -> Result<Option<Attribute>> {
    let (mut found, mut flaw) = (None, None);
    each(storage, header, &mut |attribute| {
        match attribute {
            Ok(attribute) if attribute.name == name => found = Some(attribute),
            Ok(_) => {}
            Err(error) => flaw = flaw.take().or(Some(error)),
        }
        Ok(found.is_none())
    })
    .map_err(|error| error.fault_at(header.at))?;
    match (found, flaw) {
        (None, Some(flaw)) => Err(flaw),
        (found, _) => Ok(found),
    }
}

/// What reading the attributes of one object needs.
struct Reading<'a> {
    storage: &'a Arc<Storage>,
    /// Bytes that all attributes may still have together, their types included: those of a sound file
    /// are different bytes of it.
    left: u64,
    /// The named types that were met, by the addresses of their headers.
    types: HashMap<u64, Arc<Datatype>>,
}

/// How much memory a datatype may need for each byte of its message.
const OF_TYPE: u64 = 8;

/// Calls `take` with each attribute, until it returns `false`.
fn each(
    storage: &Arc<Storage>,
    header: &Header,
    take: &mut dyn FnMut(Result<Attribute>) -> Result<bool>,
) -> Result<()> {
    let most = storage.size.saturating_mul(OF_TYPE).saturating_add(1 << 16);
    let left = most.min(storage.limits.value_bytes as u64);
    let mut reading = Reading { storage, left, types: HashMap::new() };
    let mut budget = Budget::new(storage);
    for message in header.all(header::ATTRIBUTE) {
        let attribute = if message.is_shared {
            let what = "an attribute that objects share is not read";
            Err(Error::unsupported(what).at(message.at()))
        } else {
            reading.parse(&mut message.cursor(storage), &mut budget)
        };
        if !take(attribute)? {
            return Ok(());
        }
    }
    let Some(message) = header.first(header::ATTRIBUTE_INFO) else { return Ok(()) };
    let mut cursor = message.cursor(storage);
    cursor.version(&[0], "what is known of attributes")?;
    if cursor.u8()? & 1 != 0 {
        cursor.skip(2)?;
    }
    let (Some(heap), Some(names)) = (cursor.address()?, cursor.address()?) else { return Ok(()) };
    let heap = FractalHeap::read(storage, heap)?;
    let (mut count, mut is_done) = (0, false);
    v2::Tree::read(storage, names)?.each(storage, &mut budget, &mut |mut record, budget| {
        if is_done {
            return Ok(());
        }
        count += 1;
        if count > storage.limits.members {
            let most = storage.limits.members;
            return Err(Error::limit(format!("an object has more than {most} attributes")));
        }
        let block = heap.get(storage, &mut record, budget);
        let attribute = block.and_then(|b| reading.parse(&mut b.cursor(storage.sizes), budget));
        is_done = !take(attribute)?;
        Ok(())
    })
}

impl Reading<'_> {
    /// Counts bytes that an attribute has.
    fn keep(&mut self, bytes: usize) -> Result<()> {
        let left = self.left.checked_sub(bytes as u64);
        self.left = left.ok_or_else(|| {
            Error::limit("the attributes of an object are larger than is allowed, or than the file")
        })?;
        Ok(())
    }

    /// The type that a message describes, or that another object has to which it refers.
    fn datatype(
        &mut self,
        message: &mut Cursor<'_>,
        is_shared: bool,
        budget: &mut Budget,
    ) -> Result<Arc<Datatype>> {
        if !is_shared {
            self.keep(message.left().saturating_mul(OF_TYPE as usize))?;
            return datatype::parse(message).map(Arc::new);
        }
        let at = message.offset();
        let address = header::shared_address(message)?;
        if let Some(known) = self.types.get(&address) {
            return Ok(Arc::clone(known));
        }
        let header = header::read(self.storage, address)?;
        budget.again(header.bytes)?;
        let message = header::at_address(&header, header::DATATYPE, at)?;
        let mut message = message.cursor(self.storage);
        self.keep(message.left().saturating_mul(OF_TYPE as usize))?;
        let datatype = Arc::new(datatype::parse(&mut message)?);
        self.types.insert(address, Arc::clone(&datatype));
        Ok(datatype)
    }

    fn parse(&mut self, cursor: &mut Cursor<'_>, budget: &mut Budget) -> Result<Attribute> {
        let at = cursor.offset();
        let version = cursor.version(&[1, 2, 3], "an attribute")?;
        let flags = cursor.u8()?;
        let sizes = [cursor.u16()?, cursor.u16()?, cursor.u16()?].map(usize::from);
        if version == 3 {
            // ASCII or UTF-8, which is a superset.
            cursor.skip(1)?;
        }
        let mut part = |size: usize| {
            let part = cursor.part(size)?;
            if version == 1 {
                cursor.skip((size.next_multiple_of(8) - size).min(cursor.left()))?;
            }
            Ok(part)
        };
        let [mut name, mut datatype, mut extent] =
            [part(sizes[0])?, part(sizes[1])?, part(sizes[2])?];
        let name = text_of(name.rest().split(|&byte| byte == 0).next().unwrap_or_default());
        let is_shared = |bit: u8| version > 1 && flags & bit != 0;
        let datatype = self.datatype(&mut datatype, is_shared(1), budget)?;
        if is_shared(2) {
            return Err(Error::unsupported("a dataspace that attributes share is not read").at(at));
        }
        let extent = Extent::parse(&mut extent)?;
        let size = values::size(&extent, &datatype, self.storage.limits.value_bytes)?;
        self.keep(size + name.len())?;
        let bytes = cursor.take(size)?.to_vec();
        Ok(Attribute { storage: Arc::clone(self.storage), name, extent, datatype, bytes })
    }
}
