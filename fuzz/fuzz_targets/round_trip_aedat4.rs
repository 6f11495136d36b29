#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| liaf_fuzz::round_trip("aedat4", data));
