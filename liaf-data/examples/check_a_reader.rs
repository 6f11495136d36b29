//! Checks a reader of event files against the table of bundled recordings of its format.

use std::error::Error;
use std::fs;
use std::hash::Hasher;
use std::path::Path;

use toml::Table;
use twox_hash::XxHash64;

/// Time in µs, column from the left, row from the top, polarity (1 = ON).
type Event = (i64, u16, u16, u8);

/// The reader that is checked. Put yours in the place of LIAF's.
fn read(path: &Path) -> Result<Vec<Event>, Box<dyn Error>> {
    let mut recording = liaf_data::Recording::open(path, liaf_data::ReadOptions::default())?;
    let events = recording.read_all()?;
    Ok(events.iter().map(|event| (event.t, event.x, event.y, event.p)).collect())
}

/// The key `xxh64` of the tables.
fn fingerprint(events: &[Event]) -> String {
    let mut hash = XxHash64::with_seed(0);
    for (t, x, y, p) in events {
        hash.write(&t.to_le_bytes());
        hash.write(&x.to_le_bytes());
        hash.write(&y.to_le_bytes());
        hash.write(&[*p]);
    }
    format!("{:016x}", hash.finish())
}

/// Says of each recording what the reader makes of it; fails if a good one is read otherwise.
pub fn main() -> Result<(), Box<dyn Error>> {
    let fixtures = Path::new("fixtures");
    let table: Table = fs::read_to_string(fixtures.join("cases/evt3.toml"))?.parse()?;
    let rows = |kind: &str| table[kind].as_array().into_iter().flatten();
    for case in rows("case") {
        let file = case["file"].as_str().ok_or("no file")?;
        let expected = &case["canonical"];
        let events = read(&fixtures.join(file))?;
        if Some(events.len() as i64) != expected["events"].as_integer() {
            return Err(format!("{file}: {} events", events.len()).into());
        }
        if Some(&*fingerprint(&events)) != expected["xxh64"].as_str() {
            return Err(format!("{file}: {} other events", events.len()).into());
        }
        println!("{file}: {} events", events.len());
    }
    // Of a damaged file a reader may give less, or an error, but it must come back.
    for bad in rows("bad") {
        let file = bad["file"].as_str().ok_or("no file")?;
        match read(&fixtures.join(file)) {
            Ok(events) => println!("{file}: {} of {} events", events.len(), bad["events"]),
            Err(error) => println!("{file}: {error}"),
        }
    }
    Ok(())
}
