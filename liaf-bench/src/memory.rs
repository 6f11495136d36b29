//! The largest resident set of this process, as the kernel counts it.

use std::fs;

/// Forgets the largest resident set so far (Linux; elsewhere nothing happens).
pub fn reset_peak() {
    // Where it cannot be reset, the figure is that of the whole run: possibly too large, never too
    // small.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// The largest resident set since [`reset_peak`], in MiB; 0 where the kernel does not report it.
pub fn peak_mib() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}
