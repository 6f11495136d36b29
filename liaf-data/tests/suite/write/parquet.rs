//! Parquet is written and not read: here the library that writes it reads it, in `foreign.rs` others.
#![cfg(feature = "parquet")]

use std::fs::File;
use std::path::Path;

use liaf_data::write::{self, EventSpec};
use liaf_data::{Event, EventBatch, SensorSize};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;

use super::shared::QUICK;

fn open(path: &Path) -> SerializedFileReader<File> {
    SerializedFileReader::new(File::open(path).unwrap()).unwrap()
}

/// All events of a file.
pub fn read(path: &Path) -> EventBatch {
    let rows = open(path).into_iter().map(|row| {
        let row = row.unwrap();
        let (x, y) = (row.get_ushort(1).unwrap(), row.get_ushort(2).unwrap());
        let p = u8::try_from(row.get_byte(3).unwrap()).unwrap();
        Event { t: row.get_long(0).unwrap(), x, y, p }
    });
    rows.collect()
}

#[test]
fn groups_of_rows_say_which_times_they_hold_and_the_file_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let target = write::target_of_path(&path).unwrap();
    let spec = EventSpec {
        provenance: "{\"from\":\"a test\"}".into(),
        t_offset: Some(-7),
        ..EventSpec::new(SensorSize::new(300, 200))
    };
    let events: EventBatch =
        (0..600_000).map(|i| Event { t: 2 * i, x: (i % 300) as u16, y: 199, p: 1 }).collect();
    let mut writer = write::create(&path, target, &spec, &QUICK).unwrap();
    writer.write(&events).unwrap();
    writer.finish().unwrap();

    let reader = open(&path);
    let metadata = reader.metadata();
    let notes = metadata.file_metadata().key_value_metadata().unwrap();
    let notes: Vec<_> =
        notes.iter().map(|note| (&*note.key, note.value.as_deref().unwrap())).collect();
    let expected = [
        ("width", "300"),
        ("height", "200"),
        ("t_offset", "-7"),
        ("liaf", "{\"from\":\"a test\"}"),
    ];
    assert_eq!(notes, expected);
    let mut from = 0;
    for group in metadata.row_groups() {
        let statistics = group.column(0).statistics().unwrap();
        let bytes = [statistics.min_bytes_opt(), statistics.max_bytes_opt()];
        let bounds = bytes.map(|bytes| i64::from_le_bytes(bytes.unwrap().try_into().unwrap()));
        let to = from + group.num_rows();
        assert_eq!(bounds, [2 * from, 2 * (to - 1)]);
        from = to;
    }
    assert_eq!((from, metadata.num_row_groups()), (600_000, 3));
}
