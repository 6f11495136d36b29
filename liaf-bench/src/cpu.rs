//! The processor time that this process has used, as Linux counts it for each thread.

use std::fs;

/// Clock ticks a second of the figures in /proc; Linux reports them in this unit everywhere.
pub const TICKS: f64 = 100.0;

/// Seconds used by the threads that run now, or 0 on systems that do not report it.
pub fn seconds() -> f64 {
    let Ok(threads) = fs::read_dir("/proc/self/task") else { return 0.0 };
    let nanoseconds = threads.flatten().filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    nanoseconds.sum::<u64>() as f64 / 1e9
}

/// Seconds of processor time that this process has used, of all threads, also those that have ended, in
/// whole ticks.
pub fn of_process() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |i: usize| fields.get(i).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / TICKS
}
