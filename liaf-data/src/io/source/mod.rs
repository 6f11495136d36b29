//! Sources of bytes: a mapped file, a file read with positioned reads, memory, a forward-only
//! stream, or what is packed in another source.
//!
//! If a mapped file shrinks, its reader is killed by SIGBUS. A file is therefore mapped only under
//! a read lease of the kernel (Linux `fcntl(2)`, `F_SETLEASE`): another program that wants to write
//! or truncate the file waits for a moment until the current slice has been processed and the lease
//! is released, and from then on the file is read with positioned reads. If no lease can be
//! obtained, files are read that way from the start. In both cases a file that shrinks causes an
//! error with an offset, never a signal.

#[cfg(target_os = "linux")]
mod lease;
#[cfg(not(target_os = "linux"))]
#[path = "no_lease.rs"]
mod lease;
mod mapped;
mod packed;
mod positioned;
mod random;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crate::error::{Error, ErrorKind, Result};
use mapped::{Mapped, Visit};
pub use packed::unpacked_name;
pub(crate) use packed::{Damage, Unpack, Wrapper};
use packed::{Packed, Wrapped};
use random::read_fully_at;

/// Whether a file is mapped into memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MapChoice(Choice);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Choice {
    #[default]
    Leased,
    Never,
    Always,
}

impl MapChoice {
    /// Map a file if a read lease is granted, otherwise read it. This is the default.
    pub const LEASED: Self = Self(Choice::Leased);
    /// Always use positioned reads.
    pub const NEVER: Self = Self(Choice::Never);

    /// Map files even without a lease.
    ///
    /// # Safety
    /// Nobody may truncate or overwrite the file while it is open here: accessing a page that no
    /// longer exists kills the process with SIGBUS.
    #[expect(unsafe_code, reason = "only the caller knows who else writes the file")]
    pub const unsafe fn always() -> Self {
        Self(Choice::Always)
    }
}

/// The bytes of a recording.
#[derive(Debug)]
pub struct ByteSource {
    kind: Kind,
    path: Option<PathBuf>,
    position: u64,
    stamp: Option<Stamp>,
    notes: Vec<String>,
    /// The file around the bytes, if they were unpacked.
    wrapped: Option<Arc<Wrapped>>,
    /// What is wrong with that file, if all of it has been unpacked.
    damage: Option<Damage>,
}

enum Kind {
    Mapped { mapped: Arc<Mapped>, released: usize },
    Read { file: Arc<File>, buffer: Vec<u8> },
    Memory(Arc<[u8]>),
    Stream { reader: Box<dyn Read + Send>, peeked: Vec<u8>, buffer: Vec<u8> },
    Packed(Box<Packed>),
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Mapped { .. } => "Mapped",
            Self::Read { .. } => "Read",
            Self::Memory(_) => "Memory",
            Self::Stream { .. } => "Stream",
            Self::Packed(_) => "Packed",
        })
    }
}

/// Length and modification time of the file when it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    len: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    fn of(file: &File) -> io::Result<Self> {
        let meta = file.metadata()?;
        Ok(Self { len: meta.len(), modified: meta.modified().ok() })
    }
}

impl ByteSource {
    /// Opens a file, or standard input if `path` is `-`.
    ///
    /// Regular files are mapped or read as `map` says; pipes and devices become forward-only
    /// streams.
    ///
    /// # Errors
    /// [`ErrorKind::System`] if it cannot be opened, [`ErrorKind::Caller`] for a folder.
    pub fn open(path: impl AsRef<Path>, map: MapChoice) -> Result<Self> {
        let path = path.as_ref();
        if path.as_os_str() == "-" {
            return Ok(Self { path: Some("-".into()), ..Self::from_reader(io::stdin()) });
        }
        Self::open_file(path, map).map_err(|error| error.in_file(path))
    }

    fn open_file(path: &Path, map: MapChoice) -> Result<Self> {
        let cannot = |error| Error::system("cannot open", error);
        let meta = fs::metadata(path).map_err(|error| match fs::read_link(path) {
            Ok(target) if error.kind() == io::ErrorKind::NotFound => {
                Error::system("the link leads to a file that does not exist", error)
                    .found(target.display())
            }
            _ => cannot(error),
        })?;
        if meta.is_dir() {
            return Err(Error::caller("the path is a folder").advice("name a file in it"));
        }
        let file = File::open(path).map_err(cannot)?;
        #[cfg(test)]
        OPENS.with(|opens| opens.set(opens.get() + 1));
        if !meta.is_file() {
            return Ok(Self { path: Some(path.into()), ..Self::from_reader(file) });
        }
        let stamp = Stamp::of(&file).map_err(cannot)?;
        let kind = match map.0 {
            Choice::Never => Err(file),
            Choice::Leased => Mapped::leased(file, stamp.len),
            Choice::Always => Mapped::unguarded(file, stamp.len),
        };
        let kind = match kind {
            Ok(mapped) => Kind::Mapped { mapped: Arc::new(mapped), released: 0 },
            Err(file) => Kind::Read { file: Arc::new(file), buffer: Vec::new() },
        };
        Ok(Self { path: Some(path.into()), stamp: Some(stamp), ..Self::of(kind) })
    }

    /// A source of bytes that are already in memory.
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self::of(Kind::Memory(bytes.into()))
    }

    fn of(kind: Kind) -> Self {
        let (path, position, stamp, notes) = (None, 0, None, Vec::new());
        Self { kind, path, position, stamp, notes, wrapped: None, damage: None }
    }

    /// A source that can only be read forward, such as a pipe, a socket or standard input.
    pub fn from_reader(reader: impl Read + Send + 'static) -> Self {
        let kind =
            Kind::Stream { reader: Box::new(reader), peeked: Vec::new(), buffer: Vec::new() };
        Self::of(kind)
    }

    /// Another cursor over the same open file or the same memory, at its beginning. Nothing is
    /// opened again, so that both see the same bytes even if another file has taken the name in the
    /// meantime.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`] for a stream, which cannot be read twice.
    pub fn again(&self) -> Result<Self> {
        let kind = match &self.kind {
            Kind::Mapped { mapped, .. } => Kind::Mapped { mapped: mapped.clone(), released: 0 },
            Kind::Read { file, .. } => Kind::Read { file: file.clone(), buffer: Vec::new() },
            Kind::Memory(bytes) => Kind::Memory(bytes.clone()),
            Kind::Stream { .. } => {
                return Err(Error::caller("a pipe cannot be read twice").advice("name a file"));
            }
            Kind::Packed(packed) => Kind::Packed(Box::new(packed.again()?)),
        };
        Ok(Self {
            path: self.path.clone(),
            stamp: self.stamp,
            wrapped: self.wrapped.clone(),
            damage: self.damage.clone(),
            ..Self::of(kind)
        })
    }

    /// The file's path, if it has one.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// What is packed in `source` by the program that `wrapper` undoes. It is unpacked while it is read:
    /// in order, as often as `source` can be read, and in any order after [`hold`](Self::hold).
    /// `name` is the name of what is unpacked, by which formats without a header are recognised.
    ///
    /// # Errors
    /// If `source` cannot be read.
    pub(crate) fn packed(
        source: Self,
        wrapper: Arc<dyn Wrapper>,
        name: Option<PathBuf>,
    ) -> Result<Self> {
        let path = source.path.clone();
        let wrapped =
            Wrapped { by: wrapper.name(), name, bytes: source.len(), modified: source.modified() };
        let kind = Kind::Packed(Box::new(Packed::new(source, wrapper)?));
        Ok(Self { path, wrapped: Some(Arc::new(wrapped)), ..Self::of(kind) })
    }

    /// The name by which formats without a header are recognised: that of the file or, if it is packed,
    /// of what is packed in it.
    pub(crate) fn name(&self) -> Option<&Path> {
        match &self.wrapped {
            Some(wrapped) => wrapped.name.as_deref(),
            None => self.path(),
        }
    }

    /// What is known about the file around the bytes, if they are unpacked.
    pub(crate) fn wrapped(&self) -> Option<&Wrapped> {
        self.wrapped.as_deref()
    }

    /// What is wrong with the file around the bytes, as far as it has been unpacked.
    pub(crate) fn damage(&self) -> Option<&Damage> {
        match &self.kind {
            Kind::Packed(packed) => packed.damage(),
            _ => self.damage.as_ref(),
        }
    }

    /// Number of bytes when the source was opened; `None` for a stream, and for what is packed.
    pub fn len(&self) -> Option<u64> {
        match &self.kind {
            Kind::Memory(bytes) => Some(bytes.len() as u64),
            Kind::Stream { .. } | Kind::Packed(_) => None,
            Kind::Mapped { .. } | Kind::Read { .. } => self.stamp.map(|stamp| stamp.len),
        }
    }

    /// Modification time of the file when it was opened; `None` for memory and streams.
    pub fn modified(&self) -> Option<SystemTime> {
        match &self.wrapped {
            Some(wrapped) => wrapped.modified,
            None => self.stamp.and_then(|stamp| stamp.modified),
        }
    }

    /// Whether the source is known to have no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// Whether the source can be read more than once and in any order.
    pub fn is_seekable(&self) -> bool {
        !matches!(self.kind, Kind::Stream { .. } | Kind::Packed(_))
    }

    /// Reads the rest of a stream into memory, at most `limit` bytes, so that it can be read in any
    /// order. What is packed is unpacked to a temporary file without a name. Does nothing for other
    /// sources.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`] if there is more, [`ErrorKind::System`] if reading fails.
    pub(crate) fn hold(&mut self, limit: usize) -> Result<()> {
        if let Kind::Packed(packed) = &mut self.kind {
            let (kind, stamp) = packed.unpack_all()?;
            self.damage = packed.damage().cloned();
            self.notes.extend_from_slice(packed.notes());
            (self.kind, self.stamp) = (kind, stamp);
            return Ok(());
        }
        let Kind::Stream { reader, peeked, .. } = &mut self.kind else { return Ok(()) };
        let mut bytes = std::mem::take(peeked);
        let most = (limit as u64).saturating_sub(bytes.len() as u64) + 1;
        let read = reader.take(most).read_to_end(&mut bytes);
        read.map_err(|error| Error::system("cannot read", error).at(bytes.len() as u64))?;
        if bytes.len() > limit {
            return Err(Error::limit("the file is too large to come through a pipe")
                .at(limit as u64)
                .expected(format!("at most {limit} bytes"))
                .advice("name a file: this format is read out of order"));
        }
        self.kind = Kind::Memory(bytes.into());
        Ok(())
    }

    /// How bytes are currently read: `mapped`, `read`, `memory`, `stream` or `packed`.
    pub fn access(&self) -> &'static str {
        match self.kind {
            Kind::Mapped { .. } => "mapped",
            Kind::Read { .. } => "read",
            Kind::Memory(_) => "memory",
            Kind::Stream { .. } => "stream",
            Kind::Packed(_) => "packed",
        }
    }

    /// Remarks on how reading went.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// A copy of the first bytes, at most `max`; fewer only if there are no more. This may be
    /// called as long as nothing has been read.
    ///
    /// # Errors
    /// [`ErrorKind::System`] if reading fails.
    pub fn head(&mut self, max: usize) -> Result<Vec<u8>> {
        debug_assert_eq!(self.position, 0, "the head of a stream is gone once it is read");
        if let Kind::Stream { reader, peeked, .. } = &mut self.kind {
            let missing = max.saturating_sub(peeked.len());
            let read = reader.take(missing as u64).read_to_end(peeked);
            read.map_err(|error| Error::system("cannot read", error).at(peeked.len() as u64))?;
            return Ok(peeked[..max.min(peeked.len())].to_vec());
        }
        if let Kind::Packed(packed) = &mut self.kind {
            return packed.head(max);
        }
        self.read_at(0, max)
    }

    /// Continues at byte `to`. A stream can only go forward.
    ///
    /// # Errors
    /// [`ErrorKind::Caller`] for a step back in a stream.
    pub fn seek(&mut self, to: u64) -> Result<()> {
        if self.is_seekable() {
            self.position = to;
            return Ok(());
        }
        if to < self.position {
            let Kind::Packed(packed) = &mut self.kind else {
                return Err(Error::caller("a pipe cannot be read twice").advice("name a file"));
            };
            **packed = packed.again()?;
            self.position = 0;
        }
        while self.position < to {
            let step = (to - self.position).min(1 << 16) as usize;
            if self.visit(step, |_, _| Ok(()))?.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Offset of the next byte that [`visit`](Self::visit) returns.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Calls `take` with the next bytes, at least one and at most `max`, and their offset, and
    /// advances. Returns `None` at the end.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] if the file shrank, [`ErrorKind::System`] if reading fails, and
    /// what `take` returns.
    pub fn visit<R>(
        &mut self,
        max: usize,
        take: impl FnOnce(&[u8], u64) -> Result<R>,
    ) -> Result<Option<R>> {
        let at = self.position;
        let result = self.visit_at(at, max, take);
        match (result, &self.path) {
            (Err(error), Some(path)) => Err(error.in_file(path)),
            (result, _) => result,
        }
    }

    fn visit_at<R>(
        &mut self,
        at: u64,
        max: usize,
        take: impl FnOnce(&[u8], u64) -> Result<R>,
    ) -> Result<Option<R>> {
        let rest = self.len().map(|len| len.saturating_sub(at));
        let max = rest.map_or(max, |rest| usize::try_from(rest).unwrap_or(max).min(max));
        if max == 0 {
            self.check_stamp();
            return Ok(None);
        }
        let mut take = Some(take);
        if let Kind::Mapped { mapped, released } = &mut self.kind {
            let take = |bytes: &[u8]| take.take().map(|take| take(bytes, at));
            let visit = mapped.visit(at, max, released, take);
            if let Visit::Done(Some(result)) = visit {
                self.position = at + max as u64;
                return result.map(Some);
            }
            self.fall_back();
        }
        let Some(take) = take else { return Ok(None) };
        match &mut self.kind {
            Kind::Memory(bytes) => {
                self.position = at + max as u64;
                take(&bytes[at as usize..at as usize + max], at).map(Some)
            }
            Kind::Read { file, buffer } => {
                buffer.resize(max.max(buffer.len()), 0);
                let filled = read_fully_at(file, &mut buffer[..max], at)?;
                if filled < max {
                    return Err(Error::new(
                        ErrorKind::Truncated,
                        "the file shrank while it was read",
                    )
                    .at(at + filled as u64)
                    .expected(format!("{} bytes as when it was opened", at + max as u64))
                    .found(format!("{} bytes", at + filled as u64)));
                }
                self.position = at + max as u64;
                take(&buffer[..max], at).map(Some)
            }
            Kind::Stream { reader, peeked, buffer } => {
                if !peeked.is_empty() {
                    let n = max.min(peeked.len());
                    let rest = peeked.split_off(n);
                    let bytes = std::mem::replace(peeked, rest);
                    self.position = at + n as u64;
                    return take(&bytes, at).map(Some);
                }
                buffer.resize(max.max(buffer.len()), 0);
                let n = read_some(reader, &mut buffer[..max])
                    .map_err(|error| Error::system("cannot read", error).at(at))?;
                self.position = at + n as u64;
                if n == 0 { Ok(None) } else { take(&buffer[..n], at).map(Some) }
            }
            Kind::Packed(packed) => {
                let bytes = packed.next(max)?;
                self.position = at + bytes.len() as u64;
                if !bytes.is_empty() {
                    return take(bytes, at).map(Some);
                }
                for note in packed.notes() {
                    if !self.notes.contains(note) {
                        self.notes.push(note.clone());
                    }
                }
                Ok(None)
            }
            Kind::Mapped { .. } => Ok(None),
        }
    }

    /// Continues with positioned reads after the lease has been released.
    fn fall_back(&mut self) {
        let kind = std::mem::replace(&mut self.kind, Kind::Memory(Arc::new([])));
        self.kind = match kind {
            Kind::Mapped { mapped, .. } => {
                Kind::Read { file: mapped.file().clone(), buffer: Vec::new() }
            }
            other => other,
        };
        self.notes.push(format!(
            "another program opened the file for writing; read without a map from byte {}",
            self.position
        ));
    }

    /// Adds a note, once, if the file has changed since it was opened.
    fn check_stamp(&mut self) {
        let now = match &self.kind {
            Kind::Mapped { mapped, .. } => Stamp::of(mapped.file()),
            Kind::Read { file, .. } => Stamp::of(file),
            Kind::Memory(_) | Kind::Stream { .. } | Kind::Packed(_) => return,
        };
        let (Some(then), Ok(now)) = (self.stamp, now) else { return };
        if now != then {
            let note = if now.len == then.len {
                "the file was changed while it was read".to_owned()
            } else {
                format!("the file went from {} to {} bytes while it was read", then.len, now.len)
            };
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
    }
}

#[cfg(test)]
thread_local! {
    /// Number of files that this thread has opened for reading.
    pub(crate) static OPENS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

fn read_some(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
