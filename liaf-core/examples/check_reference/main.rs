//! Compares this crate with PyTorch, tensor by tensor: runs the network that a file of reference
//! tensors describes, forward and backward in the file's precision, and prints the relative error
//! `||ours - theirs|| / ||theirs||` of every tensor in the file. Exits with 1 if an error is above
//! 1e-10 in double precision or 1e-4 in single precision, and with 2 if a file cannot be run.
//!
//!     cargo run --release -p liaf-core --example check_reference -- [--dump DIR] FILE...
//!
//! `--dump DIR` writes every computed tensor to a file in `DIR`, with the name and the keys of the
//! reference.

mod reference;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use reference::{Report, check};

fn main() -> ExitCode {
    let mut dump: Option<PathBuf> = None;
    let mut files = Vec::new();
    let mut args = std::env::args_os().skip(1);
    while let Some(arg) = args.next() {
        match arg.to_str() {
            Some("--dump") => match args.next() {
                Some(folder) => dump = Some(folder.into()),
                None => return usage("--dump needs a folder"),
            },
            Some(flag) if flag.starts_with('-') => return usage(&format!("unknown flag {flag}")),
            _ => files.push(PathBuf::from(arg)),
        }
    }
    if files.is_empty() {
        return usage("no file");
    }
    let mut code = 0;
    for file in &files {
        code = code.max(run(file, dump.as_deref()));
    }
    ExitCode::from(code)
}

fn usage(what: &str) -> ExitCode {
    eprintln!("{what}\nusage: check_reference [--dump DIR] FILE...");
    ExitCode::from(2)
}

fn run(file: &Path, dump: Option<&Path>) -> u8 {
    match check(file, dump) {
        Ok(report) => {
            print(file, &report);
            u8::from(!report.passed())
        }
        Err(error) => {
            eprintln!("{error}");
            2
        }
    }
}

fn print(file: &Path, report: &Report) {
    println!("{}: {}", file.display(), report.title);
    for (key, error) in &report.errors {
        let verdict = if *error <= report.tolerance { "" } else { "  <-- too large" };
        println!("  {key:<16} {error:9.2e}{verdict}");
    }
    let verdict = if report.passed() { "passed" } else { "FAILED" };
    println!(
        "  {verdict}: largest error {:.2e}, allowed {:.0e}; {:.2} s",
        report.largest(),
        report.tolerance,
        report.seconds
    );
}
