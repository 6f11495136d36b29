//! HDF5: datasets of numbers, in the root and in groups.

use std::collections::BTreeMap;
use std::ops::Range;

use liaf_hdf5::{Dataset, Datatype, Extent, File, Group, Number, NumberKind, Object};

use super::bytes::{Aligned, Bytes, checked_length};
use super::index::{Entry, Place, sides};
use super::rows::extent;
use super::tensor::TensorInfo;
use crate::container::hdf5;
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::io::ByteSource;
use crate::limits::Limits;
use crate::tensor::{ElementType, PROVENANCE};

/// How deep groups are looked into, and how many objects are looked at: groups may contain each other.
const DEPTH: u32 = 16;
const OBJECTS: usize = 1 << 16;

/// All datasets of the file, by their paths without the first slash, and the text attributes of the
/// root.
pub(super) fn index(
    source: &ByteSource,
    limits: &Limits,
) -> Result<(Vec<Entry>, BTreeMap<String, String>)> {
    // Every dataset is checked against its own limit when it is read.
    let (file, _) = hdf5::open_for(source, limits.held_bytes, usize::MAX)?;
    let root = file.root().map_err(hdf5::error)?;
    let mut entries = Vec::new();
    let mut left = OBJECTS;
    collect(&root, "", DEPTH, &mut left, &mut entries)?;
    Ok((entries, metadata(&file, limits)?))
}

fn collect(
    group: &Group,
    path: &str,
    depth: u32,
    left: &mut usize,
    entries: &mut Vec<Entry>,
) -> Result<()> {
    for name in group.names().map_err(hdf5::error)? {
        *left = left.checked_sub(1).ok_or_else(|| {
            Error::limit("the file has too many objects").expected(format!("at most {OBJECTS}"))
        })?;
        let name_here = format!("{path}{name}");
        match group.object(&name) {
            Ok(Object::Group(inner)) if depth > 0 => {
                collect(&inner, &format!("{name_here}/"), depth - 1, left, entries)?;
            }
            Ok(Object::Dataset(dataset)) => {
                entries.push(Entry { name: name_here, place: Place::Dataset(Box::new(dataset)) });
            }
            Ok(_) => {}
            // A dataset that is refused, such as one in another file, is an error when it is asked
            // for; one that is damaged must not hide the others.
            Err(error) => {
                let error = hdf5::error(error).to_string();
                entries.push(Entry { name: name_here, place: Place::Refused(error) });
            }
        }
    }
    Ok(())
}

/// The attributes of the root that are a single text.
fn metadata(file: &File, limits: &Limits) -> Result<BTreeMap<String, String>> {
    let root = file.root().map_err(hdf5::error)?;
    let mut metadata = BTreeMap::new();
    let Ok(attributes) = root.attributes() else {
        // Others may be damaged; the provenance may not.
        let provenance = root.attribute(PROVENANCE).ok().flatten();
        let text = provenance.and_then(|attribute| attribute.texts().ok()?.pop());
        metadata.extend(text.map(|text| (PROVENANCE.to_owned(), text)));
        return Ok(metadata);
    };
    for attribute in attributes {
        if *attribute.extent() == Extent::Scalar
            && let Ok([text]) = attribute.texts().as_deref()
        {
            Limits::check("a text", text.len() as u64, limits.header_bytes)?;
            metadata.insert(attribute.name().to_owned(), text.clone());
        }
    }
    Ok(metadata)
}

/// Type and shape of a dataset.
pub(super) fn info(dataset: &Dataset) -> Result<TensorInfo> {
    let dtype = element(dataset).ok_or_else(|| {
        Error::unsupported(format!("the elements of {} are not plain numbers", dataset.name()))
    })?;
    if *dataset.extent() == Extent::Null {
        let what = format!("{} has no elements and no shape", dataset.name());
        return Err(Error::unsupported(what));
    }
    Ok(TensorInfo { dtype, shape: sides(dataset.shape())? })
}

/// The elements of a dataset, in little-endian order.
pub(super) fn read<'a>(dataset: &Dataset, limits: &Limits) -> Result<(TensorInfo, Bytes<'a>)> {
    let info = info(dataset)?;
    let size = dataset.extent().values().saturating_mul(info.dtype.bytes() as u64);
    let length = checked_length(size, limits)?;
    // A few bytes may stand for any number of elements that are packed, or were never written.
    if dataset.contiguous().is_none() {
        Limits::check("a tensor in chunks", size, limits.held_bytes)
            .map_err(|error| error.hint(Hint::raise("held_bytes", size)))?;
    }
    let mut bytes = dataset.read().map_err(hdf5::error)?;
    if let Some(Number { is_big_endian: true, size, .. }) = dataset.datatype().number() {
        bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
    }
    let mut aligned = Aligned::with_capacity(length)?;
    aligned.buffer().extend_from_slice(&bytes);
    Ok((info, Bytes::Owned(aligned)))
}

/// Some rows of a dataset, in little-endian order.
pub(super) fn rows<'a>(
    dataset: &Dataset,
    rows: &Range<usize>,
    info: &TensorInfo,
    limits: &Limits,
) -> Result<Bytes<'a>> {
    let (_, length) = extent(info, rows, limits)?;
    Limits::check("rows of a tensor in chunks", length as u64, limits.held_bytes)
        .map_err(|error| error.hint(Hint::raise("held_bytes", length as u64)))?;
    let mut bytes = Vec::new();
    let range = rows.start as u64..rows.end as u64;
    dataset.read_rows(range, &mut bytes).map_err(hdf5::error)?;
    let mut aligned = Aligned::copy_of(&bytes);
    if let Some(Number { is_big_endian: true, size, .. }) = dataset.datatype().number() {
        aligned.reverse(size);
    }
    Ok(Bytes::Owned(aligned))
}

/// The strings of a dataset; `None` if its elements are no strings.
pub(super) fn texts(dataset: &Dataset, limits: &Limits) -> Result<Option<Vec<String>>> {
    let width = match dataset.datatype() {
        Datatype::Text { size, .. } => *size,
        Datatype::VarText => size_of::<String>(),
        _ => return Ok(None),
    };
    let size = dataset.extent().values().saturating_mul(width as u64);
    Limits::check("the texts of a dataset", size, limits.held_bytes)?;
    dataset.texts().map(Some).map_err(hdf5::error)
}

fn element(dataset: &Dataset) -> Option<ElementType> {
    if dataset.datatype().is_bool() {
        return Some(ElementType::Bool);
    }
    let number = dataset.datatype().number()?;
    Some(match (number.kind, number.size) {
        (NumberKind::Unsigned, 1) => ElementType::U8,
        (NumberKind::Unsigned, 2) => ElementType::U16,
        (NumberKind::Unsigned, 4) => ElementType::U32,
        (NumberKind::Unsigned, 8) => ElementType::U64,
        (NumberKind::Signed, 1) => ElementType::I8,
        (NumberKind::Signed, 2) => ElementType::I16,
        (NumberKind::Signed, 4) => ElementType::I32,
        (NumberKind::Signed, 8) => ElementType::I64,
        (NumberKind::Float, 4) => ElementType::F32,
        (NumberKind::Float, 8) => ElementType::F64,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use liaf_hdf5::FileWriter;

    use super::super::TensorFile;
    use crate::error::ErrorKind;
    use crate::io::ByteSource;
    use crate::limits::Limits;

    fn file() -> Vec<u8> {
        let mut file = FileWriter::new(Cursor::new(Vec::new())).unwrap();
        file.dataset("frames", &[1u16, 2, 3, 4, 5, 6], &[1, 1, 2, 3]).unwrap();
        file.dataset("timestamps", &[0i64, 10], &[1, 2]).unwrap();
        file.dataset("more/labels", &[true, false], &[2]).unwrap();
        file.strings("names", &["a", "b"], &[2]).unwrap();
        file.text_attribute("/", "liaf", "{}").unwrap();
        file.finish().unwrap().0.into_inner()
    }

    #[test]
    fn datasets_are_tensors_by_their_paths() {
        let source = ByteSource::from_bytes(file());
        let file = TensorFile::from_source(source, &Limits::default()).unwrap();
        assert!(file.names().eq(["frames", "more/labels", "names", "timestamps"]));
        assert_eq!(file.get("more/labels").unwrap().as_slice::<bool>().unwrap(), [true, false]);
        assert_eq!(file.info("frames").unwrap().shape, [1, 1, 2, 3]);
        assert_eq!(file.provenance(), Some("{}"));
        let texts = file.get("names").unwrap_err();
        assert_eq!(texts.kind(), ErrorKind::Unsupported, "{texts}");
        assert_eq!(file.texts("names").unwrap(), ["a", "b"]);
        assert!(file.texts("frames").is_err());
        let frames = file.frames().unwrap();
        assert_eq!(frames.cells(0..1), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(frames.timestamps(), [[0, 10]]);
    }

    #[test]
    fn a_tensor_above_the_limits_is_refused() {
        let limits = Limits { output_bytes: 11, ..Limits::default() };
        let file = TensorFile::from_source(ByteSource::from_bytes(file()), &limits).unwrap();
        assert_eq!(file.get("frames").unwrap_err().kind(), ErrorKind::Limit);
        assert_eq!(file.get("more/labels").unwrap().len(), 2);
    }
}
