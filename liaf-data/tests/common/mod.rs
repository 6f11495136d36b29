//! What several test programs share.
#![allow(
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    reason = "each test program uses its own part"
)]

pub mod damage;
#[path = "../../src/fixtures.rs"]
mod found;
pub mod tables;

use std::path::{Path, PathBuf};

use liaf_data::model::Fingerprint;
use liaf_data::{EventBatch, EventSink, Format, Limits, ReadOptions, Recording, Result};

/// Limits that are known when the tests are compiled.
pub const LIMITS: Limits = Limits {
    header_bytes: 1 << 20,
    packet_bytes: 1 << 20,
    in_flight_bytes: 32 << 20,
    frames: 1_000_000,
    output_bytes: 1 << 40,
    open_frames_bytes: 1 << 20,
    reorder_bytes: 64 << 20,
    ..Limits::DEFAULT
};

/// The workspace's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The folder of the bundled recordings.
pub fn fixtures() -> PathBuf {
    found::folder().expect("the folder fixtures, which is in the repository")
}

/// Real recordings with their ground truth, which a newcomer's clone does not have.
pub fn shared_data() -> Option<PathBuf> {
    let shared = std::env::var_os("LIAF_SHARED").map_or(root().join("../shared"), PathBuf::from);
    let data = shared.join("data");
    if data.join("truth.json").exists() {
        return Some(data);
    }
    eprintln!("skipped: no recordings with ground truth at {}", data.display());
    None
}

/// Fingerprint of all events of a recording.
pub fn fingerprint(path: &Path, options: ReadOptions) -> Result<Fingerprint> {
    let mut reader = Recording::open(path, options)?.reader()?;
    let mut fingerprint = Fingerprint::default();
    while reader.pump(&mut fingerprint)? {}
    Ok(fingerprint)
}

/// Fingerprint of events that are in memory.
pub fn fingerprint_of(events: &EventBatch) -> Fingerprint {
    let mut fingerprint = Fingerprint::default();
    fingerprint.events(&mut events.clone(), 0).unwrap();
    fingerprint
}

/// The format of a recording that nothing but its name tells.
pub fn format_without_name(path: &Path) -> Option<&'static Format> {
    let bytes = std::fs::read(path).unwrap();
    if Recording::from_bytes(bytes, ReadOptions::default()).is_ok() {
        return None;
    }
    let named = Recording::open(path, ReadOptions::default()).ok()?;
    Some(Format::named(named.info().format).unwrap())
}
