#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| liaf_fuzz::run("against_libhdf5", data));

// Checksums would stop every other mutant.
libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let size = libfuzzer_sys::fuzzer_mutate(data, size, max_size);
    if seed % 16 > 0 {
        liaf_fuzz::hdf5::mend(&mut data[..size]);
    }
    size
});
