//! Images as a folder of PNG files, with a table of their times.

use std::fs::{self, File};
use std::io::Write as _;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use png::{BitDepth, ColorType, Compression, Encoder};

use super::{MeasurementOptions, MeasurementWriter, MeasurementsWritten, other_kind};
use crate::codec::check_size;
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::io::{AtomicFile, Spool, Unfinished, changing};
use crate::model::{Image, Measurement, Pixels};

/// The table: its name, and its columns.
const TABLE: &str = "frames.csv";
const COLUMNS: &str = "file,t,frame_start,frame_end,exposure_start,exposure_end,x,y,width,height";

/// Writes `frame_000000.png` and so on, of 8 or 16 bits as the images are, and `frames.csv`.
pub(super) struct PngFolder {
    folder: PathBuf,
    /// Whether the folder was created here.
    is_new: bool,
    options: MeasurementOptions,
    /// The table so far.
    table: Spool,
    /// One image as a file.
    encoded: Vec<u8>,
    /// Number of frames so far; whoever removes an unfinished folder reads it as well.
    frames: Arc<AtomicU64>,
    /// Lists the folder, so that a signal can remove it.
    unfinished: Option<Unfinished>,
    bytes: u64,
    is_done: bool,
}

impl PngFolder {
    pub fn create(folder: &Path, options: &MeasurementOptions) -> Result<Self> {
        let fail = |error| Error::system("cannot create the folder", error).in_file(folder);
        let changing = changing();
        let is_new = !folder.is_dir();
        fs::create_dir_all(folder).map_err(fail)?;
        let old = ours(folder).map_err(fail)?;
        if !old.is_empty() && !options.overwrite {
            return Err(has_frames(folder));
        }
        // Frames are removed before their table.
        for file in old.iter().rev() {
            fs::remove_file(file).map_err(fail)?;
        }
        let mut table = Spool::new(&folder.join(TABLE));
        table.append(format!("{COLUMNS}\n").as_bytes())?;
        let frames = Arc::new(AtomicU64::new(0));
        let (own, count) = (folder.to_path_buf(), Arc::clone(&frames));
        let remove = move || remove(&own, count.load(Ordering::SeqCst), is_new);
        Ok(Self {
            folder: folder.into(),
            is_new,
            options: *options,
            table,
            encoded: Vec::new(),
            frames,
            unfinished: Some(Unfinished::list(&changing, remove)),
            bytes: 0,
            is_done: false,
        })
    }

    /// Writes a frame completely or not at all. The folder counts as complete only with its table,
    /// which is written last.
    fn put(&self, path: &Path) -> std::io::Result<()> {
        let _changing = changing();
        let mut file = File::create_new(path)?;
        let write = |file: &mut File| {
            file.write_all(&self.encoded)?;
            if self.options.sync { file.sync_all() } else { Ok(()) }
        };
        write(&mut file).inspect_err(|_| {
            let _ = fs::remove_file(path);
        })?;
        self.frames.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// Whether a folder could be made, or its frames be replaced.
pub(super) fn check(folder: &Path, overwrite: bool) -> Result<()> {
    let fail = |error| Error::system("cannot create the folder", error).in_file(folder);
    if folder.symlink_metadata().is_ok() && !ours(folder).map_err(fail)?.is_empty() && !overwrite {
        return Err(has_frames(folder));
    }
    // Whether a file can be made in it, or in the nearest folder above it.
    AtomicFile::check(folder.join(TABLE), true)
}

fn has_frames(folder: &Path) -> Error {
    Error::caller("the folder already contains frames").hint(Hint::Overwrite).in_file(folder)
}

/// The frames of an earlier conversion in this folder, with their table as the first item.
fn ours(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let number =
            name.to_str().and_then(|name| name.strip_prefix("frame_")?.strip_suffix(".png"));
        if name == TABLE {
            found.insert(0, entry.path());
        } else if number.is_some_and(|n| n.len() >= 6 && n.bytes().all(|b| b.is_ascii_digit())) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

impl MeasurementWriter for PngFolder {
    fn write(&mut self, measurement: &Measurement) -> Result<()> {
        let Measurement::Image(image) = measurement else {
            return Err(other_kind(measurement).in_file(&self.folder));
        };
        let name = name(self.frames.load(Ordering::SeqCst));
        self.encoded.clear();
        encode(image, &mut self.encoded).map_err(|error| error.in_file(self.folder.join(&name)))?;
        let bytes = self.bytes + self.encoded.len() as u64;
        check_size(bytes, &self.options.limits, &self.folder)?;
        let path = self.folder.join(&name);
        self.put(&path).map_err(|error| Error::system("cannot write", error).in_file(path))?;
        self.bytes = bytes;
        let time = |time: Option<i64>| time.map_or(String::new(), |time| time.to_string());
        let row = format!(
            "{name},{},{},{},{},{},{},{},{},{}\n",
            image.t,
            time(image.frame_start),
            time(image.frame_end),
            time(image.exposure_start),
            time(image.exposure_end),
            image.x,
            image.y,
            image.width,
            image.height
        );
        self.table.append(row.as_bytes())?;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<MeasurementsWritten> {
        let mut table = AtomicFile::create(self.folder.join(TABLE), true, self.options.sync)?;
        mem::replace(&mut self.table, Spool::new(&self.folder))
            .read_back(|bytes| table.append(bytes))?;
        self.bytes += table.finish_with(self.unfinished.take())?;
        self.is_done = true;
        let measurements = self.frames.load(Ordering::SeqCst);
        Ok(MeasurementsWritten { measurements, bytes: self.bytes })
    }
}

impl Drop for PngFolder {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        remove(&self.folder, self.frames.load(Ordering::SeqCst), self.is_new);
    }
}

fn name(frame: u64) -> String {
    format!("frame_{frame:06}.png")
}

/// Removes the first `frames` frames, and the folder if it is empty then and `is_new`.
fn remove(folder: &Path, frames: u64, is_new: bool) {
    for frame in 0..frames {
        let _ = fs::remove_file(folder.join(name(frame)));
    }
    if is_new {
        let _ = fs::remove_dir(folder);
    }
}

/// Appends the image as a PNG file.
fn encode(image: &Image, out: &mut Vec<u8>) -> Result<()> {
    let fail = |error| Error::system("cannot make a PNG file", std::io::Error::other(error));
    let mut encoder = Encoder::new(out, image.width, image.height);
    encoder.set_color(match image.channels {
        1 => ColorType::Grayscale,
        3 => ColorType::Rgb,
        _ => ColorType::Rgba,
    });
    encoder.set_compression(Compression::Fast);
    match &image.pixels {
        Pixels::U8(values) => {
            encoder.set_depth(BitDepth::Eight);
            encoder.write_header().and_then(|mut w| w.write_image_data(values)).map_err(fail)
        }
        Pixels::U16(values) => {
            encoder.set_depth(BitDepth::Sixteen);
            let values: Vec<_> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
            encoder.write_header().and_then(|mut w| w.write_image_data(&values)).map_err(fail)
        }
    }
}
