//! Writing zip archives. Members are completed after their bytes are written: the fields of the
//! local header are patched, so that no data descriptors are needed and any size is possible.

use crate::error::Result;
use crate::io::AtomicFile;

/// How the bytes of a member are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Stored = 0,
    Deflated = 8,
}

/// Zip64 was introduced in version 4.5.
const VERSION: u16 = 45;
/// 1980-01-01, the earliest date of zip. A constant date makes the same content give the same
/// bytes.
const DATE: u16 = 0x21;
/// An ordinary file with the permissions `rw-r--r--`.
const ATTRIBUTES: u32 = 0o100_644 << 16;
const MADE_BY_UNIX: u16 = 3 << 8;
/// This value means that the real value is in the Zip64 field.
const ELSEWHERE: u32 = u32::MAX;

/// Like [`ELSEWHERE`], for the number of members, which has 16 bits.
const MANY: u64 = u16::MAX as u64;
/// Flag of names that are UTF-8; without it, readers take names for the characters of MS-DOS.
const UTF8: u16 = 1 << 11;

/// The length of the longest name of a member in bytes.
pub(crate) const LONGEST_NAME: usize = 255;

/// A member of the archive, complete or being written.
#[derive(Debug)]
pub(crate) struct Member {
    name: String,
    method: Method,
    offset: u64,
    crc: u32,
    size: u64,
    packed: u64,
}

/// An archive that is being written: the members completed so far.
#[derive(Debug)]
pub(crate) struct Zip {
    members: Vec<Member>,
    /// Sizes and offsets from this value on are stored in Zip64 fields. It is smaller in tests
    /// only.
    zip64_from: u64,
}

impl Default for Zip {
    fn default() -> Self {
        Self { members: Vec::new(), zip64_from: u64::from(ELSEWHERE) }
    }
}

impl Zip {
    /// Starts a member. The caller appends its bytes to `out`; they start at a multiple of 64.
    /// The name is at most [`LONGEST_NAME`] bytes long.
    pub(crate) fn start(out: &mut AtomicFile, name: &str, method: Method) -> Result<Member> {
        let name = name.to_owned();
        let member = Member { name, method, offset: out.length(), crc: 0, size: 0, packed: 0 };
        out.append(&member.local())?;
        Ok(member)
    }

    /// Completes `member`, whose bytes end at the current end of `out`.
    pub(crate) fn end(
        &mut self,
        out: &mut AtomicFile,
        mut member: Member,
        crc: u32,
        size: u64,
    ) -> Result<()> {
        member.crc = crc;
        member.size = size;
        member.packed = out.length() - member.offset - member.local().len() as u64;
        out.patch(member.offset, &member.local())?;
        self.members.push(member);
        Ok(())
    }

    /// Writes the directory of all members.
    pub(crate) fn finish(self, out: &mut AtomicFile) -> Result<()> {
        let start = out.length();
        for member in &self.members {
            out.append(&member.central(self.zip64_from))?;
        }
        let size = out.length() - start;
        let count = self.members.len() as u64;
        if start.max(size) >= self.zip64_from || count >= MANY {
            let mut end64 = Bytes::default();
            let position = out.length();
            end64.u32(0x0606_4b50).u64(44).u16(MADE_BY_UNIX | VERSION).u16(VERSION);
            end64.u32(0).u32(0).u64(count).u64(count).u64(size).u64(start);
            end64.u32(0x0706_4b50).u32(0).u64(position).u32(1);
            out.append(&end64.0)?;
        }
        let (start, size) = (self.short(start), self.short(size));
        let mut end = Bytes::default();
        let count = count.min(MANY) as u16;
        end.u32(0x0605_4b50).u16(0).u16(0).u16(count).u16(count).u32(size).u32(start).u16(0);
        out.append(&end.0)
    }

    fn short(&self, value: u64) -> u32 {
        if value >= self.zip64_from { ELSEWHERE } else { value as u32 }
    }
}

impl Member {
    /// The local header. Its length is constant, because both sizes are always in a Zip64 field.
    fn local(&self) -> Vec<u8> {
        let mut header = Bytes::default();
        header
            .u32(0x0403_4b50)
            .u16(VERSION)
            .u16(self.flags())
            .u16(self.method as u16)
            .u16(0)
            .u16(DATE);
        header.u32(self.crc).u32(ELSEWHERE).u32(ELSEWHERE).u16(self.name.len() as u16);
        // The Zip64 field of 20 bytes and a padding field of at least 4 bytes follow.
        let end = header.0.len() as u64 + 2 + self.name.len() as u64 + 20 + 4;
        let padding = (self.offset + end).next_multiple_of(64) - (self.offset + end);
        header.u16((20 + 4 + padding) as u16).raw(self.name.as_bytes());
        header.u16(1).u16(16).u64(self.size).u64(self.packed);
        // The id of the padding field that zipalign uses for alignment, too.
        header.u16(0xd935).u16(padding as u16).raw(&[0; 64][..padding as usize]);
        header.0
    }

    fn flags(&self) -> u16 {
        if self.name.is_ascii() { 0 } else { UTF8 }
    }

    /// The entry in the directory.
    fn central(&self, zip64_from: u64) -> Vec<u8> {
        let mut extra = Bytes::default();
        let mut short = |value: u64| {
            if value < zip64_from {
                return value as u32;
            }
            extra.u64(value);
            ELSEWHERE
        };
        let (size, packed) = (short(self.size), short(self.packed));
        let offset = short(self.offset);
        let extra = extra.0;
        let field = if extra.is_empty() { 0 } else { 4 + extra.len() };
        let mut entry = Bytes::default();
        entry.u32(0x0201_4b50).u16(MADE_BY_UNIX | VERSION).u16(VERSION);
        entry
            .u16(self.flags())
            .u16(self.method as u16)
            .u16(0)
            .u16(DATE)
            .u32(self.crc)
            .u32(packed)
            .u32(size);
        entry.u16(self.name.len() as u16).u16(field as u16).u16(0).u16(0).u16(0);
        entry.u32(ATTRIBUTES).u32(offset).raw(self.name.as_bytes());
        if field > 0 {
            entry.u16(1).u16(extra.len() as u16).raw(&extra);
        }
        entry.0
    }
}

/// A buffer to which little-endian fields are appended.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn u16(&mut self, value: u16) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }

    fn u64(&mut self, value: u64) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::tensor::judge;

    #[test]
    fn members_begin_aligned() {
        for offset in [0, 1, 63, 64, 1000, 1 << 33] {
            let member = Member {
                name: "frames.npy".into(),
                method: Method::Stored,
                offset,
                crc: 0,
                size: 0,
                packed: 0,
            };
            assert_eq!((offset + member.local().len() as u64) % 64, 0);
        }
    }

    #[test]
    fn large_sizes_go_to_the_zip64_field_in_order() {
        let member = Member {
            name: "a".into(),
            method: Method::Stored,
            offset: 5 << 32,
            crc: 7,
            size: 6 << 32,
            packed: 3,
        };
        let entry = member.central(u64::from(u32::MAX));
        // Compressed size, size, offset, and then the field: id 1, 16 bytes, size, offset.
        assert_eq!(&entry[20..24], &3u32.to_le_bytes());
        assert_eq!(&entry[24..28], &[0xff; 4]);
        assert_eq!(&entry[42..46], &[0xff; 4]);
        let mut field = Bytes::default();
        field.u16(1).u16(16).u64(6 << 32).u64(5 << 32);
        assert_eq!(&entry[47..], &field.0);
    }

    #[test]
    fn python_reads_an_archive_of_zip64_fields_alone() {
        let Some(python) = judge::python("zipfile") else { return };
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a.zip");
        let mut out = AtomicFile::create(&path, false, false).expect("file");
        let mut zip = Zip { members: Vec::new(), zip64_from: 0 };
        for name in ["a", "b"] {
            let member = Zip::start(&mut out, name, Method::Stored).expect("member");
            out.append(name.as_bytes()).expect("bytes");
            zip.end(&mut out, member, crc32fast::hash(name.as_bytes()), 1).expect("end");
        }
        zip.finish(&mut out).expect("directory");
        out.finish().expect("file");
        let script = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); \
                      assert z.testzip() is None; print(z.read('a'), z.read('b'))";
        let output = Command::new(python).args(["-c", script]).arg(path).output().expect("run");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "b'a' b'b'\n", "{output:?}");
    }

    #[test]
    fn python_reads_many_members_and_names_in_any_script() {
        let Some(python) = judge::python("zipfile") else { return };
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a.zip");
        let mut out = AtomicFile::create(&path, false, false).expect("file");
        let mut zip = Zip::default();
        for n in 0..70_000 {
            let name = format!("猫{n}");
            let member = Member {
                name,
                method: Method::Stored,
                offset: out.length(),
                crc: 0,
                size: 0,
                packed: 0,
            };
            out.append(&member.local()).expect("bytes");
            zip.members.push(member);
        }
        zip.finish(&mut out).expect("directory");
        out.finish().expect("file");
        let script = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); \
                      n = z.namelist(); print(len(n), n[-1] == '\\u732b69999', z.read(n[-1]))";
        let output = Command::new(python).args(["-c", script]).arg(path).output().expect("run");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "70000 True b''\n", "{output:?}");
    }
}
