//! A read lease of the kernel on an open file (Linux `fcntl(2)`, `F_SETLEASE`).
//!
//! A program that wants to write or truncate the file waits until the lease is released, or until
//! the kernel's timeout (45 s) is over. If a lease is to be released while its reader is idle, a
//! separate thread releases it at once, so that no other program has to wait for an idle reader.
#![expect(unsafe_code, reason = "leases and their signal are calls into the kernel")]

use std::fs::File;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak, mpsc};
use std::{io, mem, ptr, thread};

/// A read lease. It is released when dropped, which must happen before the file is closed.
pub(crate) struct Lease(Arc<Held>);

impl Lease {
    /// Takes a lease on `file`.
    ///
    /// # Errors
    /// If somebody has the file open for writing, or the file system or the file's owner forbids it.
    pub(crate) fn take(file: &File) -> io::Result<Self> {
        let keeper = Keeper::get()?;
        let fd = file.as_raw_fd();
        let owner = FOwnerEx { kind: F_OWNER_TID, pid: keeper.thread };
        // SAFETY: `fd` is open, and `owner` outlives the call that reads it. The break signal goes
        // to the keeper's thread, which has it blocked, so its default action never happens.
        unsafe {
            check(libc::fcntl(fd, F_SETOWN_EX, &raw const owner))?;
            check(libc::fcntl(fd, libc::F_SETLEASE, libc::F_RDLCK))?;
        }
        let held = Arc::new(Held { state: Mutex::default(), fd });
        keeper.register(&held);
        // If a signal arrived before the lease was registered, the keeper did not find the lease.
        held.look();
        Ok(Self(held))
    }

    /// Marks the file as in use, unless the lease has been or must be released.
    pub(crate) fn begin(&self) -> Option<Busy<'_>> {
        let held = &*self.0;
        let mut state = held.lock();
        if state.gone {
            return None;
        }
        if held.break_is_pending() {
            // The last of the other users of the map releases the lease.
            if state.visitors == 0 {
                held.give_back(&mut state);
            }
            return None;
        }
        state.visitors += 1;
        Some(Busy(held))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.give_back(&mut self.0.lock());
    }
}

/// The file is in use as long as this value exists.
pub(crate) struct Busy<'a>(&'a Held);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.visitors -= 1;
        if state.visitors == 0 && !state.gone && self.0.break_is_pending() {
            self.0.give_back(&mut state);
        }
    }
}

/// The state of a lease that the reader and the keeper share.
struct Held {
    state: Mutex<State>,
    fd: RawFd,
}

#[derive(Default)]
struct State {
    /// Number of slices of the map that are in use.
    visitors: usize,
    /// The lease has been released; the descriptor may be closed.
    gone: bool,
}

impl Held {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn break_is_pending(&self) -> bool {
        // SAFETY: callers hold the state's lock and know the descriptor to be open.
        let lease = unsafe { libc::fcntl(self.fd, libc::F_GETLEASE) };
        lease != libc::F_RDLCK
    }

    fn give_back(&self, state: &mut State) {
        if !mem::replace(&mut state.gone, true) {
            // SAFETY: as above. Releasing a lease that is already gone returns an error, which has
            // no consequence.
            unsafe { libc::fcntl(self.fd, libc::F_SETLEASE, libc::F_UNLCK) };
        }
    }

    /// Called by the keeper when one of the leases must be released.
    fn look(&self) {
        let mut state = self.lock();
        if !state.gone && state.visitors == 0 && self.break_is_pending() {
            self.give_back(&mut state);
        }
    }
}

/// The thread that is notified when a lease must be released while its reader is idle. There is one
/// per process.
struct Keeper {
    thread: libc::pid_t,
    leases: Mutex<Vec<Weak<Held>>>,
}

impl Keeper {
    fn get() -> io::Result<&'static Self> {
        static KEEPER: OnceLock<Option<Keeper>> = OnceLock::new();
        let keeper = KEEPER.get_or_init(|| {
            let (sender, receiver) = mpsc::channel();
            let listen = move || {
                let Some(signals) = block_sigio() else { return };
                // SAFETY: no arguments, always succeeds.
                let thread = unsafe { libc::gettid() };
                if sender.send(thread).is_err() {
                    return;
                }
                loop {
                    // SAFETY: `signals` is an initialised set; a null info pointer is allowed.
                    let signal = unsafe { libc::sigwaitinfo(&raw const signals, ptr::null_mut()) };
                    if signal == libc::SIGIO
                        && let Some(Some(keeper)) = KEEPER.get()
                    {
                        keeper.look_at_all();
                    }
                }
            };
            thread::Builder::new().name("liaf-lease".into()).spawn(listen).ok()?;
            let thread = receiver.recv().ok()?;
            Some(Self { thread, leases: Mutex::default() })
        });
        keeper.as_ref().ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported))
    }

    fn register(&self, lease: &Arc<Held>) {
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        leases.retain(|lease| lease.strong_count() > 0);
        leases.push(Arc::downgrade(lease));
    }

    fn look_at_all(&self) {
        let leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        for lease in leases.iter().filter_map(Weak::upgrade) {
            lease.look();
        }
    }
}

/// Blocks SIGIO in this thread and returns the set that holds it.
fn block_sigio() -> Option<libc::sigset_t> {
    // SAFETY: `sigemptyset` initialises the set before it is read; the calls take valid pointers.
    unsafe {
        let mut signals: libc::sigset_t = mem::zeroed();
        libc::sigemptyset(&raw mut signals);
        libc::sigaddset(&raw mut signals, libc::SIGIO);
        let blocked = libc::pthread_sigmask(libc::SIG_BLOCK, &raw const signals, ptr::null_mut());
        (blocked == 0).then_some(signals)
    }
}

fn check(returned: libc::c_int) -> io::Result<()> {
    if returned == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// `F_SETOWN_EX` of `<fcntl.h>`: the owner of a descriptor's signals may be one thread.
const F_SETOWN_EX: libc::c_int = 15;
const F_OWNER_TID: libc::c_int = 0;

/// `struct f_owner_ex` of `<fcntl.h>`.
#[repr(C)]
struct FOwnerEx {
    kind: libc::c_int,
    pid: libc::pid_t,
}
