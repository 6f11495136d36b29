//! The safetensors format: a JSON header followed by the bytes of the tensors.

use serde_json::{Value, json};

use super::column::{Column, Rows};
use super::layout::{Layout, Plan};
use crate::error::{Error, Result};
use crate::io::{AtomicFile, Spool};
use crate::tensor::{ElementType, PADDING};

/// Size of the largest header that readers accept, in bytes.
const MAX_HEADER: usize = 100_000_000;

/// The name of a type of elements in the header.
fn dtype(element: ElementType) -> String {
    element.name().to_ascii_uppercase()
}

/// Writes the tensors one after another, and the provenance as the metadata `liaf`.
///
/// The header comes first, but it is known only at the end. Space for the longest possible header is
/// reserved, and what is not needed is filled with spaces.
///
/// Readers accept neither gaps nor unaligned numbers. After the streamed tensor, whose size is not
/// known before, there may therefore be a tensor `padding` of up to 7 bytes. The other tensors follow
/// in the order of the size of their elements, the largest first, so that they need no padding.
#[derive(Debug, Default)]
pub(super) struct SafetensorsLayout {
    /// Length of the JSON text with its trailing spaces.
    reserved: usize,
}

impl Layout for SafetensorsLayout {
    fn start(&mut self, out: &mut AtomicFile, plan: &Plan<'_>) -> Result<()> {
        let longest = Longest::header(plan);
        self.reserved = (8 + longest.len()).next_multiple_of(64) - 8;
        if self.reserved > MAX_HEADER {
            return Err(Error::caller("the provenance or the names are too long for .safetensors")
                .expected(format!("at most {MAX_HEADER} bytes of header"))
                .found(self.reserved));
        }
        out.append(&vec![0; 8 + self.reserved])
    }

    fn finish(
        &mut self,
        out: &mut AtomicFile,
        plan: &Plan<'_>,
        mut spools: Vec<Option<Spool>>,
    ) -> Result<()> {
        let padding = padding(plan);
        out.append(&[0; 8][..padding as usize])?;
        for index in rest(plan) {
            let Some(spool) = spools.get_mut(index).and_then(Option::take) else { continue };
            spool.read_back(|bytes| out.append(bytes))?;
        }
        let mut header = (self.reserved as u64).to_le_bytes().to_vec();
        header.extend_from_slice(Exact::header(plan).as_bytes());
        header.resize(8 + self.reserved, b' ');
        out.patch(0, &header)
    }
}

/// The tensors after the streamed one, in the order of the file.
fn rest(plan: &Plan<'_>) -> Vec<usize> {
    let others = (0..plan.columns.len()).filter(|&index| plan.streamed != Some(index));
    let mut others: Vec<_> = others.collect();
    others.sort_by_key(|&index| std::cmp::Reverse(plan.columns[index].element.bytes()));
    others
}

/// Number of bytes between the streamed tensor and the one after it.
fn padding(plan: &Plan<'_>) -> u64 {
    let first = rest(plan).first().map_or(1, |&index| plan.columns[index].element.bytes() as u64);
    plan.streamed().map_or(0, |column| column.bytes.next_multiple_of(first) - column.bytes)
}

/// The numbers of a header: those of the file, or the longest possible ones.
trait Numbers {
    fn shape(column: &Column) -> Vec<u64>;
    fn size(column: &Column) -> u64;
    fn padding(plan: &Plan<'_>) -> u64;

    /// The text of the header.
    fn header<'a>(plan: &Plan<'a>) -> String {
        let mut entries = Vec::new();
        if let Some(provenance) = plan.provenance {
            entries.push(format!(r#""__metadata__":{}"#, json!({ "liaf": provenance })));
        }
        let tensor = |column: &'a Column| {
            (column.name.as_str(), dtype(column.element), Self::shape(column), Self::size(column))
        };
        let padding = Self::padding(plan);
        let padding = (padding > 0).then(|| (PADDING, "U8".into(), vec![padding], padding));
        let rest = rest(plan).into_iter().map(|index| &plan.columns[index]);
        let tensors =
            plan.streamed().map(tensor).into_iter().chain(padding).chain(rest.map(tensor));
        let mut start = 0u64;
        for (name, dtype, shape, size) in tensors {
            let shape = shape.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
            let end = start.saturating_add(size);
            entries.push(format!(
                r#"{}:{{"dtype":"{dtype}","shape":[{shape}],"data_offsets":[{start},{end}]}}"#,
                Value::from(name)
            ));
            start = end;
        }
        format!("{{{}}}", entries.join(","))
    }
}

struct Exact;

impl Numbers for Exact {
    fn shape(column: &Column) -> Vec<u64> {
        column.shape()
    }

    fn size(column: &Column) -> u64 {
        column.bytes
    }

    fn padding(plan: &Plan<'_>) -> u64 {
        padding(plan)
    }
}

struct Longest;

impl Numbers for Longest {
    fn shape(column: &Column) -> Vec<u64> {
        let mut shape = column.shape();
        if let (Rows::Growing, Some(first)) = (column.rows, shape.first_mut()) {
            *first = u64::MAX;
        }
        shape
    }

    fn size(column: &Column) -> u64 {
        column.fixed_bytes().unwrap_or(u64::MAX)
    }

    fn padding(plan: &Plan<'_>) -> u64 {
        // A number with one digit would be enough. The larger one stays because the size of the
        // header depends on it, and the same frames must always give the same bytes.
        if plan.streamed.is_some() && plan.columns.len() > 1 { u64::MAX / 32 } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::writer::check;

    #[test]
    fn header_is_json_and_leaves_no_holes() {
        let column = |name, element, row: &[usize], bytes| {
            let column = check::column(name, element, Rows::Growing, row).unwrap();
            Column { bytes, ..column }
        };
        let columns = [
            column("timestamps", ElementType::I64, &[2], 48),
            column("frames", ElementType::U8, &[1, 3, 5], 45),
            column("a \"b\"", ElementType::Bool, &[], 3),
        ];
        let provenance = r#"{"name":"a \"b\""}"#;
        let plan = Plan { columns: &columns, streamed: Some(1), provenance: Some(provenance) };
        let text = Exact::header(&plan);
        let value: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["frames"]["data_offsets"], json!([0, 45]));
        assert_eq!(value["padding"]["data_offsets"], json!([45, 48]));
        assert_eq!(value["timestamps"]["data_offsets"], json!([48, 96]));
        assert_eq!(value["timestamps"]["shape"], json!([3, 2]));
        assert_eq!(value["a \"b\""]["data_offsets"], json!([96, 99]));
        assert_eq!(value["__metadata__"]["liaf"], provenance);
        assert!(Longest::header(&plan).len() > text.len());
    }
}
