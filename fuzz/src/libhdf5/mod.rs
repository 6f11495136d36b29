//! Our reader beside libhdf5: numbers that both of them read are the same.
//!
//! libhdf5 trusts the files that it reads, so it reads in a process of its own. Where it crashes, runs out of
//! memory or takes too long, the input is left out. What only one of the two can read is left out as well:
//! whether a damaged file is refused depends on what a reader looks at first.

mod process;
mod read;

use std::cell::RefCell;
use std::ffi::CString;

use liaf_hdf5::{Dataset, Datatype, File, Limits};

use process::Process;

use crate::hdf5::datasets;

/// Most bytes of a dataset that are compared.
const MOST: usize = 1 << 20;

/// A dataset, and its bytes as our reader reads them.
struct Expected {
    name: CString,
    bytes: Vec<u8>,
}

/// Reads every dataset of plain numbers with both.
///
/// # Panics
/// If both read a dataset, and its bytes are not the same.
pub fn against_libhdf5(data: &[u8]) {
    let expected = ours(data);
    if expected.is_empty() {
        return;
    }
    let path = format!("/dev/shm/liaf-fuzz-{}.h5", std::process::id());
    std::fs::write(&path, data).expect("a file in memory");
    thread_local! {
        static PROCESS: RefCell<Option<Process>> = const { RefCell::new(None) };
    }
    let difference = PROCESS.with_borrow_mut(|process| {
        let difference = process.get_or_insert_with(Process::start).compare(&path, &expected);
        if difference.is_err() {
            *process = None;
        }
        difference.unwrap_or_default()
    });
    assert!(difference.is_empty(), "libhdf5 reads other values: {difference}");
}

/// What our reader makes of the file.
fn ours(data: &[u8]) -> Vec<Expected> {
    let limits = Limits::default().with_chunk_bytes(1 << 16).with_value_bytes(MOST);
    let mut expected = Vec::new();
    let Ok(file) = File::from_source(Box::new(data.to_vec()), limits) else { return expected };
    datasets(&file, &mut |dataset| expected.extend(plain(dataset)));
    expected
}

/// The bytes of a dataset whose values mean the same to both: no references to anything else in the file.
fn plain(dataset: &Dataset) -> Option<Expected> {
    let is_plain = match dataset.datatype() {
        Datatype::Number(_) => true,
        Datatype::Compound { members, .. } => {
            members.iter().all(|member| matches!(member.datatype, Datatype::Number(_)))
        }
        _ => false,
    };
    let name = CString::new(dataset.name()).ok()?;
    let bytes = dataset.read().ok().filter(|bytes| is_plain && !bytes.is_empty())?;
    Some(Expected { name, bytes })
}
