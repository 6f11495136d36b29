//! SIGINT and SIGTERM, which end the program: unfinished outputs are removed first.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

/// Whether the first signal only asks the command to end.
static ASKS: AtomicBool = AtomicBool::new(false);

/// The signal that asked it to; 0 if there was none.
static ASKED: AtomicI32 = AtomicI32::new(0);

/// From now on, the first signal does not end the program: [`asked`] returns it, and the command ends
/// when it has saved its work. A second signal ends it at once.
pub fn ask_first() {
    ASKS.store(true, Ordering::SeqCst);
}

/// The number of the signal that asked the command to end.
pub fn asked() -> Option<i32> {
    Some(ASKED.load(Ordering::SeqCst)).filter(|&signal| signal != 0)
}

/// Listens for SIGINT and SIGTERM on a thread of its own. The first of them removes all unfinished
/// outputs and ends the program with 128 and the number of the signal, as shells do: 130 and 143. A
/// second one ends it at once.
///
/// If the thread cannot be started, the signals end the program as usual, and the unfinished outputs
/// are removed when the same output is made again.
#[cfg(unix)]
pub fn listen() {
    use std::sync::Arc;
    use std::thread::Builder;

    use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::iterator::Signals;
    use signal_hook::{flag, low_level};

    // A file that may not grow further is then an error of writing.
    let _ = flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
    let wait = || -> std::io::Result<()> {
        let begun = Arc::new(AtomicBool::new(false));
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        for signal in [SIGINT, SIGTERM] {
            // In this order, so that only the second signal finds the flag set.
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&begun))?;
            flag::register(signal, Arc::clone(&begun))?;
        }
        if let Some(signal) = signals.forever().next() {
            if ASKS.load(Ordering::SeqCst) {
                ASKED.store(signal, Ordering::SeqCst);
                return Ok(());
            }
            liaf::data::io::abandon_outputs();
            crate::folders::remove_empty();
            low_level::exit(128 + signal);
        }
        Ok(())
    };
    let _ = Builder::new().name("liaf-signals".into()).spawn(wait);
}

/// Other systems have no such signals.
#[cfg(not(unix))]
pub fn listen() {}
