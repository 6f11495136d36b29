//! Encoding of events as Parquet, in row groups.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{DataType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;

use crate::codec::{self, Capabilities, Make, Target, WriteOptions};
use crate::codec::{EventSpec, EventWriter, Written, check_size};
use crate::error::{Error, Result};
use crate::io::AtomicFile;
use crate::limits::Limits;
use crate::model::EventBatch;

pub(crate) static TARGET: Target = Target {
    name: "parquet",
    title: "Parquet",
    extension: "parquet",
    claims: &["parquet"],
    compressions: &[codec::Compression::Zstd, codec::Compression::None],
    capabilities: Capabilities::ANYTHING,
    make: Make::Writer(|path, spec, options| {
        Ok(Box::new(ParquetWriter::create(path, spec, options)?))
    }),
};

const SCHEMA: &str = "message events {
    REQUIRED INT64 t;
    REQUIRED INT32 x (INTEGER(16, false));
    REQUIRED INT32 y (INTEGER(16, false));
    REQUIRED INT32 p (INTEGER(8, true));
}";
/// Number of events in a row group. They wait in memory until it is full, because its columns are
/// stored one after another.
const GROUP: usize = 1 << 18;

/// Writes a row group whenever there are enough events.
struct ParquetWriter {
    writer: SerializedFileWriter<Out>,
    path: PathBuf,
    waiting: EventBatch,
    events: u64,
    limits: Limits,
}

impl ParquetWriter {
    fn create(path: &Path, spec: &EventSpec, options: &WriteOptions) -> Result<Self> {
        let refused = |error: ParquetError| failed(None, error).in_file(path);
        let schema = Arc::new(parse_message_type(SCHEMA).map_err(refused)?);
        let compression = match options.compression {
            Some(codec::Compression::None) => Compression::UNCOMPRESSED,
            _ => Compression::ZSTD(ZstdLevel::default()),
        };
        let mut notes = vec![
            KeyValue::new("width".to_owned(), spec.sensor.width.to_string()),
            KeyValue::new("height".to_owned(), spec.sensor.height.to_string()),
        ];
        if let Some(t_offset) = spec.t_offset {
            notes.push(KeyValue::new("t_offset".to_owned(), t_offset.to_string()));
        }
        if !spec.provenance.is_empty() {
            notes.push(KeyValue::new("liaf".to_owned(), spec.provenance.clone()));
        }
        let time = ColumnPath::from("t");
        let properties = WriterProperties::builder()
            .set_compression(compression)
            .set_column_dictionary_enabled(time.clone(), false)
            .set_column_encoding(time, Encoding::DELTA_BINARY_PACKED)
            .set_created_by(concat!("liaf version ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_key_value_metadata(Some(notes))
            .build();
        let file = AtomicFile::create(path, options.overwrite, options.sync)?;
        let out = Out { file: Some(file), failed: None };
        let writer =
            SerializedFileWriter::new(out, schema, Arc::new(properties)).map_err(refused)?;
        let (path, waiting) = (path.to_path_buf(), EventBatch::new());
        Ok(Self { writer, path, waiting, events: 0, limits: options.limits })
    }

    /// Writes the waiting events as a row group.
    fn flush(&mut self) -> Result<()> {
        let events = &self.waiting;
        let wide = |column: &[u16]| column.iter().copied().map(i32::from).collect::<Vec<_>>();
        let p: Vec<_> = events.p.iter().map(|p| i32::from(p & 1)).collect();
        let written = self.writer.next_row_group().and_then(|mut group| {
            column::<Int64Type>(&mut group, &events.t)?;
            column::<Int32Type>(&mut group, &wide(&events.x))?;
            column::<Int32Type>(&mut group, &wide(&events.y))?;
            column::<Int32Type>(&mut group, &p)?;
            group.close()
        });
        if let Err(error) = written {
            return Err(failed(Some(self.writer.inner_mut()), error).in_file(&self.path));
        }
        self.events += self.waiting.len() as u64;
        self.waiting.clear();
        check_size(self.writer.bytes_written() as u64, &self.limits, &self.path)
    }
}

/// Writes the next column of a row group.
fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Out>,
    values: &[T::T],
) -> parquet::errors::Result<()> {
    let missing = || ParquetError::General("a column is missing in the schema".to_owned());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    column.typed::<T>().write_batch(values, None, None)?;
    column.close()
}

impl EventWriter for ParquetWriter {
    fn write(&mut self, events: &EventBatch) -> Result<()> {
        let mut from = 0;
        while from < events.len() {
            let to = events.len().min(from + GROUP - self.waiting.len());
            self.waiting.extend_from(&events[from..to]);
            from = to;
            if self.waiting.len() == GROUP {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Written> {
        if !self.waiting.is_empty() {
            self.flush()?;
        }
        let Self { mut writer, path, events, .. } = *self;
        let finished = writer.finish();
        let out = writer.inner_mut();
        match (finished, out.file.take()) {
            (Ok(_), Some(file)) => Ok(Written::new(events, file.finish()?)),
            (Err(error), _) => Err(failed(Some(out), error).in_file(&path)),
            (_, None) => Err(failed(None, no_file().into()).in_file(&path)),
        }
    }
}

/// The file as the library writes it. An error of the file is kept here, with its path.
struct Out {
    /// `None` once the file is complete.
    file: Option<AtomicFile>,
    failed: Option<Error>,
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_mut().ok_or_else(no_file)?.append(bytes).map_err(|error| {
            let told = io::Error::other(error.to_string());
            self.failed.get_or_insert(error);
            told
        })?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn no_file() -> io::Error {
    io::Error::other("the file is complete")
}

/// The error that occurred: that of the file if there is one, otherwise that of the library.
fn failed(out: Option<&mut Out>, error: ParquetError) -> Error {
    out.and_then(|out| out.failed.take())
        .unwrap_or_else(|| Error::system("cannot write Parquet", io::Error::other(error)))
}
