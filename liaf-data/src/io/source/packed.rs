//! What is packed in another source, by gzip for example. It is unpacked while it is read.

use std::env;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::time::SystemTime;

use super::{ByteSource, Kind, Stamp};
use crate::error::{Error, ErrorKind, Result};
use crate::io::AtomicFile;

/// Up to this many bytes, what is unpacked as a whole is kept in memory.
const MEMORY: usize = 1 << 20;
/// Number of bytes that are unpacked at a time where all of them are needed.
const STEP: usize = 256 << 10;

/// A way to pack bytes. It makes readers of what is packed.
pub(crate) trait Wrapper: Send + Sync {
    /// The name of the program or format, as in `gzip`.
    fn name(&self) -> &'static str;

    /// Starts to unpack `source`, which is at its beginning.
    ///
    /// # Errors
    /// If `source` cannot be read.
    fn unpack(&self, source: ByteSource) -> Result<Box<dyn Unpack>>;
}

/// Unpacks the bytes of a source in order.
pub(crate) trait Unpack: Send {
    /// Writes the next bytes to `buffer`, at least one, and returns their number; 0 at the end, and
    /// where the packed bytes are damaged.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`] if they are too many, and those of reading the source.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize>;

    /// What is wrong with the packed bytes, if unpacking has met it.
    fn damage(&self) -> Option<&Damage>;

    /// Remarks on how reading the source went.
    fn notes(&self) -> &[String];
}

/// Why unpacking ended early, or what follows the packed bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage {
    pub kind: ErrorKind,
    pub what: String,
    /// Offset in the file that is unpacked.
    pub offset: u64,
    /// Number of bytes that were unpacked before.
    pub unpacked: u64,
}

impl Damage {
    /// The error of a strict reader.
    pub fn error(&self) -> Error {
        Error::new(self.kind, self.what.clone()).at(self.offset)
    }

    /// What a lenient reader says.
    pub fn note(&self) -> String {
        let Self { what, offset, .. } = self;
        format!("{what} at byte {offset} of the packed file: what comes before it is read")
    }
}

/// What is known about the file around unpacked bytes.
#[derive(Debug)]
pub(crate) struct Wrapped {
    /// The name of the program or format, as in `gzip`.
    pub by: &'static str,
    /// The name of what was packed, if it is known.
    pub name: Option<PathBuf>,
    /// Size of the packed file; `None` for a pipe.
    pub bytes: Option<u64>,
    /// Modification time of the packed file.
    pub modified: Option<SystemTime>,
}

/// A reader of what is packed, at some position.
pub(super) struct Packed {
    /// The packed source, to start again; `None` if it can be read only once.
    origin: Option<ByteSource>,
    wrapper: Arc<dyn Wrapper>,
    unpack: Box<dyn Unpack>,
    /// Bytes that were unpacked in advance, and have not been taken.
    peeked: Vec<u8>,
    buffer: Vec<u8>,
    /// An error that occurred after the bytes that were returned last.
    failed: Option<Error>,
}

impl Packed {
    pub fn new(source: ByteSource, wrapper: Arc<dyn Wrapper>) -> Result<Self> {
        let (origin, cursor) = match source.again() {
            Ok(cursor) => (Some(source), cursor),
            Err(_) => (None, source),
        };
        let unpack = wrapper.unpack(cursor)?;
        let (peeked, buffer) = (Vec::new(), Vec::new());
        Ok(Self { origin, wrapper, unpack, peeked, buffer, failed: None })
    }

    /// Another reader of the same bytes, at their beginning.
    pub fn again(&self) -> Result<Self> {
        let Some(origin) = &self.origin else {
            return Err(Error::caller("a pipe cannot be read twice").advice("name a file"));
        };
        Self::new(origin.again()?, self.wrapper.clone())
    }

    pub fn damage(&self) -> Option<&Damage> {
        self.unpack.damage()
    }

    pub fn notes(&self) -> &[String] {
        self.unpack.notes()
    }

    /// A copy of the first bytes, at most `max`.
    pub fn head(&mut self, max: usize) -> Result<Vec<u8>> {
        while self.peeked.len() < max {
            let known = self.peeked.len();
            self.peeked.resize(max.min(known + STEP), 0);
            let read = self.unpack.read(&mut self.peeked[known..]);
            self.peeked.truncate(known + *read.as_ref().unwrap_or(&0));
            if read? == 0 {
                break;
            }
        }
        Ok(self.peeked[..max.min(self.peeked.len())].to_vec())
    }

    /// The next `max` bytes, or those up to the end; none at the end.
    pub fn next(&mut self, max: usize) -> Result<&[u8]> {
        if !self.peeked.is_empty() {
            let rest = self.peeked.split_off(max.min(self.peeked.len()));
            self.buffer = std::mem::replace(&mut self.peeked, rest);
            return Ok(&self.buffer);
        }
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        // Decoders on several threads need many bytes at a time.
        self.buffer.resize(max, 0);
        let mut filled = 0;
        while filled < max {
            match self.unpack.read(&mut self.buffer[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if filled == 0 => return Err(error),
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            }
        }
        Ok(&self.buffer[..filled])
    }

    /// Unpacks the rest, into memory or to a file without a name in the folder for temporary files.
    /// Nothing may have been taken before.
    pub fn unpack_all(&mut self) -> Result<(Kind, Option<Stamp>)> {
        let mut memory = self.head(MEMORY + 1)?;
        self.peeked.clear();
        if memory.len() <= MEMORY {
            return Ok((Kind::Memory(memory.into()), None));
        }
        let name = format!("liaf-unpacked-{}", process::id());
        let mut file = AtomicFile::scratch(&env::temp_dir().join(name))?;
        file.append(&memory)?;
        memory.resize(STEP, 0);
        loop {
            let read = self.unpack.read(&mut memory)?;
            if read == 0 {
                break;
            }
            file.append(&memory[..read])?;
        }
        let file = file.into_file()?;
        let stamp = Stamp::of(&file).map_err(|error| Error::system("cannot open", error))?;
        Ok((Kind::Read { file: Arc::new(file), buffer: Vec::new() }, Some(stamp)))
    }
}

/// The name of what is packed in the file `path`, if its extension is that of a packed file: the name
/// without this extension. `events.csv` for `events.csv.gz`; for `events.tgz` and other short forms there
/// is no such name.
///
/// ```
/// use std::path::Path;
/// use liaf_data::io::unpacked_name;
///
/// assert_eq!(unpacked_name("day/events.csv.gz"), Some(Path::new("day/events.csv").into()));
/// assert_eq!(unpacked_name("day/events.csv"), None);
/// ```
pub fn unpacked_name(path: impl AsRef<Path>) -> Option<PathBuf> {
    const EXTENSIONS: [&str; 5] = ["gz", "zst", "xz", "bz2", "zip"];
    let path = path.as_ref();
    let extension = path.extension()?.to_str()?;
    EXTENSIONS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(extension))
        .then(|| path.with_extension(""))
}
