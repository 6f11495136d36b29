//! Times reading all datasets of an HDF5 file, with `liaf-hdf5` and with the C library, in turn:
//!
//!     cargo run --release -p liaf-bench --features libhdf5 --example beside_libhdf5 -- FILE [PAIRS]
//!
//! Prints the median of each in seconds of the processor, and their ratio. Values are read as they are stored,
//! and both must read the same number of bytes.

use std::path::Path;

use anyhow::{Context, Result, ensure};

#[path = "../src/cpu.rs"]
mod cpu;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let path = args.next().context("name a file")?;
    let pairs: usize = args.next().map_or(Ok(11), |pairs| pairs.parse())?;
    let names = datasets(&liaf_hdf5::File::open(&path)?.root()?, 0)?;
    ensure!(!names.is_empty(), "the file has no dataset of numbers");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for pair in 0..pairs.max(1) {
        // The second one finds the file in memory, so that each is the second as often as the other.
        let first = pair % 2 == 0;
        for is_ours in [first, !first] {
            let (seconds, _) = time(is_ours, Path::new(&path), &names)?;
            if is_ours { ours.push(seconds) } else { theirs.push(seconds) }
        }
    }
    let bytes = (time(true, Path::new(&path), &names)?.1, time(false, Path::new(&path), &names)?.1);
    ensure!(bytes.0 == bytes.1, "{} and {} bytes were read", bytes.0, bytes.1);
    let (ours, theirs) = (median(&mut ours), median(&mut theirs));
    println!(
        "{} bytes of {} datasets: liaf-hdf5 {ours:.3} s, libhdf5 {theirs:.3} s, ratio {:.2}",
        bytes.0,
        names.len(),
        theirs / ours
    );
    Ok(())
}

fn median(seconds: &mut [f64]) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The paths of all datasets of numbers.
fn datasets(group: &liaf_hdf5::Group, depth: usize) -> liaf_hdf5::Result<Vec<String>> {
    let mut found = Vec::new();
    for name in group.names()? {
        match group.object(&name)? {
            liaf_hdf5::Object::Dataset(dataset) if dataset.datatype().number().is_some() => {
                found.push(dataset.name().to_owned());
            }
            liaf_hdf5::Object::Group(inner) if depth < 8 => {
                found.extend(datasets(&inner, depth + 1)?)
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Reads the datasets, and returns seconds of the processor, and bytes.
fn time(is_ours: bool, path: &Path, names: &[String]) -> Result<(f64, usize)> {
    let start = cpu::seconds();
    let bytes = if is_ours { read(path, names)? } else { read_with_libhdf5(path, names)? };
    Ok((cpu::seconds() - start, bytes))
}

fn read(path: &Path, names: &[String]) -> Result<usize> {
    let file = liaf_hdf5::File::open(path)?;
    let mut bytes = 0;
    for name in names {
        bytes += std::hint::black_box(file.dataset(name)?.read()?).len();
    }
    Ok(bytes)
}

fn read_with_libhdf5(path: &Path, names: &[String]) -> Result<usize> {
    let file = hdf5::File::open(path)?;
    let mut bytes = 0;
    for name in names {
        let dataset = file.dataset(name)?;
        bytes += match dataset.dtype()?.size() {
            1 => std::hint::black_box(dataset.read_raw::<u8>()?).len(),
            2 => 2 * std::hint::black_box(dataset.read_raw::<u16>()?).len(),
            4 => 4 * std::hint::black_box(dataset.read_raw::<u32>()?).len(),
            _ => 8 * std::hint::black_box(dataset.read_raw::<u64>()?).len(),
        };
    }
    Ok(bytes)
}
