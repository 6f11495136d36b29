//! Hints to the kernel about the memory of large columns.
#![cfg_attr(target_os = "linux", expect(unsafe_code, reason = "madvise is a call into the kernel"))]

use std::mem::MaybeUninit;

/// Smaller blocks of memory are not worth a system call.
const WORTH: usize = 4 << 20;

/// Asks the kernel to use huge pages for `spare`, which is about to be written for the first time:
/// faulting in 126 MB page by page takes longer than decoding into it.
pub(crate) fn prefer_huge_pages<T>(spare: &mut [MaybeUninit<T>]) {
    let bytes = size_of_val(spare);
    if !cfg!(target_os = "linux") || bytes < WORTH {
        return;
    }
    const PAGE: usize = 4096;
    let start = spare.as_mut_ptr().cast::<u8>();
    let skip = start.align_offset(PAGE);
    let whole_pages = bytes.saturating_sub(skip) / PAGE * PAGE;
    // SAFETY: the pages lie within `spare`, which is borrowed for the call, and the advice changes
    // how they are backed, not what they hold. An error has no consequence.
    #[cfg(target_os = "linux")]
    unsafe {
        libc::madvise(start.wrapping_add(skip).cast(), whole_pages, libc::MADV_HUGEPAGE);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = whole_pages;
}
