//! Encoding of events as `.npz`: one array each for t, x, y and p, as SpikingJelly and evutils
//! write them.

use std::path::Path;

use super::encode::CAPABILITIES;
use crate::codec::{Compression, Make, Target, WriteOptions};
use crate::codec::{EventSpec, EventWriter, Written, check_size};
use crate::container::deflate::DeflateLevel;
use crate::container::zip::Zip;
use crate::container::{npy, npz};
use crate::error::Result;
use crate::io::{AtomicFile, Spool};
use crate::limits::Limits;
use crate::model::EventBatch;

pub(crate) const TARGET: Target = Target {
    name: "npz-events",
    title: "a NumPy archive of events",
    extension: "npz",
    // The extension alone selects a tensor file.
    claims: &[],
    compressions: &[Compression::None, Compression::Deflate(6)],
    capabilities: CAPABILITIES,
    make: Make::Writer(|path, spec, options| Ok(Box::new(NpzWriter::create(path, spec, options)?))),
};

const TIMES: (&str, &str) = ("t.npy", "'<i8'");
/// The other columns: name and type.
const REST: [(&str, &str); 3] = [("x.npy", "'<i2'"), ("y.npy", "'<i2'"), ("p.npy", "'|b1'")];

/// Writes `t.npy`, `x.npy`, `y.npy` and `p.npy`, which must follow one another in the archive. The
/// columns after the times wait in spools, so that memory use does not grow with the number of
/// events. They are followed by `width.npy`, `height.npy` and `liaf.npy`, the
/// bytes of the provenance.
struct NpzWriter {
    out: AtomicFile,
    zip: Zip,
    level: Option<DeflateLevel>,
    times: npz::Array,
    rest: [Spool; 3],
    spec: EventSpec,
    events: u64,
    bytes: Vec<u8>,
    limits: Limits,
}

impl NpzWriter {
    fn create(path: &Path, spec: &EventSpec, options: &WriteOptions) -> Result<Self> {
        let level = options.compression.and_then(DeflateLevel::of);
        let mut out = AtomicFile::create(path, options.overwrite, options.sync)?;
        let rest = [(); 3].map(|()| Spool::new(out.target()));
        let (name, descr) = TIMES;
        let times = npz::Array::start(&mut out, name, &npy::header(descr, &[0]), level)?;
        Ok(Self {
            out,
            zip: Zip::default(),
            level,
            times,
            rest,
            spec: spec.clone(),
            events: 0,
            bytes: Vec::new(),
            limits: options.limits,
        })
    }
}

impl EventWriter for NpzWriter {
    fn write(&mut self, events: &EventBatch) -> Result<()> {
        let bytes = &mut self.bytes;
        bytes.clear();
        bytes.extend(events.t.iter().flat_map(|t| t.to_le_bytes()));
        self.times.append(&mut self.out, bytes)?;
        let [x, y, p] = &mut self.rest;
        for (spool, column) in [(x, &events.x), (y, &events.y)] {
            bytes.clear();
            bytes.extend(column.iter().flat_map(|value| value.to_le_bytes()));
            spool.append(bytes)?;
        }
        bytes.clear();
        bytes.extend(events.p.iter().map(|p| p & 1));
        p.append(bytes)?;
        self.events += events.len() as u64;
        let waiting: u64 = self.rest.iter().map(Spool::length).sum();
        check_size(self.out.length() + waiting, &self.limits, self.out.target())
    }

    fn finish(self: Box<Self>) -> Result<Written> {
        let Self { mut out, mut zip, level, times, rest, spec, events, .. } = *self;
        times.end(&mut zip, &mut out, &npy::header(TIMES.1, &[events]))?;
        for (spool, (name, descr)) in rest.into_iter().zip(REST) {
            let header = npy::header(descr, &[events]);
            let mut array = npz::Array::start(&mut out, name, &header, level)?;
            spool.read_back(|bytes| array.append(&mut out, bytes))?;
            array.end(&mut zip, &mut out, &header)?;
        }
        let side = |side: u16| i64::from(side).to_le_bytes();
        let (width, height) = (side(spec.sensor.width), side(spec.sensor.height));
        let provenance = spec.provenance.as_bytes();
        for (name, descr, shape, bytes) in [
            ("width.npy", "'<i8'", &[][..], &width[..]),
            ("height.npy", "'<i8'", &[], &height),
            ("liaf.npy", "'|u1'", &[provenance.len() as u64], provenance),
        ] {
            let header = npy::header(descr, shape);
            let mut array = npz::Array::start(&mut out, name, &header, level)?;
            array.append(&mut out, bytes)?;
            array.end(&mut zip, &mut out, &header)?;
        }
        zip.finish(&mut out)?;
        Ok(Written::new(events, out.finish()?))
    }
}
