//! Writing files of named tensors.

mod check;
mod column;
#[cfg(feature = "hdf5")]
mod h5;
mod layout;
mod npy;
mod npz;
mod safetensors;
mod texts;

use std::path::{Path, PathBuf};

use super::element::sealed::Coded;
use super::{Container, Element, ElementType, TensorOptions};
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::io::{AtomicFile, Spool};
use crate::limits::Limits;
use column::Column;
pub use column::{Rows, TensorId};
use layout::{Layout, Plan};

/// Number of bytes of elements that are encoded at a time.
const PIECE: usize = 256 << 10;

/// Writes a file of named tensors: `.npz`, `.safetensors`, `.h5` (with the feature `hdf5`), or `.npy`
/// with a single tensor. The file appears under its name when it is complete, or not at all.
///
/// Tensors are added first; then their rows are appended, a few at a time and in any order of
/// tensors. Several tensors can grow at the same time in bounded memory: the first one that was
/// added with [`Rows::Growing`] is written straight into the file, and each of the others waits in
/// at most 1 MiB of memory and then in a temporary file without a name. The largest tensor should
/// therefore be the first of those that grow. Tensors can be added until the first rows of that one
/// are appended. In `.h5`, no tensor waits: each is written in chunks of up to 1 MiB, which are
/// compressed as the options say.
///
/// Labels and lengths of samples, beside their frames:
///
/// ```
/// use liaf_data::Limits;
/// use liaf_data::tensor::{Container, ElementType, Rows, TensorFile, TensorFileWriter, TensorOptions};
///
/// # fn main() -> liaf_data::Result<()> {
/// # let folder = tempfile::tempdir().expect("folder");
/// # let path = folder.path().join("samples.npz");
/// let options = TensorOptions::default();
/// let mut file = TensorFileWriter::create(&path, Container::Npz, &options)?;
/// let frames = file.add("frames", ElementType::U8, Rows::Growing, &[2, 3, 4])?;
/// let labels = file.add("labels", ElementType::I64, Rows::Growing, &[])?;
/// let lengths = file.add("lengths", ElementType::U32, Rows::Growing, &[])?;
/// for (label, length) in [(7i64, 5usize), (3, 9)] {
///     file.append(frames, &vec![1u8; length * 2 * 3 * 4])?;
///     file.append(labels, &[label])?;
///     file.append(lengths, &[length as u32])?;
/// }
/// file.finish()?;
///
/// let file = TensorFile::open(&path, &Limits::default())?;
/// assert_eq!(file.get("frames")?.shape(), [14, 2, 3, 4]);
/// assert_eq!(file.get("labels")?.to_vec::<i64>()?, [7, 3]);
/// # Ok(())
/// # }
/// ```
///
/// A ragged array is a tensor of all values, one list after another, and a tensor of offsets: list
/// `k` is `values[offsets[k]..offsets[k + 1]]`. Sparse arrays are written in the same way, with one
/// tensor of indices and one of values.
///
/// ```
/// use liaf_data::tensor::{Container, ElementType, Rows, TensorFileWriter, TensorOptions};
///
/// # fn main() -> liaf_data::Result<()> {
/// # let folder = tempfile::tempdir().expect("folder");
/// # let path = folder.path().join("ragged.safetensors");
/// let options = TensorOptions::default();
/// let mut file = TensorFileWriter::create(&path, Container::Safetensors, &options)?;
/// file.set_provenance(r#"{"made":"by hand"}"#)?;
/// let values = file.add("values", ElementType::F32, Rows::Growing, &[])?;
/// let offsets = file.add("offsets", ElementType::I64, Rows::Growing, &[])?;
/// let mut end = 0;
/// file.append(offsets, &[end])?;
/// for list in [&[0.5f32, 1.5][..], &[], &[2.5]] {
///     file.append(values, list)?;
///     end += list.len() as i64;
///     file.append(offsets, &[end])?;
/// }
/// file.finish()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TensorFileWriter {
    out: Out,
    columns: Vec<Column>,
    /// Index of the tensor that is written straight into the file.
    streamed: Option<usize>,
    provenance: Option<String>,
    started: bool,
    /// Whether an earlier write failed, so that bytes are missing.
    broken: bool,
    limits: Limits,
    path: PathBuf,
    /// Total number of bytes that are in the tensors, or will be in those of fixed size.
    bytes: u64,
    buffer: Vec<u8>,
}

/// The file, and where in it the bytes of tensors go.
#[derive(Debug)]
enum Out {
    /// One tensor is written straight into the file, and the others after it.
    Ordered { file: AtomicFile, layout: Box<dyn Layout> },
    /// Every tensor is written straight into the file, in chunks.
    #[cfg(feature = "hdf5")]
    Chunked(Box<h5::H5Tensors>),
}

impl Out {
    fn create(path: &Path, container: Container, options: &TensorOptions) -> Result<Self> {
        let layout: Box<dyn Layout> = match container {
            Container::Npz => Box::new(npz::NpzLayout::new(options)),
            Container::Npy => Box::<npy::NpyLayout>::default(),
            Container::Safetensors => Box::<safetensors::SafetensorsLayout>::default(),
            #[cfg(feature = "hdf5")]
            Container::H5 => {
                return Ok(Self::Chunked(Box::new(h5::H5Tensors::create(path, options)?)));
            }
            #[cfg(not(feature = "hdf5"))]
            Container::H5 => {
                return Err(Error::unsupported("this build cannot write HDF5")
                    .advice("write .npz or .safetensors")
                    .hint(Hint::EnableFeature { name: "hdf5".into() }));
            }
        };
        let file = AtomicFile::create(path, options.overwrite, options.sync)?;
        Ok(Self::Ordered { file, layout })
    }
}

impl TensorFileWriter {
    /// Starts a file that will be named `path`.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the options are not valid, or if the file
    /// exists and must not be replaced; [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported)
    /// for `.h5` without the feature `hdf5`; [`ErrorKind::System`](crate::ErrorKind::System) if the folder cannot be written.
    pub fn create(
        path: impl AsRef<Path>,
        container: Container,
        options: &TensorOptions,
    ) -> Result<Self> {
        let path = path.as_ref();
        options.check().map_err(|error| error.in_file(path))?;
        let out = Out::create(path, container, options).map_err(|error| error.in_file(path))?;
        Ok(Self {
            out,
            columns: Vec::new(),
            streamed: None,
            provenance: None,
            started: false,
            broken: false,
            limits: options.limits,
            path: path.to_path_buf(),
            bytes: 0,
            buffer: Vec::new(),
        })
    }

    /// Stores `text`, usually JSON, that says how the file was made. In `.safetensors` it is the
    /// metadata `liaf`, in `.h5` an attribute of the root of this name, in `.npz` it is a `u8` array
    /// of this name, which `bytes(archive["liaf"])` returns in Python; `.npy` has no room for it, and
    /// it is left out.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if writing has begun, or for a zero character,
    /// which ends texts in HDF5, in a file for `.h5`.
    pub fn set_provenance(&mut self, text: impl Into<String>) -> Result<()> {
        self.check_not_started("the provenance must be set before any rows")?;
        let text = text.into();
        if !matches!(self.out, Out::Ordered { .. }) && text.contains('\0') {
            return Err(Error::caller("the provenance holds a zero character").in_file(&self.path));
        }
        self.provenance = Some(text);
        Ok(())
    }

    /// Adds a tensor with rows of shape `row`: its whole shape is `[rows, row…]`, or `row` for
    /// [`Rows::Single`].
    ///
    /// The name must be usable as the name of a file. The names `__metadata__`, `liaf` and `padding`
    /// are reserved.
    ///
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) for a name that is not allowed or already used,
    /// for an invalid shape, for a second tensor in `.npy`, or if rows of the first growing tensor have
    /// been appended; [`ErrorKind::Limit`](crate::ErrorKind::Limit) if the tensor is larger than the
    /// limits allow.
    pub fn add(
        &mut self,
        name: &str,
        element: ElementType,
        rows: Rows,
        row: &[usize],
    ) -> Result<TensorId> {
        self.check_not_started("tensors must be added before any rows")?;
        let column = check::column(name, element, rows, row).map_err(|e| e.in_file(&self.path))?;
        self.check_free(name)?;
        let holds_one = matches!(&self.out, Out::Ordered { layout, .. } if layout.holds_one());
        if holds_one && !self.columns.is_empty() {
            return Err(Error::caller("a .npy file can hold only one tensor")
                .found(format!("a second one, {name}"))
                .advice("write .npz or .safetensors")
                .in_file(&self.path));
        }
        let fixed_bytes = column.fixed_bytes().unwrap_or(0);
        self.claim(fixed_bytes)?;
        let id = self.columns.len();
        let is_streamed = self.streamed.is_none() && (rows == Rows::Growing || holds_one);
        let mut column = column;
        match &mut self.out {
            Out::Ordered { file, .. } if !is_streamed => {
                column.spool = Some(Spool::new(file.target()));
            }
            Out::Ordered { .. } => {}
            #[cfg(feature = "hdf5")]
            Out::Chunked(tensors) => {
                tensors.add(&column).map_err(|error| {
                    self.bytes -= fixed_bytes;
                    error.in_file(&self.path)
                })?;
            }
        }
        if is_streamed {
            self.streamed = Some(id);
        }
        self.columns.push(column);
        Ok(TensorId(id))
    }

    /// Appends rows to a tensor: `values` are their elements in row-major order.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if `T` is not the type of the tensor, if the
    /// values are not a whole number of rows, or if there are more of them than the tensor can have;
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) if the file would be larger than the limits allow;
    /// [`ErrorKind::System`](crate::ErrorKind::System) if they cannot be written. After an error of the
    /// first two kinds the file is unchanged, and writing can continue.
    pub fn append<T: Element>(&mut self, tensor: TensorId, values: &[T]) -> Result<()> {
        self.check_append(tensor, Some(T::TYPE), size_of_val(values))?;
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(PIECE.min(size_of_val(values)).max(buffer.len()), 0);
        let outcome = values.chunks(PIECE / T::TYPE.bytes()).try_for_each(|values| {
            let bytes = &mut buffer[..size_of_val(values)];
            <T as Coded>::put(values, bytes);
            self.put(tensor, bytes)
        });
        self.buffer = buffer;
        outcome
    }

    /// Appends rows to a tensor, whatever its type: `bytes` are their elements in row-major order,
    /// little-endian.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn append_bytes(&mut self, tensor: TensorId, bytes: &[u8]) -> Result<()> {
        self.check_append(tensor, None, bytes.len())?;
        self.put(tensor, bytes)
    }

    /// Adds a whole tensor of this `shape` and appends its elements. An empty shape is that of a
    /// scalar.
    ///
    /// ```
    /// use liaf_data::tensor::{Container, TensorFileWriter, TensorOptions};
    /// # fn main() -> liaf_data::Result<()> {
    /// # let folder = tempfile::tempdir().expect("folder");
    /// # let path = folder.path().join("a.npz");
    /// let options = TensorOptions::default();
    /// let mut file = TensorFileWriter::create(&path, Container::Npz, &options)?;
    /// file.write("labels", &[3], &[4i64, 2, 2])?;
    /// file.write("weights", &[2, 2], &[0.5f32, 1.5, 2.5, 3.5])?;
    /// file.finish()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`add`](Self::add) and [`append`](Self::append), and
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if the shape has another number of elements.
    pub fn write<T: Element>(
        &mut self,
        name: &str,
        shape: &[usize],
        values: &[T],
    ) -> Result<TensorId> {
        let elements = shape.iter().try_fold(1usize, |n, &side| n.checked_mul(side));
        if elements != Some(values.len()) {
            return Err(Error::caller("the shape does not agree with the number of elements")
                .expected(values.len())
                .found(format!("{shape:?}"))
                .in_file(&self.path));
        }
        let (rows, row) = match shape {
            [rows, row @ ..] => (Rows::Fixed(*rows), row),
            [] => (Rows::Single, shape),
        };
        let id = self.add(name, T::TYPE, rows, row)?;
        self.append(id, values)?;
        Ok(id)
    }

    /// Completes the file, moves it to its final name and returns its size in bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`](crate::ErrorKind::Caller) if a tensor of fixed size is not complete, or
    /// if there is no tensor for a `.npy` file; [`ErrorKind::System`](crate::ErrorKind::System) if
    /// the file cannot be completed. A file that had this name before is left unchanged.
    pub fn finish(mut self) -> Result<u64> {
        self.check_whole()?;
        for column in &self.columns {
            if column.fixed_bytes().is_some_and(|bytes| bytes != column.bytes) {
                return Err(Error::caller("a tensor is incomplete")
                    .expected(format!("{:?} in {}", column.shape(), column.name))
                    .found(format!("{} bytes", column.bytes))
                    .in_file(&self.path));
            }
        }
        self.start()?;
        let Self { out, mut columns, streamed, provenance, path, .. } = self;
        let provenance = provenance.as_deref();
        let finished = match out {
            Out::Ordered { mut file, mut layout } => {
                let spools: Vec<_> = columns.iter_mut().map(|column| column.spool.take()).collect();
                let plan = Plan { columns: &columns, streamed, provenance };
                layout.finish(&mut file, &plan, spools).and_then(|()| file.finish())
            }
            #[cfg(feature = "hdf5")]
            Out::Chunked(tensors) => tensors.finish(provenance),
        };
        finished.map_err(|error| error.in_file(path))
    }

    /// Writes what comes before the first row of the streamed tensor. Nothing can be added after
    /// that.
    pub(super) fn start(&mut self) -> Result<()> {
        if self.started {
            return Ok(());
        }
        self.started = true;
        let Self { out, columns, streamed, provenance, .. } = self;
        let plan = Plan { columns, streamed: *streamed, provenance: provenance.as_deref() };
        let outcome = match out {
            Out::Ordered { file, layout } => layout.start(file, &plan),
            // The order of the file does not depend on what is known at the start.
            #[cfg(feature = "hdf5")]
            Out::Chunked(_) => Ok(()),
        };
        self.broken |= outcome.is_err();
        outcome.map_err(|error| error.in_file(&self.path))
    }

    fn put(&mut self, tensor: TensorId, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        if self.streamed == Some(tensor.0) {
            self.start()?;
        }
        let column = &mut self.columns[tensor.0];
        let outcome = match (&mut self.out, &mut column.spool) {
            (Out::Ordered { .. }, Some(spool)) => spool.append(bytes),
            (Out::Ordered { file, layout }, None) => layout.append(file, bytes),
            #[cfg(feature = "hdf5")]
            (Out::Chunked(tensors), _) => tensors.append(tensor.0, column, bytes),
        };
        column.bytes += bytes.len() as u64;
        self.broken |= outcome.is_err();
        outcome.map_err(|error| error.in_file(&self.path))
    }

    /// Checks that `bytes` bytes of this type can be appended, and counts them.
    fn check_append(
        &mut self,
        tensor: TensorId,
        element: Option<ElementType>,
        bytes: usize,
    ) -> Result<()> {
        self.check_whole()?;
        let column = self.columns.get(tensor.0).ok_or_else(|| {
            Error::caller("the tensor belongs to another file").found(tensor.0).in_file(&self.path)
        })?;
        check::append(column, element, bytes as u64).map_err(|error| error.in_file(&self.path))?;
        if column.rows == Rows::Growing {
            self.claim(bytes as u64)?;
        }
        Ok(())
    }

    /// Counts bytes, unless that makes the file too large.
    fn claim(&mut self, bytes: u64) -> Result<()> {
        let total = self.bytes.saturating_add(bytes);
        if total > self.limits.output_bytes {
            return Err(Error::limit("the tensors are too large")
                .expected(format!("at most {} bytes", self.limits.output_bytes))
                .found(format!("{total} bytes"))
                .hint(Hint::raise("output_bytes", None))
                .in_file(&self.path));
        }
        self.bytes = total;
        Ok(())
    }

    fn check_free(&self, name: &str) -> Result<()> {
        if self.columns.iter().any(|other| other.name == name) {
            return Err(Error::caller("there is already a tensor with this name")
                .found(name)
                .in_file(&self.path));
        }
        Ok(())
    }

    fn check_not_started(&self, what: &str) -> Result<()> {
        self.check_whole()?;
        if self.started {
            return Err(Error::caller(what)
                .expected("all tensors before the first rows")
                .in_file(&self.path));
        }
        Ok(())
    }

    fn check_whole(&self) -> Result<()> {
        if self.broken {
            let cause = std::io::Error::other("an earlier write failed");
            return Err(Error::system("cannot write", cause).in_file(&self.path));
        }
        Ok(())
    }
}
