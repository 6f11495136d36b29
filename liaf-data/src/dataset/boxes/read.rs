//! Boxes around objects, as the detection sets of Prophesee label them: an array of records in `_bbox.npy`.

use std::hash::Hasher;
use std::path::Path;

use twox_hash::XxHash64;

use crate::codec::columns::{Number, View};
use crate::container::npy::{self, Dtype, Header};
use crate::error::{Error, Result};
use crate::io::read_whole;
use crate::limits::Limits;
use crate::model::SensorSize;
use crate::names::one_of;

/// A box around an object, in pixels of the sensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::dataset) struct LabelledBox {
    /// When it was drawn, in µs on the clock of the recording.
    pub t: i64,
    /// Its left edge, its upper edge, its width and its height.
    pub place: [f32; 4],
    /// An index of the classes of the set.
    pub class: i64,
    /// The number of the object, or −1.
    pub track: i64,
    /// How certain the class is.
    pub confidence: f32,
}

/// A hash of boxes.
pub(in crate::dataset) fn hash(all: &[LabelledBox]) -> u64 {
    let mut hash = XxHash64::with_seed(0);
    for one in all {
        one.place.iter().for_each(|edge| hash.write_u32(edge.to_bits()));
        [one.t, one.class, one.track].into_iter().for_each(|number| hash.write_i64(number));
        hash.write_u32(one.confidence.to_bits());
    }
    hash.finish()
}

/// What is wrong with the boxes of a file, or of many, in numbers of boxes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::dataset) struct BoxFaults {
    /// All of them.
    pub total: u64,
    /// Without an area, or with edges that are no numbers. They are left out.
    pub degenerate: u64,
    /// Wholly outside the sensor. They are left out.
    pub outside: u64,
    /// Of a class that the set does not have. They are left out.
    pub unknown: u64,
    /// Partly outside the sensor.
    pub beyond: u64,
    /// Earlier than the one before. All are sorted by time.
    pub backward: u64,
}

impl BoxFaults {
    pub fn add(mut self, other: Self) -> Self {
        self.total += other.total;
        self.degenerate += other.degenerate;
        self.outside += other.outside;
        self.unknown += other.unknown;
        self.beyond += other.beyond;
        self.backward += other.backward;
        self
    }

    /// What to say about them.
    pub fn remarks(self) -> Vec<String> {
        let rows = [
            (self.degenerate, "have no area, and are left out"),
            (self.outside, "are outside the sensor, and are left out"),
            (self.unknown, "have a class that the set does not have, and are left out"),
            (self.beyond, "reach beyond the sensor, and are kept as they are"),
            (self.backward, "are earlier than the box before them; they are sorted by time"),
        ];
        let total = self.total;
        let said = rows.into_iter().filter(|(n, _)| *n > 0);
        said.map(|(n, what)| format!("{n} of {total} boxes {what}")).collect()
    }
}

/// The fields of a record, under the names that files of different years have.
const FIELDS: [&[&str]; 8] = [
    &["t", "ts"],
    &["x"],
    &["y"],
    &["w"],
    &["h"],
    &["class_id"],
    &["track_id"],
    &["class_confidence", "confidence"],
];

/// The first fields, without which there is no box.
const NEEDED: usize = 6;

/// Reads the boxes of a recording, in the order of their times.
///
/// # Errors
/// If the file is no array of such records, or is shorter than it says.
pub(in crate::dataset) fn read(
    path: &Path,
    sensor: SensorSize,
    classes: usize,
) -> Result<(Vec<LabelledBox>, BoxFaults)> {
    let all = read_records(path).map_err(|error| error.in_file(path))?;
    Ok(sorted(all, sensor, classes))
}

fn read_records(path: &Path) -> Result<Vec<LabelledBox>> {
    let limits = Limits::DEFAULT;
    let bytes = read_whole("the array of boxes", path, limits.packet_bytes)?;
    let (fixed, text) = npy::lengths(&bytes, &limits)?;
    let ahead = fixed + text;
    let text = bytes
        .get(fixed..ahead)
        .ok_or_else(|| Error::truncated("the header of the array is incomplete"))?;
    let header = Header::parse(text)?;
    let Dtype::Record { fields, bytes: stride } = &header.dtype else {
        return Err(Error::malformed("the boxes are no records")
            .expected("an array with the fields t, x, y, w, h and class_id"));
    };
    let &[rows] = &*header.shape else {
        let found = format!("{} axes", header.shape.len());
        return Err(Error::malformed("the boxes are no list").expected("one axis").found(found));
    };
    let body = &bytes[ahead..];
    let stated = usize::try_from(rows).ok().and_then(|rows| rows.checked_mul(*stride));
    if stated.is_none_or(|stated| stated > body.len()) {
        return Err(Error::truncated("the array is shorter than it says")
            .at(bytes.len() as u64)
            .expected(format!("{rows} boxes of {stride} bytes"))
            .found(format!("{} bytes", body.len())));
    }
    let rows = rows as usize;
    let mut columns: Vec<Option<View<'_>>> = Vec::new();
    for (names, needed) in FIELDS.iter().zip((0..).map(|i| i < NEEDED)) {
        let field = fields.iter().find(|field| names.contains(&&*field.name));
        match field.and_then(|field| Some((field, field.number?))) {
            Some((field, number)) => columns.push(Some(view(body, field.start, number, *stride))),
            None if needed => {
                let found: Vec<&str> = fields.iter().map(|field| &*field.name).collect();
                return Err(Error::malformed(format!("the boxes have no {}", one_of(names)))
                    .found(one_of(&found)));
            }
            None => columns.push(None),
        }
    }
    let floats = |i: usize, or: f64| match &columns[i] {
        Some(view) => view.floats(rows),
        None => vec![or; rows],
    };
    let integers = |i: usize| {
        let whole =
            |value: f64| (value.fract() == 0.0 && value.abs() < 9.0e15).then_some(value as i64);
        floats(i, -1.0).into_iter().map(whole).collect::<Vec<Option<i64>>>()
    };
    let (t, class, track) = (integers(0), integers(5), integers(6));
    let (edges, confidence) = ([1, 2, 3, 4].map(|i| floats(i, 0.0)), floats(7, 1.0));
    let row = |i: usize| {
        Some(LabelledBox {
            t: t[i]?,
            place: [0, 1, 2, 3].map(|edge: usize| edges[edge][i] as f32),
            class: class[i]?,
            track: track[i].unwrap_or(-1),
            confidence: confidence[i] as f32,
        })
    };
    let all: Option<Vec<LabelledBox>> = (0..rows).map(row).collect();
    all.ok_or_else(|| Error::malformed("a box has a time or class that is no whole number"))
}

fn view(body: &[u8], start: usize, number: Number, stride: usize) -> View<'_> {
    View { bytes: body.get(start..).unwrap_or_default(), stride, number }
}

/// Leaves out what is no box, counts what is unusual, and puts the others in the order of their times.
fn sorted(
    mut all: Vec<LabelledBox>,
    sensor: SensorSize,
    classes: usize,
) -> (Vec<LabelledBox>, BoxFaults) {
    let mut faults = BoxFaults { total: all.len() as u64, ..BoxFaults::default() };
    let (width, height) = (f32::from(sensor.width), f32::from(sensor.height));
    let is_known = |class: i64| usize::try_from(class).is_ok_and(|class| class < classes);
    faults.backward = all.windows(2).filter(|pair| pair[1].t < pair[0].t).count() as u64;
    all.retain(|one| {
        let [x, y, w, h] = one.place;
        let is_box = one.place.iter().all(|edge| edge.is_finite()) && w > 0.0 && h > 0.0;
        let is_outside = x >= width || y >= height || x + w <= 0.0 || y + h <= 0.0;
        let fault = match () {
            () if !is_box => &mut faults.degenerate,
            () if is_outside => &mut faults.outside,
            () if !is_known(one.class) => &mut faults.unknown,
            () => {
                let is_within = x >= 0.0 && y >= 0.0 && x + w <= width && y + h <= height;
                faults.beyond += u64::from(!is_within);
                return true;
            }
        };
        *fault += 1;
        false
    });
    all.sort_by_key(|one| one.t);
    (all, faults)
}
