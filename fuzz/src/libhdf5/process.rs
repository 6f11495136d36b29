//! The process in which libhdf5 reads, and the way to it and back.

use std::ffi::CString;
use std::io::{Read, Result, Write};
use std::os::unix::net::UnixStream;

use super::{Expected, read};

/// Questions after which the process ends, as libhdf5 may keep what damaged files made it take.
const QUESTIONS: usize = 2000;
/// Milliseconds of the processor that libhdf5 may take for a file: it goes round in some damaged files
/// without end. And seconds, if it waits for something.
const MILLISECONDS: libc::suseconds_t = 200;
const SECONDS: u32 = 3;
/// Bytes of address space that it may take.
const MEMORY: libc::rlim_t = 2 << 30;

/// The process, and our end of the connection to it.
pub(super) struct Process {
    pid: i32,
    stream: UnixStream,
}

impl Process {
    /// Starts it.
    pub(super) fn start() -> Self {
        let (stream, mut theirs) = UnixStream::pair().expect("a connection");
        // SAFETY: a fuzz target has one thread, so that no lock is held by another one.
        let pid = unsafe { libc::fork() };
        assert!(pid >= 0, "no new process");
        if pid > 0 {
            return Self { pid, stream };
        }
        drop(stream);
        // SAFETY: the numbers are what the system expects, and nothing of the parent is used after that.
        unsafe {
            let memory = libc::rlimit { rlim_cur: MEMORY, rlim_max: MEMORY };
            libc::setrlimit(libc::RLIMIT_AS, &memory);
            // libFuzzer's handlers would report a crash of libhdf5 as one of ours.
            for signal in [libc::SIGSEGV, libc::SIGABRT, libc::SIGBUS, libc::SIGFPE, libc::SIGALRM]
            {
                libc::signal(signal, libc::SIG_DFL);
            }
            libc::close(2);
        }
        // An error means that the other end was closed.
        let _ = serve(&mut theirs);
        // SAFETY: ends the process without what libFuzzer does at an exit.
        unsafe { libc::_exit(0) }
    }

    /// What libhdf5 reads differently; empty if nothing is.
    ///
    /// # Errors
    /// If the process has ended.
    pub(super) fn compare(&mut self, path: &str, expected: &[Expected]) -> Result<String> {
        send(&mut self.stream, path.as_bytes())?;
        self.stream.write_all(&(expected.len() as u32).to_le_bytes())?;
        for Expected { name, bytes } in expected {
            send(&mut self.stream, name.as_bytes())?;
            send(&mut self.stream, bytes)?;
        }
        Ok(String::from_utf8_lossy(&receive(&mut self.stream)?).into_owned())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // SAFETY: the process was started here, and nobody else waits for it.
        unsafe {
            libc::kill(self.pid, libc::SIGKILL);
            libc::waitpid(self.pid, std::ptr::null_mut(), 0);
        }
    }
}

/// Answers questions one after the other.
fn serve(stream: &mut UnixStream) -> Result<()> {
    for _ in 0..QUESTIONS {
        let path = CString::new(receive(stream)?)?;
        let mut expected = Vec::new();
        for _ in 0..number(stream)? {
            let (name, bytes) = (CString::new(receive(stream)?)?, receive(stream)?);
            expected.push(Expected { name, bytes });
        }
        limit_time(MILLISECONDS, SECONDS);
        let answer = read::difference(&path, &expected).unwrap_or_default();
        limit_time(0, 0);
        send(stream, answer.as_bytes())?;
    }
    Ok(())
}

/// Ends this process by a signal after so many milliseconds of the processor, or seconds; 0 is never.
fn limit_time(milliseconds: libc::suseconds_t, seconds: u32) {
    let never = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let once = libc::timeval { tv_sec: 0, tv_usec: 1000 * milliseconds };
    let timer = libc::itimerval { it_interval: never, it_value: once };
    // SAFETY: the timer is valid for the call, and what was set before is not asked for.
    unsafe {
        libc::setitimer(libc::ITIMER_PROF, &timer, std::ptr::null_mut());
        libc::alarm(seconds);
    }
}

fn send(stream: &mut UnixStream, bytes: &[u8]) -> Result<()> {
    stream.write_all(&(bytes.len() as u32).to_le_bytes())?;
    stream.write_all(bytes)
}

fn number(stream: &mut UnixStream) -> Result<usize> {
    let mut number = [0; 4];
    stream.read_exact(&mut number)?;
    Ok(u32::from_le_bytes(number) as usize)
}

fn receive(stream: &mut UnixStream) -> Result<Vec<u8>> {
    let mut bytes = vec![0; number(stream)?];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}
