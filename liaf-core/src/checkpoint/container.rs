//! Tensor files in the safetensors format, with checksums if they are checkpoints of this crate.

use std::collections::BTreeMap;
use std::hash::Hasher;
use std::io::Read;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, Metadata};
use serde_json::{Value, json};
use twox_hash::XxHash64;

use super::{VERSION, whole};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::real::Real;

/// Keys of the metadata of a checkpoint.
pub(super) const FORMAT: &str = "liaf.format";
const CHECKSUM: &str = "liaf.checksum";
const SUMS: &str = "liaf.sums";
/// Takes the place of the checksum while the checksum is computed.
const NO_SUM: &str = "0000000000000000";

/// A tensor to be written.
pub(super) struct Tensor {
    pub name: String,
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

impl Tensor {
    pub fn new<R: Real>(name: impl Into<String>, shape: &[usize], numbers: &[R]) -> Self {
        let single = R::NAME == "F32";
        let mut bytes = Vec::with_capacity(size_of_val(numbers));
        for number in numbers {
            if single {
                bytes.extend_from_slice(&(number.f64() as f32).to_le_bytes());
            } else {
                bytes.extend_from_slice(&number.f64().to_le_bytes());
            }
        }
        Self { name: name.into(), shape: shape.to_vec(), bytes }
    }
}

fn sum<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hasher = XxHash64::with_seed(0);
    parts.into_iter().for_each(|part| hasher.write(part));
    format!("{:016x}", hasher.finish())
}

/// Writes a file of `tensors`, all of number type `R`. With `metadata`, the format, checksums and
/// number type are added to it. The same content always gives the same bytes.
pub(super) fn write<R: Real>(
    path: &Path,
    metadata: Option<BTreeMap<&str, String>>,
    tensors: &[Tensor],
) -> Result<()> {
    let mut header = serde_json::Map::new();
    if let Some(mut metadata) = metadata {
        let sums: BTreeMap<_, _> =
            tensors.iter().map(|tensor| (&tensor.name, sum([&tensor.bytes[..]]))).collect();
        metadata.insert(SUMS, json!(sums).to_string());
        metadata.insert(CHECKSUM, NO_SUM.into());
        metadata.insert(FORMAT, VERSION.to_string());
        header.insert("__metadata__".into(), json!(metadata));
    }
    let mut at = 0;
    for Tensor { name, shape, bytes } in tensors {
        let end = at + bytes.len();
        let entry = json!({ "dtype": R::NAME, "shape": shape, "data_offsets": [at, end] });
        if header.insert(name.clone(), entry).is_some() {
            return Err(Error::config("two tensors have the same name").found(name).in_file(path));
        }
        at = end;
    }
    let mut text = Value::Object(header).to_string().into_bytes();
    text.resize(text.len().next_multiple_of(8), b' ');
    let length = (text.len() as u64).to_le_bytes();
    if let Some(range) = range_of_checksum(&text) {
        let data = tensors.iter().map(|tensor| &tensor.bytes[..]);
        let whole = sum([&length[..], &text].into_iter().chain(data));
        text[range].copy_from_slice(whole.as_bytes());
    }
    let mut parts = vec![&length[..], &text];
    parts.extend(tensors.iter().map(|tensor| &tensor.bytes[..]));
    whole::write(path, &parts)
}

/// The position of the digits of the checksum in a header. The pattern cannot match inside a text,
/// where quotes are escaped.
fn range_of_checksum(header: &[u8]) -> Option<std::ops::Range<usize>> {
    let key = format!("\"{CHECKSUM}\":\"");
    let start = header.windows(key.len()).position(|at| at == key.as_bytes())? + key.len();
    (header.len() >= start + NO_SUM.len()).then_some(start..start + NO_SUM.len())
}

/// A tensor file in memory.
pub(super) struct File {
    path: PathBuf,
    bytes: Vec<u8>,
    /// Offset at which the tensors start.
    data: usize,
    header: Metadata,
}

impl File {
    /// Reads any safetensors file.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self> {
        let bytes = read(path, limits.memory)?;
        let (length, header) =
            SafeTensors::read_metadata(&bytes).map_err(|error| incomplete(error).in_file(path))?;
        Ok(Self { path: path.into(), data: 8 + length, header, bytes })
    }

    /// Reads a checkpoint and verifies its version and checksums.
    pub fn open_ours(path: &Path, limits: &Limits) -> Result<Self> {
        let file = Self::open(path, limits)?;
        if file.text(FORMAT).is_none() {
            return Err(Error::checkpoint("the file is not a checkpoint of LIAF")
                .in_file(path)
                .advice("to use a file of weights, load it into a network"));
        }
        file.verify()?;
        Ok(file)
    }

    /// Verifies the version and the checksums if the file is a checkpoint of this crate.
    pub fn verify(&self) -> Result<()> {
        let Some(version) = self.text(FORMAT) else { return Ok(()) };
        match version.parse::<u32>() {
            Ok(version) if version <= VERSION => {}
            Ok(version) => {
                return Err(Error::checkpoint(
                    "the checkpoint was written by a newer version of LIAF",
                )
                .expected(format!("format {VERSION} or older"))
                .found(format!("format {version}"))
                .in_file(&self.path));
            }
            Err(_) => return Err(self.damaged("format", "a number", version)),
        }
        let header = self.bytes.get(8..self.data).unwrap_or_default();
        let Some(range) = range_of_checksum(header) else {
            return Err(self.damaged("header", "a checksum", "none"));
        };
        let (start, end) = (8 + range.start, 8 + range.end);
        let (before, after) = (&self.bytes[..start], &self.bytes[end..]);
        let (made, found) = (sum([before, NO_SUM.as_bytes(), after]), &self.bytes[start..end]);
        if made.as_bytes() == found {
            return Ok(());
        }
        let sums: BTreeMap<String, String> =
            self.text(SUMS).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        for (name, noted) in &sums {
            let own = self.bytes_of(name).map(|bytes| sum([bytes]));
            if own.as_ref() != Some(noted) {
                let own = own.unwrap_or_else(|| "no such tensor".into());
                return Err(self.damaged(&format!("tensor {name}"), noted, own));
            }
        }
        Err(self.damaged("header", String::from_utf8_lossy(found), made))
    }

    fn damaged(
        &self,
        what: &str,
        expected: impl std::fmt::Display,
        found: impl std::fmt::Display,
    ) -> Error {
        Error::checkpoint(format!("the {what} is damaged"))
            .expected(format!("checksum {expected}"))
            .found(found)
            .in_file(&self.path)
    }

    /// A text of the metadata.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.header.metadata().as_ref()?.get(key).map(String::as_str)
    }

    /// A text of the metadata, parsed as JSON.
    pub fn json<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<T> {
        let text = self.text(key).ok_or_else(|| {
            Error::checkpoint("a part of the metadata is missing").expected(key).in_file(&self.path)
        })?;
        serde_json::from_str(text).map_err(|error| {
            Error::checkpoint(format!("{key} in the metadata is invalid"))
                .expected("JSON of this version")
                .found(error)
                .in_file(&self.path)
        })
    }

    /// Names and shapes of all tensors, and whether their type can be that of weights.
    pub fn tensors(&self) -> BTreeMap<String, (Vec<usize>, bool)> {
        let all = self.header.tensors().into_iter();
        all.map(|(name, info)| {
            let real = matches!(info.dtype, Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::BF16);
            (name, (info.shape.clone(), real))
        })
        .collect()
    }

    fn bytes_of(&self, name: &str) -> Option<&[u8]> {
        let (start, end) = self.header.info(name)?.data_offsets;
        self.bytes.get(self.data..)?.get(start..end)
    }

    /// The numbers of a tensor, converted to `R`, if it has this shape.
    pub fn numbers<R: Real>(&self, name: &str, shape: &[usize]) -> Result<Vec<R>> {
        let missing =
            || Error::checkpoint(format!("the file has no tensor {name}")).in_file(&self.path);
        let info = self.header.info(name).ok_or_else(missing)?;
        let bytes = self.bytes_of(name).ok_or_else(missing)?;
        if info.shape != shape {
            return Err(Error::checkpoint(format!("tensor {name} has the wrong shape"))
                .expected(format!("{shape:?}"))
                .found(format!("{:?}", info.shape))
                .in_file(&self.path));
        }
        Ok(match info.dtype {
            Dtype::F64 => convert(bytes, |b: [u8; 8]| f64::from_le_bytes(b)),
            Dtype::F32 => convert(bytes, |b: [u8; 4]| f64::from(f32::from_le_bytes(b))),
            Dtype::F16 => convert(bytes, |b: [u8; 2]| half(u16::from_le_bytes(b))),
            Dtype::BF16 => convert(bytes, |b: [u8; 2]| {
                f64::from(f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16))
            }),
            other => {
                return Err(Error::checkpoint(format!(
                    "the type of tensor {name} cannot be that of weights"
                ))
                .expected("F64, F32, F16 or BF16")
                .found(format!("{other:?}"))
                .in_file(&self.path));
            }
        })
    }
}

fn convert<R: Real, const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f64) -> Vec<R> {
    let (words, _) = bytes.as_chunks::<N>();
    words.iter().map(|&word| R::of(number(word))).collect()
}

/// A number of IEEE 754 binary16.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 0x3ff));
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    };
    if bits >> 15 == 0 { size } else { -size }
}

/// The longest header of a safetensors file.
const LONGEST_HEADER: u64 = 100 << 20;

/// The bytes of an ordinary file, which must not have more than `limit` of them. The header is read
/// first: a file whose tensors are not as long as its header says is not read to the end.
fn read(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let fail = |error| Error::system("cannot read", error).in_file(path);
    let metadata = std::fs::metadata(path).map_err(fail)?;
    if !metadata.is_file() {
        return Err(Error::checkpoint("the path is not an ordinary file").in_file(path));
    }
    let size = metadata.len();
    let mut file = std::fs::File::open(path).map_err(fail)?.take(size);
    let mut bytes = Vec::new();
    file.by_ref().take(8).read_to_end(&mut bytes).map_err(fail)?;
    if let Ok(length) = <[u8; 8]>::try_from(&bytes[..]).map(u64::from_le_bytes)
        && length <= LONGEST_HEADER.min(size - 8)
    {
        file.by_ref().take(length).read_to_end(&mut bytes).map_err(fail)?;
        let header: Metadata = serde_json::from_slice(&bytes[8..]).map_err(|error| {
            incomplete(format!("a header that is not valid: {error}")).in_file(path)
        })?;
        let (said, found) = ((header.data_len() as u64).saturating_add(8 + length), size);
        if said != found {
            return Err(incomplete(format!("{found} bytes in place of {said}")).in_file(path));
        }
    } else {
        return Err(incomplete("no header").in_file(path));
    }
    Limits::check("the file is too large", size, limit).map_err(|error| error.in_file(path))?;
    let rest = usize::try_from(size).unwrap_or(usize::MAX) - bytes.len();
    bytes.try_reserve_exact(rest).map_err(|error| fail(std::io::Error::other(error)))?;
    file.read_to_end(&mut bytes).map_err(fail)?;
    Ok(bytes)
}

fn incomplete(found: impl std::fmt::Display) -> Error {
    Error::checkpoint("the file is not a complete safetensors file").found(found)
}

#[cfg(test)]
mod tests {
    use super::half;

    #[test]
    fn half_precision_is_read_as_ieee_754_says() {
        for (bits, number) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0001, 2f64.powi(-24)),
            (0x0400, 2f64.powi(-14)),
            (0x3555, 0.333251953125),
            (0x8000, -0.0),
            (0x7c00, f64::INFINITY),
        ] {
            assert_eq!(half(bits).to_bits(), number.to_bits(), "{bits:x}");
        }
        assert!(half(0x7e00).is_nan());
    }
}
